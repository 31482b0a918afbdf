//! Servers and clones of other kinds: SHA-256, reftables, other owners, signed commits only, and settings in
//! the environment.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;

use super::life::scopes;
use super::remote::{PATIENCE, Remote, git, ran};
use crate::programs::{has, left_out};
use crate::world::{KART, SKATT, ids};

/// Settings in the environment, as a CI host sets them.
fn configured(command: &mut Command, settings: &[(&str, &str)]) {
    command.env("GIT_CONFIG_COUNT", settings.len().to_string());
    for (at, (key, value)) in settings.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{at}"), key);
        command.env(format!("GIT_CONFIG_VALUE_{at}"), value);
    }
}

#[test]
fn a_repository_with_sha_256_is_as_good_as_any() {
    let remote = Remote::of_format("sha256");
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[SKATT])]));
    assert_eq!(one.head().len(), 64);
    one.apply();
    let first = one.head();
    assert_eq!(remote.held("applied"), Some(first.clone()));
    one.declare(&scopes(&[("etat:a", &[SKATT, KART])]));
    for more in [&[][..], &["--depth", "1"]] {
        let two = remote.another(&format!("two{}", more.len()), more);
        let plan = two.plan();
        let gone = [
            format!("revoke etat:b {SKATT}"),
            format!("grant etat:a {KART}"),
            "deactivate scope etat:b".to_owned(),
        ];
        assert_eq!(ids(&plan), gone);
        assert_eq!(plan["applied"]["commit"], *first);
        assert_eq!(plan["repository"]["dirty"], false);
        assert_eq!(two.ends(0, &["plan", "--base", &first]).code, 0);
    }
    one.apply();
    assert_eq!(remote.world.open_to("etat:b"), None);
    assert_eq!(one.history().len(), 2);
    one.ends(0, &["drift"]);
    one.ends(0, &["unlock"]);
    let ran = one.ends(0, &["rollback", &first]);
    assert!(ran.stdout.contains("etat:b"), "{}", ran.stdout);
    one.ends(0, &["baseline", "set", &first, "--yes"]);
    assert_eq!(remote.held("applied"), Some(first));
    one.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn a_repository_that_is_not_read_is_named_with_the_remedy() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.git(&["config", "core.repositoryFormatVersion", "1"]);
    for (extension, value, remedy) in [
        ("extensions.refStorage", "reftable", "git refs migrate --ref-format=files"),
        ("extensions.partialClone", "origin", "git config --unset extensions.partialClone"),
    ] {
        // Set in the file: git itself may not support it either.
        git(&one.path, &["config", "-f", ".git/config", extension, value]);
        for command in [&["plan"][..], &["apply", "--auto-approve"], &["history"]] {
            let ran = one.ends(1, command);
            assert!(ran.stderr.contains(remedy), "{command:?}: {}", ran.stderr);
        }
        one.ends(0, &["validate"]);
        git(remote.world.folder(), &["config", "-f", ".git/config", "--unset", extension]);
    }
    assert_eq!(remote.world.sent(), [""; 0]);
    one.ends(0, &["plan"]);
}

fn change_owner(folder: &Path) -> std::io::Result<()> {
    std::os::unix::fs::chown(folder, Some(54_321), None)
}

#[test]
fn a_repository_of_another_user_counts_where_git_is_configured_to_trust_it() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.apply();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    if change_owner(&one.path.join(".git")).and_then(|()| change_owner(&one.path)).is_err() {
        return left_out(
            "a repository of another user that git trusts",
            "only root can give a folder to another user",
        );
    }
    let real = one.path.canonicalize().unwrap().display().to_string();
    let file = remote.beside("gitconfig");
    std::fs::write(&file, format!("[safe]\n\tdirectory = {real}\n")).unwrap();
    let advice = format!("git config --global --add safe.directory {real}");
    let planned = |settings: &[(&str, &str)], global: Option<&Path>| {
        let mut plan = one.process(&["plan", "--format", "json"]);
        configured(&mut plan, settings);
        if let Some(global) = global {
            plan.env("GIT_CONFIG_GLOBAL", global);
        }
        ran(plan.output().unwrap())
    };
    for elsewhere in ["/elsewhere", ""] {
        let ran = planned(&[("safe.directory", elsewhere)], None);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(ran.stderr.contains(&advice), "{}", ran.stderr);
    }
    for (settings, global) in [
        (&[("safe.directory", &*real)][..], None),
        (&[("safe.directory", "*")], None),
        (&[], Some(&*file)),
    ] {
        let ran = planned(settings, global);
        assert_eq!(ran.code, 0, "{settings:?}: {}", ran.stderr);
        let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(ids(&plan), ["deactivate scope etat:b"], "{settings:?}");
        assert_eq!(plan["repository"]["dirty"], false);
    }
    // The repository's own setting is not trusted.
    git(&one.path, &["config", "-f", ".git/config", "safe.directory", "*"]);
    assert_eq!(planned(&[], None).code, 1);
}

#[test]
fn settings_in_the_environment_count_as_git_takes_them() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.git(&["remote", "rename", "origin", "felles"]);
    one.git(&["remote", "add", "egen", "/nowhere"]);
    one.ends(1, &["plan"]);
    let mut apply = one.process(&["apply", "--auto-approve"]);
    configured(&mut apply, &[("portvakt.remote", "felles")]);
    let ended = ran(apply.output().unwrap());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(remote.held("applied"), Some(one.head()));
    // The header with which a job authenticates.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/x.git", listener.local_addr().unwrap());
    let (seen, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap_or_default();
            let _ = seen.send(String::from_utf8_lossy(&request[..read]).into_owned());
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
    });
    one.git(&["remote", "set-url", "felles", &address]);
    let mut plan = one.process(&["plan"]);
    let header = ("http.extraHeader", "AUTHORIZATION: basic eDp5");
    configured(&mut plan, &[("portvakt.remote", "felles"), header]);
    ran(plan.output().unwrap());
    let request = requests.recv_timeout(PATIENCE).unwrap().to_ascii_lowercase();
    assert!(request.contains("authorization: basic edp5"), "{request}");
}

#[test]
fn a_server_that_takes_signed_commits_alone_is_served() {
    if !has("ssh-keygen", "a server that takes signed commits alone") {
        return;
    }
    for format in ["sha1", "sha256"] {
        let remote = Remote::of_format(format);
        let one = remote.first();
        let key = remote.beside("signing");
        let ssh_keygen = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", &key.to_string_lossy()];
        assert!(Command::new("ssh-keygen").args(ssh_keygen).status().unwrap().success());
        // Each new commit is checked, whatever ref it is under.
        remote.hook(
            "while read -r old new name; do\n\
             case $new in *[1-9a-f]*) ;; *) continue ;; esac\n\
             for commit in $(git rev-list \"$new\" --not --all); do\n\
             git cat-file commit \"$commit\" | sed '/^$/q' | grep -q '^gpgsig' || \
             { echo \"$name: $commit is not signed\" >&2; exit 1; }\n\
             done\ndone",
        );
        one.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
        one.git(&["config", "gpg.format", "ssh"]);
        one.git(&["config", "user.signingKey", &key.to_string_lossy()]);
        one.commit("Not signed");
        let ran = one.ends(1, &["apply", "--auto-approve"]);
        assert!(ran.stderr.contains("is not signed"), "{}", ran.stderr);
        assert!(ran.stderr.contains("set `commit.gpgsign`"), "{}", ran.stderr);
        one.git(&["config", "commit.gpgSign", "true"]);
        one.git(&["commit", "--quiet", "--amend", "--no-edit"]);
        one.git(&["push", "--quiet", "origin", "HEAD"]);
        one.apply();
        assert_eq!((remote.held("applied"), remote.held("lock")), (Some(one.head()), None));
        one.declare(&scopes(&[("etat:a", &[SKATT, KART])]));
        one.apply();
        assert_eq!(remote.world.open_to("etat:b"), None);
        assert_eq!(one.history().len(), 2);
        one.ends(0, &["baseline", "set", "HEAD", "--yes"]);
        // Without it nothing is changed, and the server's message is passed on.
        one.git(&["config", "commit.gpgSign", "false"]);
        let ran = one.ends(1, &["apply", "--auto-approve"]);
        assert!(ran.stderr.contains("is not signed"), "{}", ran.stderr);
    }
}

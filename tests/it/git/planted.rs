//! Files that a pull request can put beside the declarations so that git runs a program, and the environment
//! of programs that git runs.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::life::scopes;
use super::remote::{Clone, Remote, git, ran};
use crate::commands::{self, COMMANDS, Uses};
use crate::programs::left_out;
use crate::world::SKATT;

/// A program that records its environment where it is run.
struct Trap {
    program: PathBuf,
    witness: PathBuf,
}

impl Trap {
    fn new(remote: &Remote) -> Self {
        let (program, witness) = (remote.beside("trap"), remote.beside("witness"));
        let script = format!("#!/bin/sh\nenv >> '{}'\nexit 1\n", witness.display());
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { program, witness }
    }

    /// The recorded environment since the last time; `None` where it was not run.
    fn sprung(&self) -> Option<String> {
        let seen = std::fs::read_to_string(&self.witness).ok();
        if seen.is_some() {
            std::fs::remove_file(&self.witness).unwrap();
        }
        seen
    }

    /// A git configuration that runs this program wherever it can run one.
    fn configuration(&self, more: &str) -> String {
        let program = self.program.display();
        format!(
            "[core]\n\trepositoryformatversion = 0\n\tsshCommand = {program}\n\tfsmonitor = {program}\n\
             \thooksPath = {hooks}\n\tpager = {program}\n\tgitProxy = {program}\n\taskPass = {program}\n\
             {more}[credential]\n\thelper = {program}\n[alias]\n\tfetch = !{program}\n\
             [gpg]\n\tprogram = {program}\n[protocol \"ext\"]\n\tallow = always\n\
             [remote \"origin\"]\n\turl = ssh://git@nowhere.invalid/x\n\tuploadpack = {program}\n\
             [filter \"x\"]\n\tclean = {program}\n\tsmudge = {program}\n\tprocess = {program}\n\
             [url \"ext::{program} \"]\n\tinsteadOf = /\n",
            hooks = program.to_string() + "s",
        )
    }
}

/// Makes a folder look like a repository with this configuration, with plain files only.
fn plant(folder: &Path, configuration: &str) {
    for below in ["objects/info", "refs/heads"] {
        std::fs::create_dir_all(folder.join(below)).unwrap();
        std::fs::write(folder.join(below).join("keep"), "").unwrap();
    }
    std::fs::write(folder.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    std::fs::write(folder.join("config"), configuration).unwrap();
}

/// A way to make the folder of the declarations, or one above it, look like a repository.
type Plant = fn(&Path, &Trap);

/// The ways, each with the folder of the declarations and the requested one.
const WAYS: [(&str, &str, &str, Plant); 8] = [
    ("beside the declarations", "tilgang", "tilgang", |top, trap| {
        plant(&top.join("tilgang"), &trap.configuration("\tbare = true\n"));
    }),
    ("with a work tree of its own", "tilgang", "tilgang", |top, trap| {
        plant(&top.join("tilgang"), &trap.configuration("\tbare = false\n\tworktree = .\n"));
    }),
    ("at the top, beside `.git`", ".", ".", |top, trap| {
        plant(top, &trap.configuration("\tworktree = .\n"));
    }),
    ("above the declarations", "a/b/tilgang", "a/b/tilgang", |top, trap| {
        plant(&top.join("a"), &trap.configuration("\tworktree = b\n"));
    }),
    ("in a folder that is named as one", "tilgang.git", "tilgang.git", |top, trap| {
        plant(&top.join("tilgang.git"), &trap.configuration(""));
    }),
    ("as a linked work tree", "tilgang", "tilgang", |top, trap| {
        plant(&top.join("felles"), &trap.configuration("\tbare = false\n"));
        std::fs::write(top.join("tilgang/HEAD"), "ref: refs/heads/main\n").unwrap();
        std::fs::write(top.join("tilgang/commondir"), "../felles\n").unwrap();
        std::fs::write(top.join("tilgang/gitdir"), "../tilgang/x\n").unwrap();
    }),
    ("by symbolic links", "tilgang", "tilgang", |top, trap| {
        plant(&top.join("tilgang/annet"), &trap.configuration("\tworktree = .\n"));
        std::fs::write(top.join("tilgang/HEAD"), "ref: refs/heads/main\n").unwrap();
        for name in ["objects", "refs", "config"] {
            symlink(format!("annet/{name}"), top.join("tilgang").join(name)).unwrap();
        }
    }),
    ("behind a symbolic link", "felles/tilgang", "lenke", |top, trap| {
        plant(&top.join("felles/tilgang"), &trap.configuration("\tworktree = .\n"));
        symlink("felles/tilgang", top.join("lenke")).unwrap();
    }),
];

#[test]
fn no_folder_that_looks_like_a_repository_has_a_program_run() {
    for (route, declarations, asked, plants) in WAYS {
        let remote = Remote::new();
        let (one, trap) = (remote.first(), Trap::new(&remote));
        let top = &one.path;
        let settings = std::fs::read_to_string(top.join("portvakt.yaml")).unwrap();
        std::fs::remove_file(top.join("portvakt.yaml")).unwrap();
        one.write(&format!("{declarations}/portvakt.yaml"), &settings);
        one.write(&format!("{declarations}/a.yaml"), commands::DECLARED);
        commands::write_files(top);
        one.write(".gitattributes", "* filter=x diff=x merge=x\n");
        let submodule = "[submodule \"x\"]\n\tpath = x\n\turl = ext::sh\n\tupdate = !false\n";
        one.write(".gitmodules", submodule);
        plants(top, &trap);
        one.commit("Plant");
        one.git(&["push", "--quiet", "origin", "HEAD"]);
        let folder = top.join(asked);
        // The trap works: git alone falls into it, except at the top, where `.git` comes first.
        let mut plain = Command::new("git");
        plain.env_clear().env("PATH", std::env::var("PATH").unwrap()).current_dir(&folder);
        plain.args(["-c", "safe.bareRepository=all", "ls-remote", "origin"]);
        plain.output().unwrap();
        assert_eq!(trap.sprung().is_some(), route != WAYS[2].0, "{route}: git alone");
        let is_first = route == WAYS[0].0;
        let commands = || COMMANDS.iter().filter(|(_, uses)| is_first || uses.contains(&Uses::Git));
        for (command, _) in commands() {
            let asked = [&["-C", asked], *command].concat();
            one.run(&asked);
            assert_eq!(trap.sprung(), None, "{route}: {command:?}");
        }
        // The same in the folder itself.
        let here = remote.at(&folder);
        for (command, _) in commands().filter(|_| is_first) {
            here.run(command);
            assert_eq!(trap.sprung(), None, "{route}: {command:?} in the folder");
        }
        // The real repository was used: what was applied is known.
        let place = match declarations {
            "." => "test".to_owned(),
            folder => format!("@{}/test", folder.replace('/', ".")),
        };
        let applied = format!("refs/portvakt/{place}/applied");
        assert_eq!(
            super::remote::git(&remote.path(), &["rev-parse", &applied]),
            one.head(),
            "{route}"
        );
        let ran = one.ends(0, &["-C", asked, "history", "--format", "json"]);
        let reports: Vec<serde_json::Value> = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(reports[0]["commit"], *one.head(), "{route}");
    }
}

#[test]
fn no_submodule_leads_to_what_looks_like_a_repository() {
    let remote = Remote::new();
    let (one, trap) = (remote.first(), Trap::new(&remote));
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    plant(&one.path.join("felles"), &trap.configuration("\tbare = false\n\tworktree = .\n"));
    let commit = one.merge("Plant");
    let repository = git2::Repository::open(&one.path).unwrap();
    let head = repository.head().unwrap().peel_to_tree().unwrap();
    let head = repository.odb().unwrap().read(head.id()).unwrap().data().to_vec();
    // A commit that is in none of these repositories, so that it would be fetched.
    let missing = git2::Oid::from_str("1234567890123456789012345678901234567890").unwrap();
    for name in ["x/../../../felles", "x/../../felles", "felles", "/felles", "zz"] {
        let entry = [format!("160000 {name}\0").as_bytes(), missing.as_bytes()].concat();
        let tree = [head.clone(), entry].concat();
        let tree = repository.odb().unwrap().write(git2::ObjectType::Tree, &tree).unwrap();
        let base = one.git(&["commit-tree", &tree.to_string(), "-p", &commit, "-m", "Lead away"]);
        let ran = one.ends(0, &["plan", "--base", &base]);
        assert_eq!(trap.sprung(), None, "{name}");
        // A submodule outside the folder of the declarations is not reported.
        let is_reported = ran.stdout.contains("of submodule");
        assert_eq!(is_reported, !name.contains(".."), "{name}: {}", ran.stdout);
    }
}

/// Secrets in variables of any name in portvakt.yaml.
const SECRETS: [(&str, &str); 6] = [
    ("ETAT_KLIENT", "s3cret-id"),
    ("ETAT_NOEKKEL", "s3cret-key"),
    ("ETAT_KID", "s3cret-kid"),
    ("P12_PASSWORD", "s3cret-password"),
    ("GAL_NOEKKEL", "s3cret-of-what-is-wrong"),
    ("PORTVAKT_ANNET", "s3cret-of-another"),
];

/// A clone whose portvakt.yaml names the variables.
fn with_secrets<'r>(remote: &'r Remote, is_right: bool) -> Clone<'r> {
    let one = remote.first();
    let settings = std::fs::read_to_string(one.path.join("portvakt.yaml")).unwrap();
    let named = settings
        .replace("PORTVAKT_CLIENT_ID", "ETAT_KLIENT")
        .replace("PORTVAKT_KEY", "ETAT_NOEKKEL")
        .replace("PORTVAKT_KID", "ETAT_KID");
    let more = "  annet:\n    target: test\n    credentials:\n      client_id: x\n      \
                certificate: { file: a.p12, password: { env: P12_PASSWORD } }\n";
    let wrong =
        "  galt:\n    target: test\n    credentials: { key: { env: GAL_NOEKKEL }, kidd: 1 }\n";
    one.write("portvakt.yaml", &(named + more + if is_right { "" } else { wrong }));
    one.write("declarations.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.commit("Declare");
    one
}

fn run_with_secrets(clone: &Clone<'_>, is_right: bool, command: &[&str]) -> crate::world::Ran {
    let mut process = clone.process(&[&["-e", "test"], command].concat());
    for variable in ["PORTVAKT_CLIENT_ID", "PORTVAKT_KEY", "PORTVAKT_KID"] {
        process.env(variable, "s3cret-by-default");
    }
    let user =
        [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "a.b"), ("GIT_CONFIG_VALUE_0", "c")];
    let is_named = |(name, _): &(&str, &str)| !(is_right && *name == "GAL_NOEKKEL");
    process
        .envs(SECRETS.into_iter().filter(is_named))
        .envs(user)
        .env("GIT_DIR", "/elsewhere")
        .env("OF_THE_USER", "is-kept");
    ran(process.output().unwrap())
}

/// An address that asks for a password.
fn asks_for_a_password() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/x.git", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\
                  Content-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    address
}

#[test]
fn the_programs_of_the_real_repository_run_and_see_no_secret() {
    for is_right in [true, false] {
        no_secret_is_seen(is_right);
    }
}

fn no_secret_is_seen(is_right: bool) {
    let remote = Remote::new();
    let trap = Trap::new(&remote);
    let program = trap.program.display().to_string();
    let address = asks_for_a_password();
    let ways: [(&str, &str, String); 4] = [
        ("ssh://git@nowhere.invalid/x", "core.sshCommand", program.clone()),
        (&address, "credential.helper", program.clone()),
        ("ext::sh", "remote.origin.url", format!("ext::{program}")),
        ("/nowhere", "remote.origin.uploadpack", program.clone()),
    ];
    let one = with_secrets(&remote, is_right);
    one.git(&["config", "protocol.ext.allow", "always"]);
    for (url, key, value) in &ways {
        one.git(&["config", "remote.origin.url", url]);
        one.git(&["config", key, value]);
        for command in [&["plan"][..], &["apply", "--auto-approve"], &["history"], &["drift"]] {
            let ran = run_with_secrets(&one, is_right, command);
            // Errors in the declarations are found before git is run, except by `history`.
            if !is_right && command != ["history"] {
                assert_eq!((ran.code, trap.sprung()), (3, None), "{key}: {command:?}");
                continue;
            }
            let seen = trap.sprung();
            let seen = seen.unwrap_or_else(|| panic!("{key}: {command:?}: {}", ran.stderr));
            assert!(!seen.contains("s3cret"), "{key}: {command:?}: {seen}");
            assert!(!seen.contains("PRIVATE KEY"), "{key}: {command:?}");
            assert!(seen.contains("OF_THE_USER=is-kept"), "{key}: {seen}");
            assert!(!seen.contains("GIT_DIR=/elsewhere"), "{key}: {seen}");
        }
        one.git(&["config", "--unset-all", key]);
    }
}

#[test]
fn a_neighbour_that_cannot_be_read_keeps_its_secrets_from_git_too() {
    let remote = Remote::new();
    let (one, trap) = (with_secrets(&remote, true), Trap::new(&remote));
    let program = trap.program.display().to_string();
    one.git(&["config", "remote.origin.url", "ssh://git@nowhere.invalid/x"]);
    one.git(&["config", "core.sshCommand", &program]);
    let environment = "environments:\n  test:\n    credentials: { key: { env: GAL_NOEKKEL } }\n";
    let wrong = [
        environment.to_owned(),
        format!("{environment}organization: [\n"),
        format!("\t:{environment}"),
    ];
    for settings in wrong {
        one.write("nabo/portvakt.yaml", &settings);
        one.commit("A neighbour");
        run_with_secrets(&one, false, &["plan"]);
        let seen = trap.sprung().unwrap();
        assert!(!seen.contains("s3cret"), "{settings}: {seen}");
    }
}

#[test]
fn a_setting_of_the_user_s_environment_reaches_git() {
    let remote = Remote::new();
    let (one, trap) = (remote.first(), Trap::new(&remote));
    one.git(&["config", "remote.origin.url", "ssh://git@nowhere.invalid/x"]);
    let program = trap.program.display().to_string();
    let parameters = format!("'core.sshcommand'='{program}'");
    let file = remote.beside("gitconfig");
    std::fs::write(&file, format!("[core]\n\tsshCommand = {program}\n")).unwrap();
    let file = file.display().to_string();
    let one_more = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.sshCommand"),
        ("GIT_CONFIG_VALUE_0", &program),
    ];
    let ways: [&[(&str, &str)]; 4] = [
        &one_more,
        &[("GIT_CONFIG_PARAMETERS", &parameters)],
        &[("GIT_SSH_COMMAND", &program)],
        &[("GIT_CONFIG_GLOBAL", &file)],
    ];
    for route in ways {
        let mut plan = one.process(&["plan"]);
        plan.envs(route.iter().copied()).output().unwrap();
        let seen = trap.sprung().unwrap_or_else(|| panic!("{route:?}"));
        assert!(!seen.contains("PORTVAKT_") && !seen.contains("PRIVATE KEY"), "{seen}");
    }
    // And one of the real repository, in another file.
    one.git(&["config", "include.path", &file]);
    one.run(&["plan"]);
    assert!(trap.sprung().is_some());
}

#[test]
fn no_hook_of_the_work_tree_is_run() {
    let remote = Remote::new();
    let (one, trap) = (remote.first(), Trap::new(&remote));
    // As hook managers set it up: the folder is part of a pull request's content.
    for hook in
        ["pre-push", "reference-transaction", "post-index-change", "pre-auto-gc", "fsmonitor"]
    {
        let hook = one.path.join(".husky").join(hook);
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::copy(&trap.program, hook).unwrap();
    }
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.git(&["config", "core.hooksPath", ".husky"]);
    one.git(&["config", "core.fsmonitor", ".husky/fsmonitor"]);
    let two = remote.another("two", &["--depth", "1"]);
    two.git(&["config", "core.hooksPath", ".husky"]);
    for clone in [&one, &two] {
        clone.apply();
        clone.ends(0, &["plan", "--base", "main"]);
        clone.ends(0, &["history"]);
        clone.ends(0, &["drift"]);
        assert_eq!(trap.sprung(), None);
    }
}

#[test]
fn a_work_tree_that_the_real_configuration_names_is_the_one() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    // The repository is elsewhere and names its work tree, as that of a submodule does.
    let kept = remote.beside("kept");
    std::fs::rename(one.path.join(".git"), &kept).unwrap();
    std::fs::write(one.path.join(".git"), format!("gitdir: {}\n", kept.display())).unwrap();
    git(&kept, &["config", "core.worktree", &one.path.display().to_string()]);
    let plan = one.plan();
    assert_eq!(plan["applied"]["commit"], *one.head());
    one.write("declarations.yaml", &scopes(&[]));
    assert_eq!(one.plan()["repository"]["dirty"], true);
    // The search stops where the user has configured git to stop.
    let mut plan = remote.at(&one.path).process(&["plan", "--format", "json"]);
    plan.env("GIT_CEILING_DIRECTORIES", &one.path);
    let ended: serde_json::Value =
        serde_json::from_str(&ran(plan.output().unwrap()).stdout).unwrap();
    assert_eq!(ended["applied"]["commit"], *one.head(), "a search may begin at a ceiling");
}

#[test]
fn a_repository_of_another_user_is_named_with_the_remedy() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    if std::os::unix::fs::chown(one.path.join(".git"), Some(54_321), None).is_err() {
        return left_out(
            "a repository of another user",
            "only root can give a folder to another user",
        );
    }
    let real = one.path.canonicalize().unwrap();
    let advice = format!("git config --global --add safe.directory {}", real.display());
    for command in [&["plan"][..], &["apply", "--auto-approve"], &["history"], &["unlock"]] {
        let ran = one.ends(1, command);
        assert!(ran.stderr.contains(&advice), "{command:?}: {}", ran.stderr);
    }
    let config = remote.beside("gitconfig");
    std::fs::write(&config, format!("[safe]\n\tdirectory = {}\n", real.display())).unwrap();
    let mut plan = one.process(&["plan"]);
    plan.env("HOME", remote.beside("")).env("GIT_CONFIG_GLOBAL", &config);
    std::fs::copy(&config, remote.beside(".gitconfig")).unwrap();
    let ended = ran(plan.output().unwrap());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

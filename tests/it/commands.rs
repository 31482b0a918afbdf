//! Every command of the program, for the tests that hold all of them against something.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use Uses::{Api, Git};
use domain::AccessState::Requested;
use secrecy::ExposeSecret as _;

use crate::git::remote::{Remote, ran};
use crate::readme::ROOT;
use crate::world::{KART, KEY, Ran, SKATT, name, orgno, program};

/// What a command uses beside files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uses {
    /// It runs git.
    Git,
    /// It calls Maskinporten, and mostly the API.
    Api,
}

/// Every command with arguments, which name what is in [`DECLARED`] and [`write_files`], and what it uses.
/// Those that change files are last.
pub(crate) const COMMANDS: &[(&[&str], &[Uses])] = &[
    (&["plan", "--out", "plan.json"], &[Git, Api]),
    (&["plan", "--base", "HEAD"], &[Git, Api]),
    (&["plan", "--blame"], &[Git, Api]),
    (&["apply", "--auto-approve", "--patience", "0", "--report", "report.json"], &[Git, Api]),
    (&["apply", "--auto-approve", "--override-guards", "likevel", "--patience", "0"], &[Git, Api]),
    (&["apply", "--due", "--auto-approve"], &[Git, Api]),
    (&["drift"], &[Git, Api]),
    (&["rollback", "HEAD"], &[Git, Api]),
    (&["show", "plan.json"], &[]),
    (&["comment", "--github", "--plan", "plan.json"], &[]),
    (&["reviewed", "--github", "--plan", "plan.json"], &[]),
    (&["history"], &[Git]),
    (&["doctor"], &[Git, Api]),
    (&["validate"], &[]),
    (&["validate", "--diff"], &[]),
    (&["validate", "--format", "sarif"], &[]),
    (&["unmanaged"], &[Git, Api]),
    (&["access"], &[Api]),
    (&["requests"], &[Api]),
    (&["requests", "deny", KART, "--scope", "etat:a", "--yes"], &[Git, Api]),
    (&["coverage"], &[Git, Api]),
    (&["baseline"], &[Git]),
    (&["baseline", "set", "HEAD", "--yes"], &[Git]),
    (&["unlock", "--yes"], &[Git]),
    (&["snapshot", "--out", "live.json"], &[Git, Api]),
    (&["keys", "renew", "app"], &[Git, Api]),
    (&["keys", "list"], &[Api]),
    (
        &[
            "render",
            "nais",
            "--scope",
            "etat:a",
            "--cluster",
            "c",
            "--namespace",
            "n",
            "--app",
            "a",
        ],
        &[],
    ),
    (&["render", "yaml"], &[]),
    (&["render", "istio", "--scope", "etat:a"], &[]),
    (&["render", "envoy", "--scope", "etat:a"], &[]),
    (&["render", "apim", "--scope", "etat:a"], &[]),
    (&["render", "krakend", "--scope", "etat:a"], &[]),
    (&["render", "spring", "--scope", "etat:a"], &[]),
    (&["render", "skyporten"], &[]),
    (&["credentials", "app", "--key", "key.pem", "--out", "credentials"], &[Api]),
    (&["token", "--client", "app", "--key", "key.pem"], &[Api]),
    (&["probe", "--out", "profile.json"], &[Api]),
    (&["explain"], &[]),
    (&["schema"], &[]),
    (&["completions", "bash"], &[]),
    (&["man"], &[]),
    (&["init", "--ci", "github"], &[Git]),
    (&["import"], &[Git, Api]),
    (&["import", "--scope", "etat:b"], &[Git, Api]),
    (&["migrate", "from-nais", "app.manifest"], &[Api]),
    (&["migrate", "to-nais", "--check"], &[Git, Api]),
    (&["keys", "generate", "app", "--out", "new.jwk"], &[]),
    (&["keys", "rotate", "app", "--out", "newer.jwk"], &[]),
    (&["keys", "rotate", "app", "--retire"], &[Api]),
    (&["rename", "etat:a", "etat:ny"], &[]),
    (&["block", SKATT, "--reason", "nei"], &[]),
    (&["unblock", SKATT], &[]),
];

/// Commands that are not in the table, and why.
const APART: [(&str, &str); 1] = [("sandbox", "it is a server, which does not end")];

/// The declarations that the arguments name.
pub(crate) const DECLARED: &str = "\
scopes:
  - { name: etat:a, description: Les, consumers: [\"974761076\"] }
clients:
  - { name: app }
skyporten:
  - name: lager-les
    scope: etat:a
    audience: https://a.example
    aws: { account: \"123456789012\", role: lager-les }
";

/// The commands that use something.
pub(crate) fn using(what: Uses) -> impl Iterator<Item = &'static [&'static str]> {
    COMMANDS.iter().filter(move |(_, uses)| uses.contains(&what)).map(|(args, _)| *args)
}

/// Writes the files that the arguments name and no command of the table makes.
pub(crate) fn write_files(folder: &Path) {
    let manifest = "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: app, namespace: n, clusterName: c }\nspec:\n  \
                    maskinporten: { enabled: true, scopes: { consumes: [{ name: etat:b }] } }\n";
    std::fs::write(folder.join("app.manifest"), manifest).unwrap();
    std::fs::write(folder.join("key.pem"), KEY.private_key_pem.expose_secret()).unwrap();
}

/// The words of every command, as docs/commands.md lists them, which is made from the program.
pub(crate) fn listed() -> BTreeSet<String> {
    let page = std::fs::read_to_string(format!("{ROOT}/docs/commands.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| [`")?.split('`').next());
    rows.map(str::to_owned).collect()
}

/// The values that the last argument can have, from the error about another one; none if any is possible.
pub(crate) fn values(args: &[&str]) -> Vec<String> {
    let error = Ran::of(program().args(args).arg("none")).stderr;
    let known = error.split_once("[possible values: ").and_then(|(_, known)| known.split_once(']'));
    let known = known.into_iter().flat_map(|(known, _)| known.split(", "));
    known.map(str::to_owned).collect()
}

/// The formats of a command that has some.
pub(crate) fn formats(command: &str) -> Vec<String> {
    let formats = values(&[command, "--format"]);
    assert!(formats.len() > 1, "{command}");
    formats
}

/// Does something with a command's arguments, and with those for each of its formats.
pub(crate) fn in_each_format(args: &[&str], mut check: impl FnMut(&[&str])) {
    check(args);
    for format in values(&[args, &["--format"]].concat()) {
        check(&[args, &["--format", &format]].concat());
    }
}

#[test]
fn the_table_has_every_command() {
    let listed = listed();
    let called = |args: &[&str]| {
        let is_it = |name: &&String| (args.join(" ") + " ").starts_with(&format!("{name} "));
        listed.iter().filter(is_it).max_by_key(|name| name.len()).cloned().unwrap_or_default()
    };
    let mut found: BTreeSet<_> = COMMANDS.iter().map(|(args, _)| called(args)).collect();
    found.extend(APART.map(|(name, _)| name.to_owned()));
    assert_eq!(found, listed);
}

#[test]
fn each_command_uses_what_the_table_says() {
    let remote = Remote::new();
    let one = remote.first();
    write_files(&one.path);
    one.declare(DECLARED);
    one.apply();
    remote.world.sandbox.edit(|state| state.put_access(name("etat:a"), orgno(KART), Requested));
    let (bin, witness) = (remote.beside("bin"), remote.beside("witness"));
    let path = std::env::var("PATH").unwrap();
    let git =
        format!("#!/bin/sh\necho >> '{}'\nPATH='{path}'\nexec git \"$@\"\n", witness.display());
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("git"), git).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(bin.join("git"), executable).unwrap();
    let path = format!("{}:{path}", bin.display());
    let mut wrong = Vec::new();
    for (args, uses) in COMMANDS {
        remote.world.check_and_forget();
        let ran = ran(one.process(args).env("PATH", &path).output().unwrap());
        let mut used = Vec::new();
        if std::fs::remove_file(&witness).is_ok() {
            used.push(Git);
        }
        if !remote.world.sandbox.exchanges().is_empty() {
            used.push(Api);
        }
        if used != *uses || ran.code == 64 || ran.code == 101 {
            wrong.push(format!(
                "{args:?} uses {used:?} and exits with {}: {}",
                ran.code, ran.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

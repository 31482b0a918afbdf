//! The command that checks what `plan` and `apply` need.

use crate::git::remote::{Remote, ran};
use crate::world::{Ran, World};

#[test]
fn a_repository_that_works_has_no_problem() {
    let remote = Remote::new();
    let clone = remote.first();
    clone.declare("scopes: [{ name: etat:a, description: Les }]\n");
    let ran = clone.ends(0, &["doctor"]);
    for shown in [
        "ok       version         portvakt ",
        "ok       git             commit ",
        "ok       remote          refs/portvakt/test: nothing has been applied yet",
        "ok       branch          commits of main may be applied",
        "ok       push            the remote takes a push to refs/portvakt (dry run: ",
        "ok       token to read   for idporten:scopes.read: ",
        "ok       token to write  for idporten:scopes.write too",
        "ok       DigDir          it answers, with 0 scopes",
    ] {
        assert!(ran.stdout.contains(shown), "{shown}: {}", ran.stdout);
    }
    // Nothing is written anywhere.
    assert_eq!(
        (remote.held("lock"), remote.held("applied"), remote.held("doctor")),
        (None, None, None)
    );
    assert_eq!(remote.world.sent(), [""; 0]);
    clone.apply();
    let ran = clone.ends(0, &["doctor"]);
    assert!(ran.stdout.contains(&format!("commit {} is applied", clone.head())), "{}", ran.stdout);
}

#[test]
fn each_problem_has_what_to_do_beside_it() {
    let world = World::new();
    let doctor = |remove: &str| {
        let mut command = world.command(&["doctor"]);
        Ran::of(command.env_remove(remove))
    };
    let ran = doctor("PORTVAKT_KEY");
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("problem  credentials     the credentials of"), "{}", ran.stdout);
    assert!(ran.stdout.contains("PORTVAKT_KEY is not set"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Set what is missing where portvakt runs"), "{}", ran.stdout);
    // Outside git, and in the sandbox's folder, there are notes.
    let ran = doctor("");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("note     git             this is not a git repository"));
    assert!(ran.stdout.contains("Run `git init`"), "{}", ran.stdout);
    // Credentials that can only read are right for a job that plans.
    world.sandbox.edit(|state| {
        let client = state.clients.get_mut("portvakt").unwrap();
        client.scopes.retain(|scope| scope.ends_with(".read"));
    });
    let ran = doctor("");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("note     token to write  the client has no scope that writes"));
    world.sandbox.edit(|state| state.clients.get_mut("portvakt").unwrap().scopes.clear());
    let ran = doctor("");
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("problem  token to read"), "{}", ran.stdout);
    world.declare("scopes: nonsense\n");
    let ran = doctor("");
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("`portvakt validate` shows each"), "{}", ran.stdout);
}

#[test]
fn a_remote_that_cannot_be_reached_or_pushed_to_is_reported() {
    let remote = Remote::new();
    let clone = remote.first();
    clone.declare("scopes: []\n");
    clone.git(&["remote", "set-url", "--push", "origin", "/nonexistent"]);
    let ran = clone.ends(0, &["doctor"]);
    assert!(ran.stdout.contains("note     push            `git push` failed"), "{}", ran.stdout);
    assert!(ran.stdout.contains("contents: write"), "{}", ran.stdout);
    clone.git(&["remote", "set-url", "origin", "/nonexistent"]);
    let ran = clone.ends(1, &["doctor"]);
    assert!(
        ran.stdout.contains("problem  remote          `git ls-remote` failed"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("See with `git remote -v`"), "{}", ran.stdout);
}

#[test]
fn a_folder_without_settings_is_shown_the_command_that_makes_them() {
    let folder = tempfile::TempDir::new().unwrap();
    let ran = Ran::of(crate::world::program().current_dir(folder.path()).arg("doctor"));
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("begin one with `portvakt init`"), "{}", ran.stdout);
}

#[test]
fn a_ci_job_lacks_a_token_only_where_it_does() {
    let remote = Remote::new();
    let clone = remote.first();
    for (system, token) in [
        ("GITHUB_ACTIONS", "GITHUB_TOKEN"),
        ("GITLAB_CI", "PORTVAKT_GITLAB_TOKEN"),
        ("TF_BUILD", "SYSTEM_ACCESSTOKEN"),
    ] {
        for (value, shown) in [("", "note     CI"), ("hemmelig-3f1c", "ok       CI")] {
            let mut command = clone.process(&["doctor"]);
            let ran = ran(command.env(system, "true").env(token, value).output().unwrap());
            assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
            assert!(ran.stdout.contains(shown) && ran.stdout.contains(token), "{}", ran.stdout);
            assert!(!ran.stdout.contains("hemmelig"), "{}", ran.stdout);
            // What a job on GitHub does not name, it loses.
            let keeps = ran.stdout.contains("beside `contents: read`");
            assert_eq!(keeps, token == "GITHUB_TOKEN" && value.is_empty(), "{}", ran.stdout);
        }
    }
}

#[test]
fn an_environment_that_is_not_there_is_wrong_usage() {
    let world = World::new();
    let ran = world.run(&["-e", "tset", "doctor"]);
    assert_eq!(ran.code, 64);
    assert!(ran.stderr.contains("there are test"), "{}", ran.stderr);
}

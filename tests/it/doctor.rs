//! The command that checks what `plan` and `apply` need.

use jiff::SignedDuration;

use crate::front::{Answer, Reply, front};
use crate::git::remote::{Remote, git, ran};
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
    assert!(ran.stdout.contains("Check with `git remote -v`"), "{}", ran.stdout);
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

/// Each refusal of Maskinporten, and no answer at all: the line below the problem says what to do.
#[test]
fn a_client_a_key_a_clock_and_a_network_that_are_wrong_are_told_apart() {
    for (description, seconds, remedy) in [
        ("MP-100: Unknown client", 0, "the client of the other environment"),
        ("MP-120: Unknown key identifier", 0, "The client has no key of this kid."),
        ("MP-121: Expired key", 0, "Registering the same key again renews it"),
        ("MP-124: Invalid JWT signature", 0, "`key` and `kid` are not of the same key"),
        ("MP-130: expired", 300, "This machine's clock is 300 s behind: set it, e.g. by NTP."),
    ] {
        let world = World::new();
        front(&world, move |asked| match asked.path == "/token" {
            true => {
                let clock = SignedDuration::from_secs(seconds);
                Reply::Instead(Answer { clock, ..Answer::refusal(description) })
            }
            false => Reply::Pass,
        });
        let ran = world.run(&["doctor"]);
        assert_eq!(ran.code, 1, "{description}: {}", ran.stdout);
        let (_, problem) = ran.stdout.split_once("problem  token to read").unwrap();
        let (_, below) = problem.split_once('\n').unwrap();
        assert!(below.contains(remedy), "{description}: {problem}");
    }
    // A port at which nobody listens.
    let world = World::new();
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    let address = world.sandbox.issuer().trim_end_matches('/').to_owned();
    world.write("portvakt.yaml", settings.replace(&address, "http://127.0.0.1:9"));
    let ran = world.run(&["doctor"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let remedy = "Check that this machine reaches the host (network, firewall, HTTPS_PROXY)";
    assert!(ran.stdout.contains(remedy), "{}", ran.stdout);
}

/// Refs in this clone alone are right for the embedded sandbox, and of no use to others anywhere else.
#[test]
fn a_clone_without_a_remote_is_noted_but_for_the_sandbox() {
    let world = World::new();
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    let more = settings.replace("environments:\n", "environments:\n  local: { target: sandbox }\n");
    assert_ne!(more, settings);
    world.write("portvakt.yaml", more);
    git(world.folder(), &["init", "--quiet", "-b", "trunk"]);
    git(world.folder(), &["add", "-A"]);
    git(world.folder(), &["commit", "--quiet", "-m", "Begin"]);
    let ran = world.run(&["-e", "test", "doctor"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("note     remote          none: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("`git remote add origin URL`"), "{}", ran.stdout);
    let ran = world.run(&["-e", "local", "doctor"]);
    assert!(
        ran.stdout.contains("ok       remote          not used: the sandbox"),
        "{}",
        ran.stdout
    );
}

//! The program as a user runs it: exit codes, errors, and content that must never be printed.

use std::time::Duration;

use domain::AccessState::Approved;
use sandbox::{Fault, FaultRule, Switches};
use secrecy::ExposeSecret as _;

use crate::client::tokens::archive;
use crate::commands::{listed, values};
use crate::readme::ROOT;
use crate::world::{DIGDIR, KART, KEY, OWNER, Ran, SKATT, World, program};

const ONE_SCOPE: &str =
    "scopes:\n  - { name: etat:a, description: Les, consumers: [\"974761076\"] }\n";

fn ran(args: &[&str]) -> Ran {
    Ran::of(program().args(args))
}

/// Windows gives the first thread of a program 1 MiB.
#[test]
fn a_first_thread_with_a_small_stack_is_enough() {
    let world = World::new();
    world.declare(ONE_SCOPE);
    let program = assert_cmd::cargo::cargo_bin!("portvakt").display();
    for command in ["--help", "validate", "plan", "apply --auto-approve", "unmanaged"] {
        let mut shell = assert_cmd::Command::new("bash");
        shell.args(["-c", &format!("ulimit -s 256 && exec {program} {command}")]);
        let ran = Ran::of(world.environment(&mut shell));
        assert_eq!(ran.code, 0, "{command}: {}", ran.stderr);
    }
}

#[test]
fn wrong_usage_is_64() {
    for args in [&["plan", "--no-such-flag"][..], &["no-such-command"], &[], &["-C", "/", "plan"]] {
        let ran = ran(args);
        assert_eq!(ran.code, 64, "{args:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    let world = World::new();
    let ran = world.run(&["-e", "tset", "plan"]);
    assert_eq!(ran.code, 64);
    assert!(ran.stderr.contains("test"), "{}", ran.stderr);
}

#[test]
fn invalid_declarations_are_3_and_nothing_is_asked_of_the_api() {
    let world = World::new();
    world
        .declare("scopes:\n  - name: etat:a\n    description: Les\n    consumers: [skatteetatn]\n");
    for command in [&["plan"][..], &["apply", "--auto-approve"]] {
        let ran = world.run(command);
        assert_eq!(ran.code, 3);
        assert!(ran.stderr.contains("declarations.yaml:4:17\n"), "{}", ran.stderr);
        assert_eq!(ran.stdout, "");
    }
    assert_eq!(world.sandbox.exchanges(), []);
}

#[test]
fn a_plan_is_0_and_2_only_where_asked_for() {
    let world = World::new();
    world.declare(ONE_SCOPE);
    assert_eq!(world.run(&["plan"]).code, 0);
    assert_eq!(world.run(&["plan", "--detailed-exitcode"]).code, 2);
    assert_eq!(world.apply().code, 0);
    // Outside git it is not known what was removed from the declarations.
    let ran = world.run(&["plan", "--detailed-exitcode"]);
    assert!(ran.code == 2 && ran.stdout.contains("No changes."), "{}", ran.stdout);
}

#[test]
fn without_approval_nothing_is_changed() {
    let world = World::new();
    world.declare(ONE_SCOPE);
    let ran = world.run(&["apply"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("--auto-approve"), "{}", ran.stderr);
    assert_eq!(world.sent(), [""; 0]);
}

/// A terminal with this input (`script` of util-linux makes one).
#[cfg(target_os = "linux")]
fn apply_on_a_terminal(world: &World, typed: &str) -> Ran {
    let apply = format!("{} apply", assert_cmd::cargo::cargo_bin!("portvakt").display());
    let mut command = assert_cmd::Command::new("script");
    command.args(["-qec", &apply, "/dev/null"]).env("SHELL", "/bin/sh");
    Ran::of(world.environment(&mut command).write_stdin(typed))
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_only_yes_approves() {
    let world = World::new();
    world.declare(ONE_SCOPE);
    for typed in ["y\n", "\n", "YES\n"] {
        let ran = apply_on_a_terminal(&world, typed);
        assert_eq!(ran.code, 4, "{typed:?}: {}", ran.stdout);
        assert_eq!(world.sent(), [""; 0]);
    }
    let ran = apply_on_a_terminal(&world, "yes\n");
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(world.open_to("etat:a").unwrap(), [SKATT]);
}

#[test]
fn an_exceeded_limit_refuses_the_apply_and_not_the_plan() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved), (KART, Approved), (DIGDIR, Approved)]);
    world.declare("scopes:\n  - { name: etat:a, description: Les }\n");
    world.settings("guards: { max_revocations: 2 }\n");
    let plan = world.run(&["plan"]);
    assert_eq!(plan.code, 0);
    assert!(plan.stdout.contains("Limits exceeded"), "{}", plan.stdout);
    let ran = world.apply();
    assert_eq!(ran.code, 4);
    assert!(
        ran.stderr.contains("3 accesses would be revoked; guards.max_revocations"),
        "{}",
        ran.stderr
    );
    assert_eq!(world.sent(), [""; 0]);
    assert_eq!(world.run(&["apply", "--auto-approve", "--override-guards", " "]).code, 64);
    let ran = world.run(&["apply", "--auto-approve", "--override-guards", "SAK-1: avviklet"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(world.open_to("etat:a").unwrap(), [""; 0]);
}

#[test]
fn consumers_with_nothing_behind_is_an_error_and_no_revocation() {
    let world = World::new();
    world.declare("scopes:\n  - name: etat:a\n    description: Les\n    consumers:\n");
    let ran = world.run(&["plan"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("consumers: []"), "{}", ran.stderr);
}

#[test]
fn what_a_pull_request_names_as_the_client_is_not_printed() {
    let world = World::new();
    let ran = Ran::of(world.command(&["-vvv", "plan"]).env("PORTVAKT_CLIENT_ID", "ghp_hemmelig"));
    assert_eq!(ran.code, 1);
    assert!(!ran.stderr.contains("hemmelig"), "{}", ran.stderr);
}

#[test]
fn the_log_is_json_where_asked_for() {
    let world = World::new();
    world.declare("scopes:\n  - { name: etat:a }\n");
    for args in [&["plan"][..], &["-e", "nope", "plan"], &["apply"]] {
        let args = [&["--log-format", "json"], args].concat();
        for line in world.run(&args).stderr.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

#[test]
fn a_host_is_allowed_from_outside_the_repository_only() {
    let world = World::new();
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    let api = world.sandbox.api().as_str().trim_end_matches('/').to_owned();
    let settings = settings.replace(&format!("\"{api}\""), "\"https://api.example\"");
    let issuer = format!("\"{}\"", world.sandbox.issuer());
    world.write("portvakt.yaml", settings.replace(&issuer, "\"https://issuer.example/\""));
    // The other host is refused before anything is sent.
    for (allowed, refused) in [("api.example", "issuer.example"), ("issuer.example", "api.example")]
    {
        for ran in [
            Ran::of(world.command(&["plan"]).env("PORTVAKT_ALLOW_HOSTS", allowed)),
            world.run(&["--allow-host", allowed, "plan"]),
        ] {
            assert_eq!(ran.code, 1, "{}", ran.stderr);
            assert!(ran.stderr.contains(refused), "{}", ran.stderr);
        }
    }
}

#[test]
fn an_enterprise_certificate_replaces_a_key() {
    let world = World::new();
    world.declare(ONE_SCOPE);
    world.sandbox.edit(|state| {
        state.register_certificate_client(crate::world::orgno(OWNER), "sertifikat");
    });
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    let (settings, _) = settings.split_once("      client_id").unwrap();
    let certificate = "      client_id: sertifikat\n      certificate: { file: virksomhet.p12, password: { env: PASSORD } }\n";
    world.write("virksomhet.p12", archive("passord"));
    world.write("portvakt.yaml", format!("{settings}{certificate}"));
    let ran = Ran::of(world.command(&["apply", "--auto-approve"]).env("PASSORD", "passord"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(world.open_to("etat:a").unwrap(), [SKATT]);
    let ran = Ran::of(world.command(&["plan"]).env("PASSORD", "hemmelig"));
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("virksomhet.p12") && !ran.stderr.contains("hemmelig"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_empty_environment_variable_chooses_nothing() {
    let world = World::new();
    let ran = Ran::of(world.command(&["plan"]).env("PORTVAKT_ENV", ""));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn what_a_repository_points_at_is_bounded() {
    let world = World::new();
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    let endless = settings.replace("key: { env: PORTVAKT_KEY }", "key: { file: /dev/zero }");
    world.write("portvakt.yaml", endless);
    let ran = world.run(&["plan"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("/dev/zero"), "{}", ran.stderr);
    let (head, _) = settings.split_once("  test:").unwrap();
    world.write("portvakt.yaml", format!("{head}  local: {{ target: sandbox }}\n"));
    let outside = tempfile::TempDir::new().unwrap();
    std::os::unix::fs::symlink(outside.path(), world.folder().join(".portvakt")).unwrap();
    let ran = world.run(&["plan"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("symbolic link"), "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn what_is_blocked_is_reported_and_the_rest_goes_on() {
    let world = World::new();
    world.put("etat:vern", true, &[(SKATT, Approved)]);
    world
        .declare(&format!("{ONE_SCOPE}removed:\n  - {{ scope: etat:vern, action: deactivate }}\n"));
    world.settings("guards: { protect: [\"etat:ver*\"] }\n");
    let ran = world.run(&["apply", "--auto-approve", "--override-guards", "likevel"]);
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("blocked     deactivate scope etat:vern (PV302)"),
        "{}",
        ran.stdout
    );
    assert_eq!(world.open_to("etat:vern").unwrap(), [SKATT]);
    assert_eq!(world.open_to("etat:a").unwrap(), [SKATT]);
}

#[test]
fn a_plan_asks_for_the_read_scope_alone() {
    let world = World::new();
    world.declare(ONE_SCOPE);
    world.planned();
    assert_eq!(token_scopes(&world), ["idporten:scopes.read"]);
    world.sandbox.clear_exchanges();
    world.apply();
    assert_eq!(token_scopes(&world), ["idporten:scopes.read idporten:scopes.write"]);
}

/// The scopes of the requested tokens.
fn token_scopes(world: &World) -> Vec<String> {
    let exchanges = world.sandbox.exchanges();
    let answers = exchanges.iter().filter(|exchange| exchange.path == "/token");
    let scope = |answer: &str| {
        serde_json::from_str::<serde_json::Value>(answer).unwrap()["scope"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    answers.map(|exchange| scope(&exchange.response)).collect()
}

#[test]
fn a_plan_makes_no_more_requests_than_it_must() {
    let world = World::new();
    for scope in ["etat:a", "etat:b", "etat:unmanaged"] {
        world.put(scope, true, &[]);
    }
    world.declare("scopes:\n  - { name: etat:a, description: Les }\n  - { name: etat:b, description: Les }\n  - { name: etat:c, description: Les }\n");
    world.planned();
    // The metadata, a token, the scopes, the prefixes, and the accesses of two scopes.
    assert_eq!(world.sandbox.exchanges().len(), 1 + 1 + 1 + 1 + 2);
}

#[test]
fn nothing_secret_is_printed() {
    let world = World::new();
    world.declare(ONE_SCOPE);
    world.sandbox.inject(FaultRule::any(3, Fault::Status { status: 503, retry_after: None }));
    for format in ["text", "json"] {
        let ran = world.run(&["-vvv", "--log-format", format, "apply", "--auto-approve"]);
        let printed = ran.stdout + &ran.stderr;
        assert!(printed.contains("/scopes"), "{printed}");
        let key = KEY.private_key_pem.expose_secret();
        for secret in key.lines().filter(|line| line.len() > 30 && !line.starts_with('-')) {
            assert!(!printed.contains(secret), "{printed}");
        }
        // Grants and tokens are JWTs, whose headers begin like this.
        assert!(!printed.contains("eyJ"), "{printed}");
    }
}

#[test]
fn a_key_that_is_none_is_not_printed() {
    let world = World::new();
    let ran = Ran::of(world.command(&["plan"]).env("PORTVAKT_KEY", "hemmelig-tull"));
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("PORTVAKT_KEY"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hemmelig"), "{}", ran.stderr);
    let ran = Ran::of(world.command(&["plan"]).env_remove("PORTVAKT_KEY"));
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("PORTVAKT_KEY"), "{}", ran.stderr);
}

#[test]
fn credentials_go_nowhere_that_only_the_repository_names() {
    let world = World::new();
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    let api = world.sandbox.api().as_str().trim_end_matches('/').to_owned();
    world.write(
        "portvakt.yaml",
        settings.replace(&format!("\"{api}\""), "\"https://evil.example\""),
    );
    let ran = world.run(&["plan"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("evil.example") && ran.stderr.contains("--allow-host"),
        "{}",
        ran.stderr
    );
    assert_eq!(world.sandbox.exchanges(), []);
    world.write("portvakt.yaml", settings.replace("http://127.0.0.1", "http://evil.example"));
    let ran = world.run(&["plan"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("not https"), "{}", ran.stderr);
}

#[test]
fn hostile_text_does_not_reach_the_terminal() {
    let world = World::new();
    world.put("etat:a", true, &[("313367002", Approved)]);
    world.sandbox.edit(|state| {
        let hostile = "\u{1b}[2J\u{202e}##[error]\nboo".to_owned();
        state.organizations.insert(crate::world::orgno("313367002"), hostile.clone());
        for scope in state.scopes.values_mut() {
            scope.fields.insert("description".to_owned(), hostile.clone().into());
        }
    });
    world.declare(
        "scopes:\n  - name: etat:a\n    description: Les\n    \
         consumers: [{ consumer: \"974761076\", reason: \"::add-mask::revoke\" }]\n",
    );
    let ran = world.run(&["--color", "never", "plan"]);
    assert!(ran.stdout.contains("boo"), "{}", ran.stdout);
    let commands = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
    assert!(!ran.stdout.lines().any(commands), "{}", ran.stdout);
    assert!(!ran.stdout.contains(['\u{1b}', '\u{202e}']), "{:?}", ran.stdout);
    assert!(!ran.stdout.lines().any(|line| line.starts_with("boo")), "{}", ran.stdout);
}

#[test]
fn a_signal_ends_an_apply_in_order() {
    for signal in ["-TERM", "-INT"] {
        is_ended_in_order_by(signal);
    }
}

fn is_ended_in_order_by(signal: &str) {
    let world = World::new();
    // The scope exists when the remaining accesses are granted.
    world.settings("guards: { max_grants: 300 }\n");
    let consumers: Vec<_> = valid_numbers().take(300).map(|orgno| format!("\"{orgno}\"")).collect();
    world.declare(&format!(
        "scopes:\n  - {{ name: etat:a, description: Les, consumers: [{}] }}\n",
        consumers.join(", ")
    ));
    world.sandbox.set_switches(Switches { latency: 30, ..Switches::default() });
    let args = ["--concurrency", "4", "apply", "--auto-approve"];
    let mut child = world.process(&args).spawn().unwrap();
    while world.sent().len() < 20 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed =
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stdout}");
    let report = stdout.split("Applied to").nth(1).unwrap();
    let granted = world.open_to("etat:a").unwrap().len();
    assert!(report.contains(&format!("{} of 301 done", granted + 1)), "{granted}: {report}");
    assert!(report.contains("not started") && granted < 300, "{granted}: {report}");
    world.sandbox.set_switches(Switches::default());
    assert_eq!(world.apply().code, 0);
    world.is_settled();
}

pub(crate) fn valid_numbers() -> impl Iterator<Item = String> {
    let numbers = (310_000_000..).map(|number: u32| number.to_string());
    numbers.filter(|number| number.parse::<domain::Orgno>().is_ok())
}

#[test]
fn schemas_are_printed_as_they_are_committed() {
    let known = values(&["schema"]);
    assert!(known.len() > 1, "{known:?}");
    for of in &known {
        let file = if of == "settings" { "portvakt" } else { of };
        let printed = ran(&["schema", of]);
        assert_eq!(printed.code, 0);
        let path = format!("{ROOT}/schema/{file}.schema.json");
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(&path, &printed.stdout).unwrap();
        }
        assert_eq!(
            printed.stdout,
            std::fs::read_to_string(&path).unwrap(),
            "UPDATE_SCHEMAS=1 renews {path}"
        );
    }
}

#[test]
fn each_command_has_a_manual_page_of_its_own() {
    let world = World::new();
    let ran = world.run(&["man", "--out", "man1"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    let folder = world.folder().join("man1");
    let mut pages: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    let page = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    // The page of the program, and of each command with subcommands, lists the pages below it.
    let listed = |name: &str| {
        let page = page(name).replace("\\-", "-");
        let lines = page.lines().filter_map(|line| line.strip_suffix("(1)"));
        lines.map(|line| format!("{}.1", line.trim())).collect::<Vec<_>>()
    };
    let mut expected = vec!["portvakt.1".to_owned()];
    let mut open = expected.clone();
    while let Some(name) = open.pop() {
        let below = listed(&name);
        expected.extend(below.clone());
        open.extend(below);
    }
    expected.sort();
    assert_eq!(pages, expected);
    for name in ["portvakt-plan.1", "portvakt-keys-rotate.1", "portvakt-migrate-to-nais.1"] {
        assert!(pages.iter().any(|page| page == name), "{pages:?}");
    }
    let rotate = page("portvakt-keys-rotate.1");
    for part in ["\\-\\-retire", "\\-\\-allow\\-host", "Examples:"] {
        assert!(rotate.contains(part), "{part}: {rotate}");
    }
    // Written once more, as a package does for each version.
    assert_eq!(world.run(&["man", "--out", "man1"]).code, 0);
}

#[test]
fn a_plan_that_cannot_be_shown_is_not_applied() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let world = World::new();
    world.declare(ONE_SCOPE);
    for args in [
        &["plan"][..],
        &["apply", "--auto-approve"],
        &["schema"],
        &["man"],
        &["completions", "bash"],
    ] {
        let ended = world.process(args).stdout(full()).status().unwrap();
        assert_eq!(ended.code(), Some(1), "{args:?}");
    }
    assert_eq!(world.sent(), [""; 0]);
}

#[test]
fn completions_and_the_manual_name_every_command() {
    let man = ran(&["man"]).stdout;
    let bash = ran(&["completions", "bash"]).stdout;
    for command in listed() {
        let in_man = command.replace([' ', '-'], "\\-");
        assert!(man.contains(&format!("portvakt\\-{in_man}")), "{command}");
        let word = command.rsplit(' ').next().unwrap();
        assert!(bash.contains(word), "{command}");
    }
    let folder = tempfile::TempDir::new().unwrap();
    let out = folder.path().join("man");
    assert_eq!(ran(&["man", "--out", out.to_str().unwrap()]).code, 0);
    let page = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert!(page("portvakt.1").contains("portvakt\\-plan(1)"));
    assert!(page("portvakt-keys-list.1").contains("\\-\\-expiring"));
    let pages: String = std::fs::read_dir(&out)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(pages.matches(".1").count(), man.matches(".TH ").count());
}

#[test]
fn the_version_names_the_build() {
    let version = concat!("portvakt ", env!("CARGO_PKG_VERSION"), " (development build)\n");
    assert_eq!(ran(&["--version"]).stdout, version);
}

//! Hostile texts, from every source of text, in every command and format.

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse as _;
use domain::AccessState::{Approved, Requested};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::runners::{active, active_beside_annotations};
use crate::commands::{self, formats, in_each_format};
use crate::git::remote::{Clone, Remote};
use crate::world::{KART, RUNTIME, Ran, SKATT, World, name, orgno};

/// The word by which a hostile text is found.
const WORD: &str = "kjenning";

/// Commands to the runners, in disguised forms; none has a character that declarations refuse.
const COMMANDS: [&str; 7] = [
    "::error::kjenning",
    ":::add-mask::kjenning",
    "##[error]kjenning",
    "kjenning ##vso[task.setvariable variable=a]b",
    "kjenning##VSO[task.complete result=Succeeded;]##[[a",
    "#\u{ad}#vso\u{fe0f}[task.prependpath]kjenning",
    "kjenning section_start:1560896352:a[collapsed=true]",
];

/// Texts that also control a terminal, or begin a line.
const STEERING: [&str; 6] = [
    "kjenning\n::error::a",
    "kjenning\r\n \u{2003}::add-mask::a",
    "kjenning\r##vso[task.complete]a",
    "section_end:1560896352:kjenning\r\u{1b}[0K",
    "\u{1b}]0;kjenning\u{7}\u{1b}[2J\u{9b}31ma\u{7f}\u{8}",
    "kjenning\u{202e}a\u{2066}b\u{2028}::error::c\u{85}::error::d\u{b}::error::e",
];

fn all() -> impl Iterator<Item = &'static str> {
    COMMANDS.into_iter().chain(STEERING)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A repository and an API with hostile texts wherever a text is possible: names, descriptions and reasons in
/// YAML, file names, authors and messages of commits, live scopes and clients.
fn hostile() -> Remote {
    let remote = Remote::new();
    let world = &remote.world;
    world.settings("guards: { max_revocations: 1 }\n");
    let mut scopes = String::new();
    for (index, text) in COMMANDS.iter().enumerate() {
        scopes += &format!(
            "  - name: etat:ny{index}\n    description: {text}\n    consumers: [{{ consumer: skatt, reason: {text} }}]\n",
            text = quoted(text)
        );
    }
    for (index, text) in all().enumerate() {
        scopes += &format!("  - {{ name: etat:endret{index}, description: Les }}\n");
        live(world, &format!("etat:endret{index}"), text);
        live(world, &format!("etat:fremmed{index}"), text);
        world.put_client(&format!("{index}"), text, true, &[]);
    }
    let one = remote.first();
    commands::write_files(&one.path);
    one.write("declarations.yaml", commands::DECLARED);
    let consumers = format!(
        "consumers:\n  skatt: {{ orgno: \"{SKATT}\", name: {} }}\n",
        quoted("##vso[task.complete]kjenning")
    );
    one.write("::error::kjenning.yaml", &consumers);
    one.write("a ##vso[task.complete]##[error]kjenning.yaml", &format!("scopes:\n{scopes}"));
    one.write(
        "section_start:1:kjenning\r\u{1b}[0K.yaml",
        "clients:\n  - { name: \"##vso[task.complete]kjenning\", description: \"::error::kjenning\" }\n",
    );
    one.git(&["add", "-A"]);
    one.git(&[
        "commit",
        "--quiet",
        "--author=##vso[task.complete]kjenning \u{1b}[2J <::error::@example.invalid>",
        "-m",
        "::error::kjenning\n\n##vso[task.complete]",
    ]);
    one.git(&["push", "--quiet", "origin", "HEAD"]);
    remote
}

fn live(world: &World, scope: &str, description: &str) {
    world.put(scope, true, &[(SKATT, Approved), (KART, Requested)]);
    world.sandbox.edit(|state| {
        let record = state.scopes.get_mut(&name(scope)).unwrap();
        record.fields.insert("description".to_owned(), description.into());
    });
}

/// Checks that no output is active.
fn is_text(ran: &Ran, what: &dyn std::fmt::Debug) {
    for (stream, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        assert_eq!(active(text), [""; 0], "{stream} of {what:?}");
    }
    assert_ne!(ran.code, 101, "{what:?} panicked: {}", ran.stderr);
}

/// Runs a command that must show a hostile text, on stdout or stderr, with that exit code.
fn shows(one: &Clone<'_>, code: i32, args: &[&str]) -> Ran {
    let ran = one.ends(code, args);
    is_text(&ran, &args);
    assert!(ran.stdout.contains(WORD) || ran.stderr.contains(WORD), "{args:?} shows none of it");
    ran
}

fn file(one: &Clone<'_>, file: &str) -> String {
    let text = std::fs::read_to_string(one.path.join(file)).unwrap();
    assert_eq!(active(&text), [""; 0], "{file}");
    assert!(text.contains(WORD), "{file} has none of it");
    text
}

/// Whether a document has a text unchanged.
fn holds(document: &Value, text: &str) -> bool {
    match document {
        Value::String(held) => held == text,
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(members) => members.values().any(|member| holds(member, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[test]
fn no_command_prints_or_writes_more_than_text() {
    let remote = hostile();
    let one = remote.first();
    for args in [&["plan"][..], &["plan", "--blame"], &["unmanaged"]] {
        in_each_format(args, |args| drop(shows(&one, 0, args)));
    }
    for args in [&["plan", "--format", "json"][..], &["unmanaged", "--format", "json"]] {
        let document: Value = serde_json::from_str(&shows(&one, 0, args).stdout).unwrap();
        for text in all() {
            assert!(holds(&document, text), "{args:?} lost {text:?}");
        }
    }
    shows(&one, 0, &["plan", "--out", "plan.json"]);
    file(&one, "plan.json");
    in_each_format(&["show", "plan.json"], |args| drop(shows(&one, 0, args)));
    shows(&one, 0, &["snapshot", "--out", "live ##vso[kjenning].json"]);
    file(&one, "live ##vso[kjenning].json");
    shows(&one, 0, &["plan", "--snapshot", "live ##vso[kjenning].json"]);
    let more = [
        &["plan", "-vv", "--log-format", "json"][..],
        &["rollback", "HEAD~1"],
        &["rename", "etat:a", "etat:##vso[kjenning]"],
        &["explain", "##vso[kjenning]"],
    ];
    for args in commands::COMMANDS.iter().map(|(args, _)| *args).chain(more) {
        in_each_format(args, |args| is_text(&one.run(args), &args));
    }
}

#[test]
fn neither_does_an_apply_its_report_or_the_ledger() {
    let remote = hostile();
    let one = remote.first();
    remote.world.sandbox.edit(|state| {
        state.unknown_organizations.insert(orgno(SKATT));
    });
    let reason = "##vso[task.complete]kjenning\n::error::a";
    shows(
        &one,
        6,
        &["apply", "--auto-approve", "--override-guards", reason, "--report", "report.json"],
    );
    let report: Value = serde_json::from_str(&file(&one, "report.json")).unwrap();
    assert!(holds(&report, reason));
    in_each_format(&["show", "report.json"], |args| is_text(&one.run(args), &args));
    for format in ["markdown", "json"] {
        shows(&one, 0, &["show", "report.json", "--format", format]);
    }
    let history = shows(&one, 0, &["history", "--format", "json"]);
    assert!(holds(&serde_json::from_str(&history.stdout).unwrap(), reason));
    shows(&one, 0, &["history"]);
    // Whoever can push a ledger chooses its content, and a hook its output.
    one.git(&["fetch", "--quiet", "origin", "+refs/notes/portvakt/*:refs/notes/portvakt/*"]);
    let note = "{\"a\": \"##vso[task.complete]kjenning\u{1b}[2J";
    one.git(&["notes", "--ref=refs/notes/portvakt/test", "append", "-m", note]);
    one.git(&["push", "--quiet", "origin", "refs/notes/portvakt/test"]);
    for format in ["text", "json"] {
        is_text(&one.ends(0, &["history", "--log-format", format]), &"a forged ledger");
    }
    remote.hook("printf '::error::kjenning\\n##vso[kjenning]\\033[2J\\r::error::a\\n' >&2; exit 1");
    for format in ["text", "json"] {
        let ran = one.run(&["apply", "--auto-approve", "--log-format", format]);
        is_text(&ran, &"a hook that refuses");
        assert!(ran.stderr.contains(WORD), "{}", ran.stderr);
    }
}

#[test]
fn neither_does_drift() {
    let remote = Remote::new();
    let one = remote.first();
    let scopes: String = (0..all().count())
        .map(|n| format!("  - {{ name: etat:a{n}, description: Les }}\n"))
        .collect();
    one.declare(&format!("scopes:\n{scopes}"));
    one.apply();
    for (index, text) in all().enumerate() {
        live(&remote.world, &format!("etat:a{index}"), text);
    }
    shows(&one, 2, &["drift"]);
    let drift = shows(&one, 2, &["drift", "--format", "json"]);
    let drift = serde_json::from_str(&drift.stdout).unwrap();
    for text in all() {
        assert!(holds(&drift, text), "{text:?} is lost");
    }
}

#[test]
fn neither_do_mistakes_in_the_declarations_in_any_format() {
    for text in all() {
        let world = World::new();
        let (text, raw) = (quoted(text), text);
        let line = raw.replace(|c: char| c.is_control() || c == '\u{2028}', " ");
        world.declare(&format!(
            "scopes:\n  - name: {text}\n    description: {text}\n    {text}: 1\n    visibility: {text} # {line}\n    \
             consumers: [{text}, {{ group: {text} }}]\nclients: [{{ name: {text}, scopes: [{text}] }}]\n"
        ));
        world.write("##vso[a]::.yaml", format!("scopes: {line}\n{raw}: 1\n"));
        for format in &formats("validate") {
            let ran = world.run(&["validate", "--format", format]);
            assert_eq!(ran.code, 3, "{}", ran.stderr);
            let is_valid_yaml = COMMANDS.contains(&raw);
            assert!(!is_valid_yaml || ran.stdout.contains(WORD), "{format}: {}", ran.stdout);
            let found = match format.as_str() {
                "github" => active_beside_annotations(&ran.stdout),
                _ => active(&ran.stdout),
            };
            assert_eq!(found, [""; 0], "{format}");
            if format == "json" {
                serde_json::from_str::<Value>(&ran.stdout).unwrap();
            }
        }
        for args in [&["plan"][..], &["plan", "--log-format", "json"], &["validate", "--diff"]] {
            is_text(&world.run(args), &args);
        }
    }
}

#[test]
fn neither_do_arguments_that_are_repeated() {
    let world = World::new();
    for (text, format) in all().zip(["text", "json"].into_iter().cycle()) {
        let (flag, assigned) = (format!("--{text}"), format!("--format={text}"));
        for args in [
            &[text][..],
            &["plan", &flag],
            &["plan", &assigned],
            &["plan", "--snapshot", text],
            &["plan", "--base", text],
            &["-e", text, "plan"],
            &["-C", text, "plan"],
            &["show", text],
            &["explain", text],
            &["history", "--scope", &format!("{text}[")],
            &["block", text, "--reason", text, "--scope", text],
            &["unblock", text],
            &["keys", "list", text],
            &["keys", "generate", text, "--out", text],
            &["token", "--client", text, "--key", text],
            &["credentials", text, "--key", text],
            &["render", "yaml", text],
            &["render", "nais", "--scope", text],
            &["render", "skyporten", "--out", text],
            &["render", "skyporten", "--name", text],
            &["migrate", "to-nais", "--client", text],
            &["import", "--into", text],
            &["comment", "--github", "--plan", text],
            &["comment", "--github", "--report", text],
            &["-e", text, "doctor"],
            &["sandbox", "--switch", text],
            &["--allow-host", text, "plan"],
        ] {
            let ran = world.run(&[&["--log-format", format], args].concat());
            is_text(&ran, &args);
        }
    }
}

#[test]
fn neither_does_what_is_imported() {
    let world = World::new();
    for (index, text) in all().enumerate() {
        live(&world, &format!("etat:fremmed{index}"), text);
        world.put_client(&format!("1f0{index:x}"), text, true, &[]);
    }
    let ran = world.run(&["import", "--layout", "single"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    is_text(&ran, &"import");
    let yaml = std::fs::read_to_string(world.folder().join("maskinporten.yaml")).unwrap();
    assert_eq!(active(&yaml), [""; 0]);
    let read: Value = serde_yaml::from_str(&yaml).unwrap();
    for text in COMMANDS {
        assert!(holds(&read, text), "{text:?} is read as another text");
    }
}

#[test]
fn neither_do_manifests() {
    let world = World::new();
    world.declare(
        "consumers:\n  skatt: { orgno: \"974761076\", name: \"##vso[task.complete]kjenning\" }\nscopes:\n  \
         - name: etat:my/scope.read\n    description: \"c:n:app.my/scope.read\"\n    \
         allowed_integration_types: [maskinporten]\n    \
         consumers: [{ consumer: skatt, reason: \"::error::kjenning ##vso[a]\" }]\n",
    );
    let args = ["render", "nais", "--cluster", "c", "--namespace", "n", "--app", "app"];
    let ran = world.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    is_text(&ran, &args);
    let manifest: Value = serde_yaml::from_str(&ran.stdout).unwrap();
    assert!(holds(&manifest, "##vso[task.complete]kjenning"), "{}", ran.stdout);
}

/// A server that refuses everything, with hostile reasons.
fn refusing(text: &'static str, is_issuer: bool) -> String {
    RUNTIME.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let me = format!("http://{}/", listener.local_addr().unwrap());
        let metadata = json!({ "issuer": me, "token_endpoint": format!("{me}token") });
        let answer = json!({
            "error": text, "error_description": text, "correlation_id": text, "message": text,
            "errors": [{ "errorMessage": text, "field": text }], "status": 400,
        });
        let router = Router::new().fallback(async move |uri: Uri| match uri.path() {
            "/.well-known/oauth-authorization-server" if is_issuer => {
                axum::Json(metadata).into_response()
            }
            _ => (StatusCode::BAD_REQUEST, axum::Json(answer)).into_response(),
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        me
    })
}

#[test]
fn neither_do_the_errors_of_digdir_and_maskinporten() {
    for text in all() {
        for is_issuer in [true, false] {
            let world = World::new();
            let server = refusing(text, is_issuer);
            let own = match is_issuer {
                true => world.sandbox.issuer().to_owned(),
                false => world.sandbox.api().as_str().trim_end_matches('/').to_owned(),
            };
            let server = if is_issuer { server } else { server.trim_end_matches('/').to_owned() };
            let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
            world.write(
                "portvakt.yaml",
                settings.replace(&format!("\"{own}\""), &format!("\"{server}\"")),
            );
            world.declare("scopes: [{ name: etat:a, description: Les }]\n");
            for format in ["text", "json"] {
                let ran = world.run(&["plan", "--log-format", format]);
                assert_eq!(ran.code, 1, "{}", ran.stderr);
                is_text(&ran, &text);
                assert!(ran.stderr.contains(WORD), "{}", ran.stderr);
            }
        }
    }
}

#[test]
fn completions_and_the_manual_pass_unchanged() {
    let world = World::new();
    for args in [&["completions", "bash"][..], &["completions", "zsh"], &["man"], &["schema"]] {
        let ran = world.run(args);
        assert_eq!((ran.code, ran.stdout.contains('\u{fffd}')), (0, false), "{args:?}");
    }
}

//! `portvakt token --skyporten`, and the file of a token.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use domain::AccessState::Denied;
use domain::{ScopeAttributes, TokenType};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{done, ran, refused, world};
use crate::world::{DIGDIR, KEY, OWNER, Ran, SKATT, World, name, orgno, program};

const SCOPE: &str = "dig:fremmed.read";
const AUDIENCE: &str = "https://skyporten.dig.example";
const ASKED: [&str; 5] = ["--skyporten", "--scope", SCOPE, "--resource", AUDIENCE];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&ASKED[..], more].concat()
}

fn wrong_usage(world: &World, args: &[&str], message: &[&str]) {
    world.sandbox.clear_exchanges();
    let ran = ran(world, args);
    assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{args:?}: {}", ran.stderr);
    for message in message {
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    }
    assert!(world.sandbox.exchanges().is_empty(), "{args:?}");
}

fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap_or_else(|_| panic!("{token:?}"))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_token_of_skyporten_names_the_organisation_with_the_scope() {
    let world = world();
    let claims = done(&world, &ASKED);
    assert_eq!(claims["iss"], world.sandbox.skyporten());
    assert_eq!(claims["sub"], format!("0192:{OWNER};{SCOPE}"));
    assert_eq!((&claims["aud"], &claims["scope"]), (&json!(AUDIENCE), &json!(SCOPE)));
    let decoded = done(&world, &with(&["--decode"]));
    assert_eq!(decoded["header"]["alg"], "RS256");
    assert_eq!(decoded["claims"]["client_id"], "1f0a");
}

#[test]
fn one_scope_and_one_audience_are_needed() {
    let world = world();
    let audience = ["--skyporten", "--resource", AUDIENCE];
    wrong_usage(&world, &audience, &["one scope", "`sub`", "--scope once"]);
    wrong_usage(&world, &with(&["--scope", "etat:a"]), &["one scope"]);
    let scope = ["--skyporten", "--scope", SCOPE];
    wrong_usage(&world, &scope, &["needs an audience", "--resource"]);
    wrong_usage(&world, &with(&["--resource", "https://b.example"]), &["one audience"]);
    for odd in ["https://a.example/x,y", "https://a.example/x y"] {
        let odd = ["--skyporten", "--scope", SCOPE, "--resource", odd];
        wrong_usage(&world, &odd, &["absolute URI without white space"]);
    }
}

#[test]
fn a_refusal_has_its_advice() {
    let world = world();
    let attributes = ScopeAttributes {
        description: "Les".to_owned(),
        enforced_aud_for_access_token: Some("https://lager.dig.example".to_owned()),
        ..Default::default()
    };
    world.sandbox.edit(|state| state.put_scope(orgno(DIGDIR), name(SCOPE), true, &attributes));
    refused(
        &world,
        &ASKED,
        &["https://lager.dig.example", "Name it by --resource", "cloud trusts"],
    );
    world.sandbox.edit(|state| state.put_access(name(SCOPE), orgno(OWNER), Denied));
    refused(&world, &ASKED, &["MP-250", "ask its owner, who has the prefix dig"]);
}

fn edit_settings(world: &World, from: &str, to: &str) {
    let file = world.folder().join("portvakt.yaml");
    let settings = fs::read_to_string(&file).unwrap();
    assert!(settings.contains(from), "{settings}");
    fs::write(file, settings.replace(from, to)).unwrap();
}

#[test]
fn the_target_must_name_skyporten_without_a_slash() {
    let world = world();
    let issuer = world.sandbox.skyporten();
    edit_settings(&world, &format!("{issuer}\""), &format!("{issuer}/\""));
    refused(&world, &ASKED, &["names the issuer", "to the last slash"]);
    edit_settings(&world, &format!(", skyporten: \"{issuer}/\""), "");
    refused(&world, &ASKED, &["names no Skyporten", "as `skyporten`", "without a slash"]);
    assert_eq!(ran(&world, &["--scope", SCOPE]).code, 0, "Maskinporten needs none");
}

#[test]
fn no_grant_goes_to_a_host_that_nobody_allowed() {
    let world = world();
    let issuer = world.sandbox.skyporten();
    edit_settings(&world, issuer, "https://sky.evil.example");
    refused(&world, &ASKED, &["sky.evil.example (skyporten)", "--allow-host sky.evil.example"]);
    edit_settings(&world, "https://sky.evil.example", "https://sky.maskinporten.no");
    refused(&world, &ASKED, &["it is this machine", "sky.maskinporten.no is another"]);
    assert!(world.sandbox.exchanges().is_empty());
}

#[test]
fn a_file_has_the_token_alone_and_is_private() {
    let world = world();
    let file = world.folder().join("token.jwt");
    for more in [&ASKED[..], &["--scope", "etat:a"]] {
        fs::remove_file(&file).ok();
        let written = ran(&world, &[more, &["--out", "token.jwt"]].concat());
        assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{}", written.stderr);
        assert!(written.stderr.contains("wrote token.jwt: a token that lives"));
        assert!(!written.stderr.contains("eyJ"), "{}", written.stderr);
        let token = fs::read_to_string(&file).unwrap();
        assert!(!token.contains(char::is_whitespace));
        assert_eq!(claims(&token)["client_id"], "1f0a");
        assert_eq!(mode(&file), 0o600);
    }
    for other in ["--print", "--decode"] {
        wrong_usage(&world, &with(&["--out", "token.jwt", other]), &["--out"]);
    }
}

#[test]
fn a_token_is_replaced_while_programs_read_it() {
    let world = world();
    let file = world.folder().join("run/token.jwt");
    world.write("run/token.jwt", "");
    symlink("run/token.jwt", world.folder().join("link")).unwrap();
    let write = |out: &str| {
        let written = ran(&world, &with(&["--out", out]));
        assert_eq!(written.code, 0, "{}", written.stderr);
        claims(&fs::read_to_string(&file).unwrap())["jti"].clone()
    };
    let first = write("run/token.jwt");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let is_written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !is_written.load(Ordering::Relaxed) {
                claims(&fs::read_to_string(&file).unwrap());
            }
        });
        assert_ne!(write("link"), first);
        is_written.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert_eq!(mode(&file), 0o600);
    assert!(world.folder().join("link").is_symlink());
    assert_eq!(fs::read_dir(world.folder().join("run")).unwrap().count(), 1);
}

#[test]
fn nothing_but_a_token_is_replaced() {
    let world = world();
    world.write("notes.txt", "mine\n");
    world.write("two.dots", "a.b.c\n");
    world.write("binary", [0xff, 0xfe]);
    world.write("folder/mine", "mine\n");
    symlink("nowhere", world.folder().join("dangling")).unwrap();
    let before = contents(world.folder());
    for (out, message) in [
        ("notes.txt", "holds no token"),
        ("two.dots", "holds no token"),
        ("key.pem", "holds no token"),
        ("binary", "is not UTF-8"),
        ("folder", "is not a file"),
        ("dangling", "cannot be read"),
        ("nothing/token.jwt", "folder that does not exist"),
    ] {
        wrong_usage(&world, &with(&["--out", out]), &[out, message]);
    }
    assert_eq!(contents(world.folder()), before);
}

/// Every file of a folder with its content.
fn contents(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).ok())).collect();
    all.sort();
    all
}

#[test]
fn a_reference_is_not_written_to_a_file() {
    let world = world();
    world.sandbox.edit(|state| {
        let attributes =
            ScopeAttributes { token_type: TokenType::Opaque, ..ScopeAttributes::default() };
        state.put_scope(orgno(OWNER), name("etat:a"), true, &attributes);
    });
    refused(&world, &["--scope", "etat:a", "--out", "token"], &["OPAQUE", "--print"]);
    assert!(!world.folder().join("token").exists());
}

/// The job that renews a token has the application's key, and nothing else.
fn renewal(world: &World, more: &[&str]) -> Ran {
    let args = [&["token", "--key", "app.jwk"], more].concat();
    Ran::of(program().current_dir(world.folder()).args(args))
}

#[test]
fn by_its_id_a_client_needs_its_key_alone() {
    let world = world();
    let variables = super::super::credentials::done(&world, &["--format", "json"]);
    let variables: Value = serde_json::from_str(&variables).unwrap();
    world.write("app.jwk", variables["MASKINPORTEN_CLIENT_JWK"].as_str().unwrap());
    let asked = with(&["--client-id", "1f0a"]);
    world.sandbox.clear_exchanges();
    let got = renewal(&world, &asked);
    assert_eq!(got.code, 0, "{}", got.stderr);
    let claims: Value = serde_json::from_str(&got.stdout).unwrap();
    assert_eq!(claims["sub"], format!("0192:{OWNER};{SCOPE}"));
    let exchanges = world.sandbox.exchanges();
    assert!(exchanges.iter().all(|exchange| exchange.path.starts_with("/skyporten/")));
    let of_maskinporten = renewal(&world, &["--client-id", "1f0a", "--scope", "etat:a"]);
    assert_eq!(of_maskinporten.code, 0, "{}", of_maskinporten.stderr);

    for (args, code, message) in [
        (&["--client-id", "1f0a"][..], 64, "--scope"),
        (&["--client-id", "1f0a", "--client", "x", "--scope", "etat:a"], 64, "cannot be used with"),
        (&["--scope", "etat:a"], 64, "--client"),
        (
            &["--client-id", "2b1c", "--scope", "etat:a"],
            1,
            "does not know client 2b1c: check the id",
        ),
        (&["--client-id", "1f0a", "--scope", "etat:nei"], 1, "etat:nei is not on client 1f0a"),
    ] {
        let refused = renewal(&world, args);
        assert_eq!((refused.code, refused.stdout.as_str()), (code, ""), "{}", refused.stderr);
        assert!(refused.stderr.contains(message), "{message}: {}", refused.stderr);
    }
    let pem = ["token", "--client-id", "1f0a", "--key", "key.pem", "--scope", "etat:a"];
    let refused = Ran::of(program().current_dir(world.folder()).args(pem));
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("under which kid"), "{}", refused.stderr);
    assert!(!refused.stderr.contains(KEY.kid.as_str()));
}

#[test]
fn a_supplier_gets_one_for_a_consumer_that_has_delegated() {
    let world = world();
    let asked = with(&["--consumer-org", SKATT]);
    world.sandbox.edit(|state| {
        state.put_access(name(SCOPE), orgno(SKATT), domain::AccessState::Approved);
        state.put_delegation(name(SCOPE), orgno(SKATT), orgno(OWNER));
    });
    assert_eq!(done(&world, &asked)["sub"], format!("0192:{SKATT};{SCOPE}"));
}

/// The settings that `portvakt sandbox` prints are those of an environment with Skyporten.
#[test]
fn the_server_of_the_sandbox_names_its_skyporten() {
    let folder = TempDir::new().unwrap();
    let mut server = Command::new(assert_cmd::cargo::cargo_bin!("portvakt"));
    server.args(["sandbox", "--listen", "127.0.0.1:0"]).current_dir(folder.path()).env_clear();
    let mut server = server.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut settings = format!("organization: {{ orgno: \"{OWNER}\" }}\nprefixes: [etat]\n");
    let mut kid = String::new();
    for line in lines {
        if let Some((_, found)) = line.split_once("PORTVAKT_KID=") {
            kid = found.to_owned();
            break;
        }
        settings += &format!("{line}\n");
    }
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write("portvakt.yaml", &settings);
    let scope = "etat:lager.read";
    write(
        "declared.yaml",
        &format!(
            "scopes: [{{ name: '{scope}', description: Les }}]\n\
             clients: [{{ name: henter, description: Henter, scopes: ['{scope}'] }}]\n"
        ),
    );
    let run = |args: &[&str]| {
        let mut command = program();
        command.current_dir(folder.path()).args(args);
        let variables = [("PORTVAKT_CLIENT_ID", "portvakt"), ("PORTVAKT_KID", &*kid)];
        let ran = Ran::of(command.envs(variables));
        assert_eq!(ran.code, 0, "{args:?} {settings}: {}", ran.stderr);
        ran.stdout
    };
    run(&["keys", "generate", "henter", "--out", "henter.jwk"]);
    run(&["apply", "--auto-approve"]);
    let asked = ["token", "--client", "henter", "--key", "henter.jwk", "--skyporten"];
    let claims = run(&[&asked[..], &["--scope", scope, "--resource", AUDIENCE]].concat());
    server.kill().unwrap();
    server.wait().unwrap();
    let claims: Value = serde_json::from_str(&claims).unwrap();
    assert!(claims["iss"].as_str().unwrap().ends_with("/skyporten"));
    assert_eq!(claims["sub"], format!("0192:{OWNER};{scope}"));
}

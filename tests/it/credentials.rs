//! `portvakt credentials`: every format, and the permissions of its files.

mod cloud;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use domain::AccessState::Approved;
use sandbox::{ClientKey, KeyRecord};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::world::{KEY, OWNER, Ran, World};

pub(crate) const NAMES: [&str; 7] = [
    "MASKINPORTEN_CLIENT_ID",
    "MASKINPORTEN_CLIENT_JWK",
    "MASKINPORTEN_ISSUER",
    "MASKINPORTEN_JWKS_URI",
    "MASKINPORTEN_SCOPES",
    "MASKINPORTEN_TOKEN_ENDPOINT",
    "MASKINPORTEN_WELL_KNOWN_URL",
];

/// A live client with two scopes and the shared key under another id, in `key.pem`.
pub(crate) fn world() -> World {
    let world = World::new();
    world.put("etat:a", true, &[(OWNER, Approved)]);
    world.put("etat:b/c.read", true, &[(OWNER, Approved)]);
    world.put_client("1f0a", "Prod: Sak_1", true, &["etat:a", "etat:b/c.read"]);
    register(&world, "1f0a", &KEY, "den-nye.1");
    world.write("key.pem", KEY.private_key_pem.expose_secret());
    world.declare("clients:\n  - { name: 'Prod: Sak_1', scopes: ['etat:a'] }\n");
    world
}

pub(crate) fn register(world: &World, client: &str, key: &ClientKey, kid: &str) {
    let mut record = KeyRecord::new(key.public.clone());
    record.public.common.key_id = Some(kid.to_owned());
    world.sandbox.edit(|state| {
        state.clients.get_mut(client).unwrap().keys = [(kid.to_owned(), record)].into();
    });
}

pub(crate) fn ran(world: &World, more: &[&str]) -> Ran {
    let args = ["credentials", "Prod: Sak_1", "--key", "key.pem"];
    world.run(&[&args[..], more].concat())
}

pub(crate) fn done(world: &World, more: &[&str]) -> String {
    let ran = ran(world, more);
    assert_eq!(ran.code, 0, "{more:?}: {}", ran.stderr);
    ran.stdout
}

/// Checks the content, whatever its format.
pub(crate) fn check(world: &World, variables: &BTreeMap<String, String>) {
    assert_eq!(variables.keys().map(String::as_str).collect::<Vec<_>>(), NAMES);
    let issuer = world.sandbox.issuer();
    let text = |name: &str| variables[&format!("MASKINPORTEN_{name}")].as_str();
    assert_eq!(text("CLIENT_ID"), "1f0a");
    assert_eq!(text("SCOPES"), "etat:a etat:b/c.read", "as it is live, not as it is declared");
    assert_eq!(text("ISSUER"), issuer);
    assert_eq!(text("TOKEN_ENDPOINT"), format!("{issuer}token"));
    assert_eq!(text("JWKS_URI"), format!("{issuer}jwk"));
    let well_known = format!("{issuer}.well-known/oauth-authorization-server");
    assert_eq!(text("WELL_KNOWN_URL"), well_known);
    assert!(!text("CLIENT_JWK").contains('\n'));
    let jwk: Value = serde_json::from_str(text("CLIENT_JWK")).unwrap();
    assert_eq!((&jwk["kid"], &jwk["alg"]), (&json!("den-nye.1"), &json!("RS256")));
    assert_eq!(jwk["n"], json!(KEY.public)["n"]);
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(jwk[member].is_string());
    }
}

/// The variables of a shell that has sourced the file.
pub(crate) fn sourced(file: &Path) -> BTreeMap<String, String> {
    let script = "set -eu; set -a; . \"$1\"; exec env -0";
    let shell = Command::new("bash").args(["-c", script, "bash"]).arg(file).env_clear().output();
    let shell = shell.unwrap();
    assert!(shell.status.success(), "{}", String::from_utf8_lossy(&shell.stderr));
    let text = String::from_utf8(shell.stdout).unwrap();
    let entries = text.split('\0').filter_map(|entry| entry.split_once('='));
    let ours = entries.filter(|(name, _)| name.starts_with("MASKINPORTEN_"));
    ours.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

pub(crate) fn object(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().unwrap().iter();
    entries.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn dotenv_is_what_a_shell_reads() {
    let world = world();
    let printed = done(&world, &[]);
    assert_eq!(printed, done(&world, &["--format", "dotenv"]));
    assert!(printed.lines().all(|line| line.starts_with("MASKINPORTEN_") && line.ends_with('\'')));
    assert_eq!(done(&world, &["--out", "app.env"]), "");
    let file = world.folder().join("app.env");
    assert_eq!(fs::read_to_string(&file).unwrap(), printed);
    assert_eq!(mode(&file), 0o600);
    check(&world, &sourced(&file));
    world.sandbox.edit(|state| {
        // The API would refuse such a scope; a quoted text must still stay quoted.
        let scopes = &mut state.clients.get_mut("1f0a").unwrap().scopes;
        *scopes = ["x'$(touch hacked)`touch hacked`\"".to_owned()].into();
    });
    done(&world, &["--out", "odd.env"]);
    let odd = sourced(&world.folder().join("odd.env"));
    assert_eq!(odd["MASKINPORTEN_SCOPES"], "x'$(touch hacked)`touch hacked`\"");
    world.sandbox.clear_exchanges();
}

#[test]
fn a_folder_has_a_file_for_each() {
    let world = world();
    done(&world, &["--format", "dir", "--out", "secrets"]);
    let folder = world.folder().join("secrets");
    assert_eq!(mode(&folder), 0o700);
    let mut variables = BTreeMap::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600);
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        variables.insert(name, fs::read_to_string(&path).unwrap());
    }
    check(&world, &variables);
    assert_eq!(ran(&world, &["--format", "dir"]).code, 64);
}

#[test]
fn json_and_a_secret_of_kubernetes() {
    let world = world();
    let json: Value = serde_json::from_str(&done(&world, &["--format", "json"])).unwrap();
    check(&world, &object(&json));
    let text = done(&world, &["--format", "k8s-secret"]);
    let secret: Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!((&secret["apiVersion"], &secret["kind"]), (&json!("v1"), &json!("Secret")));
    assert_eq!(secret["metadata"]["name"], "prod-sak-1");
    check(&world, &object(&secret["stringData"]));
}

#[test]
fn the_algorithm_is_the_registered_one() {
    let world = world();
    world.sandbox.edit(|state| {
        let keys = &mut state.clients.get_mut("1f0a").unwrap().keys;
        let alg = jsonwebtoken::jwk::KeyAlgorithm::RS512;
        keys.get_mut("den-nye.1").unwrap().public.common.key_algorithm = Some(alg);
    });
    let json: Value = serde_json::from_str(&done(&world, &["--format", "json"])).unwrap();
    let jwk: Value =
        serde_json::from_str(json["MASKINPORTEN_CLIENT_JWK"].as_str().unwrap()).unwrap();
    assert_eq!(jwk["alg"], "RS512");
}

/// The tests of encryption are omitted from this build; `cargo test --features age encrypt` runs them.
#[cfg(not(feature = "age"))]
#[test]
fn without_age_nothing_is_encrypted_and_the_remedy_is_reported() {
    let folder = tempfile::TempDir::new().unwrap();
    for recipient in ["age1hemmelig", "hemmelig"] {
        let args = ["credentials", "x", "--key", "key.pem", "--encrypt-to", recipient];
        let ran = Ran::of(crate::world::program().current_dir(folder.path()).args(args));
        assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{}", ran.stderr);
        for message in ["built without age", "--features age", "age --armor"] {
            assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("hemmelig"), "{}", ran.stderr);
    }
}

#[test]
fn nothing_is_ever_overwritten() {
    let world = world();
    world.write("here", "mine\n");
    world.write("folder/mine", "mine\n");
    std::os::unix::fs::symlink("elsewhere", world.folder().join("link")).unwrap();
    for (format, out) in
        [("dotenv", "here"), ("json", "link"), ("dir", "folder"), ("dir", "here"), ("dir", "link")]
    {
        let ran = ran(&world, &["--format", format, "--out", out]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{format} {out}");
        assert!(ran.stderr.contains("cannot be written"), "{}", ran.stderr);
    }
    assert_eq!(fs::read_to_string(world.folder().join("here")).unwrap(), "mine\n");
    assert_eq!(fs::read_dir(world.folder().join("folder")).unwrap().count(), 1);
    assert!(!world.folder().join("elsewhere").exists());
}

#[test]
fn plain_credentials_in_a_git_work_tree_are_warned_of() {
    let world = world();
    let git = Command::new("git").args(["init", "-q"]).current_dir(world.folder()).status();
    assert!(git.unwrap().success());
    assert!(ran(&world, &["--out", "a.env"]).stderr.contains("is not ignored"));
}

#[test]
fn what_makes_no_credentials_is_reported_why() {
    let world = world();
    let message = |world: &World, args: &[&str], code: i32, message: &[&str]| {
        let ran = world.run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{}", ran.stderr);
        for message in message {
            assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
        }
    };
    let name = "Prod: Sak_1";
    let other = ClientKey::generate().unwrap();
    world.write("other.pem", other.private_key_pem.expose_secret());
    let args = ["credentials", name, "--key", "other.pem"];
    message(&world, &args, 1, &["other.pem", "den-nye.1", "apply"]);
    world.write("public.json", json!(KEY.public).to_string());
    message(&world, &["credentials", name, "--key", "public.json"], 1, &["public key"]);
    message(&world, &["credentials", name, "--key", "nothing"], 1, &["nothing", "cannot be read"]);
    message(&world, &["credentials", "Prod: Sak", "--key", "key.pem"], 64, &["did you mean"]);
    world.sandbox.edit(|state| state.clients.get_mut("1f0a").unwrap().active = false);
    message(&world, &["credentials", name, "--key", "key.pem"], 1, &["inactive", "apply"]);
    world.sandbox.edit(|state| drop(state.clients.remove("1f0a")));
    message(&world, &["credentials", name, "--key", "key.pem"], 1, &["not live", "apply"]);
    world.declare(
        "clients: [{ name: x, integration_type: idporten, redirect_uris: [https://x.example/] }]\n",
    );
    message(&world, &["credentials", "x", "--key", "key.pem"], 1, &["idporten"]);
}

#[test]
fn nothing_secret_is_shown_beside_what_is_written() {
    check_that_no_secret_is_shown(&[
        &["--out", "a"],
        &["--format", "dir", "--out", "b"],
        &["--out", "a"],
    ]);
}

pub(crate) fn check_that_no_secret_is_shown(runs: &[&[&str]]) {
    let world = world();
    let jwk: Value = serde_json::from_str(&done(&world, &["--format", "json"])).unwrap();
    let jwk: Value =
        serde_json::from_str(jwk["MASKINPORTEN_CLIENT_JWK"].as_str().unwrap()).unwrap();
    for more in runs {
        let ran = ran(&world, &[&["-vvv"], *more].concat());
        let message = ran.stdout + &ran.stderr;
        for member in ["d", "p", "q", "dp", "dq", "qi"] {
            assert!(!message.contains(jwk[member].as_str().unwrap()), "{more:?} {member}");
        }
        let pem = KEY.private_key_pem.expose_secret();
        assert!(!message.contains(pem.lines().nth(1).unwrap()));
        // A grant or a token; encrypted text can begin like this by chance, but has no dots.
        let words = || message.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        assert!(!words().any(|word| word.starts_with("eyJ") && word.contains('.')), "{message}");
    }
}

#[test]
fn addresses_of_a_sandbox_that_ends_are_warned_of() {
    let folder = tempfile::TempDir::new().unwrap();
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write(
        "portvakt.yaml",
        "organization: { orgno: \"889640782\", name: Etaten }\nprefixes: [etat]\n\
         environments: { sandbox: { target: sandbox } }\n",
    );
    write("x.yaml", "clients: [{ name: x }]\n");
    let run = |args: &[&str]| {
        let ran = Ran::of(crate::world::program().args(args).current_dir(folder.path()));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran
    };
    run(&["keys", "generate", "x", "--out", "x.jwk"]);
    run(&["apply", "--auto-approve"]);
    let ran = run(&["credentials", "x", "--key", "x.jwk", "--format", "json"]);
    assert!(ran.stderr.contains("portvakt sandbox"), "{}", ran.stderr);
    serde_json::from_str::<Value>(&ran.stdout).unwrap();
}

//! `portvakt credentials --encrypt-to`, in a build with the feature `age`.

use std::fs;
use std::process::Command;

use age::x25519::Identity;
use serde_json::Value;

use crate::credentials::{
    NAMES, check, check_that_no_secret_is_shown, done, object, ran, sourced, world,
};
use crate::world::{Ran, program};

fn decrypted(identity: &Identity, text: &str) -> String {
    assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"), "{text}");
    String::from_utf8(age::decrypt(identity, text.as_bytes()).unwrap()).unwrap()
}

#[test]
fn what_goes_into_a_repository_is_encrypted_to_each_recipient() {
    let world = world();
    let identities = [Identity::generate(), Identity::generate()];
    let recipients: Vec<String> =
        identities.iter().map(|identity| identity.to_public().to_string()).collect();
    let encrypt: Vec<&str> = recipients.iter().flat_map(|to| ["--encrypt-to", to]).collect();
    let with = |more: &[&str]| done(&world, &[more, &encrypt].concat());
    let json = with(&["--format", "json"]);
    assert_eq!(with(&["--format", "dotenv", "--out", "app.env.age"]), "");
    with(&["--format", "dir", "--out", "secrets"]);
    let dotenv = fs::read_to_string(world.folder().join("app.env.age")).unwrap();
    for identity in &identities {
        let json: Value = serde_json::from_str(&decrypted(identity, &json)).unwrap();
        check(&world, &object(&json));
        world.write("plain.env", decrypted(identity, &dotenv));
        check(&world, &sourced(&world.folder().join("plain.env")));
        let files = NAMES.map(|name| {
            let file = world.folder().join("secrets").join(format!("{name}.age"));
            (name.to_owned(), decrypted(identity, &fs::read_to_string(file).unwrap()))
        });
        check(&world, &files.into());
    }
    assert_eq!(fs::read_dir(world.folder().join("secrets")).unwrap().count(), NAMES.len());
    assert!(age::decrypt(&Identity::generate(), json.as_bytes()).is_err());
    for wrong in ["age1nope", "ssh-ed25519 AAAA", ""] {
        assert_eq!(ran(&world, &["--encrypt-to", wrong]).code, 64, "{wrong}");
    }
}

#[test]
fn a_recipient_that_is_none_is_described_and_not_repeated() {
    let folder = tempfile::TempDir::new().unwrap();
    for (declared, message) in [
        ("hemmelig-passord", "16 characters"),
        ("age1hemmelig", "12 characters"),
        ("ssh-ed25519 AAAAhemmelig", "24 characters"),
        ("~/.age/hemmelig.txt", "19 characters"),
    ] {
        let args = ["credentials", "x", "--key", "key.pem", "--encrypt-to", declared];
        let ran = Ran::of(program().current_dir(folder.path()).args(args));
        assert_eq!(ran.code, 64, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("--encrypt-to") && ran.stderr.contains(message),
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("hemmelig"), "{}", ran.stderr);
    }
}

#[test]
fn encrypted_credentials_in_a_git_work_tree_are_not_warned_of() {
    let world = world();
    let git = Command::new("git").args(["init", "-q"]).current_dir(world.folder()).status();
    assert!(git.unwrap().success());
    let to = Identity::generate().to_public().to_string();
    let encrypted = ran(&world, &["--out", "b.env", "--encrypt-to", &to]);
    assert!(!encrypted.stderr.contains("ignored"), "{}", encrypted.stderr);
}

#[test]
fn nothing_secret_is_shown_beside_what_is_encrypted() {
    let to = Identity::generate().to_public().to_string();
    check_that_no_secret_is_shown(&[&["--encrypt-to", &to]]);
}

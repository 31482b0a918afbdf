//! Secrets, and texts that may be one by mistake or malice, are in no output.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use secrecy::ExposeSecret as _;

use crate::commands::{self, Uses, formats, in_each_format};
use crate::git::remote::{Clone, Remote};
use crate::world::{KEY, Ran, World, program};

/// Checks that no output contains a secret: any of its lines of a certain length.
fn is_in_none(ran: &Ran, secrets: &[&str], of: &str) {
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    for secret in secrets {
        let lines = secret.lines().filter(|line| line.len() > 5 && !line.starts_with("-----"));
        for line in lines {
            // Nor half of it.
            let half = &line[..line.len().min(20)];
            assert!(!shown.contains(half), "{of}: {half}: {shown}");
        }
    }
}

/// A text in the form of an age identity.
fn identity() -> String {
    format!("AGE-SECRET-KEY-1{}", &"QPZRY9X8GF2TVDW0".repeat(4)[..58])
}

/// Credentials with one line replaced.
fn with_credentials(world: &World, from: &str, to: &str) {
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    assert!(settings.contains(from));
    world.write("portvakt.yaml", settings.replace(from, to));
}

#[test]
fn an_id_that_is_none_is_refused_with_where_it_is_from_and_not_shown() {
    let key = KEY.private_key_pem.expose_secret();
    let jwk = r#"{"kty": "RSA", "n": "offentlig-tall", "d": "hemmelig-tall"}"#;
    let identity = identity();
    let long = "hemmelig".repeat(17);
    let values = [
        (key, "looks like a PEM private key"),
        (jwk, "looks like a JWK"),
        (&identity, "looks like an identity of age"),
        ("ghs_hemmelig0123456789012345678901", "looks like a token"),
        ("hemmelig ord", "has 12 characters"),
        ("hemmelig\nlinje", "on 2 lines"),
        (&long, "has 136 characters"),
        ("hemmelig/æ", "has 10 characters"),
    ];
    let fields = [
        ("client_id", "client_id: { env: PORTVAKT_CLIENT_ID }"),
        ("kid", "kid: { env: PORTVAKT_KID }"),
    ];
    for (field, declared) in fields {
        for (value, described) in values {
            for source in ["{ env: NEMLIG }", "{ file: nemlig.txt }"] {
                let world = World::new();
                world.write("nemlig.txt", value);
                with_credentials(&world, declared, &format!("{field}: {source}"));
                for command in [&["plan"][..], &["apply", "--auto-approve"], &["import"]] {
                    let ran = Ran::of(world.command(&["-vvv"]).args(command).env("NEMLIG", value));
                    assert_eq!(ran.code, 1, "{field} {source}: {}", ran.stderr);
                    let place = match source.contains("env") {
                        true => "environment variable NEMLIG",
                        false => "file nemlig.txt",
                    };
                    for message in [field, place, described, "1 to 128 characters"] {
                        assert!(ran.stderr.contains(message), "{field}: {message}: {}", ran.stderr);
                    }
                    let is_swapped = described.contains("key") || described.contains("JWK");
                    let swapped = format!("{field} and key are swapped");
                    if described.contains("PEM") {
                        assert!(is_swapped && ran.stderr.contains(&swapped), "{}", ran.stderr);
                    }
                    is_in_none(&ran, &[value], field);
                    assert_eq!(world.sandbox.exchanges(), [], "nothing was sent");
                }
            }
        }
    }
}

#[test]
fn a_literal_that_is_no_id_is_a_finding_that_does_not_show_it() {
    for field in ["client_id", "kid"] {
        let declared = format!("{field}: {{ env: PORTVAKT_{} }}", field.to_uppercase());
        for value in [
            "hemmelig ord",
            "\"hemmelig/verdi\"",
            "hemmelig-æ",
            &"hemmelig".repeat(17),
            "AGE-SECRET-KEY-1HEMMELIG",
            "eyJoZW1tZWxpZyI6ImhlbW1lbGlnIn0",
            "|\n        -----BEGIN PRIVATE KEY-----\n        hemmelig\n        -----END PRIVATE KEY-----",
        ] {
            let world = World::new();
            with_credentials(&world, &declared, &format!("{field}: {value}"));
            for format in &formats("validate") {
                let ran = world.run(&["validate", "--format", format]);
                assert_eq!(ran.code, 3, "{field}: {value}: {}", ran.stdout);
                assert!(ran.stdout.contains("is not an id"), "{field}: {value}: {}", ran.stdout);
                let shown = ran.stdout.to_lowercase();
                assert!(!shown.contains("hemmelig") && !shown.contains("eyjo"), "{shown}");
                if format == "json" {
                    let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
                    let line =
                        std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
                    let line = line.lines().position(|line| line.contains(&format!("{field}:")));
                    let found = &found
                        .as_array()
                        .unwrap_or_else(|| found["diagnostics"].as_array().unwrap())[0];
                    assert_eq!(
                        found["line"],
                        line.unwrap() + 1 + usize::from(value.starts_with('|'))
                    );
                }
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn only_a_regular_file_is_read() {
    let world = World::new();
    let fifo = world.folder().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let outside = tempfile::TempDir::new().unwrap();
    let link = outside.path().join("innocent.txt");
    std::os::unix::fs::symlink("/proc/self/environ", &link).unwrap();
    let link = link.to_str().unwrap();
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    for (field, declared) in [
        ("client_id", "client_id: { env: PORTVAKT_CLIENT_ID }"),
        ("kid", "kid: { env: PORTVAKT_KID }"),
        ("key", "key: { env: PORTVAKT_KEY }"),
    ] {
        for file in ["/proc/self/environ", link, "/dev/stdin", "/dev/zero", "pipe", "/proc", "."] {
            let source = format!("{field}: {{ file: {file} }}");
            world.write("portvakt.yaml", settings.replace(declared, &source));
            let mut command = world.command(&["plan"]);
            let ran =
                Ran::of(command.env("HEMMELIG", "hemmelig-verdi").write_stdin("hemmelig-inn"));
            assert_eq!(ran.code, 1, "{field} {file}: {}", ran.stderr);
            assert!(ran.stderr.contains(file), "{}", ran.stderr);
            let key = KEY.private_key_pem.expose_secret();
            is_in_none(&ran, &["hemmelig-verdi", "hemmelig-inn", key], file);
        }
    }
}

#[test]
fn no_argument_that_looks_like_a_secret_is_repeated() {
    let identity = identity();
    let jwk = r#"{"kty":"RSA","d":"hemmelig-tall","n":"x"}"#.to_owned();
    let base64 = "Hk9mmlg4".repeat(60);
    let lines = format!("{0}\n{0}\n{0}", "Hk9mmlg+".repeat(8));
    let secrets = [
        identity.clone(),
        identity.to_lowercase(),
        format!("# public key: age1qqq\n{identity}\n"),
        KEY.private_key_pem.expose_secret().to_owned(),
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n".to_owned(),
        jwk,
        base64,
    ];
    let world = World::new();
    for name in [&lines, &lines[..64], "en to"] {
        let ran = world.run(&["-e", name, "plan"]);
        assert_eq!(ran.code, 64, "{}", ran.stderr);
        assert!(ran.stderr.contains("which no environment could have"), "{}", ran.stderr);
        is_in_none(&ran, &[name], "-e");
    }
    let folder = tempfile::TempDir::new().unwrap();
    for secret in &secrets {
        for args in [
            &["credentials", "x", "--key", "key.pem", "--encrypt-to", secret][..],
            &["credentials", "x", "--key", secret],
            &["credentials", secret, "--key", "key.pem"],
            &["token", "--client", secret, "--key", "key.pem"],
            &["token", "--client", "x", "--key", secret],
            &["apply", "--expect", secret],
            &["apply", secret],
            &["-e", secret, "plan"],
            &["--allow-host", secret, "plan"],
            &["--rate", secret, "plan"],
            &["--log-format", secret, "plan"],
            &["explain", secret],
            &[secret],
        ] {
            let ran = Ran::of(program().current_dir(folder.path()).args(args));
            assert_eq!(ran.code, 64, "{args:?}: {}", ran.stderr);
            is_in_none(&ran, &[secret], args[0]);
            let Some((last, before)) = args.split_last() else { continue };
            let Some((name, before)) = before.split_last() else { continue };
            if *last == secret && name.starts_with("--") {
                let joined = format!("{name}={secret}");
                let ran = Ran::of(program().current_dir(folder.path()).args(before).arg(joined));
                assert_eq!(ran.code, 64, "{name}=: {}", ran.stderr);
                is_in_none(&ran, &[secret], name);
            }
        }
        for variable in ["PORTVAKT_ENV", "PORTVAKT_ALLOW_HOSTS"] {
            let mut command = program();
            let ran = Ran::of(command.current_dir(folder.path()).env(variable, secret).arg("plan"));
            assert_eq!(ran.code, 64, "{variable}: {}", ran.stderr);
            is_in_none(&ran, &[secret], variable);
        }
    }
}

/// A server that is both Maskinporten and the API, and repeats its input.
struct Parrot {
    address: String,
}

/// The repeated text.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Repeats {
    /// The grant, in the refusal of a token.
    Grant,
    /// The token, in the refusal of a call.
    Token,
    /// The token, in the live state.
    Live,
}

const TOKEN: &str = "hemmelig.token-0123456789.abcdefghijklmnop";

impl Parrot {
    fn new(repeats: Repeats) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let issuer = address.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let issuer = issuer.clone();
                std::thread::spawn(move || answer(stream, &issuer, repeats));
            }
        });
        Self { address }
    }
}

fn answer(mut stream: TcpStream, issuer: &str, repeats: Repeats) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut first, mut length, mut authorization) = (String::new(), 0, String::new());
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => authorization = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let path = first.split(' ').nth(1)?;
    let refusal = |text: &str| {
        let description = format!("Invalid: {text} {text}; {}", text.replace('.', " and "));
        let error = serde_json::json!({
            "error": text, "error_description": description, "correlation_id": text,
            "errors": [{ "errorMessage": text, "fieldIdentifier": text }],
        });
        ("400 Bad Request", error)
    };
    let (status, answer) = if path.starts_with("/.well-known") {
        let metadata =
            serde_json::json!({ "issuer": issuer, "token_endpoint": format!("{issuer}token") });
        ("200 OK", metadata)
    } else if path.starts_with("/token") && repeats == Repeats::Grant {
        refusal(body.split("assertion=").nth(1)?)
    } else if path.starts_with("/token") {
        ("200 OK", serde_json::json!({ "access_token": TOKEN, "expires_in": 100 }))
    } else if repeats == Repeats::Token {
        refusal(&authorization)
    } else if path.starts_with("/api/v1/scopes?") {
        let scope = |name: &str| {
            serde_json::json!({
                "name": name, "active": true, "description": authorization, "visibility": TOKEN,
            })
        };
        ("200 OK", serde_json::json!([scope("etat:a"), scope(&format!("etat:{TOKEN}"))]))
    } else {
        ("200 OK", serde_json::json!([]))
    };
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(format!("{head}{answer}").as_bytes()).ok()
}

/// A clone whose portvakt.yaml names a parrot, with what the arguments of all commands name.
fn parroted(remote: &Remote, repeats: Repeats) -> Clone<'_> {
    let (world, one) = (&remote.world, remote.first());
    let parrot = Parrot::new(repeats);
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    let api = world.sandbox.api().as_str().trim_end_matches('/').to_owned();
    let settings = settings
        .replace(&format!("\"{}\"", world.sandbox.issuer()), &format!("\"{}\"", parrot.address))
        .replace(&format!("\"{api}\""), &format!("\"{}\"", parrot.address.trim_end_matches('/')));
    world.write("portvakt.yaml", settings);
    commands::write_files(&one.path);
    one.declare(commands::DECLARED);
    one
}

/// The files that a command has written, which are removed.
fn written(one: &Clone<'_>) -> String {
    one.git(&["add", "-A"]);
    let written = one.git(&["diff", "--cached"]);
    one.git(&["reset", "--quiet", "--hard"]);
    written
}

#[test]
fn an_answer_that_repeats_a_grant_or_a_token_is_shown_without_it() {
    for repeats in [Repeats::Grant, Repeats::Token, Repeats::Live] {
        let remote = Remote::new();
        let one = parroted(&remote, repeats);
        // These compare with an apply, which these answers do not allow.
        let is_of_applied = |args: &&[&str]| matches!(*args, ["drift"] | ["apply", "--due", ..]);
        for command in commands::using(Uses::Api).filter(|args| !is_of_applied(args)) {
            for log in ["text", "json"] {
                in_each_format(command, |command| {
                    let ran = one.run(&[&["-vvv", "--log-format", log], command].concat());
                    let shown = format!("{}{}{}", ran.stdout, ran.stderr, written(&one));
                    if repeats != Repeats::Live {
                        assert_eq!(ran.code, 1, "{repeats:?} {command:?}: {shown}");
                        assert!(shown.contains("(a secret)"), "{repeats:?} {command:?}: {shown}");
                    }
                    for secret in ["eyJ", "token-0123456789", "abcdefghijklmnop"] {
                        assert!(!shown.contains(secret), "{repeats:?} {command:?}: {shown}");
                    }
                });
            }
        }
    }
}

#[test]
fn a_kid_that_maskinporten_repeats_is_not_shown() {
    let world = World::new();
    for variable in ["PORTVAKT_KID", "PORTVAKT_CLIENT_ID"] {
        let ran = Ran::of(world.command(&["-vvv", "plan"]).env(variable, "hemmelig_verdi"));
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(!ran.stderr.contains("hemmelig"), "{variable}: {}", ran.stderr);
    }
}

#[test]
fn this_machine_beside_another_is_sent_nothing() {
    let world = World::new();
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    let api = format!("\"{}\"", world.sandbox.api().as_str().trim_end_matches('/'));
    let issuer = format!("\"{}\"", world.sandbox.issuer());
    for (from, to) in [
        (&issuer, "\"https://maskinporten.no/\""),
        (&issuer, "\"https://test.maskinporten.no/\""),
        (&api, "\"https://api.samarbeid.digdir.no\""),
    ] {
        world.write("portvakt.yaml", settings.replace(from, to));
        for command in [&["plan"][..], &["apply", "--auto-approve"], &["snapshot", "--out", "x"]] {
            let ran = world.run(command);
            assert_eq!(ran.code, 1, "{}", ran.stderr);
            assert!(ran.stderr.contains("this machine"), "{}", ran.stderr);
            assert!(ran.stderr.contains("--allow-host 127.0.0.1:"), "{}", ran.stderr);
            assert_eq!(world.sandbox.exchanges(), []);
        }
    }
}

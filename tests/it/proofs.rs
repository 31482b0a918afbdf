//! Keys and certificates as people have them, secrets that are missing, and our own that expire.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, ToSpan as _};
use sandbox::KeyRecord;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::client::tokens::archive_until;
use crate::git::remote::Remote;
use crate::world::{KEY, OWNER, Ran, World, orgno, program};

fn material(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/digdir/tests/material");
    std::fs::read(folder.join(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(material(name)).unwrap()
}

/// A world whose client proves itself so, and a scope that is declared.
fn world(credentials: &str) -> World {
    let world = World::new();
    world.sandbox.edit(|state| state.register_certificate_client(orgno(OWNER), "sertifikat"));
    let settings = format!(
        "organization: {{ orgno: \"{OWNER}\" }}\nprefixes: [etat]\nenvironments:\n  test:\n    \
         target: {{ api: \"{api}\", maskinporten: \"{api}\" }}\n    credentials:\n{credentials}",
        api = world.sandbox.issuer(),
    );
    world.write("portvakt.yaml", settings);
    world.declare("scopes:\n  - { name: 'etat:a', description: Les }\n");
    world
}

fn with_certificate(certificate: &str) -> World {
    world(&format!("      client_id: sertifikat\n      certificate: {certificate}\n"))
}

fn plan(world: &World, variables: &[(&str, &str)]) -> Ran {
    Ran::of(program().current_dir(world.folder()).envs(variables.iter().copied()).arg("plan"))
}

fn planned(world: &World, variables: &[(&str, &str)], of: &str) {
    let ran = plan(world, variables);
    assert_eq!(ran.code, 0, "{of}: {}", ran.stderr);
    assert!(ran.stdout.contains("etat:a"), "{of}: {}", ran.stdout);
}

/// The plan is refused with a message that says so, and shows no secret.
fn refused(world: &World, variables: &[(&str, &str)], said: &[&str]) {
    let ran = plan(world, variables);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    for said in said {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
    for (_, secret) in variables {
        assert!(secret.len() < 8 || !ran.stderr.contains(secret), "{}", ran.stderr);
    }
    assert_eq!(world.sandbox.exchanges(), [], "nothing was sent");
}

#[test]
fn a_certificate_opens_the_api_in_every_form_that_people_have() {
    let archive = STANDARD.encode(material("modern.p12"));
    let (certificate, issuer) = (text("auth.crt.pem"), text("ca.crt.pem"));
    let (chain, key) = (format!("{issuer}{certificate}"), text("auth.key.pem"));
    let escaped = chain.replace('\n', "\\n");
    let both = format!("{certificate}{key}{issuer}");
    for (certificate, variables) in [
        ("{ file: modern.p12, password: { env: PW } }", &[][..]),
        ("{ file: rc2-40-3des.p12, password: { env: PW } }", &[]),
        ("{ file: no-local-key-id.p12, password: { env: PW } }", &[]),
        ("{ file: two-pairs.p12, password: { env: PW }, alias: autentisering }", &[]),
        ("{ base64: { env: P12 }, password: { env: PW } }", &[("P12", &*archive)]),
        ("{ chain: { file: chain.pem }, key: { env: KEY } }", &[("KEY", &*key)]),
        ("{ chain: { env: CHAIN }, key: { env: KEY } }", &[("CHAIN", &*escaped), ("KEY", &key)]),
        ("{ chain: { env: BOTH } }", &[("BOTH", &*both)]),
    ] {
        let world = with_certificate(certificate);
        for name in ["modern.p12", "rc2-40-3des.p12", "no-local-key-id.p12", "two-pairs.p12"] {
            world.write(name, material(name));
        }
        world.write("chain.pem", &chain);
        planned(&world, &[&[("PW", "passord")], variables].concat(), certificate);
    }
}

#[test]
fn a_certificate_that_is_registered_goes_by_its_kid() {
    let world = world(
        "      client_id: sertifikat\n      kid: virksomhet-1\n      certificate: { file: modern.p12, password: \
         { env: PW } }\n",
    );
    world.write("modern.p12", material("modern.p12"));
    let key = digdir::ApplicationKey::read(&text("auth.key.pem").into()).unwrap();
    let kid = "virksomhet-1".parse().unwrap();
    let public = key.public(&kid, domain::SigningAlgorithm::RS256).unwrap().to_jwk();
    let public = serde_json::from_value(Value::Object(public)).unwrap();
    // A client with registered keys gets no token by a chain.
    world.sandbox.edit(|state| {
        let keys = &mut state.clients.get_mut("sertifikat").unwrap().keys;
        keys.insert("virksomhet-1".to_owned(), KeyRecord::new(public));
    });
    planned(&world, &[("PW", "passord")], "kid");
}

#[test]
fn a_certificate_that_cannot_be_used_says_what_to_do() {
    let file = |name: &str| format!("{{ file: {name}, password: {{ env: PW }} }}");
    let convert = "openssl pkcs12 -legacy -in OLD.p12 -nodes -out PAIR.pem && openssl pkcs12 -export -in \
                   PAIR.pem -out NEW.p12";
    for (name, password, said) in [
        ("rc2-128.p12", "passord", &["RC2 with 128 bits", convert][..]),
        ("rc4-128.p12", "passord", &["RC4 with 128 bits", convert]),
        ("two-key-3des.p12", "passord", &["two-key 3DES", convert]),
        ("old.jks", "passord", &["Java keystore", "keytool -importkeystore"]),
        ("modern.p12", "feil", &["the password does not open", "portvakt.yaml:8:28"]),
        ("two-pairs.p12", "passord", &["'autentisering'", "'signering'", "for signing", "alias"]),
        ("auth.crt.pem", "passord", &["this is PEM"]),
        ("missing.p12", "passord", &["missing.p12", "cannot be read", "portvakt.yaml:8:28"]),
    ] {
        let world = with_certificate(&file(name));
        if name != "missing.p12" {
            world.write(name, material(name));
        }
        refused(&world, &[("PW", password)], said);
    }
}

#[test]
fn a_key_signs_in_every_form_that_people_have() {
    let pem = KEY.private_key_pem.expose_secret();
    let jwk = {
        let key = digdir::ApplicationKey::read(&KEY.private_key_pem).unwrap();
        let kid = KEY.kid.parse().unwrap();
        key.private_jwk(&kid, domain::SigningAlgorithm::RS256).unwrap().expose_secret().to_owned()
    };
    for key in [
        pem.replace('\n', "\\n"),
        format!("{}{pem}", text("auth.crt.pem")),
        STANDARD.encode(pem),
        STANDARD.encode(&jwk),
        jwk,
    ] {
        let world =
            world("      client_id: portvakt\n      key: { env: KEY }\n      kid: { env: KID }\n");
        planned(&world, &[("KEY", &key), ("KID", &KEY.kid)], &key);
    }
}

#[test]
fn all_secrets_that_are_missing_are_named_with_their_places() {
    let credentials = "      client_id: { env: MITT_ID }\n      kid: { file: kid.txt }\n      \
                       certificate: { base64: { env: P12 }, password: { env: PW } }\n";
    let world = world(credentials);
    refused(
        &world,
        &[("PW", " ")],
        &[
            "4 of the credentials of environment test cannot be read",
            "client_id: environment variable MITT_ID is not set (portvakt.yaml:7:18)",
            "kid: file kid.txt cannot be read",
            "(portvakt.yaml:8:12)",
            "certificate.base64: environment variable P12 is not set (portvakt.yaml:9:30)",
            "certificate.password: environment variable PW is empty (portvakt.yaml:9:54)",
        ],
    );
}

#[test]
fn a_variable_that_holds_a_path_is_named_as_such() {
    let world_of = || {
        let world =
            world("      client_id: portvakt\n      key: { env: KEY }\n      kid: { env: KID }\n");
        world.write("min nøkkel", KEY.private_key_pem.expose_secret());
        world
    };
    for (value, said) in [
        ("min nøkkel", "holds the path of a file that exists"),
        ("/run/secrets/portvakt-key", "holds what looks like the path of a file"),
        ("~/keys/portvakt.pem", "holds what looks like the path of a file"),
        ("C:\\keys\\portvakt", "holds what looks like the path of a file"),
    ] {
        let said = [said, "`key: { file: … }`", "portvakt.yaml:8:12"];
        refused(&world_of(), &[("KEY", value), ("KID", "a")], &said);
    }
    refused(&world_of(), &[("KEY", "hemmelig"), ("KID", "a")], &["neither PEM nor a JWK"]);
    let archive = STANDARD.encode(material("modern.p12"));
    refused(&world_of(), &[("KEY", &archive), ("KID", "a")], &["give it as the certificate"]);
    let world = with_certificate("{ base64: { env: P12 }, password: { env: PW } }");
    let said = ["holds what looks like", "`certificate: { file: … }`"];
    refused(&world, &[("P12", "/etc/virksomhet.p12"), ("PW", "passord")], &said);
}

fn notices(plan: &str) -> Vec<String> {
    let plan: Value = serde_json::from_str(plan).unwrap();
    let notices = plan["notices"].as_array().unwrap().iter();
    let ours = notices.filter(|notice| notice["code"] == "PV404");
    ours.map(|notice| notice["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn our_own_certificate_is_reported_once_it_expires_soon() {
    let world = with_certificate("{ file: own.p12, password: { env: PW } }");
    let run = |args: &[&str]| {
        let mut command = program();
        Ran::of(command.current_dir(world.folder()).env("PW", "passord").args(args))
    };
    let done = |args: &[&str]| {
        let ran = run(args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    world.write("own.p12", archive_until("passord", today + 60.days()));
    assert_eq!(notices(&done(&["plan", "--format", "json"])), [""; 0]);
    let day = today + 5.days();
    world.write("own.p12", archive_until("passord", day));
    let expected = format!(
        "the certificate that portvakt itself works with expires on {day}: order another and put it into the \
         credentials"
    );
    assert_eq!(notices(&done(&["plan", "--format", "json"])), [&*expected]);
    let listed: Value = serde_json::from_str(&done(&["keys", "list", "--format", "json"])).unwrap();
    assert_eq!(listed["keys"][0]["state"], "own_certificate");
    assert_eq!(listed["keys"][0]["expires"], format!("{day}T00:00:00Z"));
    assert!(done(&["keys", "list"]).contains("portvakt itself works with this certificate"));
    // No token is had by one that has expired.
    world.write("own.p12", material("expired.p12"));
    for command in [&["plan"][..], &["keys", "list"]] {
        let ran = run(command);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains("the certificate expired on 2023-01-31"), "{}", ran.stderr);
    }
}

#[test]
fn our_own_key_is_reported_once_it_expires_soon() {
    let remote = Remote::new();
    let (world, clone) = (&remote.world, remote.first());
    clone.declare("clients: [{ name: x, description: Henter }]\n");
    clone.apply();
    let end = |days: i64| {
        let at = Timestamp::now() + (days * 24).hours();
        world.sandbox.edit(|state| {
            let keys = &mut state.clients.get_mut("portvakt").unwrap().keys;
            keys.get_mut(&KEY.kid).unwrap().exp = at.as_second();
        });
        at.strftime("%F").to_string()
    };
    let plan = || notices(&clone.ends(0, &["plan", "--format", "json"]).stdout);
    end(60);
    assert_eq!(plan(), [""; 0]);
    let day = end(5);
    let [notice] = plan().try_into().unwrap();
    let drift = clone.ends(0, &["drift", "--format", "json"]);
    assert_eq!(notices(&drift.stdout), [&*notice]);
    let expected = format!("the key {} that portvakt itself works with expires on {day}", KEY.kid);
    assert!(notice.starts_with(&expected), "{notice}");
    let listed = clone.ends(0, &["keys", "list", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed["keys"][0]["state"], "own");
    assert_eq!(listed["keys"][0]["client_id"], "portvakt");
    clone.ends(2, &["keys", "list", "--detailed-exitcode"]);
    let names = world.sandbox.state().clients["portvakt"].fields["client_name"].clone();
    world.declare(&format!("clients: [{{ name: {names}, client_id: portvakt }}]\n"));
    assert_eq!(plan().len(), 1, "once, as that of a declared client");
}

#[test]
fn our_own_key_is_not_asked_for_where_no_client_is_declared() {
    let world = World::new();
    world.sandbox.edit(|state| {
        let keys = &mut state.clients.get_mut("portvakt").unwrap().keys;
        keys.get_mut(&KEY.kid).unwrap().exp = Timestamp::now().as_second() + 3600;
    });
    world.declare("scopes: [{ name: 'etat:a', description: Les }]\n");
    // The token does not reach clients.
    assert_eq!(notices(&world.run(&["plan", "--format", "json"]).stdout), [""; 0]);
    let exchanges = world.sandbox.exchanges();
    assert!(exchanges.iter().all(|exchange| !exchange.path.contains("/clients")));
}

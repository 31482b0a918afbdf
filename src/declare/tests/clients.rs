//! Clients and their keys: what is wrong with them, and what they come to in an environment.

use std::fs;
use std::path::Path;

use jiff::civil::{Date, date};
use serde_json::{Value, json};

use super::{TODAY, check, folder, load_one, one, said};
use crate::declare::Invalid;
use crate::declare::diagnostic::rule::Rule;
use domain::{AuthMethod, IntegrationType, Representation};

/// A modulus of 2048 bits that begins with this byte.
fn modulus(first: u8) -> String {
    use base64::Engine as _;
    let mut bytes = vec![0xA5_u8; 256];
    bytes[0] = 0x80 | first;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn key(kid: &str, first: u8) -> Value {
    json!({ "kty": "RSA", "kid": kid, "n": modulus(first), "e": "AQAB" })
}

/// What is wrong with a client of these lines, by code, line and a part of what is said.
const WRONG: [(&str, &str, usize, &str); 30] = [
    ("name: ''", "PV132", 2, "it is empty"),
    ("name: ' '", "PV132", 2, "it is empty"),
    ("name: \"a\\nb\"", "PV132", 2, "holds"),
    ("nam: a", "PV010", 2, "did you mean `name`"),
    ("name: a\nclient_id: ../x", "PV132", 3, "not a valid client id"),
    ("name: a\nprevious_name: ''", "PV132", 3, "it is empty"),
    ("name: a\nintegration_type: maskinport", "PV012", 3, "did you mean `maskinporten`"),
    ("name: a\nscopes: [a b]", "PV133", 3, "write a comma"),
    ("name: a\nscopes:", "PV012", 3, "nothing behind this key"),
    ("name: a\nscopes: skatt:a", "PV012", 3, "put it in brackets"),
    ("name: a\njwks:", "PV012", 3, "nothing behind this key"),
    ("name: a\nonbehalfof:", "PV012", 3, "nothing behind this key"),
    ("name: a\nonbehalfof: [{ name: x }]", "PV011", 3, "`onbehalfof` is missing"),
    ("name: a\nonbehalfof: [{ onbehalfof: a/b }]", "PV132", 3, "without slashes"),
    ("name: a\nonbehalfof: [{ onbehalfof: a }]", "PV134", 3, "nobody's behalf"),
    ("name: a\nclient_orgno: '1'", "PV101", 3, "not an organisation number"),
    ("name: a\napplication_type: browser", "PV134", 3, "write `web`"),
    ("name: a\ntoken_endpoint_auth_method: none", "PV134", 3, "write `private_key_jwt`"),
    ("name: a\ngrant_types: [refresh_token]", "PV134", 3, "jwt-bearer"),
    ("name: a\ngrant_types: []", "PV134", 3, "needs the grant"),
    ("name: a\nintegration_type: krr\nscopes: [skatt:a]", "PV134", 4, "they are fixed"),
    ("name: a\nintegration_type: idporten\nscopes: [skatt:a]", "PV134", 4, "`openid`"),
    (
        "name: a\nintegration_type: idporten\napplication_type: native\ntoken_endpoint_auth_method: private_key_jwt",
        "PV134",
        5,
        "write `none`",
    ),
    ("name: a\nintegration_type: idporten\naccess_token_lifetime: 600", "PV135", 2, "not more"),
    ("name: a\naccess_token_lifetime: 1 h", "PV012", 3, "whole number"),
    ("name: a\njwks: ../../x.json", "PV137", 3, "leads out of the repository"),
    ("name: a\njwks: x.json", "PV137", 3, "there is no such file"),
    ("name: a\njwks: hemmelig", "PV136", 3, "neither JSON nor PEM"),
    ("name: a\njwks: 7", "PV012", 3, "expected a file with keys"),
    ("name: a\nper_environment: { prod: { client_id: '' } }", "PV132", 3, "not a valid client id"),
];

#[test]
fn what_is_wrong_with_a_client_is_reported_with_its_place() {
    for (lines, code, line, part) in WRONG {
        let yaml = format!("clients:\n  - {}\n", lines.replace('\n', "\n    "));
        let found = check(one(&yaml).path());
        let reported = said(&found);
        assert!(!found.is_empty(), "{yaml}");
        assert!(
            found.iter().any(|found| found.code.code() == code
                && found.line == line
                && found.to_string().contains(part)),
            "{yaml}\nwants {code} in line {line}: {part}\n{reported}"
        );
    }
}

#[test]
fn what_is_the_same_client_is_reported() {
    for (yaml, part) in [
        ("clients: [{ name: a, client_id: x }, { name: b, client_id: x }]", "the client id `x`"),
        ("clients: [{ name: a, previous_name: b }, { name: b }]", "still a client's name"),
        (
            "clients: [{ name: a }]\nremoved: [{ client: a, action: deactivate }]",
            "is removed, and declared as well",
        ),
        (
            "removed: [{ client: a, action: deactivate }, { client: a, action: release }]",
            "is removed twice",
        ),
        ("removed: [{ client: a, scope: 'etat:a', action: release }]", "exclude each other"),
    ] {
        let reported = said(&check(one(yaml).path()));
        assert!(reported.contains(part), "{yaml}\n{reported}");
    }
    let apart = "clients:\n  - { name: a, client_id: x, environments: [test] }\n  \
                 - { name: b, per_environment: { prod: { client_id: x } } }\n";
    assert_eq!(said(&check(one(apart).path())), "");
}

#[test]
fn what_is_wrong_in_an_override_is_reported_even_if_its_environment_does_not_exist() {
    let yaml =
        "clients:\n  - name: a\n    per_environment: { nei: { client_id: '', jwks: x.json } }\n";
    let reported = said(&check(one(yaml).path()));
    for part in ["no environment `nei`", "not a valid client id", "there is no such file"] {
        assert!(reported.contains(part), "{part}\n{reported}");
    }
}

fn with_files(yaml: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = one(yaml);
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn keys_come_from_files_and_from_the_yaml() {
    let yaml = format!("clients:\n  - name: a\n    jwks: [set.json, one.jwk, {}]\n", key("c", 3));
    let set = json!({ "keys": [key("a", 1)] }).to_string();
    let folder = with_files(&yaml, &[("set.json", &set), ("one.jwk", &key("b", 2).to_string())]);
    let repository = crate::declare::tests::load(folder.path()).unwrap();
    let (desired, found) = repository.desired("test", TODAY).unwrap();
    assert_eq!(said(&found), "");
    let client = desired.clients.values().next().unwrap();
    let kids: Vec<_> = client.keys.iter().flatten().map(|key| key.kid.as_str()).collect();
    assert_eq!(kids, ["a", "b", "c"]);
    assert_eq!(client.keys_source.line, 3);
}

#[test]
fn a_set_of_keys_has_its_bounds() {
    let reported = |keys: &[Value]| {
        let set = json!({ "keys": keys }).to_string();
        said(&check(with_files("clients: [{ name: a, jwks: x.json }]", &[("x.json", &set)]).path()))
    };
    let keys: Vec<_> = (1..7).map(|n| key(&format!("k{n}"), n)).collect();
    assert_eq!(reported(&keys[..5]), "");
    assert!(reported(&keys).contains("a client has 5 at most"));
    assert!(reported(&[key("a", 1), key("b", 1)]).contains("comes twice"));
    assert!(reported(&[key("a", 1), key("a", 2)]).contains("two keys have the kid `a`"));
    assert_eq!(reported(&[]), "", "none");
    assert!(reported(&[json!({ "kty": "EC" })]).contains("no RSA key"));
    assert!(reported(&[key("a", 1), json!(7)]).contains("(key 2)"));
}

#[test]
fn nothing_of_a_private_key_is_repeated() {
    let mut private = key("a", 1);
    private["d"] = json!("hemmelig");
    let private = private.to_string();
    let twice = private.replacen('{', "{\"d\":\"hemmelig\",\"keys\":[],", 1);
    let hidden = format!("{{\"keys\":[{private}],\"keys\":[{}]}}", key("b", 2));
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nhemmelig\n-----END RSA PRIVATE KEY-----\n";
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let inline = [
        private.clone(),
        format!("{{ keys: [{private}] }}"),
        format!("[{private}]"),
        quoted(&private),
        quoted(pem),
        "hemmelig-MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ".to_owned(),
        "\n      kty: RSA\n      d: hemmelig\n      n: x".to_owned(),
        "\n      - { kty: RSA, d: hemmelig }".to_owned(),
        "{ a: { b: [{ d: hemmelig }] } }".to_owned(),
    ];
    for jwks in inline {
        let found = check(one(&format!("clients:\n  - name: a\n    jwks: {jwks}\n")).path());
        assert!(found.iter().any(super::super::Diagnostic::is_error), "{jwks}");
        assert!(!said(&found).contains("hemmelig"), "{}", said(&found));
        assert!(!serde_json::to_string(&found).unwrap().contains("hemmelig"));
    }
    for text in [&private, &twice, &hidden, &format!("{{\"keys\":[{private}]}}"), pem] {
        let folder = with_files("clients: [{ name: a, jwks: x.json }]", &[("x.json", text)]);
        let found = check(folder.path());
        assert_eq!(found.len(), 1, "{}", said(&found));
        assert!(!said(&found).contains("hemmelig"), "{}", said(&found));
    }
}

#[test]
fn pem_and_certificates_are_keys_too() {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let parameters = rcgen::CertificateParams::default();
    let certificate = parameters.self_signed(&pair).unwrap().pem();
    let kid_of = |text: &str| {
        let folder = with_files("clients: [{ name: a, jwks: x.pem }]", &[("x.pem", text)]);
        let repository = crate::declare::tests::load(folder.path()).unwrap();
        let (desired, found) = repository.desired("test", TODAY).unwrap();
        assert_eq!(said(&found), "");
        let keys = desired.clients.into_values().next().unwrap().keys.unwrap();
        let [key] = keys.try_into().unwrap();
        assert_eq!(key.kid.as_str(), key.thumbprint());
        (key.thumbprint(), key.x5c.len())
    };
    let (thumbprint, certificates) = kid_of(&pair.public_key_pem());
    assert_eq!(certificates, 0);
    assert_eq!(kid_of(&certificate), (thumbprint, 1));
    let curve = rcgen::KeyPair::generate().unwrap().public_key_pem();
    let folder = with_files("clients: [{ name: a, jwks: x.pem }]", &[("x.pem", &curve)]);
    assert!(said(&check(folder.path())).contains("it holds no RSA key"));
}

#[test]
fn a_set_without_keys_means_none() {
    let files = [("x.json", r#"{"keys": []}"#)];
    for jwks in ["{ keys: [] }", "x.json", "[x.json, { keys: [] }]", "[]"] {
        let folder = with_files(&format!("clients: [{{ name: a, jwks: {jwks} }}]"), &files);
        let repository = crate::declare::tests::load(folder.path()).unwrap();
        let (desired, found) = repository.desired("test", TODAY).unwrap();
        assert_eq!(said(&found), "", "{jwks}");
        assert_eq!(desired.clients.into_values().next().unwrap().keys, Some(vec![]), "{jwks}");
    }
    for jwks in ["{ keys: null }", "{ keys: }", "{}"] {
        let folder = with_files(&format!("clients: [{{ name: a, jwks: {jwks} }}]"), &files);
        assert_ne!(said(&check(folder.path())), "", "{jwks}");
    }
}

#[test]
fn a_certificate_that_has_expired_is_an_error_at_its_place() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/digdir/tests/material");
    let material = |name| std::fs::read_to_string(folder.join(name)).unwrap();
    let (good, expired) = (material("auth.crt.pem"), material("expired.crt.pem"));
    let yaml = "clients:\n  - name: a\n    jwks: x.pem\n";
    let on = |text: &str, today: Date| {
        let folder = with_files(yaml, &[("x.pem", text)]);
        let repository = crate::declare::tests::load(folder.path()).unwrap();
        match repository.desired("test", today) {
            Ok((_, found)) => found,
            Err(Invalid::Declarations(found)) => found,
            Err(Invalid::Environment(error)) => panic!("{error}"),
        }
    };
    assert_eq!(said(&on(&good, TODAY)), "");
    assert_eq!(said(&on(&expired, date(2023, 1, 31))), "", "its last day");
    let [found] = on(&expired, TODAY).try_into().unwrap();
    assert!(found.message.ends_with("expired on 2023-01-31"), "{}", found.message);
    assert_eq!((found.code, found.line, found.hides), (Rule::Key, 3, false));
}

#[test]
fn an_environment_has_its_own() {
    let repository = load_one(
        "clients:\n  - name: a\n    description: Alle\n    scopes: ['skatt:a']\n    \
         access_token_lifetime: 60\n    per_environment:\n      \
         test: { client_id: x, description: Test, scopes: [], access_token_lifetime: 90, active: false }\n",
    );
    let of = |environment: &str| {
        let (desired, _) = repository.desired(environment, TODAY).unwrap();
        let client = desired.clients.into_values().next().unwrap();
        let fields: Representation =
            client.attributes.wanted().map(|field| (field.name.to_owned(), field.wanted)).collect();
        (client, fields)
    };
    let (test, fields) = of("test");
    assert_eq!(test.identity.pinned().unwrap().as_str(), "x");
    assert!(!test.active);
    assert_eq!(
        (&fields["description"], &fields["scopes"], &fields["access_token_lifetime"]),
        (&json!("Test"), &json!([]), &json!(90))
    );
    let (prod, fields) = of("prod");
    assert!(prod.identity.pinned().is_none() && prod.active && prod.keys.is_none());
    assert_eq!(
        (&fields["scopes"], &fields["access_token_lifetime"]),
        (&json!(["skatt:a"]), &json!(60))
    );
}

#[test]
fn defaults_are_the_repositorys_then_those_of_the_type() {
    let settings = format!(
        "{}defaults: {{ client: {{ access_token_lifetime: 30 }} }}\n",
        crate::declare::tests::SETTINGS
    );
    let yaml = "clients:\n  - { name: m }\n  - { name: i, integration_type: idporten }\n  \
                - { name: b, integration_type: idporten, application_type: browser }\n  \
                - { name: e, integration_type: eformidling }\n";
    let folder = folder(&[("portvakt.yaml", settings.as_bytes()), ("a.yaml", yaml.as_bytes())]);
    let repository = crate::declare::tests::load(folder.path()).unwrap();
    let (desired, found) = repository.desired("test", TODAY).unwrap();
    assert_eq!(said(&found), "");
    let of = |name: &str| &desired.clients[&name.parse().unwrap()].attributes;
    for name in ["m", "i", "b", "e"] {
        assert_eq!(of(name).access_token_lifetime, Some(30), "{name}");
    }
    assert_eq!(of("m").refresh_token_lifetime, None);
    assert_eq!(of("i").refresh_token_lifetime, Some(600));
    assert_eq!(of("m").token_endpoint_auth_method, Some(AuthMethod::PrivateKeyJwt));
    assert_eq!(of("b").token_endpoint_auth_method, Some(AuthMethod::None));
    assert_eq!(of("e").token_endpoint_auth_method, None);
    assert_eq!(of("i").sso_disabled, Some(false));
    assert_eq!(of("m").integration_type, IntegrationType::Maskinporten);
}

#[test]
fn keys_are_set_with_every_comment_kept() {
    use domain::ClientName;
    let set = json!({ "keys": [key("a", 1)] }).to_string();
    let other = json!({ "keys": [key("b", 2)] }).to_string();
    for (before, after) in [
        (
            "# top\nclients:\n  # of a\n  - name: a # name\n    description: d # d\n",
            "# top\nclients:\n  # of a\n  - name: a # name\n    jwks: new.json\n    description: d # d\n",
        ),
        ("clients: [{ name: a }] # end\n", "clients: [{ name: a, jwks: new.json }] # end\n"),
        (
            "clients:\n  - { description: d, name: 'a', scopes: [] }\n",
            "clients:\n  - { description: d, name: 'a', jwks: new.json, scopes: [] }\n",
        ),
        (
            "clients:\r\n  - description: d\r\n    name: \"a\"",
            "clients:\r\n  - description: d\r\n    name: \"a\"\r\n    jwks: new.json",
        ),
        (
            "clients:\n  - name: a\n    jwks: old.json # old\n    active: true\n",
            "clients:\n  - name: a\n    jwks: [old.json, new.json] # old\n    active: true\n",
        ),
        (
            "clients:\n  - name: a\n    jwks:\n      - old.json # old\n    active: true\n",
            "clients:\n  - name: a\n    jwks:\n      - old.json # old\n      - new.json\n    active: true\n",
        ),
        (
            "clients:\n  - name: a\n    per_environment: { test: { jwks: old.json } }\n  - name: b\n",
            "clients:\n  - name: a\n    per_environment: { test: { jwks: [old.json, new.json] } }\n  - name: b\n",
        ),
        (
            "scopes: []\n---\nclients:\n- name: b\n- name: a\n",
            "scopes: []\n---\nclients:\n- name: b\n- name: a\n  jwks: new.json\n",
        ),
    ] {
        let folder = with_files(before, &[("old.json", &set), ("new.json", &other)]);
        let repository = crate::declare::tests::load(folder.path()).unwrap();
        let name: ClientName = "a".parse().unwrap();
        let edited = repository.with_key_file("test", &name, "new.json");
        assert_eq!(edited.unwrap().after, after);
    }
    let block = "clients:\n  - name: a\n    jwks:\n      kty: RSA\n      kid: c\n      e: AQAB\n      n: N\n";
    let block = block.replace("n: N", &format!("n: {}", key("c", 3)["n"].as_str().unwrap()));
    let folder = with_files(&block, &[("new.json", &other)]);
    let repository = crate::declare::tests::load(folder.path()).unwrap();
    let name: ClientName = "a".parse().unwrap();
    let error = repository.with_key_file("test", &name, "new.json").unwrap_err();
    assert!(error.to_string().contains("name `new.json` too, and run again"), "{error}");
}

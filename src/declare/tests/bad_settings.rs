//! What is said of a portvakt.yaml that is wrong.

use super::{SETTINGS, check, folder, said};

/// In [`SETTINGS`], what is replaced by what; of what is said: the code, part of the message or
/// help.
#[rustfmt::skip] // A case a line.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("889640782", "889640783", "PV101", "the last digit would be 2"),
    ("\"889640782\"", "889640782", "PV012", "in quotes: \"889640782\""),
    ("[etat]", "[]", "PV012", "no prefix"),
    ("[etat]", "['etat:']", "PV113", "without the colon"),
    ("organization:", "organisation:", "PV010", "did you mean `organization`?"),
    ("target: sandbox", "target: sandboks", "PV012", "did you mean `sandbox`?"),
    ("target: sandbox", "target: { api: 'http://a.no/', maskinporten: 'https://a.no/' }", "PV017", "not https"),
    ("target: sandbox", "target: { api: 'https://u:p@a.no/', maskinporten: 'https://a.no/' }", "PV017", "password in it"),
    ("target: sandbox", "target: { api: 'https://a.no/' }", "PV011", "`maskinporten`"),
    ("target: sandbox", "target: test", "PV115", "needs `credentials`"),
    ("key: { env: KEY }", "kid: a", "PV115", "neither"),
    ("key: { env: KEY }", "certificate: { file: a }", "PV011", "`password`"),
    ("key: { env: KEY }", "key: { env: A, file: b }", "PV012", "exactly one"),
    ("key: { env: KEY }", "key: {}", "PV012", "exactly one"),
    ("key: { env: KEY }", "key: { vault: KEY }", "PV010", "`env`, `file`"),
    ("client_id: { env: ID }", "client_id: ''", "PV012", "identifies nothing"),
    ("  sandbox:", "  sand/box:", "PV114", "cannot be named"),
    ("prefixes:", "guards: { max_changed_percent: 101 }\nprefixes:", "PV012", "100 percent"),
    ("prefixes:", "guards: { max_revocations: -1 }\nprefixes:", "PV012", "0 or more"),
    ("prefixes:", "guards: { protect: ['etat:[a'] }\nprefixes:", "PV015", "is no glob"),
    ("prefixes:", "exclude: ['{a']\nprefixes:", "PV015", "is no glob"),
    ("prefixes:", "defaults: { scope: { description: d } }\nprefixes:", "PV010", "`description`"),
    ("prefixes:", "---\nprefixes:", "PV011", "missing"),
];

#[test]
fn what_is_wrong_with_the_settings() {
    for (from, to, code, part) in CASES {
        let text = SETTINGS.replacen(from, to, 1);
        let found = check(folder(&[("portvakt.yaml", text.as_bytes())]).path());
        let shown = said(&found);
        assert!(found.iter().any(|found| found.code.code() == *code), "{to}: {shown}");
        assert!(shown.contains(part), "{to}: {shown}");
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for (from, to) in [
        ("key: { env: KEY }", "certificate: hemmelig123"),
        ("client_id: { env: ID }", "client_id: [hemmelig123]"),
        (
            "credentials: &credentials\n      client_id: { env: ID }\n      key: { env: KEY }",
            "credentials: &credentials hemmelig123",
        ),
    ] {
        let text = SETTINGS.replacen(from, to, 1);
        let shown = said(&check(folder(&[("portvakt.yaml", text.as_bytes())]).path()));
        assert!(shown.contains("PV012") && !shown.contains("hemmelig123"), "{shown}");
    }
}

#[test]
fn a_secret_in_the_yaml_is_not_repeated() {
    for secret in [
        "hemmelig123",
        "1234567",
        "[hemmelig123]",
        "{ env: '-----BEGIN PRIVATE KEY----- hemmelig123' }",
        "{ env: 1234567 }",
        "{ file: '{\"kty\": \"RSA\", \"d\": \"hemmelig123\"}' }",
        "{ kty: RSA, d: hemmelig123 }",
        "\"-----BEGIN PRIVATE KEY-----\\nhemmelig123\"",
    ] {
        let text = SETTINGS.replacen("{ env: KEY }", secret, 1);
        let shown = said(&check(folder(&[("portvakt.yaml", text.as_bytes())]).path()));
        assert!(shown.starts_with("portvakt.yaml:10:12: PV01"), "{shown}");
        assert!(!shown.contains("hemmelig123") && !shown.contains("1234567"), "{shown}");
    }
}

//! What is said of a portvakt.yaml that is wrong.

use super::{SETTINGS, check, folder, said};

/// In [`SETTINGS`], what is replaced by what; of what is said: the code, part of the message or
/// help.
#[rustfmt::skip] // A case a line.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("889640782", "889640783", "PV101", "the last digit would be 2"),
    ("\"889640782\"", "889640782", "PV012", "in quotes: \"889640782\""),
    ("[etat]", "[]", "PV012", "no prefix"),
    ("[etat]", "['etat:']", "PV113", "before the first colon"),
    ("organization:", "organisation:", "PV010", "did you mean `organization`?"),
    ("target: sandbox", "target: sandboks", "PV012", "did you mean `sandbox`?"),
    ("target: sandbox", "target: { api: 'http://a.no/', maskinporten: 'https://a.no/' }", "PV017", "not https"),
    ("target: sandbox", "target: { api: 'https://u:p@a.no/', maskinporten: 'https://a.no/' }", "PV017", "password in it"),
    ("target: sandbox", "target: { api: 'https://a.no/' }", "PV011", "`maskinporten`"),
    ("target: sandbox", "target: test", "PV115", "needs `credentials`"),
    ("key: { env: KEY }", "kid: a", "PV115", "neither"),
    ("key: { env: KEY }", "certificate: { file: a }", "PV115", "without its `password`"),
    ("key: { env: KEY }", "certificate: { password: { env: A } }", "PV115", "neither `file`"),
    ("key: { env: KEY }", "certificate: { file: a, base64: { env: B }, password: { env: A } }", "PV115", "exclude each other"),
    ("key: { env: KEY }", "certificate: { file: a, password: { env: A }, key: { env: B } }", "PV115", "holds the key itself"),
    ("key: { env: KEY }", "certificate: { chain: { env: A }, alias: b }", "PV115", "do not go with a `chain`"),
    ("key: { env: KEY }", "certificate: { chain: hemmelig }", "PV016", "must not be in the YAML"),
    ("key: { env: KEY }", "key: { env: A, file: b }", "PV012", "exactly one"),
    ("key: { env: KEY }", "key: {}", "PV012", "exactly one"),
    ("key: { env: KEY }", "key: { env: KEY, 1: x }", "PV012", "keys that are texts"),
    ("key: { env: KEY }", "key: { vault: KEY }", "PV010", "`env`, `file`"),
    ("client_id: { env: ID }", "client_id: ''", "PV012", "identifies nothing"),
    ("  sandbox:", "  sand/box:", "PV114", "cannot be named"),
    ("prefixes:", "guards: { max_changed_percent: 101 }\nprefixes:", "PV012", "100 percent"),
    ("prefixes:", "guards: { max_revocations: -1 }\nprefixes:", "PV012", "0 or more"),
    ("prefixes:", "guards: { protect: ['etat:[a'] }\nprefixes:", "PV015", "is not a valid glob"),
    ("prefixes:", "exclude: ['{a']\nprefixes:", "PV015", "is not a valid glob"),
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
fn a_certificate_comes_in_several_forms() {
    for certificate in [
        "{ file: a.p12, password: { env: A } }",
        "{ file: a.p12, password: { file: pw }, alias: autentisering }",
        "{ base64: { env: B }, password: { env: A }, alias: autentisering }",
        "{ chain: { file: a.pem }, key: { env: A } }",
        "{ chain: { env: A } }\n      kid: virksomhet-1",
    ] {
        let with = format!("certificate: {certificate}");
        let text = SETTINGS.replacen("key: { env: KEY }", &with, 1);
        let found = check(folder(&[("portvakt.yaml", text.as_bytes())]).path());
        assert_eq!(said(&found), "", "{certificate}");
    }
}

#[test]
fn environments_of_one_target_are_reported() {
    let environments = |more: &str| {
        let text = format!("{SETTINGS}{more}");
        said(&check(folder(&[("portvakt.yaml", text.as_bytes())]).path()))
    };
    let other = "  x: { target: TARGET, credentials: *credentials }\n";
    // Spelling is not what an API is told by.
    for same in [
        "prod",
        "{ api: 'https://API.samarbeid.digdir.no:443/api', maskinporten: 'https://b.example/' }",
    ] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(environments(&other.replace("TARGET", same)), @r"
            portvakt.yaml:12:16: PV146: warning: environment `x` has the same target as `prod`: both change the same scopes and clients, and neither knows what the other has applied
              portvakt.yaml:11:19: the same target
              help: keep one of them, or give `x` another target
            ");
        }
    }
    let third = other.replace("TARGET", "test");
    assert_eq!(environments(&(third.clone() + "  y: { target: sandbox }\n")), "");
    // A target that is wrong is told as that alone.
    let wrong = other.replace("TARGET", "{ api: 'http://a.no/', maskinporten: 'http://a.no/' }");
    assert!(!environments(&(wrong.clone() + &wrong.replace("x:", "y:"))).contains("PV146"));
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
fn a_secret_that_makes_a_file_unreadable_is_not_repeated() {
    for (from, to) in [
        ("{ env: KEY }", "!!int hemmelig123"),
        ("target: prod", "target: https://u:hemmelig123@h"),
        (
            "target: prod",
            "target: { api: 'https://u:hemmelig123@h i', maskinporten: 'https://m/' }",
        ),
    ] {
        let text = SETTINGS.replacen(from, to, 1);
        assert_ne!(text, SETTINGS);
        let shown = said(&check(folder(&[("portvakt.yaml", text.as_bytes())]).path()));
        assert!(shown.contains("PV0") && !shown.contains("hemmelig123"), "{shown}");
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
        "{ hemmelig123 }",
        "{ hemmelig123: env }",
        "\"-----BEGIN PRIVATE KEY-----\\nhemmelig123\"",
    ] {
        let text = SETTINGS.replacen("{ env: KEY }", secret, 1);
        let shown = said(&check(folder(&[("portvakt.yaml", text.as_bytes())]).path()));
        assert!(shown.starts_with("portvakt.yaml:10:1"), "{shown}");
        assert!(!shown.contains("hemmelig123") && !shown.contains("1234567"), "{shown}");
    }
}

#[test]
fn one_mistake_hides_no_other() {
    let settings = SETTINGS
        .replace("889640782", "889640783")
        .replace("prefixes:", "guards: { max_changed_percent: 101 }\nprefixs:");
    let yaml = "scopes:\n- name: nav:a\n  description: d\n  environments: [tset, 5]\n  \
                allowed_integration_types: [x, krr, 5, y]\n  consumers: [skatt]\n";
    let files: [(&str, &[u8]); 2] =
        [("portvakt.yaml", settings.as_bytes()), ("a.yaml", yaml.as_bytes())];
    insta::assert_snapshot!(said(&check(folder(&files).path())), @r#"
    a.yaml:4:18: PV106: there is no environment `tset`
      help: did you mean `test`? portvakt.yaml has `prod`, `sandbox`, `test`
    a.yaml:4:24: PV012: expected a text, found the number `5`
      help: put it in quotes: "5"
    a.yaml:5:31: PV012: `x` is not an allowed value
      help: one of `ansattporten`, `api_klient`, `eformidling`, `idporten`, `idporten_saml2`, `krr`, `maskinporten`
    a.yaml:5:39: PV012: expected a text, found the number `5`
      help: put it in quotes: "5"
    a.yaml:5:42: PV012: `y` is not an allowed value
      help: one of `ansattporten`, `api_klient`, `eformidling`, `idporten`, `idporten_saml2`, `krr`, `maskinporten`
    a.yaml:6:15: PV104: there is no alias `skatt`
      help: declare it under `consumers`, or write the organisation number
    portvakt.yaml:2:24: PV101: `889640783` is not an organisation number: the check digit is wrong: the last digit would be 2
      help: look the number up at https://www.brreg.no
    portvakt.yaml:3:32: PV012: 101 is more than 100 percent
      help: leave the key out for no limit
    portvakt.yaml:4:1: PV010: the key `prefixs` is not known here
      help: did you mean `prefixes`?
    "#);
    let yaml = yaml.replace("nav:a", "nav");
    let codes: Vec<_> =
        crate::declare::tests::check_one(&yaml).iter().map(|found| found.code.code()).collect();
    assert_eq!(codes, ["PV102", "PV106", "PV012", "PV012", "PV012", "PV012", "PV104"]);
}

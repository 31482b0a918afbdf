//! Commits that were applied by an older version, with content that newer ones refuse or cannot read.

use super::life::scopes;
use super::protection::settings;
use super::remote::{Clone, Remote};
use crate::world::{Ran, SKATT};

/// Records HEAD as applied, as an older version would have done.
fn record(remote: &Remote, one: &Clone<'_>) {
    let commit = one.head();
    let record = remote.recorded(one, &commit);
    let push = [
        format!("{commit}:refs/portvakt/test/applied"),
        format!("{record}:refs/portvakt/test/record"),
    ];
    one.git(&["push", "--quiet", "--force", "origin", &push[0], &push[1]]);
}

/// Applies `etat:a` and `etat:b`; then a commit with other text counts as applied, and the next one declares
/// only `etat:a`.
fn applied(remote: &Remote, more_settings: &str, declarations: &[u8]) -> String {
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[SKATT])]));
    one.apply();
    let plain = settings(&one);
    one.write("portvakt.yaml", &format!("{plain}{more_settings}"));
    std::fs::write(one.path.join("declarations.yaml"), declarations).unwrap();
    let commit = one.merge("As it was");
    record(remote, &one);
    one.write("portvakt.yaml", &plain);
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    commit
}

/// Two scopes, the second with these additional keys.
fn second_with(rest: &str) -> String {
    format!(
        "scopes:\n  - {{ name: etat:a, description: Les, consumers: [\"{SKATT}\"] }}\n  \
           - {{ name: etat:b, {rest} }}\n"
    )
}

#[test]
fn what_a_newer_rule_refuses_was_applied_all_the_same() {
    let naming = "naming:\n  - { rule: lest, applies_to: scope, pattern: '^etat:x', message: m }\n";
    let twice = format!("description: Les, consumers: [\"{SKATT}\", \"{SKATT}\"]");
    let bad_alias = second_with("description: Les, consumers: [\"a b\"]")
        + &format!("consumers: {{ \"a b\": {{ orgno: \"{SKATT}\" }} }}\n");
    for (settings, yaml) in [
        (naming, second_with("description: Les")),
        ("fremtid: { a: 1 }\n", second_with("description: Les")),
        ("project: a b\nkeys_policy: { warn_before: lenge }\n", second_with("description: Les")),
        ("", second_with("description: Les, nytt: 1")),
        ("", second_with("visibility: PUBLIC")),
        ("", second_with("description: Les, at_max_age: lenge")),
        ("", second_with("description: Les, long_description: '<'")),
        ("", second_with(&twice)),
        ("", bad_alias),
    ] {
        let remote = Remote::new();
        applied(&remote, settings, yaml.as_bytes());
        let one = remote.first();
        let closed = ["revoke etat:b 974761076", "deactivate scope etat:b"];
        assert_eq!(one.planned(), closed, "{settings}{yaml}");
        let text = one.ends(0, &["plan"]).stdout;
        assert!(!text.contains("PV409"), "{settings}{yaml}: {text}");
    }
}

#[test]
fn what_cannot_be_read_of_the_past_makes_it_unknown() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    let cases: [(&[u8], &str); 8] = [
        (b"scopes: [", "PV006"),
        (b"\0GITCRYPT\0\x01\xfe", "PV019: this file is encrypted by git-crypt"),
        (pointer.as_bytes(), "PV019: this file is a pointer of Git LFS"),
        (&second_with("description: Les, prevent_deactivation: kanskje").into_bytes(), "PV012"),
        (&second_with("description: Les, environments: test").into_bytes(), "PV012"),
        (&second_with("description: Les, consumers: [ukjent]").into_bytes(), "PV104"),
        (&second_with("description: Les").replace("etat:b", "etat").into_bytes(), "PV102"),
        (b"skopes:\n  - { name: etat:b, description: Les }\n", "PV010"),
    ];
    for (declarations, why) in cases {
        let remote = Remote::new();
        let commit = applied(&remote, "", declarations);
        let one = remote.first();
        let ran = one.ends(2, &["plan", "--detailed-exitcode"]);
        let Ran { stdout, .. } = &ran;
        let first = stdout.lines().next().unwrap();
        let named = format!("commit {commit} cannot be read: declarations.yaml:");
        assert!(first.contains(&named) && first.contains(why), "{why}: {stdout}");
        assert!(stdout.contains("portvakt baseline set"), "{why}: {stdout}");
        assert_eq!(one.planned(), [""; 0], "{why}");
        let ran = one.ends(1, &["baseline", "set", &commit, "--yes"]);
        assert!(ran.stderr.contains("declarations.yaml:"), "{why}: {}", ran.stderr);
    }
    // Either the protection is read, or the past is not known.
    for guards in ["protect: [\"[\"]", "protct: [\"etat:b*\"]"] {
        let remote = Remote::new();
        let more = format!("guards: {{ {guards} }}\n");
        applied(&remote, &more, second_with("description: Les").as_bytes());
        let text = remote.first().ends(2, &["plan", "--detailed-exitcode"]).stdout;
        assert!(text.lines().next().unwrap().contains("portvakt.yaml:"), "{text}");
    }
    // An alias has the same effect in harmless and in hiding positions.
    let yaml = format!(
        "scopes:\n  - {{ name: etat:a, description: Les, accessible_for_all: &x \"yes\" }}\n  \
           - {{ name: etat:b, description: Les, prevent_deactivation: *x, consumers: [\"{SKATT}\"] }}\n"
    );
    let remote = Remote::new();
    applied(&remote, "", yaml.as_bytes());
    let text = remote.first().ends(2, &["plan", "--detailed-exitcode"]).stdout;
    assert!(text.lines().next().unwrap().contains("cannot be read: declarations.yaml:3"), "{text}");
}

#[test]
fn a_rollback_goes_by_the_rules_of_today() {
    let remote = Remote::new();
    let commit = applied(&remote, "", second_with("description: Les, nytt: 1").as_bytes());
    let one = remote.first();
    one.merge("As it is");
    let ran = one.ends(1, &["rollback", &commit]);
    assert!(ran.stderr.contains("break a rule of today: declarations.yaml:3"), "{}", ran.stderr);
}

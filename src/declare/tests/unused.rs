//! What nothing uses, in whatever environment.

use super::{check, folder};

const SETTINGS: &str = "\
organization: { orgno: '889640782', name: Etaten }
prefixes: [etat]
environments: { sandbox: { target: sandbox }, demo: { target: sandbox } }
teams:
  arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*'] }
  helse: { path: teams/helse, scopes: ['etat:helse*'] }
";

/// Codes and places of the findings in a repository with teams and some more files.
fn reported(files: &[(&str, &str)]) -> Vec<String> {
    let team = ("teams/arbeid/a.yaml", "scopes: [{ name: 'etat:arbeid', description: d }]\n");
    let helse = ("teams/helse/a.yaml", "removed: [{ scope: 'etat:helse', action: release }]\n");
    let all = [("portvakt.yaml", SETTINGS), team, helse];
    let all: Vec<_> =
        all.iter().chain(files).map(|(name, text)| (*name, text.as_bytes())).collect();
    let folder = folder(&all);
    let found = check(folder.path());
    let place =
        |it: &crate::declare::Diagnostic| format!("{} {}:{}", it.code.code(), it.file, it.line);
    found.iter().map(place).collect()
}

#[test]
fn aliases_and_groups_are_used_in_any_environment_by_name_or_number() {
    let yaml = "\
consumers:
  direct: { orgno: '974761076' }
  elsewhere: { orgno: '991825827' }
  member: { orgno: '971040238' }
  number: { orgno: '313367002' }
  twice: { orgno: '213245678', environments: [demo] }
  nobody: { orgno: '974760673' }
groups: { used: [member], unused: ['971526920'] }
scopes:
- name: etat:a
  description: d
  consumers: [direct, { consumer: elsewhere, environments: [demo] }, { group: used }, '313367002']
---
consumers:
  twice: { orgno: '974761076', environments: [sandbox] }
scopes:
- { name: 'etat:b', description: d, environments: [demo], consumers: [twice] }
";
    assert_eq!(reported(&[("a.yaml", yaml)]), ["PV152 a.yaml:7", "PV153 a.yaml:8"]);
    let silenced =
        yaml.replace("  nobody:", "  # portvakt: allow PV152 -- from January\n  nobody:");
    assert_eq!(reported(&[("a.yaml", &silenced)]), ["PV153 a.yaml:9"]);
    // An error may hide what uses them.
    assert_eq!(reported(&[("a.yaml", yaml), ("b.yaml", "scopes: [{ name: x }]\n")]).len(), 2);
    assert!(
        reported(&[("a.yaml", yaml), ("b.yaml", "scopes: [")])
            .iter()
            .all(|it| it.contains("b.yaml"))
    );
}

#[test]
fn a_block_from_scopes_that_nobody_declares_is_reported() {
    let yaml = "\
scopes:
- { name: 'etat:a', description: d }
- { name: 'etat:b', description: d, environments: [demo] }
blocked:
- { consumer: '974761076', reason: r, scopes: ['etat:*', 'etat:c', 'etat:b'] }
- { consumer: '974761076', reason: r, scopes: ['etat:b'], environments: [sandbox] }
- { consumer: '991825827', reason: nobody has access }
";
    assert_eq!(reported(&[("a.yaml", yaml)]), ["PV165 a.yaml:5", "PV165 a.yaml:6"]);
}

#[test]
fn key_files_and_teams_that_declare_nothing() {
    let keys = |file: &'static str| (file, "{}");
    let yaml = "scopes: [{ name: 'etat:a', description: d }]\n";
    let team = "portvakt.yaml";
    assert_eq!(
        reported(&[
            ("a.yaml", yaml),
            keys("keys/gammel.jwks.json"),
            keys("keys/other.json"),
            keys(".github/x.jwks.json"),
            ("teams/arbeid/a.yaml", "scopes: []\n"),
            // Another repository.
            ("nested/portvakt.yaml", SETTINGS),
            keys("nested/keys/x.jwks.json"),
        ]),
        ["PV154 keys/gammel.jwks.json:1".to_owned(), format!("PV155 {team}:5")]
    );
}

//! What an environment should hold.

use super::{TODAY, check_one, load_one, said};
use domain::{DesiredAccess, Orgno, Visibility};

const NAV: &str = "889640782";
const SKATT: &str = "974761076";

fn access(yaml: &str, environment: &str, orgno: &str) -> Option<DesiredAccess> {
    let repository = load_one(&format!("{ALIASES}---\n{yaml}"));
    let (desired, _) = repository.desired(environment, TODAY).unwrap();
    let orgno: Orgno = orgno.parse().unwrap();
    let scope = desired.scopes.values().next()?;
    scope.consumers.get(&orgno).cloned()
}

const ALIASES: &str = "\
consumers:
  skatt: { orgno: '974761076', name: Skatteetaten }
  nav: { orgno: '889640782', environments: [test] }
groups:
  alle: [skatt, nav]
";

#[test]
fn the_entry_that_lasts_longest_wins() {
    let entry = |lines: &str| {
        let yaml = format!("scopes:\n- name: etat:a\n  description: d\n  consumers:\n{lines}");
        let access = access(&yaml, "test", SKATT).unwrap();
        let today = "2026-11-23".parse().unwrap();
        let entry = access.on(today).unwrap();
        let until = access.last_day(today).map(|date| date.to_string());
        (until, entry.reason.clone(), entry.source.line)
    };
    let early = "  - { consumer: skatt, until: 2027-01-01, reason: early }\n";
    let late = "  - { group: alle }\n";
    let date = Some("2027-01-01".to_owned());
    assert_eq!(entry(early), (date, Some("early".to_owned()), 11));
    assert_eq!(entry(&format!("{early}{late}")), (None, None, 12));
    assert_eq!(entry(&format!("{late}{early}")), (None, None, 11));
}

#[test]
fn restrictions_to_environments_hold() {
    let scope = |rest: &str| format!("scopes: [{{ name: etat:a, description: d, {rest} }}]");
    let grouped = scope("consumers: [{ group: alle }]");
    assert!(access(&grouped, "test", NAV).is_some());
    assert!(access(&grouped, "sandbox", NAV).is_none(), "the alias counts in test only");
    assert!(access(&grouped, "sandbox", SKATT).is_some());
    let entry = scope("consumers: [{ consumer: skatt, environments: [test, prod] }]");
    assert!(access(&entry, "prod", SKATT).is_some());
    assert!(access(&entry, "sandbox", SKATT).is_none());
    let restricted = scope("environments: [test], consumers: [skatt]");
    assert!(access(&restricted, "test", SKATT).is_some());
    assert!(access(&restricted, "sandbox", SKATT).is_none());
}

#[test]
fn entries_of_groups_have_days_environments_and_a_reason() {
    let scope = |rest: &str| {
        format!(
            "scopes: [{{ name: etat:a, description: d, consumers: [{{ group: alle, reason: SAK-1, {rest} }}] }}]"
        )
    };
    let yaml = scope("from: 2026-12-01, until: 2026-12-31, environments: [test, sandbox]");
    let day = |day: &str| day.parse().unwrap();
    let access_of = |environment: &str, orgno: &str| access(&yaml, environment, orgno);
    let skatt = access_of("sandbox", SKATT).unwrap();
    for (date, has_access) in
        [("2026-11-30", false), ("2026-12-01", true), ("2026-12-31", true), ("2027-01-01", false)]
    {
        assert_eq!(skatt.on(day(date)).is_some(), has_access, "{date}");
    }
    let entry = skatt.described(day("2026-11-30"));
    assert_eq!((entry.group.as_deref(), entry.reason.as_deref()), (Some("alle"), Some("SAK-1")));
    // The alias' environments and the entry's both limit.
    assert!(access_of("test", NAV).is_some() && access_of("sandbox", NAV).is_none());
    assert!(access_of("prod", SKATT).is_none());
}

#[test]
fn blocked_organisations_are_those_of_the_environment_and_of_the_alias() {
    let yaml = "\
blocked:
- { consumer: skatt, environments: [test], scopes: ['etat:a*'], reason: SAK-1 }
- { consumer: nav, reason: SAK-2 }
";
    let repository = load_one(&format!("{ALIASES}---\n{yaml}"));
    let blocked = |environment: &str, scope: &str, orgno: &str| {
        let (desired, _) = repository.desired(environment, TODAY).unwrap();
        let block = desired.block(&scope.parse().unwrap(), orgno.parse().unwrap())?;
        Some((block.reason.clone(), block.source.line))
    };
    assert_eq!(blocked("test", "etat:a:b/c", SKATT), Some(("SAK-1".to_owned(), 8)));
    assert_eq!(blocked("test", "etat:b", SKATT), None);
    assert_eq!(blocked("prod", "etat:a", SKATT), None);
    // The alias does not count in prod, and the organisation is blocked there all the same.
    for environment in ["test", "prod", "sandbox"] {
        assert_eq!(blocked(environment, "etat:b", NAV), Some(("SAK-2".to_owned(), 9)));
    }
}

#[test]
fn attributes_come_from_the_nearest_layer() {
    let yaml = "\
scopes:
- name: etat:a
  description: d
  visibility: PRIVATE
  at_max_age: 5
  prevent_deactivation: true
  per_environment:
    test: { at_max_age: 9, active: false, description: e }
";
    let repository = load_one(yaml);
    let scope = |environment| {
        let (desired, _) = repository.desired(environment, TODAY).unwrap();
        desired.scopes.into_values().next().unwrap()
    };
    let (test, prod) = (scope("test"), scope("prod"));
    assert_eq!((test.attributes.at_max_age, prod.attributes.at_max_age), (9, 5));
    assert_eq!(test.attributes.description, "e");
    assert_eq!(test.attributes.visibility, Visibility::Private);
    assert_eq!((test.active, prod.active), (false, true));
    assert!(test.prevent_deactivation && prod.prevent_deactivation);
    assert_eq!((&*test.source.file, test.source.line), ("a.yaml", 2));
}

#[test]
fn one_name_may_be_declared_for_environments_that_do_not_overlap() {
    let yaml = "\
consumers: { x: { orgno: '974761076', environments: [test] } }
scopes:
- { name: etat:a, description: test, environments: [test], consumers: [x] }
- { name: etat:a, description: prod, environments: [prod], consumers: [x] }
---
consumers: { x: { orgno: '889640782', environments: [prod] } }
";
    let repository = load_one(yaml);
    for (environment, orgno) in [("test", SKATT), ("prod", NAV)] {
        let (desired, _) = repository.desired(environment, TODAY).unwrap();
        let scope = desired.scopes.into_values().next().unwrap();
        assert_eq!(scope.attributes.description, environment);
        let consumers: Vec<_> = scope.consumers.keys().map(ToString::to_string).collect();
        assert_eq!(consumers, [orgno]);
    }
}

#[test]
fn names_come_from_the_environment_first() {
    let yaml = "\
consumers:
  a: { orgno: '974761076', name: Elsewhere, environments: [prod] }
  b: { orgno: '974761076', environments: [test] }
  c: { orgno: '971040238', name: Kartverket, environments: [prod] }
";
    let (desired, _) = load_one(yaml).desired("test", TODAY).unwrap();
    let names: Vec<_> = desired.names.values().map(String::as_str).collect();
    assert_eq!(names, ["Etaten", "Kartverket", "b"]);
}

#[test]
fn warnings_of_one_environment() {
    let yaml = "\
consumers: { t: { orgno: '313367002' } }
scopes:
- { name: etat:a, description: d, accessible_for_all: true, consumers: [t] }
- name: etat:b
  description: d
  allowed_integration_types: [maskinporten]
  authorization_max_lifetime: 5
";
    let repository = load_one(yaml);
    let codes = |environment| {
        let (_, warnings) = repository.desired(environment, TODAY).unwrap();
        let codes = warnings.iter().map(|found| (found.code.code(), found.line));
        codes.collect::<Vec<_>>()
    };
    assert_eq!(codes("test"), [("PV121", 3), ("PV122", 7)]);
    assert_eq!(codes("prod"), [("PV123", 1), ("PV121", 3), ("PV122", 7)]);
}

#[test]
fn the_environment_must_be_named_if_there_are_several() {
    let repository = load_one("");
    assert_eq!(repository.environment_name(Some("test")), Ok("test"));
    let error = |asked| repository.environment_name(asked).unwrap_err().to_string();
    assert_eq!(
        error(None),
        "which environment? there are `prod`, `sandbox`, `test`: choose one with `-e NAME` or \
         PORTVAKT_ENV"
    );
    assert_eq!(
        error(Some("tset")),
        "there is no environment `tset`; did you mean `test`? portvakt.yaml has `prod`, \
         `sandbox`, `test`"
    );
    assert!(repository.desired("tset", TODAY).is_err());
}

#[test]
fn an_entry_that_never_counts_is_a_warning() {
    let yaml = "\
scopes:
- name: etat:a
  description: d
  environments: [prod]
  consumers: [{ consumer: '974761076', environments: [test] }]
  per_environment: { sandbox: { active: false } }
";
    insta::assert_snapshot!(said(&check_one(yaml)), @r"
    a.yaml:5:15: PV120: warning: this entry is for environments that do not hold the scope
      help: add the environment to the scope's `environments`, or take this out
    a.yaml:6:22: PV120: warning: this override is for environments that do not hold the scope
      help: add the environment to the scope's `environments`, or take this out
    ");
}

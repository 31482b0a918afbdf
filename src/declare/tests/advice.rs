//! What is allowed but hardly meant: where it is told, and in which environments.

use super::{SETTINGS, TODAY, check, folder, said};
use crate::declare::load;

/// [`SETTINGS`] with DigDir's own test environment.
fn settings() -> String {
    let custom = "target: { api: \"https://a.example/\", maskinporten: \"https://m.example/\" }";
    SETTINGS.replace(custom, "target: test")
}

/// What is said of a file in one environment, or in all: code, line, column.
fn reported(settings: &str, yaml: &str, environment: &str) -> Vec<(&'static str, usize, usize)> {
    let files: [(&str, &[u8]); 2] =
        [("portvakt.yaml", settings.as_bytes()), ("a.yaml", yaml.as_bytes())];
    let repository = load(folder(&files).path()).unwrap();
    let found = match environment {
        "" => repository.check(TODAY),
        name => repository.check_environment(name, TODAY).unwrap(),
    };
    found.iter().map(|found| (found.code.code(), found.line, found.column)).collect()
}

const NUMBERS: &str = "\
consumers:
  real: { orgno: '974761076' }
  synthetic: { orgno: '313367002', environments: [test, prod] }
  nav: { orgno: '889640782' }
groups: { g: ['971040238', synthetic] }
scopes:
- name: etat:a
  description: d
  consumers: ['991825827', { consumer: '213245678', environments: [prod] }]
";

#[test]
fn numbers_that_do_not_exist_in_an_environment() {
    let real = [("PV125", 2, 18), ("PV125", 5, 15), ("PV125", 9, 15)];
    let synthetic = [("PV123", 3, 23), ("PV123", 9, 40)];
    assert_eq!(reported(&settings(), NUMBERS, "test"), real);
    assert_eq!(reported(&settings(), NUMBERS, "prod"), synthetic);
    assert_eq!(reported(&settings(), NUMBERS, "sandbox"), []);
    let (alias, group) = ([("PV152", 2, 3), ("PV152", 4, 3)], ("PV153", 5, 11));
    let all = [alias[0], real[0], synthetic[0], alias[1], group, real[1], real[2], synthetic[1]];
    assert_eq!(reported(&settings(), NUMBERS, ""), all);
}

#[test]
fn consumers_twice_and_entries_that_end_nothing() {
    let yaml = "\
consumers:
  skatt: { orgno: '974761076', environments: [prod] }
  skatteetaten: { orgno: '974761076' }
groups: { g: [skatteetaten, '974761076'], h: [skatt, skatteetaten] }
scopes:
- name: etat:a
  description: d
  consumers:
  - skatt
  - { consumer: skatteetaten, environments: [sandbox, test] }
- name: etat:b
  description: d
  consumers: [{ group: h }, { consumer: skatteetaten, until: 2027-01-01 }, skatt, '889640782']
";
    let prod = [
        ("PV127", 4, 29),
        ("PV127", 4, 54),
        ("PV128", 13, 62),
        ("PV127", 13, 76),
        ("PV128", 13, 76),
        ("PV126", 13, 83),
    ];
    assert_eq!(reported(SETTINGS, yaml, "prod"), prod);
    assert_eq!(reported(SETTINGS, yaml, "test"), [prod[0], prod[2], prod[5]]);
}

/// The remedies for consumers of a scope in `one` and `two`; `k` is one organisation, and so is `only`, in `one`.
fn remedies(consumers: &str) -> Vec<String> {
    let settings = "organization: { orgno: '889640782', name: Etaten }\nprefixes: [etat]\n\
                    environments: { one: { target: sandbox }, two: { target: sandbox } }\n";
    let yaml = format!(
        "consumers:\n  k: {{ orgno: '974761076' }}\n  only: {{ orgno: '974761076', environments: [one] }}\n  \
         s: {{ orgno: '971040238' }}\ngroups: {{ g: [k, s], h: [only, k] }}\n\
         scopes: [{{ name: 'etat:a', description: d, consumers: [{consumers}] }}]\n"
    );
    let files: [(&str, &[u8]); 2] =
        [("portvakt.yaml", settings.as_bytes()), ("a.yaml", yaml.as_bytes())];
    let found = check(folder(&files).path());
    let found = found.into_iter().filter(|it| matches!(it.code.code(), "PV127" | "PV128"));
    found.map(|it| format!("{} {}", it.code.code(), it.help.unwrap_or_default())).collect()
}

#[test]
fn what_a_remedy_removes_revokes_nothing_in_any_environment() {
    let member = "PV127 keep this one: it counts wherever the first does";
    let consumers = |consumers: &str| {
        let mut remedies = remedies(consumers);
        assert_eq!(remedies.remove(0), member);
        remedies.join("\n")
    };
    assert_eq!(
        consumers("k, { group: g, environments: [two] }"),
        "PV128 restrict this entry to `environments: [one]`: that revokes nothing, and removing the entry would \
         revoke this access there"
    );
    assert_eq!(
        consumers("{ consumer: k, environments: [one] }, { group: g, environments: [two] }"),
        ""
    );
    let all = "PV128 remove this entry: wherever it counts, the group gives the same access, and an `until` of \
               the entry ends nothing";
    assert_eq!(consumers("{ consumer: k, environments: [two] }, { group: g }"), all);
    let split = "{ group: g, environments: [one] }, { group: h, environments: [two] }";
    // By each of the groups.
    assert_eq!(consumers(&format!("k, {split}")), format!("{all}\n{all}"));
    assert_eq!(
        consumers("k, { consumer: k, environments: [two] }"),
        "PV127 keep one entry, the first: it gives this access wherever the second counts"
    );
    assert_eq!(
        consumers("only, k"),
        "PV127 keep one entry, this one: it gives this access wherever the first counts"
    );
    assert_eq!(consumers("k, '974761076'"), "PV127 keep one entry: both give the same access");
    assert_eq!(
        consumers("{ consumer: k, environments: [one] }, { consumer: k, until: 2027-01-01 }"),
        "PV127 write one entry for the environments and days of both, or two that do not overlap: removing the \
         first alone would revoke access in `one`, removing this one in `two`"
    );
}

#[test]
fn entries_for_different_days_are_no_duplicates() {
    let consumers = |consumers: &str| {
        let groups = "groups: { g: ['974761076'], h: ['974761076'] }";
        let scope = format!("name: etat:a, description: d, consumers: [{consumers}]");
        let yaml = format!("{groups}\nscopes: [{{ {scope} }}]");
        let found = reported(SETTINGS, &yaml, "test");
        found.into_iter().map(|(code, ..)| code).collect::<Vec<_>>()
    };
    let one = |rest: &str| format!("{{ consumer: '974761076', {rest} }}");
    let group = |rest: &str| format!("{{ group: g, {rest} }}");
    let both = |a: String, b: String| consumers(&format!("{a}, {b}"));
    let (early, late) = ("until: 2026-12-31", "from: 2027-01-01");
    assert_eq!(both(one(early), one(late)), [""; 0]);
    assert_eq!(both(group(late), group(early)), [""; 0]);
    assert_eq!(both(one("until: 2027-01-01"), one(late)), ["PV127"]);
    assert_eq!(both(group("until: 2027-01-01"), group(late)), ["PV127"]);
    // A group's access covers an entry's or it does not.
    assert_eq!(both(group(early), one("from: 2026-12-01, until: 2026-12-31")), ["PV128"]);
    assert_eq!(both(group(early), one("until: 2027-01-01")), [""; 0]);
    assert_eq!(both(group(late), one(early)), [""; 0]);
    assert_eq!(both(group("until: 2026-11-01"), one("from: 2027-06-01")), ["PV129"]);
}

#[test]
fn an_entry_that_gives_nobody_access_anywhere_is_reported() {
    let yaml = "\
consumers:
  bare_test: { orgno: '974761076', environments: [test] }
  to: { orgno: '971040238', environments: [sandbox] }
  to: { orgno: '991825827', environments: [prod] }
groups: { begge: [bare_test, to], en: [bare_test], ingen: [] }
scopes:
- name: etat:a
  description: d
  consumers:
  - { consumer: bare_test, environments: [sandbox, prod] }
  - { group: en, environments: [prod] }
  - { group: begge, environments: [prod] }
  - { consumer: to, environments: [test] }
  - { group: ingen, environments: [prod] }
- name: etat:b
  description: d
  environments: [prod]
  consumers: [bare_test, to]
";
    let found = yaml.replace("  to: { orgno: '991825827', environments: [prod] }\n", "");
    assert_eq!(
        reported(SETTINGS, &found, ""),
        [
            ("PV160", 9, 17),
            ("PV160", 10, 14),
            ("PV160", 11, 14),
            ("PV160", 12, 17),
            ("PV160", 17, 15),
            ("PV160", 17, 26)
        ]
    );
}

#[test]
fn entries_of_a_blocked_organisation_are_shown() {
    let yaml = "\
consumers:
  skatt: { orgno: '974761076', environments: [test] }
groups: { g: [skatt, '971040238'] }
blocked:
- { consumer: skatt, environments: [test], scopes: ['etat:a*'], reason: SAK-1 }
- { consumer: '971040238', environments: [prod], reason: SAK-2 }
scopes:
- { name: etat:a, description: d, consumers: [skatt] }
- { name: etat:ab, description: d, consumers: [{ group: g }] }
- { name: etat:b, description: d, consumers: [skatt] }
";
    let test = [("PV161", 8, 47), ("PV161", 9, 57)];
    assert_eq!(reported(SETTINGS, yaml, "test"), test);
    assert_eq!(reported(SETTINGS, yaml, "prod"), [("PV161", 9, 57)]);
    let unknown = "groups: { g: ['974761076'] }\nblocked: [{ consumer: g, reason: r }, { consumer: x, reason: r }]";
    assert_eq!(reported(SETTINGS, unknown, ""), [("PV104", 2, 23), ("PV104", 2, 51)]);
}

#[test]
fn ends_in_the_past_and_far_ahead() {
    let until = |date: &str| {
        let entry = format!("{{ consumer: '974761076', until: {date} }}");
        let yaml = format!("scopes: [{{ name: etat:a, description: d, consumers: [{entry}] }}]");
        reported(SETTINGS, &yaml, "").first().map(|found| found.0)
    };
    assert_eq!(until("2026-11-22"), Some("PV129"));
    assert_eq!(until("2026-11-23"), None, "today is the last day");
    assert_eq!(until("2028-11-23"), None);
    assert_eq!(until("2028-11-24"), Some("PV130"));
    assert_eq!(until("9999-12-31"), Some("PV130"));
}

#[test]
fn delegation_sources() {
    let source = |source: &str, environment: &str| {
        let attribute = format!("delegation_source: '{source}'");
        let yaml = format!("scopes: [{{ name: etat:a, description: d, {attribute} }}]");
        reported(&settings(), &yaml, environment).len()
    };
    for (known, test, prod) in [
        ("altinn", 0, 0),
        ("https://tt02.altinn.no/", 0, 1),
        ("https://www.altinn.no/", 1, 0),
        ("https://www.altinn.no", 1, 1),
        ("", 0, 0),
    ] {
        assert_eq!((source(known, "test"), source(known, "prod")), (test, prod), "{known}");
        assert_eq!(source(known, "sandbox"), test.min(prod), "{known}");
    }
}

#[test]
fn it_is_reported_where_the_value_is_that_counts() {
    let settings = SETTINGS.replace(
        "prefixes:",
        "defaults: { scope: { delegation_source: altin, accessible_for_all: true } }\nprefixes:",
    );
    let yaml = "\
scopes:
- description: d
  name: etat:a
  consumers: ['974761076']
- name: etat:b
  description: d
  accessible_for_all: false
  delegation_source: altinn
  per_environment: { prod: { delegation_source: altinnn } }
";
    let expected = [("PV121", 4, 15), ("PV131", 9, 49), ("PV131", 3, 41)];
    assert_eq!(reported(&settings, yaml, ""), expected);
}

const RULES: &str = "
naming:
- { rule: word, applies_to: scope, field: description, pattern: '^Les', message: say Les, environments: [prod] }
- { rule: short, applies_to: consumer, field: alias, pattern: '^.{1,5}$', message: be short, severity: note }
- { rule: own, applies_to: scope, pattern: 'own', message: be own, teams: [arbeid], severity: warning }
- { preset: nais, teams: [arbeid] }
- { preset: description-nais, severity: note, environments: [sandbox], teams: [arbeid] }
policies:
- { rule: reason, applies_to: access, expression: 'access.reason != null || environment != \"prod\"', message: say why }
- { rule: hidden, applies_to: scope, expression: 'scope.visibility == \"PRIVATE\"', message: hide it, teams: [arbeid], severity: warning }
teams: { arbeid: { path: teams/arbeid, scopes: ['etat:own*'] } }
";

#[test]
fn rules_of_the_repository_count_where_they_say() {
    let settings = format!("{SETTINGS}{RULES}");
    let mine = "\
scopes:
- name: etat:own
  description: Les
  visibility: PUBLIC
  per_environment: { test: { visibility: PRIVATE }, prod: { description: Skriv } }
";
    let other = "\
consumers: { long-name: { orgno: '974761076' } }
scopes:
- { name: etat:other, description: Skriv, consumers: [long-name] } # portvakt: allow word -- why
";
    let files: [(&str, &[u8]); 3] = [
        ("portvakt.yaml", settings.as_bytes()),
        ("other.yaml", other.as_bytes()),
        ("teams/arbeid/a.yaml", mine.as_bytes()),
    ];
    let repository = load(folder(&files).path()).unwrap();
    let in_environment = |name| said(&repository.check_environment(name, TODAY).unwrap());
    insta::assert_snapshot!(in_environment("sandbox"), @r#"
    other.yaml:1:14: PV140: note: short: be short: `long-name` does not match `^.{1,5}$`
    teams/arbeid/a.yaml:2:9: PV140: nais: NAIS cannot hold a scope of this name: the subscope `own` has no product
      help: write a product of letters a to z and digits, one of `/`, `:` and `.`, and a name of letters a to z, æ, ø, å and digits that ends in two of them or more, with `.` behind the last `:` or `/` alone
    teams/arbeid/a.yaml:2:9: PV141: warning: hidden: hide it: visibility is "PUBLIC"
      teams/arbeid/a.yaml:4:15: visibility is "PUBLIC" here
    teams/arbeid/a.yaml:3:16: PV140: note: description-nais: the description names no NAIS application: the description does not begin with an application's name at NAIS
      help: write `<cluster>:<namespace>:<name>.own`, without the dashes inside the first three
    "#);
    insta::assert_snapshot!(in_environment("prod"), @r#"
    other.yaml:1:14: PV140: note: short: be short: `long-name` does not match `^.{1,5}$`
    other.yaml:3:55: PV141: reason: say why (974761076)
    teams/arbeid/a.yaml:2:9: PV140: nais: NAIS cannot hold a scope of this name: the subscope `own` has no product
      help: write a product of letters a to z and digits, one of `/`, `:` and `.`, and a name of letters a to z, æ, ø, å and digits that ends in two of them or more, with `.` behind the last `:` or `/` alone
    teams/arbeid/a.yaml:2:9: PV141: warning: hidden: hide it: visibility is "PUBLIC"
      teams/arbeid/a.yaml:4:15: visibility is "PUBLIC" here
    teams/arbeid/a.yaml:5:74: PV140: word: say Les: `Skriv` does not match `^Les`
    "#);
    insta::assert_snapshot!(in_environment("test"), @r#"
    other.yaml:1:14: PV140: note: short: be short: `long-name` does not match `^.{1,5}$`
    teams/arbeid/a.yaml:2:9: PV140: nais: NAIS cannot hold a scope of this name: the subscope `own` has no product
      help: write a product of letters a to z and digits, one of `/`, `:` and `.`, and a name of letters a to z, æ, ø, å and digits that ends in two of them or more, with `.` behind the last `:` or `/` alone
    "#);
}

#[test]
fn sorted_consumers_count_where_they_say() {
    let rule = "naming: [{ preset: sorted-consumers, environments: [prod] }]\n";
    let settings = format!("{SETTINGS}{rule}");
    let yaml = "scopes: [{ name: etat:a, description: d, consumers: ['991825827', '974761076'] }]";
    assert_eq!(reported(&settings, yaml, "test"), []);
    assert_eq!(reported(&settings, yaml, "prod"), [("PV140", 1, 67)]);
    assert_eq!(reported(&settings, yaml, ""), [("PV140", 1, 67)]);
}

#[test]
fn a_silence_is_for_one_alone_where_an_alias_repeats_it() {
    let rule = "naming: [{ preset: sorted-consumers }]\n";
    let yaml = "scopes:\n\
                - { name: etat:a, description: d, consumers: &c ['991825827', '974761076'] } # portvakt: allow sorted-consumers -- why\n\
                - { name: etat:b, description: d, consumers: *c }\n";
    let found = reported(&format!("{SETTINGS}{rule}"), yaml, "");
    assert_eq!(found.iter().map(|found| (found.0, found.1)).collect::<Vec<_>>(), [("PV140", 3)]);
}

#[test]
fn one_cause_is_one_finding_with_the_value_and_its_place() {
    let rules = "\
policies:
- { rule: short, applies_to: scope, expression: 'scope.at_max_age <= 600', message: ten minutes at most }
- { rule: open, applies_to: scope, expression: 'scope.token_type == \"OPAQUE\"', message: opaque, severity: warning }
defaults: { scope: { at_max_age: 3600 } }
";
    let settings = format!("{}{rules}", SETTINGS.trim_start());
    let mut yaml = "scopes:\n- { name: etat:own, description: d, at_max_age: 1200 }\n".to_owned();
    for name in ["a", "b", "c", "d", "e", "f"] {
        yaml += &format!("- {{ name: etat:{name}, description: d }}\n");
    }
    // A silence at a scope is for that scope.
    yaml += "- { name: etat:g, description: d } # portvakt: allow short -- why\n";
    let files: [(&str, &[u8]); 2] =
        [("portvakt.yaml", settings.as_bytes()), ("a.yaml", yaml.as_bytes())];
    let found = load(folder(&files).path()).unwrap().check(TODAY);
    assert_eq!(found.iter().filter(|found| found.code.code() == "PV141").count(), 15);
    insta::assert_snapshot!(said(&crate::declare::joined(&found)), @r#"
    a.yaml:2:11: PV141: short: ten minutes at most: at_max_age is 1200
    portvakt.yaml:13:48: PV141: warning: open: opaque: token_type is "SELF_CONTAINED" by default; this concerns 8 scopes: `etat:own`, `etat:a`, `etat:b`, `etat:c`, `etat:d` and 3 more
    portvakt.yaml:14:34: PV141: short: ten minutes at most: at_max_age is 3600; this concerns 6 scopes: `etat:a`, `etat:b`, `etat:c`, `etat:d`, `etat:e` and 1 more
    "#);
}

/// A scope has the fields that some policy uses: all of them where one uses it as a whole.
#[test]
fn a_policy_sees_each_field_that_it_uses() {
    let yaml = "scopes: [{ name: etat:a, description: d, consumers: ['974761076'] }]";
    let is_broken = |expressions: &[&str]| {
        let policies = expressions.iter().enumerate().map(|(n, text)| {
            format!("- {{ rule: r{n}, applies_to: scope, expression: \"{text}\", message: m }}\n")
        });
        let policies: String = policies.collect();
        !reported(&format!("{SETTINGS}policies:\n{policies}"), yaml, "").is_empty()
    };
    for holds in [
        "scope.name == 'etat:a' && scope.active && !scope.prevent_deactivation",
        "size(scope) > 15",
        "'consumers' in scope",
        "scope['consumers'].exists(c, c.orgno == '974761076')",
        "scope.consumers.all(scope, scope.orgno == '974761076')",
        "has(scope.consumers) && !has(scope.consumer)",
        "[scope].exists(s, s.visibility == 'PUBLIC')",
    ] {
        assert!(!is_broken(&[holds]), "{holds}");
        assert!(!is_broken(&["scope.prefix == 'etat'", holds]), "{holds}");
        assert!(is_broken(&["scope.subscope == 'b'", holds]), "{holds}");
    }
}

#[test]
fn a_consumed_scope_is_reported_where_a_near_name_is_declared() {
    let consumed = |scope: &str| {
        let yaml = format!(
            "scopes: [{{ name: 'etat:aareg.read', description: d }}, {{ name: 'etat:a', description: d }}]\n\
             clients:\n- {{ name: x, scopes: ['{scope}'] }}\n"
        );
        reported(SETTINGS, &yaml, "")
    };
    assert_eq!(consumed("etat:aareg.raed"), [("PV149", 3, 22)]);
    for fine in ["etat:aareg.read", "etat:helse", "etat:b", "skatt:aareg.raed"] {
        assert_eq!(consumed(fine), [], "{fine}");
    }
    let text = |rest: &str| {
        format!(
            "scopes: [{{ name: 'etat:aareg.read', description: d }}]\nclients:\n{rest}- {{ name: x, scopes: ['etat:aareg.raed'] }}\n"
        )
    };
    let said = |yaml: &str| {
        let settings = SETTINGS.trim_start().as_bytes();
        said(&check(folder(&[("portvakt.yaml", settings), ("a.yaml", yaml.as_bytes())]).path()))
    };
    insta::assert_snapshot!(said(&text("")), @r"
    a.yaml:3:22: PV149: the client consumes `etat:aareg.raed`, which is not declared
      help: did you mean `etat:aareg.read`? If the scope is live all the same, or another repository declares it, write `# portvakt: allow PV149 -- why` above the client
    ");
    // Only a plan knows what is live, so a comment with a reason silences even this error.
    assert_eq!(said(&text("# portvakt: allow PV149 -- it is live\n")), "");
    let released =
        format!("{}removed: [{{ scope: 'etat:aareg.raed', action: release }}]\n", text(""));
    assert_eq!(said(&released), "");
}

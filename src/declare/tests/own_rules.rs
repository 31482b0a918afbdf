//! The repository's own rules and its teams: what is said of those that are wrong, and what those
//! that are right are read as.

use proptest::prelude::*;

use super::SETTINGS;
use crate::declare::diagnostic::Diagnostic;
use crate::declare::diagnostic::rule::Severity;
use crate::declare::own::file::{ConsumerField, NamingField, PolicySubject, Preset, ScopeField};
use crate::declare::own::naming::{NamingCheck, PRESETS};
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::settings::{Settings, settings};
use domain::Entity;

/// [`SETTINGS`] and then, from line 12 on, this.
fn read(section: &str) -> (Option<Settings>, Vec<Diagnostic>) {
    settings(format!("{SETTINGS}{section}\n").as_bytes())
}

fn good(section: &str) -> Settings {
    let (settings, found) = read(section);
    assert!(found.is_empty(), "{found:?}");
    settings.unwrap()
}

/// YAML for line 12; of what is said: code, line, column, part of the message or help.
type Case = (&'static str, &'static str, usize, usize, &'static str);

#[rustfmt::skip] // A case a line.
const SECTIONS: &[Case] = &[
    ("naming: a", "PV012", 12, 9, "expected a list"),
    ("naming: [a]", "PV012", 12, 10, "`rule` or `preset`"),
    ("naming: [{}]", "PV011", 12, 10, "neither `rule` nor `preset`"),
    ("naming: [{ prest: nais }]", "PV011", 12, 10, "did you mean `preset`?"),
    ("naming: [{ rule: a, preset: nais }]", "PV012", 12, 21, "exclude each other"),
    ("naming: [{ preset: nai }]", "PV012", 12, 20, "did you mean `nais`?"),
    ("naming: [{ preset: nais, message: m }]", "PV010", 12, 26, "`severity`"),
    ("naming: [{ preset: nais, severity: eror }]", "PV012", 12, 36, "did you mean `error`?"),
    ("naming: [{ preset: nais, severity: }]", "PV012", 12, 34, "leave the key out"),
    ("naming: [{ preset: nais, environments: [tset] }]", "PV106", 12, 41, "did you mean `test`?"),
    ("naming: [{ preset: nais, environments: [] }]", "PV012", 12, 40, "would count nowhere"),
    ("naming: [{ preset: nais, teams: [a] }]", "PV119", 12, 34, "declare it under `teams`"),
    ("naming: [{ preset: nais, teams: [] }]", "PV012", 12, 33, "would count nowhere"),
    ("naming: [{ preset: nais }, { preset: nais }]", "PV144", 12, 38, "12:20: first here"),
    ("policies: [{ rule: a, applies_to: scope, message: m }]", "PV011", 12, 12, "`expression` is missing"),
    ("policies: {}", "PV012", 12, 11, "expected a list"),
    ("teams: []", "PV012", 12, 8, "expected a mapping"),
    ("teams: { a b: { path: a, scopes: [] } }", "PV114", 12, 10, "white space"),
    ("teams: { a: { path: a } }", "PV011", 12, 13, "`scopes` is missing"),
    ("teams: { a: { path: a, scopes: [], clients: x } }", "PV012", 12, 45, "expected a list"),
    ("teams: { a: { path: a, scopes: [], clients: ['['] } }", "PV015", 12, 46, "is not a valid glob"),
    ("teams: { a: { path: a, scopes: ['['] } }", "PV015", 12, 33, "is not a valid glob"),
    ("teams: { a: { path: '', scopes: [] } }", "PV012", 12, 21, "not a folder"),
    ("teams: { a: { path: /, scopes: [] } }", "PV012", 12, 21, "not a folder"),
    ("teams: { a: { path: /a, scopes: [] } }", "PV012", 12, 21, "not a folder"),
    ("teams: { a: { path: ./a, scopes: [] } }", "PV012", 12, 21, "not a folder"),
    ("teams: { a: { path: a/../b, scopes: [] } }", "PV012", 12, 21, "not a folder"),
    ("teams: { a: { path: a//b, scopes: [] } }", "PV012", 12, 21, "not a folder"),
    ("teams: { a: { path: a\\b, scopes: [] } }", "PV012", 12, 21, "not a folder"),
    ("teams: { a: { path: t, scopes: [] }, b: { path: t/, scopes: [] } }", "PV012", 12, 49, "12:21: first here"),
];

/// What replaces the line of its key in [`RULE`].
#[rustfmt::skip] // A case a line.
const NAMING: &[Case] = &[
    ("- rule: A", "PV114", 13, 9, "cannot be named `A`"),
    ("- rule: ''", "PV114", 13, 9, "letters a to z"),
    ("- rule: 1", "PV012", 13, 9, "in quotes"),
    ("- rule: nais", "PV144", 13, 9, "the name of a preset"),
    ("  applies_to: clients", "PV012", 14, 15, "did you mean `client`?"),
    ("  field: subscop", "PV012", 15, 10, "did you mean `subscope`?"),
    ("  field: orgno", "PV012", 15, 10, "`enforced_aud_for_access_token`"),
    ("  pattern: ''", "PV117", 16, 12, "demands nothing"),
    ("  pattern: a)b", "PV117", 16, 13, "unopened group"),
    ("  pattern: 'æ(b'", "PV117", 16, 14, "unclosed group"),
    ("  pattern: \"æ(b\"", "PV117", 16, 14, "unclosed group"),
    ("  pattern: \"\\\\d(b\"", "PV117", 16, 12, "unclosed group"),
    ("  pattern: 'a''('", "PV117", 16, 12, "unclosed group"),
    ("  pattern: >-\n    a(b", "PV117", 17, 6, "unclosed group"),
    ("  pattern: ^(?!a)", "PV117", 16, 13, "look-ahead"),
    ("  pattern: \\p{Norsk}", "PV117", 16, 12, "Unicode property not found"),
    ("  pattern: (?<a>b)(?<a>c)", "PV117", 16, 22, "duplicate"),
    ("  pattern: '(\\w{500}){500}'", "PV117", 16, 12, "too large"),
    ("  pattern: 1", "PV012", 16, 12, "in quotes"),
    ("  values: { produkt: [a] }", "PV012", 17, 13, "did you mean `product`?"),
    ("  values: { product: [] }", "PV012", 17, 22, "could be nothing"),
    ("  values: { product: }", "PV012", 17, 20, "could be nothing"),
    ("  values: { product: a }", "PV012", 17, 22, "expected a list"),
    ("  values: { product: [1] }", "PV012", 17, 23, "in quotes"),
    ("  values: [product]", "PV012", 17, 11, "expected a mapping"),
    ("  values: { product: [a], true: [a] }", "PV012", 17, 11, "keys that are texts"),
    ("  message: ' '", "PV113", 18, 12, "empty"),
    ("  severity: fatal", "PV012", 19, 13, "one of `error`, `warning`, `note`"),
    ("  environments: [produ]", "PV106", 20, 18, "did you mean `prod`?"),
    ("  teams: [arbeidd]", "PV119", 21, 11, "did you mean `arbeid`?"),
    ("  team: [arbeid]", "PV010", 21, 3, "did you mean `teams`?"),
];

const RULE: &str = "\
naming:
- rule: a
  applies_to: scope
  field: name
  pattern: '(?<product>a)'
  values: { product: [a] }
  message: m
  severity: note
  environments: [prod]
  teams: [arbeid]
teams: { arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*'] } }";

#[rustfmt::skip] // A case a line.
const POLICIES: &[Case] = &[
    ("- rule: a_b", "PV114", 13, 9, "cannot be named `a_b`"),
    ("  applies_to: consumer", "PV012", 14, 15, "one of `scope`, `access`"),
    ("  expression: ''", "PV118", 15, 15, "environment !="),
    ("  expression: true", "PV012", 15, 15, "in quotes"),
    ("  message: ''", "PV113", 16, 12, "empty"),
    ("  severity: Error", "PV012", 17, 13, "did you mean `error`?"),
    ("  environments: [Prod]", "PV106", 18, 18, "did you mean `prod`?"),
    ("  teams: [helse]", "PV119", 19, 11, "portvakt.yaml has `arbeid`"),
];

const POLICY: &str = "\
policies:
- rule: a
  applies_to: access
  expression: 'access.reason != null'
  message: m
  severity: warning
  environments: [prod]
  teams: [arbeid]
teams: { arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*'] } }";

/// The text with its line of the same key replaced.
fn replaced(text: &str, line: &str) -> String {
    let key: String = line.chars().skip(2).take(4).collect();
    let lines = text.lines().map(|old| match old.get(2..6) == Some(&*key) {
        true => line,
        false => old,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What is not said as the case has it.
fn mismatch(yaml: &str, &(_, code, line, column, part): &Case) -> Option<String> {
    let (_, found) = read(yaml);
    let places: Vec<_> = found.iter().map(|d| (d.code.code(), d.line, d.column)).collect();
    let text: Vec<_> = found.iter().map(ToString::to_string).collect();
    let text = text.join("\n");
    let right = places == [(code, line, column)] && text.contains(part);
    (!right).then(|| format!("{yaml}\n{places:?}\n{text}"))
}

#[test]
fn what_is_wrong_with_own_rules() {
    let sections = SECTIONS.iter().filter_map(|case| mismatch(case.0, case));
    let naming = NAMING.iter().filter_map(|case| mismatch(&replaced(RULE, case.0), case));
    let policies = POLICIES.iter().filter_map(|case| mismatch(&replaced(POLICY, case.0), case));
    let wrong: Vec<_> = sections.chain(naming).chain(policies).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn all_that_is_missing_is_reported_at_once() {
    let (_, found) = read("policies: [{ rule: a }]");
    let reported: Vec<_> = found.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(
        reported,
        ["applies_to", "expression", "message"].map(|key| format!("the key `{key}` is missing"))
    );
}

#[test]
fn one_wrong_rule_hides_none_of_the_others() {
    let yaml = "\
naming:
- { rule: a, applies_to: scope, pattern: '(', message: m }
- { rule: b, applies_to: scope, pattern: b }
- { rule: a, applies_to: consumer, field: alias, pattern: a, message: '', environments: [x] }
- { preset: nais, teams: [helse, ærbeid] }
policies:
- { rule: b, applies_to: access, expression: ' ', message: m }
teams:
  arbeid: { path: .., scopes: [] }
  helse: { path: teams/helse }
";
    let (_, mut found) = read(yaml);
    crate::declare::diagnostic::sort(&mut found);
    let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    portvakt.yaml:13:43: PV117: this is not a valid regular expression: unclosed group
      help: the syntax is that of https://docs.rs/regex/latest/regex/#syntax; `\` before a sign makes it stand for itself
    portvakt.yaml:14:3: PV011: the key `message` is missing
      help: add `message: …`
    portvakt.yaml:15:11: PV144: two rules are named `a`
      portvakt.yaml:13:11: first here
      help: give each a name of its own, naming rules and policies together
    portvakt.yaml:15:71: PV113: the message is empty
      help: say in one line what is asked for: it is all that a violation shows
    portvakt.yaml:15:90: PV106: there is no environment `x`
      help: portvakt.yaml has `prod`, `sandbox`, `test`
    portvakt.yaml:16:34: PV119: there is no team `ærbeid`
      help: did you mean `arbeid`? portvakt.yaml has `arbeid`, `helse`
    portvakt.yaml:18:11: PV144: two rules are named `b`
      portvakt.yaml:14:11: first here
      help: give each a name of its own, naming rules and policies together
    portvakt.yaml:18:46: PV118: the expression ends too early
      help: write what must hold, in CEL (https://cel.dev), such as `environment != "prod" || scope.visibility == "PRIVATE"`
    portvakt.yaml:20:19: PV012: `..` is not a folder of the repository
      help: write the folder from the root of the repository, such as `teams/arbeid`: no `/` at its beginning, no `..`, no `\`
    portvakt.yaml:21:10: PV011: the key `scopes` is missing
      help: add `scopes: …`
    "#);
}

#[test]
fn what_is_broken_in_the_environments_is_not_unknown_as_well() {
    let section = "  ny: { target: nytt }\nnaming: [{ preset: nais, environments: [ny] }]";
    let (_, found) = read(section);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn own_rules_are_read() {
    let settings = good(RULE);
    let rule = &settings.naming[0];
    assert_eq!((&*rule.head.name, &*rule.head.message), ("a", "m"));
    assert_eq!(rule.head.severity, Severity::Note);
    assert_eq!(Some(rule.head.environments), settings.environment_names.set("prod"));
    assert!(rule.head.counts_for(Some("arbeid")));
    assert!(!rule.head.counts_for(Some("helse")) && !rule.head.counts_for(None));
    let NamingCheck::Text(NamingField::Scope(ScopeField::Name), pattern) = &rule.check else {
        panic!("{rule:?}");
    };
    assert_eq!(pattern.check("etat:a"), None);

    let settings = good(POLICY);
    let policy = &settings.policies[0];
    assert_eq!(
        (policy.applies_to, policy.head.severity),
        (PolicySubject::Access, Severity::Warning)
    );
    let start = policy.place.span.start;
    assert_eq!((start.line, start.column), (15, 15));
}

#[test]
fn what_is_left_out_has_a_default() {
    let yaml = "\
naming:
- { rule: a-1, applies_to: consumer, pattern: a, message: m }
- { preset: nais }
- { preset: description-nais, severity: warning }
- preset: sorted-consumers
policies:
- { rule: b, applies_to: scope, expression: 'true', message: m }
";
    let settings = good(yaml);
    let [own, presets @ ..] = &*settings.naming else {
        panic!("no rule");
    };
    let NamingCheck::Text(NamingField::Consumer(ConsumerField::Name), pattern) = &own.check else {
        panic!("{own:?}");
    };
    assert_eq!(pattern.check("skatteetaten"), None);
    assert_eq!(own.head.severity, Severity::Error);
    assert_eq!(own.head.environments, EnvironmentSet::ALL);
    assert!(own.head.counts_for(Some("arbeid")) && own.head.counts_for(None));
    let names: Vec<_> = presets.iter().map(|rule| &*rule.head.name).collect();
    assert_eq!(names, PRESETS);
    for (rule, expected) in
        presets.iter().zip([Preset::Nais, Preset::DescriptionNais, Preset::SortedConsumers])
    {
        assert!(matches!(rule.check, NamingCheck::Preset(preset) if preset == expected));
        assert_eq!(expected.name(), &*rule.head.name);
    }
    assert_eq!(presets[1].head.severity, Severity::Warning);
    for empty in ["naming: []\npolicies: []\nteams: {}", "naming:\npolicies:\nteams:\n"] {
        assert!(good(empty).naming.is_empty());
    }
}

#[test]
fn there_is_a_bound_to_everything() {
    let list = |section: &str, item: &dyn Fn(usize) -> String, count| {
        let items: Vec<_> = (0..count).map(item).collect();
        format!("{section}\n{}", items.join("\n"))
    };
    let rule = |n| format!("- {{ rule: r{n}, applies_to: scope, pattern: 'a', message: m }}");
    let policy =
        |n| format!("- {{ rule: r{n}, applies_to: scope, expression: 'true', message: m }}");
    let team = |n| format!("  t{n}: {{ path: t{n}, scopes: [] }}");
    let long = |key, length| {
        let text = match key {
            "pattern" => "å".repeat(length),
            _ => format!("\"{}\" == \"\"", "å".repeat(length - 8)),
        };
        match key {
            "pattern" => {
                format!("naming: [{{ rule: a, applies_to: scope, pattern: '{text}', message: m }}]")
            }
            _ => format!(
                "policies: [{{ rule: a, applies_to: scope, expression: '{text}', message: m }}]"
            ),
        }
    };
    for (most, too_much, code) in [
        (list("naming:", &rule, 200), list("naming:", &rule, 201), "PV003"),
        (list("policies:", &policy, 200), list("policies:", &policy, 201), "PV003"),
        (list("teams:", &team, 1_000), list("teams:", &team, 1_001), "PV003"),
        (long("pattern", 1_000), long("pattern", 1_001), "PV117"),
        (long("expression", 2_000), long("expression", 2_001), "PV118"),
    ] {
        good(&most);
        let (_, found) = read(&too_much);
        let codes: Vec<_> = found.iter().map(|found| found.code.code()).collect();
        assert_eq!(codes, [code]);
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let schema = jsonschema::validator_for(&crate::declare::schema::settings()).unwrap();
    let is_valid = |section: &str| {
        let text = format!("{SETTINGS}{section}\n");
        schema.is_valid(&serde_yaml::from_str(&text).unwrap())
    };
    assert!(is_valid(RULE) && is_valid(POLICY));
    assert!(is_valid("naming: [{ preset: nais, severity: note }]\npolicies:\nteams:\n"));
    for bad in [
        "naming: [{ preset: nai }]",
        "naming: [{ preset: nais, rule: a }]",
        "naming: [{ preset: nais, teams: [] }]",
        "policies: [{ preset: nais }]",
        "teams: { a: { path: '', scopes: [] } }",
        "teams: { a: { path: a } }",
    ] {
        assert!(!is_valid(bad), "{bad}");
    }
    for line in ["- rule: A", "  field: titel", "  severity: fatal", "  values: { product: [] }"] {
        assert!(!is_valid(&replaced(RULE, line)), "{line}");
    }
}

/// The text in single quotes.
fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

proptest! {
    #[test]
    fn no_pattern_panics(
        pattern in prop_oneof![r"[-\[\]{}()^$?<>|*+.,:\\a-c0-9æpPdwbBQE']{0,30}", r"\PC{0,20}"],
        group in "[a-cæ]{0,2}",
        text in r"\PC{0,30}",
    ) {
        let (pattern, group) = (in_quotes(&pattern), in_quotes(&group));
        let (settings, found) = read(&format!(
            "naming: [{{ rule: a, applies_to: scope, pattern: {pattern}, values: {{ {group}: [a] \
             }}, message: m }}]"
        ));
        for found in found {
            prop_assert_eq!((found.line, found.end_line), (12, 12));
            prop_assert!(found.column <= found.end_column);
        }
        for rule in settings.into_iter().flat_map(|settings| settings.naming) {
            if let NamingCheck::Text(NamingField::Scope(_), pattern) = rule.check {
                pattern.check(&text);
            }
        }
    }

    #[test]
    fn no_path_panics(
        path in r"[-a-b./\\*~: æ]{0,12}",
        file in r"[a-b./æ]{0,12}",
        glob in r"[a:*?\[\]{}!,-]{0,8}",
    ) {
        let section = format!(
            "teams: {{ a: {{ path: {}, scopes: [{}] }} }}", in_quotes(&path), in_quotes(&glob)
        );
        if let (Some(settings), _) = read(&section) {
            settings.teams.of(&file);
            let scope = Entity::Scope("etat:a".parse().unwrap());
            settings.teams.objection(&file, &scope);
        }
    }
}

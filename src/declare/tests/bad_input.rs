//! What is said of what is wrong, and where.

use super::{check_one, errors, said};

/// YAML for a file `a.yaml`; of what is said: code, line, column, part of the message or help.
type Case = (&'static str, &'static str, usize, usize, &'static str);

#[rustfmt::skip] // A case a line.
const READING: &[Case] = &[
    ("scopes: [", "PV006", 1, 9, "write `]`"),
    ("a: b: c", "PV006", 1, 5, "`a: \"b: c\"`"),
    ("scopes:\n\t- name: etat:a", "PV006", 2, 1, "never with tabs"),
    ("scopes: *x", "PV006", 1, 9, "cannot begin with `*`"),
    ("groups:\n  a: []\n  a: []", "PV007", 3, 3, "`a` is given twice"),
    ("scopes: !x []", "PV009", 1, 9, "tag"),
    ("groups: &g { a: *g }", "PV008", 1, 17, "inside the value"),
    ("scope: []", "PV010", 1, 1, "did you mean `scopes`?"),
    ("scopes: []\nteams: {}", "PV010", 2, 1, "known here: `consumers`"),
    ("scopes: []\n<<: {}", "PV010", 2, 1, "`<<` is not known"),
    ("kind: Deployment", "PV013", 1, 1, "`exclude: [\"a.yaml\"]`"),
    ("- a", "PV013", 1, 1, "not a mapping"),
    ("a text", "PV013", 1, 1, "not a mapping"),
    ("apiVersion: nais.io/v1\nkind: MaskinportenClient", "PV011", 1, 1, "`spec` is missing"),
    ("scopes: {}", "PV012", 1, 9, "expected a list, found a mapping"),
    ("groups: []", "PV012", 1, 9, "expected a mapping, found a list"),
    ("groups: { 1: [] }", "PV012", 1, 1, "in quotes"),
    ("groups: { a: b }", "PV012", 1, 14, "expected a list, found the text `b`"),
    ("scopes: [a]", "PV012", 1, 10, "expected a mapping, found the text `a`"),
    ("scopes:\n- description: d", "PV011", 2, 3, "`name` is missing"),
    ("scopes:\n- name: etat:a", "PV011", 2, 3, "`description` is missing"),
    ("removed:\n- { scope: etat:a, action: delete }", "PV012", 2, 28, "one of `deactivate`"),
    ("removed: [{ scope: etat:a }]", "PV011", 1, 11, "`action` is missing"),
    ("consumers: { a: { orgno: 974761076 } }", "PV012", 1, 26, "in quotes: \"974761076\""),
    ("consumers: { a: { orgno: '974761076', name: } }", "PV012", 1, 43, "found nothing"),
];

/// What follows `- name: etat:a` and `  description: d`, from line 4 on.
#[rustfmt::skip] // A case a line.
const SCOPES: &[Case] = &[
    ("  at_max_agee: 1", "PV010", 4, 3, "did you mean `at_max_age`?"),
    ("  at_max_age: -1", "PV012", 4, 15, "a whole number, 0 or more"),
    ("  at_max_age: 1.5", "PV012", 4, 15, "a whole number, 0 or more"),
    ("  at_max_age:", "PV012", 4, 13, "leave the key out"),
    ("  visibility: public", "PV012", 4, 15, "did you mean `PUBLIC`?"),
    ("  active: ja", "PV012", 4, 11, "true or false"),
    ("  allowed_integration_types: [maskinport]", "PV012", 4, 31, "did you mean `maskinporten`?"),
    ("  allowed_integration_types: krr", "PV012", 4, 30, "expected a list"),
    ("  long_description: a & b", "PV113", 4, 21, "`&`"),
    ("  environments: [tset]", "PV106", 4, 18, "did you mean `test`?"),
    ("  environments: []", "PV012", 4, 17, "would count nowhere"),
    ("  per_environment: { tset: {} }", "PV106", 4, 22, "did you mean `test`?"),
    ("  per_environment: { test: { name: b } }", "PV010", 4, 30, "`name` is not known"),
    ("  per_environment: { test: { description: '' } }", "PV113", 4, 43, "empty"),
    ("  consumers: '991825827'", "PV012", 4, 14, "`[\"991825827\"]`"),
    ("  consumers:\n    -'991825827'", "PV012", 5, 5, "`[\"991825827\"]`"),
    ("  consumers:\n  - '991825827':", "PV010", 5, 5, "`consumer: \"991825827\"`"),
    ("  consumers: [991825827]", "PV012", 4, 15, "in quotes: \"991825827\""),
    ("  consumers: ['991825828']", "PV101", 4, 15, "the last digit would be 7"),
    ("  consumers: ['9918 25827']", "PV101", 4, 15, "nine digits"),
    ("  consumers: [skat]", "PV104", 4, 15, "did you mean `skatt`?"),
    ("  consumers: [alle]", "PV104", 4, 15, "write `group: alle`"),
    ("  consumers: [{ group: ale }]", "PV105", 4, 24, "did you mean `alle`?"),
    ("  consumers: [{ group: skatt }]", "PV105", 4, 24, "without `group:`"),
    ("  consumers: [{ group: alle, til: 2027-01-01 }]", "PV010", 4, 30, "`until`"),
    ("  consumers: [{ group: alle, from: 2027-02-30 }]", "PV107", 4, 36, "write the first day"),
    ("  consumers: [{ group: alle, from: 2027-02-02, until: 2027-02-01 }]", "PV107", 4, 55, "correct `from` or `until`"),
    ("  consumers: [{ consumer: skatt, until: 2027-02-30 }]", "PV107", 4, 41, "YYYY-MM-DD"),
    ("  consumers: [{ consumer: skatt, until: 20270228 }]", "PV107", 4, 41, "write 2027-02-28"),
    ("  consumers: [{ consumer: skatt, til: 2027-02-03 }]", "PV010", 4, 34, "`until`"),
    ("  consumers: [{ consumer: skatt, environments: [x] }]", "PV106", 4, 49, "portvakt.yaml has"),
    ("  consumers: [{}]", "PV011", 4, 15, "`consumer` is missing"),
    ("  consumers: [[skatt]]", "PV012", 4, 15, "an alias"),
    ("  consumers: skatt", "PV012", 4, 14, "expected a list"),
    ("  prevent_deactivation: \"true\"", "PV012", 4, 25, "true or false"),
    ("- { name: nav:a, description: d }", "PV103", 4, 11, "`etat`"),
    ("- { name: etat, description: d }", "PV102", 4, 11, "prefix:subscope"),
    ("- { name: 'etat:a b', description: d }", "PV102", 4, 11, "cannot hold ' '"),
    ("- { name: etat:b, description: ' ' }", "PV113", 4, 32, "empty"),
    ("- { name: etat:a, description: d }", "PV108", 4, 11, "a.yaml:2:9: first declared here"),
    ("removed: [{ scope: etat:a, action: release }]", "PV111", 4, 20, "a.yaml:2:9: declared here"),
    ("removed: [{ scope: nav:a, action: release }]", "PV103", 4, 20, "outside"),
];

const ALIASES: &str = "consumers: { skatt: { orgno: '974761076' } }\ngroups: { alle: [skatt] }";

/// What is not said as the case has it.
fn mismatch(yaml: &str, case: &Case) -> Option<String> {
    let &(shown, code, line, column, part) = case;
    let found = check_one(yaml);
    let text = said(&found);
    let errors = errors(&found);
    let places: Vec<_> =
        errors.iter().map(|error| (error.code.code(), error.line, error.column)).collect();
    let right = places == [(code, line, column)] && text.contains(part);
    (!right).then(|| format!("{shown}\n{places:?}\n{text}"))
}

#[test]
fn what_cannot_be_read() {
    let wrong: Vec<_> = READING.iter().filter_map(|case| mismatch(case.0, case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_wrong_with_a_scope() {
    let wrong: Vec<_> = SCOPES
        .iter()
        .filter_map(|case| {
            let head = "scopes:\n- name: etat:a\n  description: d";
            mismatch(&format!("{head}\n{}\n---\n{ALIASES}\n", case.0), case)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_error_of_a_file_is_reported() {
    let yaml = "\
scopes:
- name: etat:a
  descripton: d
  at_max_age: x
  visibility: y
  consumers: [1, '2', c]
  allowed_integration_types: [z]
- nothing
consumers:
  d: { orgno: '1', navn: x }
";
    insta::assert_snapshot!(said(&check_one(yaml)), @r#"
    a.yaml:3:3: PV010: the key `descripton` is not known here
      help: did you mean `description`?
    a.yaml:4:15: PV012: expected a whole number, 0 or more, found the text `x`
      help: write a whole number, such as `120`, without quotes or a unit
    a.yaml:5:15: PV012: `y` is not an allowed value
      help: one of `PUBLIC`, `PRIVATE`, `INTERNAL`
    a.yaml:6:15: PV012: expected a text, found the number `1`
      help: put it in quotes: "1"
    a.yaml:6:18: PV101: `2` is not an organisation number: an organisation number has exactly nine digits
      help: look the number up at https://www.brreg.no
    a.yaml:6:23: PV104: there is no alias `c`
      help: declare it under `consumers`, or write the organisation number
    a.yaml:7:31: PV012: `z` is not an allowed value
      help: one of `ansattporten`, `api_klient`, `eformidling`, `idporten`, `idporten_saml2`, `krr`, `maskinporten`
    a.yaml:8:3: PV012: expected a mapping, found the text `nothing`
      help: write `{ name: nothing, description: … }`
    a.yaml:10:15: PV101: `1` is not an organisation number: an organisation number has exactly nine digits
      help: look the number up at https://www.brreg.no
    a.yaml:10:20: PV010: the key `navn` is not known here
      help: known here: `orgno`, `name`, `environments`
    "#);
}

#[test]
fn what_is_broken_is_not_unknown_as_well() {
    let yaml = "\
consumers: { a: { orgno: '1' } }
groups: { '': [], g: [a] }
scopes: [{ name: etat:a, description: d, consumers: [a, { group: g }] }]
";
    insta::assert_snapshot!(said(&check_one(yaml)), @r"
    a.yaml:1:26: PV101: `1` is not an organisation number: an organisation number has exactly nine digits
      help: look the number up at https://www.brreg.no
    a.yaml:2:11: PV114: an empty name
      help: a name is one word with at least one letter, such as `skatteetaten`
    ");
}

#[test]
fn the_same_thing_twice() {
    let yaml = "\
consumers: { a: { orgno: '974761076' } }
groups: { g: [a] }
removed: [{ scope: etat:x, action: release }]
---
consumers: { a: { orgno: '974761076', environments: [test] } }
groups: { g: [a, g] }
removed: [{ scope: etat:x, action: deactivate }]
";
    insta::assert_snapshot!(said(&check_one(yaml)), @r"
    a.yaml:5:14: PV109: the alias `a` is declared twice
      a.yaml:1:14: first declared here
      help: keep one of them, or give the two `environments` that do not overlap
    a.yaml:6:11: PV110: the group `g` is declared twice
      a.yaml:2:11: first declared here
      help: put all members into one of them, or rename one
    a.yaml:6:18: PV104: there is no alias `g`
      help: it is a group, and a group holds only aliases and organisation numbers
    a.yaml:7:20: PV112: the scope `etat:x` is removed twice
      a.yaml:3:20: first removed here
      help: keep one of them
    ");
}

//! The most common mistakes of newcomers to YAML, to Maskinporten and to this tool: each is reported once, at
//! the right line, with a sentence that says what to type.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::formats;
use crate::readme::{ROOT, copy};
use crate::world::{Ran, program};

const AAREG: &str = "teams/arbeid/aareg.yaml";
const STATISTIKK: &str = "teams/arbeid/statistikk.yaml";
const SYKMELDING: &str = "teams/helse/sykmelding.yaml";
const CONSUMERS: &str = "consumers.yaml";
const SETTINGS: &str = "portvakt.yaml";

/// A replacement in a file of `examples/etat`; the line and the code of the diagnostic, and a part of its
/// message or help.
struct Mistake {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    line: u64,
    code: &'static str,
    says: &'static str,
}

const fn mistake(
    file: &'static str,
    from: &'static str,
    to: &'static str,
    line: u64,
    code: &'static str,
    says: &'static str,
) -> Mistake {
    Mistake { file, from, to, line, code, says }
}

/// The twenty most common.
#[rustfmt::skip] // A mistake a line.
const COMMONEST: [Mistake; 20] = [
    mistake(CONSUMERS, "\"974761076\"", "974761076", 10, "PV012", "put it in quotes: \"974761076\""),
    mistake(CONSUMERS, "\"974761076\"", "\"974 761 076\"", 10, "PV101", "write \"974761076\""),
    mistake(CONSUMERS, "\"974761076\"", "\"974761077\"", 10, "PV101", "the last digit would be 6"),
    mistake(AAREG, "- skatteetaten", "- skattetaten", 7, "PV104", "did you mean `skatteetaten`?"),
    mistake(AAREG, "- group: statistikk", "- statistikk", 8, "PV104", "write `group: statistikk`"),
    mistake(AAREG, "- skatteetaten", "- group: skatteetaten", 7, "PV105", "write it without `group:`"),
    mistake(AAREG, "visibility: PRIVATE", "visibility: private", 19, "PV012", "did you mean `PRIVATE`?"),
    mistake(AAREG, "visibility:", "visibilty:", 19, "PV010", "did you mean `visibility`?"),
    mistake(AAREG, "    visibility:", "\tvisibility:", 19, "PV006", "put spaces in its place"),
    mistake(AAREG, "visibility: PRIVATE", "visibility PRIVATE", 19, "PV006", "`visibility: PRIVATE`"),
    mistake(AAREG, "visibility: PRIVATE", "visibility:PRIVATE", 19, "PV006", "write a space behind it: `visibility: PRIVATE`"),
    mistake(AAREG, "    visibility:", "   visibility:", 19, "PV006", "begin this line with 4 spaces, as `description` above"),
    mistake(AAREG, "      - skatteetaten", "      skatteetaten", 7, "PV006", "write a dash before each entry, further in than `consumers`: `- skatteetaten`"),
    mistake(AAREG, "Les arbeidsforhold", "Les: arbeidsforhold", 5, "PV006", "`description: \"Les: arbeidsforhold\"`"),
    mistake(AAREG, "    description: Les arbeidsforhold\n", "", 4, "PV011", "add `description: …`"),
    mistake(AAREG, "name: etat:arbeid:aareg.read", "name: nav:arbeid:aareg.read", 4, "PV103", "begin the name with one of `etat` and a colon"),
    mistake(AAREG, "[sandbox, prod]", "[sandbox, production]", 9, "PV106", "did you mean `prod`?"),
    mistake(AAREG, "2099-06-30", "30.06.2099", 12, "PV107", "write 2099-06-30"),
    mistake(AAREG, "aareg.write", "aareg.read", 16, "PV108", "keep one of them"),
    mistake(SETTINGS, "{ env: PORTVAKT_KEY }", "$PORTVAKT_KEY", 23, "PV016", "`{ env: NAME }`"),
];

/// Mistakes in YAML.
#[rustfmt::skip] // A mistake a line.
const YAML: &[Mistake] = &[
    mistake(AAREG, "visibility: PRIVATE", "visibility = PRIVATE", 19, "PV006", "`visibility: PRIVATE`"),
    mistake(AAREG, "    visibility:", "      visibility:", 19, "PV006", "begin this line with 4 spaces"),
    mistake(AAREG, "    visibility:", "  visibility:", 19, "PV006", "begin this line with 4 spaces"),
    mistake(AAREG, "    visibility:", "visibility:", 19, "PV006", "begin this line with 4 spaces"),
    mistake(AAREG, "- skatteetaten", "-skatteetaten", 7, "PV006", "write a space behind the dash: `- skatteetaten`"),
    mistake(AAREG, "      - skatteetaten", "    - skatteetaten", 7, "PV006", "begin this line with 6 spaces, as line 8"),
    mistake(AAREG, "      - skatteetaten", "- skatteetaten", 7, "PV006", "begin this line with 6 spaces"),
    mistake(AAREG, "      - skatteetaten", "        - skatteetaten", 7, "PV006", "begin this line with 6 spaces"),
    mistake(AAREG, "      - group", "     - group", 8, "PV006", "begin this line with 6 spaces, as line 7"),
    mistake(AAREG, "      - group", "      group", 8, "PV006", "`- group: statistikk`"),
    mistake(AAREG, "Les arbeidsforhold", "\"Les arbeidsforhold", 5, "PV006", "`description: \"Les arbeidsforhold\"`"),
    mistake(AAREG, "Les arbeidsforhold", "'Les NAV's register'", 5, "PV006", "`description: \"Les NAV's register\"`"),
    mistake(AAREG, "Les arbeidsforhold", "\"Les \"alle\" forhold\"", 5, "PV006", "`description: 'Les \"alle\" forhold'`"),
    mistake(AAREG, "Les arbeidsforhold", "@les", 5, "PV006", "`description: \"@les\"`"),
    mistake(AAREG, "Les arbeidsforhold", "*Les* alt", 5, "PV006", "`description: \"*Les* alt\"`"),
    mistake(AAREG, "Les arbeidsforhold", "- Les alt", 5, "PV006", "`description: \"- Les alt\"`"),
    mistake(AAREG, "Les arbeidsforhold", "> Les alt", 5, "PV006", "`description: \"> Les alt\"`"),
    mistake(AAREG, "Les arbeidsforhold", "[Les] alt", 5, "PV006", "`description: \"[Les] alt\"`"),
    mistake(AAREG, "Les arbeidsforhold", "#1 av registrene", 5, "PV012", "a text that begins with `#` goes in quotes"),
    mistake(AAREG, "Les arbeidsforhold", "2027", 5, "PV012", "put it in quotes: \"2027\""),
    mistake(AAREG, "Les arbeidsforhold", "\"C:\\arbeid\"", 5, "PV113", "put the text in single quotes"),
    mistake(AAREG, "Les arbeidsforhold", "\"C:\\data\"", 5, "PV006", "write `\\\\` for each `\\`"),
    mistake(AAREG, "etat:arbeid:aareg.read", "etat: arbeid:aareg.read", 4, "PV006", "`name: etat:arbeid:aareg.read`"),
    mistake(AAREG, "[sandbox, prod]", "[sandbox, prod", 9, "PV006", "write `]` before this `}`"),
    mistake(AAREG, "[sandbox, prod] }", "[sandbox, prod]", 9, "PV006", "write `}` behind the last entry"),
    mistake(AAREG, "[sandbox, prod]", "[sandbox, prod]]", 9, "PV006", "take this `]` out"),
    mistake(AAREG, "[sandbox, prod]", "[sandbox prod]", 9, "PV106", "write a comma between them: `[sandbox, prod]`"),
    mistake(AAREG, "\"991825827\", env", "\"991825827\" env", 9, "PV006", "write a comma before `environments`"),
    mistake(AAREG, "kartverket, until", "kartverket until", 12, "PV006", "write a comma before `until`"),
    mistake(AAREG, "consumer: kartverket", "consumer:kartverket", 12, "PV010", "`consumer: kartverket`"),
    mistake(AAREG, "consumer: kartverket", "consumer kartverket", 12, "PV010", "`consumer: kartverket`"),
    mistake(AAREG, "test: { at", "test:{ at", 14, "PV106", "write a space behind the colon of `test:`"),
    mistake(AAREG, "test: { at_max_age: 600 }", "test: at_max_age: 600", 14, "PV006", "`test: { at_max_age: 600 }`"),
    mistake(SYKMELDING, "    active: false", "    active:\u{a0}false", 17, "PV006", "delete it and type a space"),
    mistake(SYKMELDING, "    active", "\u{a0}\u{a0}\u{a0}\u{a0}active", 17, "PV006", "delete it and type a space"),
    mistake(SYKMELDING, "- helsedirektoratet", "-\u{a0}helsedirektoratet", 11, "PV006", "delete it and type a space"),
    mistake(SYKMELDING, "- helsedirektoratet", "– helsedirektoratet", 11, "PV006", "write `- helsedirektoratet`"),
    mistake(SYKMELDING, "- helsedirektoratet", "* helsedirektoratet", 11, "PV006", "write `- helsedirektoratet`"),
    mistake(SYKMELDING, "Les historiske", "“Les: historiske", 16, "PV006", "put the text in quotes"),
    mistake(SYKMELDING, "[helsedirektoratet]", "[“983544622”]", 18, "PV101", "write \"983544622\""),
    mistake(SYKMELDING, "[helsedirektoratet]", "[ helsedirektoratet", 18, "PV006", "write `]` behind the last entry"),
    mistake(SYKMELDING, "[helsedirektoratet]", "[helsedirektoratet}", 18, "PV006", "write `]` in its place"),
    mistake(SYKMELDING, "[helsedirektoratet]", "[helsedirektoratet],", 18, "PV006", "remove the comma"),
    mistake(SYKMELDING, "[helsedirektoratet]", "[ssb, , brreg]", 18, "PV006", "take one of the commas out"),
    mistake(SYKMELDING, "scopes:", "scopes", 3, "PV006", "write `scopes:`"),
    mistake(SYKMELDING, "    consumers:\n", "    consumers\n", 10, "PV006", "write `consumers:`"),
    mistake(SYKMELDING, "    consumers:\n", "consumers:\n", 10, "PV006", "begin this line with 4 spaces"),
    mistake(SYKMELDING, "    prevent", "      prevent", 9, "PV006", "begin this line with 4 spaces, as `delegation_source` above"),
    mistake(SYKMELDING, "- group: samarbeid", "- consumer: ssb\n      until: 2027-01-01", 13, "PV006", "begin this line with 8 spaces, as `consumer` above"),
    mistake(SYKMELDING, "- group: samarbeid", "- \"974761076\", \"971526920\"", 12, "PV006", "on a line of its own behind a dash"),
    mistake(SYKMELDING, "    active", "    // pause\n    active", 17, "PV006", "write `#` in the place of `//`"),
    mistake(SYKMELDING, "long_description: Gir", "long_description: |\n    Gir", 7, "PV006", "indent it further than `long_description`"),
    mistake(SYKMELDING, "Krever hjemmel, se", "Krever hjemmel: se", 6, "PV006", "put the text in quotes"),
    mistake(CONSUMERS, "  skatteetaten:", "  - skatteetaten:", 10, "PV006", "remove the dash"),
    mistake(CONSUMERS, "\"974761076\", name", "\"974761076, name", 10, "PV006", "write `\"` at the end of the text"),
    mistake(STATISTIKK, "av aareg.read }", "av aareg.read", 12, "PV006", "write `}` behind the last entry"),
    mistake(STATISTIKK, "true", "true#alle", 7, "PV012", "a space before the `#`"),
    mistake(SETTINGS, "[\"etat:helse:*\"]", "*helse", 43, "PV006", "put the text in quotes"),
];

/// Mistakes about Maskinporten, and about this tool.
#[rustfmt::skip] // A mistake a line.
const DECLARATIONS: &[Mistake] = &[
    mistake(CONSUMERS, "\"974761076\"", "“974761076”", 10, "PV101", "write \"974761076\""),
    mistake(CONSUMERS, "\"974761076\"", "NO974761076MVA", 10, "PV101", "write \"974761076\""),
    mistake(CONSUMERS, "{ orgno: \"971526920\", name: Statistisk sentralbyrå, environments: [sandbox, prod] }", "\"971526920\"", 11, "PV012", "write `{ orgno: \"971526920\" }`"),
    mistake(CONSUMERS, "  ssb: { orgno:", "  ssb: { orgnr:", 11, "PV010", "did you mean `orgno`?"),
    mistake(CONSUMERS, "  skatteetaten:", "  skatte etaten:", 10, "PV114", "a name is one word"),
    mistake(CONSUMERS, "Statistisk sentralbyrå,", "Statistisk, sentralbyrå,", 11, "PV010", "put all of that in quotes"),
    mistake(CONSUMERS, "[ssb, brreg]", "ssb, brreg", 20, "PV012", "put it in brackets: `[ssb, brreg]`"),
    mistake(CONSUMERS, "[ssb, brreg]", "[ssb, samarbeid]", 20, "PV104", "a group holds only aliases"),
    mistake(SETTINGS, "\"889640782\"", "889640782", 7, "PV012", "put it in quotes: \"889640782\""),
    mistake(SETTINGS, "prefixes: [etat]", "prefixes: [\"etat:\"]", 10, "PV113", "write `etat`"),
    mistake(SETTINGS, "prefixes: [etat]", "prefixes: etat", 10, "PV012", "put it in brackets: `[etat]`"),
    mistake(SETTINGS, "organization:", "organisation:", 7, "PV010", "did you mean `organization`?"),
    mistake(SETTINGS, "at_max_age: 120 #", "at_max_age: 120s #", 33, "PV012", "write `120`, without"),
    mistake(SETTINGS, "max_changed_percent: 15", "max_changed_percent: 15%", 42, "PV012", "write `15`, without"),
    mistake(SETTINGS, "target: prod,", "target: production,", 27, "PV012", "did you mean `prod`?"),
    mistake(SETTINGS, "kid: { env: PORTVAKT_KID }", "kid: $PORTVAKT_KID", 24, "PV012", "`{ env: NAME }`"),
    mistake(SETTINGS, "  scope:\n    allowed_integration_types: [maskinporten]\n", "  allowed_integration_types: [maskinporten]\n  scope:\n", 31, "PV010", "it belongs below `scope`"),
    mistake(AAREG, "- group: statistikk", "- group:statistikk", 8, "PV104", "`group: statistikk`"),
    mistake(AAREG, "- skatteetaten", "- skatteetaten, ssb", 7, "PV104", "each on a line of its own behind a dash"),
    mistake(AAREG, "- skatteetaten", "- skatteetaten,", 7, "PV104", "write `skatteetaten` and nothing before or behind it"),
    mistake(AAREG, "- skatteetaten", "- skatteetaten: { until: 2027-01-01 }", 7, "PV010", "`consumer: skatteetaten`"),
    mistake(AAREG, "- skatteetaten", "- orgno: \"974761076\"", 7, "PV010", "did you mean `consumer`?"),
    mistake(AAREG, "- skatteetaten", "- consumer: skatteetaten\n      - until: 2027-01-01", 8, "PV011", "remove the dash"),
    mistake(AAREG, "- group: statistikk", "- group: statistikk\n        til: 2027-01-01", 9, "PV010", "`until`"),
    mistake(AAREG, "- group: statistikk", "- skatteetaten\n      - group: statistikk", 8, "PV127", "keep one entry"),
    mistake(AAREG, "description: Les arbeidsforhold", "beskrivelse: Les arbeidsforhold", 5, "PV010", "did you mean `description`?"),
    mistake(AAREG, "name: etat:arbeid:aareg.read", "name: aareg.read", 4, "PV102", "`etat:aareg.read`"),
    mistake(AAREG, "name: etat:arbeid:aareg.read", "name: Etat:arbeid:aareg.read", 4, "PV103", "did you mean `etat`?"),
    mistake(AAREG, "name: etat:arbeid:aareg.read", "name: etat:arbeid:aareg read", 4, "PV102", "cannot hold ' '"),
    mistake(AAREG, "    description: Les arb", "  - description: Les arb", 5, "PV011", "remove the dash"),
    mistake(AAREG, "  - name: etat:arbeid:aareg.write", "    name: etat:arbeid:aareg.write", 16, "PV007", "write a dash before it, `- name: …`"),
    mistake(AAREG, "  - name: etat:arbeid:aareg.write", "scopes:\n  - name: etat:arbeid:aareg.write", 16, "PV007", "put all entries below the first one"),
    mistake(AAREG, "environments: [sandbox, prod]", "environments: sandbox", 9, "PV012", "put it in brackets: `[sandbox]`"),
    mistake(AAREG, "environments: [sandbox, prod]", "environment: [sandbox, prod]", 9, "PV010", "did you mean `environments`?"),
    mistake(AAREG, "2099-06-30", "20990630", 12, "PV107", "write 2099-06-30"),
    mistake(AAREG, "2099-06-30", "2099-06-31", 12, "PV107", "YYYY-MM-DD"),
    mistake(AAREG, "at_max_age: 600", "at_max_age: \"600s\"", 14, "PV012", "write `600`, without"),
    mistake(AAREG, "at_max_age: 600", "at_max_age: -1", 14, "PV012", "a whole number, 0 or more"),
    mistake(AAREG, "at_max_age: 600", "at_max_age:600", 14, "PV010", "`at_max_age: 600`"),
    mistake(AAREG, "      test: { at", "      - test: { at", 14, "PV012", "remove the dashes or brackets"),
    mistake(AAREG, "    per_environment:\n      test:", "    test:", 13, "PV010", "below `per_environment`"),
    mistake(AAREG, "\n      - { consumer: testetaten, environments: [sandbox, test], reason: test av innsending }", "", 20, "PV012", "write `consumers: []`"),
    mistake(STATISTIKK, "true", "\"true\"", 7, "PV012", "write `true`, without quotes"),
    mistake(STATISTIKK, "true", "ja", 7, "PV012", "write `true`, without quotes"),
    mistake(STATISTIKK, "true", "no", 7, "PV012", "write `false`, without quotes"),
    mistake(STATISTIKK, "accessible_for_all: true", "until: 2027-01-01", 7, "PV010", "it belongs to an entry of `consumers`"),
    mistake(STATISTIKK, "action: deactivate", "action: delete", 12, "PV012", "one of `deactivate`, `release`"),
    mistake(STATISTIKK, "{ scope: etat:arbeid:gammel.read, action: deactivate, reason: erstattet av aareg.read }", "etat:arbeid:gammel.read", 12, "PV012", "`{ scope: etat:arbeid:gammel.read, action: deactivate }`"),
    mistake(SYKMELDING, "hjemmel, se", "hjemmel & se", 6, "PV113", "write `og` in its place"),
    mistake(SYKMELDING, "scopes:\n  - name", "  - name", 3, "PV013", "write `scopes:` on a line above"),
    mistake(SYKMELDING, "[helsedirektoratet]", "helsedirektoratet", 18, "PV012", "`[helsedirektoratet]`"),
    mistake(SYKMELDING, "[helsedirektoratet]", "[helsedirektoratet ssb]", 18, "PV104", "`[helsedirektoratet, ssb]`"),
    mistake(SYKMELDING, "- group: samarbeid", "- groups: samarbeid", 12, "PV010", "did you mean `group`?"),
];

/// Additional files beside those of the example.
#[rustfmt::skip] // A file a line.
const FILES: &[Mistake] = &[
    mistake("docker-compose.yaml", "", "services: {}\n", 1, "PV013", "write `exclude: [\"docker-compose.yaml\"]` in portvakt.yaml"),
    mistake("helm.yaml", "", "{{- if .Values.a }}\na: b\n{{- end }}\n", 1, "PV006", "add it to `exclude` in portvakt.yaml"),
    mistake("mkdocs.yml", "", "nav:\n  - a: !!python/name:x\n", 2, "PV009", "`exclude` in portvakt.yaml"),
    mistake("conflict.yaml", "", "<<<<<<< HEAD\nscopes: []\n=======\ngroups: {}\n>>>>>>> main\n", 1, "PV006", "remove those that begin with `<<<<<<<`"),
    mistake("a.yaml", "", "name: etat:a\ndescription: Les\nconsumers: [ssb]\n", 1, "PV010", "write `scopes:` on a line above it"),
    mistake("a.yaml", "", "scopes:\n  etat:a:\n    description: Les\n", 2, "PV012", "write each scope as `- name: …`"),
    mistake("a.yaml", "", "clients:\n  - name: app\n    scopes: []\n    onbehalfof: foo\n", 4, "PV012", "expected a list"),
    mistake("a.yaml", "", "scopes:\n  - etat:a\n", 2, "PV012", "`{ name: etat:a, description: … }`"),
    mistake("a.yaml", "", "\u{feff}scopes:\r\n  - name: etat:a\r\n    description:Les\r\n", 3, "PV006", "`description: Les`"),
    mistake("a.yaml", "", "scopes:\n  - name: etat:a\n    description: Les\n  name: etat:b\n", 4, "PV006", "`- name: etat:b`"),
    mistake("a.yaml", "", "scopes:\n  - name: etat:a\n    description: Les\n    consumers: [\n    ssb,\n    brreg\n    ]\n", 5, "PV006", "indent this line with at least 5 spaces"),
];

fn repository(mistake: &Mistake) -> TempDir {
    let folder = TempDir::new().unwrap();
    copy(&Path::new(ROOT).join("examples/etat"), folder.path());
    let path = folder.path().join(mistake.file);
    let text = match mistake.from {
        "" => mistake.to.to_owned(),
        from => {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{}: {from}", mistake.file);
            text.replacen(from, mistake.to, 1)
        }
    };
    std::fs::write(path, text).unwrap();
    folder
}

fn found(folder: &TempDir) -> (i32, Vec<Value>) {
    let args = ["validate", "--format", "json"];
    let ran = Ran::of(program().args(args).current_dir(folder.path()));
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    (ran.code, found.as_array().unwrap().clone())
}

/// The deviation from the expected diagnostic.
fn mismatch(mistake: &Mistake) -> Option<String> {
    let Mistake { file, to, line, code, says, .. } = mistake;
    let (exit, found) = found(&repository(mistake));
    let text = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    let right = exit == 3
        && matches!(found.as_slice(), [only] if {
            only["severity"] == "error"
                && only["file"] == *file
                && only["line"] == *line
                && only["code"] == *code
                && format!("{}\n{}", text(only, "message"), text(only, "help")).contains(says)
        });
    (!right).then(|| format!("{to:?} at {file}:{line}, {code}, {says}: {exit} {found:#?}"))
}

fn all_are_told(mistakes: &[Mistake]) {
    let wrong: Vec<_> = mistakes.iter().filter_map(mismatch).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), mistakes.len(), wrong.join("\n"));
}

#[test]
fn the_twenty_commonest_mistakes() {
    all_are_told(&COMMONEST);
}

#[test]
fn mistakes_in_yaml() {
    all_are_told(YAML);
}

#[test]
fn mistakes_in_declarations() {
    all_are_told(DECLARATIONS);
}

#[test]
fn files_that_declare_nothing() {
    all_are_told(FILES);
}

/// A likely mistake is reported, and does not prevent a plan.
#[test]
fn a_misspelt_delegation_source_is_a_warning() {
    for written in ["altin", "Altinn", "alltinn"] {
        let to = format!("delegation_source: {written}");
        let folder = repository(&Mistake {
            file: SYKMELDING,
            from: "delegation_source: altinn",
            to: to.leak(),
            line: 8,
            code: "PV131",
            says: "",
        });
        let (exit, found) = found(&folder);
        assert_eq!((exit, found.len()), (0, 1), "{found:?}");
        assert_eq!((&found[0]["severity"], &found[0]["line"]), (&"warning".into(), &8.into()));
        assert!(found[0]["help"].as_str().unwrap().starts_with("did you mean `altinn`?"));
    }
}

/// The quotation of a broken file in a help text is never a secret.
#[test]
fn broken_yaml_shows_no_secret() {
    for (from, to) in [
        ("key: { env: PORTVAKT_KEY }", "key: hemmelig: x"),
        ("key: { env: PORTVAKT_KEY }", "key hemmelig"),
        ("key: { env: PORTVAKT_KEY }", "key:hemmelig"),
        ("key: { env: PORTVAKT_KEY }", "key: \"hemmelig"),
        ("key: { env: PORTVAKT_KEY }", "key: @hemmelig"),
        ("key: { env: PORTVAKT_KEY }", "key: { hemmelig"),
        ("key: { env: PORTVAKT_KEY }", "key: { env: A hemmelig: b }"),
        ("key: { env: PORTVAKT_KEY }", "hemmelig"),
        ("key: { env: PORTVAKT_KEY }", "-hemmelig"),
        ("key: { env: PORTVAKT_KEY }", "  hemmelig: x"),
        ("key: { env: PORTVAKT_KEY }", "client_id_hemmelig: { env: A }\n        hemmelig: x"),
        ("{ env: PORTVAKT_KEY }", "|\n-----BEGIN PRIVATE KEY-----\nhemmelig\n"),
    ] {
        let folder = repository(&mistake(SETTINGS, from, to, 0, "", ""));
        for format in &formats("validate") {
            let args = ["validate", "--format", format];
            let ran = Ran::of(program().args(args).current_dir(folder.path()));
            assert_eq!(ran.code, 3, "{to}");
            let shown = ran.stdout.replace("client_id_hemmelig", "");
            assert!(!shown.contains("hemmelig"), "{to}: {shown}");
        }
    }
}

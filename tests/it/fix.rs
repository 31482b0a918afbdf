//! `validate --fix` fixes only what is safe to fix; `--diff` shows the same changes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use jiff::civil::date;
use portvakt::declare::{self, Diagnostic, Index, apply_fixes};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::readme::{ROOT, copy};
use crate::world::{Ran, program};

const SETTINGS: &str = "\
organization: { orgno: \"889640782\", name: Etaten }
prefixes: [etat]
environments: { sandbox: { target: sandbox } }
";
const SORTED: &str = "naming: [{ preset: sorted-consumers }]\n";

fn repository(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("portvakt.yaml"), SETTINGS).unwrap();
    for (file, text) in files {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

fn read(folder: &TempDir, file: &str) -> String {
    std::fs::read_to_string(folder.path().join(file)).unwrap()
}

fn validate(folder: &TempDir, args: &[&str]) -> Ran {
    Ran::of(program().arg("validate").args(args).current_dir(folder.path()))
}

/// Fixes one file and returns its text. The diff must show the same, and a second run must find nothing.
fn fixed(file: &str, before: &str, more: &[(&str, &str)]) -> String {
    let folder = repository(&[more, &[(file, before)]].concat());
    let diff = validate(&folder, &["--diff"]);
    assert_eq!(read(&folder, file), before, "a diff writes nothing");
    let ran = validate(&folder, &["--fix"]);
    let after = read(&folder, file);
    let message = ran.stderr.contains(&format!("fixed {file}\n"));
    assert_eq!(message, after != before, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(applied(&diff.stdout, &[more, &[(file, before)]].concat(), file), after);
    let again = validate(&folder, &["--fix"]);
    assert_eq!((again.stderr.as_str(), read(&folder, file)), ("", after.clone()));
    assert_eq!((again.code, again.stdout), (ran.code, ran.stdout));
    assert_eq!(validate(&folder, &["--diff"]).stdout, "");
    after
}

/// A file after git has applied a diff to it.
fn applied(diff: &str, files: &[(&str, &str)], file: &str) -> String {
    let folder = repository(files);
    if !diff.is_empty() {
        let patch = TempDir::new().unwrap();
        let path = patch.path().join("patch");
        std::fs::write(&path, diff).unwrap();
        let git = |args: &[&str]| {
            let ran = Command::new("git").args(args).current_dir(folder.path()).output().unwrap();
            assert!(ran.status.success(), "{diff}{}", String::from_utf8_lossy(&ran.stderr));
        };
        git(&["init", "-q"]);
        git(&["-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", path.to_str().unwrap()]);
    }
    read(&folder, file)
}

fn scope(more: &str) -> String {
    format!("# topp\nscopes:\n  - name: etat:a # navn\n    description: Les\n{more}")
}

#[test]
fn an_organisation_number_gets_its_quotes() {
    let cases = [
        ("a.yaml", "consumers:\n  # skatt\n  skatt: { orgno: 974761076, name: Skatt } # c\n"),
        ("a.yaml", "consumers:\n  skatt:\n    orgno: 974761076 # c\n    name: Skatt\n"),
        ("a.yaml", &scope("    consumers: [974761076] # c\n")),
        (
            "a.yaml",
            &scope("    consumers:\n      # over\n      - 974761076 # bak\n      # under\n"),
        ),
        ("a.yaml", &scope("    consumers: [{ consumer: 974761076, until: 2099-01-01 }]\n")),
        ("a.yaml", &scope("    consumers:\n      - consumer: 974761076\n        reason: x\n")),
        ("a.yaml", "groups:\n  g: [974761076] # c\n"),
        ("a.yaml", "groups:\n  g:\n    - 974761076\n"),
        ("portvakt.yaml", &SETTINGS.replace("\"889640782\"", "974761076")),
        (
            "portvakt.yaml",
            &SETTINGS.replace("{ orgno: \"889640782\", name: Etaten }", "\n  orgno: 974761076 # c"),
        ),
    ];
    for (file, before) in cases {
        let after = fixed(file, before, &[]);
        assert_eq!(after, before.replace("974761076", "\"974761076\""));
    }
    let wrong = scope("    consumers: [974761077, 97476107, 0974761076]\n");
    assert_eq!(fixed("a.yaml", &wrong, &[]), wrong, "no organisation has these numbers");
}

#[test]
fn a_word_gets_the_right_case() {
    let before =
        scope("    visibility: public # c\n    allowed_integration_types: [Maskinporten, KRR]\n");
    let after =
        before.replace("public", "PUBLIC").replace("Maskinporten, KRR", "maskinporten, krr");
    assert_eq!(fixed("a.yaml", &before, &[]), after);
    let before = scope("    token_type: 'self_contained'\n");
    assert_eq!(fixed("a.yaml", &before, &[]), before.replace("self_contained", "SELF_CONTAINED"));
    let before = "removed:\n  - { scope: etat:b, action: Release }\n";
    assert_eq!(fixed("a.yaml", before, &[]), before.replace("Release", "release"));
    let before = SETTINGS.replace("target: sandbox", "target: Sandbox");
    assert_eq!(fixed("portvakt.yaml", &before, &[]), SETTINGS);
    let other = scope("    visibility: PUBLICK\n");
    assert_eq!(fixed("a.yaml", &other, &[]), other, "a word is not guessed");
}

#[test]
fn a_misspelt_key_is_fixed_where_only_one_can_be_meant() {
    for (wrong, right) in [
        ("    visibilty: PRIVATE # c\n", "    visibility: PRIVATE # c\n"),
        ("    Active: false\n", "    active: false\n"),
        ("    \"at_max_agee\": 5\n", "    \"at_max_age\": 5\n"),
        ("    consumer: [\"974761076\"]\n", "    consumers: [\"974761076\"]\n"),
    ] {
        assert_eq!(fixed("a.yaml", &scope(wrong), &[]), scope(right));
    }
    let before = scope("").replace("scopes:", "scope:");
    assert_eq!(fixed("a.yaml", &before, &[]), scope(""));
    let before = SETTINGS.replace("organization", "organisation");
    assert_eq!(fixed("portvakt.yaml", &before, &[]), SETTINGS);
    for left in [
        scope("    visibility: PRIVATE\n    visibilty: PUBLIC\n"),
        scope("    visibilty: PRIVATE\n    visbility: PUBLIC\n"),
        scope("") + "scoups: {}\n",
        scope("") + "group: {}\ngrups: {}\n",
        "scope: []\nscops: []\n".to_owned(),
        scope("    beskrivelse: x\n"),
    ] {
        assert_eq!(fixed("a.yaml", &left, &[]), left);
    }
}

#[test]
fn consumers_are_sorted_with_their_comments() {
    let settings = SETTINGS.to_owned() + SORTED;
    let more = [
        ("portvakt.yaml", settings.as_str()),
        (
            "consumers.yaml",
            "consumers:\n  a: { orgno: \"974761076\" }\n  b: { orgno: \"971526920\" }\n\
             groups: { c: [\"983544622\"] }\n",
        ),
    ];
    let sorted = |before: &str, after: &str| {
        assert_eq!(fixed("a.yaml", &scope(before), &more), scope(after));
    };
    sorted("    consumers: [b, a] # c\n", "    consumers: [a, b] # c\n");
    sorted("    consumers: [ { group: c },b , a ]\n", "    consumers: [ a,b , { group: c } ]\n");
    sorted(
        "    consumers:\n      # om b\n      - b # bak b\n      # om a\n      # mer\n      - a\n    active: true\n",
        "    consumers:\n      # om a\n      # mer\n      - a\n      # om b\n      - b # bak b\n    active: true\n",
    );
    sorted(
        "    consumers:\n      - group: c # bak c\n      - consumer: b\n        # inni\n        until: 2099-01-01 # bak\n      - a",
        "    consumers:\n      - a\n      - consumer: b\n        # inni\n        until: 2099-01-01 # bak\n      - group: c # bak c",
    );
    let silenced = scope(
        "    visibility: public\n    # portvakt: allow sorted-consumers -- by importance\n    \
         consumers:\n      # portvakt: allow sorted-consumers -- by importance\n      - b\n      \
         # portvakt: allow sorted-consumers -- by importance\n      - a\n",
    );
    let after = silenced.replace("public", "PUBLIC");
    assert_eq!(fixed("a.yaml", &silenced, &more), after, "what is silenced stays");
    for left in [
        "    consumers:\n      - b\n\n      - a\n",
        "    consumers: [b, # om b\n      a]\n",
        "    consumers: [a, b]\n",
    ] {
        sorted(left, left);
    }
}

/// A value that is used elsewhere too, or would be split, is left to the user.
#[test]
fn what_is_not_safe_is_left() {
    let settings = SETTINGS.to_owned() + SORTED;
    let more = [("portvakt.yaml", settings.as_str())];
    let head = "scopes:\n- name: etat:a\n  description: d\n";
    for left in [
        "  consumers: [&e { consumer: 974761076, environments: [sandbox] }]\n- name: etat:b\n  description: d\n  consumers: [*e]\n",
        "  consumers: [&n 974761076]\n- { name: etat:b, description: d, at_max_age: *n }\n",
        "  visibility: &v public\n  long_description: *v\n",
        "  per_environment:\n    sandbox: &o { visibility: private }\n    test: *o\n",
        "  consumers: &c [\"991825827\", \"974761076\"]\n- name: etat:b\n  description: d\n  consumers: *c\n",
        "  consumers:\n  # Helse\n  - \"991825827\"\n  - \"983544622\"\n  # Skatt\n  - \"974761076\"\n",
        "  visibilty: PUBLIC\n  visiblity: PRIVATE\n",
    ] {
        let text = format!("{head}{left}");
        assert_eq!(fixed("a.yaml", &text, &more), text);
    }
    let block = format!("{head}  visibility: |-\n    private\n\n  # keep me\n  active: false\n");
    assert_eq!(fixed("a.yaml", &block, &more), block.replace("private", "PRIVATE"));
    let block = |first: &str, second: &str| {
        format!(
            "{head}  consumers:\n{first}{second}- consumers:\n  - \"971526920\"\n  name: etat:b\n  description: d\n"
        )
    };
    let (plain, folded) =
        ("  - \"974760673\"\n", "  - consumer: \"971526920\"\n    reason: >\n      avtale\n");
    let sorted = fixed("a.yaml", &block(plain, folded), &more);
    assert_eq!(sorted, block(folded, plain));
    let last = "  - consumer: \"991825827\"\n    reason: |\n      a\n";
    let text = format!("{head}  consumers:\n{last}{plain}");
    assert_eq!(fixed("a.yaml", &text, &more), format!("{head}  consumers:\n{plain}{last}"));
    let quoted = format!("{head}  visibility: \"public\"\n  'at_max_aeg': 1\n");
    let expected = format!("{head}  visibility: \"PUBLIC\"\n  'at_max_age': 1\n");
    assert_eq!(fixed("a.yaml", &quoted, &more), expected);
}

#[test]
fn line_ends_and_marks_stay() {
    let text = scope("    visibility: public # æøå\n    active: true");
    for before in [
        text.clone(),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        format!("\u{feff}{text}\n").replace('\n', "\r\n"),
        format!("---\n{text}\n---\n{}\n...\n", text.replace("etat:a", "etat:b")),
        "\u{feff}scope: [{ name: etat:a, description: æ, visibility: public }]".to_owned(),
    ] {
        let after = before.replace("public", "PUBLIC").replace("scope:", "scopes:");
        assert_eq!(fixed("a.yaml", &before, &[]), after);
    }
}

#[test]
fn what_cannot_be_fixed_is_not_touched() {
    for text in [
        scope("    visibility: public\n    bad yaml: [\n"),
        scope("    visibility: public\n    visibility: public\n"),
        scope(""),
        String::new(),
        "# bare kommentar\n".to_owned(),
    ] {
        let folder = repository(&[("a.yaml", &text)]);
        let path = folder.path().join("a.yaml");
        let times = || std::fs::metadata(&path).unwrap().modified().unwrap();
        let before = times();
        let ran = validate(&folder, &["--fix"]);
        assert_eq!((ran.stderr.as_str(), read(&folder, "a.yaml")), ("", text));
        assert_eq!(times(), before);
    }
    let folder = repository(&[("a.yaml", "")]);
    std::fs::write(folder.path().join("a.yaml"), b"scope: [] # bl\xe5\n").unwrap();
    assert_eq!(validate(&folder, &["--fix"]).stderr, "");
}

#[test]
fn exit_codes_show_what_is_left() {
    let folder = repository(&[("a.yaml", &scope("    visibility: public\n"))]);
    assert_eq!(validate(&folder, &["--diff"]).code, 3);
    let ran = validate(&folder, &["--fix"]);
    assert!(ran.code == 0 && ran.stdout.starts_with("OK: "), "{}", ran.stdout);
    assert_eq!(validate(&folder, &["--diff"]).code, 0);
    let folder = repository(&[("a.yaml", &scope("    visibility: public\n    at_max_age: x\n"))]);
    let ran = validate(&folder, &["--fix", "--format", "json"]);
    assert_eq!(ran.code, 3);
    let left: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((left.as_array().unwrap().len(), &left[0]["line"]), (1, &6.into()));
    assert_eq!(validate(&folder, &["--diff", "--format", "json"]).code, 64);
}

#[test]
fn a_diff_shows_no_secret() {
    let settings = SETTINGS.replace(
        "environments: { sandbox: { target: sandbox } }",
        "environments:\n  test:\n    target: TEST\n    credentials:\n      client_id: hemmelig\n      \
         key: { env: KEY }\n",
    );
    let folder = repository(&[("portvakt.yaml", &settings)]);
    let ran = validate(&folder, &["--diff"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stdout.contains("\n+    target: test\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("(not shown)") && !ran.stdout.contains("hemmelig"),
        "{}",
        ran.stdout
    );
    assert_eq!(read(&folder, "portvakt.yaml"), settings);
}

#[cfg(unix)]
#[test]
fn permissions_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = repository(&[("a.yaml", &scope("    visibility: public\n"))]);
    let path = folder.path().join("a.yaml");
    let set = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    set(0o640);
    assert_eq!(validate(&folder, &["--fix"]).code, 0);
    assert_eq!(mode(), 0o640);

    std::fs::write(&path, scope("    visibility: public\n")).unwrap();
    set(0o444);
    std::fs::write(folder.path().join("A.yaml"), "group: {}\n").unwrap();
    let ran = validate(&folder, &["--fix"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("a.yaml cannot be written: it is read-only"), "{}", ran.stderr);
    assert_eq!(read(&folder, "a.yaml"), scope("    visibility: public\n"));
    assert_eq!(read(&folder, "A.yaml"), "group: {}\n", "all or none is written");
    std::fs::remove_file(folder.path().join("A.yaml")).unwrap();
    set(0o644);

    let settings = folder.path().join("portvakt.yaml");
    std::fs::create_dir(folder.path().join("felles")).unwrap();
    let real = folder.path().join("felles/settings.txt");
    std::fs::write(&real, SETTINGS.replace("organization", "organisation")).unwrap();
    std::fs::remove_file(&settings).unwrap();
    symlink("felles/settings.txt", &settings).unwrap();
    symlink("a.yaml", folder.path().join("b.yaml")).unwrap();
    let ran = validate(&folder, &["--fix"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for link in ["portvakt.yaml", "b.yaml"] {
        let link = folder.path().join(link);
        assert!(std::fs::symlink_metadata(link).unwrap().file_type().is_symlink());
    }
    assert_eq!(std::fs::read_to_string(real).unwrap(), SETTINGS);
    assert_eq!(read(&folder, "a.yaml"), scope("    visibility: PUBLIC\n"));
}

/// All findings in a repository.
fn found(root: &Path) -> Vec<Diagnostic> {
    match declare::load(root) {
        Ok(repository) => repository.check(date(2026, 11, 23)),
        Err(found) => found,
    }
}

/// The declarations of every environment; `None` if there is an error.
fn desired(root: &Path) -> Option<Vec<domain::Desired>> {
    let repository = declare::load(root).ok()?;
    let of = |name: &String| Some(repository.desired(name, date(2026, 11, 23)).ok()?.0);
    let desired: Vec<_> =
        repository.settings().environments.keys().map(of).collect::<Option<_>>()?;
    (!desired.is_empty()).then_some(desired)
}

/// How often each comment occurs in a text.
fn comments(text: &str) -> BTreeMap<&str, usize> {
    let mut comments = BTreeMap::new();
    for line in text.lines() {
        if let Some(at) = line.find(" #").or(line.starts_with('#').then_some(0)) {
            *comments.entry(line[at..].trim()).or_default() += 1;
        }
    }
    comments
}

/// Whether an error can be found in its file alone. Others appear when more of another file is read, or when
/// a fixed file is read with a portvakt.yaml that has changed.
fn is_of_one_file(found: &Diagnostic) -> bool {
    let of_several =
        ["PV103", "PV104", "PV105", "PV106", "PV108", "PV109", "PV110", "PV111", "PV112", "PV116"];
    let code = found.code.code();
    found.is_error() && code < "PV120" && !of_several.contains(&code)
}

const FILES: [&str; 5] = [
    "portvakt.yaml",
    "consumers.yaml",
    "teams/arbeid/aareg.yaml",
    "teams/arbeid/statistikk.yaml",
    "teams/helse/sykmelding.yaml",
];

/// Mistakes that can be fixed: the original text and its replacement.
const MENDABLE: [(&str, &str); 14] = [
    ("\"974761076\"", "974761076"),
    ("\"991825827\"", "991825827"),
    ("\"889640782\"", "889640782"),
    ("visibility: PRIVATE", "visibility: private"),
    ("visibility:", "visibilty:"),
    ("description:", "descripton:"),
    ("consumers:", "consumer:"),
    ("scopes:", "scope:"),
    ("environments:", "environment:"),
    ("organization:", "organisation:"),
    ("[maskinporten]", "[Maskinporten]"),
    ("deactivate", "Deactivate"),
    ("- group: statistikk", "- ssb # nummer to\n      - brreg"),
    ("naming:\n", "naming:\n  - { preset: sorted-consumers, severity: warning }\n"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn fixing_makes_nothing_worse(
        mistakes in proptest::collection::vec((0..MENDABLE.len(), any::<bool>()), 1..6),
        noise in proptest::option::of((0..FILES.len(), 0_usize..1500, 0_usize..6, r"[-\[\]{}:,#'\x22a-c0-9 \n]{0,4}")),
        crlf in any::<bool>(),
    ) {
        let folder = TempDir::new().unwrap();
        let root = folder.path();
        copy(&Path::new(ROOT).join("examples/etat"), root);
        for file in FILES {
            let mut text = std::fs::read_to_string(root.join(file)).unwrap();
            for (mistake, all) in &mistakes {
                let (from, to) = MENDABLE[*mistake];
                text = if *all { text.replace(from, to) } else { text.replacen(from, to, 1) };
            }
            if let Some((_, at, length, insert)) = noise.as_ref().filter(|noise| FILES[noise.0] == file) {
                let mut chars: Vec<char> = text.chars().collect();
                let at = (*at).min(chars.len());
                let to = (at + length).min(chars.len());
                chars.splice(at..to, insert.chars());
                text = chars.into_iter().collect();
            }
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            std::fs::write(root.join(file), text).unwrap();
        }
        let (before, declared) = (found(root), desired(root));
        let fixed = apply_fixes(root, &Index::default(), &before);
        for file in &fixed {
            prop_assert_eq!(comments(&file.before), comments(&file.after), "{}", file.file);
            prop_assert_ne!(&file.before, &file.after);
            std::fs::write(root.join(&*file.file), &file.after).unwrap();
        }
        let after = found(root);
        // Fixed settings can change the findings in other files.
        let same_light = fixed.iter().all(|file| &*file.file != "portvakt.yaml");
        for file in fixed.iter().filter(|_| same_light) {
            let errors = |found: &[Diagnostic]| {
                found.iter().filter(|one| one.file == file.file && is_of_one_file(one)).count()
            };
            prop_assert!(errors(&after) <= errors(&before), "{before:#?}\n{after:#?}");
        }
        if let (Some(declared), Some(now)) = (declared, desired(root)) {
            prop_assert_eq!(declared.len(), now.len());
            for (before, now) in declared.iter().zip(&now) {
                let accesses = |desired: &domain::Desired| -> Vec<_> {
                    let of = |(name, scope): (&domain::ScopeName, &domain::DesiredScope)| {
                        let attributes = format!("{:?}", scope.attributes);
                        let days = |access: &domain::DesiredAccess| {
                            let mut days: Vec<_> = access.entries().map(|entry| format!("{:?}", entry.days)).collect();
                            days.sort();
                            days
                        };
                        let consumers = scope.consumers.iter().map(|(orgno, access)| (*orgno, days(access)));
                        (name.clone(), attributes, consumers.collect::<Vec<_>>())
                    };
                    desired.scopes.iter().map(of).collect()
                };
                prop_assert_eq!(accesses(before), accesses(now));
            }
        }
        prop_assert!(apply_fixes(root, &Index::default(), &after).is_empty(), "a second time mends nothing");
    }
}

#[test]
fn unused_aliases_are_removed_with_their_comments() {
    let before = "\
# Who is who.
consumers:
  # Retired in 2025.
  gammel: { orgno: '974760673' }
  skatteetaten: { orgno: '974761076', name: Skatteetaten } # the tax office
  kartverket:
    orgno: '971040238'
    name: Kartverket
  # In production alone.
  digdir: { orgno: '991825827' }
scopes:
  - { name: etat:a, description: Les, consumers: [skatteetaten] } # the first
";
    let folder = repository(&[("a.yaml", before)]);
    let diff = validate(&folder, &["--fix-unused", "--diff"]);
    assert_eq!(read(&folder, "a.yaml"), before, "a diff writes nothing");
    assert!(diff.stdout.contains("-  kartverket:"), "{}{}", diff.stdout, diff.stderr);
    // Only on request.
    validate(&folder, &["--fix"]);
    assert_eq!(read(&folder, "a.yaml"), before);
    let ran = validate(&folder, &["--fix-unused"]);
    let after = read(&folder, "a.yaml");
    assert!(after.contains("name: Skatteetaten } # the tax office"), "{after}");
    assert!(after.contains("consumers: [skatteetaten] } # the first"), "{after}");
    for name in ["gammel", "kartverket", "Kartverket", "digdir:"] {
        assert!(!after.contains(name), "{name}\n{after}\n{}", ran.stderr);
    }
    assert!(after.starts_with("# Who is who.\nconsumers:\n  skatteetaten"), "{after}");
    for comment in ["# Retired in 2025.", "# In production alone."] {
        assert!(!after.contains(comment), "{comment}\n{after}");
    }
    let again = validate(&folder, &["--deny-warnings"]);
    assert_eq!(again.code, 0, "{}{}\n{after}", again.stdout, ran.stderr);
    assert_eq!(validate(&folder, &["--fix-unused", "--diff"]).stdout, "");
}

#[test]
fn an_alias_that_cannot_be_removed_is_named_and_the_others_are_removed() {
    let only = "consumers: { alene: { orgno: '971526920' } }\n";
    let silenced = "consumers:\n  gammel: { orgno: '974760673' }\n  # portvakt: allow PV123 -- Tenor\n  \
                    a: { orgno: '971526920' }\n  b: { orgno: '971040238' }\nscopes: []\n";
    let folder = repository(&[("a.yaml", only), ("b.yaml", silenced)]);
    let ran = validate(&folder, &["--fix-unused"]);
    assert_eq!(read(&folder, "a.yaml"), only);
    assert_eq!(read(&folder, "b.yaml"), "scopes: []\n", "{}", ran.stderr);
    for message in ["a.yaml cannot be edited", "By hand: remove the alias alene"] {
        assert!(ran.stderr.contains(message), "{message}\n{}", ran.stderr);
    }
}

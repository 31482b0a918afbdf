//! Output of `validate` and `explain`: each format as a snapshot, JSON and SARIF against their schemas.

use std::path::Path;

use portvakt::history;
use serde_json::Value;
use tempfile::TempDir;

use crate::commands::formats;
use crate::readme::{ROOT, copy};
use crate::world::{Ran, program};

const SETTINGS: &str = "organization: { orgno: \"889640782\", name: Etaten }\n\
                        prefixes: [etat]\n\
                        environments:\n  \
                          sandbox: { target: sandbox }\n  \
                          test:\n    \
                            target: test\n    \
                            credentials:\n      \
                              client_id: { env: CLIENT }\n      \
                              key: { env: KEY }\n      \
                              kid: { env: KID }\n";

struct Repository(TempDir);

impl Repository {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let repository = Self(TempDir::new().unwrap());
        repository.write("portvakt.yaml", SETTINGS);
        for (file, bytes) in files {
            repository.write(file, bytes);
        }
        repository
    }

    fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(program().args(args).current_dir(self.0.path()))
    }

    fn validate(&self, args: &[&str]) -> Ran {
        let ran = self.run(&[&["validate"], args].concat());
        assert_eq!(ran.stderr, "", "{}", ran.stdout);
        ran
    }
}

/// Mistakes of many kinds in files of many kinds.
fn mistakes() -> Repository {
    let long = format!(
        "scopes: [{{ name: etat:lang, description: \"{}\", visibility: public }}]\n",
        "blåbær ".repeat(700)
    );
    Repository::new(&[
        (
            "a,b:c.yaml",
            b"scopes:\n  - name: etat:a\n    description: Les\n  \
              - { name: etat:a, description: Les }\n",
        ),
        ("b/b.yaml", b"scopes:\n  - { description: Les, name: etat:a }\n"),
        ("bom.yaml", b"\xef\xbb\xbfscope: []\n"),
        ("crlf.yaml", b"# to linjer\r\nscopes:\r\n  - { name: etat:crlf }\r\n"),
        (
            "hostile.yaml",
            "scopes:\n  - { name: \"etat:\u{202e}##[error]\", description: \"\u{202e}::x ##[y]\", \
             visibility: \u{2067}public }\n"
                .as_bytes(),
        ),
        ("latin1.yaml", b"# bl\xe5b\xe6r\nscopes: []\n"),
        ("long.yaml", long.as_bytes()),
        (
            "norsk.yaml",
            "scopes: [{ name: etat:å, description: «blåbær» 日本, visibility: public }]\n"
                .as_bytes(),
        ),
        ("tabs.yaml", b"scopes:\n\t- { name: etat:a }\n"),
    ])
}

#[test]
fn mistakes_as_text() {
    let ran = mistakes().validate(&[]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn mistakes_as_json() {
    let ran = mistakes().validate(&["--format", "json"]);
    assert_eq!(ran.code, 3);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_valid("schema/diagnostics.schema.json", &found);
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn mistakes_as_sarif() {
    let ran = mistakes().validate(&["--format", "sarif"]);
    assert_eq!(ran.code, 3);
    let mut log = sarif(&ran);
    let driver = &log["runs"][0]["tool"]["driver"];
    assert_eq!(driver["version"], env!("CARGO_PKG_VERSION"));
    for result in log["runs"][0]["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(driver["rules"][index]["id"], result["ruleId"]);
    }
    let driver = &mut log["runs"][0]["tool"]["driver"];
    driver["version"] = "<version>".into();
    driver["rules"].as_array_mut().unwrap().truncate(1);
    insta::assert_snapshot!(format!("{log:#}"));
}

#[test]
fn mistakes_on_github() {
    let ran = mistakes().validate(&["--format", "github"]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(ran.stdout);
}

/// A valid SARIF log. The schema is by OASIS, who permit copying it, in the version of the crate serde-sarif
/// 0.8.0 (MIT), `src/schema.json`.
fn sarif(ran: &Ran) -> Value {
    let log = serde_json::from_str(&ran.stdout).unwrap();
    assert_valid("tests/sarif-schema-2.1.0.json", &log);
    log
}

fn assert_valid(schema: &str, value: &Value) {
    let schema = std::fs::read_to_string(Path::new(ROOT).join(schema)).unwrap();
    // SARIF's pattern of a language has a superfluous bracket and is not a regular expression of ECMA 262.
    let schema = serde_json::from_str(&schema.replace("{2}]?$", "{2}?$")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}

#[test]
fn nothing_steers_the_terminal_in_any_format() {
    let repository = mistakes();
    repository.write("\u{202e}##[error]::x\u{1b}[2J.yaml", "scope: []\n");
    for format in &formats("validate") {
        let printed = repository.validate(&["--format", format]).stdout;
        assert!(printed.contains("error"), "{printed}");
        assert!(!printed.contains(['\u{1b}', '\u{202e}', '\u{2067}']), "{printed}");
        let is_command = |line: &str| {
            let starts = line.trim_start().starts_with("::");
            (starts && format != "github") || line.contains("##[")
        };
        assert!(!printed.lines().any(is_command), "{printed}");
    }
}

#[test]
fn what_is_right_is_counted() {
    let repository = Repository::new(&[]);
    let expected =
        [("text", "OK: 0 scopes, 0 clients in 0 files\n"), ("json", "[]\n"), ("github", "")];
    for (format, expected) in expected {
        let ran = repository.validate(&["--format", format]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, expected), "{format}");
    }
    let ran = repository.validate(&["--format", "sarif"]);
    assert_eq!(ran.code, 0);
    assert_eq!(sarif(&ran)["runs"][0]["results"], Value::Array(Vec::new()));
}

/// Warnings for all environments, and one for a single environment.
fn warnings() -> Repository {
    let yaml = "scopes:\n  \
                  - name: etat:everywhere\n    \
                    description: Les\n    \
                    accessible_for_all: true\n    \
                    consumers: [\"313367002\"]\n  \
                  - name: etat:test\n    \
                    description: Les\n    \
                    consumers: [\"313367002\"]\n    \
                    per_environment: { test: { accessible_for_all: true } }\n";
    Repository::new(&[("a.yaml", yaml.as_bytes())])
}

#[test]
fn a_warning_is_denied_where_asked_for() {
    let repository = warnings();
    let ran = repository.validate(&[]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("warning[PV121]: "), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\n\n2 warnings in 1 file\n"), "{}", ran.stdout);
    assert_eq!(repository.validate(&["--deny-warnings"]).code, 3);
    assert_eq!(Repository::new(&[]).validate(&["--deny-warnings"]).code, 0);
}

#[test]
fn one_environment_is_validated_where_asked_for() {
    let repository = warnings();
    for (environment, count) in
        [("sandbox", "1 warning"), ("test", "2 warnings"), ("", "2 warnings")]
    {
        let ran = repository.validate(&["-e", environment]);
        assert!(ran.stdout.ends_with(&format!("\n\n{count} in 1 file\n")), "{}", ran.stdout);
        let mut command = program();
        command
            .args(["validate"])
            .env("PORTVAKT_ENV", environment)
            .current_dir(repository.0.path());
        assert_eq!(Ran::of(&mut command).stdout, ran.stdout);
    }
    let ran = repository.run(&["validate", "-e", "tset"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (64, ""));
    assert!(ran.stderr.contains("did you mean `test`?"), "{}", ran.stderr);
}

#[test]
fn no_repository_is_wrong_usage() {
    let ran = Ran::of(program().args(["-C", "/", "validate"]));
    assert_eq!((ran.code, ran.stdout.as_str()), (64, ""));
}

#[test]
fn secrets_are_shown_in_no_format() {
    let key = "M1Ie".repeat(20);
    let literal = SETTINGS.replace("key: { env: KEY }", "key: hemmelig");
    let misplaced = SETTINGS.replace("    credentials:\n", "").replace("{ env: KEY }", "hemmelig");
    let unknown = SETTINGS.replace("      kid:", "      kidd: hemmelig\n      kid:");
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{key}\nhemmelig=\n-----END PRIVATE KEY-----");
    let broken = SETTINGS.replace("{ env: KEY }", &format!("|\n{pem}\n"));
    let settings = [literal, misplaced, unknown, broken];
    let declared = [
        format!("scopes:\n  - {{ name: etat:a, description: Les, x: {key} }}\n"),
        format!("{pem}\n"),
    ];
    let all = settings.iter().map(|text| ("portvakt.yaml", text));
    for (file, text) in all.chain(declared.iter().map(|text| ("a.yaml", text))) {
        let repository = Repository::new(&[(file, text.as_bytes())]);
        for format in &formats("validate") {
            let ran = repository.validate(&["--format", format]);
            assert_eq!(ran.code, 3, "{text}");
            assert!(!ran.stdout.contains("hemmelig"), "{}", ran.stdout);
            assert!(!ran.stdout.contains("M1IeM1Ie"), "{}", ran.stdout);
        }
        let plan = repository.run(&["-e", "test", "plan"]);
        assert_eq!(plan.code, 3);
        assert!(!plan.stderr.contains("hemmelig"), "{}", plan.stderr);
    }
}

#[test]
fn plan_shows_what_validate_shows() {
    let repository = mistakes();
    let plan = repository.run(&["-e", "test", "plan"]);
    assert_eq!((plan.code, plan.stdout.as_str()), (3, ""));
    assert_eq!(plan.stderr, repository.validate(&["-e", "test"]).stdout);
}

#[test]
fn paths_are_those_of_the_git_work_tree() {
    let folder = TempDir::new().unwrap();
    let below = folder.path().join("æ b/etat");
    copy(&Path::new(ROOT).join("examples/etat"), &below);
    std::fs::write(below.join("a.yaml"), "scope: []\n").unwrap();
    let printed = |format| {
        let args = ["validate", "--format", format];
        Ran::of(program().args(args).current_dir(&below))
    };
    assert_eq!(history::prefix(&below), "");
    assert!(printed("github").stdout.contains(" file=a.yaml,"));
    let git =
        std::process::Command::new("git").args(["init", "-q"]).current_dir(folder.path()).status();
    assert!(git.unwrap().success());
    assert_eq!(history::prefix(folder.path()), "");
    assert_eq!(history::prefix(&below), "æ b/etat/");
    assert!(printed("github").stdout.contains(" file=æ b/etat/a.yaml,"));
    let log = sarif(&printed("sarif"));
    let location = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "%C3%A6%20b/etat/a.yaml");
}

#[test]
fn a_code_is_explained() {
    let explained = |code: &[&str]| Ran::of(program().arg("explain").args(code));
    insta::assert_snapshot!(explained(&["pv104"]).stdout, @r#"
    error[PV104]: An alias is declared nowhere.

    A consumer is named by an alias that no file declares under consumers. Declare it, correct it, or write the organisation number in quotes.

    Wrong, a file with declarations:

        consumers:
          skatteetaten: { orgno: "974761076" }
        scopes:
          - { name: etat:les, description: Les, consumers: [skattetaten] }

    Right, a file with declarations:

        consumers:
          skatteetaten: { orgno: "974761076" }
        scopes:
          - { name: etat:les, description: Les, consumers: [skatteetaten] }
    "#);
    insta::assert_snapshot!(explained(&["PV302"]).stdout, @"
    blocked[PV302]: `guards.protect` in portvakt.yaml forbids the deactivation.

    The scope stays as it is, and the rest of the plan goes on. If it shall be deactivated after all, remove it from `guards.protect` in a change of its own; --override-guards does not lift this.
    ");
    let unknown = explained(&["PV1O4"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (64, ""));
    insta::assert_snapshot!(unknown.stderr, @"error: there is no code `PV1O4`; did you mean PV104? `portvakt explain` and docs/diagnostics.md list them all");
    let all = explained(&[]).stdout;
    for line in all.lines() {
        let code = line.split(' ').next().unwrap();
        assert_eq!(explained(&[code]).code, 0, "{line}");
    }
    assert!(all.contains("PV001  error ") && all.contains("PV503  limit "), "{all}");
}

/// `UPDATE_DOCS=1 cargo test` writes the current text.
#[test]
fn the_page_on_diagnostics_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diagnostics.md");
    let wanted = portvakt::render::page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == wanted, "{path}: UPDATE_DOCS=1 cargo test");
}

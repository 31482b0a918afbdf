//! The hooks for pre-commit are commands of the program.

use std::path::Path;

use serde::Deserialize;
use tempfile::TempDir;

use crate::readme::{ROOT, copy};
use crate::world::{Ran, program};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hook {
    id: String,
    name: String,
    description: String,
    entry: String,
    language: String,
    files: String,
    pass_filenames: bool,
}

fn hooks() -> Vec<Hook> {
    let text = std::fs::read_to_string(format!("{ROOT}/.pre-commit-hooks.yaml")).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

/// Runs a hook's command as pre-commit does.
fn run(hook: &Hook, folder: &Path) -> Ran {
    let mut words = hook.entry.split(' ');
    assert_eq!(words.next(), Some("portvakt"));
    Ran::of(program().args(words).current_dir(folder))
}

#[test]
fn they_are_what_they_say() {
    let hooks = hooks();
    let ids: Vec<_> = hooks.iter().map(|hook| hook.id.as_str()).collect();
    assert_eq!(ids, ["portvakt-validate", "portvakt-fix"]);
    for Hook { name, description, entry, language, files, pass_filenames, .. } in &hooks {
        assert_eq!((name, language.as_str(), *pass_filenames), (entry, "system", false));
        assert!(description.ends_with('.'), "{description}");
        let files = regex::Regex::new(files).unwrap();
        for file in ["portvakt.yaml", "teams/arbeid/aareg.yml"] {
            assert!(files.is_match(file), "{file}");
        }
        assert!(!files.is_match("yaml.md"));
    }
}

#[test]
fn they_accept_and_refuse_a_commit() {
    let right = TempDir::new().unwrap();
    copy(&Path::new(ROOT).join("examples/etat"), right.path());
    let file = right.path().join("teams/arbeid/aareg.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let wrong = text.replace("visibility: PRIVATE", "visibility: private");
    for hook in hooks() {
        let ran = run(&hook, right.path());
        assert!(ran.code == 0 && ran.stdout.starts_with("OK: "), "{}: {}", hook.id, ran.stdout);
        std::fs::write(&file, &wrong).unwrap();
        let fixes = hook.id == "portvakt-fix";
        let ran = run(&hook, right.path());
        // pre-commit itself refuses a commit when a hook has changed a file.
        assert_eq!(ran.code, if fixes { 0 } else { 3 }, "{}", ran.stdout);
        let now = std::fs::read_to_string(&file).unwrap();
        assert_eq!(now, if fixes { &text } else { &wrong }.as_str());
        std::fs::write(&file, &text).unwrap();
    }
}

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
    files: Option<String>,
    #[serde(default)]
    always_run: bool,
    pass_filenames: bool,
}

/// The hook that compares a file, with the arguments that a repository gives it.
const RENDER_CHECK: &str = "portvakt-render-check";
const RENDER_ARGS: [&str; 7] =
    ["istio", "--env", "prod", "--scope", "etat:arbeid*", "--check", "gateway/istio.yaml"];

fn hooks() -> Vec<Hook> {
    let text = std::fs::read_to_string(format!("{ROOT}/.pre-commit-hooks.yaml")).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

/// Runs a hook's command as pre-commit does.
fn run(hook: &Hook, args: &[&str], folder: &Path) -> Ran {
    let mut words = hook.entry.split(' ');
    assert_eq!(words.next(), Some("portvakt"));
    Ran::of(program().args(words).args(args).current_dir(folder))
}

#[test]
fn they_are_what_they_say() {
    let hooks = hooks();
    let ids: Vec<_> = hooks.iter().map(|hook| hook.id.as_str()).collect();
    assert_eq!(ids, ["portvakt-validate", "portvakt-fix", RENDER_CHECK]);
    for Hook { name, description, entry, language, files, always_run, pass_filenames, .. } in &hooks
    {
        assert_eq!((name, language.as_str(), *pass_filenames), (entry, "system", false));
        assert!(description.ends_with('.'), "{description}");
        // A hook without files would run for each file that is changed.
        assert_eq!(files.is_none(), *always_run, "{name}");
        let Some(files) = files else { continue };
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
    for hook in hooks().into_iter().filter(|hook| hook.id != RENDER_CHECK) {
        let ran = run(&hook, &[], right.path());
        assert!(ran.code == 0 && ran.stdout.starts_with("OK: "), "{}: {}", hook.id, ran.stdout);
        std::fs::write(&file, &wrong).unwrap();
        let fixes = hook.id == "portvakt-fix";
        let ran = run(&hook, &[], right.path());
        // pre-commit itself refuses a commit when a hook has changed a file.
        assert_eq!(ran.code, if fixes { 0 } else { 3 }, "{}", ran.stdout);
        let now = std::fs::read_to_string(&file).unwrap();
        assert_eq!(now, if fixes { &text } else { &wrong }.as_str());
        std::fs::write(&file, &text).unwrap();
    }
}

#[test]
fn a_commit_whose_policy_differs_from_the_declarations_is_refused() {
    let folder = TempDir::new().unwrap();
    copy(&Path::new(ROOT).join("examples/etat"), folder.path());
    std::fs::create_dir(folder.path().join("gateway")).unwrap();
    // As the pages show it.
    for page in [".pre-commit-hooks.yaml", "docs/rules.md"] {
        let shown = std::fs::read_to_string(format!("{ROOT}/{page}")).unwrap();
        let args =
            RENDER_ARGS.map(|arg| if arg.contains('*') { format!("{arg:?}") } else { arg.into() });
        assert!(shown.contains(&format!("args: [{}]", args.join(", "))), "{page}");
    }
    let hook = hooks().into_iter().find(|hook| hook.id == RENDER_CHECK).unwrap();
    let write = RENDER_ARGS.map(|arg| if arg == "--check" { "--out" } else { arg });
    assert_eq!(run(&hook, &write, folder.path()).code, 0);
    let ran = run(&hook, &RENDER_ARGS, folder.path());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let policy = folder.path().join("gateway/istio.yaml");
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, text.replace("etat:arbeid:aareg.read", "etat:arbeid:other.read"))
        .unwrap();
    let ran = run(&hook, &RENDER_ARGS, folder.path());
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("etat:arbeid:aareg.read"), "{}", ran.stdout);
    // Without arguments it says what it needs.
    assert_eq!(run(&hook, &[], folder.path()).code, 64);
}

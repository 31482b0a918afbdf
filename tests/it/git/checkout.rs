//! Commit of the declarations in a plan.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::readme::{ROOT, copy};
use crate::world::{Ran, program};

#[test]
fn an_embedded_sandbox_does_not_make_a_repository_dirty() {
    let folder = TempDir::new().unwrap();
    copy(&Path::new(ROOT).join("examples/etat"), folder.path());
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.invalid"];
        let ran = Command::new("git").args(identity).args(args).current_dir(folder.path()).output();
        assert!(ran.unwrap().status.success(), "git {args:?}");
    };
    let repository = || {
        let plan = ["-e", "sandbox", "plan", "--format", "json"];
        let ran = Ran::of(program().args(plan).current_dir(folder.path()));
        serde_json::from_str::<Value>(&ran.stdout).unwrap()["repository"].clone()
    };
    assert_eq!(repository(), Value::Null);
    git(&["init", "-q"]);
    assert_eq!(repository(), Value::Null, "there is no commit yet");
    git(&["add", "-A"]);
    git(&["commit", "-q", "-m", "Declare"]);
    assert_eq!(repository()["dirty"], false);
    std::fs::write(folder.path().join(".git/info/exclude"), "*.yaml\n").unwrap();
    std::fs::write(folder.path().join("local.yaml"), "consumers: {}\n").unwrap();
    assert_eq!(repository()["dirty"], true, "what git ignores is read all the same");
    std::fs::remove_file(folder.path().join("local.yaml")).unwrap();

    for hidden in ["--assume-unchanged", "--skip-worktree"] {
        git(&["update-index", hidden, "consumers.yaml"]);
        assert_eq!(repository()["dirty"], false, "{hidden}");
        let consumers = folder.path().join("consumers.yaml");
        let committed = std::fs::read_to_string(&consumers).unwrap();
        std::fs::write(&consumers, format!("{committed}# lokalt\n")).unwrap();
        assert_eq!(repository()["dirty"], true, "{hidden} hides no change");
        std::fs::write(&consumers, committed).unwrap();
        git(&["update-index", &hidden.replacen("--", "--no-", 1), "consumers.yaml"]);
    }
}

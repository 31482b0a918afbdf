//! Nothing of the checkout is run, and only changes of the folder concern portvakt.

use std::fs;

use tempfile::TempDir;

use super::stage::{DIGEST, Stage, TOKEN, executable};
use super::{GITLAB, PULL_REQUEST};
use crate::git::remote::git;
use crate::init::templates::script;

/// A program, settings of cargo and of rustup, and files that a shell or git would run: everything that a
/// pull request can add to be run in place of the program, or by its build.
fn with_traps(stage: &Stage) {
    let work = stage.folder.path().join("work");
    git(&work, &["init", "--quiet", "-b", "main"]);
    const TRAP: &str = "#!/bin/sh\necho trapped >> \"$HERE/calls\"\n";
    for file in [
        ".portvakt/bin/portvakt",
        "portvakt",
        "bin/portvakt",
        "cargo",
        "git",
        "hooks/post-checkout",
        ".bashrc",
        ".profile",
    ] {
        executable(&work.join(file), TRAP);
    }
    stage.write("work/.cargo/config.toml", "[build]\nrustc-wrapper = \"./cargo\"\n");
    stage.write("work/rust-toolchain.toml", "[toolchain]\npath = \".\"\n");
    git(&work, &["add", "-A"]);
    git(&work, &["commit", "--quiet", "-m", "Traps"]);
}

#[test]
fn the_program_is_built_and_run_outside_of_the_checkout() {
    let hostile = [("RUSTC_WRAPPER", "./cargo"), ("CARGO_HOME", "/cargo"), ("PORTVAKT_KEY", TOKEN)];
    for (file, step, builds) in
        [("action.yml", "Look for portvakt", false), ("action.yml", "Build portvakt", true)]
    {
        let root = TempDir::new().unwrap();
        let root = root.path().to_str().unwrap();
        let mut stage = Stage::new(
            &[
                &hostile[..],
                &[("ROOT", root), ("HOME", "/nonexistent"), ("SOURCE", "https://x"), ("TAG", "v1")],
            ]
            .concat(),
        );
        with_traps(&stage);
        if step == "Build portvakt" {
            // As with `working-directory`.
            let work = stage.folder.path().join("work");
            fs::rename(&work, stage.folder.path().join("checkout")).unwrap();
            fs::create_dir(&work).unwrap();
        }
        stage.answer("portvakt", 0, "");
        let ran = stage.run(&script(file, step));
        assert_eq!(ran.code, 0, "{file} {step}: {}{}", ran.stdout, ran.stderr);
        let calls = stage.read("calls");
        assert!(!calls.contains("trapped"), "{file} {step}: {calls}");
        assert_eq!(calls.contains("install --locked"), builds, "{file} {step}: {calls}");
        for name in ["RUSTC_WRAPPER", "PORTVAKT_KEY"] {
            assert!(!calls.contains(name), "{file} {step}: {calls}");
        }
        if builds {
            assert!(calls.contains("CARGO_HOME"), "{file} {step}: {calls}");
        }
    }
}

#[test]
fn a_program_of_the_checkout_is_never_run() {
    // GitHub: even where somebody has put it on the PATH.
    let stage = Stage::new(&[]);
    with_traps(&stage);
    let looks = script("action.yml", "Look for portvakt");
    for path in ["$GITHUB_WORKSPACE/bin", "bin"] {
        let ran = stage.run(&format!("PATH=\"{path}:$PATH\"\n{looks}"));
        assert_eq!((ran.code, stage.read("calls").as_str()), (1, ""), "{path}: {}", ran.stdout);
    }
    // GitLab: no committed file is in the place of what a job leaves.
    let before = script(GITLAB, ".portvakt-job") + "\nportvakt plan";
    for committed in [None, Some("portvakt-out/test/digest")] {
        let mut stage = Stage::new(&[("PORTVAKT_ENV", "test")]);
        with_traps(&stage);
        let work = stage.folder.path().join("work");
        if let Some(file) = committed {
            stage.write(&format!("work/{file}"), DIGEST);
            git(&work, &["add", "-A"]);
            git(&work, &["commit", "--quiet", "-m", "Trap"]);
        }
        stage.answer("portvakt plan", 0, "");
        let ran = stage.run(&before);
        let expected = if committed.is_none() { (0, "portvakt plan\n") } else { (1, "") };
        let calls = stage.read("calls");
        assert_eq!((ran.code, calls.as_str()), expected, "{committed:?}: {}", ran.stderr);
    }
    // Where the commit cannot be read, nothing runs either.
    let stage = Stage::new(&[("PORTVAKT_ENV", "test"), ("GIT_CEILING_DIRECTORIES", "/")]);
    assert_ne!(stage.run(&before).code, 0);
    assert_eq!(stage.read("calls"), "");
}

#[test]
fn only_a_change_of_the_folder_concerns_portvakt() {
    let stage = Stage::new(&[]);
    let work = stage.folder.path().join("work");
    git(&work, &["init", "--quiet", "-b", "main"]);
    let commit = |file: &str, text: &str| {
        stage.write(&format!("work/{file}"), text);
        git(&work, &["add", "-A"]);
        git(&work, &["commit", "--quiet", "-m", file]);
    };
    commit("tilgang/a.yaml", "a: 1\n");
    let look = script(PULL_REQUEST, "Look for changes of the declarations");
    let concerned = |event: &str, folder: &str, base: &str| {
        stage.write("output", "");
        let ran = stage.run(&format!("EVENT={event} FOLDER={folder} QUEUED_ON={base}\n{look}"));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        stage.read("output")
    };
    commit("kode/b.rs", "b\n");
    for (event, folder, expected) in [
        ("pull_request", "tilgang", false),
        ("pull_request", ".", true),
        ("workflow_dispatch", "tilgang", true),
    ] {
        let shown = format!("concerned={expected}\n");
        assert_eq!(concerned(event, folder, ""), shown, "{event} {folder}");
    }
    commit("LESMEG.MD", "c\n");
    assert_eq!(concerned("pull_request", ".", ""), "concerned=false\n");
    // A queue has several commits; one that cannot be compared counts.
    assert_eq!(concerned("merge_group", "tilgang", "HEAD~2"), "concerned=false\n");
    assert_eq!(concerned("merge_group", "kode", "HEAD~2"), "concerned=true\n");
    assert_eq!(concerned("merge_group", "tilgang", "4f2a4f2a"), "concerned=true\n");
    commit("tilgang/a.yaml", "a: 2\n");
    assert_eq!(concerned("pull_request", "tilgang", ""), "concerned=true\n");
}

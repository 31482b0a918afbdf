//! The steps of the action that run the program.

use std::fs;

use super::stage::{DIGEST, Stage, executable};
use crate::init::templates::script;
use crate::programs::has;

#[test]
fn the_action_plans_applies_and_looks_for_drift() {
    if !has("jq", "the steps of the action") {
        return;
    }
    let action = |stage: &Stage, step: &str| stage.run(&script("action.yml", step));
    for (code, ended, pending) in [(0, 0, "false"), (2, 0, "true"), (3, 3, "")] {
        let mut stage = Stage::new(&[("DIRECTORY", "."), ("SNAPSHOT", "a file.json")]);
        // The file to save exists already, as the substitute saves none.
        executable(&stage.folder.path().join("bin/mktemp"), "#!/bin/sh\necho \"$OUT\"\n");
        stage.write("out/plan.json", &format!(r#"{{"digest": "{DIGEST}"}}"#));
        stage.answer("portvakt -C . plan", code, "# Plan\n");
        let ran = action(&stage, "Plan");
        assert_eq!(ran.code, ended, "{}", ran.stderr);
        assert!(stage.read("calls").ends_with("/out/plan.json --snapshot a file.json\n"));
        let output = stage.read("output");
        if code == 3 {
            assert_eq!(output, "");
        } else {
            let file = stage.folder.path().join("out/plan.json");
            let message = format!("digest={DIGEST}\npending={pending}\n");
            assert_eq!(output, format!("file={}\n{message}", file.display()));
            assert_eq!(stage.read("summary"), "# Plan\n");
        }
    }
    for (code, message) in
        [(0, ""), (4, "Refused"), (5, "Somebody else"), (6, "in part"), (1, "went wrong")]
    {
        let mut stage =
            Stage::new(&[("DIRECTORY", "."), ("EXPECT", DIGEST), ("OVERRIDE_GUARDS", "$(id) why")]);
        stage.answer("portvakt", code, "");
        executable(&stage.folder.path().join("bin/mktemp"), "#!/bin/sh\necho \"$OUT\"\n");
        let ran = action(&stage, "Apply");
        assert_eq!(ran.code, code);
        assert!(ran.stdout.contains(message), "{}", ran.stdout);
        let report = stage.folder.path().join("out/report.json");
        let report = report.display();
        let line = format!(
            "portvakt -C . apply --report {report} --auto-approve --expect {DIGEST} --override-guards \
             $(id) why\n"
        );
        assert_eq!((stage.read("calls"), stage.read("output").as_str()), (line, ""));
        // The result is in the summary, whatever it is.
        stage.write("out/report.json", "{}");
        stage.write("calls", "");
        stage.answers = 0;
        stage.answer("portvakt show --format markdown", 0, "## portvakt: applied\n");
        stage.answer("portvakt", code, "");
        assert_eq!(action(&stage, "Apply").code, code);
        assert_eq!(stage.read("summary"), "## portvakt: applied\n");
        assert_eq!(stage.read("output"), format!("file={report}\n"));
    }
    // Without a digest nothing is approved, and the message says what to run.
    for (code, message) in [(0, ""), (4, "apply it with its digest")] {
        let mut stage = Stage::new(&[("DIRECTORY", "."), ("EXPECT", "")]);
        stage.answer("portvakt", code, "");
        let ran = action(&stage, "Apply");
        assert_eq!(ran.code, code);
        assert!(ran.stdout.contains(message), "{}", ran.stdout);
        assert!(!stage.read("calls").contains("--auto-approve"));
    }
    let mut stage = Stage::new(&[("DIRECTORY", "."), ("DUE", "true")]);
    stage.answer("portvakt", 0, "");
    assert_eq!(action(&stage, "Apply").code, 0);
    assert!(stage.read("calls").ends_with(" --auto-approve --due\n"), "{}", stage.read("calls"));
    for wrong in ["sha256:1", "--override-guards"] {
        let stage = Stage::new(&[("DIRECTORY", "."), ("EXPECT", wrong)]);
        assert_eq!(action(&stage, "Apply").code, 64);
        assert_eq!(stage.read("calls"), "");
    }
    for (code, ended, drifted) in [(0, 0, "false"), (2, 0, "true"), (1, 1, "")] {
        let mut stage = Stage::new(&[("DIRECTORY", ".")]);
        stage.answer("portvakt -C . drift --format markdown", code, "# Drift\n");
        assert_eq!(action(&stage, "Look for drift").code, ended);
        let output = stage.read("output");
        match code {
            1 => assert_eq!(output, ""),
            _ => assert!(output.ends_with(&format!("/drift.md\ndrifted={drifted}\n")), "{output}"),
        }
    }
    for (code, ended, expiring) in [(0, 0, "false"), (2, 0, "true"), (1, 1, "")] {
        let mut stage = Stage::new(&[("DIRECTORY", "."), ("EXPIRING", "30d")]);
        stage.answer("portvakt -C . keys list --expiring 30d", code, "<b>\n");
        assert_eq!(action(&stage, "Look for keys that expire").code, ended);
        let output = stage.read("output");
        match code {
            1 => assert_eq!(output, ""),
            _ => assert!(output.ends_with(&format!("/keys.md\nexpiring={expiring}\n")), "{output}"),
        }
        if code == 2 {
            assert!(stage.read("summary").ends_with("\n\n    <b>\n"));
        }
    }
    let mut stage = Stage::new(&[("DIRECTORY", ".")]);
    stage.answer("--format sarif", 3, "{}");
    stage.answer("--format markdown", 3, "| table |\n");
    stage.answer("--format github", 3, "::error::x\n");
    let ran = action(&stage, "Validate");
    assert_eq!(stage.read("summary"), "| table |\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, "::error::x\n"));
    let file = stage.read("output");
    let file = file.trim().strip_prefix("file=").unwrap();
    assert_eq!(fs::read_to_string(file).unwrap(), "{}");
    // Nothing is written through a file in the checkout, or into the checkout.
    assert_eq!(fs::read_dir(stage.folder.path().join("work")).unwrap().count(), 0);
}

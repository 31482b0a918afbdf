//! The steps of the action, and where the program comes from.

use std::fs;

use super::AZURE_INSTALL;
use super::stage::{DIGEST, Stage, TOKEN, executable};
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
    for (code, output) in [(0, ""), (4, "due=true\n")] {
        let mut stage = Stage::new(&[("DIRECTORY", "."), ("DUE", "look")]);
        stage.answer("portvakt", code, "");
        assert_eq!(action(&stage, "Apply").code, 0);
        assert_eq!(stage.read("output"), output);
        assert!(!stage.read("calls").contains("--auto-approve"));
    }
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

/// Unpacks a program of this name in the place of an archive.
const TAR: &str = "#!/bin/sh\nmkdir -p \"$4/portvakt-0.1.0\"\n\
    cp \"$HERE/bin/portvakt\" \"$4/portvakt-0.1.0/portvakt\"\n";
/// Fetches a release from anywhere: an archive that is text, and the checksums in `SUMS`.
const RELEASE: &str = "#!/bin/sh\necho \"curl $*\" >> \"$HERE/calls\"\nwhile [ \"$1\" != --output ]; do shift; done\n\
    case $3 in */SHA256SUMS) echo \"$SUMS\" > \"$2\" ;; *) echo archive > \"$2\" ;; esac\n";
/// The checksum of that archive.
const CHECKSUM: &str = "371e16ce98051a3ea7af3eaef8b87d69033154fb5bb33da349d611f0fae061d6";

#[test]
fn the_action_installs_only_a_release_that_is_proven() {
    const ARCHIVE: &str = "portvakt-x86_64-unknown-linux-musl.tar.gz";
    let (github, mirror) = ("https://github.com", "https://mirror.example/portvakt/");
    let listed = |checksum: &str| format!("{checksum}  {ARCHIVE}");
    let other = listed(&"1".repeat(64));
    let unlisted = format!("{CHECKSUM}  other-{ARCHIVE}");
    for (sums, mirror, server, attested, installed) in [
        (&listed(CHECKSUM), "", github, Some(0), true),
        (&listed(CHECKSUM), "", github, Some(1), false),
        (&listed(CHECKSUM), "", "https://ghes.example", None, true),
        (&listed(CHECKSUM), mirror, github, None, true),
        (&other, mirror, github, None, false),
        (&unlisted, "", github, None, false),
    ] {
        let mut stage = Stage::new(&[
            ("VERSION", "0.1.0"),
            ("ARCHIVE", ARCHIVE),
            ("MIRROR", mirror),
            ("REPOSITORY", "etat/portvakt"),
            ("SERVER", server),
            ("GH_TOKEN", TOKEN),
            ("SUMS", sums),
        ]);
        executable(&stage.folder.path().join("bin/tar"), TAR);
        executable(&stage.folder.path().join("bin/curl"), RELEASE);
        if let Some(code) = attested {
            stage.answer("gh attestation verify", code, "");
        }
        let ran = stage.run(&script("action.yml", "Fetch the release"));
        assert_eq!(ran.code, i32::from(!installed), "{sums}: {}{}", ran.stdout, ran.stderr);
        let program = stage.folder.path().join("temp/portvakt/bin/portvakt");
        assert_eq!(program.exists(), installed);
        let calls = stage.read("calls");
        let from = match mirror {
            "" => "https://github.com/etat/portvakt/releases/download/v0.1.0/",
            mirror => mirror,
        };
        assert!(calls.contains(&format!(" {from}{ARCHIVE}\n")), "{calls}");
        assert_eq!(calls.contains("gh attestation verify"), attested.is_some(), "{calls}");
        if attested.is_some() {
            let proof = "--repo etat/portvakt --signer-workflow \
                         etat/portvakt/.github/workflows/release.yml --source-ref refs/tags/v0.1.0";
            assert!(calls.contains(proof), "{calls}");
        }
        stage.keeps_the_token();
    }
    // Without a mirror and without a repository there is nowhere to fetch it from.
    let stage = Stage::new(&[("VERSION", "0.1.0"), ("ARCHIVE", ARCHIVE), ("REPOSITORY", "")]);
    let ran = stage.run(&script("action.yml", "Fetch the release"));
    assert_eq!((ran.code, stage.read("calls").as_str()), (1, ""), "{}", ran.stdout);
    assert!(ran.stdout.contains("'build: true'"), "{}", ran.stdout);
}

#[test]
fn azure_installs_only_what_has_its_checksum() {
    let archive = format!("portvakt-{}-unknown-linux-musl.tar.gz", std::env::consts::ARCH);
    for (checksum, code) in [(CHECKSUM.to_owned(), 0), ("1".repeat(64), 1)] {
        let stage = Stage::new(&[("RELEASE", "https://mirror.example")]);
        let root = stage.folder.path().join("root");
        // As curl does with --remote-name-all.
        let fetch = format!(
            "#!/bin/sh\necho archive > {archive}\necho '{checksum}  {archive}' > SHA256SUMS\n"
        );
        executable(&stage.folder.path().join("bin/curl"), &fetch);
        executable(&stage.folder.path().join("bin/tar"), "#!/bin/sh\necho unpacked > unpacked\n");
        let install = script(AZURE_INSTALL, "Install portvakt");
        let ran = stage.run(&format!("ROOT={}\n{install}", root.display()));
        assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(root.join("unpacked").exists(), code == 0);
    }
}

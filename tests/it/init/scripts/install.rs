//! Where the program comes from: only a release that is proven is installed.

use std::fs;

use super::AZURE_INSTALL;
use super::stage::{Stage, TOKEN, executable};
use crate::init::templates::script;
use crate::readme::ROOT;

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
    let right = listed(CHECKSUM);
    let (required, possible) = ("required", "if-possible");
    for (sums, mirror, server, attestation, attested, installed) in [
        (&right, "", github, possible, Some(0), true),
        (&right, "", github, possible, Some(1), false),
        (&right, "", "https://ghes.example", possible, None, true),
        (&right, mirror, github, possible, None, true),
        (&right, "", github, required, Some(0), true),
        (&right, "", "https://ghes.example", required, None, false),
        (&right, mirror, github, required, None, false),
        // A word that is misspelt is taken for the stricter one.
        (&right, mirror, github, "if possible", None, false),
        (&other, mirror, github, possible, None, false),
        (&unlisted, "", github, possible, None, false),
    ] {
        let mut stage = Stage::new(&[
            ("VERSION", "0.1.0"),
            ("ARCHIVE", ARCHIVE),
            ("MIRROR", mirror),
            ("REPOSITORY", "etat/portvakt"),
            ("SERVER", server),
            ("ATTESTATION", attestation),
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
        // What is installed without proof is in the list of warnings of the run.
        let warns = ran.stdout.contains("::warning::The attestation of");
        assert_eq!(warns, installed && attested.is_none(), "{}", ran.stdout);
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

/// By the README's own lines: no copy is installed that is broken or not proven.
#[test]
fn the_readme_installs_only_a_release_that_is_proven() {
    let readme = fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let block =
        readme.split("```sh\n").find(|block| block.starts_with("archive=portvakt-")).unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let archive = format!("portvakt-{}-unknown-linux-musl.tar.gz", std::env::consts::ARCH);
    assert!(readme.contains(&format!("`{archive}`")), "{readme}");
    // As curl does with --remote-name-all.
    let fetch = format!(
        "#!/bin/sh\necho \"curl $*\" >> \"$HERE/calls\"\nmkdir portvakt-0.1.0\necho program > portvakt-0.1.0/portvakt\n\
         tar -czf {archive} portvakt-0.1.0\nsha256sum {archive} > SHA256SUMS\n[ -z \"$BROKEN\" ] || echo more >> {archive}\n\
         echo \"$OTHER  other.tar.gz\" >> SHA256SUMS\nrm -r portvakt-0.1.0\n"
    );
    for (broken, proven, installed) in [("", 0, true), ("yes", 0, false), ("", 1, false)] {
        let mut stage = Stage::new(&[("BROKEN", broken), ("OTHER", &"1".repeat(64))]);
        let home = stage.folder.path().join("home");
        stage.environment.insert("HOME".to_owned(), home.to_str().unwrap().to_owned());
        executable(&stage.folder.path().join("bin/curl"), &fetch);
        stage.answer("gh attestation verify", proven, "");
        let ran = stage.run(block);
        assert_eq!(ran.code == 0, installed, "{broken} {proven}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(home.join(".local/bin/portvakt").exists(), installed, "{broken} {proven}");
        let fetched = stage.read("calls");
        let from = format!("https://github.com/OWNER/NAME/releases/download/v0.1.0/{archive}");
        assert!(fetched.contains(&from), "{fetched}");
    }
}

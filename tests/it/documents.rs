//! Plans and reports that were saved by earlier versions: they can be read, and equal actions still have the
//! same digest.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::formats;
use crate::readme::{ROOT, copy};
use crate::world::{Ran, program};

/// The files, and the digests of the plans in them.
const SAVED: [(&str, &str); 13] = [
    ("empty", "sha256:a1ab9f562c5dec5e7ea55f4946370f2683886e0b2a58857dbdb13b5955057908"),
    ("first", FIRST),
    ("first-report", FIRST),
    ("mixed", "sha256:95e22c34f6fb9ac5b94e739193a7015d35275acb41baad505ee8fb91e1cb1af2"),
    ("partial-report", "sha256:95e22c34f6fb9ac5b94e739193a7015d35275acb41baad505ee8fb91e1cb1af2"),
    ("pause", "sha256:47dbe737ba74223bba55a6f24c28f746056e22fd008eeec2e9388ba76c2dc817"),
    ("done-report", "sha256:47dbe737ba74223bba55a6f24c28f746056e22fd008eeec2e9388ba76c2dc817"),
    ("rollback", "sha256:b8af1cc25f9f532723a37541af8afc873cfeaa80c2feefb278ba401a1b773194"),
    ("rollback-report", "sha256:b8af1cc25f9f532723a37541af8afc873cfeaa80c2feefb278ba401a1b773194"),
    ("unknown", "sha256:a70adf254448d64fa12ec390e399aed7436b1e3e5eb9c90b2cc16d491099af9e"),
    ("nais", "sha256:e05c65d10110db6dde953578a4138f0b70b9a3f7ff7cc319564ea4450c2acaa0"),
    ("nais-report", "sha256:e05c65d10110db6dde953578a4138f0b70b9a3f7ff7cc319564ea4450c2acaa0"),
    ("nais-release", "sha256:6ef5ebb46d006a92472fcb0fac7b3c31db73e419e3b403a3a00c855ad2bb34ec"),
];

/// For everything in examples/etat, with an empty live state.
const FIRST: &str = "sha256:03fec991865a0c9a504132a3823fc67f9a941f30c4892bd3c3f95c9e437c15d9";

fn ran(args: &[&str]) -> String {
    let ran = Ran::of(program().args(args));
    assert_eq!(ran.code, 0, "{args:?}\n{}", ran.stderr);
    ran.stdout
}

#[test]
fn what_was_saved_before_is_read_as_it_was() {
    for (name, digest) in SAVED {
        let path = format!("{ROOT}/tests/documents/{name}.json");
        let saved = std::fs::read_to_string(&path).unwrap();
        let document: Value = serde_json::from_str(&saved).unwrap();
        assert_eq!(document["digest"], digest, "{name}");
        assert_eq!(ran(&["show", "--format", "json", &path]), saved, "{name}");
        for format in &formats("show") {
            assert!(!ran(&["show", "--format", format, &path]).is_empty(), "{name}");
        }
    }
}

#[test]
fn the_same_work_has_the_digest_that_it_had() {
    let folder = TempDir::new().unwrap();
    copy(&Path::new(ROOT).join("examples/etat"), folder.path());
    let repository = folder.path().to_string_lossy();
    let plan = ran(&["-C", &repository, "-e", "sandbox", "plan", "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&plan).unwrap()["digest"], FIRST);
}

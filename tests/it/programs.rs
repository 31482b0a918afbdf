//! Programs that some tests need and that not every machine has.

use std::io::Write as _;
use std::process::Command;

use crate::world::Ran;

/// Set by CI: a test that is left out fails.
const ALL: &str = "PORTVAKT_TEST_ALL";

/// Whether a program can be run; leaves the check out where it cannot.
pub(crate) fn has(program: &str, check: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skipped(check, &format!("there is no {program} on the PATH"));
    }
    found
}

/// Reports a check that is left out.
///
/// # Panics
/// All checks have to run.
pub(crate) fn skipped(check: &str, why: &str) {
    let message = format!("SKIPPED: {check}: {why} (.ci/run installs it)\n");
    let all = std::env::var(ALL).unwrap_or_default();
    assert!(all.is_empty(), "{message}{ALL} is set, which leaves no check out");
    say(&message);
}

/// Reports a check that is left out because of something that `.ci/run` does not install.
pub(crate) fn left_out(check: &str, why: &str) {
    say(&format!("SKIPPED: {check}: {why}\n"));
}

/// Writes directly to stderr, as the test runner hides the output of a passing test.
fn say(message: &str) {
    std::io::stderr().write_all(message.as_bytes()).unwrap();
}

#[test]
fn a_check_that_is_left_out_fails_where_all_have_to_run() {
    for (all, passes) in [("", true), ("1", false)] {
        let mut one = assert_cmd::Command::new(std::env::current_exe().unwrap());
        one.args(["--exact", "init::checked::workflows_satisfy_actionlint"]);
        let ran = Ran::of(one.env("PATH", "/nonexistent").env(ALL, all));
        assert_eq!(ran.code == 0, passes, "{}{}", ran.stdout, ran.stderr);
        let shown = ran.stdout + &ran.stderr;
        let why = "SKIPPED: the GitHub workflows: there is no actionlint on the PATH (.ci/run installs it)";
        assert!(shown.contains(why) && shown.contains("1 test"), "{shown}");
    }
}

//! A place where a script of a CI file runs, with substitutes for the host's programs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::world::Ran;

pub(super) const DIGEST: &str =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";
/// A token that must not be on any command line, or be sent to another host.
pub(super) const TOKEN: &str = "hemmelig-3f1c";

/// Records its arguments, and answers a call whose arguments contain a known text, through `--jq` where
/// requested. It refuses any other call.
const STAND_IN: &str = r#"#!/usr/bin/env bash
me=$(basename "$0")
echo "$me $*" >> "$HERE/calls"
filter=.
words=("$@")
for ((i = 0; i < ${#words[@]}; i++)); do
  case ${words[i]} in
    --jq) filter=${words[i+1]} ;;
    @-) sed 's/^/data /' >> "$HERE/calls" ;;
  esac
done
for answer in "$HERE"/answers/*.key; do
  if [[ "$me $*" == *"$(cat "$answer")"* ]]; then
    if [[ " $* " == *" --jq "* ]]; then jq -r "$filter" "${answer%.key}.value"; else cat "${answer%.key}.value"; fi
    exit "$(cat "${answer%.key}.code")"
  fi
done
exit 1
"#;

/// The real curl, with its arguments recorded and plain HTTP in place of HTTPS.
const CURL: &str = r#"#!/usr/bin/env bash
echo "curl $*" >> "$HERE/calls"
PATH=${PATH#"$HERE/bin:"} exec curl "${@//https/http}"
"#;

/// Substitute for cargo: "builds" a program, and records the folder and the environment.
const CARGO: &str = r#"#!/usr/bin/env bash
here=$(dirname "$(dirname "$0")")
{ echo "in $PWD"; env | cut -d = -f 1 | sort | tr '\n' ' '; echo "$*"; } >> "$here/calls"
while [[ $# -gt 0 && $1 != --root ]]; do shift; done
if [[ -n ${2-} ]]; then mkdir -p "$2/bin"; cp "$here/bin/portvakt" "$2/bin/portvakt"; fi
"#;

/// A place where a script runs.
pub(super) struct Stage {
    pub(super) folder: TempDir,
    pub(super) answers: usize,
    pub(super) environment: BTreeMap<String, String>,
}

impl Stage {
    pub(super) fn new(environment: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let here = folder.path();
        for made in ["bin", "answers", "work", "temp", "out"] {
            fs::create_dir(here.join(made)).unwrap();
        }
        for (program, text) in [
            ("gh", STAND_IN),
            ("portvakt", STAND_IN),
            ("curl", CURL),
            ("cargo", CARGO),
            ("rustup", CARGO),
        ] {
            executable(&here.join("bin").join(program), text);
        }
        for file in ["calls", "output", "summary"] {
            fs::write(here.join(file), "").unwrap();
        }
        let path = format!("{}:{}", here.join("bin").display(), std::env::var("PATH").unwrap());
        let own = [
            ("PATH", path.as_str()),
            ("HERE", here.to_str().unwrap()),
            ("RUNNER_TEMP", here.join("temp").to_str().unwrap()),
            ("OUT", here.join("out").to_str().unwrap()),
            ("TMPDIR", here.join("temp").to_str().unwrap()),
            ("GITHUB_WORKSPACE", here.join("work").to_str().unwrap()),
            ("GITHUB_OUTPUT", here.join("output").to_str().unwrap()),
            ("GITHUB_STEP_SUMMARY", here.join("summary").to_str().unwrap()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let declared = environment.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        let environment = own.into_iter().chain(declared).collect();
        Self { folder, answers: 0, environment }
    }

    /// Sets the answer to a call that contains this text.
    pub(super) fn answer(&mut self, call: &str, code: i32, value: &str) -> &mut Self {
        let name = format!("{:03}", self.answers);
        for (end, text) in [("key", call), ("value", value), ("code", &code.to_string())] {
            fs::write(self.folder.path().join(format!("answers/{name}.{end}")), text).unwrap();
        }
        self.answers += 1;
        self
    }

    pub(super) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap()
    }

    pub(super) fn write(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Checks that no call has the token on its command line.
    pub(super) fn keeps_the_token(&self) {
        let calls = self.read("calls");
        assert!(!calls.contains(TOKEN), "{calls}");
    }

    pub(super) fn run(&self, script: &str) -> Ran {
        // As the hosts run it.
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        let work: &Path = &self.folder.path().join("work");
        let output =
            command.env_clear().envs(&self.environment).current_dir(work).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

pub(super) fn executable(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

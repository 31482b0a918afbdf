//! A bare repository as the remote, clones of it, and the program in those.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use regex::Regex;
use sandbox::Switches;
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{Ran, World, ids};

/// The variables that git needs, without the machine's own settings.
const IDENTITY: [(&str, &str); 8] = [
    ("HOME", "/nonexistent"),
    // Without a process after each commit, fetch and push that looks for something to tidy up.
    ("GIT_CONFIG_GLOBAL", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/git/gitconfig")),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_AUTHOR_NAME", "Kari"),
    ("GIT_AUTHOR_EMAIL", "kari@etaten.example"),
    ("GIT_COMMITTER_NAME", "Kari"),
    ("GIT_COMMITTER_EMAIL", "kari@etaten.example"),
    ("USER", "kari"),
];

/// Time limit for an expected event.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A world with a remote.
pub(crate) struct Remote {
    pub(crate) world: World,
    folder: TempDir,
}

/// A clone, or another folder below git.
pub(crate) struct Clone<'r> {
    world: &'r World,
    pub(crate) path: PathBuf,
}

impl Remote {
    /// An empty sandbox, a remote, and a clone whose first commit declares nothing.
    pub(crate) fn new() -> Self {
        Self::with(Switches::default())
    }

    pub(crate) fn with(switches: Switches) -> Self {
        Self::begin(switches, "sha1")
    }

    /// A remote with ids of that format.
    pub(crate) fn of_format(format: &str) -> Self {
        Self::begin(Switches::default(), format)
    }

    fn begin(switches: Switches, format: &str) -> Self {
        let remote = Self { world: World::with(switches), folder: TempDir::new().unwrap() };
        let clone = remote.first();
        let format = format!("--object-format={format}");
        let init = ["init", "--quiet", "-b", "main", &format];
        git(remote.folder.path(), &[init.as_slice(), &["--bare", "remote.git"]].concat());
        clone.git(&init);
        clone.git(&["remote", "add", "origin", &remote.path().to_string_lossy()]);
        clone.commit("Begin");
        clone.git(&["push", "--quiet", "-u", "origin", "main"]);
        remote
    }

    /// The bare repository.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("remote.git")
    }

    /// The clone of the first commit.
    pub(crate) fn first(&self) -> Clone<'_> {
        self.at(self.world.folder())
    }

    /// Another clone.
    pub(crate) fn another(&self, name: &str, more: &[&str]) -> Clone<'_> {
        let path = self.folder.path().join(name);
        let (from, to) = (format!("file://{}", self.path().display()), path.to_string_lossy());
        git(self.folder.path(), &[&["clone", "--quiet"], more, &[&from, &to]].concat());
        self.at(&path)
    }

    /// An existing folder.
    pub(crate) fn at(&self, path: &Path) -> Clone<'_> {
        Clone { world: &self.world, path: path.to_owned() }
    }

    /// A folder beside the remote, outside of all clones.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The value of one of the environment's refs on the remote; `None` for a free lock.
    pub(crate) fn held(&self, name: &str) -> Option<String> {
        let name = match name {
            "ledger" => "refs/notes/portvakt/test".to_owned(),
            name => format!("refs/portvakt/test/{name}"),
        };
        let format = "--format=%(objectname) %(contents)";
        let found = git(&self.path(), &["for-each-ref", format, &name]);
        let (oid, says) = found.split_once(' ').unwrap_or((&found, ""));
        (!oid.is_empty() && !says.contains("\"free\":true")).then(|| oid.to_owned())
    }

    /// The environment's record.
    pub(crate) fn record(&self) -> Value {
        let message = git(
            &self.path(),
            &["for-each-ref", "--format=%(contents)", "refs/portvakt/test/record"],
        );
        serde_json::from_str(&message).unwrap_or_default()
    }

    /// The commits whose apply began and did not end in full.
    pub(crate) fn tried(&self) -> Vec<String> {
        let record = self.record();
        let tried = record["tried"].as_array().into_iter().flatten();
        tried.map(|tried| tried["commit"].as_str().unwrap().to_owned()).collect()
    }

    /// Makes a record of a commit as applied here, after all others, in a clone.
    pub(crate) fn recorded(&self, clone: &Clone<'_>, commit: &str) -> String {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10);
        let record = serde_json::json!({
            "format_version": 1,
            "written_for": "test",
            "applied": {
                "commit": commit,
                "environment": "test",
                "folder": "",
                "api": self.world.sandbox.api().as_str().trim_end_matches('/'),
                "maskinporten": self.world.sandbox.issuer(),
                "organization": crate::world::OWNER,
                "who": "kari",
                "place": "her",
                "at": "2026-11-22T10:00:00Z",
            },
            "at": at.to_string(),
        });
        clone.made(&record, commit)
    }

    /// A program that the remote runs before it accepts a push.
    pub(crate) fn hook(&self, script: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path().join("hooks/pre-receive");
        // Replaced atomically: it may be run at any time.
        let new = path.with_extension("new");
        std::fs::write(&new, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(new, path).unwrap();
    }

    pub(crate) fn no_hook(&self) {
        std::fs::remove_file(self.path().join("hooks/pre-receive")).unwrap();
    }
}

impl Clone<'_> {
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.path, arguments)
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Commits all files; returns the commit.
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.head()
    }

    /// Commits all files to the remote's main branch; returns the commit.
    pub(crate) fn merge(&self, message: &str) -> String {
        let commit = self.commit(message);
        self.git(&["push", "--quiet", "--force", "origin", "HEAD:main"]);
        commit
    }

    /// Writes the declarations, commits and pushes them; returns the commit.
    pub(crate) fn declare(&self, yaml: &str) -> String {
        self.write("declarations.yaml", yaml);
        let commit = self.commit("Declare");
        self.git(&["push", "--quiet", "origin", "HEAD"]);
        commit
    }

    /// Pulls the remote's branch.
    pub(crate) fn pull(&self) {
        self.git(&["fetch", "--quiet", "origin", "main"]);
        self.git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]);
    }

    /// Makes a commit with this message, in the form of a record of another commit.
    pub(crate) fn made(&self, says: &Value, about: &str) -> String {
        let tree = self.git(&["rev-parse", "HEAD^{tree}"]);
        self.git(&["commit-tree", "-m", &says.to_string(), "-p", about, &tree])
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// The program as a process, in a process group of its own.
    pub(crate) fn process(&self, arguments: &[&str]) -> Command {
        use std::os::unix::process::CommandExt as _;
        let mut command = self.world.process(arguments);
        identified(&mut command).current_dir(&self.path).process_group(0);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.process(arguments).output().unwrap())
    }

    /// Runs it and checks its exit code.
    pub(crate) fn ends(&self, code: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}\n{}{}", ran.stdout, ran.stderr);
        ran
    }

    pub(crate) fn plan(&self) -> Value {
        let ran = self.ends(0, &["plan", "--format", "json"]);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// The ids of the plan's actions.
    pub(crate) fn planned(&self) -> Vec<String> {
        ids(&self.plan())
    }

    /// Applies, and checks that everything is done.
    pub(crate) fn apply(&self) -> Ran {
        self.ends(0, &["apply", "--auto-approve"])
    }

    /// The ledger, the newest report first.
    pub(crate) fn history(&self) -> Vec<Value> {
        let ran = self.ends(0, &["history", "--format", "json"]);
        serde_json::from_str(&ran.stdout).unwrap()
    }
}

/// A process's output as that of a run.
pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Sets the variables that git needs.
pub(crate) fn identified(command: &mut Command) -> &mut Command {
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", path).envs(IDENTITY)
}

/// Runs git, which must succeed, and returns its output.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.env_clear().current_dir(folder).args(arguments).stdin(Stdio::null());
    let ran = ran(identified(&mut command).output().unwrap());
    assert_eq!(ran.code, 0, "git {arguments:?}: {}", ran.stderr);
    ran.stdout.trim().to_owned()
}

/// The arguments of the command by which a line suggests to take over a past.
pub(crate) fn taking_over(line: &str) -> Option<String> {
    let command = Regex::new("`portvakt ([^`]*baseline set [0-9a-f]+[^`]*)`").unwrap();
    Some(command.captures(line)?[1].to_owned())
}

/// Repeats a check until it succeeds.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Sends a signal to a process, or with `-` before the number to a group of processes.
pub(crate) fn signal(signal: &str, to: &str) {
    let sent = Command::new("kill").args([signal, "--", to]).output().unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
}

//! The `git` program: fetch, push and listing of the remote, with the credentials that git finds.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use git2::{Commit, ObjectFormat, Oid, Repository};

use super::error::Error;
use super::oid::parsed;
use domain::text::printable;

/// Longest part of git's message that is repeated, in characters.
const MOST_TOLD: usize = 2000;

/// Number of objects that one run fetches: their ids are arguments.
const MOST_FETCHED: usize = 500;

/// Variables that tell git's hooks about their repository, which may be another one.
const OF_ANOTHER: [&str; 13] = [
    "GIT_DIR",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
];

/// Configuration of each run in addition to the user's: no folder becomes a repository because of its
/// content, and nothing that a pull request can add to the work tree is run, whatever the clone's settings.
const CONFIGURATION: [&str; 3] =
    ["safe.bareRepository=explicit", "core.hooksPath=/dev/null", "core.fsmonitor=false"];

/// How each fetch and each push begins.
const FETCH: [&str; 5] =
    ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc"];
const PUSH: [&str; 5] =
    ["push", "--quiet", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"];

/// Prefix of this program's own variables.
const OWN_VARIABLES: &str = "PORTVAKT_";

/// The program, run in one repository. Neither it nor the programs that it runs (ssh, credential helpers) see
/// the variables that hold this program's credentials.
#[derive(Debug, Clone)]
pub(super) struct Git {
    folder: PathBuf,
    work_tree: PathBuf,
    format: ObjectFormat,
    /// The names of variables that are hidden from it.
    secrets: Vec<String>,
    /// Whether the addresses of its remotes come from files of another repository.
    is_submodule: bool,
    /// The settings that were read, by key: each takes a run.
    settings: Arc<Mutex<HashMap<&'static str, String>>>,
}

impl Git {
    /// For a repository that has a work tree.
    pub(super) fn of(
        repository: &Repository,
        secrets: impl IntoIterator<Item = String>,
    ) -> Option<Self> {
        let work_tree = repository.workdir().filter(|_| !repository.is_bare())?.to_owned();
        let folder = repository.path().to_owned();
        let secrets = secrets.into_iter().collect();
        let format = repository.object_format();
        Some(Self {
            folder,
            work_tree,
            format,
            secrets,
            is_submodule: false,
            settings: Arc::default(),
        })
    }

    /// The refs of the remote with these names; a `*` at the end matches any text.
    pub(super) fn refs(&self, remote: &str, names: &[String]) -> Result<ListedRefs, Error> {
        let arguments = ["ls-remote", "--quiet", "--symref", "--", remote];
        let patterns: Vec<&str> = names.iter().map(String::as_str).collect();
        let listed = self.run(&[&arguments, patterns.as_slice()].concat())?;
        let head =
            listed.lines().find_map(|line| line.strip_prefix("ref: ")?.strip_suffix("\tHEAD"));
        let entries = listed.lines().filter_map(|line| {
            let (id, name) = line.split_once('\t')?;
            Some((name.to_owned(), parsed(self.format, id).ok()?))
        });
        // A pattern also matches the ends of longer names.
        let is_asked = |name: &str| {
            names.iter().any(|asked| match asked.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == asked,
            })
        };
        let refs = entries.filter(|(name, _)| is_asked(name)).collect();
        Ok(ListedRefs { refs, head: head.map(str::to_owned) })
    }

    /// For another repository: a submodule of this one, whose work tree may be missing.
    pub(super) fn of_submodule(&self, repository: &Repository) -> Self {
        let folder = repository.path().to_owned();
        let work_tree = repository.workdir().filter(|folder| folder.is_dir());
        let work_tree = work_tree.unwrap_or(&folder).to_owned();
        let format = repository.object_format();
        Self {
            folder,
            work_tree,
            format,
            secrets: self.secrets.clone(),
            is_submodule: true,
            settings: Arc::default(),
        }
    }

    /// Fetches names or ids, into a partial clone with all their content; into a shallow clone each with its
    /// direct parents, which are the commits that a record refers to.
    pub(super) fn fetch(&self, remote: &str, what: &[&str], shallow: bool) -> Result<(), Error> {
        let depth: &[&str] = if shallow { &["--depth=2"] } else { &[] };
        let arguments = [FETCH.as_slice(), &["--no-filter"], depth, &["--", remote], what];
        self.run(&arguments.concat()).map(drop)
    }

    /// Fetches objects that a partial clone lacks, trees with those below them and without their files, as
    /// git itself does: without negotiation, as that would claim that everything is here.
    pub(super) fn fetch_objects(&self, remote: &str, objects: &[Oid]) -> Result<(), Error> {
        let ids: Vec<_> = objects.iter().map(Oid::to_string).collect();
        for some in ids.chunks(MOST_FETCHED) {
            let ids: Vec<_> = some.iter().map(String::as_str).collect();
            let options = ["--no-write-fetch-head", "--filter=blob:none", "--", remote];
            let arguments = [FETCH.as_slice(), &options, &ids].concat();
            self.run_with(&["fetch.negotiationAlgorithm=noop"], &arguments, &[], "")?;
        }
        Ok(())
    }

    /// Fetches more ancestors of commits.
    pub(super) fn deepen(&self, remote: &str, by: &str, commits: &[&str]) -> Result<(), Error> {
        self.run(&[FETCH.as_slice(), &[by, "--", remote], commits].concat()).map(drop)
    }

    /// Changes refs of the remote, all or none, each only if it still has its expected value. If the remote
    /// does not support that, the values are compared first.
    pub(super) fn push(&self, remote: &str, updates: &[Update]) -> Result<(), Error> {
        match self.push_with(remote, &["--atomic"], updates) {
            // In order, so that the lock is released last.
            Err(error) if is_not_atomic(&error) => {
                let names: Vec<_> = updates.iter().map(|update| update.name.clone()).collect();
                let now = self.refs(remote, &names)?.refs;
                if updates.iter().any(|update| now.get(&update.name) != update.old.as_ref()) {
                    return Err(error);
                }
                updates.iter().try_for_each(|update| {
                    self.push_with(remote, &[], std::slice::from_ref(update))
                })
            }
            pushed => pushed,
        }
    }

    /// Asks the remote whether it takes a push of the commit that is checked out to this ref. Nothing is
    /// changed, and what a hook or a ruleset of the remote would refuse is not found.
    pub(super) fn push_nothing(&self, remote: &str, name: &str) -> Result<(), Error> {
        let spec = format!("HEAD:{name}");
        self.run(&[PUSH.as_slice(), &["--dry-run", "--", remote, &spec]].concat()).map(drop)
    }

    fn push_with(&self, remote: &str, more: &[&str], updates: &[Update]) -> Result<(), Error> {
        let id = |oid: &Option<Oid>| oid.map(|oid| oid.to_string()).unwrap_or_default();
        let leases: Vec<_> = updates
            .iter()
            .map(|Update { name, old, .. }| format!("--force-with-lease={name}:{}", id(old)))
            .collect();
        let specs: Vec<_> =
            updates.iter().map(|Update { name, new, .. }| format!("{}:{name}", id(new))).collect();
        let mut arguments = [PUSH.as_slice(), &["--no-signed"], more].concat();
        arguments.extend(leases.iter().map(String::as_str));
        arguments.extend(["--", remote]);
        arguments.extend(specs.iter().map(String::as_str));
        self.run(&arguments).map(drop).map_err(with_signing)
    }

    /// Creates the same commit again, signed as git is configured. Returns its id.
    pub(super) fn sign(&self, commit: &Commit<'_>) -> Result<String, Error> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let tree = commit.tree_id().to_string();
        let parents: Vec<_> = commit.parent_ids().map(|parent| parent.to_string()).collect();
        // A message can be longer than an argument.
        let mut arguments = vec!["commit-tree", "-S", "-F", "-", &tree];
        arguments.extend(parents.iter().flat_map(|parent| ["-p", parent]));
        let by = commit.committer();
        let when = format!("{} +0000", by.when().seconds());
        let who =
            [("NAME", text(by.name_bytes())), ("EMAIL", text(by.email_bytes())), ("DATE", when)];
        let environment = ["AUTHOR", "COMMITTER"].into_iter().flat_map(|role| {
            who.iter().map(move |(what, value)| (format!("GIT_{role}_{what}"), value.as_str()))
        });
        let environment: Vec<_> = environment.collect();
        let signed = self.run_with(&[], &arguments, &environment, &text(commit.message_bytes()))?;
        Ok(signed.trim().to_owned())
    }

    /// The commits of a range, one per line: id, verdict on the signature, fingerprint of the key.
    pub(super) fn signatures(&self, range: &[&str]) -> Result<String, Error> {
        self.run(&[["log", "--format=%H %G? %GF"].as_slice(), range, &["--"]].concat())
    }

    /// A setting as git itself reads it, wherever it is set; empty where it is not.
    pub(super) fn setting(&self, kind: &str, key: &'static str) -> Result<String, Error> {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = settings.get(key) {
            return Ok(known.clone());
        }
        let kind = format!("--type={kind}");
        let found = self.run(&["config", "--get", &kind, "--default", "", key])?;
        Ok(settings.entry(key).or_insert(found.trim().to_owned()).clone())
    }

    /// The program without arguments, the start of each run.
    fn command(&self) -> Command {
        let mut git = Command::new("git");
        let is_own = |name: &OsString| {
            name.to_str().is_some_and(|name| name.to_ascii_uppercase().starts_with(OWN_VARIABLES))
        };
        for name in std::env::vars_os().map(|(name, _)| name).filter(is_own) {
            git.env_remove(name);
        }
        for name in OF_ANOTHER.into_iter().chain(self.secrets.iter().map(String::as_str)) {
            git.env_remove(name);
        }
        git.env("LC_ALL", "C").env("GIT_DIR", &self.folder).env("GIT_WORK_TREE", &self.work_tree);
        if self.is_submodule {
            // As git itself does: an address from a pull request is not used with every protocol.
            git.env("GIT_PROTOCOL_FROM_USER", "0");
        }
        if !std::io::stdin().is_terminal() {
            git.env("GIT_TERMINAL_PROMPT", "0");
        }
        git.arg("-C").arg(&self.work_tree);
        git.args(CONFIGURATION.into_iter().flat_map(|setting| ["-c", setting]));
        git
    }

    fn run(&self, arguments: &[&str]) -> Result<String, Error> {
        self.run_with(&[], arguments, &[], "")
    }

    fn run_with(
        &self,
        configuration: &[&str],
        arguments: &[&str],
        environment: &[(String, &str)],
        input: &str,
    ) -> Result<String, Error> {
        let command = arguments.first().copied().unwrap_or_default();
        let failed = |why: String| Error::Program { command: command.to_owned(), why };
        let mut git = self.command();
        git.args(configuration.iter().flat_map(|setting| ["-c", *setting]));
        git.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        let mut run = || {
            output(&mut git, input)
                .map_err(|error| failed(format!("{error}; is git installed, and on the PATH?")))
        };
        let mut output = run()?;
        if was_signalled(&output.status) {
            // Ctrl-C reaches git too, and an operation that has begun must end in order.
            output = run()?;
        }
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said: String = without_credentials(&said).chars().take(MOST_TOLD).collect();
        let lines: Vec<_> =
            said.lines().filter(|line| !line.trim().is_empty()).map(printable).collect();
        Err(failed(match lines.is_empty() {
            true => output.status.to_string(),
            false => lines.join("\n"),
        }))
    }
}

/// The refs of the remote, or of the clone.
#[derive(Debug, Default)]
pub(super) struct ListedRefs {
    pub(super) refs: BTreeMap<String, Oid>,
    /// The target of the remote's HEAD.
    pub(super) head: Option<String>,
}

/// A change to a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Update {
    pub(super) name: String,
    /// Its expected value; `None` if it must not exist.
    pub(super) old: Option<Oid>,
    /// Its new value; `None` to delete it.
    pub(super) new: Option<Oid>,
}

/// Runs a program to its end with an input.
fn output(git: &mut Command, input: &str) -> std::io::Result<Output> {
    if input.is_empty() {
        return git.stdin(Stdio::null()).output();
    }
    git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = git.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that does not read its input reports why.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output()
}

/// Whether a push failed because the remote cannot change several refs at once.
fn is_not_atomic(error: &Error) -> bool {
    matches!(error, Error::Program { why, .. } if why.contains("does not support --atomic"))
}

/// Adds a remedy where a remote seems to accept signed commits only. Hosts word that differently.
fn with_signing(error: Error) -> Error {
    const HELP: &str = "If the server accepts signed commits alone, set `commit.gpgsign` and the key to sign \
        with where this runs: what is pushed is then signed";
    match error {
        Error::Program { command, why }
            if ["signed", "signature"].iter().any(|word| why.contains(word)) =>
        {
            Error::Program { command, why: format!("{why}\n{HELP}") }
        }
        error => error,
    }
}

#[cfg(unix)]
fn was_signalled(status: &ExitStatus) -> bool {
    std::os::unix::process::ExitStatusExt::signal(status).is_some()
}

#[cfg(not(unix))]
fn was_signalled(_: &ExitStatus) -> bool {
    false
}

/// The text without the part between `//` and `@` of addresses: the remote of a job may have a token there.
fn without_credentials(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(after.len());
        let (host, path) = after.split_at(end);
        out.push_str(host.rsplit_once('@').map_or(host, |(_, host)| host));
        rest = path;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn a_token_in_an_address_is_not_reported() {
        let said =
            "fatal: unable to access 'https://x:s3cret@host.example/a@b/': https://me@c/ d@e";
        let summary = "fatal: unable to access 'https://host.example/a@b/': https://c/ d@e";
        assert_eq!(without_credentials(said), summary);
    }
}

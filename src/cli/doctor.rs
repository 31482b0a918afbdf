//! `portvakt doctor`.

use std::fmt::Write as _;

use super::ci_job;
use super::exit::{Exit, Failure, words};
use super::global::Global;
use super::release;
use super::sink::print;
use crate::declare::{EnvironmentTarget, Severity};
use crate::history::{self, History};
use crate::render::{BAD, CAREFUL, QUIET};
use crate::run::files::shown as shown_path;
use crate::run::{Opened, Remote, RunOptions, applied, checkout, environment_names};
use digdir::{Needs, Reach, TokenRefusal};
use domain::text::{counted, printable};
use domain::{Live, OwnClient};
use jiff::Timestamp;

pub(super) const ABOUT: &str = "\
Check everything that plan and apply need, and say what to do

Checks the declarations, git, the remote and whether refs may be pushed to it (by a push that changes \
nothing), and for each environment the credentials, which tokens Maskinporten gives, whether DigDir answers, \
and when the own key expires; in a CI job also the variables that `comment` and `reviewed` need. It changes \
nothing, and sends the credentials only where plan would. It exits with 1 if there is a problem; a note is \
about what only some commands need.";

/// Result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckResult {
    Fine,
    /// Only some commands need it.
    Note,
    Problem,
}

/// One check: its subject, its result, and what to do on the lines behind the first.
struct Checkup {
    verdict: CheckResult,
    subject: &'static str,
    text: String,
}

/// The checks of one part, in order.
struct Checkups {
    title: String,
    all: Vec<Checkup>,
}

impl Checkups {
    fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), all: Vec::new() }
    }

    fn fine(&mut self, subject: &'static str, text: impl Into<String>) {
        self.all.push(Checkup { verdict: CheckResult::Fine, subject, text: text.into() });
    }

    fn note(&mut self, subject: &'static str, text: impl Into<String>) {
        self.all.push(Checkup { verdict: CheckResult::Note, subject, text: text.into() });
    }

    fn problem(&mut self, subject: &'static str, text: impl Into<String>) {
        self.all.push(Checkup { verdict: CheckResult::Problem, subject, text: text.into() });
    }

    /// Adds a failure as a problem, or returns the value.
    fn take<T>(&mut self, subject: &'static str, result: Result<T, Failure>) -> Option<T> {
        result.map_err(|failure| self.problem(subject, words(&failure))).ok()
    }
}

pub(super) async fn run(global: &Global) -> Result<Exit, Failure> {
    let options = global.options();
    let mut parts = vec![Checkups::new("Program"), Checkups::new("Repository")];
    let [program, repository] = parts.as_mut_slice() else { return Ok(Exit::Failed) };
    program.fine("version", format!("portvakt {}", release::version()));
    job(program);
    let names = look_at_files(repository, &options)?;
    for name in names {
        let mut part = Checkups::new(format!("Environment {name}"));
        look_at_environment(&mut part, &RunOptions { environment: Some(name), ..options.clone() })
            .await;
        parts.push(part);
    }
    print(global.color, &shown(&parts))?;
    let has_problem =
        parts.iter().flat_map(|part| &part.all).any(|it| it.verdict == CheckResult::Problem);
    Ok(if has_problem { Exit::Failed } else { Exit::Done })
}

/// Checks the variables of a CI job.
fn job(part: &mut Checkups) {
    let Some(ci_job::CiJob { host, token, remedy }) = ci_job::here() else {
        part.fine("CI", "this is no CI job: variables of one are not checked");
        return;
    };
    match std::env::var(token).is_ok_and(|value| !value.trim().is_empty()) {
        true => part.fine("CI", format!("a job on {host}, with {token}")),
        false => part.note(
            "CI",
            format!("a job on {host} without {token}, which comment and reviewed need\n{remedy}"),
        ),
    }
}

/// Checks the declarations; returns the environments to check.
fn look_at_files(part: &mut Checkups, options: &RunOptions) -> Result<Vec<String>, Failure> {
    let Some(root) = part.take("portvakt.yaml", checkout::root(options)) else {
        return Ok(Vec::new());
    };
    part.fine("portvakt.yaml", shown_path(&root));
    let ignored = root.join(".portvakt").join("sandbox.json");
    if history::would_be_committed(&ignored) {
        part.note(
            ".gitignore",
            "git would commit .portvakt, where the sandbox and new private keys are kept\nAdd the line \
             `.portvakt/` to .gitignore",
        );
    }
    let names = match environment_names(options) {
        Ok(names) => names,
        Err(Failure::Invalid(_, found)) => {
            let errors = found.iter().filter(|found| found.severity == Severity::Error).count();
            let errors = counted(errors as u64, "error", "s");
            part.problem(
                "declarations",
                format!("{errors}\n`portvakt validate` shows each with its line and what to do"),
            );
            return Ok(Vec::new());
        }
        Err(failure) => return Err(failure),
    };
    match &options.environment {
        None => Ok(names),
        Some(name) if names.contains(name) => Ok(vec![name.clone()]),
        Some(name) => Err(Failure::Usage(format!(
            "there is no environment {} in portvakt.yaml; there are {}",
            printable(name),
            names.join(", ")
        ))),
    }
}

async fn look_at_environment(part: &mut Checkups, options: &RunOptions) {
    let opened = match Opened::open(options) {
        Ok(opened) => opened,
        Err(Failure::Invalid(_, found)) => {
            let found = counted(found.len() as u64, "finding", "s");
            let text = format!("{found}\n`portvakt validate` shows each and what to do");
            part.problem("declarations", text);
            return;
        }
        Err(failure) => return part.problem("declarations", words(&failure)),
    };
    look_at_git(part, &opened);
    let declared = opened.repository.environment(&opened.desired.environment);
    let has_some = declared.is_some_and(|declared| declared.credentials.is_some());
    let connected = opened.connect(options).await.map_err(|failure| match (failure, has_some) {
        (failure @ Failure::Failed(_), true) => failure.and(
            "Set what is missing where portvakt runs, or correct the environment's `credentials` in \
             portvakt.yaml: docs/yaml.md",
        ),
        (failure, _) => failure,
    });
    let Some(remote) = part.take("credentials", connected) else { return };
    let address = printable(remote.target().api.as_str()).into_owned();
    part.fine("credentials", format!("read, for {address}"));
    look_at_api(part, &opened, &remote).await;
    let closed = remote.close().await;
    part.take("sandbox", closed);
}

fn look_at_git(part: &mut Checkups, opened: &Opened) {
    let Some(found) = part.take("git", opened.history()) else { return };
    let Some(history) = found else {
        return part.note(
            "git",
            "this is not a git repository: removals, the lock and the ledger do not work\nRun `git init`, \
             commit, and push to a remote",
        );
    };
    match part.take("git", opened.commit()) {
        Some(Some(commit)) => part.fine("git", format!("commit {}", commit.commit)),
        Some(None) => {
            return part.note("git", "there is no commit yet\nCommit what is declared");
        }
        None => return,
    }
    match history.is_shared() {
        true => look_at_remote(part, opened, &history),
        false => without_remote(part, opened, &history),
    }
}

/// Reports refs that are in this clone alone.
fn without_remote(part: &mut Checkups, opened: &Opened, history: &History) {
    let place = history.place();
    let declared = opened.repository.environment(&opened.desired.environment);
    match declared.is_some_and(|declared| *declared.target == EnvironmentTarget::Sandbox) {
        true => part.fine(
            "remote",
            format!(
                "not used: the sandbox is in this folder alone, and so are its lock and ledger, \
                 refs/portvakt/{place}"
            ),
        ),
        false => part.note(
            "remote",
            format!(
                "none: lock and ledger are in this clone alone, at refs/portvakt/{place}, where no job and \
                 nobody else sees them\nAdd the repository that you share: `git remote add origin URL`, and push"
            ),
        ),
    }
}

fn look_at_remote(part: &mut Checkups, opened: &Opened, history: &History) {
    let refs = history.refs().map_err(Failure::from);
    let refs = refs.map_err(|failure| {
        failure.and(
            "Check with `git remote -v` where the remote is, and with `git ls-remote` whether git may read it: a \
             job needs the right to read, and its checkout has to keep the token for git",
        )
    });
    let Some(refs) = part.take("remote", refs) else { return };
    let applied = match refs.applied() {
        Some(commit) => format!("commit {commit} is applied"),
        None => "nothing has been applied yet".to_owned(),
    };
    part.fine("remote", format!("refs/portvakt/{}: {applied}", history.place()));
    let folder = history::prefix(opened.repository.root());
    match applied::apply_from(history, &refs, folder.trim_end_matches('/')) {
        Ok(Some(branch)) => {
            let name = printable(&branch.name).into_owned();
            part.fine("branch", format!("commits of {name} may be applied"));
        }
        Ok(None) => {}
        Err(why) => part.problem("branch", why),
    }
    match history.check_push() {
        Ok(()) => part.fine(
            "push",
            "the remote takes a push to refs/portvakt (dry run: the host's hooks and rules are not asked)",
        ),
        Err(error) => part.note(
            "push",
            format!(
                "{error}\nOnly apply needs it. Give its job the right to push: on GitHub `permissions: {{ \
                 contents: write }}`, on GitLab *Allow Git push requests* for job tokens, on Azure DevOps \
                 Contribute, Create branch and Manage notes"
            ),
        ),
    }
}

async fn look_at_api(part: &mut Checkups, opened: &Opened, remote: &Remote) {
    let reader = remote.reader().await;
    let Some(reader) = part.take("token to read", reader) else { return };
    let (read, write) = match opened.needs().reach() {
        Reach::Scopes => ("idporten:scopes.read", "idporten:scopes.write"),
        Reach::ScopesAndClients => (
            "idporten:scopes.read and idporten:dcr.read",
            "idporten:scopes.write and idporten:dcr.write",
        ),
    };
    part.fine(
        "token to read",
        format!("for {read}: the client, its key and this machine's clock are right"),
    );
    match remote.writer().await {
        Ok(_) => part.fine("token to write", format!("for {write} too")),
        Err(Failure::Call(error)) if lacks_scopes(error.token_refusal()) => part.note(
            "token to write",
            format!(
                "the client has no scope that writes, as it should be for a job that plans\nOnly apply \
                 needs {write}"
            ),
        ),
        Err(failure) => part.problem("token to write", words(&failure)),
    }
    let needs = Needs { clients: opened.needs().clients, ..Needs::default() };
    let live = reader.live(&needs, &|_| {}).await.map_err(Failure::from);
    let Some(live) = part.take("DigDir", live) else { return };
    let scopes = counted(live.scopes.len() as u64, "scope", "s");
    part.fine("DigDir", format!("it answers, with {scopes}"));
    look_at_key(part, &live, opened.desired.warn_before);
}

fn lacks_scopes(refusal: Option<TokenRefusal>) -> bool {
    matches!(refusal, Some(TokenRefusal::ScopeNotOnClient | TokenRefusal::NoAccess))
}

/// Checks when the key or the certificate of portvakt's own client expires.
fn look_at_key(part: &mut Checkups, live: &Live, warn_before: jiff::SignedDuration) {
    let expiry = live.own_client.as_ref().and_then(|own| {
        let OwnClient { id: _, kid: _, key_expires, certificate_expires } = own;
        (*key_expires).into_iter().chain(*certificate_expires).min()
    });
    let Some(at) = expiry else {
        return part.fine(
            "own key",
            "when it expires is not known: a repository that declares no client does not read keys",
        );
    };
    let left = at.duration_since(Timestamp::now());
    match left <= warn_before {
        false => part.fine("own key", format!("it expires at {at}")),
        true => part.problem(
            "own key",
            format!(
                "it expires at {at}\nRegister a new key on the client, and store it where the jobs read it; \
                 a key that portvakt may renew: `portvakt keys renew`"
            ),
        ),
    }
}

/// The checks as text.
fn shown(parts: &[Checkups]) -> String {
    let mut text = String::new();
    for Checkups { title, all } in parts {
        // Writing into a String does not fail.
        let _ = writeln!(text, "{}{title}", if text.is_empty() { "" } else { "\n" });
        for Checkup { verdict, subject, text: said } in all {
            let (style, word) = match verdict {
                CheckResult::Fine => (QUIET, "ok"),
                CheckResult::Note => (CAREFUL, "note"),
                CheckResult::Problem => (BAD, "problem"),
            };
            let mut lines = said.lines().map(printable);
            let first = lines.next().unwrap_or_default();
            let _ = writeln!(text, "  {style}{word:<8}{style:#} {subject:<15} {first}");
            for line in lines {
                let _ = writeln!(text, "  {:<24} {line}", "");
            }
        }
    }
    text
}

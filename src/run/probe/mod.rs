//! Finds out how the API at an environment behaves where its documentation does not say, on a scope and a
//! client of its own.

mod answers;
mod entities;
mod script;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::timeout;

use super::clock::now;
use super::{Failure, Opened, Remote, RunOptions};
use digdir::{ApiTarget, ErrorKind, Probe, Reach};
use domain::{Profile, ScopeName};
use entities::ProbeEntities;
use script::Script;

pub(crate) use script::Answers;

/// The most calls of the API; getting the two tokens takes four requests more.
const MOST_CALLS: usize = 54;

/// How many of them are kept for cleaning up.
const FOR_CLEANING_UP: usize = 6;

/// The longest time for the script.
const FOR_SCRIPT: Duration = Duration::from_secs(150);

/// The longest time for cleaning up after it.
const FOR_CLEAN_UP: Duration = Duration::from_secs(30);

/// What the client of the probe must be allowed to do.
const SCOPES: &str =
    "idporten:scopes.read idporten:scopes.write idporten:dcr.read idporten:dcr.write";

/// What a probe may do.
pub(crate) struct ProbeOptions<'a> {
    /// The prefix of the scope; `None` is the first of the repository's.
    pub(crate) prefix: Option<&'a str>,
    /// Whether it may be done in production.
    pub(crate) in_production: bool,
}

/// What a probe has found out.
pub(crate) struct Probed {
    /// The scope that it was tried on, which is inactive now.
    pub(crate) scope: ScopeName,
    /// The answers, with the exchanges that gave them.
    pub(crate) answers: Answers,
    /// The number of calls of the API.
    pub(crate) calls: usize,
    /// How long it took.
    pub(crate) took: Duration,
    /// The answers as a file.
    pub(crate) profile: Profile,
}

/// Probes the API of an environment. What it has made is inactive at the end, also where it fails or
/// `interrupt` turns true.
///
/// # Errors
/// The environment is production and that is not wanted, the credentials are refused, the API does not do
/// what is certain, or the probe is interrupted.
pub(crate) async fn probe(
    options: &RunOptions,
    opened: &Opened,
    wanted: &ProbeOptions<'_>,
    interrupt: watch::Receiver<bool>,
) -> Result<Probed, Failure> {
    let began = Instant::now();
    let remote = Remote::open(options, opened, Reach::ScopesAndClients).await?;
    if remote.target().api_id() == ApiTarget::prod().api_id() && !wanted.in_production {
        return Err(Failure::Refused(format!(
            "environment {} is production, and a probe makes a scope and a client there, which DigDir \
             never deletes. Probe the test environment, or say --yes-in-prod. Nothing was changed",
            opened.desired.environment
        )));
    }
    let prefix = prefix(opened, wanted.prefix)?;
    let entities = ProbeEntities::new(opened.desired.organization, prefix, Timestamp::now())?;
    let calls = Arc::new(Calls::default());
    let answers = tried(&remote, &entities, &calls, interrupt).await?;
    let api = remote.target().api.to_string();
    remote.close().await?;
    let profile = Profile {
        format_version: Profile::FORMAT_VERSION,
        api,
        probed_at: now(),
        behaviour: answers.behaviour,
    };
    let calls = calls.sent.load(Ordering::Relaxed);
    Ok(Probed { scope: entities.scope, answers, calls, took: began.elapsed(), profile })
}

/// Runs the script, and cleans up after it.
async fn tried(
    remote: &Remote,
    entities: &ProbeEntities,
    calls: &Arc<Calls>,
    mut interrupt: watch::Receiver<bool>,
) -> Result<Answers, Failure> {
    let probe = connected(remote, SCOPES, calls).await?;
    let writing = match connected(remote, "idporten:scopes.write", calls).await {
        Ok(writing) => Some(writing),
        Err(Failure::Call(error)) if error.kind() == ErrorKind::Auth => None,
        Err(failure) => return Err(failure),
    };
    let mut script = Script::new(&probe, entities);
    let result = tokio::select! {
        result = timeout(FOR_SCRIPT, script.run(writing.as_ref())) => result.unwrap_or_else(|_| {
            Err(Failure::Failed(format!("the probe was not done after {} s", FOR_SCRIPT.as_secs())))
        }),
        _ = interrupt.wait_for(|interrupt| *interrupt) => Err(Failure::InterruptedAfter(format!(
            "{} and the client {}, as far as they were made, stay there inactive",
            entities.scope, entities.client
        ))),
    };
    calls.is_cleaning_up.store(true, Ordering::Relaxed);
    let cleaned = timeout(FOR_CLEAN_UP, script.clean_up()).await.unwrap_or_else(|_| {
        Err(Failure::Failed(format!("it took longer than {} s", FOR_CLEAN_UP.as_secs())))
    });
    let left = format!(
        "The scope {} and the client {} may be active still: run the probe again, which deactivates them \
         first, or do it by hand",
        entities.scope, entities.client
    );
    match (result, cleaned) {
        (Ok(()), Ok(())) => Ok(script.answers),
        (Ok(()), Err(failure)) | (Err(failure), Err(_)) => Err(failure.and(&left)),
        (Err(failure), Ok(())) => Err(failure),
    }
}

async fn connected(
    remote: &Remote,
    scopes: &'static str,
    calls: &Arc<Calls>,
) -> Result<Probe, Failure> {
    let calls = Arc::clone(calls);
    remote.probe(scopes, move || calls.count()).await
}

/// The prefix for the scope, which must be one of the repository's.
fn prefix<'a>(opened: &'a Opened, wanted: Option<&'a str>) -> Result<&'a str, Failure> {
    let known = &opened.repository.settings().prefixes;
    match (wanted, known.first()) {
        (Some(wanted), _) if !known.iter().any(|prefix| prefix == wanted) => {
            Err(Failure::Usage(format!(
                "{wanted} is not a prefix of this repository: portvakt.yaml has {}",
                known.join(", ")
            )))
        }
        (Some(wanted), _) => Ok(wanted),
        (None, Some(first)) => Ok(first),
        (None, None) => Err(Failure::Usage("portvakt.yaml has no prefix".to_owned())),
    }
}

/// The calls of the API so far.
#[derive(Debug, Default)]
struct Calls {
    sent: AtomicUsize,
    is_cleaning_up: AtomicBool,
}

impl Calls {
    /// Counts a call; an error where there were enough.
    fn count(&self) -> Result<(), &'static str> {
        let most = match self.is_cleaning_up.load(Ordering::Relaxed) {
            true => MOST_CALLS,
            false => MOST_CALLS - FOR_CLEANING_UP,
        };
        match self.sent.fetch_add(1, Ordering::Relaxed) < most {
            true => Ok(()),
            false => Err("a probe is limited to 60 requests, and there were so many"),
        }
    }
}

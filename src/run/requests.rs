//! Requests for access to the organisation's scopes: the list of them, and the denial of one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::applied::{self, folder, placement};
use super::clock::{now, today};
use super::elsewhere::{self, Neighbours};
use super::organizations::KnownOrganizations;
use super::past::GitPast;
use super::{Failure, LockGuard, Opened, Remote, RunOptions};
use crate::apply::Patience;
use crate::declare::{SETTINGS_FILE, did_you_mean};
use crate::history::{
    Actor, ApplyEnd, ApplyStart, Commit, Conclusion, DatesDone, LedgerEntry, Recorded,
};
use digdir::{Needs, Reach, ReadProgress, Which, Writer};
use domain::text::{json, printable};
use domain::{AccessState, Beside, Desired, Live, LiveAccess, LiveScope, Orgno, ScopeName, Source};
use plan::document::{
    AccessRequest, LaterEntry, PlanDocument, ReportDocument, RepositoryDocument, RequestsDocument,
};
use plan::{AccessWork, Action, Consumer, Outcome, Plan, Report, RevocationCause, Unmanaged, Work};

/// The requests in these environments, of which there is at least one.
///
/// # Errors
/// The API cannot be reached or read.
pub(crate) async fn read(
    environments: &[Opened],
    options: &RunOptions,
    progress: &(dyn Fn(ReadProgress) + Sync),
) -> Result<RequestsDocument, Failure> {
    let needs = Needs { scopes: Which::All, ..Needs::default() };
    let mut read: Vec<Live> = Vec::new();
    for opened in environments {
        let remote = Remote::open(options, opened, Reach::Scopes).await?;
        read.push(remote.live(&needs, progress).await?);
    }
    let first = environments
        .first()
        .ok_or_else(|| Failure::Usage(format!("{SETTINGS_FILE} has no environment")))?;
    let sides: Vec<_> = environments.iter().map(|opened| &opened.desired).zip(&read).collect();
    Ok(RequestsDocument::new(first.desired.organization, now(), &sides))
}

/// A request that is about to be denied, and the connection for it. Nothing was sent.
pub(crate) struct RequestDenial {
    opened: Opened,
    remote: Remote,
    writer: Writer,
    scope: ScopeName,
    orgno: Orgno,
    /// The request.
    pub(crate) request: AccessRequest,
}

impl RequestDenial {
    /// Finds the request of an organisation, by its number, alias or name, for a scope.
    ///
    /// # Errors
    /// There is none, or it is declared, so that the next apply approves it.
    pub(crate) async fn prepare(
        opened: Opened,
        options: &RunOptions,
        asked: &str,
        scope: ScopeName,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Self, Failure> {
        let remote = Remote::open(options, &opened, Reach::Scopes).await?;
        let writer = remote.writer().await?;
        let scopes = Which::These(BTreeSet::from([scope.clone()]));
        let live = writer.reader().live(&Needs { scopes, ..Needs::default() }, progress).await?;
        let there = scope_of(&live, &scope, &opened.desired.environment)?;
        let numbers = organizations(&opened, there).find(asked)?;
        let document =
            RequestsDocument::new(opened.desired.organization, now(), &[(&opened.desired, &live)]);
        let is_asked = |request: &AccessRequest| {
            request.scope == scope.as_str()
                && numbers.iter().any(|orgno| orgno.as_str() == request.consumer)
        };
        let mut requests = document.requests.into_iter().filter(is_asked);
        let (request, None) = (requests.next(), requests.next()) else {
            let asked = printable(asked);
            let why = format!(
                "several organisations called '{asked}' request access: name one by its number"
            );
            return Err(Failure::Usage(why));
        };
        let request = request.ok_or_else(|| no_request(asked, &scope, there, &numbers))?;
        let orgno: Orgno = request.consumer.parse().map_err(Failure::failed)?;
        if let Some(why) = approval(&opened, &request, &scope, orgno)? {
            return Err(Failure::Refused(format!("{why}. Nothing was changed")));
        }
        Ok(Self { opened, remote, writer, scope, orgno, request })
    }

    /// Denies it by one call, under the lock if there is one, with a line in the ledger.
    ///
    /// # Errors
    /// The ledger cannot be written, or there is no commit to which its line could belong; then nothing is sent.
    pub(crate) async fn carry_out(
        self,
        lock_guard: Option<LockGuard>,
        actor: Actor,
        patience: &Patience,
    ) -> Result<ReportDocument, Failure> {
        let commit = self.opened.commit()?;
        let begun = self.begun(commit.as_ref(), &actor)?;
        let line = json::line(&begun);
        let Some(lock_guard) = lock_guard else {
            let report = self.denied(begun, patience).await;
            self.remote.close().await?;
            return Ok(report);
        };
        let Some(Commit { commit, dirty: _ }) = commit else {
            lock_guard.release().await;
            return Err(Failure::refused(
                "there is no commit that is checked out, so nobody could see later what was done: nothing was \
                 changed",
            ));
        };
        let placement = placement(&self.opened.repository, &self.opened.desired);
        let placement = placement.map_err(Failure::Failed)?;
        let recorded = Recorded::new(commit.clone(), placement, actor, Timestamp::now());
        let entry = |before, line| LedgerEntry { commit: &commit, before, line };
        // Nothing is applied: the line is all that is written.
        if let Err(failure) =
            lock_guard.begin(entry(None, &line), &recorded, ApplyStart::default(), true, None)
        {
            lock_guard.release().await;
            return Err(failure.and("The ledger could not be written, so nothing was changed"));
        }
        let gated = Self { writer: self.writer.clone().gated(lock_guard.gate()), ..self };
        let report = gated.denied(begun, patience).await;
        let ends = json::line(&report);
        let entry = entry(Some(&line), &ends);
        let dates = DatesDone::all_until(Timestamp::now());
        let end = ApplyEnd::of(Conclusion::Ledger, &dates);
        let concluded = lock_guard.conclude(entry, &recorded, end, None).await.map_err(|failure| {
            failure
                .and("What was done is done, but its result could not be written into the ledger")
        });
        gated.remote.close().await?;
        concluded.map(|()| report)
    }

    /// The report at the start.
    fn begun(&self, commit: Option<&Commit>, actor: &Actor) -> Result<ReportDocument, Failure> {
        let Self { opened, scope, orgno, request, .. } = self;
        let (repository, desired) = (&opened.repository, &opened.desired);
        let declared = desired.scopes.get(scope).map(|scope| scope.source.clone());
        let top = Source { file: SETTINGS_FILE.into(), line: 1, at: None };
        let consumer = Consumer { orgno: *orgno, name: request.consumer_name.clone() };
        let cause = RevocationCause::Declarations;
        let revoke = AccessWork::Revoke { is_inactive: false, cause };
        let work = Work::Access(scope.clone(), consumer, revoke);
        let reason = Some("its request for access was denied".to_owned());
        let action = Action::new(work, &declared.unwrap_or(top), reason, Vec::new());
        let plan = Plan {
            environment: desired.environment.clone(),
            organization: desired.organization,
            now: now(),
            actions: vec![action],
            scheduled: Vec::new(),
            due: BTreeSet::new(),
            blocked: Vec::new(),
            notices: Vec::new(),
            exceeded_limits: Vec::new(),
            unmanaged: Unmanaged::default(),
            forgotten: None,
        };
        let document = PlanDocument {
            project: applied::project(repository),
            repository: commit.cloned().map(|Commit { commit, dirty }| RepositoryDocument {
                commit,
                dirty,
                folder: folder(repository),
            }),
            ..PlanDocument::new(&plan, now())
        };
        let placement = placement(repository, desired).map_err(Failure::Failed)?;
        let report = Uuid::new_v4().to_string();
        let who = (actor.who.clone(), actor.place.clone());
        let from = (Some(placement.folder), Some(placement.api));
        let begun = ReportDocument::begun(&document, report, who, from, None, Timestamp::now());
        Ok(ReportDocument { denial: true, ..begun })
    }

    /// Sends the call, and returns the report with its result.
    async fn denied(&self, begun: ReportDocument, patience: &Patience) -> ReportDocument {
        let report = Report { outcomes: vec![self.outcome(patience).await], ..Report::default() };
        begun.ended(&report, Timestamp::now())
    }

    async fn outcome(&self, patience: &Patience) -> Outcome {
        // Somebody may have approved it while the question waited: then the call would revoke that.
        match self.state(None).await {
            Ok(Some(AccessState::Requested)) => {}
            Ok(_) => {
                return Outcome::Failed("it is no request any more: nothing was sent".to_owned());
            }
            Err(error) => return Outcome::Failed(format!("nothing was sent: {error}")),
        }
        let sent = self.writer.revoke(&self.scope, self.orgno).await;
        // What was refused is not waited for.
        let state = self.state(sent.is_ok().then_some(patience)).await;
        match (sent, state) {
            (Ok(()), Ok(Some(AccessState::Requested))) => {
                Outcome::NotVisible("the request is still there".to_owned())
            }
            // Somebody approved it in between.
            (_, Ok(Some(AccessState::Approved))) => {
                Outcome::Failed(format!("{} has access: declare it, or apply again", self.orgno))
            }
            (Err(error), Ok(Some(AccessState::Requested)) | Err(_)) => {
                Outcome::Failed(error.to_string())
            }
            (Ok(()), Err(error)) => {
                Outcome::Failed(format!("its effect could not be read: {error}"))
            }
            (_, Ok(Some(AccessState::Denied | AccessState::Other(_)) | None)) => Outcome::Done,
        }
    }

    /// The state of the access; with patience, once it is no request any more.
    async fn state(
        &self,
        patience: Option<&Patience>,
    ) -> Result<Option<AccessState>, digdir::Error> {
        let mut wait = patience.map(Patience::begin);
        loop {
            let live = self.writer.reader().scope_with_accesses(&self.scope).await?;
            let access = live.and_then(|live| live.accesses?.remove(&self.orgno));
            let state = access.map(|access| access.state);
            let is_waiting = match &mut wait {
                Some(wait) if state == Some(AccessState::Requested) => wait.pause().await,
                Some(_) | None => false,
            };
            if !is_waiting {
                return Ok(state);
            }
        }
    }
}

fn scope_of<'l>(
    live: &'l Live,
    scope: &ScopeName,
    environment: &str,
) -> Result<&'l LiveScope, Failure> {
    live.scopes.get(scope).ok_or_else(|| {
        let hint = did_you_mean(scope.as_str(), live.scopes.keys().map(ScopeName::as_str));
        let hint = printable(&hint);
        Failure::Usage(format!(
            "the organisation has no scope {scope} in {}; {hint}`portvakt requests` lists the requests",
            printable(environment)
        ))
    })
}

/// The organisations that are declared, or are listed with a scope.
fn organizations(opened: &Opened, scope: &LiveScope) -> KnownOrganizations {
    let mut known = KnownOrganizations::default();
    known.declared(&opened.repository, &opened.desired.environment);
    for (orgno, LiveAccess { name, .. }) in scope.accesses.iter().flatten() {
        known.found(orgno.as_str(), name.as_deref());
    }
    known
}

/// The reason why an apply would approve a request, now or on a later day; `None` if none would.
fn approval(
    opened: &Opened,
    request: &AccessRequest,
    scope: &ScopeName,
    orgno: Orgno,
) -> Result<Option<String>, Failure> {
    let place = |file: &str, line: usize| format!("{}:{line}", printable(file));
    if let Some(source) = &request.declared {
        return Ok(Some(format!(
            "{orgno} is declared as a consumer of {scope} ({}), so the next apply approves the request: remove \
             that entry first",
            place(&source.file, source.line)
        )));
    }
    if let Some(LaterEntry { from, source }) = &request.later {
        return Ok(Some(format!(
            "{orgno} is declared as a consumer of {scope} from {from} ({}), so an apply on that day approves the \
             request: remove that entry first",
            place(&source.file, source.line)
        )));
    }
    let entry_of = |desired: &Desired| {
        let access = desired.access(scope, orgno)?;
        let entry = access.on(today()).or_else(|| access.next_after(today()))?;
        desired.block(scope, orgno).is_none().then(|| place(&entry.source.file, entry.source.line))
    };
    let (history, commit) = (opened.history()?, opened.commit()?);
    let past = GitPast::look(history.as_ref(), &opened.repository, commit, &opened.desired, None)?;
    let Neighbours { beside, unread } =
        elsewhere::look(&opened.repository, &opened.desired, None, past.elsewhere.as_ref());
    for Beside { place, desired, applied, .. } in &beside {
        let place = printable(place);
        if let Some(entry) = entry_of(desired) {
            return Ok(Some(format!(
                "{orgno} is declared as a consumer of {scope} by {place} ({entry}), so an apply there approves the \
                 request: remove that entry first"
            )));
        }
        if let Some(entry) = applied.as_ref().and_then(entry_of) {
            return Ok(Some(format!(
                "{orgno} is declared as a consumer of {scope} by what {place} applied last ({entry}), so \
                 `apply --due` there can approve the request: apply the removal of that entry first"
            )));
        }
    }
    if let Some(why) = unread {
        return Ok(Some(format!(
            "whether another folder or environment declares {orgno} is not known: {why}. Correct that first"
        )));
    }
    // What was applied counts until something else has been: `apply --due` goes by it.
    let Some(applied) = past.applied.filter(|_| request.blocked.is_none()) else { return Ok(None) };
    Ok(entry_of(&applied.desired).map(|entry| {
        format!(
            "{orgno} is declared as a consumer of {scope} at the commit that was applied last ({entry} at {}), so \
             `apply --due` can approve the request: apply the removal of that entry first",
            applied.commit
        )
    }))
}

fn no_request(
    asked: &str,
    scope: &ScopeName,
    live: &LiveScope,
    numbers: &BTreeSet<Orgno>,
) -> Failure {
    let asked = printable(asked);
    let mut approved = live.in_state(AccessState::Approved);
    let has_access = approved.any(|(orgno, _)| numbers.contains(&orgno));
    Failure::Usage(match has_access {
        true => format!(
            "{asked} has access to {scope}, and requests none: what is declared decides, so remove it from the \
             scope's consumers and apply. Nothing was changed"
        ),
        false => format!("{asked} does not request access to {scope}. Nothing was changed"),
    })
}

//! `portvakt apply`.

use super::checkout;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::hold::Hold;
use super::output::{blame, read_plan};
use super::progress::Progress;
use super::recent::{self, Left};
use super::remote::Remote;
use super::session::Session;
use super::sink::{print, write};
use super::{ask, checks, files, interrupt};
use crate::apply::{Conduct, Patience, Recent, apply};
use crate::history::{Actor, Commit, Conclusion, Entry, History, Lost, Placement, Recorded, Refs};
use crate::render;
use crate::render::document::PlanDocument;
use crate::render::report::{Ending, ReportDocument};
use digdir::Writer;
use domain::text::printable;
use plan::{Code, Plan};

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A plan that was saved: exactly that is done, or nothing
    file: Option<PathBuf>,
    /// Do not ask
    #[arg(long)]
    auto_approve: bool,
    /// Apply only if the plan has this digest
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    expect: Option<String>,
    /// Apply although the plan exceeds a limit of `guards`, and why
    #[arg(long, value_name = "REASON", value_parser = reason)]
    override_guards: Option<String>,
    /// Apply although files differ from the commit that is checked out
    #[arg(long)]
    allow_dirty: bool,
    /// Keep in the ledger who last touched each line that asks for something
    #[arg(long)]
    blame: bool,
    /// How long to wait until DigDir shows what was done, in seconds in all: its reads may lag behind its
    /// writes. What an apply shortly before has done is waited for as long again, before the plan is made
    #[arg(long, value_name = "SECONDS", default_value = "30")]
    patience: u32,
    /// Save the report as JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

fn reason(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("say why: whoever looks at it later will ask"),
        reason => Ok(reason.to_owned()),
    }
}

fn digest(text: &str) -> Result<String, &'static str> {
    let is_hex = |hex: &str| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text.trim().strip_prefix("sha256:") {
        Some(hex) if is_hex(hex) => Ok(text.trim().to_ascii_lowercase()),
        _ => Err("a digest is `sha256:` and 64 hex digits, as a plan shows it"),
    }
}

/// A plan that may be carried out, and with what.
struct Approved {
    remote: Remote,
    writer: Writer,
    plan: Plan,
    document: PlanDocument,
    /// Where the declarations are, and what they are applied to; `None` outside git.
    placement: Option<Placement>,
    /// What is not recorded of what was applied before, and was.
    lost: Option<Lost>,
    /// What counted as applied when the plan was made; `None` where nobody can tell.
    refs: Option<Refs>,
    /// Whether an apply before it did not end in full.
    is_unfinished: bool,
    /// What to do where the applied commit stays where it is, however this ends: what was applied before is
    /// not known and must not be forgotten, or the commit is not on the branch that is applied.
    kept: Option<&'static str>,
    /// Why what would have stopped it did not, if something was lifted.
    lifted: Option<String>,
    /// What was written shortly before.
    recent: Recent,
    /// What an apply shortly before has opened and cannot be closed yet.
    left: Left,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let interrupt = interrupt::listen()?;
    let saved = args.file.as_deref().map(read_plan).transpose()?;
    let mut session = open(global, saved.as_ref())?;
    let history = session.history()?;
    if let (Some(saved), Some(history)) = (&saved, &history) {
        go_back(&mut session, history, saved)?;
    }
    let commit = session.commit()?;
    let history = with_commit(history, commit.as_ref())?;
    check_clean(commit.as_ref(), args)?;
    let actor = Actor::here(&|name| std::env::var(name).ok(), session.repository.root());
    let hold = match &history {
        Some(history) => {
            Some(interrupt::unless(interrupt.clone(), Hold::take(history, &actor)).await?)
        }
        None => None,
    };
    let patience = || Patience::new(Duration::from_secs(args.patience.into()), interrupt.clone());
    let prepared =
        prepare(global, args, &mut session, history.as_ref(), saved.as_ref(), patience());
    let approved = match interrupt::unless(interrupt.clone(), prepared).await {
        Ok(approved) => approved,
        Err(failure) => {
            if let Some(hold) = hold {
                hold.release().await;
            }
            return Err(failure);
        }
    };
    carry_out(global, args, approved, &actor, hold, patience(), interrupt.clone()).await
}

/// Reads the declarations for the environment that is asked for, or that a saved plan is about.
fn open(global: &Global, saved: Option<&PlanDocument>) -> Result<Session, Failure> {
    let asked = checkout::environment(global);
    let Some(saved) = saved else { return Session::open_in(global, asked) };
    if let Some(asked) = asked.filter(|asked| *asked != saved.environment) {
        let planned = printable(&saved.environment);
        let why = format!("the plan is for environment {planned}, not for {asked}");
        return Err(Failure::Usage(why));
    }
    let session = Session::open_in(global, Some(&saved.environment))?;
    if session.desired.organization.as_str() != saved.organization {
        let (planned, own) = (printable(&saved.organization), session.desired.organization);
        let why = format!("the plan is for organisation {planned}, and this repository is {own}'s");
        return Err(Failure::Usage(why));
    }
    Ok(session)
}

/// A saved rollback is of the declarations that it was made from.
fn go_back(session: &mut Session, history: &History, saved: &PlanDocument) -> Result<(), Failure> {
    match &saved.repository {
        Some(repository) if saved.rollback => session.roll_back(history, &repository.commit),
        _ => Ok(()),
    }
}

/// Without a commit there is nothing that the ledger could be about: others would never see what was done.
fn with_commit(
    history: Option<History>,
    commit: Option<&Commit>,
) -> Result<Option<History>, Failure> {
    match (history, commit) {
        (Some(history), None) if history.is_shared() => Err(Failure::Refused(
            "there is no commit that is checked out, so nobody could tell later what was applied: \
             nothing was changed\nCommit what is declared, and push it"
                .to_owned(),
        )),
        (history, commit) => Ok(history.filter(|_| commit.is_some())),
    }
}

fn check_clean(commit: Option<&Commit>, args: &Args) -> Result<(), Failure> {
    match commit {
        Some(commit) if commit.dirty && !args.allow_dirty => Err(Failure::Refused(
            "files differ from the commit that is checked out, so nobody could tell later what was \
             applied: nothing was changed\nCommit them, or apply with --allow-dirty"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Makes the plan, shows it and has it approved. Nothing is changed in here.
async fn prepare(
    global: &Global,
    args: &Args,
    session: &mut Session,
    history: Option<&History>,
    saved: Option<&PlanDocument>,
    patience: Patience,
) -> Result<Approved, Failure> {
    session.look_back(history, None)?;
    let remote = Remote::open(global, session).await?;
    let writer = remote.writer().await?;
    let overridden = args.override_guards.as_deref();
    let known = &mut session.past.known;
    let (is_unknown, is_unread) = match overridden {
        // A limit that is not known is no less lifted.
        Some(_) => (known.unknown.take().is_some(), known.unread.take().is_some()),
        None => (known.unknown.is_some(), known.unread.is_some()),
    };
    let recent = match (history, &session.past.placement) {
        (Some(history), Some(placement)) => recent::writes(history, placement)?,
        (Some(_) | None, _) => Recent::default(),
    };
    let (plan, left) = recent::plan(global, session, &writer, &recent, &patience).await?;
    let mut document = session.document(&plan);
    let refusal = session.past.refusal.clone();
    let is_stopped =
        is_unknown || is_unread || refusal.is_some() || !plan.exceeded_limits.is_empty();
    let approved = |remote, writer, plan, document| Approved {
        remote,
        writer,
        plan,
        document,
        placement: session.past.placement.clone(),
        lost: session.past.lost.clone(),
        refs: session.past.refs.clone(),
        is_unfinished: session.past.is_unfinished,
        kept: match (&refusal, is_unknown) {
            (Some(_), _) => Some(
                "apply it again once it is merged as it is, or name what counts with `portvakt baseline set \
                 COMMIT`",
            ),
            (None, true) => Some("`portvakt baseline set COMMIT` says what counts"),
            (None, false) => None,
        },
        recent: recent.clone(),
        left: left.clone(),
        lifted: args.override_guards.clone().filter(|_| is_stopped),
    };
    write(global.color, &render::plan(&document)).map_err(|error| {
        Failure::Failed(format!("the plan cannot be shown, so nothing was changed: {error}"))
    })?;
    checks::name(session)?;
    checks::order(session)?;
    checks::branch(refusal.as_deref(), overridden)?;
    checks::saved(saved, &document)?;
    checks::expected(args.expect.as_deref(), &document)?;
    if args.blame {
        blame(&mut document, history);
    }
    if plan.actions.is_empty() {
        return Ok(approved(remote, writer, plan, document));
    }
    checks::limits(&plan, overridden)?;
    if args.auto_approve {
        return Ok(approved(remote, writer, plan, document));
    }
    let environment = &plan.environment;
    ask::yes(
        &format!("Apply this to {environment}? Only 'yes' does: "),
        "nobody is there to approve the plan: say --auto-approve where a job applies what was reviewed",
    )
    .await?;
    let again = session.plan(global, writer.reader()).await?;
    if again.digest() != plan.digest() {
        let why =
            "what is live has changed since the plan was shown: run apply again and look anew";
        return Err(Failure::Refused(why.to_owned()));
    }
    Ok(approved(remote, writer, again, document))
}

async fn carry_out(
    global: &Global,
    args: &Args,
    approved: Approved,
    actor: &Actor,
    hold: Option<Hold>,
    patience: Patience,
    interrupt: watch::Receiver<bool>,
) -> Result<Exit, Failure> {
    let Approved { remote, writer, plan, document, lifted, recent, .. } = approved;
    let Approved { placement, lost, refs: mut shown, is_unfinished, kept, left, .. } = approved;
    let who = (actor.who.clone(), actor.place.clone());
    let of = |part: fn(&Placement) -> &String| placement.as_ref().map(|it| part(it).clone());
    let from = (of(|it| &it.folder), of(|it| &it.api));
    let begun = ReportDocument::begun(&document, who, from, lifted, Timestamp::now());
    let line = begun.line();
    let commit = document.repository.as_ref();
    let commit = commit.map(|own| own.commit.clone()).unwrap_or_default();
    let entry = |before, line| Entry { commit: &commit, before, line };
    let recorded = |placement| Recorded {
        commit: commit.clone(),
        placement,
        actor: actor.clone(),
        at: Timestamp::now(),
    };
    let hold = hold.zip(placement.map(recorded));
    let begins = !plan.actions.is_empty();
    if let (Some((held, recorded)), true) = (&hold, begins) {
        let (entry, lost) = (entry(None, &line), lost.as_ref());
        match held.begin(entry, recorded, lost, begun.dirty, shown.as_ref()) {
            Ok(now) => shown = Some(now),
            Err(failure) => {
                if let Some((hold, _)) = hold {
                    hold.release().await;
                }
                return Err(failure.and("The ledger could not be written, so nothing was changed"));
            }
        }
    }
    let report = match begins {
        false => Default::default(),
        true => {
            let progress = Progress::start(global, "applying");
            let total = plan.actions.len();
            let writer = match &hold {
                Some((hold, _)) => writer.gated(hold.gate()),
                None => writer,
            };
            let conduct = Conduct {
                concurrency: global.concurrency.get(),
                patience,
                interrupt,
                recent,
                progress: |ended| progress.tell(ended, total),
            };
            apply(&plan, &writer, conduct).await
        }
    };
    let ended = begun.ended(&report, Timestamp::now());
    let concluded = match hold {
        Some((hold, recorded)) => {
            let was_applied = document.applied_commit() == Some(&commit);
            let is_news = !was_applied || is_unfinished;
            let ends = ended.line();
            let conclusion = match conclusion(&plan, &ended) {
                Conclusion::InFull | Conclusion::Closed
                    if kept.is_some() || left.open.is_some() =>
                {
                    Conclusion::InPart
                }
                Conclusion::InFull if document.rollback => Conclusion::RolledBack,
                Conclusion::InFull if left.may_show => Conclusion::Awaiting,
                conclusion => conclusion,
            };
            let entry = entry(begins.then_some(&line), &ends);
            conclude(hold, is_news, conclusion, entry, &recorded, shown.as_ref()).await
        }
        None => Ok(()),
    };
    let mut failures = Vec::new();
    if begins {
        failures.extend(print(global.color, &render::report(&ended)).err());
    }
    if let Some(way_out) = kept.filter(|_| begins) {
        tracing::warn!(
            "commit {commit} was applied and does not count as that, and until one does, what was applied is \
             not known: {way_out}"
        );
    }
    if let Some(why) = &left.open {
        tracing::warn!("{why}");
    }
    if let Some(path) = &args.report {
        failures.extend(files::put(path, &ended.json()).err());
    }
    failures.extend(remote.close().await.err());
    failures.extend(concluded.err().map(|failure| match begins {
        true => failure.and(
            "What was done is done, but not all that git is to know of it could be written: run apply \
             again",
        ),
        false => failure.and("Nothing was to be done, and nothing was changed"),
    }));
    for failure in &failures {
        failure.tell(global.log_format);
    }
    Ok(match ended.outcome {
        Ending::Interrupted => Exit::Interrupted,
        Ending::Partial | Ending::Begun => Exit::Partial,
        Ending::Done if left.open.is_some() => Exit::Partial,
        Ending::Done if failures.is_empty() => Exit::Done,
        Ending::Done if begins => Exit::Partial,
        Ending::Done => Exit::Failed,
    })
}

/// Writes what became of it, and moves the applied commit if everything was done that can be. Where
/// nothing was to be done and nothing is new, only the lock is given back.
async fn conclude(
    hold: Hold,
    is_news: bool,
    conclusion: Conclusion,
    entry: Entry<'_>,
    recorded: &Recorded,
    shown: Option<&Refs>,
) -> Result<(), Failure> {
    let begins = entry.before.is_some();
    let in_full =
        matches!(conclusion, Conclusion::InFull | Conclusion::RolledBack | Conclusion::Awaiting);
    if !begins && (!in_full || !is_news) {
        hold.release().await;
        return Ok(());
    }
    hold.conclude(entry, recorded, conclusion, shown).await
}

/// Whether the commit counts as applied: all actions are done, and nothing that is to be closed is
/// left open. What is blocked for another reason waits for somebody else, and must not keep what is
/// taken out of the declarations meanwhile from being told apart.
fn conclusion(plan: &Plan, ended: &ReportDocument) -> Conclusion {
    let is_open = plan.blocked.iter().any(|blocked| {
        blocked.target.verb.closes()
            || matches!(
                blocked.code,
                Code::PreventDeactivation | Code::Protected | Code::DeclaredBeside
            )
    });
    if ended.dirty {
        return Conclusion::Dirty;
    }
    if ended.unverified.is_some() || is_open {
        return Conclusion::InPart;
    }
    let undone: Vec<_> = ended.undone().map(|reported| &reported.action).collect();
    match undone.iter().any(|action| action.takes_away()) {
        true => Conclusion::InPart,
        false if undone.is_empty() => Conclusion::InFull,
        false => Conclusion::Closed,
    }
}

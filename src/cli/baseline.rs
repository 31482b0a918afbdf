//! `portvakt baseline`: the commit that counts as applied.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::ask;
use super::examples;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::sink::print;
use crate::history::{Branch, Counts, Recorded};
use crate::run::applied::described;
use crate::run::baseline::{AppliedPlace, BaselineChoice, Chosen, Consequences};
use domain::Former;
use domain::text::{listed_up_to, printable};

/// Largest number of awaited entities that are shown of a commit.
const MOST_AWAITED: usize = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<BaselineCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum BaselineCommand {
    /// Set the commit that counts as applied, after showing what becomes removable and what is forgotten
    #[command(after_help = examples::of("baseline set"))]
    Set(Set),
}

#[derive(Debug, clap::Args)]
struct Set {
    /// The commit, or a branch or tag
    revision: String,
    /// The folder of portvakt.yaml at that commit, from the top of the git repository. Default: the
    /// folder in the record of its apply, else the current one
    #[arg(long, value_name = "DIR")]
    folder: Option<String>,
    /// The name of the environment at that commit; that name no longer counts afterwards
    #[arg(long, value_name = "NAME")]
    from_environment: Option<String>,
    /// The name of the project then: `project` in its portvakt.yaml, or the folder's path with `.` for
    /// `/`, or `.` for the top of the git repository; that name no longer counts afterwards
    #[arg(long, value_name = "NAME")]
    from_project: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let opened = global.open()?;
    let history = opened.history()?.ok_or_else(|| {
        Failure::failed("this is not a git repository: nothing is recorded of what was applied")
    })?;
    let place = AppliedPlace::open(&opened, &history)?;
    match &args.command {
        None => print(global.color, &shown(&place))?,
        Some(BaselineCommand::Set(set)) => self::set(global, &place, set).await?,
    }
    Ok(Exit::Done)
}

async fn set(global: &Global, place: &AppliedPlace<'_>, args: &Set) -> Result<(), Failure> {
    let Set { revision, folder, from_environment, from_project, yes } = args;
    let chosen = place.choose(&BaselineChoice {
        revision: revision.clone(),
        folder: folder.clone(),
        environment: from_environment.clone(),
        project: from_project.clone(),
    })?;
    let environment = &place.placement.environment;
    print(global.color, &question(environment, &chosen, &place.consequences(&chosen)))?;
    if !yes {
        ask::yes(
            "Let this commit count as applied? Only 'yes' is accepted: ",
            "nobody is there to say so: --yes sets it without a question",
        )
        .await?;
    }
    let done = format!("Applied to {environment}: commit {}\n", chosen.then.commit);
    place.set(chosen).await?;
    print(global.color, &done)
}

/// The commit that counts as applied, and the reason.
fn shown(place: &AppliedPlace<'_>) -> String {
    let environment = printable(&place.placement.environment);
    let known = place.known();
    let baseline = place.recorded();
    let mut out = match (&known.past.unknown, &known.applied) {
        (Some(why), _) => format!(
            "What was applied to {environment} is not known: {}\n\
             `portvakt baseline set COMMIT` names the commit that counts as applied.\n",
            printable(why)
        ),
        (None, Some(applied)) => {
            format!("Applied to {environment}: commit {}\n", applied.commit)
        }
        (None, None) => format!("Nothing has been applied to {environment} yet.\n"),
    };
    let mut line = |what: &str, value: &str| {
        // Writing into a String does not fail.
        let _ = writeln!(out, "  {what:<9}{}", printable(value));
    };
    let tried = baseline.tried.iter().map(|recorded| ("in part", recorded));
    for (what, recorded) in baseline.applied.iter().map(|it| ("in full", it)).chain(tried) {
        let Recorded { commit, placement, actor, at, counts } = recorded;
        line(what, &format!("{commit}, {at:.0}, by {} at {}", actor.who, actor.place));
        line("", &described(placement));
        if let Counts::Only(awaited) = counts {
            let entities = listed_up_to(MOST_AWAITED, awaited);
            line("", &format!("only for {entities}, which DigDir may not show yet"));
        }
    }
    if let Some(Branch { name, tip }) = &place.branch {
        line("branch", &format!("{name}, at {tip}"));
    }
    line("here", &described(&place.placement));
    for Former { place, take_over, applied: _ } in &known.past.former {
        line("former", &format!("{place}, is declared no longer: `{take_over}`"));
    }
    out
}

/// The consequences of a change, as text for the question.
fn question(environment: &str, chosen: &Chosen, consequences: &Consequences) -> String {
    let beside = chosen.beside.as_ref().map(|own| format!(", beside commit {own}"));
    let mut out = format!(
        "What counts as applied to {environment} from then on: commit {}{}\n",
        chosen.then.commit,
        beside.unwrap_or_default()
    );
    let mut list = |what: &str, names: &BTreeSet<String>| {
        if names.is_empty() {
            return;
        }
        let _ = writeln!(out, "  {what}: {}", names.len());
        for name in names {
            let _ = writeln!(out, "    {}", printable(name));
        }
    };
    let Consequences { removable, forgotten, unprotected, later, unknown } = consequences;
    list("the next apply closes, as they are declared no longer", removable);
    list(
        "stays open if it is now, and is nobody's, as it was applied and is not declared there",
        forgotten,
    );
    list("is protected no longer", unprotected);
    list("counts on later days, and `apply --due` does it without a review", later);
    if let Some(why) = unknown {
        let _ = writeln!(
            out,
            "  what counted before is not known, so more may be forgotten than this: {}",
            printable(why)
        );
    }
    if let Some(former) = &chosen.former {
        let _ = writeln!(out, "  {} counts for nothing any more", printable(former));
    }
    out
}

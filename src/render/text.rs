//! A plan as text, for a reviewer with two minutes: the summary, then actions that remove access or open
//! something (access granted outside this repository first), then those that give access, then the rest.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde_json::Value;

use super::notices::{Notices, notices};
use super::sections::{BY_DATE, ByOrigin, GroupChange, group_changes, headed};
use domain::text::json::value;
use domain::text::{counted, printable};
use plan::document::{
    ActionDocument, BlockedDocument, ChangeDocument, ConsumerDocument, NoticeDocument,
    PlanDocument, ScheduledDocument, SourceDocument,
};
use plan::{Mark, Verb};

pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const CAREFUL: Style = AnsiColor::Yellow.on_default();
pub(super) const HEADING: Style = Style::new().bold();
pub(crate) const QUIET: Style = Style::new().dimmed();

/// Number of characters of a commit's id that are shown.
const SHORT: usize = 10;

/// The heading of actions that were pending before the pull request.
const DRIFT: &str = "Drift that was there before";

/// The heading of changes on later days.
pub(super) const LATER: &str = "On later days";

/// A plan as text with ANSI colours, a line break at the end.
pub fn plan(plan: &PlanDocument, how: Notices) -> String {
    let mut out = String::new();
    head(&mut out, plan);
    let ByOrigin { own, dated, drift } = ByOrigin::of(plan);
    let is_all = drift.is_empty() && dated.is_empty();
    let whose = if is_all { None } else { Some("This pull request") };
    parts(&mut out, whose, "Changes", &own);
    later(&mut out, plan);
    parts(&mut out, Some(BY_DATE), BY_DATE, &dated);
    parts(&mut out, Some(DRIFT), DRIFT, &drift);
    blocked(&mut out, &plan.blocked);
    limits(&mut out, plan);
    notices(&mut out, &plan.other_notices().collect::<Vec<_>>(), how);
    if !plan.is_empty() {
        line(&mut out, format_args!("\n{QUIET}digest {}{QUIET:#}", printable(&plan.digest)));
    }
    out
}

/// `2 to create, 1 to revoke`, in the order of the verbs, and the number of changes on later days; `None` for
/// nothing.
pub(super) fn sum(plan: &PlanDocument) -> Option<String> {
    let parts = Verb::ALL.into_iter().filter_map(|verb| match plan.count(verb) {
        0 => None,
        count if verb == Verb::Keys => {
            Some(format!("keys of {} to change", counted(count as u64, "client", "s")))
        }
        count => Some(format!("{count} to {}", verb.as_str())),
    });
    let later = (!plan.scheduled.is_empty())
        .then(|| format!("{} on later days", counted(plan.scheduled.len() as u64, "change", "s")));
    let parts: Vec<_> = parts.chain(later).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Adds a line.
pub(super) fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a String does not fail.
    let _ = writeln!(out, "{text}");
}

fn head(out: &mut String, plan: &PlanDocument) {
    if let Some(why) = plan.unknown_past() {
        let why = printable(why);
        line(out, format_args!("{CAREFUL}What was applied before is not known{CAREFUL:#}: {why}"));
    }
    let environment = printable(&plan.environment);
    let organization = organization(&plan.organization, plan.organization_name.as_deref());
    let what = if plan.rollback { "Rollback" } else { "Plan" };
    let project = plan.project.as_deref().map(|project| format!(" in {}", printable(project)));
    let project = project.unwrap_or_default();
    line(
        out,
        format_args!("{HEADING}{what} for {environment}{project}{HEADING:#}, {organization}"),
    );
    if let Some(since) = since(plan, str::to_owned) {
        line(out, format_args!("{QUIET}{since}{QUIET:#}"));
    }
    line(out, format_args!("{}", totals(plan)));
}

/// The changes of accesses on later days.
pub(super) fn later(out: &mut String, plan: &PlanDocument) {
    if plan.scheduled.is_empty() {
        return;
    }
    line(out, format_args!("\n{HEADING}{LATER}{HEADING:#}"));
    for change in &plan.scheduled {
        later_line(out, change);
    }
}

/// The line of a change on a later day.
pub(super) fn later_line(out: &mut String, change: &ScheduledDocument) {
    let ScheduledDocument {
        scope,
        consumer,
        consumer_name,
        effect,
        danger: _,
        day,
        group,
        team,
        source,
    } = change;
    let (sign, style) = if effect.gives() { ('+', GOOD) } else { ('-', BAD) };
    let consumer = named(consumer, consumer_name.as_deref());
    let by = by(group.as_deref(), team.as_deref());
    let by = by.map(|by| format!("{by}  ")).unwrap_or_default();
    let (effect, SourceDocument { file, line: number, .. }) = (effect.words(), source);
    let text = format!("{effect} {day}  {scope}  {consumer}  {by}{file}:{number}");
    line(out, format_args!("  {style}{sign}{style:#} {}", printable(&text)));
}

/// The number of actions of each kind and of blocked ones, as a sentence.
pub(super) fn totals(plan: &PlanDocument) -> String {
    match (sum(plan), plan.blocked.len()) {
        (None, 0) => "No changes.".to_owned(),
        (None, 1) => "No changes. 1 action is blocked.".to_owned(),
        (None, blocked) => format!("No changes. {blocked} actions are blocked."),
        (Some(sum), 0) => format!("{sum}."),
        (Some(sum), blocked) => format!("{sum}; {blocked} blocked."),
    }
}

/// A commit's id in short form.
pub(super) fn short(commit: &str) -> String {
    printable(commit).chars().take(SHORT).collect()
}

/// The commits of the plan, with their short ids as shown; `None` outside git.
pub(super) fn since(plan: &PlanDocument, show: impl Fn(&str) -> String) -> Option<String> {
    let short = |commit: &str| show(&short(commit));
    let repository = plan.repository.as_ref()?;
    let dirty = if repository.dirty { " with uncommitted changes" } else { "" };
    let applied = match (plan.applied_commit(), plan.unknown_past()) {
        (Some(applied), _) => format!("last applied {}", short(applied)),
        (None, Some(_)) => "what was applied before is not known".to_owned(),
        (None, None) => "nothing applied before".to_owned(),
    };
    let base = plan.base.as_ref().filter(|base| plan.applied_commit() != Some(&*base.commit));
    let base = base.map(|base| format!(", compared with {}", short(&base.commit)));
    let base = base.unwrap_or_default();
    Some(format!("commit {}{dirty}, {applied}{base}", short(&repository.commit)))
}

/// Actions in their sections.
fn parts(out: &mut String, whose: Option<&str>, plain: &str, actions: &[&ActionDocument]) {
    for (heading, _, actions) in headed(whose, plain, actions) {
        line(out, format_args!("\n{HEADING}{heading}{HEADING:#}"));
        for change in group_changes(&actions) {
            group_line(out, &change);
        }
        for action in actions {
            action_lines(out, action);
        }
    }
}

/// `group samarbeid: + 971040238 Kartverket -> 12 scopes of 3 teams`.
pub(super) fn group_line(out: &mut String, change: &GroupChange<'_>) {
    let GroupChange { group, action, .. } = change;
    let (style, mark) = mark(action.action);
    let consumer = action.consumer.as_deref().unwrap_or_default();
    let consumer = named(consumer, action.consumer_name.as_deref());
    let place = action.source.as_ref().map(place).unwrap_or_default();
    line(
        out,
        format_args!(
            "  group {}: {style}{mark}{style:#} {consumer} -> {}  {QUIET}{place}{QUIET:#}",
            printable(group),
            change.reach()
        ),
    );
}

fn mark(verb: Verb) -> (Style, char) {
    match verb {
        Verb::Revoke | Verb::Deactivate => (BAD, '-'),
        Verb::Reactivate | Verb::Release => (CAREFUL, '!'),
        Verb::Update | Verb::Keys => (CAREFUL, '~'),
        Verb::Create | Verb::Grant => (GOOD, '+'),
    }
}

/// The operation, its target and its place.
pub(super) fn action_line(out: &mut String, action: &ActionDocument) {
    verb_line(out, action, action.action.as_str());
}

/// The same with another verb than its own.
pub(super) fn verb_line(out: &mut String, action: &ActionDocument, verb: &str) {
    let (style, mark) = mark(action.action);
    let what = what(action, |text| printable(text).into_owned());
    let consumer = action.consumer.as_ref();
    let consumer = consumer
        .map(|number| format!("  {}", named(number, action.consumer_name.as_deref())))
        .unwrap_or_default();
    let by = by(action.group.as_deref(), action.team.as_deref());
    let by = by.map(|by| format!("  {by}")).unwrap_or_default();
    let place = places(action);
    line(
        out,
        format_args!(
            "  {style}{mark} {verb:<10}{style:#} {what}{consumer}{by}  {QUIET}{place}{QUIET:#}"
        ),
    );
}

/// An action with all that it does.
pub(super) fn action_lines(out: &mut String, action: &ActionDocument) {
    action_line(out, action);
    if let Some(reason) = &action.reason {
        line(out, format_args!("      reason: {}", printable(reason)));
    }
    if let Some(blame) = action.source.as_ref().and_then(|source| source.blame.as_ref()) {
        let (commit, author) = (short(&blame.commit), printable(&blame.author));
        line(out, format_args!("      {}: {commit} by {author}", blame.words()));
    }
    consumers_line(out, &action.regains, "with access again");
    keys_line(out, &action.regains_keys);
    consumers_line(out, &action.loses, "without access until it is active again");
    for change in &action.changes {
        change_line(out, change, action.mark(change));
    }
}

/// `group samarbeid, team arbeid`; `None` for an access with neither.
fn by(group: Option<&str>, team: Option<&str>) -> Option<String> {
    let group = group.map(|group| format!("group {}", printable(group)));
    let team = team.map(|team| format!("team {}", printable(team)));
    let parts: Vec<_> = [group, team].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The line that made the difference, and the entry that it concerns if that is another line.
fn places(action: &ActionDocument) -> String {
    let source = action.source.as_ref().map(place).unwrap_or_default();
    match &action.entry {
        Some(entry) => format!("{source} for {}", place(entry)),
        None => source,
    }
}

/// `teams/a.yaml:4`, with the commit if it is no longer declared.
pub(super) fn place(source: &SourceDocument) -> String {
    let SourceDocument { file, line, at, blame: _ } = source;
    let at = at.as_ref().map(|commit| format!(" at {}", short(commit))).unwrap_or_default();
    format!("{}:{line}{at}", printable(file))
}

/// The scope or the client of an action, with its name as shown.
pub(super) fn what(action: &ActionDocument, show: impl Fn(&str) -> String) -> String {
    match (&action.scope, &action.client) {
        (Some(scope), _) => show(scope),
        (None, Some(client)) => format!("client {}", show(client)),
        (None, None) => show(&action.id),
    }
}

fn keys_line(out: &mut String, keys: &[String]) {
    if !keys.is_empty() {
        let kids: Vec<_> = keys.iter().map(|kid| printable(kid)).collect();
        let (counted, kids) = (counted(keys.len() as u64, "key", "s"), kids.join(", "));
        let counts = if keys.len() == 1 { "counts" } else { "count" };
        line(out, format_args!("      {CAREFUL}{counted} {counts} again{CAREFUL:#}: {kids}"));
    }
}

fn consumers_line(out: &mut String, consumers: &[ConsumerDocument], what: &str) {
    if !consumers.is_empty() {
        let who = consumers.iter();
        let who: Vec<_> =
            who.map(|who| named(&who.consumer, who.consumer_name.as_deref())).collect();
        let (count, who) = (counted(who.len() as u64, "consumer", "s"), who.join(", "));
        line(out, format_args!("      {CAREFUL}{count} {what}{CAREFUL:#}: {who}"));
    }
}

fn change_line(out: &mut String, change: &ChangeDocument, mark: Option<Mark>) {
    let ChangeDocument { field, before, after } = change;
    let shown = match is_entry(field) {
        true => entry_change(before, after),
        false if before.is_null() => value(after),
        false => format!("{} -> {}", value(before), value(after)),
    };
    let field = printable(field);
    let mark = mark.map(|mark| format!("  {CAREFUL}{}{CAREFUL:#}", remark(mark)));
    line(out, format_args!("      {field}: {shown}{}", mark.unwrap_or_default()));
}

/// The danger of a change: `opens: everybody has access`.
pub(super) fn remark(Mark { danger, remark }: Mark) -> String {
    format!("{}: {remark}", danger.as_str())
}

/// Whether a field is listed entry by entry.
pub(super) fn is_entry(field: &str) -> bool {
    matches!(field, "jwks" | "onbehalfof")
}

/// A key or an entry that is added (`+`), removed (`-`) or replaced (`~`).
fn entry_change(before: &Value, after: &Value) -> String {
    match (before, after) {
        (Value::Null, after) => format!("{GOOD}+{GOOD:#} {}", entry(after)),
        (before, Value::Null) => format!("{BAD}-{BAD:#} {}", entry(before)),
        (before, after) => {
            format!("{CAREFUL}~{CAREFUL:#} {} -> {}", entry(before), entry(after))
        }
    }
}

/// A key by its id and properties; any other entry unchanged.
pub(super) fn entry(entry: &Value) -> String {
    let Some(kid) = entry["kid"].as_str() else {
        return value(entry);
    };
    let thumbprint = entry["thumbprint"].as_str().filter(|thumbprint| *thumbprint != kid);
    let thumbprint = thumbprint.map(|text| format!("thumbprint {}", printable(text)));
    let alg = entry["alg"].as_str().map(|alg| printable(alg).into_owned());
    let ends = entry["exp"].as_i64().and_then(|exp| Timestamp::from_second(exp).ok());
    let ends = ends.map(|ends| format!("ends on {}", ends.strftime("%F")));
    let x5c = entry["x5c"].as_array().map(|_| "locked to its certificate".to_owned());
    let parts: Vec<String> = [thumbprint, alg, ends, x5c].into_iter().flatten().collect();
    match parts.is_empty() {
        true => printable(kid).into_owned(),
        false => format!("{} ({})", printable(kid), parts.join(", ")),
    }
}

/// `974761076 Skatteetaten`.
pub(super) fn named(number: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{} {}", printable(number), printable(name)),
        None => printable(number).into_owned(),
    }
}

/// `Skatteetaten (974761076)`.
pub(super) fn organization(number: &str, name: Option<&str>) -> String {
    let number = printable(number);
    match name {
        Some(name) => format!("{} ({number})", printable(name)),
        None => number.into_owned(),
    }
}

fn blocked(out: &mut String, blocked: &[BlockedDocument]) {
    if blocked.is_empty() {
        return;
    }
    line(out, format_args!("\n{HEADING}Blocked: asked for, and not done{HEADING:#}"));
    for BlockedDocument { target, code, message } in blocked {
        let (target, code) = (printable(target), printable(code));
        line(out, format_args!("  {BAD}x{BAD:#} {target} {QUIET}{code}{QUIET:#}"));
        line(out, format_args!("      {}", printable(message)));
    }
}

fn limits(out: &mut String, plan: &PlanDocument) {
    if plan.limits().next().is_none() {
        return;
    }
    line(out, format_args!("\n{HEADING}Limits exceeded: apply refuses this{HEADING:#}"));
    for NoticeDocument { code, target: _, message } in plan.limits() {
        line(out, format_args!("  {BAD}x{BAD:#} {} {}", printable(code), printable(message)));
    }
}

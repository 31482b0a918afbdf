//! The ledger as text: person, action, time, commit and reason.

use std::collections::BTreeSet;

use globset::GlobMatcher;
use jiff::Timestamp;

use super::report::outcome_style;
use super::text::{BAD, CAREFUL, HEADING, QUIET, action_lines, later_line, line, short, verb_line};
use domain::Orgno;
use domain::text::printable;
use plan::document::{
    ActionDocument, ConsumerDocument, Ending, ReportDocument, ReportedAction, ReviewDocument,
    ScheduledDocument,
};

/// Filter of the ledger; empty selects everything.
#[derive(Debug, Clone, Copy)]
pub struct HistoryFilter<'a> {
    /// Scopes, by name.
    pub scope: Option<&'a GlobMatcher>,
    /// Organisations; one of them is enough.
    pub consumers: Option<&'a BTreeSet<Orgno>>,
    /// Clients, by name.
    pub client: Option<&'a GlobMatcher>,
}

impl HistoryFilter<'_> {
    fn is_all(&self) -> bool {
        self.scope.is_none() && self.consumers.is_none() && self.client.is_none()
    }

    fn asks_for_day(&self, change: &ScheduledDocument) -> bool {
        let Self { scope, consumers, client } = self;
        client.is_none()
            && scope.is_none_or(|glob| glob.is_match(&change.scope))
            && consumers.is_none_or(|asked| asked.iter().any(|it| it.as_str() == change.consumer))
    }

    fn asks_for(&self, action: &ActionDocument) -> bool {
        let Self { scope, consumers, client } = self;
        let fits = |glob: &Option<&GlobMatcher>, name: &Option<String>| {
            glob.is_none_or(|glob| name.as_ref().is_some_and(|name| glob.is_match(name)))
        };
        let is_consumer = consumers.is_none_or(|asked| {
            let touched = action.regains.iter().chain(&action.loses);
            let touched = touched.map(|ConsumerDocument { consumer, consumer_name: _ }| consumer);
            let mut numbers = touched.chain(&action.consumer);
            numbers.any(|number| asked.iter().any(|orgno| orgno.as_str() == number))
        });
        fits(scope, &action.scope) && fits(client, &action.client) && is_consumer
    }
}

/// The reports with entries that match the filter, reduced to those entries; the newest first. Each has the
/// name of its environment.
pub fn chosen(
    mut reports: Vec<(String, ReportDocument)>,
    asked: &HistoryFilter<'_>,
) -> Vec<(String, ReportDocument)> {
    for (_, report) in &mut reports {
        report.actions.retain(|reported| asked.asks_for(&reported.action));
        report.scheduled.retain(|change| asked.asks_for_day(change));
    }
    reports.retain(|(_, report)| {
        asked.is_all() || !report.actions.is_empty() || !report.scheduled.is_empty()
    });
    let order = |(_, report): &(String, ReportDocument)| (started(report), report.report.clone());
    reports.sort_by_key(order);
    reports.reverse();
    reports
}

fn started(report: &ReportDocument) -> Option<Timestamp> {
    report.started.parse().ok()
}

/// Reports of these environments that were asked for, as text with ANSI colours.
pub fn text(
    environments: &[String],
    reports: &[(String, ReportDocument)],
    asked: &HistoryFilter<'_>,
) -> String {
    let several = environments.len() > 1;
    if reports.is_empty() {
        let all = environments.join(", ");
        if asked.is_all() {
            return format!("No apply is recorded for {}.\n", printable(&all));
        }
        let (ledgers, hold) = if several { ("ledgers", "hold") } else { ("ledger", "holds") };
        return format!("The {ledgers} of {} {hold} nothing of it.\n", printable(&all));
    }
    let mut out = String::new();
    for (environment, report) in reports {
        head(&mut out, environment, several, report);
        for ReportedAction { action, outcome, message, may_be_done: _ } in &report.actions {
            match report.denial {
                // No access was there to be revoked.
                true => verb_line(&mut out, action, "deny"),
                false => action_lines(&mut out, action),
            }
            let Some(style) = outcome_style(*outcome) else { continue };
            let why = message.as_deref().and_then(|message| message.lines().next());
            let why = why.map(|why| format!(": {}", printable(why))).unwrap_or_default();
            line(&mut out, format_args!("      {style}{}{style:#}{why}", outcome.as_str()));
        }
        for change in &report.scheduled {
            later_line(&mut out, change);
        }
    }
    out
}

/// `  seen in pull request 7 by kari, approved by ola, at https://…`
fn reviewed(out: &mut String, review: &ReviewDocument) {
    let ReviewDocument { number, url, author, approvers } = review;
    let by = author.as_deref().map(|author| format!(" by {}", printable(author)));
    let approved = match approvers.is_empty() {
        true => String::new(),
        false => format!(", approved by {}", printable(&approvers.join(", "))),
    };
    let page = url.as_deref().map(|url| format!(", at {}", printable(url))).unwrap_or_default();
    let by = by.unwrap_or_default();
    line(out, format_args!("  {QUIET}seen in pull request{QUIET:#} {number}{by}{approved}{page}"));
}

fn head(out: &mut String, environment: &str, is_named: bool, report: &ReportDocument) {
    if !out.is_empty() {
        out.push('\n');
    }
    let style = match report.outcome {
        Ending::Done => HEADING,
        Ending::Begun | Ending::Partial | Ending::Interrupted => CAREFUL,
    };
    let to_second = |time: Timestamp| format!("{time:.0}");
    let when = started(report).map_or_else(|| report.started.clone(), to_second);
    let (when, outcome) = (printable(&when), report.outcome.as_str());
    let commit = report.commit.as_deref().map(short).unwrap_or_default();
    let dirty = if report.dirty { " with uncommitted changes" } else { "" };
    let what = if report.rollback {
        "rollback to "
    } else if report.denial {
        "a request was denied at "
    } else if report.due {
        "by date (apply --due) at "
    } else {
        ""
    };
    let place = if is_named { format!("  {}", printable(environment)) } else { String::new() };
    line(
        out,
        format_args!(
            "{HEADING}{when}{HEADING:#}{place}  {what}{commit}{dirty}  {style}{outcome}{style:#}"
        ),
    );
    let (who, place) = (printable(&report.who), printable(&report.place));
    line(out, format_args!("  {QUIET}by{QUIET:#} {who} {QUIET}at{QUIET:#} {place}"));
    if let Some(review) = &report.review {
        reviewed(out, review);
    }
    if report.environment != environment {
        let former = printable(&report.environment);
        line(out, format_args!("  {QUIET}when the environment was called{QUIET:#} {former}"));
    }
    if report.signed == Some(false) {
        line(
            out,
            format_args!(
                "  {BAD}not verified{BAD:#}: no allowed signer has signed this, so anybody may have \
                 written it"
            ),
        );
    }
    if let Some(why) = &report.override_guards {
        let why = printable(why);
        line(out, format_args!("  {CAREFUL}limits of guards lifted{CAREFUL:#}: {why}"));
    }
}

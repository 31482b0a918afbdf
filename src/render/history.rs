//! The ledger as text: person, action, time, commit and reason.

use globset::GlobMatcher;
use jiff::Timestamp;

use super::report::outcome_style;
use super::text::{BAD, CAREFUL, HEADING, QUIET, action_lines, line, short};
use domain::text::printable;
use plan::document::{ActionDocument, ConsumerDocument, Ending, ReportDocument, ReportedAction};

/// Filter of the ledger; empty selects everything.
#[derive(Debug, Clone, Copy)]
pub struct HistoryFilter<'a> {
    /// Scopes, by name.
    pub scope: Option<&'a GlobMatcher>,
    /// An organisation, by number or name.
    pub consumer: Option<&'a str>,
    /// Clients, by name.
    pub client: Option<&'a GlobMatcher>,
}

impl HistoryFilter<'_> {
    fn is_all(&self) -> bool {
        self.scope.is_none() && self.consumer.is_none() && self.client.is_none()
    }

    fn asks_for(&self, action: &ActionDocument) -> bool {
        let Self { scope, consumer, client } = self;
        let fits = |glob: &Option<&GlobMatcher>, name: &Option<String>| {
            glob.is_none_or(|glob| name.as_ref().is_some_and(|name| glob.is_match(name)))
        };
        let is_consumer = consumer.is_none_or(|asked| {
            let is_it = |number: &str, name: Option<&str>| {
                number == asked || name.is_some_and(|name| name.eq_ignore_ascii_case(asked))
            };
            let touched = action.regains.iter().chain(&action.loses);
            let own = action.consumer.as_deref();
            own.is_some_and(|number| is_it(number, action.consumer_name.as_deref()))
                || touched.into_iter().any(|ConsumerDocument { consumer, consumer_name }| {
                    is_it(consumer, consumer_name.as_deref())
                })
        });
        fits(scope, &action.scope) && fits(client, &action.client) && is_consumer
    }
}

/// The reports with entries that match the filter, reduced to those entries; the newest first.
pub fn chosen(mut reports: Vec<ReportDocument>, asked: &HistoryFilter<'_>) -> Vec<ReportDocument> {
    for report in &mut reports {
        report.actions.retain(|reported| asked.asks_for(&reported.action));
    }
    reports.retain(|report| asked.is_all() || !report.actions.is_empty());
    let order = |report: &ReportDocument| (started(report), report.report.clone());
    reports.sort_by_key(order);
    reports.reverse();
    reports
}

fn started(report: &ReportDocument) -> Option<Timestamp> {
    report.started.parse().ok()
}

/// Reports as text with ANSI colours.
pub fn text(environment: &str, reports: &[ReportDocument]) -> String {
    if reports.is_empty() {
        return format!("The ledger of {} holds nothing of it.\n", printable(environment));
    }
    let mut out = String::new();
    for report in reports {
        head(&mut out, environment, report);
        for ReportedAction { action, outcome, message, may_be_done: _ } in &report.actions {
            action_lines(&mut out, action);
            let Some(style) = outcome_style(*outcome) else { continue };
            let why = message.as_deref().and_then(|message| message.lines().next());
            let why = why.map(|why| format!(": {}", printable(why))).unwrap_or_default();
            line(&mut out, format_args!("      {style}{}{style:#}{why}", outcome.as_str()));
        }
    }
    out
}

fn head(out: &mut String, environment: &str, report: &ReportDocument) {
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
    let what = if report.rollback { "rollback to " } else { "" };
    line(
        out,
        format_args!(
            "{HEADING}{when}{HEADING:#}  {what}{commit}{dirty}  {style}{outcome}{style:#}"
        ),
    );
    let (who, place) = (printable(&report.who), printable(&report.place));
    line(out, format_args!("  {QUIET}by{QUIET:#} {who} {QUIET}at{QUIET:#} {place}"));
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

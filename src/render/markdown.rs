//! A plan as markdown, for one comment on a pull request: the summary, then actions that remove access or
//! open something, then those that give access, then the rest. It is shortened to the size of a comment, from
//! the least dangerous end. Text from outside is always shown as plain text, see [`escape`].

mod access;
mod danger;
mod escape;
mod findings;
mod page;
mod report;
mod rows;

pub use access::access;
use escape::{Escape, marked};
pub use findings::findings;
use page::{LONGEST_VALUE, MarkdownPage, MarkdownTable, Rank};
pub use report::report;
use rows::{Form, LATER_COLUMNS, later_row, tables};

use super::sections::{BY_DATE, ByOrigin, Section, headed, sections};
use super::text::{LATER, since, totals};
use crate::history::place_name;
use domain::text::counted;
use plan::document::{ActionDocument, BlockedDocument, NoticeDocument, PlanDocument};

/// Number of notices that are not folded.
const OPEN_NOTICES: usize = 5;

/// The first line of a place's comment, by which it is found again. It is unique for each name, and no name
/// can end it.
pub fn marker(project: Option<&str>, environment: &str) -> String {
    format!("<!-- portvakt plan {} -->", marked(&place_name(project, environment)))
}

/// The first line of the comment with a place's last report.
pub fn report_marker(project: Option<&str>, environment: &str) -> String {
    format!("<!-- portvakt report {} -->", marked(&place_name(project, environment)))
}

/// A plan as markdown, at most 60,000 characters, a line break at the end.
pub fn plan(plan: &PlanDocument) -> String {
    MarkdownPage::fitted(|escape| page(plan, escape))
}

fn page(plan: &PlanDocument, escape: Escape) -> MarkdownPage {
    let mut page = MarkdownPage::default();
    let form = Form { escape, folder: plan.folder() };
    head(&mut page, plan, escape);
    let ByOrigin { own, dated, drift } = ByOrigin::of(plan);
    let whose = (!drift.is_empty() || !dated.is_empty()).then_some("This pull request");
    shown(&mut page, whose, &own, form);
    later(&mut page, plan, form);
    shown(&mut page, Some(BY_DATE), &dated, form);
    drifted(&mut page, &drift, form);
    limits(&mut page, plan, escape);
    blocked(&mut page, &plan.blocked, escape);
    notices(&mut page, &plan.other_notices().collect::<Vec<_>>(), escape);
    foot(&mut page, plan, escape);
    page
}

/// Actions in their sections.
fn shown(
    page: &mut MarkdownPage,
    whose: Option<&str>,
    actions: &[&ActionDocument],
    form: Form<'_>,
) {
    for (heading, section, actions) in headed(whose, "Changes", actions) {
        page.text(format!("### {heading}"));
        tables(page, Rank::of(section, false), &actions, form);
    }
}

/// The changes of accesses on later days.
fn later(page: &mut MarkdownPage, plan: &PlanDocument, form: Form<'_>) {
    if plan.scheduled.is_empty() {
        return;
    }
    page.text(format!("### {LATER}"));
    let rows: Vec<_> = plan.scheduled.iter().map(|change| later_row(change, form)).collect();
    page.table(MarkdownTable::new(Rank::Delicate, LATER_COLUMNS, &rows));
}

fn head(page: &mut MarkdownPage, plan: &PlanDocument, escape: Escape) {
    let environment = escape.code(&plan.environment);
    let what = if plan.rollback { "rollback" } else { "plan" };
    let project = plan.project.as_deref();
    let marker = marker(project, &plan.environment);
    let project = project.map(|project| format!(" in {}", escape.code(project)));
    let project = project.unwrap_or_default();
    let unknown = plan
        .unknown_past()
        .map(|why| format!("**What was applied before is not known:** {}\n\n", escape.code(why)));
    let unknown = unknown.unwrap_or_default();
    page.text(format!("{marker}\n{unknown}## portvakt: {what} for {environment}{project}"));
    let number = escape.code(&plan.organization);
    let organization = match &plan.organization_name {
        Some(name) => format!("{} ({number})", escape.code(name)),
        None => number,
    };
    let since = since(plan, |commit| escape.code(commit));
    page.text([Some(organization), since].into_iter().flatten().collect::<Vec<_>>().join(", "));
    let totals = totals(plan);
    page.text(if plan.is_as_declared() { totals } else { format!("**{totals}**") });
    if let Some(danger) = danger::sentence(plan) {
        page.text(format!("**Look twice:** {danger}."));
    }
    let limits = plan.limits().count();
    if limits > 0 {
        let limits = counted(limits as u64, "limit", "s");
        page.text(format!("**Apply refuses this:** it exceeds {limits}, named below."));
    }
    page.cut_here();
}

/// Actions that were pending before this pull request, folded.
fn drifted(page: &mut MarkdownPage, drift: &[&ActionDocument], form: Form<'_>) {
    if drift.is_empty() {
        return;
    }
    let sections = sections(drift);
    let is_plain = matches!(sections.as_slice(), [(Section::Rest, _)]);
    let warnings = sections.iter().filter_map(|(section, actions)| {
        let (one, several) = match section {
            Section::Blocked => (
                "takes access away from a blocked organisation",
                "take access away from blocked organisations",
            ),
            Section::TakeOver => {
                ("takes access away that others granted", "take access away that others granted")
            }
            Section::Delicate => ("takes access away or opens up", "take access away or open up"),
            Section::Gives => ("gives access", "give access"),
            Section::Rest => return None,
        };
        let what = if actions.len() == 1 { one } else { several };
        Some(format!("{} of them {what}", actions.len()))
    });
    let warning = match warnings.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => none,
        warning => format!(" ({warning})"),
    };
    let all = drift.len();
    page.text(format!("<details>\n<summary>Drift that was there before: {all}{warning}</summary>"));
    for (section, actions) in sections {
        let text = match section {
            Section::Blocked | Section::TakeOver => section.heading(),
            Section::Delicate => "Drift that takes access away or opens up",
            Section::Gives => "Drift that gives access",
            Section::Rest if is_plain => "Drift",
            Section::Rest => "The rest of the drift",
        };
        page.text(format!("#### {text}"));
        tables(page, Rank::of(section, true), &actions, form);
    }
    page.text("</details>");
}

fn limits(page: &mut MarkdownPage, plan: &PlanDocument, escape: Escape) {
    let row = |NoticeDocument { code, target: _, message }: &NoticeDocument| {
        [escape.code(code), escape.code(message)]
    };
    let rows: Vec<_> = plan.limits().map(row).collect();
    if !rows.is_empty() {
        page.text("### Limits exceeded: apply refuses this");
        page.table(MarkdownTable::new(Rank::Limit, ["Code", "Limit"], &rows));
    }
}

fn blocked(page: &mut MarkdownPage, blocked: &[BlockedDocument], escape: Escape) {
    let row = |BlockedDocument { target, code, message }: &BlockedDocument| {
        [escape.code(target), escape.code(code), escape.code(message)]
    };
    let rows: Vec<_> = blocked.iter().map(row).collect();
    if !rows.is_empty() {
        page.text("### Blocked: asked for, and not done");
        page.table(MarkdownTable::new(Rank::Blocked, ["Blocked", "Code", "Why"], &rows));
    }
}

fn notices(page: &mut MarkdownPage, notices: &[&NoticeDocument], escape: Escape) {
    let row = |NoticeDocument { code, target, message }: &NoticeDocument| {
        [escape.code(code), escape.code(target), escape.code(message)]
    };
    let rows: Vec<_> = notices.iter().map(|notice| row(notice)).collect();
    let table = MarkdownTable::new(Rank::Notice, ["Code", "About", "Worth knowing"], &rows);
    match rows.len() {
        0 => {}
        1..=OPEN_NOTICES => {
            page.text("### Worth knowing");
            page.table(table);
        }
        many => {
            page.text(format!("<details>\n<summary>Worth knowing: {many}</summary>"));
            page.table(table);
            page.text("</details>");
        }
    }
}

/// The digest, and the command that applies exactly this plan. People copy the command into a shell: every
/// part of it is a single plain word.
fn foot(page: &mut MarkdownPage, plan: &PlanDocument, escape: Escape) {
    page.text(format!("Digest {}", escape.code(&plan.digest)));
    let digest = plan.digest.strip_prefix("sha256:").filter(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    });
    if let Some(digest) = digest.filter(|_| !plan.is_empty() && !plan.rollback) {
        let environment = match is_word(&plan.environment) {
            true => format!(" --env {}", plan.environment),
            false => String::new(),
        };
        page.text(format!(
            "To apply exactly this: `portvakt apply --expect sha256:{digest}{environment}`"
        ));
    }
}

fn is_word(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST_VALUE).contains(&text.len())
        && !text.starts_with('-')
        && text.bytes().all(is_plain)
}

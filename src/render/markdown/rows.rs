//! Actions as rows of tables: one row for an access or a field.

use serde_json::Value;

use super::escape::Escape;
use super::page::{MarkdownPage, MarkdownTable, Rank};
use crate::render::sections::{GroupChange, group_changes};
use crate::render::text::{entry, is_entry, place, remark, short, what};
use domain::text::json::value;
use plan::Mark;
use plan::document::{
    ActionDocument, ChangeDocument, ConsumerDocument, ScheduledDocument, SourceDocument,
};

const ACCESSES: [&str; 10] =
    ["Action", "Scope", "Consumer", "Group", "Team", "Field", "Before", "After", "Where", "Reason"];
const OTHERS: [&str; 8] =
    ["Action", "Scope or client", "Consumer", "Field", "Before", "After", "Where", "Reason"];
/// Columns of changes on later days.
pub(super) const LATER_COLUMNS: [&str; 6] =
    ["Change", "Scope", "Consumer", "Group", "Team", "Where"];
const GROUPS: [&str; 5] = ["Group", "Member", "Change", "Concerns", "Where"];

/// A row of [`OTHERS`].
type Cells = [String; 8];
/// A row of [`ACCESSES`].
type AccessCells = [String; 10];

/// Options for showing text from outside, and paths.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) escape: Escape,
    /// The folder of the files, from the top of the git repository.
    pub(super) folder: &'a str,
}

/// Adds a table of accesses and one of scopes and clients.
pub(super) fn tables(
    page: &mut MarkdownPage,
    rank: Rank,
    actions: &[&ActionDocument],
    form: Form<'_>,
) {
    let groups: Vec<_> =
        group_changes(actions).iter().map(|change| group_row(change, form)).collect();
    page.table(MarkdownTable::new(rank, GROUPS, &groups));
    let (mut accesses, mut others) = (Vec::new(), Vec::new());
    for action in actions {
        let of_access = |cells| with_group(cells, action, form.escape);
        let rows = fields(action, form);
        match action.consumer {
            Some(_) => accesses.extend(rows.into_iter().map(of_access)),
            None => others.extend(rows),
        }
        let regains = consumers(&action.regains, "has access again", action, form);
        let loses = "without access until it is active again";
        let loses = consumers(&action.loses, loses, action, form);
        accesses.extend(regains.chain(loses).map(of_access));
    }
    page.table(MarkdownTable::new(rank, ACCESSES, &accesses));
    page.table(MarkdownTable::new(rank, OTHERS, &others));
}

/// The row of a change on a later day.
pub(super) fn later_row(change: &ScheduledDocument, form: Form<'_>) -> [String; 6] {
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
    let Form { escape, folder: _ } = form;
    [
        format!("{} {}", effect.words(), escape.code(day)),
        escape.code(scope),
        escape.named(consumer, consumer_name.as_deref()),
        escape.optional(group.as_deref()),
        escape.optional(team.as_deref()),
        sourced(source, form),
    ]
}

/// A member that comes or goes, and how many scopes that concerns.
fn group_row(change: &GroupChange<'_>, form: Form<'_>) -> [String; 5] {
    let GroupChange { group, action, .. } = change;
    let consumer = action.consumer.as_deref().unwrap_or_default();
    let consumer = form.escape.named(consumer, action.consumer_name.as_deref());
    let verb = if action.action.closes() { "leaves" } else { "joins" };
    let place = action.source.as_ref().map(|source| sourced(source, form)).unwrap_or_default();
    [form.escape.code(group), consumer, verb.to_owned(), change.reach(), place]
}

/// A row with the group and the team of its action.
fn with_group(cells: Cells, action: &ActionDocument, escape: Escape) -> AccessCells {
    let [verb, scope, consumer, rest @ ..] = cells;
    let [field, before, after, place, reason] = rest;
    // Rows below the first have no scope.
    let shown = |text: &Option<String>| match (text, scope.is_empty()) {
        (Some(text), false) => escape.code(text),
        (Some(_) | None, _) => String::new(),
    };
    let (group, team) = (shown(&action.group), shown(&action.team));
    [verb, scope, consumer, group, team, field, before, after, place, reason]
}

/// A row for each field that changes and each key that is valid again; text that concerns all of them is in
/// the first.
fn fields(action: &ActionDocument, form: Form<'_>) -> Vec<Cells> {
    let escape = form.escape;
    let changes = action.changes.iter().map(|change| cells(change, action.mark(change), escape));
    let keys = action.regains_keys.iter().map(|kid| {
        let counts = format!("{} **counts again**", escape.code(kid));
        ["key".to_owned(), String::new(), counts]
    });
    let mut rows: Vec<Cells> = changes
        .chain(keys)
        .map(|[field, before, after]| {
            let mut row = Cells::default();
            (row[3], row[4], row[5]) = (field, before, after);
            row
        })
        .collect();
    if rows.is_empty() {
        rows.push(Cells::default());
    }
    if let Some(first) = rows.first_mut() {
        first[0] = action.action.as_str().to_owned();
        first[1] = what(action, |text| escape.code(text));
        let name = action.consumer_name.as_deref();
        first[2] = action.consumer.as_ref().map(|who| escape.named(who, name)).unwrap_or_default();
        (first[6], first[7]) = (origin(action, form), escape.optional(action.reason.as_deref()));
    }
    rows
}

/// A row for each consumer whose access changes because of the scope's action.
fn consumers(
    consumers: &[ConsumerDocument],
    becomes: &str,
    action: &ActionDocument,
    form: Form<'_>,
) -> impl Iterator<Item = Cells> {
    consumers.iter().map(move |ConsumerDocument { consumer, consumer_name }| {
        let mut row = Cells::default();
        row[0] = becomes.to_owned();
        row[1] = what(action, |text| form.escape.code(text));
        row[2] = form.escape.named(consumer, consumer_name.as_deref());
        let reason = form.escape.optional(action.reason.as_deref());
        (row[6], row[7]) = (origin(action, form), reason);
        row
    })
}

/// A field with its values before and after. An unset value is empty before and `none` after, as one change
/// sets it and the other removes it.
fn cells(change: &ChangeDocument, mark: Option<Mark>, escape: Escape) -> [String; 3] {
    let ChangeDocument { field, before, after } = change;
    let shown = |shown: &Value| match (shown, is_entry(field)) {
        (Value::Null, _) => String::new(),
        (shown, true) => escape.code(&entry(shown)),
        (shown, false) => escape.code(&value(shown)),
    };
    let mut becomes = if after.is_null() { "none".to_owned() } else { shown(after) };
    if let Some(mark) = mark {
        becomes = format!("{becomes} **{}**", remark(mark));
    }
    [escape.code(field), shown(before), becomes]
}

/// Where the repository requests it, from the top of the git repository, as hosts show files; and the last
/// change of that line.
fn origin(action: &ActionDocument, form: Form<'_>) -> String {
    let Some(source) = &action.source else {
        return String::new();
    };
    let entry = action.entry.as_ref().map(|entry| format!(" for {}", placed(entry, form)));
    sourced(source, form) + &entry.unwrap_or_default()
}

/// A place, and the last change of that line.
fn sourced(source: &SourceDocument, form: Form<'_>) -> String {
    let (place, escape) = (placed(source, form), form.escape);
    match &source.blame {
        Some(blame) => {
            let (commit, author) = (short(&blame.commit), &blame.author);
            let (commit, author) = (escape.code(&commit), escape.code(author));
            format!("{place}, {}: {commit} by {author}", blame.words())
        }
        None => place,
    }
}

fn placed(source: &SourceDocument, Form { escape, folder }: Form<'_>) -> String {
    escape.code(&match folder {
        "" => place(source),
        folder => format!("{folder}/{}", place(source)),
    })
}

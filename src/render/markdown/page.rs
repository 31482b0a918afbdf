//! A page of texts and tables that can be shortened.

use std::fmt::Write as _;

use super::escape::Escape;
use crate::render::sections::Section;
use domain::text::for_markdown;

/// Longest comment, in characters. GitHub accepts 65,536.
const LONGEST: usize = 60_000;

/// Longest value where not everything is shown, in characters.
pub(super) const LONGEST_VALUE: usize = 200;

/// Room for the numbers in the line about omitted rows of each table.
const NUMBERS: usize = 48;

/// Importance of rows, in the order in which they are kept when there is no room for everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Limits that stop an apply.
    Limit,
    /// Actions that remove access or open something.
    Delicate,
    /// The same, pending before this pull request.
    DelicateDrift,
    /// Actions that give access.
    Gives,
    /// The same, pending before this pull request.
    GivesDrift,
    /// Blocked actions.
    Blocked,
    /// Other changes.
    Change,
    /// Other changes, pending before this pull request.
    Drift,
    /// Notices.
    Notice,
}

impl Rank {
    /// The rank of the actions of a section, which may have been pending before this pull request.
    pub(super) fn of(section: Section, is_drift: bool) -> Self {
        match (section, is_drift) {
            (Section::Blocked | Section::TakeOver | Section::Delicate, false) => Self::Delicate,
            (Section::Blocked | Section::TakeOver | Section::Delicate, true) => Self::DelicateDrift,
            (Section::Gives, false) => Self::Gives,
            (Section::Gives, true) => Self::GivesDrift,
            (Section::Rest, false) => Self::Change,
            (Section::Rest, true) => Self::Drift,
        }
    }
}

/// A table; a row has one cell for each column.
#[derive(Debug)]
pub(super) struct MarkdownTable {
    rank: Rank,
    head: String,
    rows: Vec<String>,
}

#[derive(Debug)]
enum PageBlock {
    Text(String),
    Table(MarkdownTable),
    /// Place for the note about omitted rows.
    Cut,
}

/// A page, from top to bottom.
#[derive(Debug, Default)]
pub(super) struct MarkdownPage(Vec<PageBlock>);

impl MarkdownTable {
    /// A table without empty columns.
    pub(super) fn new<const N: usize>(
        rank: Rank,
        columns: [&str; N],
        rows: &[[String; N]],
    ) -> Self {
        let is_used = |column: usize| rows.iter().any(|row| !row[column].is_empty());
        let used: Vec<usize> = (0..N).filter(|column| is_used(*column)).collect();
        let line = |cell: &dyn Fn(usize) -> String| {
            let cells: Vec<_> = used.iter().map(|column| cell(*column)).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let title = |column: usize| columns[column].to_owned();
        Self {
            rank,
            head: line(&title) + &line(&|_| "---".to_owned()),
            rows: rows.iter().map(|row| line(&|column| row[column].clone())).collect(),
        }
    }
}

impl MarkdownPage {
    /// Adds a text, and an empty line after it.
    pub(super) fn text(&mut self, text: impl Into<String>) {
        self.0.push(PageBlock::Text(text.into()));
    }

    /// Adds a table, unless it is empty.
    pub(super) fn table(&mut self, table: MarkdownTable) {
        if !table.rows.is_empty() {
            self.0.push(PageBlock::Table(table));
        }
    }

    /// Places the note about omitted rows here, if there are any.
    pub(super) fn cut_here(&mut self) {
        self.0.push(PageBlock::Cut);
    }

    /// Everything.
    pub(super) fn whole(&self) -> String {
        let rows = self.tables().map(|table| table.rows.len()).collect::<Vec<_>>();
        self.render(&rows, false)
    }

    /// A whole page, or as much of it as a comment can have.
    pub(super) fn fitted(page: impl Fn(Escape) -> Self) -> String {
        let whole = page(Escape { limit: usize::MAX }).whole();
        if length(&whole) <= LONGEST {
            return whole;
        }
        page(Escape { limit: LONGEST_VALUE }).cut()
    }

    /// As many rows as fit into a comment, the least dangerous omitted first.
    fn cut(&self) -> String {
        let tables: Vec<&MarkdownTable> = self.tables().collect();
        let mut shown = vec![0; tables.len()];
        let bare = length(&self.render(&shown, true)) + NUMBERS * (tables.len() + 1);
        let mut room = LONGEST.saturating_sub(bare);
        let mut order: Vec<_> = tables.iter().zip(&mut shown).collect();
        order.sort_by_key(|(table, _)| table.rank);
        'full: for (table, shown) in order {
            let mut head = length(&table.head);
            for row in &table.rows {
                let Some(rest) = room.checked_sub(length(row) + head) else {
                    break 'full;
                };
                (room, head) = (rest, 0);
                *shown += 1;
            }
        }
        self.render(&shown, true)
    }

    fn tables(&self) -> impl Iterator<Item = &MarkdownTable> {
        self.0.iter().filter_map(|block| match block {
            PageBlock::Table(table) => Some(table),
            PageBlock::Text(_) | PageBlock::Cut => None,
        })
    }

    /// With that many rows of each table, and a note if that and values are shortened.
    fn render(&self, shown: &[usize], is_cut: bool) -> String {
        let mut out = String::new();
        let mut tables = shown.iter();
        for block in &self.0 {
            // Writing into a String does not fail.
            let _ = match (block, is_cut) {
                (PageBlock::Text(text), _) => writeln!(out, "{text}\n"),
                (PageBlock::Table(table), _) => {
                    table.render(&mut out, tables.next().copied().unwrap_or_default());
                    Ok(())
                }
                (PageBlock::Cut, false) => Ok(()),
                (PageBlock::Cut, true) => {
                    let all: usize = self.tables().map(|table| table.rows.len()).sum();
                    writeln!(
                        out,
                        "**Cut to fit into a comment:** {} of {all} rows are shown, the most dangerous \
                         first, and at most {LONGEST_VALUE} characters of a value. The plan as JSON has \
                         everything.\n",
                        shown.iter().sum::<usize>()
                    )
                }
            };
        }
        out.truncate(out.trim_end().len());
        for_markdown(&(out + "\n")).into_owned()
    }
}

impl MarkdownTable {
    fn render(&self, out: &mut String, shown: usize) {
        let all = self.rows.len();
        if shown < all {
            let _ = writeln!(out, "**{shown} of {all} shown; the rest in the plan as JSON**\n");
        }
        if shown > 0 {
            out.push_str(&self.head);
            out.extend(self.rows.iter().take(shown).map(String::as_str));
            out.push('\n');
        }
    }
}

/// The length of a text in the units in which comments are limited.
fn length(text: &str) -> usize {
    text.chars().count()
}

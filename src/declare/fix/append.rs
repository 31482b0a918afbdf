//! Where in a file more can be declared, with all that stands there kept.

use std::collections::BTreeMap;

use crate::declare::yaml::lines::Lines;
use crate::declare::yaml::places::{self, Children, Node};

/// A place for more entries of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// How many bytes stand before it: it is the beginning of a line, or the end of the text.
    pub at: usize,
    /// How far the entries are indented.
    pub indent: usize,
    /// How far the section's key is indented, if it is not there yet and comes first.
    pub new_key: Option<usize>,
    /// The number of the document.
    pub document: usize,
}

/// Why nothing can be added to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotAppend {
    /// The text is no YAML.
    #[error("it is no YAML that can be read")]
    NoYaml,
    /// It uses YAML aliases.
    #[error("it uses YAML aliases, so that a change in one place could be one in others")]
    Aliases,
    /// A section has no lines of its own to add to.
    #[error(
        "`{0}` stands there in brackets, or with nothing behind it: put each entry on lines of its own"
    )]
    NoLines(&'static str),
    /// Its lines end in carriage returns alone.
    #[error("its lines end in an unusual way")]
    LineEnds,
    /// What was written reads back otherwise than it was meant.
    #[error("the result would not say what it said before and the new besides")]
    Otherwise,
}

/// Where each section goes on: at the end of the first one of that name, else as a new key at the end
/// of the text.
///
/// # Errors
/// That is not clear.
pub fn openings(
    text: &str,
    sections: &[&'static str],
) -> Result<BTreeMap<&'static str, Opening>, CannotAppend> {
    let places::Places { documents, problems, aliases } = places::read(text, false);
    if !problems.is_empty() {
        return Err(CannotAppend::NoYaml);
    }
    if !aliases.is_empty() {
        return Err(CannotAppend::Aliases);
    }
    if text.replace("\r\n", "\n").contains('\r') {
        return Err(CannotAppend::LineEnds);
    }
    let lines = Lines::new(text);
    let mut openings = BTreeMap::new();
    for section in sections {
        let mut documents_with =
            documents.iter().enumerate().filter_map(|(n, root)| Some((n, root.entry(section)?)));
        let opening = match documents_with.next() {
            Some((document, entry)) => {
                let (at, indent) =
                    end(&entry.node, text, &lines).ok_or(CannotAppend::NoLines(section))?;
                Opening { at, indent, new_key: None, document }
            }
            None => at_end(&documents, text),
        };
        openings.insert(*section, opening);
    }
    Ok(openings)
}

fn at_end(documents: &[Node<'_>], text: &str) -> Opening {
    let key = match documents.last().map(|root| &root.children) {
        Some(Children::Entries(entries)) => {
            let columns = entries.iter().map(|entry| entry.key_span.start.column);
            columns.min().map_or(0, |column| column.saturating_sub(1) as usize)
        }
        Some(Children::Items(_) | Children::None) | None => 0,
    };
    let document = documents.len().saturating_sub(1);
    Opening { at: text.len(), indent: key + 2, new_key: Some(key), document }
}

/// The beginning of the line behind a block list or mapping, and how far its entries are indented.
fn end(node: &Node<'_>, text: &str, lines: &Lines<'_>) -> Option<(usize, usize)> {
    let first = match &node.children {
        Children::None => return None,
        Children::Items(items) => items.first()?.span.start,
        Children::Entries(entries) => entries.iter().map(|entry| entry.key_span.start).min()?,
    };
    let whole = lines.range(node.span)?;
    let line = lines.line(first.line as usize);
    let indent = line.len() - line.trim_start_matches(' ').len();
    let is_block = match &node.children {
        Children::Items(_) => line.get(indent..)?.starts_with("- "),
        Children::Entries(_) => indent + 1 == first.column as usize,
        Children::None => false,
    };
    if !is_block || text.get(whole.clone())?.starts_with(['[', '{']) {
        return None;
    }
    let last = text.get(..whole.end)?.trim_end().len();
    let mut at = line_end(text, last)?;
    // A comment that is indented more than the entries belongs to the last of them.
    while let Some(line) = text.get(at..)?.lines().next() {
        let rest = line.trim_start_matches(' ');
        if !rest.starts_with('#') || line.len() - rest.len() <= indent {
            break;
        }
        at = line_end(text, at)?;
    }
    Some((at, indent))
}

/// Behind the line on which a place is.
fn line_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    Some(rest.find('\n').map_or(text.len(), |end| at + end + 1))
}

//! The text of a file, and which of its lines are whose.

use std::ops::Range;

use super::Entity;
use crate::yaml::{self, Yaml};

/// A file in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) consumers: Vec<Piece>,
    pub(super) groups: Vec<Piece>,
    pub(super) scopes: Vec<Piece>,
    pub(super) clients: Vec<Piece>,
}

/// An entity with what stands above it.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) entity: Entity,
    /// Without their sign.
    pub(super) comments: Vec<String>,
    pub(super) body: Body,
}

/// What an entity is in its file.
#[derive(Debug)]
pub(super) enum Body {
    /// A key of a mapping, and what stands behind it.
    Entry(String, Yaml),
    /// An item of a list.
    Item(Yaml),
}

/// The lines of an entity, the first of the file being 1.
pub(super) type Lines = Vec<(Range<usize>, Entity)>;

impl Draft {
    /// The sections that have something, each under its key.
    pub(super) fn sections(&self) -> impl Iterator<Item = (&'static str, &[Piece])> {
        let Self { consumers, groups, scopes, clients } = self;
        let all = [
            ("consumers", consumers),
            ("groups", groups),
            ("scopes", scopes),
            ("clients", clients),
        ];
        all.into_iter().filter(|(_, of)| !of.is_empty()).map(|(key, of)| (key, of.as_slice()))
    }

    /// The file's text, below a line that names the schema.
    pub(super) fn text(&self, schema: &str) -> (String, Lines) {
        let mut text = format!("# yaml-language-server: $schema={schema}\n");
        let mut lines = Lines::new();
        for (key, pieces) in self.sections() {
            text.push_str(&format!("\n{key}:\n"));
            write_pieces(pieces, 2, &mut text, &mut lines);
        }
        (text, lines)
    }
}

/// Writes pieces behind a text, items of a list with a line between them.
pub(super) fn write_pieces(pieces: &[Piece], indent: usize, text: &mut String, lines: &mut Lines) {
    let mut line = text.matches('\n').count() + 1;
    for (index, piece) in pieces.iter().enumerate() {
        let start = text.len();
        if index > 0 && matches!(piece.body, Body::Item(_)) {
            text.push('\n');
        }
        piece.write(indent, text);
        let end = line + text.get(start..).map_or(0, |written| written.matches('\n').count());
        lines.push((line..end, piece.entity.clone()));
        line = end;
    }
}

impl Piece {
    pub(super) fn is_item(&self) -> bool {
        matches!(self.body, Body::Item(_))
    }

    /// A list of those that are items, or a mapping of those that are entries.
    pub(super) fn values(pieces: &[Self]) -> Yaml {
        let entry = |piece: &Self| match &piece.body {
            Body::Entry(key, value) => Some((key.clone(), value.clone())),
            Body::Item(_) => None,
        };
        let item = |piece: &Self| match &piece.body {
            Body::Entry(..) => None,
            Body::Item(item) => Some(item.clone()),
        };
        match pieces.first().is_some_and(Self::is_item) {
            true => Yaml::Lines(pieces.iter().filter_map(item).collect()),
            false => Yaml::Block(pieces.iter().filter_map(entry).collect()),
        }
    }

    fn write(&self, indent: usize, text: &mut String) {
        for comment in &self.comments {
            text.push_str(&format!("{:indent$}# {comment}\n", ""));
        }
        match &self.body {
            Body::Entry(key, value) => yaml::write_entry(key, value, indent, text),
            Body::Item(item) => yaml::write_item(item, indent, text),
        }
    }
}

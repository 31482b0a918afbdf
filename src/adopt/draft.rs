//! The text of a file, and the entities that its lines declare.

use std::ops::Range;

use super::AdoptedEntity;
use yaml::Yaml;

/// A file under construction.
#[derive(Debug, Default)]
pub(super) struct FileDraft {
    pub(super) consumers: Vec<Piece>,
    pub(super) groups: Vec<Piece>,
    pub(super) scopes: Vec<Piece>,
    pub(super) clients: Vec<Piece>,
}

/// An entity with the comments above it.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) entity: AdoptedEntity,
    /// Without the leading `#`.
    pub(super) comments: Vec<String>,
    pub(super) body: DraftBody,
}

/// Form of an entity in its file.
#[derive(Debug)]
pub(super) enum DraftBody {
    /// A key of a mapping, and its value.
    Entry(String, Yaml),
    /// An item of a list.
    Item(Yaml),
}

/// The lines of an entity, counted from 1.
pub(super) type DraftLines = Vec<(Range<usize>, AdoptedEntity)>;

impl FileDraft {
    /// The sections that are not empty, each under its key.
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

    /// The file's text, after a line that names the schema.
    pub(super) fn text(&self, schema: &str) -> (String, DraftLines) {
        let mut text = format!("# yaml-language-server: $schema={schema}\n");
        let mut lines = DraftLines::new();
        for (key, pieces) in self.sections() {
            text.push_str(&format!("\n{key}:\n"));
            write_pieces(pieces, 2, &mut text, &mut lines);
        }
        (text, lines)
    }
}

/// Appends pieces to a text, with an empty line between items of a list.
pub(super) fn write_pieces(
    pieces: &[Piece],
    indent: usize,
    text: &mut String,
    lines: &mut DraftLines,
) {
    let mut line = text.matches('\n').count() + 1;
    for (index, piece) in pieces.iter().enumerate() {
        let start = text.len();
        if index > 0 && matches!(piece.body, DraftBody::Item(_)) {
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
        matches!(self.body, DraftBody::Item(_))
    }

    /// A list of the items, or a mapping of the entries.
    pub(super) fn values(pieces: &[Self]) -> Yaml {
        let entry = |piece: &Self| match &piece.body {
            DraftBody::Entry(key, value) => Some((key.clone(), value.clone())),
            DraftBody::Item(_) => None,
        };
        let item = |piece: &Self| match &piece.body {
            DraftBody::Entry(..) => None,
            DraftBody::Item(item) => Some(item.clone()),
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
            DraftBody::Entry(key, value) => yaml::write_entry(key, value, indent, text),
            DraftBody::Item(item) => yaml::write_item(item, indent, text),
        }
    }
}

//! Places in a text.

/// A place in a text; line and column start at 1, the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// From where to where something stands, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: Position,
    pub(super) end: Position,
}

impl Span {
    /// The beginning of a file, for what has no better place.
    pub(super) const TOP: Self = {
        let start = Position { line: 1, column: 1 };
        Self { start, end: start }
    };
}

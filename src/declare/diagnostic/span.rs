//! Places in a text.

/// A place in a text; line and column start at 1, the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// From where to where something stands, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Position,
    pub(crate) end: Position,
}

impl Span {
    /// The beginning of a file, for what has no better place.
    pub(crate) const TOP: Self = {
        let start = Position { line: 1, column: 1 };
        Self { start, end: start }
    };
}

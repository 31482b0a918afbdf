//! Places in a text.

/// A place in a text; line and column start at 1, the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// A part of a text, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub start: Position,
    /// The place behind its end.
    pub end: Position,
}

impl Span {
    /// The beginning of a file, for what has no better place.
    pub const TOP: Self = {
        let start = Position { line: 1, column: 1 };
        Self { start, end: start }
    };
}

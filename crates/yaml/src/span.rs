//! Places in a text.

/// A place in a text; line and column start at 1, the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// The place with these numbers; one that is too large becomes the largest.
    pub fn new(line: usize, column: usize) -> Self {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: number(line), column: number(column) }
    }
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
    pub const TOP: Self = Self::at(Position { line: 1, column: 1 });

    /// A place with nothing in it.
    pub const fn at(place: Position) -> Self {
        Self { start: place, end: place }
    }
}

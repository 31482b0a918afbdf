//! YAML: [`parse`] makes a tree of values with places of a text, [`edited`] changes a text and keeps every
//! comment, and [`Yaml`] is written as a person would write it.
//!
//! Nothing here knows what the YAML is about.

mod edit;
mod lines;
mod merge;
mod parse;
mod printer;
mod quotes;
mod scalar;
mod span;
mod tree;

pub use edit::{Behind, CHANGED, COMMENT, Editor, Hindrance, Opening, Route, UNREADABLE, edited};
pub use lines::{Lines, end_of};
pub use merge::{Anchors, MergeProblem};
pub use parse::{DEEPEST, DuplicateKey, MOST_FROM_ALIASES, Parsed, Problem, ProblemKind, parse};
pub use printer::{Yaml, YamlEntries, write_entry, write_item};
pub use scalar::{is_plain, quoted, scalar};
pub use span::{Position, Span};
pub use tree::{Mapping, Node, Value};

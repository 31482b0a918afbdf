//! What is wrong with a text as YAML, and the values of its tree, read into types by tables of keys.

pub(crate) mod document;
pub(crate) mod item;
pub(crate) mod optional;
pub(crate) mod suggestions;
pub(crate) mod syntax;
pub(crate) mod table;

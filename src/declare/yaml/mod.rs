//! YAML as values that know their places, read into types by tables of keys, and edited with every comment
//! kept. It knows no scope.

pub(crate) mod document;
pub(crate) mod given;
pub(crate) mod instead;
pub(crate) mod item;
pub(crate) mod syntax;
pub(crate) mod table;

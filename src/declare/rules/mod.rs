//! The rules that come with portvakt: for all declarations together ([`check`], [`unused`]), and for one
//! environment ([`advice`]).

pub(crate) mod advice;
pub(crate) mod check;
pub(crate) mod file_names;
mod names;
mod references;
mod repeated;
mod shares;
pub(crate) mod unused;

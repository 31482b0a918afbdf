//! The rules that come with portvakt: for all declarations together ([`check`], [`unused`]), and for one
//! environment ([`advice`]).

pub(crate) mod advice;
pub(crate) mod check;
mod names;
pub(crate) mod repeated;
pub(crate) mod shares;
pub(crate) mod unused;

//! The rules that come with portvakt: of all declarations together ([`check`]), and of one environment
//! ([`advice`]).

pub(crate) mod advice;
pub(crate) mod check;

//! The rules that come with portvakt: of all declarations together ([`check`]), and of one environment
//! ([`advice`], of what is [`here`]).

pub(crate) mod advice;
pub(crate) mod check;
pub(crate) mod here;

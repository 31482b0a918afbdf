//! One call over HTTP and its answer, for APIs that use JSON.
//!
//! A [`Client`] talks to one host: it follows no redirect, repeats nothing and reads each [`Answer`] within
//! the memory budget of the process. [`RetryPolicy`] is the table of what may be repeated after which
//! [`Failure`], and [`Retries`] sets how often and with which waits. [`Limits`] bounds the number and rate of
//! calls. The meaning of an answer is left to the API's own crate.

mod address;
mod answer;
mod attempts;
mod budget;
mod client;
mod limits;

pub use address::{AddressError, address, check_address, is_loopback};
pub use answer::{Answer, NoAnswer, too_large};
pub use attempts::{Failure, NextAttempt, ONCE, REPEATABLE, RefusedAnswer, Retries, RetryPolicy};
pub use budget::{BudgetedBody, SMALL};
pub use client::{Client, ClientSettings, reason};
pub use limits::Limits;

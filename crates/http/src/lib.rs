//! One call over HTTP and its one answer, for APIs that speak JSON.
//!
//! A [`Client`] speaks to one host: it follows no redirect, repeats nothing and reads each [`Answer`]
//! within the process' budget of memory. What may be sent again after which [`Failure`] is a table
//! ([`RetryPolicy`]), and [`Retries`] says how often and how long is waited in between. [`Limits`] keeps what
//! is on its way within bounds. What an answer means is for the API's own crate to say.

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

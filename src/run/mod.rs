//! The use cases, as values with what they have read: an operation that needs the past is a method of a value
//! that has read it. [`Opened`] has the declarations of an environment, [`Ready`] earlier applies too,
//! [`Planned`] a plan that may be shown, [`Approved`] one that may be carried out.

pub(crate) mod access;
pub(crate) mod adoption;
pub(crate) mod applied;
pub(crate) mod baseline;
pub(crate) mod block;
pub(crate) mod checkout;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod edits;
pub(crate) mod elsewhere;
pub(crate) mod files;
pub(crate) mod handover;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod past;
pub(crate) mod probe;
pub(crate) mod profile;
pub(crate) mod read;
pub(crate) mod remote;
mod rename;
pub(crate) mod rendered;
pub(crate) mod requests;
pub(crate) mod token_file;

mod approved;
mod blame;
mod checks;
mod credentials;
mod failure;
mod ledgers;
mod lock_guard;
mod opened;
mod options;
pub(crate) mod organizations;
mod planned;
mod ready;
mod recent;

pub(crate) use approved::{ApplyContext, Approved, Ended};
pub(crate) use blame::blame;
pub(crate) use failure::Failure;
pub(crate) use ledgers::Ledgers;
pub(crate) use lock_guard::LockGuard;
pub(crate) use opened::{Opened, environment_names};
pub(crate) use options::RunOptions;
pub(crate) use planned::{Approval, Planned, Terms};
pub(crate) use ready::Ready;
pub(crate) use remote::Remote;
pub(crate) use rename::rename;

//! The keys of clients: made, renewed, and taken out again.

mod added;
mod renewed;
mod retired;

use std::collections::BTreeSet;

pub(crate) use added::{Added, add, slug};
pub(crate) use renewed::{Renewal, Renewed};
pub(crate) use retired::{Retired, retire};

use super::Opened;
use domain::ClientName;

/// In which other environments a client has keys from files that were written.
fn others(opened: &Opened, name: &ClientName, files: &[String]) -> Vec<String> {
    let here = opened.desired.environment.as_str();
    let users = files.iter().flat_map(|file| opened.repository.key_file_users(file));
    let others: BTreeSet<&str> = users
        .filter(|(environment, client)| *environment != here && *client == name)
        .map(|(environment, _)| environment)
        .collect();
    others.into_iter().map(str::to_owned).collect()
}

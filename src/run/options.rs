//! Options of every use case.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

/// Options of every use case.
#[derive(Debug, Clone)]
pub(crate) struct RunOptions {
    /// The repository, or a folder in it; `None` searches upwards from the current folder.
    pub(crate) folder: Option<PathBuf>,
    /// The environment; `None` selects the only one.
    pub(crate) environment: Option<String>,
    /// Hosts to which credentials may be sent in addition to DigDir's own.
    pub(crate) allow_hosts: Vec<String>,
    /// Largest number of requests under way at once.
    pub(crate) concurrency: NonZeroUsize,
    /// Largest number of requests sent in a second.
    pub(crate) rate: NonZeroU32,
}

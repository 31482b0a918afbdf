//! What every use case is told by whoever runs it.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

/// What every use case is told by whoever runs it.
#[derive(Debug, Clone)]
pub(crate) struct RunOptions {
    /// The repository, or a folder in it; `None` is upwards from here.
    pub(crate) folder: Option<PathBuf>,
    /// The environment; `None` is the only one.
    pub(crate) environment: Option<String>,
    /// Hosts beside DigDir's own that credentials may be sent to.
    pub(crate) allow_hosts: Vec<String>,
    /// How many requests may be under way at once.
    pub(crate) concurrency: NonZeroUsize,
    /// How many requests may be sent in a second.
    pub(crate) rate: NonZeroU32,
}

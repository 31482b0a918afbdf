//! What is put on a pull request, and where.

use std::fmt;
use std::time::Duration;

use http::Retries;
use jiff::Timestamp;
use url::Url;

use super::error::{Error, MAX_WAIT};

/// How often a call is sent at most, the first time included.
const TRIES: usize = 4;

/// A host of git repositories with pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forge {
    /// GitHub, its Enterprise Server included.
    GitHub,
    /// GitLab, gitlab.com or one's own.
    GitLab,
    /// Azure DevOps, as a service or as Azure DevOps Server.
    AzureDevOps,
}

/// What is to stand on the pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// An HTML comment of one line, such as `<!-- portvakt plan test -->`, by which a later run
    /// finds this one's. It is put in front of the body unless the body begins with it.
    pub marker: String,
    /// Markdown, escaped already.
    pub body: String,
}

/// What became of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Whether it is a new one.
    pub change: CommentChange,
    /// Where a person reads it, if that is known.
    pub url: Option<Url>,
}

/// What was done to the pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentChange {
    /// There was no comment of ours.
    Created,
    /// The one of an earlier run has the new text.
    Updated,
    /// The one of an earlier run says the same.
    Kept,
}

/// How patient to be.
#[derive(Debug, Clone, Copy)]
pub struct ForgeOptions {
    /// How long one request may take.
    pub timeout: Duration,
    /// How long to wait before the second try; doubled with each further one.
    pub base_delay: Duration,
}

impl ForgeOptions {
    pub(super) fn retries(&self) -> Retries {
        Retries { tries: TRIES, base_delay: self.base_delay, longest_wait: MAX_WAIT }
    }
}

impl Default for ForgeOptions {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), base_delay: Duration::from_secs(1) }
    }
}

impl Forge {
    /// How long a comment may be, marker included, in UTF-16 code units: no host counts more than
    /// that for a character, and no text has more of them than it has bytes.
    ///
    /// GitHub tells its limit in the error of a longer one ("maximum is 65536 characters"), GitLab
    /// in the documentation of its notes API, Azure DevOps in that of its Git limits.
    pub fn limit(self) -> usize {
        match self {
            Self::GitHub => 65_536,
            Self::GitLab => 1_000_000,
            Self::AzureDevOps => 150_000,
        }
    }
}

impl fmt::Display for Forge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::AzureDevOps => "Azure DevOps",
        })
    }
}

impl Comment {
    /// What is sent: marker and body.
    pub(super) fn text(&self) -> Result<String, Error> {
        let inner = self.marker.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->"));
        let is_marker = inner.is_some_and(|inner| {
            !inner.trim().is_empty() && !inner.contains("-->") && !inner.contains(char::is_control)
        });
        match is_marker {
            false => Err(Error::marker(&self.marker)),
            true if self.body.starts_with(&self.marker) => Ok(self.body.clone()),
            true => Ok(format!("{}\n{}", self.marker, self.body)),
        }
    }
}

/// A pull request that was merged, as its host lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) number: u64,
    pub(super) at: Timestamp,
}

/// Whether a comment says what is meant. Hosts write lines in their own way, and take white space
/// from the end.
pub(super) fn is_same(found: &str, meant: &str) -> bool {
    let lines = |text: &str| text.replace('\r', "").trim_end().to_owned();
    lines(found) == lines(meant)
}

//! Comment on a pull request, and its host.

use std::fmt;
use std::time::Duration;

use http::Retries;
use jiff::Timestamp;
use url::Url;

use super::error::{Error, MAX_WAIT};

/// Largest number of attempts of a call, the first one included.
const TRIES: usize = 4;

/// A host of git repositories with pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forge {
    /// GitHub, its Enterprise Server included.
    GitHub,
    /// GitLab, gitlab.com or self-managed.
    GitLab,
    /// Azure DevOps, as a service or as Azure DevOps Server.
    AzureDevOps,
}

/// Content of the comment on the pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// An HTML comment of one line, such as `<!-- portvakt plan test -->`, by which a later run finds the
    /// comment of this one. It is put in front of the body unless the body begins with it.
    pub marker: String,
    /// Markdown, escaped already.
    pub body: String,
}

/// Result of posting a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Whether it is a new one.
    pub change: CommentChange,
    /// Its address for people, if known.
    pub url: Option<Url>,
}

/// Change of the pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentChange {
    /// There was no comment of ours.
    Created,
    /// The comment of an earlier run has the new text.
    Updated,
    /// The comment of an earlier run has the same text.
    Kept,
}

/// Timeouts and delays.
#[derive(Debug, Clone, Copy)]
pub struct ForgeOptions {
    /// Longest duration of one request.
    pub timeout: Duration,
    /// The wait before the second attempt; doubled for each further one.
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
    /// Longest comment, marker included, in UTF-16 code units: no host counts a character as more units than
    /// that, and no text has more of them than bytes.
    ///
    /// Sources: for GitHub the error about a longer comment ("maximum is 65536 characters"), for GitLab the
    /// documentation of its notes API, for Azure DevOps that of its Git limits.
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
    /// The text to send: marker and body.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) number: u64,
    pub(super) at: Timestamp,
    /// Its page.
    pub(super) url: Option<Url>,
    /// Its author.
    pub(super) author: Option<String>,
}

/// Whether a comment has the intended text. Hosts change line breaks, and remove white space at the end.
pub(super) fn is_same(found: &str, meant: &str) -> bool {
    let lines = |text: &str| text.replace('\r', "").trim_end().to_owned();
    lines(found) == lines(meant)
}

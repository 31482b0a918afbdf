//! One comment on a pull request: posted by the first run, updated by those after it.
//!
//! What a CI job's environment names is read by [`from_environment`], and [`post`] does the rest
//! through the host's REST API. Whose comment it is counts as much as the marker at its beginning:
//! anybody can write a marker.

mod answer;
mod azure_devops;
mod connection;
mod environment;
mod error;
mod github;
mod gitlab;
mod review;
mod upsert;

use std::fmt;
use std::time::Duration;

use http::Retries;
use url::Url;

pub use error::{Error, ErrorKind};
pub use review::{Decision, Doubt, Review, reviewed};

use environment::Environment;
use error::MAX_WAIT;

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

/// A pull request and what opens it, as a CI job's environment names them.
#[derive(Debug)]
pub struct PullRequest {
    place: Place,
}

#[derive(Debug)]
enum Place {
    GitHub(github::PullRequest),
    GitLab(gitlab::MergeRequest),
    AzureDevOps(azure_devops::PullRequest),
}

/// What became of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Whether it is a new one.
    pub change: Change,
    /// Where a person reads it, if that is known.
    pub url: Option<Url>,
}

/// What was done to the pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was no comment of ours.
    Created,
    /// The one of an earlier run has the new text.
    Updated,
    /// The one of an earlier run says the same.
    Kept,
}

/// How patient to be.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long one request may take.
    pub timeout: Duration,
    /// How long to wait before the second try; doubled with each further one.
    pub base_delay: Duration,
}

impl Options {
    fn retries(&self) -> Retries {
        Retries { tries: TRIES, base_delay: self.base_delay, longest_wait: MAX_WAIT }
    }
}

impl Default for Options {
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
    fn text(&self) -> Result<String, Error> {
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

impl PullRequest {
    /// The host that it is on.
    pub fn forge(&self) -> Forge {
        match self.place {
            Place::GitHub(_) => Forge::GitHub,
            Place::GitLab(_) => Forge::GitLab,
            Place::AzureDevOps(_) => Forge::AzureDevOps,
        }
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        match &self.place {
            Place::GitHub(place) => place.number(),
            Place::GitLab(place) => place.number(),
            Place::AzureDevOps(place) => place.number(),
        }
    }
}

/// The pull request that a CI job is about and the token that it may use. `read` gives a variable
/// of the environment; for GitHub the file that `GITHUB_EVENT_PATH` names is read too.
pub fn from_environment(
    forge: Forge,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<PullRequest, Error> {
    let environment = Environment::new(read);
    let place = match forge {
        Forge::GitHub => Place::GitHub(github::PullRequest::named_by(&environment)?),
        Forge::GitLab => Place::GitLab(gitlab::MergeRequest::named_by(&environment)?),
        Forge::AzureDevOps => {
            Place::AzureDevOps(azure_devops::PullRequest::named_by(&environment)?)
        }
    };
    Ok(PullRequest { place })
}

/// Sees to it that the comment stands on the pull request, once.
pub async fn post(
    pull_request: &PullRequest,
    comment: &Comment,
    options: &Options,
) -> Result<Posted, Error> {
    let text = comment.text()?;
    match &pull_request.place {
        Place::GitHub(place) => {
            upsert::put(&place.open(options)?, &comment.marker, &text, options).await
        }
        Place::GitLab(place) => {
            upsert::put(&place.open(options)?, &comment.marker, &text, options).await
        }
        Place::AzureDevOps(place) => {
            upsert::put(&place.open(options)?, &comment.marker, &text, options).await
        }
    }
}

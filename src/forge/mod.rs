//! One comment on a pull request: posted by the first run, updated by later ones.
//!
//! [`from_environment`] reads the environment of a CI job, and [`post`] does the rest through the host's REST
//! API. A comment is recognised by its author as well as by the marker at its beginning: everybody can write
//! a marker.

mod answer;
mod azure_devops;
mod comment;
mod connection;
mod environment;
mod error;
mod github;
mod gitlab;
mod review;
mod upsert;

pub use comment::{Comment, CommentChange, Forge, ForgeOptions, Posted};
pub use error::{Error, ForgeErrorKind};
pub use review::{Decision, Doubt, Review, merged, reviewed};

use environment::JobEnvironment;

/// A pull request with the token for it, as the environment of a CI job has them.
#[derive(Debug)]
pub struct PullRequest {
    place: HostedPlace,
}

#[derive(Debug)]
enum HostedPlace {
    GitHub(github::GithubPullRequest),
    GitLab(gitlab::MergeRequest),
    AzureDevOps(azure_devops::AzurePullRequest),
}

impl PullRequest {
    /// The host that it is on.
    pub fn forge(&self) -> Forge {
        match self.place {
            HostedPlace::GitHub(_) => Forge::GitHub,
            HostedPlace::GitLab(_) => Forge::GitLab,
            HostedPlace::AzureDevOps(_) => Forge::AzureDevOps,
        }
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        match &self.place {
            HostedPlace::GitHub(place) => place.number(),
            HostedPlace::GitLab(place) => place.number(),
            HostedPlace::AzureDevOps(place) => place.number(),
        }
    }
}

/// The pull request of a CI job and the token that it may use. `read` returns a variable of the environment;
/// for GitHub the file in `GITHUB_EVENT_PATH` is read too.
pub fn from_environment(
    forge: Forge,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<PullRequest, Error> {
    let environment = JobEnvironment::new(read);
    let place = match forge {
        Forge::GitHub => HostedPlace::GitHub(github::GithubPullRequest::named_by(&environment)?),
        Forge::GitLab => HostedPlace::GitLab(gitlab::MergeRequest::named_by(&environment)?),
        Forge::AzureDevOps => {
            HostedPlace::AzureDevOps(azure_devops::AzurePullRequest::named_by(&environment)?)
        }
    };
    Ok(PullRequest { place })
}

/// Ensures that the pull request has the comment, once.
pub async fn post(
    pull_request: &PullRequest,
    comment: &Comment,
    options: &ForgeOptions,
) -> Result<Posted, Error> {
    let text = comment.text()?;
    match &pull_request.place {
        HostedPlace::GitHub(place) => {
            upsert::put(&place.open(options)?, &comment.marker, &text, options).await
        }
        HostedPlace::GitLab(place) => {
            upsert::put(&place.open(options)?, &comment.marker, &text, options).await
        }
        HostedPlace::AzureDevOps(place) => {
            upsert::put(&place.open(options)?, &comment.marker, &text, options).await
        }
    }
}

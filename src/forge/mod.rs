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

use azure_devops::AzureRepository;
use environment::JobEnvironment;
use github::GithubRepository;
use gitlab::GitlabProject;

/// A pull request with the token for it, as the environment of a CI job has them.
#[derive(Debug)]
pub struct PullRequest {
    repository: HostedRepository,
    number: u64,
}

/// The repository that is merged into, with the token for it.
#[derive(Debug)]
enum HostedRepository {
    GitHub(GithubRepository),
    GitLab(GitlabProject),
    AzureDevOps(AzureRepository),
}

impl PullRequest {
    /// The host that it is on.
    pub fn forge(&self) -> Forge {
        match self.repository {
            HostedRepository::GitHub(_) => Forge::GitHub,
            HostedRepository::GitLab(_) => Forge::GitLab,
            HostedRepository::AzureDevOps(_) => Forge::AzureDevOps,
        }
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl HostedRepository {
    fn named_by(forge: Forge, environment: &JobEnvironment<'_>) -> Result<Self, Error> {
        Ok(match forge {
            Forge::GitHub => Self::GitHub(GithubRepository::named_by(environment)?),
            Forge::GitLab => Self::GitLab(GitlabProject::named_by(environment)?),
            Forge::AzureDevOps => Self::AzureDevOps(AzureRepository::named_by(environment)?),
        })
    }
}

/// The pull request of a CI job and the token that it may use. `read` returns a variable of the environment;
/// for GitHub the file in `GITHUB_EVENT_PATH` is read too.
pub fn from_environment(
    forge: Forge,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<PullRequest, Error> {
    let environment = JobEnvironment::new(read);
    let repository = || HostedRepository::named_by(forge, &environment);
    let (repository, number) = match forge {
        Forge::GitHub => (repository()?, github::number(&environment)?),
        Forge::GitLab => {
            let number = gitlab::number(&environment)?;
            (repository()?, number)
        }
        Forge::AzureDevOps => (repository()?, azure_devops::number(&environment)?),
    };
    Ok(PullRequest { repository, number })
}

/// Ensures that the pull request has the comment, once.
pub async fn post(
    pull_request: &PullRequest,
    comment: &Comment,
    options: &ForgeOptions,
) -> Result<Posted, Error> {
    let text = comment.text()?;
    let (number, marker) = (pull_request.number, &comment.marker);
    match &pull_request.repository {
        HostedRepository::GitHub(it) => {
            upsert::put(&it.open(number, options)?, marker, &text, options).await
        }
        HostedRepository::GitLab(it) => {
            upsert::put(&it.open(number, options)?, marker, &text, options).await
        }
        HostedRepository::AzureDevOps(it) => {
            upsert::put(&it.open(number, options)?, marker, &text, options).await
        }
    }
}

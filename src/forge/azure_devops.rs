//! Azure DevOps: a thread of a pull request with one comment
//! (learn.microsoft.com, "Pull Request Threads" and "Pull Request Thread Comments", version 7.1).

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::environment::Environment;
use super::error::{Error, ErrorKind};
use super::http::{Call, Connection, bearer, below};
use super::upsert::{Found, Host};
use super::{Forge, Options};

/// A pull request in Azure Repos.
#[derive(Debug)]
pub(super) struct PullRequest {
    collection: Url,
    project: String,
    repository: String,
    /// As it stands in the address of the repository's page.
    repository_name: String,
    number: u64,
    token: SecretString,
}

/// One pull request's threads.
pub(super) struct Threads<'a> {
    pull_request: &'a PullRequest,
    connection: Connection,
}

/// Where a comment is.
pub(super) struct Place {
    thread: u64,
    comment: u64,
}

#[derive(Deserialize)]
struct ConnectionData {
    #[serde(rename = "authenticatedUser")]
    authenticated_user: Identity,
}

#[derive(Deserialize)]
struct Identity {
    id: String,
}

#[derive(Deserialize)]
struct List {
    value: Vec<Thread>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thread {
    id: u64,
    #[serde(default)]
    comments: Vec<Comment>,
    #[serde(default)]
    is_deleted: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    id: u64,
    /// 0 for the comment that begins the thread.
    #[serde(default)]
    parent_comment_id: u64,
    #[serde(default)]
    content: Option<String>,
    /// `text`, or `system` for what Azure DevOps writes itself.
    #[serde(default)]
    comment_type: Option<String>,
    #[serde(default)]
    is_deleted: bool,
    #[serde(default)]
    author: Option<Identity>,
}

/// A thread that was made.
#[derive(Deserialize)]
struct Made {
    id: u64,
}

impl PullRequest {
    pub(super) fn named_by(environment: &Environment<'_>) -> Result<Self, Error> {
        const SELF_SET: &str = "Azure Pipelines sets it: run this in a pipeline.";
        const NUMBER: &str = "SYSTEM_PULLREQUEST_PULLREQUESTID";
        let collection = environment
            .address(&["SYSTEM_COLLECTIONURI", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"], SELF_SET)?;
        let provider = environment.get("BUILD_REPOSITORY_PROVIDER");
        if let Some(provider) = provider.filter(|provider| provider != "TfsGit") {
            return Err(Error::unusable(
                &format!(
                    "BUILD_REPOSITORY_PROVIDER is {provider:?}: the repository is not in Azure Repos"
                ),
                "Post the comment where the repository is.",
            ));
        }
        if environment.get(NUMBER).is_none() {
            return Err(Error::no_pull_request(
                &format!("{NUMBER} is not set"),
                "Run the pipeline as build validation of a branch policy, with the condition \
                 eq(variables['Build.Reason'], 'PullRequest').",
            ));
        }
        let number = environment.number(&[NUMBER], SELF_SET)?;
        let project =
            environment.segment(&["SYSTEM_TEAMPROJECT", "SYSTEM_TEAMPROJECTID"], SELF_SET)?;
        let repository = environment.segment(&["BUILD_REPOSITORY_ID"], SELF_SET)?;
        let repository_name = environment
            .segment(&["BUILD_REPOSITORY_NAME"], SELF_SET)
            .unwrap_or_else(|_| repository.clone());
        let token = environment.token(
            &["SYSTEM_ACCESSTOKEN"],
            "Pass it to the step as env: SYSTEM_ACCESSTOKEN: $(System.AccessToken).",
        )?;
        Ok(Self { collection, project, repository, repository_name, number, token })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn open(&self, options: &Options) -> Result<Threads<'_>, Error> {
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (AUTHORIZATION, bearer(&self.token)?),
            // Else a token that is not accepted is answered by the way to a page to sign in on.
            (
                HeaderName::from_static("x-tfs-fedauthredirect"),
                HeaderValue::from_static("Suppress"),
            ),
        ]);
        let connection =
            Connection::new(self.collection.clone(), &self.token, headers, advice, options)?;
        Ok(Threads { pull_request: self, connection })
    }
}

impl Threads<'_> {
    fn all(&self) -> Url {
        let PullRequest { project, repository, number, .. } = self.pull_request;
        let number = number.to_string();
        let git = [project, "_apis", "git", "repositories", repository, "pullRequests", &number];
        versioned(self.connection.url(git.into_iter().chain(["threads"])), "7.1")
    }

    /// Where a person reads a thread.
    fn page(&self, thread: u64) -> Url {
        let PullRequest { project, repository_name, number, .. } = self.pull_request;
        let number = number.to_string();
        let mut page =
            self.connection.url([project, "_git", repository_name, "pullrequest", &number]);
        page.query_pairs_mut().append_pair("discussionId", &thread.to_string());
        page
    }
}

impl Host for Threads<'_> {
    /// The id of the token's identity: for a pipeline's own token, the project's build service. A
    /// comment with our marker by anybody else is left alone: anybody who may comment can write it.
    type Author = String;
    type Id = Place;

    const FORGE: Forge = Forge::AzureDevOps;

    async fn author(&self) -> Result<String, Error> {
        // Azure DevOps has never called this call anything but a preview.
        let url = versioned(self.connection.url(["_apis", "connectionData"]), "7.1-preview");
        let call = Call::get(url, "the identity of the token cannot be read");
        let (data, _): (ConnectionData, _) = self.connection.read(&call).await?;
        Ok(data.authenticated_user.id)
    }

    /// The list comes in one piece: this call knows no pages.
    async fn find(&self, author: &String, marker: &str) -> Result<Option<Found<Place>>, Error> {
        let call = Call::get(self.all(), "the threads of the pull request cannot be read");
        let (list, _): (List, _) = self.connection.read(&call).await?;
        let ours = |comment: &Comment| {
            let by = comment.author.as_ref().map(|author| author.id.as_str());
            !comment.is_deleted
                && comment.parent_comment_id == 0
                && comment.comment_type.as_deref() == Some("text")
                && by.is_some_and(|id| id.eq_ignore_ascii_case(author))
                && comment.content.as_deref().unwrap_or_default().starts_with(marker)
        };
        let live = list.value.into_iter().filter(|thread| !thread.is_deleted);
        let found = live.filter_map(|Thread { id: thread, comments, is_deleted: _ }| {
            let Comment { id, content, .. } = comments.into_iter().find(ours)?;
            let text = content.unwrap_or_default();
            let url = Some(self.page(thread));
            Some(Found { id: Place { thread, comment: id }, text, url })
        });
        Ok(found.min_by_key(|found| found.id.thread))
    }

    async fn update(&self, id: &Place, text: &str) -> Result<Option<Url>, Error> {
        let (thread, comment) = (id.thread.to_string(), id.comment.to_string());
        let url = below(&self.all(), [thread.as_str(), "comments", &comment]);
        let body = json!({ "content": text });
        self.connection.send(&Call::update(Method::PATCH, url, &body)).await?;
        Ok(Some(self.page(id.thread)))
    }

    /// The thread is closed from the start: a policy may ask for every other to be resolved before
    /// the pull request is completed, and a plan is nothing to resolve.
    async fn create(&self, text: &str) -> Result<Option<Url>, Error> {
        let comment = json!({ "parentCommentId": 0, "content": text, "commentType": "text" });
        let body = json!({ "comments": [comment], "status": "closed" });
        let answer = self.connection.send(&Call::create(self.all(), &body)).await?;
        Ok(answer.json::<Made>().map(|made| self.page(made.id)))
    }
}

fn versioned(mut url: Url, version: &str) -> Url {
    url.query_pairs_mut().append_pair("api-version", version);
    url
}

fn advice(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Auth => Some(
            "Pass the pipeline's own token to the step as env: SYSTEM_ACCESSTOKEN: \
             $(System.AccessToken).",
        ),
        ErrorKind::Forbidden => Some(
            "Allow the build service ('<project> Build Service') to 'Contribute to pull requests' in \
             the repository's security settings.",
        ),
        ErrorKind::NotFound => Some(
            "See that the pull request is in this project, and that the build service may read the \
             repository ('Read', 'Contribute to pull requests').",
        ),
        ErrorKind::Environment
        | ErrorKind::NoPullRequest
        | ErrorKind::Comment
        | ErrorKind::Invalid
        | ErrorKind::Throttled
        | ErrorKind::Server
        | ErrorKind::Connection
        | ErrorKind::AnswerLost
        | ErrorKind::Malformed
        | ErrorKind::Refused => None,
    }
}

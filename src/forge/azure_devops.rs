//! Azure DevOps: a thread of a pull request with one comment
//! (learn.microsoft.com, "Pull Request Threads" and "Pull Request Thread Comments", version 7.1).

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::comment::{Forge, ForgeOptions, Merged};
use super::connection::{Connection, ForgeCall, HostApi, bearer, below};
use super::environment::JobEnvironment;
use super::error::{Advice, Error};
use super::upsert::{CommentHost, FoundComment, PullRequestApproval};

const SELF_SET: &str = "Azure Pipelines sets it: run this in a pipeline.";

/// A repository in Azure Repos, and the token for it.
#[derive(Debug)]
pub(super) struct AzureRepository {
    collection: Url,
    project: String,
    id: String,
    /// The name in the address of its page.
    name: String,
    token: SecretString,
}

/// One pull request's threads.
pub(super) struct Threads<'a> {
    repository: &'a AzureRepository,
    number: u64,
    connection: Connection,
}

/// Place of a comment.
pub(super) struct AzurePlace {
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
struct List<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Thread {
    id: u64,
    #[serde(default)]
    comments: Vec<AzureComment>,
    #[serde(default)]
    is_deleted: bool,
    published_date: Option<Timestamp>,
    /// Azure DevOps' own properties of the thread: `{"$value": …}` by name.
    properties: Option<Value>,
    /// The people to whom the properties refer by key.
    identities: Option<BTreeMap<String, Identity>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureComment {
    id: u64,
    /// 0 for the first comment of the thread.
    #[serde(default)]
    parent_comment_id: u64,
    content: Option<String>,
    /// `text`, or `system` for comments of Azure DevOps itself.
    comment_type: Option<String>,
    #[serde(default)]
    is_deleted: bool,
    author: Option<Identity>,
    published_date: Option<Timestamp>,
    last_content_updated_date: Option<Timestamp>,
}

/// Result of a query: pull requests by commit.
#[derive(Deserialize)]
struct AzureRelated {
    results: Vec<BTreeMap<String, Vec<AzureCompleted>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzureCompleted {
    pull_request_id: u64,
    status: String,
    target_ref_name: String,
    closed_date: Option<Timestamp>,
    created_by: Option<AzurePerson>,
}

/// A person, as people are shown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AzurePerson {
    unique_name: Option<String>,
    display_name: Option<String>,
}

impl AzurePerson {
    fn name(self) -> Option<String> {
        self.unique_name.or(self.display_name)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reviewer {
    id: String,
    /// 10 for an approval, 5 for an approval with suggestions.
    #[serde(default)]
    vote: i64,
    /// Whether it is a group, which votes as its members do.
    #[serde(default)]
    is_container: bool,
    #[serde(flatten)]
    person: AzurePerson,
}

/// A thread that was created.
#[derive(Deserialize)]
struct AzureMade {
    id: u64,
}

impl AzureRepository {
    pub(super) fn named_by(environment: &JobEnvironment<'_>) -> Result<Self, Error> {
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
        let project =
            environment.segment(&["SYSTEM_TEAMPROJECT", "SYSTEM_TEAMPROJECTID"], SELF_SET)?;
        let id = environment.segment(&["BUILD_REPOSITORY_ID"], SELF_SET)?;
        let name = environment
            .segment(&["BUILD_REPOSITORY_NAME"], SELF_SET)
            .unwrap_or_else(|_| id.clone());
        let token = environment.token(
            &["SYSTEM_ACCESSTOKEN"],
            "Pass it to the step as env: SYSTEM_ACCESSTOKEN: $(System.AccessToken).",
        )?;
        Ok(Self { collection, project, id, name, token })
    }

    pub(super) fn open(&self, number: u64, options: &ForgeOptions) -> Result<Threads<'_>, Error> {
        Ok(Threads { repository: self, number, connection: self.connect(options)? })
    }

    fn connect(&self, options: &ForgeOptions) -> Result<Connection, Error> {
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (AUTHORIZATION, bearer(&self.token)?),
            // Without this header, a token that is not accepted is answered with a redirect to the sign-in
            // page.
            (
                HeaderName::from_static("x-tfs-fedauthredirect"),
                HeaderValue::from_static("Suppress"),
            ),
        ]);
        Connection::new(self.collection.clone(), &self.token, headers, &API, options)
    }

    /// The pull requests into this branch that were completed as this commit.
    pub(super) async fn merged(
        &self,
        commit: &str,
        branch: &str,
        options: &ForgeOptions,
    ) -> Result<Vec<Merged>, Error> {
        let connection = self.connect(options)?;
        let path = [&self.project, "_apis", "git", "repositories", &self.id, "pullrequestquery"];
        let query = json!({ "queries": [{ "type": "lastMergeCommit", "items": [commit] }] });
        let failing = "the pull request of the commit cannot be read";
        let call = ForgeCall::query(versioned(connection.url(path), "7.1"), &query, failing);
        let AzureRelated { results } = connection.read(&call).await?;
        let target = format!("refs/heads/{branch}");
        let of_commit = results.into_iter().flatten().filter(|(of, _)| of == commit);
        let merged = of_commit
            .flat_map(|(_, all)| all)
            .filter(|one| one.status == "completed" && one.target_ref_name == target);
        Ok(merged
            .filter_map(|one| {
                Some(Merged {
                    number: one.pull_request_id,
                    at: one.closed_date?,
                    url: Some(self.page(&connection, one.pull_request_id)),
                    author: one.created_by.and_then(AzurePerson::name),
                })
            })
            .collect())
    }

    /// Address of a pull request for people.
    fn page(&self, connection: &Connection, number: u64) -> Url {
        connection.url([&self.project, "_git", &self.name, "pullrequest", &number.to_string()])
    }
}

/// The branch that the job runs on.
pub(super) fn branch(environment: &JobEnvironment<'_>) -> Result<String, Error> {
    environment.branch("BUILD_SOURCEBRANCH", "Run this in a pipeline of a branch.")
}

/// The number of the pull request that the job runs for.
pub(super) fn number(environment: &JobEnvironment<'_>) -> Result<u64, Error> {
    const NUMBER: &str = "SYSTEM_PULLREQUEST_PULLREQUESTID";
    if environment.get(NUMBER).is_none() {
        return Err(Error::no_pull_request(
            &format!("{NUMBER} is not set"),
            "Run the pipeline as build validation of a branch policy, with the condition \
             eq(variables['Build.Reason'], 'PullRequest').",
        ));
    }
    environment.number(&[NUMBER], SELF_SET)
}

impl Threads<'_> {
    fn url(&self, last: &str) -> Url {
        let (AzureRepository { project, id, .. }, number) =
            (self.repository, self.number.to_string());
        let git = [project, "_apis", "git", "repositories", id, "pullRequests", &number, last];
        versioned(self.connection.url(git), "7.1")
    }

    fn all(&self) -> Url {
        self.url("threads")
    }

    /// The whole list in one answer: this call has no pages.
    async fn threads(&self) -> Result<Vec<Thread>, Error> {
        let call = ForgeCall::get(self.all(), "the threads of the pull request cannot be read");
        let list: List<Thread> = self.connection.read(&call).await?;
        Ok(list.value.into_iter().filter(|thread| !thread.is_deleted).collect())
    }

    /// Address of a thread for people.
    fn page(&self, thread: u64) -> Url {
        let mut page = self.repository.page(&self.connection, self.number);
        page.query_pairs_mut().append_pair("discussionId", &thread.to_string());
        page
    }
}

impl CommentHost for Threads<'_> {
    /// The id of the token's identity: for a pipeline's own token, the project's build service. A comment
    /// with our marker by anybody else is left alone, as everybody who may comment can write it.
    type Author = String;
    type Id = AzurePlace;

    const FORGE: Forge = Forge::AzureDevOps;

    async fn author(&self) -> Result<String, Error> {
        // Azure DevOps documents this call only as a preview.
        let url = versioned(self.connection.url(["_apis", "connectionData"]), "7.1-preview");
        let call = ForgeCall::get(url, "the identity of the token cannot be read");
        Ok(self.connection.read::<ConnectionData>(&call).await?.authenticated_user.id)
    }

    async fn find(
        &self,
        author: &String,
        marker: &str,
        most: usize,
    ) -> Result<Vec<FoundComment<AzurePlace>>, Error> {
        let ours = |comment: &AzureComment| {
            let by = comment.author.as_ref().map(|author| author.id.as_str());
            !comment.is_deleted
                && comment.parent_comment_id == 0
                && comment.comment_type.as_deref() == Some("text")
                && by.is_some_and(|id| id.eq_ignore_ascii_case(author))
                && comment.content.as_deref().unwrap_or_default().starts_with(marker)
        };
        let found = self.threads().await?.into_iter().filter_map(|thread| {
            let comment = thread.comments.into_iter().find(ours)?;
            Some(FoundComment {
                id: AzurePlace { thread: thread.id, comment: comment.id },
                text: comment.content.unwrap_or_default(),
                url: Some(self.page(thread.id)),
                changed: comment.last_content_updated_date.or(comment.published_date),
            })
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|found| found.id.thread);
        found.truncate(most);
        Ok(found)
    }

    /// The current votes. Their times are in threads of the system, in the forms of several versions.
    async fn approvals(&self) -> Result<Vec<PullRequestApproval>, Error> {
        let failing = "the reviewers of the pull request cannot be read";
        let call = ForgeCall::get(self.url("reviewers"), failing);
        let reviewers: List<Reviewer> = self.connection.read(&call).await?;
        let held: Vec<_> = reviewers.value.into_iter().filter(|one| one.vote >= 5).collect();
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let mut last = BTreeMap::new();
        for (by, at) in self.threads().await?.iter().filter_map(approval) {
            if held.iter().any(|one| one.id.eq_ignore_ascii_case(by)) {
                let latest = last.entry(by.to_ascii_lowercase()).or_insert(at);
                *latest = at.max(*latest);
            }
        }
        let approval = |Reviewer { id, person, is_container, .. }: Reviewer| PullRequestApproval {
            by: person.name().filter(|_| !is_container),
            at: last.get(&id.to_ascii_lowercase()).copied(),
        };
        Ok(held.into_iter().map(approval).collect())
    }

    /// Azure DevOps has no merge queue.
    async fn queued(&self) -> Result<Option<Timestamp>, Error> {
        Ok(None)
    }

    async fn update(&self, id: &AzurePlace, text: &str) -> Result<Option<Url>, Error> {
        let (thread, comment) = (id.thread.to_string(), id.comment.to_string());
        let url = below(&self.all(), [thread.as_str(), "comments", &comment]);
        let body = json!({ "content": text });
        self.connection.send(&ForgeCall::update(Method::PATCH, url, &body)).await?;
        Ok(Some(self.page(id.thread)))
    }

    /// The thread is closed from the start: a policy may require that every other thread is resolved before
    /// the pull request is completed, and a plan needs no resolution.
    async fn create(&self, text: &str) -> Result<Option<Url>, Error> {
        let comment = json!({ "parentCommentId": 0, "content": text, "commentType": "text" });
        let body = json!({ "comments": [comment], "status": "closed" });
        let answer = self.connection.send(&ForgeCall::create(self.all(), &body)).await?;
        Ok(answer.json::<AzureMade>().map(|made| self.page(made.id)))
    }
}

/// The person and the time of an approval, if it is a thread of the system about one.
fn approval(thread: &Thread) -> Option<(&str, Timestamp)> {
    let property = |name: &str| thread.properties.as_ref()?.get(name)?.get("$value")?.as_str();
    let vote: i64 = property("CodeReviewVoteResult")?.parse().ok()?;
    let named = || {
        let key = property("CodeReviewVotedByIdentity")?;
        Some(thread.identities.as_ref()?.get(key)?.id.as_str())
    };
    let author = || Some(thread.comments.first()?.author.as_ref()?.id.as_str());
    let by = property("CodeReviewVotedByTfId").or_else(named).or_else(author)?;
    (vote >= 5).then_some((by, thread.published_date?))
}

fn versioned(mut url: Url, version: &str) -> Url {
    url.query_pairs_mut().append_pair("api-version", version);
    url
}

const API: HostApi = HostApi {
    has_next: |_| false,
    advice: Advice {
        auth: "Pass the pipeline's own token to the step as env: SYSTEM_ACCESSTOKEN: \
               $(System.AccessToken).",
        forbidden: "Allow the build service ('<project> Build Service') to 'Contribute to pull requests' in \
                    the repository's security settings.",
        not_found: "Check that the pull request is in this project, and that the build service may read the \
                    repository ('Read', 'Contribute to pull requests').",
    },
};

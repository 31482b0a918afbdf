//! GitHub: comments of the issue that every pull request is
//! (docs.github.com, "REST API endpoints for issue comments").

mod event;

use std::collections::BTreeMap;

use http::Answer;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LINK};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

pub(super) use self::event::{number, queued};
use super::answer::for_browser;
use super::comment::{Forge, ForgeOptions, Merged};
use super::connection::{Connection, ForgeCall, HostApi, bearer, below};
use super::environment::{JobEnvironment, is_segment, parsed};
use super::error::{Advice, Error, ForgeErrorKind};
use super::upsert::{CommentHost, FoundComment, PullRequestApproval};

const SELF_SET: &str = "GitHub Actions sets it: run this in a workflow.";
const READING: &str = "the comments of the pull request cannot be read";

/// A repository on GitHub, and the token for it.
#[derive(Debug)]
pub(super) struct GithubRepository {
    api: Url,
    owner: String,
    name: String,
    token: SecretString,
}

/// One pull request's comments.
pub(super) struct Comments<'a> {
    repository: &'a GithubRepository,
    number: u64,
    connection: Connection,
}

#[derive(Deserialize)]
struct GithubComment {
    id: u64,
    body: Option<String>,
    html_url: Option<String>,
    updated_at: Option<Timestamp>,
    /// `None` for a deleted account.
    user: Option<User>,
}

/// A review of a pull request as a whole, or a request for changes.
#[derive(Deserialize)]
struct Reviewed {
    state: String,
    submitted_at: Option<Timestamp>,
    user: Option<User>,
}

/// A pull request that contains a commit.
#[derive(Deserialize)]
struct GithubRelated {
    number: u64,
    merged_at: Option<Timestamp>,
    merge_commit_sha: Option<String>,
    base: Base,
    html_url: Option<String>,
    /// `None` for a deleted account.
    user: Option<User>,
}

/// An entry of a pull request's timeline.
#[derive(Deserialize)]
struct TimelineEvent {
    event: Option<String>,
    created_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Base {
    #[serde(rename = "ref")]
    branch: String,
    repo: BaseRepository,
}

#[derive(Deserialize)]
struct BaseRepository {
    full_name: String,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

/// A comment that was posted or updated.
#[derive(Deserialize)]
struct GithubMade {
    html_url: String,
}

impl GithubRepository {
    pub(super) fn named_by(environment: &JobEnvironment<'_>) -> Result<Self, Error> {
        let api = environment.get("GITHUB_API_URL");
        let api = parsed("GITHUB_API_URL", api.as_deref().unwrap_or("https://api.github.com"))?;
        let (_, name) = environment.first(&["GITHUB_REPOSITORY"], SELF_SET)?;
        let parts = name.split_once('/');
        let (owner, repository) = parts
            .filter(|(owner, repository)| is_segment(owner) && is_segment(repository))
            .ok_or_else(|| {
                let why = format!("GITHUB_REPOSITORY is {name:?}, not owner/repository");
                Error::unusable(&why, SELF_SET)
            })?;
        let token = environment.token(
            &["GITHUB_TOKEN", "GH_TOKEN"],
            "Pass it to the step as env: GITHUB_TOKEN: ${{ github.token }}.",
        )?;
        Ok(Self { api, owner: owner.to_owned(), name: repository.to_owned(), token })
    }

    pub(super) fn open(&self, number: u64, options: &ForgeOptions) -> Result<Comments<'_>, Error> {
        Ok(Comments { repository: self, number, connection: self.connect(options)? })
    }

    fn connect(&self, options: &ForgeOptions) -> Result<Connection, Error> {
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (
                HeaderName::from_static("x-github-api-version"),
                HeaderValue::from_static("2022-11-28"),
            ),
            (AUTHORIZATION, bearer(&self.token)?),
        ]);
        Connection::new(self.api.clone(), &self.token, headers, &API, options)
    }

    /// The pull requests into this branch of this repository that were merged as this commit: the merge
    /// commit, the squashed commit, or the last of the rebased commits.
    pub(super) async fn merged(
        &self,
        commit: &str,
        branch: &str,
        options: &ForgeOptions,
    ) -> Result<Vec<Merged>, Error> {
        let connection = self.connect(options)?;
        let Self { owner, name, .. } = self;
        let url = connection.url(["repos", owner, name, "commits", commit, "pulls"]);
        let failing = "the pull request of the commit cannot be read";
        let related: Vec<GithubRelated> = connection.read_short(url, failing).await?;
        let own = format!("{owner}/{name}");
        let is_it = |related: &GithubRelated| {
            related.merge_commit_sha.as_deref() == Some(commit)
                && related.base.branch == branch
                && related.base.repo.full_name.eq_ignore_ascii_case(&own)
        };
        let merged = related.into_iter().filter(is_it);
        Ok(merged
            .filter_map(|related| {
                Some(Merged {
                    number: related.number,
                    at: related.merged_at?,
                    url: related.html_url.as_deref().and_then(for_browser),
                    author: related.user.map(|user| user.login),
                })
            })
            .collect())
    }

    /// The GraphQL API beside the REST API: `/graphql`, and `/api/graphql` beside Enterprise Server's
    /// `/api/v3`. GITHUB_GRAPHQL_URL is not used, so that the token is sent to one host only.
    fn graphql(&self) -> Url {
        let mut url = self.api.clone();
        let ends_with_version =
            url.path_segments().and_then(|path| path.rev().find(|part| !part.is_empty()))
                == Some("v3");
        if ends_with_version && let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().pop();
        }
        below(&url, ["graphql"])
    }
}

/// The branch that the job runs on.
pub(super) fn branch(environment: &JobEnvironment<'_>) -> Result<String, Error> {
    environment.branch("GITHUB_REF", "Run this in a workflow that is started `on: push`.")
}

impl Comments<'_> {
    fn url<'s>(&'s self, rest: [&'s str; 3]) -> Url {
        let GithubRepository { owner, name, .. } = self.repository;
        self.connection.url(["repos", owner, name].into_iter().chain(rest))
    }

    fn all(&self) -> Url {
        self.url(["issues", &self.number.to_string(), "comments"])
    }
}

impl CommentHost for Comments<'_> {
    /// The login of the token's user, such as `github-actions[bot]`.
    ///
    /// Everybody who may comment can write our marker, and a token that may write to pull requests may edit
    /// all comments. With the marker alone, a stranger's comment could carry our text under the stranger's
    /// name, and the stranger could edit it. A comment by *some* bot is no better, as other bots repeat text
    /// of people. So the token is asked for its user: by GraphQL's `viewer`, because `GET /user` is not open
    /// to the token of a workflow and `viewer` is open to every kind of token. Logins are unambiguous: no
    /// person can have one with a bracket.
    type Author = String;
    type Id = u64;

    const FORGE: Forge = Forge::GitHub;

    async fn author(&self) -> Result<String, Error> {
        let query = json!({ "query": "query { viewer { login } }" });
        let failing = "the user of the token cannot be read";
        let call = ForgeCall::query(self.repository.graphql(), &query, failing);
        let answer: Value = self.connection.read(&call).await?;
        let login = answer.pointer("/data/viewer/login").and_then(Value::as_str);
        login.map(str::to_owned).ok_or_else(|| {
            let message = answer.pointer("/errors/0/message").and_then(Value::as_str);
            let why = message.unwrap_or("it names no user");
            self.connection.error(ForgeErrorKind::Malformed, &call, why)
        })
    }

    async fn find(
        &self,
        author: &String,
        marker: &str,
        most: usize,
    ) -> Result<Vec<FoundComment<u64>>, Error> {
        let ours = |comment: GithubComment| {
            let GithubComment { id, body, html_url, updated_at, user } = comment;
            let body = body.unwrap_or_default();
            let is_ours = user.is_some_and(|user| user.login.eq_ignore_ascii_case(author));
            let url = html_url.as_deref().and_then(for_browser);
            (is_ours && body.starts_with(marker)).then_some(FoundComment {
                id,
                text: body,
                url,
                changed: updated_at,
            })
        };
        self.connection.read_pages(self.all(), READING, most, ours).await
    }

    /// An approval is valid until the same person submits another review, or somebody dismisses it.
    async fn approvals(&self) -> Result<Vec<PullRequestApproval>, Error> {
        let url = self.url(["pulls", &self.number.to_string(), "reviews"]);
        let failing = "the reviews of the pull request cannot be read";
        let reviews: Vec<Reviewed> =
            self.connection.read_pages(url, failing, usize::MAX, Some).await?;
        let mut held = BTreeMap::new();
        for Reviewed { state, submitted_at, user } in reviews {
            let by = user.map(|user| user.login).unwrap_or_default();
            match (state.as_str(), submitted_at) {
                ("APPROVED", Some(at)) => drop(held.insert(by, at)),
                ("CHANGES_REQUESTED" | "DISMISSED", _) => drop(held.remove(&by)),
                _ => {}
            }
        }
        let approval = |(by, at): (String, Timestamp)| PullRequestApproval {
            by: Some(by).filter(|by| !by.is_empty()),
            at: Some(at),
        };
        Ok(held.into_iter().map(approval).collect())
    }

    /// By the pull request's timeline (docs.github.com, "REST API endpoints for timeline events").
    async fn queued(&self) -> Result<Option<Timestamp>, Error> {
        let url = self.url(["issues", &self.number.to_string(), "timeline"]);
        let failing = "the timeline of the pull request cannot be read";
        let queued = |TimelineEvent { event, created_at }: TimelineEvent| {
            created_at.filter(|_| event.as_deref() == Some("added_to_merge_queue"))
        };
        Ok(self.connection.read_pages(url, failing, usize::MAX, queued).await?.into_iter().max())
    }

    async fn update(&self, id: &u64, text: &str) -> Result<Option<Url>, Error> {
        let url = self.url(["issues", "comments", &id.to_string()]);
        let body = json!({ "body": text });
        let answer = self.connection.send(&ForgeCall::update(Method::PATCH, url, &body)).await?;
        Ok(answer.json::<GithubMade>().and_then(|made| for_browser(&made.html_url)))
    }

    async fn create(&self, text: &str) -> Result<Option<Url>, Error> {
        let body = json!({ "body": text });
        let answer = self.connection.send(&ForgeCall::create(self.all(), &body)).await?;
        Ok(answer.json::<GithubMade>().and_then(|made| for_browser(&made.html_url)))
    }
}

/// Whether there is another page (RFC 8288). The address in the header is not used: requests go to our own
/// addresses only.
fn has_next(answer: &Answer) -> bool {
    answer.header(LINK.as_str()).is_some_and(|links| {
        links.split(',').any(|link| {
            let mut parameters = link.split(';').skip(1).map(str::trim);
            parameters.any(|parameter| matches!(parameter, "rel=\"next\"" | "rel=next"))
        })
    })
}

const API: HostApi = HostApi {
    has_next,
    advice: Advice {
        auth: "Pass the workflow's own token to the step as env: GITHUB_TOKEN: ${{ github.token }}; \
               another one may have ended.",
        forbidden: "Give the job `permissions: { contents: read, pull-requests: write }`. Where the pull \
                    request comes from a fork, or from Dependabot, its token may only read.",
        not_found: "Check that GITHUB_REPOSITORY and the number name a pull request, and that the job has \
                    `permissions: { pull-requests: write }`: GitHub hides what a token may not read.",
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_recognised_by_its_relation() {
        let next = |value: &str| {
            let headers = HeaderMap::from_iter([(LINK, HeaderValue::from_str(value).unwrap())]);
            has_next(&Answer { headers, ..Answer::default() })
        };
        assert!(next(r#"<https://x/?page=1>; rel="prev", <https://x/?page=3>; rel="next""#));
        assert!(!next(r#"<https://x/?page=1>; rel="prev", <https://x/?page=1>; rel="first""#));
        assert!(!next(r#"<https://x/?rel="next">; rel="last""#));
    }

    #[test]
    fn graphql_is_beside_rest() {
        for (api, graphql) in [
            ("https://api.github.com", "https://api.github.com/graphql"),
            ("https://ghe.example/api/v3", "https://ghe.example/api/graphql"),
            ("https://ghe.example/api/v3/", "https://ghe.example/api/graphql"),
        ] {
            let repository = GithubRepository {
                api: Url::parse(api).unwrap(),
                owner: "etaten".to_owned(),
                name: "tilgang".to_owned(),
                token: SecretString::from("hemmelig"),
            };
            assert_eq!(repository.graphql().as_str(), graphql);
        }
    }
}

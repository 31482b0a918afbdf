//! GitHub: comments of the issue that every pull request is
//! (docs.github.com, "REST API endpoints for issue comments").

use std::fs::File;
use std::io::Read as _;

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LINK};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::answer::{for_browser, header};
use super::environment::{Environment, is_segment, parsed};
use super::error::{Error, ErrorKind};
use super::http::{Call, Connection, MAX_PAGES, bearer, below};
use super::upsert::{Found, Host};
use super::{Forge, Options};

/// More than the largest event: GitHub sends none above 25 MB.
const MAX_EVENT: u64 = 32 * 1024 * 1024;

const READING: &str = "the comments of the pull request cannot be read";

/// A pull request on GitHub.
#[derive(Debug)]
pub(super) struct PullRequest {
    api: Url,
    owner: String,
    repository: String,
    number: u64,
    token: SecretString,
}

/// One pull request's comments.
pub(super) struct Comments<'a> {
    pull_request: &'a PullRequest,
    connection: Connection,
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
    /// `None` for an account that is deleted.
    #[serde(default)]
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

/// A comment that was posted or updated.
#[derive(Deserialize)]
struct Made {
    html_url: String,
}

impl PullRequest {
    pub(super) fn named_by(environment: &Environment<'_>) -> Result<Self, Error> {
        const SELF_SET: &str = "GitHub Actions sets it: run this in a workflow.";
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
        let number = number(environment)?;
        let token = environment.token(
            &["GITHUB_TOKEN", "GH_TOKEN"],
            "Pass it to the step as env: GITHUB_TOKEN: ${{ github.token }}.",
        )?;
        let (owner, repository) = (owner.to_owned(), repository.to_owned());
        Ok(Self { api, owner, repository, number, token })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn open(&self, options: &Options) -> Result<Comments<'_>, Error> {
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (
                HeaderName::from_static("x-github-api-version"),
                HeaderValue::from_static("2022-11-28"),
            ),
            (AUTHORIZATION, bearer(&self.token)?),
        ]);
        let connection = Connection::new(self.api.clone(), &self.token, headers, advice, options)?;
        Ok(Comments { pull_request: self, connection })
    }

    /// The GraphQL API beside the REST API: `/graphql`, and `/api/graphql` beside Enterprise
    /// Server's `/api/v3`. Not GITHUB_GRAPHQL_URL, so that the token goes to one host alone.
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

impl Comments<'_> {
    fn issues<'s>(&'s self, rest: [&'s str; 2]) -> Url {
        let PullRequest { owner, repository, .. } = self.pull_request;
        let path = ["repos", owner, repository, "issues"].into_iter().chain(rest);
        self.connection.url(path)
    }

    fn all(&self) -> Url {
        self.issues([&self.pull_request.number.to_string(), "comments"])
    }
}

impl Host for Comments<'_> {
    /// The login of the token's user, such as `github-actions[bot]`.
    ///
    /// Anybody who may comment can write our marker, and a token that may write to pull requests may
    /// edit everybody's comments: ours by the marker alone, a stranger's comment would carry our
    /// words under the stranger's name, and a stranger could edit them. A comment of *some* bot is
    /// no better, as other bots repeat what people write. So the token is asked whom it speaks for:
    /// by GraphQL's `viewer`, because `GET /user` is closed to the token of a workflow and `viewer`
    /// is open to every kind of token. Logins are exact: no person can have one with a bracket.
    type Author = String;
    type Id = u64;

    const FORGE: Forge = Forge::GitHub;

    async fn author(&self) -> Result<String, Error> {
        let query = json!({ "query": "query { viewer { login } }" });
        let call = Call {
            method: Method::POST,
            url: self.pull_request.graphql(),
            body: Some(&query),
            failing: "the user of the token cannot be read",
            repeatable: true,
        };
        let (answer, _): (Value, _) = self.connection.read(&call).await?;
        let login = answer.pointer("/data/viewer/login").and_then(Value::as_str);
        login.map(str::to_owned).ok_or_else(|| {
            let told = answer.pointer("/errors/0/message").and_then(Value::as_str);
            let why = told.unwrap_or("it names no user");
            self.connection.error(ErrorKind::Malformed, &call, why)
        })
    }

    async fn find(&self, author: &String, marker: &str) -> Result<Option<Found<u64>>, Error> {
        for page in 1..=MAX_PAGES {
            let mut url = self.all();
            url.query_pairs_mut()
                .append_pair("per_page", "100")
                .append_pair("page", &page.to_string());
            let call = Call::get(url, READING);
            let (comments, headers): (Vec<Comment>, _) = self.connection.read(&call).await?;
            let ours = |comment: &Comment| {
                let by = comment.user.as_ref().map(|user| user.login.as_str());
                let body = comment.body.as_deref().unwrap_or_default();
                by.is_some_and(|login| login.eq_ignore_ascii_case(author))
                    && body.starts_with(marker)
            };
            if let Some(comment) = comments.into_iter().find(ours) {
                let Comment { id, body, html_url, user: _ } = comment;
                let url = html_url.as_deref().and_then(for_browser);
                return Ok(Some(Found { id, text: body.unwrap_or_default(), url }));
            }
            if !has_next(&headers) {
                return Ok(None);
            }
        }
        Err(self.connection.too_many(&Call::get(self.all(), READING)))
    }

    async fn update(&self, id: &u64, text: &str) -> Result<Option<Url>, Error> {
        let url = self.issues(["comments", &id.to_string()]);
        let body = json!({ "body": text });
        let answer = self.connection.send(&Call::update(Method::PATCH, url, &body)).await?;
        Ok(answer.json::<Made>().and_then(|made| for_browser(&made.html_url)))
    }

    async fn create(&self, text: &str) -> Result<Option<Url>, Error> {
        let body = json!({ "body": text });
        let answer = self.connection.send(&Call::create(self.all(), &body)).await?;
        Ok(answer.json::<Made>().and_then(|made| for_browser(&made.html_url)))
    }
}

/// The number in the event that started the workflow, or else in its ref.
fn number(environment: &Environment<'_>) -> Result<u64, Error> {
    let event = environment.get("GITHUB_EVENT_PATH").and_then(|path| event(&path));
    let from_ref = || {
        let name = environment.get("GITHUB_REF")?;
        name.strip_prefix("refs/pull/")?.split('/').next()?.parse().ok()
    };
    event.as_ref().and_then(number_in).or_else(from_ref).ok_or_else(|| {
        Error::no_pull_request(
            "neither the event in GITHUB_EVENT_PATH nor GITHUB_REF names one",
            "Run this in a workflow that is started `on: pull_request`.",
        )
    })
}

fn event(path: &str) -> Option<Value> {
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_EVENT).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn number_in(event: &Value) -> Option<u64> {
    let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_u64);
    // An issue is a pull request if it says so.
    let of_issue = || {
        event.pointer("/issue/pull_request").filter(|value| !value.is_null())?;
        number("/issue/number")
    };
    number("/pull_request/number").or_else(of_issue).or_else(|| number("/number"))
}

/// Whether there is another page (RFC 8288). Where it is, is not asked: the address is ours.
fn has_next(headers: &HeaderMap) -> bool {
    header(headers, LINK.as_str()).is_some_and(|links| {
        links.split(',').any(|link| {
            let mut parameters = link.split(';').skip(1).map(str::trim);
            parameters.any(|parameter| matches!(parameter, "rel=\"next\"" | "rel=next"))
        })
    })
}

fn advice(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Auth => Some(
            "Pass the workflow's own token to the step as env: GITHUB_TOKEN: ${{ github.token }}; \
             another one may have ended.",
        ),
        ErrorKind::Forbidden => Some(
            "Give the job `permissions: { contents: read, pull-requests: write }`. Where the pull \
             request comes from a fork, or from Dependabot, its token may only read.",
        ),
        ErrorKind::NotFound => Some(
            "See that GITHUB_REPOSITORY and the number name a pull request, and that the job has \
             `permissions: { pull-requests: write }`: GitHub hides what a token may not read.",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_its_pull_request() {
        assert_eq!(number_in(&json!({"number": 7, "pull_request": {"number": 7}})), Some(7));
        assert_eq!(number_in(&json!({"issue": {"number": 8, "pull_request": {}}})), Some(8));
        assert_eq!(number_in(&json!({"issue": {"number": 8}})), None);
        assert_eq!(number_in(&json!({"number": "7"})), None);
        assert_eq!(number_in(&json!({"ref": "refs/heads/main"})), None);
    }

    #[test]
    fn the_next_page_is_told_by_its_relation() {
        let next = |value: &str| {
            has_next(&HeaderMap::from_iter([(LINK, HeaderValue::from_str(value).unwrap())]))
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
            let pull_request = PullRequest {
                api: Url::parse(api).unwrap(),
                owner: "etaten".to_owned(),
                repository: "tilgang".to_owned(),
                number: 1,
                token: SecretString::from("hemmelig"),
            };
            assert_eq!(pull_request.graphql().as_str(), graphql);
        }
    }
}

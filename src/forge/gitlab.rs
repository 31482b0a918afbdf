//! GitLab: notes of a merge request (docs.gitlab.com, "Notes API").

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::answer::{for_browser, header};
use super::environment::Environment;
use super::error::{Error, ErrorKind};
use super::http::{Call, Connection, MAX_PAGES, below, secret};
use super::upsert::{Found, Host};
use super::{Forge, Options};

const READING: &str = "the notes of the merge request cannot be read";

/// A merge request on GitLab.
#[derive(Debug)]
pub(super) struct MergeRequest {
    api: Url,
    /// The project that it is to be merged into.
    project: u64,
    number: u64,
    /// Its page, if the environment tells the project's.
    page: Option<Url>,
    token: SecretString,
}

/// One merge request's notes.
pub(super) struct Notes<'a> {
    merge_request: &'a MergeRequest,
    connection: Connection,
}

#[derive(Deserialize)]
struct Note {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    /// Written by GitLab itself: `added 1 commit`.
    #[serde(default)]
    system: bool,
    #[serde(default)]
    author: Option<User>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
}

/// A note that was posted or updated.
#[derive(Deserialize)]
struct Made {
    id: u64,
}

impl MergeRequest {
    pub(super) fn named_by(environment: &Environment<'_>) -> Result<Self, Error> {
        const SELF_SET: &str = "GitLab CI sets it: run this in a job.";
        let api = environment.address(&["CI_API_V4_URL"], SELF_SET)?;
        if environment.get("CI_MERGE_REQUEST_IID").is_none() {
            return Err(Error::no_pull_request(
                "CI_MERGE_REQUEST_IID is not set",
                "Run this in a merge request pipeline: \
                 rules: [{ if: $CI_PIPELINE_SOURCE == \"merge_request_event\" }].",
            ));
        }
        let number = environment.number(&["CI_MERGE_REQUEST_IID"], SELF_SET)?;
        // The pipeline of a fork's merge request runs in the fork.
        let project =
            environment.number(&["CI_MERGE_REQUEST_PROJECT_ID", "CI_PROJECT_ID"], SELF_SET)?;
        let page = environment.get("CI_MERGE_REQUEST_PROJECT_URL").and_then(|project| {
            for_browser(&format!("{}/-/merge_requests/{number}", project.trim_end_matches('/')))
        });
        let token = environment.token(
            &["PORTVAKT_GITLAB_TOKEN", "GITLAB_TOKEN"],
            "Make a project access token with the scope `api` and the role Reporter, and store it as \
             a masked CI/CD variable of that name. The job's own CI_JOB_TOKEN cannot write notes.",
        )?;
        Ok(Self { api, project, number, page, token })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn open(&self, options: &Options) -> Result<Notes<'_>, Error> {
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("private-token"), secret(&self.token)?),
        ]);
        let connection = Connection::new(self.api.clone(), &self.token, headers, advice, options)?;
        Ok(Notes { merge_request: self, connection })
    }
}

impl Notes<'_> {
    fn all(&self) -> Url {
        let MergeRequest { project, number, .. } = self.merge_request;
        let (project, number) = (project.to_string(), number.to_string());
        self.connection.url(["projects", &project, "merge_requests", &number, "notes"])
    }

    /// Where a person reads a note.
    fn page(&self, note: u64) -> Option<Url> {
        let mut page = self.merge_request.page.clone()?;
        page.set_fragment(Some(&format!("note_{note}")));
        Some(page)
    }
}

impl Host for Notes<'_> {
    /// The id of the token's user: an access token of a project has one of its own. A note with our
    /// marker by anybody else is left alone: anybody who may comment can write the marker.
    type Author = u64;
    type Id = u64;

    const FORGE: Forge = Forge::GitLab;

    async fn author(&self) -> Result<u64, Error> {
        let call = Call::get(self.connection.url(["user"]), "the user of the token cannot be read");
        let (user, _): (User, _) = self.connection.read(&call).await?;
        Ok(user.id)
    }

    async fn find(&self, author: &u64, marker: &str) -> Result<Option<Found<u64>>, Error> {
        for page in 1..=MAX_PAGES {
            let mut url = self.all();
            url.query_pairs_mut()
                .append_pair("sort", "asc")
                .append_pair("order_by", "created_at")
                .append_pair("per_page", "100")
                .append_pair("page", &page.to_string());
            let (notes, headers): (Vec<Note>, _) =
                self.connection.read(&Call::get(url, READING)).await?;
            let ours = |note: &Note| {
                let body = note.body.as_deref().unwrap_or_default();
                !note.system
                    && note.author.as_ref().is_some_and(|by| by.id == *author)
                    && body.starts_with(marker)
            };
            if let Some(Note { id, body, .. }) = notes.into_iter().find(ours) {
                let text = body.unwrap_or_default();
                return Ok(Some(Found { id, text, url: self.page(id) }));
            }
            // Empty on the last page.
            if header(&headers, "x-next-page").is_none_or(str::is_empty) {
                return Ok(None);
            }
        }
        Err(self.connection.too_many(&Call::get(self.all(), READING)))
    }

    async fn update(&self, id: &u64, text: &str) -> Result<Option<Url>, Error> {
        let url = below(&self.all(), [id.to_string().as_str()]);
        let body = json!({ "body": text });
        self.connection.send(&Call::update(Method::PUT, url, &body)).await?;
        Ok(self.page(*id))
    }

    async fn create(&self, text: &str) -> Result<Option<Url>, Error> {
        let body = json!({ "body": text });
        let answer = self.connection.send(&Call::create(self.all(), &body)).await?;
        Ok(answer.json::<Made>().and_then(|made| self.page(made.id)))
    }

    /// Without quick actions: GitLab carries out a line such as `/merge` or `/approve` of a note, in
    /// the name of the token's user, and takes carriage returns away before it looks for them
    /// (gitlab-org/gitlab, lib/gitlab/quick_actions/extractor.rb). A space in front makes it text.
    fn harmless(text: &str) -> String {
        let text = text.replace('\r', "").replace("\n/", "\n /");
        match text.starts_with('/') {
            true => format!(" {text}"),
            false => text,
        }
    }
}

fn advice(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Auth => Some(
            "See that PORTVAKT_GITLAB_TOKEN (or GITLAB_TOKEN) holds an access token with the scope \
             `api` that has not ended; the job's own CI_JOB_TOKEN cannot write notes.",
        ),
        ErrorKind::Forbidden => Some(
            "Give the token the scope `api` (read_api is not enough), and its user the role \
             Reporter or higher in the project.",
        ),
        ErrorKind::NotFound => Some(
            "See that the token's user is a member of the project that is merged into: GitLab hides \
             what a user may not read.",
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
    fn no_line_is_a_quick_action() {
        assert_eq!(Notes::harmless("a\n/merge\nb /c\n\r/close"), "a\n /merge\nb /c\n /close");
        assert_eq!(Notes::harmless("/approve"), " /approve");
        assert_eq!(Notes::harmless("\r\r/approve\r\n"), " /approve\n");
    }
}

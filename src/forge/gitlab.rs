//! GitLab: notes of a merge request (docs.gitlab.com, "Notes API").

use std::collections::BTreeMap;

use http::Answer;
use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::answer::for_browser;
use super::comment::{Forge, ForgeOptions, Merged};
use super::connection::{Connection, ForgeCall, HostApi, below, secret};
use super::environment::JobEnvironment;
use super::error::{Advice, Error, ForgeErrorKind};
use super::upsert::{CommentHost, FoundComment, PullRequestApproval};

const SELF_SET: &str = "GitLab CI sets it: run this in a job.";
/// GitLab's text of an approval (gitlab-org/gitlab, app/services/system_notes).
const APPROVED: &str = "approved this merge request";
const READING: &str = "the notes of the merge request cannot be read";

/// A project on GitLab, and the token for it.
#[derive(Debug)]
pub(super) struct GitlabProject {
    api: Url,
    id: u64,
    /// Its page, if the environment has it.
    page: Option<String>,
    token: SecretString,
}

/// One merge request's notes.
pub(super) struct Notes<'a> {
    /// The target project.
    project: &'a GitlabProject,
    number: u64,
    connection: Connection,
}

#[derive(Deserialize)]
struct Note {
    id: u64,
    body: Option<String>,
    /// Written by GitLab itself, such as `added 1 commit`.
    #[serde(default)]
    system: bool,
    author: Option<GitlabUser>,
    updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct GitlabUser {
    id: u64,
    username: Option<String>,
}

/// A merge request in a merge train, or that went with one.
#[derive(Deserialize)]
struct TrainCar {
    created_at: Option<Timestamp>,
}

/// A merge request that contains a commit.
#[derive(Deserialize)]
struct GitlabRelated {
    iid: u64,
    state: String,
    target_branch: String,
    target_project_id: u64,
    merged_at: Option<Timestamp>,
    merge_commit_sha: Option<String>,
    squash_commit_sha: Option<String>,
    /// The last commit of the merged branch.
    sha: Option<String>,
    web_url: Option<String>,
    author: Option<GitlabUser>,
}

#[derive(Deserialize)]
struct Approvals {
    #[serde(default)]
    approved_by: Vec<GitlabApproval>,
}

#[derive(Deserialize)]
struct GitlabApproval {
    user: GitlabUser,
    /// Present in newer versions of GitLab.
    approved_at: Option<Timestamp>,
}

/// A note that was posted or updated.
#[derive(Deserialize)]
struct GitlabMade {
    id: u64,
}

impl GitlabProject {
    pub(super) fn named_by(environment: &JobEnvironment<'_>) -> Result<Self, Error> {
        let api = environment.address(&["CI_API_V4_URL"], SELF_SET)?;
        // The pipeline of a fork's merge request runs in the fork.
        let id = environment.number(&["CI_MERGE_REQUEST_PROJECT_ID", "CI_PROJECT_ID"], SELF_SET)?;
        let page = environment.get("CI_MERGE_REQUEST_PROJECT_URL");
        let token = environment.token(
            &["PORTVAKT_GITLAB_TOKEN", "GITLAB_TOKEN"],
            "Make a project access token with the scope `api` and the role Reporter, and store it as \
             a masked CI/CD variable of that name. The job's own CI_JOB_TOKEN cannot write notes.",
        )?;
        Ok(Self { api, id, page, token })
    }

    pub(super) fn open(&self, number: u64, options: &ForgeOptions) -> Result<Notes<'_>, Error> {
        Ok(Notes { project: self, number, connection: self.connect(options)? })
    }

    fn connect(&self, options: &ForgeOptions) -> Result<Connection, Error> {
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("private-token"), secret(&self.token)?),
        ]);
        Connection::new(self.api.clone(), &self.token, headers, &API, options)
    }

    /// The merge requests into this branch of this project that were merged as this commit: the merge commit;
    /// without one, the squashed commit; without either, the last commit of the branch.
    pub(super) async fn merged(
        &self,
        commit: &str,
        branch: &str,
        options: &ForgeOptions,
    ) -> Result<Vec<Merged>, Error> {
        let connection = self.connect(options)?;
        let project = self.id.to_string();
        let path = ["projects", &project, "repository", "commits", commit, "merge_requests"];
        let failing = "the merge request of the commit cannot be read";
        let related: Vec<GitlabRelated> =
            connection.read_short(connection.url(path), failing).await?;
        let is_it = |related: &GitlabRelated| {
            let GitlabRelated { merge_commit_sha, squash_commit_sha, sha, .. } = related;
            let merged = merge_commit_sha.as_ref().or(squash_commit_sha.as_ref()).or(sha.as_ref());
            related.state == "merged"
                && related.target_branch == branch
                && related.target_project_id == self.id
                && merged.is_some_and(|merged| merged == commit)
        };
        let merged = related.into_iter().filter(is_it);
        Ok(merged
            .filter_map(|related| {
                Some(Merged {
                    number: related.iid,
                    at: related.merged_at?,
                    url: related.web_url.as_deref().and_then(for_browser),
                    author: related.author.and_then(|author| author.username),
                })
            })
            .collect())
    }
}

/// The merge request that a merge train is about to merge, where the job runs for one.
pub(super) fn queued(environment: &JobEnvironment<'_>) -> Option<u64> {
    let is_train = environment.get("CI_MERGE_REQUEST_EVENT_TYPE")? == "merge_train";
    environment.get("CI_MERGE_REQUEST_IID")?.parse().ok().filter(|_| is_train)
}

/// The branch that the job runs on.
pub(super) fn branch(environment: &JobEnvironment<'_>) -> Result<String, Error> {
    let help = "Run this in a pipeline of a branch.";
    environment.first(&["CI_COMMIT_BRANCH"], help).map(|(_, branch)| branch)
}

/// The number of the merge request that the job runs for.
pub(super) fn number(environment: &JobEnvironment<'_>) -> Result<u64, Error> {
    if environment.get("CI_MERGE_REQUEST_IID").is_none() {
        return Err(Error::no_pull_request(
            "CI_MERGE_REQUEST_IID is not set",
            "Run this in a merge request pipeline: \
             rules: [{ if: $CI_PIPELINE_SOURCE == \"merge_request_event\" }].",
        ));
    }
    environment.number(&["CI_MERGE_REQUEST_IID"], SELF_SET)
}

impl Notes<'_> {
    fn url<'s>(&self, rest: impl IntoIterator<Item = &'s str>) -> Url {
        let (project, number) = (self.project.id.to_string(), self.number.to_string());
        let path = ["projects", &project, "merge_requests", &number];
        below(&self.connection.url(path), rest)
    }

    fn all(&self) -> Url {
        self.url(["notes"])
    }

    /// Selected notes, the oldest first, up to a number.
    async fn list<T>(
        &self,
        most: usize,
        choose: impl FnMut(Note) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let mut url = self.all();
        url.query_pairs_mut().append_pair("sort", "asc").append_pair("order_by", "created_at");
        self.connection.read_pages(url, READING, most, choose).await
    }

    /// Address of a note for people.
    fn page(&self, note: u64) -> Option<Url> {
        let (project, number) = (self.project.page.as_ref()?.trim_end_matches('/'), self.number);
        let mut page = for_browser(&format!("{project}/-/merge_requests/{number}"))?;
        page.set_fragment(Some(&format!("note_{note}")));
        Some(page)
    }
}

/// Whether there is another page: the header is empty on the last one.
fn has_next(answer: &Answer) -> bool {
    answer.header("x-next-page").is_some_and(|next| !next.is_empty())
}

impl CommentHost for Notes<'_> {
    /// The id of the token's user: an access token of a project has one of its own. A note with our marker by
    /// anybody else is left alone, as everybody who may comment can write the marker.
    type Author = u64;
    type Id = u64;

    const FORGE: Forge = Forge::GitLab;

    async fn author(&self) -> Result<u64, Error> {
        let call =
            ForgeCall::get(self.connection.url(["user"]), "the user of the token cannot be read");
        Ok(self.connection.read::<GitlabUser>(&call).await?.id)
    }

    async fn find(
        &self,
        author: &u64,
        marker: &str,
        most: usize,
    ) -> Result<Vec<FoundComment<u64>>, Error> {
        let ours = |note: Note| {
            let Note { id, body, system, author: by, updated_at } = note;
            let text = body.unwrap_or_default();
            let is_ours = !system && by.is_some_and(|by| by.id == *author);
            (is_ours && text.starts_with(marker)).then(|| FoundComment {
                id,
                text,
                url: self.page(id),
                changed: updated_at,
            })
        };
        self.list(most, ours).await
    }

    /// The current approvals. In older versions their times are only in notes of the system, which nobody can
    /// write.
    async fn approvals(&self) -> Result<Vec<PullRequestApproval>, Error> {
        let failing = "the approvals of the merge request cannot be read";
        let call = ForgeCall::get(self.url(["approvals"]), failing);
        let Approvals { approved_by } = self.connection.read(&call).await?;
        let undated: Vec<u64> = approved_by
            .iter()
            .filter(|approval| approval.approved_at.is_none())
            .map(|approval| approval.user.id)
            .collect();
        let mut last = BTreeMap::new();
        if !undated.is_empty() {
            let approved = |note: Note| {
                let by = note.author.filter(|by| undated.contains(&by.id))?;
                let body = note.body.unwrap_or_default();
                let is_approval = note.system && body.eq_ignore_ascii_case(APPROVED);
                is_approval.then_some((by.id, note.updated_at?))
            };
            // Of two approvals by one person, the second counts.
            last.extend(self.list(usize::MAX, approved).await?);
        }
        let approval =
            |GitlabApproval { user: GitlabUser { id, username }, approved_at }: GitlabApproval| {
                PullRequestApproval { by: username, at: approved_at.or(last.get(&id).copied()) }
            };
        Ok(approved_by.into_iter().map(approval).collect())
    }

    /// By the merge train (docs.gitlab.com, "Merge trains API"), which not every project has.
    async fn queued(&self) -> Result<Option<Timestamp>, Error> {
        let (project, number) = (self.project.id.to_string(), self.number.to_string());
        let path = ["projects", &project, "merge_trains", "merge_requests", &number];
        let failing = "the merge train of the merge request cannot be read";
        let call = ForgeCall::get(self.connection.url(path), failing);
        match self.connection.read::<TrainCar>(&call).await {
            Ok(car) => Ok(car.created_at),
            Err(error) => match error.kind() {
                ForgeErrorKind::NotFound | ForgeErrorKind::Forbidden => Ok(None),
                _ => Err(error),
            },
        }
    }

    async fn update(&self, id: &u64, text: &str) -> Result<Option<Url>, Error> {
        let url = below(&self.all(), [id.to_string().as_str()]);
        let body = json!({ "body": text });
        self.connection.send(&ForgeCall::update(Method::PUT, url, &body)).await?;
        Ok(self.page(*id))
    }

    async fn create(&self, text: &str) -> Result<Option<Url>, Error> {
        let body = json!({ "body": text });
        let answer = self.connection.send(&ForgeCall::create(self.all(), &body)).await?;
        Ok(answer.json::<GitlabMade>().and_then(|made| self.page(made.id)))
    }

    /// Without quick actions: GitLab carries out a line of a note such as `/merge` or `/approve` in the name
    /// of the token's user, and removes carriage returns before it looks for them (gitlab-org/gitlab,
    /// lib/gitlab/quick_actions/extractor.rb). A space in front makes it text.
    fn harmless(text: &str) -> String {
        let text = text.replace('\r', "").replace("\n/", "\n /");
        match text.starts_with('/') {
            true => format!(" {text}"),
            false => text,
        }
    }
}

const API: HostApi = HostApi {
    has_next,
    advice: Advice {
        auth: "Check that PORTVAKT_GITLAB_TOKEN (or GITLAB_TOKEN) holds an access token with the scope \
               `api` that has not ended; the job's own CI_JOB_TOKEN cannot write notes.",
        forbidden: "Give the token the scope `api` (read_api is not enough), and its user the role \
                    Reporter or higher in the project.",
        not_found: "Check that the token's user is a member of the project that is merged into: GitLab hides \
                    what a user may not read.",
    },
};

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

//! GitLab's notes of a merge request, as docs.gitlab.com describes them.

use portvakt::forge::{CommentChange, Forge, ForgeErrorKind};
use serde_json::{Value, json};

use super::server::{
    Answer, Api, Call, CommentAuthor, MARKER, Past, Related, Server, TOKEN, page, read,
};

pub(super) struct GitLab {
    notes: Vec<(u64, CommentAuthor, String)>,
    past: Past,
}

impl GitLab {
    pub(super) fn new() -> Self {
        Self { notes: Vec::new(), past: Past::default() }
    }

    fn user(who: CommentAuthor) -> Value {
        match who {
            CommentAuthor::Us => {
                json!({ "id": 501, "username": "project_42_bot_x", "state": "active" })
            }
            CommentAuthor::Stranger => json!({ "id": 7, "username": "kari", "state": "active" }),
            CommentAuthor::OtherBot => {
                json!({ "id": 502, "username": "project_42_bot_y", "state": "active" })
            }
        }
    }

    fn note(&self, (id, who, text): &(u64, CommentAuthor, String)) -> Value {
        let changed = (!self.past.changed.is_empty()).then_some(self.past.changed);
        json!({
            "updated_at": changed,
            "id": id, "body": text, "author": Self::user(*who), "system": false, "type": null,
            "noteable_id": 99, "noteable_iid": 7, "noteable_type": "MergeRequest",
            "project_id": 42, "resolvable": false, "internal": false,
        })
    }

    /// The merge requests of a commit, whatever their state and branch.
    fn related(&self) -> Value {
        let related = |Related { number, commit, base, merged }: &Related| {
            json!({
                "iid": number, "state": if merged.is_some() { "merged" } else { "closed" },
                "target_branch": base, "target_project_id": 42, "merged_at": merged,
                "merge_commit_sha": commit, "squash_commit_sha": null, "sha": "a".repeat(40),
                "author": { "id": 8, "username": "eva" },
                "web_url": format!("https://gitlab.example/etaten/tilgang/-/merge_requests/{number}"),
            })
        };
        self.past.related.iter().map(related).collect()
    }

    /// The current approvals, the first without a time, as in older versions.
    fn approvals(&self) -> Value {
        let held =
            self.past.verdicts.iter().filter(|(_, verdict, _)| verdict.starts_with("approved"));
        let held = held.enumerate().map(|(nr, (who, _, at))| {
            let user = json!({ "id": who.parse::<u64>().unwrap(), "username": "kari" });
            match nr {
                0 => json!({ "user": user }),
                _ => json!({ "user": user, "approved_at": at }),
            }
        });
        json!({ "approved_by": held.collect::<Vec<_>>() })
    }

    /// With a note by GitLab itself that begins like ours, on every page.
    fn list(&self, call: &Call) -> Answer {
        let query: Vec<_> =
            call.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let [("sort", "asc"), ("order_by", "created_at"), ("per_page", "100"), ("page", number)] =
            query.as_slice()
        else {
            panic!("{query:?}")
        };
        let number: usize = number.parse().unwrap();
        let (notes, has_next) = page(&self.notes, number, 99);
        let next = if has_next { (number + 1).to_string() } else { String::new() };
        let mut system = self.note(&(1, CommentAuthor::Us, format!("{MARKER}\nadded 1 commit")));
        system["system"] = json!(true);
        let approvals = self.past.verdicts.iter().map(|(who, verdict, at)| {
            json!({
                "id": 2, "system": true, "body": verdict, "updated_at": at,
                "author": { "id": who.parse::<u64>().unwrap() },
            })
        });
        let notes = std::iter::once(system)
            .chain(approvals)
            .chain(notes.iter().map(|note| self.note(note)));
        (200, vec![("x-next-page", next), ("x-per-page", "100".to_owned())], notes.collect())
    }
}

fn text(body: &Value) -> String {
    let text = body["body"].as_str().unwrap().to_owned();
    assert_eq!(*body, json!({ "body": text }));
    assert!(!text.lines().any(|line| line.starts_with('/')), "a quick action: {text}");
    text
}

impl Api for GitLab {
    fn forge(&self) -> Forge {
        Forge::GitLab
    }

    fn environment(&self, address: &str) -> Vec<(&'static str, String)> {
        vec![
            ("CI_API_V4_URL", format!("{address}/api/v4")),
            // The job runs in a fork.
            ("CI_PROJECT_ID", "43".to_owned()),
            ("CI_MERGE_REQUEST_PROJECT_ID", "42".to_owned()),
            ("CI_MERGE_REQUEST_PROJECT_URL", "https://gitlab.example/etaten/tilgang".to_owned()),
            ("CI_MERGE_REQUEST_IID", "7".to_owned()),
            ("CI_JOB_TOKEN", "another".to_owned()),
            ("PORTVAKT_GITLAB_TOKEN", TOKEN.to_owned()),
        ]
    }

    fn answer(&mut self, call: &Call) -> Answer {
        assert_eq!(call.headers["private-token"], TOKEN);
        assert!(!call.headers.contains_key("authorization"));
        let path = call.path.strip_prefix("/api/v4/").unwrap();
        match (call.method.as_str(), path) {
            ("GET", "projects/42/merge_requests/7/approvals") => (200, vec![], self.approvals()),
            ("GET", "projects/42/merge_trains/merge_requests/7") => match self.past.queued {
                Some(at) => {
                    (200, vec![], json!({ "id": 110, "created_at": at, "status": "merged" }))
                }
                None => (404, vec![], json!({ "message": "404 Not found" })),
            },
            ("GET", path) if path.contains("/repository/commits/") => {
                let commit = path.strip_prefix("projects/42/repository/commits/").unwrap();
                assert_eq!(commit.strip_suffix("/merge_requests").unwrap().len(), 40, "{commit}");
                (200, vec![], self.related())
            }
            ("GET", "user") => (200, vec![], Self::user(CommentAuthor::Us)),
            ("GET", "projects/42/merge_requests/7/notes") => self.list(call),
            ("POST", "projects/42/merge_requests/7/notes") => {
                assert!(call.query.is_empty());
                self.add(CommentAuthor::Us, &text(&call.body));
                (201, vec![], self.note(self.notes.last().unwrap()))
            }
            ("PUT", path) => {
                assert!(call.query.is_empty());
                let id = path.strip_prefix("projects/42/merge_requests/7/notes/").unwrap();
                let id: u64 = id.parse().unwrap();
                let Some(note) = self.notes.iter_mut().find(|note| note.0 == id) else {
                    return (404, vec![], json!({ "message": "404 Not found" }));
                };
                note.2 = text(&call.body);
                let note = note.clone();
                (200, vec![], self.note(&note))
            }
            other => panic!("{other:?}"),
        }
    }

    fn add(&mut self, who: CommentAuthor, text: &str) {
        let id = 100 + self.notes.len() as u64;
        self.notes.push((id, who, text.trim_end().to_owned()));
    }

    fn forge_text(&mut self, change: &dyn Fn(&str) -> String) {
        let ours = self.notes.iter_mut().filter(|(_, who, _)| *who == CommentAuthor::Us);
        ours.for_each(|(_, _, text)| *text = change(text));
    }

    fn end(&mut self, past: Past) {
        self.past = past;
    }

    fn comments(&self) -> Vec<(CommentAuthor, String)> {
        self.notes.iter().map(|(_, who, text)| (*who, text.clone())).collect()
    }
}

#[tokio::test]
async fn the_calls_are_the_documented_ones() {
    let server = Server::start(GitLab::new()).await;
    let posted = server.post("a").await.unwrap();
    let url = posted.url.unwrap();
    assert_eq!(url.as_str(), "https://gitlab.example/etaten/tilgang/-/merge_requests/7#note_100");
    let user = "GET /api/v4/user";
    let list = "GET /api/v4/projects/42/merge_requests/7/notes";
    let post = "POST /api/v4/projects/42/merge_requests/7/notes";
    assert_eq!(server.calls(), [user, list, post]);
    server.posts("b", CommentChange::Updated).await;
    let put = "PUT /api/v4/projects/42/merge_requests/7/notes/100";
    assert_eq!(server.calls(), [user, list, put]);
}

#[tokio::test]
async fn a_plan_cannot_hold_a_quick_action() {
    let server = Server::start(GitLab::new()).await;
    server.posts("/approve\n\r/merge\n", CommentChange::Created).await;
    server.posts("a\n/close", CommentChange::Updated).await;
    assert_eq!(server.comments(), [(CommentAuthor::Us, format!("{MARKER}\na\n /close"))]);
}

#[test]
fn the_token_of_the_job_is_reported_to_be_of_no_use() {
    let mut environment = GitLab::new().environment("https://gitlab.example");
    environment.retain(|(name, _)| *name != "PORTVAKT_GITLAB_TOKEN");
    let error = read(Forge::GitLab, &environment).unwrap_err();
    assert_eq!(error.to_string(), "PORTVAKT_GITLAB_TOKEN or GITLAB_TOKEN is not set");
    assert!(error.help().contains("CI_JOB_TOKEN cannot write notes"), "{}", error.help());
    environment.push(("GITLAB_TOKEN", TOKEN.to_owned()));
    read(Forge::GitLab, &environment).unwrap();
    environment.retain(|(name, _)| *name != "CI_MERGE_REQUEST_IID");
    let error = read(Forge::GitLab, &environment).unwrap_err();
    assert_eq!(error.kind(), ForgeErrorKind::NoPullRequest);
    environment.push(("CI_MERGE_REQUEST_IID", "7/notes".to_owned()));
    let error = read(Forge::GitLab, &environment).unwrap_err();
    assert!(error.to_string().starts_with("CI_MERGE_REQUEST_IID is"), "{error}");
}

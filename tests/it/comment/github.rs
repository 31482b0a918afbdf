//! GitHub's issue comments, as docs.github.com describes them.

use std::io::Write as _;

use axum::http::Method;
use portvakt::forge::{CommentChange, Forge, ForgeErrorKind};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::server::{
    Answer, Api, Call, CommentAuthor, MARKER, Past, Related, Server, TOKEN, page, read,
};

pub(super) struct GitHub {
    comments: Vec<(u64, CommentAuthor, String)>,
    next_id: u64,
    past: Past,
}

impl GitHub {
    pub(super) fn new() -> Self {
        Self { comments: Vec::new(), next_id: 11, past: Past::default() }
    }

    fn user(who: CommentAuthor) -> Value {
        match who {
            CommentAuthor::Us => {
                json!({ "login": "github-actions[bot]", "id": 41898282, "type": "Bot" })
            }
            CommentAuthor::Stranger => {
                json!({ "login": "github-actions", "id": 44036562, "type": "User" })
            }
            CommentAuthor::OtherBot => {
                json!({ "login": "renovate[bot]", "id": 29139614, "type": "Bot" })
            }
        }
    }

    fn comment(&self, (id, who, text): &(u64, CommentAuthor, String)) -> Value {
        let changed = match self.past.changed {
            "" => "2026-11-22T10:00:00Z",
            changed => changed,
        };
        json!({
            "id": id, "node_id": "IC_x", "body": text, "user": Self::user(*who),
            "html_url": format!("https://github.com/etaten/tilgang/pull/7#issuecomment-{id}"),
            "created_at": "2026-11-22T10:00:00Z", "updated_at": changed,
            "author_association": "NONE",
        })
    }

    /// The pull requests of a commit, whatever their state and base.
    fn related(&self, call: &Call, commit: &str) -> Answer {
        assert_eq!(call.query, [("per_page".to_owned(), "100".to_owned())]);
        assert_eq!(commit.len(), 40, "{commit}");
        let related = |Related { number, commit, base, merged }: &Related| {
            json!({
                "number": number, "state": "closed", "merged_at": merged,
                "merge_commit_sha": commit, "user": { "login": "eva" },
                "html_url": format!("https://github.com/etaten/tilgang/pull/{number}"),
                "base": { "ref": base, "repo": { "full_name": "Etaten/tilgang" } },
            })
        };
        (200, vec![], self.past.related.iter().map(related).collect())
    }

    fn reviews(&self) -> Value {
        let review = |(who, state, at): &(&str, &str, &str)| json!({ "user": { "login": who }, "state": state, "submitted_at": at });
        self.past.verdicts.iter().map(review).collect()
    }

    fn list(&self, call: &Call) -> Answer {
        let [(first, size), (second, number)] = call.query.as_slice() else {
            panic!("{:?}", call.query)
        };
        assert_eq!((first.as_str(), second.as_str()), ("per_page", "page"));
        assert_eq!(size, "100");
        let number: usize = number.parse().unwrap();
        let (comments, has_next) = page(&self.comments, number, 100);
        // The address is foreign and must not be followed.
        let next = format!("<https://evil.example/?page={}>; rel=\"next\"", number + 1);
        let first = "<https://evil.example/?page=1>; rel=\"first\"";
        let link = match has_next {
            true => vec![("link", format!("{next}, {first}"))],
            false => vec![("link", first.to_owned())],
        };
        (200, link, comments.iter().map(|comment| self.comment(comment)).collect())
    }
}

/// The text of a body that has no other field.
fn text(body: &Value) -> String {
    let text = body["body"].as_str().unwrap().to_owned();
    assert_eq!(*body, json!({ "body": text }));
    assert!(text.encode_utf16().count() <= 65_536);
    text
}

impl Api for GitHub {
    fn forge(&self) -> Forge {
        Forge::GitHub
    }

    fn environment(&self, address: &str) -> Vec<(&'static str, String)> {
        vec![
            ("GITHUB_API_URL", address.to_owned()),
            ("GITHUB_REPOSITORY", "etaten/tilgang".to_owned()),
            ("GITHUB_REF", "refs/pull/7/merge".to_owned()),
            ("GITHUB_TOKEN", TOKEN.to_owned()),
        ]
    }

    fn answer(&mut self, call: &Call) -> Answer {
        assert_eq!(call.headers["authorization"], format!("Bearer {TOKEN}"));
        assert_eq!(call.headers["accept"], "application/vnd.github+json");
        assert_eq!(call.headers["x-github-api-version"], "2022-11-28");
        if call.path == "/graphql" {
            assert_eq!(call.method, Method::POST);
            assert_eq!(call.body, json!({ "query": "query { viewer { login } }" }));
            let login = Self::user(CommentAuthor::Us)["login"].clone();
            return (200, vec![], json!({ "data": { "viewer": { "login": login } } }));
        }
        let path = call.path.strip_prefix("/repos/etaten/tilgang/").unwrap();
        if let Some(commit) = path.strip_prefix("commits/") {
            return self.related(call, commit.strip_suffix("/pulls").unwrap());
        }
        if path == "pulls/7/reviews" {
            return (200, vec![], self.reviews());
        }
        if path == "issues/7/timeline" {
            let committed = json!({ "event": "committed", "sha": "x" });
            let queued = self
                .past
                .queued
                .map(|at| json!({ "event": "added_to_merge_queue", "created_at": at }));
            return (200, vec![], std::iter::once(committed).chain(queued).collect());
        }
        let path = path.strip_prefix("issues/").unwrap();
        match (call.method.as_str(), path) {
            ("GET", "7/comments") => self.list(call),
            ("POST", "7/comments") => {
                assert!(call.query.is_empty());
                self.add(CommentAuthor::Us, &text(&call.body));
                (201, vec![], self.comment(self.comments.last().unwrap()))
            }
            ("PATCH", path) => {
                assert!(call.query.is_empty());
                let id: u64 = path.strip_prefix("comments/").unwrap().parse().unwrap();
                let Some(comment) = self.comments.iter_mut().find(|comment| comment.0 == id) else {
                    return (404, vec![], json!({ "message": "Not Found", "status": "404" }));
                };
                comment.2 = text(&call.body);
                let comment = comment.clone();
                (200, vec![], self.comment(&comment))
            }
            other => panic!("{other:?}"),
        }
    }

    fn add(&mut self, who: CommentAuthor, text: &str) {
        self.comments.push((self.next_id, who, text.to_owned()));
        self.next_id += 1;
    }

    fn forge_text(&mut self, change: &dyn Fn(&str) -> String) {
        let ours = self.comments.iter_mut().filter(|(_, who, _)| *who == CommentAuthor::Us);
        ours.for_each(|(_, _, text)| *text = change(text));
    }

    fn end(&mut self, past: Past) {
        self.past = past;
    }

    fn comments(&self) -> Vec<(CommentAuthor, String)> {
        self.comments.iter().map(|(_, who, text)| (*who, text.clone())).collect()
    }
}

#[tokio::test]
async fn the_calls_are_the_documented_ones() {
    let server = Server::start(GitHub::new()).await;
    let posted = server.post("a").await.unwrap();
    let url = posted.url.unwrap();
    assert_eq!(url.as_str(), "https://github.com/etaten/tilgang/pull/7#issuecomment-11");
    let list = "GET /repos/etaten/tilgang/issues/7/comments";
    let post = "POST /repos/etaten/tilgang/issues/7/comments";
    assert_eq!(server.calls(), ["POST /graphql", list, post]);
    server.posts("b", CommentChange::Updated).await;
    let patch = "PATCH /repos/etaten/tilgang/issues/comments/11";
    assert_eq!(server.calls(), ["POST /graphql", list, patch]);
    assert_eq!(server.comments(), [(CommentAuthor::Us, format!("{MARKER}\nb"))]);
}

#[tokio::test]
async fn a_token_without_a_user_posts_nothing() {
    use super::server::Fault;
    let server = Server::start(GitHub::new()).await;
    let message = r#"{"errors": [{"message": "Resource not accessible"}]}"#;
    server.fail(Method::POST, &[Fault::Refuse(200, vec![], message)]);
    let error = server.post("a").await.unwrap_err();
    assert_eq!(error.kind(), ForgeErrorKind::Malformed);
    assert!(error.to_string().contains("Resource not accessible"), "{error}");
    assert!(server.comments().is_empty());
}

#[test]
fn the_event_names_the_pull_request_before_the_ref() {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(br#"{"action": "synchronize", "number": 31, "pull_request": {"number": 31}}"#)
        .unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let mut environment = GitHub::new().environment("https://api.github.com");
    environment.push(("GITHUB_EVENT_PATH", path));
    assert_eq!(read(Forge::GitHub, &environment).unwrap().number(), 31);
    // For an event about something else, the ref is used.
    std::fs::write(file.path(), r#"{"issue": {"number": 5}}"#).unwrap();
    assert_eq!(read(Forge::GitHub, &environment).unwrap().number(), 7);
    environment.retain(|(name, _)| *name != "GITHUB_REF");
    environment.push(("GITHUB_REF", "refs/heads/main".to_owned()));
    let error = read(Forge::GitHub, &environment).unwrap_err();
    assert_eq!(error.kind(), ForgeErrorKind::NoPullRequest);
    assert!(error.help().contains("pull_request"), "{}", error.help());
}

#[test]
fn a_repository_is_an_owner_and_a_name() {
    for name in ["etaten", "etaten/", "/tilgang", "etaten/../x", "etaten/.."] {
        let mut environment = GitHub::new().environment("https://api.github.com");
        environment.retain(|(name, _)| *name != "GITHUB_REPOSITORY");
        environment.push(("GITHUB_REPOSITORY", name.to_owned()));
        let error = read(Forge::GitHub, &environment).unwrap_err();
        assert_eq!(error.kind(), ForgeErrorKind::Environment, "{name}");
        assert!(error.to_string().contains("GITHUB_REPOSITORY"), "{error}");
    }
}

//! Azure DevOps' pull request threads, as learn.microsoft.com describes them.

use portvakt::forge::{CommentChange, Forge, ForgeErrorKind};
use serde_json::{Value, json};

use super::server::{Answer, Api, Call, CommentAuthor, MARKER, Past, Related, Server, TOKEN, read};

const REPOSITORY: &str = "5febef5a-833d-4e14-b9c0-14cb638f91e6";
const THREADS: &str = "/etaten/Tilgang%20til%20data/_apis/git/repositories/\
                       5febef5a-833d-4e14-b9c0-14cb638f91e6/pullRequests/7/threads";

pub(super) struct AzureDevOps {
    threads: Vec<(u64, CommentAuthor, String)>,
    past: Past,
}

impl AzureDevOps {
    pub(super) fn new() -> Self {
        Self { threads: Vec::new(), past: Past::default() }
    }

    fn identity(who: CommentAuthor) -> Value {
        let id = match who {
            CommentAuthor::Us => "d6245f20-2af8-44f4-9451-8107cb2767db",
            CommentAuthor::Stranger => "00000000-2af8-44f4-9451-8107cb2767db",
            CommentAuthor::OtherBot => "11111111-2af8-44f4-9451-8107cb2767db",
        };
        json!({ "id": id, "displayName": "Tilgang Build Service (etaten)", "descriptor": "svc.x" })
    }

    fn comment(who: CommentAuthor, text: &str, kind: &str) -> Value {
        json!({
            "id": 1, "parentCommentId": 0, "author": Self::identity(who), "content": text,
            "commentType": kind, "usersLiked": [],
        })
    }

    fn thread(&self, (id, who, text): &(u64, CommentAuthor, String)) -> Value {
        let mut comments = [Self::comment(*who, text, "text")];
        if !self.past.changed.is_empty() {
            comments[0]["publishedDate"] = json!("2026-11-01T10:00:00.123Z");
            comments[0]["lastContentUpdatedDate"] = json!(self.past.changed);
        }
        json!({ "id": id, "status": "closed", "comments": comments, "isDeleted": false })
    }

    fn related(&self, query: &Value) -> Value {
        let commit = query["queries"][0]["items"][0].as_str().unwrap();
        let expected = json!({ "queries": [{ "type": "lastMergeCommit", "items": [commit] }] });
        assert_eq!(*query, expected);
        let of_commit = self.past.related.iter().filter(|related| related.commit == commit);
        let related = of_commit.map(|Related { number, commit: _, base, merged }| {
            json!({
                "pullRequestId": number, "targetRefName": format!("refs/heads/{base}"),
                "status": if merged.is_some() { "completed" } else { "abandoned" },
                "closedDate": merged, "createdBy": { "id": "x", "uniqueName": "eva" },
            })
        });
        json!({ "results": [{ commit: related.collect::<Vec<_>>() }] })
    }

    /// All threads at once, including some that are not our comments.
    fn list(&self) -> Value {
        let marked = format!("{MARKER}\nold");
        let system = Self::comment(CommentAuthor::Us, &marked, "system");
        let mut deleted = Self::comment(CommentAuthor::Us, "", "text");
        deleted["isDeleted"] = json!(true);
        deleted.as_object_mut().unwrap().remove("content");
        let mut reply = Self::comment(CommentAuthor::Us, &marked, "text");
        reply["parentCommentId"] = json!(1);
        reply["id"] = json!(2);
        let first = Self::comment(CommentAuthor::Stranger, "hei", "text");
        let mut threads = vec![
            json!({ "id": 1, "comments": [system], "isDeleted": false }),
            json!({ "id": 2, "comments": [deleted], "isDeleted": true }),
            json!({ "id": 3, "comments": [first, reply], "isDeleted": false, "status": "active" }),
        ];
        threads.extend(self.threads.iter().map(|thread| self.thread(thread)));
        threads.extend(self.past.verdicts.iter().map(|(who, vote, at)| {
            json!({
                "id": 9, "publishedDate": at, "isDeleted": false,
                "comments": [Self::comment(CommentAuthor::Us, "voted", "system")],
                "identities": { "1": { "id": who } },
                "properties": {
                    "CodeReviewThreadType": { "$value": "VoteUpdate" },
                    "CodeReviewVoteResult": { "$value": vote },
                    "CodeReviewVotedByIdentity": { "$value": "1" },
                },
            })
        }));
        json!({ "count": threads.len(), "value": threads })
    }
}

impl Api for AzureDevOps {
    fn forge(&self) -> Forge {
        Forge::AzureDevOps
    }

    fn environment(&self, address: &str) -> Vec<(&'static str, String)> {
        vec![
            ("SYSTEM_COLLECTIONURI", format!("{address}/etaten/")),
            ("SYSTEM_TEAMPROJECT", "Tilgang til data".to_owned()),
            ("BUILD_REPOSITORY_ID", REPOSITORY.to_owned()),
            ("BUILD_REPOSITORY_NAME", "tilgang".to_owned()),
            ("BUILD_REPOSITORY_PROVIDER", "TfsGit".to_owned()),
            ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7".to_owned()),
            ("SYSTEM_ACCESSTOKEN", TOKEN.to_owned()),
        ]
    }

    fn answer(&mut self, call: &Call) -> Answer {
        assert_eq!(call.headers["authorization"], format!("Bearer {TOKEN}"));
        let [(name, version)] = call.query.as_slice() else { panic!("{:?}", call.query) };
        assert_eq!(name, "api-version");
        if call.path == "/etaten/_apis/connectionData" {
            assert_eq!((call.method.as_str(), version.as_str()), ("GET", "7.1-preview"));
            return (
                200,
                vec![],
                json!({ "authenticatedUser": Self::identity(CommentAuthor::Us) }),
            );
        }
        assert_eq!(version, "7.1");
        let git = THREADS.strip_suffix("/pullRequests/7/threads").unwrap();
        if call.path == format!("{git}/pullrequestquery") {
            return (200, vec![], self.related(&call.body));
        }
        if call.path == format!("{git}/pullRequests/7/reviewers") {
            let reviewer = |(who, vote, _): &(&str, &str, &str)| json!({ "id": who, "vote": vote.parse::<i64>().unwrap(), "displayName": "kari" });
            let all: Vec<_> = self.past.verdicts.iter().map(reviewer).collect();
            return (200, vec![], json!({ "count": all.len(), "value": all }));
        }
        let path = call.path.strip_prefix(THREADS).unwrap();
        match (call.method.as_str(), path) {
            ("GET", "") => (200, vec![], self.list()),
            ("POST", "") => {
                let text = call.body["comments"][0]["content"].as_str().unwrap();
                let comment =
                    json!({ "parentCommentId": 0, "content": text, "commentType": "text" });
                assert_eq!(call.body, json!({ "comments": [comment], "status": "closed" }));
                self.add(CommentAuthor::Us, text);
                (200, vec![], self.thread(self.threads.last().unwrap()))
            }
            ("PATCH", path) => {
                let id = path.strip_prefix('/').unwrap().strip_suffix("/comments/1").unwrap();
                let id: u64 = id.parse().unwrap();
                let text = call.body["content"].as_str().unwrap();
                assert_eq!(call.body, json!({ "content": text }));
                let Some(thread) = self.threads.iter_mut().find(|thread| thread.0 == id) else {
                    return (404, vec![], json!({ "message": "TF401180", "errorCode": 0 }));
                };
                thread.2 = text.to_owned();
                (200, vec![], Self::comment(CommentAuthor::Us, text, "text"))
            }
            other => panic!("{other:?}"),
        }
    }

    fn add(&mut self, who: CommentAuthor, text: &str) {
        let id = 100 + self.threads.len() as u64;
        self.threads.push((id, who, text.to_owned()));
    }

    fn forge_text(&mut self, change: &dyn Fn(&str) -> String) {
        let ours = self.threads.iter_mut().filter(|(_, who, _)| *who == CommentAuthor::Us);
        ours.for_each(|(_, _, text)| *text = change(text));
    }

    fn end(&mut self, past: Past) {
        self.past = past;
    }

    fn comments(&self) -> Vec<(CommentAuthor, String)> {
        self.threads.iter().map(|(_, who, text)| (*who, text.clone())).collect()
    }
}

#[tokio::test]
async fn the_calls_are_the_documented_ones() {
    let server = Server::start(AzureDevOps::new()).await;
    let url = server.post("a").await.unwrap().url.unwrap();
    let page = "/etaten/Tilgang%20til%20data/_git/tilgang/pullrequest/7?discussionId=100";
    assert!(url.as_str().ends_with(page), "{url}");
    let me = "GET /etaten/_apis/connectionData".to_owned();
    let list = format!("GET {THREADS}");
    assert_eq!(server.calls(), [me.clone(), list.clone(), format!("POST {THREADS}")]);
    server.posts("b", CommentChange::Updated).await;
    assert_eq!(server.calls(), [me, list, format!("PATCH {THREADS}/100/comments/1")]);
    assert_eq!(server.comments(), [(CommentAuthor::Us, format!("{MARKER}\nb"))]);
}

#[tokio::test]
async fn the_page_to_sign_in_on_is_reported_as_a_bad_token() {
    use super::server::Fault;
    let server = Server::start(AzureDevOps::new()).await;
    server.fail(axum::http::Method::GET, &[Fault::Refuse(203, vec![], "<html>")]);
    let error = server.post("a").await.unwrap_err();
    assert_eq!(error.kind(), ForgeErrorKind::Auth);
    assert!(error.help().contains("$(System.AccessToken)"), "{}", error.help());
}

#[test]
fn a_variable_that_azure_does_not_know_is_not_set() {
    let change = |name: &'static str, value: &str| {
        let mut environment = AzureDevOps::new().environment("https://dev.azure.com");
        environment.retain(|(set, _)| *set != name);
        environment.push((name, value.to_owned()));
        read(Forge::AzureDevOps, &environment).unwrap_err()
    };
    let error = change("SYSTEM_ACCESSTOKEN", "$(System.AccessToken)");
    assert_eq!(error.to_string(), "SYSTEM_ACCESSTOKEN is not set");
    let error = change("SYSTEM_PULLREQUEST_PULLREQUESTID", "$(System.PullRequest.PullRequestId)");
    assert_eq!(error.kind(), ForgeErrorKind::NoPullRequest);
    let error = change("BUILD_REPOSITORY_PROVIDER", "GitHub");
    assert!(error.to_string().contains("not in Azure Repos"), "{error}");
    let error = change("SYSTEM_TEAMPROJECT", "..");
    assert!(error.to_string().contains("SYSTEM_TEAMPROJECT"), "{error}");
}

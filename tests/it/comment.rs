//! One comment on a pull request, on each host.

mod azure_devops;
mod command;
mod github;
mod gitlab;
mod reviewed;
mod server;
mod story;

use axum::http::Method;
use portvakt::forge::{self, Comment, CommentChange, Forge, ForgeErrorKind};

use azure_devops::AzureDevOps;
use github::GitHub;
use gitlab::GitLab;
use server::{Api, CommentAuthor, Fault, MARKER, Server, TOKEN, options, read};

async fn servers() -> [Server; 3] {
    [
        Server::start(GitHub::new()).await,
        Server::start(GitLab::new()).await,
        Server::start(AzureDevOps::new()).await,
    ]
}

fn ours(text: &str) -> (CommentAuthor, String) {
    (CommentAuthor::Us, format!("{MARKER}\n{text}"))
}

fn update_of(forge: Forge) -> Method {
    match forge {
        Forge::GitHub | Forge::AzureDevOps => Method::PATCH,
        Forge::GitLab => Method::PUT,
    }
}

/// Makes the next calls that create a comment fail; GitHub is asked for the user by POST first.
fn fail_creation(server: &Server, faults: &[Fault]) {
    if server.forge() == Forge::GitHub {
        let viewer = r#"{"data": {"viewer": {"login": "github-actions[bot]"}}}"#;
        server.fail(Method::POST, &[Fault::Refuse(200, vec![], viewer)]);
    }
    server.fail(Method::POST, faults);
}

fn posts(server: &Server) -> usize {
    server.calls().iter().filter(|c| c.starts_with("POST") && !c.ends_with("graphql")).count()
}

#[tokio::test]
async fn the_first_run_posts_and_those_after_it_update() {
    for server in servers().await {
        server.edit(|api| api.add(CommentAuthor::Stranger, "bra"));
        server.posts("a", CommentChange::Created).await;
        server.edit(|api| api.add(CommentAuthor::Stranger, "takk"));
        server.posts("b «æøå» 🙂", CommentChange::Updated).await;
        server.posts("c", CommentChange::Updated).await;
        let strangers = |text: &str| (CommentAuthor::Stranger, text.to_owned());
        assert_eq!(server.comments(), [strangers("bra"), ours("c"), strangers("takk")]);
        assert_eq!(posts(&server), 1);
    }
}

#[tokio::test]
async fn each_marker_has_a_comment_of_its_own() {
    for server in servers().await {
        let pull_request = read(server.forge(), &server.environment()).unwrap();
        for (environment, change) in [
            ("test", CommentChange::Created),
            ("test2", CommentChange::Created),
            ("test", CommentChange::Kept),
        ] {
            let marker = format!("<!-- portvakt plan {environment} -->");
            // The body may already have the marker.
            let comment = Comment { body: format!("{marker}\nx"), marker };
            let posted = forge::post(&pull_request, &comment, &options()).await.unwrap();
            assert_eq!(posted.change, change, "{environment}");
        }
        assert_eq!(server.comments().len(), 2);
        assert!(server.comments().iter().all(|(_, text)| text.matches("<!--").count() == 1));
    }
}

#[tokio::test]
async fn ours_is_found_behind_many_others() {
    for server in servers().await {
        server.edit(|api| {
            for number in 0..250 {
                api.add(CommentAuthor::Stranger, &format!("nr. {number}"));
            }
        });
        server.posts("a", CommentChange::Created).await;
        server.edit(|api| (0..100).for_each(|_| api.add(CommentAuthor::Stranger, "mer")));
        server.posts("b", CommentChange::Updated).await;
        assert_eq!(server.comments()[250], ours("b"));
        assert_eq!(server.comments().len(), 351);
    }
}

#[tokio::test]
async fn more_comments_than_anybody_reads_get_no_further_one() {
    let [github, gitlab, _] = servers().await;
    for server in [github, gitlab] {
        server.edit(|api| (0..10_001).for_each(|_| api.add(CommentAuthor::Stranger, "x")));
        let error = server.post("a").await.unwrap_err();
        assert_eq!(error.kind(), ForgeErrorKind::Refused);
        assert_eq!(server.comments().len(), 10_001);
    }
}

#[tokio::test]
async fn a_marker_by_somebody_else_is_left_alone() {
    for server in servers().await {
        let marked = format!("{MARKER}\nall is well");
        server.edit(|api| {
            api.add(CommentAuthor::Stranger, &marked);
            api.add(CommentAuthor::OtherBot, &marked);
            api.add(CommentAuthor::Us, &format!("see {MARKER}"));
        });
        server.posts("a", CommentChange::Created).await;
        server.posts("b", CommentChange::Updated).await;
        let expected = [
            (CommentAuthor::Stranger, marked.clone()),
            (CommentAuthor::OtherBot, marked),
            (CommentAuthor::Us, format!("see {MARKER}")),
            ours("b"),
        ];
        assert_eq!(server.comments(), expected);
    }
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_comment() {
    for fault in [Fault::Cut, Fault::Mask(502), Fault::Mask(200), Fault::Mask(500)] {
        for server in servers().await {
            fail_creation(&server, std::slice::from_ref(&fault));
            server.posts("a\n", CommentChange::Created).await;
            assert_eq!(server.comments().len(), 1, "{fault:?}");
            assert_eq!(posts(&server), 1, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_post_that_did_nothing_is_sent_again() {
    let busy = Fault::Refuse(503, vec![("retry-after", "0")], "{}");
    for server in servers().await {
        fail_creation(&server, &[Fault::Lose, busy.clone()]);
        server.posts("a", CommentChange::Created).await;
        assert_eq!(server.comments(), [ours("a")]);
        assert_eq!(posts(&server), 3);
    }
}

#[tokio::test]
async fn a_post_is_not_sent_for_ever() {
    for server in servers().await {
        fail_creation(&server, &vec![Fault::Refuse(500, vec![], "{}"); 20]);
        let error = server.post("a").await.unwrap_err();
        assert_eq!(error.kind(), ForgeErrorKind::Server);
        assert_eq!(posts(&server), 4);
        assert!(server.comments().is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_to_the_last_is_still_looked_for() {
    for server in servers().await {
        let refused = Fault::Refuse(500, vec![], "{}");
        fail_creation(&server, &[refused.clone(), refused.clone(), refused, Fault::Mask(504)]);
        server.posts("a", CommentChange::Created).await;
        assert_eq!(server.comments(), [ours("a")]);
    }
}

#[tokio::test]
async fn reading_and_updating_go_on_after_passing_faults() {
    for server in servers().await {
        server.posts("a", CommentChange::Created).await;
        let busy = Fault::Refuse(429, vec![("retry-after", "0")], "{}");
        server.fail(Method::GET, &[busy.clone(), Fault::Lose, Fault::Mask(502)]);
        server.fail(update_of(server.forge()), &[busy, Fault::Cut, Fault::Mask(500)]);
        server.posts("b", CommentChange::Updated).await;
        assert_eq!(server.comments(), [ours("b")]);
    }
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_reported() {
    let throttled = [
        Fault::Refuse(429, vec![("retry-after", "3600")], "{}"),
        // GitHub's form of the same refusal.
        Fault::Refuse(
            403,
            vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9999999999")],
            "{}",
        ),
    ];
    for fault in throttled {
        for server in servers().await {
            server.fail(Method::GET, std::slice::from_ref(&fault));
            let error = server.post("a").await.unwrap_err();
            assert_eq!(error.kind(), ForgeErrorKind::Throttled);
            assert!(error.to_string().contains("more than the 60 s"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_comment_that_was_deleted_in_between_is_made_again() {
    for server in servers().await {
        server.posts("a", CommentChange::Created).await;
        server.fail(update_of(server.forge()), &[Fault::Refuse(404, vec![], "{}")]);
        server.posts("b", CommentChange::Created).await;
        assert_eq!(server.comments(), [ours("a"), ours("b")]);
    }
}

#[tokio::test]
async fn a_refusal_shows_which_permission_is_missing() {
    let message =
        r#"{"message": "Resource not accessible with hemmelig-3f1c \u001b[2J\n::error::x"}"#;
    for server in servers().await {
        fail_creation(&server, &[Fault::Refuse(403, vec![], message)]);
        let error = server.post("a").await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ForgeErrorKind::Forbidden, Some(403)));
        let permission = match server.forge() {
            Forge::GitHub => "pull-requests: write",
            Forge::GitLab => "scope `api`",
            Forge::AzureDevOps => "'Contribute to pull requests'",
        };
        assert!(error.help().contains(permission), "{}", error.help());
        let shown = error.to_string();
        assert!(shown.contains("Resource not accessible with (a secret)"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\n']), "{shown:?}");
        assert_eq!(posts(&server), 1);
    }
}

#[tokio::test]
async fn other_refusals_say_what_to_do() {
    for (status, kind) in [
        (401, ForgeErrorKind::Auth),
        (404, ForgeErrorKind::NotFound),
        (422, ForgeErrorKind::Invalid),
        (418, ForgeErrorKind::Refused),
    ] {
        for server in servers().await {
            server.fail(Method::GET, &[Fault::Refuse(status, vec![], r#"{"message": "nei"}"#)]);
            let error = server.post("a").await.unwrap_err();
            assert_eq!((error.kind(), error.status()), (kind, Some(status)));
            assert!(error.to_string().contains(": nei ("), "{error}");
            assert!(!error.help().is_empty());
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 307, 308] {
        for server in servers().await {
            let elsewhere = Server::start(GitHub::new()).await;
            let address = elsewhere.environment()[0].1.clone();
            let to = vec![("location", &*address.leak())];
            server.fail(Method::GET, &[Fault::Refuse(status, to, "")]);
            let error = server.post("a").await.unwrap_err();
            assert_eq!(error.kind(), ForgeErrorKind::Malformed);
            assert!(error.to_string().contains("redirects"), "{error}");
            assert_eq!(elsewhere.calls(), [""; 0]);
        }
    }
}

#[tokio::test]
async fn an_answer_has_an_end() {
    let endless: &'static str = "[".repeat(9 * 1024 * 1024).leak();
    for server in servers().await {
        server.fail(Method::GET, &[Fault::Refuse(200, vec![], endless)]);
        let error = server.post("a").await.unwrap_err();
        assert_eq!(error.kind(), ForgeErrorKind::Malformed);
        assert!(error.to_string().contains("8 MiB"), "{error}");
    }
}

#[tokio::test]
async fn a_comment_that_no_host_takes_is_not_sent() {
    for server in servers().await {
        let pull_request = read(server.forge(), &server.environment()).unwrap();
        let limit = server.forge().limit();
        let room = limit - MARKER.len() - 1;
        server.posts(&"🙂".repeat(room / 2), CommentChange::Created).await;
        server.calls();
        let error = server.post(&"x".repeat(room + 1)).await.unwrap_err();
        assert_eq!(error.kind(), ForgeErrorKind::Comment);
        assert!(error.to_string().contains(&format!("takes {limit}")), "{error}");
        for marker in ["", "portvakt", "<!---->", "<!-- a --> b -->", "<!-- a\n -->"] {
            let comment = Comment { marker: marker.to_owned(), body: "x".to_owned() };
            let error = forge::post(&pull_request, &comment, &options()).await.unwrap_err();
            assert_eq!(error.kind(), ForgeErrorKind::Comment, "{marker}");
        }
        assert_eq!(server.calls(), [""; 0]);
    }
}

/// The APIs, and the variables that each can do without.
fn apis() -> [(Box<dyn Api>, &'static [&'static str]); 3] {
    [
        (Box::new(GitHub::new()), &["GITHUB_API_URL"]),
        (
            Box::new(GitLab::new()),
            &[
                "CI_PROJECT_ID",
                "CI_MERGE_REQUEST_PROJECT_ID",
                "CI_MERGE_REQUEST_PROJECT_URL",
                "CI_JOB_TOKEN",
            ],
        ),
        (Box::new(AzureDevOps::new()), &["BUILD_REPOSITORY_NAME", "BUILD_REPOSITORY_PROVIDER"]),
    ]
}

#[test]
fn what_is_missing_is_reported_by_name() {
    for (api, optional) in apis() {
        let whole = api.environment("https://host.example");
        let pull_request = read(api.forge(), &whole).unwrap();
        assert_eq!((pull_request.forge(), pull_request.number()), (api.forge(), 7));
        assert!(!format!("{pull_request:?}").contains(TOKEN));
        for (missing, _) in &whole {
            for empty in [true, false] {
                let mut rest = whole.clone();
                match empty {
                    true => rest
                        .iter_mut()
                        .filter(|(name, _)| name == missing)
                        .for_each(|v| v.1.clear()),
                    false => rest.retain(|(name, _)| name != missing),
                }
                match read(api.forge(), &rest) {
                    Ok(_) => assert!(optional.contains(missing), "{missing}"),
                    Err(error) => {
                        assert!(!optional.contains(missing), "{missing}: {error}");
                        assert!(error.to_string().contains(missing), "{missing}: {error}");
                        assert!(!error.advised().contains(TOKEN));
                    }
                }
            }
        }
    }
}

#[test]
fn a_token_goes_to_no_unencrypted_or_curious_place() {
    for (api, _) in apis() {
        for address in [
            "http://host.example",
            "ftp://host.example",
            "https://kari:passord@host.example",
            "https://host.example?x=1",
            "host.example",
        ] {
            let environment = api.environment(address);
            let error = read(api.forge(), &environment).unwrap_err();
            assert_eq!(error.kind(), ForgeErrorKind::Environment, "{address}");
            let (variable, _) = environment[0];
            assert!(error.to_string().starts_with(variable), "{error}");
            assert!(!error.to_string().contains("passord"), "{error}");
        }
    }
}

#[test]
fn a_token_that_is_none_is_not_shown() {
    for (api, _) in apis() {
        let mut environment = api.environment("https://host.example");
        for (_, value) in environment.iter_mut().filter(|(_, value)| value == TOKEN) {
            *value = format!("{TOKEN}\r\nX-Evil: 1");
        }
        let error = read(api.forge(), &environment).unwrap_err();
        assert!(error.to_string().contains("TOKEN holds more than a token"), "{error}");
        assert!(!format!("{error:?}").contains(TOKEN));
        // A line feed at the end is ignored.
        let mut environment = api.environment("https://host.example");
        environment.iter_mut().filter(|(_, value)| value == TOKEN).for_each(|v| v.1.push('\n'));
        read(api.forge(), &environment).unwrap();
    }
}

//! Calls that are repeated, and calls that are not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use digdir::{Error, ErrorKind, Reach, Writer};
use domain::{AccessState, ScopeAttributes};
use sandbox::Switches;

use super::{World, options, representation};
use crate::support::{NAV, SKATT, orgno, scope, two_organizations};

/// A scope to work on, with one access.
async fn world() -> World {
    let mut state = two_organizations();
    state.put_scope(orgno(NAV), scope("etat:a"), true, &ScopeAttributes::default());
    state.put_access(scope("etat:a"), orgno(SKATT), AccessState::Approved);
    World::with(state).await
}

const PASSING: [&str; 5] = ["429:0", "500", "503", "502", "cut-before"];

#[tokio::test]
async fn what_may_be_repeated_is() {
    for fault in PASSING.into_iter().chain(["cut-after", "503-after"]) {
        let world = world().await;
        let writer = world.writer().await;
        let name = scope("etat:a");
        for method in ["GET", "PUT"] {
            world.inject(&format!("{method} /scopes/access 0 1 {fault}"));
        }
        world.inject(&format!("PUT /scopes?scope 0 1 {fault}"));
        writer.grant(&name, orgno(SKATT)).await.unwrap();
        // A write of a whole scope is not: somebody may have changed it in between.
        assert!(writer.update_scope(&name, &representation("etat:a")).await.is_err(), "{fault}");
        let accesses = writer.reader().accesses(&name, false).await.unwrap();
        assert_eq!(accesses.len(), 1, "{fault}");
        assert_eq!(world.count("PUT", SKATT), 2, "{fault}");
        assert_eq!(world.count("PUT", "/scopes"), 1, "{fault}");
        assert_eq!(world.count("GET", "/scopes/access"), 2, "{fault}");
    }
}

#[tokio::test]
async fn nothing_is_written_or_written_again_once_the_gate_is_shut() {
    // The fault, and whether the write may have been carried out.
    for (fault, unclear) in [
        ("429:0", false),
        ("503", true),
        ("503-after", true),
        ("cut-after", true),
        ("expire-tokens", false),
    ] {
        let world = world().await;
        let asked = AtomicUsize::new(0);
        // Closed after the first write.
        let writer =
            world.writer().await.gated(move || match asked.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(()),
                _ => Err("the gate is shut"),
            });
        let name = scope("etat:a");
        world.inject(&format!("PUT /scopes/access 0 1 {fault}"));
        let error = writer.grant(&name, orgno(SKATT)).await.unwrap_err();
        let kind = if unclear { ErrorKind::AnswerLost } else { ErrorKind::Stopped };
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        assert!(error.to_string().contains("the gate is shut"), "{error}");
        assert_eq!(world.count("PUT", SKATT), 1, "{fault}");
        let error = writer.deactivate_scope(&name).await.unwrap_err();
        assert_eq!((error.kind(), world.count("DELETE", "/scopes")), (ErrorKind::Stopped, 0));
        writer.reader().accesses(&name, false).await.unwrap();
    }
}

/// The second DELETE may find nothing to do; it must be sent, and the final state must be right.
#[tokio::test]
async fn a_delete_is_repeated() {
    for fault in PASSING.into_iter().chain(["cut-after", "503-after"]) {
        let world = world().await;
        let writer = world.writer().await;
        let name = scope("etat:a");
        world.inject(&format!("DELETE /scopes/access 0 1 {fault}"));
        settled(writer.revoke(&name, orgno(SKATT)).await, fault);
        world.inject(&format!("DELETE /scopes? 0 1 {fault}"));
        settled(writer.deactivate_scope(&name).await, fault);
        assert_eq!(world.count("DELETE", SKATT), 2, "{fault}");
        assert_eq!(world.count("DELETE", "/scopes"), 2, "{fault}");
        let state = world.sandbox.state();
        assert!(!state.scopes[&name].active, "{fault}");
        assert_eq!(state.accesses[&name][&orgno(SKATT)].state, AccessState::Denied, "{fault}");
    }
}

fn settled(result: Result<(), Error>, fault: &str) {
    match result {
        Ok(()) => {}
        Err(error) => {
            assert!(fault.contains("after"), "{fault}: {error}");
            let kinds = [ErrorKind::Conflict, ErrorKind::NotFound];
            assert!(kinds.contains(&error.kind()), "{fault}: {error}");
        }
    }
}

async fn create(writer: &Writer) -> Result<(), ErrorKind> {
    let result = writer.create_scope(&representation("etat:ny")).await;
    result.map_err(|error| error.kind())
}

#[tokio::test]
async fn a_post_whose_answer_is_lost_is_never_repeated() {
    for (fault, made) in [
        ("cut-before", false),
        ("cut-after", true),
        ("500", false),
        ("502", false),
        ("503", false),
        ("503:0", false),
        ("503-after", true),
        ("html", false),
    ] {
        let world = world().await;
        let writer = world.writer().await;
        world.inject(&format!("POST /scopes 0 1 {fault}"));
        assert_eq!(create(&writer).await, Err(ErrorKind::AnswerLost), "{fault}");
        assert_eq!(world.count("POST", "/scopes"), 1, "{fault}");
        let there = writer.reader().scope(&scope("etat:ny")).await.unwrap();
        assert_eq!(there.is_some(), made, "{fault}");
    }
}

#[tokio::test]
async fn a_post_that_was_put_off_is_left_to_whoever_sent_it() {
    let world = world().await;
    let writer = world.writer().await;
    world.inject("POST /scopes 0 1 429:0");
    assert_eq!(create(&writer).await, Err(ErrorKind::Throttled));
    assert_eq!(world.count("POST", "/scopes"), 1);
    assert_eq!(create(&writer).await, Ok(()));
    assert_eq!(create(&writer).await, Err(ErrorKind::Conflict));
    world.check();
}

#[tokio::test]
async fn retry_after_is_waited_out() {
    let world = world().await;
    let reader = world.reader().await;
    for status in [429, 503] {
        world.inject(&format!("GET /scopes 0 1 {status}:1"));
        let started = Instant::now();
        reader.scopes().await.unwrap();
        assert!(started.elapsed() >= Duration::from_secs(1), "{status}");
    }
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_reported_at_once() {
    let world = world().await;
    let reader = world.reader().await;
    world.inject("GET /scopes 0 1 429:3600");
    let error = reader.scopes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(error.to_string().contains("wait 3600 s"), "{error}");
    assert_eq!(world.count("GET", "/scopes"), 1);
}

#[tokio::test]
async fn enough_tries_are_enough() {
    let world = world().await;
    let reader = world.reader().await;
    world.inject("GET /scopes 0 99 500");
    let error = reader.scopes().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(500)));
    assert_eq!(world.count("GET", "/scopes"), 5);
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_connection_error() {
    let world = world().await;
    let reader = world.reader().await;
    drop(world);
    assert_eq!(reader.scopes().await.unwrap_err().kind(), ErrorKind::Connection);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let world = world().await;
    let options = || digdir::Options { timeout: Duration::from_millis(150), ..options() };
    let credentials = super::credentials();
    let writer =
        Writer::connect(world.target(), credentials, options(), Reach::Scopes).await.unwrap();
    world.sandbox.set_switches(Switches { latency: 400, ..Switches::default() });
    assert_eq!(create(&writer).await, Err(ErrorKind::AnswerLost));
    let error = writer.reader().scopes().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
}

#[tokio::test]
async fn a_gateways_page_is_never_an_empty_list_nor_a_success() {
    let world = world().await;
    let writer = world.writer().await;
    let reader = writer.reader();
    let name = scope("etat:a");
    world.inject("GET * 0 3 html");
    let errors = [
        reader.scopes().await.unwrap_err(),
        reader.accesses(&name, false).await.unwrap_err(),
        reader.scope(&name).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.status()), (ErrorKind::Malformed, Some(200)), "{error}");
        assert!(error.to_string().contains("text/html"), "{error}");
    }
    world.inject("PUT * 0 1 html");
    let error = writer.grant(&name, orgno(SKATT)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
}

#[tokio::test]
async fn a_refusal_carries_what_support_asks_for() {
    let world = world().await;
    let unknown = orgno("991825827");
    world.sandbox.edit(|state| {
        state.unknown_organizations.insert(unknown);
    });
    let writer = world.writer().await;
    let error = writer.grant(&scope("etat:a"), unknown).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Invalid, Some(400)));
    assert_eq!(error.call(), "PUT /scopes/access/991825827?scope=etat:a");
    assert!(error.correlation_id().is_some_and(|id| error.to_string().contains(id)), "{error}");
    assert!(error.description().is_some());
    assert_eq!(world.count("PUT", "991825827"), 1);
    world.check();
}

//! Faults and latency.

use sandbox::{Fault, FaultRule, Method};
use serde_json::json;

use crate::support::{SKATT, World, scope};

fn rule(method: Method, path: &str, fault: Fault) -> FaultRule {
    FaultRule { method: Some(method), path: Some(path.to_owned()), ..FaultRule::any(1, fault) }
}

#[tokio::test]
async fn a_cut_connection_gives_no_answer_before_or_after_the_change() {
    let world = World::new().await;
    for (fault, made) in [(Fault::CutBefore, false), (Fault::CutAfter, true)] {
        world.sandbox.clear_exchanges();
        world.sandbox.inject(rule(Method::POST, "/scopes", fault));
        let body = json!({ "name": "etat:a", "description": "Les" });
        let outcome = world.call(Method::POST, "/scopes", Some(body)).await;
        assert!(outcome.is_err(), "{outcome:?}");
        let state = world.sandbox.state();
        assert_eq!(state.scopes.contains_key(&scope("etat:a")), made);
        let [exchange] = &world.sandbox.exchanges()[..] else {
            panic!("{:?}", world.sandbox.exchanges());
        };
        assert_eq!((exchange.fault, exchange.status), (Some(fault), None));
    }
    assert_eq!(world.sandbox.waiting_faults(), []);
    assert_eq!(world.get("/scopes").await.0, 200, "the next connection works");
}

#[tokio::test]
async fn a_status_comes_instead_of_the_change_or_after_it() {
    let world = World::new().await;
    world.make("etat:a").await;
    let path = format!("/scopes/access/{SKATT}?scope=etat:a");
    let url = world.url(&format!("/api/v1{path}"));
    let retry_after = Some(7);
    for (status, fault, granted) in [
        (429, Fault::Status { status: 429, retry_after }, false),
        (503, Fault::StatusAfter { status: 503, retry_after }, true),
    ] {
        world.sandbox.inject(rule(Method::PUT, "/scopes/access", fault));
        let request = world.http.put(&url).bearer_auth(&world.token);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["retry-after"], "7");
        let accesses = world.sandbox.state().accesses;
        assert_eq!(accesses.contains_key(&scope("etat:a")), granted);
    }
    world.check();
}

#[tokio::test]
async fn a_gateway_page_is_no_list() {
    let world = World::new().await;
    world.sandbox.inject(FaultRule::any(1, Fault::Html));
    let url = world.url("/api/v1/scopes");
    let answer = world.http.get(url).bearer_auth(&world.token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let content_type = answer.headers()["content-type"].to_str().unwrap();
    assert!(content_type.starts_with("text/html"));
    assert!(answer.text().await.unwrap().contains("<html"));
    world.check();
}

#[tokio::test]
async fn tokens_can_end_in_the_middle() {
    let mut world = World::new().await;
    let old = world.token.clone();
    world.sandbox.inject(rule(Method::GET, "/prefix", Fault::ExpireTokens));
    assert_eq!(world.get("/scopes").await.0, 200);
    assert_eq!(world.get("/prefix").await.0, 401);
    assert_eq!(world.get("/scopes").await.0, 401);
    world.token = world.token_for("nav", "idporten:scopes.read").await;
    assert_ne!(world.token, old);
    assert_eq!(world.get("/prefix").await.0, 200);
    world.check();
}

#[tokio::test]
async fn a_fault_can_strike_the_token_endpoint() {
    let world = World::new().await;
    let status = Fault::Status { status: 503, retry_after: None };
    world.sandbox.inject(rule(Method::POST, "/token", status));
    assert_eq!(world.get("/scopes").await.0, 200);
    assert_eq!(world.grant("anything").await.0, 503);
    assert_eq!(world.grant("anything").await.0, 400);
}

//! Reads that lag behind writes (`read-lag`).

use std::time::{Duration, Instant};

use sandbox::Switches;
use serde_json::json;

use crate::support::{SKATT, World, column, two_organizations};

const LAG: u64 = 1000;

async fn world() -> World {
    World::with(two_organizations(), Switches { read_lag: LAG, ..Switches::default() }).await
}

/// Waits until what was written by then is read.
async fn wait_since(written: Instant) {
    let shown = Duration::from_millis(LAG) + Duration::from_millis(100);
    tokio::time::sleep(shown.saturating_sub(written.elapsed())).await;
}

#[tokio::test]
async fn what_is_written_is_read_after_the_lag_and_not_before() {
    let world = world().await;
    world.make("etat:a").await;
    assert_eq!(world.get("/scopes/scope?scope=etat:a").await.0, 404);
    assert_eq!(world.get("/scopes").await.1, json!([]));
    wait_since(Instant::now()).await;
    assert_eq!(column(&world.get("/scopes").await.1, "name"), ["etat:a"]);
    world.check();
}

#[tokio::test]
async fn writes_see_what_is_there() {
    let world = world().await;
    world.make("etat:a").await;
    let again = world.post("/scopes", json!({ "name": "etat:a", "description": "Les" })).await;
    assert_eq!(again.0, 409);
    assert_eq!(world.grant_access(SKATT, "etat:a").await.1["state"], "APPROVED");
    assert_eq!(world.delete("/scopes?scope=etat:a").await.0, 200);
    assert_eq!(world.sandbox.state().scopes.len(), 1);
}

#[tokio::test]
async fn states_are_read_in_the_order_in_which_they_were_written() {
    let world = world().await;
    world.make("etat:a").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let second = Instant::now();
    world.make("etat:b").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(column(&world.get("/scopes").await.1, "name"), ["etat:a"]);
    wait_since(second).await;
    assert_eq!(column(&world.get("/scopes").await.1, "name"), ["etat:a", "etat:b"]);
}

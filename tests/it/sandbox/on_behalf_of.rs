//! Those on whose behalf a client acts.

use sandbox::Switches;
use serde_json::json;

use super::registry::{check_answers, fields, make, maskinporten, with, world};
use crate::support::{SKATT, column, two_organizations};

#[tokio::test]
async fn registrations_come_and_go() {
    let world = world().await;
    let (id, made) = make(&world, maskinporten(&[])).await;
    assert!(made.get("onbehalfof").is_none());
    let path = format!("/clients/{id}/onbehalfof");
    assert_eq!(world.get(&path).await, (200, json!([])));
    let body = json!({ "onbehalfof": "kommune å/1", "name": "Kommunen", "orgno": SKATT, "x": 1 });
    let (status, posted) = world.post(&path, body.clone()).await;
    assert_eq!((status, &posted["name"]), (200, &json!("Kommunen")));
    assert_eq!((&posted["x"], &posted["orgno"]), (&json!(1), &json!(SKATT)));
    assert!(posted["created"].is_string());
    assert_eq!(world.post(&path, body).await.0, 409);

    let one = format!("{path}/kommune%20%C3%A5%2F1");
    assert_eq!(world.get(&one).await, (200, posted.clone()));
    assert_eq!(world.get(&path).await.1, json!([posted]));
    let (_, client) = world.get(&format!("/clients/{id}")).await;
    assert_eq!(client["onbehalfof"], json!([posted]));
    let (status, _) = world.put(&format!("/clients/{id}"), client).await;
    assert_eq!(status, 200, "what it gives it takes back");

    let (_, put) = world.put(&one, json!({ "name": "Etaten" })).await;
    assert_eq!((&put["name"], put.get("orgno")), (&json!("Etaten"), None));
    assert_eq!(put["created"], posted["created"]);
    assert_eq!(world.delete(&one).await, (200, json!("")));
    assert_eq!(world.delete(&one).await.0, 404);
    assert_eq!(world.get(&one).await.0, 404);
    assert_eq!(world.put(&one, json!({})).await.0, 404);
    world.check();
}

#[tokio::test]
async fn what_is_no_registration_is_refused() {
    let world = world().await;
    let (id, _) = make(&world, maskinporten(&[])).await;
    let path = format!("/clients/{id}/onbehalfof");
    world.post(&path, json!({ "onbehalfof": "a" })).await;
    for (body, field) in [
        (json!({ "onbehalfof": "b", "orgno": "123" }), "orgno"),
        (json!({ "onbehalfof": "b", "name": 7 }), "name"),
    ] {
        let (status, answer) = world.post(&path, body.clone()).await;
        assert_eq!((status, fields(&answer)), (400, vec![field]), "{body}");
    }
    let (status, _) = world.put(&format!("{path}/a"), json!({ "onbehalfof": "b" })).await;
    assert_eq!(status, 400);
    assert_eq!(column(&world.get(&path).await.1, "onbehalfof"), ["a"]);
    let (status, made) = world.post(&path, json!({ "name": "A" })).await;
    assert_eq!((status, made["onbehalfof"].is_string()), (200, true), "an id is assigned");
    check_answers(&world);
}

#[tokio::test]
async fn a_put_can_keep_what_it_leaves_out() {
    let switches = Switches { put_keeps_omitted: true, ..Switches::default() };
    let world = with(two_organizations(), switches).await;
    let (id, _) = make(&world, maskinporten(&[])).await;
    let path = format!("/clients/{id}/onbehalfof");
    world.post(&path, json!({ "onbehalfof": "a", "name": "A", "uri": "https://a" })).await;
    let (_, put) = world.put(&format!("{path}/a"), json!({ "name": "B", "uri": "" })).await;
    assert_eq!((&put["name"], put.get("uri")), (&json!("B"), None));
    world.check();
}

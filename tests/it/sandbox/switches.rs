//! Each answer to an open question that no other file here tests.

use domain::{AccessState, NoKeys, ScopeAttributes, WriteAnswer};
use reqwest::Method;
use sandbox::Switches;
use serde_json::{Value, json};

use super::registry::{DCR, check_answers, make, maskinporten, shared_jwk, world};
use crate::support::{DIGDIR, NAV, SKATT, World, column, orgno, scope, two_organizations};

#[tokio::test]
async fn a_client_without_keys_has_an_empty_set_in_four_forms() {
    let world = world().await;
    let (id, _) = make(&world, maskinporten(&[])).await;
    for (no_keys, expected) in [
        (NoKeys::EmptySet, Some(json!({ "keys": [] }))),
        (NoKeys::EmptyObject, Some(json!({}))),
        (NoKeys::Null, Some(json!({ "keys": null }))),
        (NoKeys::NotFound, None),
    ] {
        world.sandbox.set_switches(Switches { no_keys, ..Switches::default() });
        let (status, answer) = world.get(&format!("/clients/{id}/jwks")).await;
        match expected {
            Some(expected) => assert_eq!((status, answer), (200, expected)),
            None => assert_eq!((status, &answer["status"]), (404, &json!(404))),
        }
    }
    world.check();
}

/// Writes of every kind, each with whether the description has a body for its answer.
async fn writes(world: &World) -> Vec<(u16, Value, bool)> {
    let scope_body = json!({ "name": "etat:w", "description": "Les" });
    let client =
        json!({ "client_id": "w", "client_name": "W", "integration_type": "maskinporten" });
    let access = format!("/scopes/access/{SKATT}?scope=etat:w");
    let key = shared_jwk("a");
    let entry = json!({ "onbehalfof": "a" });
    let calls = [
        (Method::POST, "/scopes", Some(scope_body.clone()), true),
        (Method::PUT, "/scopes?scope=etat:w", Some(scope_body), true),
        (Method::PUT, &access, None, true),
        (Method::DELETE, &access, None, true),
        (Method::DELETE, "/scopes?scope=etat:w", None, true),
        (Method::POST, "/clients", Some(client.clone()), true),
        (Method::PUT, "/clients/w", Some(client), true),
        (Method::POST, "/clients/w/jwks", Some(json!({ "keys": [key] })), true),
        (Method::PUT, "/clients/w/jwks/a", Some(key), true),
        (Method::DELETE, "/clients/w/jwks/a", None, false),
        (Method::POST, "/clients/w/onbehalfof", Some(entry.clone()), true),
        (Method::PUT, "/clients/w/onbehalfof/a", Some(entry), true),
        (Method::DELETE, "/clients/w/onbehalfof/a", None, false),
        (Method::DELETE, "/clients/w", None, false),
    ];
    let mut answers = Vec::new();
    for (method, path, body, is_described) in calls {
        let (status, answer) = world.call(method.clone(), path, body).await.unwrap();
        assert!(status < 300, "{method} {path}: {answer}");
        answers.push((status, answer, is_described));
    }
    answers
}

#[tokio::test]
async fn writes_are_answered_in_four_forms() {
    for (write_answer, status, has_body) in [
        (WriteAnswer::Described, 200, true),
        (WriteAnswer::Created, 201, true),
        (WriteAnswer::Empty, 200, false),
        (WriteAnswer::NoContent, 204, false),
    ] {
        let switches = Switches { write_answer, ..Switches::default() };
        let mut world = World::with(two_organizations(), switches).await;
        world.token = world.token_for("nav", &format!("idporten:scopes.write {DCR}")).await;
        for (found, answer, is_described) in writes(&world).await {
            assert_eq!(found, status, "{write_answer:?}: {answer}");
            assert_eq!(answer.is_object(), has_body && is_described, "{write_answer:?}: {answer}");
        }
        let state = world.sandbox.state();
        assert!(!state.scopes[&scope("etat:w")].active && !state.clients["w"].active);
        world.check();
    }
}

#[tokio::test]
async fn what_is_inactive_can_be_deleted_again_unless_that_is_refused() {
    for (delete_inactive_refused, status) in [(false, 200), (true, 409)] {
        let switches = Switches { delete_inactive_refused, ..Switches::default() };
        let mut world = World::with(two_organizations(), switches).await;
        world.token = world.token_for("nav", &format!("idporten:scopes.write {DCR}")).await;
        world.make("etat:a").await;
        world.grant_access(SKATT, "etat:a").await;
        let (id, _) = make(&world, maskinporten(&[])).await;
        let access = format!("/scopes/access/{SKATT}?scope=etat:a");
        for path in [&access, "/scopes?scope=etat:a", &format!("/clients/{id}")] {
            assert_eq!(world.delete(path).await.0, 200, "{path}");
        }
        let before = world.sandbox.state();
        world.sandbox.edit(|state| {
            state.scopes.get_mut(&scope("etat:a")).unwrap().active = false;
        });
        for path in [&access, "/scopes?scope=etat:a", &format!("/clients/{id}")] {
            assert_eq!(world.delete(path).await.0, status, "{path}");
        }
        assert_eq!(world.sandbox.state(), before, "nothing is changed");
        world.check();
    }
}

#[tokio::test]
async fn a_token_that_may_write_alone_may_list_accesses_or_not() {
    let mut world = World::new().await;
    world.make("etat:a").await;
    world.token = world.token_for("nav", "idporten:scopes.write").await;
    for (write_lists_accesses, status) in [(false, 403), (true, 200)] {
        world.sandbox.set_switches(Switches { write_lists_accesses, ..Switches::default() });
        assert_eq!(world.get("/scopes/access?scope=etat:a").await.0, status);
        assert_eq!(world.get("/scopes/access/all").await.0, 403);
    }
    world.check();
}

#[tokio::test]
async fn own_scopes_are_among_those_that_are_given_or_not() {
    let mut state = two_organizations();
    for (name, owner, active) in [
        ("etat:a", NAV, true),
        ("etat:b", NAV, true),
        ("etat:c", NAV, false),
        ("dig:a", DIGDIR, true),
    ] {
        state.put_scope(orgno(owner), scope(name), active, &ScopeAttributes::default());
    }
    state.put_access(scope("etat:b"), orgno(NAV), AccessState::Approved);
    let world = World::with(state, Switches::default()).await;
    for (own_scopes_listed, names) in [(false, vec!["etat:b"]), (true, vec!["etat:b", "etat:a"])] {
        world.sandbox.set_switches(Switches { own_scopes_listed, ..Switches::default() });
        let (_, list) = world.get("/scopes/access/all").await;
        assert_eq!(column(&list, "scope"), names);
        assert!(column(&list, "state").iter().all(|state| *state == "APPROVED"));
    }
    world.check();
    check_answers(&world);
}

/// D: a scope that was deactivated stays in the list of those who have access.
#[tokio::test]
async fn what_is_given_stays_listed_when_its_scope_is_inactive() {
    let mut state = two_organizations();
    let attributes = ScopeAttributes {
        allowed_integration_types: [domain::IntegrationType::Krr].into(),
        ..ScopeAttributes::default()
    };
    state.put_scope(orgno(DIGDIR), scope("dig:a"), false, &attributes);
    state.put_scope(orgno(DIGDIR), scope("dig:b"), true, &ScopeAttributes::default());
    for (name, declared) in [("dig:a", AccessState::Approved), ("dig:b", AccessState::Denied)] {
        state.put_access(scope(name), orgno(NAV), declared);
    }
    let switches = Switches { denied_hidden: true, ..Switches::default() };
    let world = World::with(state, switches).await;
    for (query, names) in [
        ("", vec!["dig:a"]),
        ("?inactive=true", vec!["dig:a", "dig:b"]),
        ("?integration_type=KRR", vec!["dig:a"]),
        ("?integration_type=maskinporten&inactive=true", vec!["dig:b"]),
    ] {
        let (_, list) = world.get(&format!("/scopes/access/all{query}")).await;
        assert_eq!(column(&list, "scope"), names, "{query}");
        for access in list.as_array().unwrap() {
            assert_eq!(access["active"], access["state"] == "APPROVED");
        }
    }
    world.check();
}

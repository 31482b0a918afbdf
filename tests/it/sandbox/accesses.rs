//! Accesses: granted, taken away, kept while a scope is inactive.

use domain::{AccessState, ScopeAttributes};
use reqwest::Method;
use sandbox::Switches;
use serde_json::{Value, json};

use crate::support::{
    DIGDIR, KARTVERKET, NAV, SKATT, World, column, orgno, scope, two_organizations,
};

/// (consumer, state) of each entry.
fn states(list: &Value) -> Vec<(&str, &str)> {
    let consumers = column(list, "consumer_orgno");
    consumers.into_iter().zip(column(list, "state")).collect()
}

#[tokio::test]
async fn an_access_is_granted_taken_away_and_granted_again() {
    let world = World::new().await;
    world.make("etat:a/b").await;
    let (status, granted) = world.grant_access(SKATT, "etat:a%2Fb").await;
    assert_eq!(status, 200);
    for (field, value) in [
        ("scope", "etat:a/b"),
        ("owner_orgno", NAV),
        ("owner_organization_name", "Etaten"),
        ("consumer_orgno", SKATT),
        ("consumer_organization_name", "SKATTEETATEN"),
        ("state", "APPROVED"),
    ] {
        assert_eq!(granted[field], value);
    }
    assert_eq!(granted["active"], true);
    let (status, again) = world.grant_access(SKATT, "etat:a%2Fb").await;
    assert_eq!((status, again), (200, granted));

    let path = format!("/scopes/access/{SKATT}?scope=etat:a%2Fb");
    let (status, revoked) = world.delete(&path).await;
    assert_eq!((status, &revoked["state"]), (200, &json!("DENIED")));
    let (_, list) = world.get("/scopes/access?scope=etat:a%2Fb").await;
    assert_eq!(states(&list), [(SKATT, "DENIED")]);

    world.sandbox.set_switches(Switches { denied_hidden: true, ..Switches::default() });
    let (_, list) = world.get("/scopes/access?scope=etat:a%2Fb").await;
    assert_eq!(list, json!([]));
    let (_, list) = world.get("/scopes/access?scope=etat:a%2Fb&inactive=true").await;
    assert_eq!(states(&list), [(SKATT, "DENIED")]);

    let (_, back) = world.grant_access(SKATT, "etat:a%2Fb").await;
    assert_eq!(back["state"], "APPROVED");
    world.check();
}

#[tokio::test]
async fn a_request_is_approved_or_denied() {
    let mut state = two_organizations();
    let name = scope("etat:a");
    state.put_scope(orgno(NAV), name.clone(), true, &ScopeAttributes::default());
    for consumer in [SKATT, DIGDIR] {
        state.put_access(name.clone(), orgno(consumer), AccessState::Requested);
    }
    let world = World::with(state, Switches::default()).await;
    let (_, list) = world.get("/scopes/access?scope=etat:a").await;
    assert_eq!(states(&list), [(SKATT, "REQUESTED"), (DIGDIR, "REQUESTED")]);
    let (_, approved) = world.grant_access(SKATT, "etat:a").await;
    assert_eq!(approved["state"], "APPROVED");
    let (_, denied) = world.delete(&format!("/scopes/access/{DIGDIR}?scope=etat:a")).await;
    assert_eq!(denied["state"], "DENIED");
    world.check();
}

#[tokio::test]
async fn deactivation_keeps_accesses_for_the_day_of_reactivation() {
    let world = World::new().await;
    world.make("etat:a").await;
    for consumer in [SKATT, DIGDIR] {
        world.grant_access(consumer, "etat:a").await;
    }
    world.delete("/scopes?scope=etat:a").await;
    assert_eq!(world.grant_access(KARTVERKET, "etat:a").await.0, 409);
    assert_eq!(world.get("/scopes/access?scope=etat:a").await.1, json!([]));
    let kept = "/scopes/access?scope=etat:a&inactive=true";
    let (_, list) = world.get(kept).await;
    assert_eq!(states(&list), [(SKATT, "APPROVED"), (DIGDIR, "APPROVED")]);

    let path = format!("/scopes/access/{SKATT}?scope=etat:a");
    world.sandbox.set_switches(Switches { inactive_access_refused: true, ..Switches::default() });
    assert_eq!(world.delete(&path).await.0, 409);
    world.sandbox.set_switches(Switches::default());
    assert_eq!(world.delete(&path).await.0, 200);

    let back = json!({ "description": "Les", "active": true });
    world.put("/scopes?scope=etat:a", back).await;
    let (_, list) = world.get("/scopes/access?scope=etat:a").await;
    assert_eq!(states(&list), [(SKATT, "DENIED"), (DIGDIR, "APPROVED")]);
    world.check();
}

#[tokio::test]
async fn lists_go_by_scope_by_consumer_and_by_what_is_given_to_oneself() {
    let mut state = two_organizations();
    for name in ["etat:a", "etat:b"] {
        state.put_scope(orgno(NAV), scope(name), true, &ScopeAttributes::default());
    }
    state.put_scope(orgno(DIGDIR), scope("dig:a"), true, &ScopeAttributes::default());
    for (name, consumer) in
        [("etat:a", SKATT), ("etat:a", DIGDIR), ("etat:b", SKATT), ("dig:a", NAV), ("dig:a", SKATT)]
    {
        state.put_access(scope(name), orgno(consumer), AccessState::Approved);
    }
    let mut world = World::with(state, Switches::default()).await;
    let (_, list) = world.get(&format!("/scopes/access?consumer_orgno={SKATT}")).await;
    assert_eq!(column(&list, "scope"), ["etat:a", "etat:b"]);
    let both = format!("/scopes/access?scope=etat:a&consumer_orgno={SKATT}");
    let (_, list) = world.get(&both).await;
    assert_eq!(states(&list), [(SKATT, "APPROVED")]);
    let (_, list) = world.get("/scopes/access/all").await;
    assert_eq!(column(&list, "scope"), ["dig:a"]);
    world.token = world.token_for("digdir", "idporten:scopes.read").await;
    let (_, list) = world.get("/scopes/access/all").await;
    assert_eq!(column(&list, "scope"), ["etat:a"]);
    world.check();
}

#[tokio::test]
async fn who_or_what_does_not_exist_is_reported() {
    let mut state = two_organizations();
    state.unknown_organizations.insert(orgno(KARTVERKET));
    let world = World::with(state, Switches::default()).await;
    world.make("etat:a").await;
    for (consumer, name, status) in [
        (KARTVERKET, "etat:a", 400),
        ("974761077", "etat:a", 400),
        ("97476107", "etat:a", 400),
        ("97476107%31", "etat:a", 400),
        ("nav", "etat:a", 400),
        (SKATT, "etat:none", 404),
        (SKATT, "etat", 400),
    ] {
        let (found, answer) = world.grant_access(consumer, name).await;
        assert_eq!(found, status, "{consumer} {name}: {answer}");
    }
    let (status, _) = world.delete(&format!("/scopes/access/{SKATT}?scope=etat:a")).await;
    assert_eq!(status, 404);
    let without_scope = format!("/scopes/access/{SKATT}");
    assert_eq!(world.delete(&without_scope).await.0, 400);
    assert_eq!(world.get("/scopes/access?scope=etat:none").await.0, 404);
    assert_eq!(world.get("/scopes/access?consumer_orgno=12").await.0, 400);
    assert!(world.sandbox.state().accesses.is_empty());
    let path = format!("/scopes/access/{SKATT}?scope=etat:a");
    let (status, _) = world.put(&path, json!({})).await;
    assert_eq!(status, 200, "a body that is not needed is taken");
}

#[tokio::test]
async fn a_dot_segment_never_names_a_consumer() {
    let world = World::new().await;
    world.make("etat:a").await;
    for consumer in ["%2e%2e%2f", "..;"] {
        let path = format!("/scopes/access/{consumer}?scope=etat:a");
        let (status, _) = world.call(Method::DELETE, &path, None).await.unwrap();
        assert_eq!(status, 400, "{consumer}");
    }
    // A client normalises the URL before it sends it, and the scope itself is struck.
    let (status, gone) = world.delete("/scopes/access/..?scope=etat:a").await;
    assert_eq!((status, &gone["active"]), (200, &json!(false)));
}

//! Scopes: their life, their representation, their lists.

use domain::ScopeAttributes;
use sandbox::Switches;
use serde_json::{Value, json};

use crate::support::{DIGDIR, NAV, World, column, orgno, read, scope, two_organizations};

#[tokio::test]
async fn a_new_scope_has_defaults_and_what_the_server_adds() {
    let world = World::new().await;
    let made = world.make("etat:arbeid/les.æ").await;
    for (field, value) in [
        ("name", json!("etat:arbeid/les.æ")),
        ("prefix", json!("etat")),
        ("subscope", json!("arbeid/les.æ")),
        ("active", json!(true)),
        ("owner_orgno", json!(NAV)),
        ("visibility", json!("PUBLIC")),
        ("token_type", json!("SELF_CONTAINED")),
        ("at_max_age", json!(0)),
        ("allowed_integration_types", json!([])),
        ("accessible_for_all", json!(false)),
        ("protected", json!(false)),
        ("supports_european_businesses", json!(false)),
        ("descriptions", Value::Null),
    ] {
        assert_eq!(made.get(field), Some(&value), "{field}");
    }
    assert!(made["created"].is_string() && made["created"] == made["last_updated"]);
    assert!(made.get("long_description").is_none());
    let path = "/scopes/scope?scope=etat%3Aarbeid%2Fles.%C3%A6";
    assert_eq!(world.get(path).await, (200, made.clone()));
    assert_eq!(world.get("/scopes").await, (200, json!([made])));
    world.check();
}

#[tokio::test]
async fn absent_fields_can_come_as_null() {
    let world = World::with(
        two_organizations(),
        Switches { nulls_for_absent: true, ..Switches::default() },
    )
    .await;
    let made = world.make("etat:a").await;
    assert_eq!(made.get("long_description"), Some(&Value::Null));
    assert_eq!(made.get("delegation_source"), Some(&Value::Null));
    let (status, _) = world.put("/scopes?scope=etat:a", made).await;
    assert_eq!(status, 200, "what it gives it takes back");
    world.check();
}

#[tokio::test]
async fn a_scope_is_deactivated_and_brought_back_and_never_made_twice() {
    let world = World::new().await;
    let body = json!({ "prefix": "etat", "subscope": "a", "description": "Les" });
    assert_eq!(world.post("/scopes", body.clone()).await.0, 200);
    assert_eq!(world.post("/scopes", body.clone()).await.0, 409);

    let (status, gone) = world.delete("/scopes?scope=etat:a").await;
    assert_eq!((status, &gone["active"]), (200, &json!(false)));
    assert_eq!(world.delete("/scopes?scope=etat:a").await, (200, gone));
    assert_eq!(world.post("/scopes", body.clone()).await.0, 409);

    assert_eq!(world.get("/scopes").await.1, json!([]));
    assert_eq!(world.get("/scopes?inactive=false").await.1, json!([]));
    for inactive in ["true", "TRUE"] {
        let (_, list) = world.get(&format!("/scopes?inactive={inactive}")).await;
        assert_eq!(column(&list, "name"), ["etat:a"]);
    }
    assert_eq!(world.get("/scopes/scope?scope=etat:a").await.0, 404);
    let (status, _) = world.get("/scopes/scope?scope=etat:a&inactive=true").await;
    assert_eq!(status, 200);

    let (_, still) = world.put("/scopes?scope=etat:a", body.clone()).await;
    assert_eq!(still["active"], false, "a PUT reactivates only if it says so");
    let mut back = body;
    back["active"] = json!(true);
    let (status, back) = world.put("/scopes?scope=etat:a", back).await;
    assert_eq!((status, &back["active"]), (200, &json!(true)));
    assert_eq!(world.get("/scopes/scope?scope=etat:a").await, (200, back));
    for call in ["etat:b", "etat:a:b"].map(|name| format!("/scopes?scope={name}")) {
        assert_eq!(world.delete(&call).await.0, 404);
        assert_eq!(world.put(&call, json!({ "description": "Les" })).await.0, 404);
    }
}

#[tokio::test]
async fn a_put_replaces_everything_but_what_is_the_servers() {
    let world = World::new().await;
    let body = json!({
        "name": "etat:a", "description": "Les", "at_max_age": 30, "mine": { "x": 1 },
        "long_description": "Lang", "owner_orgno": DIGDIR, "created": "2001-01-01T00:00:00Z",
        "descriptions": { "en": "Read" }, "protected": true,
    });
    let (_, made) = world.post("/scopes", body).await;
    assert_eq!(made["owner_orgno"], NAV);
    assert_eq!(made["mine"], json!({ "x": 1 }));

    let forgetful = json!({ "description": "Skriv", "created": "2001-01-01T00:00:00Z" });
    let (_, put) = world.put("/scopes?scope=etat:a", forgetful).await;
    assert_eq!(put["description"], "Skriv");
    assert_eq!(put["at_max_age"], 0);
    assert_eq!((&put["created"], &put["owner_orgno"]), (&made["created"], &json!(NAV)));
    assert!(put["last_updated"].as_str() >= made["last_updated"].as_str());
    for lost in ["mine", "long_description"] {
        assert!(put.get(lost).is_none(), "{lost}");
    }
    assert_eq!(put.get("descriptions"), Some(&Value::Null));
    assert_eq!(put["protected"], false);

    let (_, whole) = world.put("/scopes?scope=etat:a", made.clone()).await;
    for kept in ["mine", "long_description", "descriptions", "protected", "at_max_age"] {
        assert_eq!(whole[kept], made[kept], "{kept}");
    }
    world.check();
}

#[tokio::test]
async fn what_is_not_valid_is_reported_field_by_field() {
    let world = World::new().await;
    world.make("etat:a").await;
    let before = world.sandbox.state();
    let body = json!({
        "name": "etat:b", "description": 7, "visibility": "HIDDEN", "at_max_age": -1, "long_description": "<b>",
        "delegation_source": "altinn", "allowed_integration_types": ["altinn"],
    });
    let (status, answer) = world.post("/scopes", body.clone()).await;
    assert_eq!(status, 400);
    let mut fields = column(&answer["errors"], "fieldIdentifier");
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "allowed_integration_types",
            "at_max_age",
            "delegation_source",
            "description",
            "long_description",
            "visibility"
        ]
    );
    assert_eq!(answer["errors"][0]["isFieldError"], true);
    assert_eq!(answer["errors"][0]["objectName"], "scope");
    assert!(answer["errors"][0]["errorMessage"].is_string());

    for bad in [
        json!({ "description": "Les" }),
        json!({ "description": "Les", "name": "etat" }),
        json!({ "description": "Les", "name": "etat:a b" }),
        json!([]),
    ] {
        assert_eq!(world.post("/scopes", bad.clone()).await.0, 400, "{bad}");
    }
    let renamed = json!({ "description": "Les", "name": "etat:b" });
    assert_eq!(world.put("/scopes?scope=etat:a", renamed).await.0, 400);
    assert_eq!(world.sandbox.state(), before);
}

#[tokio::test]
async fn what_belongs_to_others_is_left_alone() {
    let mut state = two_organizations();
    let attributes = ScopeAttributes::default();
    state.put_scope(orgno(DIGDIR), scope("dig:a"), true, &attributes);
    let world = World::with(state, Switches::default()).await;
    let before = world.sandbox.state();
    for name in ["dig:b", "none:b"] {
        let body = json!({ "name": name, "description": "Les" });
        assert_eq!(world.post("/scopes", body).await.0, 403);
    }
    let body = json!({ "description": "Les" });
    assert_eq!(world.put("/scopes?scope=dig:a", body).await.0, 403);
    assert_eq!(world.delete("/scopes?scope=dig:a").await.0, 403);
    assert_eq!(world.get("/scopes/scope?scope=dig:a").await.0, 403);
    assert_eq!(world.get("/scopes/access?scope=dig:a").await.0, 403);
    assert_eq!(world.grant_access(NAV, "dig:a").await.0, 403);
    assert_eq!(world.get("/scopes").await.1, json!([]));
    assert_eq!(world.sandbox.state(), before);
    world.check();
}

#[tokio::test]
async fn the_public_list_has_filters_and_needs_no_token() {
    let world = World::new().await;
    for (name, field, value) in [
        ("etat:open", "accessible_for_all", json!(true)),
        ("etat:delegated", "delegation_source", json!("https://tt02.altinn.no/")),
        ("etat:krr", "allowed_integration_types", json!(["krr"])),
        ("etat:private", "visibility", json!("PRIVATE")),
        ("etat:gone", "active", json!(false)),
    ] {
        let body = json!({ "name": name, "description": "Les", field: value });
        assert_eq!(world.post("/scopes", body).await.0, 200);
    }
    world.sandbox.edit(|state| {
        state.put_scope(orgno(DIGDIR), scope("dig:a"), true, &ScopeAttributes::default());
    });
    for (query, names) in [
        ("", vec!["dig:a", "etat:delegated", "etat:krr", "etat:open"]),
        ("?prefix=dig", vec!["dig:a"]),
        (
            "?prefix=etat&inactive=true",
            vec!["etat:delegated", "etat:gone", "etat:krr", "etat:open"],
        ),
        ("?accessible_for_all=true", vec!["etat:open"]),
        ("?delegated_sources=true", vec!["etat:delegated"]),
        ("?integration_type=KRR&prefix=etat", vec!["etat:delegated", "etat:krr", "etat:open"]),
        ("?integration_type=idporten&prefix=etat", vec!["etat:delegated", "etat:open"]),
        ("?integration_type=altinn&prefix=etat", vec!["etat:delegated", "etat:open"]),
    ] {
        let url = world.url(&format!("/api/v1/scopes/all{query}"));
        let (_, list) = read(world.http.get(url).send().await.unwrap()).await;
        assert_eq!(column(&list, "name"), names, "{query}");
    }
    world.check();
}

#[tokio::test]
async fn a_careless_request_is_noticed() {
    let world = World::new().await;
    world.make("etat:a").await;
    for path in [
        "/scopes?colour=red",
        "/scopes?inactive=1",
        "/scopes?inactive=true&inactive=true",
        "/scopes/scope",
        "/scopes/scope?scope=etat",
        "/prefix?inactive=true",
        "/scopes/access",
    ] {
        assert_eq!(world.get(path).await.0, 400, "{path}");
    }
    assert_eq!(world.delete("/scopes").await.0, 400);
    let body = json!({ "name": "etat:b", "description": "Les" });
    assert_eq!(world.post("/scopes?scope=etat:b", body).await.0, 400);
    let plain = world.http.post(world.url("/api/v1/scopes"));
    let plain = plain.bearer_auth(&world.token).body("{}");
    assert_eq!(read(plain.send().await.unwrap()).await.0, 400);
}

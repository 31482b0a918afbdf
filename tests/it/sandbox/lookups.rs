//! Prefixes, delegation sources, organisations, and paths that are not there.

use reqwest::Method;
use sandbox::Switches;
use serde_json::json;

use crate::support::{DIGDIR, NAV, World, column, orgno, read, two_organizations};

#[tokio::test]
async fn an_organization_sees_its_own_prefixes() {
    let mut world = World::new().await;
    let (_, prefixes) = world.get("/prefix").await;
    assert_eq!(column(&prefixes, "prefix"), ["etat"]);
    assert_eq!(column(&prefixes, "owner_orgno"), [NAV]);
    world.token = world.token_for("digdir", "idporten:scopes.read").await;
    assert_eq!(column(&world.get("/prefix").await.1, "prefix"), ["dig"]);
    world.token.clear();
    let (_, all) = world.get("/prefix/all").await;
    assert_eq!(column(&all, "owner_orgno"), [DIGDIR, NAV]);
    world.token = world.token_for("digdir", "idporten:scopes.read").await;

    world.sandbox.set_switches(Switches { prefix_with_colon: true, ..Switches::default() });
    assert_eq!(column(&world.get("/prefix").await.1, "prefix"), ["dig:"]);
    world.check();
}

#[tokio::test]
async fn delegation_sources_need_no_token() {
    let world = World::new().await;
    let url = world.url("/api/v1/delegationsources");
    let (status, sources) = read(world.http.get(url).send().await.unwrap()).await;
    assert_eq!(status, 200);
    assert_eq!(column(&sources, "name"), ["altinn"]);
    assert_eq!(column(&sources, "issuer"), ["https://tt02.altinn.no/"]);
    world.check();
}

#[tokio::test]
async fn organizations_have_names() {
    let mut state = two_organizations();
    state.unknown_organizations.insert(orgno(DIGDIR));
    let mut world = World::with(state, Switches::default()).await;
    world.token = "none is needed".to_owned();
    let (_, organization) = world.get(&format!("/organizations/{NAV}")).await;
    assert_eq!(organization, json!({ "orgnr": NAV, "name": "Etaten" }));
    for (path, status) in [
        (format!("/organizations/{DIGDIR}"), 404),
        ("/organizations/313367002".to_owned(), 404),
        ("/organizations/889640783".to_owned(), 400),
        ("/organizations/nav".to_owned(), 400),
    ] {
        assert_eq!(world.get(&path).await.0, status, "{path}");
    }
    world.check();
}

#[tokio::test]
async fn what_is_not_there_is_reported() {
    let world = World::new().await;
    for path in ["/client", "/scope", "/clients/1/keys", "/scopes/access/"] {
        let (status, body) = world.get(path).await;
        assert_eq!((status, &body["status"]), (404, &json!(404)), "{path}");
        assert!(body["correlation_id"].is_string());
    }
    let (status, body) = world.call(Method::PATCH, "/scopes", None).await.unwrap();
    assert_eq!((status, &body["status"]), (405, &json!(405)));
}

#[tokio::test]
async fn an_empty_list_can_be_an_error() {
    let world = World::new().await;
    let paths = ["/scopes", "/scopes/all", "/scopes/access/all"];
    for path in paths {
        assert_eq!(world.get(path).await, (200, json!([])), "{path}");
    }
    world.sandbox.set_switches(Switches { empty_list_is_404: true, ..Switches::default() });
    for path in paths {
        let (status, body) = world.get(path).await;
        assert_eq!(status, 404, "{path}");
        let message = body["error_description"].as_str().unwrap();
        assert!(message.contains("does not have any"), "{message}");
    }
    assert_eq!(world.get("/prefix").await.0, 200);
    world.check();
}

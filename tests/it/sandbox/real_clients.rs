//! The requests of clients that run against the real API, in their order and their forms (C). Each test
//! asserts what that client reads of the answers.

use domain::AccessState;
use rcgen::KeyPair;
use reqwest::Method;
use sandbox::{State, Switches};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::registry::{foreign, shared_jwk};
use crate::support::{
    DIGDIR, KARTVERKET, KEY, NAV, SKATT, World, column, orgno, read, scope, two_organizations,
};

const OPERATOR: &str = "idporten:scopes.write idporten:dcr.read idporten:dcr.write";

/// A world that a client has a token in.
async fn world(state: State, switches: Switches, scopes: &str) -> World {
    let mut world = World::with(state, switches).await;
    world.token = world.token_for("nav", scopes).await;
    world.sandbox.clear_exchanges();
    world
}

/// A request with the content type of JSON, whether or not there is a body, as Go programs send it.
async fn send(world: &World, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
    let request = world.http.request(method, world.url(&format!("/api/v1{path}")));
    let request = request.bearer_auth(&world.token).header("content-type", "application/json");
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    read(request.body(body).send().await.unwrap()).await
}

/// The same, which must succeed.
async fn done(world: &World, method: Method, path: &str, body: Option<Value>) -> Value {
    let (status, answer) = send(world, method.clone(), path, body).await;
    assert_eq!(status, 200, "{method} {path}: {answer}");
    answer
}

/// A scope as an operator in Kubernetes sends it, in POST and PUT alike.
fn exposed(subscope: &str) -> Value {
    json!({
        "accessible_for_all": false, "active": true, "allowed_integration_types": ["maskinporten"],
        "at_max_age": 30, "description": "arbeid - dev:team:app", "name": "", "prefix": "etat",
        "requires_pseudonymous_tokens": false, "requires_user_authentication": false,
        "requires_user_consent": false, "subscope": subscope, "token_type": "SELF_CONTAINED",
        "visibility": "PUBLIC",
    })
}

#[tokio::test]
async fn an_operator_exposes_a_scope_disables_it_and_opens_it_again() {
    let mut state = two_organizations();
    state.unknown_organizations.insert(orgno(KARTVERKET));
    let switches = Switches { write_lists_accesses: true, ..Switches::default() };
    let world = world(state, switches, OPERATOR).await;
    let list = "/scopes?inactive=true";
    assert_eq!(done(&world, Method::GET, list, None).await, json!([]));
    let made = done(&world, Method::POST, "/scopes", Some(exposed("arbeid:app/les"))).await;
    assert_eq!(made["name"], "etat:arbeid:app/les");

    let query = "scope=etat%3Aarbeid%3Aapp%2Fles";
    let (one, consumers) = (format!("/scopes?{query}"), format!("/scopes/access?{query}"));
    let access = |orgno: &str| format!("/scopes/access/{orgno}?{query}");
    assert_eq!(done(&world, Method::GET, &consumers, None).await, json!([]));
    let granted = done(&world, Method::PUT, &access(SKATT), None).await;
    assert_eq!(
        (&granted["consumer_orgno"], &granted["state"]),
        (&json!(SKATT), &json!("APPROVED"))
    );
    let (status, _) = send(&world, Method::PUT, &access(KARTVERKET), None).await;
    assert_eq!(status, 400, "a consumer that is refused is skipped");

    // Each reconcile writes the scope and compares its consumers.
    for _ in 0..2 {
        let listed = done(&world, Method::GET, list, None).await;
        assert_eq!(listed[0]["subscope"], "arbeid:app/les");
        let body = Some(exposed("arbeid:app/les"));
        assert_eq!(done(&world, Method::PUT, &one, body).await["active"], true);
        let listed = done(&world, Method::GET, &consumers, None).await;
        assert_eq!(column(&listed, "consumer_orgno"), [SKATT]);
    }
    assert_eq!(done(&world, Method::DELETE, &access(SKATT), None).await["state"], "DENIED");
    done(&world, Method::PUT, &access(DIGDIR), None).await;

    // A scope that is disabled is deleted at each reconcile, and the answer is read as a scope.
    for _ in 0..2 {
        let gone = done(&world, Method::DELETE, &one, None).await;
        assert_eq!((&gone["name"], &gone["active"]), (&made["name"], &json!(false)));
        let listed = done(&world, Method::GET, list, None).await;
        assert_eq!(listed[0]["active"], false);
    }
    let back = done(&world, Method::PUT, &one, Some(exposed("arbeid:app/les"))).await;
    assert_eq!(back["active"], true);
    let kept = done(&world, Method::GET, &consumers, None).await;
    let states: Vec<_> =
        column(&kept, "consumer_orgno").into_iter().zip(column(&kept, "state")).collect();
    assert_eq!(states, [(SKATT, "DENIED"), (DIGDIR, "APPROVED")]);
    world.check();
}

/// A client as an operator in Kubernetes sends it.
fn consuming(scopes: &[&str]) -> Value {
    json!({
        "access_token_lifetime": 120, "application_type": "web", "authorization_lifetime": 7200,
        "client_name": "ARBEIDS- OG VELFERDSETATEN", "description": "dev:team:app",
        "frontchannel_logout_session_required": false, "refresh_token_lifetime": 600,
        "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "integration_type": "maskinporten", "post_logout_redirect_uris": null,
        "redirect_uris": null, "refresh_token_usage": "ONETIME", "scopes": scopes,
        "token_endpoint_auth_method": "private_key_jwt",
    })
}

#[tokio::test]
async fn an_operator_registers_a_client_and_rotates_its_keys() {
    let mut state = two_organizations();
    foreign(&mut state, "dig:open", |scope| scope.accessible_for_all = true);
    foreign(&mut state, "dig:given", |_| {});
    state.put_access(scope("dig:given"), orgno(NAV), AccessState::Approved);
    let world =
        world(state, Switches::default(), &format!("{OPERATOR} idporten:scopes.read")).await;
    let listed = done(&world, Method::GET, "/clients", None).await;
    assert_eq!(column(&listed, "client_id"), ["nav"]);
    let declared = done(&world, Method::GET, "/scopes/access/all", None).await;
    assert_eq!(column(&declared, "scope"), ["dig:given"]);
    let open = done(&world, Method::GET, "/scopes/all?accessible_for_all=true", None).await;
    assert_eq!(column(&open, "name"), ["dig:open"]);

    let body = consuming(&["dig:given", "dig:open"]);
    let made = done(&world, Method::POST, "/clients", Some(body.clone())).await;
    let id = made["client_id"].as_str().unwrap();
    let (one, jwks) = (format!("/clients/{id}"), format!("/clients/{id}/jwks"));
    let mut old = Vec::new();
    for kid in ["a", "b", "c"] {
        let mut keys = vec![shared_jwk(kid)];
        keys.append(&mut old);
        let set = done(&world, Method::POST, &jwks, Some(json!({ "keys": keys }))).await;
        assert!(set["created"].is_string() && set["last_updated"].is_string(), "{set}");
        // The next reconcile updates the client, and keeps the keys that are still in use.
        let put = done(&world, Method::PUT, &one, Some(body.clone())).await;
        assert_eq!(put["client_id"], id);
        keys.truncate(2);
        old = keys;
    }
    let keys = done(&world, Method::GET, &jwks, None).await;
    assert_eq!(column(&keys["keys"], "kid"), ["a", "b", "c"]);
    let gone = send(&world, Method::DELETE, &one, None).await;
    assert_eq!(gone, (200, json!("")));
}

#[tokio::test]
async fn a_portal_reads_the_keys_adds_one_and_knows_the_limit() {
    let mut state = two_organizations();
    foreign(&mut state, "dig:open", |scope| scope.accessible_for_all = true);
    let world = world(state, Switches::default(), "idporten:dcr.read idporten:dcr.write").await;
    let made = done(&world, Method::POST, "/clients", Some(consuming(&["dig:open"]))).await;
    let jwks = format!("/clients/{}/jwks", made["client_id"].as_str().unwrap());
    for kid in ["a", "b", "c", "d", "e", "f"] {
        let set = done(&world, Method::GET, &jwks, None).await;
        let mut keys = set["keys"].as_array().unwrap().clone();
        keys.push(shared_jwk(kid));
        let (status, answer) =
            send(&world, Method::POST, &jwks, Some(json!({ "keys": keys }))).await;
        assert_eq!(status, if kid == "f" { 400 } else { 200 }, "{answer}");
    }
    let set = done(&world, Method::GET, &jwks, None).await;
    assert_eq!(column(&set["keys"], "kid"), ["a", "b", "c", "d", "e"]);
    // The last key is removed by DELETE, as an empty set is refused.
    let mut keys = set["keys"].as_array().unwrap().clone();
    while keys.pop().is_some() && !keys.is_empty() {
        done(&world, Method::POST, &jwks, Some(json!({ "keys": keys }))).await;
    }
    assert_eq!(send(&world, Method::POST, &jwks, Some(json!({ "keys": [] }))).await.0, 400);
    done(&world, Method::DELETE, &jwks, None).await;
    assert_eq!(done(&world, Method::GET, &jwks, None).await, json!({ "keys": [] }));
}

#[tokio::test]
async fn digdirs_web_sends_its_forms() {
    let all = format!("{OPERATOR} idporten:scopes.read");
    let world = world(two_organizations(), Switches::default(), &all).await;
    let form = json!({
        "prefix": "etat", "subscope": "skjema", "description": "Les", "long_description": "",
        "at_max_age": "30", "authorization_max_lifetime": "", "delegation_source": "",
        "enforced_aud_for_access_token": "", "intent": "create", "description#en": "Read",
        "long_description#nn": "Meir", "visibility": "PRIVATE", "allowed_integration_types": [],
    });
    let made = done(&world, Method::POST, "/scopes", Some(form)).await;
    for (field, value) in [
        ("at_max_age", json!(30)),
        ("intent", json!("create")),
        ("description#en", json!("Read")),
        ("long_description#nn", json!("Meir")),
        ("descriptions", json!(null)),
        ("protected", json!(false)),
        ("supports_european_businesses", json!(false)),
    ] {
        assert_eq!(made.get(field), Some(&value), "{field}");
    }
    assert!(made.get("delegation_source").is_none());
    let mut changed = made.clone();
    changed["at_max_age"] = json!("60");
    changed["supports_european_businesses"] = json!(true);
    let put = done(&world, Method::PUT, "/scopes?scope=etat:skjema", Some(changed)).await;
    assert_eq!((&put["at_max_age"], &put["description#en"]), (&json!(60), &json!("Read")));
    assert_eq!(put["supports_european_businesses"], true);
    let listed = done(&world, Method::GET, "/scopes?scope=etat:skjema", None).await;
    assert_eq!(listed, json!([put]));

    let client = json!({
        "client_name": "Skjema", "integration_type": "maskinporten", "description": "",
        "access_token_lifetime": "60", "refresh_token_lifetime": "", "scopes": ["etat:skjema"],
    });
    let made = done(&world, Method::POST, "/clients", Some(client)).await;
    assert_eq!(made["access_token_lifetime"], 60);
    assert_eq!(made["refresh_token_lifetime"], 600);
    let id = made["client_id"].as_str().unwrap();
    let added = add_key(&world, id, shared_jwk("web").to_string()).await;
    assert_eq!((added.0, &added.1["kid"]), (200, &json!("web")));
    let (status, added) = add_key(&world, id, public_pem()).await;
    assert_eq!((status, &added["n"]), (200, &shared_jwk("web")["n"]));
    assert_eq!(added["kid"], KEY.kid.as_str(), "the thumbprint");
    for bad in ["", "hemmelig", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
        let (status, answer) = add_key(&world, id, bad.to_owned()).await;
        assert_eq!(status, 400);
        assert!(!answer.to_string().contains("hemmelig"));
    }
    assert!(!format!("{:?}", world.sandbox.exchanges()).contains("hemmelig"));
}

/// A key as the web adds it.
async fn add_key(world: &World, id: &str, key: String) -> (u16, Value) {
    let request = world.http.post(world.url(&format!("/api/v2/clients/{id}/key")));
    let request = request.bearer_auth(&world.token).header("content-type", "text/plain");
    read(request.body(key).send().await.unwrap()).await
}

/// The public half of the shared key, as people paste it.
fn public_pem() -> String {
    let pem = KEY.private_key_pem.expose_secret();
    let key = KeyPair::from_pkcs8_pem_and_sign_algo(pem, &rcgen::PKCS_RSA_SHA256).unwrap();
    key.public_key_pem()
}

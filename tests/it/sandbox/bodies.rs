//! Any body gets a proper answer of the API, and never a 500.

use std::sync::LazyLock;

use proptest::prelude::*;
use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use super::registry::{make, maskinporten, shared_jwk, world};
use crate::openapi;
use crate::support::World;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// A world with a client, and its id.
static SERVED: LazyLock<(World, String)> = LazyLock::new(|| {
    RUNTIME.block_on(async {
        let world = world().await;
        let (id, _) = make(&world, maskinporten(&[])).await;
        world.sandbox.clear_exchanges();
        (world, id)
    })
});

const NAMES: [&str; 30] = [
    "client_name",
    "client_id",
    "client_orgno",
    "supplier_orgno",
    "description",
    "active",
    "application_type",
    "integration_type",
    "scopes",
    "grant_types",
    "token_endpoint_auth_method",
    "access_token_lifetime",
    "refresh_token_lifetime",
    "redirect_uris",
    "sso_disabled",
    "jwks",
    "jwks_uri",
    "onbehalfof",
    "client_secret",
    "created",
    "orgno",
    "name",
    "keys",
    "kty",
    "kid",
    "use",
    "alg",
    "n",
    "e",
    "exp",
];

const TEXTS: [&str; 16] = [
    "",
    "web",
    "native",
    "maskinporten",
    "idporten",
    "krr",
    "private_key_jwt",
    "none",
    "authorization_code",
    "889640782",
    "etat:a",
    "RSA",
    "sig",
    "RS256",
    "AQAB",
    "\u{0}æ\u{1f600}",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(shared_jwk("a")),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            object(inner).prop_map(Value::from),
        ]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop::sample::select(&NAMES[..]).prop_map(str::to_owned);
    prop::collection::vec((name, value), 0..10).prop_map(|fields| fields.into_iter().collect())
}

/// Nearly valid bodies, with a few fields changed.
fn nearly_good() -> impl Strategy<Value = Value> {
    let good = prop_oneof![
        Just(maskinporten(&[])),
        Just(shared_jwk("a")),
        Just(json!({ "keys": [shared_jwk("a")] })),
        Just(json!({ "onbehalfof": "a" })),
    ];
    (good, object(value())).prop_map(|(mut good, changes)| {
        for (name, value) in changes.into_iter().take(2) {
            good[name] = value;
        }
        good
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => nearly_good().prop_map(|body| body.to_string().into_bytes()),
        2 => value().prop_map(|body| body.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
}

fn target() -> impl Strategy<Value = (Method, &'static str)> {
    prop::sample::select(vec![
        (Method::POST, "/clients"),
        (Method::PUT, "/clients/{id}"),
        (Method::POST, "/clients/{id}/jwks"),
        (Method::PUT, "/clients/{id}/jwks/a"),
        (Method::POST, "/clients/{id}/onbehalfof"),
        (Method::PUT, "/clients/{id}/onbehalfof/a"),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn an_arbitrary_body_is_taken_or_refused((method, path) in target(), body in body()) {
        let (world, id) = &*SERVED;
        let url = world.url(&format!("/api/v1{}", path.replace("{id}", id)));
        let request = world.http.request(method, url).bearer_auth(&world.token);
        let request = request.header("content-type", "application/json").body(body);
        let status = RUNTIME.block_on(request.send()).unwrap().status().as_u16();
        prop_assert!([200, 400, 404, 409].contains(&status), "{}", status);
        openapi::check_answers(&world.sandbox.exchanges());
        world.sandbox.clear_exchanges();
        let state = world.sandbox.state();
        let text = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<sandbox::State>(&text).unwrap(), state);
    }

    #[test]
    fn an_arbitrary_grant_is_refused_as_the_rfc_has_it(
        names in prop::collection::vec(
            prop::sample::select(&["iss", "scope", "resource", "consumer_org", "aud", "iat", "exp", "jti"][..]),
            1..3,
        ),
        value in value(),
    ) {
        let (world, _) = &*SERVED;
        let mut claims = world.claims("nav", "idporten:dcr.read");
        for name in names {
            claims[name] = value.clone();
        }
        let assertion = crate::support::sign(&claims, |_| {});
        let (status, answer) = RUNTIME.block_on(world.grant(&assertion));
        prop_assert!(status == 200 || status == 400 && answer["error"].is_string(), "{}", answer);
        world.sandbox.clear_exchanges();
    }
}

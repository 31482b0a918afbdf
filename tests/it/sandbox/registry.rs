//! Helpers for tests of clients: a world that may write them, and request bodies.

use domain::ScopeAttributes;
use jsonwebtoken::Header;
use sandbox::{ClientKey, State, Switches};
use serde_json::{Value, json};

use crate::openapi;
use crate::support::{DIGDIR, KEY, World, encoding_key, orgno, scope, two_organizations};

pub(super) const DCR: &str = "idporten:dcr.read idporten:dcr.write";

/// A world whose token may write clients.
pub(super) async fn world() -> World {
    with(two_organizations(), Switches::default()).await
}

pub(super) async fn with(state: State, switches: Switches) -> World {
    let mut world = World::with(state, switches).await;
    world.token = world.token_for("nav", DCR).await;
    world
}

/// Puts a scope of DigDir's there.
pub(super) fn foreign(state: &mut State, name: &str, change: impl FnOnce(&mut ScopeAttributes)) {
    let mut attributes = ScopeAttributes { description: "Les".to_owned(), ..Default::default() };
    change(&mut attributes);
    state.put_scope(orgno(DIGDIR), scope(name), true, &attributes);
}

pub(super) fn maskinporten(scopes: &[&str]) -> Value {
    json!({ "client_name": "Saksbehandling", "integration_type": "maskinporten", "scopes": scopes })
}

/// Creates a client, and checks the answer.
pub(super) async fn make(world: &World, body: Value) -> (String, Value) {
    let (status, made) = world.post("/clients", body).await;
    assert_eq!(status, 200, "{made}");
    (made["client_id"].as_str().unwrap().to_owned(), made)
}

/// A public key as it is sent.
pub(super) fn jwk(key: &ClientKey, kid: &str) -> Value {
    let mut jwk = json!(key.public);
    jwk["kid"] = json!(kid);
    jwk
}

/// The shared key under any `kid`.
pub(super) fn shared_jwk(kid: &str) -> Value {
    jwk(&KEY, kid)
}

/// Signs with the shared key under another `kid`.
pub(super) fn sign_as(claims: &Value, kid: &str) -> String {
    let mut header = Header::new(jsonwebtoken::Algorithm::RS256);
    header.kid = Some(kid.to_owned());
    jsonwebtoken::encode(&header, claims, &encoding_key(&KEY)).unwrap()
}

/// The fields that an error names.
pub(super) fn fields(answer: &Value) -> Vec<&str> {
    crate::support::column(&answer["errors"], "fieldIdentifier")
}

/// Checks the answers, where requests are wrong on purpose.
pub(super) fn check_answers(world: &World) {
    openapi::check_answers(&world.sandbox.exchanges());
}

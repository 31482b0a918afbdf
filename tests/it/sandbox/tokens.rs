//! Tokens for clients that were registered over the API.

use domain::AccessState;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use sandbox::{State, Switches};
use serde_json::{Value, json};

use super::registry::{foreign, make, maskinporten, shared_jwk, sign_as, with, world};
use crate::support::{DIGDIR, NAV, SKATT, World, orgno, read, scope, two_organizations};

const ALTINN: &str = "https://tt02.altinn.no/";
const PLAIN: &str = "dig:plain";
const DELEGATED: &str = "dig:delegated";

/// NAV has access to [`PLAIN`]; Skatteetaten has access to [`DELEGATED`] and lets NAV use it.
fn state() -> State {
    let mut state = two_organizations();
    foreign(&mut state, PLAIN, |_| {});
    foreign(&mut state, DELEGATED, |scope| scope.delegation_source = Some(ALTINN.to_owned()));
    state.put_access(scope(PLAIN), orgno(NAV), AccessState::Approved);
    state.put_access(scope(DELEGATED), orgno(SKATT), AccessState::Approved);
    state.put_delegation(scope(DELEGATED), orgno(SKATT), orgno(NAV));
    state
}

/// A client with a key `k`.
async fn registered(world: &World, body: Value) -> String {
    let (id, _) = make(world, body).await;
    let (status, answer) = world.put(&format!("/clients/{id}/jwks/k"), shared_jwk("k")).await;
    assert_eq!(status, 200, "{answer}");
    id
}

async fn ask(world: &World, client: &str, scopes: &str, more: Value) -> (u16, Value) {
    let mut claims = world.claims(client, scopes);
    for (claim, value) in more.as_object().unwrap() {
        claims[claim] = value.clone();
    }
    world.grant(&sign_as(&claims, "k")).await
}

/// The claims of a token, whose request must succeed.
async fn claims(world: &World, client: &str, scopes: &str, more: Value) -> Value {
    let (status, answer) = ask(world, client, scopes, more).await;
    assert_eq!(status, 200, "{answer}");
    let token = answer["access_token"].as_str().unwrap();
    jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap()
}

/// A grant that must be refused, with the beginning of the description.
async fn refused(
    world: &World,
    client: &str,
    scopes: &str,
    more: Value,
    error: &str,
    message: &str,
) {
    let (status, answer) = ask(world, client, scopes, more).await;
    assert_eq!((status, &answer["error"]), (400, &json!(error)), "{answer}");
    let description = answer["error_description"].as_str().unwrap();
    assert!(description.contains(message), "{message}: {description}");
}

#[tokio::test]
async fn a_registered_client_gets_a_token_that_the_published_keys_verify() {
    let world = with(state(), Switches::default()).await;
    let id = registered(&world, maskinporten(&[PLAIN])).await;
    let audience = "https://api.example.com/";
    let (status, answer) = ask(&world, &id, PLAIN, json!({ "resource": [audience] })).await;
    assert_eq!(status, 200, "{answer}");
    let token = answer["access_token"].as_str().unwrap();

    let metadata = world.http.get(world.url("/.well-known/oauth-authorization-server"));
    let (_, metadata) = read(metadata.send().await.unwrap()).await;
    let jwks = metadata["jwks_uri"].as_str().unwrap();
    let keys: JwkSet = world.http.get(jwks).send().await.unwrap().json().await.unwrap();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[world.sandbox.issuer()]);
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims;
    assert_eq!(claims["client_id"], id);
    assert_eq!(claims["scope"], PLAIN);
    assert_eq!(claims["consumer"]["ID"], format!("0192:{NAV}"));
    assert!(claims.get("supplier").is_none());
    world.check();
}

#[tokio::test]
async fn scopes_must_be_on_the_client_and_still_granted() {
    let world = with(state(), Switches::default()).await;
    let id = registered(&world, maskinporten(&[PLAIN])).await;
    refused(&world, &id, "idporten:dcr.read", json!({}), "invalid_scope", "MP-200").await;
    world.sandbox.edit(|state| {
        state.put_access(scope(PLAIN), orgno(NAV), AccessState::Denied);
    });
    refused(&world, &id, PLAIN, json!({}), "invalid_scope", "MP-250").await;
    world.sandbox.edit(|state| {
        state.put_access(scope(PLAIN), orgno(NAV), AccessState::Approved);
        state.scopes.get_mut(&scope(PLAIN)).unwrap().active = false;
    });
    refused(&world, &id, PLAIN, json!({}), "invalid_scope", "is inactive").await;
}

#[tokio::test]
async fn the_shortest_lifetime_counts() {
    let mut state = state();
    foreign(&mut state, "dig:short", |scope| {
        scope.accessible_for_all = true;
        scope.at_max_age = 30;
    });
    let world = with(state, Switches::default()).await;
    for (own, scopes, expected) in [
        (json!(null), PLAIN, 120),
        (json!(600), PLAIN, 600),
        (json!(600), "dig:short", 30),
        (json!(600), "dig:plain dig:short", 30),
        (json!(20), "dig:short", 20),
    ] {
        let mut body = maskinporten(&[PLAIN, "dig:short"]);
        body["access_token_lifetime"] = own.clone();
        let id = registered(&world, body).await;
        let (_, answer) = ask(&world, &id, scopes, json!({})).await;
        assert_eq!(answer["expires_in"], expected, "{own} {scopes}");
        let claims = claims(&world, &id, scopes, json!({})).await;
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(lifetime, expected, "{own} {scopes}");
    }
}

#[tokio::test]
async fn a_supplier_acts_for_a_consumer_that_has_delegated() {
    let world = with(state(), Switches::default()).await;
    let id = registered(&world, maskinporten(&[PLAIN, DELEGATED])).await;
    let for_skatt = json!({ "consumer_org": SKATT });
    let declared = claims(&world, &id, DELEGATED, for_skatt.clone()).await;
    assert_eq!(declared["consumer"]["ID"], format!("0192:{SKATT}"));
    assert_eq!(declared["supplier"]["ID"], format!("0192:{NAV}"));
    assert_eq!(declared["supplier"]["authority"], "iso6523-actorid-upis");
    assert_eq!(declared["delegation_source"], ALTINN);

    let own = claims(&world, &id, PLAIN, json!({})).await;
    assert!(own.get("supplier").is_none() && own.get("delegation_source").is_none());

    let for_digdir = json!({ "consumer_org": DIGDIR });
    refused(&world, &id, DELEGATED, for_digdir, "invalid_grant", "MP-251").await;
    refused(&world, &id, PLAIN, for_skatt.clone(), "invalid_grant", "MP-251").await;
    refused(&world, &id, DELEGATED, json!({}), "invalid_scope", "MP-250").await;
    let nobody = json!({ "consumer_org": "nobody" });
    refused(&world, &id, DELEGATED, nobody, "invalid_request", "consumer_org").await;

    world.sandbox.edit(|state| {
        state.put_access(scope(DELEGATED), orgno(SKATT), AccessState::Denied);
    });
    refused(&world, &id, DELEGATED, for_skatt, "invalid_scope", "MP-250").await;
}

#[tokio::test]
async fn the_audience_of_a_scope_is_enforced() {
    let mut state = state();
    let audience = "https://api.example.com/";
    foreign(&mut state, "dig:bound", |scope| {
        scope.accessible_for_all = true;
        scope.enforced_aud_for_access_token = Some(audience.to_owned());
    });
    let world = with(state, Switches::default()).await;
    let id = registered(&world, maskinporten(&[PLAIN, "dig:bound"])).await;
    for (scopes, resource, aud) in [
        (PLAIN, json!(null), json!("unspecified")),
        (PLAIN, json!("https://a"), json!(["https://a"])),
        ("dig:bound", json!(null), json!([audience])),
        ("dig:bound", json!([audience, "https://a"]), json!([audience, "https://a"])),
    ] {
        let more = json!({ "resource": resource });
        assert_eq!(claims(&world, &id, scopes, more).await["aud"], aud, "{scopes} {resource}");
    }
    for resource in [json!(["https://a"]), json!(7), json!([7])] {
        let more = json!({ "resource": resource });
        refused(&world, &id, "dig:bound", more, "invalid_target", "must be").await;
    }
}

#[tokio::test]
async fn a_key_and_a_client_that_ended_are_refused() {
    let world = world().await;
    let read = "idporten:scopes.read";
    let id = registered(&world, maskinporten(&[read])).await;
    let path = format!("/clients/{id}");
    assert_eq!(ask(&world, &id, read, json!({})).await.0, 200);

    let mut expired = shared_jwk("k");
    expired["exp"] = json!(jiff::Timestamp::now().as_second() - 1);
    assert_eq!(world.put(&format!("{path}/jwks/k"), expired).await.0, 200);
    refused(&world, &id, read, json!({}), "invalid_grant", "MP-121").await;
    assert_eq!(world.put(&format!("{path}/jwks/k"), shared_jwk("k")).await.0, 200);
    assert_eq!(ask(&world, &id, read, json!({})).await.0, 200);

    world.delete(&path).await;
    refused(&world, &id, read, json!({}), "invalid_client", "inactive").await;
    assert_eq!(world.put(&path, maskinporten(&[read])).await.0, 200);
    assert_eq!(ask(&world, &id, read, json!({})).await.0, 200);

    world.delete(&format!("{path}/jwks/k")).await;
    refused(&world, &id, read, json!({}), "invalid_grant", "MP-120").await;
    world.check();
}

#[tokio::test]
async fn a_client_for_logins_gets_no_token_here() {
    let world = world().await;
    let body = json!({
        "client_name": "Innlogging", "integration_type": "idporten",
        "token_endpoint_auth_method": "private_key_jwt",
    });
    let id = registered(&world, body).await;
    refused(&world, &id, "openid", json!({}), "unauthorized_client", "MP-201").await;
}

#[tokio::test]
async fn a_registered_client_can_use_the_api_itself() {
    let mut world = world().await;
    let id =
        registered(&world, maskinporten(&["idporten:scopes.write", "idporten:dcr.read"])).await;
    let (_, answer) = ask(&world, &id, "idporten:scopes.write idporten:dcr.read", json!({})).await;
    world.token = answer["access_token"].as_str().unwrap().to_owned();
    world.make("etat:a").await;
    assert_eq!(world.get(&format!("/clients/{id}")).await.0, 200);
    world.check();
}

#[tokio::test]
async fn what_is_new_can_be_late_at_the_token_endpoint() {
    let world = world().await;
    let read = "idporten:scopes.read";
    let old = registered(&world, maskinporten(&[read])).await;
    let delayed = |sync_delay| Switches { sync_delay, ..Switches::default() };
    world.sandbox.set_switches(delayed(3600));
    refused(&world, &old, read, json!({}), "invalid_client", "MP-100").await;
    world.token_for("nav", read).await;

    world.sandbox.edit(|state| {
        let client = state.clients.get_mut(&old).unwrap();
        client.created = jiff::Timestamp::UNIX_EPOCH;
    });
    refused(&world, &old, read, json!({}), "invalid_grant", "MP-120").await;
    world.sandbox.set_switches(delayed(0));
    assert_eq!(ask(&world, &old, read, json!({})).await.0, 200);
    world.check();
}

//! Skyporten: discovery, grants, tokens.

use domain::{AccessState, ScopeAttributes};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::support::{DIGDIR, NAV, World, orgno, read, scope, sign};

const SCOPE: &str = "dig:lager.read";
const AUDIENCE: &str = "https://skyporten.dig.example";

/// A scope of DigDir's that the organisation of the client `nav` may use.
async fn world() -> World {
    let world = World::new().await;
    let attributes = ScopeAttributes { description: "Les".to_owned(), ..Default::default() };
    world.sandbox.edit(|state| {
        for name in [SCOPE, "dig:lager.write", "dig:annet.read"] {
            state.put_scope(orgno(DIGDIR), scope(name), true, &attributes);
            state.clients.get_mut("nav").unwrap().scopes.insert(name.to_owned());
        }
        for name in [SCOPE, "dig:lager.write"] {
            state.put_access(scope(name), orgno(NAV), AccessState::Approved);
        }
    });
    world
}

fn claims(world: &World) -> Value {
    let mut claims = world.claims("nav", SCOPE);
    claims["aud"] = world.sandbox.skyporten().into();
    claims["resource"] = json!([AUDIENCE]);
    claims
}

async fn discovery(world: &World) -> Value {
    let url = format!("{}/.well-known/openid-configuration", world.sandbox.skyporten());
    read(world.http.get(url).send().await.unwrap()).await.1
}

async fn grant(world: &World, claims: &Value) -> (u16, Value) {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", &*sign(claims, |_| {})),
    ];
    let url = format!("{}/token", world.sandbox.skyporten());
    read(world.http.post(url).form(&form).send().await.unwrap()).await
}

async fn refused(world: &World, claims: &Value, error: &str, description: &str) {
    let (status, answer) = grant(world, claims).await;
    assert_eq!((status, &answer["error"]), (400, &json!(error)), "{answer}");
    let found = answer["error_description"].as_str().unwrap();
    assert!(found.contains(description), "{found}");
}

#[tokio::test]
async fn discovery_leads_to_a_token_that_a_cloud_can_verify() {
    let world = world().await;
    let issuer = world.sandbox.skyporten();
    assert!(issuer.starts_with("http://127.0.0.1:") && !issuer.ends_with('/'));
    let metadata = discovery(&world).await;
    assert_eq!(metadata["issuer"], issuer);
    assert_eq!(metadata["token_endpoint"], format!("{issuer}/token"));
    assert_eq!(metadata["jwks_uri"], format!("{issuer}/jwk"));

    let (status, answer) = grant(&world, &claims(&world)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!((&answer["token_type"], &answer["scope"]), (&json!("Bearer"), &json!(SCOPE)));
    let jwks = metadata["jwks_uri"].as_str().unwrap();
    let keys: JwkSet = world.http.get(jwks).send().await.unwrap().json().await.unwrap();
    let token = answer["access_token"].as_str().unwrap();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[issuer]);
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims;
    assert_eq!(claims["sub"], format!("0192:{NAV};{SCOPE}"));
    assert_eq!(claims["aud"], AUDIENCE);
    assert_eq!(claims["consumer"]["ID"], format!("0192:{NAV}"));
    let names: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["aud", "client_amr", "client_id", "consumer", "exp", "iat", "iss", "jti", "scope", "sub"];
    assert_eq!(names, expected);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
}

#[tokio::test]
async fn the_audience_of_a_grant_is_the_issuer_without_a_slash() {
    let world = world().await;
    let issuer = world.sandbox.skyporten();
    for aud in [format!("{issuer}/"), world.sandbox.issuer().to_owned()] {
        let mut claims = claims(&world);
        claims["aud"] = aud.into();
        refused(&world, &claims, "invalid_grant", "Invalid JWT claim aud").await;
    }
    // Nor does Maskinporten take a grant for Skyporten.
    let (status, answer) = world.grant(&sign(&claims(&world), |_| {})).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn a_token_has_one_scope_and_a_resource() {
    let world = world().await;
    let with = |name: &str, value: Value| {
        let mut claims = claims(&world);
        claims[name] = value;
        claims
    };
    let several = with("scope", json!(format!("{SCOPE} dig:lager.write")));
    refused(&world, &several, "invalid_scope", "one scope").await;
    refused(&world, &with("scope", json!("")), "invalid_scope", "no scope").await;
    let mut without = claims(&world);
    without.as_object_mut().unwrap().remove("resource");
    for claims in [without, with("resource", json!([]))] {
        refused(&world, &claims, "invalid_target", "no resource").await;
    }
    refused(&world, &with("resource", json!("lager")), "invalid_target", "absolute URI").await;
    let (_, answer) = grant(&world, &with("resource", json!(AUDIENCE))).await;
    let token = answer["access_token"].as_str().unwrap();
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap();
    assert_eq!(claims["aud"], AUDIENCE);
}

#[tokio::test]
async fn clients_keys_and_accesses_are_those_of_maskinporten() {
    let world = world().await;
    let mut denied = claims(&world);
    denied["scope"] = "dig:annet.read".into();
    refused(&world, &denied, "invalid_scope", "MP-250").await;
    let mut unknown = claims(&world);
    unknown["iss"] = "nobody".into();
    refused(&world, &unknown, "invalid_client", "MP-100").await;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", &*sign(&claims(&world), |header| header.kid = Some("other".into()))),
    ];
    let url = format!("{}/token", world.sandbox.skyporten());
    let (_, answer) = read(world.http.post(url).form(&form).send().await.unwrap()).await;
    let description = answer["error_description"].as_str().unwrap();
    assert!(description.starts_with("MP-120"), "{description}");

    world.sandbox.edit(|state| {
        state.put_access(scope(SCOPE), orgno(NAV), AccessState::Denied);
    });
    refused(&world, &claims(&world), "invalid_scope", "MP-250").await;
}

#[tokio::test]
async fn its_tokens_do_not_open_the_api() {
    let mut world = world().await;
    let mut claims = claims(&world);
    claims["scope"] = "idporten:scopes.read".into();
    let (status, answer) = grant(&world, &claims).await;
    assert_eq!(status, 200, "{answer}");
    world.token = answer["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/scopes").await.0, 401);
}

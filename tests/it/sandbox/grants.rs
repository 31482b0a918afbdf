//! Maskinporten: metadata, grants, tokens.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rcgen::{CertificateParams, DnType, KeyPair};
use reqwest::Method;
use sandbox::{ClientKey, Switches};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{DIGDIR, KEY, NAV, World, orgno, read, sign, two_organizations};

const READ: &str = "idporten:scopes.read";

async fn metadata(world: &World) -> Value {
    let url = world.url("/.well-known/oauth-authorization-server");
    read(world.http.get(url).send().await.unwrap()).await.1
}

#[tokio::test]
async fn metadata_leads_to_tokens_and_to_the_keys_that_verify_them() {
    let world = World::new().await;
    let metadata = metadata(&world).await;
    let issuer = world.sandbox.issuer();
    assert!(issuer.starts_with("http://127.0.0.1:") && issuer.ends_with('/'));
    assert_eq!(metadata["issuer"], issuer);
    assert_eq!(metadata["token_endpoint"], world.url("/token"));

    let (status, answer) = world.grant(&sign(&world.claims("nav", READ), |_| {})).await;
    assert_eq!(status, 200);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 120);
    assert_eq!(answer["scope"], READ);

    let jwks = metadata["jwks_uri"].as_str().unwrap();
    let keys: JwkSet = world.http.get(jwks).send().await.unwrap().json().await.unwrap();
    let token = answer["access_token"].as_str().unwrap();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["unspecified"]);
    validation.set_issuer(&[issuer]);
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims;
    assert_eq!(claims["consumer"]["authority"], "iso6523-actorid-upis");
    assert_eq!(claims["consumer"]["ID"], format!("0192:{NAV}"));
    assert_eq!(claims["client_id"], "nav");
    assert_eq!(claims["scope"], READ);
}

#[tokio::test]
async fn every_algorithm_of_digdir_is_taken() {
    let world = World::new().await;
    for alg in [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512] {
        let assertion = sign(&world.claims("nav", READ), |header| header.alg = alg);
        assert_eq!(world.grant(&assertion).await.0, 200, "{alg:?}");
    }
    let assertion = sign(&world.claims("nav", READ), |header| header.alg = Algorithm::PS256);
    assert_eq!(world.grant(&assertion).await.1["error"], "invalid_grant");
}

#[tokio::test]
async fn a_resource_becomes_the_audience() {
    let world = World::new().await;
    let mut claims = world.claims("nav", READ);
    claims["resource"] = json!(["https://api.example.com/"]);
    let (_, answer) = world.grant(&sign(&claims, |_| {})).await;
    let token = answer["access_token"].as_str().unwrap();
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap();
    assert_eq!(claims["aud"], json!(["https://api.example.com/"]));
}

#[tokio::test]
async fn bad_claims_are_refused() {
    let world = World::new().await;
    let now = jiff::Timestamp::now().as_second();
    let cases = [
        (
            "aud",
            json!("https://test.maskinporten.no/"),
            "invalid_grant",
            "MP-110 Invalid JWT claim aud",
        ),
        ("aud", json!(world.sandbox.issuer().trim_end_matches('/')), "invalid_grant", "MP-110"),
        ("iss", json!("nobody"), "invalid_client", "MP-100 Unknown client"),
        ("iat", json!(now + 60), "invalid_grant", "MP-130 issue time is after now"),
        ("iat", json!(now - 60), "invalid_grant", "MP-130"),
        ("exp", json!(now + 200), "invalid_grant", "MP-130"),
        ("exp", json!(now - 1), "invalid_grant", "MP-130"),
        ("jti", json!(7), "invalid_grant", "MP-011"),
        ("pid", json!("1234"), "invalid_grant", "MP-011"),
        ("scope", json!(""), "invalid_scope", "MP-200"),
        ("scope", json!("idporten:scopes.read skatt:x"), "invalid_scope", "MP-200"),
        ("consumer_org", json!(DIGDIR), "invalid_grant", "MP-251"),
        ("consumer_org", json!(NAV), "invalid_request", "MP-011"),
        ("resource", json!("api"), "invalid_target", "absolute URI"),
        ("resource", json!(["https://a.example/#b"]), "invalid_target", "fragment"),
    ];
    for (claim, value, error, description) in cases {
        let mut claims = world.claims("nav", READ);
        claims[claim] = value;
        let (status, answer) = world.grant(&sign(&claims, |_| {})).await;
        assert_eq!((status, &answer["error"]), (400, &json!(error)), "{claim}: {answer}");
        let message = answer["error_description"].as_str().unwrap();
        assert!(message.contains(description), "{claim}: {answer}");
    }
}

#[tokio::test]
async fn a_grant_is_good_for_one_use() {
    let world = World::new().await;
    let assertion = sign(&world.claims("nav", READ), |_| {});
    assert_eq!(world.grant(&assertion).await.0, 200);
    let (status, answer) = world.grant(&assertion).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    let message = answer["error_description"].as_str().unwrap();
    assert!(message.starts_with("MP-012"), "{message}");
}

/// C: what libraries for tokens are known to send.
#[tokio::test]
async fn a_grant_in_the_forms_of_real_clients_is_taken() {
    let world = World::new().await;
    let now = jiff::Timestamp::now().as_second() as f64;
    let mut claims = world.claims("nav", READ);
    claims["iat"] = json!(now - 0.75);
    claims["exp"] = json!(now + 60.5);
    claims["pid"] = json!("12345678901");
    claims.as_object_mut().unwrap().remove("jti");
    let assertion = sign(&claims, |_| {});
    // Without a jti it can be used again.
    for _ in 0..2 {
        let (status, answer) = world.grant(&assertion).await;
        assert_eq!(status, 200, "{answer}");
        let token = answer["access_token"].as_str().unwrap();
        let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap();
        assert_eq!(claims["pid"], "12345678901");
        assert_eq!(claims["client_amr"], "private_key_jwt");
    }
    let query = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion.as_str()),
    ];
    let request = world.http.post(world.url("/token")).query(&query);
    let (status, answer) = read(request.send().await.unwrap()).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let world = World::new().await;
    let other = ClientKey::generate().unwrap();
    let pem = other.private_key_pem.expose_secret();
    let key = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(KEY.kid.clone());
    let forged = jsonwebtoken::encode(&header, &world.claims("nav", READ), &key).unwrap();
    let unknown = sign(&world.claims("nav", READ), |header| header.kid = Some("other".into()));
    for (assertion, expected) in [
        (forged, "MP-124 Invalid JWT signature"),
        (unknown, "MP-120 Unknown key identifier (kid) for client"),
    ] {
        let (_, answer) = world.grant(&assertion).await;
        let message = answer["error_description"].as_str().unwrap();
        assert!(message.starts_with(expected), "{message}");
    }
    for kid in [None, Some(String::new())] {
        let assertion = sign(&world.claims("nav", READ), |header| header.kid = kid);
        assert_eq!(world.grant(&assertion).await.0, 400);
    }
}

#[tokio::test]
async fn the_form_must_be_as_the_rfc_has_it() {
    let world = World::new().await;
    let assertion = sign(&world.claims("nav", READ), |_| {});
    let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let cases = [
        (vec![("grant_type", "password"), ("assertion", &*assertion)], "unsupported_grant_type"),
        (vec![("grant_type", grant_type)], "invalid_request"),
        (vec![("assertion", &*assertion)], "invalid_request"),
        (vec![("grant_type", grant_type), ("assertion", "nonsense")], "invalid_grant"),
    ];
    for (form, error) in cases {
        let request = world.http.post(world.url("/token")).form(&form);
        let (status, answer) = read(request.send().await.unwrap()).await;
        assert_eq!((status, &answer["error"]), (400, &json!(error)));
    }
    let request = world.http.post(world.url("/token")).json(&json!({}));
    let (status, answer) = read(request.send().await.unwrap()).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_request")));
}

/// A self-signed certificate of an organisation over the shared key.
fn certificate(
    attribute: &[u64],
    value: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> String {
    let pem = KEY.private_key_pem.expose_secret();
    let key = KeyPair::from_pkcs8_pem_and_sign_algo(pem, &rcgen::PKCS_RSA_SHA256).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CustomDnType(attribute.to_vec()), value);
    change(&mut params);
    STANDARD.encode(params.self_signed(&key).unwrap().der())
}

const SERIAL_NUMBER: [u64; 4] = [2, 5, 4, 5];
const ORGANIZATION_IDENTIFIER: [u64; 4] = [2, 5, 4, 97];

async fn with_certificate(client: &str, x5c: &str) -> (u16, String) {
    let mut state = two_organizations();
    state.register_certificate_client(orgno(NAV), "certified");
    let world = World::with(state, Switches::default()).await;
    let assertion = sign(&world.claims(client, READ), |header| {
        header.kid = None;
        header.x5c = Some(vec![x5c.to_owned()]);
    });
    let (status, answer) = world.grant(&assertion).await;
    let message = answer["error_description"].as_str().unwrap_or_default();
    (status, message.to_owned())
}

#[tokio::test]
async fn an_enterprise_certificate_signs_in_a_client_without_keys() {
    let bare = certificate(&SERIAL_NUMBER, NAV, |_| {});
    assert_eq!(with_certificate("certified", &bare).await.0, 200);
    let prefixed = certificate(&ORGANIZATION_IDENTIFIER, &format!("NTRNO-{NAV}"), |_| {});
    assert_eq!(with_certificate("certified", &prefixed).await.0, 200);
    let (first, rest) = bare.split_at(64);
    assert_eq!(with_certificate("certified", &format!("{first}\r\n{rest}\n")).await.0, 200);

    let (status, message) = with_certificate("nav", &bare).await;
    assert_eq!(status, 400);
    assert!(message.contains("kid"), "{message}");
}

#[tokio::test]
async fn a_certificate_of_somebody_else_or_of_the_past_is_refused() {
    let other = certificate(&SERIAL_NUMBER, DIGDIR, |_| {});
    let past = certificate(&SERIAL_NUMBER, NAV, |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let cases = [
        (other.as_str(), "MP-122"),
        (past.as_str(), "MP-123"),
        ("bm8gY2VydGlmaWNhdGU=", "MP-123"),
        ("%%%", "MP-123"),
    ];
    for (x5c, code) in cases {
        let (status, message) = with_certificate("certified", x5c).await;
        assert_eq!(status, 400);
        assert!(message.starts_with(code), "{code}: {message}");
    }
}

#[tokio::test]
async fn without_a_living_token_nothing_is_shown() {
    let mut world = World::new().await;
    let url = world.url("/api/v1/scopes");
    let (status, body) = read(world.http.get(url).send().await.unwrap()).await;
    assert_eq!((status, &body["status"]), (401, &json!(401)));
    assert!(body["correlation_id"].is_string());

    world.token = "unknown".to_owned();
    assert_eq!(world.get("/scopes").await.0, 401);

    let mut switches = world.sandbox.switches();
    switches.token_lifetime = 0;
    world.sandbox.set_switches(switches);
    world.token = world.token_for("nav", READ).await;
    assert_eq!(world.get("/scopes").await.0, 401);
    world.check();
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_say() {
    let mut world = World::new().await;
    world.make("etat:a").await;
    world.token = world.token_for("nav", READ).await;
    for path in ["/scopes", "/prefix", "/scopes/scope?scope=etat:a", "/scopes/access/all"] {
        assert_eq!(world.get(path).await.0, 200, "{path}");
    }
    let body = json!({ "name": "etat:b", "description": "Les" });
    assert_eq!(world.post("/scopes", body.clone()).await.0, 403);
    assert_eq!(world.put("/scopes?scope=etat:a", body).await.0, 403);
    assert_eq!(world.delete("/scopes?scope=etat:a").await.0, 403);
    assert_eq!(world.grant_access(DIGDIR, "etat:a").await.0, 403);

    world.token = world.token_for("nav", "idporten:scopes.write").await;
    for (path, status) in [
        ("/scopes", 200),
        ("/prefix", 200),
        ("/scopes/scope?scope=etat:a", 403),
        ("/scopes/access?scope=etat:a", 403),
        ("/scopes/access/all", 403),
    ] {
        assert_eq!(world.get(path).await.0, status, "{path}");
    }
    world.check();
}

#[tokio::test]
async fn no_record_holds_an_access_token() {
    let world = World::new().await;
    world.call(Method::GET, "/scopes", None).await.unwrap();
    let exchanges = format!("{:?}", world.sandbox.exchanges());
    assert!(exchanges.contains("/scopes") && !exchanges.contains(&world.token));
    world.sandbox.clear_exchanges();
    assert_eq!(world.sandbox.exchanges(), []);
}

//! The keys of clients.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};
use sandbox::{ClientKey, Switches};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::registry::{
    check_answers, fields, jwk, make, maskinporten, shared_jwk as key, with, world,
};
use crate::support::{KEY, World, column, two_organizations};

const YEAR: i64 = 365 * 24 * 60 * 60;

async fn client(world: &World) -> String {
    let (id, _) = make(world, maskinporten(&["idporten:scopes.read"])).await;
    format!("/clients/{id}/jwks")
}

fn set(keys: &[Value]) -> Value {
    json!({ "keys": keys })
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

#[tokio::test]
async fn a_set_is_replaced_as_a_whole_and_each_key_lives_for_a_year() {
    let world = world().await;
    let jwks = client(&world).await;
    assert_eq!(world.get(&jwks).await, (200, json!({ "keys": [] })));

    let (status, posted) = world.post(&jwks, set(&[key("b"), key("a.B_c-1")])).await;
    assert_eq!(status, 200, "{posted}");
    assert_eq!(column(&posted["keys"], "kid"), ["a.B_c-1", "b"]);
    let first = &posted["keys"][0];
    for member in ["kty", "use", "alg", "n", "e"] {
        assert_eq!(first[member], key("a")[member], "{member}");
    }
    assert!((0..60).contains(&(now() + YEAR - first["exp"].as_i64().unwrap())));
    assert!(first["created"].is_string() && first["created"] == first["last_updated"]);
    assert_eq!(posted["created"], first["created"]);
    assert!(posted["last_updated"].is_string());
    assert_eq!(world.get(&jwks).await, (200, posted));

    let (_, posted) = world.post(&jwks, set(&[key("c")])).await;
    assert_eq!(column(&posted["keys"], "kid"), ["c"]);
    assert_eq!(world.delete(&jwks).await, (200, json!("")));
    assert_eq!(world.get(&jwks).await, (200, json!({ "keys": [] })));
    assert_eq!(world.delete(&jwks).await.0, 404);
    world.check();
}

#[tokio::test]
async fn single_keys_come_and_go() {
    let world = world().await;
    let jwks = client(&world).await;
    for kid in ["a", "b", "c", "d", "e"] {
        let (status, put) = world.put(&format!("{jwks}/{kid}"), key(kid)).await;
        assert_eq!((status, &put["kid"]), (200, &json!(kid)));
        assert_eq!(world.get(&format!("{jwks}/{kid}")).await, (200, put));
    }
    assert_eq!(world.put(&format!("{jwks}/f"), key("f")).await.0, 400, "five are the most");
    assert_eq!(world.put(&format!("{jwks}/a"), key("a")).await.0, 200);
    let (status, answer) = world.put(&format!("{jwks}/a"), key("z")).await;
    assert_eq!((status, fields(&answer)), (400, vec!["kid"]));
    assert_eq!(world.delete(&format!("{jwks}/b")).await, (200, json!("")));
    assert_eq!(world.delete(&format!("{jwks}/b")).await.0, 404);
    assert_eq!(world.get(&format!("{jwks}/b")).await.0, 404);
    assert_eq!(column(&world.get(&jwks).await.1["keys"], "kid"), ["a", "c", "d", "e"]);
    world.check();
}

#[tokio::test]
async fn what_is_no_good_key_is_refused() {
    let world = world().await;
    let jwks = client(&world).await;
    let before = world.sandbox.state();
    let certificate = certificate(&ClientKey::generate().unwrap());
    let small = URL_SAFE_NO_PAD.encode([0xff; 255]);
    let padded = URL_SAFE_NO_PAD.encode([&[0][..], &[0x7f; 256]].concat());
    for (member, value) in [
        ("kty", json!("EC")),
        ("use", json!("enc")),
        ("use", Value::Null),
        ("alg", json!("PS256")),
        ("kid", json!("")),
        ("kid", json!("a b")),
        ("kid", json!("æ")),
        ("kid", json!("a/b")),
        ("n", json!(small)),
        ("n", json!(padded)),
        ("n", json!("not base64url!")),
        ("n", Value::Null),
        ("e", json!("AA")),
        ("x5c", json!("MII")),
        ("x5c", json!(["MII"])),
        ("x5c", json!([certificate])),
        ("exp", json!(now() + YEAR + 2 * 86_400)),
        ("exp", json!(0.5)),
        ("exp", json!("2027-01-01")),
    ] {
        let mut bad = key("a");
        bad[member] = value;
        let (status, answer) = world.post(&jwks, set(&[key("b"), bad.clone()])).await;
        assert_eq!((status, fields(&answer)), (400, vec![member]), "{bad}");
        assert_eq!(answer["errors"][0]["objectName"], "key");
        assert_eq!(world.put(&format!("{jwks}/a"), bad.clone()).await.0, 400, "{bad}");
    }
    let six = ["a", "b", "c", "d", "e", "f"].map(key);
    for (bad, field) in [
        (set(&[]), "keys"),
        (json!({}), "keys"),
        (set(&six), "keys"),
        (set(&[key("a"), key("a")]), "kid"),
        (set(&[json!("a")]), "keys"),
    ] {
        let (status, answer) = world.post(&jwks, bad).await;
        assert_eq!((status, fields(&answer)), (400, vec![field]));
    }
    assert_eq!(world.sandbox.state(), before);
    check_answers(&world);
}

/// S does not list RS384, so nothing is held against it here.
#[tokio::test]
async fn every_algorithm_of_the_documentation_is_taken() {
    let world = world().await;
    let jwks = client(&world).await;
    for alg in ["RS256", "RS384", "RS512"] {
        let mut body = key("a");
        body["alg"] = json!(alg);
        let (status, put) = world.put(&format!("{jwks}/a"), body).await;
        assert_eq!((status, &put["alg"]), (200, &json!(alg)));
    }
}

#[tokio::test]
async fn a_private_member_is_refused_and_seen_nowhere() {
    let world = world().await;
    let jwks = client(&world).await;
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let mut private = key("a");
        private[member] = json!("hemmelig");
        let (status, answer) = world.post(&jwks, set(&[private.clone()])).await;
        assert_eq!((status, fields(&answer)), (400, vec![member]));
        assert!(!answer.to_string().contains("hemmelig"));
        let (status, answer) = world.put(&format!("{jwks}/a"), private).await;
        assert_eq!(status, 400);
        assert!(!answer.to_string().contains("hemmelig"));
    }
    for text in ["hemmelig", "{\"d\": \"hemmelig\"", "{\"keys\": [{\"d\": \"hemmelig\"}]}"] {
        let request = world.http.post(world.url(&format!("/api/v1{jwks}")));
        let request = request.bearer_auth(&world.token).header("content-type", "application/json");
        let answer = request.body(text).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        assert!(!answer.text().await.unwrap().contains("hemmelig"));
    }
    let everything = format!("{:?} {:?}", world.sandbox.state(), world.sandbox.exchanges());
    assert!(!everything.contains("hemmelig"));
    let (status, answer) = world.post(&jwks, json!(["hemmelig"])).await;
    assert!(status == 400 && !answer.to_string().contains("hemmelig"), "{answer}");
    check_answers(&world);
}

#[tokio::test]
async fn a_key_can_end_sooner_and_unknown_members_are_dropped() {
    let world = world().await;
    let jwks = client(&world).await;
    let mut body = key("a");
    body["exp"] = json!(now() + 60);
    body["mine"] = json!("x");
    let (_, put) = world.put(&format!("{jwks}/a"), body.clone()).await;
    assert_eq!(put["exp"], body["exp"]);
    assert!(put.get("mine").is_none());

    let (_, posted) = world.post(&jwks, set(&[put.clone(), key("b")])).await;
    assert_eq!(posted["keys"][0]["exp"], put["exp"], "what it gives it takes back");
    assert_eq!(posted["keys"][0]["created"], put["created"]);
    world.check();
}

#[tokio::test]
async fn whether_a_key_gets_a_new_year_is_switched() {
    let other = ClientKey::generate().unwrap();
    for keys_keep_exp in [false, true] {
        let switches = Switches { keys_keep_exp, ..Switches::default() };
        let world = with(two_organizations(), switches).await;
        let jwks = client(&world).await;
        let mut short = key("a");
        short["exp"] = json!(now() + 60);
        world.put(&format!("{jwks}/a"), short).await;
        let (_, again) = world.put(&format!("{jwks}/a"), key("a")).await;
        assert_eq!(again["exp"].as_i64().unwrap() < now() + YEAR - 60, keys_keep_exp);
        let (_, renewed) = world.put(&format!("{jwks}/a"), jwk(&other, "a")).await;
        assert!(renewed["exp"].as_i64().unwrap() > now() + YEAR - 60, "it is another key");
        world.check();
    }
}

#[tokio::test]
async fn a_key_can_be_locked_to_its_certificate() {
    let world = world().await;
    let jwks = client(&world).await;
    let mut body = key("a");
    body["x5c"] = json!([certificate(&KEY)]);
    let (status, put) = world.put(&format!("{jwks}/a"), body.clone()).await;
    assert_eq!((status, &put["x5c"]), (200, &body["x5c"]));
    let (first, rest) = body["x5c"][0].as_str().unwrap().split_at(64);
    body["x5c"] = json!([format!("{first}\n{rest}")]);
    assert_eq!(world.put(&format!("{jwks}/a"), body).await.0, 200);
    world.check();
}

fn certificate(key: &ClientKey) -> String {
    let pem = key.private_key_pem.expose_secret();
    let key = KeyPair::from_pkcs8_pem_and_sign_algo(pem, &rcgen::PKCS_RSA_SHA256).unwrap();
    STANDARD.encode(CertificateParams::default().self_signed(&key).unwrap().der())
}

//! `portvakt token`, and the path from a declaration to a token that another library requests and verifies.

mod skyporten;

use std::collections::BTreeMap;

use domain::AccessState::{Approved, Denied, Requested};
use domain::{ScopeAttributes, TokenType};
use jwt_simple::algorithms::{
    RS256KeyPair, RS256PublicKey, RSAKeyPairLike as _, RSAPublicKeyLike as _,
};
use jwt_simple::claims::Claims;
use jwt_simple::common::VerificationOptions;
use jwt_simple::token::Token;
use sandbox::Switches;
use serde_json::{Value, json};

use crate::credentials::{register, world as with_client};
use crate::world::{DIGDIR, KEY, OWNER, RUNTIME, Ran, SKATT, World, name, orgno};

const NAME: &str = "Prod: Sak_1";

fn world() -> World {
    let world = with_client();
    world.sandbox.edit(|state| {
        let scopes = &mut state.clients.get_mut("1f0a").unwrap().scopes;
        scopes.insert("dig:fremmed.read".to_owned());
        let attributes = ScopeAttributes {
            description: "Les".to_owned(),
            delegation_source: Some("https://tt02.altinn.no/".to_owned()),
            ..Default::default()
        };
        state.put_scope(orgno(DIGDIR), name("dig:fremmed.read"), true, &attributes);
        state.put_access(name("dig:fremmed.read"), orgno(OWNER), Approved);
    });
    world
}

fn ran(world: &World, more: &[&str]) -> Ran {
    world.run(&[&["token", "--client", NAME, "--key", "key.pem"], more].concat())
}

fn done(world: &World, more: &[&str]) -> Value {
    let ran = ran(world, more);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn refused(world: &World, more: &[&str], message: &[&str]) {
    let ran = ran(world, more);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    for message in message {
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("idporten:"), "that is about another client: {}", ran.stderr);
}

#[test]
fn the_claims_are_shown_and_not_the_token() {
    let world = world();
    let claims = done(&world, &[]);
    assert_eq!(claims["client_id"], "1f0a");
    assert_eq!(claims["iss"], world.sandbox.issuer());
    assert_eq!(claims["scope"], "dig:fremmed.read etat:a etat:b/c.read", "all of the client's");
    assert_eq!(claims["aud"], "unspecified");
    assert_eq!(claims["consumer"]["ID"], format!("0192:{OWNER}"));

    let one = done(&world, &["--scope", "etat:a", "--scope", "etat:b/c.read"]);
    assert_eq!(one["scope"], "etat:a etat:b/c.read");
    let two = ["--resource", "https://a.example/", "--resource", "https://b.example/"];
    assert_eq!(done(&world, &two)["aud"], json!(["https://a.example/", "https://b.example/"]));

    let decoded = done(&world, &["--decode"]);
    assert_eq!(decoded["header"]["alg"], "RS256");
    assert_eq!(decoded["claims"]["client_id"], "1f0a");
}

#[test]
fn a_resource_that_is_no_absolute_uri_is_wrong_usage() {
    let world = world();
    for resource in ["", "ikke uri", "/sti", "https://a.example/#del"] {
        let ran = ran(&world, &["--resource", resource]);
        assert_eq!(ran.code, 64, "{resource}: {}", ran.stderr);
        assert!(ran.stderr.contains("--resource") && ran.stderr.contains("absolute URI"));
    }
    assert!(world.sandbox.exchanges().is_empty());
}

#[test]
fn the_organisation_itself_is_no_consumer_to_act_for() {
    refused(&world(), &["--consumer-org", OWNER], &["leave --consumer-org out"]);
}

#[test]
fn the_token_is_printed_where_asked_for_alone() {
    let world = world();
    let printed = ran(&world, &["--print", "-vvv"]);
    assert_eq!(printed.code, 0, "{}", printed.stderr);
    let token = printed.stdout.strip_suffix('\n').unwrap();
    assert_eq!(token.split('.').count(), 3);
    assert!(!printed.stderr.contains("eyJ"), "{}", printed.stderr);
    for more in [&["-vvv"][..], &["-vvv", "--decode"], &["-vvv", "--scope", "etat:nei"]] {
        let ran = ran(&world, more);
        let message = ran.stdout + &ran.stderr;
        assert!(!message.contains("eyJ"), "{more:?}: {message}");
    }
    assert_eq!(ran(&world, &["--print", "--decode"]).code, 64);
}

#[test]
fn a_token_that_says_nothing_is_shown_as_such() {
    let world = world();
    world.sandbox.edit(|state| {
        let attributes =
            ScopeAttributes { token_type: TokenType::Opaque, ..ScopeAttributes::default() };
        state.put_scope(orgno(OWNER), name("etat:a"), true, &attributes);
    });
    let opaque = ran(&world, &["--scope", "etat:a"]);
    assert_eq!((opaque.code, opaque.stdout.as_str()), (0, ""));
    assert!(opaque.stderr.contains("OPAQUE"), "{}", opaque.stderr);
    let token = ran(&world, &["--scope", "etat:a", "--print"]).stdout;
    assert!(!token.trim().is_empty() && !token.contains('.'));
}

#[test]
fn a_supplier_gets_one_for_a_consumer_that_has_delegated() {
    let world = world();
    let asked = ["--scope", "dig:fremmed.read", "--consumer-org", SKATT];
    world.sandbox.edit(|state| {
        state.put_access(name("dig:fremmed.read"), orgno(SKATT), Approved);
    });
    refused(&world, &asked, &["MP-251", SKATT, "dig:fremmed.read", "Altinn"]);
    world.sandbox.edit(|state| {
        state.put_delegation(name("dig:fremmed.read"), orgno(SKATT), orgno(OWNER));
    });
    let claims = done(&world, &asked);
    assert_eq!(claims["consumer"]["ID"], format!("0192:{SKATT}"));
    assert_eq!(claims["supplier"]["ID"], format!("0192:{OWNER}"));
    assert_eq!(ran(&world, &["--consumer-org", "123"]).code, 64);
}

#[test]
fn what_to_do_without_access_depends_on_the_scope() {
    let world = world();
    refused(&world, &["--scope", "etat:nei"], &["MP-200", "etat:nei is not on client", "apply"]);
    world.sandbox.edit(|state| {
        state.put_access(name("dig:fremmed.read"), orgno(OWNER), Requested);
        let attributes = ScopeAttributes {
            delegation_source: Some("https://tt02.altinn.no/".to_owned()),
            ..Default::default()
        };
        state.put_scope(orgno(OWNER), name("etat:a"), true, &attributes);
        state.put_access(name("etat:a"), orgno(SKATT), Denied);
        state.put_delegation(name("etat:a"), orgno(SKATT), orgno(OWNER));
    });
    let own = ["--scope", "etat:a", "--consumer-org", SKATT];
    refused(&world, &own, &["MP-250", "own scope", "`consumers`"]);
    let foreign = ["--scope", "dig:fremmed.read", "--scope", "etat:b/c.read"];
    refused(&world, &foreign, &["MP-250", "ask its owner, who has the prefix dig"]);
    let message = ran(&world, &foreign).stderr;
    assert!(!message.contains("etat:b/c.read is"), "{message}");
}

#[test]
fn what_has_not_reached_maskinporten_yet_is_reported_as_young() {
    let world = world();
    world.sandbox.set_switches(Switches { sync_delay: 3600, ..Switches::default() });
    world.sandbox.edit(|state| {
        state.clients.get_mut("1f0a").unwrap().created = jiff::Timestamp::now();
    });
    refused(&world, &[], &["no client", "two minutes"]);
    world.sandbox.edit(|state| {
        state.clients.get_mut("1f0a").unwrap().created = jiff::Timestamp::UNIX_EPOCH;
    });
    refused(&world, &[], &["MP-120", "den-nye.1", "s ago", "wait"]);
    world.sandbox.set_switches(Switches::default());
    done(&world, &[]);
}

#[test]
fn a_key_that_has_ended_is_reported() {
    let world = world();
    world.sandbox.edit(|state| {
        let key = state.clients.get_mut("1f0a").unwrap().keys.get_mut("den-nye.1").unwrap();
        key.created = "2026-01-01T00:00:00Z".parse().unwrap();
        key.exp = 1_795_000_000;
    });
    refused(&world, &[], &["MP-121", "den-nye.1", "has expired", "keys renew"]);
}

#[test]
fn a_grant_is_signed_as_the_key_is_registered() {
    let world = world();
    world.sandbox.edit(|state| {
        let keys = &mut state.clients.get_mut("1f0a").unwrap().keys;
        let alg = jsonwebtoken::jwk::KeyAlgorithm::RS512;
        keys.get_mut("den-nye.1").unwrap().public.common.key_algorithm = Some(alg);
    });
    done(&world, &[]);
    let exchanges = world.sandbox.exchanges();
    let grant = exchanges.iter().rfind(|exchange| exchange.path == "/token").unwrap();
    let form: BTreeMap<String, String> =
        url::form_urlencoded::parse(grant.body.as_bytes()).into_owned().collect();
    let header = jsonwebtoken::decode_header(&form["assertion"]).unwrap();
    assert_eq!(header.alg, jsonwebtoken::Algorithm::RS512);
}

#[test]
fn a_key_of_somebody_else_or_a_client_without_scopes_is_refused_here() {
    let world = world();
    register(&world, "1f0a", &crate::world::KEY, "en");
    world.sandbox.edit(|state| state.clients.get_mut("1f0a").unwrap().scopes.clear());
    refused(&world, &[], &["no scope"]);
    world.sandbox.edit(|state| state.clients.get_mut("1f0a").unwrap().keys.clear());
    refused(&world, &["--scope", "etat:a"], &["key.pem", "not registered", "apply"]);
}

const DECLARATIONS: &str = "\
scopes:
  - { name: etat:sak.read, description: Les, consumers: [\"889640782\"] }
clients:
  - { name: sak, description: Henter, scopes: [etat:sak.read] }
";

fn json_from(request: reqwest::RequestBuilder) -> Value {
    RUNTIME.block_on(async { request.send().await.unwrap().json().await.unwrap() })
}

/// From nothing to a token: declarations are applied, and an application that knows only its seven variables
/// and RFC 7523 gets a token, by a library that this project does not use.
#[test]
fn from_a_declaration_to_a_token() {
    let world = World::new();
    world.declare(DECLARATIONS);
    let run = |args: &[&str]| {
        let ran = world.run(args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    run(&["keys", "generate", "sak", "--out", "sak.jwk"]);
    world.converges(&[
        "create scope etat:sak.read",
        "grant etat:sak.read 889640782",
        "create client sak",
        "keys client sak",
    ]);
    let variables = run(&["credentials", "sak", "--key", "sak.jwk", "--format", "json"]);
    let variables: BTreeMap<String, String> = serde_json::from_str(&variables).unwrap();
    let get = |name: &str| variables[&format!("MASKINPORTEN_{name}")].as_str();

    let jwk: Value = serde_json::from_str(get("CLIENT_JWK")).unwrap();
    let key = RS256KeyPair::from_jwk(get("CLIENT_JWK")).unwrap();
    let key = key.with_key_id(jwk["kid"].as_str().unwrap());
    let scope = BTreeMap::from([("scope".to_owned(), get("SCOPES").to_owned())]);
    let lifetime = jwt_simple::prelude::Duration::from_secs(100);
    let claims = Claims::with_custom_claims(scope, lifetime)
        .with_issuer(get("CLIENT_ID"))
        .with_audience(get("ISSUER"))
        .with_jwt_id(uuid::Uuid::new_v4().to_string());
    let assertion = key.sign(claims).unwrap();

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion.as_str()),
    ];
    let answer = json_from(http.post(get("TOKEN_ENDPOINT")).form(&form));
    let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));

    let kid = Token::decode_metadata(token).unwrap().key_id().unwrap().to_owned();
    let keys = json_from(http.get(get("JWKS_URI")));
    let keys = keys["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    let key = RS256PublicKey::from_jwk(&key.to_string()).unwrap();
    let options = VerificationOptions {
        allowed_issuers: Some([get("ISSUER").to_owned()].into()),
        ..VerificationOptions::default()
    };
    let claims = key.verify_token::<BTreeMap<String, Value>>(token, Some(options)).unwrap();
    assert_eq!(claims.custom["scope"], "etat:sak.read");
    assert_eq!(claims.custom["client_id"], get("CLIENT_ID"));
    assert_eq!(claims.custom["consumer"]["ID"], format!("0192:{OWNER}"));

    let other = RS256PublicKey::from_jwk(&json!(KEY.public).to_string()).unwrap();
    assert!(other.verify_token::<BTreeMap<String, Value>>(token, None).is_err());
    let metadata = json_from(http.get(get("WELL_KNOWN_URL")));
    assert_eq!(metadata["token_endpoint"], get("TOKEN_ENDPOINT"));
}

/// An application gets a token at every step of a rotation, with the key that it is told to use.
#[test]
fn a_rotation_never_locks_the_application_out() {
    let world = World::new();
    world.declare(DECLARATIONS);
    let run = |args: &[&str]| {
        let ran = world.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    };
    let works = |key: &str| world.run(&["token", "--client", "sak", "--key", key]).code == 0;
    run(&["keys", "generate", "sak", "--out", "1.jwk"]);
    run(&["apply", "--auto-approve"]);
    assert!(works("1.jwk"));
    run(&["keys", "rotate", "sak", "--out", "2.jwk"]);
    assert!(works("1.jwk") && !works("2.jwk"));
    run(&["apply", "--auto-approve"]);
    assert!(works("1.jwk") && works("2.jwk"));
    run(&["keys", "rotate", "sak", "--retire"]);
    assert!(works("1.jwk") && works("2.jwk"));
    run(&["apply", "--auto-approve"]);
    assert!(!works("1.jwk") && works("2.jwk"));
}

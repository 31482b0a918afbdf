//! An API behind a gateway: its scopes, and tokens of every kind with the decision that is right for each.

use std::sync::LazyLock;

use domain::AccessState::Approved;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use sandbox::{ClientKey, Config, Sandbox, State, Switches};
use serde_json::{Value, json};

use crate::support::{encoding_key, sign};
use crate::world::{KART, KEY, OWNER, RUNTIME, SKATT, World, orgno};

/// The scope of the API.
pub(crate) const SCOPE: &str = "etat:arbeid/aareg.read";

/// Another scope of the API.
pub(crate) const WRITE: &str = "etat:arbeid/aareg.write";

/// The key of the issuer, known here so that tokens can be made that it would never issue.
pub(crate) static ISSUER_KEY: LazyLock<ClientKey> =
    LazyLock::new(|| ClientKey::generate().unwrap());

/// A request, and whether it is let through: for everybody with access, and for declared consumers alone.
pub(crate) struct Attempt {
    pub(crate) what: &'static str,
    pub(crate) token: Option<String>,
    pub(crate) for_all: bool,
    pub(crate) for_declared: bool,
}

/// A repository with two scopes of an API, of which Skatteetaten is a declared consumer. Kartverket has access,
/// too, and is not declared.
pub(crate) fn world() -> World {
    let mut state = State::new(orgno(OWNER), "Etaten", &["etat".to_owned()]);
    state.register_key(orgno(OWNER), "portvakt", &KEY);
    for (consumer, client) in [(SKATT, "partner"), (KART, "other")] {
        state.register_key(orgno(consumer), client, &KEY);
        let scopes = &mut state.clients.get_mut(client).unwrap().scopes;
        scopes.extend([SCOPE.to_owned(), WRITE.to_owned()]);
    }
    let config = Config {
        signing: Some(ISSUER_KEY.clone()),
        switches: Switches::default(),
        ..Config::new(state)
    };
    let world = World::of(RUNTIME.block_on(Sandbox::start(config)).unwrap());
    for scope in [SCOPE, WRITE] {
        world.put(scope, true, &[(SKATT, Approved), (KART, Approved)]);
    }
    world.declare(&format!(
        "scopes:\n  - name: {SCOPE}\n    description: Les\n    consumers: [\"{SKATT}\"]\n  \
           - name: {WRITE}\n    description: Skriv\n    consumers: [\"{SKATT}\"]\n"
    ));
    world
}

/// A token that the sandbox's Maskinporten issues to a client.
fn issued(world: &World, client: &str, scopes: &str) -> String {
    let issuer = world.sandbox.issuer();
    let now = jiff::Timestamp::now().as_second();
    let claims =
        json!({ "aud": issuer, "iss": client, "iat": now, "exp": now + 100, "scope": scopes });
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
        ("assertion", sign(&claims, |_| {})),
    ];
    let answer: Value = RUNTIME.block_on(async {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let sent = http.post(format!("{issuer}token")).form(&form).send().await.unwrap();
        sent.json().await.unwrap()
    });
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// A token with claims that are changed, signed with a key under the issuer's id.
pub(crate) fn signed(world: &World, key: &ClientKey, change: impl FnOnce(&mut Value)) -> String {
    let now = jiff::Timestamp::now().as_second();
    let mut claims = json!({
        "iss": world.sandbox.issuer(), "scope": SCOPE, "client_id": "partner", "iat": now, "exp": now + 100,
        "consumer": { "authority": "iso6523-actorid-upis", "ID": format!("0192:{SKATT}") },
    });
    change(&mut claims);
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(ISSUER_KEY.kid.clone());
    jsonwebtoken::encode(&header, &claims, &encoding_key(key)).unwrap()
}

/// A token whose payload was changed after it was signed.
fn tampered(token: &str) -> String {
    let mut parts = token.split('.').map(str::to_owned);
    let (header, payload, signature) =
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let (first, rest) = payload.split_at(payload.len() / 2);
    let changed = if rest.starts_with('A') { 'B' } else { 'A' };
    format!("{header}.{first}{changed}{}.{signature}", &rest[1..])
}

/// Every attempt at [`SCOPE`].
pub(crate) fn attempts(world: &World) -> Vec<Attempt> {
    let now = jiff::Timestamp::now().as_second();
    let attempt = |what, token: Option<String>, for_all, for_declared| Attempt {
        what,
        token,
        for_all,
        for_declared,
    };
    let partner = issued(world, "partner", SCOPE);
    let by_issuer = |change: fn(&mut Value)| signed(world, &ISSUER_KEY, change);
    let expired = signed(world, &ISSUER_KEY, |claims| {
        claims["iat"] = json!(now - 400);
        claims["exp"] = json!(now - 300);
    });
    let lasting = by_issuer(|claims| drop(claims.as_object_mut().unwrap().remove("exp")));
    vec![
        attempt("no token", None, false, false),
        attempt("no token at all but a word", Some("token".to_owned()), false, false),
        attempt("the scope of a declared consumer", Some(partner.clone()), true, true),
        attempt(
            "two scopes",
            Some(issued(world, "partner", &format!("{WRITE} {SCOPE}"))),
            true,
            true,
        ),
        attempt("another scope", Some(issued(world, "partner", WRITE)), false, false),
        attempt(
            "a longer scope",
            Some(by_issuer(|it| it["scope"] = json!(format!("{SCOPE}.mer")))),
            false,
            false,
        ),
        attempt(
            "a scope within a word",
            Some(by_issuer(|it| it["scope"] = json!(format!("x{SCOPE}")))),
            false,
            false,
        ),
        attempt(
            "no scope",
            Some(by_issuer(|it| drop(it.as_object_mut().unwrap().remove("scope")))),
            false,
            false,
        ),
        attempt(
            "an organisation with access that is not declared",
            Some(issued(world, "other", SCOPE)),
            true,
            false,
        ),
        attempt(
            "no consumer",
            Some(by_issuer(|it| drop(it.as_object_mut().unwrap().remove("consumer")))),
            true,
            false,
        ),
        attempt(
            "a supplier that is declared, of a consumer that is not",
            Some(signed(world, &ISSUER_KEY, |claims| {
                claims["supplier"] = claims["consumer"].clone();
                claims["consumer"]["ID"] = json!(format!("0192:{KART}"));
            })),
            true,
            false,
        ),
        attempt(
            "the declared number of another register",
            Some(by_issuer(|it| it["consumer"]["ID"] = json!(format!("9908:{SKATT}")))),
            true,
            false,
        ),
        attempt(
            "the scope in capital letters",
            Some(by_issuer(|it| it["scope"] = json!(SCOPE.to_uppercase()))),
            false,
            false,
        ),
        attempt(
            "a list with a text that holds the scope",
            Some(by_issuer(|it| it["scope"] = json!([format!("x {SCOPE} y")]))),
            false,
            false,
        ),
        attempt("an expired token", Some(expired), false, false),
        attempt("a token without an end", Some(lasting), false, false),
        attempt(
            "another issuer",
            Some(by_issuer(|it| it["iss"] = json!("https://maskinporten.example/"))),
            false,
            false,
        ),
        attempt("another key", Some(signed(world, &KEY, |_| {})), false, false),
        attempt("a tampered token", Some(tampered(&partner)), false, false),
    ]
}

/// Attempts at an API with two scopes that have different consumers: Skatteetaten reads, and Kartverket writes.
pub(crate) fn crossed(world: &World) -> Vec<Attempt> {
    world.declare(&format!(
        "scopes:\n  - {{ name: {SCOPE}, description: Les, consumers: [\"{SKATT}\"] }}\n  \
           - {{ name: {WRITE}, description: Skriv, consumers: [\"{KART}\"] }}\n"
    ));
    let both = format!("{SCOPE} {WRITE}");
    let attempt = |what, client, scopes: &str, for_declared| Attempt {
        what,
        token: Some(issued(world, client, scopes)),
        for_all: true,
        for_declared,
    };
    vec![
        attempt("the scope of the consumer", "partner", SCOPE, true),
        attempt("the scope of the other one", "partner", WRITE, false),
        attempt("the other one's own scope", "other", WRITE, true),
        attempt("the other one with the first scope", "other", SCOPE, false),
        attempt("both scopes, of which one is allowed", "other", &both, true),
    ]
}

/// The options of a policy for the two scopes of [`crossed`].
pub(crate) const CROSSED: [&str; 3] = ["--scope", WRITE, "--consumers"];

/// The claims of a token that the issuer signed with RS256, and that has not expired: the part that every engine
/// leaves to a library.
pub(crate) fn verified(token: &str, issuer: &str, audience: Option<&str>) -> Option<Value> {
    let mut public = ISSUER_KEY.public.clone();
    public.common.key_id = Some(ISSUER_KEY.kid.clone());
    let keys = JwkSet { keys: vec![public] };
    let header = jsonwebtoken::decode_header(token).ok()?;
    let key = DecodingKey::from_jwk(keys.find(&header.kid?)?).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.validate_aud = audience.is_some();
    validation.set_audience(audience.as_slice());
    jsonwebtoken::decode::<Value>(token, &key, &validation).ok().map(|it| it.claims)
}

/// The policy of an engine, as text.
pub(crate) fn rendered(world: &World, engine: &str, more: &[&str]) -> String {
    let ran = world.run(&[&["render", engine, "--scope", SCOPE], more].concat());
    assert_eq!(ran.code, 0, "{engine}: {}", ran.stderr);
    ran.stdout
}

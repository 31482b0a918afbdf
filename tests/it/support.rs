//! A sandbox and a plain HTTP client for it, without any of our code in between.

use std::sync::LazyLock;

use domain::{Orgno, ScopeName};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Method, Response};
use sandbox::{ClientKey, Config, Sandbox, State, Switches};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::openapi;

/// One key for all tests, as generating one takes long.
pub(crate) static KEY: LazyLock<ClientKey> = LazyLock::new(|| ClientKey::generate().unwrap());

pub(crate) const NAV: &str = "889640782";
pub(crate) const DIGDIR: &str = "991825827";
pub(crate) const SKATT: &str = "974761076";
pub(crate) const KARTVERKET: &str = "971040238";

pub(crate) fn orgno(text: &str) -> Orgno {
    text.parse().unwrap()
}

pub(crate) fn scope(text: &str) -> ScopeName {
    text.parse().unwrap()
}

/// NAV with the prefix `etat` and a client `nav`, DigDir with `dig` and a client `digdir`.
pub(crate) fn two_organizations() -> State {
    let mut state = State::new(orgno(NAV), "Etaten", &["etat".to_owned()]);
    state.add_prefixes(orgno(DIGDIR), &["dig".to_owned()]).unwrap();
    state.register_key(orgno(NAV), "nav", &KEY);
    state.register_key(orgno(DIGDIR), "digdir", &KEY);
    state
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(two_organizations(), Switches::default()).await
    }

    pub(crate) async fn with(state: State, switches: Switches) -> Self {
        let config = Config { switches, record: true, ..Config::new(state) };
        let mut world = Self {
            sandbox: Sandbox::start(config).await.unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            token: String::new(),
        };
        world.token = world.token_for("nav", "idporten:scopes.read idporten:scopes.write").await;
        world
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{}", self.sandbox.issuer(), path.trim_start_matches('/'))
    }

    pub(crate) async fn grant(&self, assertion: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion),
        ];
        let request = self.http.post(self.url("/token")).form(&form);
        read(request.send().await.unwrap()).await
    }

    pub(crate) async fn token_for(&self, client: &str, scopes: &str) -> String {
        let claims = self.claims(client, scopes);
        let (status, answer) = self.grant(&sign(&claims, |_| {})).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn claims(&self, client: &str, scopes: &str) -> Value {
        let now = jiff::Timestamp::now().as_second();
        json!({
            "aud": self.sandbox.issuer(),
            "iss": client,
            "iat": now,
            "exp": now + 120,
            "jti": uuid::Uuid::new_v4().to_string(),
            "scope": scopes,
        })
    }

    /// A call below `/api/v1` with the world's token.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Value), reqwest::Error> {
        let url = self.url(&format!("/api/v1{path}"));
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Ok(read(request.send().await?).await)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::PUT, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        self.call(Method::DELETE, path, None).await.unwrap()
    }

    /// A call without a body that grants an access.
    pub(crate) async fn grant_access(&self, consumer: &str, scope: &str) -> (u16, Value) {
        let path = format!("/scopes/access/{consumer}?scope={scope}");
        self.call(Method::PUT, &path, None).await.unwrap()
    }

    /// Creates a scope, and checks the answer.
    pub(crate) async fn make(&self, name: &str) -> Value {
        let body = json!({ "name": name, "description": "Les" });
        let (status, made) = self.post("/scopes", body).await;
        assert_eq!(status, 200, "{made}");
        made
    }

    /// Checks all exchanges against the description.
    pub(crate) fn check(&self) {
        openapi::check(&self.sandbox.exchanges());
    }
}

/// Signs with the shared key under its `kid`; `change` may alter the header.
pub(crate) fn sign(claims: &Value, change: impl FnOnce(&mut Header)) -> String {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(KEY.kid.clone());
    change(&mut header);
    jsonwebtoken::encode(&header, claims, &encoding_key(&KEY)).unwrap()
}

pub(crate) fn encoding_key(key: &ClientKey) -> EncodingKey {
    EncodingKey::from_rsa_pem(key.private_key_pem.expose_secret().as_bytes()).unwrap()
}

pub(crate) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// One field of each entry of a list.
pub(crate) fn column<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let entries = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    entries.iter().map(|entry| entry[field].as_str().unwrap()).collect()
}

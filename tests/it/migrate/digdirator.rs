//! Digdirator's handling of a manifest, through the sandbox's API. It matches a scope by its subscope, and a
//! client by its description and integration type; other attributes get its own defaults.

use reqwest::Method;
use sandbox::ClientKey;
use serde_json::{Value, json};

use crate::support::{encoding_key, read};
use crate::world::{KEY, OWNER, RUNTIME, World, orgno};

/// The name that it gives all clients.
pub(super) const NAME: &str = "ETATEN";

pub(super) struct Digdirator<'w> {
    world: &'w World,
    http: reqwest::Client,
    token: String,
    cluster: &'static str,
}

impl<'w> Digdirator<'w> {
    pub(super) fn new(world: &'w World, cluster: &'static str) -> Self {
        world.sandbox.edit(|state| state.register_key(orgno(OWNER), "digdirator", &KEY));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut new = Self { world, http, token: String::new(), cluster };
        new.token = RUNTIME.block_on(new.token());
        new
    }

    async fn token(&self) -> String {
        let now = jiff::Timestamp::now().as_second();
        let scopes =
            "idporten:scopes.read idporten:scopes.write idporten:dcr.read idporten:dcr.write";
        let claims = json!({
            "aud": self.world.sandbox.issuer(), "iss": "digdirator", "iat": now, "exp": now + 120,
            "jti": uuid::Uuid::new_v4().to_string(), "scope": scopes,
        });
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
        header.kid = Some(KEY.kid.clone());
        let assertion = jsonwebtoken::encode(&header, &claims, &encoding_key(&KEY)).unwrap();
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        let form = [("grant_type", grant), ("assertion", assertion.as_str())];
        let url = format!("{}token", self.world.sandbox.issuer());
        let (_, answer) = read(self.http.post(url).form(&form).send().await.unwrap()).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}api/v1{path}", self.world.sandbox.issuer());
        let mut request = self.http.request(method.clone(), &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let (status, answer) =
            RUNTIME.block_on(async { read(request.send().await.unwrap()).await });
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// Deploys a manifest.
    pub(super) fn deploy(&self, manifest: &str) {
        let manifest: Value = serde_yaml::from_str(manifest).unwrap();
        let text = |at: &str| manifest.pointer(at).unwrap().as_str().unwrap().to_owned();
        assert_eq!(
            (text("/apiVersion"), text("/kind")),
            ("nais.io/v1alpha1".into(), "Application".into())
        );
        let application =
            format!("{}:{}:{}", self.cluster, text("/metadata/namespace"), text("/metadata/name"));
        let spec = manifest.pointer("/spec/maskinporten").unwrap();
        assert_eq!(spec["enabled"], true);
        let list =
            |at: &str| spec.pointer(at).and_then(Value::as_array).cloned().unwrap_or_default();
        let consumed: Vec<Value> =
            list("/scopes/consumes").iter().map(|scope| scope["name"].clone()).collect();
        self.client(&application, &consumed);
        for scope in list("/scopes/exposes") {
            self.scope(&application, &scope);
        }
    }

    fn client(&self, application: &str, consumed: &[Value]) {
        let registration = json!({
            "client_name": NAME, "description": application, "integration_type": "maskinporten",
            "application_type": "web", "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"], "scopes": consumed,
            "access_token_lifetime": 3600, "authorization_lifetime": 7200,
            "refresh_token_usage": "ONETIME",
        });
        let all = self.call(Method::GET, "/clients?inactive=true", None);
        let is_it = |client: &&Value| {
            client["description"] == application && client["integration_type"] == "maskinporten"
        };
        let found = all.as_array().unwrap().iter().find(is_it);
        let made = match found {
            Some(client) => {
                let path = format!("/clients/{}", client["client_id"].as_str().unwrap());
                self.call(Method::PUT, &path, Some(registration))
            }
            None => self.call(Method::POST, "/clients", Some(registration)),
        };
        let mut key = json!(ClientKey::generate().unwrap().public);
        key["kid"] = "of-nais".into();
        let path = format!("/clients/{}/jwks", made["client_id"].as_str().unwrap());
        self.call(Method::POST, &path, Some(json!({ "keys": [key] })));
    }

    fn scope(&self, application: &str, exposed: &Value) {
        let (product, name) =
            (exposed["product"].as_str().unwrap(), exposed["name"].as_str().unwrap());
        let usual = if name.contains('/') { "/" } else { ":" };
        let separator = exposed["separator"].as_str().unwrap_or(usual);
        let subscope = format!("{product}{separator}{name}");
        let private = exposed["visibility"] == "private";
        let mut registration = json!({
            "prefix": "etat", "subscope": subscope, "active": exposed["enabled"],
            "description": format!("{product} - {application}"),
            "allowed_integration_types":
                exposed.get("allowedIntegrations").cloned().unwrap_or(json!(["maskinporten"])),
            "at_max_age": exposed.get("atMaxAge").cloned().unwrap_or(json!(30)),
            "accessible_for_all": exposed.get("accessibleForAll").cloned().unwrap_or(json!(false)),
            "visibility": if private { "PRIVATE" } else { "PUBLIC" },
            "token_type": "SELF_CONTAINED", "requires_pseudonymous_tokens": false,
            "requires_user_authentication": false, "requires_user_consent": false,
        });
        if let Some(source) = exposed.get("delegationSource") {
            assert_eq!(source, "altinn");
            registration["delegation_source"] = "https://tt02.altinn.no/".into();
        }
        let all = self.call(Method::GET, "/scopes?inactive=true", None);
        let query = format!("scope=etat%3A{}", subscope.replace(':', "%3A").replace('/', "%2F"));
        match all.as_array().unwrap().iter().any(|scope| scope["subscope"] == subscope) {
            true => self.call(Method::PUT, &format!("/scopes?{query}"), Some(registration)),
            false => self.call(Method::POST, "/scopes", Some(registration)),
        };
        let none = Vec::new();
        let wanted: Vec<&str> = exposed["consumers"]
            .as_array()
            .unwrap_or(&none)
            .iter()
            .map(|consumer| consumer["orgno"].as_str().unwrap())
            .collect();
        let there = self.call(Method::GET, &format!("/scopes/access?{query}"), None);
        let there: Vec<&str> = there
            .as_array()
            .unwrap()
            .iter()
            .filter(|access| access["state"] == "APPROVED")
            .map(|access| access["consumer_orgno"].as_str().unwrap())
            .collect();
        for orgno in wanted.iter().filter(|orgno| !there.contains(orgno)) {
            self.call(Method::PUT, &format!("/scopes/access/{orgno}?{query}"), None);
        }
        for orgno in there.iter().filter(|orgno| !wanted.contains(orgno)) {
            self.call(Method::DELETE, &format!("/scopes/access/{orgno}?{query}"), None);
        }
    }
}

//! KrakenD: `extra_config` of an endpoint, with `auth/validator`
//! (<https://www.krakend.io/docs/authorization/jwt-validation/>).

use serde_json::{Map, Value, json};

use super::{GatewayError, GatewayPolicy, GuardedScope, RenderedPolicy, consumer_id};
use domain::text::json::pretty;

const ENGINE: &str = "KrakenD";

pub(super) fn render(policy: &GatewayPolicy) -> Result<RenderedPolicy, GatewayError> {
    policy.check_no_route(ENGINE)?;
    if let Some(scope) = policy.scopes.iter().find(|scope| scope.is_closed()) {
        return Err(GatewayError::Nobody { scope: scope.name.clone(), engine: ENGINE });
    }
    let mut validator = Map::new();
    let mut set = |key: &str, value: Value| validator.insert(key.to_owned(), value);
    set("@comment", json!(policy.origin()));
    set("alg", json!("RS256"));
    set("issuer", json!(policy.issuer));
    set("jwk_url", json!(policy.keys_address()));
    if policy.issuer.starts_with("http:") {
        set("disable_jwk_security", json!(true));
    }
    if let Some(audience) = &policy.audience {
        set("audience", json!([audience]));
    }
    let names: Vec<_> = policy.scopes.iter().map(|scope| scope.name.as_str()).collect();
    set("scopes", json!(names));
    set("scopes_key", json!("scope"));
    set("scopes_matcher", json!("any"));
    set("cache", json!(true));
    let mut config = Map::new();
    config.insert("auth/validator".to_owned(), Value::Object(validator));
    if policy.lists_consumers() {
        config.insert("validation/cel".to_owned(), json!([{ "check_expr": expression(policy) }]));
    }
    Ok(RenderedPolicy { text: pretty(&config), unchecked: policy.unchecked_blocks() })
}

/// The check of the consumer, in CEL, as `auth/validator` compares lists of texts alone.
fn expression(policy: &GatewayPolicy) -> String {
    let one = |scope: &GuardedScope| {
        let GuardedScope { name, source: _, consumers, unchecked_blocks: _ } = scope;
        let has_scope = format!("(' ' + JWT.scope + ' ').contains(' {} ')", literal(name.as_str()));
        match consumers {
            None => has_scope,
            Some(consumers) => {
                let ids: Vec<_> =
                    consumers.keys().map(|orgno| format!("'{}'", consumer_id(*orgno))).collect();
                format!("({has_scope} && JWT.consumer.ID in [{}])", ids.join(", "))
            }
        }
    };
    policy.scopes.iter().map(one).collect::<Vec<_>>().join(" || ")
}

/// A text within a literal of CEL.
fn literal(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

//! KrakenD: `extra_config` of an endpoint, with `auth/validator`
//! (<https://www.krakend.io/docs/authorization/jwt-validation/>), and `validation/cel` for the consumers
//! (<https://www.krakend.io/docs/endpoints/common-expression-language-cel/>).
//!
//! KrakenD skips an expression that it cannot read, and lets everybody through. Its source (krakend-cel 2.4) decides by
//! the words in the text of an expression when it is evaluated: `JWT` with the claims of the token, `req` and `resp`
//! with a request and an answer, and without the claims.

use serde_json::{Map, Value, json};

use super::{Admitted, GatewayError, GatewayPolicy, RenderedPolicy};
use domain::ScopeName;
use domain::text::json::pretty;

const ENGINE: &str = "KrakenD";

/// The number of characters that an expression may have: `expressionSizeCodePointLimit` of cel-go.
const LONGEST_EXPRESSION: usize = 100_000;

/// An expression about the token that is never true.
const NOBODY: &str = "size(JWT) < 0";

pub(super) fn render(policy: &GatewayPolicy) -> Result<RenderedPolicy, GatewayError> {
    policy.check_no_route(ENGINE)?;
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
        let expression = expression(policy);
        let length = expression.chars().count();
        if length > LONGEST_EXPRESSION {
            return Err(GatewayError::Length { engine: ENGINE, length, limit: LONGEST_EXPRESSION });
        }
        config.insert("validation/cel".to_owned(), json!([{ "check_expr": expression }]));
    }
    Ok(RenderedPolicy { text: pretty(&config), unchecked: policy.unchecked() })
}

/// The check of the consumer, in CEL, as `auth/validator` compares lists of texts alone.
fn expression(policy: &GatewayPolicy) -> String {
    let rules = policy.rules();
    match rules.is_empty() {
        true => NOBODY.to_owned(),
        false => {
            let each = rules.iter().map(|(admitted, names)| rule(admitted, names));
            each.collect::<Vec<_>>().join(" || ")
        }
    }
}

/// The condition for scopes with the same consumers.
fn rule(admitted: &Admitted, names: &[&ScopeName]) -> String {
    let has_scope =
        names.iter().map(|name| format!("(' ' + JWT.scope + ' ').contains(' {} ')", literal(name)));
    let has_scope = has_scope.collect::<Vec<_>>().join(" || ");
    match admitted.listed() {
        None => format!("({has_scope})"),
        Some(consumers) => {
            let ids: Vec<_> =
                consumers.keys().map(|orgno| format!("'{}'", orgno.claim_id())).collect();
            format!("(({has_scope}) && JWT.consumer.ID in [{}])", ids.join(", "))
        }
    }
}

/// A scope within a literal of CEL, without the words by which KrakenD evaluates an expression at another stage. It
/// has neither quotes nor backslashes, as no policy has.
fn literal(name: &ScopeName) -> String {
    name.as_str().replace("req", "\\x72eq").replace("resp", "\\x72esp")
}

//! What the API sends, as far as it is read here. Every field can be absent or `null`.

use std::fmt;

use http::Answer;
use serde::Deserialize;
use serde_json::Value;

use domain::{Representation, ScopeName};

/// The body of a refusal (OpenAPI `ApiErrorResponse`; RFC 6749 section 5.2 for token requests).
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ApiErrorResponse {
    /// A word for the error.
    pub error: Option<String>,
    /// The error in a sentence.
    pub error_description: Option<String>,
    /// What DigDir's support asks for.
    pub correlation_id: Option<String>,
    /// What is wrong with which field.
    pub errors: Option<Vec<ApiError>>,
}

/// One entry of `errors`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiError {
    error_message: Option<String>,
    object_name: Option<String>,
    field_identifier: Option<String>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.error_message.as_deref().unwrap_or("no message");
        match self.field_identifier.as_ref().or(self.object_name.as_ref()) {
            Some(field) => write!(f, "{field}: {message}"),
            None => write!(f, "{message}"),
        }
    }
}

impl ApiErrorResponse {
    /// The API's own words about a refusal; `None` where something else answered.
    pub(super) fn of(answer: &Answer) -> Option<Self> {
        answer.is_json().then(|| Self::read(&answer.body)).flatten()
    }

    /// Reads a body; `None` where it is no JSON object with an error in it.
    fn read(body: &[u8]) -> Option<Self> {
        let says_something = |error: &Self| {
            error.error.is_some()
                || error.error_description.is_some()
                || error.correlation_id.is_some()
        };
        serde_json::from_slice::<Self>(body).ok().filter(says_something)
    }

    /// Whether this is DigDir's way to say that a list is empty: seen for scopes, accesses and
    /// prefixes in DigDir's own self-service web. Nothing else means an empty list.
    pub(super) fn means_empty_list(&self) -> bool {
        self.error_description.as_ref().is_some_and(|text| text.contains("does not have any"))
    }
}

/// What DigDir's support asks for, of a refusal.
pub(super) fn correlation_id(answer: &Answer) -> Option<String> {
    ApiErrorResponse::of(answer)?.correlation_id
}

/// An access as the API lists it (OpenAPI `ScopeAccess`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccessEntry {
    /// The scope's name.
    pub scope: Option<String>,
    /// The organisation that owns the scope.
    pub owner_orgno: Option<String>,
    /// Its name.
    pub owner_organization_name: Option<String>,
    /// The organisation that may use the scope.
    pub consumer_orgno: Option<String>,
    /// Its name.
    pub consumer_organization_name: Option<String>,
    /// `REQUESTED`, `APPROVED` or `DENIED`.
    pub state: Option<String>,
    /// When its state last changed.
    pub last_updated: Option<Value>,
}

/// A prefix that DigDir has handed out (OpenAPI `ScopePrefix`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct PrefixEntry {
    /// The prefix; the live API sends it with or without a colon at the end.
    pub prefix: Option<String>,
    /// Whether scopes can be made with it.
    pub active: Option<bool>,
    /// The organisation that has it.
    pub owner_orgno: Option<String>,
}

/// An entry of `GET /delegationsources`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct DelegationSourceEntry {
    /// Such as `altinn`.
    pub name: Option<String>,
    /// What a scope's `delegation_source` holds.
    pub issuer: Option<String>,
}

/// A client's keys (OpenAPI `JsonWebKeySet`).
#[derive(Deserialize)]
pub(super) struct KeySet {
    /// Each with all its members; absent or `null` where there is none.
    pub keys: Option<Vec<Representation>>,
}

/// What a scope's representation is called, and whose it says that it is.
pub(super) fn owner_of_scope(scope: &Representation) -> (String, Option<&str>) {
    let entity = match scope_name(scope) {
        Ok(name) => format!("scope {name}"),
        Err((entity, _)) => entity,
    };
    (entity, scope.get("owner_orgno").and_then(Value::as_str))
}

/// The name of the scope that a representation describes: its `name`, or else its `prefix` and
/// `subscope`. Errors, with what to call the thing and what is odd, where there is none, where it
/// is none of ours, or where the two disagree.
pub fn scope_name(scope: &Representation) -> Result<ScopeName, (String, String)> {
    let text = |field: &str| scope.get(field).and_then(Value::as_str).filter(|it| !it.is_empty());
    let joined = match (text("prefix"), text("subscope")) {
        (Some(prefix), Some(subscope)) => {
            let prefix = prefix.strip_suffix(':').unwrap_or(prefix);
            Some(format!("{prefix}:{subscope}"))
        }
        (None, _) | (_, None) => None,
    };
    let name = match (text("name"), joined) {
        (Some(name), Some(joined)) if name != joined => {
            return Err((
                format!("scope {name}"),
                format!("its prefix and subscope make it {joined}; left alone"),
            ));
        }
        (Some(name), _) => name.to_owned(),
        (None, Some(joined)) => joined,
        (None, None) => {
            return Err((
                "a scope without a name".to_owned(),
                "DigDir's list holds a scope with neither name nor prefix and subscope; left alone"
                    .to_owned(),
            ));
        }
    };
    name.parse().map_err(|reason| (format!("scope {name}"), format!("{reason}; left alone")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn name(scope: Value) -> Result<String, (String, String)> {
        scope_name(scope.as_object().unwrap()).map(|name| name.to_string())
    }

    #[test]
    fn a_scope_is_named_by_its_name_or_its_parts() {
        assert_eq!(name(json!({"name": "etat:a:b"})).unwrap(), "etat:a:b");
        for prefix in ["etat", "etat:"] {
            for name in [Value::Null, json!("")] {
                let parts = json!({"name": name, "prefix": prefix, "subscope": "a:b"});
                assert_eq!(self::name(parts).unwrap(), "etat:a:b");
            }
        }
    }

    #[test]
    fn what_names_no_scope_is_reported() {
        for odd in [
            json!({}),
            json!({"name": 7}),
            json!({"prefix": "etat"}),
            json!({"name": "etat"}),
            json!({"name": "etat:a b"}),
            json!({"name": "etat:a", "prefix": "etat", "subscope": "b"}),
        ] {
            assert!(name(odd.clone()).is_err(), "{odd}");
        }
    }

    #[test]
    fn only_one_sentence_means_an_empty_list() {
        let means =
            |body: &str| ApiErrorResponse::read(body.as_bytes()).map(|e| e.means_empty_list());
        assert_eq!(
            means(r#"{"error_description": "Organization does not have any scopes"}"#),
            Some(true)
        );
        assert_eq!(means(r#"{"error_description": "not found"}"#), Some(false));
        assert_eq!(means(r#"{"error": "does not have any"}"#), Some(false));
        assert_eq!(means(r#"{"error_description": null, "message": "no route"}"#), None);
        assert!(!means("[]").unwrap_or(false));
        assert_eq!(means("<html>does not have any</html>"), None);
    }
}

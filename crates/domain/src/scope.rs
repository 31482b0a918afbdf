//! What a scope is made of, attribute by attribute, under DigDir's own names.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::difference::Field;

/// Who sees that the scope exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Visibility {
    /// Everybody: it stands in the list of all scopes.
    #[default]
    Public,
    /// The owner and the consumers that have access.
    Private,
    /// DigDir only.
    Internal,
}

/// The form of the access tokens that carry the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TokenType {
    /// A JWT.
    #[default]
    SelfContained,
    /// A reference that must be looked up.
    Opaque,
}

/// The kind of client that may carry the scope.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "DigDir's own product names")]
pub enum IntegrationType {
    Ansattporten,
    ApiKlient,
    Eformidling,
    Idporten,
    IdportenSaml2,
    Krr,
    Maskinporten,
}

/// Every attribute that DigDir's description of a scope lets its owner set (OpenAPI 2025-09,
/// schema `Scope`). [`ScopeAttributes::default`] is what DigDir takes an absent one to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeAttributes {
    /// One line that tells what the scope gives access to.
    pub description: String,
    /// More text; only some characters are allowed.
    pub long_description: Option<String>,
    /// Who sees that the scope exists.
    pub visibility: Visibility,
    /// The form of the tokens.
    pub token_type: TokenType,
    /// The kinds of client that may carry it; empty means any.
    pub allowed_integration_types: BTreeSet<IntegrationType>,
    /// Upper bound in seconds for the life of an access token; 0 leaves it to the client.
    pub at_max_age: u64,
    /// Upper bound in seconds for the life of an authorisation; 0 leaves it to the client.
    pub authorization_max_lifetime: u64,
    /// Whether every organisation has access without being granted it.
    pub accessible_for_all: bool,
    /// Issuer of the delegation source through which consumers may delegate to suppliers.
    pub delegation_source: Option<String>,
    /// The audience that tokens with this scope must carry.
    pub enforced_aud_for_access_token: Option<String>,
    /// Whether the end user must consent.
    pub requires_user_consent: bool,
    /// Whether an end user must be logged in.
    pub requires_user_authentication: bool,
    /// Whether tokens must be pseudonymous.
    pub requires_pseudonymous_tokens: bool,
}

impl ScopeAttributes {
    /// Each attribute under DigDir's name, as JSON; `null` where it is not set. The one place
    /// that knows the names: comparison, payload and display all read it.
    pub fn fields(&self) -> [(&'static str, Value); 13] {
        let Self {
            description,
            long_description,
            visibility,
            token_type,
            allowed_integration_types,
            at_max_age,
            authorization_max_lifetime,
            accessible_for_all,
            delegation_source,
            enforced_aud_for_access_token,
            requires_user_consent,
            requires_user_authentication,
            requires_pseudonymous_tokens,
        } = self;
        [
            ("description", text(Some(description))),
            ("long_description", text(long_description.as_ref())),
            ("visibility", serde_json::json!(visibility)),
            ("token_type", serde_json::json!(token_type)),
            ("allowed_integration_types", serde_json::json!(allowed_integration_types)),
            ("at_max_age", (*at_max_age).into()),
            ("authorization_max_lifetime", (*authorization_max_lifetime).into()),
            ("accessible_for_all", (*accessible_for_all).into()),
            ("delegation_source", text(delegation_source.as_ref())),
            ("enforced_aud_for_access_token", text(enforced_aud_for_access_token.as_ref())),
            ("requires_user_consent", (*requires_user_consent).into()),
            ("requires_user_authentication", (*requires_user_authentication).into()),
            ("requires_pseudonymous_tokens", (*requires_pseudonymous_tokens).into()),
        ]
    }

    /// What each attribute is wanted to be, beside what DigDir takes an absent one to be.
    pub fn wanted(&self) -> impl Iterator<Item = Field> {
        let defaults = Self::default().fields().into_iter();
        let fields = self.fields().into_iter().zip(defaults);
        fields.map(|((name, wanted), (_, default))| Field { name, wanted, default })
    }
}

/// A text as JSON; DigDir does not tell an empty one from none.
fn text(value: Option<&String>) -> Value {
    value.filter(|text| !text.is_empty()).map_or(Value::Null, |text| text.as_str().into())
}

#[cfg(test)]
mod tests {
    use super::super::{Change, Representation, changes};
    use super::*;
    use serde_json::json;

    fn representation(value: Value) -> Representation {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn absent_null_and_default_are_the_same() {
        let live = representation(json!({
            "description": "", "at_max_age": null, "visibility": "PUBLIC", "unknown": 1
        }));
        assert_eq!(changes(&live, ScopeAttributes::default().wanted()), []);
    }

    #[test]
    fn only_what_differs_is_told() {
        let live = representation(json!({
            "at_max_age": 30,
            "visibility": "SECRET",
            "allowed_integration_types": ["maskinporten", "krr", "krr"],
        }));
        let wanted = ScopeAttributes {
            at_max_age: 120,
            allowed_integration_types: [IntegrationType::Krr, IntegrationType::Maskinporten].into(),
            ..ScopeAttributes::default()
        };
        let expected = [
            Change { field: "visibility", before: json!("SECRET"), after: json!("PUBLIC") },
            Change { field: "at_max_age", before: json!(30), after: json!(120) },
        ];
        assert_eq!(changes(&live, wanted.wanted()), expected);
    }

    #[test]
    fn how_a_text_is_kept_makes_no_difference() {
        let wanted = ScopeAttributes { description: "Blåbær".into(), ..Default::default() };
        for description in ["Blåbær", " Bla\u{30a}bær\n"] {
            let live =
                representation(json!({ "description": description, "long_description": " " }));
            assert_eq!(changes(&live, wanted.wanted()), [], "{description:?}");
        }
    }

    #[test]
    fn integration_types_sort_as_their_names_do() {
        let names = IntegrationType::ALL.map(IntegrationType::as_str);
        assert_eq!(json!(names), json!(IntegrationType::ALL));
        assert!(names.is_sorted() && IntegrationType::ALL.is_sorted());
    }
}

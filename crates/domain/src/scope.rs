//! Attributes of a scope, under DigDir's own names.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;

use super::attribute::AtNais::{Carried, Lost, Replaced};
use super::attribute::Direction::{
    Allowed, Binds, Demands, HandsOver, LetsIn, Seconds, Steps, Ungranted,
};
use super::attribute::{attributes, json, opens};
use super::difference::Field;
use crate::words;

words! {
    /// Visibility of the scope's existence.
    #[derive(Default)]
    pub enum Visibility {
        /// Everybody: it is in the list of all scopes.
        #[default]
        Public = "PUBLIC",
        /// The owner and the consumers that have access.
        Private = "PRIVATE",
        /// DigDir only.
        Internal = "INTERNAL",
    }

    /// The form of the access tokens that carry the scope.
    #[derive(Default)]
    pub enum TokenType {
        /// A JWT.
        #[default]
        SelfContained = "SELF_CONTAINED",
        /// A reference that must be looked up.
        Opaque = "OPAQUE",
    }

    /// Type of client that may use the scope.
    #[expect(missing_docs, reason = "DigDir's own product names")]
    pub enum IntegrationType {
        Ansattporten = "ansattporten",
        ApiKlient = "api_klient",
        Eformidling = "eformidling",
        Idporten = "idporten",
        IdportenSaml2 = "idporten_saml2",
        Krr = "krr",
        Maskinporten = "maskinporten",
    }
}

/// The attributes of a scope, one entry each: documentation, name, type, effect of a change, and support by
/// NAIS. All other code that deals with attributes is made from this table. Those below `layered` can have a
/// default in a repository. `$callback` is the macro that receives the table, after the tokens in the braces.
/// The braces of an entry are for this crate; other crates use [`SCOPE`].
#[macro_export]
macro_rules! scope_attributes {
    ($callback:ident { $($declared:tt)* }) => { $callback! {
        { $($declared)* }
        own {
            /// One line that describes what the scope gives access to. Default: none; it must be given.
            description: String {
                opens(HandsOver, "an application at NAIS takes it over"), Carried
            }
        }
        layered {
            /// More text. DigDir takes letters, digits, white space and `.,-_:;!?'"()/*[]#`.
            /// Default: none.
            long_description: Option<String> { None, Lost("the text would be lost") }

            /// Who sees that the scope exists: PUBLIC (everybody), PRIVATE (the owner and the
            /// consumers) or INTERNAL (DigDir only). Default: PUBLIC.
            visibility: $crate::Visibility {
                opens(Steps(&[&["INTERNAL"], &["PRIVATE"], &["PUBLIC"]], 2), "seen by more"),
                Carried
            }

            /// The form of the access tokens: SELF_CONTAINED (a JWT) or OPAQUE.
            /// Default: SELF_CONTAINED.
            token_type: $crate::TokenType {
                // A reference can be withdrawn; a JWT is valid until it expires, and its content can be read.
                opens(Steps(&[&["OPAQUE"], &["SELF_CONTAINED"]], 1), "tokens cannot be withdrawn"),
                Lost("tokens would be self-contained")
            }

            /// The kinds of client that may carry the scope; an empty list means any.
            /// Default: any.
            allowed_integration_types: std::collections::BTreeSet<$crate::IntegrationType> {
                opens(Allowed, "more kinds of client may carry it"), Carried
            }

            /// Upper bound in seconds for the life of an access token; 0 leaves it to the client.
            /// Default: 0.
            at_max_age: u64 { opens(Seconds(0), "tokens live longer"), Carried }

            /// Upper bound in seconds for the life of an authorisation; 0 leaves it to the client.
            /// Default: as at_max_age if maskinporten is among allowed_integration_types, else 0.
            authorization_max_lifetime: u64 {
                opens(Seconds(0), "authorisations live longer"),
                Replaced("`authorization_max_lifetime` is {}, and NAIS sets 0")
            }

            /// Whether every organisation has access without being granted it. Default: false.
            accessible_for_all: bool {
                opens(
                    Ungranted("only those who are granted it keep access"),
                    "everybody has access",
                ),
                Carried
            }

            /// Whether any European business with a seal that the EU lists has access without being
            /// granted it. Default: false.
            supports_european_businesses: bool {
                opens(
                    Ungranted("European businesses lose access"),
                    "every European business has access",
                ),
                Lost("European businesses would lose access")
            }

            /// Through what consumers may delegate to suppliers: a name such as `altinn`, or the
            /// issuer. Default: none; an empty text means none too.
            delegation_source: Option<String> {
                opens(LetsIn, "consumers may delegate to suppliers through it"), Carried
            }

            /// The audience that tokens with this scope must carry. Default: none; an empty text
            /// means none too.
            enforced_aud_for_access_token: Option<String> {
                opens(Binds, "tokens count for another audience"),
                Lost("tokens would no longer have to be for {}")
            }

            /// Whether the end user must consent. Default: false.
            requires_user_consent: bool {
                opens(Demands(false), "no consent of the user needed"),
                Lost("it would not be asked for any more")
            }

            /// Whether an end user must be logged in. Default: false.
            requires_user_authentication: bool {
                opens(Demands(false), "no login of the user needed"),
                Lost("it would not be asked for any more")
            }

            /// Whether tokens must be pseudonymous. Default: false.
            requires_pseudonymous_tokens: bool {
                opens(Demands(false), "tokens name the user"),
                Lost("it would not be asked for any more")
            }
        }
    } };
}

/// A scope has a value of each attribute.
type Layered<T> = T;

fn said(value: &impl Serialize) -> Option<Value> {
    Some(json(value))
}

scope_attributes! { attributes {
    /// All attributes that DigDir's description of a scope lets its owner set (OpenAPI 2025-09, schema
    /// `Scope`). [`ScopeAttributes::default`] has the value that DigDir assumes for an absent one.
    #[derive(Debug, Clone, PartialEq, Eq, Default)]
    ScopeAttributes
    /// Description of each attribute of a scope.
    ScopeTable: SCOPE
} }

impl ScopeAttributes {
    /// Each attribute under DigDir's name, as JSON; `null` where it is not set.
    pub fn fields(&self) -> [(&'static str, Value); ScopeTable::COUNT] {
        self.values().map(|(attribute, value)| (attribute.name, value.unwrap_or_default()))
    }

    /// The wanted value of each attribute, with the value that DigDir assumes for an absent one.
    pub fn wanted(&self) -> impl Iterator<Item = Field> {
        static DEFAULTS: LazyLock<[(&str, Value); ScopeTable::COUNT]> =
            LazyLock::new(|| ScopeAttributes::default().fields());
        let fields = self.fields().into_iter().zip(DEFAULTS.clone());
        fields.map(|((name, wanted), (_, default))| Field { name, wanted, default })
    }

    /// Whether clients of Maskinporten may carry the scope.
    pub fn is_for_maskinporten(&self) -> bool {
        let types = &self.allowed_integration_types;
        types.is_empty() || types.contains(&IntegrationType::Maskinporten)
    }
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
    fn only_what_differs_is_reported() {
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

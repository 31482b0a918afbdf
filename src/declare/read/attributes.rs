//! The attributes of a scope as YAML gives them, and the layers that they come from.

use crate::declare::yaml::given::Given;
use crate::declare::yaml::table::words;
use domain::{IntegrationType, ScopeAttributes, TokenType, Visibility, kept};

/// Defines a type that has, beside its own keys, every attribute of a scope that can have a
/// default. (serde's `flatten` would lose both the places of errors and the unknown keys.)
macro_rules! with_attributes {
    ($(@like $like:literal)? $(#[$meta:meta])* $name:ident { $($(#[$own_meta:meta])* $own:ident: $type:ty,)* }) => {
        $crate::declare::yaml::table::table! {
            $(@like $like)?
            $(#[$meta])*
            pub(crate) struct $name {
                $($(#[$own_meta])* pub(crate) $own: $type,)*
                /// More text. DigDir takes letters, digits, white space and `.,-_:;!?'"()/*[]#`.
                /// Default: none.
                #[serde(default)]
                pub(crate) long_description: $crate::declare::yaml::given::Given<String>,
                /// Who sees that the scope exists: PUBLIC (everybody), PRIVATE (the owner and the
                /// consumers) or INTERNAL (DigDir only). Default: PUBLIC.
                #[serde(default)]
                pub(crate) visibility:
                    $crate::declare::yaml::given::Given<domain::Visibility>,
                /// The form of the access tokens: SELF_CONTAINED (a JWT) or OPAQUE.
                /// Default: SELF_CONTAINED.
                #[serde(default)]
                pub(crate) token_type: $crate::declare::yaml::given::Given<domain::TokenType>,
                /// The kinds of client that may carry the scope; an empty list means any.
                /// Default: any.
                #[serde(default)]
                pub(crate) allowed_integration_types:
                    $crate::declare::yaml::given::Given<Vec<domain::IntegrationType>>,
                /// Upper bound in seconds for the life of an access token; 0 leaves it to the client.
                /// Default: 0.
                #[serde(default)]
                pub(crate) at_max_age: $crate::declare::yaml::given::Given<u64>,
                /// Upper bound in seconds for the life of an authorisation; 0 leaves it to the client.
                /// Default: as at_max_age if maskinporten is among allowed_integration_types, else 0.
                #[serde(default)]
                pub(crate) authorization_max_lifetime: $crate::declare::yaml::given::Given<u64>,
                /// Whether every organisation has access without being granted it. Default: false.
                #[serde(default)]
                pub(crate) accessible_for_all: $crate::declare::yaml::given::Given<bool>,
                /// Through what consumers may delegate to suppliers: a name such as `altinn`, or the
                /// issuer. Default: none; an empty text means none too.
                #[serde(default)]
                pub(crate) delegation_source: $crate::declare::yaml::given::Given<String>,
                /// The audience that tokens with this scope must carry. Default: none; an empty text
                /// means none too.
                #[serde(default)]
                pub(crate) enforced_aud_for_access_token: $crate::declare::yaml::given::Given<String>,
                /// Whether the end user must consent. Default: false.
                #[serde(default)]
                pub(crate) requires_user_consent: $crate::declare::yaml::given::Given<bool>,
                /// Whether an end user must be logged in. Default: false.
                #[serde(default)]
                pub(crate) requires_user_authentication: $crate::declare::yaml::given::Given<bool>,
                /// Whether tokens must be pseudonymous. Default: false.
                #[serde(default)]
                pub(crate) requires_pseudonymous_tokens: $crate::declare::yaml::given::Given<bool>,
            }
        }
    };
}
pub(crate) use with_attributes;

words!(Visibility, TokenType, IntegrationType);

/// From a type of [`with_attributes`], the layer of attributes that it gives.
macro_rules! layer {
    ($given:expr) => {{
        let given = $given;
        $crate::declare::read::attributes::Layer {
            long_description: given.long_description,
            visibility: given.visibility,
            token_type: given.token_type,
            allowed_integration_types: given.allowed_integration_types,
            at_max_age: given.at_max_age,
            authorization_max_lifetime: given.authorization_max_lifetime,
            accessible_for_all: given.accessible_for_all,
            delegation_source: given.delegation_source,
            enforced_aud_for_access_token: given.enforced_aud_for_access_token,
            requires_user_consent: given.requires_user_consent,
            requires_user_authentication: given.requires_user_authentication,
            requires_pseudonymous_tokens: given.requires_pseudonymous_tokens,
        }
    }};
}
pub(crate) use layer;

with_attributes! {
    @like "{ at_max_age: … }"
    /// What every scope has that does not say otherwise. Any attribute but the description.
    #[derive(Default)]
    #[schemars(rename = "ScopeDefaults")]
    Layer {}
}

/// What a scope is in an environment: the first layer that gives an attribute decides, and where
/// none does, the tool's default.
pub(crate) fn resolve(description: &str, layers: &[&Layer]) -> ScopeAttributes {
    fn first<T: Clone>(layers: &[&Layer], pick: impl Fn(&Layer) -> &Given<T>) -> Option<T> {
        layers.iter().find_map(|layer| pick(layer).0.clone())
    }
    let text = |pick: fn(&Layer) -> &Given<String>| {
        first(layers, pick).map(|text| kept(&text).into_owned())
    };
    let text = |pick: fn(&Layer) -> &Given<String>| text(pick).filter(|text| !text.is_empty());
    let flag = |pick: fn(&Layer) -> &Given<bool>| first(layers, pick).unwrap_or_default();
    let visibility: Option<Visibility> = first(layers, |l| &l.visibility);
    let token_type: Option<TokenType> = first(layers, |l| &l.token_type);
    let types: Option<Vec<IntegrationType>> = first(layers, |l| &l.allowed_integration_types);
    let types = types.unwrap_or_default();
    let at_max_age = first(layers, |l| &l.at_max_age).unwrap_or_default();
    // DigDir: for Maskinporten scopes the two are set alike.
    let lifetime = if types.contains(&IntegrationType::Maskinporten) { at_max_age } else { 0 };
    ScopeAttributes {
        description: kept(description).into_owned(),
        long_description: text(|l| &l.long_description),
        visibility: visibility.unwrap_or_default(),
        token_type: token_type.unwrap_or_default(),
        allowed_integration_types: types.into_iter().collect(),
        at_max_age,
        authorization_max_lifetime: first(layers, |l| &l.authorization_max_lifetime)
            .unwrap_or(lifetime),
        accessible_for_all: flag(|l| &l.accessible_for_all),
        delegation_source: text(|l| &l.delegation_source),
        enforced_aud_for_access_token: text(|l| &l.enforced_aud_for_access_token),
        requires_user_consent: flag(|l| &l.requires_user_consent),
        requires_user_authentication: flag(|l| &l.requires_user_authentication),
        requires_pseudonymous_tokens: flag(|l| &l.requires_pseudonymous_tokens),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(yaml: &str) -> Layer {
        crate::declare::yaml::table::read_text(yaml).unwrap()
    }

    #[test]
    fn the_first_layer_that_speaks_decides() {
        let own = layer("{ at_max_age: 0, delegation_source: '', visibility: PRIVATE }");
        let defaults = layer("{ at_max_age: 30, delegation_source: altinn, visibility: INTERNAL }");
        let resolved = resolve("x", &[&own, &defaults]);
        assert_eq!(resolved.at_max_age, 0);
        assert_eq!(resolved.delegation_source, None);
        assert_eq!(resolved.visibility, Visibility::Private);
    }

    #[test]
    fn nothing_said_is_what_digdir_takes_it_to_be() {
        let expected = ScopeAttributes { description: "x".into(), ..ScopeAttributes::default() };
        assert_eq!(resolve("x", &[&Layer::default()]), expected);
    }

    #[test]
    fn the_lifetimes_of_a_maskinporten_scope_are_alike() {
        let lifetime = |yaml: &str| resolve("x", &[&layer(yaml)]).authorization_max_lifetime;
        let maskinporten = "allowed_integration_types: [maskinporten]";
        assert_eq!(lifetime(&format!("{{ {maskinporten}, at_max_age: 9 }}")), 9);
        assert_eq!(lifetime("{ at_max_age: 9 }"), 0);
        let said = format!("{{ {maskinporten}, at_max_age: 9, authorization_max_lifetime: 5 }}");
        assert_eq!(lifetime(&said), 5);
    }
}

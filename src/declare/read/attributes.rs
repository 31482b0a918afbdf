//! The attributes of scopes and clients as YAML gives them, and the layers that they come from.

use std::collections::BTreeSet;

use super::texts::parse_orgno;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::{Optional, Spanned};
use crate::declare::yaml::table::words;
use domain::{
    ApplicationType, AuthMethod, ClientAttributes, CodeChallengeMethod, ConsumedScope, GrantType,
    IntegrationType, Orgno, RefreshTokenUsage, ScopeAttributes, TokenType, Visibility, kept,
};

/// Defines a type that has, beside its own keys, every attribute of a table that can have a default, and
/// the layer that it gives. (serde's `flatten` would lose both the places of errors and the unknown
/// keys.)
macro_rules! with_attributes {
    (
        {
            $(@like $like:literal)?
            $(#[$meta:meta])*
            $name:ident $(<$life:lifetime>)?: $layer:ident { $($(#[$own_meta:meta])* $own:ident: $own_type:ty,)* }
        }
        own { $($no_key:tt)* }
        layered { $(
            $(#[$($attribute_meta:tt)*])+ $attribute:ident: $type:ty { $($not_read:tt)* }
        )* }
    ) => {
        $crate::declare::yaml::table::table! {
            $(@like $like)?
            $(#[$meta])*
            pub(crate) struct $name $(<$life>)? {
                $($(#[$own_meta])* pub(crate) $own: $own_type,)*
                $(
                    $(#[$($attribute_meta)*])+
                    pub(crate) $attribute: $crate::declare::yaml::optional::Optional<
                        <$type as $crate::declare::read::attributes::Declarable>::Yaml
                    >,
                )*
            }
        }

        impl $(<$life>)? From<&$name $(<$life>)?> for $crate::declare::read::attributes::$layer {
            fn from(declared: &$name $(<$life>)?) -> Self {
                Self { $($attribute: declared.$attribute.clone(),)* }
            }
        }
    };
}
pub(crate) use with_attributes;

domain::scope_attributes! { with_attributes {
    @like "{ at_max_age: … }"
    /// What every scope has that does not say otherwise. Any attribute but the description.
    #[derive(Default)]
    #[schemars(rename = "ScopeDefaults")]
    ScopeLayer: ScopeLayer {}
} }

domain::client_attributes! { with_attributes {
    /// What every client has that does not say otherwise.
    #[derive(Default)]
    #[schemars(rename = "ClientDefaults")]
    ClientLayer: ClientLayer {}
} }

/// The value of an attribute, as YAML can give it.
pub(crate) trait Declarable: Sized {
    /// What stands in the YAML.
    type Yaml: Clone;

    /// The value; `None` if it is none.
    fn of(yaml: &Self::Yaml) -> Option<Self>;

    /// Reports what is wrong with an organisation number.
    fn check(_: &Self::Yaml, _: &mut Findings) {}
}

macro_rules! as_it_is {
    ($($name:ty)+) => {
        $(impl Declarable for $name {
            type Yaml = Self;

            fn of(yaml: &Self) -> Option<Self> {
                Some(*yaml)
            }
        })+
    };
}
as_it_is! { bool u64 Visibility TokenType IntegrationType ApplicationType AuthMethod GrantType }
as_it_is! { RefreshTokenUsage CodeChallengeMethod }

words!(Visibility, TokenType, IntegrationType, ApplicationType, AuthMethod, GrantType);
words!(RefreshTokenUsage, CodeChallengeMethod);

impl Declarable for String {
    type Yaml = Spanned<Self>;

    fn of(yaml: &Self::Yaml) -> Option<Self> {
        Some(kept(&yaml.value).into_owned())
    }
}

/// An empty text means none.
impl Declarable for Option<String> {
    type Yaml = Spanned<String>;

    fn of(yaml: &Self::Yaml) -> Option<Self> {
        Some(String::of(yaml).filter(|text| !text.is_empty()))
    }
}

impl Declarable for Orgno {
    type Yaml = Spanned<String>;

    fn of(yaml: &Self::Yaml) -> Option<Self> {
        yaml.value.parse().ok()
    }

    fn check(yaml: &Self::Yaml, findings: &mut Findings) {
        parse_orgno(&yaml.value, yaml.span, findings);
    }
}

impl<T: Declarable + Ord> Declarable for BTreeSet<T> {
    type Yaml = Vec<T::Yaml>;

    fn of(yaml: &Self::Yaml) -> Option<Self> {
        Some(yaml.iter().filter_map(T::of).collect())
    }
}

/// What the first layer says that gives an attribute.
fn first<'l, T: Declarable, L>(
    layers: &[&'l L],
    pick: impl Fn(&'l L) -> &'l Optional<T::Yaml>,
) -> Option<T>
where
    T::Yaml: 'l,
{
    layers.iter().find_map(|layer| pick(layer).0.as_ref()).and_then(T::of)
}

macro_rules! layers {
    (
        { $layer:ident: $attributes:ident, $or:ident }
        own { $($in_no_layer:tt)* }
        layered { $($(#[$($meta:tt)*])+ $attribute:ident: $type:ty { $($not_read:tt)* })* }
    ) => {
        impl $layer {
            /// The first layer that gives an attribute decides, and where none does, what is usual.
            fn over(layers: &[&Self], usual: $attributes) -> $attributes {
                $attributes {
                    $($attribute: first::<$type, _>(layers, |layer| &layer.$attribute)
                        .$or(usual.$attribute),)*
                    ..usual
                }
            }

            /// Reports what is wrong with organisation numbers.
            pub(crate) fn check(&self, findings: &mut Findings) {
                $(if let Some(yaml) = &self.$attribute.0 {
                    <$type as Declarable>::check(yaml, findings);
                })*
            }
        }
    };
}
domain::scope_attributes! { layers { ScopeLayer: ScopeAttributes, unwrap_or } }
domain::client_attributes! { layers { ClientLayer: ClientAttributes, or } }

impl ScopeLayer {
    /// What a scope is in an environment, by the layers that count there.
    pub(crate) fn resolve(description: &str, layers: &[&Self]) -> ScopeAttributes {
        let types: Option<BTreeSet<IntegrationType>> =
            first(layers, |layer| &layer.allowed_integration_types);
        let is_of_maskinporten =
            types.is_some_and(|types| types.contains(&IntegrationType::Maskinporten));
        // DigDir: for Maskinporten scopes the two are set alike.
        let lifetime = first(layers, |layer| &layer.at_max_age).filter(|_| is_of_maskinporten);
        let usual = ScopeAttributes {
            description: kept(description).into_owned(),
            authorization_max_lifetime: lifetime.unwrap_or_default(),
            ..ScopeAttributes::default()
        };
        Self::over(layers, usual)
    }
}

impl ClientLayer {
    /// What a client is in an environment, by the layers that count there.
    pub(crate) fn resolve(
        kind: IntegrationType,
        description: Option<&str>,
        scopes: Option<Vec<ConsumedScope>>,
        layers: &[&Self],
    ) -> ClientAttributes {
        let application_type = first(layers, |layer| &layer.application_type);
        let usual = ClientAttributes::defaults(kind, application_type);
        let usual = ClientAttributes {
            description: kept(description.unwrap_or_default()).into_owned(),
            scopes: scopes.map_or(usual.scopes, |scopes| scopes.into_iter().collect()),
            ..usual
        };
        Self::over(layers, usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(yaml: &str) -> ScopeLayer {
        crate::declare::yaml::table::read_text(yaml).unwrap()
    }

    #[test]
    fn the_first_layer_that_speaks_decides() {
        let own = layer("{ at_max_age: 0, delegation_source: '', visibility: PRIVATE }");
        let defaults = layer("{ at_max_age: 30, delegation_source: altinn, visibility: INTERNAL }");
        let resolved = ScopeLayer::resolve("x", &[&own, &defaults]);
        assert_eq!(resolved.at_max_age, 0);
        assert_eq!(resolved.delegation_source, None);
        assert_eq!(resolved.visibility, Visibility::Private);
    }

    #[test]
    fn nothing_said_is_what_digdir_takes_it_to_be() {
        let expected = ScopeAttributes { description: "x".into(), ..ScopeAttributes::default() };
        assert_eq!(ScopeLayer::resolve("x", &[&ScopeLayer::default()]), expected);
    }

    #[test]
    fn the_lifetimes_of_a_maskinporten_scope_are_alike() {
        let lifetime =
            |yaml: &str| ScopeLayer::resolve("x", &[&layer(yaml)]).authorization_max_lifetime;
        let maskinporten = "allowed_integration_types: [maskinporten]";
        assert_eq!(lifetime(&format!("{{ {maskinporten}, at_max_age: 9 }}")), 9);
        assert_eq!(lifetime("{ at_max_age: 9 }"), 0);
        let said = format!("{{ {maskinporten}, at_max_age: 9, authorization_max_lifetime: 5 }}");
        assert_eq!(lifetime(&said), 5);
    }
}

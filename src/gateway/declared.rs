//! The policy that the declarations of an environment ask for.

use jiff::civil::Date;

use super::{Admitted, ApiRoute, GatewayPolicy, GuardedScope, Organizations, audience, is_literal};
use domain::{Desired, DesiredScope, Orgno, SCOPE, ScopeAttributes, ScopeName, TokenType};

/// The scopes of an API and the options of its policy.
#[derive(Debug, Clone)]
pub(crate) struct PolicyOptions {
    pub(crate) scopes: Vec<ScopeName>,
    /// The audience of the API's tokens, if the scopes enforce none.
    pub(crate) audience: Option<String>,
    /// Whether the policy lists the consumers of every scope.
    pub(crate) with_consumers: bool,
    /// The place of the API behind the gateway.
    pub(crate) route: ApiRoute,
}

/// A reason why the declarations give no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UndeclaredPolicy {
    /// The scopes have different audiences.
    #[error(
        "{first} and {second} do not have the same `{attribute}`: a policy has one audience. Render them one by one",
        attribute = SCOPE.enforced_aud_for_access_token.name
    )]
    Audiences {
        /// A scope.
        first: ScopeName,
        /// A scope with another audience, or with none.
        second: ScopeName,
    },
    /// The requested audience is not the declared one.
    #[error(
        "tokens for {scope} have the audience {enforced:?}, and --audience is {asked:?}: leave it out"
    )]
    OtherAudience { scope: ScopeName, enforced: String, asked: String },
    /// No token with the scope can be checked, so that the policy would refuse everybody.
    #[error("{scope} cannot be checked by a gateway: {reason}")]
    Tokens {
        scope: ScopeName,
        /// What its tokens are.
        reason: &'static str,
    },
    /// Engines would read the name as a pattern, a list or a variable.
    #[error(
        "{scope} has a character that gateways read as a pattern, a list or a variable; a policy holds letters, \
         digits and -._~:/?#[]@!&=+% alone. Check the scope in the application, or rename it"
    )]
    Name { scope: ScopeName },
    /// Engines would read the declared audience as a pattern, a list or a variable.
    #[error("a policy cannot hold the `{attribute}` {enforced:?} of {scope}: {reason}", attribute = SCOPE.enforced_aud_for_access_token.name)]
    Audience {
        scope: ScopeName,
        enforced: String,
        /// The audiences that a policy can hold.
        reason: String,
    },
}

impl GatewayPolicy {
    /// The policy of these scopes on a day, in Norway. The consumers of a scope that DigDir keeps open to all are
    /// always listed, if any are declared: nobody else checks them.
    ///
    /// # Errors
    /// The scopes do not fit into one policy.
    pub(crate) fn declared(
        desired: &Desired,
        issuer: &str,
        options: PolicyOptions,
        today: Date,
    ) -> Result<Self, UndeclaredPolicy> {
        let PolicyOptions { scopes, audience, with_consumers, route } = options;
        if let Some(scope) = scopes.iter().find(|name| !is_literal(name.as_str())) {
            return Err(UndeclaredPolicy::Name { scope: scope.clone() });
        }
        let chosen: Vec<_> = scopes
            .into_iter()
            .filter_map(|name| desired.scopes.get(&name).map(|scope| (name, scope)))
            .collect();
        for (name, scope) in &chosen {
            if let Some(reason) = uncheckable(&scope.attributes) {
                return Err(UndeclaredPolicy::Tokens { scope: name.clone(), reason });
            }
        }
        let audience = common_audience(&chosen, audience)?;
        let guarded = chosen.into_iter().map(|(name, scope)| {
            let admitted = admitted(desired, &name, scope, with_consumers, today);
            GuardedScope { name, source: scope.source.clone(), admitted }
        });
        Ok(Self {
            environment: desired.environment.clone(),
            issuer: issuer.to_owned(),
            audience,
            scopes: guarded.collect(),
            route,
        })
    }
}

/// The reason why no token of Maskinporten's with the scope could be let through.
fn uncheckable(attributes: &ScopeAttributes) -> Option<&'static str> {
    if attributes.token_type == TokenType::Opaque {
        return Some(
            "its tokens are references (`token_type: OPAQUE`), which say nothing by themselves; let the application \
             ask Maskinporten about them",
        );
    }
    (!attributes.is_for_maskinporten()).then_some(
        "Maskinporten issues no tokens with it, as its `allowed_integration_types` do not have `maskinporten`, and \
         the policy lets those of no other issuer through",
    )
}

fn common_audience(
    scopes: &[(ScopeName, &DesiredScope)],
    asked: Option<String>,
) -> Result<Option<String>, UndeclaredPolicy> {
    let of = |scope: &DesiredScope| scope.attributes.enforced_aud_for_access_token.clone();
    let Some(((first, scope), others)) = scopes.split_first() else { return Ok(asked) };
    let enforced = of(scope);
    if let Some((second, _)) = others.iter().find(|(_, other)| of(other) != enforced) {
        return Err(UndeclaredPolicy::Audiences { first: first.clone(), second: second.clone() });
    }
    match (enforced, asked) {
        (Some(enforced), Some(asked)) if enforced != asked => {
            Err(UndeclaredPolicy::OtherAudience { scope: first.clone(), enforced, asked })
        }
        (Some(enforced), _) => match audience(&enforced) {
            Ok(audience) => Ok(Some(audience)),
            Err(reason) => {
                Err(UndeclaredPolicy::Audience { scope: first.clone(), enforced, reason })
            }
        },
        (None, asked) => Ok(asked),
    }
}

fn admitted(
    desired: &Desired,
    name: &ScopeName,
    scope: &DesiredScope,
    with_consumers: bool,
    today: Date,
) -> Admitted {
    let attributes = &scope.attributes;
    let is_open = attributes.accessible_for_all || attributes.supports_european_businesses;
    let named = |orgno: &Orgno| (*orgno, desired.name_of(*orgno, None).cloned());
    if with_consumers || (is_open && !scope.consumers.is_empty()) {
        return Admitted::Listed(desired.consumers_on(name, today));
    }
    match is_open {
        false => Admitted::WithAccess,
        true => {
            let blocks = desired.blocks.iter().filter(|block| block.concerns(name));
            let blocked: Organizations = blocks.map(|block| named(&block.consumer)).collect();
            Admitted::Everyone { blocked }
        }
    }
}

//! The policy that the declarations of an environment ask for.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{GatewayPolicy, GuardedScope, Route};
use domain::{Desired, DesiredScope, Orgno, SCOPE, ScopeName};

/// The scopes of an API and the options of its policy.
#[derive(Debug, Clone)]
pub(crate) struct PolicyOptions {
    /// The names of the scopes.
    pub(crate) scopes: Vec<ScopeName>,
    /// The audience of the API's tokens, if the scopes enforce none.
    pub(crate) audience: Option<String>,
    /// Whether the policy lists the consumers of every scope.
    pub(crate) with_consumers: bool,
    /// The place of the API behind the gateway.
    pub(crate) route: Route,
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
    OtherAudience {
        /// The scope.
        scope: ScopeName,
        /// Its declared audience.
        enforced: String,
        /// The requested audience.
        asked: String,
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
        let chosen: Vec<_> = scopes
            .into_iter()
            .filter_map(|name| desired.scopes.get(&name).map(|scope| (name, scope)))
            .collect();
        let audience = common_audience(&chosen, audience)?;
        let guarded = chosen.into_iter().map(|(name, scope)| {
            let attributes = &scope.attributes;
            let is_open = attributes.accessible_for_all || attributes.supports_european_businesses;
            let is_listed = with_consumers || (is_open && !scope.consumers.is_empty());
            let consumers = is_listed.then(|| consumers(desired, &name, scope, today));
            let is_unchecked = is_open && consumers.is_none();
            let blocks =
                desired.blocks.iter().filter(|block| is_unchecked && block.concerns(&name));
            let named = |orgno: Orgno| (orgno, desired.names.get(&orgno).cloned());
            let unchecked_blocks = blocks.map(|block| named(block.consumer)).collect();
            GuardedScope { name, source: scope.source.clone(), consumers, unchecked_blocks }
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
        (Some(audience), _) | (None, Some(audience)) => Ok(Some(audience)),
        (None, None) => Ok(None),
    }
}

/// The organisations that have access by the declarations on that day.
fn consumers(
    desired: &Desired,
    name: &ScopeName,
    scope: &DesiredScope,
    today: Date,
) -> BTreeMap<Orgno, Option<String>> {
    let declared = scope.consumers.keys();
    let declared = declared.filter(|orgno| desired.entry(name, **orgno, today).is_some());
    declared.map(|orgno| (*orgno, desired.name_of(*orgno, None).cloned())).collect()
}

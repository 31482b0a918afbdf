//! Shares of cloud resources in an environment.

use std::collections::HashSet;

use super::here::Here;
use super::source;
use crate::declare::read::shares::DeclaredShare;
use crate::skyporten::CloudShare;

/// The shares that count in the environment and whose scope is declared in it, in the order of their names.
pub(crate) fn shares<'r>(here: &Here<'r>) -> Vec<(&'r DeclaredShare, CloudShare)> {
    let scopes: HashSet<_> = here.scopes().map(|scope| &scope.name).collect();
    let counting = here.declared.shares.iter().filter(|share| {
        share.environments.overlaps(here.set) && scopes.contains(&share.scope.value)
    });
    let resolved = counting.filter_map(|share| {
        let audience = share.first(here.set, |part| part.audience.as_ref())?.value.clone();
        let resolved = CloudShare {
            name: share.name.clone(),
            scope: share.scope.value.clone(),
            audience,
            clouds: share.clouds(here.set),
            source: source(&share.place),
        };
        Some((share, resolved))
    });
    let mut shares: Vec<_> = resolved.collect();
    shares.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    shares
}

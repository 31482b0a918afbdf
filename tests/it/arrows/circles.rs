//! Import circles: modules that use each other, directly or not.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::source::{Names, Sources};

type Uses<'s> = BTreeMap<&'s Names, BTreeSet<&'s Names>>;

/// The files of each circle, the largest circle first.
///
/// A module that uses its own submodules makes no circle: those may use its items.
pub(super) fn circles(sources: &Sources) -> Vec<Vec<&str>> {
    let uses: Uses<'_> =
        sources.modules.keys().map(|names| (names, homes(sources, names))).collect();
    let mut used_by: Uses<'_> = uses.keys().map(|names| (*names, BTreeSet::new())).collect();
    for (user, used) in &uses {
        for names in used {
            used_by.entry(names).or_default().insert(user);
        }
    }
    // Kosaraju's algorithm: the modules of a circle are found from the one that is left last.
    let (mut seen, mut left) = (BTreeSet::new(), Vec::new());
    uses.keys().for_each(|names| walk(names, &uses, &mut seen, &mut left));
    seen.clear();
    let file = |names: &Names| sources.modules[names].file.as_str();
    let mut circles: Vec<Vec<&str>> = Vec::new();
    for names in left.into_iter().rev() {
        let mut circle = Vec::new();
        walk(names, &used_by, &mut seen, &mut circle);
        circles.push(circle.into_iter().map(file).collect());
    }
    circles.retain(|circle| circle.len() > 1);
    circles.iter_mut().for_each(|circle| circle.sort_unstable());
    circles.sort_by_key(|circle| Reverse(circle.len()));
    circles
}

/// Visits everything reachable from a module, and adds each module when it is left.
fn walk<'s>(
    names: &'s Names,
    edges: &Uses<'s>,
    seen: &mut BTreeSet<&'s Names>,
    left: &mut Vec<&'s Names>,
) {
    if seen.insert(names) {
        edges[names].iter().for_each(|next| walk(next, edges, seen, left));
        left.push(names);
    }
}

/// The modules that one uses, except its own submodules.
fn homes<'s>(sources: &'s Sources, names: &Names) -> BTreeSet<&'s Names> {
    let references = sources.modules[names].references.iter();
    let homes = references.filter_map(|reference| sources.home(&reference.target));
    homes.filter(|home| !home.starts_with(names)).collect()
}

//! One finding for one cause: what a default does to many scopes is shown at the default.

use std::collections::BTreeMap;

use super::suggest::list_of;
use super::{Diagnostic, Place, Related, SharedCause, sort};
use domain::text::counted;

/// Largest number of scopes that are named.
const NAMED: usize = 5;

/// The findings as they are shown: those with the same message and the same cause are one, at the place of the
/// cause, which names the scopes.
pub fn joined(found: &[Diagnostic]) -> Vec<Diagnostic> {
    let mut shown = Vec::new();
    let mut by_cause: BTreeMap<_, usize> = BTreeMap::new();
    let mut groups: Vec<(&Diagnostic, &Place, Vec<&str>)> = Vec::new();
    for one in found {
        let Some(SharedCause { place, scope }) = one.cause.as_deref() else {
            shown.push(one.clone());
            continue;
        };
        let Diagnostic { code, own_rule, message, severity, .. } = one;
        let key = (*code, own_rule, message, *severity, &place.file, place.span.start);
        let index = *by_cause.entry(key).or_insert(groups.len());
        match groups.get_mut(index) {
            Some((_, _, scopes)) => {
                if !scopes.contains(&scope.as_str()) {
                    scopes.push(scope);
                }
            }
            None => groups.push((one, place, vec![scope])),
        }
    }
    shown.extend(groups.into_iter().map(|(first, place, scopes)| match scopes.len() {
        1 => first.clone(),
        _ => of_all(first, place, &scopes),
    }));
    sort(&mut shown);
    shown
}

fn of_all(first: &Diagnostic, place: &Place, scopes: &[&str]) -> Diagnostic {
    let named = list_of(NAMED, scopes.iter().copied());
    let all = counted(scopes.len() as u64, "scope", "s");
    let message = format!("{}; this concerns {all}: {named}", first.message);
    let help = first.help.as_deref().unwrap_or_default();
    let mut joined =
        Diagnostic::new(first.code, place, &message, help).with_severity(first.severity);
    joined.hides = first.hides;
    joined.own_rule.clone_from(&first.own_rule);
    // The place of the cause is that of the finding now.
    let is_elsewhere = |it: &&Related| it.file != place.file || it.line != place.line();
    joined.related = first.related.iter().filter(is_elsewhere).cloned().collect();
    joined
}

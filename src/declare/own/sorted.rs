//! The preset `sorted-consumers`: the consumers of a scope are in the order of their written names. It
//! depends only on the text, so it is checked when a file is read.

use super::file::Preset;
use super::naming::NamingCheck;
use crate::declare::diagnostic::Fix;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::read::declared::Scope;
use crate::declare::read::settings::Settings;
use crate::declare::yaml::document::Findings;

/// Reports the first consumer that is out of order.
pub(crate) fn check(scope: &Scope, settings: &Settings, findings: &mut Findings) {
    let is_preset =
        |check: &NamingCheck| matches!(check, NamingCheck::Preset(Preset::SortedConsumers));
    let Some(rule) = settings.naming.iter().find(|rule| is_preset(&rule.check)) else {
        return;
    };
    let head = &rule.head;
    let team = settings.teams.of(&scope.place.file).map(|team| team.name.as_str());
    if !head.counts_for(team) || !head.environments.overlaps(scope.environments) {
        return;
    }
    let names: Vec<_> = scope.consumers.iter().map(|entry| entry.who.as_str()).collect();
    let Some(before) = names.windows(2).position(|two| two[0] > two[1]) else {
        return;
    };
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|index| names[*index]);
    let (first, second) = (names[before], names[before + 1]);
    let message = format!("{}: `{second}` comes before `{first}`", head.message);
    let help = "sort them by the alias, group or number that is written";
    let place = scope.at(scope.consumers[before + 1].who_span);
    let mut found = head.broken(Rule::Naming, &place, &message, help);
    let items = scope.consumers.iter().map(|entry| entry.span).collect();
    found.fix = Some(Fix::Reorder { items, order });
    findings.list.push(found);
}

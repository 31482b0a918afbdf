//! What one environment should hold.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::Date;

use super::attributes::{Layer, resolve};
use super::declared::{Consumer, Declared, Scope, Who};
use super::diagnostic::{Diagnostic, Place};
use super::environment::Target;
use super::environments::EnvironmentSet;
use super::rules::Rule;
use super::settings::Settings;
use crate::domain::{
    Desired, DesiredAccess, DesiredScope, IntegrationType, Orgno, Removal, ScopeAttributes, Source,
};

/// Resolves checked declarations for the environment of this name, whose set is given.
pub(super) fn desired(
    name: &str,
    environment: EnvironmentSet,
    settings: &Settings,
    declared: &Declared,
) -> (Desired, Vec<Diagnostic>) {
    let directory = Directory::new(environment, declared);
    let mut warnings = Vec::new();
    let mut scopes = BTreeMap::new();
    for scope in &declared.scopes {
        if scope.environments.overlaps(environment) {
            let resolved = resolve_scope(scope, environment, settings, &directory);
            warnings.extend(warning(scope, &resolved));
            scopes.insert(scope.name.clone(), resolved);
        }
    }
    if settings.environments.get(name).map(|e| &e.target) == Some(&Target::Prod) {
        warnings.extend(synthetic(environment, declared));
    }
    let removed = declared.removed.iter().map(|removed| {
        let removal = Removal {
            action: removed.action,
            reason: removed.reason.clone(),
            source: source(&removed.place),
        };
        (removed.scope.clone(), removal)
    });
    let desired = Desired {
        environment: name.to_owned(),
        organization: settings.organization,
        scopes,
        removed: removed.collect(),
        names: names(environment, settings, declared),
        guards: settings.guards.clone(),
    };
    (desired, warnings)
}

/// Whom names stand for in one environment.
struct Directory<'d> {
    aliases: HashMap<&'d str, Orgno>,
    groups: HashMap<&'d str, Vec<Orgno>>,
}

impl<'d> Directory<'d> {
    fn new(environment: EnvironmentSet, declared: &'d Declared) -> Self {
        let aliases = declared.aliases.iter();
        let aliases: HashMap<_, _> = aliases
            .filter(|alias| alias.environments.overlaps(environment))
            .map(|alias| (alias.alias.as_str(), alias.orgno))
            .collect();
        let groups = declared.groups.iter().map(|group| {
            let members = group.members.iter().filter_map(|(who, _)| match who {
                Who::Orgno(orgno) => Some(*orgno),
                Who::Alias(alias) => aliases.get(&**alias).copied(),
                // A group's member is never read as a group.
                Who::Group(_) => None,
            });
            (group.name.as_str(), members.collect())
        });
        let groups = groups.collect();
        Self { aliases, groups }
    }

    /// Nobody for an alias that does not count in the environment.
    fn named<'a>(&'a self, who: &'a Who) -> &'a [Orgno] {
        match who {
            Who::Orgno(orgno) => std::slice::from_ref(orgno),
            Who::Alias(alias) => self.aliases.get(&**alias).map_or(&[], std::slice::from_ref),
            Who::Group(group) => self.groups.get(&**group).map_or(&[], Vec::as_slice),
        }
    }
}

fn resolve_scope(
    scope: &Scope,
    environment: EnvironmentSet,
    settings: &Settings,
    directory: &Directory<'_>,
) -> DesiredScope {
    let override_ = scope.overrides.iter().find(|o| o.environment == environment);
    let layers: Vec<&Layer> = override_
        .map(|o| &o.attributes)
        .into_iter()
        .chain([&scope.attributes, &settings.scope_defaults])
        .collect();
    let description = override_.and_then(|o| o.description.as_deref());
    let mut consumers = BTreeMap::new();
    for entry in &scope.consumers {
        if entry.environments.overlaps(environment) {
            for orgno in directory.named(&entry.who) {
                add(&mut consumers, *orgno, entry, &scope.place.file);
            }
        }
    }
    DesiredScope {
        attributes: resolve(description.unwrap_or(&scope.description), &layers),
        active: override_.and_then(|o| o.active).unwrap_or(scope.active),
        prevent_deactivation: scope.prevent_deactivation,
        consumers,
        source: source(&scope.place),
    }
}

/// Adds an entry. Of several for one organisation the one that lasts longest decides until when
/// and is the source — the first of them if several last as long —, and the first reason that any
/// of them gives is the reason.
fn add(
    consumers: &mut BTreeMap<Orgno, DesiredAccess>,
    orgno: Orgno,
    entry: &Consumer,
    file: &Arc<str>,
) {
    let new = || Source { file: Arc::clone(file), line: entry.span.start.line as usize };
    let reason = || entry.reason.as_deref().map(str::to_owned);
    let access = consumers.entry(orgno).or_insert_with(|| DesiredAccess {
        until: entry.until,
        reason: reason(),
        source: new(),
    });
    if lasts_longer(entry.until, access.until) {
        access.until = entry.until;
        access.source = new();
    }
    if access.reason.is_none() {
        access.reason = reason();
    }
}

fn lasts_longer(new: Option<Date>, old: Option<Date>) -> bool {
    match (new, old) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(new), Some(old)) => new > old,
    }
}

fn source(place: &Place) -> Source {
    Source { file: Arc::clone(&place.file), line: place.line() }
}

/// What organisations are called: first by what counts in the environment, then by what other
/// environments call them, so that an access that is live but not declared has a name too.
fn names(
    environment: EnvironmentSet,
    settings: &Settings,
    declared: &Declared,
) -> BTreeMap<Orgno, String> {
    let mut names = BTreeMap::new();
    if let Some(name) = &settings.organization_name {
        names.insert(settings.organization, name.clone());
    }
    for here in [true, false] {
        for alias in &declared.aliases {
            if alias.environments.overlaps(environment) == here {
                let name = alias.name.as_ref().unwrap_or(&alias.alias);
                names.entry(alias.orgno).or_insert_with(|| name.clone());
            }
        }
    }
    names
}

fn warning(scope: &Scope, resolved: &DesiredScope) -> Option<Diagnostic> {
    let ScopeAttributes {
        allowed_integration_types: types,
        at_max_age,
        authorization_max_lifetime: lifetime,
        accessible_for_all,
        ..
    } = &resolved.attributes;
    if *accessible_for_all && !resolved.consumers.is_empty() {
        let message = "the scope is open to all, so its consumers have no effect";
        let help = "take out `accessible_for_all`, or the consumers";
        return Some(Diagnostic::new(Rule::OpenToAll, &scope.place, message, help));
    }
    if types.contains(&IntegrationType::Maskinporten) && at_max_age != lifetime {
        let message = format!(
            "at_max_age is {at_max_age} and authorization_max_lifetime {lifetime}; for \
             Maskinporten scopes the two are set alike"
        );
        let help = "leave `authorization_max_lifetime` out";
        return Some(Diagnostic::new(Rule::Lifetimes, &scope.place, &message, help));
    }
    None
}

fn synthetic(environment: EnvironmentSet, declared: &Declared) -> Vec<Diagnostic> {
    let aliases = declared.aliases.iter();
    let here = aliases.filter(|alias| alias.environments.overlaps(environment));
    here.filter(|alias| alias.orgno.is_synthetic())
        .map(|alias| {
            let message = format!("{} is a synthetic number, unknown in production", alias.orgno);
            let help = "restrict the alias with `environments`";
            Diagnostic::new(Rule::SyntheticInProduction, &alias.place, &message, help)
        })
        .collect()
}

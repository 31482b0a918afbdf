//! Rules between declarations, in any file: names must exist, and exist once.

use std::collections::HashMap;

use super::repeated::{self, ManifestFiles};
use super::{names, references, shares};
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::{Diagnostic, Place, quoted};
use crate::declare::files::index::in_settings;
use crate::declare::own::teams::{Objection, Teams};
use crate::declare::read::declared::{ClientPart, Declared, DeclaredClient, Placed, Who};
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::settings::Settings;
use domain::{CLIENT, ClientId, Entity, ScopeName};

/// Largest number of accesses that are resolved; far more than any organisation grants.
const MOST_ACCESSES: usize = 1_000_000;

/// Largest number of consumers of all shares of cloud resources together.
const MOST_TRUSTED: usize = 100_000;

/// Checks declarations against each other, and their places.
pub(crate) fn check(declared: &Declared, settings: &Settings) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let teams = &settings.teams;
    for Placed { entity, place, .. } in declared.entities().chain(declared.removals()) {
        found.extend(outside_its_team(&entity, place, teams));
    }
    // A client that is renamed has the previous name too.
    for client in &declared.clients {
        if let Some((previous, span)) = &client.previous_name {
            let place = client.place.with(*span);
            found.extend(outside_its_team(&Entity::Client(previous.clone()), &place, teams));
        }
    }
    let manifests = repeated::find(declared, settings, &mut found);
    duplicates(declared, &manifests, &mut found);
    removals(declared, &mut found);
    references::find(declared, &mut found);
    entries_for_nobody(declared, &mut found);
    names::find(declared, &mut found);
    shares::find(declared, settings, &mut found);
    amount(declared, &mut found);
    found
}

fn outside_its_team(entity: &Entity, place: &Place, teams: &Teams) -> Option<Diagnostic> {
    let Objection { rule, message, help, team } = teams.objection(&place.file, entity)?;
    let related = in_settings(team).related("the team is declared here");
    Some(Diagnostic::new(rule, place, &message, &help).with_related(related))
}

/// Reports what is declared twice, but for manifests that are there twice, which are reported by themselves.
fn duplicates(declared: &Declared, manifests: &ManifestFiles, found: &mut Vec<Diagnostic>) {
    let scopes = declared.scopes.iter();
    let scopes = scopes.map(|scope| (scope.name.as_str(), scope.environments, &scope.place));
    let help = "keep one of them, or give the two `environments` that do not overlap";
    twice(scopes, manifests, Rule::DuplicateScope, "the scope", help, found);
    clients(declared, manifests, help, found);
    let aliases = declared.aliases.iter();
    let aliases = aliases.map(|alias| (alias.alias.as_str(), alias.environments, &alias.place));
    twice(aliases, manifests, Rule::DuplicateAlias, "the alias", help, found);
    let groups = declared.groups.iter();
    let groups = groups.map(|group| (group.name.as_str(), EnvironmentSet::ALL, &group.place));
    let help = "put all members into one of them, or rename one";
    twice(groups, manifests, Rule::DuplicateGroup, "the group", help, found);
    // Files are named by them, and some systems do not distinguish upper and lower case.
    let shares = declared.shares.iter();
    let shares: Vec<_> = shares.map(|share| (share.name.to_lowercase(), share)).collect();
    let shares = shares.iter().map(|(name, it)| (name.as_str(), it.environments, &it.place));
    let help = "rename one of them, or give the two `environments` that do not overlap";
    twice(shares, manifests, Rule::DuplicateShare, "the entry of `skyporten`", help, found);
}

/// Remedy where manifests declare the same: they have no `environments`.
const OF_MANIFESTS: &str = "keep one of them, or say in portvakt.yaml in which environment each file counts, by \
                            `nais.manifests`";

fn twice<'d>(
    things: impl Iterator<Item = (&'d str, EnvironmentSet, &'d Place)>,
    manifests: &ManifestFiles,
    rule: Rule,
    what: &str,
    help: &str,
    found: &mut Vec<Diagnostic>,
) {
    // The entries of a name do not overlap, so there are never more than environments.
    let mut first: HashMap<&str, Vec<(EnvironmentSet, &Place)>> = HashMap::new();
    for (name, environments, place) in things {
        let before = first.entry(name).or_default();
        match before.iter().find(|(other, _)| other.overlaps(environments)) {
            None => before.push((environments, place)),
            Some((_, first)) if manifests.is_repeated(&first.file, &place.file) => {}
            Some((_, first)) => {
                let in_both = [first, place].iter().all(|it| manifests.contains(&it.file));
                let help = if in_both { OF_MANIFESTS } else { help };
                let message = format!("{what} {} is declared twice", quoted(name));
                let related = first.related("first declared here");
                found.push(Diagnostic::new(rule, place, &message, help).with_related(related));
            }
        }
    }
}

/// Clients that are the same: by name, by id, or by a previous name.
fn clients(
    declared: &Declared,
    manifests: &ManifestFiles,
    help: &str,
    found: &mut Vec<Diagnostic>,
) {
    let clients = || declared.clients.iter();
    let named = clients().map(|client| (client.name.as_str(), client.environments, &client.place));
    twice(named, manifests, Rule::DuplicateClient, "the client", help, found);
    let places: Vec<_> = clients().flat_map(pinned).collect();
    let pinned = places.iter().map(|(id, environments, place)| (id.as_str(), *environments, place));
    let help = "an id is one client's: keep one of the declarations, or correct the `client_id`";
    twice(pinned, manifests, Rule::DuplicateClient, "the client id", help, found);
    let names: HashMap<_, _> = clients().map(|client| (&client.name, client)).collect();
    for client in clients() {
        let Some((previous, span)) = &client.previous_name else { continue };
        if let Some(other) = names.get(previous)
            && other.environments.overlaps(client.environments)
        {
            let message = format!("{} is still a client's name", quoted(previous.as_str()));
            let help = "take `previous_name` out, or that client";
            let place = client.place.with(*span);
            let diagnostic = Diagnostic::new(Rule::DuplicateClient, &place, &message, help);
            found.push(diagnostic.with_related(other.place.related("declared here")));
        }
    }
    owned_twice(declared, found);
}

/// Clients whose description names an application, whose manifest declares a client of its own: NAIS could
/// use either.
fn owned_twice(declared: &Declared, found: &mut Vec<Diagnostic>) {
    let mut of_manifests: HashMap<String, Vec<&DeclaredClient>> = HashMap::new();
    for client in &declared.clients {
        if let Some(manifest) = &client.manifest {
            of_manifests.entry(manifest.application.to_string()).or_default().push(client);
        }
    }
    for client in declared.clients.iter().filter(|client| client.manifest.is_none()) {
        let own = client.overrides.iter().map(|own| (own.environment, &own.part));
        let parts = own.chain([(client.environments, &client.part)]);
        let owned = parts.filter_map(|(environments, part)| {
            let environments = environments.and(client.environments);
            let mut of_manifest = of_manifests.get(part.description.as_ref()?)?.iter();
            let other = of_manifest.find(|other| {
                other.integration_type == client.integration_type
                    && other.environments.overlaps(environments)
            })?;
            Some((client.place.or_at(part.spans.of(CLIENT.description.name)), *other))
        });
        for (place, other) in owned {
            let message =
                "a manifest declares the client of this description, and NAIS finds it by that";
            let help = "keep one of the two, or give this client another description";
            let diagnostic = Diagnostic::new(Rule::DuplicateClient, &place, message, help);
            found.push(diagnostic.with_related(other.place.related("the manifest is here")));
        }
    }
}

/// The ids that a client pins, each with its environments.
fn pinned(client: &DeclaredClient) -> Vec<(ClientId, EnvironmentSet, Place)> {
    let at = |part: &ClientPart| {
        Some((part.id.clone()?, client.place.or_at(part.spans.of("client_id"))))
    };
    let mut rest = client.environments;
    let mut pinned = Vec::new();
    for own in &client.overrides {
        if let Some((id, place)) = at(&own.part) {
            pinned.push((id, own.environment.and(client.environments), place));
            rest = rest.without(own.environment);
        }
    }
    pinned.extend(at(&client.part).map(|(id, place)| (id, rest, place)));
    pinned
}

/// Entities that are removed and declared in one environment, and those that are removed twice there.
fn removals(declared: &Declared, found: &mut Vec<Diagnostic>) {
    let mut places: HashMap<Entity, Vec<Placed<'_>>> = HashMap::new();
    for placed in declared.entities() {
        places.entry(placed.entity.clone()).or_default().push(placed);
    }
    let mut removed: HashMap<Entity, Vec<Placed<'_>>> = HashMap::new();
    for gone in declared.removals() {
        let shown = format!("the {} {}", gone.entity.kind(), quoted(gone.entity.name()));
        let overlaps = |other: &&Placed<'_>| other.environments.overlaps(gone.environments);
        if let Some(declared) = places.get(&gone.entity).into_iter().flatten().find(overlaps) {
            let message = format!("{shown} is removed, and declared as well");
            let help = "remove it from `removed`, or remove its declaration";
            let related = declared.place.related("declared here");
            let diagnostic = Diagnostic::new(Rule::DeclaredAndRemoved, gone.place, &message, help);
            found.push(diagnostic.with_related(related));
        }
        let before = removed.entry(gone.entity.clone()).or_default();
        if let Some(first) = before.iter().find(overlaps) {
            let message = format!("{shown} is removed twice");
            let related = first.place.related("first removed here");
            let diagnostic =
                Diagnostic::new(Rule::RemovedTwice, gone.place, &message, "keep one of them");
            found.push(diagnostic.with_related(related));
        } else {
            before.push(gone);
        }
    }
}

/// Reports entries whose environments have none in common with those of the organisations that they name.
fn entries_for_nobody(declared: &Declared, found: &mut Vec<Diagnostic>) {
    let aliases = declared.aliases.iter().map(|it| (it.alias.as_str(), it.environments));
    let aliases = EnvironmentSet::by_key(aliases);
    // What is unknown or broken is reported by that alone.
    let of_alias = |name: &str| aliases.get(name).copied().unwrap_or(EnvironmentSet::ALL);
    let of_member = |who: &Who| match who {
        Who::Orgno(_) => EnvironmentSet::ALL,
        Who::Alias(name) | Who::Group(name) => of_alias(name),
    };
    let groups = declared.groups.iter().filter(|group| !group.members.is_empty());
    let groups = groups.map(|group| {
        let members = group.members.iter().map(|(who, _)| of_member(who));
        (group.name.as_str(), members.collect())
    });
    let groups: HashMap<_, EnvironmentSet> = groups.collect();
    for scope in &declared.scopes {
        for entry in &*scope.consumers {
            let (named, whose) = match &entry.who {
                Who::Orgno(_) => continue,
                Who::Alias(name) => (of_alias(name), "its alias counts"),
                Who::Group(name) => {
                    let members = groups.get(&**name).copied();
                    (members.unwrap_or(EnvironmentSet::ALL), "the members of its group count")
                }
            };
            let reach = scope.environments.and(entry.environments);
            // An empty set comes of environments that are wrong, or that do not hold the scope.
            if !reach.is_empty() && !named.is_empty() && !reach.overlaps(named) {
                let message =
                    format!("this entry gives nobody access: {whose} in other environments");
                let help =
                    "add the environment where the organisation is declared, or take the entry out";
                let place = scope.at(entry.who_span);
                found.push(Diagnostic::new(Rule::GivesNobody, &place, &message, help));
            }
        }
    }
}

/// Large groups on many scopes multiply: the total is limited before it is built.
fn amount(declared: &Declared, found: &mut Vec<Diagnostic>) {
    let groups = declared.groups.iter();
    let sizes: HashMap<&str, usize> = groups.map(|g| (g.name.as_str(), g.members.len())).collect();
    let mut amount = 0_usize;
    let mut largest: HashMap<&ScopeName, usize> = HashMap::new();
    for scope in &declared.scopes {
        let of_entry = |who: &Who| match who {
            Who::Orgno(_) | Who::Alias(_) => 1,
            Who::Group(name) => sizes.get(&**name).copied().unwrap_or(1),
        };
        let own = scope.consumers.iter().map(|entry| of_entry(&entry.who));
        let own = own.fold(0, usize::saturating_add);
        amount = amount.saturating_add(own);
        let largest = largest.entry(&scope.name).or_default();
        *largest = own.max(*largest);
        if amount > MOST_ACCESSES {
            let message = format!("up to here, more than {MOST_ACCESSES} accesses are declared");
            let help = "use smaller groups, or `accessible_for_all`";
            found.push(Diagnostic::new(Rule::TooManyAccesses, &scope.place, &message, help));
            return;
        }
    }
    let mut trusted = 0_usize;
    for share in &declared.shares {
        let own = largest.get(&share.scope.value).copied().unwrap_or_default();
        trusted = trusted.saturating_add(own);
        if trusted > MOST_TRUSTED {
            let message =
                format!("up to here, clouds would trust more than {MOST_TRUSTED} consumers");
            let help = "use smaller groups, or fewer entries of `skyporten`";
            found.push(Diagnostic::new(Rule::TooManyAccesses, &share.place, &message, help));
            return;
        }
    }
}

//! Rules about shares of cloud resources: who reaches them, and the limits of the clouds.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;

use crate::declare::diagnostic::rule::{Rule, Severity};
use crate::declare::diagnostic::{Diagnostic, Place, quoted};
use crate::declare::read::declared::Scope;
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::shares::DeclaredShare;
use crate::declare::resolve::here::Here;
use crate::declare::resolve::shares::shares;
use crate::declare::resolve::{attributes, desired};
use crate::skyporten::{CloudShare, Exceeded, TrustedShare, TrustingCloud, exceeded};
use domain::{Desired, SCOPE, ScopeName, TokenType};

/// Largest number of days on which the limits of the clouds are checked.
const MOST_DAYS: usize = 50;

/// An organisation for declarations without a right one.
const STAND_IN: &str = "889640782";

/// The shares of an environment, as declared and resolved.
type Shares<'s> = [(&'s DeclaredShare, CloudShare)];

pub(super) fn find(here: &Here<'_>, today: Date, found: &mut Vec<Diagnostic>) {
    if here.declared.shares.is_empty() {
        return;
    }
    let shares = shares(here);
    twice(here, &shares, found);
    pool_audiences(here, &shares, found);
    let scopes: HashMap<_, _> = here.scopes().map(|scope| (&scope.name, scope)).collect();
    for (declared, share) in &shares {
        let scope = scopes.get(&share.scope);
        found.extend(scope.and_then(|scope| unfit(declared, &share.audience, scope, here)));
    }
    // Who has access does not depend on whose the scopes are: a wrong number of the organisation hides nothing here.
    if let Some(organization) = here.settings.organization.or_else(|| STAND_IN.parse().ok()) {
        consumers(here, &desired(here, organization), shares, today, found);
    }
}

/// Reports shares that nobody reaches, today or later, and the limits that they exceed with their consumers.
fn consumers(
    here: &Here<'_>,
    desired: &Desired,
    shares: Vec<(&DeclaredShare, CloudShare)>,
    today: Date,
    found: &mut Vec<Diagnostic>,
) {
    let days = days(desired, &shares, today);
    let (declared, mut trusted): (Vec<_>, Vec<_>) = shares
        .into_iter()
        .map(|(declared, share)| (declared, TrustedShare { share, consumers: BTreeMap::new() }))
        .unzip();
    let issuer = issuer(here);
    let (mut reached, mut reported) = (HashSet::new(), HashSet::new());
    for day in days {
        for (index, TrustedShare { share, consumers }) in trusted.iter_mut().enumerate() {
            *consumers = desired.consumers_on(&share.scope, day);
            if !consumers.is_empty() {
                reached.insert(index);
            }
        }
        let mut exceeded = exceeded(&issuer, &trusted);
        // A limit is reported for the first day on which it is exceeded, whatever the number becomes later.
        exceeded.retain(|it| {
            let limit = it.message.replace(|letter: char| letter.is_ascii_digit(), "");
            reported.insert((it.share, it.cloud, limit))
        });
        for Exceeded { share, cloud, message, help } in exceeded {
            let Some(share) = declared.get(share) else { continue };
            let when = if day == today { String::new() } else { format!(" from {day}") };
            let message = format!("in {}{when} {message}", quoted(here.name));
            let place = share.at(here.set, cloud);
            found.push(Diagnostic::new(Rule::CloudLimit, &place, &message, &help));
        }
    }
    let mut elsewhere = None;
    for (_, declared) in declared.iter().enumerate().filter(|(index, _)| !reached.contains(index)) {
        let elsewhere = elsewhere.get_or_insert_with(|| reach(here, today));
        let reach = elsewhere.get(&declared.scope.value).copied();
        let reach = reach.unwrap_or(EnvironmentSet::NONE).without(here.set);
        found.push(nobody(declared, here, declared.environments.overlaps(reach)));
    }
}

/// Today, and the days after it on which a consumer's access begins: only then have shares more of them.
fn days(desired: &Desired, shares: &Shares<'_>, today: Date) -> Vec<Date> {
    let scopes: BTreeSet<&ScopeName> = shares.iter().map(|(_, share)| &share.scope).collect();
    let scopes = scopes.into_iter().filter_map(|name| desired.scopes.get(name));
    let accesses = scopes.flat_map(|scope| scope.consumers.values());
    let begins = accesses.flat_map(|access| access.entries().filter_map(|entry| entry.days.from));
    let later: BTreeSet<Date> = begins.filter(|day| *day > today).collect();
    std::iter::once(today).chain(later).take(MOST_DAYS).collect()
}

/// Skyporten's issuer, for the length of what is made of it.
fn issuer(here: &Here<'_>) -> String {
    let addresses = here.target().and_then(|target| target.addresses().ok().flatten());
    let known = addresses.and_then(|target| target.skyporten);
    // The longer one of the two that there are.
    known.or_else(|| digdir::ApiTarget::test().skyporten).unwrap_or_default()
}

/// Reports what two shares of the environment would both have.
fn twice(here: &Here<'_>, shares: &Shares<'_>, found: &mut Vec<Diagnostic>) {
    let mut first: HashMap<String, (usize, Place)> = HashMap::new();
    for (index, (declared, share)) in shares.iter().enumerate() {
        for resource in share.exclusive_in_cloud() {
            let place = declared.place_of(here.set, &resource);
            match first.get(&resource.key) {
                Some((other, there)) if *other != index => {
                    let message = format!("another entry names {} too", resource.description);
                    let help = "keep one of the two, or name another resource";
                    let diagnostic = Diagnostic::new(Rule::DuplicateShare, &place, &message, help);
                    let related = there.related("the other entry");
                    found.push(diagnostic.with_related(related));
                    break;
                }
                Some(_) => {}
                None => drop(first.insert(resource.key, (index, place))),
            }
        }
    }
}

/// Reports shares whose audiences a pool does not keep apart.
fn pool_audiences(here: &Here<'_>, shares: &Shares<'_>, found: &mut Vec<Diagnostic>) {
    let mut first: HashMap<(&str, &str, &ScopeName), (&str, Place)> = HashMap::new();
    for (declared, share) in shares {
        let Some(gcp) = &share.clouds.gcp else { continue };
        let place = declared.at(here.set, TrustingCloud::Gcp);
        let key = (&*gcp.project_number, &*gcp.pool, &share.scope);
        match first.get(&key) {
            Some((audience, there)) if *audience != share.audience => {
                let message = format!(
                    "another entry has this scope in the pool {} with another audience, and a token for either \
                     reaches the resources of both",
                    quoted(&gcp.pool)
                );
                let help = "name another `pool`, or write the same `audience`";
                let related = there.related("the other entry");
                let diagnostic = Diagnostic::new(Rule::PoolAudiences, &place, &message, help);
                found.push(diagnostic.with_related(related));
            }
            Some(_) => {}
            None => drop(first.insert(key, (&share.audience, place))),
        }
    }
}

/// A share that no token of its scope can fit.
fn unfit(
    declared: &DeclaredShare,
    audience: &str,
    scope: &Scope,
    here: &Here<'_>,
) -> Option<Diagnostic> {
    let attributes = attributes(scope, here);
    let enforced = attributes.enforced_aud_for_access_token.as_ref().filter(|it| *it != audience);
    let (attribute, message, help) = if let Some(enforced) = enforced {
        (
            SCOPE.enforced_aud_for_access_token.name,
            format!("tokens of the scope have the audience {}", quoted(enforced)),
            format!("write `audience: {enforced}`, or remove the attribute of the scope"),
        )
    } else if attributes.token_type == TokenType::Opaque {
        let message = "tokens of the scope are opaque, and no cloud can read them".to_owned();
        (SCOPE.token_type.name, message, "write `token_type: SELF_CONTAINED`".to_owned())
    } else if !attributes.is_for_maskinporten() {
        let message = "the scope is not for clients of Maskinporten, and Skyporten has no others";
        let help = "add `maskinporten` to `allowed_integration_types`".to_owned();
        (SCOPE.allowed_integration_types.name, message.to_owned(), help)
    } else {
        return None;
    };
    let place = declared.place.with(declared.scope.span);
    let related = here.deciding(scope, attribute).related("decided here");
    let message = format!("no token can fit this entry: {message}");
    Some(Diagnostic::new(Rule::UnfitToken, &place, &message, &help).with_related(related))
}

/// The environments in which the entries of each scope count.
fn reach<'h>(here: &Here<'h>, today: Date) -> HashMap<&'h ScopeName, EnvironmentSet> {
    let known = here.settings.environment_names.all();
    EnvironmentSet::by_key(here.declared.scopes.iter().map(|scope| {
        let lasting = scope.consumers.iter().filter(|entry| !entry.days().is_over(today));
        let all: EnvironmentSet = lasting.map(|entry| entry.environments).collect();
        (&scope.name, all.and(scope.environments).and(known))
    }))
}

/// A share without consumers: a note where other environments have entries that count.
fn nobody(declared: &DeclaredShare, here: &Here<'_>, is_used_elsewhere: bool) -> Diagnostic {
    let place = declared.place.with(declared.scope.span);
    let scope = quoted(declared.scope.value.as_str());
    if is_used_elsewhere {
        let message = format!("in {} nobody is declared on {scope}", quoted(here.name));
        let help = "nobody reaches the resources there until a consumer is declared";
        return Diagnostic::new(Rule::ShareForNobody, &place, &message, help)
            .with_severity(Severity::Note);
    }
    let message = format!("nobody is declared on {scope}, so nobody reaches the resources");
    let help = "declare a consumer of the scope, or remove the entry";
    Diagnostic::new(Rule::ShareForNobody, &place, &message, help)
}

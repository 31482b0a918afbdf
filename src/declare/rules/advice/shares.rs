//! Rules about shares of cloud resources: who reaches them, and the limits of the clouds.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use crate::declare::diagnostic::rule::{Rule, Severity};
use crate::declare::diagnostic::{Diagnostic, Place, quoted};
use crate::declare::read::declared::{DeclaredAccess, Scope};
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::shares::DeclaredShare;
use crate::declare::resolve::attributes;
use crate::declare::resolve::here::Here;
use crate::declare::resolve::shares::shares;
use crate::skyporten::{Exceeded, TrustedShare, TrustingCloud, exceeded};
use domain::{Orgno, SCOPE, ScopeName, TokenType};

pub(super) fn find(here: &Here<'_>, today: Date, found: &mut Vec<Diagnostic>) {
    if here.declared.shares.is_empty() {
        return;
    }
    let consumers = ScopeConsumers::of(here, today);
    let (declared, trusted): (Vec<&DeclaredShare>, Vec<TrustedShare>) = shares(here)
        .into_iter()
        .map(|(declared, share)| {
            let consumers = consumers.of_scope(&share.scope);
            (declared, TrustedShare { share, consumers })
        })
        .unzip();
    for Exceeded { share, cloud, message, help } in exceeded(&issuer(here), &trusted) {
        let Some(share) = declared.get(share) else { continue };
        let message = format!("in {} {message}", quoted(here.name));
        found.push(Diagnostic::new(Rule::CloudLimit, &share.at(here.set, cloud), &message, &help));
    }
    twice(here, &declared, &trusted, found);
    pool_audiences(here, &declared, &trusted, found);
    for (declared, trusted) in declared.iter().zip(&trusted) {
        let scope = consumers.scopes.get(&trusted.share.scope);
        found.extend(scope.and_then(|scope| unfit(declared, &trusted.share.audience, scope, here)));
    }
    let empty = declared.iter().zip(&trusted).filter(|(_, trusted)| trusted.consumers.is_empty());
    let mut elsewhere = None;
    for (declared, _) in empty {
        let elsewhere = elsewhere.get_or_insert_with(|| reach(here, today));
        let reach = elsewhere.get(&declared.scope.value).copied();
        let reach = reach.unwrap_or(EnvironmentSet::NONE).without(here.set);
        found.push(nobody(declared, here, declared.environments.overlaps(reach)));
    }
}

/// Skyporten's issuer, for the length of what is made of it.
fn issuer(here: &Here<'_>) -> String {
    let addresses = here.target().and_then(|target| target.addresses().ok().flatten());
    let known = addresses.and_then(|target| target.skyporten);
    // The longer one of the two that there are.
    known.or_else(|| digdir::ApiTarget::test().skyporten).unwrap_or_default()
}

/// The organisations that are declared on the scopes of an environment, but for those that are blocked and those
/// whose access has ended.
struct ScopeConsumers<'h> {
    here: &'h Here<'h>,
    today: Date,
    scopes: HashMap<&'h ScopeName, &'h Scope>,
}

impl<'h> ScopeConsumers<'h> {
    fn of(here: &'h Here<'h>, today: Date) -> Self {
        let scopes = here.scopes().map(|scope| (&scope.name, scope)).collect();
        Self { here, today, scopes }
    }

    fn of_scope(&self, name: &ScopeName) -> BTreeMap<Orgno, Option<String>> {
        let Some(scope) = self.scopes.get(name) else { return BTreeMap::new() };
        let entries = self.here.entries(scope);
        let lasting = entries.filter(|entry| is_lasting(entry, self.today));
        let named = lasting.flat_map(|entry| self.here.named(&entry.who)).copied();
        let mut consumers: BTreeMap<_, _> = named.map(|orgno| (orgno, None)).collect();
        for (block, blocked) in self.here.blocks() {
            if block.concerns(name) {
                consumers.retain(|orgno, _| !blocked.contains(orgno));
            }
        }
        consumers
    }
}

/// Reports what two shares of the environment would both have.
fn twice(
    here: &Here<'_>,
    declared: &[&DeclaredShare],
    trusted: &[TrustedShare],
    found: &mut Vec<Diagnostic>,
) {
    let mut first: HashMap<String, (usize, Place)> = HashMap::new();
    for (index, (declared, trusted)) in declared.iter().zip(trusted).enumerate() {
        for resource in trusted.share.exclusive_in_cloud() {
            let place = declared.at(here.set, resource.cloud);
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
fn pool_audiences(
    here: &Here<'_>,
    declared: &[&DeclaredShare],
    trusted: &[TrustedShare],
    found: &mut Vec<Diagnostic>,
) {
    let mut first: HashMap<(&str, &str, &ScopeName), (&str, Place)> = HashMap::new();
    for (declared, TrustedShare { share, consumers: _ }) in declared.iter().zip(trusted) {
        let Some(gcp) = &share.clouds.gcp else { continue };
        let place = declared.at(here.set, TrustingCloud::Gcp);
        match first.get(&(&*gcp.project_number, &*gcp.pool, &share.scope)) {
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
            None => {
                let key = (&*gcp.project_number, &*gcp.pool, &share.scope);
                first.insert(key, (&share.audience, place));
            }
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
    let mut reach = HashMap::new();
    let known = here.settings.environment_names.all();
    for scope in &here.declared.scopes {
        let lasting = scope.consumers.iter().filter(|entry| is_lasting(entry, today));
        let all = lasting.fold(EnvironmentSet::NONE, |all, entry| all.or(entry.environments));
        let before = reach.entry(&scope.name).or_insert(EnvironmentSet::NONE);
        *before = before.or(all.and(scope.environments).and(known));
    }
    reach
}

fn is_lasting(entry: &DeclaredAccess, today: Date) -> bool {
    entry.until.is_none_or(|until| until.date >= today)
}

/// A share without consumers: a note where other environments have entries that count.
fn nobody(declared: &DeclaredShare, here: &Here<'_>, is_used_elsewhere: bool) -> Diagnostic {
    let place = declared.place.with(declared.scope.span);
    let scope = quoted(declared.scope.value.as_str());
    if is_used_elsewhere {
        let message = format!("in {} nobody is declared on {scope}", quoted(here.name));
        let help = "nobody reaches the resources there until a consumer is declared";
        let mut diagnostic = Diagnostic::new(Rule::ShareForNobody, &place, &message, help);
        diagnostic.severity = Severity::Note;
        return diagnostic;
    }
    let message = format!("nobody is declared on {scope}, so nobody reaches the resources");
    let help = "declare a consumer of the scope, or remove the entry";
    Diagnostic::new(Rule::ShareForNobody, &place, &message, help)
}

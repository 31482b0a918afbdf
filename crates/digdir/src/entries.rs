//! From what the API lists to what a plan can name; the rest is told as odd and left alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::call::Call;
use super::error::{Error, ErrorKind};
use super::needs::Which;
use super::wire::{AccessEntry, DelegationSourceEntry, PrefixEntry, scope_name};
use domain::{
    AccessState, DelegationSource, LiveAccess, LiveScope, Oddity, OddityOf, Orgno, Representation,
    ScopeName, kept,
};

/// What the API told and no plan can name.
pub type Oddities = Vec<Oddity>;

/// Notes what is odd about an entity.
pub(super) fn odd(of: OddityOf, (entity, what): (String, String)) -> Oddity {
    Oddity { of, entity, what }
}

/// A scope's access list by consumer, and what in it is odd. Errors where the list holds an access
/// to another scope: then the answer is not the one to the question, and who has access is unknown.
pub fn accesses_of_scope(
    scope: &ScopeName,
    entries: Vec<AccessEntry>,
) -> Result<(BTreeMap<Orgno, LiveAccess>, Oddities), Error> {
    let mut accesses: BTreeMap<Orgno, LiveAccess> = BTreeMap::new();
    let mut oddities = Oddities::new();
    for entry in entries {
        if let Some(other) = entry.scope.filter(|other| other != scope.as_str()) {
            let place = Call::accesses(scope, false).place();
            let reason = format!("the list holds an access to another scope, {other}");
            return Err(Error::new(ErrorKind::Malformed, &place, reason));
        }
        let consumer = entry.consumer_orgno.unwrap_or_default();
        let entity = format!("access of {consumer} to {scope}");
        let odd = |what: String| odd(OddityOf::Accesses(scope.clone()), (entity, what));
        let orgno = match consumer.parse::<Orgno>() {
            Ok(orgno) => orgno,
            Err(reason) => {
                oddities.push(odd(format!("{reason}; left alone")));
                continue;
            }
        };
        let Some(state) = entry.state.filter(|state| !state.is_empty()) else {
            oddities.push(odd("it has no state; left alone".to_owned()));
            continue;
        };
        let name = entry.consumer_organization_name.map(|name| kept(&name).into_owned());
        let state = AccessState::from(state);
        let requested = match state {
            AccessState::Requested => entry.last_updated.and_then(|at| at.as_str()?.parse().ok()),
            AccessState::Approved | AccessState::Denied | AccessState::Other(_) => None,
        };
        let access = LiveAccess { state, name, requested };
        match accesses.get_mut(&orgno) {
            None => {
                accesses.insert(orgno, access);
            }
            Some(other) => {
                oddities.push(odd("listed twice; the state that gives more counts".to_owned()));
                if weight(&access.state) > weight(&other.state) {
                    *other = access;
                }
            }
        }
    }
    Ok((accesses, oddities))
}

/// Of two entries for one consumer the one that gives access counts, so that a plan does not
/// overlook it.
fn weight(state: &AccessState) -> u8 {
    match state {
        AccessState::Approved => 3,
        AccessState::Requested => 2,
        AccessState::Other(_) => 1,
        AccessState::Denied => 0,
    }
}

/// The scopes by name. A name that is listed twice with different contents errors if the scope is
/// needed by name, because which of the two an update would write back could only be guessed. Who
/// needs all is told, and may still do with less.
pub(super) fn scopes(
    listed: Vec<Representation>,
    needed: &Which<ScopeName>,
    oddities: &mut Oddities,
) -> Result<BTreeMap<ScopeName, LiveScope>, Error> {
    let mut scopes: BTreeMap<ScopeName, LiveScope> = BTreeMap::new();
    for representation in listed {
        let named = scope_name(&representation);
        let read = named.and_then(|name| match active(&representation) {
            Ok(active) => Ok((name, active)),
            Err(what) => Err((format!("scope {name}"), what)),
        });
        let (name, active) = match read {
            Ok(read) => read,
            Err(oddity) => {
                oddities.push(odd(OddityOf::Scopes, oddity));
                continue;
            }
        };
        if let Some(first) = scopes.get(&name) {
            let differs = first.representation != representation;
            if differs && needed.names(&name) {
                let place = Call::scopes().place();
                return Err(Error::new(ErrorKind::Malformed, &place, two_scopes(&name)));
            }
            let twice = (format!("scope {name}"), "listed twice".to_owned());
            oddities.push(match differs {
                true => odd(OddityOf::TwoScopes(name), twice),
                false => odd(OddityOf::Scopes, twice),
            });
            continue;
        }
        let scope = LiveScope { active, representation, accesses: None, unclear: false };
        scopes.insert(name, scope);
    }
    Ok(scopes)
}

/// That it cannot be told which scope of a name is the real one.
pub(super) fn two_scopes(name: &ScopeName) -> String {
    format!("the list holds two different scopes named {name}")
}

/// Whether a scope is active. One that does not say is: DigDir lists inactive ones only on
/// request, so being active is what goes without saying, and taking it for inactive would have an
/// apply 'reactivate' it.
pub(super) fn active(scope: &Representation) -> Result<bool, String> {
    match scope.get("active") {
        None | Some(Value::Null) => Ok(true),
        Some(Value::Bool(active)) => Ok(*active),
        Some(other) => Err(format!("its `active` is {other}, neither true nor false; left alone")),
    }
}

pub(super) fn prefixes(entries: Vec<PrefixEntry>, oddities: &mut Oddities) -> BTreeSet<String> {
    let usable = entries.into_iter().filter(|entry| entry.active != Some(false));
    usable
        .filter_map(|entry| {
            let prefix = entry.prefix.unwrap_or_default();
            let prefix = prefix.strip_suffix(':').unwrap_or(&prefix).to_owned();
            let is_odd = prefix.is_empty() || prefix.contains(':');
            if is_odd {
                let none = (format!("prefix {prefix}"), "no prefix; left alone".to_owned());
                oddities.push(odd(OddityOf::Prefixes, none));
            }
            (!is_odd).then_some(prefix)
        })
        .collect()
}

pub(super) fn delegation_sources(
    entries: Vec<DelegationSourceEntry>,
    oddities: &mut Oddities,
) -> Vec<DelegationSource> {
    let sources = entries.into_iter().filter_map(|entry| match (entry.name, entry.issuer) {
        (Some(name), Some(issuer)) => Some(DelegationSource { name, issuer }),
        (name, _) => {
            let entity = format!("delegation source {}", name.unwrap_or_default());
            let what = "it lacks a name or an issuer; left alone".to_owned();
            oddities.push(odd(OddityOf::DelegationSources, (entity, what)));
            None
        }
    });
    sources.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entries(list: Value) -> Vec<AccessEntry> {
        serde_json::from_value(list).unwrap()
    }

    fn listed(list: Value) -> Vec<Representation> {
        serde_json::from_value(list).unwrap()
    }

    fn name(text: &str) -> ScopeName {
        text.parse().unwrap()
    }

    #[test]
    fn odd_accesses_are_reported_and_left_alone() {
        let list = entries(json!([
            {"scope": "etat:a", "consumer_orgno": "974761076", "state": "APPROVED",
             "consumer_organization_name": "Skatteetaten", "last_updated": "2026-11-01T08:00:00Z"},
            {"consumer_orgno": "889640782", "state": "SUSPENDED"},
            {"scope": "etat:a", "consumer_orgno": "..", "state": "APPROVED"},
            {"scope": "etat:a", "consumer_orgno": null, "state": "APPROVED"},
            {"scope": "etat:a", "consumer_orgno": "991825827", "state": null},
        ]));
        let (accesses, oddities) = accesses_of_scope(&name("etat:a"), list).unwrap();
        let states: Vec<_> = accesses.iter().map(|(o, a)| (o.as_str(), a.state.as_str())).collect();
        assert_eq!(states, [("889640782", "SUSPENDED"), ("974761076", "APPROVED")]);
        assert_eq!(accesses.values().last().unwrap().name.as_deref(), Some("Skatteetaten"));
        assert_eq!(oddities.len(), 3);
    }

    #[test]
    fn a_request_has_the_time_that_digdir_gives_it() {
        for (at, expected) in [
            (json!("2026-11-01T08:00:00.123Z"), Some("2026-11-01T08:00:00.123Z")),
            (json!("2026-11-01T09:00:00+01:00"), Some("2026-11-01T08:00:00Z")),
            (json!("i går"), None),
            (json!(17), None),
        ] {
            let list = entries(json!([
                {"consumer_orgno": "974761076", "state": "REQUESTED", "last_updated": at}
            ]));
            let (accesses, _) = accesses_of_scope(&name("etat:a"), list).unwrap();
            let requested = accesses.values().next().unwrap().requested;
            assert_eq!(requested.map(|at| at.to_string()).as_deref(), expected, "{at}");
        }
    }

    #[test]
    fn of_two_entries_the_one_that_gives_access_counts_in_any_order() {
        let denied = json!({"consumer_orgno": "974761076", "state": "DENIED"});
        let approved = json!({"consumer_orgno": "974761076", "state": "APPROVED"});
        for list in [json!([denied, approved]), json!([approved, denied])] {
            let (accesses, oddities) = accesses_of_scope(&name("etat:a"), entries(list)).unwrap();
            assert_eq!(accesses.values().next().unwrap().state, AccessState::Approved);
            assert_eq!(oddities.len(), 1);
        }
    }

    #[test]
    fn an_access_to_another_scope_makes_the_answer_void() {
        let list = entries(json!([{"scope": "etat:b", "consumer_orgno": "x", "state": "DENIED"}]));
        let error = accesses_of_scope(&name("etat:a"), list).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert!(error.to_string().contains("etat:b"), "{error}");
    }

    #[test]
    fn a_scope_that_does_not_say_is_active() {
        let list = listed(json!([
            {"name": "etat:a"}, {"name": "etat:b", "active": null},
            {"name": "etat:c", "active": false}, {"name": "etat:d", "active": "false"},
            {"name": "not a name"},
        ]));
        let mut oddities = Oddities::new();
        let scopes = scopes(list, &Which::default(), &mut oddities).unwrap();
        let active: Vec<_> = scopes.iter().map(|(n, s)| (n.as_str(), s.active)).collect();
        assert_eq!(active, [("etat:a", true), ("etat:b", true), ("etat:c", false)]);
        let odd: Vec<_> = oddities.iter().map(|odd| odd.entity.as_str()).collect();
        assert_eq!(odd, ["scope etat:d", "scope not a name"]);
    }

    #[test]
    fn two_scopes_of_one_name_stop_only_what_needs_them() {
        let list = || listed(json!([{"name": "etat:a", "active": false}, {"name": "etat:a"}]));
        let needed = Which::These([name("etat:a")].into());
        assert!(scopes(list(), &needed, &mut Oddities::new()).is_err());
        for needed in [Which::default(), Which::All] {
            let mut oddities = Oddities::new();
            assert_eq!(scopes(list(), &needed, &mut oddities).unwrap().len(), 1);
            let two: Vec<_> = oddities.iter().map(|oddity| oddity.of.clone()).collect();
            assert_eq!(two, [OddityOf::TwoScopes(name("etat:a"))]);
        }
        let same = listed(json!([{"name": "etat:a"}, {"name": "etat:a"}]));
        assert_eq!(scopes(same, &needed, &mut Oddities::new()).unwrap().len(), 1);
    }

    #[test]
    fn a_prefix_has_no_colon_at_its_end_and_must_be_active() {
        let entries = serde_json::from_value(json!([
            {"prefix": "etat:"}, {"prefix": "etat"}, {"prefix": "old", "active": false},
            {"prefix": ":"}, {"prefix": null}, {"prefix": "ny", "active": true},
        ]));
        let mut oddities = Oddities::new();
        let prefixes = prefixes(entries.unwrap(), &mut oddities);
        assert_eq!(prefixes, BTreeSet::from(["etat".to_owned(), "ny".to_owned()]));
        assert_eq!(oddities.len(), 2);
    }
}

//! The endpoints below `/api/v1/scopes/access`: which consumer has access to which scope.
//!
//! Neither a source nor a switch decides one question: here, the accesses to an inactive scope
//! are listed to its owner with `inactive=true` only, as inactive entities are everywhere.

use serde_json::{Value, json};

use super::call::{READ, SentAnswer, ServedCall, WRITE, orgno};
use super::refusal::Refusal;
use super::scope_access::may_be_on;
use super::scopes::owned;
use super::{AccessRecord, ScopeRecord, State};
use domain::{AccessState, Orgno, ScopeName};

/// What one organisation gives: to all consumers of a scope, or all scopes to one consumer.
pub(super) async fn list(call: ServedCall) -> SentAnswer {
    let caller = match call.shared.switches().write_lists_accesses {
        true => call.allowed(&[READ, WRITE])?,
        false => call.allowed(&[READ])?,
    };
    let query = call.query(&["scope", "consumer_orgno", "inactive"])?;
    let listing = Listing::new(&call, query.inactive()?);
    let consumer = query.text("consumer_orgno").map(orgno).transpose()?;
    if consumer.is_none() && query.text("scope").is_none() {
        return Err(Refusal::bad_request(
            "One of the parameters \"scope\" and \"consumer_orgno\" is required",
        ));
    }
    let accesses = if query.text("scope").is_some() {
        let name = query.scope()?;
        call.shared.shown(|state| {
            let scope = owned(state, caller, &name)?;
            Ok(listing.of_scope(state, &name, scope, consumer))
        })?
    } else {
        call.shared
            .shown(|state| listing.of_all(state, consumer, |scope| scope.owner_orgno == caller))
    };
    call.list("accesses", accesses)
}

/// The accesses that an organisation has been given, by whomever. A scope that was deactivated stays in the
/// list (D).
pub(super) async fn list_received(call: ServedCall) -> SentAnswer {
    let caller = call.allowed(&[READ])?;
    let query = call.query(&["inactive", "integration_type"])?;
    let listing = Listing { inactive_scopes: true, ..Listing::new(&call, query.inactive()?) };
    let wanted = |scope: &ScopeRecord| {
        query.text("integration_type").is_none_or(|word| may_be_on(scope, word))
    };
    let own_listed = call.shared.switches().own_scopes_listed;
    let accesses = call.shared.shown(|state| {
        let mut accesses = listing.of_all(state, Some(caller), wanted);
        if own_listed {
            accesses.extend(listing.of_own(state, caller, wanted));
        }
        accesses
    });
    call.list("accesses", accesses)
}

pub(super) async fn grant(call: ServedCall) -> SentAnswer {
    let (caller, consumer, name) = target(&call)?;
    let nulls = call.shared.switches().nulls_for_absent;
    call.shared.change(|state| {
        if state.unknown_organizations.contains(&consumer) {
            return Err(Refusal::bad_request(format!("The organization {consumer} was not found")));
        }
        if !owned(state, caller, &name)?.active {
            return Err(Refusal::conflict(format!("The scope {name} is inactive")));
        }
        let consumers = state.accesses.entry(name.clone()).or_default();
        let new = || AccessRecord::new(AccessState::Approved);
        let access = consumers.entry(consumer).or_insert_with(new);
        access.set(AccessState::Approved);
        let access = access.clone();
        Ok(call.written(Some(wire(state, &name, caller, consumer, &access, nulls))))
    })
}

pub(super) async fn revoke(call: ServedCall) -> SentAnswer {
    let (caller, consumer, name) = target(&call)?;
    let switches = call.shared.switches();
    call.shared.change(|state| {
        if !owned(state, caller, &name)?.active && switches.inactive_access_refused {
            return Err(Refusal::conflict(format!("The scope {name} is inactive")));
        }
        let consumers = state.accesses.get_mut(&name);
        let access =
            consumers.and_then(|consumers| consumers.get_mut(&consumer)).ok_or_else(|| {
                Refusal::not_found(format!("{consumer} has no access to the scope {name}"))
            })?;
        if access.state == AccessState::Denied && switches.delete_inactive_refused {
            return Err(Refusal::conflict(format!(
                "The access of {consumer} to the scope {name} is DENIED already"
            )));
        }
        access.set(AccessState::Denied);
        let access = access.clone();
        let nulls = switches.nulls_for_absent;
        Ok(call.written(Some(wire(state, &name, caller, consumer, &access, nulls))))
    })
}

/// Who changes whose access to what.
fn target(call: &ServedCall) -> Result<(Orgno, Orgno, ScopeName), Refusal> {
    let caller = call.allowed(&[WRITE])?;
    let consumer = call.orgno_in_path()?;
    Ok((caller, consumer, call.query(&["scope"])?.scope()?))
}

/// What a list shows.
struct Listing {
    inactive_scopes: bool,
    denied: bool,
    nulls: bool,
}

impl Listing {
    fn new(call: &ServedCall, inactive: bool) -> Self {
        let switches = call.shared.switches();
        Self {
            inactive_scopes: inactive,
            denied: inactive || !switches.denied_hidden,
            nulls: switches.nulls_for_absent,
        }
    }

    fn of_all(
        &self,
        state: &State,
        consumer: Option<Orgno>,
        wanted: impl Fn(&ScopeRecord) -> bool,
    ) -> Vec<Value> {
        state
            .scopes
            .iter()
            .filter(|(_, scope)| wanted(scope))
            .flat_map(|(name, scope)| self.of_scope(state, name, scope, consumer))
            .collect()
    }

    /// The active scopes of an organisation that nobody has granted to it.
    fn of_own(
        &self,
        state: &State,
        owner: Orgno,
        wanted: impl Fn(&ScopeRecord) -> bool,
    ) -> Vec<Value> {
        let has_record = |name: &ScopeName| {
            state.accesses.get(name).is_some_and(|consumers| consumers.contains_key(&owner))
        };
        let own = state.scopes.iter().filter(|(name, scope)| {
            scope.owner_orgno == owner && scope.active && !has_record(name) && wanted(scope)
        });
        own.map(|(name, scope)| {
            let access = AccessRecord {
                state: AccessState::Approved,
                created: scope.created,
                last_updated: scope.last_updated,
            };
            wire(state, name, owner, owner, &access, self.nulls)
        })
        .collect()
    }

    fn of_scope(
        &self,
        state: &State,
        name: &ScopeName,
        scope: &ScopeRecord,
        consumer: Option<Orgno>,
    ) -> Vec<Value> {
        if !scope.active && !self.inactive_scopes {
            return Vec::new();
        }
        let shown = |(orgno, access): &(&Orgno, &AccessRecord)| {
            consumer.is_none_or(|consumer| consumer == **orgno)
                && (self.denied || access.state != AccessState::Denied)
        };
        let consumers = state.accesses.get(name).into_iter().flatten();
        let owner = scope.owner_orgno;
        consumers
            .filter(shown)
            .map(|(orgno, access)| wire(state, name, owner, *orgno, access, self.nulls))
            .collect()
    }
}

/// An access as the API gives it.
fn wire(
    state: &State,
    scope: &ScopeName,
    owner: Orgno,
    consumer: Orgno,
    access: &AccessRecord,
    nulls_for_absent: bool,
) -> Value {
    let AccessRecord { state: access_state, created, last_updated } = access;
    let mut wire = json!({
        "scope": scope,
        "owner_orgno": owner,
        "consumer_orgno": consumer,
        "state": access_state.as_str(),
        "active": *access_state != AccessState::Denied,
        "created": created,
        "last_updated": last_updated,
    });
    let names = [("owner_organization_name", owner), ("consumer_organization_name", consumer)];
    for (field, orgno) in names {
        match state.organizations.get(&orgno) {
            Some(name) => wire[field] = json!(name),
            None if nulls_for_absent => wire[field] = Value::Null,
            None => {}
        }
    }
    wire
}

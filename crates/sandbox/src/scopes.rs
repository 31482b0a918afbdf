//! The endpoints below `/api/v1/scopes` that deal with scopes themselves.
//!
//! Where no source settles what DigDir does: a PUT without `active` leaves it as it is, and
//! `active: false` deactivates; an inactive scope takes a PUT that does not reactivate it.

use axum::Json;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{READ, SentAnswer, ServedCall, WRITE};
use super::refusal::Refusal;
use super::scope_access::may_be_on;
use super::state::add_server_fields;
use super::validate::{self, AcceptedScope};
use super::{ScopeRecord, State};
use domain::{Orgno, SCOPE, ScopeName};

pub(super) async fn list(call: ServedCall) -> SentAnswer {
    let caller = call.allowed(&[READ, WRITE])?;
    let query = call.query(&["inactive", "scope"])?;
    let inactive = query.inactive()?;
    let scopes = wires(&call, |name, scope| {
        scope.owner_orgno == caller
            && (scope.active || inactive)
            && query.text("scope").is_none_or(|wanted| wanted == name.as_str())
    });
    call.list("scopes", scopes)
}

/// Public scopes of everybody; no token is needed. Each filter that is given must hold.
pub(super) async fn list_all(call: ServedCall) -> SentAnswer {
    let open = &SCOPE.accessible_for_all;
    let known = ["prefix", "inactive", "delegated_sources", open.name, "integration_type"];
    let query = call.query(&known)?;
    let inactive = query.inactive()?;
    let delegated = query.flag("delegated_sources")?;
    let for_all = query.flag(open.name)?;
    let integration_type = query.text("integration_type");
    let fits = |name: &ScopeName, scope: &ScopeRecord| {
        let fields = &scope.fields;
        (scope.active || inactive)
            && SCOPE.visibility.of(fields).and_then(Value::as_str) == Some("PUBLIC")
            && query.text("prefix").is_none_or(|prefix| prefix == name.prefix())
            && delegated.is_none_or(|is| is == SCOPE.delegation_source.of(fields).is_some())
            && for_all.is_none_or(|is| open.of(fields) == Some(&json!(is)))
            && integration_type.is_none_or(|word| may_be_on(scope, word))
    };
    let scopes = wires(&call, fits);
    call.list("scopes", scopes)
}

pub(super) async fn get(call: ServedCall) -> SentAnswer {
    let caller = call.allowed(&[READ])?;
    let query = call.query(&["scope", "inactive"])?;
    let (name, inactive) = (query.scope()?, query.inactive()?);
    let nulls = call.shared.switches().nulls_for_absent;
    call.shared.shown(|state| {
        let scope = owned(state, caller, &name)?;
        if !scope.active && !inactive {
            return Err(unknown(&name));
        }
        Ok(Json(wire(&name, scope, nulls)).into_response())
    })
}

pub(super) async fn create(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[WRITE])?;
    let body = call.json()?;
    let name = validate::name(&body)?;
    let nulls = call.shared.switches().nulls_for_absent;
    call.shared.change(|state| {
        if state.prefixes.get(name.prefix()) != Some(&caller) {
            return Err(Refusal::forbidden(format!(
                "The organization {caller} does not own the prefix {:?}",
                name.prefix()
            )));
        }
        if state.scopes.contains_key(&name) {
            return Err(Refusal::conflict(format!("The scope {name} already exists")));
        }
        let AcceptedScope { active, fields } = validate::accept(state, body)?;
        let now = Timestamp::now();
        let scope = ScopeRecord {
            owner_orgno: caller,
            active: active.unwrap_or(true),
            created: now,
            last_updated: now,
            fields,
        };
        let answer = wire(&name, &scope, nulls);
        state.scopes.insert(name, scope);
        Ok(call.written(Some(answer)))
    })
}

pub(super) async fn update(call: ServedCall) -> SentAnswer {
    let caller = call.allowed(&[WRITE])?;
    let name = call.query(&["scope"])?.scope()?;
    let sent = call.json()?;
    let switches = call.shared.switches();
    let nulls = switches.nulls_for_absent;
    call.shared.change(|state| {
        let before = owned(state, caller, &name)?;
        validate::same_name(&sent, &name)?;
        let body = match switches.put_keeps_omitted {
            true => validate::laid_over(before.fields.clone(), sent),
            false => sent,
        };
        let AcceptedScope { active, fields } = validate::accept(state, body)?;
        let scope = owned_mut(state, caller, &name)?;
        scope.fields = fields;
        scope.active = active.unwrap_or(scope.active);
        scope.last_updated = Timestamp::now();
        Ok(call.written(Some(wire(&name, scope, nulls))))
    })
}

/// Deactivates; the accesses stay.
pub(super) async fn delete(call: ServedCall) -> SentAnswer {
    let caller = call.allowed(&[WRITE])?;
    let name = call.query(&["scope"])?.scope()?;
    let switches = call.shared.switches();
    call.shared.change(|state| {
        let scope = owned_mut(state, caller, &name)?;
        if !scope.active && switches.delete_inactive_refused {
            return Err(Refusal::conflict(format!("The scope {name} is inactive")));
        }
        if scope.active {
            scope.active = false;
            scope.last_updated = Timestamp::now();
        }
        Ok(call.written(Some(wire(&name, scope, switches.nulls_for_absent))))
    })
}

/// The scope, if it exists and is the caller's.
pub(super) fn owned<'a>(
    state: &'a State,
    caller: Orgno,
    name: &ScopeName,
) -> Result<&'a ScopeRecord, Refusal> {
    let scope = state.scopes.get(name).ok_or_else(|| unknown(name))?;
    is_owned(scope, caller, name).map(|()| scope)
}

fn owned_mut<'a>(
    state: &'a mut State,
    caller: Orgno,
    name: &ScopeName,
) -> Result<&'a mut ScopeRecord, Refusal> {
    let scope = state.scopes.get_mut(name).ok_or_else(|| unknown(name))?;
    is_owned(scope, caller, name).map(|()| scope)
}

fn is_owned(scope: &ScopeRecord, caller: Orgno, name: &ScopeName) -> Result<(), Refusal> {
    if scope.owner_orgno == caller {
        return Ok(());
    }
    Err(Refusal::forbidden(format!("The scope {name} is not owned by {caller}")))
}

fn unknown(name: &ScopeName) -> Refusal {
    Refusal::not_found(format!("There is no scope {name}"))
}

fn wires(call: &ServedCall, fits: impl Fn(&ScopeName, &ScopeRecord) -> bool) -> Vec<Value> {
    let nulls = call.shared.switches().nulls_for_absent;
    call.shared.shown(|state| {
        state
            .scopes
            .iter()
            .filter(|(name, scope)| fits(name, scope))
            .map(|(name, scope)| wire(name, scope, nulls))
            .collect()
    })
}

/// A scope as the API gives it.
fn wire(name: &ScopeName, scope: &ScopeRecord, nulls_for_absent: bool) -> Value {
    let ScopeRecord { owner_orgno, active, created, last_updated, fields } = scope;
    let mut wire = fields.clone();
    let own: [(&str, Value); 7] = [
        ("name", name.as_str().into()),
        ("prefix", name.prefix().into()),
        ("subscope", name.subscope().into()),
        ("active", (*active).into()),
        ("created", json!(created)),
        ("last_updated", json!(last_updated)),
        ("owner_orgno", json!(owner_orgno)),
    ];
    wire.extend(own.map(|(field, value)| (field.to_owned(), value)));
    add_server_fields(&mut wire);
    if nulls_for_absent {
        for attribute in SCOPE.all() {
            wire.entry(attribute.name).or_insert(Value::Null);
        }
    }
    Value::Object(wire)
}

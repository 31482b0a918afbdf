//! The endpoints below `/api/v1/clients/{client_id}/jwks`.
//!
//! Neither a source nor a switch decides two questions: here, keys that have expired stay in the set until
//! they are removed, and removing a key that is not there is 404.

use axum::Json;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::call::{DCR_MODIFY, DCR_READ, DCR_WRITE, SentAnswer, ServedCall};
use super::clients::{owned, owned_mut};
use super::jwk::{self, Accepted};
use super::refusal::Refusal;
use super::{ClientRecord, KeyRecord, State};
use domain::{MOST_KEYS, NoKeys, Orgno};

pub(super) async fn list(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_READ])?;
    let id = call.path("client_id");
    call.shared.shown(|state| {
        let client = owned(state, caller, id)?;
        if client.keys.is_empty() {
            return no_keys(call.shared.switches().no_keys, id);
        }
        Ok(Json(set(client)).into_response())
    })
}

/// The answer for a client without keys.
fn no_keys(form: NoKeys, client_id: &str) -> SentAnswer {
    let set = match form {
        NoKeys::EmptySet => json!({ "keys": [] }),
        NoKeys::EmptyObject => json!({}),
        NoKeys::Null => json!({ "keys": null }),
        NoKeys::NotFound => return Err(none(client_id)),
    };
    Ok(Json(set).into_response())
}

pub(super) async fn replace(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_WRITE, DCR_MODIFY])?;
    let keys = jwk::accept_set(&call.json()?)?;
    let keep = call.shared.switches().keys_keep_exp;
    call.shared.change(|state| {
        let client = changeable(state, caller, &call)?;
        let keys = keys.into_iter().map(|(kid, key)| {
            let key = jwk::registered(key, client.keys.get(&kid), keep);
            (kid, key)
        });
        client.keys = keys.collect();
        Ok(call.written(Some(set(client))))
    })
}

pub(super) async fn delete_all(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_WRITE, DCR_MODIFY])?;
    let id = call.path("client_id");
    call.shared.change(|state| {
        let client = changeable(state, caller, &call)?;
        if client.keys.is_empty() {
            return Err(none(id));
        }
        client.keys.clear();
        Ok(call.written(None))
    })
}

pub(super) async fn get(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_READ])?;
    let kid = call.path("kid");
    call.shared.shown(|state| {
        let client = owned(state, caller, call.path("client_id"))?;
        let key = client.keys.get(kid).ok_or_else(|| unknown(kid))?;
        Ok(Json(json!(key)).into_response())
    })
}

/// Adds the key or takes the place of the one that has its `kid` (S).
pub(super) async fn put(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_WRITE, DCR_MODIFY])?;
    let (kid, key) = jwk::accept(&call.json()?)?;
    if kid != call.path("kid") {
        return Err(Refusal::field("key", "kid", "is not the one in the path"));
    }
    register(&call, caller, kid, key)
}

/// Adds a key as DigDir's web does (C): the body is text, a JWK or a public key as PEM. ? Whether it takes
/// other forms.
pub(super) async fn add(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_WRITE, DCR_MODIFY])?;
    let (kid, key) = jwk::accept(&jwk::of_text(call.text()?)?)?;
    register(&call, caller, kid, key)
}

fn register(call: &ServedCall, caller: Orgno, kid: String, key: Accepted) -> SentAnswer {
    let keep = call.shared.switches().keys_keep_exp;
    call.shared.change(|state| {
        let client = changeable(state, caller, call)?;
        let before = client.keys.get(&kid);
        if before.is_none() && client.keys.len() >= MOST_KEYS {
            return Err(Refusal::bad_request(format!("The client has {MOST_KEYS} keys already")));
        }
        let key = jwk::registered(key, before, keep);
        let answer = json!(key);
        client.keys.insert(kid, key);
        Ok(call.written(Some(answer)))
    })
}

pub(super) async fn delete(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_WRITE, DCR_MODIFY])?;
    let kid = call.path("kid");
    call.shared.change(|state| {
        let client = changeable(state, caller, &call)?;
        client.keys.remove(kid).ok_or_else(|| unknown(kid))?;
        Ok(call.written(None))
    })
}

/// The client, unless it is inactive and a switch has its keys unchangeable.
fn changeable<'a>(
    state: &'a mut State,
    caller: Orgno,
    call: &ServedCall,
) -> Result<&'a mut ClientRecord, Refusal> {
    let id = call.path("client_id");
    let refused = call.shared.switches().inactive_client_refused;
    let client = owned_mut(state, caller, id)?;
    match refused && !client.active {
        true => Err(Refusal::conflict(format!("The client {id} is inactive"))),
        false => Ok(client),
    }
}

fn set(client: &ClientRecord) -> Value {
    let keys: Vec<&KeyRecord> = client.keys.values().collect();
    let created = client.keys.values().map(|key| key.created).min();
    let last_updated = client.keys.values().map(|key| key.last_updated).max();
    json!({ "keys": keys, "created": created, "last_updated": last_updated })
}

/// C: an empty set comes as an error.
fn none(client_id: &str) -> Refusal {
    Refusal::not_found(format!("The client {client_id} does not have any keys"))
}

fn unknown(kid: &str) -> Refusal {
    Refusal::not_found(format!("The client has no key {kid:?}"))
}

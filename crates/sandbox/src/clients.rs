//! The endpoints below `/api/v1/clients` that deal with clients themselves.
//!
//! Neither a source nor a switch decides one question: here, an inactive client is shown by its id and takes
//! every change.

use axum::Json;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{DCR_READ, DCR_WRITE, SentAnswer, ServedCall};
use super::client_fields::{self, AcceptedClient};
use super::on_behalf_of;
use super::refusal::Refusal;
use super::validate::laid_over;
use super::{ClientRecord, State};
use domain::{CLIENT, Orgno, Representation};

pub(super) async fn list(call: ServedCall) -> SentAnswer {
    let caller = call.allowed(&[DCR_READ])?;
    let inactive = call.query(&["inactive"])?.inactive()?;
    let nulls = call.shared.switches().nulls_for_absent;
    let clients = call.shared.shown(|state| {
        let own = state.clients.iter().filter(|(_, client)| client.orgno == caller);
        own.filter(|(_, client)| client.active || inactive)
            .map(|(id, client)| wire(id, client, nulls).into())
            .collect()
    });
    call.list("clients", clients)
}

pub(super) async fn get(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_READ])?;
    let nulls = call.shared.switches().nulls_for_absent;
    let id = call.path("client_id");
    call.shared.shown(|state| Ok(Json(wire(id, owned(state, caller, id)?, nulls)).into_response()))
}

/// Names need not be unique (D).
pub(super) async fn create(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_WRITE])?;
    let body = call.json()?;
    let id = new_id(&body)?;
    let nulls = call.shared.switches().nulls_for_absent;
    call.shared.change(|state| {
        if state.clients.contains_key(&id) {
            return Err(Refusal::conflict(format!("The client {id} already exists")));
        }
        let AcceptedClient { active, scopes, fields } =
            client_fields::accept(state, caller, None, body)?;
        let client = ClientRecord { active, ..ClientRecord::new(caller, scopes, fields) };
        let mut answer = wire(&id, &client, nulls);
        if has_secret(&client) {
            answer.insert("client_secret".to_owned(), secret().into());
        }
        state.clients.insert(id, client);
        Ok(call.written(Some(answer.into())))
    })
}

pub(super) async fn update(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_WRITE])?;
    let sent = call.json()?;
    let switches = call.shared.switches();
    let id = call.path("client_id");
    call.shared.change(|state| {
        let before = owned(state, caller, id)?;
        if sent.get("client_id").is_some_and(|sent| !sent.is_null() && sent != id) {
            let message = format!("cannot change; it is {id}");
            return Err(Refusal::field("client", "client_id", message));
        }
        let body = match switches.put_keeps_omitted {
            true => laid_over(wire(id, before, false), sent),
            false => sent,
        };
        let AcceptedClient { active, scopes, fields } =
            client_fields::accept(state, caller, Some(before), body)?;
        let client = owned_mut(state, caller, id)?;
        client.active = active;
        client.scopes = scopes;
        client.fields = fields;
        client.last_updated = Timestamp::now();
        Ok(call.written(Some(wire(id, client, switches.nulls_for_absent).into())))
    })
}

/// Deactivates; keys and registrations of scopes stay.
pub(super) async fn delete(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_WRITE])?;
    let id = call.path("client_id");
    let refused = call.shared.switches().delete_inactive_refused;
    call.shared.change(|state| {
        let client = owned_mut(state, caller, id)?;
        if !client.active && refused {
            return Err(Refusal::conflict(format!("The client {id} is inactive")));
        }
        if client.active {
            client.active = false;
            client.last_updated = Timestamp::now();
        }
        Ok(call.written(None))
    })
}

/// Returns a new secret, which is not kept: nothing here can be done with one. The answer is as described
/// whatever the switches are, as nothing but it has the secret. ? What DigDir says to a client that uses none.
pub(super) async fn new_secret(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_WRITE])?;
    let nulls = call.shared.switches().nulls_for_absent;
    let id = call.path("client_id");
    call.shared.change(|state| {
        let client = owned_mut(state, caller, id)?;
        if !has_secret(client) {
            return Err(Refusal::bad_request(format!("The client {id} does not use a secret")));
        }
        client.last_updated = Timestamp::now();
        let mut answer = wire(id, client, nulls);
        answer.insert("client_secret".to_owned(), secret().into());
        Ok(Json(answer).into_response())
    })
}

/// The client, if it exists and is the caller's.
pub(super) fn owned<'a>(
    state: &'a State,
    caller: Orgno,
    id: &str,
) -> Result<&'a ClientRecord, Refusal> {
    let client = state.clients.get(id).ok_or_else(|| unknown(id))?;
    is_owned(client, caller, id).map(|()| client)
}

pub(super) fn owned_mut<'a>(
    state: &'a mut State,
    caller: Orgno,
    id: &str,
) -> Result<&'a mut ClientRecord, Refusal> {
    let client = state.clients.get_mut(id).ok_or_else(|| unknown(id))?;
    is_owned(client, caller, id).map(|()| client)
}

fn is_owned(client: &ClientRecord, caller: Orgno, id: &str) -> Result<(), Refusal> {
    if client.orgno == caller {
        return Ok(());
    }
    Err(Refusal::forbidden(format!("The client {id} does not belong to {caller}")))
}

fn unknown(id: &str) -> Refusal {
    Refusal::not_found(format!("There is no client {id}"))
}

/// S: assigned by the server where the body has none. ? What becomes of one that does not have the form of
/// an id: the server assigns another.
fn new_id(body: &Representation) -> Result<String, Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    match body.get("client_id") {
        Some(Value::String(id))
            if id.contains(|c: char| c.is_ascii_alphanumeric()) && id.chars().all(allowed) =>
        {
            Ok(id.clone())
        }
        None | Some(Value::Null | Value::String(_)) => Ok(Uuid::new_v4().to_string()),
        Some(_) => Err(Refusal::field("client", "client_id", "must be a text")),
    }
}

fn has_secret(client: &ClientRecord) -> bool {
    client.text(&CLIENT.token_endpoint_auth_method).starts_with("client_secret")
}

fn secret() -> String {
    Uuid::new_v4().to_string()
}

/// A client as the API gives it. ? Whether `jwks` is ever in it: it is left out.
fn wire(id: &str, client: &ClientRecord, nulls_for_absent: bool) -> Representation {
    let ClientRecord {
        orgno,
        active,
        created,
        last_updated,
        scopes,
        keys: _,
        on_behalf_of,
        fields,
    } = client;
    let mut wire = fields.clone();
    let own: [(&str, Value); 6] = [
        ("client_id", id.into()),
        ("client_orgno", json!(orgno)),
        ("active", (*active).into()),
        ("created", json!(created)),
        ("last_updated", json!(last_updated)),
        ("scopes", json!(scopes)),
    ];
    wire.extend(own.map(|(field, value)| (field.to_owned(), value)));
    if !on_behalf_of.is_empty() {
        wire.insert("onbehalfof".to_owned(), on_behalf_of::wires(client).into());
    }
    if nulls_for_absent {
        for field in client_fields::names() {
            wire.entry(field).or_insert(Value::Null);
        }
    }
    wire
}

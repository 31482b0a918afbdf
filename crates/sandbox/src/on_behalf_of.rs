//! The endpoints below `/api/v1/clients/{client_id}/onbehalfof`.
//!
//! Where no source settles what DigDir does: the id is the field `onbehalfof`, chosen by whoever
//! registers and free text, or else assigned; a name is not required; what is deleted is gone.

use axum::Json;
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{DCR_MODIFY, DCR_READ, DCR_WRITE, SentAnswer, ServedCall};
use super::clients::{owned, owned_mut};
use super::refusal::Refusal;
use super::validate::laid_over;
use super::{ClientRecord, OnBehalfOfRecord};
use domain::{Orgno, Representation};

/// Any of them allows to write (S).
const WRITERS: [&str; 3] = [DCR_WRITE, DCR_MODIFY, "idporten:dcr/onbehalfof.write"];

/// All of them texts (S).
const FIELDS: [&str; 6] = ["name", "orgno", "organization_name", "description", "uri", "logo_uri"];

pub(super) async fn list(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_READ])?;
    let id = call.path("client_id");
    let entries = call.shared.shown(|state| Ok(wires(owned(state, caller, id)?)))?;
    call.list("onbehalfof registrations", entries)
}

pub(super) async fn get(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&[DCR_READ])?;
    let id = call.path("id");
    call.shared.shown(|state| {
        let client = owned(state, caller, call.path("client_id"))?;
        let record = client.on_behalf_of.get(id).ok_or_else(|| unknown(id))?;
        Ok(Json(wire(id, record)).into_response())
    })
}

pub(super) async fn create(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&WRITERS)?;
    let body = call.json()?;
    let id = match body.get("onbehalfof").and_then(Value::as_str) {
        Some(id) if !id.trim().is_empty() => id.to_owned(),
        Some(_) | None => Uuid::new_v4().to_string(),
    };
    let fields = accept(body)?;
    call.shared.change(|state| {
        let client = owned_mut(state, caller, call.path("client_id"))?;
        if client.on_behalf_of.contains_key(&id) {
            return Err(Refusal::conflict(format!("The client has {id:?} already")));
        }
        let now = Timestamp::now();
        let record = OnBehalfOfRecord { created: now, last_updated: now, fields };
        let answer = wire(&id, &record);
        client.on_behalf_of.insert(id, record);
        Ok(call.written(Some(answer)))
    })
}

pub(super) async fn update(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&WRITERS)?;
    let sent = call.json()?;
    let id = call.path("id");
    let keeps = call.shared.switches().put_keeps_omitted;
    call.shared.change(|state| {
        let client = owned_mut(state, caller, call.path("client_id"))?;
        let record = client.on_behalf_of.get_mut(id).ok_or_else(|| unknown(id))?;
        if sent.get("onbehalfof").is_some_and(|sent| !sent.is_null() && sent != id) {
            return Err(invalid("onbehalfof", "cannot change"));
        }
        record.fields = accept(if keeps { laid_over(record.fields.clone(), sent) } else { sent })?;
        record.last_updated = Timestamp::now();
        Ok(call.written(Some(wire(id, record))))
    })
}

pub(super) async fn delete(call: ServedCall) -> SentAnswer {
    let caller = call.allowed_bare(&WRITERS)?;
    let id = call.path("id");
    call.shared.change(|state| {
        let client = owned_mut(state, caller, call.path("client_id"))?;
        client.on_behalf_of.remove(id).ok_or_else(|| unknown(id))?;
        Ok(call.written(None))
    })
}

/// All registrations of a client as the API gives them.
pub(super) fn wires(client: &ClientRecord) -> Vec<Value> {
    client.on_behalf_of.iter().map(|(id, record)| wire(id, record)).collect()
}

fn wire(id: &str, record: &OnBehalfOfRecord) -> Value {
    let OnBehalfOfRecord { created, last_updated, fields } = record;
    let mut wire = fields.clone();
    let own: [(&str, Value); 3] = [
        ("onbehalfof", id.into()),
        ("created", json!(created)),
        ("last_updated", json!(last_updated)),
    ];
    wire.extend(own.map(|(field, value)| (field.to_owned(), value)));
    Value::Object(wire)
}

/// The fields to store; unknown ones are kept.
fn accept(mut body: Representation) -> Result<Representation, Refusal> {
    body.retain(|_, value| !value.is_null());
    for field in ["onbehalfof", "created", "last_updated"] {
        body.remove(field);
    }
    let text = |field: &&str| body.get(*field).is_none_or(Value::is_string);
    if let Some(field) = FIELDS.into_iter().find(|field| !text(field)) {
        return Err(invalid(field, "is not a text"));
    }
    let orgno = body.get("orgno").and_then(Value::as_str);
    if orgno.is_some_and(|orgno| orgno.parse::<Orgno>().is_err()) {
        return Err(invalid("orgno", "is no organization number"));
    }
    Ok(body)
}

fn invalid(field: &'static str, message: &str) -> Refusal {
    Refusal::field("onbehalfof", field, message)
}

fn unknown(id: &str) -> Refusal {
    Refusal::not_found(format!("The client has no {id:?}"))
}

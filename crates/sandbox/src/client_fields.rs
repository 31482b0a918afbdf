//! What DigDir accepts as a client's representation.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::refusal::{FieldError, Refusal};
use super::value::{normalise, problem, problems};
use super::{ClientRecord, State, client_rules, scope_access};
use domain::{CLIENT, KRR_SCOPES, LOGIN_SCOPES, Orgno, Representation, ValueType};

/// The name of a client, which is no attribute: it is what the client is told by.
const NAME: &str = "client_name";

/// The fields that are the server's; what is sent in them is not looked at (S: none of them is in
/// a request's schema).
const SERVER_FIELDS: [&str; 6] =
    ["created", "last_updated", "onbehalfof", "client_secret", "jwks", "jwks_uri"];

/// A body that was found good.
#[derive(Debug)]
pub(super) struct AcceptedClient {
    /// S: `true` when absent, in a PUT too.
    pub(super) active: bool,
    pub(super) scopes: BTreeSet<String>,
    pub(super) fields: Representation,
}

/// The names of the fields that can be absent from an answer.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    CLIENT.all().into_iter().map(|attribute| attribute.name).chain([NAME])
}

/// Checks a body; `null` counts as absent. `before` is the client that it changes. A new one needs a type,
/// as the table of legal combinations (D) has no row without.
pub(super) fn accept(
    state: &State,
    caller: Orgno,
    before: Option<&ClientRecord>,
    mut body: Representation,
) -> Result<AcceptedClient, Refusal> {
    normalise(&mut body, CLIENT.all());
    for field in SERVER_FIELDS {
        body.remove(field);
    }
    body.remove("client_id");
    let mut errors: Vec<FieldError> = problems(&body, CLIENT.all()).collect();
    let others = [(NAME, ValueType::Text), ("active", ValueType::Flag)];
    errors.extend(others.into_iter().filter_map(|(field, value_type)| {
        Some(FieldError::new(field, problem(value_type, body.get(field)?)?))
    }));
    let active = body.remove("active");
    let scopes = body.remove(CLIENT.scopes.name);
    if let Some(before) = before {
        // It can never change, so leaving it out changes nothing either.
        body.entry(CLIENT.integration_type.name)
            .or_insert(before.text(&CLIENT.integration_type).into());
    }
    if !body.contains_key(CLIENT.integration_type.name) {
        errors.push(FieldError::new(CLIENT.integration_type.name, "is required"));
    }
    if !errors.is_empty() {
        return Err(Refusal::invalid("client", errors));
    }
    client_rules::add_defaults(&mut body);
    let scopes = scopes_of(&body, scopes.as_ref());
    let mut errors = client_rules::problems(&body);
    errors.extend(unchangeable(caller, before, &body));
    errors.extend(scope_problem(state, caller, before, &body, &scopes));
    if !errors.is_empty() {
        return Err(Refusal::invalid("client", errors));
    }
    body.remove(CLIENT.client_orgno.name);
    let active = active.as_ref().and_then(Value::as_bool).unwrap_or(true);
    Ok(AcceptedClient { active, scopes, fields: body })
}

/// ? Where none are sent: the fixed ones of `krr`, and what every login needs.
fn scopes_of(body: &Representation, sent: Option<&Value>) -> BTreeSet<String> {
    let sent: BTreeSet<String> = sent
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|scope| scope.as_str().map(str::to_owned))
        .collect();
    match CLIENT.integration_type.of(body).and_then(Value::as_str) {
        Some("krr") if sent.is_empty() => KRR_SCOPES.map(str::to_owned).into(),
        Some("idporten") if sent.is_empty() => {
            LOGIN_SCOPES[..2].iter().map(|scope| (*scope).to_owned()).collect()
        }
        Some(_) | None => sent,
    }
}

fn unchangeable(
    caller: Orgno,
    before: Option<&ClientRecord>,
    body: &Representation,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(before) = before
        && CLIENT.integration_type.of(body) != CLIENT.integration_type.of(&before.fields)
    {
        let message = format!("cannot change; it is {}", before.text(&CLIENT.integration_type));
        errors.push(FieldError::new(CLIENT.integration_type.name, message));
    }
    if CLIENT.client_orgno.of(body).is_some_and(|orgno| *orgno != json!(caller)) {
        let message = format!("the client's organization is {caller}");
        errors.push(FieldError::new(CLIENT.client_orgno.name, message));
    }
    errors
}

/// D: the registrations of a scope are kept when it is deactivated. So only what is new on the
/// client is looked at; ? for accesses that were taken away.
fn scope_problem(
    state: &State,
    caller: Orgno,
    before: Option<&ClientRecord>,
    body: &Representation,
    scopes: &BTreeSet<String>,
) -> Option<FieldError> {
    let integration_type = CLIENT.integration_type.of(body).and_then(Value::as_str)?;
    let is_new =
        |scope: &&String| before.is_none_or(|before| !before.scopes.contains(scope.as_str()));
    let message = scopes
        .iter()
        .filter(is_new)
        .find_map(|scope| scope_access::problem(state, caller, integration_type, scope))?;
    Some(FieldError::new(CLIENT.scopes.name, message))
}

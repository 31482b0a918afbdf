//! What DigDir accepts as a client's representation.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client_rules::{self, APPLICATION_TYPES, AUTH_METHODS, GRANT_TYPES, INTEGRATION_TYPES};
use super::refusal::{FieldError, Refusal};
use super::standing::{self, KRR_SCOPES, LOGIN_SCOPES};
use super::validate::seconds;
use super::{ClientRecord, State};
use domain::{Orgno, Representation};

/// What a value of a field must be.
enum Kind {
    Text,
    Texts,
    Flag,
    Seconds,
    Orgno,
    OneOf(&'static [&'static str]),
    SomeOf(&'static [&'static str]),
}

/// The fields that a client's owner sets (S), but for `active` and `scopes`, which are kept apart.
const FIELDS: [(&str, Kind); 19] = [
    ("client_name", Kind::Text),
    ("description", Kind::Text),
    ("integration_type", Kind::OneOf(INTEGRATION_TYPES)),
    ("application_type", Kind::OneOf(APPLICATION_TYPES)),
    ("token_endpoint_auth_method", Kind::OneOf(AUTH_METHODS)),
    ("grant_types", Kind::SomeOf(GRANT_TYPES)),
    ("access_token_lifetime", Kind::Seconds),
    ("refresh_token_lifetime", Kind::Seconds),
    ("authorization_lifetime", Kind::Seconds),
    ("refresh_token_usage", Kind::OneOf(&["REUSE", "ONETIME"])),
    ("redirect_uris", Kind::Texts),
    ("post_logout_redirect_uris", Kind::Texts),
    ("frontchannel_logout_uri", Kind::Text),
    ("frontchannel_logout_session_required", Kind::Flag),
    ("logo_uri", Kind::Text),
    ("sso_disabled", Kind::Flag),
    ("code_challenge_method", Kind::OneOf(&["none", "S256"])),
    ("client_orgno", Kind::Orgno),
    ("supplier_orgno", Kind::Orgno),
];

/// The fields that are the server's; what is sent in them is not looked at (S: none of them is in
/// a request's schema).
const SERVER_FIELDS: [&str; 6] =
    ["created", "last_updated", "onbehalfof", "client_secret", "jwks", "jwks_uri"];

/// A body that was found good.
#[derive(Debug)]
pub(super) struct Accepted {
    /// S: `true` when absent, in a PUT too.
    pub(super) active: bool,
    pub(super) scopes: BTreeSet<String>,
    pub(super) fields: Representation,
}

/// The names of the fields that can be absent from an answer.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(field, _)| *field)
}

/// Checks a body; `null` counts as absent. `before` is the client that it changes.
///
/// ? No source tells what is required: a name and a type are here, so that whoever leaves them
/// out finds out.
pub(super) fn accept(
    state: &State,
    caller: Orgno,
    before: Option<&ClientRecord>,
    mut body: Representation,
) -> Result<Accepted, Refusal> {
    body.retain(|_, value| !value.is_null());
    for field in SERVER_FIELDS {
        body.remove(field);
    }
    body.remove("client_id");
    let active = body.remove("active");
    let scopes = body.remove("scopes");
    if let Some(before) = before {
        // It can never change, so leaving it out changes nothing either.
        body.entry("integration_type").or_insert(before.text("integration_type").into());
    }
    let mut errors = wrong_types(&body, active.as_ref(), scopes.as_ref());
    if body.get("client_name").is_none_or(is_blank) {
        errors.push(FieldError::new("client_name", "must not be blank"));
    }
    if !body.contains_key("integration_type") {
        errors.push(FieldError::new("integration_type", "is required"));
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
    body.remove("client_orgno");
    let active = active.as_ref().and_then(Value::as_bool).unwrap_or(true);
    Ok(Accepted { active, scopes, fields: body })
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn wrong_types(
    body: &Representation,
    active: Option<&Value>,
    scopes: Option<&Value>,
) -> Vec<FieldError> {
    let sent = FIELDS.iter().filter_map(|(field, kind)| Some((*field, kind, body.get(*field)?)));
    sent.chain(active.map(|value| ("active", &Kind::Flag, value)))
        .chain(scopes.map(|value| ("scopes", &Kind::Texts, value)))
        .filter_map(|(field, kind, value)| Some(FieldError::new(field, problem(kind, value)?)))
        .collect()
}

fn problem(kind: &Kind, value: &Value) -> Option<String> {
    let is_one = |value: &Value, known: &[&str]| value.as_str().is_some_and(|v| known.contains(&v));
    let entries = |fits: &dyn Fn(&Value) -> bool| {
        value.as_array().is_some_and(|entries| entries.iter().all(fits))
    };
    let (good, expected) = match kind {
        Kind::Seconds => return seconds(value),
        Kind::Text => (value.is_string(), "a text".to_owned()),
        Kind::Texts => (entries(&Value::is_string), "a list of texts".to_owned()),
        Kind::Flag => (value.is_boolean(), "true or false".to_owned()),
        Kind::OneOf(known) => (is_one(value, known), format!("one of {}", known.join(", "))),
        Kind::SomeOf(known) => {
            (entries(&|entry| is_one(entry, known)), format!("some of {}", known.join(", ")))
        }
        Kind::Orgno => {
            let number = value.as_str().is_some_and(|text| text.parse::<Orgno>().is_ok());
            (number, "an organization number".to_owned())
        }
    };
    (!good).then(|| format!("{value} is not {expected}"))
}

/// ? Where none are sent: the fixed ones of `krr`, and what every login needs.
fn scopes_of(body: &Representation, sent: Option<&Value>) -> BTreeSet<String> {
    let sent: BTreeSet<String> = sent
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|scope| scope.as_str().map(str::to_owned))
        .collect();
    match body.get("integration_type").and_then(Value::as_str) {
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
        && body.get("integration_type") != before.fields.get("integration_type")
    {
        let message = format!("cannot change; it is {}", before.text("integration_type"));
        errors.push(FieldError::new("integration_type", message));
    }
    if body.get("client_orgno").is_some_and(|orgno| *orgno != json!(caller)) {
        let message = format!("the client's organization is {caller}");
        errors.push(FieldError::new("client_orgno", message));
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
    let integration_type = body.get("integration_type").and_then(Value::as_str)?;
    let is_new =
        |scope: &&String| before.is_none_or(|before| !before.scopes.contains(scope.as_str()));
    let message = scopes
        .iter()
        .filter(is_new)
        .find_map(|scope| standing::problem(state, caller, integration_type, scope))?;
    Some(FieldError::new("scopes", message))
}

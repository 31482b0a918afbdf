//! What goes together in a client (D), and what DigDir takes an absent field to be.

use serde_json::{Value, json};

use super::refusal::FieldError;
use domain::{Attribute, CLIENT, Combination, IntegrationType, Representation};

/// Puts what is not there. The lifetimes and `code_challenge_method` are from the description
/// (S), `sso_disabled` too. ? The method and the grants of a client that names none: the first method by name, and
/// all grants.
pub(super) fn add_defaults(fields: &mut Representation) {
    let mut default = |attribute: &Attribute, value: Value| {
        fields.entry(attribute.name).or_insert(value);
    };
    default(&CLIENT.application_type, json!("web"));
    default(&CLIENT.access_token_lifetime, json!(120));
    default(&CLIENT.refresh_token_lifetime, json!(600));
    default(&CLIENT.authorization_lifetime, json!(7200));
    let Some((kind, Ok(combination))) = combination(fields) else {
        return;
    };
    let mut default = |attribute: &Attribute, value: Value| {
        fields.entry(attribute.name).or_insert(value);
    };
    default(&CLIENT.token_endpoint_auth_method, json!(methods(combination).first()));
    default(&CLIENT.grant_types, json!(combination.grants));
    if kind.has_login() {
        default(&CLIENT.code_challenge_method, json!("S256"));
    }
    if let IntegrationType::Idporten | IntegrationType::Ansattporten = kind {
        default(&CLIENT.sso_disabled, json!(kind == IntegrationType::Ansattporten));
    }
}

/// What does not go together, in fields of the right types. Nothing is known of the types that
/// the table leaves out (?).
pub(super) fn problems(fields: &Representation) -> Vec<FieldError> {
    let mut problems = zeros(fields);
    let (kind, combination) = match combination(fields) {
        None => return problems,
        Some((kind, Ok(combination))) => (kind, combination),
        Some((_, Err(error))) => {
            problems.push(error);
            return problems;
        }
    };
    let integration_type = kind.as_str();
    let (method, methods) =
        (text(fields, &CLIENT.token_endpoint_auth_method), methods(combination));
    if !methods.contains(&method) {
        let expected = methods.join(", ");
        problems.push(FieldError::new(
            CLIENT.token_endpoint_auth_method.name,
            format!("{method:?} is not possible for {integration_type}: {expected}"),
        ));
    }
    let grants: Vec<&str> = texts(fields, &CLIENT.grant_types).collect();
    let allowed: Vec<&str> = combination.grants.iter().map(|grant| grant.as_str()).collect();
    let has_required = allowed.first().is_none_or(|required| grants.contains(required));
    if !has_required || grants.iter().any(|grant| !allowed.contains(grant)) {
        let expected = allowed.join(", ");
        problems.push(FieldError::new(
            CLIENT.grant_types.name,
            format!("{grants:?} are not possible for {integration_type}: {expected}"),
        ));
    }
    if kind.has_login() {
        problems.extend(lifetime_problem(fields));
    }
    problems
}

/// C: a lifetime of 0 is refused since 2025.
fn zeros(fields: &Representation) -> Vec<FieldError> {
    let lifetimes = [
        &CLIENT.access_token_lifetime,
        &CLIENT.refresh_token_lifetime,
        &CLIENT.authorization_lifetime,
    ];
    let is_zero = |attribute: &&&Attribute| attribute.of(fields) == Some(&json!(0));
    let message = "must be more than 0; leave the field out";
    lifetimes.iter().filter(is_zero).map(|it| FieldError::new(it.name, message)).collect()
}

/// D, as a rule; ? what DigDir does with clients that never see a refresh token, as those of
/// Maskinporten: they are not held to it here.
fn lifetime_problem(fields: &Representation) -> Option<FieldError> {
    let seconds =
        |attribute: &Attribute| attribute.of(fields).and_then(Value::as_i64).unwrap_or_default();
    let access = seconds(&CLIENT.access_token_lifetime);
    let refresh = seconds(&CLIENT.refresh_token_lifetime);
    let authorization = seconds(&CLIENT.authorization_lifetime);
    if access >= refresh {
        let message = format!("{refresh} is not more than access_token_lifetime, {access}");
        return Some(FieldError::new(CLIENT.refresh_token_lifetime.name, message));
    }
    if refresh > authorization {
        let message = format!("{authorization} is less than refresh_token_lifetime, {refresh}");
        return Some(FieldError::new(CLIENT.authorization_lifetime.name, message));
    }
    None
}

/// The client's type and the row of its fields; `None` for a type of which nothing is known.
fn combination(
    fields: &Representation,
) -> Option<(IntegrationType, Result<&'static Combination, FieldError>)> {
    let kind = CLIENT.integration_type.of(fields)?;
    let kind: IntegrationType = serde_json::from_value(kind.clone()).ok()?;
    let rows = kind.combinations();
    rows.first()?;
    let application_type = text(fields, &CLIENT.application_type);
    let fits = |row: &&Combination| {
        row.application_types.iter().any(|known| known.as_str() == application_type)
    };
    let row = rows.iter().find(fits).ok_or_else(|| {
        let message = format!("{application_type:?} is not possible for {}", kind.as_str());
        FieldError::new(CLIENT.application_type.name, message)
    });
    Some((kind, row))
}

/// The methods of a row, by name.
fn methods(combination: &Combination) -> Vec<&'static str> {
    let mut methods: Vec<_> = combination.methods.iter().map(|method| method.as_str()).collect();
    methods.sort_unstable();
    methods
}

fn text<'a>(fields: &'a Representation, attribute: &Attribute) -> &'a str {
    attribute.of(fields).and_then(Value::as_str).unwrap_or_default()
}

fn texts<'a>(fields: &'a Representation, attribute: &Attribute) -> impl Iterator<Item = &'a str> {
    attribute.of(fields).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

//! What goes together in a client (D), and what DigDir takes an absent field to be.

use serde_json::{Value, json};

use super::client_record::JWT_BEARER;
use super::refusal::FieldError;
use domain::{Attribute, CLIENT, Representation};

const AUTHORIZATION_CODE: &str = "authorization_code";

/// One row of DigDir's table. The first method and all grants are those of a client that names
/// none (? DigDir's own choice is not documented).
struct AllowedCombination {
    integration_types: &'static [&'static str],
    application_types: &'static [&'static str],
    methods: &'static [&'static str],
    /// The first one is required.
    grants: &'static [&'static str],
}

const WITH_LOGIN: &[&str] = &["idporten", "api_klient", "ansattporten"];

const COMBINATIONS: [AllowedCombination; 3] = [
    AllowedCombination {
        integration_types: &["maskinporten", "krr"],
        application_types: &["web"],
        methods: &["private_key_jwt"],
        grants: &[JWT_BEARER],
    },
    AllowedCombination {
        integration_types: WITH_LOGIN,
        application_types: &["web"],
        methods: &["client_secret_basic", "client_secret_post", "private_key_jwt"],
        grants: &[AUTHORIZATION_CODE, "refresh_token"],
    },
    AllowedCombination {
        integration_types: WITH_LOGIN,
        application_types: &["browser", "native"],
        methods: &["none"],
        grants: &[AUTHORIZATION_CODE, "refresh_token"],
    },
];

/// Puts what is not there. The lifetimes and `code_challenge_method` are from the description
/// (S), `sso_disabled` too.
pub(super) fn add_defaults(fields: &mut Representation) {
    let mut default = |attribute: &Attribute, value: Value| {
        fields.entry(attribute.name).or_insert(value);
    };
    default(&CLIENT.application_type, json!("web"));
    default(&CLIENT.access_token_lifetime, json!(120));
    default(&CLIENT.refresh_token_lifetime, json!(600));
    default(&CLIENT.authorization_lifetime, json!(7200));
    let Some(Ok(combination)) = combination(fields) else {
        return;
    };
    let integration_type = text(fields, &CLIENT.integration_type).to_owned();
    let mut default = |attribute: &Attribute, value: Value| {
        fields.entry(attribute.name).or_insert(value);
    };
    default(&CLIENT.token_endpoint_auth_method, json!(combination.methods[0]));
    default(&CLIENT.grant_types, json!(combination.grants));
    if combination.grants[0] == AUTHORIZATION_CODE {
        default(&CLIENT.code_challenge_method, json!("S256"));
    }
    match integration_type.as_str() {
        "idporten" => default(&CLIENT.sso_disabled, json!(false)),
        "ansattporten" => default(&CLIENT.sso_disabled, json!(true)),
        _ => {}
    }
}

/// What does not go together, in fields of the right types. Nothing is known of the types that
/// the table leaves out (?).
pub(super) fn problems(fields: &Representation) -> Vec<FieldError> {
    let integration_type = text(fields, &CLIENT.integration_type);
    let mut problems = zeros(fields);
    let combination = match combination(fields) {
        None => return problems,
        Some(Ok(combination)) => combination,
        Some(Err(error)) => {
            problems.push(error);
            return problems;
        }
    };
    let method = text(fields, &CLIENT.token_endpoint_auth_method);
    if !combination.methods.contains(&method) {
        let expected = combination.methods.join(", ");
        problems.push(FieldError::new(
            CLIENT.token_endpoint_auth_method.name,
            format!("{method:?} is not possible for {integration_type}: {expected}"),
        ));
    }
    let grants: Vec<&str> = texts(fields, &CLIENT.grant_types).collect();
    let required = combination.grants[0];
    if !grants.contains(&required) || grants.iter().any(|grant| !combination.grants.contains(grant))
    {
        let expected = combination.grants.join(", ");
        problems.push(FieldError::new(
            CLIENT.grant_types.name,
            format!("{grants:?} are not possible for {integration_type}: {expected}"),
        ));
    }
    if required == AUTHORIZATION_CODE {
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

/// The row that the fields stand in; `None` for a type of which nothing is known.
fn combination(fields: &Representation) -> Option<Result<&'static AllowedCombination, FieldError>> {
    let integration_type = text(fields, &CLIENT.integration_type);
    let application_type = text(fields, &CLIENT.application_type);
    let rows =
        || COMBINATIONS.iter().filter(|row| row.integration_types.contains(&integration_type));
    rows().next()?;
    let row = rows().find(|row| row.application_types.contains(&application_type));
    Some(row.ok_or_else(|| {
        let message = format!("{application_type:?} is not possible for {integration_type}");
        FieldError::new(CLIENT.application_type.name, message)
    }))
}

fn text<'a>(fields: &'a Representation, attribute: &Attribute) -> &'a str {
    attribute.of(fields).and_then(Value::as_str).unwrap_or_default()
}

fn texts<'a>(fields: &'a Representation, attribute: &Attribute) -> impl Iterator<Item = &'a str> {
    attribute.of(fields).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

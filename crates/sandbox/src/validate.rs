//! What DigDir accepts as a scope's representation.

use serde_json::Value;

use super::State;
use super::refusal::{FieldError, Refusal};
use super::value::{normalise, problem};
use domain::{Attribute, Representation, SCOPE, ScopeAttributes, ScopeName};

/// The fields that say who the scope is.
pub(super) const NAME_FIELDS: [&str; 3] = ["name", "prefix", "subscope"];

/// The fields that are the server's; what a client sends in them is not looked at.
const SERVER_FIELDS: [&str; 3] = ["created", "last_updated", "owner_orgno"];

/// A body that was found good.
#[derive(Debug)]
pub(super) struct AcceptedScope {
    /// What `active` says.
    pub(super) active: Option<bool>,
    /// The fields to store: absent ones have their defaults, unknown ones are kept.
    pub(super) fields: Representation,
}

/// Checks a body. `null` counts as absent.
pub(super) fn accept(state: &State, mut body: Representation) -> Result<AcceptedScope, Refusal> {
    normalise(&mut body, SCOPE.all());
    // Clients send an empty one where there is none (C).
    let has_source = SCOPE.delegation_source.of(&body) != Some(&Value::from(""));
    body.retain(|field, _| has_source || field != SCOPE.delegation_source.name);
    for field in NAME_FIELDS.iter().chain(&SERVER_FIELDS) {
        body.remove(*field);
    }
    let active = body.remove("active");
    let wrong = |attribute: &'static Attribute| {
        let value = attribute.of(&body)?;
        let message = problem(attribute.value_type, value)
            .or_else(|| unknown_text(state, attribute, value.as_str()?))?;
        Some(FieldError::new(attribute.name, message))
    };
    let mut errors: Vec<FieldError> = SCOPE.all().into_iter().filter_map(wrong).collect();
    if active.as_ref().is_some_and(|value| !value.is_boolean()) {
        errors.push(FieldError::new("active", "must be true or false"));
    }
    if !errors.is_empty() {
        return Err(Refusal::invalid("scope", errors));
    }
    for (field, default) in ScopeAttributes::default().fields() {
        if !default.is_null() {
            body.entry(field).or_insert(default);
        }
    }
    Ok(AcceptedScope { active: active.as_ref().and_then(Value::as_bool), fields: body })
}

/// The name that a body gives, whole or in its parts, which must agree. An empty one is none: clients
/// send it beside the parts (C).
pub(super) fn name(body: &Representation) -> Result<ScopeName, Refusal> {
    let text =
        |field| body.get(field).and_then(Value::as_str).filter(|text: &&str| !text.is_empty());
    let parts = match (text("prefix"), text("subscope")) {
        (Some(prefix), Some(subscope)) => Some(format!("{prefix}:{subscope}")),
        (Some(_) | None, _) => None,
    };
    let name = text("name").map(str::to_owned).or(parts);
    let name = name.ok_or_else(|| {
        Refusal::field("scope", "subscope", "a scope needs a prefix and a subscope")
    })?;
    let name: ScopeName =
        name.parse().map_err(|error| Refusal::field("scope", "name", format!("{error}")))?;
    same_name(body, &name)?;
    Ok(name)
}

/// Refuses a body that names another scope: a name cannot change.
pub(super) fn same_name(body: &Representation, name: &ScopeName) -> Result<(), Refusal> {
    let parts = [name.as_str(), name.prefix(), name.subscope()];
    let other = NAME_FIELDS.into_iter().zip(parts).find(|(field, part)| {
        body.get(*field).is_some_and(|value| !value.is_null() && value != "" && value != part)
    });
    other.map_or(Ok(()), |(field, part)| {
        let message = format!("a scope's name cannot change; here it is {part:?}");
        Err(Refusal::field("scope", field, message))
    })
}

/// What was there with what is sent laid over it; an empty text takes a field away.
pub(super) fn laid_over(mut before: Representation, sent: Representation) -> Representation {
    before.extend(sent.into_iter().filter(|(_, value)| !value.is_null()));
    before.retain(|_, value| value.as_str() != Some(""));
    before
}

/// What is wrong with a text that is not free.
fn unknown_text(state: &State, attribute: &Attribute, text: &str) -> Option<String> {
    if attribute.name == SCOPE.long_description.name {
        return forbidden_character(text);
    }
    let is_unknown = attribute.name == SCOPE.delegation_source.name
        && !state.delegation_sources.values().any(|known| known == text);
    is_unknown.then(|| format!("{text:?} is no known delegation source"))
}

/// Letters, ÆØÅ and accented ones included, digits, white space and some punctuation (seen in
/// clients of the live API). Which accents is not documented: those of Latin-1 are taken.
fn forbidden_character(text: &str) -> Option<String> {
    let allowed = |c: char| {
        c.is_ascii_alphanumeric()
            || c.is_whitespace()
            || (matches!(c, 'À'..='ÿ') && c.is_alphabetic())
            || ".,-_:;!?'\"()/*[]#".contains(c)
    };
    let forbidden = text.chars().find(|c| !allowed(*c))?;
    Some(format!("{forbidden:?} is not allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(mut body: Value) -> Vec<&'static str> {
        let nav = "889640782".parse().unwrap();
        let state = State::new(nav, "Etaten", &["etat".to_owned()]);
        body["description"] = json!("Les");
        match accept(&state, body.as_object().unwrap().clone()) {
            Ok(_) => Vec::new(),
            Err(refusal) => refusal.fields.iter().map(|error| error.field).collect(),
        }
    }

    #[test]
    fn each_field_is_checked() {
        let good = [
            json!({"long_description": "Ærlig talt, (éi) [prøve]; #1!\n\"a\"/*"}),
            json!({"at_max_age": 0, "authorization_max_lifetime": i64::MAX}),
            json!({"visibility": "PRIVATE", "token_type": "OPAQUE"}),
            json!({"allowed_integration_types": ["krr"], "delegation_source": "https://tt02.altinn.no/"}),
            json!({"at_max_age": null, "unknown": {"a": [1]}, "active": false}),
            json!({"created": 1, "last_updated": [], "owner_orgno": "000"}),
            json!({"at_max_age": 256.0}),
            json!({"at_max_age": "30", "authorization_max_lifetime": "", "delegation_source": ""}),
        ];
        for body in good {
            assert_eq!(check(body.clone()), [""; 0], "{body}");
        }
        let bad = [
            ("long_description", json!("pris < 10")),
            ("long_description", json!("5 × 5")),
            ("at_max_age", json!(-1)),
            ("at_max_age", json!(1.5)),
            ("authorization_max_lifetime", json!("soon")),
            ("authorization_max_lifetime", json!(u64::MAX)),
            ("visibility", json!("public")),
            ("token_type", json!("JWT")),
            ("allowed_integration_types", json!(["maskinporten", "altinn"])),
            ("allowed_integration_types", json!("maskinporten")),
            ("delegation_source", json!("altinn")),
            ("accessible_for_all", json!("true")),
            ("enforced_aud_for_access_token", json!(["a"])),
            ("active", json!("yes")),
        ];
        for (field, value) in bad {
            let found = check(json!({ field: value }));
            assert_eq!(found, [field], "{field}: {value}");
        }
    }

    #[test]
    fn names_come_whole_or_in_parts_that_agree() {
        let name = |body: Value| name(body.as_object().unwrap()).ok();
        let expected: ScopeName = "etat:a:b".parse().unwrap();
        assert_eq!(name(json!({"name": "etat:a:b"})), Some(expected.clone()));
        for parts in [
            json!({"prefix": "etat", "subscope": "a:b"}),
            json!({"name": "", "prefix": "etat", "subscope": "a:b"}),
        ] {
            assert_eq!(name(parts), Some(expected.clone()));
        }
        for body in [
            json!({"name": "etat"}),
            json!({"prefix": "etat"}),
            json!({"name": "etat:a", "subscope": "b"}),
            json!({"name": ""}),
            json!({}),
        ] {
            assert_eq!(name(body), None);
        }
    }
}

//! What DigDir accepts as the value of an attribute.

use serde_json::Value;

use super::refusal::FieldError;
use domain::{Attribute, Orgno, Representation, ValueType};

/// Brings a body to one form: `null` counts as left out, and so does an empty text for a number; a number
/// may be sent as text, as DigDir's web forms do (C), and with a fraction of zero, as JSON has it.
pub(super) fn normalise(
    body: &mut Representation,
    attributes: impl IntoIterator<Item = &'static Attribute>,
) {
    body.retain(|_, value| !value.is_null());
    for attribute in attributes.into_iter().filter(|it| it.value_type == ValueType::Seconds) {
        let whole = match attribute.of(body) {
            Some(Value::String(text)) if text.is_empty() => {
                body.remove(attribute.name);
                continue;
            }
            Some(Value::String(text)) => text.parse().ok(),
            value => value.and_then(whole),
        };
        if let Some(whole) = whole {
            body.insert(attribute.name.to_owned(), whole.into());
        }
    }
}

/// A whole number, whether or not it is written with a fraction of zero.
pub(super) fn whole(value: &Value) -> Option<i64> {
    const FIRST_TOO_LARGE: f64 = 9_223_372_036_854_775_808.0;
    let fits = |number: &f64| number.fract() == 0.0 && number.abs() < FIRST_TOO_LARGE;
    value.as_i64().or_else(|| value.as_f64().filter(fits).map(|number| number as i64))
}

/// What is wrong with the attributes that a body has.
pub(super) fn problems<'b>(
    body: &'b Representation,
    attributes: impl IntoIterator<Item = &'static Attribute> + 'b,
) -> impl Iterator<Item = FieldError> + 'b {
    attributes.into_iter().filter_map(|attribute| {
        let message = problem(attribute.value_type, attribute.of(body)?)?;
        Some(FieldError::new(attribute.name, message))
    })
}

/// What is wrong with a value; `None` if it is of the type.
pub(super) fn problem(value_type: ValueType, value: &Value) -> Option<String> {
    let (good, expected) = match value_type {
        ValueType::Text => (value.is_string(), "a text".to_owned()),
        ValueType::Flag => (value.is_boolean(), "true or false".to_owned()),
        // OpenAPI 2025-09: `int64`, 0 or more.
        ValueType::Seconds => {
            let valid = value.as_i64().is_some_and(|seconds| seconds >= 0);
            (valid, "a number of seconds, 0 or more".to_owned())
        }
        ValueType::Orgno => {
            let valid = value.as_str().is_some_and(|text| text.parse::<Orgno>().is_ok());
            (valid, "an organization number".to_owned())
        }
        ValueType::Word(known) => {
            let valid = value.as_str().is_some_and(|word| known.contains(&word));
            (valid, format!("one of {}", known.join(", ")))
        }
        ValueType::List(of) => {
            let mut entries = value.as_array().into_iter().flatten();
            let valid = value.is_array() && entries.all(|entry| problem(*of, entry).is_none());
            let expected = match of {
                ValueType::Word(known) => format!("some of {}", known.join(", ")),
                _ => "a list of texts".to_owned(),
            };
            (valid, expected)
        }
    };
    (!good).then(|| format!("{value} is not {expected}"))
}

#[cfg(test)]
mod tests {
    use super::super::{State, client_fields, validate};
    use super::*;
    use domain::{CLIENT, SCOPE};
    use serde_json::json;

    #[test]
    fn every_attribute_is_checked() {
        let orgno = "889640782".parse().unwrap();
        let state = State::new(orgno, "Etaten", &[]);
        let body = |attribute: &Attribute| -> Representation {
            [(attribute.name.to_owned(), json!({}))].into_iter().collect()
        };
        for attribute in SCOPE.all() {
            let refusal = validate::accept(&state, body(attribute)).unwrap_err();
            let mut fields = refusal.fields.iter().map(|error| error.field);
            assert!(fields.any(|field| field == attribute.name), "{}", attribute.name);
        }
        for attribute in CLIENT.all() {
            let refusal = client_fields::accept(&state, orgno, None, body(attribute)).unwrap_err();
            let mut fields = refusal.fields.iter().map(|error| error.field);
            assert!(fields.any(|field| field == attribute.name), "{}", attribute.name);
        }
    }
}

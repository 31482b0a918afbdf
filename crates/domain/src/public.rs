//! Representations without secrets, for output that everybody can read.
//!
//! DigDir sends a secret only in the answer that created it, and it is dropped where it is read. This is a
//! second line of defence.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{OnBehalfOfId, PRIVATE_MEMBERS, Representation};

/// Words in the names of fields that hold a secret.
const WORDS: [&str; 5] = ["secret", "password", "passphrase", "private_key", "privatekey"];

/// Names of other such fields (RFC 6749, RFC 7521, RFC 7592).
const NAMES: [&str; 6] = [
    "access_token",
    "assertion",
    "client_assertion",
    "id_token",
    "refresh_token",
    "registration_access_token",
];

/// Serialises a representation without its secrets.
pub(super) fn serialize<S: Serializer>(
    representation: &Representation,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let is_key = representation.contains_key("kty");
    let is_public = |name: &str| !is_secret(name) && (!is_key || !PRIVATE_MEMBERS.contains(&name));
    let members = representation.iter().filter(|(name, _)| is_public(name));
    serializer.collect_map(members.map(|(name, value)| (name, Public(value))))
}

/// As [`serialize`], for entries by their ids.
pub(super) fn serialize_entries<S: Serializer>(
    entries: &Option<BTreeMap<OnBehalfOfId, Representation>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    struct Entry<'a>(&'a Representation);
    impl Serialize for Entry<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serialize(self.0, serializer)
        }
    }
    match entries {
        Some(entries) => serializer.collect_map(entries.iter().map(|(id, of)| (id, Entry(of)))),
        None => serializer.serialize_none(),
    }
}

struct Public<'a>(&'a Value);

impl Serialize for Public<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => serialize(members, serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Public)),
            other => other.serialize(serializer),
        }
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{ClientAttributes, IntegrationType, OnBehalfOf, ScopeAttributes};
    use super::*;

    fn written(representation: Value) -> Value {
        serialize(representation.as_object().unwrap(), serde_json::value::Serializer).unwrap()
    }

    #[test]
    fn secrets_are_left_out_wherever_they_are() {
        let sent = json!({
            "client_id": "1f0a",
            "client_secret": "hemmelig",
            "Client-Secret": "hemmelig",
            "registration_access_token": "hemmelig",
            "token_endpoint_auth_method": "client_secret_basic",
            "nested": [{ "password": "hemmelig", "kept": [1, null, "b"] }],
            "jwks": { "keys": [{ "kty": "RSA", "n": "AQAB", "d": "hemmelig", "p": "hemmelig" }] },
            "d": "no key",
        });
        let kept = json!({
            "client_id": "1f0a",
            "token_endpoint_auth_method": "client_secret_basic",
            "nested": [{ "kept": [1, null, "b"] }],
            "jwks": { "keys": [{ "kty": "RSA", "n": "AQAB" }] },
            "d": "no key",
        });
        assert_eq!(written(sent), kept);
    }

    #[test]
    fn nothing_that_a_plan_compares_counts_as_secret() {
        let client = ClientAttributes::defaults(IntegrationType::Idporten, None);
        let client = client.wanted().map(|field| field.name).chain(["client_name"]);
        let entry = OnBehalfOf::default().wanted().map(|field| field.name);
        let scope = ScopeAttributes::default();
        let names = scope.fields().into_iter().map(|(name, _)| name).chain(client).chain(entry);
        for name in names {
            assert!(!is_secret(name), "{name}");
        }
    }
}

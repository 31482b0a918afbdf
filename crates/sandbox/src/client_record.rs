//! Clients and what belongs to them, as plain data.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::Jwk;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::State;
use super::keys::ClientKey;
use domain::{Attribute, CLIENT, Orgno, Representation, ScopeName};

/// The token scopes of the self-service API. The emulator lets every organisation put any of them
/// on its clients; DigDir hands them out one by one.
pub const ADMIN_SCOPES: [&str; 6] = [
    "idporten:scopes.read",
    "idporten:scopes.write",
    "idporten:dcr.read",
    "idporten:dcr.write",
    "idporten:dcr.modify",
    "idporten:dcr/onbehalfof.write",
];

/// RFC 7523 section 2.1: the grant of all clients of Maskinporten.
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How long a key lives from its registration (D).
pub(super) const KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A client. What a file of an earlier form does not tell is that of a client of Maskinporten.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientRecord {
    /// Whom it acts for.
    pub orgno: Orgno,
    /// `false` after a DELETE.
    #[serde(default = "yes")]
    pub active: bool,
    /// When it was made.
    #[serde(default)]
    pub created: Timestamp,
    /// When it was last changed.
    #[serde(default)]
    pub last_updated: Timestamp,
    /// The scopes that its tokens can carry.
    pub scopes: BTreeSet<String>,
    /// Its public keys by `kid`. A client without any signs with its enterprise certificate
    /// (`x5c`), a client with keys must not (D).
    pub keys: BTreeMap<String, KeyRecord>,
    /// Its `onbehalfof` registrations by their id.
    #[serde(default)]
    pub on_behalf_of: BTreeMap<String, OnBehalfOfRecord>,
    /// All other fields as the API gives them, unknown ones included. Secrets are in none of them.
    #[serde(default = "of_maskinporten")]
    pub fields: Representation,
}

/// A registered key; as JSON it is what the API gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The public key.
    #[serde(flatten)]
    pub public: Jwk,
    /// When it ends, in seconds since the epoch.
    #[serde(default = "in_a_year")]
    pub exp: i64,
    /// When it was registered; the same key registered again keeps it.
    #[serde(default)]
    pub created: Timestamp,
    /// When it was last registered.
    #[serde(default)]
    pub last_updated: Timestamp,
}

/// Somebody on whose behalf a client acts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnBehalfOfRecord {
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_updated: Timestamp,
    /// All other fields as the API gives them, but for the id.
    pub fields: Representation,
}

/// A consumer lets a supplier use a scope for it, as it would in Altinn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// What may be used.
    pub scope: ScopeName,
    /// Who has access to it.
    pub consumer: Orgno,
    /// Who may use it for the consumer.
    pub supplier: Orgno,
}

/// The user that a customer has made for a vendor's system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemUser {
    /// The client of the system.
    pub client_id: String,
    /// The system's id in Altinn.
    pub system_id: String,
    /// The customer.
    pub organization: Orgno,
    /// The vendor's reference, which a grant must repeat where there is one.
    pub external_ref: Option<String>,
    /// The user's own id.
    pub id: String,
}

impl ClientRecord {
    pub(super) fn new(orgno: Orgno, scopes: BTreeSet<String>, fields: Representation) -> Self {
        let now = Timestamp::now();
        Self {
            orgno,
            active: true,
            created: now,
            last_updated: now,
            scopes,
            keys: BTreeMap::new(),
            on_behalf_of: BTreeMap::new(),
            fields,
        }
    }

    pub(super) fn text(&self, attribute: &Attribute) -> &str {
        attribute.of(&self.fields).and_then(Value::as_str).unwrap_or_default()
    }
}

impl KeyRecord {
    /// A key that is registered now.
    pub fn new(public: Jwk) -> Self {
        let now = Timestamp::now();
        Self { public, exp: in_a_year(), created: now, last_updated: now }
    }
}

impl State {
    /// Registers a client of Maskinporten with all of [`ADMIN_SCOPES`] and this key. If the organisation
    /// has a client of that id, it is that client that gets the key, instead of those that it had; it is
    /// active again then.
    pub fn register_key(&mut self, orgno: Orgno, client_id: &str, key: &ClientKey) {
        let mut record = KeyRecord::new(key.public.clone());
        record.created = long_ago();
        self.put_client(orgno, client_id, [(key.kid.clone(), record)].into());
    }

    /// The same for a client that signs with an enterprise certificate of its organisation.
    pub fn register_certificate_client(&mut self, orgno: Orgno, client_id: &str) {
        self.put_client(orgno, client_id, BTreeMap::new());
    }

    fn put_client(&mut self, orgno: Orgno, client_id: &str, keys: BTreeMap<String, KeyRecord>) {
        let new = || {
            let mut fields = of_maskinporten();
            fields.insert("client_name".to_owned(), client_id.into());
            let mut client = ClientRecord::new(orgno, BTreeSet::new(), fields);
            client.created = long_ago();
            client
        };
        let theirs = self.clients.remove(client_id).filter(|client| client.orgno == orgno);
        let mut client = theirs.unwrap_or_else(new);
        client.scopes.extend(ADMIN_SCOPES.map(str::to_owned));
        client.active = true;
        client.keys = keys;
        self.clients.insert(client_id.to_owned(), client);
    }

    /// Lets a client act for a customer as if that had made a user for the client's system now.
    pub fn put_system_user(
        &mut self,
        client_id: &str,
        system_id: &str,
        organization: Orgno,
        external_ref: Option<&str>,
    ) {
        self.system_users.insert(SystemUser {
            client_id: client_id.to_owned(),
            system_id: system_id.to_owned(),
            organization,
            external_ref: external_ref.map(str::to_owned),
            id: Uuid::new_v4().to_string(),
        });
    }

    /// Lets a supplier use a scope for a consumer.
    pub fn put_delegation(&mut self, scope: ScopeName, consumer: Orgno, supplier: Orgno) {
        self.delegations.insert(Delegation { scope, consumer, supplier });
    }
}

fn yes() -> bool {
    true
}

/// What a sandbox starts with is known to the token endpoint, whatever the delay.
fn long_ago() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn in_a_year() -> i64 {
    Timestamp::now().as_second().saturating_add(KEY_LIFETIME.as_secs())
}

/// The fields that make a client one of Maskinporten. It says nothing of lifetimes: those are the
/// server's.
fn of_maskinporten() -> Representation {
    let fields: [(&Attribute, Value); 4] = [
        (&CLIENT.integration_type, json!("maskinporten")),
        (&CLIENT.application_type, json!("web")),
        (&CLIENT.token_endpoint_auth_method, json!("private_key_jwt")),
        (&CLIENT.grant_types, json!([JWT_BEARER])),
    ];
    fields.into_iter().map(|(attribute, value)| (attribute.name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nav() -> Orgno {
        "889640782".parse().unwrap()
    }

    #[test]
    fn a_client_of_an_earlier_file_is_one_of_maskinporten() {
        let key = ClientKey::generate().unwrap();
        let text = json!({ "clients": { "portvakt": {
            "orgno": "889640782",
            "scopes": ["idporten:scopes.read"],
            "keys": { "a": key.public },
        } } });
        let state: State = serde_json::from_value(text).unwrap();
        let client = &state.clients["portvakt"];
        assert!(client.active);
        assert_eq!(client.text(&CLIENT.integration_type), "maskinporten");
        let record = &client.keys["a"];
        assert_eq!(record.public, key.public);
        assert!(record.exp > Timestamp::now().as_second());
        assert_eq!(serde_json::from_str::<State>("{}").unwrap(), State::default());
    }

    #[test]
    fn a_key_is_flat_and_survives_its_file() {
        let record = KeyRecord::new(ClientKey::generate().unwrap().public);
        let text = serde_json::to_value(&record).unwrap();
        assert_eq!((&text["kty"], &text["alg"]), (&json!("RSA"), &json!("RS256")));
        assert_eq!(serde_json::from_value::<KeyRecord>(text).unwrap(), record);
    }

    #[test]
    fn a_new_key_does_not_undo_what_was_done_to_the_client() {
        let mut state = State::new(nav(), "Etaten", &[]);
        state.register_certificate_client(nav(), "portvakt");
        let client = state.clients.get_mut("portvakt").unwrap();
        client.active = false;
        client.scopes = ["etat:a".to_owned()].into();
        client.fields.insert("description".to_owned(), "Vår".into());
        state.register_certificate_client(nav(), "portvakt");
        let client = &state.clients["portvakt"];
        assert!(client.active && client.scopes.contains("etat:a"));
        assert!(ADMIN_SCOPES.iter().all(|scope| client.scopes.contains(*scope)));
        assert_eq!(client.text(&CLIENT.description), "Vår");

        state.register_certificate_client("991825827".parse().unwrap(), "portvakt");
        assert_eq!(state.clients["portvakt"].text(&CLIENT.description), "");
    }
}

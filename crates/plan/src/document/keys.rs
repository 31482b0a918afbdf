//! The keys of clients as a document.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The keys of clients.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "portvakt keys")]
pub struct KeysDocument {
    /// The version of this format.
    pub format_version: u8,
    /// The environment's name in `portvakt.yaml`.
    pub environment: String,
    /// The keys, by client and then by expiry.
    pub keys: Vec<KeyDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct KeyDocument {
    /// The client's name.
    pub client: String,
    /// The id that DigDir assigned to the client; `null` where it does not exist yet.
    pub client_id: Option<String>,
    /// The id of the key; `certificate` for a certificate that is not registered under one.
    pub kid: String,
    /// RFC 7638, SHA-256; `null` if it is not an RSA key.
    pub thumbprint: Option<String>,
    pub state: KeyState,
    /// When it was registered (RFC 3339); `null` where that is not known.
    #[schemars(with = "Option<String>")]
    pub created: Option<Timestamp>,
    /// When it expires (RFC 3339); `null` where that is not known.
    #[schemars(with = "Option<String>")]
    pub expires: Option<Timestamp>,
    /// Number of whole days until it expires; negative if it has expired.
    pub expires_in_days: Option<i64>,
}

/// State of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It is registered, and declared or left as it is live.
    Live,
    /// It is registered and not declared: the next apply removes it.
    Undeclared,
    /// It is declared and not registered: the next apply registers it.
    Missing,
    /// It is the key that portvakt itself works with; listed only where it expires soon or has expired.
    Own,
    /// It is the certificate that portvakt itself works with; listed only where it expires soon or has expired.
    OwnCertificate,
}

//! Environments: where declarations are applied, and with what credentials.

use std::borrow::Cow;

use super::source::{SecretSource, TextSource};
use crate::declare::yaml::optional::Spanned;
use crate::declare::yaml::table::{Read, TableReader, table};
use digdir::{self, TargetError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use yaml::Span;
use yaml::{Node, Value};

table! {
    @like "{ target: {} }"
    /// Where declarations are applied.
    #[derive(PartialEq, Eq)]
    pub struct Environment {
        /// The API to talk to.
        pub target: Spanned<EnvironmentTarget>,
        /// Who talks to it. Only the sandbox does without.
        pub credentials: Option<Spanned<DeclaredCredentials>>,
        /// A profile that `portvakt probe` has written of this API, relative to the repository: plan and
        /// apply go by it where DigDir's documentation does not say how the API behaves.
        pub profile: Option<String>,
    }
}

/// An API to talk to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvironmentTarget {
    /// The embedded emulator: no account, no network.
    Sandbox,
    /// DigDir's test environment.
    Test,
    /// DigDir's production environment.
    Prod,
    /// Any other place.
    Custom(CustomEndpoints),
}

impl EnvironmentTarget {
    /// The addresses of the API, of Maskinporten and of Skyporten; `None` for the embedded emulator, which has none
    /// before it runs.
    ///
    /// # Errors
    /// An address cannot be used.
    pub fn addresses(&self) -> Result<Option<digdir::ApiTarget>, TargetError> {
        match self {
            Self::Sandbox => Ok(None),
            Self::Test => Ok(Some(digdir::ApiTarget::test())),
            Self::Prod => Ok(Some(digdir::ApiTarget::prod())),
            Self::Custom(place) => {
                let CustomEndpoints { api, maskinporten, skyporten } = place;
                let target = digdir::ApiTarget::custom(api, maskinporten)?;
                match skyporten {
                    Some(issuer) => target.with_skyporten(issuer).map(Some),
                    None => Ok(Some(target)),
                }
            }
        }
    }
}

table! {
    /// The addresses of a place that is neither of DigDir's. Each is https, or plain http to
    /// loopback; a credential is sent there only if the host is also named outside the repository.
    #[derive(PartialEq, Eq)]
    #[schemars(rename = "Endpoints")]
    pub struct CustomEndpoints {
        /// The self-service API, without `/api/v1`.
        pub api: Spanned<String>,
        /// Maskinporten's issuer, exactly as its metadata has it (mostly with a slash at the end).
        pub maskinporten: Spanned<String>,
        /// Skyporten's issuer, exactly as its metadata has it (without a slash at the end). Only what
        /// concerns Skyporten needs it.
        pub skyporten: Option<Spanned<String>>,
    }
}

table! {
    /// A client at Maskinporten and how it proves itself: with a key, or with an enterprise
    /// certificate.
    #[derive(PartialEq, Eq)]
    #[schemars(rename = "Credentials")]
    pub struct DeclaredCredentials {
        /// The client's id; no secret.
        pub client_id: Spanned<TextSource>,
        /// A private key, PEM or JWK, or base64 of one. Excludes `certificate`.
        pub key: Option<SecretSource>,
        /// The id under which the key is registered on the client; no secret. Goes with `key`, and may be
        /// left out if the key is a JWK that has a `kid`; or with a `certificate` that is registered at
        /// DigDir.
        pub kid: Option<Spanned<TextSource>>,
        /// An enterprise certificate (`x5c`). Excludes `key`.
        pub certificate: Option<Certificate>,
    }
}

table! {
    /// An enterprise certificate with its key: a PKCS#12 archive, from `file` or `base64`, with its
    /// `password`; or PEM, with `chain` and `key`.
    #[derive(PartialEq, Eq)]
    pub struct Certificate {
        /// A PKCS#12 file, relative to the repository unless absolute.
        pub file: Option<String>,
        /// A PKCS#12 archive as base64, as variables of CI systems hold it.
        pub base64: Option<SecretSource>,
        /// The archive's password.
        pub password: Option<SecretSource>,
        /// Which key of the archive to sign with, by its name there, if it holds several.
        pub alias: Option<String>,
        /// The certificate and those that signed it, as PEM.
        pub chain: Option<SecretSource>,
        /// The private key of the `chain`, PEM or JWK; may be left out if it is in the same PEM.
        pub key: Option<SecretSource>,
    }
}

impl Read<'_> for EnvironmentTarget {
    fn read(at: &Node<'_>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        let word = match &at.value {
            Value::String(word) => word,
            Value::Mapping(_) => return CustomEndpoints::read(at, key, reader).map(Self::Custom),
            _ => return reader.wrong(at, "sandbox, test, prod or { api: …, maskinporten: … }"),
        };
        match &**word {
            "sandbox" => Some(Self::Sandbox),
            "test" => Some(Self::Test),
            "prod" => Some(Self::Prod),
            // An address may hold a password.
            other if other.contains("://") => {
                reader.says(at, "an address is written as `{ api: …, maskinporten: … }`")
            }
            other => reader.unknown_word(at.span(), other, &["sandbox", "test", "prod"]),
        }
    }
}

impl JsonSchema for EnvironmentTarget {
    fn schema_name() -> Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The API to talk to: the embedded sandbox, DigDir's test or \
                            production environment, or another place.",
            "anyOf": [
                {"type": "string", "enum": ["sandbox", "test", "prod"]},
                generator.subschema_for::<CustomEndpoints>(),
            ],
        })
    }
}

//! The client that a program is at DigDir, and the grants that it signs.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::application_key::ApplicationKey;
use super::certificate::{ArchiveEntry, Pair};
use super::key::{self, KeyError};
use domain::secret;
use domain::{ClientId, Kid, KidError, Orgno, SigningAlgorithm};

/// How long a grant can be used, in seconds. Maskinporten takes at most 120; less leaves room
/// for a server clock that is behind.
const GRANT_LIFETIME: i64 = 100;

/// A client id and the key that proves it. It is never printed: its `Debug` shows the client id
/// and how the key is named.
#[derive(Clone)]
pub struct Credentials {
    client_id: ClientId,
    key: EncodingKey,
    header: Header,
    /// Until when the certificate is valid, if there is one.
    expires: Option<Timestamp>,
}

/// Why credentials cannot be used. None of these holds any part of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// A key without a name.
    #[error(
        "the key has no kid; give the kid under which it is registered on the client (a private \
         JWK can carry it itself)"
    )]
    NoKid,
    /// The key names itself by something that is no id.
    #[error("the JWK's own kid is not shown, as {description}; {KidError}")]
    Kid {
        /// How long it is and what it looks like.
        description: String,
    },
    /// The key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The password does not open the archive.
    #[error("the password does not open the PKCS#12 archive")]
    Password,
    /// The archive cannot be read.
    #[error(
        "the PKCS#12 archive cannot be read ({0}); give the .p12 file as the certificate's issuer \
         delivered it. If that is what this is, convert it: {CONVERSION}"
    )]
    Archive(String),
    /// The archive is protected by a cipher that is not read.
    #[error(
        "the PKCS#12 archive is protected by {0}, which is not supported; convert it: {CONVERSION}"
    )]
    Cipher(&'static str),
    /// A Java keystore of the old format.
    #[error(
        "this is a Java keystore (JKS) and no PKCS#12 archive; convert it: keytool -importkeystore \
         -srckeystore OLD.jks -destkeystore NEW.p12 -deststoretype PKCS12"
    )]
    JavaKeystore,
    /// PEM in the place of an archive.
    #[error("this is PEM and no PKCS#12 archive; give its certificates as the chain, and its key")]
    PemArchive,
    /// No private key with its certificate.
    #[error(
        "the PKCS#12 archive holds no private key with its certificate; export both together \
         (openssl pkcs12 -export -inkey key.pem -in cert.pem -certfile chain.pem -out NEW.p12)"
    )]
    NoKeyInArchive,
    /// More than one.
    #[error("the PKCS#12 archive holds {} private keys; choose one by its alias: {}", .0.len(), listed(.0))]
    SeveralPairs(Vec<ArchiveEntry>),
    /// None of that name.
    #[error("the PKCS#12 archive holds no private key of that alias, but {}", listed(.0))]
    NoSuchAlias(Vec<ArchiveEntry>),
    /// No certificates.
    #[error(
        "the chain holds no certificate; it is PEM with a block -----BEGIN CERTIFICATE----- for \
         each certificate"
    )]
    NoChain,
    /// No key, neither beside the chain nor in it.
    #[error("the chain holds certificates but no private key; give the key too")]
    NoKeyInChain,
    /// The certificates are of another key.
    #[error(
        "none of the certificates belongs to the private key; give the two that were issued together"
    )]
    NotOfKey,
    /// A certificate that cannot be read.
    #[error("a certificate in it is damaged; export it anew")]
    Certificate,
}

/// The command that makes an archive which everything reads of one that only openssl still does.
const CONVERSION: &str = "openssl pkcs12 -legacy -in OLD.p12 -nodes -out PAIR.pem && openssl pkcs12 \
                          -export -in PAIR.pem -out NEW.p12 && rm PAIR.pem";

fn listed(aliases: &[ArchiveEntry]) -> String {
    let aliases: Vec<_> = aliases.iter().map(ToString::to_string).collect();
    secret::excerpt(&aliases.join(", "), MOST_ALIASES)
}

/// Longest list of names that an error shows, in characters.
const MOST_ALIASES: usize = 2_000;

#[derive(Serialize)]
struct Grant<'a> {
    aud: &'a str,
    iss: &'a str,
    scope: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    resource: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_org: Option<Orgno>,
    iat: i64,
    exp: i64,
    jti: String,
}

/// What a token is to be for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The scopes.
    pub scopes: Vec<String>,
    /// Its audience (RFC 8707); none leaves it to Maskinporten.
    pub resource: Vec<String>,
    /// The consumer that the client's organisation acts for, if not for itself.
    pub consumer_org: Option<Orgno>,
}

impl Credentials {
    /// A key that is registered on the client: PEM (PKCS#1 or PKCS#8) or a private JWK, or base64 of
    /// one. `kid` is the name it is registered under; a JWK's own is the default.
    ///
    /// # Errors
    /// Why the key cannot be used.
    pub fn from_key(
        client_id: ClientId,
        key: &SecretString,
        kid: Option<Kid>,
    ) -> Result<Self, CredentialsError> {
        let key = key::read(key.expose_secret())?;
        let kid = match (kid, key.kid.filter(|kid| !kid.is_empty())) {
            (Some(kid), _) => kid,
            (None, Some(own)) => own.parse().map_err(|KidError| CredentialsError::Kid {
                description: secret::described(&own),
            })?,
            (None, None) => return Err(CredentialsError::NoKid),
        };
        let header = naming(&kid, Algorithm::RS256);
        Ok(Self { client_id, key: key.signing, header, expires: None })
    }

    /// A key that an application signs its grants with, under the id and with the algorithm that
    /// it is registered by.
    pub fn from_application_key(
        client_id: &ClientId,
        key: &ApplicationKey,
        kid: &Kid,
        alg: SigningAlgorithm,
    ) -> Self {
        let alg = match alg {
            SigningAlgorithm::RS256 => Algorithm::RS256,
            SigningAlgorithm::RS384 => Algorithm::RS384,
            SigningAlgorithm::RS512 => Algorithm::RS512,
        };
        let (client_id, header) = (client_id.clone(), naming(kid, alg));
        Self { client_id, key: key.signing().clone(), header, expires: None }
    }

    /// An enterprise certificate with its key: a PKCS#12 archive (RFC 7292), or base64 of one. Of
    /// several pairs of key and certificate in it the one of this alias counts. The grants carry the
    /// whole chain as `x5c` (RFC 7515 section 4.1.6), the certificate itself first.
    ///
    /// # Errors
    /// Why the archive cannot be used.
    pub fn from_pkcs12(
        client_id: ClientId,
        archive: &[u8],
        password: &SecretString,
        alias: Option<&str>,
    ) -> Result<Self, CredentialsError> {
        let pair = Pair::from_pkcs12(archive, password.expose_secret(), alias)?;
        Ok(Self::from_pair(client_id, pair))
    }

    /// The same from PEM: the chain, in any order, and the key, which may also be among the chain.
    ///
    /// # Errors
    /// Why they cannot be used.
    pub fn from_chain(
        client_id: ClientId,
        chain: &SecretString,
        key: Option<&SecretString>,
    ) -> Result<Self, CredentialsError> {
        Ok(Self::from_pair(client_id, Pair::from_pem(chain, key)?))
    }

    fn from_pair(client_id: ClientId, Pair { key, chain, expires }: Pair) -> Self {
        let header = Header {
            x5c: Some(chain.iter().map(|der| STANDARD.encode(der)).collect()),
            ..Header::new(Algorithm::RS256)
        };
        Self { client_id, key, header, expires: Some(expires) }
    }

    /// The same, of a certificate that is registered on the client: its grants name the key and do not
    /// carry the chain (DigDir: a client with registered keys must use `kid`).
    #[must_use]
    pub fn registered_as(mut self, kid: &Kid) -> Self {
        self.header = naming(kid, self.header.alg);
        self
    }

    /// Until when the certificate is valid; `None` where the key comes without one.
    pub fn certificate_expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// The client's id at DigDir.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The id of the key that grants are signed with; `None` for a certificate's.
    pub(super) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// A signed grant (RFC 7523 section 2.1), good for one use.
    pub(super) fn grant(
        &self,
        issuer: &str,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<SecretString, jsonwebtoken::errors::Error> {
        let issued = now.as_second();
        let Wanted { scopes, resource, consumer_org } = wanted;
        let grant = Grant {
            aud: issuer,
            iss: self.client_id.as_str(),
            scope: scopes.join(" "),
            resource,
            consumer_org: *consumer_org,
            iat: issued,
            exp: issued.saturating_add(GRANT_LIFETIME),
            jti: uuid::Uuid::new_v4().to_string(),
        };
        jsonwebtoken::encode(&self.header, &grant, &self.key).map(SecretString::from)
    }
}

/// The header of a grant that names a registered key.
fn naming(kid: &Kid, alg: Algorithm) -> Header {
    Header { kid: Some(kid.as_str().to_owned()), ..Header::new(alg) }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("kid", &self.header.kid)
            .field("certificates", &self.header.x5c.as_ref().map_or(0, Vec::len))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::{fresh, to_jwk, to_pem};
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::Value;

    fn client() -> ClientId {
        "6fd9a9c8-5c2b-4b8e-9d0a-3f1f1c1d2e3f".parse().unwrap()
    }

    fn parts(grant: &SecretString) -> (Value, Value) {
        let parts: Vec<_> = grant.expose_secret().split('.').collect();
        let part =
            |i: usize| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[i]).unwrap()).unwrap();
        (part(0), part(1))
    }

    fn wanted(scopes: &[&str]) -> Wanted {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        Wanted { scopes, resource: Vec::new(), consumer_org: None }
    }

    #[test]
    fn a_grant_says_what_maskinporten_asks_for() {
        let key = SecretString::from(to_jwk(&fresh()).to_string());
        let credentials = Credentials::from_key(client(), &key, None).unwrap();
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let grant = || {
            credentials.grant("https://test.maskinporten.no/", &wanted(&["a", "b"]), now).unwrap()
        };
        let (header, claims) = parts(&grant());
        assert_eq!(header["alg"], "RS256");
        assert_eq!(header["kid"], "min-nokkel");
        assert_eq!(header.get("x5c"), None);
        assert_eq!(claims["aud"], "https://test.maskinporten.no/");
        assert_eq!(claims["iss"], client().as_str());
        assert_eq!(claims["scope"], "a b");
        let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert_eq!(iat, 1_795_341_600);
        assert!(exp > iat && exp - iat <= 120);
        let other = parts(&grant()).1;
        assert_ne!(claims["jti"], other["jti"]);
    }

    #[test]
    fn a_kid_given_wins_over_the_jwks_own_and_one_is_needed() {
        let key = fresh();
        let jwk = SecretString::from(to_jwk(&key).to_string());
        let credentials =
            Credentials::from_key(client(), &jwk, Some("annen".parse().unwrap())).unwrap();
        assert_eq!(credentials.header.kid.as_deref(), Some("annen"));
        let pem = SecretString::from(to_pem("PRIVATE KEY", &key));
        let error = Credentials::from_key(client(), &pem, None).unwrap_err();
        assert_eq!(error, CredentialsError::NoKid);
    }

    #[test]
    fn a_jwks_own_kid_that_is_none_is_refused_unprinted_unless_another_is_given() {
        let mut jwk = to_jwk(&fresh());
        for kid in ["hemmelig nøkkel", &"hemmelig".repeat(17), "age-secret-key-1hemmelig"] {
            jwk["kid"] = kid.into();
            let key = SecretString::from(jwk.to_string());
            let error = Credentials::from_key(client(), &key, None).unwrap_err().to_string();
            assert!(error.contains("kid") && error.contains("characters"), "{error}");
            assert!(!error.contains("hemmelig"), "{error}");
            let other = Some("annen".parse().unwrap());
            Credentials::from_key(client(), &key, other).unwrap();
        }
    }

    #[test]
    fn a_registered_certificate_is_named_and_does_not_travel() {
        let archive = include_bytes!("../tests/material/modern.p12");
        let password = SecretString::from("passord");
        let credentials = Credentials::from_pkcs12(client(), archive, &password, None).unwrap();
        let header = |credentials: &Credentials| {
            let grant = credentials.grant("https://x/", &wanted(&["a"]), Timestamp::UNIX_EPOCH);
            parts(&grant.unwrap()).0
        };
        let (travelling, named) = (header(&credentials), {
            let kid = "virksomhet-1".parse().unwrap();
            header(&credentials.clone().registered_as(&kid))
        });
        assert_eq!((travelling.get("kid"), travelling["x5c"].as_array().unwrap().len()), (None, 2));
        assert_eq!((named.get("x5c"), &named["kid"]), (None, &"virksomhet-1".into()));
        assert!(credentials.certificate_expires().is_some_and(|at| at > Timestamp::now()));
    }

    #[test]
    fn debug_does_not_print_the_key() {
        let jwk = to_jwk(&fresh());
        let key = SecretString::from(jwk.to_string());
        let credentials = Credentials::from_key(client(), &key, None).unwrap();
        let shown = format!("{credentials:?} {credentials:#?}");
        assert!(shown.contains(client().as_str()));
        for name in ["n", "d", "p", "q", "dp", "dq", "qi"] {
            assert!(!shown.contains(jwk[name].as_str().unwrap()), "{name}: {shown}");
        }
        assert!(!shown.contains("["), "no bytes either: {shown}");
    }
}

//! The client that a program is at DigDir, and the grants that it signs.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p12_keystore::error::Error as ArchiveError;
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy, PrivateKeyChain};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::application_key::ApplicationKey;
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
         delivered it, unencoded"
    )]
    Archive(String),
    /// No private key with its certificate.
    #[error(
        "the PKCS#12 archive holds no private key with its certificate; export both together \
         (openssl pkcs12 -export -inkey key.pem -in cert.pem -certfile chain.pem)"
    )]
    NoKeyInArchive,
    /// More than one.
    #[error(
        "the PKCS#12 archive holds {0} private keys; which one to sign with is not to be guessed: \
         make an archive that holds one"
    )]
    ManyKeysInArchive(usize),
}

#[derive(Serialize)]
struct Grant<'a> {
    aud: &'a str,
    iss: &'a str,
    scope: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    resource: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_org: Option<Orgno>,
    iat: i64,
    exp: i64,
    jti: String,
}

/// What a grant asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The scopes, separated by spaces.
    pub(super) scope: &'a str,
    /// What the token's audience is to be (RFC 8707); none leaves it to Maskinporten.
    pub(super) resource: &'a [String],
    /// The consumer that the client's organisation acts for, if not for itself.
    pub(super) consumer_org: Option<Orgno>,
}

impl Credentials {
    /// A key that is registered on the client: PEM (PKCS#1 or PKCS#8) or a private JWK. `kid` is
    /// the name it is registered under; a JWK's own is the default.
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
        let header = Header { kid: Some(kid.as_str().to_owned()), ..Header::new(Algorithm::RS256) };
        Ok(Self { client_id, key: key.signing, header })
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
        let header = Header { kid: Some(kid.as_str().to_owned()), ..Header::new(alg) };
        Self { client_id: client_id.clone(), key: key.signing().clone(), header }
    }

    /// An enterprise certificate with its key: a PKCS#12 archive (RFC 7292). The grants carry the
    /// whole chain as `x5c` (RFC 7515 section 4.1.6), the certificate itself first.
    pub fn from_pkcs12(
        client_id: ClientId,
        archive: &[u8],
        password: &SecretString,
    ) -> Result<Self, CredentialsError> {
        let chain = open(archive, password.expose_secret())?;
        let certificates = chain.certs().iter();
        let header = Header {
            x5c: Some(certificates.map(|c| STANDARD.encode(c.as_der())).collect()),
            ..Header::new(Algorithm::RS256)
        };
        Ok(Self { client_id, key: key::from_pkcs8(chain.key().as_der())?, header })
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
        asked: Asked<'_>,
        now: Timestamp,
    ) -> Result<SecretString, jsonwebtoken::errors::Error> {
        let issued = now.as_second();
        let Asked { scope, resource, consumer_org } = asked;
        let grant = Grant {
            aud: issuer,
            iss: self.client_id.as_str(),
            scope,
            resource,
            consumer_org,
            iat: issued,
            exp: issued.saturating_add(GRANT_LIFETIME),
            jti: uuid::Uuid::new_v4().to_string(),
        };
        jsonwebtoken::encode(&self.header, &grant, &self.key).map(SecretString::from)
    }
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

fn open(archive: &[u8], password: &str) -> Result<PrivateKeyChain, CredentialsError> {
    let store =
        KeyStore::from_pkcs12(archive, password, Pkcs12ImportPolicy::Strict).map_err(|error| {
            match error {
                ArchiveError::MacError(_) => CredentialsError::Password,
                other => CredentialsError::Archive(other.to_string()),
            }
        })?;
    let mut chains: Vec<PrivateKeyChain> = store
        .entries()
        .filter_map(|(_, entry)| match entry {
            KeyStoreEntry::PrivateKeyChain(chain) => Some(chain.clone()),
            KeyStoreEntry::Certificate(_) | KeyStoreEntry::Secret(_) => None,
        })
        .collect();
    match (chains.pop(), chains.len()) {
        (None, _) => Err(CredentialsError::NoKeyInArchive),
        (Some(chain), 0) => Ok(chain),
        (Some(_), others) => Err(CredentialsError::ManyKeysInArchive(others + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::{fresh, to_jwk, to_pem};
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use p12_keystore::{Certificate, PrivateKey};
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
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

    fn rcgen_key(pkcs8: &[u8]) -> KeyPair {
        KeyPair::from_pem_and_sign_algo(&to_pem("PRIVATE KEY", pkcs8), &rcgen::PKCS_RSA_SHA256)
            .unwrap()
    }

    fn named(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    }

    /// A certificate of `key` with the one that signed it.
    fn chain(key: &[u8]) -> Vec<Vec<u8>> {
        let root_key = rcgen_key(&fresh());
        let mut root = named("Rot");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_certificate = root.self_signed(&root_key).unwrap();
        let leaf =
            named("Etaten").signed_by(&rcgen_key(key), &Issuer::new(root, root_key)).unwrap();
        vec![leaf.der().to_vec(), root_certificate.der().to_vec()]
    }

    fn archive(keys: &[(&[u8], &[Vec<u8>])], password: &str) -> Vec<u8> {
        let mut store = KeyStore::new();
        for (number, (key, certificates)) in keys.iter().enumerate() {
            let certificates = certificates.iter().map(|der| Certificate::from_der(der).unwrap());
            let key = PrivateKey::from_der(key).unwrap();
            let id = vec![u8::try_from(number).unwrap()];
            let chain = PrivateKeyChain::new(id, key, certificates);
            store.add_entry(&number.to_string(), KeyStoreEntry::PrivateKeyChain(chain));
        }
        store.writer(password).write().unwrap()
    }

    fn asked(scope: &str) -> Asked<'_> {
        Asked { scope, resource: &[], consumer_org: None }
    }

    #[test]
    fn a_grant_says_what_maskinporten_asks_for() {
        let key = SecretString::from(to_jwk(&fresh()).to_string());
        let credentials = Credentials::from_key(client(), &key, None).unwrap();
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let grant =
            || credentials.grant("https://test.maskinporten.no/", asked("a b"), now).unwrap();
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
    fn an_archive_gives_the_whole_chain_with_the_certificate_first() {
        let key = fresh();
        let chain = chain(&key);
        let archive = archive(&[(&key, &chain)], "passord");
        let credentials =
            Credentials::from_pkcs12(client(), &archive, &SecretString::from("passord")).unwrap();
        let grant = credentials.grant("https://x/", asked("a"), Timestamp::UNIX_EPOCH).unwrap();
        let (header, _) = parts(&grant);
        assert_eq!(header.get("kid"), None);
        let expected: Vec<_> = chain.iter().map(|der| STANDARD.encode(der)).collect();
        assert_eq!(header["x5c"], serde_json::json!(expected));
    }

    #[test]
    fn an_archive_that_will_not_do_is_told_why() {
        let key = fresh();
        let chain = chain(&key);
        let good = archive(&[(&key, &chain)], "passord");
        let open = |archive: &[u8], password: &str| {
            Credentials::from_pkcs12(client(), archive, &SecretString::from(password)).unwrap_err()
        };
        assert_eq!(open(&good, "feil"), CredentialsError::Password);
        assert!(matches!(open(&good[..200], "passord"), CredentialsError::Archive(_)));
        assert!(matches!(open(b"", "passord"), CredentialsError::Archive(_)));
        let empty = archive(&[], "passord");
        assert_eq!(open(&empty, "passord"), CredentialsError::NoKeyInArchive);
        let two = archive(&[(&key, &chain), (&fresh(), &chain)], "passord");
        assert_eq!(open(&two, "passord"), CredentialsError::ManyKeysInArchive(2));
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

//! RSA keys: those of the clients, and the one with which the sandbox signs.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::{fs, io};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use pkcs1::der::pem::{LineEnding, encode_string};
use secrecy::{ExposeSecret, SecretString};

use super::SandboxError;
use super::state_file::{at, create_private, write_atomically};

/// A key pair of a client.
#[derive(Debug, Clone)]
pub struct ClientKey {
    /// The key's id: its thumbprint (RFC 7638).
    pub kid: String,
    /// The private key as PEM.
    pub private_key_pem: SecretString,
    /// The public key.
    pub public: Jwk,
}

impl ClientKey {
    /// A new RSA key of 2048 bits, which takes some tenths of a second.
    ///
    /// # Errors
    /// [`SandboxError::KeyGeneration`] if the system gives no random numbers.
    pub fn generate() -> Result<Self, SandboxError> {
        let failed = |_| SandboxError::KeyGeneration;
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
        let pem = encode_string("PRIVATE KEY", LineEnding::LF, der.as_ref());
        let pem = pem.map_err(|_| SandboxError::KeyGeneration)?;
        Self::from_pem(pem.into())
    }

    /// The key in a file, or a new one that is put there (mode 0600 on unix).
    ///
    /// # Errors
    /// [`SandboxError::KeyFile`] if the file holds anything but an RSA private key: it is never
    /// overwritten.
    pub fn in_file(path: &Path) -> Result<Self, SandboxError> {
        match fs::read_to_string(path) {
            Ok(pem) => {
                Self::from_pem(pem.into()).map_err(|_| SandboxError::KeyFile(path.to_owned()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                create_private(path, key.private_key_pem.expose_secret().as_bytes())?;
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(SandboxError::KeyFile(path.to_owned()))
            }
            Err(error) => Err(at(path, "read")(error)),
        }
    }

    /// The key that a sandbox keeps in a file of its own, or a new one that is put there: also in
    /// place of anything else, as nobody but sandboxes uses that file.
    pub(super) fn kept(path: &Path) -> Result<Self, SandboxError> {
        match Self::in_file(path) {
            Err(SandboxError::KeyFile(path)) => {
                let path_shown = path.display();
                tracing::warn!("{path_shown} is no RSA private key: the sandbox makes a new one");
                let key = Self::generate()?;
                write_atomically(&path, key.private_key_pem.expose_secret().as_bytes())?;
                Ok(key)
            }
            key => key,
        }
    }

    /// A key that exists, PKCS#1 or PKCS#8.
    ///
    /// # Errors
    /// [`SandboxError::NotAPrivateKey`] if the text holds no RSA private key of at least 2048
    /// bits.
    pub fn from_pem(private_key_pem: SecretString) -> Result<Self, SandboxError> {
        let bad = |_| SandboxError::NotAPrivateKey;
        let key = signing_half(&private_key_pem)?;
        let mut public = Jwk::from_encoding_key(&key, Algorithm::RS256).map_err(bad)?;
        let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(bad)?;
        public.common.key_id = Some(kid.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { kid, private_key_pem, public })
    }
}

fn signing_half(private_key_pem: &SecretString) -> Result<EncodingKey, SandboxError> {
    EncodingKey::from_rsa_pem(private_key_pem.expose_secret().as_bytes())
        .map_err(|_| SandboxError::NotAPrivateKey)
}

/// The key with which access tokens are signed.
pub(super) struct SigningKey {
    pub(super) kid: String,
    pub(super) private: EncodingKey,
    pub(super) public: Jwk,
}

impl SigningKey {
    pub(super) fn new(key: ClientKey) -> Result<Self, SandboxError> {
        let private = signing_half(&key.private_key_pem)?;
        Ok(Self { kid: key.kid, private, public: key.public })
    }

    /// One key serves all sandboxes of a process that have none of their own: making one takes longer
    /// than most tests.
    pub(super) fn shared() -> Result<Arc<Self>, SandboxError> {
        static KEY: OnceLock<Arc<SigningKey>> = OnceLock::new();
        if let Some(key) = KEY.get() {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(Self::new(ClientKey::generate()?)?);
        Ok(Arc::clone(KEY.get_or_init(|| key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_read_again_is_the_same_key() {
        let made = ClientKey::generate().unwrap();
        let read = ClientKey::from_pem(made.private_key_pem.clone()).unwrap();
        assert_eq!((made.kid, made.public), (read.kid, read.public));
    }

    #[test]
    fn no_key_is_reported_without_its_text() {
        let text = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
        for text in [text, "secret", ""] {
            let error = ClientKey::from_pem(text.into()).unwrap_err();
            assert!(matches!(error, SandboxError::NotAPrivateKey));
        }
    }

    #[test]
    fn debug_shows_no_private_key() {
        let key = ClientKey::generate().unwrap();
        assert!(!format!("{key:?}").contains("PRIVATE KEY"));
    }
}

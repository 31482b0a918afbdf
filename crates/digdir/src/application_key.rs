//! The key that an application signs its grants with: read or made, and as private and public JWK.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::Date;
use jsonwebtoken::EncodingKey;
use pkcs1::der::Decode;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::key::{self, KeyError};
use domain::{Kid, KidError, PublicKey, Representation, SigningAlgorithm};

/// How much of its thumbprint the id of a new key carries: enough that two of a day differ.
const KID_THUMBPRINT: usize = 8;

/// A private RSA key of 2048 bits or more. It is never printed: its `Debug` shows the thumbprint.
#[derive(Clone)]
pub struct ApplicationKey {
    signing: EncodingKey,
    modulus: String,
    exponent: String,
    /// As the text that it was read from has it.
    kid: Option<String>,
}

impl ApplicationKey {
    /// A new key of 2048 bits, which takes some tenths of a second to make.
    ///
    /// # Errors
    /// [`KeyError::Generation`] if the system gives no random numbers.
    pub fn generate() -> Result<Self, KeyError> {
        let failed = |_| KeyError::Generation;
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
        Self::new(key::from_pkcs8(der.as_ref())?, None)
    }

    /// Reads PEM (PKCS#1 or PKCS#8) or a private JWK.
    ///
    /// # Errors
    /// Why it is no such key, without any part of it.
    pub fn read(text: &SecretString) -> Result<Self, KeyError> {
        let key::PrivateKey { signing, kid } = key::read(text.expose_secret())?;
        Self::new(signing, kid)
    }

    fn new(signing: EncodingKey, kid: Option<String>) -> Result<Self, KeyError> {
        let key = pkcs1::RsaPrivateKeyRef::from_der(signing.as_bytes());
        let key = key.map_err(|_| KeyError::Damaged)?;
        let modulus = URL_SAFE_NO_PAD.encode(key.modulus.as_bytes());
        let exponent = URL_SAFE_NO_PAD.encode(key.public_exponent.as_bytes());
        Ok(Self { signing, modulus, exponent, kid })
    }

    /// The id that the text it was read from gives it.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The id of a new key: the day, so that one sees which is older, and the beginning of its
    /// thumbprint (RFC 7638), so that two of a day differ.
    pub fn dated_kid(&self, today: Date) -> Result<Kid, KidError> {
        let thumbprint = self.thumbprint();
        let begin = thumbprint.get(..KID_THUMBPRINT).unwrap_or(&thumbprint);
        format!("{today}-{begin}").parse()
    }

    /// Its thumbprint by SHA-256 (RFC 7638), base64url.
    pub fn thumbprint(&self) -> String {
        self.public_half(None).map(|key| key.thumbprint()).unwrap_or_default()
    }

    /// The modulus, base64url, by which keys are compared.
    pub fn modulus(&self) -> &str {
        &self.modulus
    }

    /// Its public half.
    ///
    /// # Errors
    /// Its numbers are such as no public key has.
    pub fn public(&self, kid: &Kid, alg: SigningAlgorithm) -> Result<PublicKey, KeyError> {
        let mut key = self.public_half(Some(kid)).ok_or(KeyError::Damaged)?;
        key.alg = alg;
        Ok(key)
    }

    fn public_half(&self, kid: Option<&Kid>) -> Option<PublicKey> {
        let mut jwk = Representation::new();
        jwk.insert("kty".to_owned(), "RSA".into());
        jwk.insert("n".to_owned(), self.modulus.as_str().into());
        jwk.insert("e".to_owned(), self.exponent.as_str().into());
        if let Some(kid) = kid {
            jwk.insert("kid".to_owned(), json!(kid));
        }
        PublicKey::from_jwk(&jwk).ok()
    }

    /// The whole key as a private JWK on one line (RFC 7517, RFC 7518 section 6.3).
    ///
    /// # Errors
    /// [`KeyError::Damaged`] where its numbers cannot be told apart, which a key that was read or
    /// made does not do.
    pub fn private_jwk(&self, kid: &Kid, alg: SigningAlgorithm) -> Result<SecretString, KeyError> {
        let key = pkcs1::RsaPrivateKeyRef::from_der(self.signing.as_bytes());
        let key = key.map_err(|_| KeyError::Damaged)?;
        let alg = json!(alg);
        let members = [
            ("n", key.modulus),
            ("e", key.public_exponent),
            ("d", key.private_exponent),
            ("p", key.prime1),
            ("q", key.prime2),
            ("dp", key.exponent1),
            ("dq", key.exponent2),
            ("qi", key.coefficient),
        ];
        // As large as it gets at once: a text that grows leaves copies of itself behind. Neither a
        // kid nor base64url holds anything that JSON escapes.
        let mut jwk = String::with_capacity(self.signing.as_bytes().len() * 2 + 512);
        jwk.push_str(&format!(r#"{{"kty":"RSA","kid":"{kid}","use":"sig","alg":{alg}"#));
        for (name, number) in members {
            jwk.push_str(&format!(r#","{name}":""#));
            URL_SAFE_NO_PAD.encode_string(number.as_bytes(), &mut jwk);
            jwk.push('"');
        }
        jwk.push('}');
        Ok(jwk.into())
    }

    pub(super) fn signing(&self) -> &EncodingKey {
        &self.signing
    }
}

impl fmt::Debug for ApplicationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thumbprint = self.thumbprint();
        f.debug_struct("ApplicationKey").field("thumbprint", &thumbprint).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::tests::{fresh, to_jwk, to_pem};
    use super::*;
    use serde_json::Value;

    fn read(text: &str) -> ApplicationKey {
        ApplicationKey::read(&SecretString::from(text)).unwrap()
    }

    #[test]
    fn the_private_jwk_of_a_key_is_that_key() {
        let pkcs8 = fresh();
        let expected = to_jwk(&pkcs8);
        let kid: Kid = "2026-11-24-a".parse().unwrap();
        for text in [to_pem("PRIVATE KEY", &pkcs8), expected.to_string()] {
            let key = read(&text);
            let jwk = key.private_jwk(&kid, SigningAlgorithm::RS512).unwrap();
            assert!(!jwk.expose_secret().contains('\n'));
            let mut jwk: Value = serde_json::from_str(jwk.expose_secret()).unwrap();
            assert_eq!((&jwk["kid"], &jwk["alg"]), (&json!("2026-11-24-a"), &json!("RS512")));
            jwk["kid"] = expected["kid"].clone();
            jwk["alg"] = expected["alg"].clone();
            assert_eq!(jwk, expected);
            assert_eq!(key.kid(), text.starts_with('{').then_some("min-nokkel"));
        }
    }

    #[test]
    fn a_new_key_has_a_public_half_and_an_id() {
        let key = ApplicationKey::generate().unwrap();
        let kid = key.dated_kid(jiff::civil::date(2026, 11, 24)).unwrap();
        let begin = &key.thumbprint()[..8];
        assert_eq!(kid.as_str(), format!("2026-11-24-{begin}"));
        let public = key.public(&kid, SigningAlgorithm::RS256).unwrap();
        assert_eq!(public.modulus(), key.modulus());
        assert_eq!(public.kid, kid);
        let private = key.private_jwk(&kid, SigningAlgorithm::RS256).unwrap();
        assert_eq!(read(private.expose_secret()).thumbprint(), key.thumbprint());
    }

    #[test]
    fn debug_does_not_print_the_key() {
        let pkcs8 = fresh();
        let jwk = to_jwk(&pkcs8);
        let key = read(&jwk.to_string());
        let shown = format!("{key:?} {key:#?}");
        assert!(shown.contains(&key.thumbprint()));
        for name in ["n", "d", "p", "q", "dp", "dq", "qi"] {
            assert!(!shown.contains(jwk[name].as_str().unwrap()), "{name}: {shown}");
        }
    }
}

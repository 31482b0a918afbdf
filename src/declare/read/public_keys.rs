//! What files and texts hold as public keys: JWK, JWKS, PEM and certificates. A private key is told as
//! one, and nothing of it is passed on.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use pkcs1::der::asn1::{AnyRef, BitStringRef};
use pkcs1::der::{self, Decode, Reader, SliceReader};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Value as Json, json};
use x509_parser::prelude::{FromDer, X509Certificate};

use domain::{KeyProblem, PRIVATE_MEMBERS, PublicKey, Representation};

/// The ends of the names of files with keys.
pub(crate) const FILES: [&str; 7] = ["json", "jwk", "jwks", "pem", "pub", "crt", "cer"];

/// What can be wrong with what should be a key.
pub(crate) enum PublicKeyProblem {
    /// It holds what only its holder may know.
    Private,
    /// Anything else, in words that repeat nothing of it.
    Other(String),
}

impl From<KeyProblem> for PublicKeyProblem {
    fn from(problem: KeyProblem) -> Self {
        match problem {
            KeyProblem::Private(_) => Self::Private,
            other => Self::Other(other.to_string()),
        }
    }
}

/// The keys, or what is wrong with the one of that number, from 0.
pub(crate) type ReadKeys = Result<Vec<PublicKey>, (usize, PublicKeyProblem)>;

/// Why the key of that number cannot be used.
pub(crate) fn unusable(number: usize, why: impl Into<String>) -> (usize, PublicKeyProblem) {
    (number, PublicKeyProblem::Other(why.into()))
}

/// The public keys that a file or a text holds, of which there can be none; `None` where it holds none that can be used, or a
/// private one.
pub fn public_keys(text: &str) -> Option<Vec<PublicKey>> {
    from_text(text).ok()
}

/// A file, or a text: JSON or PEM.
pub(crate) fn from_text(text: &str) -> ReadKeys {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{') {
        let why = "it is not JSON, or a name is given twice in one of its objects";
        let Unrepeated(json) = serde_json::from_str(text).map_err(|_| unusable(0, why))?;
        return from_json(&json);
    }
    from_pem(text)
}

/// JSON in which no name stands twice in one object: of two, a reader sees one alone, and the other
/// could be private.
struct Unrepeated(Json);

impl<'de> Deserialize<'de> for Unrepeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UnrepeatedVisitor).map(Self)
    }
}

struct UnrepeatedVisitor;

impl<'de> Visitor<'de> for UnrepeatedVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(Unrepeated(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Representation::new();
        while let Some((name, Unrepeated(value))) = map.next_entry::<String, _>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name is given twice"));
            }
        }
        Ok(Json::Object(members))
    }
}

/// A JWK or a JWKS, in which there can be no key. A private member anywhere makes all of it private.
pub(crate) fn from_json(json: &Json) -> ReadKeys {
    if has_private(json) {
        return Err((0, PublicKeyProblem::Private));
    }
    let one = |number: usize, jwk: &Json| {
        let why = "a key is an object with kty, kid, n and e";
        let jwk = jwk.as_object().ok_or_else(|| unusable(number, why))?;
        PublicKey::from_jwk(jwk).map_err(|problem| (number, problem.into()))
    };
    match json.get("keys") {
        None => Ok(vec![one(0, json)?]),
        Some(Json::Array(keys)) => {
            keys.iter().enumerate().map(|(number, jwk)| one(number, jwk)).collect()
        }
        Some(_) => Err(unusable(0, "its `keys` is not a list")),
    }
}

fn has_private(json: &Json) -> bool {
    match json {
        Json::Object(members) => members.iter().any(|(name, value)| {
            PRIVATE_MEMBERS.contains(&name.to_lowercase().as_str()) || has_private(value)
        }),
        Json::Array(items) => items.iter().any(has_private),
        Json::String(text) => text.contains("PRIVATE KEY"),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

/// Public keys and certificates (RFC 7468). Several certificates are a chain, the key's own first.
fn from_pem(text: &str) -> ReadKeys {
    if text.contains("PRIVATE KEY") {
        return Err((0, PublicKeyProblem::Private));
    }
    let mut keys = Vec::new();
    let mut chain = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let number = keys.len();
        let damaged = |why: &str| unusable(number, format!("the PEM is damaged: {why}"));
        let (label, after) = after.split_once("-----").ok_or_else(|| damaged("no label"))?;
        let (body, after) =
            after.split_once("-----END ").ok_or_else(|| damaged("no -----END line"))?;
        rest = after;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(&body).map_err(|_| damaged("what it holds is no base64"))?;
        let numbers = match label {
            "PUBLIC KEY" => spki(&der),
            "RSA PUBLIC KEY" => pkcs1_numbers(&der),
            "CERTIFICATE" => {
                chain.push(body);
                if chain.len() > 1 {
                    continue;
                }
                certificate(&der)
            }
            _ => return Err(damaged("it is neither PUBLIC KEY nor CERTIFICATE")),
        };
        let (n, e) = numbers.ok_or_else(|| unusable(number, "it holds no RSA key"))?;
        let mut jwk = Representation::new();
        jwk.insert("kty".to_owned(), "RSA".into());
        jwk.insert("n".to_owned(), URL_SAFE_NO_PAD.encode(n).into());
        jwk.insert("e".to_owned(), URL_SAFE_NO_PAD.encode(e).into());
        keys.push((label == "CERTIFICATE", jwk));
    }
    if keys.is_empty() {
        let ends = FILES.join(", .");
        let why = "it is neither JSON nor PEM, nor the path of a file (one that ends in .";
        return Err(unusable(0, format!("{why}{ends})")));
    }
    let read = keys.into_iter().enumerate().map(|(number, (is_certificate, mut jwk))| {
        if is_certificate {
            jwk.insert("x5c".to_owned(), json!(chain));
        }
        PublicKey::from_jwk(&jwk).map_err(|problem| (number, problem.into()))
    });
    read.collect()
}

type Numbers = (Vec<u8>, Vec<u8>);

/// A `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
fn spki(der: &[u8]) -> Option<Numbers> {
    let parts = |reader: &mut SliceReader<'_>| -> der::Result<Vec<u8>> {
        reader.sequence(|info| {
            info.decode::<AnyRef<'_>>()?;
            Ok(info.decode::<BitStringRef<'_>>()?.raw_bytes().to_vec())
        })
    };
    let key = SliceReader::new(der).and_then(|mut reader| parts(&mut reader)).ok()?;
    pkcs1_numbers(&key)
}

/// An `RSAPublicKey` (RFC 8017 appendix A.1.1).
fn pkcs1_numbers(der: &[u8]) -> Option<Numbers> {
    let key = pkcs1::RsaPublicKeyRef::from_der(der).ok()?;
    Some((key.modulus.as_bytes().to_vec(), key.public_exponent.as_bytes().to_vec()))
}

/// Until when the certificate of a key is valid, if it has one.
pub(crate) fn certificate_expires(key: &PublicKey) -> Option<Timestamp> {
    let der = STANDARD.decode(key.x5c.first()?).ok()?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

fn certificate(der: &[u8]) -> Option<Numbers> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    spki(certificate.public_key().raw)
}

//! What DigDir accepts as a client's public key. No refusal repeats what a key is made of.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, Jwk, RSAKeyParameters, RSAKeyType, ThumbprintHash,
};
use pkcs1::der::pem::decode_vec;
use serde_json::Value;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};
use x509_parser::public_key::PublicKey;

use super::KeyRecord;
use super::certificate::{leaf, unsigned};
use super::client_record::KEY_LIFETIME;
use super::refusal::Refusal;
use super::value::whole;
use domain::{LEAST_BITS, MOST_KEYS, PRIVATE_MEMBERS, Representation};

/// The members that are stored (S); `exp` is kept beside them. ? Whether DigDir keeps others.
const PUBLIC_MEMBERS: [&str; 7] = ["kty", "use", "alg", "kid", "n", "e", "x5c"];

/// S has RS256 and RS512 only, the documentation RS384 too.
pub(super) const ALGORITHMS: [&str; 3] = ["RS256", "RS384", "RS512"];

/// A key that was found good, and when its owner wants it to end.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) public: Jwk,
    pub(super) exp: Option<i64>,
}

/// The keys of a whole set, of which there must be one (C).
pub(super) fn accept_set(body: &Representation) -> Result<BTreeMap<String, Accepted>, Refusal> {
    let entries = match body.get("keys").and_then(Value::as_array) {
        Some(entries) if (1..=MOST_KEYS).contains(&entries.len()) => entries,
        Some(_) | None => {
            return Err(invalid("keys", format!("must be a list of 1 to {MOST_KEYS} keys")));
        }
    };
    let mut keys = BTreeMap::new();
    for entry in entries {
        let entry =
            entry.as_object().ok_or_else(|| invalid("keys", "has an entry that is no key"))?;
        let (kid, key) = accept(entry)?;
        if keys.contains_key(&kid) {
            return Err(invalid("kid", format!("{kid} comes twice")));
        }
        keys.insert(kid, key);
    }
    Ok(keys)
}

/// A key and its `kid`.
pub(super) fn accept(key: &Representation) -> Result<(String, Accepted), Refusal> {
    if let Some(member) = PRIVATE_MEMBERS.into_iter().find(|member| key.contains_key(*member)) {
        return Err(invalid(member, "is private: send the public key only"));
    }
    let text = |member: &str| key.get(member).and_then(Value::as_str).unwrap_or_default();
    if text("kty") != "RSA" {
        return Err(invalid("kty", "must be RSA"));
    }
    if text("use") != "sig" {
        return Err(invalid("use", "must be sig"));
    }
    if !ALGORITHMS.contains(&text("alg")) {
        return Err(invalid("alg", format!("must be one of {}", ALGORITHMS.join(", "))));
    }
    let kid = text("kid");
    if !is_kid(kid) {
        return Err(invalid("kid", "must have letters, digits and ._- only"));
    }
    let modulus = number(text("n")).ok_or_else(|| invalid("n", "is no number"))?;
    if bits(&modulus) < LEAST_BITS {
        return Err(invalid("n", format!("has less than {LEAST_BITS} bits")));
    }
    let exponent = number(text("e")).ok_or_else(|| invalid("e", "is no number"))?;
    check_certificate(key.get("x5c"), &modulus, &exponent)?;
    let exp = end(key.get("exp"))?;
    let mut public = key.clone();
    public.retain(|member, value| PUBLIC_MEMBERS.contains(&member.as_str()) && !value.is_null());
    let public = serde_json::from_value(Value::Object(public))
        .map_err(|_| invalid("kty", "the members do not make a key"))?;
    Ok((kid.to_owned(), Accepted { public, exp }))
}

/// The JWK that a text holds, or the public key that it holds as PEM, with what DigDir's web has no field for.
pub(super) fn of_text(text: &str) -> Result<Representation, Refusal> {
    if let Ok(Value::Object(key)) = serde_json::from_str(text) {
        return Ok(key);
    }
    let no_key = || invalid("key", "is neither a JWK nor an RSA public key as PEM");
    let (label, der) = decode_vec(text.trim().as_bytes()).map_err(|_| no_key())?;
    let key = match (label, SubjectPublicKeyInfo::from_der(&der)) {
        ("PUBLIC KEY", Ok(([], info))) => match info.parsed() {
            Ok(PublicKey::RSA(key)) => [key.modulus, key.exponent].map(|it| unsigned(it).to_vec()),
            Ok(_) | Err(_) => return Err(no_key()),
        },
        _ => return Err(no_key()),
    };
    let [n, e] = key.map(|number| URL_SAFE_NO_PAD.encode(number));
    let common = CommonParameters::default();
    let parameters = RSAKeyParameters { key_type: RSAKeyType::RSA, n: n.clone(), e: e.clone() };
    let public = Jwk { common, algorithm: AlgorithmParameters::RSA(parameters) };
    let kid = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| no_key())?;
    let members =
        [("kty", "RSA"), ("use", "sig"), ("alg", "RS256"), ("kid", &kid), ("n", &n), ("e", &e)];
    Ok(members.into_iter().map(|(member, value)| (member.to_owned(), value.into())).collect())
}

fn is_kid(kid: &str) -> bool {
    !kid.is_empty() && kid.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// RFC 7518 section 2: base64url of the bytes, the highest first; zero is none. Bytes that are
/// zero at the beginning are left out.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let begin = bytes.iter().position(|byte| *byte != 0)?;
    Some(bytes[begin..].to_vec())
}

fn bits(number: &[u8]) -> usize {
    let zeros = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    number.len() * 8 - zeros
}

/// RFC 7517 section 4.7: the key of the first certificate is this one.
fn check_certificate(x5c: Option<&Value>, modulus: &[u8], exponent: &[u8]) -> Result<(), Refusal> {
    let Some(x5c) = x5c.filter(|x5c| !x5c.is_null()) else {
        return Ok(());
    };
    let texts: Option<Vec<String>> = x5c
        .as_array()
        .and_then(|entries| entries.iter().map(|e| e.as_str().map(str::to_owned)).collect());
    let texts = texts.ok_or_else(|| invalid("x5c", "must be a list of texts"))?;
    let leaf = leaf(&texts).map_err(|problem| invalid("x5c", problem))?;
    if leaf.has_key(modulus, exponent) {
        return Ok(());
    }
    Err(invalid("x5c", "the certificate is of another key"))
}

/// S: at most one year after registration, where a year may have 366 days. ? Whether a key can
/// come with an end that is past: it can, as one that is sent back with the others may.
fn end(exp: Option<&Value>) -> Result<Option<i64>, Refusal> {
    let Some(exp) = exp.filter(|exp| !exp.is_null()) else {
        return Ok(None);
    };
    let latest = Timestamp::now().as_second().saturating_add(KEY_LIFETIME.as_secs() + 86_400);
    match whole(exp) {
        Some(exp) if exp <= latest => Ok(Some(exp)),
        Some(_) | None => {
            Err(invalid("exp", "must be seconds since the epoch, at most a year from now"))
        }
    }
}

/// The key as it is registered now. ? Whether one that is registered again, under its `kid`, gets
/// a new year: the switch `keys-keep-exp` decides.
pub(super) fn registered(accepted: Accepted, before: Option<&KeyRecord>, keep: bool) -> KeyRecord {
    let Accepted { public, exp } = accepted;
    let is_same = |before: &&KeyRecord| before.public.algorithm == public.algorithm;
    let same = before.filter(is_same).cloned();
    let mut key = KeyRecord::new(public);
    if let Some(same) = same {
        key.created = same.created;
        if keep {
            key.exp = same.exp;
        }
    }
    key.exp = exp.unwrap_or(key.exp);
    key
}

fn invalid(member: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::field("key", member, message)
}

//! Public keys of clients, as JWK (RFC 7517).

use std::str::FromStr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::Representation;
use super::plain::{is_id, plain_text};
use super::public;

/// Largest number of keys of a client (OpenAPI 2025-09, `JsonWebKeySet`).
pub const MOST_KEYS: usize = 5;

/// Smallest RSA key that DigDir accepts, in bits.
pub const LEAST_BITS: usize = 2048;

/// Largest exponent that is accepted: a longer number is probably a private one under the wrong name.
const MOST_EXPONENT_BITS: usize = 64;

/// Members of a JWK that are private (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
pub const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The id of a key: 1 to 128 letters, digits and `._-`, and not only dots.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid(Arc<str>);

/// The text is not a key id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a kid has 1 to 128 characters, each a letter a to z, a digit or one of `._-`")]
pub struct KidError;

impl Kid {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Kid {
    type Err = KidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_id(text) { Ok(Self(text.into())) } else { Err(KidError) }
    }
}

plain_text! { Kid }

/// Signature algorithm of a key (RFC 7518 section 3.1). DigDir's description has RS256 and RS512, its
/// documentation RS384 too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of RFC 7518")]
pub enum SigningAlgorithm {
    #[default]
    RS256,
    RS384,
    RS512,
}

/// The public half of an RSA key of a client. It has no private member, whatever it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its id.
    pub kid: Kid,
    /// Its algorithm.
    pub alg: SigningAlgorithm,
    /// The certificates that it is locked to, each the standard base64 of its DER; usually none.
    pub x5c: Vec<String>,
    /// Expiry that its owner asks for, in seconds since the epoch; DigDir's own limit is one year from
    /// registration.
    pub exp: Option<i64>,
    modulus: Number,
    exponent: Number,
}

/// Reason why a JWK is not accepted. No variant repeats key material.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// It has a private member.
    #[error("it holds the private member `{0}`")]
    Private(&'static str),
    /// Not an RSA key.
    #[error("it is no RSA key: `kty` must be `RSA`")]
    NotRsa,
    /// `use` is not `sig`.
    #[error("its `use` is not `sig`")]
    Use,
    /// `alg` is not supported.
    #[error("its `alg` is none of `RS256`, `RS384` and `RS512`")]
    Alg,
    /// `kid` is not a valid key id.
    #[error("its `kid` cannot be used: {KidError}")]
    Kid,
    /// A member is not a valid number.
    #[error("its `{0}` is no number in base64url (RFC 7518 section 6.3.1)")]
    Number(&'static str),
    /// The exponent is not valid.
    #[error(
        "its `e` makes no key: it must be odd, 3 or more, and of at most {MOST_EXPONENT_BITS} bits"
    )]
    Exponent,
    /// Fewer bits than DigDir accepts.
    #[error("it has {0} bits; DigDir takes {LEAST_BITS} or more")]
    TooShort(usize),
    /// `x5c` is not a list of certificates.
    #[error("its `x5c` is no list of certificates in base64")]
    X5c,
    /// `exp` is not a time.
    #[error("its `exp` is no number of seconds since 1970")]
    Exp,
}

/// A number of RFC 7518 section 2: base64url of its bytes, most significant first. Leading zero bytes are
/// left out, so that equal numbers are equal texts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Number {
    text: String,
    bits: usize,
    is_odd: bool,
}

/// The bytes of a number in a JWK. It may be padded, or in the other alphabet of base64, as many
/// libraries write it.
pub fn base64url(text: &str) -> Option<Vec<u8>> {
    let plain = Zeroizing::new(text.trim_end_matches('=').replace('+', "-").replace('/', "_"));
    URL_SAFE_NO_PAD.decode(plain.as_bytes()).ok()
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        let bytes = base64url(text)?;
        let begin = bytes.iter().position(|byte| *byte != 0)?;
        let bytes = &bytes[begin..];
        let zeros = bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
        Some(Self {
            text: URL_SAFE_NO_PAD.encode(bytes),
            bits: bytes.len() * 8 - zeros,
            is_odd: bytes.last().is_some_and(|byte| byte % 2 == 1),
        })
    }
}

impl PublicKey {
    /// Reads a JWK. Missing members are filled in: `use` is `sig`, `alg` is `RS256`, and `kid` is the key's
    /// thumbprint (RFC 7638).
    ///
    /// # Errors
    /// The first problem found.
    pub fn from_jwk(jwk: &Representation) -> Result<Self, KeyProblem> {
        if let Some(member) = PRIVATE_MEMBERS.into_iter().find(|name| jwk.contains_key(*name)) {
            return Err(KeyProblem::Private(member));
        }
        let declared = |name: &str| jwk.get(name).filter(|value| !value.is_null());
        if declared("kty") != Some(&json!("RSA")) {
            return Err(KeyProblem::NotRsa);
        }
        if declared("use").is_some_and(|value| value != "sig") {
            return Err(KeyProblem::Use);
        }
        let alg = declared("alg").map(|alg| serde_json::from_value(alg.clone())).transpose();
        let modulus = number(jwk, "n")?;
        if modulus.bits < LEAST_BITS {
            return Err(KeyProblem::TooShort(modulus.bits));
        }
        let exponent = number(jwk, "e")?;
        if !exponent.is_odd || !(2..=MOST_EXPONENT_BITS).contains(&exponent.bits) {
            return Err(KeyProblem::Exponent);
        }
        let x5c = declared("x5c").map(|x5c| serde_json::from_value(x5c.clone())).transpose();
        let exp =
            declared("exp").map(|exp| exp.as_i64().filter(|exp| *exp > 0).ok_or(KeyProblem::Exp));
        let kid = match declared("kid") {
            None => thumbprint(&modulus.text, &exponent.text).parse(),
            Some(kid) => kid.as_str().ok_or(KidError).and_then(str::parse),
        };
        Ok(Self {
            kid: kid.map_err(|KidError| KeyProblem::Kid)?,
            alg: alg.map_err(|_| KeyProblem::Alg)?.unwrap_or_default(),
            x5c: x5c.map_err(|_| KeyProblem::X5c)?.unwrap_or_default(),
            exp: exp.transpose()?,
            modulus,
            exponent,
        })
    }

    /// The key as JWK.
    pub fn to_jwk(&self) -> Representation {
        let Self { kid, alg, x5c, exp, modulus, exponent } = self;
        let mut jwk = Representation::new();
        let mut member = |name: &str, value: Value| drop(jwk.insert(name.to_owned(), value));
        member("kty", "RSA".into());
        member("use", "sig".into());
        member("alg", json!(alg));
        member("kid", json!(kid));
        member("n", modulus.text.as_str().into());
        member("e", exponent.text.as_str().into());
        if !x5c.is_empty() {
            member("x5c", json!(x5c));
        }
        if let Some(exp) = exp {
            member("exp", (*exp).into());
        }
        jwk
    }

    /// The modulus, base64url, by which keys are compared.
    pub fn modulus(&self) -> &str {
        &self.modulus.text
    }

    /// The key's thumbprint by SHA-256 (RFC 7638), base64url.
    pub fn thumbprint(&self) -> String {
        thumbprint(&self.modulus.text, &self.exponent.text)
    }
}

fn number(jwk: &Representation, name: &'static str) -> Result<Number, KeyProblem> {
    let text = jwk.get(name).and_then(Value::as_str).unwrap_or_default();
    Number::read(text).ok_or(KeyProblem::Number(name))
}

/// RFC 7638 section 3: the required members in order, without white space.
fn thumbprint(modulus: &str, exponent: &str) -> String {
    let members = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

/// A key that is registered on a client.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveKey {
    /// Its id as DigDir has it; empty where it has none.
    pub kid: String,
    /// Its modulus, as [`PublicKey::modulus`]; unchanged where it is not a number.
    pub modulus: String,
    /// Its thumbprint; `None` if it is not an RSA key.
    pub thumbprint: Option<String>,
    /// When it expires.
    pub ends: Option<Timestamp>,
    /// When it was registered.
    pub created: Option<Timestamp>,
    /// All its members, unknown ones included.
    pub representation: Representation,
}

impl LiveKey {
    /// A key as the API lists it. Private members are dropped.
    pub fn new(mut representation: Representation) -> Self {
        representation.retain(|member, _| !PRIVATE_MEMBERS.contains(&member.as_str()));
        let text =
            |name: &str| representation.get(name).and_then(Value::as_str).unwrap_or_default();
        let read = |name: &str| Number::read(text(name)).map(|number| number.text);
        let (modulus, exponent) = (read("n"), read("e"));
        let ends = representation.get("exp").and_then(Value::as_i64);
        Self {
            kid: text("kid").to_owned(),
            thumbprint: modulus.as_deref().zip(exponent.as_deref()).map(|(n, e)| thumbprint(n, e)),
            modulus: modulus.unwrap_or_else(|| text("n").to_owned()),
            ends: ends.and_then(|seconds| Timestamp::from_second(seconds).ok()),
            created: text("created").parse().ok(),
            representation,
        }
    }

    /// Whether it is that key: both the id and the modulus are equal.
    pub fn is(&self, key: &PublicKey) -> bool {
        self.kid == key.kid.as_str() && self.modulus == key.modulus()
    }
}

impl Serialize for LiveKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The other fields follow from it.
        public::serialize(&self.representation, serializer)
    }
}

impl<'de> Deserialize<'de> for LiveKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Representation::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwk(change: impl FnOnce(&mut Representation)) -> Representation {
        let mut bytes = vec![0xA5_u8; 256];
        bytes[255] = 0xA7;
        let n = URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({ "kty": "RSA", "n": n, "e": "AQAB" });
        let mut jwk = jwk.as_object().unwrap().clone();
        change(&mut jwk);
        jwk
    }

    fn problem(name: &str, value: Value) -> KeyProblem {
        PublicKey::from_jwk(&jwk(|jwk| drop(jwk.insert(name.to_owned(), value)))).unwrap_err()
    }

    #[test]
    fn what_is_not_said_is_filled_in() {
        let key = PublicKey::from_jwk(&jwk(|_| ())).unwrap();
        assert_eq!(key.kid.as_str(), key.thumbprint());
        let written = key.to_jwk();
        assert_eq!((&written["use"], &written["alg"]), (&json!("sig"), &json!("RS256")));
        assert_eq!(PublicKey::from_jwk(&written).unwrap(), key);
    }

    #[test]
    fn what_will_not_do_is_reported_without_what_it_is_made_of() {
        for member in PRIVATE_MEMBERS {
            assert_eq!(problem(member, json!("hemmelig")), KeyProblem::Private(member));
        }
        assert_eq!(problem("kty", json!("EC")), KeyProblem::NotRsa);
        assert_eq!(problem("use", json!("enc")), KeyProblem::Use);
        assert_eq!(problem("alg", json!("PS256")), KeyProblem::Alg);
        for kid in [json!(""), json!("æ"), json!("a b"), json!(7), json!("..")] {
            assert_eq!(problem("kid", kid), KeyProblem::Kid);
        }
        assert_eq!(problem("n", json!("a+b=")), KeyProblem::Number("n"));
        assert_eq!(problem("n", json!("AQAB")), KeyProblem::TooShort(17));
        for e in ["AQ", "AA", "AAEC"] {
            assert!(
                PublicKey::from_jwk(&jwk(|jwk| drop(jwk.insert("e".into(), e.into())))).is_err()
            );
        }
        assert_eq!(problem("x5c", json!("MII")), KeyProblem::X5c);
        assert_eq!(problem("exp", json!("2027")), KeyProblem::Exp);
    }

    #[test]
    fn a_number_is_the_same_with_zeros_before_it() {
        let key = PublicKey::from_jwk(&jwk(|_| ())).unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(key.modulus()).unwrap();
        bytes.insert(0, 0);
        let padded = jwk(|jwk| {
            drop(jwk.insert("n".into(), URL_SAFE_NO_PAD.encode(&bytes).into()));
            drop(jwk.insert("kid".into(), key.kid.as_str().into()));
        });
        assert!(LiveKey::new(padded).is(&key));
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638() {
        // The example in section 3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        assert_eq!(thumbprint(n, "AQAB"), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}

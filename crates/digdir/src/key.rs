//! Reading a private RSA key: PEM (PKCS#1 or PKCS#8) or a private JWK, or base64 of one; or bare PKCS#8.

use aws_lc_rs::rsa::KeyPair;
use jsonwebtoken::EncodingKey;
use pkcs1::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef, UintRef};
use pkcs1::der::{self, Decode, Encode, Reader, SliceReader};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::pem::{Block, Unwrapped, unwrapped};
use domain::LEAST_BITS;
use domain::secret::SecretText;

/// `rsaEncryption` (RFC 8017 appendix C).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Why a text is no key that a grant can be signed with. None of these holds any part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither PEM nor JSON.
    #[error(
        "the key is neither PEM nor a JWK, nor base64 of one; PEM begins with -----BEGIN PRIVATE \
         KEY-----, a JWK is JSON with \"kty\": \"RSA\""
    )]
    Unknown,
    /// PEM that is cut or damaged.
    #[error("the PEM is damaged ({0}); copy it whole, with its line breaks")]
    Pem(&'static str),
    /// JSON that is no JWK.
    #[error(
        "the key is JSON but no JWK; a private JWK is an object with kty, n, e, d, p, q, dp, dq, qi"
    )]
    Json,
    /// `{"keys": […]}`.
    #[error("this is a set of keys (JWKS); give the one private JWK in it")]
    Set,
    /// A public key or a certificate.
    #[error("this is a public key or a certificate; the private key is needed")]
    Public,
    /// A PKCS#12 archive.
    #[error(
        "this is base64 of a PKCS#12 archive and not a key; give it as the certificate, with its \
         password"
    )]
    Archive,
    /// A PEM with a passphrase.
    #[error(
        "the key is encrypted; decrypt it (openssl pkey -in key.pem -out plain.pem) or give a \
         PKCS#12 archive with its password"
    )]
    Encrypted,
    /// Another kind of key.
    #[error("the key is no RSA key but {0}; Maskinporten takes RSA keys alone")]
    NotRsa(String),
    /// A JWK that lacks something.
    #[error(
        "the JWK has no {0}; a private RSA key has n, e, d, p, q, dp, dq and qi, each base64url \
         without padding (RFC 7518 section 6.3)"
    )]
    Member(&'static str),
    /// Too short.
    #[error("the key has {0} bits; DigDir takes 2048 or more")]
    TooShort(usize),
    /// Numbers that make no key.
    #[error("the key is damaged: its numbers make no RSA key")]
    Damaged,
    /// The system gives no random numbers.
    #[error("no key can be made: the system gives no random numbers")]
    Generation,
}

/// A key that a grant can be signed with, and the `kid` that came with it.
pub(super) struct PrivateKey {
    pub(super) signing: EncodingKey,
    pub(super) kid: Option<String>,
}

/// Reads PEM or a private JWK, or base64 of one. Certificates beside the key are passed over.
pub(super) fn read(text: &str) -> Result<PrivateKey, KeyError> {
    let signing = match unwrapped(text)? {
        Unwrapped::Json(json) => return from_jwk(&json),
        Unwrapped::Pem(blocks) => from_blocks(&blocks)?,
        Unwrapped::Der(der) => from_der(&der)?,
    };
    Ok(PrivateKey { signing, kid: None })
}

/// The key in blocks of PEM; if there is none, the error says what the first block is.
pub(super) fn from_blocks(blocks: &[Block]) -> Result<EncodingKey, KeyError> {
    let is_key = |block: &&Block| block.label.ends_with("PRIVATE KEY");
    let found = blocks.iter().find(is_key).or(blocks.first()).ok_or(KeyError::Unknown)?;
    let Block { label, der, is_encrypted } = found;
    match label.as_str() {
        _ if *is_encrypted => Err(KeyError::Encrypted),
        "RSA PRIVATE KEY" => from_pkcs1(der),
        "PRIVATE KEY" => from_pkcs8(der),
        "ENCRYPTED PRIVATE KEY" => Err(KeyError::Encrypted),
        "EC PRIVATE KEY" | "EC PARAMETERS" => Err(KeyError::NotRsa("an EC key".to_owned())),
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => Err(KeyError::Public),
        _ => Err(KeyError::Unknown),
    }
}

/// The key in DER without a label; its beginning distinguishes the formats.
fn from_der(der: &[u8]) -> Result<EncodingKey, KeyError> {
    /// `PFX` (RFC 7292 section 4): its version is 3.
    const ARCHIVE: &[u8] = &[2, 1, 3];
    match AnyRef::from_der(der).map(|any| any.value()) {
        Ok(content) if content.starts_with(ARCHIVE) => Err(KeyError::Archive),
        // A certificate, a public key and an encrypted key begin with a sequence.
        Ok([0x30, ..]) => Err(KeyError::Public),
        Ok(_) => from_pkcs8(der).or_else(|error| match error {
            KeyError::Damaged => from_pkcs1(der),
            other => Err(other),
        }),
        Err(_) => Err(KeyError::Damaged),
    }
}

/// Reads an unencrypted `PrivateKeyInfo` (RFC 5958 section 2).
pub(super) fn from_pkcs8(der: &[u8]) -> Result<EncodingKey, KeyError> {
    let parts =
        |reader: &mut SliceReader<'_>| -> der::Result<(ObjectIdentifier, Zeroizing<Vec<u8>>)> {
            reader.sequence(|info| {
                info.decode::<u8>()?;
                let algorithm = info.sequence(|algorithm| {
                    let oid = algorithm.decode()?;
                    algorithm.decode::<Option<AnyRef<'_>>>()?;
                    Ok::<_, der::Error>(oid)
                })?;
                let key = info.decode::<&OctetStringRef>()?.as_bytes().to_vec();
                let key = Zeroizing::new(key);
                while !info.is_finished() {
                    info.decode::<AnyRef<'_>>()?;
                }
                Ok((algorithm, key))
            })
        };
    let (algorithm, key) = SliceReader::new(der)
        .and_then(|mut reader| parts(&mut reader))
        .map_err(|_| KeyError::Damaged)?;
    match algorithm {
        RSA_ENCRYPTION => from_pkcs1(&key),
        other => Err(KeyError::NotRsa(format!("one of algorithm {other}"))),
    }
}

/// Reads an `RSAPrivateKey` (RFC 8017 appendix A.1.2).
fn from_pkcs1(der: &[u8]) -> Result<EncodingKey, KeyError> {
    let key = pkcs1::RsaPrivateKeyRef::from_der(der).map_err(|_| KeyError::Damaged)?;
    let bits = bits(key.modulus.as_bytes());
    if bits < LEAST_BITS {
        return Err(KeyError::TooShort(bits));
    }
    KeyPair::from_der(der).map_err(|_| KeyError::Damaged)?;
    Ok(EncodingKey::from_rsa_der(der))
}

fn bits(number: &[u8]) -> usize {
    match number.iter().position(|byte| *byte != 0) {
        Some(first) => (number.len() - first) * 8 - number[first].leading_zeros() as usize,
        None => 0,
    }
}

#[derive(Deserialize)]
struct Jwk {
    kty: Option<String>,
    kid: Option<String>,
    keys: Option<serde::de::IgnoredAny>,
    n: Option<SecretText>,
    e: Option<SecretText>,
    d: Option<SecretText>,
    p: Option<SecretText>,
    q: Option<SecretText>,
    dp: Option<SecretText>,
    dq: Option<SecretText>,
    qi: Option<SecretText>,
}

/// RFC 7517 and RFC 7518 section 6.3. What the JSON parser says is not passed on, because it can
/// quote the text.
fn from_jwk(text: &str) -> Result<PrivateKey, KeyError> {
    let jwk: Jwk = serde_json::from_str(text).map_err(|_| KeyError::Json)?;
    match jwk.kty.as_deref() {
        None if jwk.keys.is_some() => return Err(KeyError::Set),
        None => return Err(KeyError::Json),
        Some("RSA") => {}
        Some(kty @ ("EC" | "OKP" | "oct")) => {
            return Err(KeyError::NotRsa(format!("one of kty {kty}")));
        }
        Some(_) => return Err(KeyError::NotRsa("of another kty".to_owned())),
    }
    if jwk.d.is_none() {
        return Err(KeyError::Public);
    }
    let (n, e, d) = (number("n", jwk.n)?, number("e", jwk.e)?, number("d", jwk.d)?);
    let (p, q) = (number("p", jwk.p)?, number("q", jwk.q)?);
    let (dp, dq, qi) = (number("dp", jwk.dp)?, number("dq", jwk.dq)?, number("qi", jwk.qi)?);
    let pkcs1 = || -> der::Result<Zeroizing<Vec<u8>>> {
        pkcs1::RsaPrivateKeyRef {
            modulus: UintRef::new(&n)?,
            public_exponent: UintRef::new(&e)?,
            private_exponent: UintRef::new(&d)?,
            prime1: UintRef::new(&p)?,
            prime2: UintRef::new(&q)?,
            exponent1: UintRef::new(&dp)?,
            exponent2: UintRef::new(&dq)?,
            coefficient: UintRef::new(&qi)?,
            other_prime_infos: None,
        }
        .to_der()
        .map(Zeroizing::new)
    };
    Ok(PrivateKey { signing: from_pkcs1(&pkcs1().map_err(|_| KeyError::Damaged)?)?, kid: jwk.kid })
}

fn number(name: &'static str, value: Option<SecretText>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let bytes = value.and_then(|value| domain::base64url(value.0.expose_secret()));
    bytes.map(Zeroizing::new).ok_or(KeyError::Member(name))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::KeySize;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    /// A fresh key as PKCS#8 DER.
    pub(in super::super) fn fresh() -> Vec<u8> {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        pair.as_der().unwrap().as_ref().to_vec()
    }

    pub(in super::super) fn to_pem(label: &str, der: &[u8]) -> String {
        let lines: Vec<_> = STANDARD
            .encode(der)
            .into_bytes()
            .chunks(64)
            .map(|line| String::from_utf8(line.to_vec()).unwrap())
            .collect();
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
    }

    fn pkcs1_of(pkcs8: &[u8]) -> Vec<u8> {
        // version, algorithm, then the OCTET STRING that holds the key
        let start = pkcs8.windows(2).rposition(|w| w == [0x04, 0x82]).map(|_| 26);
        pkcs8[start.unwrap()..].to_vec()
    }

    pub(in super::super) fn to_jwk(pkcs8: &[u8]) -> Value {
        let der = pkcs1_of(pkcs8);
        let key = pkcs1::RsaPrivateKeyRef::from_der(&der).unwrap();
        let text = |number: UintRef<'_>| URL_SAFE_NO_PAD.encode(number.as_bytes());
        json!({
            "kty": "RSA", "kid": "min-nokkel", "use": "sig", "alg": "RS256",
            "n": text(key.modulus), "e": text(key.public_exponent), "d": text(key.private_exponent),
            "p": text(key.prime1), "q": text(key.prime2), "dp": text(key.exponent1),
            "dq": text(key.exponent2), "qi": text(key.coefficient),
        })
    }

    fn error(text: &str) -> KeyError {
        match read(text) {
            Err(error) => error,
            Ok(_) => panic!("it was taken for a key"),
        }
    }

    #[test]
    fn every_form_gives_the_same_key() {
        let pkcs8 = fresh();
        let pkcs1 = pkcs1_of(&pkcs8);
        let pem8 = to_pem("PRIVATE KEY", &pkcs8);
        let jwk = to_jwk(&pkcs8);
        let mut padded = jwk.clone();
        for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
            let number = URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
            padded[name] = STANDARD.encode(number).into();
        }
        let certificate = to_pem("CERTIFICATE", b"0000");
        for text in [
            &pem8,
            &pem8.replace('\n', "\r\n"),
            &pem8.replace('\n', " "),
            &pem8.replace('\n', "\\n"),
            &format!("\"{}\"", pem8.replace('\n', "\\r\\n")),
            &format!("{certificate}{pem8}"),
            &STANDARD.encode(format!("{certificate}{pem8}")),
            &STANDARD.encode(&pkcs8),
            &STANDARD.encode(&pkcs1),
            &to_pem("RSA PRIVATE KEY", &pkcs1),
            &jwk.to_string(),
            &padded.to_string(),
            &STANDARD.encode(jwk.to_string()),
            &URL_SAFE_NO_PAD.encode(jwk.to_string()),
        ] {
            let key = read(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert_eq!(key.signing.as_bytes(), pkcs1);
            let is_jwk = text.starts_with('{') || text.starts_with("ey");
            let has_kid = is_jwk.then_some("min-nokkel");
            assert_eq!(key.kid.as_deref(), has_kid);
        }
    }

    #[test]
    fn what_is_no_private_rsa_key_is_reported_why() {
        let pkcs8 = fresh();
        let pem = to_pem("PRIVATE KEY", &pkcs8);
        assert_eq!(error(""), KeyError::Unknown);
        assert_eq!(error("hemmelig"), KeyError::Unknown);
        assert_eq!(error("/run/secrets/key.pem"), KeyError::Unknown);
        let archive = include_bytes!("../tests/material/modern.p12");
        assert_eq!(error(&STANDARD.encode(archive)), KeyError::Archive);
        assert_eq!(error(&STANDARD.encode(b"\x30\x03\x02\x01\x05")), KeyError::Damaged);
        assert!(matches!(error(&pem[..500]), KeyError::Pem(_)));
        assert!(matches!(error(&pem.replace("\nM", "\n!")), KeyError::Pem(_)));
        assert_eq!(error(&to_pem("PRIVATE KEY", &pkcs8[..300])), KeyError::Damaged);
        assert_eq!(error(&to_pem("ENCRYPTED PRIVATE KEY", &pkcs8)), KeyError::Encrypted);
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\nAA==\n-----END RSA PRIVATE KEY-----";
        assert_eq!(error(old), KeyError::Encrypted);
        assert_eq!(error(&to_pem("PUBLIC KEY", &pkcs8)), KeyError::Public);
        assert_eq!(error(&to_pem("CERTIFICATE", &pkcs8)), KeyError::Public);
        assert!(matches!(error(&to_pem("EC PRIVATE KEY", &[1])), KeyError::NotRsa(_)));
    }

    #[test]
    fn a_jwk_that_will_not_do_is_reported_why() {
        let jwk = to_jwk(&fresh());
        let with = |name: &str, value: Value| {
            let mut jwk = jwk.clone();
            jwk[name] = value;
            error(&jwk.to_string())
        };
        for name in ["n", "e", "p", "q", "dp", "dq", "qi"] {
            let mut lacking = jwk.clone();
            lacking.as_object_mut().unwrap().remove(name);
            assert!(matches!(error(&lacking.to_string()), KeyError::Member(m) if m == name));
        }
        assert_eq!(with("d", Value::Null), KeyError::Public);
        assert_eq!(with("q", json!("a!")), KeyError::Member("q"));
        assert_eq!(with("d", json!("AQAB")), KeyError::Damaged);
        assert!(matches!(with("kty", json!("EC")), KeyError::NotRsa(_)));
        assert_eq!(with("d", json!(["hemmelig"])), KeyError::Json);
        assert_eq!(error(&json!({"keys": [jwk]}).to_string()), KeyError::Set);
        assert_eq!(error("{}"), KeyError::Json);
        assert_eq!(error("{hemmelig"), KeyError::Json);
    }

    #[test]
    fn a_short_key_is_refused_with_its_length() {
        let mut jwk = to_jwk(&fresh());
        jwk["n"] = json!(URL_SAFE_NO_PAD.encode([0xA5; 128]));
        assert_eq!(error(&jwk.to_string()), KeyError::TooShort(1024));
    }
}

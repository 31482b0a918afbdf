//! Reading a client's keys (`jwks`): inline, or from files beside the declaration.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pkcs1::der::asn1::BitStringRef;
use pkcs1::der::{self, Decode, Reader, SliceReader, asn1::AnyRef};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Value as Json, json};
use serde_yaml::Value;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::diagnostic::quoted;
use super::document::{Findings, Located};
use super::item::wrong_kind;
use super::key_files::{KeyFiles, resolved};
use super::places::Span;
use super::rules::Rule;
use crate::domain::{KeyProblem, MOST_KEYS, PRIVATE_MEMBERS, PublicKey, Representation};

/// The keys that a client declares, and where each is from.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// Where the whole of it stands.
    pub(super) span: Span,
    pub(super) keys: Vec<PublicKey>,
    /// What the declaration names, in its order.
    pub(super) refs: Vec<KeysRef>,
    /// Where each of these stands.
    pub(super) places: Vec<Span>,
}

/// What a client's `jwks` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysRef {
    /// A file.
    File {
        /// As the declaration writes it.
        written: String,
        /// In the repository.
        path: String,
    },
    /// Keys that stand in the YAML itself.
    Inline,
}

impl Keys {
    fn name(&mut self, named: KeysRef, place: Span) {
        self.refs.push(named);
        self.places.push(place);
    }
}

/// What can be wrong with what should be a key.
enum Problem {
    /// It holds what only its holder may know.
    Private,
    /// Anything else, in words that repeat nothing of it.
    Other(String),
}

impl KeysRef {
    /// As the declaration writes it; nothing for what stands in the YAML itself.
    pub(super) fn written(&self) -> &str {
        match self {
            Self::File { written, .. } => written,
            Self::Inline => "",
        }
    }
}

impl From<KeyProblem> for Problem {
    fn from(problem: KeyProblem) -> Self {
        match problem {
            KeyProblem::Private(_) => Self::Private,
            other => Self::Other(other.to_string()),
        }
    }
}

/// Reads what stands under `jwks`; `None` if there is nothing.
pub(super) fn keys(at: Located<'_>, files: &KeyFiles<'_>, findings: &mut Findings) -> Option<Keys> {
    let key = at.key_span("jwks");
    let at = at.get("jwks").filter(|at| !at.value.is_null())?;
    let mut read = Keys { span: at.span(), keys: Vec::new(), refs: Vec::new(), places: Vec::new() };
    match at.value {
        Value::Sequence(_) => {
            for item in at.items() {
                one(item, key, &mut read, files, findings);
            }
        }
        _ => one(at, key, &mut read, files, findings),
    }
    check_set(&read, findings);
    Some(read)
}

fn one(at: Located<'_>, key: Span, read: &mut Keys, files: &KeyFiles<'_>, findings: &mut Findings) {
    let span = at.span();
    let found = match at.value {
        Value::String(text) if !is_path(text) => {
            read.name(KeysRef::Inline, span);
            from_text(text)
        }
        Value::String(written) => {
            let Some(path) = resolved(&findings.file, written) else {
                let message = format!("{} leads out of the repository", quoted(written));
                let help = "write the path of a file from the folder of this one, such as \
                            `keys/name.jwks.json`";
                findings.report(Rule::KeyFile, span, &message, help);
                return;
            };
            let bytes = match files.read(&path) {
                Ok(bytes) => bytes,
                Err(why) => {
                    let message =
                        format!("the file with keys {} cannot be read: {why}", quoted(&path));
                    let help = "write the path from the folder of this file; `portvakt keys \
                                generate` makes a key and its file";
                    findings.report(Rule::KeyFile, span, &message, help);
                    return;
                }
            };
            read.name(KeysRef::File { written: written.clone(), path }, span);
            match String::from_utf8(bytes) {
                Ok(text) => from_text(&text),
                Err(_) => Err((0, Problem::Other("it is not UTF-8".to_owned()))),
            }
        }
        Value::Mapping(_) => {
            read.name(KeysRef::Inline, span);
            match serde_json::to_value(at.value) {
                Ok(json) => from_json(&json),
                Err(_) => Err((0, Problem::Other("it is no JWK".to_owned()))),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Sequence(_) | Value::Tagged(_) => {
            return wrong_kind(at, "a file with keys, or a JWK", findings);
        }
    };
    match found {
        Ok(keys) => read.keys.extend(keys),
        Err((number, problem)) => report(at, key, number, &problem, findings),
    }
}

/// The ends of the names of files with keys.
const FILES: [&str; 7] = ["json", "jwk", "jwks", "pem", "pub", "crt", "cer"];

/// Whether a text names a file. What does not is taken for a key, and never repeated: it could be a
/// private one.
fn is_path(text: &str) -> bool {
    let end = text.rsplit_once('.').map_or("", |(_, end)| end);
    let is_line = text.chars().all(|c| !c.is_control() && !matches!(c, '{' | '"'));
    is_line && FILES.contains(&end.to_lowercase().as_str())
}

/// Tells what is wrong with the key of that number, from 0, of what is named or stands here. What
/// stands in the YAML itself is told at `jwks`, the key, so that nothing of a key is shown.
fn report(at: Located<'_>, key: Span, number: usize, problem: &Problem, findings: &mut Findings) {
    let ordinal = if number == 0 { String::new() } else { format!(" (key {})", number + 1) };
    let (what, span) = match at.value.as_str().filter(|text| is_path(text)) {
        Some(written) => (format!("the key in {}{ordinal}", quoted(written)), at.span()),
        None => (format!("this key{ordinal}"), key),
    };
    match problem {
        Problem::Private => {
            let message = format!(
                "{what} is private: whoever reads the repository, now or from its history, has it"
            );
            let help = "declare the public key only, without the members d, p, q, dp, dq and qi. A \
                        key that was committed or pushed is not secret any more: make another with \
                        `portvakt keys generate`";
            findings.report(Rule::Secret, span, &message, help);
        }
        Problem::Other(why) => {
            let message = format!("{what} cannot be used: {why}");
            let help = "a public RSA key of 2048 bits or more is wanted, as JWK, JWKS, PEM or \
                        certificate; `portvakt keys generate` makes one";
            findings.report(Rule::Key, span, &message, help);
        }
    }
}

fn check_set(read: &Keys, findings: &mut Findings) {
    if read.keys.len() > MOST_KEYS {
        let message = format!("{} keys, where a client has {MOST_KEYS} at most", read.keys.len());
        let help = "take out those that are not used any more";
        findings.report(Rule::Key, read.span, &message, help);
    }
    for (index, key) in read.keys.iter().enumerate().take(MOST_KEYS) {
        let before = read.keys.iter().take(index);
        let twice = before.clone().any(|other| other.modulus() == key.modulus());
        let same_kid = before.clone().any(|other| other.kid == key.kid);
        let message = match (twice, same_kid) {
            (true, _) => format!("the key {} comes twice", quoted(key.kid.as_str())),
            (false, true) => format!("two keys have the kid {}", quoted(key.kid.as_str())),
            (false, false) => continue,
        };
        findings.report(Rule::Key, read.span, &message, "keep one of them, or rename one");
    }
}

type Read = Result<Vec<PublicKey>, (usize, Problem)>;

/// The public keys that a file or a text holds; `None` where it holds none that can be used, or a
/// private one.
pub fn public_keys(text: &str) -> Option<Vec<PublicKey>> {
    from_text(text).ok()
}

/// A file, or a text: JSON or PEM.
fn from_text(text: &str) -> Read {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{') {
        let Unrepeated(json) = serde_json::from_str(text).map_err(|_| {
            let why = "it is no JSON, or a name stands twice in one of its objects";
            (0, Problem::Other(why.to_owned()))
        })?;
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
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Json::Object(members))
    }
}

/// A JWK or a JWKS. A private member anywhere makes all of it private.
fn from_json(json: &Json) -> Read {
    if has_private(json) {
        return Err((0, Problem::Private));
    }
    let one = |number: usize, jwk: &Json| {
        let jwk = jwk.as_object().ok_or_else(|| {
            (number, Problem::Other("a key is an object with kty, kid, n and e".to_owned()))
        })?;
        PublicKey::from_jwk(jwk).map_err(|problem| (number, problem.into()))
    };
    match json.get("keys") {
        None => Ok(vec![one(0, json)?]),
        Some(Json::Array(keys)) if keys.is_empty() => {
            Err((0, Problem::Other("it holds no key; write `jwks: []` for none".to_owned())))
        }
        Some(Json::Array(keys)) => {
            keys.iter().enumerate().map(|(number, jwk)| one(number, jwk)).collect()
        }
        Some(_) => Err((0, Problem::Other("its `keys` is no list".to_owned()))),
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
fn from_pem(text: &str) -> Read {
    if text.contains("PRIVATE KEY") {
        return Err((0, Problem::Private));
    }
    let mut keys = Vec::new();
    let mut chain = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let number = keys.len();
        let damaged = |why: &str| (number, Problem::Other(format!("the PEM is damaged: {why}")));
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
        let (n, e) =
            numbers.ok_or_else(|| (number, Problem::Other("it holds no RSA key".to_owned())))?;
        let mut jwk = Representation::new();
        jwk.insert("kty".to_owned(), "RSA".into());
        jwk.insert("n".to_owned(), URL_SAFE_NO_PAD.encode(n).into());
        jwk.insert("e".to_owned(), URL_SAFE_NO_PAD.encode(e).into());
        keys.push((label == "CERTIFICATE", jwk));
    }
    if keys.is_empty() {
        return Err((
            0,
            Problem::Other(format!(
                "it is neither JSON nor PEM, nor the path of a file (one that ends in .{})",
                FILES.join(", .")
            )),
        ));
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
    let key = pkcs1::RsaPublicKey::from_der(der).ok()?;
    Some((key.modulus.as_bytes().to_vec(), key.public_exponent.as_bytes().to_vec()))
}

fn certificate(der: &[u8]) -> Option<Numbers> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    spki(certificate.public_key().raw)
}

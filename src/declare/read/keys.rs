//! Reading a client's keys (`jwks`): inline, or from files beside the declaration.

use super::declarations_file::{Jwks, KeySource};
use super::public_keys::{FILES, PublicKeyProblem, from_json, from_text, unusable};
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::files::key_files::{KeyFiles, resolved};
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::items_of;
use crate::declare::yaml::optional::Raw;
use crate::declare::yaml::table::{Read, TableReader};
use domain::{MOST_KEYS, PublicKey};
use yaml::Span;
use yaml::{Node, Value};

/// The keys that a client declares, and where each is from.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Where the whole of it stands.
    pub(crate) span: Span,
    pub(crate) keys: Vec<PublicKey>,
    /// What the declaration names, in its order.
    pub(crate) refs: Vec<KeysRef>,
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

impl<'d> Read<'d> for Jwks<'d> {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        match at.value.is_sequence() {
            true => Read::read(at, key, reader).map(Self::Several),
            false => Read::read(at, key, reader).map(Self::One),
        }
    }
}

impl<'d> Read<'d> for KeySource<'d> {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        match &at.value {
            Value::String(text) => Some(Self::Text(text.to_string())),
            Value::Mapping(_) => Read::read(at, key, reader).map(Self::Inline),
            _ => reader.wrong(at, "a file with keys, or a JWK"),
        }
    }
}

/// Reads what stands under `jwks`; `None` if there is nothing.
pub(crate) fn keys<'d>(
    jwks: Raw<'d, Jwks<'d>>,
    files: &KeyFiles<'_>,
    findings: &mut Findings,
) -> Option<Keys> {
    let Raw { at, key, .. } = jwks;
    if at.value.is_null() {
        return None;
    }
    let mut read = Keys { span: at.span(), keys: Vec::new(), refs: Vec::new() };
    match jwks.read(findings) {
        Some(Jwks::One(source)) => one(source, at, key, &mut read, files, findings),
        Some(Jwks::Several(list)) => {
            for item in items_of(Some(list), None, findings) {
                if let Some(source) = item.read(findings) {
                    one(source, item.at, key, &mut read, files, findings);
                }
            }
        }
        None => {}
    }
    check_set(&read, findings);
    Some(read)
}

fn one(
    source: KeySource<'_>,
    at: &Node<'_>,
    key: Span,
    read: &mut Keys,
    files: &KeyFiles<'_>,
    findings: &mut Findings,
) {
    let span = at.span();
    let found = match source {
        KeySource::Text(text) if !is_path(&text) => {
            read.refs.push(KeysRef::Inline);
            from_text(&text)
        }
        KeySource::Text(written) => {
            let Some(path) = resolved(&findings.file, &written) else {
                let message = format!("{} leads out of the repository", quoted(&written));
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
            read.refs.push(KeysRef::File { written, path });
            match String::from_utf8(bytes) {
                Ok(text) => from_text(&text),
                Err(_) => Err(unusable(0, "it is not UTF-8")),
            }
        }
        KeySource::Inline(Raw { at, .. }) => {
            read.refs.push(KeysRef::Inline);
            match serde_json::to_value(at) {
                Ok(json) => from_json(&json),
                Err(_) => Err(unusable(0, "it is no JWK")),
            }
        }
    };
    match found {
        Ok(keys) => read.keys.extend(keys),
        Err((number, problem)) => report(at, key, number, &problem, findings),
    }
}

/// Whether a text names a file. What does not is taken for a key, and never repeated: it could be a
/// private one.
fn is_path(text: &str) -> bool {
    let end = text.rsplit_once('.').map_or("", |(_, end)| end);
    let is_line = text.chars().all(|c| !c.is_control() && !matches!(c, '{' | '"'));
    is_line && FILES.contains(&end.to_lowercase().as_str())
}

/// Tells what is wrong with the key of that number, from 0, of what is named or stands here. What
/// stands in the YAML itself is told at `jwks`, the key, so that nothing of a key is shown.
fn report(
    at: &Node<'_>,
    key: Span,
    number: usize,
    problem: &PublicKeyProblem,
    findings: &mut Findings,
) {
    let ordinal = if number == 0 { String::new() } else { format!(" (key {})", number + 1) };
    let (what, span) = match at.value.as_str().filter(|text| is_path(text)) {
        Some(written) => (format!("the key in {}{ordinal}", quoted(written)), at.span()),
        None => (format!("this key{ordinal}"), key),
    };
    match problem {
        PublicKeyProblem::Private => {
            let message = format!(
                "{what} is private: whoever reads the repository, now or from its history, has it"
            );
            let help = "declare the public key only, without the members d, p, q, dp, dq and qi. A \
                        key that was committed or pushed is not secret any more: make another with \
                        `portvakt keys generate`";
            findings.report(Rule::Secret, span, &message, help);
        }
        PublicKeyProblem::Other(why) => {
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
        let help = "remove those that are not used any more";
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

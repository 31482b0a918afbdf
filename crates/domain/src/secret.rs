//! Secrets: how a text that may be one is recognised, and how a secret that was read is kept out of all
//! output of this process.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::text::{counted, printable};

/// Text shown in place of a secret.
const REDACTED: &str = "(a secret)";

/// The shortest text that is redacted. A shorter one is part of too many words, and redacting it would show
/// where it is.
const SHORTEST: usize = 8;

/// The shortest line that is redacted by itself, where a secret has several.
const SHORTEST_LINE: usize = 16;

/// The secrets that this process has read or been given, the longest first.
static NOTED: RwLock<Vec<SecretString>> = RwLock::new(Vec::new());

/// A text whose memory is cleared when it is dropped, read as any other text.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct SecretText(
    /// The text.
    pub SecretString,
);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// The private members of a JWK (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
#[derive(Deserialize)]
struct PrivateMembers {
    d: Option<SecretText>,
    p: Option<SecretText>,
    q: Option<SecretText>,
    dp: Option<SecretText>,
    dq: Option<SecretText>,
    qi: Option<SecretText>,
    k: Option<SecretText>,
}

/// The kind of secret that a text looks like, if it is unlikely to be a name, an id or a path.
pub fn likeness(text: &str) -> Option<&'static str> {
    /// Longer than any name, and shorter than any token.
    const TOKEN: usize = 30;
    /// Longer than any name or path, and shorter than any private key.
    const KEY: usize = 400;
    const TOKENS: [&str; 7] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"];
    const DER: [&str; 4] = ["MII", "MIG", "MHcC", "MC4C"];
    let text = text.trim();
    let upper = text.to_ascii_uppercase();
    let begins_with = |marks: &[&str]| marks.iter().any(|mark| text.starts_with(mark));
    let compact = || text.chars().filter(|c| !c.is_whitespace() && !"\"'\\".contains(*c));
    if text.contains("OPENSSH PRIVATE KEY") || begins_with(&["b3BlbnNzaC1rZXkt"]) {
        Some("an SSH private key")
    } else if text.contains("PRIVATE KEY") {
        Some("a PEM private key")
    } else if text.contains("-----BEGIN ") || text.contains("LS0tLS1CRUdJTi") {
        Some("a PEM")
    } else if upper.contains("AGE-SECRET-KEY-") || upper.contains("AGE-PLUGIN-") {
        Some("an identity of age, which is secret")
    } else if compact().collect::<String>().contains("kty:") {
        Some("a JWK")
    } else if text.starts_with("eyJ") && text.len() > TOKEN {
        Some("a token or a key in base64")
    } else if begins_with(&TOKENS) && text.len() > TOKEN {
        Some("a token of a code host")
    } else if (begins_with(&DER) && text.len() > 2 * TOKEN || text.len() > KEY)
        && text.chars().all(is_base64)
    {
        Some("a key in base64")
    } else {
        None
    }
}

/// Whether a character is one of base64, in either alphabet.
fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+/=-_".contains(character)
}

/// A text's size and likeness, for a message that must not repeat it.
pub fn described(text: &str) -> String {
    let number = |count: usize, thing| counted(count as u64, thing, "s");
    let length = number(text.chars().count(), "character");
    let lines = match text.trim().lines().count() {
        0 | 1 => String::new(),
        lines => format!(" on {}", number(lines, "line")),
    };
    match likeness(text) {
        Some(likeness) => format!("it has {length}{lines} and looks like {likeness}"),
        None => format!("it has {length}{lines}"),
    }
}

/// Remembers a secret, so that [`redact`] knows it.
pub fn note(secret: &SecretString) {
    let text = secret.expose_secret().trim();
    let mut parts: Vec<&str> = vec![text];
    let is_key = |line: &&str| {
        line.len() >= SHORTEST_LINE && !line.starts_with('-') && line.chars().all(is_base64)
    };
    // CI variables have keys with spaces or `
    // ` in place of line breaks.
    parts.extend(text.split("\\n").flat_map(str::split_whitespace).filter(is_key));
    // A JWT or a text of its form: each of its parts may occur by itself.
    if text.split('.').count() == 3 {
        parts.extend(text.split('.').filter(|part| part.len() >= SHORTEST_LINE));
    }
    let members: Option<PrivateMembers> = match text.starts_with('{') {
        true => serde_json::from_str(text).ok(),
        false => None,
    };
    if let Some(PrivateMembers { d, p, q, dp, dq, qi, k }) = &members {
        let members = [d, p, q, dp, dq, qi, k].into_iter().flatten();
        parts.extend(members.map(|member| member.0.expose_secret()));
    }
    let mut noted = NOTED.write().unwrap_or_else(PoisonError::into_inner);
    for part in parts.into_iter().filter(|part| part.len() >= SHORTEST) {
        if !noted.iter().any(|known| known.expose_secret() == part) {
            noted.push(part.into());
        }
    }
    noted.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
}

/// The text without any secret that was noted: the last line of defence, for the places where text leaves the
/// process.
pub fn redact(text: &str) -> Cow<'_, str> {
    let noted = NOTED.read().unwrap_or_else(PoisonError::into_inner);
    let mut shown = Cow::Borrowed(text);
    for secret in noted.iter().map(|secret| secret.expose_secret()) {
        if shown.contains(secret) {
            shown = Cow::Owned(shown.replace(secret, REDACTED));
        }
    }
    shown
}

/// A text from outside as an error repeats it: on one line, shortened to a number of characters. It is
/// redacted before it is shortened, as half of a secret is no longer recognised.
pub fn excerpt(text: &str, most: usize) -> String {
    let text = &*redact(text);
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", printable(&text[..end])),
        None => printable(text).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_recognised() {
        let base64 = "q7Zk".repeat(120);
        for (text, expected) in [
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "a PEM private key"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "an SSH private key"),
            ("b3BlbnNzaC1rZXktdjEAAAAA", "an SSH private key"),
            ("-----BEGIN CERTIFICATE-----", "a PEM"),
            ("LS0tLS1CRUdJTiBQUklWQVRF", "a PEM"),
            ("AGE-SECRET-KEY-1QQQ", "an identity of age, which is secret"),
            ("# created\nage-secret-key-1qqq", "an identity of age, which is secret"),
            ("AGE-PLUGIN-YUBIKEY-1QQ", "an identity of age, which is secret"),
            (r#"{"kty": "RSA", "d": "x"}"#, "a JWK"),
            (r#"{\"kty\":\"RSA\"}"#, "a JWK"),
            ("{kty:RSA,d:x}", "a JWK"),
            ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln", "a token or a key in base64"),
            ("ghs_0123456789012345678901234567890", "a token of a code host"),
            ("glpat-0123456789012345678901234567", "a token of a code host"),
            (&base64, "a key in base64"),
            (&format!("MC4CAQAwBQYDK2VwBCIEI{}", "a".repeat(43)), "a key in base64"),
        ] {
            assert_eq!(likeness(text), Some(expected), "{text}");
        }
        for text in [
            "6fd9a9c8-5c2b-4b8e-9d0a-3f1f1c1d2e3f",
            "2026-11-24-NzbLsXh8",
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudtl32hqs7q5p0",
            "rotate the private key of sak",
            "keys/sak.jwks.json",
            "MIINE-NØKLER/nøkkel.pem",
            "",
        ] {
            assert_eq!(likeness(text), None, "{text}");
        }
    }

    #[test]
    fn a_description_says_how_much_and_not_what() {
        assert_eq!(described("hemmelig"), "it has 8 characters");
        let key = "-----BEGIN PRIVATE KEY-----\nhemmelig\n-----END PRIVATE KEY-----\n";
        assert_eq!(
            described(key),
            "it has 63 characters on 3 lines and looks like a PEM private key"
        );
    }

    #[test]
    fn a_noted_secret_is_redacted_line_by_line_and_member_by_member() {
        let lines = ["Aq7ZkPemLine+/0123456789", "Bq7ZkPemLine+/0123456789"];
        let (first, second) = (lines[0], lines[1]);
        let pem = |between: &str| {
            format!(
                "-----BEGIN PRIVATE KEY-----{between}{first}{between}{second}{between}\
                 -----END PRIVATE KEY-----"
            )
        };
        for between in ["\n", "\r\n", " ", "\\n"] {
            note(&pem(between).into());
        }
        note(&r#"{"kty": "RSA", "n": "publicModulus0123456789", "d": "jwkSecretD01234"}"#.into());
        note(&"eyJoZWFkZXI0123.eyJjbGFpbXM0123.c2lnbmF0dXJlMDEy".to_owned().into());
        note(&"pässword-x1\n".to_owned().into());
        note(&"kort".to_owned().into());
        for text in [
            pem("\n"),
            format!("a {first} b"),
            format!("{first}{second}"),
            "jwkSecretD01234".to_owned(),
            "{\"d\":\"jwkSecretD01234\"}".to_owned(),
            "eyJoZWFkZXI0123.eyJjbGFpbXM0123.c2lnbmF0dXJlMDEy".to_owned(),
            "c2lnbmF0dXJlMDEy".to_owned(),
            "it is pässword-x1.".to_owned(),
        ] {
            let shown = redact(&text).into_owned();
            assert!(shown.contains(REDACTED), "{text}");
            for secret in [first, second, "jwkSecretD", "c2lnbm", "pässword"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
        for text in ["kort og greit", "publicModulus0123456789", "-----BEGIN PRIVATE KEY-----"] {
            assert!(matches!(redact(text), Cow::Borrowed(_)), "{text}");
        }
    }
}

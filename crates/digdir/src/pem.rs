//! Unwraps the text of a key or a certificate: PEM, JSON or DER, as files hold it and as it arrives in
//! variables of CI systems, where line breaks become `\n` or spaces and the whole is often base64.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::key::KeyError;
use domain::secret;

/// The first byte of a DER SEQUENCE, as which each key, certificate and archive begins.
pub(super) const SEQUENCE: u8 = 0x30;

const BEGIN: &str = "-----BEGIN ";

/// Base64 with or without padding.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Text without what it was wrapped in.
pub(super) enum Unwrapped {
    /// A JSON object.
    Json(Zeroizing<String>),
    /// Blocks of PEM (RFC 7468), at least one.
    Pem(Vec<Block>),
    /// DER that was base64 without the lines of PEM.
    Der(Zeroizing<Vec<u8>>),
}

/// A block of PEM.
pub(super) struct Block {
    /// The words behind `BEGIN`.
    pub(super) label: String,
    /// The decoded content.
    pub(super) der: Zeroizing<Vec<u8>>,
    /// Whether the content is encrypted as RFC 1421 has it, and so cannot be read.
    pub(super) is_encrypted: bool,
}

/// Unwraps a text; base64 around JSON or PEM is decoded, once.
pub(super) fn unwrapped(text: &str) -> Result<Unwrapped, KeyError> {
    if let Some(plain) = plain(text) {
        return plain;
    }
    let bytes = decoded(text).ok_or(KeyError::Unknown)?;
    if bytes.first() == Some(&SEQUENCE) {
        return Ok(Unwrapped::Der(bytes));
    }
    let inner = std::str::from_utf8(&bytes).map_err(|_| KeyError::Unknown)?;
    secret::note(&SecretString::from(inner));
    plain(inner).ok_or(KeyError::Unknown)?
}

/// JSON or PEM; `None` where the text is neither.
fn plain(text: &str) -> Option<Result<Unwrapped, KeyError>> {
    let text = text.trim_start_matches('\u{FEFF}').trim();
    if text.starts_with('{') {
        return Some(Ok(Unwrapped::Json(Zeroizing::new(text.to_owned()))));
    }
    text.contains(BEGIN).then(|| blocks(text).map(Unwrapped::Pem))
}

/// Decodes base64 of either alphabet; `None` where the text is empty or something else.
pub(super) fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let base64 = compact(text);
    let base64 = base64.trim_matches(['"', '\'']);
    let alphabet = if base64.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let bytes = GeneralPurpose::new(alphabet, LENIENT).decode(base64).ok()?;
    (!bytes.is_empty()).then(|| Zeroizing::new(bytes))
}

/// The blocks of a PEM text. Line breaks of any kind will do, because keys travel through variables.
fn blocks(text: &str) -> Result<Vec<Block>, KeyError> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after
            .split_once("-----")
            .ok_or(KeyError::Pem("its first line does not end in -----"))?;
        let (body, after) =
            after.split_once("-----END ").ok_or(KeyError::Pem("it has no -----END line"))?;
        rest = after;
        let is_encrypted = body.contains("ENCRYPTED");
        let der = match is_encrypted {
            true => Zeroizing::default(),
            false => GeneralPurpose::new(&STANDARD, LENIENT)
                .decode(compact(body).as_bytes())
                .map(Zeroizing::new)
                .map_err(|_| {
                    KeyError::Pem("the text between its first and last line is not base64")
                })?,
        };
        blocks.push(Block { label: label.to_owned(), der, is_encrypted });
    }
    Ok(blocks)
}

/// A text without white space, and without line breaks that are written as `\n` or `\r\n`.
fn compact(text: &str) -> Zeroizing<String> {
    // As large as it gets at once: a text that grows leaves copies of itself behind.
    let mut compact = Zeroizing::new(String::with_capacity(text.len()));
    let lines = text.split("\\n").map(|line| line.trim_end_matches("\\r"));
    lines.flat_map(str::split_whitespace).for_each(|word| compact.push_str(word));
    compact
}

//! Text from outside, which may have any content, in markdown.
//!
//! All of it is put into code spans, since GitHub, GitLab and Azure DevOps parse nothing in them: no
//! emphasis, HTML, mathematics or link of a bare address. Mentions, references and emoji, which they look for
//! later in the rendered page, are found only outside code. Escapes and entities alone are not enough: the
//! rendered page has the character again, and that is where mentions and addresses are looked for.
//!
//! - A span contains neither a backtick nor a pipe: the span ends before it, and it follows as an entity,
//!   alone. So no fence depends on the text (parsers give up at 80 backticks), and no cell on how a parser
//!   counts backslashes before a pipe.
//! - A zero-width space follows `@`, and `#` or `!` before a digit, for readers of the bare text: replies to
//!   mails (`dependabot-core` #3157), Azure DevOps, and bots.
//! - The text begins no line and contains no line break, so it is no quick action and no command.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use domain::text::printable;

/// Longest name of an environment in a marker.
const LONGEST_MARKED: usize = 100;

/// Options for showing text from outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Escape {
    /// Longest text, in characters.
    pub(super) limit: usize,
}

impl Escape {
    /// The text as code.
    pub(super) fn code(self, text: &str) -> String {
        if text.is_empty() {
            return "(empty)".to_owned();
        }
        let text = printable(text);
        let end = text.char_indices().nth(self.limit).map_or(text.len(), |(end, _)| end);
        let (shown, left_out) = text.split_at(end);
        let mut out = String::with_capacity(shown.len() + 2);
        for part in shown.split_inclusive(['`', '|']) {
            let (text, entity) = match part.strip_suffix('`') {
                Some(text) => (text, "&#x60;"),
                None => part.strip_suffix('|').map_or((part, ""), |text| (text, "&#x7C;")),
            };
            span(&mut out, text);
            out.push_str(entity);
        }
        if !left_out.is_empty() {
            // Writing into a String does not fail.
            let _ = write!(out, " … ({} characters left out)", left_out.chars().count());
        }
        out
    }

    /// The text as code, or nothing.
    pub(super) fn optional(self, text: Option<&str>) -> String {
        text.map(|text| self.code(text)).unwrap_or_default()
    }

    /// An organisation's number, and its name if it is known.
    pub(super) fn named(self, number: &str, name: Option<&str>) -> String {
        match name {
            Some(name) => format!("{} {}", self.code(number), self.code(name)),
            None => self.code(number),
        }
    }
}

fn span(out: &mut String, text: &str) {
    if text.is_empty() {
        return;
    }
    // A space at both ends is read as part of the fence, unless there is nothing else.
    let is_padded = text.starts_with(' ') && text.ends_with(' ') && text.trim() != "";
    let padding = if is_padded { " " } else { "" };
    let _ = write!(out, "`{padding}");
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        out.push(character);
        let is_reference = match character {
            '@' => true,
            '#' | '!' => characters.peek().is_some_and(|next| next.is_numeric()),
            _ => false,
        };
        if is_reference {
            out.push('\u{200B}');
        }
    }
    let _ = write!(out, "{padding}`");
}

/// A name in a form that is safe in an HTML comment, and unique: letters, digits, `_`, `.` and single hyphens
/// are kept, every other byte becomes `%` and its number, and the end of a long name becomes a checksum.
pub(super) fn marked(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'-' if !out.ends_with('-') => out.push('-'),
            b'_' | b'.' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    if out.len() > LONGEST_MARKED {
        let checksum = Sha256::digest(name.as_bytes());
        out.truncate(LONGEST_MARKED / 2);
        out.push('~');
        for byte in checksum.iter().take(16) {
            let _ = write!(out, "{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        Escape { limit: usize::MAX }.code(text)
    }

    #[test]
    fn everything_is_in_code() {
        assert_eq!(code("etat:a.read"), "`etat:a.read`");
        assert_eq!(code("a|b`c\\"), "`a`&#x7C;`b`&#x60;`c\\`");
        assert_eq!(code("|``|"), "&#x7C;&#x60;&#x60;&#x7C;");
        assert_eq!(code("a\n/approve"), "`a /approve`");
        assert_eq!(code(""), "(empty)");
    }

    #[test]
    fn spaces_at_both_ends_are_kept() {
        assert_eq!(code(" a "), "`  a  `");
        assert_eq!(code("  "), "`  `");
        assert_eq!(code(" a"), "` a`");
    }

    #[test]
    fn references_are_none_in_the_bare_text_either() {
        assert_eq!(code("@a #12 !3 #a"), "`@\u{200B}a #\u{200B}12 !\u{200B}3 #a`");
    }

    #[test]
    fn a_long_text_says_how_much_is_left_out() {
        let escape = Escape { limit: 3 };
        assert_eq!(escape.code("æøåab"), "`æøå` … (2 characters left out)");
        assert_eq!(escape.code("æøå"), "`æøå`");
    }

    #[test]
    fn a_marked_name_ends_no_comment() {
        assert_eq!(marked("test-1_a.b"), "test-1_a.b");
        assert_eq!(marked("a --> b"), "a%20-%2D%3E%20b");
        assert_eq!(marked("a~æ%"), "a%7E%C3%A6%25");
        let (one, other) = (marked(&"a".repeat(1000)), marked(&"a".repeat(1001)));
        assert!(one != other && one.len() == 83 && other.len() == 83);
    }
}

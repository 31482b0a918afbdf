//! Text of others, which may hold anything, as it stands in markdown.
//!
//! All of it stands in code spans, since GitHub, GitLab and Azure DevOps parse nothing in them: no
//! emphasis, HTML, mathematics or link of a bare address. What they look for afterwards in the
//! rendered page (mentions, references, emoji) they look for outside code. Escapes and entities alone
//! do not do: the rendered page has the character again, and that is where mentions and addresses
//! are looked for.
//!
//! - Neither a backtick nor a pipe stands in a span: the span ends before it, and it follows as an
//!   entity, alone. So no fence depends on what is in it (parsers give up at 80 backticks), and no
//!   cell on how a parser counts backslashes before a pipe.
//! - A zero-width space follows `@`, and `#` or `!` before a digit. There are readers of the bare
//!   text: replies to mails (`dependabot-core` #3157), Azure DevOps, and bots.
//! - The text begins no line and holds no line break, so it is no quick action and no command.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use domain::text::printable;

/// How long an environment's name may be in a marker.
const LONGEST_MARKED: usize = 100;

/// How text of others is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Escape {
    /// How many characters of a text are shown.
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
    // One space at both ends is taken for a part of the fence, unless there is nothing else.
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

/// A name as it may stand in an HTML comment, different for different names: letters, digits, `_`,
/// `.` and single hyphens as they are, every other byte as `%` and its number; the end of a long one
/// as a checksum.
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
    fn everything_stands_in_code() {
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

//! A text as a YAML scalar that every reader reads as that text, including older readers and those of
//! Kubernetes.

use domain::text::commands::triggers;
use domain::text::is_invisible;

/// A text as a scalar on one line.
pub fn scalar(text: &str, in_flow: bool) -> String {
    if is_plain(text, in_flow) { text.to_owned() } else { quoted(text) }
}

/// Words that some readers do not read as texts.
const SPECIAL: [&str; 12] =
    ["y", "yes", "n", "no", "true", "false", "on", "off", "null", "nan", "inf", "infinity"];

/// Whether a text can be written without quotes for every reader. A text that begins with a letter is neither
/// a number nor a date.
pub fn is_plain(text: &str, in_flow: bool) -> bool {
    let begins = text.starts_with(char::is_alphabetic);
    let special = SPECIAL.contains(&text.to_ascii_lowercase().as_str());
    let ends = text.ends_with([' ', ':']);
    begins
        && !special
        && !ends
        && !text.contains(needs_escape)
        // As a key it is followed by a colon.
        && triggers(&format!("{text}:")).is_empty()
        && !text.contains(": ")
        && !text.contains(" #")
        && (!in_flow || is_plain_in_flow(text))
}

/// Between brackets readers disagree about signs: only texts with the plainest of them are left without
/// quotes.
fn is_plain_in_flow(text: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || " ._/:-".contains(c);
    let is_word = |word: &str| word.starts_with(char::is_alphanumeric);
    let mut behind_colons = text.split(':').skip(1);
    text.chars().all(is_plain)
        && text.split(' ').all(is_word)
        && behind_colons.all(|rest| is_word(rest) || rest.starts_with("//"))
}

/// Whether a character is written by its number: invisible and control characters, and those that are not
/// allowed in YAML (YAML 1.2.2, section 5.1).
fn needs_escape(c: char) -> bool {
    c.is_control()
        || is_invisible(c)
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// A text in quotes. Characters that could be a command to a CI runner that prints it are written by their
/// numbers.
pub fn quoted(text: &str) -> String {
    let commands = triggers(text);
    let escapes = text.contains(needs_escape) || !commands.is_empty();
    if !escapes && text.contains(['"', '\\']) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for (position, c) in text.char_indices() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if needs_escape(c) || commands.binary_search(&position).is_ok() => match u32::from(c)
            {
                code @ 0..=0xFF => out.push_str(&format!("\\x{code:02x}")),
                code @ 0x100..=0xFFFF => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_yaml::Value;

    use super::scalar;
    use domain::text::for_log;

    fn is_read_as_it_is(text: &str) {
        for yaml in [
            format!("a: {}\n", scalar(text, false)),
            format!("{{ a: {}, b: 1 }}\n", scalar(text, true)),
            format!("{{a: {}}}\n", scalar(text, true)),
            format!("a:\n  - {} # c\n", scalar(text, false)),
        ] {
            let read: Value = serde_yaml::from_str(&yaml).unwrap();
            let read = read.get("a").map(|a| a.get(0).unwrap_or(a)).and_then(Value::as_str);
            assert_eq!(read, Some(text), "{yaml}");
            assert_eq!(for_log(&yaml), yaml);
            let key = format!("{}: 1\n", scalar(text, false));
            assert_eq!(for_log(&key), key);
        }
    }

    #[test]
    fn words_and_numbers_are_read_as_texts() {
        for text in ["no", "12:30:45", "0x1f", ".inf", "\u{7f}\u{85}\u{feff}\u{2028}\u{ffff}\0"] {
            is_read_as_it_is(text);
        }
    }

    #[test]
    fn what_is_plain_between_braces_stays_plain() {
        for plain in ["aareg-api", "etat:arbeid:aareg.read", "my/scope.read", "økonomi", "a:b"] {
            assert_eq!(scalar(plain, true), plain);
        }
        for quoted in ["", "no", "On", "~", "1", "12:30", "a:", ":a", "- a", "a,b", "[a]", "å: b"]
        {
            assert_eq!(scalar(quoted, true), format!("\"{quoted}\""));
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_is_in_a_line_and_in_braces(
            text in prop_oneof![
                any::<String>(),
                "[a-zæ0-9:/._ #'\"-]{0,12}",
                "[a ](##|#\u{200B}#|::)?(vso)?[:\\[]*(section_start:1)?[:a]?",
            ],
        ) {
            is_read_as_it_is(&text);
        }
    }
}

//! Text that came from somewhere else, made safe to show, and a little grammar.

use std::borrow::Cow;

/// The text without anything that could steer a terminal or turn the order of what is read:
/// white space of every kind becomes a space; other control characters, and those that change the
/// direction of text (Unicode UAX #9), become `\u{FFFD}`, so that one sees that something was there.
/// The same mark keeps GitHub's runner from taking the text for a command (`::…` at the beginning
/// of a line, `##[…` anywhere).
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_command = text.trim_start().starts_with("::") || text.contains("##[");
    if !is_command && !text.chars().any(|c| safe(c) != c) {
        return Cow::Borrowed(text);
    }
    let shown: String = text.chars().map(safe).collect();
    let shown = shown.replace("##[", "##\u{FFFD}[");
    Cow::Owned(match shown.trim_start().starts_with("::") {
        true => format!("\u{FFFD}{shown}"),
        false => shown,
    })
}

/// A line of a file as it may be shown above a caret: as [`printable`], and with a character for each
/// of the line's, so that every column stays where it is.
pub fn aligned(line: &str) -> String {
    line.chars().map(safe).collect::<String>().replace("##[", "##\u{FFFD}")
}

/// JSON in which no text steers a terminal or commands GitHub's runner. It says the same: such
/// characters stand in strings alone, where an escape is as good.
pub fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if matches!(character, ' ' | '\n') || safe(character) == character {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped.replace("##[", "#\\u0023[")
}

/// Whether a character cannot be seen, or only changes those around it: what Unicode ignores by
/// default (property `Default_Ignorable_Code_Point`), what looks like a space and is a letter or
/// symbol, and marks for annotations and musical notes.
pub fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

fn safe(character: char) -> char {
    match character {
        // An emoji's own form of a sign (U+FE0F), and what joins several, is no danger.
        '\u{FE0F}' => character,
        invisible if is_invisible(invisible) => char::REPLACEMENT_CHARACTER,
        space if space.is_whitespace() => ' ',
        control if control.is_control() => char::REPLACEMENT_CHARACTER,
        other => other,
    }
}

/// `1 access`, `2 accesses`.
pub fn counted(count: u64, thing: &str, plural: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { plural })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\u{9b}d"), "a\u{FFFD}[2Jb  c\u{FFFD}d");
        assert_eq!(printable("x\u{202e}y\u{2028}z"), "x\u{FFFD}y z");
    }

    #[test]
    fn nothing_commands_githubs_runner() {
        assert_eq!(printable(" ::add-mask::x"), "\u{FFFD} ::add-mask::x");
        assert_eq!(printable("a ##[error]b"), "a ##\u{FFFD}[error]b");
        assert_eq!(printable("etat::a"), "etat::a");
    }

    #[test]
    fn columns_stay_where_they_are() {
        let line = "\t:: a\u{1b}[2J\u{202e}æ \u{2028}##[error]🙂";
        let shown = aligned(line);
        assert_eq!(shown, " :: a\u{FFFD}[2J\u{FFFD}æ  ##\u{FFFD}error]🙂");
        assert_eq!(shown.chars().count(), line.chars().count());
    }

    #[test]
    fn escaped_json_says_the_same() {
        for text in [
            "\u{E0041}a\u{202e}b\u{85}c\u{2028}\u{1b}d\u{7f}",
            "###[error]##[x] ::a\r\n",
            "«æ🙂» \u{a0}",
        ] {
            let json = serde_json::to_string(text).unwrap();
            let escaped = escaped_json(&json);
            assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
            assert_eq!(printable(&escaped), escaped);
        }
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(printable("Blåbær: «æøå» 🙂"), Cow::Borrowed("Blåbær: «æøå» 🙂")));
    }
}

//! A text as a YAML scalar.

/// The text as a scalar that every reader of YAML takes for that text, older ones and those of
/// Kubernetes included: plain if it is plainly no number, no word with a meaning and nothing that
/// steers, else in double quotes. It can stand in braces and brackets.
pub fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    // A colon is plain before a letter; two numbers with one between them are a time or a number.
    let mut colons = text.match_indices(':').map(|(at, _)| text[at + 1..].chars().next());
    let is_word = text.starts_with(char::is_alphabetic)
        && text.chars().all(|c| is_plain(c) || c == ':')
        && colons.all(|next| next.is_some_and(char::is_alphabetic));
    match is_word && !has_a_meaning(text) {
        true => text.to_owned(),
        false => in_quotes(text),
    }
}

/// JSON's strings are YAML's too, but for characters that YAML does not allow (YAML 1.2.2, section
/// 5.1) or that an older one takes for a line break.
fn in_quotes(text: &str) -> String {
    let strange = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
    };
    let json = serde_json::Value::from(text).to_string();
    let mut quoted = String::with_capacity(json.len());
    for c in json.chars() {
        match strange(c) {
            true => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => quoted.push(c),
        }
    }
    quoted
}

/// Whether a word is no text for YAML 1.1 or 1.2.
fn has_a_meaning(word: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    WORDS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_yaml::Value;

    use super::scalar;

    #[test]
    fn what_is_plain_stays_plain() {
        for plain in ["aareg-api", "etat:arbeid:aareg.read", "my/scope.read", "økonomi", "a:b"] {
            assert_eq!(scalar(plain), plain);
        }
        for quoted in [
            "", "no", "On", "null", "~", "1", "1e3", "12:30", "a:1", "a:", ":a", "a b", "- a",
            "#a", "a #b", "{a", "a,b", "[a]", "*a", "&a", "!a", "'a", "a\"b", "a\nb", "å: b", "-",
            "y",
        ] {
            assert_eq!(scalar(quoted), serde_json::json!(quoted).to_string());
        }
    }

    fn is_read_as_it_is(text: &str) {
        for yaml in [
            format!("a: {}\n", scalar(text)),
            format!("{{ a: {}, b: 1 }}\n", scalar(text)),
            format!("{{a: {}}}\n", scalar(text)),
            format!("a:\n  - {} # c\n", scalar(text)),
        ] {
            let read: Value = serde_yaml::from_str(&yaml).unwrap();
            let read = read.get("a").map(|a| a.get(0).unwrap_or(a)).and_then(Value::as_str);
            assert_eq!(read, Some(text), "{yaml}");
        }
    }

    #[test]
    fn words_and_numbers_are_read_as_texts() {
        for text in ["no", "12:30:45", "0x1f", ".inf", "\u{7f}\u{85}\u{feff}\u{2028}\u{ffff}\0"] {
            is_read_as_it_is(text);
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_is_in_a_line_and_in_braces(
            text in prop_oneof![any::<String>(), "[a-zæ0-9:/._ #'\"-]{0,12}"],
        ) {
            is_read_as_it_is(&text);
        }
    }
}

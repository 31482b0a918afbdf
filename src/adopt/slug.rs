//! Live names as parts of names of files, aliases and groups.

use domain::text::is_invisible;

/// Longest name, in characters.
const LONGEST: usize = 50;

/// A name from DigDir in lower case with dashes between the words; `None` if it has no readable character, or
/// an invisible one. Letters of Latin-1 are kept.
pub(super) fn word(text: &str) -> Option<String> {
    if text.contains(|c: char| c.is_control() || is_invisible(c)) {
        return None;
    }
    let is_latin = |c: char| c.is_ascii_alphanumeric() || matches!(c, 'à'..='ÿ' if c != '÷');
    let lower = text.to_lowercase();
    // Characters within a word that are not letters.
    let lower = lower.replace(['\'', '’', '.'], "");
    let words: Vec<&str> = lower.split(|c| !is_latin(c)).filter(|word| !word.is_empty()).collect();
    let mut slug = String::new();
    for word in words {
        let length = slug.chars().count() + 1 + word.chars().count();
        if !slug.is_empty() && length > LONGEST {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.extend(word.chars().take(LONGEST));
    }
    slug.contains(char::is_alphabetic).then_some(slug)
}

/// As [`word`], for the name of a file: letters a to z, digits and dashes; may be empty.
pub(super) fn file(text: &str) -> String {
    let mut plain = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'æ' | 'ä' => plain.push_str("ae"),
            'ø' | 'ö' => plain.push('o'),
            'å' => plain.push('a'),
            c if c.is_ascii_alphanumeric() => plain.push(c),
            _ => plain.push('-'),
        }
    }
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(LONGEST).collect();
    match is_device(&slug) {
        true => format!("{slug}-"),
        false => slug,
    }
}

/// Whether the name is reserved for a device on Windows.
fn is_device(name: &str) -> bool {
    let numbered = |of: &str| {
        name.strip_prefix(of)
            .is_some_and(|n| n.len() == 1 && n.contains(|c: char| c.is_ascii_digit()))
    };
    matches!(name, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_readable() {
        for (name, wanted) in [
            ("SKATTEETATEN", Some("skatteetaten")),
            ("Statistisk sentralbyrå", Some("statistisk-sentralbyrå")),
            ("Brødrene  Dahl A.S (avd. Øst)", Some("brødrene-dahl-as-avd-øst")),
            ("L'Oréal", Some("loréal")),
            ("3M Norge", Some("3m-norge")),
            ("", None),
            ("974761076", None),
            ("—", None),
            ("Ev\u{202e}il", None),
        ] {
            assert_eq!(word(name).as_deref(), wanted, "{name}");
        }
        assert!(word(&"lang ".repeat(40)).unwrap().len() <= LONGEST);
    }

    #[test]
    fn files_have_plain_names() {
        for (name, wanted) in [
            ("Blåbær", "blabaer"),
            ("../../etc/passwd", "etc-passwd"),
            ("prod-gcp:arbeid:aareg", "prod-gcp-arbeid-aareg"),
            ("日本", ""),
            ("NUL", "nul-"),
            ("com1", "com1-"),
        ] {
            assert_eq!(file(name), wanted, "{name}");
        }
    }
}

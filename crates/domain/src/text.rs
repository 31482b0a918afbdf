//! Text from outside, made safe to show, and small helpers for wording.
//!
//! There is one way for each medium, and each keeps the text from controlling a terminal and the runners of
//! CI hosts from finding a command ([`commands`]):
//!
//! | medium | text from outside within it | the whole, as it leaves the program |
//! |---|---|---|
//! | terminal and log | [`printable`] | [`for_log`], where stdout and stderr are written |
//! | markdown | code spans (`render::markdown`) | [`for_markdown`] |
//! | JSON and SARIF | - | [`escaped_json`], which parses to the same |
//! | YAML | `yaml::scalar`, which is read as the same | refused where [`for_log`] would change it |
//! | CSV | [`printable`], and no formula (`render::access::csv`) | - |
//! | HTML | [`printable`], as JSON | [`escaped_json`] without `<` (`render::access::html`) |
//! | GitHub's annotations | `render::diagnostics::github` | [`for_annotations`] |

pub mod commands;
pub mod json;
pub mod shell;
pub mod similar;

use std::borrow::Cow;

use commands::{style_length, triggers};

/// A text on one line, with nothing in it that could control a terminal, reverse the reading order or be a
/// command to a CI runner: white space of every kind becomes a space; control characters, invisible ones,
/// those that change the direction of text (Unicode UAX #9), and the characters that make a command become
/// `\u{FFFD}`, so that the replacement is visible. Each character is replaced by exactly one, so that columns
/// stay the same.
pub fn printable(text: &str) -> Cow<'_, str> {
    if triggers(text).is_empty() && !text.chars().any(|c| safe(c) != c) {
        return Cow::Borrowed(text);
    }
    let shown: String = text.chars().map(safe).collect();
    Cow::Owned(marked(&shown, &triggers(&shown)))
}

/// Lines with our own colours as they are written to stdout or stderr: the last line of defence behind
/// [`printable`], for text that was inserted without it.
pub fn for_log(text: &str) -> Cow<'_, str> {
    whole(text, true)
}

/// Whole markdown document, after each text in it was escaped.
pub fn for_markdown(text: &str) -> Cow<'_, str> {
    whole(text, false)
}

/// Whole list of annotations: each line is one of our own commands and holds no other.
pub fn for_annotations(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix("::") {
        Some(command) => format!("::{}", whole(command, false)),
        None => whole(line, false).into_owned(),
    };
    text.split_inclusive('\n').map(line).collect()
}

/// Lines in which control characters and commands are replaced by `\u{FFFD}`; colours are kept if
/// `with_colours` is set.
fn whole(text: &str, with_colours: bool) -> Cow<'_, str> {
    let mut steering = Vec::new();
    let mut position = 0;
    while let Some(rest) = text.get(position..) {
        let Some(character) = rest.chars().next() else { break };
        if let Some(length) = style_length(rest).filter(|_| with_colours) {
            position += length;
            continue;
        }
        let is_layout = matches!(character, '\n' | '\t') || rest.starts_with("\r\n");
        if !is_layout && steers(character) {
            steering.push(position);
        }
        position += character.len_utf8();
    }
    let text = match steering.is_empty() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(marked(text, &steering)),
    };
    // The replacement may have joined the parts of a command.
    let commands = triggers(&text);
    match commands.is_empty() {
        true => text,
        false => Cow::Owned(marked(&text, &commands)),
    }
}

/// Whether a character controls a terminal or reverses the reading order.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61C}'
                | '\u{200E}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// The text with the characters at these positions replaced by `\u{FFFD}`.
fn marked(text: &str, positions: &[usize]) -> String {
    replaced(text, positions, |_| char::REPLACEMENT_CHARACTER.to_string())
}

/// The text with the characters at these positions, in order, replaced.
fn replaced(text: &str, positions: &[usize], replacement: impl Fn(char) -> String) -> String {
    let mut positions = positions.iter().peekable();
    let mut out = String::with_capacity(text.len());
    for (position, character) in text.char_indices() {
        match positions.next_if_eq(&&position) {
            Some(_) => out.push_str(&replacement(character)),
            None => out.push(character),
        }
    }
    out
}

/// JSON in which no text controls a terminal or is a command to a CI runner. Its meaning is unchanged: such
/// characters occur only in strings, where an escape is equivalent.
pub fn escaped_json(json: &str) -> String {
    let mut positions = triggers(json);
    let is_escaped = |c: char| !matches!(c, ' ' | '\n') && safe(c) != c;
    positions.extend(json.char_indices().filter(|(_, c)| is_escaped(*c)).map(|(at, _)| at));
    positions.sort_unstable();
    replaced(json, &positions, |character| {
        let units = character.encode_utf16(&mut [0; 2]).to_vec();
        units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
    })
}

/// Whether a character is invisible or only changes those around it: those that Unicode ignores by default
/// (property `Default_Ignorable_Code_Point`), letters and symbols that look like a space, and marks for
/// annotations and musical notation.
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
        // The emoji variant of a character (U+FE0F) and the joiner of several are harmless.
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

/// `a, b, c`.
pub fn listed(items: impl IntoIterator<Item: ToString>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// `a, b and 3 more`, with at most that many of them.
pub fn listed_up_to(most: usize, items: impl IntoIterator<Item: ToString>) -> String {
    let mut items = items.into_iter();
    let first = listed(items.by_ref().take(most));
    match items.count() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The first line of a file that is rendered from declarations, such as those of an environment.
pub fn rendered_from(declarations: &str) -> String {
    format!(
        "Rendered by portvakt from the declarations of {}; do not edit.",
        printable(declarations)
    )
}

/// Whether a text has that line, as the first or second of its comments, in any of the forms that comments have.
pub fn is_rendered_from(text: &str, declarations: &str) -> bool {
    let line = rendered_from(declarations);
    let is_around = |c: char| " \",#<!->".contains(c);
    text.lines().take(4).any(|of_text| of_text.trim_matches(is_around) == line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    /// Parts of commands, and characters that may hide them.
    const PIECES: [&str; 32] = [
        "#",
        "##",
        "[",
        "]",
        "##[error]",
        "##vso[",
        "##VsO[task.setvariable variable=a]",
        "vso",
        ":",
        "::",
        "::error::",
        "section_start",
        "section_end:1:a",
        "section_start:",
        "12",
        "\r\u{1b}[0K",
        "\u{1b}[31m",
        "\u{1b}]0;a\u{7}",
        "\u{200b}",
        "\u{ad}",
        "\u{fe0f}",
        "\u{fffd}",
        "\u{202e}",
        "\u{600}",
        "\0",
        "\u{9b}",
        "\u{7f}",
        "\n",
        "\r",
        " ",
        "\u{2028}",
        "a",
    ];

    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            8 => prop::sample::select(PIECES.to_vec()).prop_map(str::to_owned),
            1 => any::<String>(),
        ];
        prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
    }

    /// Whether a runner could take anything in the lines for a command. It is written independently of the
    /// code above: skipped characters are removed, then the pattern of each host is searched for.
    fn is_active(text: &str) -> bool {
        let skipped = |c: &char| {
            (c.is_control() && !c.is_whitespace())
                || is_invisible(*c)
                || matches!(c, '\u{fe0f}' | '\u{fffd}' | '\u{600}')
        };
        let section = Regex::new(r"section_(start|end):\d+:").unwrap();
        let active = Regex::new(r"(?i)^\s*::|##(vso)?\[").unwrap();
        section.is_match(text)
            || text.split(['\n', '\r']).any(|line| {
                let line: String = line.chars().filter(|c| !skipped(c)).collect();
                active.is_match(&line)
            })
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\u{9b}d"), "a\u{FFFD}[2Jb  c\u{FFFD}d");
        assert_eq!(printable("x\u{202e}y\u{2028}z"), "x\u{FFFD}y z");
    }

    #[test]
    fn nothing_commands_a_runner() {
        for (text, shown) in [
            (" ::add-mask::x", " :\u{FFFD}add-mask::x"),
            (":::x", ":\u{FFFD}\u{FFFD}x"),
            ("a ##[error]b", "a ##\u{FFFD}error]b"),
            ("##[[a", "##\u{FFFD}\u{FFFD}a"),
            ("a##VSO[task.complete]", "a##VSO\u{FFFD}task.complete]"),
            ("#\u{200b}#vso\u{fe0f}[a", "#\u{FFFD}#vso\u{fe0f}\u{FFFD}a"),
            ("section_end:12:a", "section_end:12\u{FFFD}a"),
        ] {
            assert_eq!(printable(text), shown);
        }
        for text in ["etat::a", "#[a]", "# #[a]", "section_start: 12", "a:12:b", "##vs[a]"] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn lines_and_our_own_colours_stay_in_a_log() {
        let text = "\u{1b}[1m##\u{1b}[0m\ta\r\n\u{1b}[31;1mb\u{1b}[m\n";
        assert!(matches!(for_log(text), Cow::Borrowed(same) if same == text));
        for (text, shown) in [
            ("a\n \u{1b}[1m::\u{1b}[0merror::b", "a\n \u{1b}[1m:\u{FFFD}\u{1b}[0merror::b"),
            ("##\u{1b}[0m[a", "##\u{1b}[0m\u{FFFD}a"),
            ("a\rb\u{1b}[2Jc\u{202e}", "a\u{FFFD}b\u{FFFD}[2Jc\u{FFFD}"),
        ] {
            assert_eq!(for_log(text), shown);
        }
        assert_eq!(for_markdown("\u{1b}[1ma"), "\u{FFFD}[1ma");
    }

    #[test]
    fn annotations_are_commands_of_our_own_alone() {
        let text = "::error title=a::b\n::warning::##vso[c]\n ::debug::d\n";
        let shown = "::error title=a::b\n::warning::##vso\u{FFFD}c]\n :\u{FFFD}debug::d\n";
        assert_eq!(for_annotations(text), shown);
    }

    #[test]
    fn escaped_json_says_the_same() {
        for text in [
            "\u{E0041}a\u{202e}b\u{85}c\u{2028}\u{1b}d\u{7f}",
            "###[error]##[x] ::a\r\n",
            "##vso[a.b]section_start:1:a\r\u{1b}[0K",
            "«æ🙂» \u{a0}",
        ] {
            let json = serde_json::to_string(text).unwrap();
            let escaped = escaped_json(&json);
            assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
            assert_eq!(printable(&escaped), escaped);
        }
    }

    proptest! {
        #[test]
        fn no_text_is_ever_active(text in hostile(), key in hostile()) {
            let shown = printable(&text);
            prop_assert!(!is_active(&shown), "{shown:?}");
            prop_assert_eq!(shown.chars().count(), text.chars().count());
            prop_assert_eq!(printable(&shown), &*shown);
            prop_assert_eq!(for_log(&shown), &*shown);
            let log = for_log(&text);
            prop_assert!(!is_active(&anstream::adapter::strip_str(&log).to_string()), "{log:?}");
            prop_assert_eq!(for_log(&log), &*log);
            let markdown = for_markdown(&text);
            prop_assert!(!is_active(&markdown) && !markdown.contains('\u{1b}'), "{markdown:?}");
            let value = serde_json::json!({ &key: [&text, { "##": [&key] }], "section_start:1": 2 });
            for json in [value.to_string(), format!("{value:#}\n")] {
                let escaped = escaped_json(&json);
                prop_assert!(!is_active(&escaped), "{escaped}");
                prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value.clone());
                prop_assert_eq!(for_log(&escaped), &*escaped);
                prop_assert_eq!(escaped_json(&escaped), escaped.clone());
            }
        }
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(printable("Blåbær: «æøå» 🙂"), Cow::Borrowed("Blåbær: «æøå» 🙂")));
    }
}

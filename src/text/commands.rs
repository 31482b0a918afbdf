//! Text that the runner of a CI host takes for a command when a job prints it.
//!
//! - GitHub (`actions/runner`, `ActionCommand.cs`): `::name …::` at the beginning of a line, leading
//!   white space aside, and `##[name …]` anywhere.
//! - Azure Pipelines (`microsoft/azure-pipelines-agent`, `Command.cs`): `##vso[area.event …]`
//!   anywhere. Its log also formats a line by `##[…]`.
//! - GitLab (`lib/gitlab/regex.rb`, `build_trace_section_regex`): `section_start:` or `section_end:`,
//!   a number, `:` and a name, anywhere.
//!
//! The first two search by .NET's culture-sensitive comparison, which skips characters that collation
//! ignores: `#`, U+200B, `#[` is a command too. U+FFFD counts as one of them, so that the mark in
//! place of a character never lets the rest join up.

use super::is_invisible;

/// Positions of the characters without which no part of the text is a command: the `[` of `##[` and
/// of `##vso[`, the second `:` of a leading `::`, the second `:` of a section marker. None of these
/// characters is structural where it occurs in JSON.
pub(crate) fn triggers(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut line = Line::default();
    let mut position = 0;
    while let Some(rest) = text.get(position..) {
        let Some(character) = rest.chars().next() else { break };
        match style_length(rest) {
            Some(length) => position += length,
            None => {
                if line.takes_for_trigger(character) {
                    found.push(position);
                }
                position += character.len_utf8();
            }
        }
    }
    found
}

/// The characters of a line that a runner compares, in lower case.
#[derive(Default)]
struct Line(String);

impl Line {
    /// Adds the next character unless it completes a command.
    fn takes_for_trigger(&mut self, character: char) -> bool {
        match character {
            '\n' => self.0.clear(),
            '\r' => {}
            '[' if self.0.ends_with("##") || self.0.ends_with("##vso") => return true,
            ':' if self.0.trim_start() == ":" || self.ends_with_section() => return true,
            ignored if is_ignored(ignored) => {}
            other => self.0.push(other.to_ascii_lowercase()),
        }
        false
    }

    fn ends_with_section(&self) -> bool {
        let marker = self.0.trim_end_matches(|c: char| c.is_ascii_digit());
        marker.len() < self.0.len()
            && (marker.ends_with("section_start:") || marker.ends_with("section_end:"))
    }
}

/// Whether collation may ignore a character: control characters, `Default_Ignorable_Code_Point`, the
/// other format characters (general category Cf), and the replacement character.
fn is_ignored(character: char) -> bool {
    let is_format = matches!(
        character,
        '\u{600}'..='\u{605}'
            | '\u{6DD}'
            | '\u{70F}'
            | '\u{890}'..='\u{891}'
            | '\u{8E2}'
            | '\u{110BD}'
            | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}'
    );
    is_format
        || is_invisible(character)
        || matches!(character, '\u{FE0F}' | char::REPLACEMENT_CHARACTER)
        || (character.is_control() && !character.is_whitespace())
}

/// Length of a colour sequence (SGR: ESC `[`, digits and semicolons, `m`) at the beginning of a text.
pub(super) fn style_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters.get(end..)?.starts_with('m').then_some("\u{1b}[".len() + end + "m".len())
}

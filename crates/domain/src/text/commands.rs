//! Text that the runner of a CI host interprets as a command when a job prints it.
//!
//! - GitHub (`actions/runner`, `ActionCommand.cs`): `::name …::` at the beginning of a line, after optional
//!   white space, and `##[name …]` anywhere.
//! - Azure Pipelines (`microsoft/azure-pipelines-agent`, `Command.cs`): `##vso[area.event …]`
//!   anywhere. Its log also formats a line by `##[…]`.
//! - GitLab (`lib/gitlab/regex.rb`, `build_trace_section_regex`): `section_start:` or `section_end:`,
//!   a number, `:` and a name, anywhere.
//!
//! The first two search by .NET's culture-sensitive comparison, which skips characters that collation
//! ignores: `#`, U+200B, `#[` is a command too. U+FFFD counts as one of them, so that the replacement
//! character never lets the rest join up.

use super::is_invisible;

/// Positions of the characters without which no part of the text is a command, in order: the `[` of `##[` and
/// of `##vso[`, the second `:` of a leading `::`, the second `:` of a section marker. None of these
/// characters is structural where it occurs in JSON.
pub fn triggers(text: &str) -> Vec<usize> {
    let mut found: Vec<usize> =
        text.match_indices(SECTION).filter_map(|(at, _)| section_end(text, at)).collect();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if may_command(line) {
            found.extend(compared(line).into_iter().map(|position| start + position));
        }
        start += line.len();
    }
    found.sort_unstable();
    found.dedup();
    found
}

const SECTION: &str = "section_";

/// Position of the colon after the number of a section marker that begins here.
fn section_end(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at + SECTION.len()..)?;
    let rest = rest.strip_prefix("start:").or_else(|| rest.strip_prefix("end:"))?;
    let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    (behind.len() < rest.len() && behind.starts_with(':')).then(|| text.len() - behind.len())
}

/// Whether a line needs to be read character by character.
fn may_command(line: &str) -> bool {
    let blank = |c: char| c.is_whitespace() || is_ignored(c);
    line.contains('\u{1b}')
        || line.trim_start_matches(blank).starts_with(':')
        || (line.contains('[') && line.matches('#').nth(1).is_some())
}

/// Whether a section marker is complete except for its last colon. In a line with colours, which may be
/// removed later, it can be in parts.
fn ends_with_section(seen: &str) -> bool {
    let marker = seen.trim_end_matches(|c: char| c.is_ascii_digit());
    marker.len() < seen.len()
        && (marker.ends_with("section_start:") || marker.ends_with("section_end:"))
}

/// The same as [`triggers`] for a line that is read character by character.
fn compared(line: &str) -> Vec<usize> {
    let mut found = Vec::new();
    // The characters that a runner compares, in lower case.
    let mut seen = String::new();
    let mut position = 0;
    while let Some(rest) = line.get(position..) {
        let Some(character) = rest.chars().next() else { break };
        if let Some(length) = style_length(rest) {
            position += length;
            continue;
        }
        match character {
            '[' if seen.ends_with("##") || seen.ends_with("##vso") => found.push(position),
            ':' if seen.trim_start() == ":" || ends_with_section(&seen) => found.push(position),
            '\r' => {}
            ignored if is_ignored(ignored) => {}
            other => seen.push(other.to_ascii_lowercase()),
        }
        position += character.len_utf8();
    }
    found
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

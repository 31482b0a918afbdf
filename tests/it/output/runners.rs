//! Parts of a job's log that have an effect on a CI runner or a terminal, by the rules of their sources;
//! written independently of the code that prevents it.

use regex::Regex;

/// The active parts of a text, each with its line; for a log without our own colours.
pub(crate) fn active(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        for (whose, is_active) in [
            ("GitHub", is_github(line)),
            ("Azure", is_azure(line)),
            ("GitLab", is_gitlab(line)),
            ("the terminal", steers(line)),
        ] {
            if is_active {
                found.push(format!("{whose}: {line:?}"));
            }
        }
    }
    found
}

/// The same, except for our own annotations.
pub(crate) fn active_beside_annotations(text: &str) -> Vec<String> {
    let ours = Regex::new("^::(error|warning|notice) file=").unwrap();
    let rest: Vec<_> = text.lines().map(|line| ours.replace(line, "")).collect();
    active(&rest.join("\n"))
}

/// `actions/runner`, `ActionCommand.cs`: `TryParseV2`, then `TryParse`, with any command name taken as
/// registered.
fn is_github(line: &str) -> bool {
    let line = compared(line);
    line.trim_start().starts_with("::") || line.contains("##[")
}

/// `azure-pipelines-agent`, `Command.cs`; and the formatting commands of its log.
fn is_azure(line: &str) -> bool {
    let line = compared(line).to_ascii_lowercase();
    line.contains("##vso[") || line.contains("##[")
}

/// `lib/gitlab/regex.rb`, without the CR and the escape that must follow.
fn is_gitlab(line: &str) -> bool {
    Regex::new(r"section_(start|end):\d+:[a-zA-Z0-9_.-]").unwrap().is_match(line)
}

/// Control characters of ECMA-48, and Unicode's direction and line controls.
fn steers(line: &str) -> bool {
    line.chars().any(|c| {
        (c.is_control() && c != '\t')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// A line in .NET's culture-sensitive comparison: without the characters that collation ignores.
fn compared(line: &str) -> String {
    let ignored = |c: &char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fffd}')
    };
    line.chars().filter(|c| !ignored(c)).collect()
}

#[test]
fn each_rule_finds_its_commands() {
    for (text, whose) in [
        ("a\n \u{200b}::error::b", "GitHub"),
        ("a ##[error]b", "GitHub"),
        ("a#\u{ad}#VSO[task.complete]b", "Azure"),
        ("a section_end:12:b", "GitLab"),
        ("a\u{1b}[2J", "the terminal"),
        ("a\rb", "the terminal"),
        ("a\u{9b}1m", "the terminal"),
    ] {
        let found = active(text);
        assert!(found.iter().any(|found| found.starts_with(whose)), "{text:?}: {found:?}");
    }
    assert_eq!(active("etat::a\r\n\tb # [c] section_start: 1\n"), [""; 0]);
    assert_eq!(active_beside_annotations("::error file=a::b\n"), [""; 0]);
    assert_eq!(active_beside_annotations("::error file=a::##vso[b\n::debug::c\n").len(), 2);
}

//! Meaning of a code.

use std::fmt::Write as _;

use super::diagnostics::word;
use super::text::HEADING;
use crate::declare::{BASE, Example, Rule};
use plan::Code;

/// The requirement of a rule, with examples and ANSI colours.
pub fn explanation(rule: Rule) -> String {
    let (code, severity) = (rule.code(), word(rule.severity()));
    let mut out = format!("{HEADING}{severity}[{code}]{HEADING:#}: {}\n\n", rule.title());
    let _ = writeln!(out, "{}", rule.meaning());
    for (word, example) in [("Wrong", rule.wrong()), ("Right", rule.right())] {
        for (what, text) in blocks(example) {
            let _ = writeln!(out, "\n{HEADING}{word}{HEADING:#}, {what}:\n");
            for line in text.lines() {
                let _ = writeln!(out, "    {line}");
            }
        }
    }
    out
}

/// The parts of an example: for each its heading and text.
fn blocks(example: Example) -> Vec<(&'static str, &'static str)> {
    match example {
        Example::Declarations(text) => vec![("a file with declarations", text)],
        Example::Settings("") => vec![("a repository with nothing but portvakt.yaml", "")],
        Example::Settings(text) => vec![("portvakt.yaml", text)],
        Example::Both(settings, text) => {
            vec![("portvakt.yaml", settings), ("a file with declarations", text)]
        }
        Example::Shell(commands) => vec![("made by", commands)],
    }
}

/// The requirement of a rule, with examples, as markdown without a heading.
pub(super) fn article(rule: Rule) -> String {
    let mut out = format!("{}\n", rule.meaning());
    for (word, example) in [("Wrong", rule.wrong()), ("Right", rule.right())] {
        let language = if matches!(example, Example::Shell(_)) { "sh" } else { "yaml" };
        for (what, text) in blocks(example) {
            let _ = write!(out, "\n{word}, {what}");
            match text {
                "" => out.push_str(".\n"),
                text => drop(write!(out, ":\n\n```{language}\n{}\n```\n", text.trim_end())),
            }
        }
    }
    out
}

/// The description of every code, as a page in markdown.
pub fn page() -> String {
    let mut out = format!("{INTRODUCTION}\n```yaml\n{BASE}```\n");
    for rule in Rule::ALL {
        let (code, severity) = (rule.code(), word(rule.severity()));
        let _ =
            write!(out, "\n## {code}\n\n**{severity}**: {}\n\n{}", rule.title(), article(*rule));
    }
    for code in Code::ALL {
        let kind = code.kind().as_str();
        let _ = write!(out, "\n## {code}\n\n**{kind}**: {}\n\n{}\n", code.title(), code.meaning());
    }
    out
}

const INTRODUCTION: &str = "\
# Diagnostics: what portvakt reports, code by code

`portvakt explain CODE` prints the same. PV0xx is about reading the files, PV1xx about what they
declare; PV3xx to PV5xx are about plans. An error keeps anything from being planned; a warning is
probably not what was meant.

A warning or note, and a rule of the repository's own, can be silenced for one scope, alias, group or entry
by a comment above it or behind it: `# portvakt: allow <rule> -- why`.

In the examples, what is not shown of portvakt.yaml is:
";

/// The meaning of a plan's code and the remedy, with ANSI colours.
pub fn plan_explanation(code: Code) -> String {
    let kind = code.kind().as_str();
    format!("{HEADING}{kind}[{code}]{HEADING:#}: {}\n\n{}\n", code.title(), code.meaning())
}

/// All codes with their titles, one per line.
pub fn codes() -> String {
    let rules = Rule::ALL.iter().map(|rule| (rule.code(), word(rule.severity()), rule.title()));
    let plan = Code::ALL.iter().map(|code| (code.as_str(), code.kind().as_str(), code.title()));
    let mut out = String::new();
    for (code, kind, title) in rules.chain(plan) {
        // Writing into a String does not fail.
        let _ = writeln!(out, "{HEADING}{code}{HEADING:#}  {kind:7}  {title}");
    }
    out
}

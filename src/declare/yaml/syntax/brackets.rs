//! Lists in brackets and mappings in braces.

use super::line::{Line, scan};
use super::{Broken, Explanation};

/// A bracket and where it stands; the column counts from 0.
#[derive(Debug, Clone, Copy)]
struct Bracket {
    line: usize,
    column: usize,
    is: char,
}

/// How brackets stand up to a place.
struct Brackets {
    /// Those that are open, from outside.
    open: Vec<Bracket>,
    /// The first that closes another one than the innermost.
    crossing: Option<(Bracket, Bracket)>,
}

fn partner(bracket: char) -> char {
    match bracket {
        '[' => ']',
        '{' => '}',
        other => other,
    }
}

fn up_to(broken: &Broken<'_>) -> Brackets {
    let mut brackets = Brackets { open: Vec::new(), crossing: None };
    for number in 1..=broken.line() {
        let text = broken.lines.line(number);
        let mut columns = text.char_indices().enumerate();
        for (at, is) in scan(text, brackets.open.len()).brackets {
            let column = columns.find(|(_, (other, _))| *other == at).map_or(0, |(n, _)| n);
            if number == broken.line() && column >= broken.column() {
                return brackets;
            }
            let bracket = Bracket { line: number, column, is };
            if matches!(is, '[' | '{') {
                brackets.open.push(bracket);
            } else if let Some(open) = brackets.open.pop()
                && partner(open.is) != is
            {
                brackets.open.push(open);
                brackets.crossing = Some((open, bracket));
                return brackets;
            }
        }
    }
    brackets
}

/// Whether the parser stopped inside brackets.
pub(super) fn is_inside(broken: &Broken<'_>) -> bool {
    !up_to(broken).open.is_empty()
}

pub(super) fn brackets(broken: &Broken<'_>) -> Option<Explanation> {
    const SAID: [&str; 7] = [
        "only valid inside a block",
        "expected ',' or",
        "invalid indentation",
        "misplaced bracket",
        "node content",
        "flow",
        "expected ']'",
    ];
    if !broken.says(&SAID) {
        return None;
    }
    let line = broken.get(broken.line());
    let brackets = up_to(broken);
    if let Some((open, close)) = brackets.crossing {
        return Some(crossing(broken, &brackets, open, close));
    }
    let here = line.text.chars().nth(broken.column());
    let Some(open) = brackets.open.last() else {
        let stray = here.filter(|c| matches!(c, ']' | '}'))?;
        let reason = format!("this `{stray}` closes nothing");
        return Some(broken.explain(broken.line(), broken.column(), 1, reason, "remove it"));
    };
    if let Some(close) = here.filter(|c| matches!(c, ']' | '}') && *c != partner(open.is)) {
        let close = Bracket { line: line.number, column: broken.column(), is: close };
        return Some(crossing(broken, &brackets, *open, close));
    }
    if here == Some(',') {
        let reason = "a comma with nothing before it";
        let help = "take one of the commas out";
        return Some(broken.explain(line.number, broken.column(), 1, reason, help));
    }
    Some(not_closed(broken, &line, *open).unwrap_or_else(|| comma(broken, &line)))
}

/// A bracket that is open where its list must have ended, or whose list stands too far out.
fn not_closed(broken: &Broken<'_>, line: &Line<'_>, open: Bracket) -> Option<Explanation> {
    let indent = broken.get(open.line).indent;
    if open.line < line.number
        && (line.content.is_empty() || line.has_dash || is_outside(line, indent))
    {
        let close = partner(open.is);
        let reason = format!("this `{}` is never closed", open.is);
        let help = format!("write `{close}` behind the last entry");
        return Some(broken.explain(open.line, open.column, 1, reason, help));
    }
    if broken.says(&["invalid indentation"]) {
        let help = format!(
            "write it in one line, or indent this line with at least {} spaces",
            broken.get(open.line).content_column + 1
        );
        let reason = "what is in brackets is indented further than its key";
        return Some(broken.explain_line(line, reason, help));
    }
    None
}

/// Whether a line has a key that is no further in than the line of an open bracket.
fn is_outside(line: &Line<'_>, indent: usize) -> bool {
    line.indent <= indent && line.key().is_some()
}

fn crossing(broken: &Broken<'_>, all: &Brackets, open: Bracket, close: Bracket) -> Explanation {
    let wanted = partner(open.is);
    let closes_another = all.open.iter().any(|other| partner(other.is) == close.is);
    let reason = format!("`{}` is where `{wanted}` must close the list", close.is);
    let reason = if open.is == '{' { reason.replace("the list", "the braces") } else { reason };
    let behind = broken.get(close.line).text.chars().skip(close.column + 1);
    let is_extra = behind.into_iter().find(|c| !c.is_whitespace()) == Some(wanted);
    let help = match closes_another {
        _ if is_extra => format!("take this `{}` out", close.is),
        true => format!("write `{wanted}` before this `{}`", close.is),
        false => format!("write `{wanted}` in its place"),
    };
    broken.explain(close.line, close.column, 1, reason, help)
}

/// Two entries without a comma between them.
fn comma(broken: &Broken<'_>, line: &Line<'_>) -> Explanation {
    let chars: Vec<char> = line.text.chars().collect();
    let column = broken.column().min(chars.len());
    let is_key = chars.get(column) == Some(&':');
    let start = match is_key {
        true => chars[..column].iter().rposition(|c| c.is_whitespace()).map_or(0, |at| at + 1),
        false => column,
    };
    let word: String =
        chars[start..].iter().take_while(|c| !c.is_whitespace() && !",:]}".contains(**c)).collect();
    let help = match word.as_str() {
        "" => "write a comma between the entries".to_owned(),
        word => format!("write a comma before `{}`", broken.name(word)),
    };
    broken.explain(line.number, start, word.chars().count(), "a comma is missing", help)
}

//! The lines of a template that the lines of its result come from.

use super::LINE;
use yaml::{Position, Span};

/// For each line of a result, the line of its template.
#[derive(Debug)]
pub(crate) struct TemplateLines(Vec<TemplateLine>);

/// A line of a template.
#[derive(Debug, Clone, Copy)]
struct TemplateLine {
    /// Its number, from 1.
    number: u32,
    /// The columns of its text.
    start: u32,
    end: u32,
    /// Whether the line of the result is equal to it.
    is_same: bool,
}

/// A template whose lines end with their numbers.
pub(super) fn marked(template: &str) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    for (index, line) in template.split_inclusive('\n').enumerate() {
        let text = line.trim_end_matches(['\n', '\r']);
        let (number, end) = (index + 1, line.get(text.len()..).unwrap_or_default());
        out.push_str(&format!("{text}{LINE}{number}{LINE}{end}"));
    }
    out
}

impl TemplateLines {
    /// The lines of a result, by the same result with marks. Lines without text have no marks of their own.
    pub(super) fn new(template: &str, result: &str, marked: &str) -> Self {
        let sources: Vec<&str> = template.lines().collect();
        let mut from = marked.lines().filter_map(unmarked).filter(|(text, _)| !text.is_empty());
        let mut last = TemplateLine { number: 1, start: 1, end: 1, is_same: false };
        let mut is_aligned = true;
        let lines = result.lines().map(|line| {
            if line.trim().is_empty() || !is_aligned {
                return TemplateLine { is_same: false, ..last };
            }
            match from.next().filter(|(text, _)| text == line.trim()) {
                Some((_, number)) => last = TemplateLine::new(number, line, &sources),
                // What trims white space can make one line of two.
                None => is_aligned = false,
            }
            last
        });
        Self(lines.collect())
    }

    /// The place in the template of a place in the result.
    pub(crate) fn place(&self, Span { start, end }: Span) -> Span {
        let of = |position: Position| {
            let index = usize::try_from(position.line.saturating_sub(1)).unwrap_or(usize::MAX);
            self.0.get(index).or(self.0.last())
        };
        let (Some(first), Some(last)) = (of(start), of(end)) else { return Span::TOP };
        let start = Position {
            line: first.number,
            column: if first.is_same { start.column } else { first.start },
        };
        let end = Position {
            line: last.number,
            column: if last.is_same { end.column } else { last.end },
        };
        Span { start, end: end.max(start) }
    }
}

impl TemplateLine {
    fn new(number: u32, result: &str, sources: &[&str]) -> Self {
        let columns = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let index = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let source = sources.get(index).copied().unwrap_or_default();
        let before = columns(source) - columns(source.trim_start());
        Self {
            number,
            start: before + 1,
            end: columns(source.trim_end()).saturating_add(1),
            is_same: source.trim_end() == result.trim_end(),
        }
    }
}

/// A line without its marks, trimmed, and the last of their numbers.
fn unmarked(line: &str) -> Option<(String, u32)> {
    let mut number = None;
    let mut text = String::with_capacity(line.len());
    for (index, part) in line.split(LINE).enumerate() {
        match index % 2 {
            0 => text.push_str(part),
            _ => number = part.parse().ok(),
        }
    }
    Some((text.trim().to_owned(), number?))
}

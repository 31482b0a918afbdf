//! Diagnostics as text: the problem, the line where it is, and the remedy.

use std::collections::BTreeSet;
use std::rc::Rc;

use annotate_snippets::Level;
use anstyle::Style;

use super::excerpt::{Excerpt, LineColumn, Underline};
use super::sources::{SourceLines, Sources};
use super::word;
use crate::declare::{Diagnostic, Related, Rule, Severity};
use crate::render::text::{BAD, CAREFUL, HEADING, QUIET, line};
use domain::text::{counted, printable};

/// Diagnostics with ANSI colours; the last line has the number of each severity.
pub fn text(diagnostics: &[Diagnostic], sources: &mut Sources) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        one(&mut out, diagnostic, sources);
        out.push('\n');
    }
    out + &sum(diagnostics) + "\n"
}

/// `2 errors, 1 warning in 2 files`.
pub(in crate::render) fn sum(diagnostics: &[Diagnostic]) -> String {
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let parts = severities.into_iter().filter_map(|severity| {
        let count = diagnostics.iter().filter(|found| found.severity == severity).count() as u64;
        (count > 0).then(|| counted(count, word(severity), "s"))
    });
    let files: BTreeSet<_> = diagnostics.iter().map(|found| &found.file).collect();
    let parts: Vec<_> = parts.collect();
    let sum = format!("{} in {}", parts.join(", "), counted(files.len() as u64, "file", "s"));
    match diagnostics.iter().filter(|found| found.fix.is_some()).count() {
        0 => sum,
        count => format!("{sum}; `portvakt validate --fix` can fix {count}"),
    }
}

/// A place in a file that is shown, with its lines if possible.
struct Shown<'d> {
    file: &'d str,
    at: LineColumn,
    /// The message where no lines can be shown.
    label: Option<&'d str>,
    excerpt: Option<Excerpt<'d>>,
}

fn one(out: &mut String, diagnostic: &Diagnostic, sources: &mut Sources) {
    let (level, style) = look(diagnostic.severity);
    let (word, code) = (word(diagnostic.severity), diagnostic.code.code());
    let message = printable(&diagnostic.message);
    line(out, format_args!("{style}{word}[{code}]{style:#}{HEADING}: {message}{HEADING:#}"));
    let labels: Vec<_> =
        diagnostic.related.iter().map(|related| printable(&related.message)).collect();
    let is_secret = diagnostic.code == Rule::Secret;
    let lines = sources.lines(&diagnostic.file).filter(|_| !is_secret);
    let others: Vec<Option<Rc<SourceLines>>> =
        diagnostic.related.iter().map(|related| sources.lines(&related.file)).collect();
    let mut all = vec![first(diagnostic, lines.as_deref())];
    for ((related, label), lines) in diagnostic.related.iter().zip(&labels).zip(&others) {
        add(&mut all, related, label, lines.as_deref());
    }
    let last_line = |shown: &Shown<'_>| shown.excerpt.as_ref().map_or(0, Excerpt::last_line);
    let width = digits(all.iter().map(last_line).max().unwrap_or_default());
    for (index, shown) in all.iter().enumerate() {
        place(out, shown, width);
        if let Some(excerpt) = &shown.excerpt {
            let padding = width - digits(excerpt.last_line());
            for part in excerpt.render(level.clone(), index == 0).lines() {
                line(out, format_args!("{:padding$}{part}", ""));
            }
        }
    }
    if let Some(help) = &diagnostic.help {
        let help = printable(help);
        line(out, format_args!("{:width$} {QUIET}={QUIET:#} {HEADING}help{HEADING:#}: {help}", ""));
    }
}

/// The place of the diagnostic itself.
fn first<'d>(diagnostic: &'d Diagnostic, lines: Option<&'d SourceLines>) -> Shown<'d> {
    let start = LineColumn { line: diagnostic.line, column: diagnostic.column };
    let end = LineColumn { line: diagnostic.end_line, column: diagnostic.end_column };
    let mark = Underline { start, end, label: None };
    let excerpt = lines.and_then(|lines| Excerpt::new(lines, mark));
    Shown { file: &diagnostic.file, at: start, label: None, excerpt }
}

/// Adds a related place to the excerpt of its file if it is near, or separately.
fn add<'d>(
    all: &mut Vec<Shown<'d>>,
    related: &'d Related,
    label: &'d str,
    lines: Option<&'d SourceLines>,
) {
    let start = LineColumn { line: related.line, column: related.column };
    let mut mark = Underline { start, end: start, label: Some(label) };
    for shown in all.iter_mut().filter(|shown| *shown.file == *related.file) {
        let Some(excerpt) = &mut shown.excerpt else {
            continue;
        };
        match excerpt.absorb(mark) {
            Ok(()) => return,
            Err(back) => mark = back,
        }
    }
    let excerpt = lines.and_then(|lines| Excerpt::new(lines, mark));
    all.push(Shown { file: &related.file, at: start, label: Some(label), excerpt });
}

fn place(out: &mut String, shown: &Shown<'_>, width: usize) {
    let Shown { file, at, label, excerpt } = shown;
    let (file, LineColumn { line: number, column }) = (printable(file), at);
    let said = match (label, excerpt) {
        (Some(label), None) => format!(": {label}"),
        (None, _) | (_, Some(_)) => String::new(),
    };
    line(out, format_args!("{:width$}{QUIET}-->{QUIET:#} {file}:{number}:{column}{said}", ""));
}

fn look(severity: Severity) -> (Level<'static>, Style) {
    match severity {
        Severity::Error => (Level::ERROR, BAD),
        Severity::Warning => (Level::WARNING, CAREFUL),
        Severity::Note => (Level::NOTE, QUIET),
    }
}

fn digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

//! Comments that silence a rule for one entity: `# portvakt: allow <rule> -- reason`.
//!
//! A comment on a line of its own speaks of the entity that begins below it, unless it is indented
//! more than that; one behind something of the entity that begins on its line. Else it is the
//! innermost entity around it.

use std::collections::HashMap;

use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::did_you_mean;
use crate::declare::diagnostic::{Diagnostic, Place, quoted};
use crate::declare::yaml::document::Findings;
use yaml::{Lines, Node, Position, Span};

/// How a comment to this program begins.
pub(crate) const MARK: &str = "portvakt:";
const HELP: &str = "write `# portvakt: allow <rule> -- why`, above a scope, a client, an alias, a group, an \
                    entry of `consumers`, `blocked` or `removed`, or behind it on its line";

/// In how many lines of a file silences are looked for: each is compared with much else.
const MOST: usize = 200;

/// A rule that is not heeded in one entity.
#[derive(Debug)]
pub(crate) struct Silence {
    rule: Box<str>,
    entity: Span,
    /// Where the comment stands.
    place: Place,
}

/// The silences of a file, each for one of its entities. Those that are not understood are reported.
pub(crate) fn read(
    text: &str,
    documents: &[Node<'_>],
    entities: impl Fn(&Node<'_>) -> Vec<Span>,
    findings: &mut Findings,
) -> Vec<Silence> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let all = Lines::new(text);
    let lines: Vec<&str> = (1..=all.starts.len()).map(|number| all.line(number)).collect();
    let entities: Vec<Span> = documents.iter().flat_map(entities).collect();
    let marked = lines.iter().enumerate().filter(|(_, line)| line.contains(MARK));
    let mut silences = Vec::new();
    for (count, (index, line)) in marked.enumerate() {
        if count >= MOST {
            let message = "more comments to this program than are heeded in one file";
            let help = "change the rule instead; it can have `environments` and `teams`";
            findings.report(Rule::Silence, whole(line, index), message, help);
            break;
        }
        let Some(comment) = comment(line, index, documents) else {
            continue;
        };
        let understood = rule(comment.text).and_then(|rule| {
            let entity = entity(&lines, index, comment.is_alone, &entities);
            let entity = entity.ok_or("this comment is not beside anything that a rule checks")?;
            Ok((rule, entity))
        });
        match understood {
            Ok((rule, entity)) => {
                let place = findings.place(comment.span);
                silences.push(Silence { rule: rule.into(), entity, place });
            }
            Err(message) => {
                findings.report(Rule::Silence, comment.span, message, HELP);
            }
        }
    }
    silences
}

/// A comment that speaks to this program.
struct SilenceComment<'l> {
    /// What follows the mark.
    text: &'l str,
    span: Span,
    is_alone: bool,
}

/// How many signs that may begin a comment are looked at before the one in question.
const MOST_SIGNS: usize = 20;

/// The comment of a line, if it begins with the mark.
fn comment<'l>(line: &'l str, index: usize, roots: &[Node<'_>]) -> Option<SilenceComment<'l>> {
    let (before, text) = line.split_once(MARK)?;
    let before = before.trim_end().strip_suffix('#')?;
    let is_comment = |before: &str| {
        let follows_space = before.is_empty() || before.ends_with([' ', '\t']);
        follows_space && !roots.iter().any(|root| root.is_in_scalar(behind(before, index)))
    };
    // Behind the beginning of another comment, this one is only spoken of.
    let mut signs = before.match_indices('#').map(|(at, _)| &before[..at]);
    let is_spoken_of = signs.by_ref().take(MOST_SIGNS).any(is_comment) || signs.next().is_some();
    if is_spoken_of || !is_comment(before) {
        return None;
    }
    let span = Span { start: behind(before, index), end: behind(line.trim_end(), index) };
    Some(SilenceComment { text, span, is_alone: before.trim().is_empty() })
}

/// The place behind a text with which a line begins.
fn behind(text: &str, index: usize) -> Position {
    Position::new(index + 1, text.chars().count() + 1)
}

/// A line without the white space at its end.
fn whole(line: &str, index: usize) -> Span {
    Span { start: behind("", index), end: behind(line.trim_end(), index) }
}

/// The rule of `allow <rule> -- reason`.
fn rule(text: &str) -> Result<&str, &'static str> {
    let rest = text.trim().strip_prefix("allow ").ok_or("this comment is not understood")?;
    let (rule, reason) = rest.split_once("--").unwrap_or((rest, ""));
    let rule = rule.trim();
    if rule.is_empty() || rule.contains(char::is_whitespace) {
        return Err("this comment does not name one rule");
    }
    if reason.trim().is_empty() {
        return Err("this comment does not say why");
    }
    Ok(rule)
}

/// The entity that a comment on a line speaks of.
fn entity(lines: &[&str], index: usize, is_alone: bool, entities: &[Span]) -> Option<Span> {
    let says_something = |line: &str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    };
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let mut below = (index..lines.len()).filter(|index| says_something(lines[*index]));
    let speaks_of = match is_alone {
        false => Some(index),
        true => below.next().filter(|b| indentation(lines[*b]) >= indentation(lines[index])),
    };
    let number = |index: usize| u32::try_from(index + 1).ok();
    if let Some(line) = speaks_of.and_then(number)
        && let Some(entity) = beginning(entities, line)
    {
        return Some(entity);
    }
    let above = (0..=index).rev().find(|index| says_something(lines[*index]))?;
    let (above, line) = (number(above)?, number(index)?);
    let column = number(indentation(lines[index]))?;
    let around = entities.iter().filter(|span| {
        let is_inside = !is_alone || span.start.column <= column;
        span.start.line < line && span.end.line >= above && is_inside
    });
    around.max_by_key(|span| span.start).copied()
}

/// The one outermost entity that begins on a line.
fn beginning(entities: &[Span], line: u32) -> Option<Span> {
    let begins: Vec<&Span> = entities.iter().filter(|span| span.start.line == line).collect();
    let outermost = begins.iter().min_by_key(|span| (span.start, std::cmp::Reverse(span.end)))?;
    begins.iter().all(|span| span.end <= outermost.end).then_some(**outermost)
}

/// Takes out what is silenced. Gives the silences that silenced nothing.
pub(crate) fn heed<'s>(found: &mut Vec<Diagnostic>, silences: &'s [Silence]) -> Vec<&'s Silence> {
    let mut by_file: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, silence) in silences.iter().enumerate() {
        by_file.entry(&silence.place.file).or_default().push(index);
    }
    let mut is_idle = vec![true; silences.len()];
    found.retain(|diagnostic| {
        let of_file = by_file.get(&*diagnostic.file).into_iter().flatten();
        let mut is_silenced = false;
        for index in of_file.filter(|index| silences[**index].covers(diagnostic)) {
            is_idle[*index] = false;
            is_silenced = true;
        }
        !is_silenced
    });
    let all = silences.iter().zip(is_idle);
    all.filter(|(_, is_idle)| *is_idle).map(|(silence, _)| silence).collect()
}

impl Silence {
    /// Whether it silences what was found in its file.
    fn covers(&self, found: &Diagnostic) -> bool {
        let at = Position::new(found.line, found.column);
        let is_meant = match &found.own_rule {
            Some(rule) => **rule == *self.rule,
            None => {
                let is_mild = !found.is_error() || found.code.can_be_silenced();
                found.code.code() == &*self.rule && is_mild
            }
        };
        is_meant && (self.entity.start..=self.entity.end).contains(&at)
    }

    /// That it silences nothing; `own` are the names of the repository's own rules.
    pub(crate) fn idle<'n>(&self, own: impl Iterator<Item = &'n str> + Clone) -> Diagnostic {
        let builtin = Rule::ALL.iter().find(|rule| rule.code() == &*self.rule);
        let shown = quoted(&self.rule);
        let (message, help) = match builtin {
            Some(rule) if !rule.can_be_silenced() => {
                (format!("{shown} cannot be silenced: it is an error"), "remove the comment".into())
            }
            None if !own.clone().any(|name| name == &*self.rule) => {
                let codes = Rule::ALL.iter().map(|rule| rule.code());
                let hint = did_you_mean(&self.rule, own.chain(codes));
                let help =
                    format!("{hint}name a rule of portvakt.yaml, or the code of a warning or note");
                (format!("there is no rule {shown}, so this comment silences nothing"), help)
            }
            Some(_) | None => {
                let message = format!("{shown} has nothing to say here, so this silences nothing");
                (message, "remove the comment".into())
            }
        };
        Diagnostic::new(Rule::SilencesNothing, &self.place, &message, &help)
    }
}

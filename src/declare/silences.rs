//! Comments that silence a rule for one entity: `# portvakt: allow <rule> -- reason`.
//!
//! A comment on a line of its own speaks of the entity that begins below it, one behind something
//! of the entity that begins on its line, and else of the innermost entity around it.

use super::diagnostic::{Diagnostic, Place, quoted};
use super::document::{Document, Findings, Located};
use super::places::{Position, Span};
use super::rules::Rule;
use super::suggest::did_you_mean;

const MARK: &str = "portvakt:";
const HELP: &str = "write `# portvakt: allow <rule> -- why`, above a scope, an alias, a group, an \
                    entry of `consumers` or of `removed`, or behind it on its line";

/// How many silences a file can have: each is compared with much else.
const MOST: usize = 200;

/// A rule that is not heeded in one entity.
#[derive(Debug)]
pub(super) struct Silence {
    rule: Box<str>,
    entity: Span,
    /// Where the comment stands.
    place: Place,
}

/// The silences of a file. Those that are not understood are reported.
pub(super) fn read(
    text: &str,
    documents: &[Document<'_>],
    findings: &mut Findings,
) -> Vec<Silence> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let roots: Vec<_> = documents.iter().map(Document::root).collect();
    let entities: Vec<Span> = roots.iter().flat_map(|root| entities(*root)).collect();
    let mut silences = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        for comment in comments(line, index) {
            if silences.len() == MOST {
                let message = "more silences than are heeded in one file";
                let help = "change the rule instead; it can have `environments` and `teams`";
                findings.report(Rule::Silence, comment.span, message, help);
                return silences;
            }
            if roots.iter().any(|root| root.is_in_scalar(comment.span.start)) {
                continue;
            }
            match (rule(comment.text), entity(&lines, index, comment.is_alone, &entities)) {
                (Ok(rule), Some(entity)) => {
                    let place = findings.place(comment.span);
                    silences.push(Silence { rule: rule.into(), entity, place });
                }
                (Ok(_), None) => {
                    let message =
                        "this comment silences a rule, but stands at nothing that has one";
                    findings.report(Rule::Silence, comment.span, message, HELP);
                }
                (Err(message), _) => {
                    findings.report(Rule::Silence, comment.span, message, HELP);
                }
            }
        }
    }
    silences
}

/// A comment that speaks to this program.
struct Comment<'l> {
    /// What follows the mark.
    text: &'l str,
    span: Span,
    is_alone: bool,
}

/// What may be comments of a line: each `#` that follows white space.
fn comments(line: &str, index: usize) -> impl Iterator<Item = Comment<'_>> {
    line.match_indices('#').filter_map(move |(at, _)| {
        let before = &line[..at];
        if !before.is_empty() && !before.ends_with([' ', '\t']) {
            return None;
        }
        let text = line[at + 1..].trim_start().strip_prefix(MARK)?;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let position = |text: &str| Position {
            line: number(index + 1),
            column: number(text.chars().count() + 1),
        };
        let span = Span { start: position(before), end: position(line.trim_end()) };
        Some(Comment { text, span, is_alone: before.trim().is_empty() })
    })
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

/// What can have silences: scopes and their consumers' entries, removals, aliases and groups.
fn entities(document: Located<'_>) -> Vec<Span> {
    fn items<'d>(at: Located<'d>, key: &str) -> impl Iterator<Item = Located<'d>> + use<'d> {
        at.get(key).into_iter().flat_map(Located::items)
    }
    let mut spans = Vec::new();
    for scope in items(document, "scopes") {
        spans.push(scope.span());
        spans.extend(items(scope, "consumers").map(Located::span));
    }
    spans.extend(items(document, "removed").map(Located::span));
    for section in ["consumers", "groups"].iter().filter_map(|key| document.get(key)) {
        for (name, at) in section.entries() {
            spans.push(Span { start: section.key_span(name).start, end: at.span().end });
        }
    }
    spans
}

/// The entity that a comment on a line speaks of.
fn entity(lines: &[&str], index: usize, is_alone: bool, entities: &[Span]) -> Option<Span> {
    let says_something = |line: &&str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    };
    let below = || lines.iter().skip(index).position(says_something);
    let line = u32::try_from(index + if is_alone { below()? } else { 0 } + 1).ok()?;
    let begins: Vec<&Span> = entities.iter().filter(|span| span.start.line == line).collect();
    let outermost = begins.iter().min_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    if let Some(outermost) = outermost
        && begins.iter().all(|span| span.end <= outermost.end)
    {
        return Some(**outermost);
    }
    let around = entities.iter().filter(|span| span.start.line < line && span.end.line >= line);
    around.max_by_key(|span| span.start).copied()
}

/// Takes out what is silenced. Gives the silences that silenced nothing.
pub(super) fn heed<'s>(found: &mut Vec<Diagnostic>, silences: &'s [Silence]) -> Vec<&'s Silence> {
    let mut idle: Vec<(&Silence, bool)> = silences.iter().map(|silence| (silence, true)).collect();
    found.retain(|diagnostic| {
        let silences = idle.iter_mut().filter(|(silence, _)| silence.covers(diagnostic));
        let mut silenced = false;
        for (_, is_idle) in silences {
            *is_idle = false;
            silenced = true;
        }
        !silenced
    });
    idle.into_iter().filter(|(_, is_idle)| *is_idle).map(|(silence, _)| silence).collect()
}

impl Silence {
    fn covers(&self, found: &Diagnostic) -> bool {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let at = Position { line: number(found.line), column: number(found.column) };
        let is_meant = match &found.own_rule {
            Some(rule) => **rule == *self.rule,
            None => found.code.code() == &*self.rule && !found.is_error(),
        };
        is_meant
            && found.file == self.place.file
            && (self.entity.start..=self.entity.end).contains(&at)
    }

    /// That it silences nothing; `own` are the names of the repository's own rules.
    pub(super) fn idle<'n>(&self, own: impl Iterator<Item = &'n str> + Clone) -> Diagnostic {
        let builtin = Rule::ALL.iter().find(|rule| rule.code() == &*self.rule);
        let shown = quoted(&self.rule);
        let (message, help) = match builtin {
            Some(rule) if rule.is_error() => (
                format!("{shown} cannot be silenced: it is an error"),
                "take the comment out".into(),
            ),
            None if !own.clone().any(|name| name == &*self.rule) => {
                let codes = Rule::ALL.iter().map(|rule| rule.code());
                let hint = did_you_mean(&self.rule, own.chain(codes));
                let help = format!("{hint}name a rule of portvakt.yaml, or a warning's code");
                (format!("there is no rule {shown}, so this comment silences nothing"), help)
            }
            Some(_) | None => {
                let message = format!("{shown} has nothing to say here, so this silences nothing");
                (message, "take the comment out".into())
            }
        };
        Diagnostic::new(Rule::SilencesNothing, &self.place, &message, &help)
    }
}

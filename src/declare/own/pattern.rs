//! Patterns of naming rules: parsing, and checking of texts.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;

use super::file::Values;
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::{did_you_mean, list};
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::{Keyed, Spanned};
use domain::composed;
use yaml::{Position, Span};

/// The longest pattern, in characters.
const LONGEST: usize = 1_000;
/// Largest size of a compiled pattern, in bytes. (Matching takes linear time.)
const LARGEST: usize = 1024 * 1024;
/// Largest number of values among which the intended one is looked for.
const MOST_COMPARED: usize = 1_000;
/// Largest nesting of a pattern.
const DEEPEST: u32 = 50;

const SYNTAX: &str = "the syntax is that of https://docs.rs/regex/latest/regex/#syntax; `\\` \
                      before a sign makes it stand for itself";

/// A pattern of a text, with the allowed values of its named groups.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    regex: Regex,
    values: BTreeMap<String, Values>,
}

/// A text's violation of a rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PatternBreach {
    /// What about it is wrong.
    pub(crate) why: String,
    /// The remedy; empty where the rule's message is sufficient.
    pub(crate) help: String,
}

impl Pattern {
    /// The pattern at the span, of the rule at `at`; reports its problems.
    pub(crate) fn read(
        Spanned { value: text, span }: &Spanned<String>,
        values: BTreeMap<String, Keyed<Values>>,
        findings: &mut Findings,
    ) -> Option<Self> {
        match compile(text) {
            Ok(regex) => {
                check_values(&regex, &values, findings);
                let values = values.into_iter().map(|(group, it)| (group, it.at.value));
                Some(Self { regex, values: values.collect() })
            }
            Err(Refused { range, message, help }) => {
                let span = range.map_or(*span, |range| inside(*span, text, range));
                findings.report(Rule::Pattern, span, &message, help);
                None
            }
        }
    }

    /// The way in which a text does not match the pattern. A named group that takes no part in the match can
    /// have any value.
    pub(crate) fn check(&self, text: &str) -> Option<PatternBreach> {
        let Some(captures) = self.regex.captures(text) else {
            let why = format!("{} does not match {}", quoted(text), quoted(self.regex.as_str()));
            return Some(PatternBreach { why, help: String::new() });
        };
        self.regex.capture_names().flatten().find_map(|group| {
            let Values(allowed) = self.values.get(group)?;
            let found = captures.name(group)?.as_str();
            if allowed.iter().any(|allowed| allowed == found) {
                return None;
            }
            let allowed = || allowed.iter().map(String::as_str);
            Some(PatternBreach {
                why: format!("`{group}` is {}", quoted(found)),
                help: format!(
                    "{}it can be {}",
                    did_you_mean(found, allowed().take(MOST_COMPARED)),
                    list(allowed())
                ),
            })
        })
    }
}

/// Reason why a text is not a valid pattern, with its range in bytes.
struct Refused {
    range: Option<(usize, usize)>,
    message: String,
    help: &'static str,
}

fn compile(text: &str) -> Result<Regex, Refused> {
    let refused = |message: String, help| Refused { range: None, message, help };
    if text.is_empty() {
        let help = "write a regular expression, such as `^etat:[a-z]+$`";
        return Err(refused("an empty pattern demands nothing".into(), help));
    }
    if text.chars().nth(LONGEST).is_some() {
        let message = format!("a pattern has at most {LONGEST} characters");
        return Err(refused(message, "make two rules of it"));
    }
    if let Err(error) = ParserBuilder::new().nest_limit(DEEPEST).build().parse(text) {
        let (reason, range) = reason(&error);
        let message = format!("this is not a valid regular expression: {reason}");
        return Err(Refused { range, message, help: SYNTAX });
    }
    let built = RegexBuilder::new(&composed(text)).size_limit(LARGEST).nest_limit(DEEPEST).build();
    built.map_err(|_| {
        let help = "repeat less, and name the letters that are meant: `[a-zæøå]` is smaller than \
                    `\\w`";
        refused("this pattern is too large once it is compiled".into(), help)
    })
}

fn reason(error: &regex_syntax::Error) -> (String, Option<(usize, usize)>) {
    let (reason, span) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span()),
        regex_syntax::Error::Translate(error) => (error.kind().to_string(), error.span()),
        other => return (other.to_string().replace('\n', " "), None),
    };
    (reason, Some((span.start.offset, span.end.offset)))
}

/// The place of a part of a text that is written in one line as it is: in quotes or not, but without escapes,
/// which would change its length. For any other text the place is that of the whole text.
pub(crate) fn inside(span: Span, text: &str, (from, to): (usize, usize)) -> Span {
    let Span { start, end } = span;
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let written = end.column.saturating_sub(start.column);
    let quote = match written.checked_sub(number(text.chars().count())) {
        Some(0) => 0,
        Some(2) => 1,
        Some(_) | None => return span,
    };
    if start.line != end.line {
        return span;
    }
    let at = |offset: usize| {
        let before = text.char_indices().take_while(|(index, _)| *index < offset).count();
        Position { line: start.line, column: start.column + quote + number(before) }
    };
    Span { start: at(from), end: at(to) }
}

fn check_values(regex: &Regex, values: &BTreeMap<String, Keyed<Values>>, findings: &mut Findings) {
    let groups: Vec<_> = regex.capture_names().flatten().collect();
    for (group, Keyed { key, at: Spanned { value: Values(allowed), span } }) in values {
        if !groups.contains(&group.as_str()) {
            let message = format!("the pattern has no group named {}", quoted(group));
            let help = match groups.is_empty() {
                true => "name one in the pattern: `(?<name>…)`".to_owned(),
                false => {
                    let groups = || groups.iter().copied();
                    format!("{}it has {}", did_you_mean(group, groups()), list(groups()))
                }
            };
            findings.report(Rule::WrongValue, *key, &message, &help);
        } else if allowed.is_empty() {
            let message = format!("an empty list: `{group}` could be nothing at all");
            let help = "list what it may be, or remove it from `values`";
            findings.report(Rule::WrongValue, *span, &message, help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str, values: &[(&str, &[&str])]) -> Pattern {
        let values = values.iter().map(|(group, allowed)| {
            ((*group).to_owned(), Values(allowed.iter().map(ToString::to_string).collect()))
        });
        let Ok(regex) = compile(text) else {
            panic!("{text}");
        };
        Pattern { regex, values: values.collect() }
    }

    fn broken(pattern: &Pattern, text: &str) -> (String, String) {
        pattern.check(text).map(|PatternBreach { why, help }| (why, help)).unwrap_or_default()
    }

    #[test]
    fn a_named_group_can_be_what_is_listed() {
        let products: &[&str] = &["arbeid", "helse"];
        let pattern =
            pattern("^etat:(?<product>[a-z]+)[:/][a-zæøå0-9./-]+$", &[("product", products)]);
        assert_eq!(pattern.check("etat:arbeid:aareg.read"), None);
        assert_eq!(pattern.check("etat:helse/blå"), None);
        let (why, help) = broken(&pattern, "etat:arbeit:aareg");
        assert_eq!(why, "`product` is `arbeit`");
        assert_eq!(help, "did you mean `arbeid`? it can be `arbeid`, `helse`");
        let (why, help) = broken(&pattern, "etat:nav:aareg");
        assert_eq!(why, "`product` is `nav`");
        assert_eq!(help, "it can be `arbeid`, `helse`");
        let (why, help) = broken(&pattern, "etat:aareg");
        assert_eq!(
            why,
            "`etat:aareg` does not match `^etat:(?<product>[a-z]+)[:/][a-zæøå0-9./-]+$`"
        );
        assert_eq!(help, "");
    }

    #[test]
    fn a_group_that_takes_no_part_can_be_anything() {
        let pattern = pattern("^((?<a>a+)|(?<b>b+))", &[("a", &["aa"]), ("b", &["bb"])]);
        assert_eq!(pattern.check("aa"), None);
        assert_eq!(pattern.check("bb"), None);
        assert_eq!(broken(&pattern, "b").0, "`b` is `b`");
    }

    #[test]
    fn a_pattern_finds_a_part_unless_it_is_anchored() {
        let pattern = pattern("b", &[]);
        assert_eq!(pattern.check("abc"), None);
        assert!(pattern.check("ac").is_some());
    }
}

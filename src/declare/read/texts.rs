//! What is wrong with the texts of attributes.

use std::fmt::Display;
use std::str::FromStr;

use super::attributes::ScopeLayer;
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::Spanned;
use crate::declare::yaml::suggestions;
use domain::{Orgno, composed};
use yaml::Span;

/// The value that a text stands for; reported with what the text is not, and with help, if there is none.
pub(crate) fn parsed<T: FromStr<Err: Display>>(
    text: &str,
    span: Span,
    rule: Rule,
    (what, help): (&str, &str),
    findings: &mut Findings,
) -> Option<T> {
    let report = |error| {
        let message = format!("{} {what}: {error}", quoted(text));
        findings.report(rule, span, &message, help);
    };
    text.parse().map_err(report).ok()
}

/// An organisation number, or a report of what is wrong with it.
pub(crate) fn parse_orgno(text: &str, span: Span, findings: &mut Findings) -> Option<Orgno> {
    text.parse()
        .map_err(|error| {
            let message = format!("{} is not an organisation number: {error}", quoted(text));
            let help = match suggestions::orgno(text) {
                Some(help) => help,
                None => "look the number up at https://www.brreg.no".into(),
            };
            findings.report(Rule::Orgno, span, &message, &help);
        })
        .ok()
}

/// Reports what cannot be seen in the description of a scope or a client.
pub(crate) fn check_description(declared: Option<&Spanned<String>>, findings: &mut Findings) {
    if let Some(Spanned { value: description, span }) = declared
        && description.contains(|c: char| c.is_control() && !c.is_whitespace())
    {
        let message = "the description holds a character that cannot be seen";
        let help = "in double quotes a backslash begins an escape: write `\\\\` for one, or put the \
                    text in single quotes";
        findings.report(Rule::Text, *span, message, help);
    }
}

/// What to write for a character that DigDir refuses.
fn plainer(strange: char) -> &'static str {
    match strange {
        '&' => "write `og` in its place; ",
        '–' | '—' | '−' | '‑' => "write `-` in its place; ",
        '“' | '”' | '„' | '«' | '»' => "write `\"` in its place; ",
        '‘' | '’' | '`' | '´' => "write `'` in its place; ",
        '…' => "write `...` in its place; ",
        '+' => "write `og` or `pluss` in its place; ",
        '%' => "write `prosent` in its place; ",
        _ => "",
    }
}

/// What is wrong with the texts of a scope or an override.
pub(crate) fn check_texts(
    description: Option<&Spanned<String>>,
    attributes: &ScopeLayer,
    findings: &mut Findings,
) {
    if let Some(Spanned { value, span }) = description
        && value.trim().is_empty()
    {
        let help = "say in one line what the scope gives access to";
        findings.report(Rule::Text, *span, "the description is empty", help);
    }
    check_description(description, findings);
    attributes.check(findings);
    // DigDir's own web refuses other characters.
    let allowed =
        |c: char| c.is_alphanumeric() || c.is_whitespace() || ".,-_:;!?'\"()/*[]#".contains(c);
    if let Some(Spanned { value: text, span }) = &attributes.long_description.0
        && let Some(strange) = composed(text).chars().find(|c| !allowed(*c))
    {
        let message = format!("DigDir refuses a long description that holds `{strange}`");
        let plainer = plainer(strange);
        let help = format!("{plainer}use letters, digits, white space and .,-_:;!?'\"()/*[]#");
        findings.report(Rule::Text, *span, &message, &help);
    }
}

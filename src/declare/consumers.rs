//! Reading aliases, groups and the entries that name consumers.

use jiff::civil::Date;
use serde_yaml::Value;

use super::declarations_file as file;
use super::declared::{Alias, Consumer, Declared, Group, Spans, Until, Who};
use super::diagnostic::quoted;
use super::document::{Findings, Located};
use super::environments::{EnvironmentNames, EnvironmentSet, check_name};
use super::item::{TEXT, entries_of, items_of, read, wrong_kind};
use super::places::Span;
use super::rules::Rule;
use super::settings::parse_orgno;

/// Reads the `consumers` of a document.
pub(super) fn aliases(
    document: Located<'_>,
    environments: &EnvironmentNames,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let section = document.get("consumers").unwrap_or(document);
    for (name, at) in entries_of(document, "consumers", findings) {
        let span = section.key_span(name);
        let alias = alias(name, at, span, environments, findings);
        match alias.filter(|_| check_name(name, span, findings)) {
            Some(alias) => declared.aliases.push(alias),
            None => declared.broken.push(name.to_owned()),
        }
    }
}

fn alias(
    name: &str,
    at: Located<'_>,
    span: Span,
    environments: &EnvironmentNames,
    findings: &mut Findings,
) -> Option<Alias> {
    let file::Consumer { name: display_name, environments: names, .. } = read(at, findings)?;
    let environments = environments.declared(names.0.as_deref(), at, findings);
    let (orgno, orgno_span) = at.text("orgno")?;
    Some(Alias {
        alias: name.to_owned(),
        orgno: parse_orgno(orgno, orgno_span, findings)?,
        name: display_name.0.filter(|name| !name.trim().is_empty()),
        environments,
        place: findings.place(span),
        spans: Spans::new(at),
    })
}

/// Reads the `groups` of a document.
pub(super) fn groups(document: Located<'_>, declared: &mut Declared, findings: &mut Findings) {
    let section = document.get("groups").unwrap_or(document);
    for (name, _) in entries_of(document, "groups", findings) {
        let span = section.key_span(name);
        if !check_name(name, span, findings) {
            declared.broken.push(name.to_owned());
            continue;
        }
        let members = items_of(section, name, findings)
            .filter_map(|at| Some((member(at, findings)?, at.span())))
            .collect();
        declared.groups.push(Group { name: name.to_owned(), members, place: findings.place(span) });
    }
}

fn member(at: Located<'_>, findings: &mut Findings) -> Option<Who> {
    let Value::String(text) = at.value else {
        wrong_kind(at, TEXT, findings);
        return None;
    };
    named(text, at.span(), findings)
}

/// An organisation number if the text has nothing but digits, else an alias.
fn named(text: &str, span: Span, findings: &mut Findings) -> Option<Who> {
    let numeric = |c: char| c.is_ascii_digit() || c.is_whitespace();
    if text.chars().all(numeric) {
        return parse_orgno(text, span, findings).map(Who::Orgno);
    }
    Some(Who::Alias(text.into()))
}

/// Reads one entry of a scope's consumers.
pub(super) fn consumer(
    at: Located<'_>,
    environments: &EnvironmentNames,
    findings: &mut Findings,
) -> Option<Consumer> {
    let plain = |who, who_span| Consumer {
        who,
        who_span,
        until: None,
        environments: EnvironmentSet::ALL,
        reason: None,
        span: at.span(),
    };
    match at.value {
        Value::String(text) => {
            let who = named(text, at.span(), findings)?;
            Some(plain(who, at.span()))
        }
        Value::Mapping(mapping) if mapping.contains_key("group") => {
            read::<file::GroupEntry>(at, findings)?;
            let (group, span) = at.text("group")?;
            Some(plain(Who::Group(group.into()), span))
        }
        Value::Mapping(_) => detailed(at, environments, findings),
        Value::Number(_) => {
            wrong_kind(at, TEXT, findings);
            None
        }
        Value::Null | Value::Bool(_) | Value::Sequence(_) | Value::Tagged(_) => {
            let expected =
                "an alias, an organisation number in quotes, `group: …` or `consumer: …`";
            wrong_kind(at, expected, findings);
            None
        }
    }
}

fn detailed(
    at: Located<'_>,
    environments: &EnvironmentNames,
    findings: &mut Findings,
) -> Option<Consumer> {
    let file::DetailedEntry { environments: names, reason, .. } = read(at, findings)?;
    let who =
        at.text("consumer").and_then(|(text, span)| Some((named(text, span, findings)?, span)));
    let until = match at.text("until") {
        Some((text, span)) => date(text, span, findings).map(|date| Until { date, span }),
        None => None,
    };
    let environments = environments.declared(names.0.as_deref(), at, findings);
    let (who, who_span) = who?;
    let reason = reason.0.map(Into::into);
    Some(Consumer { who, who_span, until, environments, reason, span: at.span() })
}

fn date(text: &str, span: Span, findings: &mut Findings) -> Option<Date> {
    // jiff reads more forms than one; a date in a declaration has one.
    let form = |(index, c): (usize, char)| match index {
        4 | 7 => c == '-',
        _ => c.is_ascii_digit(),
    };
    let date =
        (text.len() == 10 && text.char_indices().all(form)).then(|| text.parse().ok()).flatten();
    if date.is_none() {
        let message = format!("{} is no date", quoted(text));
        let help = "write the last day with access as YYYY-MM-DD, such as 2027-06-30";
        findings.report(Rule::Date, span, &message, help);
    }
    date
}

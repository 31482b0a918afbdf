//! Reading aliases, groups and the entries that name consumers.

use jiff::civil::Date;
use serde_yaml::Value;

use super::declarations_file as file;
use super::declared::{Alias, Consumer, Declared, Group, Spans, Until, Who};
use super::environments::{EnvironmentNames, EnvironmentSet, check_name};
use super::texts::parse_orgno;
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::span::Span;
use crate::declare::diagnostic::suggest::nearest;
use crate::declare::yaml::document::{Findings, Located};
use crate::declare::yaml::given::Spanned;
use crate::declare::yaml::instead;
use crate::declare::yaml::instead::TEXT;
use crate::declare::yaml::item::{entries_of, items_of, unknown_key, wrong_kind};
use crate::declare::yaml::table::read;
use domain::kept;

/// Reads the `consumers` of a document.
pub(crate) fn aliases(
    document: Located<'_>,
    environments: &EnvironmentNames,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let section = document.get("consumers").unwrap_or(document);
    for (name, at) in entries_of(document, "consumers", findings) {
        let span = section.key_span(name);
        let name = &*kept(name);
        let is_name = check_name(name, span, findings);
        let alias = alias(name, at, span, environments, findings);
        if !is_name || alias.is_none() {
            let without_space = name.split_whitespace().collect();
            declared.broken.extend([name.to_owned(), without_space]);
        }
        declared.aliases.extend(alias);
    }
}

fn alias(
    name: &str,
    at: Located<'_>,
    span: Span,
    environments: &EnvironmentNames,
    findings: &mut Findings,
) -> Option<Alias> {
    let file::Consumer { orgno, name: display_name, environments: names } = read(at, findings)?;
    let environments = environments.declared(names.0.as_deref(), at, findings);
    let Spanned { value: orgno, span: orgno_span } = orgno.0?;
    Some(Alias {
        alias: name.to_owned(),
        orgno: parse_orgno(&orgno, orgno_span, findings)?,
        name: display_name.kept().filter(|name| !name.is_empty()),
        environments,
        place: findings.place(span),
        spans: Spans::new(at),
    })
}

/// Reads the `groups` of a document.
pub(crate) fn groups(document: Located<'_>, declared: &mut Declared, findings: &mut Findings) {
    let section = document.get("groups").unwrap_or(document);
    for (key, _) in entries_of(document, "groups", findings) {
        let span = section.key_span(key);
        let name = &*kept(key);
        if !check_name(name, span, findings) {
            declared.broken.push(name.to_owned());
        }
        let members = items_of(section, key, findings)
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
    if text.chars().all(numeric) || instead::orgno(text).is_some() {
        return parse_orgno(text, span, findings).map(Who::Orgno);
    }
    Some(Who::Alias((&*kept(text)).into()))
}

/// Reads one entry of a scope's consumers.
pub(crate) fn consumer(
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
            let file::GroupEntry { group } = read(at, findings)?;
            let Spanned { value: group, span } = group.0?;
            Some(plain(Who::Group((&*kept(&group)).into()), span))
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
    if misshapen(at, findings) {
        return None;
    }
    let file::DetailedEntry { consumer, environments: names, reason, .. } = read(at, findings)?;
    let who =
        consumer.0.and_then(|Spanned { value, span }| Some((named(&value, span, findings)?, span)));
    let until = at.get("until").filter(|until| !until.value.is_null()).and_then(|until| {
        let span = until.span();
        date(until, findings).map(|date| Until { date, span })
    });
    let environments = environments.declared(names.0.as_deref(), at, findings);
    let (who, who_span) = who?;
    let reason = reason.0.map(Into::into);
    Some(Consumer { who, who_span, until, environments, reason, span: at.span() })
}

/// Reports an entry that is a mapping but names nobody: a name in the place of a key.
fn misshapen(at: Located<'_>, findings: &mut Findings) -> bool {
    const KEYS: [&str; 2] = ["consumer", "group"];
    let is_ours = |key: &str| nearest(key, KEYS) == Some("consumer");
    if at.entries().any(|(key, _)| is_ours(key) || instead::head(key, &KEYS).is_some()) {
        return false;
    }
    let Some((key, value)) = at.entries().next() else {
        return false;
    };
    if nearest(key, KEYS).is_some() {
        unknown_key(key, &KEYS, at, findings);
        return true;
    }
    if ["until", "environments", "reason"].contains(&key) {
        let message = "the key `consumer` is missing";
        let help = "remove the dash, and put two spaces in its place, if it belongs to the entry \
                    above; else add `consumer: …`";
        findings.report(Rule::MissingKey, at.span(), message, help);
        return true;
    }
    let holds_more = value.value.is_mapping() || value.value.is_null() || key.contains(' ');
    if !holds_more {
        return false;
    }
    let name = key.split(' ').next().unwrap_or(key);
    let shown = quoted(key);
    let help = format!(
        "write {}, and beside it what more there is to say, such as `until: …`",
        quoted(&format!("consumer: {name}"))
    );
    let message = format!("the key {shown} is not known here");
    findings.report(Rule::UnknownKey, at.key_span(key), &message, &help);
    true
}

fn date(at: Located<'_>, findings: &mut Findings) -> Option<Date> {
    let span = at.span();
    let text = match at.value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null
        | Value::Bool(_)
        | Value::Sequence(_)
        | Value::Mapping(_)
        | Value::Tagged(_) => {
            wrong_kind(at, "a date such as 2027-06-30", findings);
            return None;
        }
    };
    let date = as_written(&text);
    if date.is_none() {
        let message = format!("{} is no date", quoted(&text));
        let help = match meant(&text) {
            Some(date) => format!("write {date}: the last day with access, as YYYY-MM-DD"),
            None => "write the last day with access as YYYY-MM-DD, such as 2027-06-30".into(),
        };
        findings.report(Rule::Date, span, &message, &help);
    }
    date
}

/// The date that another way of writing stands for; the day stands before the month, as in Norway.
fn meant(text: &str) -> Option<Date> {
    let text = text.split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = text.split(['.', '/', '-']).collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => (*year, *month, *day),
        [day, month, year] if year.len() == 4 => (*year, *month, *day),
        [all] if all.len() == 8 && all.is_ascii() => (&all[..4], &all[4..6], &all[6..]),
        _ => return None,
    };
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn as_written(text: &str) -> Option<Date> {
    // jiff reads more forms than one; a date in a declaration has one.
    let form = |(index, c): (usize, char)| match index {
        4 | 7 => c == '-',
        _ => c.is_ascii_digit(),
    };
    (text.len() == 10 && text.char_indices().all(form)).then(|| text.parse().ok()).flatten()
}

//! Reading aliases, groups and the entries that name consumers.

use super::declarations_file as file;
use super::declared::{Alias, Declared, DeclaredAccess, DeclaredGroup, Spans, Until, Who};
use super::environments::{EnvironmentNames, EnvironmentSet, check_name};
use super::texts::parse_orgno;
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::nearest;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::{entries_of, items_of, unknown_key, wrong_kind};
use crate::declare::yaml::optional::{Members, Raw, Spanned};
use crate::declare::yaml::suggestions;
use crate::declare::yaml::suggestions::TEXT;
use crate::declare::yaml::table::{Read, TableReader};
use domain::kept;
use jiff::civil::Date;
use yaml::Span;
use yaml::{Node, Value};

/// Reads the `consumers` of a document.
pub(crate) fn aliases(
    section: Option<Members<'_, file::AliasEntry>>,
    environments: &EnvironmentNames,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    for (name, input) in entries_of(section, findings) {
        let name = &*kept(name);
        let is_name = check_name(name, input.key, findings);
        let alias = alias(name, input, environments, findings);
        if !is_name || alias.is_none() {
            let without_space = name.split_whitespace().collect();
            declared.broken.extend([name.to_owned(), without_space]);
        }
        declared.aliases.extend(alias);
    }
}

fn alias(
    name: &str,
    input: Raw<'_, file::AliasEntry>,
    environments: &EnvironmentNames,
    findings: &mut Findings,
) -> Option<Alias> {
    let file::AliasEntry { orgno, name: display_name, environments: names } =
        input.read(findings)?;
    let environments = environments.declared(&names, findings);
    let Spanned { value: orgno, span: orgno_span } = orgno.0?;
    Some(Alias {
        alias: name.to_owned(),
        orgno: parse_orgno(&orgno, orgno_span, findings)?,
        name: display_name.kept().filter(|name| !name.is_empty()),
        environments,
        place: findings.place(input.key),
        spans: Spans::new(input.at),
    })
}

/// Reads the `groups` of a document.
pub(crate) fn groups(
    section: Option<Members<'_, Vec<String>>>,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    for (name, list) in entries_of(section, findings) {
        let name = &*kept(name);
        if !check_name(name, list.key, findings) {
            declared.broken.push(name.to_owned());
        }
        let members = items_of(Some(list), None, findings)
            .filter_map(|member| {
                let span = member.at.span();
                Some((named(&member.read(findings)?, span, findings)?, span))
            })
            .collect();
        let place = findings.place(list.key);
        declared.groups.push(DeclaredGroup { name: name.to_owned(), members, place });
    }
}

/// An organisation number if the text has nothing but digits, else an alias.
fn named(text: &str, span: Span, findings: &mut Findings) -> Option<Who> {
    let numeric = |c: char| c.is_ascii_digit() || c.is_whitespace();
    if text.chars().all(numeric) || suggestions::orgno(text).is_some() {
        return parse_orgno(text, span, findings).map(Who::Orgno);
    }
    Some(Who::Alias((&*kept(text)).into()))
}

impl<'d> Read<'d> for file::ConsumerItem<'d> {
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        match &at.value {
            Value::String(text) => Some(Self::Name(text.to_string())),
            Value::Mapping(_) if at.get("group").is_some() => {
                Read::read(at, key, reader).map(Self::Group)
            }
            Value::Mapping(_) if misshapen(at, reader.findings) => None,
            Value::Mapping(_) => Read::read(at, key, reader).map(Self::Consumer),
            Value::Number(_) => reader.wrong(at, TEXT),
            Value::Null | Value::Bool(_) | Value::Sequence(_) => {
                let expected =
                    "an alias, an organisation number in quotes, `group: …` or `consumer: …`";
                reader.wrong(at, expected)
            }
        }
    }
}

/// Reads one entry of a scope's consumers.
pub(crate) fn consumer<'d>(
    input: Raw<'d, file::ConsumerItem<'d>>,
    environments: &EnvironmentNames,
    findings: &mut Findings,
) -> Option<DeclaredAccess> {
    let at = input.at;
    let plain = |who, who_span| DeclaredAccess {
        who,
        who_span,
        until: None,
        environments: EnvironmentSet::ALL,
        reason: None,
        span: at.span(),
    };
    match input.read(findings)? {
        file::ConsumerItem::Name(text) => {
            let who = named(&text, at.span(), findings)?;
            Some(plain(who, at.span()))
        }
        file::ConsumerItem::Group(file::GroupEntry { group }) => {
            let Spanned { value: group, span } = group.0?;
            Some(plain(Who::Group((&*kept(&group)).into()), span))
        }
        file::ConsumerItem::Consumer(entry) => detailed(entry, at, environments, findings),
    }
}

fn detailed(
    entry: file::DetailedEntry<'_>,
    at: &Node<'_>,
    environments: &EnvironmentNames,
    findings: &mut Findings,
) -> Option<DeclaredAccess> {
    let file::DetailedEntry { consumer, until, environments: names, reason } = entry;
    let who =
        consumer.0.and_then(|Spanned { value, span }| Some((named(&value, span, findings)?, span)));
    let until = until.0.filter(|until| !until.at.value.is_null()).and_then(|until| {
        let span = until.at.span();
        date(until.at, findings).map(|date| Until { date, span })
    });
    let environments = environments.declared(&names, findings);
    let (who, who_span) = who?;
    let reason = reason.0.map(Into::into);
    Some(DeclaredAccess { who, who_span, until, environments, reason, span: at.span() })
}

/// Reports an entry that is a mapping but names nobody: a name in the place of a key.
fn misshapen(at: &Node<'_>, findings: &mut Findings) -> bool {
    const KEYS: [&str; 2] = ["consumer", "group"];
    let is_ours = |key: &str| nearest(key, KEYS) == Some("consumer");
    if at.entries().any(|(key, _)| is_ours(key) || suggestions::head(key, &KEYS).is_some()) {
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

fn date(at: &Node<'_>, findings: &mut Findings) -> Option<Date> {
    let span = at.span();
    let text = match &at.value {
        Value::String(text) => text.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Sequence(_) | Value::Mapping(_) => {
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

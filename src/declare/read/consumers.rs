//! Reading aliases, groups and the entries that name consumers.

use super::declarations_file as file;
use super::declared::{
    Alias, Day, Declared, DeclaredAccess, DeclaredBlock, DeclaredGroup, Spans, Who,
};
use super::environments::{EnvironmentNames, check_name};
use super::globs::NameGlobs;
use super::texts::parse_orgno;
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::nearest;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::{entries_of, items_of, unknown_key, wrong_kind};
use crate::declare::yaml::optional::{Items, Members, Needed, Optional, Raw, Spanned};
use crate::declare::yaml::suggestions::{self, TEXT};
use crate::declare::yaml::table::{Read, TableReader};
use domain::kept;
use jiff::civil::Date;
use yaml::{Node, Span, Value, scalar};

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
    let span = input.at.span();
    let (named, from, until, names, reason) = match input.read(findings)? {
        file::ConsumerItem::Name(text) => {
            let who = named(&text, span, findings)?;
            return Some(DeclaredAccess::plain(who, span, span));
        }
        file::ConsumerItem::Group(entry) => {
            let file::GroupEntry { group, from, until, environments, reason } = entry;
            let group =
                group.0.map(|Spanned { value, span }| (Who::Group((&*kept(&value)).into()), span));
            (group, from, until, environments, reason)
        }
        file::ConsumerItem::Consumer(entry) => {
            let file::DetailedEntry { consumer, from, until, environments, reason } = entry;
            (consumer_of(consumer, findings), from, until, environments, reason)
        }
    };
    let from = day(from, "first", findings);
    let until = day(until, "last", findings);
    let environments = environments.declared(&names, findings);
    let (who, who_span) = named?;
    let reason = reason.0.map(Into::into);
    let access = DeclaredAccess { who, who_span, from, until, environments, reason, span };
    if let (Some(from), Some(until), true) = (from, until, access.days().is_reversed()) {
        let message = format!(
            "the last day with access, {}, comes before the first one, {}",
            until.date, from.date
        );
        let help = "correct `from` or `until`: both of these days are days with access";
        findings.report(Rule::Date, until.span, &message, help);
    }
    Some(access)
}

/// The organisation that an entry names, and where.
fn consumer_of(consumer: Needed<Spanned<String>>, findings: &mut Findings) -> Option<(Who, Span)> {
    let Spanned { value, span } = consumer.0?;
    Some((named(&value, span, findings)?, span))
}

fn day(input: Optional<Raw<'_, String>>, which: &str, findings: &mut Findings) -> Option<Day> {
    let Raw { at, .. } = input.0.filter(|day| !day.at.value.is_null())?;
    Some(Day { date: date(at, which, findings)?, span: at.span() })
}

/// Reads the `blocked` of a document.
pub(crate) fn blocks(
    section: Option<Items<'_, file::BlockedItem>>,
    environments: &EnvironmentNames,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let for_mapping = "write each entry as `- { consumer: …, reason: … }`";
    for item in items_of(section, Some(for_mapping), findings) {
        let Some(entry) = item.read(findings) else { continue };
        let file::BlockedItem { consumer, environments: names, scopes, reason } = entry;
        let environments = environments.declared(&names, findings);
        if let Some(globs) = scopes.0.as_ref().filter(|globs| globs.is_empty()) {
            let message = "an empty list of scopes: this would block nothing";
            let help = "name some, or remove the entry if nobody is to be blocked; without `scopes` it would \
                        block the organisation from all scopes, and revoke its access to them";
            findings.report(Rule::WrongValue, globs.span, message, help);
        }
        let scopes = scopes.0.map(|globs| NameGlobs::read(globs, findings));
        let named = consumer_of(consumer, findings);
        let (Some((who, span)), Some(reason)) = (named, reason.0) else { continue };
        let place = findings.place(span);
        declared.blocks.push(DeclaredBlock { who, scopes, environments, reason, place });
    }
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
    if ["from", "until", "environments", "reason"].contains(&key) {
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
        quoted(&format!("consumer: {}", scalar(name, false)))
    );
    let message = format!("the key {shown} is not known here");
    findings.report(Rule::UnknownKey, at.key_span(key), &message, &help);
    true
}

/// Reads the `which` (first or last) day with access.
fn date(at: &Node<'_>, which: &str, findings: &mut Findings) -> Option<Date> {
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
        let message = format!("{} is not a date", quoted(&text));
        let help = match meant(&text) {
            Some(date) => format!("write {date}: the {which} day with access, as YYYY-MM-DD"),
            None => format!("write the {which} day with access as YYYY-MM-DD, such as 2027-06-30"),
        };
        findings.report(Rule::Date, at.span(), &message, &help);
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

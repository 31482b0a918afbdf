//! A plan as text, for a reviewer with two minutes: the sum, then what takes access away or opens
//! what was closed, then the rest.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde_json::Value;

use super::Context;
use crate::domain::{Change, LiveKey};
use crate::plan::{Action, Blocked, Code, Consumer, Notice, Plan, Target, Verb, Work};
use crate::text::{counted, printable};

pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const CAREFUL: Style = AnsiColor::Yellow.on_default();
pub(super) const HEADING: Style = Style::new().bold();
pub(super) const QUIET: Style = Style::new().dimmed();

/// How many notices of one kind are listed before the others are counted.
const LISTED_NOTICES: usize = 10;

/// A plan as text with ANSI colours, a line break at the end.
pub fn plan(plan: &Plan, context: &Context) -> String {
    let mut out = String::new();
    head(&mut out, plan, context);
    let (delicate, rest): (Vec<_>, Vec<_>) = plan.actions.iter().partition(|a| is_delicate(a));
    section(&mut out, "Takes access away or opens up", &delicate);
    section(&mut out, if delicate.is_empty() { "Changes" } else { "The rest" }, &rest);
    blocked(&mut out, &plan.blocked);
    limits(&mut out, &plan.passed_limits);
    notices(&mut out, &plan.notices);
    if !plan.actions.is_empty() {
        line(&mut out, format_args!("\n{QUIET}digest {}{QUIET:#}", plan.digest()));
    }
    out
}

/// `2 to create, 1 to revoke`, in the order of the verbs; empty for no actions.
fn sum(plan: &Plan) -> String {
    let parts = Verb::ALL.into_iter().filter_map(|verb| match plan.count(verb) {
        0 => None,
        count if verb == Verb::Keys => {
            Some(format!("keys of {} to change", counted(count as u64, "client", "s")))
        }
        count => Some(format!("{count} to {}", verb.as_str())),
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a String does not fail.
    let _ = writeln!(out, "{text}");
}

fn head(out: &mut String, plan: &Plan, context: &Context) {
    let environment = printable(&plan.environment);
    let organization = match &context.organization_name {
        Some(name) => format!("{} ({})", printable(name), plan.organization),
        None => plan.organization.to_string(),
    };
    line(out, format_args!("{HEADING}Plan for {environment}{HEADING:#}, {organization}"));
    match (plan.actions.is_empty(), plan.blocked.len()) {
        (true, 0) => line(out, format_args!("Nothing to do.")),
        (true, blocked) => line(out, format_args!("Nothing to do but {blocked} blocked.")),
        (false, 0) => line(out, format_args!("{}.", sum(plan))),
        (false, blocked) => line(out, format_args!("{}; {blocked} blocked.", sum(plan))),
    }
}

/// Whether the action takes something from somebody, or opens what was closed.
fn is_delicate(action: &Action) -> bool {
    match (action.verb(), &action.work) {
        (Verb::Revoke | Verb::Deactivate | Verb::Reactivate, _) => true,
        (Verb::Create | Verb::Update, _) => {
            action.changes().iter().any(|change| opens_or_closes(change).is_some())
        }
        (Verb::Keys, Work::Keys(_, keys)) => keys.takes_away(),
        (Verb::Keys | Verb::Grant, _) => false,
    }
}

/// What it means where a change opens a scope to more than before, or closes it for all but some.
fn opens_or_closes(change: &Change) -> Option<&'static str> {
    match (change.field, &change.before, &change.after) {
        ("accessible_for_all", _, Value::Bool(true)) => Some(": everybody has access"),
        ("accessible_for_all", Value::Bool(true), _) => Some(": only those who are granted it"),
        ("allowed_integration_types", Value::Array(before), Value::Array(after))
            if !before.is_empty() && after.is_empty() =>
        {
            Some(": any kind of client")
        }
        ("visibility", Value::String(before), Value::String(after))
            if before != "PUBLIC" && after == "PUBLIC" =>
        {
            Some(": seen by everybody")
        }
        _ => None,
    }
}

fn section(out: &mut String, heading: &str, actions: &[&Action]) {
    if actions.is_empty() {
        return;
    }
    line(out, format_args!("\n{HEADING}{heading}{HEADING:#}"));
    for action in actions {
        action_lines(out, action);
    }
}

fn mark(verb: Verb) -> (Style, char) {
    match verb {
        Verb::Revoke | Verb::Deactivate => (BAD, '-'),
        Verb::Reactivate => (CAREFUL, '!'),
        Verb::Update | Verb::Keys => (CAREFUL, '~'),
        Verb::Create | Verb::Grant => (GOOD, '+'),
    }
}

fn action_lines(out: &mut String, action: &Action) {
    let (style, mark) = mark(action.verb());
    let verb = action.verb().as_str();
    let what = what(action);
    let consumer = action.consumer().map(|who| format!("  {}", named(who))).unwrap_or_default();
    let place = format!("{}:{}", printable(&action.source.file), action.source.line);
    line(
        out,
        format_args!(
            "  {style}{mark} {verb:<10}{style:#} {what}{consumer}  {QUIET}{place}{QUIET:#}"
        ),
    );
    if let Some(reason) = &action.reason {
        line(out, format_args!("      reason: {}", printable(reason)));
    }
    consumers_line(out, action.regains(), "with access again");
    keys_line(out, action.regains_keys());
    consumers_line(out, action.loses(), "without access until it is active again");
    for change in action.changes() {
        change_line(out, &change);
    }
}

/// The scope, or the client, as a reader tells them apart.
fn what(action: &Action) -> String {
    let name = |name: &str| printable(name).into_owned();
    match action.target() {
        Target::Scope(scope) | Target::Access(scope, _) => name(scope.as_str()),
        Target::Client(client) | Target::Keys(client) => {
            format!("client {}", name(client.as_str()))
        }
    }
}

fn keys_line(out: &mut String, keys: &[LiveKey]) {
    if !keys.is_empty() {
        let kids: Vec<_> = keys.iter().map(|key| printable(&key.kid)).collect();
        let (counted, kids) = (counted(keys.len() as u64, "key", "s"), kids.join(", "));
        let counts = if keys.len() == 1 { "counts" } else { "count" };
        line(out, format_args!("      {CAREFUL}{counted} {counts} again{CAREFUL:#}: {kids}"));
    }
}

fn consumers_line(out: &mut String, consumers: &[Consumer], what: &str) {
    if !consumers.is_empty() {
        let who: Vec<_> = consumers.iter().map(named).collect();
        let (count, who) = (counted(who.len() as u64, "consumer", "s"), who.join(", "));
        line(out, format_args!("      {CAREFUL}{count} {what}{CAREFUL:#}: {who}"));
    }
}

fn change_line(out: &mut String, change: &Change) {
    if matches!(change.field, "jwks" | "onbehalfof") {
        return entry_line(out, change);
    }
    let warning = opens_or_closes(change).unwrap_or_default();
    let Change { field, before, after } = change;
    let before = match before {
        Value::Null => String::new(),
        before => format!("{} -> ", value(before)),
    };
    line(out, format_args!("      {field}: {before}{}{CAREFUL}{warning}{CAREFUL:#}", value(after)));
}

/// A key or an entry that comes (`+`), goes (`-`) or becomes another (`~`).
fn entry_line(out: &mut String, Change { field, before, after }: &Change) {
    let entry = |entry: &Value| match (entry["kid"].as_str(), entry["thumbprint"].as_str()) {
        (Some(kid), thumbprint) => {
            let thumbprint = thumbprint.filter(|thumbprint| *thumbprint != kid);
            let thumbprint = thumbprint.map(|text| format!("thumbprint {}", printable(text)));
            let alg = entry["alg"].as_str().map(str::to_owned);
            let ends = entry["exp"].as_i64().and_then(|exp| Timestamp::from_second(exp).ok());
            let ends = ends.map(|ends| format!("ends on {}", ends.strftime("%F")));
            let x5c = entry["x5c"].as_array().map(|_| "locked to its certificate".to_owned());
            let parts: Vec<String> = [thumbprint, alg, ends, x5c].into_iter().flatten().collect();
            match parts.is_empty() {
                true => printable(kid).into_owned(),
                false => format!("{} ({})", printable(kid), parts.join(", ")),
            }
        }
        (None, _) => value(entry),
    };
    let told = match (before, after) {
        (Value::Null, after) => format!("{GOOD}+{GOOD:#} {}", entry(after)),
        (before, Value::Null) => format!("{BAD}-{BAD:#} {}", entry(before)),
        (before, after) => {
            format!("{CAREFUL}~{CAREFUL:#} {} -> {}", entry(before), entry(after))
        }
    };
    line(out, format_args!("      {field}: {told}"));
}

/// A value as it would stand in the YAML; `none` where there is none.
fn value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        other => printable(&other.to_string()).into_owned(),
    }
}

fn named(consumer: &Consumer) -> String {
    match &consumer.name {
        Some(name) => format!("{} {}", consumer.orgno, printable(name)),
        None => consumer.orgno.to_string(),
    }
}

fn blocked(out: &mut String, blocked: &[Blocked]) {
    if blocked.is_empty() {
        return;
    }
    line(out, format_args!("\n{HEADING}Blocked: asked for, and not done{HEADING:#}"));
    for Blocked { target, code, message } in blocked {
        let target = target.to_string();
        line(out, format_args!("  {BAD}x{BAD:#} {} {QUIET}{code}{QUIET:#}", printable(&target)));
        line(out, format_args!("      {}", printable(message)));
    }
}

fn limits(out: &mut String, limits: &[Notice]) {
    if limits.is_empty() {
        return;
    }
    line(out, format_args!("\n{HEADING}Limits passed: apply refuses this{HEADING:#}"));
    for Notice { code, target: _, message } in limits {
        line(out, format_args!("  {BAD}x{BAD:#} {code} {}", printable(message)));
    }
}

fn notices(out: &mut String, notices: &[Notice]) {
    if notices.is_empty() {
        return;
    }
    line(out, format_args!("\n{HEADING}Worth knowing{HEADING:#}"));
    for alike in notices.chunk_by(|a, b| a.code == b.code) {
        for notice in alike.iter().take(LISTED_NOTICES) {
            notice_line(out, notice);
        }
        if let Some(more) = alike.len().checked_sub(LISTED_NOTICES).filter(|more| *more > 0) {
            let code = alike.first().map_or("", |notice| Code::as_str(notice.code));
            line(out, format_args!("  {code} and {more} more; --format json lists them all"));
        }
    }
}

fn notice_line(out: &mut String, Notice { code, target, message }: &Notice) {
    let (target, message) = (printable(target), printable(message));
    line(out, format_args!("  {QUIET}{code}{QUIET:#} {target}: {message}"));
}

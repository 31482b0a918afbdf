//! Reading scopes and what is removed.

use std::sync::Arc;

use super::attributes::ScopeLayer;
use super::consumers;
use super::declarations_file as file;
use super::declared::{Declared, RemovedScope, Scope, ScopePart, Spans, Stray};
use super::overrides::{check_reach, overrides};
use super::settings::Settings;
use super::texts::check_texts;
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::{did_you_mean, list};
use crate::declare::own::sorted;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::items_of;
use crate::declare::yaml::optional::{Raw, Spanned};
use domain::{ScopeName, ScopeNameError, kept};
use yaml::{Node, Span};

/// Reads one scope.
pub(crate) fn scope<'d>(
    input: Raw<'d, file::Scope<'d>>,
    settings: &Settings,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let names = &settings.environment_names;
    let at = input.at;
    let Some(input) = input.read(findings) else {
        let consumers = Arc::default();
        declared.strays.push(Stray { consumers, place: findings.place(at.span()) });
        return;
    };
    let list = input.consumers;
    if let Some(Raw { at, .. }) = list.filter(|list| list.at.value.is_null()) {
        let help = "write `consumers: []` if nobody is to have access";
        let message =
            "there is nothing behind `consumers`, and that would revoke everybody's access";
        findings.report(Rule::WrongValue, at.span(), message, help);
    }
    let consumers: Arc<[_]> = items_of(list, None, findings)
        .filter_map(|entry| consumers::consumer(entry, names, findings))
        .collect();
    let overrides = overrides(input.per_environment, names, part, findings);
    let (attributes, description) = (ScopeLayer::from(&input), input.description.0.as_ref());
    check_texts(description, &attributes, findings);
    let name = input.name.0.as_ref().and_then(|name| scope_name(name, settings, findings));
    let environments = names.declared(&input.environments, findings);
    let Some((name, span)) = name else {
        declared.strays.push(Stray { consumers, place: findings.place(at.span()) });
        return;
    };
    let scope = Scope {
        name,
        spans: Spans::new(at),
        attributes,
        description: description.map_or_else(String::new, |it| kept(&it.value).into_owned()),
        active: input.active.0.unwrap_or(true),
        prevent_deactivation: input.prevent_deactivation.0.unwrap_or(false),
        environments,
        overrides,
        consumers,
        place: findings.place(span),
        in_manifest: false,
    };
    let held = (scope.environments, "scope");
    for entry in &*scope.consumers {
        check_reach(held, (entry.environments, "entry"), entry.span, findings);
    }
    for own in &scope.overrides {
        check_reach(held, (own.environment, "override"), own.span, findings);
    }
    sorted::check(&scope, settings, findings);
    declared.scopes.push(scope);
}

/// What a scope is in one environment.
fn part(input: file::ScopeInEnvironment, at: &Node<'_>, findings: &mut Findings) -> ScopePart {
    let attributes = ScopeLayer::from(&input);
    check_texts(input.description.0.as_ref(), &attributes, findings);
    ScopePart {
        attributes,
        description: input.description.kept(),
        active: input.active.0,
        spans: Spans::new(at),
    }
}

/// Reads one entry of `removed`.
pub(crate) fn removed(
    input: file::RemovedScopeItem,
    settings: &Settings,
    findings: &mut Findings,
) -> Option<RemovedScope> {
    let file::RemovedScopeItem { scope, action, reason, environments } = input;
    let name = scope.0.and_then(|scope| scope_name(&scope, settings, findings));
    let names = &settings.environment_names;
    let environments = names.declared(&environments, findings);
    let ((scope, span), action) = (name?, action.0?);
    let place = findings.place(span);
    Some(RemovedScope { scope, action, reason: reason.0, environments, place })
}

/// The name of a scope, and where it stands.
fn scope_name(
    written: &Spanned<String>,
    settings: &Settings,
    findings: &mut Findings,
) -> Option<(ScopeName, Span)> {
    let Spanned { value: text, span } = written;
    let span = *span;
    let name: ScopeName = match text.parse() {
        Ok(name) => name,
        Err(error) => {
            let message = format!("{} is not a valid scope name: {error}", quoted(text));
            let help = scope_name_help(text, error, settings);
            findings.report(Rule::ScopeName, span, &message, &help);
            return None;
        }
    };
    if !settings.prefixes.is_empty() && !settings.prefixes.iter().any(|p| p == name.prefix()) {
        let message = format!("{} lies outside the organisation's prefixes", quoted(name.as_str()));
        let known = list(settings.prefixes.iter().map(String::as_str));
        let hint = did_you_mean(name.prefix(), settings.prefixes.iter().map(String::as_str));
        let help = format!(
            "{hint}begin the name with one of {known} and a colon, or add the prefix to \
             portvakt.yaml if DigDir has given it to the organisation"
        );
        findings.report(Rule::Prefix, span, &message, &help);
        return None;
    }
    Some((name, span))
}

fn scope_name_help(text: &str, error: ScopeNameError, settings: &Settings) -> String {
    let prefix = settings.prefixes.first().map_or("etat", String::as_str);
    let rest: String = text.trim_matches(':').chars().take(60).collect();
    match error {
        ScopeNameError::NotPrefixAndSubscope if rest != prefix && !rest.is_empty() => {
            format!("write the prefix and a colon before it: `{prefix}:{rest}`")
        }
        ScopeNameError::NotPrefixAndSubscope => {
            format!("write the prefix, a colon and the rest, such as `{prefix}:arbeid.read`")
        }
        ScopeNameError::Character(_) => {
            format!(
                "write it with letters, digits, `.`, `:`, `/`, `-` and `_`, such as `{prefix}:arbeid.read`"
            )
        }
    }
}

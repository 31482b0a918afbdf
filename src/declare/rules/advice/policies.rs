//! Checks of the repository's policies.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::{MOST_FOUND, too_much};
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::{Diagnostic, Place, SharedCause, quoted, shortened};
use crate::declare::files::index::SETTINGS_FILE;
use crate::declare::own::expression::{UsedPart, Variables};
use crate::declare::own::file::PolicySubject;
use crate::declare::own::policies::Policy;
use crate::declare::read::declared::{DeclaredAccess, Scope};
use crate::declare::resolve::attributes;
use crate::declare::resolve::here::Here;
use domain::text::json::value as shown;
use domain::{Orgno, SCOPE};
use yaml::Span;

/// Largest number of steps of all policies together in one environment: a step takes about 100 ns. (Each
/// evaluation has its own limit, too.)
const MOST_STEPS: u64 = 100_000_000;

/// The most characters of a value in a message.
const LONGEST_VALUE: usize = 80;

/// Result of one policy for one scope or access.
enum PolicyAnswer<'p> {
    Broken(Diagnostic),
    /// It cannot be evaluated.
    Failed(&'p Policy, Diagnostic),
}

/// A policy, and the number of its steps for all scopes together.
struct CountedPolicy<'p> {
    policy: &'p Policy,
    steps: AtomicU64,
}

pub(super) fn find(here: &Here<'_>, found: &mut Vec<Diagnostic>) {
    let policies = here.settings.policies.iter();
    let policies = policies.filter(|policy| policy.head.environments.overlaps(here.set));
    let policies: Vec<_> =
        policies.map(|policy| CountedPolicy { policy, steps: AtomicU64::new(0) }).collect();
    if policies.is_empty() {
        return;
    }
    let scopes: Vec<_> = here.scopes().collect();
    let all_steps = AtomicU64::new(0);
    let reported = AtomicUsize::new(0);
    let ask = |scope: &&Scope| ask(&policies, scope, here, &all_steps, &reported);
    let answers: Vec<_> = scopes.par_iter().flat_map_iter(ask).collect();
    let all_steps = all_steps.into_inner();
    if all_steps > MOST_STEPS {
        // The policies that were evaluated depend on the order; the number of steps of all does not.
        found.extend(too_many_steps(&policies, all_steps));
        return;
    }
    if reported.into_inner() > MOST_FOUND {
        // The same is true of the findings that were reported.
        found.push(too_much());
        return;
    }
    let mut failed = HashSet::new();
    for answer in answers {
        match answer {
            PolicyAnswer::Broken(diagnostic) => found.push(diagnostic),
            // Once is enough: it is the expression that has to be fixed.
            PolicyAnswer::Failed(policy, diagnostic) => {
                if failed.insert(&policy.head.name) {
                    found.push(diagnostic);
                }
            }
        }
    }
}

fn too_many_steps(policies: &[CountedPolicy<'_>], all_steps: u64) -> Option<Diagnostic> {
    let steps = |asked: &&CountedPolicy<'_>| asked.steps.load(Ordering::Relaxed);
    let most = policies.iter().max_by_key(steps)?;
    let message = format!(
        "the policies would take {all_steps} steps in one environment, and {MOST_STEPS} at most are \
         taken; this one takes {}",
        steps(&most)
    );
    let help = "do not run over `scope.consumers` for each access, or ask fewer scopes: by \
                `teams`, `environments`, or a condition that comes first";
    Some(Diagnostic::new(Rule::Expression, &most.policy.place, &message, help))
}

fn ask<'p>(
    policies: &[CountedPolicy<'p>],
    scope: &Scope,
    here: &Here<'_>,
    all_steps: &AtomicU64,
    reported: &AtomicUsize,
) -> Vec<PolicyAnswer<'p>> {
    let team = here.settings.teams.of(&scope.place.file).map(|team| team.name.as_str());
    let accesses = accesses(scope, here);
    let variables = Variables::new([
        ("scope", value(scope, &accesses, policies, here)),
        ("environment", here.name.into()),
        ("team", team.into()),
    ]);
    let mut answers = Vec::new();
    let mut report = |answer: Option<PolicyAnswer<'p>>| {
        let few = |_: &PolicyAnswer<'_>| reported.fetch_add(1, Ordering::Relaxed) < MOST_FOUND;
        answers.extend(answer.filter(few));
    };
    for CountedPolicy { policy, steps } in policies {
        if !policy.head.counts_for(team) {
            continue;
        }
        let cost = cost(policy, &variables, &accesses);
        steps.fetch_add(cost, Ordering::Relaxed);
        if all_steps.fetch_add(cost, Ordering::Relaxed).saturating_add(cost) > MOST_STEPS {
            continue;
        }
        match policy.applies_to {
            PolicySubject::Scope => {
                report(answer(policy, &variables, scope, scope.place.span, None, here));
            }
            PolicySubject::Access => {
                for (access, orgno, span) in &accesses {
                    let variables = Variables::new([("access", access)]).on(&variables);
                    report(answer(policy, &variables, scope, *span, Some(*orgno), here));
                }
            }
        }
    }
    answers
}

/// The number of steps of a policy for a scope, or for all of its accesses, for which the one with the
/// longest texts is representative. Far fewer than 2^64 even in total.
fn cost(policy: &Policy, variables: &Variables<'_>, accesses: &[(Value, Orgno, Span)]) -> u64 {
    let steps = |variables: &Variables<'_>| {
        policy.expression.steps(variables).map_or(0, |(steps, _)| steps.min(MOST_STEPS))
    };
    match policy.applies_to {
        PolicySubject::Scope => steps(variables),
        PolicySubject::Access => {
            let length = |access: &Value| -> usize {
                let texts = ["alias", "group", "reason"].map(|key| access[key].as_str());
                texts.into_iter().flatten().map(str::len).sum()
            };
            let longest = accesses.iter().max_by_key(|(access, _, _)| length(access));
            let longest = longest.map_or(&Value::Null, |(access, _, _)| access);
            let variables = Variables::new([("access", longest)]).on(variables);
            steps(&variables) * accesses.len() as u64
        }
    }
}

fn answer<'p>(
    policy: &'p Policy,
    variables: &Variables<'_>,
    scope: &Scope,
    span: Span,
    orgno: Option<Orgno>,
    here: &Here<'_>,
) -> Option<PolicyAnswer<'p>> {
    let place = scope.at(span);
    match policy.expression.evaluate(variables) {
        Ok(true) => None,
        Ok(false) => Some(PolicyAnswer::Broken(broken(policy, scope, &place, orgno, here))),
        Err(why) => Some(PolicyAnswer::Failed(policy, failure(policy, &why, scope, &place))),
    }
}

/// An attribute that decides a policy.
struct Deciding {
    /// `at_max_age is 3600`.
    value: String,
    /// Where the repository gives it; `None` for the default of the tool.
    place: Option<Place>,
}

/// The finding that a policy is broken: the values of the attributes that it uses, and where they come from.
fn broken(
    policy: &Policy,
    scope: &Scope,
    place: &Place,
    orgno: Option<Orgno>,
    here: &Here<'_>,
) -> Diagnostic {
    let used = policy.expression.used();
    let of_scope = || used.iter().filter(|part| part.variable == "scope");
    let deciding: Vec<_> = of_scope().filter_map(|part| deciding(part, scope, here)).collect();
    let values: Vec<_> = deciding
        .iter()
        .map(|Deciding { value, place }| match place {
            Some(_) => value.clone(),
            None => format!("{value} by default"),
        })
        .collect();
    let about = orgno.map(|orgno| format!(" ({orgno})")).unwrap_or_default();
    let values = match values.is_empty() {
        true => String::new(),
        false => format!(": {}", values.join(", ")),
    };
    let message = format!("{}{about}{values}", policy.head.message);
    let mut found = policy.head.broken(Rule::Policy, place, &message, "");
    let given = deciding.iter().filter_map(|it| Some((it.place.as_ref()?, &it.value)));
    found.related = given
        .filter(|(given, _)| given.file != place.file || given.line() != place.line())
        .map(|(given, value)| given.related(&format!("{value} here")))
        .collect();
    // Where nothing of the scope itself decides, other scopes break the policy for the same cause.
    let of_itself = |it: &Deciding| it.place.as_ref().is_some_and(|it| &*it.file != SETTINGS_FILE);
    let is_of_itself = orgno.is_some()
        || deciding.is_empty()
        || deciding.len() != of_scope().count()
        || deciding.iter().any(of_itself);
    if !is_of_itself {
        let cause = deciding.iter().find_map(|it| it.place.clone());
        let place = cause.unwrap_or_else(|| policy.place.clone());
        found.cause = Some(Box::new(SharedCause { place, scope: scope.name.to_string() }));
    }
    found
}

/// The value and the place of an attribute that a policy uses; `None` for what is no attribute.
fn deciding(part: &UsedPart, scope: &Scope, here: &Here<'_>) -> Option<Deciding> {
    let attribute = SCOPE.named(part.field.as_deref()?)?;
    let fields = attributes(scope, here).fields();
    let (_, value) = fields.into_iter().find(|(field, _)| *field == attribute.name)?;
    let value = format!("{} is {}", attribute.name, shortened(&shown(&value), LONGEST_VALUE));
    Some(Deciding { value, place: here.given(scope, attribute.name) })
}

fn failure(policy: &Policy, why: &str, scope: &Scope, place: &Place) -> Diagnostic {
    let message =
        format!("the policy cannot be evaluated for {}: {why}", quoted(scope.name.as_str()));
    let help = "write it so that it is true or false of whatever is declared";
    let diagnostic = Diagnostic::new(Rule::Expression, &policy.place, &message, help);
    diagnostic.with_related(place.related("of this"))
}

/// A scope as expressions see it, with the fields that a policy uses: its attributes under DigDir's names, and its
/// consumers.
fn value(
    scope: &Scope,
    accesses: &[(Value, Orgno, Span)],
    policies: &[CountedPolicy<'_>],
    here: &Here<'_>,
) -> Value {
    let parts = policies.iter().flat_map(|counted| counted.policy.expression.used());
    let of_scope: Vec<_> = parts.filter(|part| part.variable == "scope").collect();
    // A policy that uses the scope as a whole uses each field.
    let is_used = |name: &str| {
        of_scope.iter().any(|part| part.field.as_deref().is_none_or(|field| field == name))
    };
    let override_ = scope.override_in(here.set);
    let attributes = attributes(scope, here).fields();
    let own = [
        ("name", scope.name.as_str().into()),
        ("prefix", scope.name.prefix().into()),
        ("subscope", scope.name.subscope().into()),
        ("active", override_.and_then(|o| o.active).unwrap_or(scope.active).into()),
        ("prevent_deactivation", scope.prevent_deactivation.into()),
    ];
    let fields = attributes.into_iter().chain(own).filter(|(field, _)| is_used(field));
    let mut fields: Map<_, _> = fields.map(|(field, value)| (field.to_owned(), value)).collect();
    if is_used("consumers") {
        let consumers = accesses.iter().map(|(access, _, _)| access.clone()).collect();
        fields.insert("consumers".to_owned(), consumers);
    }
    fields.into()
}

/// Each access by the entries of a scope, as expressions see it, with its place.
fn accesses(scope: &Scope, here: &Here<'_>) -> Vec<(Value, Orgno, Span)> {
    let entries = here.entries(scope);
    let each = entries.flat_map(|entry| here.named(&entry.who).iter().map(move |o| (entry, *o)));
    each.map(|(entry, orgno)| (access(entry, orgno), orgno, entry.who_span)).collect()
}

fn access(entry: &DeclaredAccess, orgno: Orgno) -> Value {
    json!({
        "orgno": orgno,
        "alias": entry.who.alias(),
        "group": entry.who.group(),
        "from": entry.from.map(|from| from.date.to_string()),
        "until": entry.until.map(|until| until.date.to_string()),
        "reason": entry.reason,
    })
}

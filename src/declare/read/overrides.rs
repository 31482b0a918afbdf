//! Differences between environments: the sections `per_environment`.

use super::environments::{EnvironmentNames, EnvironmentSet};
use crate::declare::diagnostic::rule::Rule;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::entries_of;
use crate::declare::yaml::optional::{Members, Raw};
use crate::declare::yaml::table::Read;
use yaml::{Node, Span};

/// What something is in one environment.
#[derive(Debug)]
pub(crate) struct Override<P> {
    pub(crate) environment: EnvironmentSet,
    pub(crate) part: P,
    /// The place of the environment's name.
    pub(crate) span: Span,
}

/// The parts that count in an environment.
pub(crate) fn parts_in<P>(
    overrides: &[Override<P>],
    environment: EnvironmentSet,
) -> impl Iterator<Item = &P> {
    overrides.iter().filter(move |it| it.environment == environment).map(|it| &it.part)
}

/// Reads a section. What is for an environment that does not exist is checked too.
pub(crate) fn overrides<'d, T: Read<'d>, P>(
    section: Option<Members<'d, T>>,
    names: &EnvironmentNames,
    part: impl Fn(T, &Node<'_>, &mut Findings) -> P,
    findings: &mut Findings,
) -> Vec<Override<P>> {
    let mut overrides = Vec::new();
    for (name, input) in entries_of(section, findings) {
        let Raw { at, key: span, .. } = input;
        let environment = names.known(name, span, findings);
        if environment.is_none() && !at.value.is_mapping() {
            continue;
        }
        let Some(input) = input.read(findings) else { continue };
        let part = part(input, at, findings);
        overrides.extend(environment.map(|environment| Override { environment, part, span }));
    }
    overrides
}

/// Warns about something in a scope or a client that is for environments which do not hold that.
pub(crate) fn check_reach(
    (held, holder): (EnvironmentSet, &str),
    (environments, what): (EnvironmentSet, &str),
    span: Span,
    findings: &mut Findings,
) {
    // An empty set comes of environments that are wrong, which is reported.
    let is_known = !held.is_empty() && !environments.is_empty();
    if is_known && !held.overlaps(environments) {
        let message = format!("this {what} is for environments that do not hold the {holder}");
        let help =
            format!("add the environment to the {holder}'s `environments`, or take this out");
        findings.report(Rule::NeverCounts, span, &message, &help);
    }
}

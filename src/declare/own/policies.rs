//! Reading policies.

use std::sync::Arc;

use super::expression::{Expression, ExpressionError};
use super::file::{PolicyFile, PolicySubject};
use super::pattern::inside;
use super::{Names, OwnRule, RuleReach, rules_of, words};
use crate::declare::diagnostic::Place;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::{Items, Raw, Spanned};
use domain::composed;

/// A condition that must be true.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) head: OwnRule,
    pub(crate) applies_to: PolicySubject,
    pub(crate) expression: Arc<Expression>,
    /// The place of the expression.
    pub(crate) place: Place,
}

impl PolicySubject {
    /// The variables of an expression about this subject.
    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Scope => &["scope", "environment", "team"],
            Self::Access => &["access", "scope", "environment", "team"],
        }
    }
}

/// The policies; reports their problems.
pub(crate) fn policies(
    list: Option<Items<'_, PolicyFile>>,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Vec<Policy> {
    let items = rules_of(list, "policies", findings);
    items.filter_map(|item| policy(item, names, findings)).collect()
}

fn policy(
    declared: Raw<'_, PolicyFile>,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Option<Policy> {
    let PolicyFile { rule, applies_to, expression, message, severity, environments, teams } =
        declared.read(findings)?;
    let reach = RuleReach { severity, environments, teams };
    let (rule, message) = words(&rule, &message, findings);
    let head = reach.head(rule, message, names, findings);
    let Spanned { value: text, span } = expression.0?;
    match Expression::compile(&composed(&text), applies_to.variables()) {
        Ok(expression) => {
            let (expression, place) = (Arc::new(expression), findings.place(span));
            Some(Policy { head, applies_to, expression, place })
        }
        Err(ExpressionError { at, message }) => {
            let start = at.and_then(|at| text.char_indices().nth(at)).map(|(start, _)| start);
            let span = start.map_or(span, |start| inside(span, &text, (start, start)));
            let help = "write what must hold, in CEL (https://cel.dev), such as `environment != \
                        \"prod\" || scope.visibility == \"PRIVATE\"`";
            findings.report(Rule::Expression, span, &message, help);
            None
        }
    }
}

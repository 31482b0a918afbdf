//! Policies in the Common Expression Language (<https://github.com/google/cel-spec>), with limits.
//!
//! An expression comes from a pull request, so it must not run long, use much memory or overflow a stack.
//! [`syntax`] limits its length and its depth; [`names`] allows only the variables and functions that are
//! offered, none of which reads a clock; [`steps`] computes a bound of the work before each evaluation, and
//! an evaluation that could be too expensive is not started.

mod extent;
mod functions;
mod message;
mod names;
mod steps;
mod syntax;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::common::types::{CelBool, CelString};
use cel::{Context, Env, ExecutionError, FunctionContext, Value};
use regex::Regex;

use names::CheckedExpression;

pub(crate) use names::UsedPart;
pub(crate) use variables::Variables;

/// Largest number of steps of an evaluation. A step takes about 100 ns and 100 bytes in the `dev` profile, so
/// this is a tenth of a second and 100 MB; up to four times as much where values are copied into an error. A
/// simple macro over 10,000 consumers takes a third of it.
const MOST_STEPS: u64 = 1_000_000;

/// The functions of CEL's standard library, without the optional values, which are an extension.
static LIBRARY: LazyLock<Arc<Env>> =
    LazyLock::new(|| Arc::new(Env::default().with_optional_support(false).with_stdlib()));

/// A compiled policy expression.
pub(crate) struct Expression {
    tree: IdedExpr,
    context: Context<'static, 'static>,
    used: BTreeSet<UsedPart>,
}

/// Reason why a text is not a valid expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpressionError {
    /// The place of the error: the number of characters before it.
    pub(crate) at: Option<usize>,
    /// The error, in one line.
    pub(crate) message: String,
}

impl ExpressionError {
    fn new(at: Option<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.tree).finish()
    }
}

impl Expression {
    /// Compiles `text`, which may use the variables that are `known`.
    pub(crate) fn compile(text: &str, known: &[&str]) -> Result<Self, ExpressionError> {
        syntax::parsed(text, |tree, places| Self::of_tree(tree, text, places, known))
    }

    fn of_tree(
        tree: IdedExpr,
        text: &str,
        places: &SourceInfo,
        known: &[&str],
    ) -> Result<Self, ExpressionError> {
        let CheckedExpression { patterns, used } = names::check(&tree, text, places, known)?;
        let mut context = Context::with_env(Arc::clone(&LIBRARY));
        let matches = move |call: &FunctionContext| matches(&patterns, call);
        (context.add_function("matches", matches))
            .map_err(|error| ExpressionError::new(None, error.to_string()))?;
        Ok(Self { tree, context, used })
    }

    /// The parts of its variables that it uses.
    pub(crate) fn used(&self) -> &BTreeSet<UsedPart> {
        &self.used
    }

    /// Evaluates the policy: the result of the expression with `variables`, or the reason why it is neither
    /// true nor false.
    pub(crate) fn evaluate(&self, variables: &Variables<'_>) -> Result<bool, String> {
        let (steps, longest) = self.steps(variables)?;
        if steps > MOST_STEPS {
            return Err(format!(
                "the expression could take more than {MOST_STEPS} steps, which is the most that is \
                 allowed: the longest list it runs over has {longest} items"
            ));
        }
        let mut context = self.context.new_inner_scope();
        context.set_variable_resolver(variables);
        let result =
            Value::resolve_val(&self.tree, &context).map_err(|error| message::of_error(&error))?;
        match result.downcast_ref::<CelBool>() {
            Some(result) => Ok(*result.inner()),
            None => {
                let result = message::of_value(result.as_ref());
                Err(format!("the result is {result}, not true or false"))
            }
        }
    }

    /// The largest number of steps of an evaluation with `variables`, and the length of the longest list that
    /// a macro iterates over.
    pub(crate) fn steps(&self, variables: &Variables<'_>) -> Result<(u64, u64), String> {
        steps::most(&self.tree, variables)
    }
}

/// CEL's `matches`, with patterns that were compiled before: the crate's own, in its feature `regex`, would
/// compile them at each call.
fn matches(
    patterns: &HashMap<String, Regex>,
    call: &FunctionContext<'_, '_>,
) -> Result<Value, ExecutionError> {
    let mut texts = call.this.iter().chain(&call.args).map(|value| value.downcast_ref());
    let (Some(Some::<&CelString<'_>>(text)), Some(Some::<&CelString<'_>>(pattern))) =
        (texts.next(), texts.next())
    else {
        return Err(call.error("only a text can match a pattern"));
    };
    match patterns.get(pattern.inner()) {
        Some(pattern) => Ok(Value::Bool(pattern.is_match(text.inner()))),
        None => Err(call.error("the pattern is not known")),
    }
}

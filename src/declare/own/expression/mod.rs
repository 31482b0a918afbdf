//! Policies in the Common Expression Language (<https://github.com/google/cel-spec>), bounded.
//!
//! An expression comes from a pull request, so nothing it says may run long, eat memory or overflow
//! a stack. [`syntax`] bounds its length and its depth; [`names`] lets it use only the variables and
//! functions that are offered, none of which reads a clock; [`steps`] bounds the work before each
//! evaluation, and what could be too much is not begun.

mod extent;
mod functions;
mod message;
mod names;
mod steps;
mod syntax;
#[cfg(test)]
mod tests;
mod variables;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{IdedExpr, SourceInfo};
use cel::common::types::{CelBool, CelString};
use cel::{Context, Env, ExecutionError, FunctionContext, Value};
use regex::Regex;

pub(crate) use variables::Variables;

/// The most steps an evaluation may take. A step is about 100 ns and 100 bytes in the `dev` profile,
/// so this is a tenth of a second and 100 MB; up to four times as long where values are copied into
/// an error. A simple macro over 10,000 consumers takes a third of it.
const MOST_STEPS: u64 = 1_000_000;

/// The functions of CEL's standard library, without the optional values, which are an extension.
static LIBRARY: LazyLock<Arc<Env>> =
    LazyLock::new(|| Arc::new(Env::default().with_optional_support(false).with_stdlib()));

/// A compiled policy expression.
pub(crate) struct Expression {
    tree: IdedExpr,
    context: Context<'static, 'static>,
}

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExpressionError {
    /// Where it is wrong: how many characters stand before.
    pub(crate) at: Option<usize>,
    /// What is wrong, in one line.
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
        let patterns = names::check(&tree, text, places, known)?;
        let mut context = Context::with_env(Arc::clone(&LIBRARY));
        let matches = move |call: &FunctionContext| matches(&patterns, call);
        (context.add_function("matches", matches))
            .map_err(|error| ExpressionError::new(None, error.to_string()))?;
        Ok(Self { tree, context })
    }

    /// Whether the policy is kept: what the expression makes of `variables`, or why it makes
    /// neither true nor false of them.
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

    /// How many steps an evaluation with `variables` takes at most, and the length of the longest
    /// list a macro runs over in it.
    pub(crate) fn steps(&self, variables: &Variables<'_>) -> Result<(u64, u64), String> {
        steps::most(&self.tree, variables)
    }
}

/// CEL's `matches`, with the patterns compiled before: the crate's own, which its feature `regex`
/// brings, would compile them again at each call.
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

//! Names in an expression: variables, functions and patterns, checked before any evaluation.

use std::collections::{BTreeSet, HashMap};

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use regex::{Regex, RegexBuilder};

use super::ExpressionError;
use super::functions::{FUNCTIONS, TYPES};
use super::syntax::{characters_before, children};
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::suggest::{did_you_mean, list};

/// Largest depth of nested macros: each multiplies the steps by the length of its list.
const DEEPEST_MACROS: usize = 2;

/// The most characters of a pattern.
const LONGEST_PATTERN: usize = 200;

/// Largest size of a compiled pattern and of the automaton made of it in use, in bytes: enough for a few
/// `\w`, which is thousands of ranges. Within it a byte of text takes at most some 50 ns.
const LARGEST_PATTERN: usize = 1 << 18;

/// Content of an expression that was checked.
pub(super) struct CheckedExpression {
    /// Its patterns, compiled.
    pub(super) patterns: HashMap<String, Regex>,
    /// The parts of its variables that it uses.
    pub(super) used: BTreeSet<UsedPart>,
}

/// A variable that an expression uses, and the field if it uses one alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UsedPart {
    pub(crate) variable: String,
    pub(crate) field: Option<String>,
}

/// Checks that every name in the tree is known, and compiles the patterns.
pub(super) fn check(
    tree: &IdedExpr,
    text: &str,
    places: &SourceInfo,
    known: &[&str],
) -> Result<CheckedExpression, ExpressionError> {
    let checked = CheckedExpression { patterns: HashMap::new(), used: BTreeSet::new() };
    let mut check = Check { text, places, known, bound: Vec::new(), macros: 0, checked };
    check.walk(tree)?;
    Ok(check.checked)
}

struct Check<'e> {
    text: &'e str,
    places: &'e SourceInfo,
    known: &'e [&'e str],
    /// The variables of the enclosing macros.
    bound: Vec<&'e str>,
    /// The number of enclosing macros.
    macros: usize,
    checked: CheckedExpression,
}

impl<'e> Check<'e> {
    fn walk(&mut self, expr: &'e IdedExpr) -> Result<(), ExpressionError> {
        match &expr.expr {
            Expr::Literal(_) | Expr::List(_) | Expr::Map(_) => self.walk_all(children(expr)),
            Expr::Ident(name) => {
                self.uses(name, None);
                self.variable(name, expr)
            }
            Expr::Select(select) => match &select.operand.expr {
                Expr::Ident(name) => {
                    self.uses(name, Some(&select.field));
                    self.variable(name, &select.operand)
                }
                _ => self.walk(&select.operand),
            },
            Expr::Call(call) => {
                let is_operator = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.';
                if !call.func_name.contains(is_operator) {
                    self.function(call, expr)?;
                }
                self.walk_all(children(expr))
            }
            Expr::Comprehension(all) => self.comprehension(all, expr),
            Expr::Struct(message) => {
                let name = quoted(&message.type_name);
                Err(self.error(expr, format!("there is no type {name} to make a value of")))
            }
            Expr::Unspecified => Err(self.error(expr, "the expression cannot be read")),
        }
    }

    fn walk_all(
        &mut self,
        all: impl IntoIterator<Item = &'e IdedExpr>,
    ) -> Result<(), ExpressionError> {
        all.into_iter().try_for_each(|expr| self.walk(expr))
    }

    fn uses(&mut self, variable: &str, field: Option<&str>) {
        if !self.bound.contains(&variable) {
            let (variable, field) = (variable.to_owned(), field.map(str::to_owned));
            self.checked.used.insert(UsedPart { variable, field });
        }
    }

    fn variable(&self, name: &str, expr: &IdedExpr) -> Result<(), ExpressionError> {
        let names = || self.known.iter().chain(&self.bound).copied();
        if names().any(|known| known == name) || TYPES.contains(&name) {
            return Ok(());
        }
        let (shown, hint) = (quoted(name), did_you_mean(name, names()));
        let known = list(self.known.iter().copied());
        Err(self.error(expr, format!("there is no variable {shown}: {hint}known are {known}")))
    }

    fn function(&mut self, call: &CallExpr, expr: &IdedExpr) -> Result<(), ExpressionError> {
        let name = call.func_name.as_str();
        let Some(function) = FUNCTIONS.iter().find(|function| function.name == name) else {
            let hint = did_you_mean(name, FUNCTIONS.iter().map(|function| function.name));
            let message = format!("there is no function {}: {hint}", quoted(name));
            return Err(self.call_error(name, expr, message.trim_end_matches([':', ' '])));
        };
        if !function.takes(call.args.len(), call.target.is_some()) {
            let message = format!("`{name}` is called as in `{}`", function.usage);
            return Err(self.call_error(name, expr, message));
        }
        match name {
            "matches" => self.pattern(call, expr),
            _ => Ok(()),
        }
    }

    fn pattern(&mut self, call: &CallExpr, expr: &IdedExpr) -> Result<(), ExpressionError> {
        let literal = match call.args.last().map(|argument| &argument.expr) {
            Some(Expr::Literal(LiteralValue::String(pattern))) => pattern.inner(),
            _ => {
                let message = "the pattern of `matches` must be a text in quotes";
                return Err(self.call_error("matches", expr, message));
            }
        };
        let place = call.args.last().unwrap_or(expr);
        if literal.chars().nth(LONGEST_PATTERN).is_some() {
            let message = format!("a pattern can have {LONGEST_PATTERN} characters at most");
            return Err(self.error(place, message));
        }
        let compiled = RegexBuilder::new(literal)
            .size_limit(LARGEST_PATTERN)
            .dfa_size_limit(LARGEST_PATTERN)
            .build();
        let compiled = compiled.map_err(|error| self.error(place, pattern_message(&error)))?;
        self.checked.patterns.insert(literal.to_owned(), compiled);
        Ok(())
    }

    fn comprehension(
        &mut self,
        all: &'e ComprehensionExpr,
        expr: &'e IdedExpr,
    ) -> Result<(), ExpressionError> {
        self.walk(&all.iter_range)?;
        if self.macros == DEEPEST_MACROS {
            let message = format!("macros can be nested {DEEPEST_MACROS} levels deep at most");
            return Err(self.error(expr, message));
        }
        self.macros += 1;
        self.bound.extend([all.iter_var.as_str(), all.accu_var.as_str()]);
        self.walk_all([&all.accu_init, &all.loop_cond, &all.loop_step, &all.result])?;
        self.bound.truncate(self.bound.len().saturating_sub(2));
        self.macros -= 1;
        Ok(())
    }

    fn error(&self, expr: &IdedExpr, message: impl Into<String>) -> ExpressionError {
        ExpressionError::new(self.place(expr), message)
    }

    /// The parser puts a call at its opening parenthesis; for a reader it is at its name.
    fn call_error(
        &self,
        name: &str,
        expr: &IdedExpr,
        message: impl Into<String>,
    ) -> ExpressionError {
        let at = self.place(expr).map(|at| {
            let before: String = self.text.chars().take(at).collect();
            if before.ends_with(name) { at - name.chars().count() } else { at }
        });
        ExpressionError::new(at, message)
    }

    fn place(&self, expr: &IdedExpr) -> Option<usize> {
        let (start, _) = self.places.offset_for(expr.id)?;
        Some(characters_before(self.text, start as usize))
    }
}

fn pattern_message(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        return "the pattern takes too much memory: write `[a-z]` instead of `\\w`, \
                or repeat less of it"
            .to_owned();
    }
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default();
    let reason = reason.strip_prefix("error: ").unwrap_or(reason);
    format!("the pattern is not well-formed: {}", quoted(reason))
}

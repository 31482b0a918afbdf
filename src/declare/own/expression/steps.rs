//! Upper bound of the steps of an evaluation, which often takes far fewer.
//!
//! The evaluator cannot be stopped, so its work is bounded before it starts. CEL has no recursion and no loop
//! except its macros, which iterate over a list that exists before the first turn. So one walk over the tree
//! is enough: it knows an [`Extent`] of each value, which bounds its size, counts each operation as if it
//! read and copied all its inputs, and multiplies the cost of a macro for one item by the length of its list.
//! Values that grow, texts and lists by `+` and lists by `map`, grow by what is counted, so the steps bound
//! the memory too.

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, operators};

use super::extent::{BYTES_A_STEP, Extent};
use super::syntax::children;
use super::variables::Variables;

/// The cost of each turn of a macro in addition to its condition: binding the item and the result.
const STEPS_A_TURN: u64 = 4;

/// The largest number of steps of the expression, and the length of the longest list that a macro iterates
/// over.
pub(super) fn most(tree: &IdedExpr, variables: &Variables<'_>) -> Result<(u64, u64), String> {
    let mut walk = Walk { variables, bound: Vec::new(), steps: 0, longest: 0 };
    walk.value(tree)?;
    Ok((walk.steps, walk.longest))
}

struct Walk<'e> {
    variables: &'e Variables<'e>,
    /// The variables of the enclosing macros.
    bound: Vec<(&'e str, Extent)>,
    steps: u64,
    longest: u64,
}

impl<'e> Walk<'e> {
    fn take(&mut self, steps: u64) {
        self.steps = self.steps.saturating_add(steps);
    }

    /// Counts the steps to compute the value, and returns its size.
    fn value(&mut self, expr: &'e IdedExpr) -> Result<Extent, String> {
        self.take(1);
        match &expr.expr {
            Expr::Literal(literal) => Ok(Extent::of_literal(literal)),
            Expr::Ident(name) => Ok(self.variable(name)),
            Expr::Select(select) => {
                let operand = self.value(&select.operand)?;
                Ok(if select.test { Extent::scalar() } else { operand.attribute(&select.field) })
            }
            Expr::List(_) => self.made(false, expr),
            Expr::Map(_) => self.made(true, expr),
            Expr::Call(call) => self.call(&call.func_name, expr),
            Expr::Comprehension(all) => self.comprehension(all),
            Expr::Struct(_) | Expr::Unspecified => Err("the expression cannot be read".to_owned()),
        }
    }

    /// A list, or a map whose keys and values count alike.
    fn made(&mut self, is_map: bool, expr: &'e IdedExpr) -> Result<Extent, String> {
        let mut made = Extent { is_map, ..Extent::scalar() };
        for part in children(expr) {
            made = made.with_item(&self.value(part)?);
        }
        self.take(made.weight);
        Ok(made)
    }

    fn variable(&self, name: &str) -> Extent {
        let bound = self.bound.iter().rev().find(|(bound, _)| *bound == name);
        let extent = bound.map(|(_, extent)| extent).or_else(|| self.variables.extent(name));
        extent.cloned().unwrap_or_else(Extent::scalar)
    }

    fn call(&mut self, function: &str, expr: &'e IdedExpr) -> Result<Extent, String> {
        let operands = children(expr).into_iter().map(|operand| self.value(operand));
        let operands: Vec<_> = operands.collect::<Result<_, _>>()?;
        operands.iter().for_each(|operand| self.take(operand.weight));
        Ok(match (function, operands.as_slice()) {
            (operators::CONDITIONAL, [_, yes, no]) => yes.clone().or(no),
            ("dyn", [value]) => value.clone(),
            (operators::INDEX, [value, _]) => value.any(),
            ("string" | "bytes", [value]) => {
                Extent { weight: value.weight.saturating_add(2), ..Extent::scalar() }
            }
            (operators::ADD, [_, right]) if right.is_map => {
                return Err("`+` cannot add a map, whose keys have no order".to_owned());
            }
            (operators::ADD, [left, right]) => left.clone().joined(right),
            (operators::IN, [value, list]) => {
                // Each item is compared with the value, and a comparison of numbers copies them.
                self.take(list.entries.saturating_mul(value.weight));
                Extent::scalar()
            }
            ("matches", [text, _]) => {
                // A byte of the text takes at most one step.
                self.take(text.weight.saturating_mul(BYTES_A_STEP as u64));
                Extent::scalar()
            }
            // All others compute a number, a time or a boolean from inputs that they read at most once, or
            // copy them into an error.
            _ => Extent::scalar(),
        })
    }

    fn comprehension(&mut self, all: &'e ComprehensionExpr) -> Result<Extent, String> {
        let range = self.value(&all.iter_range)?;
        if range.is_map {
            return Err("a macro runs over a list: the keys of a map have no order".to_owned());
        }
        let item = range.any();
        let turns = range.entries;
        self.longest = self.longest.max(turns);
        let before = std::mem::take(&mut self.steps);
        self.take(item.weight.saturating_add(STEPS_A_TURN));
        self.bound.push((&all.accu_var, Extent::scalar()));
        self.bound.push((&all.iter_var, item));
        self.value(&all.loop_cond)?;
        let step = self.value(&all.loop_step)?;
        self.bound.truncate(self.bound.len().saturating_sub(2));
        self.steps = before.saturating_add(self.steps.saturating_mul(turns));
        Ok(match &all.accu_init.expr {
            Expr::List(_) => step.repeated(turns),
            _ => Extent::scalar(),
        })
    }
}

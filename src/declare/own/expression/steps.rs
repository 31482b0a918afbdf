//! How many steps an evaluation can take at most.
//!
//! The evaluator cannot be stopped, so its work is bounded before it begins. CEL has no recursion
//! and no loop but its macros, which run over a list that is there before the first turn. So one
//! walk over the tree is enough: it knows of each value an [`Extent`] that bounds its size, counts
//! for each operation what it reads, copies or makes, and multiplies what a macro does for one item
//! by the length of its list. What grows, texts and lists by `+` and lists by `map`, grows by what
//! is counted, so the steps bound the memory too.

use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, MapExpr, operators,
};

use super::extent::{BYTES_A_STEP, Extent, either};
use super::variables::Variables;

/// What each turn of a macro takes besides its condition: binding the item and the result.
const STEPS_A_TURN: u64 = 4;

/// How many steps the expression takes at most, and the length of the longest list a macro runs
/// over in it.
pub(super) fn most(tree: &IdedExpr, variables: &Variables<'_>) -> Result<(u64, u64), String> {
    let mut walk = Walk { variables, bound: Vec::new(), steps: 0, longest: 0 };
    walk.value(tree)?;
    Ok((walk.steps, walk.longest))
}

struct Walk<'e> {
    variables: &'e Variables<'e>,
    /// The variables of the macros around.
    bound: Vec<(&'e str, Extent)>,
    steps: u64,
    longest: u64,
}

impl<'e> Walk<'e> {
    fn take(&mut self, steps: u64) {
        self.steps = self.steps.saturating_add(steps);
    }

    /// Counts the steps that lead to the value, and tells how large it is.
    fn value(&mut self, expr: &'e IdedExpr) -> Result<Extent, String> {
        self.take(1);
        match &expr.expr {
            Expr::Literal(literal) => Ok(Extent::of_literal(literal)),
            Expr::Ident(name) => Ok(self.variable(name)),
            Expr::Select(select) => {
                let operand = self.value(&select.operand)?;
                Ok(if select.test { Extent::scalar() } else { operand.attribute(&select.field) })
            }
            Expr::List(list) => {
                let elements = list.elements.iter().map(|element| self.value(element));
                let elements: Vec<_> = elements.collect::<Result<_, _>>()?;
                let list = Extent::list(elements.into_iter());
                self.take(list.weight);
                Ok(list)
            }
            Expr::Map(map) => self.map(map),
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(all) => self.comprehension(all),
            Expr::Struct(_) | Expr::Unspecified => Err("the expression cannot be read".to_owned()),
        }
    }

    fn map(&mut self, map: &'e MapExpr) -> Result<Extent, String> {
        let mut values = Vec::new();
        for entry in &map.entries {
            values.push(match &entry.expr {
                EntryExpr::StructField(field) => self.value(&field.value)?,
                EntryExpr::MapEntry(entry) => {
                    let key = self.value(&entry.key)?.weight;
                    let value = self.value(&entry.value)?;
                    Extent { weight: value.weight.saturating_add(key), ..value }
                }
            });
        }
        let map = Extent { is_map: true, ..Extent::list(values.into_iter()) };
        self.take(map.weight);
        Ok(map)
    }

    fn variable(&self, name: &str) -> Extent {
        let bound = self.bound.iter().rev().find(|(bound, _)| *bound == name);
        let extent = bound.map(|(_, extent)| extent).or_else(|| self.variables.extent(name));
        extent.cloned().unwrap_or_else(Extent::scalar)
    }

    fn call(&mut self, call: &'e CallExpr) -> Result<Extent, String> {
        let operands = call.target.iter().map(Box::as_ref).chain(&call.args);
        let operands: Vec<_> =
            operands.map(|operand| self.value(operand)).collect::<Result<_, _>>()?;
        match (call.func_name.as_str(), operands.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, _) => Ok(Extent::scalar()),
            (operators::CONDITIONAL, [_, yes, no]) => Ok(yes.clone().or(no)),
            (operators::IN, [value, list]) => {
                // Each item is compared with the value, and a number copies what it is compared
                // with.
                self.take(list.weight.saturating_add(list.entries.saturating_mul(value.weight)));
                Ok(Extent::scalar())
            }
            (operators::ADD, [left, right]) => self.sum(call, left, right),
            (operators::INDEX, [value, index]) => Ok(self.index(call, value, index)),
            ("dyn", [value]) => Ok(value.clone()),
            ("string" | "bytes", [value]) => {
                let text = Extent { weight: value.weight.saturating_add(2), ..Extent::default() };
                self.take(text.weight);
                Ok(text)
            }
            ("matches", [text, _]) => {
                // A byte of the text takes a step at worst.
                self.take(text.weight.saturating_mul(BYTES_A_STEP as u64));
                Ok(Extent::scalar())
            }
            // All others make a number, a time or a truth of what they read at most once, or copy
            // into an error.
            (_, operands) => {
                operands.iter().for_each(|operand| self.take(operand.weight));
                Ok(Extent::scalar())
            }
        }
    }

    /// `+` copies both sides. A macro's own `@result + …` does not: the evaluator appends to it.
    fn sum(&mut self, call: &CallExpr, left: &Extent, right: &Extent) -> Result<Extent, String> {
        if right.is_map {
            return Err("`+` cannot add a map, whose keys have no order".to_owned());
        }
        self.take(right.weight);
        if call.args.first().is_some_and(is_result) {
            return Ok(right.clone());
        }
        self.take(left.weight);
        Ok(Extent {
            weight: left.weight.saturating_add(right.weight),
            entries: left.entries.saturating_add(right.entries),
            is_map: false,
            named: None,
            item: either(left.item.clone(), right.item.clone()),
        })
    }

    /// An index is looked up at once, but the error for a fraction copies the list.
    fn index(&mut self, call: &CallExpr, value: &Extent, index: &Extent) -> Extent {
        match call.args.last().map(|index| &index.expr) {
            Some(Expr::Literal(LiteralValue::String(name))) => value.attribute(name.inner()),
            Some(Expr::Literal(LiteralValue::Int(_))) => value.any(),
            _ => {
                self.take(value.weight.saturating_add(index.weight));
                value.any()
            }
        }
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
        match &all.accu_init.expr {
            Expr::List(_) => Ok(Extent {
                weight: 1_u64.saturating_add(step.weight.saturating_mul(turns)),
                entries: turns,
                is_map: false,
                named: None,
                item: step.item,
            }),
            _ => Ok(Extent::scalar()),
        }
    }
}

/// What a macro has come to, by the name that the parser gives it; none can write it.
fn is_result(expr: &IdedExpr) -> bool {
    matches!(&expr.expr, Expr::Ident(name) if name == "@result")
}

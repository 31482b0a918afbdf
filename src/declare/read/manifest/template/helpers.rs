//! The blocks of templates, which count what is rendered, and mark what is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use handlebars::template::TemplateElement;
use handlebars::{
    BlockContext, BlockParams, Context, Handlebars, Helper, HelperDef, HelperResult, Output,
    PathAndJson, RenderContext, RenderError, RenderErrorReason, Renderable, Template,
};
use serde_json::Value;

use super::assumptions::Assumptions;
use super::{missing, missing_name};

/// Largest number of elements of templates that are rendered: the time that it takes.
const MOST_ELEMENTS: usize = 200_000;

/// Number of elements that were rendered in blocks.
#[derive(Debug, Clone, Default)]
pub(super) struct RenderBudget(Arc<AtomicUsize>);

impl RenderBudget {
    fn spend(&self, elements: usize) -> Result<(), RenderError> {
        let spent = self.0.fetch_add(elements, Ordering::Relaxed).saturating_add(elements);
        match spent > MOST_ELEMENTS {
            true => Err(refused("its blocks are repeated too often")),
            false => Ok(()),
        }
    }
}

pub(super) fn refused(why: &str) -> RenderError {
    RenderErrorReason::Other(why.to_owned()).into()
}

/// Registers the blocks of nais/deploy, and what is rendered in the place of missing values.
pub(super) fn register(
    registry: &mut Handlebars<'_>,
    budget: &RenderBudget,
    assumptions: &Assumptions,
) {
    for (name, repeats) in [("each", true), ("with", false)] {
        let (budget, assumptions) = (budget.clone(), assumptions.clone());
        registry.register_helper(name, Box::new(TemplateBlock { repeats, budget, assumptions }));
    }
    for (name, wanted) in [("if", true), ("unless", false)] {
        let assumptions = assumptions.clone();
        registry.register_helper(name, Box::new(Condition { wanted, assumptions }));
    }
    registry.register_helper("equal", Box::new(Equal { assumptions: assumptions.clone() }));
    registry.register_helper("helperMissing", Box::new(MissingValue));
}

/// The name of a block's argument that has no value.
fn missing_param(param: &PathAndJson<'_>) -> Option<String> {
    if param.is_value_missing() {
        return Some(param.relative_path().cloned().unwrap_or_default());
    }
    param.value().as_str().and_then(missing_name).map(str::to_owned)
}

/// Marks a value that is missing.
struct MissingValue;

impl HelperDef for MissingValue {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        if !helper.params().is_empty() || helper.is_block() {
            return Err(refused("there is no such helper"));
        }
        Ok(out.write(&missing(helper.name()))?)
    }
}

/// Renders a block if two values are equal (<https://github.com/aymerick/raymond>).
struct Equal {
    assumptions: Assumptions,
}

impl Equal {
    /// The text of an argument, which is compared with another.
    fn text(
        &self,
        param: &PathAndJson<'_>,
        other: &PathAndJson<'_>,
    ) -> Result<String, RenderError> {
        let Some(name) = missing_param(param) else { return Ok(param.render()) };
        let other = match missing_param(other) {
            Some(other) => self.assumptions.text(&other),
            None => other.render(),
        };
        self.assumptions.ask(&name, vec![other, missing(&name)])
    }
}

impl HelperDef for Equal {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let (Some(one), Some(other)) = (helper.param(0), helper.param(1)) else {
            return Err(refused("the block needs two arguments"));
        };
        let part = match self.text(one, other)? == self.text(other, one)? {
            true => helper.template(),
            false => helper.inverse(),
        };
        part.map_or(Ok(()), |part| part.render(registry, context, rc, out))
    }
}

/// The blocks `if` and `unless`.
struct Condition {
    wanted: bool,
    assumptions: Assumptions,
}

impl HelperDef for Condition {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let param = helper.param(0).ok_or_else(|| refused("the block has no argument"))?;
        let is_true = match missing_param(param) {
            Some(name) => self.assumptions.is_something(&name)?,
            None => is_something(param.value()),
        };
        let part = match is_true == self.wanted {
            true => helper.template(),
            false => helper.inverse(),
        };
        part.map_or(Ok(()), |part| part.render(registry, context, rc, out))
    }
}

/// The blocks `each` and `with`.
struct TemplateBlock {
    repeats: bool,
    budget: RenderBudget,
    assumptions: Assumptions,
}

impl HelperDef for TemplateBlock {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let param = helper.param(0).ok_or_else(|| refused("the block has no argument"))?;
        let Some(body) = helper.template() else { return Ok(()) };
        let elements = 1 + count(body);
        let mut render = |item: BlockItem<'_>, rc: &mut RenderContext<'reg, 'rc>| {
            self.budget.spend(elements)?;
            rc.push_block(item.block(helper, param)?);
            let done = body.render(registry, context, rc, out);
            rc.pop_block();
            done
        };
        if let Some(name) = missing_param(param) {
            return match (self.assumptions.is_something(&name)?, helper.inverse()) {
                (true, _) => render(BlockItem::Whole(&Value::String(missing(&name))), rc),
                (false, Some(other)) => other.render(registry, context, rc, out),
                (false, None) => Ok(()),
            };
        }
        match param.value() {
            Value::Array(items) if self.repeats && !items.is_empty() => {
                for (index, value) in items.iter().enumerate() {
                    render(BlockItem::Part { key: None, index, count: items.len(), value }, rc)?;
                }
                Ok(())
            }
            Value::Object(entries) if self.repeats && !entries.is_empty() => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    render(
                        BlockItem::Part { key: Some(key), index, count: entries.len(), value },
                        rc,
                    )?;
                }
                Ok(())
            }
            value if !self.repeats && is_something(value) => render(BlockItem::Whole(value), rc),
            _ => match helper.inverse() {
                Some(other) => other.render(registry, context, rc, out),
                None => Ok(()),
            },
        }
    }
}

/// Whether a value counts as true.
fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) => true,
    }
}

/// The value that a block is rendered for.
enum BlockItem<'v> {
    Whole(&'v Value),
    Part { key: Option<&'v str>, index: usize, count: usize, value: &'v Value },
}

impl BlockItem<'_> {
    fn block<'rc>(
        &self,
        helper: &Helper<'rc>,
        param: &PathAndJson<'rc>,
    ) -> Result<BlockContext<'rc>, RenderError> {
        let mut block = BlockContext::new();
        let mut params = BlockParams::new();
        let (value, own, index) = match self {
            Self::Whole(value) => (*value, None, Value::Null),
            Self::Part { key, index, count, value } => {
                let name = key.map_or_else(|| Value::from(*index), Value::from);
                block.set_local_var("first", (*index == 0).into());
                block.set_local_var("last", (index + 1 == *count).into());
                block.set_local_var("index", (*index).into());
                if let Some(key) = key {
                    block.set_local_var("key", (*key).into());
                }
                let own = key.map_or_else(|| index.to_string(), |key| (*key).to_owned());
                (*value, Some(own), name)
            }
        };
        match param.context_path().filter(|_| !param.is_value_missing()) {
            Some(path) => {
                let path = path.iter().cloned().chain(own);
                *block.base_path_mut() = path.collect();
            }
            None => block.set_base_value(value.clone()),
        }
        if let Some(name) = helper.block_param() {
            params.add_value(name, value.clone())?;
        } else if let Some((name, key)) = helper.block_param_pair() {
            params.add_value(name, value.clone())?;
            params.add_value(key, index)?;
        }
        block.set_block_params(params);
        Ok(block)
    }
}

/// The number of elements of a template, those of its blocks included.
fn count(template: &Template) -> usize {
    let of = |element: &TemplateElement| match element {
        TemplateElement::HelperBlock(block) => {
            let parts = block.template.iter().chain(&block.inverse);
            1 + parts.map(count).sum::<usize>()
        }
        _ => 1,
    };
    template.elements.iter().map(of).sum()
}

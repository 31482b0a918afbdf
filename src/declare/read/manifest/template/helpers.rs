//! The blocks of templates, which count what is rendered, and mark what is missing.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use handlebars::template::TemplateElement;
use handlebars::{
    BlockContext, BlockParams, Context, Handlebars, Helper, HelperDef, HelperResult, Output,
    PathAndJson, RenderContext, RenderError, RenderErrorReason, Renderable, ScopedJson, Template,
};
use serde_json::Value;

use super::assumptions::Assumptions;
use super::braces::{DEEPEST, WRITE};
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

/// The library's own helpers that nais/deploy does not have.
const OTHERS: [&str; 12] =
    ["raw", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not", "len", "inline"];

/// Registers the blocks and helpers of nais/deploy, and what is rendered in the place of missing values.
pub(super) fn register(
    registry: &mut Handlebars<'_>,
    budget: &RenderBudget,
    assumptions: &Assumptions,
) {
    for name in OTHERS {
        registry.unregister_helper(name);
    }
    for (name, repeats) in [("each", true), ("with", false)] {
        let (budget, assumptions) = (budget.clone(), assumptions.clone());
        registry.register_helper(name, Box::new(TemplateBlock { repeats, budget, assumptions }));
    }
    for (name, wanted) in [("if", true), ("unless", false)] {
        let assumptions = assumptions.clone();
        registry.register_helper(name, Box::new(Condition { wanted, assumptions }));
    }
    registry.register_helper("equal", Box::new(Equal { assumptions: assumptions.clone() }));
    registry.register_helper("lookup", Box::new(LookupHelper));
    registry.register_helper("log", Box::new(Log));
    registry.register_helper(WRITE, Box::new(Write));
}

/// An argument, which is missing or a value.
enum Argument<'v> {
    Missing(String),
    Known(Cow<'v, Value>),
}

impl Argument<'_> {
    /// A value that the current element of a list or a mapping does not have is that of an element around it, as
    /// in nais/deploy.
    fn of<'v, 'rc>(
        param: Option<&'v PathAndJson<'rc>>,
        context: &'rc Context,
        rc: &RenderContext<'_, 'rc>,
    ) -> Result<Argument<'v>, RenderError> {
        let param = param.ok_or_else(|| refused("an argument is missing"))?;
        if !param.is_value_missing() {
            return Ok(match param.value().as_str().and_then(missing_name) {
                Some(name) => Argument::Missing(name.to_owned()),
                None => Argument::Known(Cow::Borrowed(param.value())),
            });
        }
        let path = param.relative_path().map_or("", String::as_str);
        let first = path.split(['.', '/']).next().unwrap_or_default();
        if first.is_empty() || first.starts_with('@') || first == "this" {
            return Ok(Argument::Missing(path.to_owned()));
        }
        let mut above = String::new();
        for _ in 0..DEEPEST {
            // A list has no values with names.
            let of = |path: &str| rc.evaluate(context, &format!("{above}{path}")).ok();
            if of(first).is_some_and(|holder| !holder.is_missing()) {
                return Ok(match of(path).filter(|found| !found.is_missing()) {
                    None => Argument::Missing(path.to_owned()),
                    Some(found) => Argument::Known(Cow::Owned(found.as_json().clone())),
                });
            }
            above.push_str("../");
        }
        Ok(Argument::Missing(path.to_owned()))
    }
}

/// A value as nais/deploy writes it.
fn written(value: &Value) -> Result<String, RenderError> {
    Ok(match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(written).collect::<Result<_, _>>()?,
        Value::Object(_) => {
            return Err(refused(
                "a mapping cannot be written: name one of its values, or use `each`",
            ));
        }
    })
}

/// Writes a value, or marks one that is missing.
struct Write;

impl HelperDef for Write {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let text = match Argument::of(helper.param(0), context, rc)? {
            Argument::Missing(name) => missing(&name),
            Argument::Known(value) if rc.is_disable_escape() => written(&value)?,
            Argument::Known(value) => registry.get_escape_fn()(&written(&value)?),
        };
        Ok(out.write(&text)?)
    }
}

/// One of a mapping's or a list's values, as a text.
struct LookupHelper;

impl HelperDef for LookupHelper {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let of = |index| Argument::of(helper.param(index), context, rc);
        let text = match (of(0)?, of(1)?) {
            (Argument::Missing(name), _) | (_, Argument::Missing(name)) => missing(&name),
            (Argument::Known(holder), Argument::Known(key)) => {
                let key = written(&key)?;
                let found = match &*holder {
                    Value::Array(items) => key.parse().ok().and_then(|at: usize| items.get(at)),
                    other => other.get(&key),
                };
                found.map_or_else(|| Ok(missing(&key)), written)?
            }
        };
        Ok(ScopedJson::Derived(Value::String(text)))
    }
}

/// Writes nothing: nais/deploy writes it into its log.
struct Log;

impl HelperDef for Log {
    fn call<'reg: 'rc, 'rc>(
        &self,
        _: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        _: &mut dyn Output,
    ) -> HelperResult {
        Ok(())
    }
}

/// Renders a block if two values are equal. What its `else` has is never rendered
/// (<https://github.com/aymerick/raymond/blob/v2.0.2/helper.go>).
struct Equal {
    assumptions: Assumptions,
}

impl Equal {
    /// The text of an argument, which is compared with another.
    fn text(&self, argument: &Argument<'_>, other: &Argument<'_>) -> Result<String, RenderError> {
        let name = match argument {
            Argument::Known(value) => return written(value),
            Argument::Missing(name) => name,
        };
        let other = match other {
            Argument::Missing(other) => self.assumptions.text(other),
            Argument::Known(value) => written(value)?,
        };
        self.assumptions.ask(name, vec![other, missing(name)])
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
        let (one, other) = (
            Argument::of(helper.param(0), context, rc)?,
            Argument::of(helper.param(1), context, rc)?,
        );
        let is_equal = self.text(&one, &other)? == self.text(&other, &one)?;
        let part = helper.template().filter(|_| is_equal);
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
        let is_true = match Argument::of(helper.param(0), context, rc)? {
            Argument::Missing(name) => self.assumptions.is_something(&name)?,
            Argument::Known(value) => is_something(&value),
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
        let value = match Argument::of(Some(param), context, rc)? {
            Argument::Known(value) => value,
            Argument::Missing(name) => {
                return match (self.assumptions.is_something(&name)?, helper.inverse()) {
                    (true, _) => render(BlockItem::Whole(&Value::String(missing(&name))), rc),
                    (false, Some(other)) => other.render(registry, context, rc, out),
                    (false, None) => Ok(()),
                };
            }
        };
        match &*value {
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
            // There is nothing in it to repeat.
            value if is_something(value) => Ok(()),
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
        Value::Object(entries) => !entries.is_empty(),
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

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
struct RenderBudget(Arc<AtomicUsize>);

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
pub(super) fn register(registry: &mut Handlebars<'_>, assumptions: &Assumptions) {
    for name in OTHERS {
        registry.unregister_helper(name);
    }
    let budget = RenderBudget::default();
    for (name, kind) in [
        ("each", HelperKind::Block { repeats: true }),
        ("with", HelperKind::Block { repeats: false }),
        ("if", HelperKind::Condition { wanted: true }),
        ("unless", HelperKind::Condition { wanted: false }),
        ("equal", HelperKind::Equal),
        ("log", HelperKind::Log),
        (WRITE, HelperKind::Write),
    ] {
        let (budget, assumptions) = (budget.clone(), assumptions.clone());
        registry.register_helper(name, Box::new(TemplateHelper { kind, budget, assumptions }));
    }
    registry.register_helper("lookup", Box::new(LookupHelper));
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

/// What a helper or a block does.
#[derive(Clone, Copy)]
enum HelperKind {
    /// Writes a value, or marks one that is missing.
    Write,
    /// Writes nothing: nais/deploy writes it into its log.
    Log,
    /// Renders a block if two values are equal. What its `else` has is never rendered
    /// (<https://github.com/aymerick/raymond/blob/v2.0.2/helper.go>).
    Equal,
    /// The blocks `if` and `unless`.
    Condition { wanted: bool },
    /// The blocks `each` and `with`.
    Block { repeats: bool },
}

/// A helper or a block that writes.
struct TemplateHelper {
    kind: HelperKind,
    budget: RenderBudget,
    assumptions: Assumptions,
}

impl HelperDef for TemplateHelper {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let mut call = HelperCall { helper, registry, context, rc, out };
        match self.kind {
            HelperKind::Write => {
                let text = match call.argument(0)? {
                    Argument::Missing(name) => missing(&name),
                    Argument::Known(value) if call.rc.is_disable_escape() => written(&value)?,
                    Argument::Known(value) => registry.get_escape_fn()(&written(&value)?),
                };
                Ok(call.out.write(&text)?)
            }
            HelperKind::Log => Ok(()),
            HelperKind::Equal => {
                let (one, other) = (call.argument(0)?, call.argument(1)?);
                let is_equal = self.text(&one, &other)? == self.text(&other, &one)?;
                call.render(helper.template().filter(|_| is_equal))
            }
            HelperKind::Condition { wanted } => {
                let is_true = match call.argument(0)? {
                    Argument::Missing(name) => self.assumptions.is_something(&name)?,
                    Argument::Known(value) => is_something(&value),
                };
                call.render(if is_true == wanted { helper.template() } else { helper.inverse() })
            }
            HelperKind::Block { repeats } => self.block(repeats, &mut call),
        }
    }
}

impl TemplateHelper {
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

    /// Renders `each` or `with`.
    fn block<'reg: 'rc, 'rc>(
        &self,
        repeats: bool,
        call: &mut HelperCall<'_, 'reg, 'rc>,
    ) -> HelperResult {
        let helper = call.helper;
        let param = helper.param(0).ok_or_else(|| refused("the block has no argument"))?;
        let Some(body) = helper.template() else { return Ok(()) };
        let elements = 1 + count(body);
        let render = |item: BlockItem<'_>, call: &mut HelperCall<'_, 'reg, 'rc>| {
            self.budget.spend(elements)?;
            call.rc.push_block(item.block(helper, param)?);
            let done = call.render(Some(body));
            call.rc.pop_block();
            done
        };
        let value = match call.argument(0)? {
            Argument::Known(value) => value,
            Argument::Missing(name) => {
                return match self.assumptions.is_something(&name)? {
                    true => render(BlockItem::Whole(&Value::String(missing(&name))), call),
                    false => call.render(helper.inverse()),
                };
            }
        };
        match &*value {
            Value::Array(items) if repeats && !items.is_empty() => {
                let count = items.len();
                items.iter().enumerate().try_for_each(|(index, value)| {
                    render(BlockItem::Part { key: None, index, count, value }, call)
                })
            }
            Value::Object(entries) if repeats && !entries.is_empty() => {
                let count = entries.len();
                entries.iter().enumerate().try_for_each(|(index, (key, value))| {
                    render(BlockItem::Part { key: Some(key), index, count, value }, call)
                })
            }
            value if !is_something(value) => call.render(helper.inverse()),
            // There is nothing in it to repeat.
            _ if repeats => Ok(()),
            value => render(BlockItem::Whole(value), call),
        }
    }
}

/// A call of a helper by the library.
struct HelperCall<'a, 'reg: 'rc, 'rc> {
    helper: &'a Helper<'rc>,
    registry: &'reg Handlebars<'reg>,
    context: &'rc Context,
    rc: &'a mut RenderContext<'reg, 'rc>,
    out: &'a mut dyn Output,
}

impl<'a, 'rc> HelperCall<'a, '_, 'rc> {
    fn argument(&self, index: usize) -> Result<Argument<'a>, RenderError> {
        Argument::of(self.helper.param(index), self.context, self.rc)
    }

    /// Renders a part of a block, if there is one.
    fn render(&mut self, part: Option<&'rc Template>) -> HelperResult {
        let Some(part) = part else { return Ok(()) };
        part.render(self.registry, self.context, self.rc, self.out)
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

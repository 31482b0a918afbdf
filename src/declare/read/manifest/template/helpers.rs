//! The blocks of templates, which count what is rendered, and mark what is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use handlebars::template::TemplateElement;
use handlebars::{
    BlockContext, BlockParams, Context, Handlebars, Helper, HelperDef, HelperResult, Output,
    PathAndJson, RenderContext, RenderError, RenderErrorReason, Renderable, Template,
};
use serde_json::Value;

use super::missing;

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

fn refused(why: &str) -> RenderError {
    RenderErrorReason::Other(why.to_owned()).into()
}

/// Registers the blocks of nais/deploy, and what is rendered in the place of missing values.
pub(super) fn register(registry: &mut Handlebars<'_>, budget: &RenderBudget) {
    registry
        .register_helper("each", Box::new(TemplateBlock { repeats: true, budget: budget.clone() }));
    registry.register_helper(
        "with",
        Box::new(TemplateBlock { repeats: false, budget: budget.clone() }),
    );
    registry.register_helper("if", Box::new(Condition { wanted: true }));
    registry.register_helper("unless", Box::new(Condition { wanted: false }));
    registry.register_helper("equal", Box::new(Equal));
    registry.register_helper("helperMissing", Box::new(MissingValue));
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
struct Equal;

impl HelperDef for Equal {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let text = |index| helper.param(index).map(PathAndJson::render);
        let part = match text(0) == text(1) {
            true => helper.template(),
            false => helper.inverse(),
        };
        part.map_or(Ok(()), |part| part.render(registry, context, rc, out))
    }
}

/// Words of what is read of a manifest.
const READ: [&str; 8] = [
    "maskinporten",
    "scopes",
    "exposes",
    "consumes",
    "consumers",
    "orgno",
    "product",
    "redirectURI",
];

/// The blocks `if` and `unless`. A missing value counts as false, but for what is read.
struct Condition {
    wanted: bool,
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
        let mut parts = helper.template().into_iter().chain(helper.inverse());
        if param.is_value_missing() && parts.any(is_read) {
            let name = param.relative_path().map(String::as_str).unwrap_or_default();
            return Err(refused(&format!(
                "`{name}` has no value, and scopes or consumers depend on it"
            )));
        }
        let part = match is_something(param.value()) == self.wanted {
            true => helper.template(),
            false => helper.inverse(),
        };
        part.map_or(Ok(()), |part| part.render(registry, context, rc, out))
    }
}

/// Whether a part of a template has something that is read.
fn is_read(template: &Template) -> bool {
    template.elements.iter().any(|element| match element {
        TemplateElement::RawString(text) => READ.iter().any(|word| text.contains(word)),
        TemplateElement::HelperBlock(block) => {
            block.template.iter().chain(&block.inverse).any(is_read)
        }
        _ => false,
    })
}

/// The blocks `each` and `with`.
struct TemplateBlock {
    repeats: bool,
    budget: RenderBudget,
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
        if param.is_value_missing() {
            let name = param.relative_path().map(String::as_str).unwrap_or_default();
            return render(BlockItem::Whole(&Value::String(missing(name))), rc);
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

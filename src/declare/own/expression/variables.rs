//! Values for the evaluation of an expression.

use std::borrow::Borrow;
use std::collections::HashMap;

use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use serde_json::Value;

use super::extent::Extent;

/// Named values, optionally on top of others, which are shared and not copied: those of a scope below those
/// of each of its accesses.
pub(crate) struct Variables<'b> {
    own: Vec<Variable>,
    base: Option<&'b Variables<'b>>,
}

struct Variable {
    name: &'static str,
    value: Box<dyn Val>,
    extent: Extent,
}

impl<'b> Variables<'b> {
    pub(crate) fn new(
        values: impl IntoIterator<Item = (&'static str, impl Borrow<Value>)>,
    ) -> Self {
        let own = values.into_iter().map(|(name, value)| Variable {
            name,
            value: converted(value.borrow()),
            extent: Extent::of(value.borrow()),
        });
        Self { own: own.collect(), base: None }
    }

    /// These values on top of those.
    pub(crate) fn on(self, base: &'b Variables<'b>) -> Self {
        Self { base: Some(base), ..self }
    }

    fn find(&self, name: &str) -> Option<&Variable> {
        let own = self.own.iter().find(|variable| variable.name == name);
        own.or_else(|| self.base?.find(name))
    }

    pub(super) fn extent(&self, name: &str) -> Option<&Extent> {
        self.find(name).map(|variable| &variable.extent)
    }
}

impl VariableResolver for Variables<'_> {
    fn resolve<'v>(&'v self, name: &str) -> Option<CowVal<'v, 'v>> {
        self.find(name).map(|variable| CowVal::Borrowed(variable.value.as_ref()))
    }
}

fn converted(value: &Value) -> Box<dyn Val> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::String(text) => Box::new(CelString::from(text.clone())),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Box::new(CelInt::from(number)),
            (None, Some(number)) => Box::new(CelUInt::from(number)),
            (None, None) => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
        },
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(converted).collect();
            Box::new(CelList::from(items))
        }
        Value::Object(entries) => {
            let entries = entries.iter();
            let entries: HashMap<CelMapKey<'static>, Box<dyn Val>> =
                entries.map(|(key, value)| (key.clone().into(), converted(value))).collect();
            Box::new(CelMap::from(entries))
        }
    }
}

//! Errors of an evaluation, in plain words and of limited length.

use cel::common::types::{CelDouble, CelInt, CelString, CelUInt};
use cel::common::value::Val;
use cel::{ExecutionError, OverloadError, Value};

use crate::declare::diagnostic::quoted;

/// A value that is neither true nor false.
pub(super) fn of_value(value: &dyn Val) -> String {
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        return format!("the text {}", quoted(text.inner()));
    }
    let number = (value.downcast_ref::<CelInt>().map(|number| number.inner().to_string()))
        .or_else(|| value.downcast_ref::<CelUInt>().map(|number| number.inner().to_string()))
        .or_else(|| value.downcast_ref::<CelDouble>().map(|number| number.inner().to_string()));
    match number {
        Some(number) => format!("the number {}", quoted(&number)),
        None => of_type(value.get_type().name()),
    }
}

/// An error of an evaluation. Whole values, which may be large, are shown only by their type.
pub(super) fn of_error(error: &ExecutionError) -> String {
    use ExecutionError as E;
    match error {
        E::NoSuchKey(name) => format!("no such key: {}", quoted(name)),
        E::UndeclaredReference(name) => format!("there is nothing named {}", quoted(name)),
        E::NoSuchOverload(overload) => of_overload(overload),
        E::ValuesNotComparable(left, right) => {
            format!("{} and {} cannot be compared", of_kind(left), of_kind(right))
        }
        E::UnsupportedBinaryOperator(operator, left, right) => {
            let operator = arithmetic(operator);
            format!("`{operator}` does not work on {} and {}", of_kind(left), of_kind(right))
        }
        E::UnexpectedType { got, want } => match want.as_str() {
            "iterable" => format!("a macro runs over a list, not {}", of_type(got)),
            want => format!("{} is needed, not {}", of_type(want), of_type(got)),
        },
        E::DivisionByZero(_) | E::RemainderByZero(_) => "a division by zero".to_owned(),
        E::Overflow(operator, _, _) => {
            format!("the result of `{}` is out of range", arithmetic(operator))
        }
        E::IndexOutOfBounds(Value::Int(index)) => format!("no such item: {index}"),
        E::IndexOutOfBounds(_) => "no such item".to_owned(),
        E::UnsupportedIndex(index, _) => format!("{} cannot be an index", of_kind(index)),
        E::UnsupportedKeyType(key) => format!("{} cannot be a key", of_kind(key)),
        E::DuplicateKey(_) => "a key is given twice in one map".to_owned(),
        E::FunctionError { function, message } => format!("`{function}`: {}", quoted(message)),
        _ => "the expression cannot be evaluated".to_owned(),
    }
}

fn of_overload(overload: &OverloadError) -> String {
    let types: Vec<_> = overload.argument_types().iter().map(|name| of_type(name)).collect();
    match (overload.function(), types.as_slice()) {
        ("_._", [value, ..]) => format!("{value} has no attributes"),
        (operator, types) => {
            let operator = operator.trim_matches(['_', '@']);
            format!("{} does not work on {}", quoted(operator), types.join(" and "))
        }
    }
}

/// The crate names its arithmetic operators after Rust's traits.
fn arithmetic(name: &str) -> &str {
    match name {
        "add" => "+",
        "sub" | "negate" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        other => other,
    }
}

fn of_kind(value: &Value) -> String {
    of_type(&value.type_of().to_string())
}

fn of_type(name: &str) -> String {
    match name {
        "null_type" | "null" => "null".to_owned(),
        "bool" => "true or false".to_owned(),
        "string" => "a text".to_owned(),
        "int" | "uint" | "double" | "float" => "a number".to_owned(),
        "list" => "a list".to_owned(),
        "map" => "a map".to_owned(),
        "google.protobuf.Timestamp" | "timestamp" => "a timestamp".to_owned(),
        "google.protobuf.Duration" | "duration" => "a duration".to_owned(),
        other => format!("a {}", quoted(other)),
    }
}

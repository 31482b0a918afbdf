//! The functions that an expression may call.

/// A function of CEL's standard library
/// (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#functions>) or a macro.
pub(super) struct Function {
    pub(super) name: &'static str,
    /// The numbers of arguments when it is called as `name(…)`.
    global: &'static [usize],
    /// The numbers of arguments when it is called as `value.name(…)`.
    method: &'static [usize],
    /// Its usage.
    pub(super) usage: &'static str,
}

const fn global(name: &'static str, usage: &'static str) -> Function {
    Function { name, global: &[1], method: &[], usage }
}

const fn method(name: &'static str, usage: &'static str) -> Function {
    Function { name, global: &[], method: &[1], usage }
}

/// A part of a timestamp, with or without the name of a time zone, or of a duration.
const fn part(name: &'static str) -> Function {
    Function { name, global: &[], method: &[0, 1], usage: "timestamp(…).getHours('Europe/Oslo')" }
}

/// The parser resolves a macro that is called correctly; what remains is a wrong call.
const fn macro_named(name: &'static str, usage: &'static str) -> Function {
    Function { name, global: &[], method: &[], usage }
}

/// All functions. None of them reads a clock, the environment or random numbers.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "size", global: &[1], method: &[0], usage: "size(list)" },
    Function { name: "matches", global: &[2], method: &[1], usage: "text.matches('^[a-z]+$')" },
    method("contains", "text.contains(part)"),
    method("startsWith", "text.startsWith(part)"),
    method("endsWith", "text.endsWith(part)"),
    global("string", "string(value)"),
    global("bytes", "bytes(text)"),
    global("int", "int(value)"),
    global("uint", "uint(value)"),
    global("double", "double(value)"),
    global("bool", "bool(text)"),
    global("dyn", "dyn(value)"),
    global("type", "type(value)"),
    global("timestamp", "timestamp('2027-06-30T00:00:00Z')"),
    global("duration", "duration('24h')"),
    part("getFullYear"),
    part("getMonth"),
    part("getDayOfYear"),
    part("getDayOfMonth"),
    part("getDate"),
    part("getDayOfWeek"),
    part("getHours"),
    part("getMinutes"),
    part("getSeconds"),
    part("getMilliseconds"),
    macro_named("has", "has(value.attribute)"),
    macro_named("all", "list.all(item, condition)"),
    macro_named("exists", "list.exists(item, condition)"),
    macro_named("exists_one", "list.exists_one(item, condition)"),
    macro_named("map", "list.map(item, value)"),
    macro_named("filter", "list.filter(item, condition)"),
];

/// The types that can be named, as in `type(a) == string`.
pub(super) const TYPES: &[&str] =
    &["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

impl Function {
    /// Whether it can be called with that many arguments, on a value or not.
    pub(super) fn takes(&self, arguments: usize, on_value: bool) -> bool {
        (if on_value { self.method } else { self.global }).contains(&arguments)
    }
}

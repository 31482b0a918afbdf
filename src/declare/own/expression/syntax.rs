//! Parsing of an expression, within limits of length and depth.

use std::thread;

use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr, SourceInfo};
use cel::parser::Parser;
use cel::{ParseError, ParseErrors};

use super::ExpressionError;
use crate::declare::diagnostic::quoted;

/// Longest expression, in characters.
pub(super) const LONGEST: usize = 2_000;

/// Largest nesting of an expression, in the text as in its tree, where `a + b + c` is nested once for each
/// `+`. The evaluator takes 25 kB of stack for each level when the dependencies are built as in the `dev`
/// profile, hence 0.8 MB of the 2 MiB of a thread.
pub(super) const DEEPEST: u16 = 32;

/// The stack of the parsing thread. The parser and the drop of its trees recurse once for each operator,
/// bounded only by [`LONGEST`], which takes 1 MB in the `dev` profile.
const STACK: usize = 16 << 20;

/// Parses `text` and passes the tree with the places of its nodes to `then`; all in a thread that has the
/// stack for it, and that catches a panic of the parser.
pub(super) fn parsed<T: Send>(
    text: &str,
    then: impl FnOnce(IdedExpr, &SourceInfo) -> Result<T, ExpressionError> + Send,
) -> Result<T, ExpressionError> {
    if text.chars().nth(LONGEST).is_some() {
        let message = format!("an expression can have {LONGEST} characters at most");
        return Err(ExpressionError::new(None, message));
    }
    let unreadable = || ExpressionError::new(None, "the expression cannot be read");
    thread::scope(|scope| {
        let compile = || {
            let (tree, places) = tree_of(text)?;
            then(tree, &places)
        };
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, compile);
        let thread = thread.map_err(|_| unreadable())?;
        thread.join().unwrap_or_else(|_| Err(unreadable()))
    })
}

fn tree_of(text: &str) -> Result<(IdedExpr, SourceInfo), ExpressionError> {
    let parser = Parser::new().max_recursion_depth(DEEPEST);
    let (tree, places) =
        parser.parse_with_source_info(text).map_err(|errors| first(text, &errors))?;
    match depth(&tree) > usize::from(DEEPEST) {
        true => Err(ExpressionError::new(None, too_deep())),
        false => Ok((tree, places)),
    }
}

fn too_deep() -> String {
    format!("the expression is nested more than {DEEPEST} levels deep")
}

fn depth(expr: &IdedExpr) -> usize {
    1 + children(expr).into_iter().map(depth).max().unwrap_or(0)
}

/// The parts of an expression, in the order in which they are written.
pub(super) fn children(expr: &IdedExpr) -> Vec<&IdedExpr> {
    match &expr.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Vec::new(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Call(call) => call.target.iter().map(Box::as_ref).chain(&call.args).collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(parts).collect(),
        Expr::Struct(message) => message.entries.iter().flat_map(parts).collect(),
        Expr::Comprehension(all) => {
            vec![&all.iter_range, &all.accu_init, &all.loop_cond, &all.loop_step, &all.result]
        }
    }
}

fn parts(entry: &IdedEntryExpr) -> Vec<&IdedExpr> {
    match &entry.expr {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}

/// The first error: the parser also reports errors that follow from it, sometimes before it.
fn first(text: &str, errors: &ParseErrors) -> ExpressionError {
    let by_grammar = |error: &&ParseError| error.msg.starts_with("Syntax error: ");
    let first = errors.errors.iter().find(by_grammar).or(errors.errors.first());
    match first {
        Some(error) => ExpressionError::new(place(text, error), in_words(&error.msg)),
        None => ExpressionError::new(None, "the expression cannot be read"),
    }
}

/// The parser's messages about the arguments of a macro. For these it counts columns in bytes, otherwise in
/// characters.
const OF_MACROS: &[(&str, &str)] = &[
    (
        "argument must be a simple name",
        "a macro takes a name first, as in `list.all(item, condition)`",
    ),
    ("invalid argument to has() macro", "`has` is called as in `has(value.attribute)`"),
];

/// Converts a line and a column, counted from 1, to the number of characters before it.
fn place(text: &str, error: &ParseError) -> Option<usize> {
    let line = usize::try_from(error.pos.0).ok()?.checked_sub(1)?;
    let column = usize::try_from(error.pos.1).ok()?.checked_sub(1)?;
    let lines = || text.split_inclusive('\n');
    let before: usize = lines().take(line).map(|line| line.chars().count()).sum();
    let line = lines().nth(line).unwrap_or_default();
    let column = match OF_MACROS.iter().any(|(message, _)| *message == error.msg) {
        true => characters_before(line, column),
        false => column.min(line.chars().count()),
    };
    Some(before + column)
}

/// Converts a number of bytes before a place to the number of characters.
pub(super) fn characters_before(text: &str, bytes: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < bytes).count()
}

/// The parser's message, without its lists of all possible tokens.
fn in_words(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let of_macro = OF_MACROS.iter().find(|(reported, _)| *reported == message);
    if let Some((_, message)) = of_macro {
        return (*message).to_owned();
    }
    if let Some(word) = message.strip_prefix("reserved identifier: ") {
        return format!("{} is a reserved word of CEL", quoted(word));
    }
    if let Some((missing, _)) =
        message.strip_prefix("missing '").and_then(|rest| rest.split_once("' at '"))
    {
        return format!("{} is missing here", quoted(missing));
    }
    if message.contains("Recursion limit") {
        return too_deep();
    }
    let reported = not_a_token(message).or_else(|| unexpected(message));
    reported.unwrap_or_else(|| format!("the expression cannot be read: {}", quoted(message)))
}

fn not_a_token(message: &str) -> Option<String> {
    let text = message.strip_prefix("token recognition error at: '")?;
    let text = text.strip_suffix('\'').unwrap_or(text).trim_end();
    Some(match text.contains(['"', '\'']) {
        true => "a text does not end, or has an escape that CEL does not know".to_owned(),
        false => format!("{} has no meaning in CEL", quoted(text)),
    })
}

fn unexpected(message: &str) -> Option<String> {
    let prefixes = ["mismatched input '", "extraneous input '", "no viable alternative at input '"];
    let found = prefixes.iter().find_map(|prefix| message.strip_prefix(prefix))?;
    let found = found.split_once("' expecting ").map_or(found, |(found, _)| found);
    Some(match found.strip_suffix('\'').unwrap_or(found) {
        "<EOF>" => "the expression ends too early".to_owned(),
        found => format!("{} is not possible here", quoted(found)),
    })
}

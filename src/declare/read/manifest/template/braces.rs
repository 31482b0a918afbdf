//! The grammar of what may be between the braces of a template. It has no nesting but that of blocks, so that
//! the library's own reader, which is recursive, cannot be led into the depth. It knows the blocks and helpers of
//! nais/deploy (<https://github.com/aymerick/raymond>, version 2.0.2) alone: what that does not know becomes an
//! empty text there, and what the library knows besides would be something else here.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::TemplateProblem;

/// How deeply blocks may be nested.
pub(super) const DEEPEST: usize = 16;

/// The helper that writes values.
pub(super) const WRITE: &str = "portvakt-write";

/// The blocks, with the number of their arguments.
const BLOCKS: [(&str, usize); 5] =
    [("each", 1), ("equal", 2), ("if", 1), ("unless", 1), ("with", 1)];
/// The helpers that are no blocks.
const HELPERS: [(&str, usize); 2] = [("log", 1), ("lookup", 2)];

/// A name or a path.
const PATH: &str =
    r"@?(?:\.\.?/)*(?:\.\.?|[\p{L}_$][\p{L}\p{N}_$-]*(?:[./][\p{L}_$][\p{L}\p{N}_$-]*)*)";
/// A number.
const NUMBER: &str = r"-?[0-9]+(?:\.[0-9]+)?";

fn argument() -> String {
    let plain = format!(r#""[^"\\{{}}]*"|'[^'\\{{}}]*'|{NUMBER}|{PATH}"#);
    format!(r"\(\s*{PATH}(?:\s+(?:{plain}))*\s*\)|{plain}")
}

/// A name or a path, or the beginning or the end of a block, with plain arguments.
static CONTENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let argument = argument();
    let params = r"\s+as\s*\|\s*[\p{L}\p{N}_-]+(?:\s+[\p{L}\p{N}_-]+)?\s*\|";
    let content = format!(
        r"^(?<left>~?)(?<sign>[#/&]?)\s*(?<chain>else\s+)?(?<head>{PATH})(?<arguments>(?:\s+(?:{argument}))*)(?<params>{params})?\s*(?<right>~?)$"
    );
    Regex::new(&content).ok()
});

/// An argument.
static ARGUMENT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&argument()).ok());

/// A template that can be rendered.
#[derive(Debug)]
pub(super) struct CheckedTemplate {
    /// Its text for the library: values are written by [`WRITE`].
    pub(super) text: String,
    /// The lines of `else` that nais/deploy never renders.
    pub(super) unrendered: Vec<u32>,
}

/// Checks all braces of a template.
pub(super) fn check(template: &str) -> Result<CheckedTemplate, TemplateProblem> {
    let mut open = Vec::new();
    let mut checked = CheckedTemplate { text: String::new(), unrendered: Vec::new() };
    let (mut rest, mut line) = (template, 1_u32);
    while let Some(at) = rest.find("{{") {
        let (before, inner) = rest.split_at(at);
        line = line.saturating_add(lines(before));
        let problem = |message: &str| TemplateProblem::new(Some(line), message);
        if before.ends_with('\\') {
            return Err(problem("a backslash before braces is read in several ways"));
        }
        let comment_end = match inner.get(2..).map(|inner| inner.trim_start_matches('~')) {
            Some(inner) if inner.starts_with("!--") => Some("--"),
            Some(inner) if inner.starts_with('!') => Some(""),
            _ => None,
        };
        let length = match comment_end {
            Some(end) => comment(inner, end),
            None => {
                let end = if inner.starts_with("{{{") { "}}}" } else { "}}" };
                inner.find(end).map(|at| at + end.len())
            }
        };
        let Some(length) = length else {
            return Err(problem("the braces are not closed"));
        };
        let (braces, behind) = inner.split_at(length);
        if comment_end.is_none() && braces.trim_start_matches('{').contains("{{") {
            return Err(problem("the braces are not closed"));
        }
        checked.text.push_str(before);
        if comment_end.is_some() {
            checked.text.push_str(&empty(braces));
        } else {
            let tag = Tag::parse(braces).map_err(|message| problem(&message))?;
            if tag.follow(&mut open).map_err(|message| problem(&message))? {
                checked.unrendered.push(line);
            }
            checked.text.push_str(&tag.text);
        }
        line = line.saturating_add(lines(braces));
        rest = behind;
    }
    checked.text.push_str(rest);
    match open.is_empty() {
        true => Ok(checked),
        false => Err(TemplateProblem::new(Some(line), "a block is not closed")),
    }
}

/// The length of a comment, up to its end before the closing braces.
fn comment(inner: &str, end: &str) -> Option<usize> {
    [format!("{end}}}}}"), format!("{end}~}}}}")]
        .iter()
        .filter_map(|end| inner.find(end.as_str()).map(|at| at + end.len()))
        .min()
}

/// A comment for the library, which knows none that trims white space, and removes line breaks beside others.
fn empty(braces: &str) -> String {
    let tilde = |is_there| if is_there { "~" } else { "" };
    let (left, right) = (tilde(braces.starts_with("{{~")), tilde(braces.ends_with("~}}")));
    let breaks = "\n".repeat(braces.matches('\n').count());
    format!("{{{{{left}log \"\"{breaks}{right}}}}}")
}

/// A block that is open.
struct OpenBlock {
    name: String,
    /// Whether the values in it are those of an element.
    has_element: bool,
}

/// What is between two braces.
struct Tag {
    kind: TagKind,
    /// How many elements up its paths lead, at most.
    climbs: usize,
    /// The whole of it for the library.
    text: String,
}

#[derive(Debug, PartialEq, Eq)]
enum TagKind {
    Value,
    Open(String),
    Else,
    Close(String),
}

impl Tag {
    fn parse(braces: &str) -> Result<Self, String> {
        let content = braces.trim_start_matches('{').trim_end_matches('}').trim();
        let found = CONTENT.as_ref().and_then(|it| it.captures(content));
        let Some(found) = found.filter(|_| !braces.starts_with("{{{{")) else {
            return Err(
                "only names, paths, comments, the helpers `lookup` and `log`, and the blocks `each`, `if`, \
                        `unless`, `with` and `equal` may be between braces, with plain arguments"
                    .to_owned(),
            );
        };
        let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
        let (head, arguments) = (part("head"), arguments(part("arguments"))?);
        let is_chain = !part("chain").is_empty();
        let is_value = arguments.is_empty() && part("params").is_empty();
        let kind = match (part("sign"), is_chain) {
            ("/", false) if is_value => TagKind::Close(head.to_owned()),
            ("#", false) => {
                known(head, arguments.len(), &BLOCKS, "block")?;
                TagKind::Open(head.to_owned())
            }
            ("", true) => {
                known(head, arguments.len(), &BLOCKS, "block")?;
                TagKind::Else
            }
            ("", false) if head == "else" && is_value => TagKind::Else,
            ("" | "&", false) if part("params").is_empty() => {
                let is_helper = [&BLOCKS[..], &HELPERS].concat().iter().any(|(it, _)| *it == head);
                if is_helper || !arguments.is_empty() {
                    known(head, arguments.len(), &HELPERS, "helper")?;
                }
                TagKind::Value
            }
            _ => return Err("this is not a form that braces can have".to_owned()),
        };
        if kind == TagKind::Value && arguments.is_empty() {
            refuse_literal(head)?;
        }
        let paths = arguments.iter().flat_map(|argument| argument.split([' ', '(']));
        let paths = paths.chain([head]).filter(|path| !path.starts_with(['"', '\'']));
        let climbs = paths.map(|path| path.matches("..").count()).max().unwrap_or_default();
        Ok(Self { text: text(braces, &found, &kind, &arguments), climbs, kind })
    }

    /// Opens or closes a block; whether it is an `else` that is never rendered.
    fn follow(&self, open: &mut Vec<OpenBlock>) -> Result<bool, String> {
        if self.climbs > open.iter().filter(|block| block.has_element).count() {
            return Err("a path with `..` leads out of the template".to_owned());
        }
        match &self.kind {
            TagKind::Value => {}
            TagKind::Open(_) if open.len() >= DEEPEST => {
                return Err(format!("blocks are nested more than {DEEPEST} levels deep"));
            }
            TagKind::Open(name) => {
                let has_element = ["each", "with"].contains(&name.as_str());
                open.push(OpenBlock { name: name.clone(), has_element });
            }
            TagKind::Close(name) if open.pop().is_none_or(|block| block.name != *name) => {
                return Err("this closes a block that is not open".to_owned());
            }
            TagKind::Close(_) => {}
            TagKind::Else => match open.last_mut() {
                Some(block) => {
                    block.has_element = false;
                    return Ok(block.name == "equal");
                }
                None => return Err("this `else` is in no block".to_owned()),
            },
        }
        Ok(false)
    }
}

/// The arguments as the library has them.
fn arguments(text: &str) -> Result<Vec<String>, String> {
    let found = ARGUMENT.iter().flat_map(|it| it.find_iter(text));
    let argument = |text: &str| {
        let Some(inner) = text.strip_prefix('(').and_then(|it| it.strip_suffix(')')) else {
            return Ok(whole(text).to_owned());
        };
        let mut parts = ARGUMENT.iter().flat_map(|it| it.find_iter(inner)).map(|it| it.as_str());
        let head = parts.next().unwrap_or_default();
        match parts.count() {
            // Parentheses make no call of a value.
            0 => Ok(whole(head).to_owned()),
            count => known(head, count, &HELPERS[1..], "helper").map(|()| text.to_owned()),
        }
    };
    found.map(|it| argument(it.as_str())).collect()
}

/// Refuses what nais/deploy does not know, or would fail at.
fn known(name: &str, arguments: usize, all: &[(&str, usize)], what: &str) -> Result<(), String> {
    let names = || all.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match all.iter().find(|(it, _)| *it == name) {
        None => Err(format!("nais/deploy has no {what} `{name}`, only {}", names())),
        Some((_, wanted)) if *wanted != arguments => {
            let wanted = if *wanted == 1 { "one argument" } else { "two arguments" };
            Err(format!("`{name}` has {wanted} in nais/deploy"))
        }
        Some(_) => Ok(()),
    }
}

/// A path as the library has it.
fn whole(path: &str) -> &str {
    if path == "." { "this" } else { path }
}

/// Refuses words that are no names for all readers.
fn refuse_literal(head: &str) -> Result<(), String> {
    match ["true", "false", "null", "undefined"].contains(&head) {
        true => Err(format!("`{head}` is not the name of a value")),
        false => Ok(()),
    }
}

/// What is between the braces, for the library.
fn text(braces: &str, found: &Captures<'_>, kind: &TagKind, arguments: &[String]) -> String {
    let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
    let (head, left, right) = (part("head"), part("left"), part("right"));
    let (name, argument) = match kind == &TagKind::Value && arguments.is_empty() {
        true => (WRITE, whole(head).to_owned()),
        false => (head, arguments.join(" ")),
    };
    let chain = if part("chain").is_empty() { "" } else { "else " };
    let (open, close) = match braces.starts_with("{{{") || part("sign") == "&" {
        true => ("{{{", "}}}"),
        false => ("{{", "}}"),
    };
    let sign = part("sign").trim_end_matches('&');
    let breaks = "\n".repeat(braces.matches('\n').count());
    let params = part("params").replace(['\n', '\r'], " ");
    let call = format!("{sign}{chain}{name} {argument}{params}");
    match open == "{{{" && !(left.is_empty() && right.is_empty()) {
        true => format!("{{{{{left}{{{}{breaks}}}{right}}}}}", call.trim_end()),
        false => format!("{open}{left}{}{breaks}{right}{close}", call.trim_end()),
    }
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

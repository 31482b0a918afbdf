//! Makes a tree of a text, by the events of one reader (`saphyr`). This pass comes first and is bounded:
//! nesting and what aliases expand to are limited before anything else is made of the text.
//!
//! A second reader (`serde_yaml`) says what a plain scalar is, and must find the same values: what two
//! readers understand differently is not fit to decide who has access.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, Tag};
use serde::Deserialize as _;

use super::quotes::Source;
use super::syntax;
use super::tree::{Mapping, Node, Value};
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::span::{Position, Span};

/// How deeply YAML may be nested.
const DEEPEST: usize = 64;
/// How many values the aliases of one file may add to it.
const MOST_FROM_ALIASES: usize = 10_000;

/// Something wrong with the text itself.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) rule: Rule,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Cow<'static, str>,
    /// Where a duplicate key stood first.
    pub(crate) first: Option<Span>,
}

/// What is read of a text.
pub(crate) struct Parsed<'s> {
    pub(crate) documents: Vec<Node<'s>>,
    pub(crate) problems: Vec<Problem>,
    /// The places of aliases.
    pub(crate) aliases: Vec<Position>,
}

/// Reads the documents of a text; none if there are problems. An error ends it; duplicate keys and tags
/// are collected. Whether problems may repeat what the text says is for the caller to know.
pub(crate) fn parse(text: &str, repeats: bool) -> Parsed<'_> {
    let mut builder = Builder { repeats, ..Builder::default() };
    if let Err(problem) = builder.read(text) {
        builder.problems.push(problem);
    }
    let Builder { documents, mut problems, aliases, .. } = builder;
    let mut settled = Vec::new();
    if problems.is_empty() {
        match settle(documents, text, repeats) {
            Ok(documents) => settled = documents,
            Err(problem) => problems.push(problem),
        }
    }
    Parsed { documents: settled, problems, aliases }
}

/// The documents with the values of the second reader.
fn settle<'s>(
    mut documents: Vec<Node<'s>>,
    text: &str,
    repeats: bool,
) -> Result<Vec<Node<'s>>, Problem> {
    let read = serde_yaml::Deserializer::from_str(text).enumerate().map(|(number, reader)| {
        let place = documents.get(number).map_or(Span::TOP, Node::span);
        serde_yaml::Value::deserialize(reader)
            .map_err(|error| second_opinion(text, &error, place, repeats))
    });
    let read = read.collect::<Result<Vec<_>, _>>()?;
    if documents.len() > read.len() {
        let message = "it is not clear where the documents of this file begin";
        return Err(unclear(
            Span::TOP,
            message,
            "put `---` on a line of its own between two documents",
        ));
    }
    documents.resize_with(read.len(), || Node { span: Span::TOP, value: Value::Null });
    for (document, read) in documents.iter_mut().zip(read) {
        document.settle(read).map_err(|span| {
            let help = "write it in a simpler way, such as a text in double quotes on one line";
            unclear(span, "this can be read as YAML in two ways", help)
        })?;
    }
    Ok(documents)
}

fn unclear(span: Span, message: &str, help: &'static str) -> Problem {
    let message = message.to_owned();
    Problem { rule: Rule::Syntax, span, message, help: help.into(), first: None }
}

/// How large a value is, aliases expanded.
#[derive(Clone, Copy, Default)]
struct Extent {
    values: usize,
    levels: usize,
}

/// A collection that is not closed yet.
struct Open<'s> {
    node: Node<'s>,
    anchor: usize,
    extent: Extent,
    /// In a mapping: the key whose value comes next.
    key: Option<Node<'s>>,
}

#[derive(Default)]
struct Builder<'s> {
    documents: Vec<Node<'s>>,
    open: Vec<Open<'s>>,
    anchors: HashMap<usize, Extent>,
    from_aliases: usize,
    problems: Vec<Problem>,
    aliases: Vec<Position>,
    repeats: bool,
}

impl<'s> Builder<'s> {
    fn read(&mut self, text: &'s str) -> Result<(), Problem> {
        let mut parser = Parser::new_from_str(text);
        let mut source = Source::new(text);
        // For the parser, a text without a line break at its end ends below its last line.
        let end = end_of(text);
        let within = |marker| position(marker).min(end);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                syntax(text, position(*error.marker()), error.info(), self.repeats)
            })?;
            let indices = (span.start.index(), span.end.index());
            let span = Span { start: within(span.start), end: within(span.end) };
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let span = source.without_what_follows(span, indices, style);
                    self.check_tag(tag.as_deref(), span);
                    let extent = Extent { values: 1, levels: 0 };
                    self.remember(anchor, extent);
                    self.place(Node { span, value: Value::String(text) }, extent);
                }
                Event::Alias(anchor) => self.alias(anchor, span)?,
                Event::SequenceStart(anchor, tag) => {
                    self.check_tag(tag.as_deref(), span);
                    self.start(span, Value::Sequence(Vec::new()), anchor)?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.check_tag(tag.as_deref(), span);
                    self.start(span, Value::Mapping(Mapping::default()), anchor)?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end(span),
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, span: Span, value: Value<'s>, anchor: usize) -> Result<(), Problem> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep(span));
        }
        self.open.push(Open {
            node: Node { span, value },
            anchor,
            extent: Extent { values: 1, levels: 1 },
            key: None,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) {
        let Some(mut closed) = self.open.pop() else {
            return;
        };
        // A bracket belongs to the collection. (For the parser, so does what stands behind it on
        // the line.) The event that ends a block collection is empty, and stands at what comes next.
        if span.start != span.end {
            let Position { line, column } = span.start;
            let column = column + 1;
            closed.node.span.end = closed.node.span.end.max(Position { line, column });
        }
        if let Value::Mapping(mapping) = &closed.node.value {
            self.problems.extend(duplicates(mapping));
        }
        self.remember(closed.anchor, closed.extent);
        self.place(closed.node, closed.extent);
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Problem> {
        let Some(&extent) = self.anchors.get(&anchor) else {
            return Err(Problem {
                rule: Rule::Nesting,
                span,
                message: "an alias inside the very value that it stands for".into(),
                help: "write out what is meant".into(),
                first: None,
            });
        };
        self.from_aliases = self.from_aliases.saturating_add(extent.values);
        if self.from_aliases > MOST_FROM_ALIASES {
            return Err(Problem {
                rule: Rule::Nesting,
                span,
                message: format!(
                    "the aliases of this file stand for more than {MOST_FROM_ALIASES} values"
                ),
                help: "use a group of consumers instead".into(),
                first: None,
            });
        }
        if self.open.len() + extent.levels > DEEPEST {
            return Err(too_deep(span));
        }
        self.aliases.push(span.start);
        self.place(Node { span, value: Value::Null }, extent);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, node: Node<'s>, extent: Extent) {
        let Some(parent) = self.open.last_mut() else {
            self.documents.push(node);
            return;
        };
        parent.extent.values = parent.extent.values.saturating_add(extent.values);
        parent.extent.levels = parent.extent.levels.max(extent.levels + 1);
        parent.node.span.end = parent.node.span.end.max(node.span.end);
        match &mut parent.node.value {
            Value::Sequence(items) => items.push(node),
            Value::Mapping(mapping) => match parent.key.take() {
                None => parent.key = Some(node),
                Some(key) => mapping.entries.push((key, node)),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Anchor 0 is none.
    fn remember(&mut self, anchor: usize, extent: Extent) {
        if anchor > 0 {
            self.anchors.insert(anchor, extent);
        }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, span: Span) {
        const CORE: [&str; 7] = ["str", "int", "float", "bool", "null", "map", "seq"];
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && CORE.contains(&tag.suffix.as_str()))
        {
            self.problems.push(Problem {
                rule: Rule::Tag,
                span,
                message: "a YAML tag (`!…`) has no meaning here".into(),
                help:
                    "write the value itself; for a text that begins with `!`, put it in quotes; a \
                       file of another tool goes into `exclude` in portvakt.yaml"
                        .into(),
                first: None,
            });
        }
    }
}

/// The problem of a text that is YAML for one reader only.
fn second_opinion(text: &str, error: &serde_yaml::Error, document: Span, repeats: bool) -> Problem {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let at = error.location().map_or(document.start, |location| Position {
        line: number(location.line()),
        column: number(location.column()),
    });
    let said = error.to_string();
    let said = if said.contains("as u128") || said.contains("as i128") {
        "a number is too large"
    } else if said.contains("invalid value") {
        // The rest of it repeats the value, which may be a secret.
        "a value is not what its tag says"
    } else {
        said.split(" at line ").next().unwrap_or_default()
    };
    syntax(text, at, said, repeats)
}

fn duplicates(mapping: &Mapping<'_>) -> Vec<Problem> {
    let mut keys: Vec<_> =
        mapping.keys().filter_map(|key| Some((key.value.as_str()?, key.span()))).collect();
    // Stable: of equal keys the first stays the first.
    keys.sort_by_key(|(key, _)| *key);
    let mut problems = Vec::new();
    for same in keys.chunk_by(|(a, _), (b, _)| a == b) {
        for (key, span) in same.iter().skip(1) {
            let help = match *key {
                "name" => "write a dash before it, `- name: …`, if another scope begins here",
                "scopes" | "consumers" | "groups" | "removed" => {
                    "put all entries below the first one, and take this line out"
                }
                _ => {
                    "keep one of them; what differs between environments goes into \
                     `per_environment`"
                }
            };
            let key = quoted(key);
            problems.push(Problem {
                rule: Rule::DuplicateKey,
                span: *span,
                message: format!("the key {key} stands twice in this mapping"),
                help: help.into(),
                first: same.first().map(|(_, first)| *first),
            });
        }
    }
    // Without its dash, all that a second scope says stands twice.
    let of_name = problems.iter().position(|problem| problem.message.contains("`name`"));
    match of_name {
        Some(name) => vec![problems.swap_remove(name)],
        None => problems,
    }
}

fn too_deep(span: Span) -> Problem {
    Problem {
        rule: Rule::Nesting,
        span,
        message: format!("YAML nested deeper than {DEEPEST} levels is not read"),
        help: "no declaration needs more than a few levels".into(),
        first: None,
    }
}

/// What is wrong with a text that a reader could not read on from a place.
fn syntax(text: &str, at: Position, said: &str, repeats: bool) -> Problem {
    let syntax::Told { span, reason, help } = syntax::explain(text, at, said, repeats);
    let end = end_of(text);
    let span = Span { start: span.start.min(end), end: span.end.min(end) };
    let message = format!("this is not YAML: {reason}");
    Problem { rule: Rule::Syntax, span, message, help: help.into(), first: None }
}

/// Where a text ends. YAML's lines end with a line feed, a carriage return, or the two together
/// (YAML 1.2.2, section 5.4).
pub(crate) fn end_of(text: &str) -> Position {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let last = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    let pairs = text.matches("\r\n").count();
    let breaks = text.matches(['\n', '\r']).count() - pairs;
    Position { line: number(breaks + 1), column: number(last.chars().count() + 1) }
}

/// The parser's lines start at 1 and its columns at 0.
fn position(marker: Marker) -> Position {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: number(marker.line().max(1)), column: number(marker.col().saturating_add(1)) }
}

//! Where in a file each value and each key stands: a tree parallel to the values.
//!
//! The values come from `serde_yaml`, which forgets places, so the text is read a second time for
//! its events alone. This pass comes first and is the one that is bounded: nesting and what
//! aliases expand to are limited here, before anything is built in memory.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, Tag};

use super::quotes::Source;
use super::syntax;
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

/// Where a value stands, and where what it holds stands.
#[derive(Debug)]
pub(crate) struct Node<'s> {
    pub(crate) span: Span,
    pub(crate) children: Children<'s>,
}

/// What a value holds.
#[derive(Debug)]
pub(crate) enum Children<'s> {
    /// A scalar, or an alias: what that stands for has its places elsewhere.
    None,
    Items(Vec<Node<'s>>),
    /// Sorted by key, so that a wide mapping is searched in no time.
    Entries(Vec<Entry<'s>>),
}

/// A key of a mapping and its value.
#[derive(Debug)]
pub(crate) struct Entry<'s> {
    /// `None` for a key that is no scalar.
    pub(crate) key: Option<Cow<'s, str>>,
    pub(crate) key_span: Span,
    pub(crate) node: Node<'s>,
}

impl Node<'_> {
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry<'_>> {
        let Children::Entries(entries) = &self.children else {
            return None;
        };
        let found = entries.binary_search_by(|entry| entry.key.as_deref().cmp(&Some(key)));
        entries.get(found.ok()?)
    }

    pub(crate) fn is_in_scalar(&self, at: Position) -> bool {
        let within = |span: Span| (span.start..span.end).contains(&at);
        match &self.children {
            _ if !within(self.span) => false,
            Children::None => true,
            Children::Items(items) => items.iter().any(|item| item.is_in_scalar(at)),
            Children::Entries(entries) => {
                entries.iter().any(|entry| within(entry.key_span) || entry.node.is_in_scalar(at))
            }
        }
    }

    pub(crate) fn item(&self, index: usize) -> Option<&Node<'_>> {
        match &self.children {
            Children::Items(items) => items.get(index),
            Children::None | Children::Entries(_) => None,
        }
    }
}

/// What is read of a text.
pub(crate) struct Places<'s> {
    pub(crate) documents: Vec<Node<'s>>,
    pub(crate) problems: Vec<Problem>,
    /// Where aliases stand.
    pub(crate) aliases: Vec<Position>,
}

/// The places of each document of a text. An error ends it; duplicate keys and tags are collected.
/// Whether what the text says may be repeated is for the caller to know.
pub(crate) fn read(text: &str, repeats: bool) -> Places<'_> {
    let mut builder = Builder { repeats, ..Builder::default() };
    if let Err(problem) = builder.read(text) {
        builder.problems.push(problem);
    }
    let Builder { documents, problems, aliases, .. } = builder;
    Places { documents, problems, aliases }
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
    key: Option<(Option<Cow<'s, str>>, Span)>,
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
                    self.place(leaf(span), Some(text), extent);
                }
                Event::Alias(anchor) => self.alias(anchor, span)?,
                Event::SequenceStart(anchor, tag) => {
                    self.check_tag(tag.as_deref(), span);
                    self.start(span, Children::Items(Vec::new()), anchor)?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.check_tag(tag.as_deref(), span);
                    self.start(span, Children::Entries(Vec::new()), anchor)?;
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

    fn start(&mut self, span: Span, children: Children<'s>, anchor: usize) -> Result<(), Problem> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep(span));
        }
        self.open.push(Open {
            node: Node { span, children },
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
        if let Children::Entries(entries) = &mut closed.node.children {
            // Stable: of equal keys the first stays the first.
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            self.problems.extend(duplicates(entries));
        }
        self.remember(closed.anchor, closed.extent);
        self.place(closed.node, None, closed.extent);
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
        self.place(leaf(span), None, extent);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, node: Node<'s>, text: Option<Cow<'s, str>>, extent: Extent) {
        let Some(parent) = self.open.last_mut() else {
            self.documents.push(node);
            return;
        };
        parent.extent.values = parent.extent.values.saturating_add(extent.values);
        parent.extent.levels = parent.extent.levels.max(extent.levels + 1);
        parent.node.span.end = parent.node.span.end.max(node.span.end);
        match &mut parent.node.children {
            Children::None => {}
            Children::Items(items) => items.push(node),
            Children::Entries(entries) => match parent.key.take() {
                None => parent.key = Some((text, node.span)),
                Some((key, key_span)) => entries.push(Entry { key, key_span, node }),
            },
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

fn duplicates(entries: &[Entry<'_>]) -> Vec<Problem> {
    let same = |a: &Entry<'_>, b: &Entry<'_>| a.key.is_some() && a.key == b.key;
    let mut problems = Vec::new();
    for chunk in entries.chunk_by(same) {
        for other in chunk.iter().skip(1) {
            let key = other.key.as_deref().unwrap_or_default();
            let help = match key {
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
                span: other.key_span,
                message: format!("the key {key} stands twice in this mapping"),
                help: help.into(),
                first: Some(chunk[0].key_span),
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

fn leaf<'s>(span: Span) -> Node<'s> {
    Node { span, children: Children::None }
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

/// What is wrong with a text that a parser could not read on from a place.
pub(crate) fn syntax(text: &str, at: Position, said: &str, repeats: bool) -> Problem {
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

//! Makes a tree of a text, by the events of one reader (`saphyr`). This pass comes first and is bounded:
//! nesting and what aliases expand to are limited before anything else is made of the text.
//!
//! A second reader (`serde_yaml`) says what a plain scalar is, and must find the same values: what two
//! readers understand differently is not fit to decide who has access.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};
use serde::Deserialize as _;

use crate::lines::end_of;
use crate::merge::Anchors;
use crate::quotes::Cursor;
use crate::span::{Position, Span};
use crate::tree::{Mapping, Node, Value};

/// How deeply YAML may be nested.
pub const DEEPEST: usize = 64;
/// How many values the aliases of one file may add to it.
pub const MOST_FROM_ALIASES: usize = 10_000;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is.
    pub kind: ProblemKind,
    /// Its place.
    pub span: Span,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// A reader could not go on, for the reason that it gives.
    Syntax(String),
    /// Two readers understand it differently.
    Ambiguous,
    /// Two readers find another number of documents.
    Documents,
    /// It has a tag that is none of YAML's core schema.
    Tag,
    /// It is nested deeper than [`DEEPEST`].
    TooDeep,
    /// The aliases of the text stand for more than [`MOST_FROM_ALIASES`] values.
    TooManyFromAliases,
    /// An alias is inside the very value that it stands for.
    AliasInItself,
    /// Keys that a mapping has more than once, sorted by key.
    DuplicateKeys(Vec<DuplicateKey>),
}

/// A key that was there before in its mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DuplicateKey {
    /// The key.
    pub key: String,
    /// Its place.
    pub span: Span,
    /// The place of the first one.
    pub first: Span,
}

/// What is read of a text.
pub struct Parsed<'s> {
    /// A tree for each document; none if there are problems.
    pub documents: Vec<Node<'s>>,
    /// What is wrong with the text.
    pub problems: Vec<Problem>,
    /// The places of aliases.
    pub aliases: Vec<Position>,
    /// The places of what the aliases stand for.
    pub anchors: Anchors,
}

/// Reads the documents of a text. An error ends it; duplicate keys and tags are collected.
pub fn parse(text: &str) -> Parsed<'_> {
    let mut builder = Builder::default();
    if let Err(problem) = builder.read(text) {
        builder.problems.push(problem);
    }
    let Builder { documents, mut problems, aliases, targets, .. } = builder;
    let mut settled = Vec::new();
    if problems.is_empty() {
        match settle(documents, text) {
            Ok(documents) => settled = documents,
            Err(problem) => problems.push(problem),
        }
    }
    Parsed { documents: settled, problems, aliases, anchors: Anchors(targets) }
}

/// The documents with the values of the second reader.
fn settle<'s>(mut documents: Vec<Node<'s>>, text: &str) -> Result<Vec<Node<'s>>, Problem> {
    let read = serde_yaml::Deserializer::from_str(text).enumerate().map(|(number, reader)| {
        let place = documents.get(number).map_or(Span::TOP, Node::span);
        serde_yaml::Value::deserialize(reader).map_err(|error| second_opinion(&error, place))
    });
    let read = read.collect::<Result<Vec<_>, _>>()?;
    if documents.len() > read.len() {
        return Err(Problem { kind: ProblemKind::Documents, span: Span::TOP });
    }
    let nothing = || Node { span: Span::TOP, is_plain: false, value: Value::Null };
    documents.resize_with(read.len(), nothing);
    for (document, read) in documents.iter_mut().zip(read) {
        document.settle(read).map_err(|span| Problem { kind: ProblemKind::Ambiguous, span })?;
    }
    Ok(documents)
}

/// How large a value is, aliases expanded.
#[derive(Clone, Copy, Default)]
struct Expansion {
    values: usize,
    levels: usize,
}

/// A collection that is not closed yet.
struct Open<'s> {
    node: Node<'s>,
    anchor: usize,
    extent: Expansion,
    /// In a mapping: the key whose value comes next.
    key: Option<Node<'s>>,
}

#[derive(Default)]
struct Builder<'s> {
    documents: Vec<Node<'s>>,
    open: Vec<Open<'s>>,
    anchors: HashMap<usize, (Expansion, Span)>,
    /// The places of what aliases stand for, by those of the aliases.
    targets: HashMap<Position, Span>,
    from_aliases: usize,
    problems: Vec<Problem>,
    aliases: Vec<Position>,
}

impl<'s> Builder<'s> {
    fn read(&mut self, text: &'s str) -> Result<(), Problem> {
        let mut parser = Parser::new_from_str(text);
        let mut source = Cursor::new(text);
        // For the parser, a text without a line break at its end ends below its last line.
        let end = end_of(text);
        let within = |marker| position(marker).min(end);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let kind = ProblemKind::Syntax(error.info().to_owned());
                Problem { kind, span: Span::at(position(*error.marker())) }
            })?;
            let indices = (span.start.index(), span.end.index());
            let span = Span { start: within(span.start), end: within(span.end) };
            match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let span = source.without_what_follows(span, indices, style);
                    self.check_tag(tag.as_deref(), span);
                    let extent = Expansion { values: 1, levels: 0 };
                    self.remember(anchor, extent, span);
                    let is_plain = style == ScalarStyle::Plain && tag.is_none();
                    self.place(Node { span, is_plain, value: Value::String(text) }, extent);
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
            return Err(Problem { kind: ProblemKind::TooDeep, span });
        }
        self.open.push(Open {
            node: Node { span, is_plain: false, value },
            anchor,
            extent: Expansion { values: 1, levels: 1 },
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
        self.remember(closed.anchor, closed.extent, closed.node.span);
        self.place(closed.node, closed.extent);
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Problem> {
        let Some(&(extent, target)) = self.anchors.get(&anchor) else {
            return Err(Problem { kind: ProblemKind::AliasInItself, span });
        };
        self.from_aliases = self.from_aliases.saturating_add(extent.values);
        if self.from_aliases > MOST_FROM_ALIASES {
            return Err(Problem { kind: ProblemKind::TooManyFromAliases, span });
        }
        if self.open.len() + extent.levels > DEEPEST {
            return Err(Problem { kind: ProblemKind::TooDeep, span });
        }
        self.aliases.push(span.start);
        self.targets.insert(span.start, target);
        self.place(Node { span, is_plain: false, value: Value::Null }, extent);
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, node: Node<'s>, extent: Expansion) {
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
    fn remember(&mut self, anchor: usize, extent: Expansion, span: Span) {
        if anchor > 0 {
            self.anchors.insert(anchor, (extent, span));
        }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, span: Span) {
        const CORE: [&str; 7] = ["str", "int", "float", "bool", "null", "map", "seq"];
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && CORE.contains(&tag.suffix.as_str()))
        {
            self.problems.push(Problem { kind: ProblemKind::Tag, span });
        }
    }
}

/// The problem of a text that is YAML for one reader only.
fn second_opinion(error: &serde_yaml::Error, document: Span) -> Problem {
    let start = error
        .location()
        .map_or(document.start, |location| Position::new(location.line(), location.column()));
    let said = error.to_string();
    let said = if said.contains("as u128") || said.contains("as i128") {
        "a number is too large"
    } else if said.contains("invalid value") {
        // The rest of it repeats the value, which may be a secret.
        "a value is not what its tag says"
    } else {
        said.split(" at line ").next().unwrap_or_default()
    };
    Problem { kind: ProblemKind::Syntax(said.to_owned()), span: Span::at(start) }
}

/// The keys that a mapping has more than once.
fn duplicates(mapping: &Mapping<'_>) -> Option<Problem> {
    let mut keys: Vec<_> =
        mapping.keys().filter_map(|key| Some((key.value.as_str()?, key.span()))).collect();
    // Stable: of equal keys the first stays the first.
    keys.sort_by_key(|(key, _)| *key);
    let same = keys.chunk_by(|(a, _), (b, _)| a == b).filter_map(|same| same.split_first());
    let duplicates = same.flat_map(|((key, first), others)| {
        others.iter().map(|(_, span)| DuplicateKey {
            key: (*key).to_owned(),
            span: *span,
            first: *first,
        })
    });
    let duplicates: Vec<_> = duplicates.collect();
    let span = duplicates.first()?.span;
    Some(Problem { kind: ProblemKind::DuplicateKeys(duplicates), span })
}

/// The parser's lines start at 1 and its columns at 0.
fn position(marker: Marker) -> Position {
    Position::new(marker.line().max(1), marker.col().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places_of(text: &str) -> Vec<String> {
        fn walk(route: &str, at: &Node<'_>, out: &mut Vec<String>) {
            let Span { start, end } = at.span();
            out.push(format!(
                "{route} {}:{}-{}:{}",
                start.line, start.column, end.line, end.column
            ));
            for (key, value) in at.entries() {
                let span = at.key_span(key).start;
                let route = format!("{route}/{key}@{}:{}", span.line, span.column);
                walk(&route, value, out);
            }
            for (index, value) in at.items().enumerate() {
                walk(&format!("{route}/{index}"), value, out);
            }
        }
        let Parsed { documents, problems, .. } = parse(text);
        assert_eq!(problems, []);
        let mut out = Vec::new();
        for document in documents {
            walk("", &document, &mut out);
        }
        out
    }

    #[test]
    fn columns_count_characters_from_one() {
        let expected = [
            "/blå@1:1 1:6-1:13",
            "/blå@1:1/0 1:7-1:9",
            "/blå@1:1/1 1:11-1:12",
            "/ø@2:1/æ@2:6 2:9-2:12",
        ];
        for text in
            ["blå: [æø, b]\nø: { æ: 'å' }\n", "blå: [æø, b]  # c\r\nø: { æ: 'å'   } # 'd'\r\n"]
        {
            let places = places_of(text);
            for place in expected {
                assert!(places.iter().any(|found| found == place), "{place}: {places:?}");
            }
        }
    }

    #[test]
    fn a_quoted_text_ends_at_its_quote() {
        let text = "a: \"b\\\"c\"  # d\ne: 'f''g'   # 'h'\ni: \"j\n  k\" # l\n";
        insta::assert_snapshot!(places_of(text).join("\n"), @r"
         1:1-4:5
        /a@1:1 1:4-1:10
        /e@2:1 2:4-2:10
        /i@3:1 3:4-4:5
        ");
    }

    #[test]
    fn each_document_has_its_places() {
        let text = "# a\n---\na: 1\n---\n# only a comment\n---\n- b:\n    c\n";
        insta::assert_snapshot!(places_of(text).join("\n"), @r"
         3:1-3:5
        /a@3:1 3:4-3:5
         6:1-6:4
         7:1-8:6
        /0 7:3-8:6
        /0/b@7:3 8:5-8:6
        ");
        assert_eq!(places_of(""), [" 1:1-1:1"]);
    }

    #[test]
    fn aliases_are_where_they_are_used() {
        let text = "a: &x\n  b: [1]\nc: *x\n";
        insta::assert_snapshot!(places_of(text).join("\n"), @r"
         1:1-3:6
        /a@1:1 1:4-2:9
        /a@1:1/b@2:3 2:6-2:9
        /a@1:1/b@2:3/0 2:7-2:8
        /c@3:1 3:4-3:6
        /c@3:1/b@3:4 3:4-3:6
        /c@3:1/b@3:4/0 3:4-3:6
        ");
    }

    #[test]
    fn a_text_with_several_problems_has_no_tree() {
        let Parsed { documents, problems, .. } = parse("a: !x 1\nb: 2\nb: 3\nb: 4\n");
        assert!(documents.is_empty());
        let kinds: Vec<_> = problems.into_iter().map(|problem| problem.kind).collect();
        let [ProblemKind::Tag, ProblemKind::DuplicateKeys(keys)] = kinds.as_slice() else {
            panic!("{kinds:?}");
        };
        let places: Vec<_> =
            keys.iter().map(|key| (&*key.key, key.span.start.line, key.first.start.line)).collect();
        assert_eq!(places, [("b", 3, 2), ("b", 4, 2)]);
    }

    #[test]
    fn readers_agree_on_the_values() {
        // A reader of YAML 1.1 breaks a line here.
        let Parsed { documents, problems, .. } =
            parse("{ a: x\u{85}y, b: !!float 1, c: 0x1F, d: ~ }");
        assert_eq!(problems, []);
        let json = serde_json::to_value(&documents[0]).unwrap();
        assert_eq!(json, serde_json::json!({ "a": "x y", "b": 1.0, "c": 31, "d": null }));
        let Parsed { documents, problems, .. } = parse("x: { a:\u{85}\"b\" }");
        assert!(documents.is_empty());
        assert_eq!(problems.first().map(|problem| &problem.kind), Some(&ProblemKind::Ambiguous));
        let read = |text: &str| serde_yaml::from_str::<serde_yaml::Value>(text).unwrap();
        for other in ["{ a: y }", "{ b: x }", "{ a: [x] }", "{ a: 1 }", "{ a: x, b: x }", "[a]"] {
            let mut builder = Builder::default();
            builder.read("a: x").unwrap();
            let [document] = builder.documents.as_mut_slice() else { panic!("no document") };
            assert!(document.settle(read(other)).is_err(), "{other}");
        }
    }
}

//! Merge keys, as readers of YAML 1.1 have them (<https://yaml.org/type/merge.html>). What is merged keeps the
//! place where it is written.

use std::collections::HashMap;

use crate::span::{Position, Span};
use crate::tree::{Mapping, Node, Value};

/// The key that merges other mappings into its own.
const MERGE: &str = "<<";

/// The places of what aliases stand for, by the places of the aliases.
#[derive(Debug, Default)]
pub struct Anchors(pub(super) HashMap<Position, Span>);

/// Reason why a mapping cannot be merged into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeProblem {
    /// It is neither a mapping nor a list of mappings.
    NoMapping,
    /// It has another value for a key that is written before the merge key: for some readers that value counts,
    /// for others the one before.
    Order,
}

impl<'s> Node<'s> {
    /// Whether a mapping in it has a merge key.
    pub fn has_merges(&self) -> bool {
        match &self.value {
            Value::Sequence(items) => items.iter().any(Self::has_merges),
            Value::Mapping(mapping) => mapping
                .entries
                .iter()
                .any(|(key, value)| is_merge(key) || key.has_merges() || value.has_merges()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }

    /// The document with its mappings merged: keys of a mapping's own come before merged ones, and of a list of
    /// mappings the first one with a key has its value. With it, the merges that are not possible, by their
    /// places: what one of them says is left out where it is no mapping, and else the mapping's own value counts.
    pub fn merged(&self, anchors: &Anchors) -> (Self, Vec<(Span, MergeProblem)>) {
        let mut collections = HashMap::new();
        self.collect(&mut collections);
        let mut merger = Merger { anchors, collections, problems: Vec::new() };
        let merged = merger.merged(self);
        (merged, merger.problems)
    }

    /// Its collections, by place.
    fn collect<'d>(&'d self, collections: &mut HashMap<(Position, Position), &'d Self>) {
        match &self.value {
            Value::Sequence(items) => {
                collections.entry((self.span.start, self.span.end)).or_insert(self);
                items.iter().for_each(|item| item.collect(collections));
            }
            Value::Mapping(mapping) => {
                collections.entry((self.span.start, self.span.end)).or_insert(self);
                mapping.entries.iter().for_each(|(_, value)| value.collect(collections));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn is_merge(key: &Node<'_>) -> bool {
    key.value.as_str() == Some(MERGE)
}

/// Origin of a key of a mapping.
enum KeyOrigin {
    /// It is the mapping's own, with this number.
    Own(usize),
    Merged,
}

struct Merger<'d, 's> {
    anchors: &'d Anchors,
    collections: HashMap<(Position, Position), &'d Node<'s>>,
    problems: Vec<(Span, MergeProblem)>,
}

impl<'d, 's> Merger<'d, 's> {
    fn merged(&mut self, node: &'d Node<'s>) -> Node<'s> {
        let value = match &node.value {
            Value::Sequence(items) => {
                Value::Sequence(items.iter().map(|item| self.merged(item)).collect())
            }
            Value::Mapping(mapping) => Value::Mapping(self.mapping(mapping)),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                other.clone()
            }
        };
        Node { span: node.span, is_plain: node.is_plain, value }
    }

    fn mapping(&mut self, mapping: &'d Mapping<'s>) -> Mapping<'s> {
        let (mut own, mut from) = (Vec::new(), Vec::new());
        for (key, value) in &mapping.entries {
            match is_merge(key) {
                true => from.push((own.len(), key.span, self.sources(value))),
                false => own.push((self.merged(key), self.merged(value))),
            }
        }
        let mut origins: HashMap<String, KeyOrigin> = HashMap::new();
        for (index, (key, _)) in own.iter().enumerate() {
            origins.extend(key.value.as_str().map(|key| (key.to_owned(), KeyOrigin::Own(index))));
        }
        let mut merged: Vec<(Node<'s>, Node<'s>)> = Vec::new();
        for (before, span, sources) in from {
            for (key, value) in sources.into_iter().flat_map(|source| source.entries) {
                // Resources have texts for keys.
                let Some(name) = key.value.as_str() else { continue };
                match origins.get(name) {
                    Some(KeyOrigin::Own(index)) if *index < before => {
                        let is_equal = own.get(*index).is_some_and(|(_, own)| is_same(own, &value));
                        if !is_equal {
                            self.note(span, MergeProblem::Order);
                        }
                    }
                    Some(KeyOrigin::Own(_) | KeyOrigin::Merged) => {}
                    None => {
                        origins.insert(name.to_owned(), KeyOrigin::Merged);
                        merged.push((key, value));
                    }
                }
            }
        }
        own.extend(merged);
        Mapping::new(own)
    }

    /// The mappings that a merge key names, merged themselves.
    fn sources(&mut self, value: &'d Node<'s>) -> Vec<Mapping<'s>> {
        let origin = self.origin(value);
        let items = match &origin.value {
            Value::Sequence(items) => items.as_slice(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Mapping(_) => std::slice::from_ref(origin),
        };
        let mut sources = Vec::new();
        for item in items {
            match &self.origin(item).value {
                Value::Mapping(mapping) => sources.push(self.mapping(mapping)),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Sequence(_) => self.note(value.span, MergeProblem::NoMapping),
            }
        }
        sources
    }

    /// Notes a problem once, however often its mapping is merged itself.
    fn note(&mut self, span: Span, problem: MergeProblem) {
        if !self.problems.contains(&(span, problem)) {
            self.problems.push((span, problem));
        }
    }

    /// The value that an alias stands for, with its own origins.
    fn origin(&self, value: &'d Node<'s>) -> &'d Node<'s> {
        let target = self.anchors.0.get(&value.span.start);
        let origin = target.and_then(|span| self.collections.get(&(span.start, span.end)));
        origin.copied().filter(|origin| is_same(origin, value)).unwrap_or(value)
    }
}

/// Whether two values are equal, wherever they are.
fn is_same(a: &Node<'_>, b: &Node<'_>) -> bool {
    match (&a.value, &b.value) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Sequence(a), Value::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Mapping(a), Value::Mapping(b)) => {
            let mut pairs = a.entries.iter().zip(&b.entries);
            a.entries.len() == b.entries.len()
                && pairs.all(|((a, x), (b, y))| is_same(a, b) && is_same(x, y))
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Sequence(_)
            | Value::Mapping(_),
            _,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::MergeProblem;
    use crate::parse;

    fn merged(text: &str) -> Result<Json, (u32, MergeProblem)> {
        let parsed = parse(text);
        assert_eq!(parsed.problems, []);
        let [document] = parsed.documents.as_slice() else { panic!("{text}") };
        let (merged, problems) = document.merged(&parsed.anchors);
        assert!(!merged.has_merges());
        match problems.as_slice() {
            [] => Ok(serde_json::to_value(&merged).unwrap()),
            [(span, problem), ..] => Err((span.start.line, *problem)),
        }
    }

    #[test]
    fn a_mapping_has_the_keys_of_those_that_it_merges() {
        for (text, expected) in [
            ("- &a { x: 1, y: 2 }\n- { <<: *a, y: 3 }\n", json!([{"x":1,"y":2},{"x":1,"y":3}])),
            // An equal value before the merge key is the same for every reader.
            ("- &a { x: 1 }\n- { x: 1, <<: *a }\n", json!([{"x":1},{"x":1}])),
            (
                "- &a { x: 1 }\n- &b { x: 2, y: 2 }\n- { <<: [*a, *b], z: 3 }\n",
                json!([{"x":1},{"x":2,"y":2},{"x":1,"y":2,"z":3}]),
            ),
            (
                "- &a { x: 1 }\n- &b { <<: *a, y: 2 }\n- { k: { <<: *b } }\n- *b\n",
                json!([{"x":1},{"x":1,"y":2},{"k":{"x":1,"y":2}},{"x":1,"y":2}]),
            ),
            ("{ <<: { x: 1 }, y: 2 }", json!({"x":1,"y":2})),
        ] {
            assert_eq!(merged(text), Ok(expected), "{text}");
        }
        for (text, problem) in [
            ("- &a { x: 1 }\n- { x: 2, <<: *a }\n", (2, MergeProblem::Order)),
            ("- &a [1]\n- { <<: *a }\n", (2, MergeProblem::NoMapping)),
            ("{ <<: 1 }", (1, MergeProblem::NoMapping)),
            ("{ <<: }", (1, MergeProblem::NoMapping)),
        ] {
            assert_eq!(merged(text), Err(problem), "{text}");
        }
    }

    #[test]
    fn a_merge_that_is_not_possible_leaves_the_others_as_they_are() {
        let parsed = parse("- &a { x: 1, z: 3 }\n- { x: 2, <<: *a }\n- { <<: 1 }\n- { <<: *a }\n");
        let (merged, problems) = parsed.documents[0].merged(&parsed.anchors);
        let lines: Vec<_> = problems.iter().map(|(span, it)| (span.start.line, *it)).collect();
        assert_eq!(lines, [(2, MergeProblem::Order), (3, MergeProblem::NoMapping)]);
        let expected = json!([{"x":1,"z":3},{"x":2,"z":3},{},{"x":1,"z":3}]);
        assert_eq!(serde_json::to_value(&merged).unwrap(), expected);
    }

    #[test]
    fn merged_values_are_where_they_are_written() {
        let parsed = parse("- &a\n  x: 1\n- <<: *a\n  y: 2\n");
        let (merged, _) = parsed.documents[0].merged(&parsed.anchors);
        let item = merged.item(1).unwrap();
        assert_eq!(item.get("x").unwrap().span().start.line, 2);
        assert_eq!(item.key_span("x").start.line, 2);
        assert_eq!(item.get("y").unwrap().span().start.line, 4);
    }
}

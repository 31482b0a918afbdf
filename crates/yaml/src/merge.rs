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
        let has_key = self.value.as_mapping().is_some_and(|mapping| mapping.keys().any(is_merge));
        has_key || self.parts().any(Self::has_merges)
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
        if self.value.is_scalar() {
            return;
        }
        collections.entry((self.span.start, self.span.end)).or_insert(self);
        let entries = self.value.as_mapping().into_iter().flat_map(|mapping| &mapping.entries);
        let values = entries.map(|(_, value)| value);
        self.items().chain(values).for_each(|value| value.collect(collections));
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
                        if own.get(*index).is_none_or(|(_, own)| *own != value) {
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
        let mut sources = Vec::new();
        for item in origin.value.as_sequence().unwrap_or(std::slice::from_ref(origin)) {
            match self.origin(item).value.as_mapping() {
                Some(mapping) => sources.push(self.mapping(mapping)),
                None => self.note(value.span, MergeProblem::NoMapping),
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
        origin.copied().filter(|origin| *origin == value).unwrap_or(value)
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

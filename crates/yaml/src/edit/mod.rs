//! Edits of a text of YAML, by the way to a value. What is not named keeps its form and its comments.
//! The result is read again, and refused unless it says exactly what is wanted.

mod copies;
mod items;
mod order;
mod page;
mod removal;
mod sections;
#[cfg(test)]
mod tests;

use serde::Deserialize as _;
use serde_yaml::{Mapping, Value};

use crate::parse::{Parsed, parse};
use crate::printer::Yaml;
use crate::span::{Position, Span};
use crate::tree::Node;
use page::Page;
pub use sections::Opening;

/// Why a text cannot be edited.
pub type Hindrance = &'static str;

/// A comment would be lost.
pub const COMMENT: Hindrance = "there is a comment in it, and it would be lost";
/// The text is not what the change is of.
pub const CHANGED: Hindrance = "its text has changed";
/// The text is no YAML.
pub const UNREADABLE: Hindrance = "it is no YAML that can be read";
const ALIASES: Hindrance =
    "it uses YAML aliases, so that a change in one place would be one in others";
const LAYOUT: Hindrance = "it is laid out in a way in which only a person can edit it";
const NOT_THE_SAME: Hindrance = "the result would not declare the same besides";

/// The way to a value: a document of a file, and the keys and items that lead there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    document: usize,
    turns: Vec<RouteStep>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum RouteStep {
    Key(String),
    Item(usize),
}

impl Route {
    /// To a key below.
    pub fn key(&self, key: &str) -> Self {
        self.to(RouteStep::Key(key.to_owned()))
    }

    /// To an item below.
    pub fn item(&self, index: usize) -> Self {
        self.to(RouteStep::Item(index))
    }

    fn to(&self, step: RouteStep) -> Self {
        let mut route = self.clone();
        route.turns.push(step);
        route
    }

    /// To the root of the document.
    pub fn root(&self) -> Self {
        Self { document: self.document, turns: Vec::new() }
    }

    /// To the root of the first document.
    pub fn top() -> Self {
        Self { document: 0, turns: Vec::new() }
    }

    /// To what holds the value, and the last turn from there.
    fn split(&self) -> Option<(Self, &RouteStep)> {
        let (last, turns) = self.turns.split_last()?;
        Some((Self { document: self.document, turns: turns.to_vec() }, last))
    }
}

/// Which key of a mapping a new one comes behind.
#[derive(Debug, Clone, Copy)]
pub enum Behind<'k> {
    /// This one.
    Key(&'k str),
    /// The last one but for this one, which stays the last.
    AllBut(&'k str),
}

/// A text, what is to change in it, and what it is to say then. All changes are of the text as it was.
pub struct Editor<'t> {
    /// Its byte order mark, if it has one.
    mark: &'t str,
    page: Page<'t>,
    documents: Vec<Node<'t>>,
    wanted: Vec<Value>,
    /// The scalars that can be any.
    open: Vec<Route>,
    has_aliases: bool,
}

/// The text with some changes.
pub fn edited(
    text: &str,
    change: impl FnOnce(&mut Editor<'_>) -> Result<(), Hindrance>,
) -> Result<String, Hindrance> {
    let mut editor = Editor::new(text)?;
    change(&mut editor)?;
    editor.done()
}

impl<'t> Editor<'t> {
    /// Reads a text.
    ///
    /// # Errors
    /// It cannot be edited.
    pub fn new(text: &'t str) -> Result<Self, Hindrance> {
        let shown = text.strip_prefix('\u{feff}').unwrap_or(text);
        let Parsed { documents, problems, aliases, anchors: _ } = parse(shown);
        if !problems.is_empty() {
            return Err(UNREADABLE);
        }
        let wanted = values(shown)?;
        let mark = text.strip_suffix(shown).unwrap_or_default();
        let page = Page::new(shown);
        Ok(Self {
            mark,
            page,
            documents,
            wanted,
            open: Vec::new(),
            has_aliases: !aliases.is_empty(),
        })
    }

    /// The text as it is to be, if it says what is wanted. With aliases, a change in one place can be one in
    /// others, which is seen in the result.
    pub fn done(self) -> Result<String, Hindrance> {
        let Self { mark, page, documents: _, mut wanted, open, has_aliases } = self;
        let not_the_same = if has_aliases { ALIASES } else { NOT_THE_SAME };
        let after = page.done()?;
        let read = values(&after).map_err(|_| not_the_same)?;
        for route in &open {
            let new = value(&read, route).filter(|new| !new.is_mapping() && !new.is_sequence());
            *value_mut(&mut wanted, route)? = new.ok_or(NOT_THE_SAME)?.clone();
        }
        match read == wanted {
            true => Ok(format!("{mark}{after}")),
            false => Err(not_the_same),
        }
    }

    /// The way to the mapping that has a scalar which stands at a place.
    pub fn holder(&self, scalar: Span) -> Option<Route> {
        let is_it = |at: &Node<'_>| at.entries().any(|(_, value)| value.span() == scalar);
        self.find(scalar.start, is_it)
    }

    /// The way to the first value of some kind on the way down to a place.
    fn find(&self, place: Position, is_it: impl Fn(&Node<'_>) -> bool) -> Option<Route> {
        self.documents.iter().enumerate().find_map(|(document, it)| {
            let mut turns = Vec::new();
            descend(it, place, &is_it, &mut turns).then_some(Route { document, turns })
        })
    }

    /// What a value is to be.
    pub fn value(&self, route: &Route) -> Option<&Value> {
        value(&self.wanted, route)
    }

    /// Whether there is to be anything.
    pub fn has(&self, route: &Route) -> bool {
        self.value(route).is_some_and(|value| !value.is_null())
    }

    fn mapping_mut(&mut self, route: &Route) -> Result<&mut Mapping, Hindrance> {
        value_mut(&mut self.wanted, route)?.as_mapping_mut().ok_or(CHANGED)
    }

    /// Why a part cannot be edited: an alias has no lines of its own.
    fn explained(&self) -> impl Fn(Hindrance) -> Hindrance + use<> {
        let has_aliases = self.has_aliases;
        move |why| if has_aliases && why == LAYOUT { ALIASES } else { why }
    }

    /// Sets a value below a mapping, at the end of a path of keys; what is missing of the path is made.
    /// A first key that is missing comes behind another one.
    pub fn set(
        &mut self,
        at: &Route,
        behind: Behind<'_>,
        path: &[&str],
        value: &Yaml,
    ) -> Result<(), Hindrance> {
        let text = value.flow().ok_or(LAYOUT)?;
        let set = self.page.set(located(&self.documents, at)?, behind, path, &text);
        set.map_err(self.explained())?;
        let [above @ .., last] = path else { return Err(CHANGED) };
        let mut inside = self.mapping_mut(at)?;
        for key in above {
            let entry = inside.entry((*key).into());
            inside =
                entry.or_insert_with(|| Mapping::new().into()).as_mapping_mut().ok_or(CHANGED)?;
        }
        inside.insert((*last).into(), value.into());
        Ok(())
    }

    /// Adds items to a list of a mapping, each with the number of items that come before it, in order.
    /// A list that is missing comes behind another key.
    pub fn insert(
        &mut self,
        at: &Route,
        behind: Behind<'_>,
        key: &str,
        items: &[(usize, Yaml)],
    ) -> Result<(), Hindrance> {
        let text = |(place, item): &(usize, Yaml)| Some((*place, item.flow()?));
        let texts: Vec<_> = items.iter().map(text).collect::<Option<_>>().ok_or(LAYOUT)?;
        let inserted = self.page.insert_items(located(&self.documents, at)?, behind, key, &texts);
        inserted.map_err(self.explained())?;
        let list = self.mapping_mut(at)?.entry(key.into());
        let list = list.or_insert_with(|| Value::Sequence(Vec::new()));
        let list = list.as_sequence_mut().ok_or(CHANGED)?;
        for (place, item) in items.iter().rev() {
            list.insert((*place).min(list.len()), item.into());
        }
        Ok(())
    }

    /// Adds an item to the end of a list of a mapping. A single value there becomes a list with it.
    pub fn append(
        &mut self,
        at: &Route,
        behind: Behind<'_>,
        key: &str,
        item: &Yaml,
    ) -> Result<(), Hindrance> {
        let there = located(&self.documents, at)?.get(key);
        let count = there.map_or(0, |list| list.items().count());
        let Some(there) = there.filter(|it| !it.value.is_sequence() || self.page.is_row(it)) else {
            return self.insert(at, behind, key, &[(count, item.clone())]);
        };
        self.page.append(there, &item.flow().ok_or(LAYOUT)?).map_err(self.explained())?;
        let value = value_mut(&mut self.wanted, &at.key(key))?;
        let mut items = match std::mem::take(value) {
            Value::Sequence(items) => items,
            single => vec![single],
        };
        items.push(item.into());
        *value = Value::Sequence(items);
        Ok(())
    }

    /// Adds a copy of an item of a list behind it, with its comments, in which a key has another value.
    /// Of several items of a list, the last is copied first.
    ///
    /// # Errors
    /// The item cannot be copied.
    pub fn copy_item(&mut self, item: &Route, key: &str, value: &Yaml) -> Result<(), Hindrance> {
        let Some((list, RouteStep::Item(index))) = item.split() else { return Err(CHANGED) };
        let text = value.flow().ok_or(LAYOUT)?;
        self.page.copy_item(located(&self.documents, &list)?, *index, key, &text)?;
        let items = value_mut(&mut self.wanted, &list)?.as_sequence_mut().ok_or(CHANGED)?;
        let mut copy = items.get(*index).ok_or(CHANGED)?.clone();
        copy.as_mapping_mut().ok_or(CHANGED)?.insert(key.into(), value.into());
        items.insert(index + 1, copy);
        Ok(())
    }

    /// Removes a value, and the list or the mappings under keys that held nothing else. It goes with its
    /// comments; one with the word `bound` is about what is below it alone.
    pub fn remove(&mut self, route: &Route, bound: &str) -> Result<(), Hindrance> {
        let (above, last) = route.split().ok_or(CHANGED)?;
        let holder = self.value(&above).ok_or(CHANGED)?;
        let parts = holder.as_mapping().map(Mapping::len);
        if parts.or_else(|| Some(holder.as_sequence()?.len())) == Some(1)
            && let Some((_, RouteStep::Key(_))) = above.split()
        {
            return match last {
                RouteStep::Key(_) => self.remove(&above, bound),
                RouteStep::Item(_) => self.remove_list(&above, bound),
            };
        }
        match last {
            RouteStep::Key(key) => {
                self.page.take_key(located(&self.documents, &above)?, key, bound)?;
                self.mapping_mut(&above)?.remove(key);
                Ok(())
            }
            RouteStep::Item(index) => self.remove_items(&above, &[*index], bound),
        }
    }

    fn remove_list(&mut self, list: &Route, bound: &str) -> Result<(), Hindrance> {
        let Some((above, RouteStep::Key(key))) = list.split() else { return Err(CHANGED) };
        self.page.take_list(located(&self.documents, &above)?, key, bound)?;
        self.mapping_mut(&above)?.remove(key);
        Ok(())
    }

    /// Removes some items of a list, told by their numbers in order, but not all.
    pub fn remove_items(
        &mut self,
        list: &Route,
        gone: &[usize],
        bound: &str,
    ) -> Result<(), Hindrance> {
        self.page.take_items(located(&self.documents, list)?, gone, bound)?;
        let items = value_mut(&mut self.wanted, list)?.as_sequence_mut().ok_or(CHANGED)?;
        let mut index = 0..;
        items.retain(|_| index.next().is_none_or(|index| !gone.contains(&index)));
        Ok(())
    }
}

/// The documents of a text without places.
fn values(text: &str) -> Result<Vec<Value>, Hindrance> {
    let documents = serde_yaml::Deserializer::from_str(text).map(Value::deserialize);
    documents.collect::<Result<_, _>>().map_err(|_| UNREADABLE)
}

fn value<'v>(documents: &'v [Value], route: &Route) -> Option<&'v Value> {
    route.turns.iter().try_fold(documents.get(route.document)?, |value, turn| match turn {
        RouteStep::Key(key) => value.get(key),
        RouteStep::Item(index) => value.get(index),
    })
}

fn value_mut<'v>(documents: &'v mut [Value], route: &Route) -> Result<&'v mut Value, Hindrance> {
    let root = documents.get_mut(route.document).ok_or(CHANGED)?;
    let mut turns = route.turns.iter();
    let value = turns.try_fold(root, |value, turn| match turn {
        RouteStep::Key(key) => value.get_mut(key),
        RouteStep::Item(index) => value.get_mut(index),
    });
    value.ok_or(CHANGED)
}

fn located<'d>(documents: &'d [Node<'d>], route: &Route) -> Result<&'d Node<'d>, Hindrance> {
    let root = documents.get(route.document).ok_or(CHANGED)?;
    let mut turns = route.turns.iter();
    let at = turns.try_fold(root, |at, turn| match turn {
        RouteStep::Key(key) => at.get(key),
        RouteStep::Item(index) => at.item(*index),
    });
    at.ok_or(CHANGED)
}

/// Goes down to the value around a place that is looked for.
fn descend(
    at: &Node<'_>,
    near: Position,
    is_it: &impl Fn(&Node<'_>) -> bool,
    turns: &mut Vec<RouteStep>,
) -> bool {
    let is_near = |at: &Node<'_>| (at.span().start..=at.span().end).contains(&near);
    let keys = at.entries().map(|(key, value)| (RouteStep::Key(key.to_owned()), value));
    let items = at.items().enumerate().map(|(index, item)| (RouteStep::Item(index), item));
    let mut below = keys.chain(items).filter(|(_, at)| is_near(at));
    is_it(at)
        || below.any(|(turn, at)| {
            turns.push(turn);
            let is_below = descend(at, near, is_it, turns);
            if !is_below {
                turns.pop();
            }
            is_below
        })
}

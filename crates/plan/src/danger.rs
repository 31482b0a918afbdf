//! Danger of an action: which attribute it opens or closes, and in which direction, by the tables of
//! attributes. Text, markdown and JSON all use it.
//!
//! A scope or client that is created is compared with the value that DigDir assumes for an absent attribute:
//! a wider value is marked; one that is as wide or narrower is not.

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::{Action, Kind, Verb};
use domain::nais::{owner_of_client, owner_of_scope};
use domain::{Attribute, CLIENT, Direction, SCOPE, ScopeName, Widening};

domain::words! {
    /// The effect of an action on access, the most severe first. An action with several of these effects has the
    /// first of them; an action on keys that adds a key is `keys`.
    #[schemars(inline)]
    pub enum Danger {
        /// Access is removed: an access is revoked, a scope or client is deactivated, a scope is no longer open
        /// to all, or a client only loses keys.
        Closes = "closes",
        /// A scope or client that was inactive can be used again, with the accesses or keys that it kept.
        Reopens = "reopens",
        /// A scope or client can be used by more organisations, in more ways or for longer than before.
        Opens = "opens",
        /// A client gets a key, an additional one or a replacement.
        Keys = "keys",
        /// A client is created, or consumes more scopes.
        Reaches = "reaches",
        /// A consumer gets access.
        Grants = "grants",
    }
}

/// The effect of the change of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The kind of effect.
    pub danger: Danger,
    /// Its meaning in this case.
    pub remark: &'static str,
}

const FURTHER_ENTRY: Mark = Mark { danger: Danger::Opens, remark: "acts for one more" };
const KEY_COMES: Mark = Mark { danger: Danger::Keys, remark: "gets tokens as this client" };
const KEY_GOES: Mark = Mark { danger: Danger::Closes, remark: "gets no more tokens" };

/// The only field of an `onbehalfof` entry that gives somebody access.
const ENTRY_ORGNO: Widening =
    Widening { direction: Direction::LetsIn, remark: "acts for this organisation" };

/// Operation and target of an action, as far as its danger depends on them.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// The operation.
    pub verb: Verb,
    /// The kind of its target.
    pub kind: Kind,
    /// The scope's name, if it concerns one.
    pub scope: Option<&'a str>,
}

/// A field with its values before and after.
pub type FieldChange<'a> = (&'a str, &'a Value, &'a Value);

impl Operation<'_> {
    /// The danger of the operation with these changes; `None` for none.
    pub fn danger<'c>(self, changes: impl Iterator<Item = FieldChange<'c>>) -> Option<Danger> {
        let own = match (self.verb, self.kind) {
            (Verb::Revoke | Verb::Deactivate, _) => Some(Danger::Closes),
            (Verb::Reactivate, _) => Some(Danger::Reopens),
            (Verb::Grant, _) => Some(Danger::Grants),
            (Verb::Create, Kind::Client) => Some(Danger::Reaches),
            (Verb::Create | Verb::Update | Verb::Keys | Verb::Release, _) => None,
        };
        let marks = changes.filter_map(|change| self.mark(change));
        let all: Vec<Danger> = own.into_iter().chain(marks.map(|mark| mark.danger)).collect();
        match self.verb {
            Verb::Keys if all.contains(&Danger::Keys) => Some(Danger::Keys),
            _ => all.into_iter().min(),
        }
    }

    /// The danger of the change of a field; `None` for none.
    pub fn mark(self, (field, before, after): FieldChange<'_>) -> Option<Mark> {
        let by = |attribute: &Attribute| self.by(attribute.widening?, before, after);
        match self.kind {
            Kind::Scope => by(SCOPE.named(field)?),
            Kind::Client if field == "onbehalfof" => match (before, after) {
                (_, Value::Null) => None,
                (Value::Null, _) => Some(FURTHER_ENTRY),
                (before, after) => self.by(ENTRY_ORGNO, &before["orgno"], &after["orgno"]),
            },
            Kind::Client => by(CLIENT.named(field)?),
            Kind::Keys if after.is_null() => Some(KEY_GOES),
            Kind::Keys => Some(KEY_COMES),
            Kind::Access => None,
        }
    }

    fn by(self, widening: Widening, before: &Value, after: &Value) -> Option<Mark> {
        let Widening { direction, remark } = widening;
        let widens = |before, after| self.widens(direction, before, after);
        let danger = match direction {
            // The only narrowing that removes access.
            Direction::Ungranted(remark) if widens(after, before) => {
                return Some(Mark { danger: Danger::Closes, remark });
            }
            Direction::Reaches => Danger::Reaches,
            Direction::Steps(..)
            | Direction::Demands(_)
            | Direction::Ungranted(_)
            | Direction::Seconds(_)
            | Direction::Members(_)
            | Direction::Allowed
            | Direction::LetsIn
            | Direction::Binds
            | Direction::HandsOver => Danger::Opens,
        };
        widens(before, after).then_some(Mark { danger, remark })
    }

    /// Whether an existing entity gets another owner at NAIS. An entity that is created there has one from
    /// the beginning.
    fn hands_over(self, before: &Value, after: &Value) -> bool {
        let owner = |description: &Value| {
            let description = description.as_str()?;
            match self.scope {
                Some(scope) => {
                    let subscope = scope.parse::<ScopeName>().ok();
                    owner_of_scope(description, subscope.as_ref().map_or("", ScopeName::subscope))
                }
                None => owner_of_client(description),
            }
        };
        let becomes = owner(after);
        self.verb != Verb::Create && becomes.is_some() && becomes != owner(before)
    }

    /// Whether `after` is wider than `before`.
    fn widens(self, direction: Direction, before: &Value, after: &Value) -> bool {
        match direction {
            Direction::Steps(steps, absent) => {
                let step = |value: &Value| match value {
                    Value::Null => Some(absent),
                    value => {
                        let word = value.as_str()?;
                        steps.iter().position(|step| step.contains(&word))
                    }
                };
                step(after).unwrap_or(steps.len()) > step(before).unwrap_or_default()
            }
            Direction::Demands(absent) => becomes(false, absent, before, after),
            Direction::Ungranted(_) => becomes(true, false, before, after),
            Direction::Seconds(absent) => {
                let bound = |value: &Value| match value {
                    Value::Null => Some(absent),
                    Value::String(text) => text.parse().ok(),
                    value => value.as_u64(),
                };
                // Reduced by one, no bound (0) becomes the highest.
                let bound = |value| bound(value).map(|seconds: u64| seconds.wrapping_sub(1));
                bound(after).unwrap_or(u64::MAX) > bound(before).unwrap_or_default()
            }
            Direction::Members(None) if before.is_null() => false,
            Direction::Members(Some(usual)) if before.is_null() => {
                members(after).any(|member| !usual.contains(&member))
            }
            Direction::Members(_) | Direction::Reaches => {
                members(after).any(|member| !has(before, member))
            }
            Direction::Allowed => {
                let is_any = |value: &Value| members(value).next().is_none();
                !is_any(before)
                    && (is_any(after) || members(after).any(|member| !has(before, member)))
            }
            Direction::LetsIn => !after.is_null() && before != after,
            Direction::Binds => !before.is_null() && before != after,
            Direction::HandsOver => self.hands_over(before, after),
        }
    }
}

/// Whether a flag changes to its wide value.
fn becomes(wide: bool, absent: bool, before: &Value, after: &Value) -> bool {
    let is_wide = |value: &Value| match value {
        Value::Null => absent == wide,
        value => *value == Value::Bool(wide),
    };
    is_wide(after) && !is_wide(before)
}

fn members(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn has(list: &Value, member: &str) -> bool {
    members(list).any(|other| other == member)
}

impl Action {
    /// Its danger; `None` for none.
    pub fn danger(&self) -> Option<Danger> {
        let scope = self.scope().map(ScopeName::as_str);
        let operation = Operation { verb: self.verb(), kind: self.target().kind(), scope };
        let changes = self.changes();
        operation.danger(changes.iter().map(|change| (change.field, &change.before, &change.after)))
    }
}

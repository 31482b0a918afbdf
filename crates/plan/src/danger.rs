//! What an action opens or closes, by attribute and direction: the one table that guards, text,
//! markdown and JSON read. An attribute without a row does not compile.
//!
//! A scope or client that is created is compared with what DigDir takes an absent attribute to be:
//! what is wider than that is marked, what is as wide or narrower is not.

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Action, Kind, Verb};
use domain::nais::{owner_of_client, owner_of_scope};
use domain::{ClientAttributes, OnBehalfOf, ScopeAttributes, ScopeName};

/// What an action opens or closes, the most severe first. An action that does several of these has
/// the first of them; an action on keys that brings a key is `keys`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Danger {
    /// Access is taken away: it is revoked, a scope or client is deactivated, a scope is no longer
    /// open to all, or a client only loses keys.
    Closes,
    /// A scope or client that was inactive can be used again, with the accesses or keys that it kept.
    Reopens,
    /// A scope or client can be used by more, in more ways or for longer than before.
    Opens,
    /// A client gets a key, a further one or one in place of another.
    Keys,
    /// A client is made, or consumes more scopes.
    Reaches,
    /// A consumer gets access.
    Grants,
}

impl Danger {
    /// The word for it in plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closes => "closes",
            Self::Reopens => "reopens",
            Self::Opens => "opens",
            Self::Keys => "keys",
            Self::Reaches => "reaches",
            Self::Grants => "grants",
        }
    }
}

/// What the change of one field opens or closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Which, and in what way.
    pub danger: Danger,
    /// What that means here.
    pub remark: &'static str,
}

/// How the values of an attribute compare. A live value that is not understood counts as the
/// narrowest, so that a change of it is rather marked once too often.
#[derive(Debug, Clone, Copy)]
enum Direction {
    /// Words from the narrowest to the widest, those of one step being equals, and the step of an
    /// absent one.
    Steps { steps: &'static [&'static [&'static str]], absent: usize },
    /// One of two is the wide one; an absent one counts as `absent`.
    Flag { wide: bool, absent: bool },
    /// An upper bound in seconds, where 0 is none; an absent one counts as `absent`.
    Seconds { absent: u64 },
    /// A list of which each further member widens. An absent one has the usual members; without
    /// usual ones, the first list is what makes the thing usable and widens nothing.
    Members { usual: Option<&'static [&'static str]> },
    /// A list of what is allowed, where an empty or absent one allows everything.
    Allowed,
    /// A text that lets in whom it names.
    LetsIn,
    /// A text that binds whoever uses it.
    Binds,
    /// A description, by which an application at NAIS takes over what exists.
    HandsOver,
}

/// The rule for one attribute; `None` where no value opens or closes more than another.
type Rule = Option<(Direction, Mark)>;

const NEUTRAL: Rule = None;

const fn opens(direction: Direction, remark: &'static str) -> Rule {
    Some((direction, Mark { danger: Danger::Opens, remark }))
}

const fn reaches(direction: Direction, remark: &'static str) -> Rule {
    Some((direction, Mark { danger: Danger::Reaches, remark }))
}

macro_rules! table {
    ($(#[$doc:meta])* $name:ident: $of:ident { $($field:ident: $rule:expr,)+ }) => {
        $(#[$doc])*
        const $name: &[(&str, Rule)] = {
            // Does not compile while an attribute has no row.
            let _ = |$of { $($field: _),+ }: &$of| ();
            &[$((stringify!($field), $rule)),+]
        };
    };
}

table! {
    /// The attributes of a scope.
    SCOPE: ScopeAttributes {
        description: opens(Direction::HandsOver, HANDED_OVER),
        long_description: NEUTRAL,
        visibility: opens(
            Direction::Steps { steps: &[&["INTERNAL"], &["PRIVATE"], &["PUBLIC"]], absent: 2 },
            "seen by more",
        ),
        // A reference can be withdrawn; a JWT counts until it expires, and shows what it holds.
        token_type: opens(
            Direction::Steps { steps: &[&["OPAQUE"], &["SELF_CONTAINED"]], absent: 1 },
            "tokens cannot be withdrawn",
        ),
        allowed_integration_types: opens(Direction::Allowed, "more kinds of client may carry it"),
        at_max_age: opens(Direction::Seconds { absent: 0 }, "tokens live longer"),
        authorization_max_lifetime:
            opens(Direction::Seconds { absent: 0 }, "authorisations live longer"),
        accessible_for_all: opens(OPEN_TO_ALL, "everybody has access"),
        delegation_source: opens(Direction::LetsIn, "consumers may delegate to suppliers through it"),
        enforced_aud_for_access_token: opens(Direction::Binds, "tokens count for another audience"),
        requires_user_consent:
            opens(Direction::Flag { wide: false, absent: false }, "no consent of the user needed"),
        requires_user_authentication:
            opens(Direction::Flag { wide: false, absent: false }, "no login of the user needed"),
        requires_pseudonymous_tokens:
            opens(Direction::Flag { wide: false, absent: false }, "tokens name the user"),
    }
}

table! {
    /// The attributes of a client.
    CLIENT: ClientAttributes {
        // It can never change.
        integration_type: NEUTRAL,
        description: opens(Direction::HandsOver, HANDED_OVER),
        scopes: reaches(Direction::Members { usual: Some(&[]) }, "consumes more scopes"),
        client_orgno: opens(Direction::LetsIn, "acts for this organisation"),
        supplier_orgno: opens(Direction::LetsIn, "this organisation runs it"),
        application_type: opens(
            Direction::Steps { steps: &[&["web"], &["browser", "native"]], absent: 0 },
            "runs where nothing can be kept secret",
        ),
        token_endpoint_auth_method: opens(
            Direction::Steps {
                steps: &[
                    &["private_key_jwt"],
                    &["client_secret_basic", "client_secret_post"],
                    &["none"],
                ],
                absent: 0,
            },
            "proves itself by less",
        ),
        grant_types: opens(
            Direction::Members {
                usual: Some(&[
                    "authorization_code",
                    "refresh_token",
                    "urn:ietf:params:oauth:grant-type:jwt-bearer",
                ]),
            },
            "gets tokens in more ways",
        ),
        access_token_lifetime: opens(Direction::Seconds { absent: 120 }, "tokens live longer"),
        refresh_token_lifetime:
            opens(Direction::Seconds { absent: 600 }, "refresh tokens live longer"),
        authorization_lifetime: opens(Direction::Seconds { absent: 7200 }, "logins count longer"),
        refresh_token_usage: opens(
            Direction::Steps { steps: &[&["ONETIME"], &["REUSE"]], absent: 0 },
            "refresh tokens count again and again",
        ),
        logo_uri: NEUTRAL,
        redirect_uris: opens(Direction::Members { usual: None }, "logins lead to more addresses"),
        post_logout_redirect_uris:
            opens(Direction::Members { usual: None }, "logouts lead to more addresses"),
        frontchannel_logout_session_required: opens(
            Direction::Flag { wide: false, absent: false },
            "a logout elsewhere does not say which session ends",
        ),
        frontchannel_logout_uri:
            opens(Direction::Binds, "a logout elsewhere does not reach the same address"),
        sso_disabled:
            opens(Direction::Flag { wide: false, absent: true }, "a login elsewhere counts here"),
        code_challenge_method: opens(
            Direction::Steps { steps: &[&["S256"], &["none"]], absent: 0 },
            "a stolen code of a login can be used",
        ),
    }
}

table! {
    /// The fields of an entry of those on whose behalf a client acts.
    ON_BEHALF_OF: OnBehalfOf {
        name: NEUTRAL,
        orgno: opens(Direction::LetsIn, "acts for this organisation"),
        organization_name: NEUTRAL,
        description: NEUTRAL,
        uri: NEUTRAL,
        logo_uri: NEUTRAL,
    }
}

const HANDED_OVER: &str = "an application at NAIS takes it over";
const OPEN_TO_ALL: Direction = Direction::Flag { wide: true, absent: false };

/// Narrows a scope so far that all lose access who are not granted it: the one narrowing that
/// takes access away.
const CLOSED_TO_ALL: Mark =
    Mark { danger: Danger::Closes, remark: "only those who are granted it keep access" };
const FURTHER_ENTRY: Mark = Mark { danger: Danger::Opens, remark: "acts for one more" };
const KEY_COMES: Mark = Mark { danger: Danger::Keys, remark: "gets tokens as this client" };
const KEY_GOES: Mark = Mark { danger: Danger::Closes, remark: "gets no more tokens" };

/// What an action does and to what, as far as its danger depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// What is done.
    pub verb: Verb,
    /// To what.
    pub kind: Kind,
    /// The scope's name, if it is about one.
    pub scope: Option<&'a str>,
}

/// A field with its values before and after.
pub type FieldChange<'a> = (&'a str, &'a Value, &'a Value);

impl Operation<'_> {
    /// What it opens or closes; `None` for nothing.
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

    /// What the change of a field opens or closes; `None` for nothing.
    pub fn mark(self, (field, before, after): FieldChange<'_>) -> Option<Mark> {
        match (self.kind, field) {
            (Kind::Scope, "accessible_for_all") if OPEN_TO_ALL.widens(self, after, before) => {
                Some(CLOSED_TO_ALL)
            }
            (Kind::Scope, _) => self.by(SCOPE, (field, before, after)),
            (Kind::Client, "onbehalfof") => match (before, after) {
                (_, Value::Null) => None,
                (Value::Null, _) => Some(FURTHER_ENTRY),
                (before, after) => ON_BEHALF_OF.iter().find_map(|(field, _)| {
                    self.by(ON_BEHALF_OF, (field, &before[field], &after[field]))
                }),
            },
            (Kind::Client, _) => self.by(CLIENT, (field, before, after)),
            (Kind::Keys, _) if after.is_null() => Some(KEY_GOES),
            (Kind::Keys, _) => Some(KEY_COMES),
            (Kind::Access, _) => None,
        }
    }

    fn by(
        self,
        table: &'static [(&'static str, Rule)],
        (field, before, after): FieldChange<'_>,
    ) -> Option<Mark> {
        let (_, rule) = table.iter().find(|(name, _)| *name == field)?;
        let (direction, mark) = rule.as_ref()?;
        direction.widens(self, before, after).then_some(*mark)
    }

    /// Whether what exists gets another owner at NAIS. What is created there has one from the
    /// beginning.
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
}

impl Direction {
    /// Whether `after` is wider than `before`.
    fn widens(self, operation: Operation<'_>, before: &Value, after: &Value) -> bool {
        match self {
            Self::Steps { steps, absent } => {
                let step = |value: &Value| match value {
                    Value::Null => Some(absent),
                    value => {
                        let word = value.as_str()?;
                        steps.iter().position(|step| step.contains(&word))
                    }
                };
                step(after).unwrap_or(steps.len()) > step(before).unwrap_or_default()
            }
            Self::Flag { wide, absent } => {
                let is_wide = |value: &Value| match value {
                    Value::Null => absent == wide,
                    value => *value == Value::Bool(wide),
                };
                is_wide(after) && !is_wide(before)
            }
            Self::Seconds { absent } => {
                let bound = |value: &Value| match value {
                    Value::Null => Some(absent),
                    Value::String(text) => text.parse().ok(),
                    value => value.as_u64(),
                };
                // Counted down by one, no bound (0) becomes the highest.
                let bound = |value| bound(value).map(|seconds: u64| seconds.wrapping_sub(1));
                bound(after).unwrap_or(u64::MAX) > bound(before).unwrap_or_default()
            }
            Self::Members { usual } => match (before, usual) {
                (Value::Null, None) => false,
                (Value::Null, Some(usual)) => members(after).any(|member| !usual.contains(&member)),
                (before, _) => members(after).any(|member| !has(before, member)),
            },
            Self::Allowed => {
                let is_any = |value: &Value| members(value).next().is_none();
                !is_any(before)
                    && (is_any(after) || members(after).any(|member| !has(before, member)))
            }
            Self::LetsIn => !after.is_null() && before != after,
            Self::Binds => !before.is_null() && before != after,
            Self::HandsOver => operation.hands_over(before, after),
        }
    }
}

fn members(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn has(list: &Value, member: &str) -> bool {
    members(list).any(|other| other == member)
}

impl Action {
    /// What it opens or closes; `None` for nothing.
    pub fn danger(&self) -> Option<Danger> {
        let scope = self.scope().map(ToString::to_string);
        let operation =
            Operation { verb: self.verb(), kind: self.target().kind(), scope: scope.as_deref() };
        let changes = self.changes();
        operation.danger(changes.iter().map(|change| (change.field, &change.before, &change.after)))
    }
}

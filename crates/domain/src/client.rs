//! Names of clients (integrations) and of the scopes that they consume.

use std::str::FromStr;
use std::sync::Arc;

use super::plain::{is_id, kept, plain_text};
use super::{ScopeName, scope_name};
use crate::text::is_invisible;

/// The longest name of a client, in characters.
const LONGEST_NAME: usize = 255;

/// The name of a client (`client_name`). DigDir does not make it unique; in a repository it is the
/// client's identity. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientName(Arc<str>);

/// Reason why a text is not a client name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientNameError {
    /// Empty, or white space only.
    #[error("it is empty")]
    Empty,
    /// An invisible or control character.
    #[error("it holds {0:?}")]
    Character(char),
    /// More characters than allowed.
    #[error("it has more than {LONGEST_NAME} characters")]
    TooLong,
}

impl ClientName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientName {
    type Err = ClientNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = &*kept(text);
        if text.is_empty() {
            return Err(ClientNameError::Empty);
        }
        if let Some(odd) = text
            .chars()
            .find(|c| c.is_control() || is_invisible(*c) || (c.is_whitespace() && *c != ' '))
        {
            return Err(ClientNameError::Character(odd));
        }
        if text.chars().nth(LONGEST_NAME).is_some() {
            return Err(ClientNameError::TooLong);
        }
        Ok(Self(text.into()))
    }
}

/// The id that DigDir assigned to a client, usually a UUID: 1 to 128 letters, digits and `._-`, and not only
/// dots, so that it is safe in the path of a URL.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Arc<str>);

/// The text is not a client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a client id has 1 to 128 characters, each a letter a to z, a digit or one of `._-`; DigDir's are \
     UUIDs"
)]
pub struct ClientIdError;

impl ClientId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_id(text) { Ok(Self(text.into())) } else { Err(ClientIdError) }
    }
}

/// A scope that a client may request: one of any organisation, or one of the words of OpenID Connect that
/// have no prefix, such as `openid`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumedScope(Arc<str>);

/// Reason why a text is not a scope that a client can request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsumedScopeError {
    /// Empty text.
    #[error("it is empty")]
    Empty,
    /// A character that is not allowed in the space-separated `scope` of a token request.
    #[error("it cannot hold {0:?}")]
    Character(char),
}

impl ConsumedScope {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, if it is a scope with an owner; `None` for a word without a prefix.
    pub fn name(&self) -> Option<ScopeName> {
        self.0.parse().ok()
    }
}

impl FromStr for ConsumedScope {
    type Err = ConsumedScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = &*kept(text);
        match text.chars().find(|c| scope_name::is_forbidden(*c)) {
            Some(character) => Err(ConsumedScopeError::Character(character)),
            None if text.is_empty() => Err(ConsumedScopeError::Empty),
            None => Ok(Self(text.into())),
        }
    }
}

plain_text! { ClientName ClientId ConsumedScope }

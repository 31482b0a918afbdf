//! Those on whose behalf a client of ID-porten acts.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Orgno;
use super::difference::Field;
use crate::text::is_invisible;

/// The id of an entry (`onbehalfof`): chosen by whoever registers it. Whatever could change the path
/// of a URL is no part of one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnBehalfOfId(Arc<str>);

/// A text is no id of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("such an id is one line without slashes, `%`, `?` and `#`, and more than dots")]
pub struct OnBehalfOfIdError;

impl OnBehalfOfId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OnBehalfOfId {
    type Err = OnBehalfOfIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let odd = |c: char| c.is_control() || is_invisible(c) || "/\\%?#".contains(c);
        let is_path = text.chars().all(|c| c == '.');
        let fits = text.trim() == text && !text.contains(odd) && !is_path && text.len() <= 255;
        if fits { Ok(Self(text.into())) } else { Err(OnBehalfOfIdError) }
    }
}

impl fmt::Display for OnBehalfOfId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for OnBehalfOfId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnBehalfOfId({:?})", &*self.0)
    }
}

impl Serialize for OnBehalfOfId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// What is told of somebody on whose behalf a client acts (OpenAPI 2025-09, `ClientOnBehalfOf`).
/// What is left out is not set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "DigDir's own names; `declare` tells what each is")]
pub struct OnBehalfOf {
    pub name: Option<String>,
    pub orgno: Option<Orgno>,
    pub organization_name: Option<String>,
    pub description: Option<String>,
    pub uri: Option<String>,
    pub logo_uri: Option<String>,
}

impl OnBehalfOf {
    /// What each field is wanted to be, under DigDir's name.
    pub fn wanted(&self) -> [Field; 6] {
        let Self { name, orgno, organization_name, description, uri, logo_uri } = self;
        let text = |text: &Option<String>| match text.as_deref() {
            None | Some("") => Value::Null,
            Some(text) => text.into(),
        };
        let orgno = orgno.map_or(Value::Null, |orgno| orgno.as_str().into());
        [
            ("name", text(name)),
            ("orgno", orgno),
            ("organization_name", text(organization_name)),
            ("description", text(description)),
            ("uri", text(uri)),
            ("logo_uri", text(logo_uri)),
        ]
        .map(|(name, wanted)| Field { name, wanted, default: Value::Null })
    }
}

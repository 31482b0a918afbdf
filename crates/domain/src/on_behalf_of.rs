//! Organisations on whose behalf a client of ID-porten acts.

use std::str::FromStr;
use std::sync::Arc;

use serde_json::Value;

use super::Orgno;
use super::difference::Field;
use super::plain::{is_dots, plain_text};
use crate::text::is_invisible;

/// The id of an entry (`onbehalfof`), chosen by whoever registers it. Characters that could change the path
/// of a URL are not allowed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OnBehalfOfId(Arc<str>);

/// The text is not an id of an entry.
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
        let fits =
            text.trim() == text && !text.contains(odd) && !is_dots(text) && text.len() <= 255;
        if fits { Ok(Self(text.into())) } else { Err(OnBehalfOfIdError) }
    }
}

plain_text! { OnBehalfOfId }

/// An organisation on whose behalf a client acts (OpenAPI 2025-09, `ClientOnBehalfOf`). Fields that are left
/// out are not set.
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
    /// The wanted value of each field, under DigDir's name.
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

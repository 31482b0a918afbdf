//! Names of scopes.

use std::str::FromStr;
use std::sync::Arc;

use super::plain::{kept, plain_text};
use crate::text::is_invisible;

/// The name of a scope, `prefix:subscope`. It is the scope's identity at DigDir and can never change. The
/// prefix ends at the first colon; DigDir does not restrict the subscope, which may contain slashes and
/// further colons. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeName(Arc<str>);

/// Reason why a text is not a scope name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeNameError {
    /// No colon, or an empty part before or after it.
    #[error("a scope is named prefix:subscope")]
    NotPrefixAndSubscope,
    /// A character that is not allowed in the space-separated `scope` of a token request (RFC 6749 section
    /// 3.3), to which DigDir adds letters such as æøå.
    #[error("a scope's name cannot hold {0:?}")]
    Character(char),
}

impl ScopeName {
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first colon, which DigDir assigns to the owner.
    pub fn prefix(&self) -> &str {
        self.parts().0
    }

    /// The part after the first colon.
    pub fn subscope(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        self.0.split_once(':').unwrap_or((&self.0, ""))
    }
}

impl FromStr for ScopeName {
    type Err = ScopeNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = &*kept(text);
        match text.split_once(':') {
            Some((prefix, subscope)) if !prefix.is_empty() && !subscope.is_empty() => {}
            _ => return Err(ScopeNameError::NotPrefixAndSubscope),
        }
        match text.chars().find(|character| is_forbidden(*character)) {
            Some(character) => Err(ScopeNameError::Character(character)),
            None => Ok(Self(text.into())),
        }
    }
}

/// Whether a character cannot be sent in a token request, or makes two names look alike: combining accents
/// (that of `å` was composed before, Unicode NFC), and invisible characters.
pub(super) fn is_forbidden(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '"' | '\\')
        || matches!(character, '\u{300}'..='\u{36f}')
        || is_invisible(character)
}

plain_text! { ScopeName }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_ends_at_the_first_colon() {
        let name: ScopeName = "etat:arbeid:aareg/les.alt".parse().unwrap();
        assert_eq!(name.prefix(), "etat");
        assert_eq!(name.subscope(), "arbeid:aareg/les.alt");
    }

    #[test]
    fn what_is_no_name_is_reported_why() {
        use ScopeNameError::*;
        let parse = |text: &str| text.parse::<ScopeName>().unwrap_err();
        for text in ["", ":", "etat", "etat:", ":les"] {
            assert_eq!(parse(text), NotPrefixAndSubscope, "{text}");
        }
        assert_eq!(parse("etat:a b"), Character(' '));
        for odd in ['\u{1b}', '\u{202e}', '\u{200b}', '\u{338}', '\u{3164}', '\u{e0041}'] {
            assert_eq!(parse(&format!("etat:a{odd}")), Character(odd));
        }
        assert!("etat:blåbær".parse::<ScopeName>().is_ok());
    }

    #[test]
    fn a_name_is_composed() {
        let name: ScopeName = "etat:blåbær".parse().unwrap();
        for text in ["etat:bla\u{30a}bær", " etat:blåbær\n"] {
            assert_eq!(text.parse::<ScopeName>().unwrap(), name, "{text:?}");
        }
    }
}

//! Table of the problems that a repository can have: one code for each kind of finding. Diagnostics,
//! `explain`, the page on diagnostics and SARIF's metadata are all made from it.

mod table;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

pub use table::Rule;

/// Severity of a finding.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is planned or applied until it is fixed.
    Error,
    /// Probably a mistake.
    Warning,
    /// Information.
    Note,
}

/// A repository that breaks a rule, or one that does not.
///
/// Everything that is not shown is as in [`BASE`], and nothing is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Example {
    /// A file with declarations.
    Declarations(&'static str),
    /// Keys of portvakt.yaml, in place of those of [`BASE`].
    Settings(&'static str),
    /// Keys of portvakt.yaml, and a file with declarations.
    Both(&'static str, &'static str),
    /// Shell commands in a repository with only a portvakt.yaml: for problems that YAML cannot show.
    Shell(&'static str),
}

/// The portvakt.yaml of the examples, one entry per line.
pub const BASE: &str = r#"organization: { orgno: "889640782", name: Etaten }
prefixes: [etat]
environments: { sandbox: { target: sandbox }, demo: { target: sandbox } }
"#;

impl Example {
    /// The content of portvakt.yaml.
    pub fn settings(self) -> String {
        let own = match self {
            Self::Settings(own) | Self::Both(own, _) => own,
            Self::Declarations(_) | Self::Shell(_) => "",
        };
        let key = |line: &str| line.split_once(':').map(|(key, _)| format!("{key}:"));
        let is_replaced = |line: &&str| {
            key(line).is_some_and(|key| own.lines().any(|line| line.starts_with(&key)))
        };
        let kept = BASE.lines().filter(|line| !is_replaced(line));
        let lines: Vec<&str> = kept.chain(own.lines()).collect();
        lines.join("\n") + "\n"
    }

    /// The declarations, if there are any in YAML.
    pub fn declarations(self) -> Option<&'static str> {
        match self {
            Self::Declarations(text) | Self::Both(_, text) => Some(text),
            Self::Settings(_) | Self::Shell(_) => None,
        }
    }
}

impl Rule {
    /// The code, as in `PV010`.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// The name, as in `UnknownKey`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The severity of a finding of this kind.
    pub fn severity(self) -> Severity {
        self.row().severity
    }

    /// One line that names the problem.
    pub fn title(self) -> &'static str {
        self.row().title
    }

    /// Its meaning and remedy.
    pub fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// An example that breaks the rule.
    pub fn wrong(self) -> Example {
        self.row().wrong
    }

    /// The corrected example.
    pub fn right(self) -> Example {
        self.row().right
    }

    /// Whether a finding of this kind is an error, unless the finding itself says otherwise.
    pub fn is_error(self) -> bool {
        self.severity() == Severity::Error
    }

    /// Whether a finding of this kind may hide declarations or their protection, unless the finding itself
    /// says otherwise. The others hide at most an attribute.
    pub(crate) fn hides(self) -> bool {
        self.is_error() && !self.row().is_harmless
    }

    /// Whether a comment with a reason silences it: a warning or a note, or an error that only the live state
    /// can confirm.
    pub(crate) fn can_be_silenced(self) -> bool {
        !self.is_error() || self == Self::UndeclaredScope
    }
}

impl JsonSchema for Rule {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^PV[0-9]{3}$" })
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        let codes: Vec<_> = Rule::ALL.iter().map(|rule| rule.code()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    }

    #[test]
    fn titles_and_meanings_are_sentences() {
        for rule in Rule::ALL {
            for text in [rule.title(), rule.meaning()] {
                assert!(text.ends_with('.') && !text.contains("  "), "{rule:?}: {text}");
            }
        }
    }
}

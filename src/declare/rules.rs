//! What can be wrong with a repository, as a table: one code a kind of finding.

use serde::{Serialize, Serializer};

use super::diagnostic::Severity;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $severity:ident;)+) => {
        /// The kind of a finding. Its code never changes meaning: `PV0xx` is about reading the
        /// files, `PV1xx` about what they declare.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Rule {
            /// Every rule, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The code, as in `PV010`.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// How bad a finding of this kind is.
            pub fn severity(self) -> Severity {
                match self {
                    $(Self::$name => Severity::$severity,)+
                }
            }

            /// One line that tells what is wrong.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

rules! {
    /// There is no portvakt.yaml.
    NoSettings = "PV001", Error;
    /// A file cannot be read.
    Unreadable = "PV002", Error;
    /// There is more YAML than is ever read.
    TooMuch = "PV003", Error;
    /// A symbolic link leaves the repository.
    Symlink = "PV004", Error;
    /// A file is not UTF-8.
    NotUtf8 = "PV005", Error;
    /// A file is not YAML.
    Syntax = "PV006", Error;
    /// A key stands twice in one mapping.
    DuplicateKey = "PV007", Error;
    /// YAML is nested too deeply, or its aliases make too much of it.
    Nesting = "PV008", Error;
    /// A YAML tag has no meaning here.
    Tag = "PV009", Error;
    /// A key is not known here.
    UnknownKey = "PV010", Error;
    /// A key is missing.
    MissingKey = "PV011", Error;
    /// A value is of the wrong kind.
    WrongValue = "PV012", Error;
    /// A document declares nothing that is known here.
    ForeignDocument = "PV013", Error;
    /// A NAIS manifest stands among the declarations.
    NaisManifest = "PV014", Error;
    /// A glob is not well-formed.
    Glob = "PV015", Error;
    /// A secret stands in the YAML.
    Secret = "PV016", Error;
    /// An address is none that a token may be sent to.
    Address = "PV017", Error;
    /// An organisation number is not valid.
    Orgno = "PV101", Error;
    /// A scope's name is not valid.
    ScopeName = "PV102", Error;
    /// A scope lies outside the organisation's prefixes.
    Prefix = "PV103", Error;
    /// An alias is declared nowhere.
    UnknownAlias = "PV104", Error;
    /// A group is declared nowhere.
    UnknownGroup = "PV105", Error;
    /// An environment is not among those of portvakt.yaml.
    UnknownEnvironment = "PV106", Error;
    /// A date is not valid.
    Date = "PV107", Error;
    /// A scope is declared twice in one environment.
    DuplicateScope = "PV108", Error;
    /// An alias is declared twice in one environment.
    DuplicateAlias = "PV109", Error;
    /// A group is declared twice.
    DuplicateGroup = "PV110", Error;
    /// A scope is both declared and removed.
    DeclaredAndRemoved = "PV111", Error;
    /// A scope is removed twice.
    RemovedTwice = "PV112", Error;
    /// A text is empty or holds a character that DigDir refuses.
    Text = "PV113", Error;
    /// An alias, a group or an environment has a name that cannot be used.
    Name = "PV114", Error;
    /// The credentials of an environment do not fit together.
    Credentials = "PV115", Error;
    /// The declarations give more access than is ever resolved.
    TooManyAccesses = "PV116", Error;
    /// An entry or an override counts in no environment.
    NeverCounts = "PV120", Warning;
    /// Consumers are listed on a scope that is open to all.
    OpenToAll = "PV121", Warning;
    /// The two lifetimes of a Maskinporten scope differ.
    Lifetimes = "PV122", Warning;
    /// A synthetic organisation number is declared for production.
    SyntheticInProduction = "PV123", Warning;
    /// The sandbox is given credentials that it does not use.
    UnusedCredentials = "PV124", Warning;
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
    fn titles_are_sentences() {
        for rule in Rule::ALL {
            assert!(rule.title().ends_with('.'), "{rule:?}: {}", rule.title());
        }
    }
}

//! Entities that were not imported, with reasons.

use std::fmt;

use jiff::civil::Date;

use super::AdoptedEntity;
use domain::text::printable;
use domain::{ClientId, ClientNameError, DesiredScope, Orgno, ScopeName};

/// A live entity that is not declared, or not in full.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeftOut {
    /// The entity.
    pub subject: Subject,
    /// The environment; empty for all that were read.
    pub environment: String,
    /// The reason.
    pub reason: Reason,
}

/// Entity that was left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A scope, with all accesses to it.
    Scope(ScopeName),
    /// An access to a scope that is declared.
    Access(ScopeName, Orgno),
    /// The accesses to a declared scope that its declaration lacks.
    Accesses(ScopeName),
    /// Attributes of a declared scope.
    Attributes(ScopeName),
    /// A client, by its name and its id.
    Client(String, Option<ClientId>),
    /// The keys of a declared client.
    Keys(String),
    /// The `onbehalfof` entries of a declared client.
    OnBehalfOf(String),
}

/// Reason for leaving something out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    /// The access is requested and not granted.
    #[error("{0} asks for access: it was not imported, as declaring it would approve it")]
    Requested(String),
    /// The access is in an undocumented state.
    #[error(
        "the access is in the state {0}, which DigDir does not document: it was not imported, as \
         declaring it would give access"
    )]
    State(String),
    /// Not all accesses are known.
    #[error(
        "DigDir lists accesses to it that cannot be understood: declaring the others would not say \
         who has access. Have them cleared up at DigDir"
    )]
    Unclear,
    /// No accesses were read.
    #[error("its accesses were not read")]
    NotRead,
    /// The list of scopes has two with this name.
    #[error("DigDir lists two different scopes of this name")]
    TwoScopes,
    /// It was declared at the last apply, and is not any more.
    #[error(
        "it was taken out of the declarations since the last apply, and the next one closes it: it was \
         not imported, as declaring it would undo that"
    )]
    TakenOut,
    /// Another place declares it.
    #[error("{0} declares it")]
    Beside(String),
    /// The access was declared at the last apply, and is not any more.
    #[error(
        "it was removed from the declarations since the last apply, and the next apply revokes it: adding \
         it would undo that"
    )]
    Removed,
    /// The entry that grants the access has expired.
    #[error(
        "the entry that declares it expired on {0}, and the next apply revokes it: change `until` if the \
         access is to stay"
    )]
    Expired(Date),
    /// The entry that grants the access begins later.
    #[error(
        "the entry that declares it begins on {0}, and the next apply revokes it until then: change `from` if \
         the access is to stay"
    )]
    NotYet(Date),
    /// The organisation is blocked.
    #[error(
        "the organisation is blocked ({0}), and the next apply revokes it: `portvakt unblock` lifts that"
    )]
    Blocked(String),
    /// A NAIS manifest declares the scope.
    #[error("the NAIS manifest {0} declares the scope: add them to its `consumers`")]
    InManifest(String),
    /// The declared scope has no access control.
    #[error(
        "the scope is declared with `accessible_for_all`, and a list of consumers has no effect there"
    )]
    AccessibleForAll,
    /// The file that declares the scope cannot be edited.
    #[error("{0}")]
    CannotEdit(String),
    /// Attributes of a declared scope differ from the live ones.
    #[error("the declaration was not changed, and an apply changes {0}")]
    Differs(String),
    /// It is portvakt's own client.
    #[error(
        "it is the client that portvakt itself works with here: a change to it could lock it out"
    )]
    OwnClient,
    /// Several active clients have its name.
    #[error(
        "several active clients are called so ({}), and in a repository the name is what tells \
         clients apart: rename all but one of them in DigDir's web",
        .0.join(", ")
    )]
    SameName(Vec<String>),
    /// Several active clients have its name, as all clients of NAIS do.
    #[error(
        "several active clients are called so ({}), as NAIS calls all of its own the same: they stay its \
         own, or get a `clientName` in the application's manifest that no other has; deploy that, and run \
         this again",
        .0.join(", ")
    )]
    SameNameAtNais(Vec<String>),
    /// The name is not allowed in a declaration.
    #[error("a client cannot be declared under this name: {0}. Rename it in DigDir's web")]
    Name(String),
    /// Its type is not known to this program.
    #[error("it is of the integration_type {0}, which portvakt does not know")]
    Kind(String),
    /// Its keys cannot be declared; they stay as they are.
    #[error("its keys were not imported, and stay as they are live: {0}")]
    Keys(String),
    /// Some entries have no usable id.
    #[error(
        "on whose behalf it acts was not imported, and stays as it is live: DigDir lists entries \
         that cannot be named"
    )]
    Entries,
    /// The declaration has an error, in the words of the diagnostic.
    #[error("{code}: {message}")]
    Invalid {
        /// The diagnostic's code.
        code: &'static str,
        /// Its message.
        message: String,
    },
    /// A plan would still change it.
    #[error("declaring it would change it: {0}")]
    Planned(String),
}

impl From<ClientNameError> for Reason {
    fn from(error: ClientNameError) -> Self {
        Self::Name(error.to_string())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(name) => write!(f, "scope {name}"),
            Self::Access(scope, consumer) => write!(f, "access of {consumer} to {scope}"),
            Self::Accesses(scope) => write!(f, "undeclared accesses to {scope}"),
            Self::Attributes(scope) => write!(f, "attributes of {scope}"),
            Self::Client(name, Some(id)) => write!(f, "client {} ({id})", shown(name)),
            Self::Client(name, None) | Self::Keys(name) | Self::OnBehalfOf(name) => {
                write!(f, "client {}", shown(name))
            }
        }
    }
}

/// The name of a client that may have any name, safe to show.
fn shown(name: &str) -> String {
    const LONGEST: usize = 80;
    let rest = if name.chars().nth(LONGEST).is_some() { "…" } else { "" };
    let name: String = name.chars().take(LONGEST).collect();
    format!("{}{rest}", printable(&name))
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, environment, reason } = self;
        let reason = reason.to_string();
        match environment.is_empty() {
            true => write!(f, "{subject}: {}", printable(&reason)),
            false => write!(f, "{subject} in {environment}: {}", printable(&reason)),
        }
    }
}

impl LeftOut {
    /// Whether a plan changes it.
    pub fn is_planned(&self) -> bool {
        match &self.reason {
            Reason::TakenOut
            | Reason::Removed
            | Reason::Expired(_)
            | Reason::NotYet(_)
            | Reason::Blocked(_)
            | Reason::InManifest(_)
            | Reason::AccessibleForAll
            | Reason::CannotEdit(_)
            | Reason::Differs(_) => true,
            Reason::TwoScopes | Reason::Invalid { .. } | Reason::Planned(_) => {
                match &self.subject {
                    Subject::Access(..) | Subject::Accesses(_) | Subject::Attributes(_) => true,
                    Subject::Scope(_)
                    | Subject::Client(..)
                    | Subject::Keys(_)
                    | Subject::OnBehalfOf(_) => false,
                }
            }
            Reason::Beside(_)
            | Reason::Requested(_)
            | Reason::State(_)
            | Reason::Unclear
            | Reason::NotRead
            | Reason::OwnClient
            | Reason::SameName(_)
            | Reason::SameNameAtNais(_)
            | Reason::Name(_)
            | Reason::Kind(_)
            | Reason::Keys(_)
            | Reason::Entries => false,
        }
    }

    /// The scope, if it is one.
    pub(super) fn scope(&self) -> Option<&ScopeName> {
        match &self.subject {
            Subject::Scope(name) => Some(name),
            Subject::Access(..)
            | Subject::Accesses(_)
            | Subject::Attributes(_)
            | Subject::Client(..)
            | Subject::Keys(_)
            | Subject::OnBehalfOf(_) => None,
        }
    }
}

/// A reason why the declarations do not equal the live state.
pub(super) enum LeftOutFault {
    /// One of the repository's own rules, which can be silenced for an entity.
    Silence(AdoptedEntity, String),
    /// An attribute that an entity has by the repository's defaults breaks a rule.
    Default,
    /// An entity that cannot be declared, in one side or in all, and the reason.
    Refuse(AdoptedEntity, Option<usize>, Reason),
}

/// The reason why no access can be added to a declared scope.
pub(super) fn closed(declared: &DesiredScope) -> Option<Reason> {
    if declared.in_manifest {
        return Some(Reason::InManifest(declared.source.file.to_string()));
    }
    declared.attributes.accessible_for_all.then_some(Reason::AccessibleForAll)
}

//! What the files declare, each thing checked by itself but not yet against the others.

use jiff::civil::Date;

use super::attributes::Layer;
use super::diagnostic::{Diagnostic, Place};
use super::environments::EnvironmentSet;
use super::places::Span;
use crate::domain::{Orgno, RemovalAction, ScopeName};

/// What one file declares, and in the end what all of them do.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) aliases: Vec<Alias>,
    pub(super) groups: Vec<Group>,
    pub(super) scopes: Vec<Scope>,
    pub(super) removed: Vec<Removed>,
    /// Names of aliases and groups that are declared with errors: using them is no second error.
    pub(super) broken: Vec<String>,
    /// Whether some file could not be read at all, so that a name may be declared there.
    pub(super) incomplete: bool,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Declared {
    pub(super) fn append(&mut self, other: Self) {
        let Self { aliases, groups, scopes, removed, broken, incomplete, diagnostics } = other;
        self.aliases.extend(aliases);
        self.groups.extend(groups);
        self.scopes.extend(scopes);
        self.removed.extend(removed);
        self.broken.extend(broken);
        self.incomplete |= incomplete;
        self.diagnostics.extend(diagnostics);
    }
}

/// An organisation and the name that the repository gives it.
#[derive(Debug)]
pub(super) struct Alias {
    pub(super) alias: String,
    pub(super) orgno: Orgno,
    pub(super) name: Option<String>,
    pub(super) environments: EnvironmentSet,
    pub(super) place: Place,
}

/// Several organisations under one name.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) members: Vec<(Who, Span)>,
    pub(super) place: Place,
}

/// Whom an entry or a group's member names.
#[derive(Debug)]
pub(super) enum Who {
    Orgno(Orgno),
    Alias(Box<str>),
    Group(Box<str>),
}

/// A scope.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) name: ScopeName,
    pub(super) description: String,
    pub(super) attributes: Layer,
    pub(super) active: bool,
    pub(super) prevent_deactivation: bool,
    pub(super) environments: EnvironmentSet,
    pub(super) overrides: Vec<Override>,
    pub(super) consumers: Vec<Consumer>,
    pub(super) place: Place,
}

/// What a scope is in one environment.
#[derive(Debug)]
pub(super) struct Override {
    pub(super) environment: EnvironmentSet,
    pub(super) description: Option<String>,
    pub(super) active: Option<bool>,
    pub(super) attributes: Layer,
    pub(super) span: Span,
}

/// An entry of a scope's consumers; it stands in the scope's file.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) who: Who,
    pub(super) until: Option<Date>,
    pub(super) environments: EnvironmentSet,
    pub(super) reason: Option<Box<str>>,
    pub(super) span: Span,
}

/// A scope that is no longer held.
#[derive(Debug)]
pub(super) struct Removed {
    pub(super) scope: ScopeName,
    pub(super) action: RemovalAction,
    pub(super) reason: Option<String>,
    pub(super) place: Place,
}

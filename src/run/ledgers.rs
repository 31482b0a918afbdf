//! The ledgers of a repository's environments, and what occurs in them.

use std::collections::BTreeSet;

use globset::GlobMatcher;

use super::organizations::{KnownOrganizations, matches_one};
use super::{Failure, RunOptions, applied, checkout, past};
use crate::declare::Repository;
use crate::history::{History, LedgerLine};
use domain::text::printable;
use plan::document::{ActionDocument, ConsumerDocument, ReportDocument};

/// The ledgers of some environments.
pub(crate) struct Ledgers {
    /// The environments.
    pub(crate) environments: Vec<String>,
    /// The reports, each with the name that its environment has now.
    pub(crate) reports: Vec<(String, ReportDocument)>,
    /// The organisations that occur in them or are declared.
    pub(crate) organizations: KnownOrganizations,
    scopes: BTreeSet<String>,
    clients: BTreeSet<String>,
}

impl Ledgers {
    /// Reads the ledger of an environment, or of all if none is named. The declarations need not be valid.
    ///
    /// # Errors
    /// There is no such environment or no git repository, or a ledger cannot be read.
    pub(crate) fn read(options: &RunOptions) -> Result<Self, Failure> {
        let repository = checkout::open(options)?;
        let environments = match options.environment.as_deref() {
            None => repository.environments().map(str::to_owned).collect(),
            Some(asked) => {
                let name = repository.environment_name(Some(asked));
                vec![name.map_err(Failure::usage)?.to_owned()]
            }
        };
        let mut ledgers = Self {
            environments: Vec::new(),
            reports: Vec::new(),
            organizations: KnownOrganizations::default(),
            scopes: repository.scope_names().into_iter().map(ToString::to_string).collect(),
            clients: repository.client_names().map(str::to_owned).collect(),
        };
        let shown: Vec<&str> = environments.iter().map(String::as_str).collect();
        ledgers.organizations.declared_beyond(&repository, &shown);
        for environment in environments {
            ledgers.add(&repository, environment)?;
        }
        Ok(ledgers)
    }

    fn add(&mut self, repository: &Repository, environment: String) -> Result<(), Failure> {
        let history = past::open(repository, &environment)?
            .ok_or_else(|| Failure::failed("this is not a git repository: there is no ledger"))?;
        self.organizations.declared(repository, &environment);
        for report in reports(&history)? {
            for reported in &report.actions {
                self.note(&reported.action);
            }
            self.reports.push((environment.clone(), report));
        }
        self.environments.push(environment);
        Ok(())
    }

    fn note(&mut self, action: &ActionDocument) {
        self.scopes.extend(action.scope.clone());
        self.clients.extend(action.client.clone());
        if let Some(number) = &action.consumer {
            self.organizations.found(number, action.consumer_name.as_deref());
        }
        let touched = action.regains.iter().chain(&action.loses);
        for ConsumerDocument { consumer, consumer_name } in touched {
            self.organizations.found(consumer, consumer_name.as_deref());
        }
    }

    /// Checks that a glob matches the name of a scope that occurs in a ledger or is declared.
    ///
    /// # Errors
    /// It matches none.
    pub(crate) fn check_scope(&self, glob: &GlobMatcher) -> Result<(), Failure> {
        matches_one("scope in a ledger or in the declarations", glob, &self.scopes)
    }

    /// The same for a client.
    ///
    /// # Errors
    /// It matches none.
    pub(crate) fn check_client(&self, glob: &GlobMatcher) -> Result<(), Failure> {
        matches_one("client in a ledger or in the declarations", glob, &self.clients)
    }
}

/// The reports in the ledger of an environment, under all names that it had.
fn reports(history: &History) -> Result<Vec<ReportDocument>, Failure> {
    let refs = history.refs()?;
    let mut reports = Vec::new();
    for place in [history.place().to_owned()].into_iter().chain(history.former_names(&refs)) {
        let lines = match history.ledger_of(&refs, &place) {
            Ok(lines) => lines,
            Err(error) if place == history.place() => return Err(error.into()),
            Err(error) => {
                tracing::warn!("what was applied as {place} is not known: {error}");
                continue;
            }
        };
        reports.extend(lines.into_iter().filter_map(|line| reported(&place, line)));
    }
    Ok(reports)
}

/// The report in a line of a place's ledger.
fn reported(
    place: &str,
    LedgerLine { commit, text, is_signed }: LedgerLine,
) -> Option<ReportDocument> {
    let left_out = match ReportDocument::read(&text) {
        Ok(report) if report.environment == applied::environment(place) => {
            return Some(ReportDocument { signed: is_signed, ..report });
        }
        Ok(report) => format!("it is of environment {}", printable(&report.environment)),
        Err(why) => why.to_string(),
    };
    tracing::warn!("a line of the ledger about {commit} is left out: {left_out}");
    None
}

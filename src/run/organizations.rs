//! Organisations, scopes and clients, by the names that people know them by.

use std::collections::BTreeSet;

use globset::GlobMatcher;

use super::failure::Failure;
use crate::declare::{Repository, did_you_mean};
use domain::text::printable;
use domain::{Desired, Orgno};

/// Organisations and their names, from the declarations and from elsewhere.
#[derive(Default)]
pub(crate) struct KnownOrganizations {
    aliases: Vec<(String, Orgno)>,
    names: Vec<(String, Orgno)>,
    /// The environments that are meant, and names of others, each with the environment in which it counts.
    shown: Vec<String>,
    elsewhere: BTreeSet<(String, String)>,
}

impl KnownOrganizations {
    /// Adds the aliases of an environment, and the names that it gives them.
    pub(crate) fn declared(&mut self, repository: &Repository, environment: &str) {
        for (alias, name, orgno) in repository.aliases(environment) {
            self.aliases.push((alias.to_owned(), orgno));
            self.names.extend(name.map(|name| (name.to_owned(), orgno)));
        }
    }

    /// Adds the names that count only in other environments than these: they are explained, and mean nobody.
    pub(crate) fn declared_beyond(&mut self, repository: &Repository, shown: &[&str]) {
        self.shown = shown.iter().map(|name| (*name).to_owned()).collect();
        for environment in repository.environments().filter(|name| !shown.contains(name)) {
            for (alias, name, _) in repository.aliases(environment) {
                let names = [Some(alias), name].into_iter().flatten();
                let placed = names.map(|name| (name.to_lowercase(), environment.to_owned()));
                self.elsewhere.extend(placed);
            }
        }
    }

    /// Adds the names that manifests give to numbers.
    pub(crate) fn of_manifests(&mut self, desired: &Desired) {
        for (orgno, name) in &desired.labels {
            self.found(orgno.as_str(), Some(name));
        }
    }

    /// Adds a number, and its name at DigDir or in a ledger; a number that is none is ignored.
    pub(crate) fn found(&mut self, number: &str, name: Option<&str>) {
        if let Ok(orgno) = number.parse() {
            self.names.push((name.unwrap_or(number).to_owned(), orgno));
        }
    }

    /// The organisations that a text names: by a number, an alias, or a name. One alias can be several, each in
    /// another environment.
    ///
    /// # Errors
    /// It names none.
    pub(crate) fn find(&self, asked: &str) -> Result<BTreeSet<Orgno>, Failure> {
        let wrong = match asked.parse() {
            Ok(orgno) => return Ok(BTreeSet::from([orgno])),
            Err(wrong) => wrong,
        };
        let wanted = asked.to_lowercase();
        let is_exact = |name: &str| name == asked;
        let is_alike = |name: &str| name.to_lowercase() == wanted;
        let named = |names: &[(String, Orgno)], is_it: &dyn Fn(&str) -> bool| -> BTreeSet<Orgno> {
            let matches = names.iter().filter(|(name, _)| is_it(name));
            matches.map(|(_, orgno)| *orgno).collect()
        };
        let found = [
            named(&self.aliases, &is_exact),
            named(&self.aliases, &is_alike),
            named(&self.names, &is_alike),
        ];
        if let Some(found) = found.into_iter().find(|found| !found.is_empty()) {
            return Ok(found);
        }
        let elsewhere = self.elsewhere.iter().filter(|(name, _)| *name == wanted);
        let elsewhere: Vec<&str> = elsewhere.map(|(_, environment)| &**environment).collect();
        if !elsewhere.is_empty() {
            return Err(Failure::Usage(format!(
                "'{}' counts in {}, not in {}; ask about an environment in which it counts, or name the \
                 organisation by its number",
                printable(asked),
                printable(&elsewhere.join(", ")),
                printable(&self.shown.join(", "))
            )));
        }
        let is_number = asked.chars().all(|c| c.is_ascii_digit() || c == ' ');
        Err(self.unknown(
            asked,
            &match is_number {
                true => format!("'{}' is not an organisation number: {wrong}", printable(asked)),
                false => format!("no organisation is called '{}'", printable(asked)),
            },
        ))
    }

    /// The same, of organisations that occur somewhere; `absent` says where they do not.
    ///
    /// # Errors
    /// It names none, or one that occurs nowhere.
    pub(crate) fn find_known(&self, asked: &str, absent: &str) -> Result<BTreeSet<Orgno>, Failure> {
        let found = self.find(asked)?;
        match self.all().any(|(_, orgno)| found.contains(orgno)) {
            true => Ok(found),
            false => {
                let why = format!("{absent}, and no alias is declared for it");
                Err(self.unknown(asked, &format!("organisation {} {why}", printable(asked))))
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = &(String, Orgno)> {
        self.aliases.iter().chain(&self.names)
    }

    fn unknown(&self, asked: &str, why: &str) -> Failure {
        let numbers = self.all().map(|(_, orgno)| orgno.as_str());
        let hint = did_you_mean(asked, self.all().map(|(name, _)| &**name).chain(numbers));
        let hint = printable(&hint).into_owned();
        Failure::Usage(format!("{why}; {hint}name it by its number, its alias or its name"))
    }
}

/// Checks that a glob matches one of the names; `what` describes them.
///
/// # Errors
/// It matches none.
pub(crate) fn matches_one<'n>(
    what: &str,
    glob: &GlobMatcher,
    names: impl IntoIterator<Item = &'n String> + Clone,
) -> Result<(), Failure> {
    if names.clone().into_iter().any(|name| glob.is_match(name)) {
        return Ok(());
    }
    let asked = glob.glob().glob();
    let hint = did_you_mean(asked, names.into_iter().map(String::as_str));
    Err(Failure::Usage(format!(
        "no {what} is called '{}'; {}see its name in a plan, or use a pattern such as '*'",
        printable(asked),
        printable(&hint)
    )))
}

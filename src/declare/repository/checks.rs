//! Checks of a repository.

use jiff::civil::Date;

use super::{EnvironmentError, Repository};
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::{self, Diagnostic};
use crate::declare::files::key_files;
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::silences::{self, Silence};
use crate::declare::rules::{advice, unused};

/// Part of a repository that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckedPart {
    /// Everything: what nothing uses, too.
    Whole,
    /// An environment: others may use what it does not.
    Environment,
}

impl Repository {
    /// All findings about the declarations, in all environments, sorted by place.
    /// `today` is the date in Norway: `until` counts by it.
    pub fn check(&self, today: Date) -> Vec<Diagnostic> {
        let names = self.settings.environment_names.iter();
        let (mut found, idle) = self.check_in(names, today, CheckedPart::Whole);
        // What is wrong may keep a rule from speaking.
        if !found.iter().any(Diagnostic::is_error) {
            let own = self.settings.own_rules();
            found.extend(idle.into_iter().map(|silence| silence.idle(own.clone())));
            diagnostic::sort(&mut found);
        }
        found
    }

    /// As [`check`](Self::check), for one environment.
    ///
    /// # Errors
    /// There is no such environment.
    pub fn check_environment(
        &self,
        environment: &str,
        today: Date,
    ) -> Result<Vec<Diagnostic>, EnvironmentError> {
        let name = self.environment_name(Some(environment))?;
        Ok(self.check_in([name], today, CheckedPart::Environment).0)
    }

    fn check_in<'n>(
        &'n self,
        names: impl IntoIterator<Item = &'n str>,
        today: Date,
        extent: CheckedPart,
    ) -> (Vec<Diagnostic>, Vec<&'n Silence>) {
        let names: Vec<&str> = names.into_iter().collect();
        let sets = names.iter().filter_map(|name| self.settings.environment_names.set(name));
        let asked: EnvironmentSet = sets.collect();
        let mut found = self.found.clone();
        found.retain(|found| self.counts(found, asked));
        if !found.iter().any(|found| found.code == Rule::TooManyAccesses) {
            let all = self.settings.environment_names.iter();
            let all: Vec<_> = all.filter_map(|name| self.here(name)).collect();
            for here in all.iter().filter(|here| names.contains(&here.name)) {
                found.extend(advice::find(here, &all, today));
                // Much is said of each environment alike.
                diagnostic::sort(&mut found);
                found.dedup();
            }
        }
        // What is wrong may keep a name from being seen as used.
        if extent == CheckedPart::Whole && !found.iter().any(Diagnostic::is_error) {
            found.extend(unused::find(
                &self.declared,
                &self.settings.teams,
                &self.unused_key_files(),
            ));
        }
        diagnostic::sort(&mut found);
        found.dedup();
        let idle = silences::heed(&mut found, &self.declared.silences);
        diagnostic::cut(&mut found, advice::MOST_FOUND);
        (found, idle)
    }

    /// The files of the folder with keys that no client names. A repository that was not read from a folder has
    /// none: only that of a folder knows its own portvakt.yaml among what it read.
    fn unused_key_files(&self) -> Vec<String> {
        match self.key_files.is_empty() {
            true => Vec::new(),
            false => {
                let filter = &self.settings.filter;
                key_files::unused(&self.root, filter, &self.index, &self.key_files)
            }
        }
    }

    /// Whether a finding about a file by itself counts in some of these environments.
    fn counts(&self, found: &Diagnostic, asked: EnvironmentSet) -> bool {
        let Some(name) = &found.own_rule else {
            return true;
        };
        let rule = self.settings.naming.iter().find(|rule| rule.head.name == *name);
        rule.is_none_or(|rule| rule.head.environments.overlaps(asked))
    }
}

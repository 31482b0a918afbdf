//! Options of every command.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, ColorChoice};

use super::exit::{Failure, report_diagnostics};
use super::log;
use super::progress::Progress;
use crate::declare::{Diagnostic, Edited, Severity};
use crate::render::Notices;
use crate::run::{Opened, Remote, RunOptions, environment_names};
use digdir::Needs;
use domain::Live;

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// The repository, or a folder in it [default: upwards from here]
    #[arg(short = 'C', long = "repo", value_name = "DIR", global = true)]
    pub(super) repo: Option<PathBuf>,
    /// The environment in portvakt.yaml [default: the only one if there is one; for validate, all]
    #[arg(short, long, value_name = "NAME", env = "PORTVAKT_ENV", global = true)]
    pub(super) env: Option<String>,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub(super) color: ColorChoice,
    /// Show more on stderr, and every notice of a plan; repeat for even more
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(super) verbose: u8,
    /// Show nothing but errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// The form of messages on stderr
    #[arg(long, value_name = "FORMAT", default_value = "text", global = true)]
    pub(super) log_format: log::Format,
    /// A host to which credentials may be sent, in addition to DigDir's own
    #[arg(
        long = "allow-host",
        value_name = "HOST",
        env = "PORTVAKT_ALLOW_HOSTS",
        value_delimiter = ',',
        global = true
    )]
    pub(super) allow_hosts: Vec<String>,
    /// Largest number of requests under way at once
    #[arg(long, value_name = "N", default_value = "16", global = true)]
    pub(super) concurrency: NonZeroUsize,
    /// Largest number of requests sent in a second
    #[arg(long, value_name = "N", default_value = "1000", global = true)]
    pub(super) rate: NonZeroU32,
}

impl Global {
    /// The options that use cases need. An empty name selects no environment.
    pub(super) fn options(&self) -> RunOptions {
        RunOptions {
            folder: self.repo.clone(),
            environment: self.env.clone().filter(|name| !name.is_empty()),
            allow_hosts: self.allow_hosts.clone(),
            concurrency: self.concurrency,
            rate: self.rate,
        }
    }

    /// How the notices of a plan are shown.
    pub(super) fn notices(&self) -> Notices {
        if self.verbose > 0 { Notices::Listed } else { Notices::Counted }
    }

    /// Reads the declarations of the requested environment, and reports findings; notes only where more is to be
    /// shown, as `validate` lists them.
    pub(super) fn open(&self) -> Result<Opened, Failure> {
        self.open_as(&self.options())
    }

    /// The same with other options.
    pub(super) fn open_as(&self, options: &RunOptions) -> Result<Opened, Failure> {
        self.open_edited(options, None)
    }

    /// The same with an edit that is not written.
    pub(super) fn open_edited(
        &self,
        options: &RunOptions,
        edited: Option<&Edited>,
    ) -> Result<Opened, Failure> {
        let opened = Opened::open_edited(options, edited)?;
        if !self.quiet {
            let is_shown = |found: &&Diagnostic| match found.severity {
                Severity::Error | Severity::Warning => true,
                Severity::Note => self.verbose > 0,
            };
            let found: Vec<_> = opened.found.iter().filter(is_shown).cloned().collect();
            report_diagnostics(self.log_format, opened.repository.root(), &found);
        }
        Ok(opened)
    }

    /// The same for the requested environment, or for all of them.
    pub(super) fn open_each(&self, all: bool) -> Result<Vec<Opened>, Failure> {
        if !all {
            return Ok(vec![self.open()?]);
        }
        let open = |name| self.open_as(&RunOptions { environment: Some(name), ..self.options() });
        environment_names(&self.options())?.into_iter().map(open).collect()
    }

    /// Reads the live state, and shows progress.
    pub(super) async fn live(&self, remote: Remote, needs: &Needs) -> Result<Live, Failure> {
        remote.live(needs, &self.reading().of_calls()).await
    }

    /// Progress of reading.
    pub(super) fn reading(&self) -> Progress {
        Progress::start(self, "reading accesses")
    }
}

//! `portvakt schema`.

use clap::ValueEnum;

use super::exit::{Exit, Failure};
use super::sink::print;
use crate::render::migration::MigrationDocument;
use crate::{declare, render};
use plan::document::{self, KeysDocument, PlanDocument, ReportDocument, UnmanagedDocument};

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Of what
    #[arg(default_value = "declarations")]
    of: Subject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// Of the YAML files that declare scopes, consumers and clients
    Declarations,
    /// Of portvakt.yaml
    Settings,
    /// Of a plan as JSON
    Plan,
    /// Of what became of a plan, as JSON
    Report,
    /// Of what `validate` finds, as JSON
    Diagnostics,
    /// Of a list of keys, as JSON
    Keys,
    /// Of how far what goes to NAIS has come, as JSON
    Migration,
    /// Of what is live and declared nowhere, as JSON
    Unmanaged,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let schema = match args.of {
        Subject::Declarations => declare::schema::declarations(),
        Subject::Settings => declare::schema::settings(),
        Subject::Plan => document::schema::<PlanDocument>(),
        Subject::Report => document::schema::<ReportDocument>(),
        Subject::Keys => document::schema::<KeysDocument>(),
        Subject::Migration => document::schema::<MigrationDocument<'_>>(),
        Subject::Unmanaged => document::schema::<UnmanagedDocument>(),
        Subject::Diagnostics => render::diagnostics::json_schema(),
    };
    print(clap::ColorChoice::Never, &domain::text::json::pretty(&schema))?;
    Ok(Exit::Done)
}

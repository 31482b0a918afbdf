//! `portvakt schema`.

use clap::ValueEnum;

use super::exit::{Exit, Failure};
use super::sink::print;
use crate::render::migration::MigrationDocument;
use crate::{declare, render};
use domain::Profile;
use plan::document::{
    self, AccessDocument, KeysDocument, PlanDocument, ReportDocument, RequestsDocument,
    UnmanagedDocument,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The document that the schema describes
    #[arg(default_value = "declarations")]
    of: SchemaSubject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchemaSubject {
    /// Of the YAML files that declare scopes, consumers and clients
    Declarations,
    /// Of portvakt.yaml
    Settings,
    /// Of a plan as JSON
    Plan,
    /// Of a report, as JSON
    Report,
    /// Of the findings of `validate`, as JSON
    Diagnostics,
    /// Of a list of keys, as JSON
    Keys,
    /// Of hand-overs to NAIS, as JSON
    Migration,
    /// Of unmanaged scopes and clients, as JSON
    Unmanaged,
    /// Of who can reach what, as JSON
    Access,
    /// Of requests for access, as JSON
    Requests,
    /// Of what `probe` has found out
    Profile,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let schema = match args.of {
        SchemaSubject::Declarations => declare::schema::declarations(),
        SchemaSubject::Settings => declare::schema::settings(),
        SchemaSubject::Plan => document::schema::<PlanDocument>(),
        SchemaSubject::Report => document::schema::<ReportDocument>(),
        SchemaSubject::Keys => document::schema::<KeysDocument>(),
        SchemaSubject::Migration => document::schema::<MigrationDocument<'_>>(),
        SchemaSubject::Access => document::schema::<AccessDocument>(),
        SchemaSubject::Requests => document::schema::<RequestsDocument>(),
        SchemaSubject::Profile => document::schema::<Profile>(),
        SchemaSubject::Unmanaged => document::schema::<UnmanagedDocument>(),
        SchemaSubject::Diagnostics => render::diagnostics::json_schema(),
    };
    print(clap::ColorChoice::Never, &domain::text::json::pretty(&schema))?;
    Ok(Exit::Done)
}

//! `portvakt show`.

use std::path::PathBuf;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::{PlanFormat, parsed_plan, parsed_report, read_text, shown};
use super::sink::print;
use crate::render;
use domain::text::json;
use plan::document::{ReportDocument, is_report};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A plan (`plan --out`) or a report (`apply --report`) that was saved
    file: PathBuf,
    /// The form
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: PlanFormat,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let text = read_text(&args.file)?;
    let text = match is_report(&text) {
        true => as_report(&parsed_report(&args.file, &text)?, args.format),
        false => shown(&parsed_plan(&args.file, &text)?, args.format, global),
    };
    print(global.color, &text)?;
    Ok(Exit::Done)
}

fn as_report(report: &ReportDocument, format: PlanFormat) -> String {
    match format {
        PlanFormat::Text => render::report(report).trim_start().to_owned(),
        PlanFormat::Markdown => render::markdown::report(report),
        PlanFormat::Json => json::pretty(report),
    }
}

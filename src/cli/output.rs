//! Options shared by plan, drift, rollback and show: the format of a plan, and its destination.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::sink::print;
use crate::history::History;
use crate::render;
use crate::run::read::read_file;
use crate::run::{Ready, blame, files};
use domain::text::json;
use plan::document::{PlanDocument, ReportDocument};

/// Format and destination of a plan.
#[derive(Debug, clap::Args)]
pub(super) struct Output {
    /// The form of the plan
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: PlanFormat,
    /// Save the plan as JSON too, for show, apply and comment
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show the commit and the author that last touched the line of each action
    #[arg(long)]
    blame: bool,
}

/// Format and destination of a plan, and its exit code.
#[derive(Debug, clap::Args)]
pub(super) struct Pending {
    #[command(flatten)]
    output: Output,
    /// Exit with 2 if there is something to do, or if it is not known what was applied before
    #[arg(long)]
    detailed_exitcode: bool,
}

impl Pending {
    /// Shows a plan; with `--detailed-exitcode` the exit code shows whether there is or may be something to
    /// do.
    pub(super) fn show(
        &self,
        global: &Global,
        history: Option<&History>,
        plan: PlanDocument,
    ) -> Result<Exit, Failure> {
        let is_settled = plan.is_as_declared() && plan.unknown_past().is_none();
        let pending = self.detailed_exitcode && !is_settled;
        self.output.show(global, history, plan)?;
        Ok(if pending { Exit::Pending } else { Exit::Done })
    }
}

/// The forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For a reviewer
    Text,
    /// For one comment on a pull request
    Markdown,
    /// For programs; `portvakt schema plan` describes it
    Json,
}

/// Formats of other documents. The schema of the JSON is named in each argument's own help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TextOrJson {
    /// For people
    Text,
    /// For programs
    Json,
}

impl TextOrJson {
    /// A document in this form.
    pub(super) fn of<T: Serialize>(self, document: &T, text: impl FnOnce(&T) -> String) -> String {
        match self {
            Self::Text => text(document),
            Self::Json => json::pretty(document),
        }
    }
}

impl Output {
    /// Shows a plan, and saves it if requested.
    pub(super) fn show(
        &self,
        global: &Global,
        history: Option<&History>,
        mut plan: PlanDocument,
    ) -> Result<(), Failure> {
        if self.blame {
            blame(&mut plan, history);
        }
        if let Some(path) = &self.out {
            files::put(path, &json::pretty(&plan))?;
        }
        print(global.color, &shown(&plan, self.format, global))
    }
}

/// Makes a plan with credentials that can only read.
pub(super) async fn planned(global: &Global, ready: &Ready) -> Result<PlanDocument, Failure> {
    let reading = global.reading();
    ready.planned(&global.options(), &reading.of_calls()).await
}

/// A plan in a format.
pub(super) fn shown(plan: &PlanDocument, format: PlanFormat, global: &Global) -> String {
    match format {
        PlanFormat::Text => render::plan(plan, global.notices()),
        PlanFormat::Markdown => render::markdown::plan(plan),
        PlanFormat::Json => json::pretty(plan),
    }
}

/// Reads a saved plan.
pub(super) fn read_plan(path: &Path) -> Result<PlanDocument, Failure> {
    parsed_plan(path, &read_text(path)?)
}

/// The plan in a file's text, unchanged.
pub(super) fn parsed_plan(path: &Path, text: &str) -> Result<PlanDocument, Failure> {
    let path = files::shown(path);
    let plan = PlanDocument::read(text).map_err(|why| {
        Failure::Usage(format!("{path}: {why}. `portvakt plan --out FILE` saves one"))
    })?;
    match plan.flaw() {
        None => Ok(plan),
        Some(flaw) => Err(Failure::Refused(format!(
            "{path}: the plan was edited: {flaw}. Nothing was changed\nMake it anew by `portvakt plan \
             --out FILE`"
        ))),
    }
}

/// The report in a file's text.
pub(super) fn parsed_report(path: &Path, text: &str) -> Result<ReportDocument, Failure> {
    let unreadable = |why: String| Failure::Usage(format!("{}: {why}", files::shown(path)));
    ReportDocument::read(text).map_err(unreadable)
}

/// Largest saved plan or report, in bytes.
const LARGEST: u64 = 256 << 20;

/// Reads a file that this program has saved.
pub(super) fn read_text(path: &Path) -> Result<String, Failure> {
    let shown_path = files::shown(path);
    let bytes =
        read_file(path, LARGEST).map_err(|why| Failure::Usage(format!("{shown_path} {why}")))?;
    String::from_utf8(bytes).map_err(|_| Failure::Usage(format!("{shown_path} is not UTF-8")))
}

//! `portvakt explain`.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::sink::print;
use crate::declare::Rule;
use crate::render;
use domain::text::printable;
use plan::Code;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The code, such as PV104 [default: list them all]
    code: Option<String>,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let text = match &args.code {
        Some(code) => explanation(code).ok_or_else(|| unknown(code))?,
        None => render::codes(),
    };
    print(global.color, &text)?;
    Ok(Exit::Done)
}

fn explanation(code: &str) -> Option<String> {
    let rule = Rule::ALL.iter().find(|rule| rule.code().eq_ignore_ascii_case(code));
    let of_plan = Code::ALL.iter().find(|known| known.as_str().eq_ignore_ascii_case(code));
    rule.map(|rule| render::explanation(*rule))
        .or_else(|| of_plan.map(|code| render::plan_explanation(*code)))
}

/// Largest number of letters by which a suggested code may differ from the requested one.
const NEAR: usize = 2;

fn unknown(code: &str) -> Failure {
    let rules = Rule::ALL.iter().map(|rule| rule.code());
    let known = rules.chain(Code::ALL.iter().map(|code| code.as_str()));
    let asked = code.to_uppercase();
    let nearest = known
        .map(|known| (strsim::osa_distance(&asked, known), known))
        .filter(|(distance, _)| *distance <= NEAR)
        .min();
    let suggestion = nearest.map(|(_, near)| format!("did you mean {near}? ")).unwrap_or_default();
    let code = printable(code);
    Failure::Usage(format!(
        "there is no code `{code}`; {suggestion}`portvakt explain` and docs/diagnostics.md list them all"
    ))
}

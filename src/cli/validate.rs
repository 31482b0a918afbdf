//! `portvakt validate`.

use std::path::Path;

use clap::ValueEnum;

use super::exit::{Exit, Failure};
use super::global::Global;
use super::log;
use super::sink::print;
use super::sink::print_annotations;
use crate::declare::{self, DeclaredCounts, Diagnostic, Edited, FixedFile, Severity};
use crate::render::diagnostics::{self, Sources};
use crate::run::clock::today;
use crate::run::{checkout, edits};
use crate::{history, render};
use domain::text::{counted, printable};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The form of what is found
    #[arg(long, default_value = "text")]
    format: FindingsFormat,
    /// Exit with 3 on a warning too
    #[arg(long)]
    deny_warnings: bool,
    /// Fix in the files what is safe to fix, and show what is left
    #[arg(long)]
    fix: bool,
    /// Remove the aliases that nothing uses from the files; with `--diff`, show it and change nothing
    #[arg(long)]
    fix_unused: bool,
    /// Show what `--fix` would change, and change nothing
    #[arg(long, conflicts_with = "format")]
    diff: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FindingsFormat {
    /// For people
    Text,
    /// For programs; `portvakt schema diagnostics` describes it
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For the log of a job on GitHub, which shows it in the pull request: the worst ten, and then all as
    /// text, where GitHub would not show all
    Github,
    /// For the summary of a job: a table
    Markdown,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let options = global.options();
    let root = checkout::root(&options)?;
    let environment = options.environment.as_deref();
    let (mut found, mut counts) = findings(&root, environment)?;
    if args.diff {
        let fixed = declare::apply_fixes(&root, &checkout::index(&root), &found);
        let unused = if args.fix_unused { without_unused(global, &root)? } else { Vec::new() };
        if fixed.is_empty() && unused.is_empty() {
            log::line(global.log_format, "there is nothing to fix");
        }
        print(global.color, &fixed.iter().chain(&unused).map(render::diff).collect::<String>())?;
        return Ok(exit(args, &found));
    }
    if args.fix {
        write(global, &root, &declare::apply_fixes(&root, &checkout::index(&root), &found))?;
    }
    if args.fix_unused {
        write(global, &root, &without_unused(global, &root)?)?;
    }
    if args.fix || args.fix_unused {
        (found, counts) = findings(&root, environment)?;
    }
    let shown = shown(args.format, &root, &declare::joined(&found), counts);
    match args.format {
        FindingsFormat::Github => print_annotations(global.color, &shown)?,
        FindingsFormat::Text
        | FindingsFormat::Json
        | FindingsFormat::Sarif
        | FindingsFormat::Markdown => print(global.color, &shown)?,
    }
    Ok(exit(args, &found))
}

fn write(global: &Global, root: &Path, fixed: &[FixedFile]) -> Result<(), Failure> {
    let files = fixed.iter().map(|fixed| (&*fixed.file, fixed.after.as_str()));
    edits::write_all(root, files, |_| false)?;
    for FixedFile { file, .. } in fixed {
        log::line(global.log_format, &format!("fixed {}", printable(file)));
    }
    Ok(())
}

/// The files without the aliases that nothing uses in any environment. An alias that cannot be removed is
/// reported.
fn without_unused(global: &Global, root: &Path) -> Result<Vec<FixedFile>, Failure> {
    let invalid = |found| Failure::Invalid(root.to_owned(), found);
    let repository = checkout::load(root).map_err(invalid)?;
    let (edited, refused) = repository.without_unused(&repository.check(today()));
    for refused in refused {
        log::line(global.log_format, &printable(&refused.to_string()));
    }
    let fixed = edited.into_iter().filter_map(|Edited { file, after }| {
        let before = declare::source(root, &file)?;
        Some(FixedFile { file: file.into(), before, after })
    });
    Ok(fixed.collect())
}

fn exit(args: &Args, found: &[Diagnostic]) -> Exit {
    let denied = |found: &Diagnostic| match found.severity {
        Severity::Error => true,
        Severity::Warning => args.deny_warnings,
        Severity::Note => false,
    };
    if found.iter().any(denied) { Exit::Invalid } else { Exit::Done }
}

fn shown(
    format: FindingsFormat,
    root: &Path,
    found: &[Diagnostic],
    counts: Option<DeclaredCounts>,
) -> String {
    match format {
        FindingsFormat::Text | FindingsFormat::Markdown if found.is_empty() => {
            counts.map(ok).unwrap_or_default()
        }
        FindingsFormat::Text => diagnostics::text(found, &mut Sources::new(root)),
        FindingsFormat::Json => diagnostics::json(found),
        FindingsFormat::Sarif => diagnostics::sarif(found, &history::prefix(root)),
        FindingsFormat::Github => {
            diagnostics::github(found, &history::prefix(root), &mut Sources::new(root))
        }
        FindingsFormat::Markdown => render::markdown::findings(found),
    }
}

/// The number of declarations, where there are no findings.
fn ok(DeclaredCounts { scopes, clients, files }: DeclaredCounts) -> String {
    let count = |count: usize, thing| counted(count as u64, thing, "s");
    let (scopes, clients) = (count(scopes, "scope"), count(clients, "client"));
    format!("OK: {scopes}, {clients} in {}\n", count(files, "file"))
}

/// All findings in a repository for one environment or for all, sorted by place, and the number of
/// declarations; `None` where it cannot be read.
fn findings(
    root: &Path,
    environment: Option<&str>,
) -> Result<(Vec<Diagnostic>, Option<DeclaredCounts>), Failure> {
    let repository = match checkout::load(root) {
        Ok(repository) => repository,
        Err(found) => return Ok((found, None)),
    };
    let found = match environment {
        None => repository.check(today()),
        Some(name) => repository.check_environment(name, today()).map_err(Failure::usage)?,
    };
    Ok((found, Some(repository.declared_counts())))
}

//! `portvakt render yaml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::adopt::{Rendered, rendered};
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::log;
use crate::cli::sink::print_exact;
use crate::declare::{Diagnostic, Repository};
use crate::run::adoption::overlaid;
use crate::run::checkout;
use crate::run::clock::today;
use crate::run::files::shown;
use domain::text::listed;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Files with manifests [default: all in the repository]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Note about the differences of the YAML.
const OF_CLIENTS: &str = "\
note: in YAML a client is known by its name, at NAIS by its description. To take over the one that NAIS \
made, add its `client_id`, and its live name as `previous_name`. What its manifest leaves to the operator \
of digdirator, such as the life of a token, has the default of YAML unless it is added too";

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let repository = checkout::open(&global.options())?;
    let root = repository.root().to_owned();
    let found = repository.check(today());
    if found.iter().any(Diagnostic::is_error) {
        return Err(Failure::Invalid(root, found));
    }
    let chosen = chosen(&args.files, &repository)?;
    if chosen.is_empty() {
        log::report(global, "no manifest declares anything");
        return Ok(Exit::Done);
    }
    let environments = overlaid(&repository);
    let others = repository.settings().environments.keys();
    let others: Vec<_> = others.filter(|name| !environments.contains(name)).cloned().collect();
    let environments = [environments, others].concat();
    let is_chosen = |file: &str| chosen.contains(file);
    let made = rendered(repository, &is_chosen, &environments, today());
    let Rendered { text, left_out, clients } = made.map_err(|why| Failure::invalid(&root, why))?;
    for left_out in left_out {
        log::report(global, &format!("left out: {left_out}"));
    }
    if clients > 0 {
        log::report(global, OF_CLIENTS);
    }
    print_exact(&text)?;
    Ok(Exit::Done)
}

/// The named files, as paths in the repository; all that have manifests if none is named.
fn chosen(asked: &[PathBuf], repository: &Repository) -> Result<BTreeSet<String>, Failure> {
    let all = repository.manifest_files();
    if asked.is_empty() {
        return Ok(all.into_iter().map(str::to_owned).collect());
    }
    let one = |path: &PathBuf| {
        let found = in_repository(path, repository.root()).filter(|path| all.contains(&**path));
        found.ok_or_else(|| {
            Failure::Usage(format!(
                "{} has no manifest that declares anything; those are in {}",
                shown(path),
                match all.is_empty() {
                    true => "no file of the repository".to_owned(),
                    false => listed(&all),
                }
            ))
        })
    };
    asked.iter().map(one).collect()
}

/// A file as the repository names it, with `/` between the parts.
fn in_repository(path: &Path, root: &Path) -> Option<String> {
    let (path, root) = (path.canonicalize().ok()?, root.canonicalize().ok()?);
    let parts = path.strip_prefix(root).ok()?.iter().map(|part| part.to_str());
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

//! `portvakt render skyporten`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;
use globset::GlobMatcher;

use super::{addresses, difference, note_inactive};
use crate::cli::arguments::{glob, is_chosen};
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::log;
use crate::cli::sink::{print, print_exact};
use crate::declare::FixedFile;
use crate::run::clock::today;
use crate::run::files::shown;
use crate::run::rendered::{self, RenderedChange, RenderedFolder};
use crate::run::{Opened, applied};
use crate::skyporten::{CloudShare, CloudTrust, TrustFile, TrustForm, TrustedShare, TrustingCloud};
use domain::ScopeName;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// One cloud alone; may be repeated [default: all]
    #[arg(long, value_enum, value_name = "CLOUD")]
    cloud: Vec<TrustingCloud>,
    /// Entries of `skyporten` with such a name; may be repeated [default: all]
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    name: Vec<GlobMatcher>,
    /// Entries with such a scope; may be repeated [default: all]
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    scope: Vec<GlobMatcher>,
    /// The form
    #[arg(long, value_enum, default_value_t = TrustForm::Terraform)]
    format: TrustForm,
    /// Write the files into a folder, and remove those of this project and environment that are no longer rendered
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    out: Option<PathBuf>,
    /// Compare them with a folder, and show the difference; exit with 2 if there is one
    #[arg(long, value_name = "DIR")]
    check: Option<PathBuf>,
}

impl ValueEnum for TrustingCloud {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Azure, Self::Gcp, Self::Aws, Self::Databricks]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Azure => ("azure", "Federated credentials of managed identities"),
            Self::Gcp => ("gcp", "A provider of a workload identity pool, and bindings"),
            Self::Aws => ("aws", "An OIDC provider, and the trust policies of roles"),
            Self::Databricks => (
                "databricks",
                "Federation policies of a recipient of Delta Sharing, as commands only",
            ),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl ValueEnum for TrustForm {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Terraform, Self::Cli]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Terraform => ("terraform", "Terraform's JSON syntax, in files `.tf.json`"),
            Self::Cli => ("cli", "Lines of `az`, `gcloud`, `aws` and `databricks`, in files `.sh`"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let opened = global.open()?;
    let trust = trust(&opened)?;
    let chosen = |share: &CloudShare| args.chooses(share);
    if (args.is_narrowed() || !args.has_folder())
        && !trust.shares.iter().any(|it| chosen(&it.share))
    {
        return Err(Failure::Usage(format!(
            "no entry of `skyporten` is chosen in {}: declare one whose scope is declared there too, or choose \
             others by --name and --scope",
            opened.desired.environment
        )));
    }
    let is_inactive =
        |scope: &ScopeName| opened.desired.scopes.get(scope).is_some_and(|it| !it.active);
    let named = trust.shares.iter().map(|it| &it.share).filter(|it| chosen(it)).map(|it| &it.scope);
    for scope in named.filter(|it| is_inactive(it)).collect::<BTreeSet<_>>() {
        note_inactive(global, scope);
    }
    let files = trust.render(args.format, &args.clouds(), chosen);
    if args.format == TrustForm::Terraform && args.clouds().contains(&TrustingCloud::Databricks) {
        let has_recipient = |it: &TrustedShare| it.share.clouds.databricks.is_some();
        if trust.shares.iter().any(|it| has_recipient(it) && chosen(&it.share)) {
            let note = "note: Terraform has no resource for policies of a recipient at Databricks: see --format cli";
            log::report(global, note);
        }
    }
    match (&args.check, &args.out) {
        (Some(folder), _) => {
            let is_nothing = files.is_empty();
            let changes = changes(folder, files, args, &trust)?;
            // A job with a wrong environment would be green for ever.
            if is_nothing && changes.is_empty() {
                return Err(Failure::Failed(format!(
                    "nothing is rendered for {0}, and {1} has nothing that was rendered for {0}, so that nothing \
                     was compared: check the environment (`-e`), --cloud, --format and the folder",
                    trust.place,
                    shown(folder)
                )));
            }
            check(global, &changes, folder, &trust)
        }
        (None, Some(folder)) => {
            let changes = changes(folder, files, args, &trust)?;
            write(global, &changes, folder, &trust)
        }
        (None, None) => {
            let texts: String = files.into_iter().map(|file| file.text).collect();
            print_exact(&texts).map(|()| Exit::Done)
        }
    }
}

impl Args {
    fn chooses(&self, share: &CloudShare) -> bool {
        is_chosen(&self.name, &share.name) && is_chosen(&self.scope, share.scope.as_str())
    }

    fn is_narrowed(&self) -> bool {
        !(self.name.is_empty() && self.scope.is_empty())
    }

    fn has_folder(&self) -> bool {
        self.out.is_some() || self.check.is_some()
    }

    fn clouds(&self) -> Vec<TrustingCloud> {
        if self.cloud.is_empty() { TrustingCloud::ALL.to_vec() } else { self.cloud.clone() }
    }
}

/// The shares of the environment with those who have access today.
fn trust(opened: &Opened) -> Result<CloudTrust, Failure> {
    let desired = &opened.desired;
    let target = addresses(opened)?;
    let issuer = target.skyporten().map_err(Failure::usage)?;
    let shares = opened.repository.shares(&desired.environment).into_iter().map(|share| {
        // Nobody gets a token with an inactive scope, but one that was issued before would still be trusted.
        let is_active = desired.scopes.get(&share.scope).is_some_and(|it| it.active);
        let consumers =
            if is_active { desired.consumers_on(&share.scope, today()) } else { BTreeMap::new() };
        TrustedShare { share, consumers }
    });
    Ok(CloudTrust {
        organization: desired.organization,
        place: applied::place(&opened.repository, &desired.environment),
        issuer: issuer.to_owned(),
        shares: shares.collect(),
    })
}

/// The files of a folder that differ. With --name and --scope nobody knows which are no longer rendered.
fn changes(
    folder: &Path,
    files: Vec<TrustFile>,
    args: &Args,
    trust: &CloudTrust,
) -> Result<Vec<RenderedChange>, Failure> {
    let mut changes = Vec::new();
    let mut all = Vec::new();
    for TrustFile { folder: account, name, text } in files {
        let path = folder.join(account).join(name);
        all.push(path.clone());
        changes.extend(rendered::change(path, text)?);
    }
    if !args.is_narrowed() {
        let clouds = args.clouds();
        let folder = RenderedFolder {
            path: folder,
            is_folder: &|name| clouds.iter().any(|cloud| name.starts_with(cloud.prefix())),
            extension: args.format.extension(),
            is_own: &|text| trust.has_rendered(text),
        };
        changes.extend(folder.removals(&all)?);
    }
    Ok(changes)
}

fn check(
    global: &Global,
    changes: &[RenderedChange],
    folder: &Path,
    trust: &CloudTrust,
) -> Result<Exit, Failure> {
    if changes.is_empty() {
        log::report(global, &format!("{} is up to date", shown(folder)));
        return Ok(Exit::Done);
    }
    for RenderedChange { path, before, after } in changes {
        let (before, after) =
            (before.clone().unwrap_or_default(), after.clone().unwrap_or_default());
        let file = path.to_string_lossy().into_owned().into();
        let fixed = FixedFile { file, before, after };
        print(global.color, &difference(&fixed, |text| trust.has_rendered(text)))?;
    }
    Ok(Exit::Pending)
}

/// Writes the files, unless one of them belongs to somebody else.
fn write(
    global: &Global,
    changes: &[RenderedChange],
    folder: &Path,
    trust: &CloudTrust,
) -> Result<Exit, Failure> {
    let is_foreign =
        |it: &&RenderedChange| it.before.as_ref().is_some_and(|text| !trust.has_rendered(text));
    if let Some(RenderedChange { path, .. }) = changes.iter().find(is_foreign) {
        return Err(Failure::Refused(format!(
            "{} was not rendered for {} of organisation {}, and is not overwritten: choose another folder, or remove it",
            shown(path),
            trust.place,
            trust.organization
        )));
    }
    rendered::write(changes)?;
    for RenderedChange { path, before: _, after } in changes {
        let done = if after.is_some() { "written" } else { "removed" };
        log::report(global, &format!("{} is {done}", shown(path)));
    }
    if changes.is_empty() {
        log::report(global, &format!("{} is up to date", shown(folder)));
    }
    Ok(Exit::Done)
}

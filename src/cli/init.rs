//! `portvakt init`.

mod ci;
mod questions;
mod source;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::adoption;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::sink::print;
use crate::declare::{self, Diagnostic, Index, SETTINGS_FILE};
use crate::run::clock;
use crate::run::files::{all_or_none, shown};
use domain::text::shell;
use domain::{Orgno, ScopeName};

use ci::{CiHost, CiPlace, CiSetup};
use questions::InitAnswers;
use source::ProgramSource;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the new repository [default: that of `-C`, or this one]
    dir: Option<PathBuf>,
    /// The organisation that owns the scopes; asked for on a terminal
    #[arg(long, value_name = "NUMBER")]
    orgno: Option<Orgno>,
    /// The prefix that DigDir has assigned to it, the part before the first colon of its scopes; asked for on
    /// a terminal
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    prefix: Option<String>,
    /// Read the NAIS manifests of the folder as declarations, and write no example
    #[arg(long)]
    nais: bool,
    /// Write the files of this CI host too; where there is a portvakt.yaml, only these. In a folder below the
    /// top of a git repository they are written at the top, and are about that folder
    #[arg(long, value_name = "HOST")]
    ci: Option<CiHost>,
    /// The source of portvakt for the CI: a repository on GitHub with the tag of a release or, for GitHub, a
    /// commit [default: the release that this program is from]
    #[arg(long, value_name = "OWNER/NAME@TAG", requires = "ci")]
    source: Option<ProgramSource>,
}

/// The placeholders of the templates.
const ORGNO: &str = "313367002";
const PREFIX: &str = "eksempel";

/// Files of a new repository. The schemas are in a folder with a dot, which is not read as declarations.
const REPOSITORY: [(&str, &str); 5] = [
    ("portvakt.yaml", include_str!("../../templates/repository/portvakt.yaml")),
    ("consumers.yaml", include_str!("../../templates/repository/consumers.yaml")),
    ("scopes/example.yaml", include_str!("../../templates/repository/example.yaml")),
    (".schema/portvakt.json", include_str!("../../schema/portvakt.schema.json")),
    (".schema/declarations.json", include_str!("../../schema/declarations.schema.json")),
];
const GITIGNORE: &str = include_str!("../../templates/repository/gitignore");

/// Files to write, and messages about them.
#[derive(Default)]
struct InitFiles {
    new: Vec<NewFile>,
    /// Manual steps, where a file exists already.
    by_hand: Vec<String>,
    /// Next steps.
    next: Vec<String>,
}

/// A file to write.
struct NewFile {
    path: PathBuf,
    /// The path from the folder, or from the top of the git repository.
    shown: String,
    text: String,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    if args.dir.is_some() && global.repo.is_some() {
        return Err(Failure::usage("say the folder once: as DIR or by -C"));
    }
    let root = args.dir.clone().or_else(|| global.repo.clone()).unwrap_or_else(|| ".".into());
    let found = declare::find_root(&root);
    let files = match (found, args.ci) {
        (Err(_), _) => new_repository(args, &root)?,
        (Ok(found), Some(host)) if is_same(&found, &root) => {
            if args.orgno.is_some() || args.prefix.is_some() || args.nais {
                return Err(Failure::usage(
                    "there is a portvakt.yaml already, which says the number and the prefixes; `portvakt \
                     validate` proposes what it lacks for manifests",
                ));
            }
            existing_repository(args, host, &root)?
        }
        (Ok(found), _) => return Err(there_is_one(&found)),
    };
    refuse_to_overwrite(&files)?;
    all_or_none(|written| {
        files.new.iter().try_for_each(|NewFile { path, text, .. }| written.create(path, text))
    })?;
    print(global.color, &message(&files))?;
    Ok(Exit::Done)
}

fn prefix(text: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_æøå".contains(c);
    match format!("{text}:a").parse::<ScopeName>() {
        Ok(_) if text.chars().all(plain) => Ok(text.to_owned()),
        _ => Err("a prefix is the part before a scope's first colon, in lower-case letters"),
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn there_is_one(found: &Path) -> Failure {
    Failure::Usage(format!(
        "{} is a repository of portvakt already, and one cannot be in another. `init --ci \
         HOST` in that folder writes CI files",
        shown(found)
    ))
}

/// All files, with the environments of the templates.
fn new_repository(args: &Args, root: &Path) -> Result<InitFiles, Failure> {
    let InitAnswers { orgno, prefix, ci } = questions::answers(InitAnswers {
        orgno: args.orgno,
        prefix: args.prefix.clone(),
        ci: args.ci,
    })?;
    let mut files = InitFiles::default();
    // With manifests there is no example, but the schemas that editors need.
    let is_written =
        |file: &str| !args.nais || file == SETTINGS_FILE || file.starts_with(".schema/");
    for (file, template) in REPOSITORY.into_iter().filter(|(file, _)| is_written(file)) {
        let mut text = template
            .replace(ORGNO, orgno.as_ref().map_or(ORGNO, Orgno::as_str))
            .replace(PREFIX, prefix.as_deref().unwrap_or(PREFIX));
        if args.nais && file == SETTINGS_FILE {
            let nais = declare::proposed_nais(root, &text, &Index::default())
                .map_err(|found| Failure::Invalid(root.to_owned(), found))?;
            let added = nais.added_to(&text).map_err(Failure::failed)?;
            text = added + &nais.exclude();
            files.next.push("see in portvakt.yaml which manifests count where: `nais`".to_owned());
            files.next.extend(adoption::without_values(&nais));
        }
        files.new.push(NewFile { path: root.join(file), shown: file.to_owned(), text });
    }
    let ignored = fs::read_to_string(root.join(".gitignore"));
    match &ignored {
        Ok(text) if text.lines().any(|line| line.trim().trim_matches('/') == ".portvakt") => {}
        Ok(_) => files.by_hand.push("add the line `.portvakt/` to .gitignore".to_owned()),
        Err(_) => files.new.push(NewFile {
            path: root.join(".gitignore"),
            shown: ".gitignore".to_owned(),
            text: GITIGNORE.to_owned(),
        }),
    }
    if orgno.is_none() || prefix.is_none() {
        files
            .next
            .push("say in portvakt.yaml who you are: the organization and its prefixes".to_owned());
    }
    let program = program(root);
    files.next.push(match args.nais {
        true => format!("try it: {program} validate, and then {program} -e sandbox plan"),
        false => format!("try it: {program} -e sandbox apply"),
    });
    if let Some(host) = ci {
        let environments = ["test", "prod"].map(str::to_owned).to_vec();
        let place = CiPlace::of(root)?;
        ci::refuse_shared_project(&place, None)?;
        let branch = ci::branch(None, &place)?;
        let setup = CiSetup { source: source(args, host)?, environments, place, branch };
        ci::add(&mut files, host, &setup, None);
        files.next.push(doctor(&program, &setup));
    }
    Ok(files)
}

/// The program with the folder in which it has to look, as a person types it here.
fn program(root: &Path) -> String {
    match is_same(root, Path::new(".")) {
        true => "portvakt".to_owned(),
        false => format!("portvakt -C {}", shell::quoted(&root.to_string_lossy())),
    }
}

/// The step after the CI files.
fn doctor(program: &str, setup: &CiSetup) -> String {
    let environment = setup.environments.first().map_or("test", String::as_str);
    format!("check what is still missing: {program} -e {} doctor", shell::quoted(environment))
}

/// Where the CI gets the program from.
///
/// # Errors
/// The host cannot get it from there.
fn source(args: &Args, host: CiHost) -> Result<ProgramSource, Failure> {
    let source = args.source.clone().unwrap_or_else(ProgramSource::of_this_program);
    match host {
        CiHost::Gitlab | CiHost::Azure if source.is_commit() => Err(Failure::usage(
            "GitLab and Azure DevOps get portvakt from a release, which has a tag and no commit: say \
             `--source OWNER/NAME@TAG`, with a tag such as v1.2.0",
        )),
        CiHost::Github | CiHost::Gitlab | CiHost::Azure => Ok(source),
    }
}

/// The CI files, for the environments of the repository.
fn existing_repository(args: &Args, host: CiHost, root: &Path) -> Result<InitFiles, Failure> {
    let repository = crate::run::checkout::load(root)
        .map_err(|found| Failure::Invalid(root.to_owned(), found))?;
    // What is wrong with the settings would be written into the files.
    let of_the_settings = |found: &Diagnostic| found.is_error() && *found.file == *SETTINGS_FILE;
    let found: Vec<_> =
        repository.check(clock::today()).into_iter().filter(of_the_settings).collect();
    if !found.is_empty() {
        return Err(Failure::Invalid(root.to_owned(), found));
    }
    let environments = ci::environments(repository.settings());
    if environments.is_empty() {
        return Err(Failure::usage(
            "portvakt.yaml has no environment but the sandbox: there is nothing that a CI could \
             apply to",
        ));
    }
    ci::refuse_shared_names(host, &environments)?;
    let settings = repository.settings();
    let place = CiPlace::of(root)?;
    ci::refuse_shared_project(&place, settings.project.as_deref())?;
    let branch = ci::branch(settings.apply_from.as_deref(), &place)?;
    let setup = CiSetup { source: source(args, host)?, environments, place, branch };
    let mut files = InitFiles::default();
    ci::add(&mut files, host, &setup, settings.project.as_deref());
    files.next.push(doctor(&program(root), &setup));
    Ok(files)
}

/// Reports all existing files at once, before anything is written.
fn refuse_to_overwrite(files: &InitFiles) -> Result<(), Failure> {
    let in_the_way: Vec<&str> = files
        .new
        .iter()
        .filter(|file| file.path.symlink_metadata().is_ok())
        .map(|file| file.shown.as_str())
        .collect();
    match in_the_way.as_slice() {
        [] => Ok(()),
        files => Err(Failure::Failed(format!(
            "nothing is written, as what is there already is never overwritten: {}\nRemove these files first \
             if they are to be written again",
            files.join(", ")
        ))),
    }
}

fn message(files: &InitFiles) -> String {
    let mut text = String::new();
    for NewFile { path: _, shown, text: _ } in &files.new {
        let _ = writeln!(text, "wrote {shown}");
    }
    text += "\nNext:\n";
    for step in files.by_hand.iter().chain(&files.next) {
        let _ = writeln!(text, "- {step}");
    }
    text
}

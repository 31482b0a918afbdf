//! One file a command: it parses, calls, renders, and chooses the exit code.

mod access;
mod adoption;
mod apply;
mod arguments;
mod ask;
mod baseline;
mod block;
mod ci_job;
mod comment;
mod coverage;
mod credentials;
mod doctor;
mod drift;
mod encryption;
mod entity;
mod examples;
mod exit;
mod explain;
mod global;
mod history;
mod import;
mod init;
mod interrupt;
mod keys;
mod log;
mod man;
mod migrate;
mod output;
mod plan;
mod probe;
mod progress;
#[cfg(test)]
mod reference;
mod release;
mod rename;
mod render;
mod requests;
mod reviewed;
mod rollback;
mod sandbox;
mod schema;
mod show;
mod sink;
mod snapshot;
mod token;
mod unlock;
mod unmanaged;
mod validate;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, Parser, Subcommand};

use domain::secret;
use domain::text::printable;
use exit::{Exit, Failure};
use global::Global;
use interrupt::{until_interrupted, wait_for};
use sink::print;

/// Keeps Maskinporten scopes, the access to them, and clients equal to YAML in a git repository.
#[derive(Debug, Parser)]
#[command(name = "portvakt", version = release::version(), max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten, next_help_heading = "Global options")]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed; 2 changes are pending, or a key expires soon (--detailed-exitcode, and drift); \
3 the declarations are invalid; 4 refused, nothing changed; 5 the lock is held; 6 applied in part; \
64 wrong usage; 130 interrupted.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a repository, or add the files of a CI host to one
    #[command(after_help = examples::of("init"))]
    Init(init::Args),
    /// Check everything that plan and apply need, and say what to do
    #[command(long_about = doctor::ABOUT, after_help = examples::of("doctor"))]
    Doctor,
    /// Check the declarations, offline
    #[command(after_help = examples::of("validate"))]
    Validate(validate::Args),
    /// Show what would change
    #[command(after_help = examples::of("plan"))]
    Plan(plan::Args),
    /// Apply the changes
    #[command(after_help = examples::of("apply"))]
    Apply(apply::Args),
    /// Show changes made at DigDir since the last apply; exit with 2 if there are any
    #[command(after_help = examples::of("drift"))]
    Drift(drift::Args),
    /// Show the plan that restores the declarations of an older commit
    #[command(after_help = examples::of("rollback"))]
    Rollback(rollback::Args),
    /// Post a plan, or the report of an apply, as one comment on the pull request of the CI job
    #[command(after_help = examples::of("comment"))]
    Comment(comment::Args),
    /// Check that people saw a saved plan before they merged it; print its digest
    #[command(long_about = reviewed::ABOUT, after_help = examples::of("reviewed"))]
    Reviewed(reviewed::Args),
    /// Show a plan or a report that was saved
    #[command(after_help = examples::of("show"))]
    Show(show::Args),
    /// Show who applied what, when, from which commit and why
    #[command(long_about = history::ABOUT, after_help = examples::of("history"))]
    History(history::Args),
    /// List live scopes and clients that are not declared: possible owner, age, consumers
    #[command(after_help = examples::of("unmanaged"))]
    Unmanaged(unmanaged::Args),
    /// Show who can reach what: each scope with the organisations that have access, by what, and until when
    #[command(long_about = access::ABOUT, after_help = examples::of("access"))]
    Access(access::Args),
    /// Block an organisation: it has no access, whatever else is declared
    #[command(long_about = block::ABOUT, after_help = examples::of("block"))]
    Block(block::Args),
    /// Remove an organisation from `blocked`
    ///
    /// With -e or PORTVAKT_ENV, only its entries for that environment are removed; without, all of them.
    #[command(after_help = examples::of("unblock"))]
    Unblock(block::UnblockArgs),
    /// List who requests access to the organisation's scopes, or deny a request
    #[command(long_about = requests::ABOUT, after_help = examples::of("requests"))]
    Requests(requests::Args),
    /// Show the share of live scopes and clients that is declared, as one figure
    #[command(after_help = examples::of("coverage"))]
    Coverage,
    /// Show which commit counts as applied, from where and to which API, or set it
    #[command(after_help = examples::of("baseline"))]
    Baseline(baseline::Args),
    /// Show who holds the lock, and break it
    #[command(after_help = examples::of("unlock"))]
    Unlock(unlock::Args),
    /// Write the live state to a file, so that a pull request from a fork is planned without secrets
    #[command(long_about = snapshot::ABOUT, after_help = examples::of("snapshot"))]
    Snapshot(snapshot::Args),
    /// Write live scopes and clients that are not declared as YAML
    #[command(long_about = import::ABOUT, after_help = examples::of("import"))]
    Import(import::Args),
    /// Generate, rotate and list the keys of clients
    #[command(subcommand, after_help = examples::of("keys"))]
    Keys(keys::KeysCommand),
    /// Declare a scope under a new name beside the old one
    #[command(long_about = rename::ABOUT, after_help = examples::of("rename"))]
    Rename(rename::Args),
    /// Hand declarations over to NAIS, or take them over from it
    #[command(subcommand, after_help = examples::of("migrate"))]
    Migrate(migrate::Command),
    /// Print the declarations in another form
    #[command(subcommand, after_help = examples::of("render"))]
    Render(render::Command),
    /// Write the settings of a client's application, including its private key, or what a cloud's SDK needs
    #[command(long_about = credentials::ABOUT, after_help = examples::of("credentials"))]
    Credentials(credentials::Args),
    /// Get an access token as a client would
    #[command(long_about = token::ABOUT, after_help = examples::of("token"))]
    Token(token::Args),
    /// Explain the code of a diagnostic or of a plan
    #[command(after_help = examples::of("explain"))]
    Explain(explain::Args),
    /// Print a JSON Schema: of declaration files, of portvakt.yaml, of a plan, of a report, of keys, of diagnostics, of unmanaged scopes and clients, of hand-overs to NAIS, of who can reach what, of requests for access, or of a profile
    #[command(after_help = examples::of("schema"))]
    Schema(schema::Args),
    /// Find out how the API at an environment behaves where its documentation does not say
    #[command(long_about = probe::ABOUT, after_help = examples::of("probe"))]
    Probe(probe::Args),
    /// Run the emulator of DigDir, Maskinporten and Skyporten as a server
    #[command(after_help = examples::of("sandbox"))]
    Sandbox(sandbox::Args),
    /// Print a shell's completions
    #[command(after_help = examples::of("completions"))]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each command
    #[command(after_help = examples::of("man"))]
    Man(man::Args),
}

/// Runs the program with the process's own arguments.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(sink::report_panic));
    if let Some((place, likeness)) = secret_in_usage() {
        sink::report_error(&format!(
            "{place} looks like {likeness}, and is not repeated here. A key is given by the name of a \
             file that holds it; one that was on a command line is in logs and lists of processes, and \
             not secret any more"
        ));
        return Exit::Usage.into();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(error).into(),
    };
    log::start(&cli.global);
    let format = cli.global.log_format;
    let exit = run(cli).unwrap_or_else(|failure| exit::report(&failure, format));
    exit.into()
}

/// Prints clap's output: help, the version, or an error in the arguments. clap repeats arguments as they are,
/// so they are parsed again in the form in which they may be shown.
fn usage(error: clap::Error) -> Exit {
    let shown =
        std::env::args_os().map(|argument| printable(&argument.to_string_lossy()).into_owned());
    let error = Cli::try_parse_from(shown).err().unwrap_or(error);
    if error.use_stderr() {
        sink::report(&error.render().ansi().to_string());
        return Exit::Usage;
    }
    print(ColorChoice::Auto, &error.render().ansi().to_string())
        .map_or_else(|failure| exit::report(&failure, log::Format::Text), |()| Exit::Done)
}

/// An argument, or a variable that replaces one, that looks like a secret and not like an argument of any
/// command, and the kind of secret: the error message would show it.
fn secret_in_usage() -> Option<(String, &'static str)> {
    const VARIABLES: [&str; 2] = ["PORTVAKT_ENV", "PORTVAKT_ALLOW_HOSTS"];
    let likeness = |text: &str| {
        let value = text.split_once('=').map(|(_, value)| value);
        secret::likeness(text).or_else(|| secret::likeness(value?))
    };
    let mut arguments = std::env::args_os();
    let argument = arguments.find_map(|argument| likeness(&argument.to_string_lossy()));
    if let Some(likeness) = argument {
        return Some(("an argument".to_owned(), likeness));
    }
    VARIABLES.into_iter().find_map(|name| {
        let value = std::env::var_os(name)?;
        Some((format!("the variable {name}"), likeness(&value.to_string_lossy())?))
    })
}

fn run(Cli { global, command }: Cli) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => init::run(&global, &args),
        Command::Validate(args) => validate::run(&global, &args),
        Command::Explain(args) => explain::run(&global, &args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "portvakt", &mut script);
            print(ColorChoice::Never, &String::from_utf8_lossy(&script))?;
            Ok(Exit::Done)
        }
        Command::Man(args) => man::run(Cli::command(), &args),
        Command::Show(args) => show::run(&global, &args),
        Command::History(args) => history::run(&global, &args),
        Command::Block(args) => block::run(&global, &args),
        Command::Unblock(args) => block::lift(&global, &args),
        Command::Keys(command) => keys::run(&global, &command),
        Command::Rename(args) => rename::run(&global, &args),
        Command::Migrate(command) => migrate::run(&global, &command),
        Command::Render(command) => render::run(&global, &command),
        Command::Credentials(args) => until_interrupted(credentials::run(&global, &args)),
        Command::Token(args) => until_interrupted(token::run(&global, &args)),
        Command::Plan(args) => until_interrupted(plan::run(&global, &args)),
        Command::Apply(args) => wait_for(apply::run(&global, &args)),
        Command::Comment(args) => until_interrupted(comment::run(&global, &args)),
        Command::Reviewed(args) => until_interrupted(reviewed::run(&global, &args)),
        Command::Drift(args) => until_interrupted(drift::run(&global, &args)),
        Command::Rollback(args) => until_interrupted(rollback::run(&global, &args)),
        Command::Access(args) => until_interrupted(access::run(&global, &args)),
        Command::Requests(args) => wait_for(requests::run(&global, &args)),
        Command::Unmanaged(args) => until_interrupted(unmanaged::run(&global, &args)),
        Command::Coverage => until_interrupted(coverage::run(&global)),
        Command::Baseline(args) => wait_for(baseline::run(&global, &args)),
        Command::Unlock(args) => wait_for(unlock::run(&global, &args)),
        Command::Import(args) => wait_for(import::run(&global, &args)),
        Command::Snapshot(args) => until_interrupted(snapshot::run(&global, &args)),
        Command::Doctor => until_interrupted(doctor::run(&global)),
        Command::Probe(args) => wait_for(probe::run(&global, &args)),
        Command::Sandbox(args) => wait_for(sandbox::run(args)),
    }
}

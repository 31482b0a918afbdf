//! The commands in the documentation: docs/commands.md, which is made from their definitions
//! (`UPDATE_DOCS=1 cargo test --lib cli::reference` writes it), and those that other pages name.

use std::fmt::Write as _;

use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory as _, Parser as _};
use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};

use super::Cli;
use super::examples::tests::words;

const INTRODUCTION: &str = "\
# Commands

`--help` after a command prints the same, and `portvakt man --out DIR` writes a manual page for each command.
Results go to stdout, everything else to stderr. [Formats and exit codes](formats.md) describes what the
commands print and how they end.

";

/// The whole page.
fn page() -> String {
    let mut cli = Cli::command().disable_help_subcommand(true);
    cli.build();
    let mut all = Vec::new();
    runnable(&cli, &mut all);
    let mut page = INTRODUCTION.to_owned();
    page.push_str("| command | |\n|---|---|\n");
    for command in &all {
        let name = name(command);
        let anchor = name.replace(' ', "-");
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "| [`{name}`](#{anchor}) | {} |", cell(&about));
    }
    page.push_str("\n## Options of every command\n\n");
    page.push_str(&table(cli.get_arguments().filter(|argument| argument.is_global_set())));
    for command in all {
        page.push_str(&section(command));
    }
    page
}

/// The commands that do something by themselves, in the order of the help.
fn runnable<'c>(command: &'c Command, all: &mut Vec<&'c Command>) {
    for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        if !below.is_subcommand_required_set() {
            all.push(below);
        }
        runnable(below, all);
    }
}

/// The words that call a command, after the program's.
fn name(command: &Command) -> &str {
    let whole = command.get_bin_name().unwrap_or_default();
    whole.strip_prefix("portvakt ").unwrap_or(whole)
}

fn section(command: &Command) -> String {
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(|about| sentence(&about.to_string())).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    let usage: Vec<_> = usage.lines().map(str::trim).collect();
    let mut section =
        format!("\n## {}\n\n{about}\n\n```text\n{}\n```\n", name(command), usage.join("\n"));
    let own = command.get_arguments().filter(|argument| !argument.is_global_set());
    let own: Vec<_> = own.filter(|argument| argument.get_id() != "help").collect();
    if !own.is_empty() {
        let _ = write!(section, "\n{}", table(own.into_iter()));
    }
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    if let Some(examples) = help.strip_prefix("Examples:\n") {
        let examples: Vec<_> = examples.lines().map(str::trim).collect();
        let _ = write!(section, "\n```sh\n{}\n```\n", examples.join("\n"));
    }
    section
}

/// A help text, whose first line may lack its full stop.
fn sentence(text: &str) -> String {
    let (first, rest) = text.trim().split_once('\n').unwrap_or((text.trim(), ""));
    let stop = if first.ends_with(['.', ':']) { "" } else { "." };
    format!("{first}{stop}\n{rest}").trim().to_owned()
}

fn table<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let mut table = "| argument | |\n|---|---|\n".to_owned();
    for argument in arguments.filter(|argument| !argument.is_hide_set()) {
        let _ = writeln!(table, "| `{}` | {} |", form(argument), cell(&meaning(argument)));
    }
    table
}

/// An argument as it is written on the command line.
fn form(argument: &Arg) -> String {
    let value = match argument.get_action().takes_values() {
        true => argument.get_value_names().unwrap_or_default().join(" "),
        false => String::new(),
    };
    let repeated = match argument.get_action() {
        clap::ArgAction::Append | clap::ArgAction::Count => "…",
        _ => "",
    };
    let long = argument.get_long().map(|long| format!("--{long}"));
    let short = argument.get_short().map(|short| format!("-{short}"));
    let flags: Vec<_> = short.into_iter().chain(long).collect();
    let written = format!("{} {value}", flags.join(", "));
    format!("{}{repeated}", written.trim()).replace('|', "\\|")
}

/// The help of an argument, its values, its default and its variable.
fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help());
    let mut text = help.map(ToString::to_string).unwrap_or_default();
    let values = argument.get_possible_values();
    let values: Vec<_> = values.iter().filter(|value| !value.is_hide_set()).collect();
    if !values.is_empty() && argument.get_action().takes_values() {
        let described = values.iter().map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        });
        let _ = write!(text, ": {}", described.collect::<Vec<_>>().join(", "));
    }
    let defaults = argument.get_default_values().iter();
    let defaults: Vec<_> = defaults.map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && argument.get_action().takes_values() {
        let _ = write!(text, " [default: {}]", defaults.join(" "));
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(text, " [variable: {}]", variable.to_string_lossy());
    }
    text
}

/// A text as the cell of a table.
fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*")
}

#[test]
fn the_page_on_commands_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md");
    let wanted = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == wanted, "{path}: UPDATE_DOCS=1 cargo test --lib cli::reference");
}

/// The commands of a page, in blocks and in the text: what begins with the program's name.
fn commands(page: &str) -> Vec<String> {
    let arena = Arena::new();
    let mut options = Options::default();
    options.extension.table = true;
    let mut code = Vec::new();
    for node in parse_document(&arena, page, &options).descendants() {
        match &node.data.borrow().value {
            NodeValue::Code(span) => code.push(span.literal.replace('\n', " ")),
            NodeValue::CodeBlock(block) if matches!(&*block.info, "sh" | "console") => {
                let lines = block.literal.replace("\\\n", " ");
                code.extend(lines.lines().map(|line| line.trim_start_matches("$ ").to_owned()));
            }
            _ => {}
        }
    }
    code.retain(|line| line.starts_with("portvakt "));
    code
}

/// The part of a line that the shell gives to the program.
fn of_the_program(line: &str) -> &str {
    let ends = [" #", " >", " 2>", " |", " &&", "; ", " \"$"];
    let end = ends.iter().filter_map(|end| line.find(end)).min();
    &line[..end.unwrap_or(line.len())]
}

/// The text may shorten a command, and name a file or a revision without one; it names no option that is not there.
#[test]
fn the_pages_name_no_command_and_no_option_that_does_not_exist() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let pages =
        std::fs::read_dir(format!("{root}docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let others = ["README.md", "SECURITY.md"].map(|name| format!("{root}{name}").into());
    let (mut found, mut wrong) = (0, Vec::new());
    for page in pages.chain(others) {
        for line in commands(&std::fs::read_to_string(&page).unwrap()) {
            found += 1;
            let command = of_the_program(&line);
            let is_short = command.contains(['…', '|']);
            let Err(error) = Cli::try_parse_from(words(command)) else { continue };
            let unknown = [ErrorKind::UnknownArgument, ErrorKind::InvalidSubcommand];
            if unknown.contains(&error.kind()) && !is_short {
                wrong.push(format!("{}: {line}: {error}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found > 100, "{found}");
}

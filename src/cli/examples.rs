//! Examples of the commands, for their help.

/// The examples of a command, by its name and that of the command that it belongs to.
pub(super) fn of(command: &str) -> String {
    let lines = include_str!("examples.txt").lines();
    let own = lines.skip_while(|line| *line != command).skip(1);
    let own = own.take_while(|line| line.starts_with(' '));
    std::iter::once("Examples:").chain(own).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
pub(super) mod tests {
    use clap::{Command, CommandFactory as _, Parser as _};

    use crate::cli::Cli;

    /// The words of a command as a shell splits them: text in single quotes is one word.
    pub(in crate::cli) fn words(command: &str) -> Vec<&str> {
        let parts = command.split('\'').enumerate();
        let words = parts.map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        });
        words.collect::<Vec<_>>().concat()
    }

    /// Checks the examples of a command, which is called by these names, and of its subcommands.
    fn check(command: &Command, names: &[&str]) {
        for subcommand in command.get_subcommands() {
            let names = [names, &[subcommand.get_name()]].concat();
            let help = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.strip_prefix("Examples:\n  portvakt ");
            let examples = examples.unwrap_or_else(|| panic!("{names:?} has no examples"));
            for example in examples.split("\n  portvakt ") {
                let words = [vec!["portvakt"], words(example)].concat();
                let is_own = names.iter().all(|name| words.contains(name));
                assert!(is_own, "{names:?} has the example of another command: {example}");
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{example}: {error}");
                }
            }
            check(subcommand, &names);
        }
    }

    #[test]
    fn every_command_has_examples_that_can_be_run() {
        check(&Cli::command(), &[]);
    }
}

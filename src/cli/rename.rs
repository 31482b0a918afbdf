//! `portvakt rename`.

use domain::ScopeName;
use domain::text::{counted, printable};

use super::exit::{Exit, Failure};
use super::global::Global;
use super::log;
use super::sink::print;
use crate::run::rename;

pub(super) const ABOUT: &str = "\
Declare a scope under a new name beside the old one

The name of a scope cannot be changed at DigDir. The command writes a second declaration, with the same \
attributes, consumers and comments, behind the first; nothing else changes. Clients can then move to the \
new name while the old one still works. The old declaration is removed later, by a change of its own.";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The declared scope, by its whole name
    old: ScopeName,
    /// The new name
    new: ScopeName,
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let Args { old, new } = args;
    let notify = |what: &str| log::report(global, what);
    let clients = rename(&global.options(), (old, new), &notify)?;
    print(global.color, &next_steps(old, new, &clients))?;
    Ok(Exit::Done)
}

/// How the old name is given up.
fn next_steps(old: &ScopeName, new: &ScopeName, clients: &[(String, String, usize)]) -> String {
    let (old, new) = (printable(old.as_str()), printable(new.as_str()));
    let own: String = clients
        .iter()
        .map(|(name, file, line)| {
            format!("     client {}  {}:{line}\n", printable(name), printable(file))
        })
        .collect();
    let own = match clients.len() {
        0 => String::new(),
        count => {
            let consume = if count == 1 { "consumes" } else { "consume" };
            let clients = counted(count as u64, "own client", "s");
            format!("   {clients} {consume} {old}; change `scopes` there:\n{own}")
        }
    };
    format!(
        "{new} is declared beside {old}, with the same attributes and consumers.\n\
         1. Merge and apply this: {new} is created, and its consumers get access. {old} stays as it is.\n\
         2. Have the clients of the consumers registered with {new}, and let them ask for it.\n{own}\
         3. When nobody asks for {old} any more, remove its declaration in a change of its own: the plan \
         revokes its accesses and deactivates it.\n"
    )
}

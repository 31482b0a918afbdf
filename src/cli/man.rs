//! `portvakt man`.

use super::exit::{Exit, Failure};
use super::sink::print;

/// Prints the manual page: the program, then each command, including subcommands.
pub(super) fn run(command: clap::Command) -> Result<Exit, Failure> {
    let mut page = Vec::new();
    render(command, &mut page)
        .map_err(|error| Failure::Failed(format!("the page could not be made: {error}")))?;
    print(clap::ColorChoice::Never, &String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}

fn render(command: clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(page)?;
    for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        let name = format!("{}-{}", command.get_name(), below.get_name());
        render(below.clone().name(name), page)?;
    }
    Ok(())
}

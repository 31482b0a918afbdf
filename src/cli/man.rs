//! `portvakt man`.

use super::exit::{Exit, Failure};

/// Prints the manual page: the program, then each command.
pub(super) fn run(command: clap::Command) -> Result<Exit, Failure> {
    let mut page = Vec::new();
    let rendered = (|| {
        clap_mangen::Man::new(command.clone()).render(&mut page)?;
        for subcommand in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let name = format!("portvakt-{}", subcommand.get_name());
            clap_mangen::Man::new(subcommand.clone().name(name)).render(&mut page)?;
        }
        std::io::Result::Ok(())
    })();
    rendered.map_err(|error| Failure::Failed(format!("the page could not be made: {error}")))?;
    super::print(clap::ColorChoice::Never, &String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}

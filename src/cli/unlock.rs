//! `portvakt unlock`.

use super::ask;
use super::exit::{Exit, Failure};
use super::global::Global;
use super::sink::print;
use crate::run::past;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let (environment, history) = past::open_only(&global.options(), "there is no lock")?;
    let (lock, holder) = history.holder()?;
    let Some(holder) = holder else {
        print(global.color, "Nobody holds the lock.\n")?;
        return Ok(Exit::Done);
    };
    print(global.color, &format!("The lock of {environment} is held {holder}.\n"))?;
    if !args.yes {
        ask::yes(
            "Break it? Only if that apply is surely dead: two at once could undo each other. Only \
             'yes' does: ",
            "nobody is there to say so: --yes breaks the lock without a question",
        )
        .await?;
    }
    history.unlock(&lock)?;
    print(global.color, "The lock is broken.\n")?;
    Ok(Exit::Done)
}

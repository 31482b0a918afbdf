//! `portvakt coverage`.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::interrupt;
use super::sink::print;
use super::unmanaged::look;
use crate::render::unmanaged::figure;
use digdir::{ClientNeeds, Needs};

/// The command's arguments.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(global: &Global, Args {}: &Args) -> Result<Exit, Failure> {
    interrupt::unless(interrupt::listen()?, report(global)).await
}

async fn report(global: &Global) -> Result<Exit, Failure> {
    let listed = Needs { clients: Some(ClientNeeds::default()), ..Needs::default() };
    print(global.color, &figure(&look(global, listed).await?))?;
    Ok(Exit::Done)
}

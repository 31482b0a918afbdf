//! `portvakt coverage`.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::sink::print;
use super::unmanaged::look;
use crate::render::unmanaged::figure;
use digdir::{ClientNeeds, Needs};

pub(super) async fn run(global: &Global) -> Result<Exit, Failure> {
    let listed = Needs { clients: Some(ClientNeeds::default()), ..Needs::default() };
    print(global.color, &figure(&look(global, listed).await?))?;
    Ok(Exit::Done)
}

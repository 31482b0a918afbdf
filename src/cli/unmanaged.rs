//! `portvakt unmanaged`.

use super::exit::{Exit, Failure};
use super::global::Global;
use super::output::TextOrJson;
use super::sink::print;
use crate::render::unmanaged::text;
use crate::run::Remote;
use crate::run::clock::now;
use digdir::{ClientNeeds, Needs, Reach, Which};
use plan::document::UnmanagedDocument;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The form of the list; `portvakt schema unmanaged` describes it as json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TextOrJson,
}

pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let with_accesses =
        Needs { scopes: Which::All, clients: Some(ClientNeeds::default()), ..Needs::default() };
    let found = look(global, with_accesses).await?;
    print(global.color, &args.format.of(&found, text))?;
    Ok(Exit::Done)
}

/// Compares the current declarations and those of the last apply with the live state.
pub(super) async fn look(global: &Global, needs: Needs) -> Result<UnmanagedDocument, Failure> {
    let ready = global.open()?.ready()?;
    let reach = Reach::ScopesAndClients;
    let remote = Remote::open(&global.options(), &ready.opened, reach).await?;
    let live = global.live(remote, &needs).await?;
    let plan = ready.compare(&live);
    let name = ready.opened.repository.settings().organization_name.clone();
    Ok(UnmanagedDocument::new(&plan, name, &live, now()))
}

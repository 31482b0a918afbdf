//! `portvakt sandbox`: the emulator as a server of its own.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::ColorChoice;

use super::exit::{Exit, Failure};
use super::interrupt::{self, Signals};
use super::sink::print;
use crate::run::profile;
use domain::{Behaviour, Orgno};
use sandbox::{
    CLIENT_ID, ClientKey, Config, FaultRule, Sandbox, SandboxError, StateFile, Switches,
    load_or_seed,
};

/// Serve an emulator of DigDir's self-service API, Maskinporten and Skyporten on a loopback port.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The address to listen on; only loopback is allowed, port 0 selects any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8810")]
    listen: SocketAddr,
    /// The organisation that the client acts for
    #[arg(long, default_value = "889640782")]
    orgno: Orgno,
    /// The organisation's name
    #[arg(long, default_value = "Etaten")]
    name: String,
    /// A prefix that the organisation owns; may be repeated
    #[arg(long = "prefix", value_name = "PREFIX", default_value = "etat")]
    prefixes: Vec<String>,
    /// The file of the state
    #[arg(long, value_name = "FILE", default_value = ".portvakt/sandbox.json")]
    state: PathBuf,
    /// The client's private key: used if the file exists, else made
    #[arg(long, value_name = "FILE", default_value = ".portvakt/sandbox-key.pem")]
    key_out: PathBuf,
    /// A behaviour to switch on; may be repeated. An unknown name lists them all
    #[arg(long = "switch", value_name = "NAME[=VALUE]")]
    switches: Vec<String>,
    /// A profile that `portvakt probe` has written: sets the switches that it has an answer to
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Milliseconds before each answer
    #[arg(long, value_name = "MS")]
    latency: Option<u64>,
    /// A fault, such as "PUT /scopes/access 0 1 cut-after": METHOD or *, the beginning of the path
    /// below /api/v1 or *, how many such requests pass first, how many fail, and how: a
    /// status such as 503, 429:2 (Retry-After) or 503-after, cut-before, cut-after, html,
    /// expire-tokens; may be repeated
    #[arg(long = "fault", value_name = "RULE")]
    faults: Vec<FaultRule>,
}

/// Serves until SIGINT or SIGTERM, and then keeps what was answered.
pub(super) async fn run(args: Args) -> Result<Exit, Failure> {
    let failed = |error: SandboxError| match error {
        SandboxError::Switch { .. } => Failure::usage(error),
        _ => Failure::failed(error),
    };
    let behaviour = match &args.profile {
        Some(file) => profile::read(file, None)?,
        None => Behaviour::default(),
    };
    let (sandbox, message, mut stop) = start(args, behaviour).await.map_err(failed)?;
    print(ColorChoice::Never, &format!("{message}\n"))?;
    stop.recv().await;
    sandbox.stop().await.map_err(failed)?;
    Ok(Exit::Done)
}

/// The server, the message about it, and the signals that end it: they are handled before the message is
/// printed.
async fn start(
    args: Args,
    behaviour: Behaviour,
) -> Result<(Sandbox, String, Signals), SandboxError> {
    let mut switches = Switches::default().with(behaviour);
    for text in &args.switches {
        switches.set(text)?;
    }
    switches.latency = args.latency.unwrap_or(switches.latency);
    let file = StateFile::open(&args.state)?;
    let mut state = load_or_seed(&file, args.orgno, &args.name, &args.prefixes)?;
    let key = ClientKey::in_file(&args.key_out)?;
    state.register_key(args.orgno, CLIENT_ID, &key);
    let stop = interrupt::signals().map_err(SandboxError::Signal)?;
    let config =
        Config { listen: args.listen, persist: Some(file), switches, ..Config::new(state) };
    let sandbox = Sandbox::start(config).await?;
    for rule in args.faults {
        sandbox.inject(rule);
    }
    let message = instructions(&sandbox, &key.kid, &args.key_out);
    Ok((sandbox, message, stop))
}

/// The settings of an environment in `portvakt.yaml` that uses it.
fn instructions(sandbox: &Sandbox, kid: &str, key_file: &Path) -> String {
    // A JSON string is also a YAML string.
    let key_file = serde_json::Value::from(key_file.to_string_lossy());
    let issuer = sandbox.issuer();
    let skyporten = sandbox.skyporten();
    let api = issuer.trim_end_matches('/');
    format!(
        "# The sandbox runs until it is interrupted. In portvakt.yaml:\n\
         environments:\n\
         \x20 local:\n\
         \x20   target: {{ api: \"{api}\", maskinporten: \"{issuer}\", skyporten: \"{skyporten}\" }}\n\
         \x20   credentials:\n\
         \x20     client_id: {{ env: PORTVAKT_CLIENT_ID }}\n\
         \x20     kid: {{ env: PORTVAKT_KID }}\n\
         \x20     key: {{ file: {key_file} }}\n\
         # and in the shell:\n\
         #   export PORTVAKT_CLIENT_ID={CLIENT_ID} PORTVAKT_KID={kid}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[tokio::test]
    async fn what_cannot_be_done_is_refused_before_anything_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.json").display().to_string();
        let key = folder.path().join("key.pem").display().to_string();
        let parse = |more: &[&str]| {
            let files = ["sandbox", "--state", &state, "--key-out", &key];
            Line::try_parse_from(files.into_iter().chain(more.iter().copied()))
        };
        let refused = async |more: &[&str]| {
            let args = parse(more).unwrap_or_else(|error| panic!("{error}")).args;
            start(args, Behaviour::default()).await.map(drop).unwrap_err().to_string()
        };
        assert!(refused(&["--switch", "colour"]).await.contains("denied-hidden"));
        assert!(refused(&["--listen", "0.0.0.0:0"]).await.contains("loopback"));
        std::fs::write(&key, "something else").unwrap();
        assert!(refused(&["--listen", "127.0.0.1:0"]).await.contains("left alone"));
        for bad in [["--orgno", "889640783"], ["--fault", "PUT"], ["--listen", "here"]] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }
}

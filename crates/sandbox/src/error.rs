//! Why a sandbox cannot be had.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use domain::Orgno;

/// Why a sandbox cannot start, or could not keep its state.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Its keys are made for tests and it speaks plain http: nobody else may reach it.
    #[error("the sandbox cannot listen on {0}: only loopback is allowed, such as 127.0.0.1:8810")]
    NotLoopback(SocketAddr),
    /// The port is taken or not ours.
    #[error(
        "the sandbox cannot listen on {address}: {source}; choose another port, or 0 for any free one"
    )]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the sandbox cannot be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    File {
        /// What was tried: "read", "write", ...
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The state file is not one of ours, or was damaged.
    #[error(
        "{} does not hold the state of a sandbox: {source}; fix it, or delete it to begin with an empty one",
        path.display()
    )]
    Corrupt {
        /// The state file.
        path: PathBuf,
        /// Where in it and what.
        source: serde_json::Error,
    },
    /// Two sandboxes on one file would undo each other's changes.
    #[error(
        "another sandbox is using {}; end it first, or give this one a state file of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// A key could not be made.
    #[error("cannot make an RSA key")]
    KeyGeneration,
    /// A text is no RSA private key. The text itself is not shown.
    #[error("not a PEM file with an RSA private key of 2048 bits or more")]
    NotAPrivateKey,
    /// The file for the private key holds something else, which is not overwritten.
    #[error(
        "{} exists and is no RSA private key; it is left alone: delete it or name another file",
        .0.display()
    )]
    KeyFile(PathBuf),
    /// The state file has the prefix in other hands.
    #[error(
        "in the sandbox's state the prefix {prefix:?} belongs to {owner}, not to {wanted}; delete the state file to begin anew"
    )]
    ForeignPrefix {
        /// The prefix.
        prefix: String,
        /// Who has it.
        owner: Orgno,
        /// Who asks for it.
        wanted: Orgno,
    },
    /// A switch that does not exist or does not take that value.
    #[error("{actual:?} sets no switch: the name or the value is not one of these:\n{known}")]
    Switch {
        /// What was given.
        actual: String,
        /// All of them, a line each.
        known: String,
    },
    /// A fault rule that cannot be read.
    #[error(
        "cannot read the fault {actual:?}: {problem}; write METHOD /path SKIP TIMES KIND, for example \
         \"PUT /scopes/access 0 1 cut-after\""
    )]
    Fault {
        /// What was given.
        actual: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The state cannot be put as JSON.
    #[error("cannot write the sandbox's state as JSON: {0}")]
    Serialize(serde_json::Error),
    /// Signals cannot be waited for.
    #[error("cannot wait for a signal to end the sandbox: {0}")]
    Signal(io::Error),
}

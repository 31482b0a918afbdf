//! Reading what files say into what they declare, each thing checked by itself: portvakt.yaml
//! ([`settings`]) and the files with declarations ([`file`]).

pub(crate) mod attributes;
pub(crate) mod clients;
pub(crate) mod consumers;
pub(crate) mod credentials;
pub(crate) mod declarations_file;
pub(crate) mod declared;
pub(crate) mod environment;
pub(crate) mod environments;
pub(crate) mod file;
mod foreign;
pub(crate) mod globs;
pub(crate) mod keys;
pub(crate) mod manifest;
pub(crate) mod nais;
pub(crate) mod overrides;
pub(crate) mod public_keys;
pub(crate) mod scopes;
pub(crate) mod settings;
pub(crate) mod settings_file;
pub(crate) mod shares;
pub(crate) mod silences;
pub(crate) mod skyporten;
pub(crate) mod skyporten_file;
pub(crate) mod source;
pub(crate) mod targets;
mod templates;
pub(crate) mod texts;
pub(crate) mod variables;

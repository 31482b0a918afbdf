//! Tests through real HTTP and with the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here is a test; clippy allows it by itself in test functions only"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "what tests print and serialise reaches nobody's log"
)]

mod access;
mod answers;
mod app_tokens;
mod arrows;
mod attributes;
mod block;
mod book;
mod cli;
mod client;
mod client_faults;
mod client_property;
mod client_tables;
mod combinations;
mod commands;
mod comment;
mod credentials;
mod danger;
mod doctor;
mod documents;
#[cfg(feature = "age")]
mod encryption;
mod faults;
mod fix;
mod front;
mod gateways;
mod git;
mod hooks;
mod import;
mod init;
mod keys;
mod lag;
mod layouts;
mod manifests;
mod markdown;
mod migrate;
mod mistakes;
mod openapi;
mod organization;
mod output;
mod probe;
mod programs;
mod proofs;
mod property;
mod readme;
mod rename;
mod rendered;
mod renewal;
mod requests;
mod sandbox;
mod secrets;
mod skyporten;
mod snapshot;
mod support;
mod tables;
mod texts;
mod unmanaged;
mod validate;
mod weight;
mod world;

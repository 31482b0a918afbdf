//! Tests through real HTTP and with the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here is a test; clippy allows it by itself in test functions only"
)]

mod client;
mod openapi;
mod sandbox;
mod support;

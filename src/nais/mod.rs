//! Handing scopes and clients over to an application at NAIS, the platform: what its manifest can say
//! of them, and how far each has come. Pure: no network, no clock, no file.
//!
//! The facts are of NAIS' documentation (<https://doc.nais.io/auth/maskinporten/>) and of digdirator,
//! which does the work there.

mod client;
mod group;
mod manifest;
mod obstacles;
mod overview;
mod safety;
mod standing;
#[cfg(test)]
mod tests;

pub use client::standing_of_client;
pub use group::{Group, by_descriptions};
pub use manifest::Manifest;
pub use obstacles::{Obstacle, Weight, of_client, of_scope};
pub use overview::standings;
pub use safety::{declared_otherwise, harm};
pub use standing::{Standing, Step, standing_of_scope};

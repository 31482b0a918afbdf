//! Hand-over of scopes and clients to an application at NAIS, the platform: the content of its manifest, and
//! the progress of each entity. Pure: no network, no clock, no file.
//!
//! The sources are NAIS' documentation (<https://doc.nais.io/auth/maskinporten/>) and digdirator, its
//! operator for DigDir.

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

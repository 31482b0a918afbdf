//! Hand-over of scopes and clients to an application at NAIS, the platform: the content of its manifest, and
//! the progress of each entity. Pure: no network, no clock, no file.
//!
//! The sources are NAIS' documentation (<https://doc.nais.io/auth/maskinporten/>) and digdirator, its
//! operator for DigDir.

mod client;
mod group;
mod manifest;
mod migration_state;
mod obstacles;
mod overview;
mod safety;
#[cfg(test)]
mod tests;

pub use client::state_of_client;
pub use group::{Group, by_descriptions};
pub use manifest::Manifest;
pub use migration_state::{MigrationState, Step, state_of_scope};
pub use obstacles::{Obstacle, Weight, of_client, of_scope};
pub use overview::migration_states;
pub use safety::{changed_entities, harm};

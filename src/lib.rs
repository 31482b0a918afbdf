//! Keeps Maskinporten scopes and the access to them equal to YAML in a git repository.
//!
//! The way of the data: [`declare`] reads YAML into a [`domain::Desired`], [`digdir`] reads the
//! API into a [`domain::Live`], [`plan`] compares the two without touching the world, [`render`]
//! shows the plan and [`apply`] carries it out; `run` holds the use cases of that. [`forge`] puts what is shown on a pull request, and
//! [`nais`] tells what it takes to hand over to the platform of that name. [`sandbox`] stands in for
//! the other side.

pub mod adopt;
pub mod advice;
pub mod apply;
pub mod cli;
pub mod declare;
pub mod forge;
pub mod history;
pub mod nais;
pub mod render;
mod run;
pub mod yaml;

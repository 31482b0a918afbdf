//! Keeps Maskinporten scopes and the access to them equal to YAML in a git repository.
//!
//! The data flow: [`declare`] reads YAML into a [`domain::Desired`], [`digdir`] reads the API into a
//! [`domain::Live`], [`plan`] compares the two without any input or output, [`render`] shows the plan and
//! [`apply`] carries it out; `run` has the use cases. [`forge`] posts the result on a pull request, [`nais`]
//! prepares hand-overs to the platform of that name, and [`sandbox`] emulates DigDir.

pub mod adopt;
pub mod advice;
pub mod apply;
pub mod cli;
pub mod declare;
pub mod forge;
mod gateway;
pub mod history;
pub mod nais;
pub mod render;
mod run;
mod skyporten;

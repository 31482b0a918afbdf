//! `portvakt import`: live state as declarations, after which a plan is empty.

mod asked;
mod command;
mod declared;
mod golden;
mod live;
mod manifests;
mod merge;
mod overlay;
mod owned;
mod property;
mod reasons;
pub(crate) mod seed;
mod states;
mod two;
mod whole;

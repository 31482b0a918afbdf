//! `portvakt import`: live state as declarations, after which a plan is empty.

mod golden;
mod live;

//! `portvakt render skyporten`: clouds trust the tokens that the declarations mean, and no others.

mod clouds;
mod folder;
mod forms;
mod provider;
mod terraform;
mod trust;

//! The life of declarations in git: a bare repository as the remote, and clones of it.

mod checkout;
mod checkouts;
mod failing;
mod folders;
mod forged;
mod gone;
mod handed;
mod hostile;
mod kills;
mod lag;
mod ledger;
mod left;
mod life;
mod lock;
mod moved;
mod older;
mod places;
mod planted;
mod protection;
mod put_back;
mod random;
pub(crate) mod remote;
mod removals;
mod reverted;
mod reviewed;
mod saved;
mod servers;

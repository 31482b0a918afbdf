//! The life of declarations in git: a bare repository as the remote, and clones of it.

mod checkout;
mod failing;
mod kills;
mod life;
mod lock;
mod places;
mod remote;
mod reviewed;

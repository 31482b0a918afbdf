//! The life of declarations in git: a bare repository as the remote, and clones of it.

mod checkout;
mod kills;
mod life;
mod remote;

//! Each rule that the emulator promises, through real HTTP.

mod accesses;
mod faults;
mod files;
mod grants;
mod lookups;
mod scopes;

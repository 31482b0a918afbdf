//! Each rule that the emulator promises, through real HTTP.

mod accesses;
mod bodies;
mod client_rules;
mod clients;
mod faults;
mod files;
mod grants;
mod keys;
mod lag;
mod lookups;
mod on_behalf_of;
mod real_clients;
mod registry;
mod scopes;
mod skyporten;
mod switches;
mod system_users;
mod tokens;

//! The self-service API and Maskinporten: tokens, transport, endpoints, reading what is live.
//!
//! A [`Reader`] cannot change anything; a [`Writer`] can. Both go through one transport
//! that keeps the limits, repeats what may be repeated and knows the token.

mod application_key;
mod application_token;
mod call;
mod credentials;
mod entries;
mod error;
mod failure;
mod issuer;
mod key;
mod live;
mod live_clients;
mod needs;
mod options;
mod owner;
mod reader;
mod snapshot;
mod target;
mod token;
mod token_error;
mod transport;
mod wire;
mod writer;

pub use application_key::ApplicationKey;
pub use application_token::{Content, Issued, Issuer, Wanted};
pub use call::AllScopesFilter;
pub use credentials::{Credentials, CredentialsError};
pub use entries::{Oddities, accesses_of_scope};
pub use error::{Error, ErrorKind};
pub use issuer::Endpoints;
pub use key::KeyError;
pub use live::Progress;
pub use needs::{ClientNeeds, Needs, Reach, Which};
pub use options::{Options, Program};
pub use owner::{ExpectedOwner, OwnerMismatch};
pub use reader::Reader;
pub use snapshot::{MOST_BYTES, Snapshot, SnapshotError};
pub use target::{AllowedHosts, ApiId, Target, TargetError};
pub use token_error::TokenRefusal;
pub use wire::{AccessEntry, Organization, scope_name};
pub use writer::Writer;

//! The vocabulary of the domain, each value checked where it is made, and the two sides of a plan.
//!
//! Every other crate shows [`text`] from outside by the same rules, and keeps each [`secret`] that it reads
//! out of its output.

mod attribute;
mod behaviour;
mod client;
mod client_attributes;
mod client_identity;
mod combination;
mod date;
mod desired;
mod difference;
mod entity;
mod key;
mod live;
pub mod nais;
mod on_behalf_of;
mod orgno;
mod past;
mod plain;
mod public;
mod scope;
mod scope_name;
pub mod secret;
pub mod text;
mod vocabulary;

pub use attribute::{AtNais, Attribute, Direction, ValueType, Widening};
pub use behaviour::{Behaviour, NoKeys, Profile, WriteAnswer};
pub use client::{
    ClientId, ClientIdError, ClientName, ClientNameError, ConsumedScope, ConsumedScopeError,
};
pub use client_attributes::{
    ApplicationType, AuthMethod, CLIENT, ClientAttributes, ClientTable, CodeChallengeMethod,
    GrantType, KRR_SCOPES, LOGIN_SCOPES, RefreshTokenUsage,
};
pub use client_identity::ClientIdentity;
pub use combination::Combination;
pub use date::{Days, DueAccess, Undone, norwegian_date};
pub use desired::{
    ClientRemoval, CommitId, ConsumerBlock, Desired, DesiredAccess, DesiredClient, DesiredEntry,
    DesiredScope, Guards, Removal, RemovalAction, Source,
};
pub use difference::{Change, Field, Representation, changes};
pub use entity::Entity;
pub use key::{
    KeyProblem, Kid, KidError, LEAST_BITS, LiveKey, MOST_KEYS, PRIVATE_MEMBERS, PublicKey,
    SigningAlgorithm, base64url,
};
pub use live::{
    AccessState, DelegationSource, ForeignScope, Live, LiveAccess, LiveClient, LiveScope, Oddity,
    OddityOf, OwnClient,
};
pub use on_behalf_of::{OnBehalfOf, OnBehalfOfId, OnBehalfOfIdError};
pub use orgno::{Orgno, OrgnoError};
pub use past::{Applied, Beside, Elsewhere, Former, Past, Protected, ProtectedBy, Protection};
pub use plain::{composed, kept, kept_value};
pub use scope::{IntegrationType, SCOPE, ScopeAttributes, ScopeTable, TokenType, Visibility};
pub use scope_name::{ScopeName, ScopeNameError};
pub use vocabulary::{AliasLine, EntryName, GroupLines, Vocabulary};

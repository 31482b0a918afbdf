//! The words of the field, each checked where it is made, and the two sides of a plan.

mod desired;
mod live;
mod orgno;
mod scope;
mod scope_name;

pub use desired::{Desired, DesiredAccess, DesiredScope, Guards, Removal, RemovalAction, Source};
pub use live::{AccessState, DelegationSource, Live, LiveAccess, LiveScope};
pub use orgno::{Orgno, OrgnoError};
pub use scope::{
    Change, IntegrationType, Representation, ScopeAttributes, TokenType, Visibility, changes,
};
pub use scope_name::{ScopeName, ScopeNameError};

//! DigDir's self-service API and Maskinporten: tokens, and reading and changing scopes, access and clients.
//!
//! A [`Reader`] cannot change anything; a [`Writer`] can. Both keep the limits of their [`Options`],
//! fetch and renew the token by themselves, and send a call again only where twice is as good as once: a
//! write whose answer was lost is [`ErrorKind::AnswerLost`], and it is for the caller to look what came of
//! it. [`Reader::live`] reads as much as [`Needs`] says into one value, and a [`Snapshot`] keeps such a
//! value as a file. An [`Issuer`] gets tokens as an application gets them, from Maskinporten or Skyporten.
//!
//! Credentials go to DigDir's own hosts, to this machine, and to no other host that is not one of the
//! [`AllowedHosts`].
//!
//! A program that opens a scope to a consumer, here against the emulator (crate `sandbox`) in the place of
//! [`ApiTarget::test`]:
//!
//! ```
//! use digdir::{Credentials, ErrorKind, Options, Program, Reach, ApiTarget, Writer};
//! use domain::{Orgno, ScopeName};
//! use sandbox::{ClientKey, Config, Sandbox, State};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let organization: Orgno = "889640782".parse()?;
//! let key = ClientKey::generate()?;
//! let mut state = State::new(organization, "Etaten", &["etat".to_owned()]);
//! state.register_key(organization, "my-client", &key);
//! let emulator = Sandbox::start(Config::new(state)).await?;
//!
//! let target = ApiTarget::custom(emulator.api().as_str(), emulator.issuer())?;
//! let kid = Some(key.kid.parse()?);
//! let credentials = Credentials::from_key("my-client".parse()?, &key.private_key_pem, kid)?;
//! let program = Program { name: "my-program", version: "1.0.0" };
//! let options = Options { program, ..Options::default() };
//! let writer = Writer::connect(target, credentials, options, Reach::Scopes).await?;
//!
//! let scope: ScopeName = "etat:arbeid.read".parse()?;
//! let representation = serde_json::json!({
//!     "prefix": "etat",
//!     "subscope": "arbeid.read",
//!     "description": "Les arbeidsforhold",
//! });
//! let representation = representation.as_object().ok_or("an object")?;
//! writer.create_scope(representation).await?;
//! writer.grant(&scope, "974761076".parse()?).await?;
//!
//! let accesses = writer.reader().accesses(&scope, false).await?;
//! assert_eq!(accesses[0].consumer_orgno.as_deref(), Some("974761076"));
//! assert_eq!(accesses[0].state.as_deref(), Some("APPROVED"));
//!
//! let error = writer.create_scope(representation).await.unwrap_err();
//! assert_eq!((error.kind(), error.status()), (ErrorKind::Conflict, Some(409)));
//! # emulator.stop().await?;
//! # Ok(())
//! # }
//! ```

mod application_key;
mod application_token;
mod call;
mod certificate;
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
mod pem;
mod probe;
mod reader;
mod snapshot;
mod target;
mod token;
mod token_error;
mod transport;
mod wire;
mod writer;

pub use application_key::ApplicationKey;
pub use application_token::{Content, Issued};
pub use call::{AllScopesFilter, Call};
pub use certificate::ArchiveEntry;
pub use credentials::{Credentials, CredentialsError, Wanted};
pub use entries::{Oddities, accesses_of_scope};
pub use error::{Error, ErrorKind};
pub use issuer::{Endpoints, Issuer};
pub use key::KeyError;
pub use live::ReadProgress;
pub use needs::{ClientNeeds, Needs, Reach, Which};
pub use options::{Options, Program};
pub use owner::{ExpectedOwner, OwnerMismatch};
pub use probe::{Probe, ProbedExchange};
pub use reader::Reader;
pub use snapshot::{MOST_BYTES, Snapshot, SnapshotError};
pub use target::{AllowedHosts, ApiId, ApiTarget, TargetError};
pub use token_error::TokenRefusal;
pub use wire::{AccessEntry, scope_name};
pub use writer::Writer;

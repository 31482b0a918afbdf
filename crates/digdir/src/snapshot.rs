//! What was live at a time, as a file: a plan that compares with it needs neither credentials nor a
//! network.
//!
//! The file has everything that any plan may have to know, and a plan is given of it what a [`Reader`]
//! would have read for it: the two plans are the same.
//!
//! [`Reader`]: super::Reader

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entries::two_scopes;
use super::live_clients::has_entries;
use super::needs::{ClientNeeds, Needs, Reach};
use super::wire::owner_of_scope;
use domain::text::json::pretty;
use domain::{ClientId, Live, LiveClient, LiveScope, Oddity, OddityOf, Orgno, ScopeName};

/// The version of the format.
const FORMAT_VERSION: u64 = 1;

/// The largest file that is read, in bytes.
pub const MOST_BYTES: u64 = 256 << 20;

/// What was live in an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The environment's name.
    pub environment: String,
    /// The organisation that owns all of it.
    pub organization: Orgno,
    /// When it was read.
    pub created: Timestamp,
    /// Whether clients were read.
    pub reach: Reach,
    /// All that was read with [`Needs::everything`].
    pub live: Live,
}

/// Why a snapshot cannot be compared with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It cannot be read.
    #[error("it is no snapshot, or not a whole one: {0}")]
    Broken(String),
    /// It is larger than any.
    #[error("it has more than {} MiB, which no snapshot has", MOST_BYTES >> 20)]
    TooLarge,
    /// It was written by another version of this program.
    #[error(
        "it is a snapshot of format version {0}, and this program reads version {FORMAT_VERSION}"
    )]
    Version(String),
    /// It is of another environment.
    #[error("it is of the environment '{found}', not of '{wanted}'")]
    Environment {
        /// That of the snapshot.
        found: String,
        /// That of the plan.
        wanted: String,
    },
    /// It is of another organisation.
    #[error("it is of the organisation {found}, not of {wanted}")]
    Organization {
        /// That of the snapshot.
        found: Orgno,
        /// The one whose scopes are planned.
        wanted: Orgno,
    },
    /// It has a scope of another organisation.
    #[error("{scope} in it belongs to the organisation {found}, not to {wanted}")]
    Owner {
        /// The scope.
        scope: String,
        /// The organisation that the snapshot names as its owner.
        found: String,
        /// The one whose scopes are planned.
        wanted: Orgno,
    },
    /// Clients are needed and it has none.
    #[error("it has no clients")]
    NoClients,
    /// It does not have all that the plan must know.
    #[error("it lacks {0}")]
    Lacks(String),
    /// What it has cannot be planned with, and could not be live either.
    #[error("{0}")]
    Unclear(String),
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SnapshotDocument<L> {
    format_version: u64,
    environment: String,
    organization: Orgno,
    created: Timestamp,
    /// Whether clients were read: without it, none are no sign that there are none.
    clients: bool,
    live: L,
}

/// What every version of the file has.
#[derive(Deserialize)]
struct Versioned {
    format_version: serde_json::Value,
}

impl Snapshot {
    /// The snapshot as a file.
    pub fn write(&self) -> String {
        let Self { environment, organization, created, reach, live } = self;
        let document = SnapshotDocument {
            format_version: FORMAT_VERSION,
            environment: environment.clone(),
            organization: *organization,
            created: *created,
            clients: *reach == Reach::ScopesAndClients,
            live,
        };
        pretty(&document)
    }

    /// Reads what [`Self::write`] has written, if it is of this environment and organisation.
    ///
    /// # Errors
    /// Why it cannot be used, and what to do.
    pub fn read(text: &str, environment: &str, organization: Orgno) -> Result<Self, SnapshotError> {
        let Versioned { format_version } =
            serde_json::from_str(text).map_err(|error| SnapshotError::Broken(error.to_string()))?;
        if format_version != FORMAT_VERSION {
            return Err(SnapshotError::Version(format_version.to_string()));
        }
        let json = &mut serde_json::Deserializer::from_str(text);
        let document: SnapshotDocument<Live> = serde_path_to_error::deserialize(json)
            .map_err(|error| SnapshotError::Broken(error.to_string()))?;
        if document.environment != environment {
            let (found, wanted) = (document.environment, environment.to_owned());
            return Err(SnapshotError::Environment { found, wanted });
        }
        if document.organization != organization {
            let (found, wanted) = (document.organization, organization);
            return Err(SnapshotError::Organization { found, wanted });
        }
        for scope in document.live.scopes.values() {
            let (scope, owner) = owner_of_scope(&scope.representation);
            if let Some(found) = owner.filter(|owner| *owner != organization.as_str()) {
                let (found, wanted) = (found.to_owned(), organization);
                return Err(SnapshotError::Owner { scope, found, wanted });
            }
        }
        Ok(Self {
            environment: document.environment,
            organization: document.organization,
            created: document.created,
            reach: if document.clients { Reach::ScopesAndClients } else { Reach::Scopes },
            live: document.live,
        })
    }

    /// What a reader that reads just what is needed would have read when the snapshot was made.
    ///
    /// # Errors
    /// What the snapshot does not have, and where the reader would have failed.
    pub fn live(self, needs: &Needs) -> Result<Live, SnapshotError> {
        let Live {
            snapshot: _,
            mut scopes,
            prefixes,
            delegation_sources,
            mut clients,
            foreign,
            mut own_client,
            mut oddities,
        } = self.live;
        for (name, scope) in &mut scopes {
            narrow_scope(name, scope, needs)?;
        }
        let (clients, foreign) = match (&needs.clients, self.reach) {
            (None, _) => {
                if let Some(own) = &mut own_client {
                    own.key_expires = None;
                }
                Default::default()
            }
            (Some(_), Reach::Scopes) => return Err(SnapshotError::NoClients),
            (Some(needs), Reach::ScopesAndClients) => {
                for (id, client) in &mut clients {
                    narrow_client(id, client, needs)?;
                }
                (clients, foreign)
            }
        };
        for odd in &oddities {
            if let OddityOf::TwoScopes(name) = &odd.of
                && needs.scopes.names(name)
            {
                return Err(SnapshotError::Unclear(two_scopes(name)));
            }
        }
        oddities.retain(|odd| is_met(odd, needs, &clients));
        let delegation_sources =
            if needs.delegation_sources { delegation_sources } else { Vec::new() };
        let snapshot = Some(self.created);
        Ok(Live {
            snapshot,
            scopes,
            prefixes,
            delegation_sources,
            clients,
            foreign,
            own_client,
            oddities,
        })
    }
}

/// Takes out of a scope what is read of the needed ones alone.
fn narrow_scope(
    name: &ScopeName,
    scope: &mut LiveScope,
    needs: &Needs,
) -> Result<(), SnapshotError> {
    let LiveScope { active: _, representation: _, accesses, unclear } = scope;
    if !needs.scopes.contains(name) {
        (*accesses, *unclear) = (None, false);
    } else if accesses.is_none() {
        return Err(SnapshotError::Lacks(format!("the accesses to {name}")));
    }
    Ok(())
}

/// The same for a client.
fn narrow_client(
    id: &ClientId,
    client: &mut LiveClient,
    needs: &ClientNeeds,
) -> Result<(), SnapshotError> {
    let is_needed = needs.include(id, client);
    let LiveClient { active: _, name: _, integration_type, representation: _, keys, on_behalf_of } =
        client;
    if !is_needed {
        (*keys, *on_behalf_of) = (None, None);
    } else if keys.is_none() || (has_entries(integration_type) && on_behalf_of.is_none()) {
        return Err(SnapshotError::Lacks(format!("parts of the client {id}")));
    }
    Ok(())
}

/// Whether a reader that reads what is needed would have met an oddity.
fn is_met(odd: &Oddity, needs: &Needs, clients: &BTreeMap<ClientId, LiveClient>) -> bool {
    match &odd.of {
        OddityOf::Scopes | OddityOf::TwoScopes(_) | OddityOf::Prefixes => true,
        OddityOf::DelegationSources => needs.delegation_sources,
        OddityOf::Clients => needs.clients.is_some(),
        OddityOf::Accesses(scope) => needs.scopes.contains(scope),
        OddityOf::OnBehalfOf(id) => {
            clients.get(id).is_some_and(|client| client.on_behalf_of.is_some())
        }
    }
}

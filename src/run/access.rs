//! Who can reach what, in one environment or in all.

use jiff::Timestamp;

use super::clock::{now, today};
use super::failure::Failure;
use super::opened::Opened;
use super::options::RunOptions;
use super::organizations::KnownOrganizations;
use digdir::{Needs, ReadProgress};
use domain::Live;
use plan::document::{AccessDocument, AccessSide, AccessSource};

/// An environment, with its live state if that was read.
pub(crate) struct ReadSide {
    /// The declarations.
    pub(crate) opened: Opened,
    /// The live state.
    pub(crate) live: Option<Live>,
}

impl ReadSide {
    /// Reads all scopes and accesses of an environment, and its clients if any are declared.
    ///
    /// # Errors
    /// The other side cannot be read.
    pub(crate) async fn read(
        opened: Opened,
        options: &RunOptions,
        progress: &(dyn Fn(ReadProgress) + Sync),
    ) -> Result<Self, Failure> {
        let remote = opened.connect(options).await?;
        let needs = Needs::everything(opened.needs().reach());
        let live = remote.live(&needs, progress).await?;
        Ok(Self { opened, live: Some(live) })
    }
}

/// The document on these environments, of which there is at least one. The time is that of the snapshot, if
/// one is shown.
///
/// # Errors
/// There is none.
pub(crate) fn document(sides: &[ReadSide]) -> Result<AccessDocument, Failure> {
    let snapshot = sides.iter().find_map(|side| side.live.as_ref()?.snapshot);
    let source = match (snapshot, sides.iter().any(|side| side.live.is_some())) {
        (Some(_), _) => AccessSource::Snapshot,
        (None, true) => AccessSource::Live,
        (None, false) => AccessSource::Declared,
    };
    let created: Timestamp = snapshot.unwrap_or_else(now);
    let teams: Vec<_> = sides
        .iter()
        .map(|side| |file: &str| side.opened.repository.team(file).map(str::to_owned))
        .collect();
    let sides_of: Vec<_> = sides
        .iter()
        .zip(&teams)
        .map(|(side, team)| AccessSide {
            desired: &side.opened.desired,
            live: side.live.as_ref(),
            today: today(),
            team,
        })
        .collect();
    let Some(ReadSide { opened: first, .. }) = sides.first() else {
        return Err(Failure::usage("portvakt.yaml has no environment"));
    };
    let name = first.repository.settings().organization_name.clone();
    Ok(AccessDocument::new((first.desired.organization, name), created, source, &sides_of))
}

/// The organisations that occur in a document or are declared, by all their names.
pub(crate) fn organizations(sides: &[ReadSide], document: &AccessDocument) -> KnownOrganizations {
    let mut known = KnownOrganizations::default();
    let shown: Vec<&str> = sides.iter().map(|it| &*it.opened.desired.environment).collect();
    for ReadSide { opened, .. } in sides {
        known.declared(&opened.repository, &opened.desired.environment);
        known.declared_beyond(&opened.repository, &shown);
        for (orgno, name) in &opened.desired.names {
            known.found(orgno.as_str(), Some(name));
        }
        known.of_manifests(&opened.desired);
    }
    for access in &document.accesses {
        known.found(&access.consumer, access.consumer_name.as_deref());
    }
    known
}

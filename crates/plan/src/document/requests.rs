//! Requests for access as a document.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::{FORMAT_VERSION, SourceDocument};
use domain::{AccessState, Desired, Live, LiveAccess, Orgno, ScopeName, norwegian_date};

/// The organisations that request access to the organisation's own scopes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "portvakt requests")]
pub struct RequestsDocument {
    /// The version of this format.
    pub format_version: u8,
    /// The organisation number of the owner.
    #[schemars(with = "String")]
    pub organization: Orgno,
    /// When it was read (RFC 3339).
    #[schemars(with = "String")]
    pub created: Timestamp,
    /// The environments that were read, by their names in `portvakt.yaml`.
    pub environments: Vec<String>,
    /// The requests, by environment, scope and organisation number.
    pub requests: Vec<AccessRequest>,
}

/// A request for access to an active scope.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct AccessRequest {
    pub environment: String,
    pub scope: String,
    /// The scope's description.
    pub description: String,
    /// The organisation's number.
    pub consumer: String,
    /// Its name, as the repository or else DigDir has it.
    pub consumer_name: Option<String>,
    /// When it was requested (RFC 3339); `null` where DigDir does not say.
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// Where the access is declared, so that the next apply approves it; `null` where it is not.
    pub declared: Option<SourceDocument>,
    /// The entry by which it is declared for later days; `null` where there is none.
    pub later: Option<LaterEntry>,
    /// The block that keeps the organisation out, so that no apply approves it; `null` where there is none.
    pub blocked: Option<RequestBlock>,
}

/// An entry that gives access from a later day on.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct LaterEntry {
    /// The first day with access, in Norway.
    #[schemars(with = "String")]
    pub from: Date,
    pub source: SourceDocument,
}

/// An entry of `blocked`.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the names of its fields say it")]
pub struct RequestBlock {
    pub reason: String,
    pub source: SourceDocument,
}

impl RequestsDocument {
    /// The requests in these environments, each with its declarations and its live state.
    pub fn new(organization: Orgno, created: Timestamp, sides: &[(&Desired, &Live)]) -> Self {
        let today = norwegian_date(created);
        let of_side = |(desired, live): &(&'_ Desired, &'_ Live)| requests(desired, live, today);
        Self {
            format_version: FORMAT_VERSION,
            organization,
            created,
            environments: sides.iter().map(|(desired, _)| desired.environment.clone()).collect(),
            requests: sides.iter().flat_map(of_side).collect(),
        }
    }
}

fn requests(desired: &Desired, live: &Live, today: Date) -> Vec<AccessRequest> {
    let active = live.scopes.iter().filter(|(_, scope)| scope.active);
    let all = active.flat_map(|(name, scope)| {
        let requested = scope.in_state(AccessState::Requested);
        requested.map(move |(orgno, access)| {
            let LiveAccess { state: _, name: name_there, requested } = access;
            let declared = desired.entry(name, orgno, today);
            AccessRequest {
                environment: desired.environment.clone(),
                scope: name.to_string(),
                description: scope.description().to_owned(),
                consumer: orgno.to_string(),
                consumer_name: desired.name_of(orgno, name_there.as_ref()).cloned(),
                since: *requested,
                declared: declared.map(|entry| SourceDocument::new(&entry.source)),
                later: later(desired, name, orgno, today).filter(|_| declared.is_none()),
                blocked: desired.block(name, orgno).map(|block| RequestBlock {
                    reason: block.reason.clone(),
                    source: SourceDocument::new(&block.source),
                }),
            }
        })
    });
    all.collect()
}

/// The entry that gives an organisation access to a scope from a later day on, unless it is blocked.
fn later(desired: &Desired, scope: &ScopeName, orgno: Orgno, today: Date) -> Option<LaterEntry> {
    let access = desired.access(scope, orgno)?;
    let entry = access.next_after(today).filter(|_| desired.block(scope, orgno).is_none())?;
    Some(LaterEntry { from: entry.days.from?, source: SourceDocument::new(&entry.source) })
}

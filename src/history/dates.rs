//! What is done of what dates in the applied declarations ask for, and its form in a record.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use domain::Undone;

/// What is done of what dates in the applied declarations ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatesDone {
    /// The time of the plan by which they were looked at.
    pub at: Timestamp,
    /// What they ask for until then, and is not known to be done.
    pub undone: Undone,
}

impl DatesDone {
    /// Everything that they ask for until a time.
    pub fn all_until(at: Timestamp) -> Self {
        Self { at, undone: Undone::default() }
    }
}

/// Members of a record.
#[derive(Default, Serialize, Deserialize)]
struct StoredDates {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dates_done: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Undone::is_empty")]
    undone: Undone,
}

pub(super) fn serialize<S: Serializer>(
    dates: &Option<DatesDone>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let stored = dates.clone().map_or_else(StoredDates::default, |DatesDone { at, undone }| {
        StoredDates { dates_done: Some(at), undone }
    });
    stored.serialize(serializer)
}

pub(super) fn deserialize<'d, D: Deserializer<'d>>(
    deserializer: D,
) -> Result<Option<DatesDone>, D::Error> {
    let StoredDates { dates_done, undone } = StoredDates::deserialize(deserializer)?;
    match dates_done {
        Some(at) => Ok(Some(DatesDone { at, undone })),
        None if undone.is_empty() => Ok(None),
        None => Err(D::Error::custom("`undone` is there without `dates_done`")),
    }
}

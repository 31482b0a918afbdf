//! The time.

use jiff::Timestamp;
use jiff::civil::Date;

use domain::norwegian_date;

/// Now, to the second.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The date in Norway: `until` counts by it.
pub(super) fn today() -> Date {
    norwegian_date(Timestamp::now())
}

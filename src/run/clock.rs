//! The time.

use jiff::Timestamp;
use jiff::civil::Date;

use domain::norwegian_date;

/// Now, to the second.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The date in Norway: `until` counts by it.
pub(crate) fn today() -> Date {
    norwegian_date(Timestamp::now())
}

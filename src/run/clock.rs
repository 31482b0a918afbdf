//! The time.

use jiff::Timestamp;
use jiff::civil::Date;

use domain::norwegian_date;

/// Now, to the second.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The date in Norway, by which `from` and `until` are compared.
pub(crate) fn today() -> Date {
    norwegian_date(Timestamp::now())
}

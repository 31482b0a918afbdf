//! Days in Norway.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The date in Norway at that time, by which `from` and `until` are compared.
pub fn norwegian_date(at: Timestamp) -> Date {
    let zone = TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).date()
}

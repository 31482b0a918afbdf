//! Days in Norway.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Orgno, ScopeName};

/// The date in Norway at that time, by which `from` and `until` are compared.
pub fn norwegian_date(at: Timestamp) -> Date {
    let zone = TimeZone::get("Europe/Oslo").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).date()
}

/// The days on which an entry counts, in Norway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Days {
    /// The first day; `None` for no beginning.
    pub from: Option<Date>,
    /// The last day; `None` for no end.
    pub until: Option<Date>,
}

impl Days {
    /// Whether a day is one of them.
    pub fn contains(self, day: Date) -> bool {
        !self.is_later_than(day) && !self.is_over(day)
    }

    /// Whether the last of them is before a day.
    pub fn is_over(self, day: Date) -> bool {
        self.until.is_some_and(|until| until < day)
    }

    /// Whether the first of them is after a day.
    pub fn is_later_than(self, day: Date) -> bool {
        self.from.is_some_and(|from| from > day)
    }

    /// Whether the last of them comes before the first.
    pub fn is_reversed(self) -> bool {
        self.from.is_some_and(|from| self.is_over(from))
    }

    /// Whether some day is one of both.
    pub fn overlaps(self, other: Self) -> bool {
        let ends_before = |one: Self, other: Self| other.from.is_some_and(|from| one.is_over(from));
        !ends_before(self, other) && !ends_before(other, self)
    }

    /// Whether each day of the other is one of these.
    pub fn cover(self, other: Self) -> bool {
        let begins = self.from.is_none_or(|from| other.from.is_some_and(|other| from <= other));
        let ends = self.until.is_none_or(|until| other.until.is_some_and(|other| other <= until));
        begins && ends
    }

    /// Whether they end later than the others.
    pub(super) fn last_longer_than(self, other: Self) -> bool {
        match (self.until, other.until) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(other)) => own > other,
        }
    }
}

/// An access about which a date asks for a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DueAccess {
    /// The scope.
    pub scope: ScopeName,
    /// The organisation.
    pub consumer: Orgno,
}

impl DueAccess {
    /// An organisation's access to a scope.
    pub fn of((scope, consumer): (&ScopeName, Orgno)) -> Self {
        Self { scope: scope.clone(), consumer }
    }
}

/// The accesses about which dates asked for a change that is not known to be done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Undone {
    /// Those that were left alone, or failed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub left: BTreeSet<DueAccess>,
    /// Those that an apply began to change without recording its end.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub begun: BTreeSet<DueAccess>,
}

impl Undone {
    /// Whether an access is one of them.
    pub fn contains(&self, access: &DueAccess) -> bool {
        self.left.contains(access) || self.begun.contains(access)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty() && self.begun.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_norway_in_winter_and_in_summer() {
        for (at, date) in [
            ("2027-06-30T21:59:59Z", "2027-06-30"),
            ("2027-06-30T22:00:00Z", "2027-07-01"),
            ("2026-12-31T22:59:59Z", "2026-12-31"),
            ("2026-12-31T23:00:00Z", "2027-01-01"),
            // The day on which summer time begins, and the day on which it ends.
            ("2027-03-28T22:00:00Z", "2027-03-29"),
            ("2027-10-31T22:59:59Z", "2027-10-31"),
        ] {
            assert_eq!(norwegian_date(at.parse().unwrap()).to_string(), date, "{at}");
        }
    }

    fn days(from: &str, until: &str) -> Days {
        Days { from: from.parse().ok(), until: until.parse().ok() }
    }

    #[test]
    fn both_ends_count() {
        let week = days("2027-01-04", "2027-01-10");
        let on = |day: &str| week.contains(day.parse().unwrap());
        assert!(!on("2027-01-03") && on("2027-01-04") && on("2027-01-10") && !on("2027-01-11"));
        assert!(Days::default().contains(Date::MIN) && Days::default().contains(Date::MAX));
        assert!(days("2027-01-05", "2027-01-04").is_reversed() && !week.is_reversed());
    }

    #[test]
    fn days_overlap_and_cover() {
        let (week, next) = (days("2027-01-04", "2027-01-10"), days("2027-01-11", ""));
        assert!(!week.overlaps(next) && !next.overlaps(week));
        assert!(week.overlaps(days("2027-01-10", "")) && week.overlaps(Days::default()));
        assert!(Days::default().cover(week) && !week.cover(Days::default()));
        assert!(week.cover(week) && !week.cover(next) && days("2027-01-11", "").cover(next));
    }
}

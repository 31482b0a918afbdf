//! Accesses that end soon or begin later.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{Code, DayEffect, Draft, Notice, ScheduledChange};
use domain::{AccessState, DesiredAccess, Orgno, ScopeName, norwegian_date};

/// The changes on later days, by which a plan already reports a day.
type NewDays<'a> = BTreeSet<(&'a ScopeName, Orgno, DayEffect, Date)>;

impl Draft<'_> {
    /// Reports the declared accesses that end soon, and those that are yet to begin, but for the days that the plan
    /// lists as changes (`scheduled`).
    pub(super) fn report_dates(&mut self, scheduled: &[ScheduledChange]) {
        let new: NewDays<'_> =
            scheduled.iter().map(|it| (&it.scope, it.consumer.orgno, it.effect, it.day)).collect();
        let soon = self.now.checked_add(self.desired.warn_of_access);
        let soon = soon.map_or(Date::MAX, norwegian_date);
        let mut notices = Vec::new();
        for (name, scope) in &self.desired.scopes {
            if !scope.is_granted() {
                continue;
            }
            for (orgno, access) in &scope.consumers {
                if self.desired.block(name, *orgno).is_none() {
                    notices.extend(self.ends_or_begins((name, *orgno), access, soon, &new));
                }
            }
        }
        self.notices.extend(notices);
    }

    fn ends_or_begins(
        &self,
        (scope, orgno): (&ScopeName, Orgno),
        access: &DesiredAccess,
        soon: Date,
        new: &NewDays<'_>,
    ) -> Option<Notice> {
        let is_new = |effect, day| new.contains(&(scope, orgno, effect, day));
        let record = || self.live.scopes.get(scope)?.access(orgno);
        let who = || self.consumer(orgno, record());
        let (code, message) = if access.on(self.today).is_some() {
            let last = access.last_day(self.today).filter(|last| *last <= soon)?;
            if is_new(DayEffect::Ends, last) {
                return None;
            }
            let then = match access.next_after(last).and_then(|next| next.days.from) {
                Some(from) => format!("; it begins again on {from}"),
                None => "; a later `until` makes it last longer".to_owned(),
            };
            (Code::AccessEnds, format!("the last day with access of {} is {last}{then}", who()))
        } else {
            let from = access.next_after(self.today)?.days.from?;
            if is_new(DayEffect::Begins, from) {
                return None;
            }
            let is_live = record().is_some_and(|record| record.state == AccessState::Approved);
            let now = if is_live { ", and it has access now" } else { "" };
            (Code::AccessBegins, format!("the first day with access of {} is {from}{now}", who()))
        };
        Some(Notice { code, target: format!("{scope} {orgno}"), message })
    }
}

//! Accesses that change on a later day: the days that the declarations name and that the applied ones do not,
//! or the other way round. Nothing is done about them today, and `apply --due` does them on their day, so they
//! are part of what is reviewed.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::named::Cause;
use super::{Consumer, Draft};
use domain::{Desired, DesiredAccess, DesiredScope, Orgno, ScopeName, Source};

/// A change of an access on a later day, which the applied declarations do not ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledChange {
    /// The scope.
    pub scope: ScopeName,
    /// The organisation.
    pub consumer: Consumer,
    /// The effect.
    pub effect: DayEffect,
    /// The first day with access of an access that begins, the last one of an access that ends.
    pub day: Date,
    /// The group by which it is declared.
    pub group: Option<Arc<str>>,
    /// The line that makes the difference: where the access is declared, or the scope where it no longer is; or a
    /// block, the line of a group's member, or an alias.
    pub source: Source,
}

/// The effect of a day on an access.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DayEffect {
    /// It begins on that day.
    Begins,
    /// It would have ended after that day, and does no longer.
    NoLongerEnds,
    /// It ends after that day.
    Ends,
    /// It would have begun on that day, and does no longer.
    NoLongerBegins,
}

impl DayEffect {
    /// Whether somebody has access by it who would not have it.
    pub fn gives(self) -> bool {
        match self {
            Self::Begins | Self::NoLongerEnds => true,
            Self::Ends | Self::NoLongerBegins => false,
        }
    }

    /// The words for it, before the day.
    pub fn words(self) -> &'static str {
        match self {
            Self::Begins => "begins on",
            Self::NoLongerEnds => "no longer ends after",
            Self::Ends => "ends after",
            Self::NoLongerBegins => "no longer begins on",
        }
    }
}

impl Draft<'_> {
    /// The changes on later days. A first apply is compared with no declarations; where the applied ones are not
    /// known, there is nothing to compare with. What other places have applied adds the days that no longer count, and
    /// hides none: their records are not this place's.
    pub(super) fn scheduled(&self) -> Vec<ScheduledChange> {
        let before = self.past.before();
        if before.is_none() && !self.past.is_first_apply {
            return Vec::new();
        }
        let mut changes = Vec::new();
        for (name, scope) in &self.desired.scopes {
            if !scope.is_granted() {
                continue;
            }
            let earlier = before.and_then(|before| before.scopes.get(name));
            let known = earlier.into_iter().flat_map(|scope| scope.consumers.keys());
            for orgno in scope.consumers.keys().chain(known).collect::<BTreeSet<_>>() {
                let now = self.turns(self.desired, name, *orgno);
                let then = before.map(|before| self.turns(before, name, *orgno));
                let then = then.unwrap_or_default();
                let access = scope.consumers.get(orgno);
                let change = |effect: DayEffect, day| {
                    let entry =
                        access.map(|it| it.on(day).unwrap_or_else(|| it.described(self.today)));
                    let consumer = self.consumer_then(*orgno, before);
                    let Cause { group, line } = self.cause_of_day(name, scope, &consumer, effect);
                    let declared = entry.map_or(&scope.source, |entry| &entry.source);
                    ScheduledChange {
                        scope: name.clone(),
                        consumer,
                        effect,
                        day,
                        group: entry.and_then(|entry| entry.group.clone()).or(group),
                        source: line.unwrap_or_else(|| declared.clone()),
                    }
                };
                let has_access = |day: Date| self.desired.entry(name, *orgno, day).is_some();
                for Turn { day, is_begin } in now.difference(&then) {
                    let effect = if *is_begin { DayEffect::Begins } else { DayEffect::Ends };
                    changes.push(change(effect, *day));
                }
                let beside = self.past.applied_beside().flat_map(|it| self.turns(it, name, *orgno));
                let then: BTreeSet<_> = then.into_iter().chain(beside).collect();
                for Turn { day, is_begin } in then.difference(&now) {
                    let next = if *is_begin { Some(*day) } else { day.tomorrow().ok() };
                    match (is_begin, next.is_some_and(has_access)) {
                        (true, false) => changes.push(change(DayEffect::NoLongerBegins, *day)),
                        (false, true) => changes.push(change(DayEffect::NoLongerEnds, *day)),
                        // The other day, or the action of today, says it.
                        (true, true) | (false, false) => {}
                    }
                }
            }
        }
        // What gives access is seen first.
        changes.sort_by_key(|change| !change.effect.gives());
        changes
    }

    /// An organisation, by the name that the earlier declarations have for it if these have none.
    fn consumer_then(&self, orgno: Orgno, before: Option<&Desired>) -> Consumer {
        let Consumer { orgno, name } = self.consumer(orgno, None);
        let earlier = || before.and_then(|before| before.name_of(orgno, None)).cloned();
        Consumer { orgno, name: name.or_else(earlier) }
    }

    /// The line that makes the difference on a later day, if it is not the entry or the scope: a block, that of a
    /// group's member, or an alias.
    fn cause_of_day(
        &self,
        name: &ScopeName,
        scope: &DesiredScope,
        consumer: &Consumer,
        effect: DayEffect,
    ) -> Cause {
        let lines = match effect.gives() {
            true => self.lifted_block(name, consumer).map(|(line, _)| line),
            false => self.desired.block(name, consumer.orgno).map(|block| block.source.clone()),
        };
        match lines {
            Some(line) => Cause { group: None, line: Some(line) },
            None if scope.consumers.contains_key(&consumer.orgno) => {
                self.cause_of_grant(name, scope, consumer.orgno)
            }
            None => self.cause_of_revocation(name, scope, consumer.orgno),
        }
    }

    /// The later days on which the access of an organisation begins or ends by these declarations.
    fn turns(&self, desired: &Desired, scope: &ScopeName, orgno: Orgno) -> BTreeSet<Turn> {
        let declared = desired.scopes.get(scope).filter(|scope| scope.is_granted());
        let access = declared.and_then(|scope| scope.consumers.get(&orgno));
        let access = access.filter(|_| desired.block(scope, orgno).is_none());
        access.map(|access| turns(access, self.today)).unwrap_or_default()
    }
}

/// A later day on which an access begins, or the last day of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    day: Date,
    is_begin: bool,
}

/// The first and last days of the spans with access, as far as they are not over: a day is one only if the one
/// before or after it is without access.
fn turns(access: &DesiredAccess, today: Date) -> BTreeSet<Turn> {
    let mut turns = BTreeSet::new();
    for entry in access.entries().filter(|entry| !entry.days.is_reversed()) {
        let begin = entry.days.from.filter(|from| *from > today);
        let begin = begin.filter(|from| {
            from.yesterday().is_ok_and(|before| before < today || access.on(before).is_none())
        });
        turns.extend(begin.map(|day| Turn { day, is_begin: true }));
        let end = entry.days.until.filter(|until| *until >= today);
        let end = end.filter(|until| until.tomorrow().is_ok_and(|next| access.on(next).is_none()));
        turns.extend(end.map(|day| Turn { day, is_begin: false }));
    }
    turns
}

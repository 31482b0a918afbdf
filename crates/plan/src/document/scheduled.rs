//! Changes of accesses on later days.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SourceDocument;
use crate::{Danger, DayEffect, ScheduledChange};

/// A change of an access on a later day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduledDocument {
    /// The scope.
    pub scope: String,
    /// The organisation's number.
    pub consumer: String,
    /// Its name, if it is known.
    pub consumer_name: Option<String>,
    /// The effect.
    pub effect: DayEffect,
    /// `grants` where somebody has access by it who would not have it; absent where it only takes access away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub danger: Option<Danger>,
    /// The first day with access of an access that begins, the last one of an access that ends (YYYY-MM-DD).
    pub day: String,
    /// The group by which it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The team in whose folder the scope is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The line that makes the difference: where the access is declared, or the scope where it no longer is; or a
    /// block, the line of a group's member, or an alias.
    pub source: SourceDocument,
}

impl ScheduledDocument {
    pub(super) fn new(change: &ScheduledChange) -> Self {
        let ScheduledChange { scope, consumer, effect, day, group, source } = change;
        Self {
            scope: scope.to_string(),
            consumer: consumer.orgno.to_string(),
            consumer_name: consumer.name.clone(),
            effect: *effect,
            danger: Self::danger_of(*effect),
            day: day.to_string(),
            group: group.as_deref().map(str::to_owned),
            team: None,
            source: SourceDocument::new(source),
        }
    }

    fn danger_of(effect: DayEffect) -> Option<Danger> {
        effect.gives().then_some(Danger::Grants)
    }

    /// The same with the danger of its effect, whatever a file says.
    #[must_use]
    pub(super) fn judged(self) -> Self {
        Self { danger: Self::danger_of(self.effect), ..self }
    }

    /// The identifying fields, which the digest covers.
    pub(super) fn essence(&self) -> (&str, &str, DayEffect, &str) {
        (&self.scope, &self.consumer, self.effect, &self.day)
    }
}

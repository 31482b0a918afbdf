//! Reading naming rules.

use super::file::{
    ClientField, ConsumerField, NamingField, NamingItem, NamingRuleFile, NamingSubject, Preset,
    PresetFile, ScopeField,
};
use super::pattern::Pattern;
use super::{Names, OwnRule, RuleReach, rules_of, words};
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::{list, nearest};
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::{Items, Spanned};
use crate::declare::yaml::table::{Read, TableReader, read_word};
use yaml::Node;
use yaml::Span;

/// The names of the rules that come with portvakt.
pub(crate) const PRESETS: [&str; 3] = ["nais", "description-nais", "sorted-consumers"];

/// Requirement for names and other texts.
#[derive(Debug, Clone)]
pub(crate) struct NamingRule {
    pub(crate) head: OwnRule,
    pub(crate) check: NamingCheck,
}

/// Check of a naming rule.
#[derive(Debug, Clone)]
pub(crate) enum NamingCheck {
    Text(NamingField, Pattern),
    Preset(Preset),
}

/// The naming rules; reports their problems.
pub(crate) fn naming(
    list: Option<Items<'_, NamingItem>>,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Vec<NamingRule> {
    let items = rules_of(list, "naming", findings);
    let rules = items.filter_map(|item| match item.read(findings)? {
        NamingItem::Rule(declared) => own(declared, names, findings),
        NamingItem::Preset(declared) => Some(preset(declared, names, findings)),
    });
    rules.collect()
}

impl Read<'_> for NamingItem {
    fn read(at: &Node<'_>, key: Span, reader: &mut TableReader<'_>) -> Option<Self> {
        if !at.value.is_mapping() {
            return reader.wrong(at, "a mapping with `rule` or `preset`");
        }
        match (at.get("rule"), at.get("preset")) {
            (Some(_), None) => Read::read(at, key, reader).map(Self::Rule),
            (None, Some(_)) => Read::read(at, key, reader).map(Self::Preset),
            (Some(_), Some(_)) => {
                let message = "`rule` and `preset` exclude each other";
                let help = "keep `rule` for a rule of your own, `preset` for one that comes with \
                            portvakt";
                let span = at.key_span("preset");
                reader.findings.report(Rule::WrongValue, span, message, help);
                None
            }
            (None, None) => {
                let meant = at.entries().find_map(|(key, _)| nearest(key, ["rule", "preset"]));
                let meant = meant.map(|key| format!("did you mean `{key}`? ")).unwrap_or_default();
                let presets = list(PRESETS);
                let help = format!(
                    "{meant}begin with `rule: …` and a name for a rule of your own, or with `preset: \
                     …` and one of {presets}"
                );
                let message = "this has neither `rule` nor `preset`";
                reader.findings.report(Rule::MissingKey, at.span(), message, &help);
                None
            }
        }
    }
}

fn own(declared: NamingRuleFile, names: &Names<'_>, findings: &mut Findings) -> Option<NamingRule> {
    let NamingRuleFile {
        rule,
        applies_to,
        field,
        values,
        pattern,
        message,
        severity,
        environments,
        teams,
    } = declared;
    let reach = RuleReach { severity, environments, teams };
    let (rule, message) = words(&rule, &message, findings);
    let head = reach.head(rule, message, names, findings);
    let values = values.0.unwrap_or_default();
    let pattern = pattern.0.and_then(|pattern| Pattern::read(&pattern, values, findings));
    let field = NamingField::of(applies_to, field.0, findings)?;
    Some(NamingRule { head, check: NamingCheck::Text(field, pattern?) })
}

impl NamingField {
    /// Reads the field as one of the subject's own, so that an error names only those.
    fn of(
        subject: NamingSubject,
        declared: Option<Spanned<String>>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let Some(text) = declared else {
            return Some(match subject {
                NamingSubject::Scope => Self::Scope(ScopeField::Name),
                NamingSubject::Consumer => Self::Consumer(ConsumerField::Name),
                NamingSubject::Client => Self::Client(ClientField::Name),
            });
        };
        match subject {
            NamingSubject::Scope => read_word(&text, findings).map(Self::Scope),
            NamingSubject::Consumer => read_word(&text, findings).map(Self::Consumer),
            NamingSubject::Client => read_word(&text, findings).map(Self::Client),
        }
    }
}

fn preset(declared: PresetFile, names: &Names<'_>, findings: &mut Findings) -> NamingRule {
    let PresetFile { preset, severity, environments, teams } = declared;
    let reach = RuleReach { severity, environments, teams };
    let head = reach.head(preset.name(), preset.message(), names, findings);
    NamingRule { head, check: NamingCheck::Preset(preset) }
}

impl Preset {
    /// The name of the rule.
    pub(crate) fn name(self) -> &'static str {
        let [nais, description_nais, sorted_consumers] = PRESETS;
        match self {
            Self::Nais => nais,
            Self::DescriptionNais => description_nais,
            Self::SortedConsumers => sorted_consumers,
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::Nais => "NAIS cannot hold a scope of this name",
            Self::DescriptionNais => "the description names no NAIS application",
            Self::SortedConsumers => "the consumers are not in order",
        }
    }
}

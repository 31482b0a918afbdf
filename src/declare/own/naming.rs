//! Reading naming rules.

use super::file::{
    ClientField, ConsumerField, NamingRuleFile, NamingSubject, Preset, PresetFile, ScopeField,
};
use super::pattern::Pattern;
use super::{Names, OwnRule, Reach, check_words, rules_of};
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::{list, nearest};
use crate::declare::yaml::document::{Findings, Located};
use crate::declare::yaml::given::Spanned;
use crate::declare::yaml::item::wrong_kind;
use crate::declare::yaml::table::read;

/// The names of the rules that come with portvakt.
pub(crate) const PRESETS: [&str; 3] = ["nais", "description-nais", "sorted-consumers"];

/// What names and other texts must look like.
#[derive(Debug, Clone)]
pub(crate) struct NamingRule {
    pub(crate) head: OwnRule,
    pub(crate) check: NamingCheck,
}

/// What a naming rule looks at.
#[derive(Debug, Clone)]
pub(crate) enum NamingCheck {
    Scope(ScopeField, Pattern),
    Consumer(ConsumerField, Pattern),
    Client(ClientField, Pattern),
    Preset(Preset),
}

/// The naming rules; reports what is wrong with each.
pub(crate) fn naming(
    root: Located<'_>,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Vec<NamingRule> {
    rules_of(root, "naming", findings).filter_map(|at| naming_rule(at, names, findings)).collect()
}

fn naming_rule(at: Located<'_>, names: &Names<'_>, findings: &mut Findings) -> Option<NamingRule> {
    if !at.value.is_mapping() {
        wrong_kind(at, "a mapping with `rule` or `preset`", findings);
        return None;
    }
    match (at.get("rule"), at.get("preset")) {
        (Some(_), None) => own(at, names, findings),
        (None, Some(_)) => preset(at, names, findings),
        (Some(_), Some(_)) => {
            let message = "`rule` and `preset` exclude each other";
            let help = "keep `rule` for a rule of your own, `preset` for one that comes with \
                        portvakt";
            findings.report(Rule::WrongValue, at.key_span("preset"), message, help);
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
            findings.report(Rule::MissingKey, at.span(), message, &help);
            None
        }
    }
}

fn own(at: Located<'_>, names: &Names<'_>, findings: &mut Findings) -> Option<NamingRule> {
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
    } = read(at, findings)?;
    check_words(at, findings);
    let reach = Reach { severity, environments, teams };
    let head = reach.head(&rule, message, at, names, findings);
    let pattern = pattern.0.and_then(|Spanned { value, span }| {
        Pattern::read(&value, span, values.0.unwrap_or_default(), at, findings)
    });
    // Read once more as one of the subject's own fields, so that an error names only those.
    let field = field.0.and_then(|_| at.get("field"));
    let check = match applies_to {
        NamingSubject::Scope => {
            let field = field.map_or(Some(ScopeField::Name), |at| read(at, findings));
            NamingCheck::Scope(field?, pattern?)
        }
        NamingSubject::Consumer => {
            let field = field.map_or(Some(ConsumerField::Name), |at| read(at, findings));
            NamingCheck::Consumer(field?, pattern?)
        }
        NamingSubject::Client => {
            let field = field.map_or(Some(ClientField::Name), |at| read(at, findings));
            NamingCheck::Client(field?, pattern?)
        }
    };
    Some(NamingRule { head, check })
}

fn preset(at: Located<'_>, names: &Names<'_>, findings: &mut Findings) -> Option<NamingRule> {
    let PresetFile { preset, severity, environments, teams } = read(at, findings)?;
    let reach = Reach { severity, environments, teams };
    let message = preset.message().to_owned();
    let head = reach.head(preset.name(), message, at, names, findings);
    Some(NamingRule { head, check: NamingCheck::Preset(preset) })
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

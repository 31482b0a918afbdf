//! The repository's own rules and teams in portvakt.yaml: the common parts of rules, and their names.

pub(super) mod expression;
pub(super) mod file;
pub(super) mod nais;
pub(super) mod naming;
pub(super) mod pattern;
pub(super) mod policies;
pub(super) mod sorted;
pub(super) mod teams;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::rule::Severity;
use crate::declare::diagnostic::suggest::{did_you_mean, list};
use crate::declare::diagnostic::{Diagnostic, Place, SAID, quoted, shortened};
use crate::declare::read::environments::{EnvironmentNames, EnvironmentSet};
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::items_of;
use crate::declare::yaml::optional::{
    Items, Needed, Optional, Raw, ReadableTexts, Restriction, Spanned, TextList,
};
use file::{NamingItem, PolicyFile};
use naming::PRESETS;
use yaml::Node;
use yaml::Span;

/// Largest number of naming rules, and of policies, in a repository: each is checked for everything that is
/// declared.
pub(crate) const MOST_RULES: usize = 200;

/// The head of a naming rule or of a policy.
#[derive(Debug, Clone)]
pub(crate) struct OwnRule {
    pub(crate) name: Arc<str>,
    pub(crate) message: String,
    pub(crate) severity: Severity,
    pub(crate) environments: EnvironmentSet,
    /// The teams in whose files it counts; none means all files, those of no team too.
    pub(crate) teams: Vec<String>,
}

impl OwnRule {
    /// The finding that it is broken: a naming rule or a policy, as given by `rule`.
    pub(crate) fn broken(
        &self,
        rule: Rule,
        place: &Place,
        message: &str,
        help: &str,
    ) -> Diagnostic {
        let message = format!("{}: {message}", self.name);
        let mut found = Diagnostic::new(rule, place, &message, help).with_severity(self.severity);
        found.own_rule = Some(Arc::clone(&self.name));
        found
    }

    /// Whether it counts in a file of this team, or in one of no team.
    pub(crate) fn counts_for(&self, team: Option<&str>) -> bool {
        self.teams.is_empty() || team.is_some_and(|team| self.teams.iter().any(|t| t == team))
    }
}

/// Names to which rules can refer.
pub(crate) struct Names<'d> {
    pub(crate) environments: &'d EnvironmentNames,
    pub(crate) teams: Vec<&'d str>,
}

/// Severity and restrictions of a rule, as written.
pub(crate) struct RuleReach {
    pub(crate) severity: Optional<Severity>,
    pub(crate) environments: Restriction<ReadableTexts>,
    pub(crate) teams: Optional<TextList>,
}

impl RuleReach {
    /// The head of the rule of this name.
    pub(crate) fn head(
        self,
        name: &str,
        message: &str,
        names: &Names<'_>,
        findings: &mut Findings,
    ) -> OwnRule {
        OwnRule {
            name: name.into(),
            message: shortened(message, SAID).into_owned(),
            severity: self.severity.0.unwrap_or(Severity::Error),
            environments: names.environments.declared(&self.environments, findings),
            teams: teams(self.teams.0, names, findings),
        }
    }
}

fn teams(input: Option<TextList>, names: &Names<'_>, findings: &mut Findings) -> Vec<String> {
    let Some(Spanned { value: input, span }) = input else {
        return Vec::new();
    };
    if input.is_empty() {
        let message = "an empty list of teams: this would count nowhere";
        let help = "leave `teams` out for all files, or name some";
        findings.report(Rule::WrongValue, span, message, help);
    }
    for Spanned { value: team, span } in &input {
        let known = || names.teams.iter().copied();
        if known().any(|known| known == team) {
            continue;
        }
        let message = format!("there is no team {}", quoted(team));
        let help = match names.teams.is_empty() {
            true => "declare it under `teams` in portvakt.yaml".to_owned(),
            false => format!("{}portvakt.yaml has {}", did_you_mean(team, known()), list(known())),
        };
        findings.report(Rule::UnknownTeam, *span, &message, &help);
    }
    input.into_iter().map(|team| team.value).collect()
}

/// Reports problems of the name and the message of one of the repository's own rules.
pub(crate) fn words<'f>(
    rule: &'f Needed<Spanned<String>>,
    message: &'f Needed<Spanned<String>>,
    findings: &mut Findings,
) -> (&'f str, &'f str) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name = rule.0.as_ref().map_or("", |Spanned { value: name, span }| {
        if name.is_empty() || !name.chars().all(plain) {
            let what = format!("a rule cannot be named {}", quoted(name));
            let help = "use letters a to z, digits and `-`, such as `scope-has-product`";
            findings.report(Rule::Name, *span, &what, help);
        }
        name
    });
    let message = message.0.as_ref().map_or("", |Spanned { value: message, span }| {
        if message.trim().is_empty() {
            let help = "say in one line what is asked for: it is all that a violation shows";
            findings.report(Rule::Text, *span, "the message is empty", help);
        }
        message
    });
    (name, message)
}

/// Reports names that more than one rule has. They are read from the items themselves, as a rule that is
/// invalid in another way still has its name.
pub(crate) fn check_unique<'d>(
    naming: Option<Items<'d, NamingItem>>,
    policies: Option<Items<'d, PolicyFile>>,
    findings: &mut Findings,
) {
    let sections = [naming.map(|list| list.at), policies.map(|list| list.at)];
    let mut first: HashMap<&str, Span> = HashMap::new();
    for item in sections.into_iter().flatten().flat_map(Node::items) {
        let own = item.get("rule");
        let Some(at) = own.or_else(|| item.get("preset")) else {
            continue;
        };
        let Some(name) = at.value.as_str() else {
            continue;
        };
        let is_preset = PRESETS.contains(&name);
        if own.is_some() && is_preset {
            let message = format!("`{name}` is the name of a preset");
            let help = format!("choose another name, or write `preset: {name}` under `naming`");
            findings.report(Rule::DuplicateRule, at.span(), &message, &help);
        } else if own.is_some() || is_preset {
            match first.entry(name) {
                Entry::Vacant(vacant) => drop(vacant.insert(at.span())),
                Entry::Occupied(first) => {
                    let message = format!("two rules are named {}", quoted(name));
                    let help = "give each a name of its own, naming rules and policies together";
                    let related = findings.place(*first.get()).related("first here");
                    let found = findings.report(Rule::DuplicateRule, at.span(), &message, help);
                    found.related.push(related);
                }
            }
        }
    }
}

/// The items of a section with rules, up to the largest number.
pub(crate) fn rules_of<'d, T>(
    list: Option<Items<'d, T>>,
    section: &str,
    findings: &mut Findings,
) -> impl Iterator<Item = Raw<'d, T>> + use<'d, T> {
    let items = items_of(list, None, findings);
    if let Some(item) = list.and_then(|list| list.at.item(MOST_RULES)) {
        let message = format!("`{section}` has more than {MOST_RULES} entries");
        let help = "put several into one: a pattern can have `|`, an expression `&&`";
        findings.report(Rule::TooMuch, item.span(), &message, help);
    }
    items.take(MOST_RULES)
}

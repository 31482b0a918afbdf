//! Sets of environments, and the names that things in a repository may have.

use std::collections::HashMap;
use std::hash::Hash;

use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::{did_you_mean, list};
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::{ReadableTexts, Restriction, Spanned};
use crate::declare::yaml::suggestions;
use domain::text::is_invisible;
use yaml::Span;

/// How many environments a repository can have: a set of them is a word of bits.
pub(crate) const MOST_ENVIRONMENTS: usize = 64;

/// Some of the repository's environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EnvironmentSet(u64);

impl EnvironmentSet {
    pub(crate) const ALL: Self = Self(u64::MAX);
    pub(crate) const NONE: Self = Self(0);

    /// The set of the environment that stands at this index among the names in order.
    pub(crate) fn one(index: usize) -> Self {
        let bit = u32::try_from(index).ok().and_then(|n| 1_u64.checked_shl(n));
        Self(bit.unwrap_or_default())
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        !self.and(other).is_empty()
    }
}

/// The environments of any of the sets.
impl FromIterator<EnvironmentSet> for EnvironmentSet {
    fn from_iter<I: IntoIterator<Item = Self>>(sets: I) -> Self {
        sets.into_iter().fold(Self::NONE, Self::or)
    }
}

impl EnvironmentSet {
    /// The environments of all sets of one key, by key.
    pub(crate) fn by_key<K: Eq + Hash>(
        sets: impl IntoIterator<Item = (K, Self)>,
    ) -> HashMap<K, Self> {
        let mut all = HashMap::new();
        for (key, set) in sets {
            let known: &mut Self = all.entry(key).or_insert(Self::NONE);
            *known = known.or(set);
        }
        all
    }
}

/// The names of the repository's environments, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct EnvironmentNames(Vec<String>);

impl EnvironmentNames {
    pub(crate) fn new(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        Self(names)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The set of all.
    pub(crate) fn all(&self) -> EnvironmentSet {
        (0..self.0.len()).map(EnvironmentSet::one).collect()
    }

    pub(crate) fn set(&self, name: &str) -> Option<EnvironmentSet> {
        let index = self.0.iter().position(|known| known == name)?;
        Some(EnvironmentSet::one(index))
    }

    /// The set that a declaration names; all where it names none.
    pub(crate) fn declared(
        &self,
        names: &Restriction<ReadableTexts>,
        findings: &mut Findings,
    ) -> EnvironmentSet {
        let ReadableTexts { items, is_whole, span } = match names {
            Restriction::None => return EnvironmentSet::ALL,
            Restriction::Unclear => return EnvironmentSet::NONE,
            Restriction::To(names) => names,
        };
        if items.is_empty() && *is_whole {
            let message = "an empty list of environments: this would count nowhere";
            let help = "leave `environments` out for all of them, or name some";
            findings.report(Rule::WrongValue, *span, message, help);
        }
        let mut set = EnvironmentSet::NONE;
        for Spanned { value: name, span } in items {
            set = set.or(self.known(name, *span, findings).unwrap_or(EnvironmentSet::NONE));
        }
        if *is_whole { set } else { EnvironmentSet::NONE }
    }

    /// The set of one name; reported if there is no such environment.
    pub(crate) fn known(
        &self,
        name: &str,
        span: Span,
        findings: &mut Findings,
    ) -> Option<EnvironmentSet> {
        if self.0.is_empty() {
            // Which there are is not known: portvakt.yaml is wrong, and that was told.
            return Some(EnvironmentSet::ALL);
        }
        let set = self.set(name);
        if set.is_none() {
            let message = format!("there is no environment {}", quoted(name));
            let several = suggestions::names(name);
            let hint = if several.len() > 1 && several.iter().all(|name| self.set(name).is_some()) {
                format!("write a comma between them: `[{}]`; ", several.join(", "))
            } else if let Some((name, _)) = name.split_once(':')
                && self.set(name).is_some()
            {
                format!("write a space behind the colon of `{name}:`; ")
            } else {
                did_you_mean(name, self.iter())
            };
            let help = format!("{hint}portvakt.yaml has {}", list(self.iter()));
            findings.report(Rule::UnknownEnvironment, span, &message, &help);
        }
        set
    }
}

/// The longest name of an alias, a group or a team, in characters: it is repeated for each access.
const LONGEST_NAME: usize = 100;

/// What is wrong with a name for an alias or a group. It must not be taken for an organisation
/// number, and it appears in messages and tables.
pub(crate) fn check_name(name: &str, span: Span, findings: &mut Findings) -> bool {
    let Some(message) = name_problem(name) else {
        return true;
    };
    let help = "a name is one word with at least one letter, such as `skatteetaten`";
    findings.report(Rule::Name, span, &message, help);
    false
}

/// Whether an alias, a group or a team can have the name.
pub(crate) fn is_name(name: &str) -> bool {
    name_problem(name).is_none()
}

fn name_problem(name: &str) -> Option<String> {
    let strange = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c);
    Some(if name.is_empty() {
        "an empty name".to_owned()
    } else if name.contains(strange) {
        format!("the name {} holds white space, or what cannot be seen", quoted(name))
    } else if name.chars().nth(LONGEST_NAME).is_some() {
        format!("the name {} has more than {LONGEST_NAME} characters", quoted(name))
    } else if name.chars().all(|c| c.is_ascii_digit()) {
        format!("the name {} looks like an organisation number", quoted(name))
    } else {
        return None;
    })
}

/// Whether an environment may have a name.
pub fn is_environment_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain);
    is_plain && !name.contains("--") && name.len() <= LONGEST_NAME
}

/// What is wrong with a name for an environment. It becomes part of a git ref and of a JSON file's
/// name, and stands as it is in the HTML comment by which jobs find a plan on a pull request: so it is
/// plain, and has no `--`, which no such comment can hold.
pub(crate) fn check_environment_name(name: &str, span: Span, findings: &mut Findings) {
    if !is_environment_name(name) {
        let message = format!("an environment cannot be named {}", quoted(name));
        let help = format!(
            "use letters a to z, digits, `_` and single `-`, at most {LONGEST_NAME}, beginning with a \
             letter or digit"
        );
        findings.report(Rule::Name, span, &message, &help);
    }
}

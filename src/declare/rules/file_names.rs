//! The environments that files are for, by the words of their names, and globs for such files.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::declare::read::environment::EnvironmentTarget;
use crate::declare::read::globs::PathPattern;
use crate::declare::read::manifest::values::is_values_folder;
use crate::declare::read::nais::{BEFORE, PRODUCTION};
use crate::declare::read::settings::Settings;

/// A glob for a file whose name has one of some words.
pub(super) type GlobOf<'f> = dyn Fn(&str, &BTreeSet<String>) -> Option<String> + 'f;

/// For each environment, globs of the files whose names are about it, which match none of all the files that are
/// about another one alone.
pub(crate) fn globs_by_environment(
    files: &BTreeSet<&str>,
    all: &BTreeSet<&str>,
    settings: &Settings,
    glob: &GlobOf<'_>,
) -> BTreeMap<String, BTreeSet<String>> {
    let environments = Words::of_environments(settings);
    let mut globs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for here in &environments {
        let Words { environment, is_production: _, own, usual } = here;
        let is_of_another = |file: &&str| {
            !here.are_of(file, glob) && environments.iter().any(|other| other.are_of(file, glob))
        };
        let others: Vec<&str> = all.iter().copied().filter(is_of_another).collect();
        let narrow = |(file, glob): (&str, String)| {
            let pattern = PathPattern::parse(&glob);
            let is_wide = pattern.is_some_and(|it| others.iter().any(|other| it.is_match(other)));
            if is_wide { globset::escape(file) } else { glob }
        };
        let by = |words: &BTreeSet<String>| -> BTreeSet<String> {
            files.iter().filter_map(|file| Some(narrow((file, glob(file, words)?)))).collect()
        };
        let chosen = Some(by(own)).filter(|globs| !globs.is_empty()).unwrap_or_else(|| by(usual));
        if !chosen.is_empty() {
            globs.insert(environment.clone(), chosen);
        }
    }
    globs
}

/// The words by which the name of a file can be about an environment.
pub(crate) struct Words {
    pub(crate) environment: String,
    pub(crate) is_production: bool,
    /// Those of its name and its cluster, which are of no other environment.
    own: BTreeSet<String>,
    /// Those that are usual for such an environment.
    usual: BTreeSet<String>,
}

impl Words {
    pub(crate) fn of_environments(settings: &Settings) -> Vec<Self> {
        let named = |environment: &str| {
            let set = settings.environment_names.set(environment);
            let cluster = set.and_then(|set| settings.nais.cluster(set)).unwrap_or_default();
            let all = words(environment).into_iter().chain(words(cluster));
            all.map(|(_, word)| word).collect::<BTreeSet<_>>()
        };
        let all: Vec<(&str, BTreeSet<String>)> =
            settings.environment_names.iter().map(|name| (name, named(name))).collect();
        let is_shared =
            |word: &String| all.len() > 1 && all.iter().all(|(_, own)| own.contains(word));
        let of = |(name, own): &(&str, BTreeSet<String>)| {
            let has = |words: &[&str]| words.iter().any(|word| own.contains(*word));
            let target = settings.environments.get(*name).map(|it| &it.target.value);
            let is_production = match target {
                _ if has(&PRODUCTION) => true,
                _ if has(&BEFORE) => false,
                Some(EnvironmentTarget::Prod) => true,
                Some(
                    EnvironmentTarget::Test
                    | EnvironmentTarget::Sandbox
                    | EnvironmentTarget::Custom(_),
                )
                | None => false,
            };
            let usual: &[&str] = if is_production { &PRODUCTION } else { &BEFORE };
            Self {
                environment: (*name).to_owned(),
                is_production,
                own: own.iter().filter(|word| !is_shared(word)).cloned().collect(),
                usual: usual.iter().map(|word| (*word).to_owned()).collect(),
            }
        };
        all.iter().map(of).collect()
    }

    /// Whether the name of a file has one of them.
    pub(super) fn are_of(&self, file: &str, glob: &GlobOf<'_>) -> bool {
        glob(file, &self.own).or_else(|| glob(file, &self.usual)).is_some()
    }
}

/// Characters between the words of a name.
const SEPARATORS: [char; 3] = ['-', '_', '.'];

/// Words that make another word of one for production behind them: `pre-prod` is `preprod`.
const NOT_YET: [&str; 3] = ["pre", "non", "not"];

/// The words of a text in lower case, each with its place.
fn words(text: &str) -> Vec<(Range<usize>, String)> {
    let mut words: Vec<(Range<usize>, String)> = Vec::new();
    let mut start = 0;
    for part in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        let place = start..start + word.len();
        start += part.len();
        let word = word.to_lowercase();
        let is_behind = |before: &Range<usize>| {
            text.get(before.end..place.start)
                .is_some_and(|it| SEPARATORS.iter().any(|c| it == c.to_string()))
        };
        match words.last_mut() {
            _ if word.is_empty() => {}
            Some((before, first))
                if PRODUCTION.contains(&&*word)
                    && NOT_YET.contains(&&**first)
                    && is_behind(before) =>
            {
                // `preprod` is known, whichever word for production is meant.
                first.push_str("prod");
                before.end = place.end;
            }
            _ => words.push((place, word)),
        }
    }
    words
}

/// A glob for a file whose path has one of the words, and for others that have it at the same place.
pub(crate) fn glob(file: &str, words: &BTreeSet<String>) -> Option<String> {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let own = self::words(stem);
    let is_known = |word: &&(Range<usize>, String)| words.contains(&word.1);
    let separator = |at: Option<usize>| {
        stem.get(at?..)?.chars().next().filter(|separator| SEPARATORS.contains(separator))
    };
    if is_one(stem, words) {
        return Some(format!("**/{stem}.{extension}"));
    }
    if let Some((place, _)) = own.last().filter(is_known)
        && let Some(separator) = separator(place.start.checked_sub(1))
        && let Some(last) = stem.get(place.start..)
        && place.end == stem.len()
    {
        return Some(format!("**/*{separator}{last}.{extension}"));
    }
    if let Some((place, _)) = own.first().filter(is_known)
        && let Some(separator) = separator(Some(place.end))
        && let Some(first) = stem.get(..place.end)
        && place.start == 0
    {
        return Some(format!("**/{first}{separator}*.{extension}"));
    }
    if own.iter().any(|word| is_known(&word)) {
        return Some(globset::escape(file));
    }
    let folder = folder.split('/').find(|folder| is_one(folder, words))?;
    Some(format!("**/{folder}/**"))
}

/// A glob for the files of the same name, if that has one of the words, or the name of their folder is one.
pub(crate) fn glob_by_name(file: &str, words: &BTreeSet<String>) -> Option<String> {
    let mut parts = file.rsplit('/');
    let (name, folder) = (parts.next().unwrap_or(file), parts.next().unwrap_or_default());
    let is_about = self::words(name).iter().any(|(_, word)| words.contains(word));
    if is_about && !is_values_folder(folder) {
        return Some(format!("**/{}", globset::escape(name)));
    }
    let is_chosen = is_about || is_one(folder, words);
    is_chosen.then(|| format!("**/{}/{}", globset::escape(folder), globset::escape(name)))
}

/// Whether a text is one of some words, in whatever case.
fn is_one(text: &str, words: &BTreeSet<String>) -> bool {
    match self::words(text).as_slice() {
        [(place, word)] => *place == (0..text.len()) && words.contains(word),
        _ => false,
    }
}

//! Files that portvakt.yaml selects.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use globset::{GlobSet, GlobSetBuilder};

use super::index::{SETTINGS_FILE, in_settings};
use super::is_yaml;
use crate::declare::diagnostic::rule::{Rule, Severity};
use crate::declare::diagnostic::{Diagnostic, quoted};
use crate::declare::read::globs::{PathPattern, PatternUse, covers};

/// The dot-folder of manifests.
const NAIS_FOLDER: &str = ".nais";

/// Files that portvakt.yaml selects. A glob that matches a folder applies to everything below it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileFilter {
    /// Only matching files are read; `None` for all.
    include: Option<GlobSet>,
    /// Matching files are not read.
    pub(super) exclude: GlobSet,
    /// Files with the values of templates.
    vars: GlobSet,
    /// The names of dot-files and dot-folders that are read as declarations.
    dot_names: BTreeSet<String>,
    /// The same with those that have the values of templates.
    visited: BTreeSet<String>,
    patterns: Vec<PathPattern>,
}

impl FileFilter {
    pub(crate) fn new(
        include: Option<GlobSet>,
        exclude: GlobSet,
        reads_nais: bool,
        patterns: Vec<PathPattern>,
    ) -> Self {
        let mut dot_names = dot_names(&patterns, PatternUse::Include);
        dot_names.extend(reads_nais.then(|| NAIS_FOLDER.to_owned()));
        let mut visited = self::dot_names(&patterns, PatternUse::Vars);
        visited.extend(dot_names.iter().cloned());
        let is_vars = |it: &&PathPattern| it.pattern_use == PatternUse::Vars;
        let vars = set_of(patterns.iter().filter(is_vars));
        Self { include, exclude, vars, dot_names, visited, patterns }
    }

    /// Whether a file is read: as declarations, or for the values of templates.
    pub(crate) fn is_chosen(&self, name: &str) -> bool {
        let is_included = || self.include.as_ref().is_none_or(|set| covers(set, name));
        name != SETTINGS_FILE && !self.is_excluded(name) && (self.has_values(name) || is_included())
    }

    /// Whether a file is YAML that is read.
    pub(crate) fn reads(&self, name: &str) -> bool {
        is_yaml(Path::new(name)) && self.is_chosen(name)
    }

    /// Whether a file has the values of templates.
    pub(crate) fn has_values(&self, name: &str) -> bool {
        covers(&self.vars, name)
    }

    /// Whether a path is never read: it belongs to other tools, or portvakt.yaml excludes it.
    pub(crate) fn is_excluded(&self, name: &str) -> bool {
        let names = if self.has_values(name) { &self.visited } else { &self.dot_names };
        name.split('/').any(|part| part.starts_with('.') && !names.contains(part))
            || covers(&self.exclude, name)
    }

    /// Whether a file or a folder of this name belongs to other tools.
    pub(super) fn is_hidden(&self, part: &str) -> bool {
        part.starts_with('.') && !self.visited.contains(part)
    }

    /// The names of dot-files and dot-folders in which something is read.
    pub(crate) fn visited(&self) -> &BTreeSet<String> {
        &self.visited
    }
}

/// The names with a dot that patterns write out.
fn dot_names(patterns: &[PathPattern], pattern_use: PatternUse) -> BTreeSet<String> {
    let patterns = patterns.iter().filter(|it| it.pattern_use == pattern_use);
    let parts = patterns.flat_map(|it| it.written.split('/'));
    let named = parts.filter(|part| part.starts_with('.') && !matches!(*part, "." | ".." | ".git"));
    named.map(str::to_owned).collect()
}

fn set_of<'p>(patterns: impl Iterator<Item = &'p PathPattern>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(pattern.glob.clone());
    }
    // A set that cannot be built was reported.
    set.build().unwrap_or_default()
}

/// The globs and folders of portvakt.yaml that match something.
pub(super) struct MatchedPatterns {
    set: GlobSet,
    patterns: Vec<PathPattern>,
    matched: Vec<AtomicBool>,
}

impl MatchedPatterns {
    pub(super) fn new(filter: &FileFilter) -> Self {
        let patterns = filter.patterns.clone();
        let matched = patterns.iter().map(|_| AtomicBool::new(false)).collect();
        Self { set: set_of(patterns.iter()), patterns, matched }
    }

    /// Notes a file or a folder.
    pub(super) fn note(&self, path: &Path) {
        for index in self.set.matches(path) {
            if let Some(matched) = self.matched.get(index) {
                matched.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Findings about those that match nothing.
    pub(super) fn unmatched(&self) -> impl Iterator<Item = Diagnostic> {
        let all = self.patterns.iter().zip(&self.matched);
        let is_matched = |matched: &AtomicBool| matched.load(Ordering::Relaxed);
        let reads_something = all
            .clone()
            .any(|(it, matched)| it.pattern_use == PatternUse::Include && is_matched(matched));
        let unmatched = all.filter(move |(_, matched)| !is_matched(matched));
        unmatched.map(move |(pattern, _)| unmatched_pattern(pattern, reads_something))
    }
}

/// `reads_something` is whether any glob of `include` matches.
fn unmatched_pattern(pattern: &PathPattern, reads_something: bool) -> Diagnostic {
    let PathPattern { written, glob: _, pattern_use, span } = pattern;
    let shown = quoted(written);
    let (message, help, severity) = match pattern_use {
        PatternUse::Include if !reads_something => (
            format!("no file matches {shown} of `include`, so no declaration at all is read"),
            "write it from the folder of portvakt.yaml, such as `nais/**`; without the key `include`, all \
             files are read",
            Severity::Warning,
        ),
        PatternUse::Include => (
            format!("no file matches {shown} of `include`, so it adds nothing to what is read"),
            "write it from the folder of portvakt.yaml, such as `nais/**`, or remove it",
            Severity::Warning,
        ),
        PatternUse::Exclude => (
            format!("no file matches {shown} of `exclude`"),
            "write it from the folder of portvakt.yaml, such as `charts/**`, or remove it",
            Severity::Note,
        ),
        PatternUse::Manifests => (
            format!("no file matches {shown} of `nais.manifests`"),
            "write it from the folder of portvakt.yaml, such as `**/dev*.yaml`, or remove it",
            Severity::Warning,
        ),
        PatternUse::Vars => (
            format!("no file matches {shown} of `nais.vars`"),
            "write the path from the folder of portvakt.yaml, such as `.nais/dev-vars.yaml`",
            Severity::Warning,
        ),
    };
    let place = in_settings(*span);
    Diagnostic::new(Rule::UnmatchedPath, &place, &message, help).with_severity(severity)
}

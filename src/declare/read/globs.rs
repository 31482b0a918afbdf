//! Globs of portvakt.yaml.

use std::path::Path;

use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::{Spanned, TextList};
use domain::kept;
use yaml::Span;

/// Purpose of a glob of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatternUse {
    /// `include`.
    Include,
    /// `exclude`.
    Exclude,
    /// `nais.manifests`.
    Manifests,
    /// `nais.vars`.
    Vars,
}

/// A glob of paths, and its place in portvakt.yaml.
#[derive(Debug, Clone)]
pub(crate) struct PathPattern {
    pub(crate) written: String,
    pub(crate) glob: Glob,
    pub(crate) pattern_use: PatternUse,
    pub(crate) span: Span,
}

impl PathPattern {
    /// A glob by itself.
    pub(crate) fn parse(written: &str) -> Option<GlobMatcher> {
        Some(path_glob(written).ok()?.compile_matcher())
    }
}

/// Globs of names of scopes or clients.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameGlobs {
    pub(crate) set: GlobSet,
    /// As they are written, in the order of the set.
    pub(crate) written: Vec<Spanned<String>>,
}

impl NameGlobs {
    pub(crate) fn read(written: TextList, findings: &mut Findings) -> Self {
        Self { set: name_globs(&written, findings), written: written.value }
    }
}

/// Globs of names as one matcher. `*` stops at nothing, unlike in paths, so that a protection covers what lies
/// below too.
pub(crate) fn name_globs(
    Spanned { value: globs, span }: &TextList,
    findings: &mut Findings,
) -> GlobSet {
    let mut set = Vec::new();
    for Spanned { value: glob, span } in globs {
        let built = Glob::new(&kept(glob));
        set.extend(built.map_err(|error| report(glob, &error, *span, findings)));
    }
    set_of(set, *span, findings)
}

/// Globs of paths, in which `*` stops at a slash: one matcher, and each by itself.
pub(crate) fn path_globs(
    Spanned { value: globs, span }: &TextList,
    pattern_use: PatternUse,
    findings: &mut Findings,
) -> (GlobSet, Vec<PathPattern>) {
    let mut patterns = Vec::new();
    for Spanned { value: written, span } in globs {
        match path_glob(written) {
            Ok(glob) => {
                let written = written.clone();
                patterns.push(PathPattern { written, glob, pattern_use, span: *span });
            }
            Err(error) => report(written, &error, *span, findings),
        }
    }
    let set = set_of(patterns.iter().map(|it| it.glob.clone()), *span, findings);
    (set, patterns)
}

/// Whether globs match a path, or a folder above it.
pub(crate) fn covers(set: &GlobSet, path: &str) -> bool {
    Path::new(path).ancestors().any(|path| path != Path::new("") && set.is_match(path))
}

fn path_glob(written: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(written.trim_end_matches('/')).literal_separator(true).build()
}

fn report(glob: &str, error: &globset::Error, span: Span, findings: &mut Findings) {
    let message = format!("{} is not a valid glob: {}", quoted(glob), error.kind());
    let help = "`*` matches anything, `?` one character, `[…]` one of several";
    findings.report(Rule::Glob, span, &message, help);
}

fn set_of(globs: impl IntoIterator<Item = Glob>, span: Span, findings: &mut Findings) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob);
    }
    set.build().unwrap_or_else(|error| {
        let message = format!("these globs cannot be used together: {}", error.kind());
        let help = "use fewer or shorter ones";
        findings.report(Rule::Glob, span, &message, help);
        GlobSet::empty()
    })
}

//! Globs of portvakt.yaml.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::{Spanned, TextList};
use domain::kept;

/// Globs as one matcher. In paths `*` stops at a slash; in scopes' names it stops at nothing, so
/// that a protection covers what lies below too.
pub(crate) fn globset(
    Spanned { value: globs, span }: &TextList,
    paths: bool,
    findings: &mut Findings,
) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for Spanned { value: glob, span } in globs {
        let written = if paths { glob.trim_end_matches('/').into() } else { kept(glob) };
        match GlobBuilder::new(&written).literal_separator(paths).build() {
            Ok(glob) => {
                set.add(glob);
            }
            Err(error) => {
                let message = format!("{} is no glob: {}", quoted(glob), error.kind());
                let help = "`*` stands for anything, `?` for one character, `[…]` for one of some";
                findings.report(Rule::Glob, *span, &message, help);
            }
        }
    }
    set.build().unwrap_or_else(|error| {
        let message = format!("these globs cannot be used together: {}", error.kind());
        let help = "use fewer or shorter ones";
        findings.report(Rule::Glob, *span, &message, help);
        GlobSet::empty()
    })
}

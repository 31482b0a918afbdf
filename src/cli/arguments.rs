//! Values of arguments.

use globset::{Glob, GlobMatcher};

use domain::kept;

/// A glob of names.
pub(super) fn glob(text: &str) -> Result<GlobMatcher, String> {
    if text.trim().is_empty() {
        return Err(
            "an empty pattern matches nothing; is a variable of the shell not set?".to_owned()
        );
    }
    Glob::new(&kept(text)).map(|glob| glob.compile_matcher()).map_err(|error| error.to_string())
}

/// Whether a name matches one of the globs, or there are none.
pub(super) fn is_chosen(globs: &[GlobMatcher], name: &str) -> bool {
    globs.is_empty() || globs.iter().any(|glob| glob.is_match(name))
}

/// A reason for the record, which is not empty.
pub(super) fn reason(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("say why: whoever looks at it later will ask"),
        reason => Ok(reason.to_owned()),
    }
}

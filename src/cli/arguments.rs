//! Globs on the command line.

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

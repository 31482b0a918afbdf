//! Globs on the command line.

use globset::{Glob, GlobMatcher};

use domain::kept;

/// A glob of names.
pub(super) fn glob(text: &str) -> Result<GlobMatcher, String> {
    Glob::new(&kept(text)).map(|glob| glob.compile_matcher()).map_err(|error| error.to_string())
}

//! Profiles: what `portvakt probe` has found out about an API.

use std::fs;
use std::path::Path;

use super::failure::Failure;
use super::files::shown;
use super::read::{MAX_FILE, read_file};
use digdir::{ApiId, ApiTarget};
use domain::text::printable;
use domain::{Behaviour, Profile};

/// Largest lag in a profile, in milliseconds: a probe measures less.
const LONGEST_LAG: u64 = 60_000;

/// Reads a profile of a repository, as [`read`] does. It must be in the repository: whoever can open a pull
/// request chooses the file, and what is wrong with it is shown.
///
/// # Errors
/// As of [`read`], or it is outside.
pub(crate) fn read_within(
    root: &Path,
    file: &str,
    api: Option<&ApiId>,
) -> Result<Behaviour, Failure> {
    let path = root.join(file);
    let is_within = |path: &Path| fs::canonicalize(root).is_ok_and(|root| path.starts_with(root));
    match fs::canonicalize(&path) {
        Ok(real) if !is_within(&real) => Err(Failure::Failed(format!(
            "the profile {} is outside of the repository. Put it beside portvakt.yaml",
            printable(file)
        ))),
        Ok(_) | Err(_) => read(&path, api),
    }
}

/// Reads a profile, which must be one of this API if that is known.
///
/// # Errors
/// It cannot be read, is no profile of a known version, or is one of another API.
pub(crate) fn read(path: &Path, api: Option<&ApiId>) -> Result<Behaviour, Failure> {
    let failed = |why: String| {
        let path = shown(path);
        Failure::Failed(format!("the profile {path} {why}. Write it with `portvakt probe`"))
    };
    let bytes = read_file(path, MAX_FILE).map_err(failed)?;
    let profile: Profile = serde_json::from_slice(&bytes)
        .map_err(|error| failed(format!("is not a profile: {error}")))?;
    let Profile { format_version, api: probed, probed_at: _, behaviour } = profile;
    if format_version != Profile::FORMAT_VERSION {
        return Err(failed(format!(
            "has format_version {format_version}, and this program reads {}",
            Profile::FORMAT_VERSION
        )));
    }
    if behaviour.read_lag.is_some_and(|lag| lag > LONGEST_LAG) {
        return Err(failed(format!("has a read_lag of more than {LONGEST_LAG} ms")));
    }
    let is_other = |api: &ApiId| {
        ApiTarget::custom(&probed, ApiTarget::test().issuer.as_str())
            .map_or(true, |target| target.api_id() != *api)
    };
    match api.is_some_and(is_other) {
        true => Err(failed(format!("is of another API, {}", printable(&probed)))),
        false => Ok(behaviour),
    }
}

//! Profiles: what `portvakt probe` has found out about an API.

use std::path::Path;

use super::failure::Failure;
use super::read::{MAX_FILE, read_file};
use digdir::{ApiId, Target};
use domain::text::printable;
use domain::{Behaviour, Profile};

/// Reads a profile, which must be one of this API if that is known.
///
/// # Errors
/// It cannot be read, is no profile of a known version, or is one of another API.
pub(crate) fn read(path: &Path, api: Option<&ApiId>) -> Result<Behaviour, Failure> {
    let failed = |why: String| {
        let path = path.to_string_lossy();
        Failure::Failed(format!(
            "the profile {} {why}. Write it with `portvakt probe`",
            printable(&path)
        ))
    };
    let bytes = read_file(path, MAX_FILE).map_err(|why| failed(why.to_string()))?;
    let profile: Profile = serde_json::from_slice(&bytes)
        .map_err(|error| failed(format!("is not a profile: {error}")))?;
    let Profile { format_version, api: probed, probed_at: _, behaviour } = profile;
    if format_version != Profile::FORMAT_VERSION {
        return Err(failed(format!(
            "has format_version {format_version}, and this program reads {}",
            Profile::FORMAT_VERSION
        )));
    }
    let is_other = |api: &ApiId| {
        Target::custom(&probed, Target::test().issuer.as_str())
            .map_or(true, |target| target.api_id() != *api)
    };
    match api.is_some_and(is_other) {
        true => Err(failed(format!("is of another API, {}", printable(&probed)))),
        false => Ok(behaviour),
    }
}

//! The release that this program comes from. `release.yml` sets the variables while it builds; without them
//! it is a development build, which does not know where it is published.

/// Version of the program, as in Cargo.toml.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The tag of the release of this version.
pub(super) const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The release that this program comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Release {
    /// `OWNER/NAME` on GitHub.
    pub(super) repository: &'static str,
    /// The commit of the tag, in hex digits.
    pub(super) commit: &'static str,
    /// The run that built it.
    build: &'static str,
}

/// The release; `None` for a development build.
pub(super) const fn release() -> Option<Release> {
    let (repository, commit) = (option_env!("PORTVAKT_REPOSITORY"), option_env!("PORTVAKT_COMMIT"));
    match (repository, commit, option_env!("PORTVAKT_BUILD")) {
        (Some(repository), Some(commit), Some(build)) => {
            Some(Release { repository, commit, build })
        }
        _ => None,
    }
}

/// The version with the commit and the build that it comes from.
pub(super) fn version() -> String {
    described(release())
}

fn described(release: Option<Release>) -> String {
    match release {
        Some(Release { repository, commit, build }) => {
            format!("{VERSION} (commit {commit} of {repository}, build {build})")
        }
        None => format!("{VERSION} (development build)"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Release, described};

    #[test]
    fn a_version_names_commit_and_build_of_a_release() {
        let release = Release { repository: "etat/portvakt", commit: "4f2a", build: "7.1" };
        let version = env!("CARGO_PKG_VERSION");
        let shown = format!("{version} (commit 4f2a of etat/portvakt, build 7.1)");
        assert_eq!(described(Some(release)), shown);
        assert_eq!(described(None), format!("{version} (development build)"));
    }
}

//! Where a CI gets the program from.

use std::fmt;
use std::str::FromStr;

use crate::cli::release::{self, Release};

/// Source of portvakt for the CI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct ProgramSource {
    /// `OWNER/NAME` on GitHub.
    repository: String,
    /// The tag or commit that the action is pinned to.
    pin: String,
    /// The tag of the release.
    tag: String,
}

/// The number of hexadecimal digits of a commit on GitHub.
const COMMIT_DIGITS: usize = 40;

/// The placeholders of the templates.
const REPOSITORY: &str = "OWNER/portvakt";

impl ProgramSource {
    /// The release that this program comes from, by its commit; the placeholders of the templates for a
    /// development build.
    pub(super) fn of_this_program() -> Self {
        let tag = release::TAG.to_owned();
        match release::release() {
            Some(Release { repository, commit, .. }) => {
                Self { repository: repository.to_owned(), pin: commit.to_owned(), tag }
            }
            None => Self { repository: REPOSITORY.to_owned(), pin: tag.clone(), tag },
        }
    }

    /// Whether somebody has to say yet where portvakt is published.
    pub(super) fn is_placeholder(&self) -> bool {
        self.repository.starts_with("OWNER/")
    }

    /// Whether it is a commit, without the tag of its release.
    pub(super) fn is_commit(&self) -> bool {
        self.pin == self.tag && is_commit(&self.tag)
    }

    /// The repository and its tag, where the action is named by a tag, which can be moved.
    pub(super) fn movable(&self) -> Option<(&str, &str)> {
        (self.pin == self.tag && !self.is_commit() && !self.is_placeholder())
            .then_some((self.repository.as_str(), self.tag.as_str()))
    }

    /// A template with this source in the place of its placeholders; `tag` is the tag in the template.
    pub(super) fn fill(&self, template: &str, tag: &str) -> String {
        let Self { repository, pin, tag: own } = self;
        let pinned = match pin == own {
            true => format!("{repository}@{pin}"),
            false => format!("{repository}@{pin} # {own}"),
        };
        // Names of images are in lower case.
        let image = format!("ghcr.io/{}", repository.to_lowercase());
        template
            .replace(&format!("{REPOSITORY}@{tag}"), &pinned)
            .replace(&format!("ghcr.io/{REPOSITORY}"), &image)
            .replace(REPOSITORY, repository)
            .replace(tag, own)
    }
}

/// Whether a text is the same in YAML, in a glob, in git and in a shell: plain letters, digits and `more`.
pub(super) fn is_plain(text: &str, more: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

fn is_commit(text: &str) -> bool {
    text.len() == COMMIT_DIGITS && text.chars().all(|c| c.is_ascii_hexdigit())
}

/// Whether a text is the name of a version, and not of a branch.
fn is_version(text: &str) -> bool {
    let number =
        text.strip_prefix('v').unwrap_or(text).split(['.', '-']).next().unwrap_or_default();
    !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

impl fmt::Display for ProgramSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.pin)
    }
}

impl FromStr for ProgramSource {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('@').and_then(|(repository, tag)| {
            let (owner, name) = repository.split_once('/')?;
            Some((owner, name, repository, tag))
        });
        match parts {
            Some((owner, name, repository, tag))
                if [owner, name, tag].into_iter().all(|part| is_plain(part, "-_."))
                    && (is_commit(tag) || is_version(tag)) =>
            {
                let (repository, tag) = (repository.to_owned(), tag.to_owned());
                Ok(Self { repository, pin: tag.clone(), tag })
            }
            _ => Err(
                "say OWNER/NAME@TAG with the tag of a release, such as v1.2.0, or for GitHub its \
                      commit, in 40 hexadecimal digits",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ProgramSource;

    #[test]
    fn a_release_is_pinned_by_its_commit_with_the_version_behind_it() {
        let source = ProgramSource {
            repository: "Etat/vakt".to_owned(),
            pin: "4f2a".to_owned(),
            tag: "v2.0.0".to_owned(),
        };
        let template = "uses: OWNER/portvakt@v1\nimage: ghcr.io/OWNER/portvakt/ci:v1\n\
                        from: https://github.com/OWNER/portvakt/releases/download/v1\n";
        let expected = "uses: Etat/vakt@4f2a # v2.0.0\nimage: ghcr.io/etat/vakt/ci:v2.0.0\n\
                        from: https://github.com/Etat/vakt/releases/download/v2.0.0\n";
        assert_eq!(source.fill(template, "v1"), expected);
        let given: ProgramSource = "etat/vakt@v3".parse().unwrap();
        assert!(given.fill(template, "v1").starts_with("uses: etat/vakt@v3\n"));
    }

    #[test]
    fn what_is_given_is_a_version_or_a_commit() {
        let commit = "4f2a".repeat(10);
        for (given, is_commit, is_movable) in [
            ("v1", false, true),
            ("v1.2.0-rc.1", false, true),
            ("1.2.0", false, true),
            (commit.as_str(), true, false),
        ] {
            let source: ProgramSource = format!("etat/vakt@{given}").parse().unwrap();
            assert_eq!((source.is_commit(), source.movable().is_some()), (is_commit, is_movable));
        }
        for given in ["main", "4f2a", "v", "release/v1", "", "latest"] {
            assert!(format!("etat/vakt@{given}").parse::<ProgramSource>().is_err(), "{given}");
        }
    }
}

//! Where a CI gets the program from.

use std::fmt;
use std::str::FromStr;

use crate::cli::release::{self, Release};

/// Source of portvakt for the CI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct ProgramSource {
    /// `OWNER/NAME` on GitHub.
    repository: String,
    /// What the action is pinned by: a tag or commit.
    pin: String,
    /// The tag of the release.
    tag: String,
}

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

impl fmt::Display for ProgramSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.pin)
    }
}

impl FromStr for ProgramSource {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The value becomes part of YAML and of command lines.
        let plain = |text: &str, more: &str| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
            text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_plain)
        };
        let parts = text.split_once('@').and_then(|(repository, tag)| {
            let (owner, name) = repository.split_once('/')?;
            Some((owner, name, repository, tag))
        });
        match parts {
            Some((owner, name, repository, tag))
                if plain(owner, "-_.") && plain(name, "-_.") && plain(tag, "-_./") =>
            {
                let (repository, tag) = (repository.to_owned(), tag.to_owned());
                Ok(Self { repository, pin: tag.clone(), tag })
            }
            _ => Err("say OWNER/NAME@TAG, as in the `uses` of a GitHub workflow"),
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
}

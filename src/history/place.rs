//! A place: a portvakt folder in a git repository and one of its environments. Places share nothing.

use git2::Reference;

use super::error::Error;
use super::refs;
use crate::declare;

/// Prefix of a project's name in refs.
const PROJECT: char = '@';

/// The name of a folder of declarations within its git repository, as it is `named` or else by its path from
/// the top, with `.` for `/`; `None` for the top itself.
pub fn project(named: Option<&str>, folder: &str) -> Option<String> {
    let folder = folder.trim_matches('/');
    let by_folder = || (!folder.is_empty()).then(|| folder.replace('/', "."));
    named.map(str::to_owned).or_else(by_folder)
}

/// The name of a place, in refs and in the marker of a comment: its environment where there is no project,
/// else `@<project>/<environment>`.
pub fn place_name(project: Option<&str>, environment: &str) -> String {
    match project {
        None => environment.to_owned(),
        Some(project) => format!("{PROJECT}{project}/{environment}"),
    }
}

/// Whether a text is a possible name of a place: refs of any other name are ignored, and a name is safe in a
/// suggested command.
pub(super) fn is_place(name: &str) -> bool {
    let is_environment = |name: &str| declare::is_environment_name(name);
    match name.split_once('/') {
        None => is_environment(name),
        Some((project, environment)) => {
            let project = project.strip_prefix(PROJECT);
            project.is_some_and(declare::is_project_name) && is_environment(environment)
        }
    }
}

/// Whether a text is the path of a folder in a git repository, from its top and with `/` between its parts,
/// so that it leads nowhere else: whoever can push writes some of the paths that are read.
pub fn is_folder(text: &str) -> bool {
    let is_part =
        |part: &str| !["", ".", "..", ".git"].contains(&part) && !part.contains(char::is_control);
    text.is_empty() || text.split('/').all(is_part)
}

/// Checks that a place's name is valid in a ref.
pub(super) fn check(name: &str) -> Result<(), Error> {
    let is_valid = |name: &str| Reference::is_valid_name(&refs::applied(name));
    match (is_place(name) && is_valid(name), name.rsplit_once('/')) {
        (true, _) => Ok(()),
        (false, Some((project, environment))) if is_valid(environment) => {
            Err(Error::Project(project.trim_start_matches(PROJECT).to_owned()))
        }
        (false, _) => Err(Error::Name(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_called_by_its_project_or_its_folder() {
        let name = |named, folder| place_name(project(named, folder).as_deref(), "test");
        assert_eq!(name(None, ""), "test");
        assert_eq!(name(None, "a"), "@a/test");
        assert_eq!(name(None, "tilgang/digdir/"), "@tilgang.digdir/test");
        assert_eq!(name(Some("plattform"), ""), "@plattform/test");
        assert_eq!(name(Some("plattform"), "a/b"), "@plattform/test");
    }

    #[test]
    fn only_a_path_within_the_repository_is_a_folder() {
        for (folder, counts) in [
            ("", true),
            ("a", true),
            ("tilgang/æ b", true),
            ("/etc", false),
            ("a/", false),
            ("a//b", false),
            ("..", false),
            ("a/../../b", false),
            ("./a", false),
            (".git", false),
            ("a\0b", false),
            ("a\u{1b}[31m", false),
        ] {
            assert_eq!(is_folder(folder), counts, "{folder:?}");
        }
    }

    #[test]
    fn only_what_git_takes_in_a_ref_is_a_place() {
        for (name, counts) in [
            ("test", true),
            ("@a/test", true),
            ("@a.b/test", true),
            ("a/test", false),
            ("@a", false),
            ("@a/b/test", false),
            ("@a b/test", false),
            ("@a..b/test", false),
            ("te st", false),
        ] {
            assert_eq!(check(name).is_ok(), counts, "{name}");
        }
        assert!(matches!(check("@a b/test"), Err(Error::Project(project)) if project == "a b"));
    }
}

//! Discovery and opening of git repositories, in one place.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use git2::{ErrorCode, Repository};

use super::error::Error;

/// The folder, or file, that marks a repository.
const DOT_GIT: &str = ".git";

/// Opens the git repository of a folder; `None` where there is none.
///
/// It is found only by a `.git` entry, in the folder itself or in the nearest folder above it: a folder, or
/// the file of a linked work tree or a submodule. git and libgit2 would also accept a folder with `HEAD`,
/// `config`, `objects` and `refs` as a bare repository. The author of a pull request can add those, and a
/// `config` names programs that git runs. Nobody can add `.git`: git refuses that name in a tree.
///
/// # Errors
/// The repository cannot be opened, or belongs to another user.
pub(super) fn discover(folder: &Path) -> Result<Option<Repository>, Error> {
    let start = real(folder);
    let ceilings = ceilings();
    for above in start.ancestors() {
        // A ceiling is not searched, unless the search begins there.
        if above != start && ceilings.iter().any(|ceiling| ceiling == above) {
            break;
        }
        if let Some(repository) = open(above)? {
            return Ok(Some(repository));
        }
    }
    Ok(None)
}

/// Opens the git repository whose work tree is this folder; `None` where it has no valid `.git` entry.
///
/// # Errors
/// The repository cannot be opened, or belongs to another user.
pub(super) fn open(folder: &Path) -> Result<Option<Repository>, Error> {
    let Ok(dot_git) = folder.join(DOT_GIT).symlink_metadata() else { return Ok(None) };
    match Repository::open(folder) {
        // libgit2 tries the folder itself where its `.git` is not a repository.
        Ok(repository) if real(repository.path()) == real(folder) => Ok(None),
        Ok(repository) => Ok(Some(repository)),
        // A folder of that name with other content is ignored, as git does.
        Err(error) if error.code() == ErrorCode::NotFound && dot_git.is_dir() => Ok(None),
        Err(error) if error.code() == ErrorCode::Owner => {
            trusted(folder).map(Some).ok_or_else(|| Error::open(folder, &error))
        }
        Err(error) => Err(Error::open(folder, &error)),
    }
}

/// A folder's path from the top of the work tree. A sparse checkout may leave the folder out.
pub(super) fn below(repository: &Repository, folder: &Path) -> Option<PathBuf> {
    let top = repository.workdir()?;
    let (real, real_top) = (folder.canonicalize(), top.canonicalize().ok()?);
    let (folder, top) = match &real {
        Ok(folder) => (folder.as_path(), real_top.as_path()),
        Err(_) => (folder, top),
    };
    Some(folder.strip_prefix(top).ok()?.to_path_buf())
}

/// Opens the repository of a submodule where git keeps it, inside the repository around it. Its work tree may
/// be missing.
pub(super) fn kept(folder: &Path) -> Option<Repository> {
    Repository::open_bare(folder).ok()
}

/// Variables that tell git which repositories its user trusts. Nothing else is in the environment of the git
/// that is asked.
const OF_THE_USER: [&str; 9] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_SYSTEM",
    "SUDO_UID",
];
/// Prefixes of the variables that hold the settings which GIT_CONFIG_COUNT counts.
const SETTINGS: [&str; 2] = ["GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"];

/// Opens the repository of another user if git itself trusts it: libgit2 does not know all places where
/// `safe.directory` may be set.
fn trusted(folder: &Path) -> Option<Repository> {
    let is_passed = |name: &OsStr| {
        let Some(name) = name.to_str() else { return false };
        OF_THE_USER.contains(&name) || SETTINGS.iter().any(|begin| name.starts_with(begin))
    };
    let environment = std::env::vars_os().filter(|(name, _)| is_passed(name));
    let mut git = Command::new("git");
    git.env_clear().envs(environment).stdin(Stdio::null());
    git.arg("-C").arg(folder).args(["-c", "safe.bareRepository=explicit"]);
    let asked = git.args(["rev-parse", "--absolute-git-dir"]).output().ok()?;
    let found = String::from_utf8(asked.stdout).ok().filter(|_| asked.status.success())?;
    let found = PathBuf::from(found.trim_end_matches(['\r', '\n']));
    // The repository must be that of this folder, and not of one above it.
    let dot_git = folder.join(DOT_GIT);
    let is_own = match dot_git.is_dir() {
        true => real(&found) == real(&dot_git),
        false => real(&found) != real(folder),
    };
    let repository = Repository::open_bare(&found).ok().filter(|_| is_own)?;
    repository.set_workdir(folder, false).ok()?;
    Some(repository)
}

/// A folder's path with symbolic links resolved, as git does: the folders above it are those above the target
/// of a link.
fn real(folder: &Path) -> PathBuf {
    let absolute = || std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    match cfg!(unix) {
        true => folder.canonicalize().unwrap_or_else(|_| absolute()),
        // libgit2 cannot read the form that Windows has for such a path.
        false => absolute(),
    }
}

/// The folders at which the user has configured git to stop the search.
fn ceilings() -> Vec<PathBuf> {
    let listed = std::env::var_os("GIT_CEILING_DIRECTORIES").unwrap_or_default();
    std::env::split_paths(&listed)
        .filter(|ceiling| ceiling.is_absolute())
        .map(|ceiling| real(&ceiling))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use git2::Repository;
    use tempfile::TempDir;

    use super::{discover, real};

    /// Creates the files by which git and libgit2 recognise a repository.
    fn looks_bare(folder: &Path) {
        Repository::init_bare(folder).unwrap();
    }

    #[test]
    fn a_repository_is_found_by_a_dot_git_entry_alone() {
        let top = TempDir::new().unwrap();
        let top = real(top.path());
        let found = |folder: &Path| discover(folder).unwrap().map(|found| real(found.path()));
        for below in ["plain", "a/b"] {
            looks_bare(&top.join("outside").join(below));
            assert_eq!(found(&top.join("outside").join(below)), None, "{below}");
        }
        let main = top.join("main");
        let repository = Repository::init(&main).unwrap();
        let its_own = Some(main.join(".git"));
        // In the folder itself, below it, and with an invalid `.git` in it.
        for below in ["", "declarations", "a/b/c"] {
            let folder = main.join(below);
            looks_bare(&folder);
            assert_eq!(found(&folder), its_own, "{below}");
        }
        fs::create_dir_all(main.join("declarations/.git/hooks")).unwrap();
        assert_eq!(found(&main.join("declarations")), its_own);
        // A folder behind a symbolic link, one that does not exist, and one in `.git`.
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(main.join("a/b"), top.join("link")).unwrap();
            assert_eq!(found(&top.join("link")), its_own);
            assert_eq!(found(&top.join("link/c")), its_own);
        }
        assert_eq!(found(&main.join("not/there")), its_own);
        assert_eq!(found(&main.join(".git/refs")), its_own);
        // A linked work tree has a file that points to its own folder in the repository.
        let who = git2::Signature::now("a", "a@example.invalid").unwrap();
        let tree = repository.find_tree(repository.treebuilder(None).unwrap().write().unwrap());
        repository.commit(Some("HEAD"), &who, &who, "x", &tree.unwrap(), &[]).unwrap();
        let linked = top.join("linked");
        repository.worktree("linked", &linked, None).unwrap();
        looks_bare(&linked);
        let own = discover(&linked).unwrap().unwrap();
        assert!(own.is_worktree());
        assert_eq!(real(own.workdir().unwrap()), linked);
        // A file that points nowhere is an error: it is not known what was applied.
        fs::write(main.join("a/.git"), "gitdir: /nowhere\n").unwrap();
        assert!(discover(&main.join("a/b")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_work_tree_of_a_dot_git_that_is_a_link_is_the_folder_that_holds_it() {
        let top = TempDir::new().unwrap();
        let top = real(top.path());
        let repository = Repository::init(top.join("kept/elsewhere")).unwrap();
        let tree = top.join("tree");
        fs::create_dir(&tree).unwrap();
        std::os::unix::fs::symlink(repository.path(), tree.join(".git")).unwrap();
        let found = discover(&tree).unwrap().unwrap();
        assert_eq!(real(found.workdir().unwrap()), tree);
    }
}

//! The remote of a git repository.

use git2::Repository;

use super::error::Error;
use super::program::Git;

/// The remote that holds the refs: the one that the user has set in git, else `origin`, else the only one.
pub(super) fn remote(repository: &Repository, program: &Git) -> Result<Option<String>, Error> {
    let listed = repository.remotes().map_err(|error| Error::read("the remotes", &error))?;
    let names: Vec<String> = listed.iter().flatten().flatten().map(str::to_owned).collect();
    // Without a remote, git need not be installed.
    let chosen = || program.setting("path", "portvakt.remote");
    let chosen = if names.is_empty() { String::new() } else { chosen()? };
    let chosen = Some(chosen).filter(|chosen| !chosen.is_empty());
    let is_there = |name: &String| names.contains(name);
    match (chosen, names.as_slice()) {
        (Some(chosen), _) if is_there(&chosen) => Ok(Some(chosen)),
        (Some(chosen), _) => Err(Error::NoRemote { chosen, names }),
        (_, _) if is_there(&"origin".to_owned()) => Ok(Some("origin".to_owned())),
        (_, []) => Ok(None),
        (_, [only]) => Ok(Some(only.clone())),
        (_, several) => Err(Error::Remotes(several.to_vec())),
    }
}

//! Ids of git's objects.

use git2::{ObjectFormat, Oid, Repository};

use super::error::Error;

/// Whether a text is the full id of a commit.
pub fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The id of a commit from its text.
pub(super) fn oid(repository: &Repository, commit: &str) -> Result<Oid, Error> {
    let format = repository.object_format();
    parsed(format, commit).map_err(|error| Error::read("a commit's id", &error))
}

/// The id of an object in a repository of a format. An id of another format is refused: libgit2 writes beyond
/// its buffer if it looks for one.
pub(super) fn parsed(format: ObjectFormat, id: &str) -> Result<Oid, git2::Error> {
    let digits = match format {
        ObjectFormat::Sha256 => 64,
        _ => 40,
    };
    match id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => Oid::from_str_ext(id, format),
        false => Err(git2::Error::from_str("it is not the id of an object in this repository")),
    }
}

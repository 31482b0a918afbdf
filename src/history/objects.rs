//! Objects of git, none of which is loaded before its size is known: whoever can push chooses it.

use git2::{ObjectType, Oid, Repository};

/// The largest commit that is read, in bytes, its message and signature included.
pub(super) const LARGEST_COMMIT: usize = 1024 * 1024;
/// The largest folder that is read, in bytes: about 300,000 entries.
pub(super) const LARGEST_TREE: usize = 16 * 1024 * 1024;

/// Whether an object has at most so many bytes. One that is not there is left to whoever reads it.
pub(super) fn is_small(repository: &Repository, oid: Oid, largest: usize) -> bool {
    let header = repository.odb().and_then(|objects| objects.read_header(oid));
    header.map_or(true, |(size, _)| size <= largest)
}

/// The content of a blob of at most so many bytes; `None` for a larger one, and for what is no blob.
pub(super) fn blob(
    repository: &Repository,
    oid: Oid,
    largest: usize,
) -> Result<Option<Vec<u8>>, git2::Error> {
    match repository.odb()?.read_header(oid)? {
        (size, ObjectType::Blob) if size <= largest => {
            Ok(Some(repository.find_blob(oid)?.content().to_vec()))
        }
        _ => Ok(None),
    }
}

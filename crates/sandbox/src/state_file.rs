//! The file that keeps the state from one run to the next.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{SandboxError, State};

/// A state file that belongs to this process: an advisory lock on `<file>.lock` is held until
/// this value is dropped. Take it before reading the state, so that nothing comes in between.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    _lock: File,
}

impl StateFile {
    /// Takes the file, which need not exist yet; its folder is made if it is missing.
    ///
    /// # Errors
    /// [`SandboxError::InUse`] if another sandbox has it, [`SandboxError::File`] if folder or
    /// lock cannot be made.
    pub fn open(path: &Path) -> Result<Self, SandboxError> {
        let folder = folder_of(path);
        fs::create_dir_all(folder).map_err(at(folder, "make the folder"))?;
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(at(&lock_path, "open"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(SandboxError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(at(&lock_path, "lock")(source)),
        }
    }

    /// The state in it; `None` if the file does not exist yet.
    ///
    /// # Errors
    /// As [`State::load`].
    pub fn load(&self) -> Result<Option<State>, SandboxError> {
        State::load(&self.path)
    }

    /// Writes a state as JSON: the whole of it or, if anything goes wrong, nothing.
    pub(super) fn write(&self, json: &[u8]) -> Result<(), SandboxError> {
        write_atomically(&self.path, json)
    }
}

impl State {
    /// The state that a file holds; `None` if there is no such file.
    ///
    /// # Errors
    /// [`SandboxError::Corrupt`] if it holds anything else, [`SandboxError::File`] if it cannot
    /// be read.
    pub fn load(path: &Path) -> Result<Option<Self>, SandboxError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(path, "read")(error)),
        };
        let state = serde_json::from_slice(&bytes)
            .map_err(|source| SandboxError::Corrupt { path: path.to_owned(), source })?;
        Ok(Some(state))
    }
}

/// Writes beside the file, forces it to the disk and renames it. On unix its mode is 0600 then.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
    let write = || -> io::Result<()> {
        complete(path, bytes)?.persist(path)?;
        // The rename itself is in the folder; not every system can force a folder to the disk.
        if let Ok(folder) = File::open(folder_of(path)) {
            let _ = folder.sync_all();
        }
        Ok(())
    };
    write().map_err(at(path, "write"))
}

/// Has git leave the folder out, so that a sandbox's state does not make a repository dirty.
pub(super) fn keep_out_of_git(folder: &Path) -> Result<(), SandboxError> {
    let path = folder.join(".gitignore");
    if path.exists() {
        return Ok(());
    }
    fs::write(&path, "*\n").map_err(at(&path, "write"))
}

/// Makes a file that only its owner can read, and its folder if that is missing. A file that is
/// there already is an error.
pub(super) fn create_private(path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder_of(path))?;
        complete(path, bytes)?.persist_noclobber(path)?;
        Ok(())
    };
    write().map_err(at(path, "write"))
}

/// A whole file beside `path`, on the disk. On unix its mode is 0600, as `tempfile` makes it.
fn complete(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(folder_of(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

pub(super) fn at<'a>(
    path: &'a Path,
    doing: &'static str,
) -> impl Fn(io::Error) -> SandboxError + 'a {
    move |source| SandboxError::File { doing, path: path.to_owned(), source }
}

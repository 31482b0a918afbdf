//! Files that use cases write: private ones, and replacements of existing ones.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::failure::Failure;
use domain::secret;
use domain::text::printable;

/// A path as text that is safe to show.
pub(crate) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy()).into_owned()
}

/// The failure to write a file, with the reason.
fn cannot_be_written(path: &Path, why: &dyn Display) -> Failure {
    Failure::Failed(format!("{} cannot be written: {why}", shown(path)))
}

/// The target of a file's path, if it may be written: a symbolic link is kept.
pub(crate) fn writable(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: &dyn Display| cannot_be_written(path, error);
    let real = fs::canonicalize(path).map_err(|error| failed(&error))?;
    let metadata = fs::metadata(&real).map_err(|error| failed(&error))?;
    match metadata.permissions().readonly() {
        true => Err(failed(&"it is read-only")),
        false => Ok(real),
    }
}

/// Replaces a file atomically: an interruption leaves either the old or the new one.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let persisted = whole(path, text).and_then(|new| {
        new.as_file().set_permissions(fs::metadata(path)?.permissions())?;
        Ok(new.persist(path)?)
    });
    persisted.map(drop).map_err(|error| cannot_be_written(path, &error))
}

/// As [`replace`], and the new file is private (mode 0600 on unix), whatever the old one was.
pub(crate) fn replace_private(path: &Path, text: &str) -> Result<(), Failure> {
    let persisted = whole(path, text).and_then(|new| Ok(new.persist(path)?));
    persisted.map(drop).map_err(|error| cannot_be_written(path, &error))
}

/// As [`create_private`], in a folder that exists, and the file is never there in part.
pub(crate) fn create_whole_private(path: &Path, text: &str) -> Result<(), Failure> {
    let persisted = whole(path, text).and_then(|new| Ok(new.persist_noclobber(path)?));
    persisted.map(drop).map_err(|error| cannot_be_written(path, &error))
}

/// A temporary file beside a path, which is private. It is on the disk before it gets its name: a crash must not leave
/// an empty file in the place of the old one.
fn whole(path: &Path, text: &str) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut new = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    Ok(new)
}

/// Creates a file, or replaces the existing one atomically; secrets that were read are redacted.
pub(crate) fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let text = &*secret::redact(text);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => replace(&writable(path)?, text),
        Ok(_) => Err(cannot_be_written(path, &"it is there, and no file")),
        Err(_) => create(path, text),
    }
}

/// Creates a new file with this content; nothing is overwritten, and no symbolic link is followed. Its folder
/// is created too.
pub(crate) fn create(path: &Path, text: &str) -> Result<(), Failure> {
    made(path, text, OpenOptions::new().write(true).create_new(true))
}

/// The same for a private file (mode 0600 on unix).
pub(crate) fn create_private(path: &Path, text: &str) -> Result<(), Failure> {
    made(path, text, private(OpenOptions::new().write(true).create_new(true)))
}

/// Writes all of several files or none: after a failure, what was written before is taken back.
pub(crate) fn all_or_none<T>(
    write: impl FnOnce(&mut WrittenFiles) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut written = WrittenFiles(Vec::new());
    write(&mut written).map_err(|failure| written.undo(failure))
}

/// Files that [`all_or_none`] has written so far.
pub(crate) struct WrittenFiles(Vec<FileStep>);

enum FileStep {
    Created(PathBuf),
    /// A folder that was not there before.
    Folder(PathBuf),
    Replaced {
        path: PathBuf,
        before: String,
    },
    Removed {
        path: PathBuf,
        before: String,
    },
}

impl WrittenFiles {
    /// As [`put`].
    pub(crate) fn put(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        let text = &*secret::redact(text);
        match path.is_file() {
            true => self.replace(path, text),
            false => self.create(path, text),
        }
    }

    /// Removes a file of text.
    pub(crate) fn remove(&mut self, path: &Path) -> Result<(), Failure> {
        let removed = fs::read_to_string(path).and_then(|before| {
            fs::remove_file(path)?;
            Ok(before)
        });
        let before = removed.map_err(|error| {
            Failure::Failed(format!("{} cannot be removed: {error}", shown(path)))
        })?;
        self.0.push(FileStep::Removed { path: path.to_owned(), before });
        Ok(())
    }

    /// As [`create`].
    pub(crate) fn create(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        self.note_folder(path);
        create(path, text)?;
        self.0.push(FileStep::Created(path.to_owned()));
        Ok(())
    }

    /// As [`create_private`].
    pub(crate) fn create_private(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        self.note_folder(path);
        create_private(path, text)?;
        self.0.push(FileStep::Created(path.to_owned()));
        Ok(())
    }

    /// Creates a new private folder (mode 0700 on unix).
    pub(crate) fn create_private_folder(&mut self, path: &Path) -> Result<(), Failure> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path).map_err(|error| cannot_be_written(path, &error))?;
        self.0.push(FileStep::Folder(path.to_owned()));
        Ok(())
    }

    /// As [`replace`], for a path that may be written.
    pub(crate) fn replace(&mut self, path: &Path, text: &str) -> Result<(), Failure> {
        let path = writable(path)?;
        let before = fs::read_to_string(&path).map_err(|error| cannot_be_written(&path, &error))?;
        replace(&path, text)?;
        self.0.push(FileStep::Replaced { path, before });
        Ok(())
    }

    fn note_folder(&mut self, path: &Path) {
        let folders = path.ancestors().skip(1);
        let new = folders.take_while(|it| !it.as_os_str().is_empty() && !it.exists());
        let new: Vec<_> = new.map(|folder| FileStep::Folder(folder.to_owned())).collect();
        self.0.extend(new.into_iter().rev());
    }

    /// Undoes all of it, the last first, and adds that to the failure.
    fn undo(self, failure: Failure) -> Failure {
        if self.0.is_empty() {
            return failure;
        }
        let mut left = Vec::new();
        for step in self.0.into_iter().rev() {
            let (path, undone) = match step {
                FileStep::Created(path) => {
                    let undone = fs::remove_file(&path).is_ok();
                    (path, undone)
                }
                // It may not have been created, or may have content of somebody else.
                FileStep::Folder(path) => {
                    let _ = fs::remove_dir(&path);
                    continue;
                }
                FileStep::Replaced { path, before } => {
                    let undone = replace(&path, &before).is_ok();
                    (path, undone)
                }
                FileStep::Removed { path, before } => {
                    let undone = create(&path, &before).is_ok();
                    (path, undone)
                }
            };
            if !undone {
                left.push(shown(&path));
            }
        }
        failure.and(&match left.is_empty() {
            true => "What was written before was taken back: nothing is changed.".to_owned(),
            false => {
                format!("What was written before could not be taken back: {}", left.join(", "))
            }
        })
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

fn made(path: &Path, text: &str, options: &OpenOptions) -> Result<(), Failure> {
    let write = |mut file: File| -> io::Result<()> {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| cannot_be_written(path, &error))?;
    }
    let file = options.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            cannot_be_written(path, &"there is one already, and it is never overwritten")
        }
        _ => cannot_be_written(path, &error),
    })?;
    write(file).map_err(|error| {
        // A partial file is of no use.
        let _ = fs::remove_file(path);
        cannot_be_written(path, &error)
    })
}

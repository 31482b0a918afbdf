//! Files that are rendered from declarations: compared with those that are there, and written.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::files::{all_or_none, shown};
use super::read::{MAX_FILE, read_file};

/// A file that is to change: its path, its text, and the one that it should have.
pub(crate) struct RenderedChange {
    /// Its path.
    pub(crate) path: PathBuf,
    /// Its text; `None` if it is not there.
    pub(crate) before: Option<String>,
    /// The rendered text; `None` if it is no longer rendered.
    pub(crate) after: Option<String>,
}

/// Files of a folder that the declarations may have rendered.
pub(crate) struct RenderedFolder<'f> {
    /// The folder, in whose folders the files are.
    pub(crate) path: &'f Path,
    /// Whether a folder in it may have such files, by its name.
    pub(crate) is_folder: &'f dyn Fn(&str) -> bool,
    /// The end of the names of the files.
    pub(crate) extension: &'f str,
    /// Whether a file with this text is rendered from the same declarations.
    pub(crate) is_own: &'f dyn Fn(&str) -> bool,
}

/// The change of a file to a text; `None` if it has that already.
pub(crate) fn change(path: PathBuf, text: String) -> Result<Option<RenderedChange>, Failure> {
    let before = existing(&path)?;
    let differs = before.as_ref() != Some(&text);
    Ok(differs.then_some(RenderedChange { path, before, after: Some(text) }))
}

impl RenderedFolder<'_> {
    /// The removals of the files that are not among the rendered ones. A file is recognised by its place and its
    /// text; any other is not touched.
    pub(crate) fn removals(&self, rendered: &[PathBuf]) -> Result<Vec<RenderedChange>, Failure> {
        let Self { path, is_folder, extension, is_own } = self;
        let end = format!(".{extension}");
        let mut removals = Vec::new();
        for folder in listed(path)? {
            if !folder.is_dir() || !is_folder(&name(&folder)) {
                continue;
            }
            for path in listed(&folder)? {
                if !name(&path).ends_with(&end) || rendered.contains(&path) || !path.is_file() {
                    continue;
                }
                let before = existing(&path)?;
                if before.as_ref().is_some_and(|text| is_own(text)) {
                    removals.push(RenderedChange { path, before, after: None });
                }
            }
        }
        Ok(removals)
    }
}

/// Writes and removes the files, all of them or none.
pub(crate) fn write(changes: &[RenderedChange]) -> Result<(), Failure> {
    all_or_none(|written| {
        changes.iter().try_for_each(|RenderedChange { path, before: _, after }| match after {
            Some(text) => written.put(path, text),
            None => written.remove(path),
        })
    })
}

/// The text of a file; `None` if it is not there.
pub(crate) fn existing(path: &Path) -> Result<Option<String>, Failure> {
    if fs::metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(None);
    }
    let bytes = read_file(path, MAX_FILE);
    let bytes = bytes.map_err(|reason| Failure::Failed(format!("{} {reason}", shown(path))))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The entries of a folder in order; none if it is not there.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let mut paths: Vec<PathBuf> = entries.map_err(|error: std::io::Error| {
        Failure::Failed(format!("{} cannot be read: {error}", shown(folder)))
    })?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

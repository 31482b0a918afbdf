//! Reading the content of files, each within its limit.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path};
use std::sync::Arc;

use super::index::{Index, SETTINGS_FILE};
use super::{FileContent, LARGEST, Listed, NOT_IN_THE_CLONE, about, target};
use crate::declare::diagnostic::Diagnostic;
use crate::declare::diagnostic::rule::Rule;

/// Reads a file with declarations: its name, and its content.
pub(crate) fn read(
    Listed { name, content }: Listed,
) -> Result<(Arc<str>, Vec<u8>), Box<Diagnostic>> {
    let path = match content {
        FileContent::Path(path) => path,
        FileContent::Bytes(bytes) => return Ok((name, bytes)),
    };
    match bounded(&path, LARGEST) {
        Ok(Some(bytes)) => Ok((name, bytes)),
        Ok(None) => Err(Box::new(too_large(&name))),
        Err(error) => {
            let message = format!("this file cannot be read: {error}");
            let help = "see to its permissions";
            Err(Box::new(about(&name, Rule::Unreadable, &message, help)))
        }
    }
}

/// The content of a regular file of the repository, unless it is larger than `largest` bytes or a symbolic
/// link leads out of the repository. `path` has no `..`. The error is the reason why it cannot be read.
pub(crate) fn read_inside(
    root: &Path,
    path: &str,
    largest: u64,
    index: &Index,
) -> Result<Vec<u8>, String> {
    let too_large = || format!("it is larger than {} KiB", largest / 1024);
    if index.is_sparse(path) && !index.is_in_another(root, path) {
        let content = index.read(path).ok_or(NOT_IN_THE_CLONE)?;
        return Some(content).filter(|it| it.len() as u64 <= largest).ok_or_else(too_large);
    }
    let path = root.join(path);
    let inside = target(&path, root).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    })?;
    let inside = inside.ok_or("a symbolic link leads out of the repository")?;
    if index.is_in_another(root, &inside) {
        return Err("it lies in a folder that is a repository of its own".to_owned());
    }
    let path = root.join(inside);
    let metadata = fs::metadata(&path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let bytes = bounded(&path, largest).map_err(|error| error.to_string())?;
    bytes.ok_or_else(too_large)
}

/// The current text of a file of the repository, for showing its lines; `None` for anything but a small
/// regular file in it in UTF-8.
pub fn source(root: &Path, file: &str) -> Option<String> {
    let is_inside = |part| matches!(part, Component::Normal(_));
    if !Path::new(file).components().all(is_inside) {
        return None;
    }
    let path = root.join(target(&root.join(file), root).ok()??);
    if !fs::metadata(&path).ok()?.is_file() {
        return None;
    }
    String::from_utf8(bounded(&path, LARGEST).ok()??).ok()
}

/// Reads portvakt.yaml, from git's index where a sparse checkout leaves it out.
pub(crate) fn read_settings(root: &Path, index: &Index) -> Result<Vec<u8>, Box<Diagnostic>> {
    if let Some(left_out) = index.read(SETTINGS_FILE) {
        return Ok(left_out);
    }
    let path = root.join(SETTINGS_FILE);
    let refused = |rule, message: &str, help| Box::new(about(SETTINGS_FILE, rule, message, help));
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) => {
            let message = format!("there is no {SETTINGS_FILE} that can be read: {error}");
            let help = "name the repository with `-C DIR`, or begin one with `portvakt init`";
            return Err(refused(Rule::NoSettings, &message, help));
        }
    };
    if !metadata.is_file() {
        let help = "put a file in its place";
        return Err(refused(Rule::Unreadable, "this is not a regular file", help));
    }
    match target(&path, root) {
        Ok(Some(target)) if !index.is_in_another(root, &target) => {}
        _ => {
            let message = "this symbolic link leaves the repository";
            return Err(refused(Rule::Symlink, message, "put a file in its place"));
        }
    }
    let (_, bytes) = read(Listed::there(path, SETTINGS_FILE))?;
    Ok(bytes)
}

/// The content of a file; `None` if it has more than that many bytes.
fn bounded(path: &Path, largest: u64) -> io::Result<Option<Vec<u8>>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(largest)).unwrap_or(0));
    file.take(largest + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= largest).then_some(bytes))
}

fn too_large(name: &str) -> Diagnostic {
    let message = "this file is larger than 1 MiB";
    let help = "spread the declarations over several files, or add it to `exclude`";
    about(name, Rule::TooMuch, message, help)
}

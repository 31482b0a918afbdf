//! Selection of files within limits: a pull request is untrusted input.

mod content;
mod filter;
pub(crate) mod index;
pub(crate) mod key_files;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use ignore::{DirEntry, WalkBuilder};

pub use self::content::source;
pub(crate) use self::content::{read, read_inside, read_settings};
pub(crate) use self::filter::FileFilter;
use self::filter::MatchedPatterns;
use self::index::Index;
use self::index::SETTINGS_FILE;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::{Diagnostic, Place, quoted};
use yaml::Span;

/// The largest file that is read, in bytes.
pub const LARGEST: u64 = 1024 * 1024;
/// Largest number of files that are read.
pub const MOST_FILES: usize = 10_000;
/// Largest depth of nested folders.
pub const MOST_DEEP: usize = 256;
/// Largest total size of all files, in bytes.
pub const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// There is no repository here.
#[derive(Debug, thiserror::Error)]
#[error(
    "no {SETTINGS_FILE} in {} or any folder above it; go to a repository, name one with \
     `-C DIR`, or begin one with `portvakt init`",
    start.display()
)]
pub struct NoRepository {
    start: PathBuf,
}

/// The folder with portvakt.yaml: this one, or the nearest above it.
///
/// # Errors
/// There is none.
pub fn find_root(start: &Path) -> Result<PathBuf, NoRepository> {
    let absolute = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
    absolute
        .ancestors()
        .find(|folder| folder.join(SETTINGS_FILE).is_file())
        .map(Path::to_owned)
        .ok_or(NoRepository { start: absolute })
}

/// A file to read.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Relative to the repository, with `/` between its parts.
    pub(crate) name: Arc<str>,
    content: FileContent,
}

/// Where the content of a file is.
#[derive(Debug)]
enum FileContent {
    /// At a path.
    Path(PathBuf),
    /// In memory: the folder has another one, or none.
    Bytes(Vec<u8>),
}

impl Listed {
    /// A file of the folder.
    pub(crate) fn there(path: PathBuf, name: &str) -> Self {
        Self { name: name.into(), content: FileContent::Path(path) }
    }

    /// A file whose content is known.
    pub(crate) fn known(name: Arc<str>, bytes: Vec<u8>) -> Self {
        Self { name, content: FileContent::Bytes(bytes) }
    }

    /// The size of the content that is in memory.
    fn size(&self) -> u64 {
        match &self.content {
            FileContent::Path(_) => 0,
            FileContent::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

/// The files with declarations and with the values of templates, in the order of their paths; `edited` has those
/// that are to have another text than in the folder, or to be there.
///
/// Dot-files and dot-folders belong to other tools, but for those that portvakt.yaml names. `.gitignore` is
/// ignored: declarations must not depend on a file that does not concern access, nor on each person's own settings
/// of git.
///
/// Git's index counts too: the files that a sparse checkout leaves out are listed with their content, and a
/// checkout of another repository is left out.
pub(crate) fn list(
    root: &Path,
    filter: &FileFilter,
    index: &Index,
    edited: &BTreeMap<String, String>,
) -> (Vec<Listed>, Vec<Diagnostic>) {
    let mut walk = WalkBuilder::new(root);
    walk.standard_filters(false).follow_links(false).sort_by_file_path(Path::cmp);
    let matched = Arc::new(MatchedPatterns::new(filter));
    let (chosen, noted) = (filter.clone(), Arc::clone(&matched));
    let (above, around) = (root.to_owned(), index.clone());
    walk.filter_entry(move |entry| {
        let name = relative(&above, entry.path());
        if entry.depth() > 0 {
            let own = name.rsplit_once('/').map_or(&*name, |(_, own)| own);
            if chosen.is_hidden(own) {
                return false;
            }
            noted.note(Path::new(&name));
        }
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let is_another = || entry.depth() > 0 && is_folder && around.is_another(&above, &name);
        !chosen.exclude.is_match(&name) && !is_another()
    });
    let (mut listed, mut found) = left_out(root, filter, index);
    let mut bytes = listed.iter().map(|listed: &Listed| listed.size()).sum::<u64>();
    // A sparse checkout may leave all of it out.
    for entry in root.exists().then(|| walk.build()).into_iter().flatten() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let message = format!("a folder cannot be read: {error}");
                found.push(about(
                    SETTINGS_FILE,
                    Rule::Unreadable,
                    &message,
                    "see to its permissions",
                ));
                continue;
            }
        };
        let name = relative(root, entry.path());
        if entry.depth() > MOST_DEEP {
            found.push(too_deep(&name));
            break;
        }
        if !filter.is_chosen(&name) {
            continue;
        }
        match kind(&entry, root, filter, index) {
            FileKind::Other => {}
            FileKind::Yaml => {
                bytes += entry.metadata().map_or(0, |metadata| metadata.len());
                listed.push(Listed::there(entry.path().to_owned(), &name));
            }
            FileKind::Refused(rule, message, help) => found.push(about(&name, rule, message, help)),
        }
        if listed.len() > MOST_FILES || bytes > MOST_BYTES {
            found.push(too_much(&name));
            break;
        }
    }
    for name in index.sparse() {
        Path::new(name).ancestors().for_each(|path| matched.note(path));
    }
    found.extend(matched.unmatched());
    listed.retain(|listed| !edited.contains_key(&*listed.name));
    let edited = edited.iter().filter(|(name, _)| filter.is_chosen(name));
    listed.extend(
        edited.map(|(name, text)| Listed::known(name.as_str().into(), text.clone().into())),
    );
    listed.sort_by(|a, b| Path::new(&*a.name).cmp(Path::new(&*b.name)));
    (listed, found)
}

/// The files with declarations that are in git's index and not in the folder, and findings about those that
/// cannot be read.
fn left_out(root: &Path, filter: &FileFilter, index: &Index) -> (Vec<Listed>, Vec<Diagnostic>) {
    let (mut listed, mut found, mut bytes) = (Vec::new(), Vec::new(), 0);
    let is_ours = |name: &str| !index.is_in_another(root, name);
    for name in index.missing().filter(|name| !filter.is_excluded(name) && is_ours(name)) {
        found.push(not_checked_out(name, index));
    }
    let links = index.sparse_links();
    for (name, target) in links.filter(|(name, _)| filter.reads(name) && is_ours(name)) {
        let target = target.map(|target| joined(Path::new(name), Path::new(&target)));
        let target = target.as_deref().and_then(Path::to_str).unwrap_or_default();
        if !(index.has_file(target) && filter.reads(target)) {
            let message = "this symbolic link, which the sparse checkout leaves out, leads to a file that is \
                           not read";
            found.push(about(name, Rule::Symlink, message, TAKE_OUT));
        }
    }
    let sparse = index.sparse().filter(|name| filter.reads(name) && is_ours(name));
    let sparse: Vec<_> = sparse.collect();
    index.fetch(&sparse[..sparse.len().min(MOST_FILES)]);
    for name in sparse {
        let Some(content) = index.read(name) else {
            found.push(not_in_the_clone(name, index));
            continue;
        };
        bytes += content.len() as u64;
        listed.push(Listed::known(name.into(), content));
        if listed.len() > MOST_FILES || bytes > MOST_BYTES {
            found.push(too_much(name));
            break;
        }
    }
    (listed, found)
}

/// Whether a file is YAML, by its name.
pub fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
    })
}

enum FileKind {
    Yaml,
    Other,
    Refused(Rule, &'static str, &'static str),
}

fn kind(entry: &DirEntry, root: &Path, filter: &FileFilter, index: &Index) -> FileKind {
    let yaml = is_yaml(entry.path());
    let Some(file_type) = entry.file_type() else {
        return FileKind::Other;
    };
    if file_type.is_symlink() {
        let is_read = |target: &str| filter.reads(target) && !index.is_in_another(root, target);
        let refused = |message| FileKind::Refused(Rule::Symlink, message, TAKE_OUT);
        return match target(entry.path(), root) {
            Ok(Some(target)) if yaml && !is_read(&target) => {
                refused("this symbolic link leads to a file that is not read")
            }
            // The target is read at its own path.
            Ok(Some(_)) => FileKind::Other,
            Ok(None) => refused("this symbolic link leaves the repository"),
            Err(_) if yaml && !leads_to_sparse(entry, root, index) => {
                refused("this symbolic link leads nowhere")
            }
            Err(_) => FileKind::Other,
        };
    }
    match (yaml, file_type.is_file(), file_type.is_dir()) {
        (true, true, _) if is_text(&relative(root, entry.path())) => FileKind::Yaml,
        (true, true, _) => FileKind::Refused(
            Rule::Unreadable,
            "its name, or that of a folder above it, is no UTF-8",
            "give it a name of letters and digits",
        ),
        (true, false, false) => {
            FileKind::Refused(Rule::Unreadable, "this is not a regular file", TAKE_OUT)
        }
        (true, false, true) | (false, _, _) => FileKind::Other,
    }
}

/// Whether a symbolic link points to a file that a sparse checkout leaves out.
fn leads_to_sparse(entry: &DirEntry, root: &Path, index: &Index) -> bool {
    let Ok(target) = fs::read_link(entry.path()) else { return false };
    let path = joined(entry.path(), &target);
    index.is_sparse(&relative(root, &path))
}

/// Whether the name of a file is text, and not the replacement of an invalid one: git and this program could
/// confuse such files.
pub fn is_text(name: &str) -> bool {
    !name.contains(char::REPLACEMENT_CHARACTER)
}

/// Remedy for a file that cannot be read.
const TAKE_OUT: &str = "remove it, or add it to `exclude` in portvakt.yaml";

/// The target of a link at another path, as written.
fn joined(link: &Path, target: &Path) -> PathBuf {
    let mut path = PathBuf::new();
    for part in link.with_file_name(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    path
}

/// The target of a link in the repository; `None` for a target outside of it.
pub(crate) fn target(path: &Path, root: &Path) -> io::Result<Option<String>> {
    let (target, root) = (fs::canonicalize(path)?, fs::canonicalize(root)?);
    Ok(target.starts_with(&root).then(|| relative(&root, &target)))
}

/// The path of a file in the repository, as it is shown and matched by globs.
fn relative(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Reason why a file that a sparse checkout leaves out is not read from git's index.
const NOT_IN_THE_CLONE: &str = "the sparse checkout leaves this file out, this partial clone does not have it, and it could not be \
     fetched";

fn not_in_the_clone(name: &str, index: &Index) -> Diagnostic {
    let folder = index.top_path(name.rsplit_once('/').map_or("", |(folder, _)| folder));
    let help = match folder.as_str() {
        "" => "check all files out with `git sparse-checkout disable`".to_owned(),
        folder => format!(
            "check it out at the top of the git repository with `git sparse-checkout add {folder}`, or all \
             files with `git sparse-checkout disable`"
        ),
    };
    about(name, Rule::Unreadable, NOT_IN_THE_CLONE, &help)
}

fn not_checked_out(submodule: &str, index: &Index) -> Diagnostic {
    let message = format!(
        "submodule {} is not checked out, so what it declares is not known",
        quoted(submodule)
    );
    let help = format!(
        "check it out at the top of the git repository with `git submodule update --init {}`, or leave it \
         out with `exclude` in portvakt.yaml",
        index.top_path(submodule)
    );
    about(SETTINGS_FILE, Rule::Unreadable, &message, &help)
}

fn too_deep(name: &str) -> Diagnostic {
    let message =
        format!("more than {MOST_DEEP} folders lie one in another, as in {}", quoted(name));
    let help = "leave out what holds no declarations with `exclude` in portvakt.yaml";
    about(SETTINGS_FILE, Rule::TooMuch, &message, help)
}

fn too_much(name: &str) -> Diagnostic {
    let message = format!(
        "more than {MOST_FILES} files, or more than {} MiB of YAML, up to {}",
        MOST_BYTES / (1024 * 1024),
        quoted(name)
    );
    let help = "leave out what holds no declarations with `exclude` in portvakt.yaml";
    about(SETTINGS_FILE, Rule::TooMuch, &message, help)
}

pub(crate) fn about(file: &str, rule: Rule, message: &str, help: &str) -> Diagnostic {
    let place = Place { file: file.into(), span: Span::TOP };
    Diagnostic::new(rule, &place, message, help)
}

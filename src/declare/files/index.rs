//! Files of a folder in git's index: portvakt reads what git has.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use crate::declare::diagnostic::Place;
use yaml::Span;

/// The name of the file at the root of a repository.
pub const SETTINGS_FILE: &str = "portvakt.yaml";

/// A place in that file.
pub(crate) fn in_settings(span: Span) -> Place {
    Place { file: SETTINGS_FILE.into(), span }
}

/// Reads the files that a sparse checkout leaves out. Implemented by the code that knows git.
pub trait ReadSparse: Send + Sync {
    /// Fetches those of some files that a partial clone lacks, in one request. A failure is read as missing.
    fn fetch(&self, paths: &[&str]);

    /// The content of a file; `None` where it is not available, or is too large.
    fn read(&self, path: &str) -> Option<Vec<u8>>;
}

/// A path in git's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracked {
    /// A file of the folder. If it is absent, that is a change.
    File,
    /// A file that a sparse checkout leaves out: git's index has it, the folder does not.
    Sparse,
    /// A symbolic link that a sparse checkout leaves out.
    SparseLink,
    /// A submodule whose files are in the folder. They are tracked by their own paths.
    Submodule,
    /// A submodule that is not checked out.
    Missing,
}

/// The files in git's index below a folder, by their paths in it, including those of submodules. The default
/// is for a folder outside git.
#[derive(Clone, Default)]
pub struct Index {
    tracked: Option<Arc<BTreeMap<String, Tracked>>>,
    content: Option<Arc<dyn ReadSparse>>,
    /// The folder's own path from the top of the git repository.
    folder: String,
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("tracked", &self.tracked).finish_non_exhaustive()
    }
}

impl Index {
    /// The index of a folder in git, with its path from the top of the git repository.
    pub fn new(
        folder: String,
        tracked: BTreeMap<String, Tracked>,
        content: Arc<dyn ReadSparse>,
    ) -> Self {
        Self { tracked: Some(Arc::new(tracked)), content: Some(content), folder }
    }

    /// The path of a file in the folder from the top of the git repository.
    pub(crate) fn top_path(&self, path: &str) -> String {
        let parts = [&*self.folder, path].into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("/")
    }

    fn paths(&self, which: Tracked) -> impl Iterator<Item = &str> {
        let all = self.tracked.iter().flat_map(|tracked| tracked.iter());
        all.filter(move |(_, tracked)| **tracked == which).map(|(path, _)| path.as_str())
    }

    /// The files that a sparse checkout leaves out.
    pub(crate) fn sparse(&self) -> impl Iterator<Item = &str> {
        self.paths(Tracked::Sparse)
    }

    /// The symbolic links that a sparse checkout leaves out, each with its target as written.
    pub(crate) fn sparse_links(&self) -> impl Iterator<Item = (&str, Option<String>)> {
        let target = |path| String::from_utf8(self.content.as_ref()?.read(path)?).ok();
        self.paths(Tracked::SparseLink).map(move |path| (path, target(path)))
    }

    /// Whether git has a file at a path, in the work tree or not.
    pub(crate) fn has_file(&self, path: &str) -> bool {
        let tracked = self.tracked.as_ref().and_then(|tracked| tracked.get(path));
        matches!(tracked, Some(Tracked::File | Tracked::Sparse))
    }

    /// The submodules that are not checked out.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &str> {
        self.paths(Tracked::Missing)
    }

    /// Whether a sparse checkout leaves a file out.
    pub(crate) fn is_sparse(&self, path: &str) -> bool {
        self.tracked.as_ref().and_then(|tracked| tracked.get(path)) == Some(&Tracked::Sparse)
    }

    /// The content of a file that a sparse checkout leaves out; `None` for any other file.
    pub(crate) fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.content.as_ref().filter(|_| self.is_sparse(path))?.read(path)
    }

    /// Fetches, in one request, those of some files that a sparse checkout leaves out and a partial clone
    /// lacks.
    pub(crate) fn fetch(&self, paths: &[&str]) {
        if let (Some(content), false) = (&self.content, paths.is_empty()) {
            content.fetch(paths);
        }
    }

    /// Whether a folder below `root` is a repository of its own, whose files are not read: it has a
    /// portvakt.yaml, or it is a checkout of another git repository.
    pub(crate) fn is_another(&self, root: &Path, folder: &str) -> bool {
        let settings = root.join(folder).join(SETTINGS_FILE).symlink_metadata();
        settings.is_ok_and(|settings| settings.is_file())
            || self.is_sparse(&format!("{folder}/{SETTINGS_FILE}"))
            || self.is_nested_checkout(root, folder)
    }

    /// Whether a folder has a git repository that is unknown to the one around it.
    fn is_nested_checkout(&self, root: &Path, folder: &str) -> bool {
        let Some(tracked) = &self.tracked else { return false };
        let inside = format!("{folder}/");
        let next = tracked.range::<str, _>((Bound::Included(&*inside), Bound::Unbounded)).next();
        root.join(folder).join(".git").symlink_metadata().is_ok()
            && !tracked.contains_key(folder)
            && !next.is_some_and(|(path, _)| path.starts_with(&inside))
    }

    /// Whether a file or folder does not belong to the repository: a folder above it is a repository of its
    /// own.
    pub(crate) fn is_in_another(&self, root: &Path, path: &str) -> bool {
        let slashes = path.match_indices('/');
        slashes.into_iter().any(|(at, _)| self.is_another(root, &path[..at]))
    }
}

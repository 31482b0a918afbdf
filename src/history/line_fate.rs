//! The commit that removed a line: the line is followed from the commit that has it to a later one, by the
//! differences of its file along the first parents, and into the branch of a merge that removed it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use git2::{Commit, DiffOptions, ErrorCode, Oid, Repository};

use super::Blame;

/// Largest number of commits through which a line is followed.
const MOST: usize = 20_000;

/// Outcome for a line up to a later commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineFate {
    /// A commit removed or replaced it.
    Removed(Blame),
    /// It is still there.
    Kept,
    /// The later commit does not follow from the earlier one, or not all between them is here.
    Unknown,
}

/// The changes of files between two commits: they are read once for all lines.
#[derive(Default)]
pub(super) struct LineFates {
    steps: HashMap<(Oid, Oid, PathBuf), Option<Vec<FileChange>>>,
}

/// A commit that changes a file, against its first parent.
#[derive(Debug, Clone)]
struct FileChange {
    parent: Oid,
    commit: Oid,
    hunks: Vec<LineRange>,
}

/// Lines that replace others.
#[derive(Debug, Clone, Copy)]
struct LineRange {
    /// The first line that is replaced; with none, the line after which lines are added.
    start: usize,
    replaced: usize,
    added: usize,
}

impl LineFates {
    /// The outcome for a line of a file at the first commit, up to the second.
    pub(super) fn fate(
        &mut self,
        repository: &Repository,
        (from, to): (Oid, Oid),
        path: &Path,
        line: usize,
    ) -> Result<LineFate, git2::Error> {
        let key = (from, to, path.to_owned());
        if !self.steps.contains_key(&key) {
            let steps = steps(repository, from, to, path)?;
            self.steps.insert(key.clone(), steps);
        }
        let Some(steps) = self.steps.get(&key).cloned().flatten() else {
            return Ok(LineFate::Unknown);
        };
        let mut line = line;
        for FileChange { parent, commit, hunks } in steps {
            match moved(&hunks, line) {
                Some(now) => line = now,
                None => return self.removed(repository, (parent, commit), path, line),
            }
        }
        Ok(LineFate::Kept)
    }

    /// The commit that removed a line of the first parent: of a merge, the one in the merged branch, if the line can
    /// be followed there.
    fn removed(
        &mut self,
        repository: &Repository,
        (parent, commit): (Oid, Oid),
        path: &Path,
        line: usize,
    ) -> Result<LineFate, git2::Error> {
        let commit = repository.find_commit(commit)?;
        if let Ok(branch) = commit.parent_id(1) {
            let base = repository.merge_base(parent, branch)?;
            // The line as the branch found it.
            let (own, old) = (repository.find_commit(parent)?, repository.find_commit(base)?);
            if let Some(line) = moved(&hunks(repository, &own, &old, path)?, line)
                && let LineFate::Removed(blame) =
                    self.fate(repository, (base, branch), path, line)?
            {
                return Ok(LineFate::Removed(blame));
            }
        }
        let author = commit.author();
        let (name, email) = (author.name().unwrap_or_default(), author.email().unwrap_or_default());
        let (commit, author) = (commit.id().to_string(), format!("{name} <{email}>"));
        Ok(LineFate::Removed(Blame { commit, author }))
    }
}

/// The changes of a file from one commit to a later one, the oldest first; `None` where the first parents of the later
/// one do not lead to it.
fn steps(
    repository: &Repository,
    from: Oid,
    to: Oid,
    path: &Path,
) -> Result<Option<Vec<FileChange>>, git2::Error> {
    let mut steps = Vec::new();
    let mut commit = repository.find_commit(to)?;
    for _ in 0..MOST {
        if commit.id() == from {
            steps.reverse();
            return Ok(Some(steps));
        }
        let Ok(parent) = commit.parent(0) else { return Ok(None) };
        if blob(&parent, path)? != blob(&commit, path)? {
            let hunks = hunks(repository, &parent, &commit, path)?;
            steps.push(FileChange { parent: parent.id(), commit: commit.id(), hunks });
        }
        commit = parent;
    }
    Ok(None)
}

fn blob(commit: &Commit<'_>, path: &Path) -> Result<Option<Oid>, git2::Error> {
    match commit.tree()?.get_path(path) {
        Ok(entry) => Ok(Some(entry.id())),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The changes of a file between two commits.
fn hunks(
    repository: &Repository,
    old: &Commit<'_>,
    new: &Commit<'_>,
    path: &Path,
) -> Result<Vec<LineRange>, git2::Error> {
    let mut options = DiffOptions::new();
    options.context_lines(0).pathspec(path).disable_pathspec_match(true);
    let trees = (old.tree()?, new.tree()?);
    let diff = repository.diff_tree_to_tree(Some(&trees.0), Some(&trees.1), Some(&mut options))?;
    let mut hunks = Vec::new();
    let length = |lines: u32| usize::try_from(lines).unwrap_or(usize::MAX);
    let mut keep = |hunk: git2::DiffHunk<'_>| {
        let (start, replaced) = (length(hunk.old_start()), length(hunk.old_lines()));
        hunks.push(LineRange { start, replaced, added: length(hunk.new_lines()) });
        true
    };
    diff.foreach(&mut |_, _| true, None, Some(&mut |_, hunk| keep(hunk)), None)?;
    Ok(hunks)
}

/// The number of a line after these changes; `None` if they remove it.
fn moved(hunks: &[LineRange], line: usize) -> Option<usize> {
    let mut now = line;
    for LineRange { start, replaced, added } in hunks {
        if *replaced > 0 && (*start..start + replaced).contains(&line) {
            return None;
        }
        if *start < line {
            now = now.saturating_add(*added).checked_sub(*replaced)?;
        }
    }
    Some(now)
}

#[cfg(test)]
mod tests {
    use git2::{Signature, Time};
    use tempfile::TempDir;

    use super::*;

    /// A repository with one file, and the number of its next commit.
    struct Work {
        _folder: TempDir,
        repository: Repository,
    }

    impl Work {
        fn new() -> Self {
            let folder = TempDir::new().unwrap();
            let repository = Repository::init(folder.path()).unwrap();
            Self { _folder: folder, repository }
        }

        /// A commit with the file.
        fn commit(&self, by: &str, parents: &[Oid], lines: &[&str]) -> Oid {
            let repository = &self.repository;
            let blob = repository.blob(format!("{}\n", lines.join("\n")).as_bytes()).unwrap();
            let mut tree = repository.treebuilder(None).unwrap();
            tree.insert("a.yaml", blob, 0o100_644).unwrap();
            let tree = repository.find_tree(tree.write().unwrap()).unwrap();
            let at = Time::new(1_800_000_000, 0);
            let by = Signature::new(by, &format!("{by}@etaten.example"), &at).unwrap();
            let parents: Vec<_> =
                parents.iter().map(|it| repository.find_commit(*it).unwrap()).collect();
            let parents: Vec<_> = parents.iter().collect();
            repository.commit(None, &by, &by, "Change", &tree, &parents).unwrap()
        }

        fn fate(&self, from: Oid, to: Oid, line: usize) -> String {
            let mut fates = LineFates::default();
            let found = fates.fate(&self.repository, (from, to), Path::new("a.yaml"), line);
            match found.unwrap() {
                LineFate::Removed(Blame { author, .. }) => author,
                LineFate::Kept => "kept".to_owned(),
                LineFate::Unknown => "unknown".to_owned(),
            }
        }
    }

    #[test]
    fn a_line_is_followed_to_the_commit_that_removed_it() {
        let work = Work::new();
        let first = work.commit("kari", &[], &["a", "x", "b", "x", "c"]);
        let above = work.commit("ola", &[first], &["ny", "a", "x", "b", "x", "c"]);
        let other = work.commit("per", &[above], &["ny", "a", "b", "x", "c"]);
        let gone = work.commit("eva", &[other], &["ny", "a", "b", "c"]);
        assert_eq!(work.fate(first, gone, 2), "per <per@etaten.example>");
        assert_eq!(work.fate(first, gone, 4), "eva <eva@etaten.example>");
        assert_eq!(work.fate(first, gone, 5), "kept");
        assert_eq!(work.fate(first, first, 5), "kept");
        assert_eq!(work.fate(gone, first, 1), "unknown");
    }

    #[test]
    fn a_merge_that_removes_a_line_leads_into_its_branch() {
        let work = Work::new();
        let first = work.commit("kari", &[], &["a", "x", "b"]);
        let applied = work.commit("kari", &[first], &["ny", "a", "x", "b"]);
        let branch = work.commit("per", &[first], &["a", "b"]);
        let merge = work.commit("eva", &[applied, branch], &["ny", "a", "b"]);
        assert_eq!(work.fate(applied, merge, 3), "per <per@etaten.example>");
        // What the merge itself removed is of its author.
        let other = work.commit("per", &[first], &["a", "x", "b", "c"]);
        let merge = work.commit("eva", &[applied, other], &["ny", "a", "b", "c"]);
        assert_eq!(work.fate(applied, merge, 3), "eva <eva@etaten.example>");
    }
}

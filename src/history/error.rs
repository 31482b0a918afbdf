//! Errors between this program and git.

use std::path::{Path, PathBuf};

use super::holder::Holder;

/// Failure to read or write with git.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The repository belongs to another user.
    #[error(
        "git: the repository in {} belongs to another user, so nothing of it is trusted: if you trust \
         it, run `git config --global --add safe.directory {}`",
        .0.display(),
        .0.display()
    )]
    Owner(PathBuf),
    /// The refs of the repository are in a format that is not supported.
    #[error(
        "git: the repository in {} keeps its refs as a reftable, which is not read: run \
         `git refs migrate --ref-format=files` in it",
        .0.display()
    )]
    Reftable(PathBuf),
    /// The repository is a partial clone of an old kind.
    #[error(
        "git: the repository in {} is a partial clone that an old git made, which is not read: run \
         `git config remote.origin.promisor true` and `git config --unset extensions.partialClone` in it",
        .0.display()
    )]
    PartialClone(PathBuf),
    /// The index of the clone is in a format that is not supported.
    #[error(
        "git: this clone has a sparse index, which is not read: run \
         `git sparse-checkout reapply --no-sparse-index` in it"
    )]
    SparseIndex,
    /// The repository has disappeared.
    #[error("git: the repository in {} no longer exists", .0.display())]
    Gone(PathBuf),
    /// Reading failed.
    #[error("git: {what} cannot be read: {why}")]
    Read {
        /// Subject of the reading.
        what: String,
        /// The cause.
        why: String,
    },
    /// Writing into the clone failed.
    #[error("git: {what} cannot be written: {why}")]
    Write {
        /// Subject of the writing.
        what: String,
        /// The cause.
        why: String,
    },
    /// The `git` program failed.
    #[error("`git {command}` failed: {why}")]
    Program {
        /// Its arguments.
        command: String,
        /// Its message.
        why: String,
    },
    /// The ref of a ledger points to something else.
    #[error(
        "{name} leads to a {kind} and is no ledger; no apply writes that, so find out who pushed it, and \
         delete it with `git push {remote} --delete {name}`"
    )]
    NoLedger {
        /// The ref.
        name: String,
        /// The kind of object that it points to.
        kind: String,
        /// The remote that it is on.
        remote: String,
    },
    /// A record would name more commits than are read.
    #[error(
        "{0} commits were applied in part since one was applied in full: see what is blocked in the plan, and \
         bring one to its end, or say what counts with `portvakt baseline set COMMIT`"
    )]
    TooManyTried(usize),
    /// Signatures made here are not trusted here.
    #[error(
        "git is set to verify what portvakt records (gpg.ssh.allowedSignersFile), and what it signs here \
         is by nobody in that file, so it would not count: set `commit.gpgsign`, `gpg.format ssh` and \
         `user.signingKey` to the key of one who is in it"
    )]
    NotAllowed,
    /// The environment's name is not valid in a ref.
    #[error(
        "environment '{0}' cannot be part of a git ref: name it with letters, digits, `-` and `_`"
    )]
    Name(String),
    /// The folder's name is not valid in a ref.
    #[error(
        "folder '{0}' cannot be part of a git ref: name it with `project: NAME` in portvakt.yaml, of letters, \
         digits, `-`, `_` and `.`"
    )]
    Project(String),
    /// It is not known which remote holds the refs.
    #[error(
        "which remote holds what was applied, the lock and the ledger? there are {}: name one \
         `origin`, or choose one with `git config portvakt.remote NAME`",
        .0.join(", ")
    )]
    Remotes(Vec<String>),
    /// The selected remote does not exist.
    #[error(
        "`git config portvakt.remote` is {chosen}, and this repository has no remote of that name (it has: \
         {}): correct it, or `git config --unset portvakt.remote`",
        .names.join(", ")
    )]
    NoRemote {
        /// The selected one.
        chosen: String,
        /// The existing ones.
        names: Vec<String>,
    },
    /// There is no such commit.
    #[error(
        "there is no commit '{0}', here or on the remote: name a commit, a branch or a tag; in a \
         shallow clone, fetch it first"
    )]
    Revision(String),
    /// A commit has more content than is read.
    #[error("commit {commit} has {what}: that is more than is read")]
    TooMuch {
        /// Its id.
        commit: String,
        /// The quantity that exceeds its limit.
        what: String,
    },
    /// The state of a submodule at a commit is not known.
    #[error("git: commit {commit} of submodule {path} cannot be read: {why}")]
    Submodule {
        /// The submodule's path.
        path: String,
        /// Its commit.
        commit: String,
        /// The cause.
        why: String,
    },
    /// There is no portvakt.yaml at a commit.
    #[error("commit {commit} has no portvakt.yaml in folder {folder}")]
    NoSettings {
        /// The commit.
        commit: String,
        /// The folder.
        folder: String,
    },
    /// Somebody else has the lock.
    #[error("the lock is held {0}")]
    Locked(Box<Holder>),
    /// Somebody has broken the lock.
    #[error(
        "the lock was broken by somebody else while this apply ran: what it did is in the ledger, \
         and its commit does not count as applied"
    )]
    Broken,
    /// The applied commit has changed since it was shown.
    #[error(
        "what counts as applied was changed by somebody else since it was shown: look at it again"
    )]
    Shown,
    /// A ref has changed in the meantime.
    #[error("{0} was changed by somebody else at the same time: try again")]
    Moved(String),
}

impl Error {
    /// Failure to open the repository in a folder.
    pub(super) fn open(folder: &Path, error: &git2::Error) -> Self {
        match error.code() {
            git2::ErrorCode::Owner => Self::Owner(folder.to_owned()),
            _ if is_of(error, "extensions.refstorage") => Self::Reftable(folder.to_owned()),
            _ if is_of(error, "extensions.partialclone") => Self::PartialClone(folder.to_owned()),
            _ => Self::read(&format!("the repository in {}", folder.display()), error),
        }
    }

    /// Failure to read the index.
    pub(super) fn index(error: &git2::Error) -> Self {
        match error.message().contains("mandatory extension: 'sdir'") {
            true => Self::SparseIndex,
            false => Self::read("the index", error),
        }
    }

    /// Failure to read a commit.
    pub(super) fn commit(commit: &str, error: &git2::Error) -> Self {
        Self::read(&format!("commit {commit}"), error)
    }

    /// More content of a commit than is read.
    pub(super) fn too_much(commit: &str, what: impl Into<String>) -> Self {
        Self::TooMuch { commit: commit.to_owned(), what: what.into() }
    }

    pub(super) fn read(what: &str, error: &git2::Error) -> Self {
        Self::Read { what: what.to_owned(), why: error.message().to_owned() }
    }

    pub(super) fn write(what: &str, error: &git2::Error) -> Self {
        Self::Write { what: what.to_owned(), why: error.message().to_owned() }
    }
}

/// Whether an error concerns a setting, in upper or lower case.
fn is_of(error: &git2::Error, setting: &str) -> bool {
    error.message().to_ascii_lowercase().contains(setting)
}

//! Signatures of the commits that portvakt makes, and verification of those of others.
//!
//! Both follow git's configuration: `commit.gpgsign` (with `gpg.format` and `user.signingKey`) to sign, and
//! `gpg.ssh.allowedSignersFile` to verify.

use std::collections::BTreeSet;

use git2::{Commit, Oid, Repository, Signature};

use super::History;
use super::error::Error;
use super::oid::parsed;

/// Prefix of the fingerprint of an SSH key in git's output; other kinds of signatures lack it.
const SSH_FINGERPRINT: &str = "SHA256:";

/// The author of commits of locks, of records and of the ledger; their messages have the details.
pub(super) fn signature(repository: &Repository) -> Result<Signature<'static>, git2::Error> {
    repository.signature().or_else(|_| Signature::now("portvakt", "portvakt@localhost"))
}

impl History {
    /// Makes a commit without files, signed as git is configured; an error names it as `what`.
    pub(super) fn empty_commit(
        &self,
        repository: &Repository,
        what: &str,
        message: &str,
        parents: &[&Commit<'_>],
    ) -> Result<Oid, Error> {
        let write = || {
            let tree = repository.find_tree(repository.treebuilder(None)?.write()?)?;
            let signature = signature(repository)?;
            repository.commit(None, &signature, &signature, message, &tree, parents)
        };
        self.signed(repository, write().map_err(|error| Error::write(what, &error))?)
    }

    /// A commit signed as git is configured; unchanged where it is not configured to sign.
    pub(super) fn signed(&self, repository: &Repository, made: Oid) -> Result<Oid, Error> {
        if self.program.setting("bool", "commit.gpgSign")? != "true" {
            return Ok(made);
        }
        let unreadable = |error: git2::Error| Error::write("a signed commit", &error);
        let commit = repository.find_commit(made).map_err(unreadable)?;
        let signed = self.program.sign(&commit)?;
        parsed(repository.object_format(), &signed).map_err(unreadable)
    }

    /// Whether git is configured to verify signatures.
    pub fn verifies(&self) -> Result<bool, Error> {
        let file = self.program.setting("path", "gpg.ssh.allowedSignersFile")?;
        Ok(!file.is_empty())
    }

    /// Whether a commit that portvakt made is accepted: it is signed by one of the allowed signers, or git is
    /// not configured to verify.
    pub(super) fn is_trusted(&self, commit: Oid) -> Result<bool, Error> {
        Ok(!self.verifies()?
            || self.trusted(&["--no-walk", &commit.to_string()])?.contains(&commit))
    }

    /// The commits of a range, in the syntax of `git log`, that are signed by one of the allowed signers.
    pub(super) fn trusted(&self, range: &[&str]) -> Result<BTreeSet<Oid>, Error> {
        let format = self.repository()?.object_format();
        let listed = self.program.signatures(range)?;
        let good = listed.lines().filter_map(|line| {
            let (commit, rest) = line.split_once(' ')?;
            let (verdict, key) = rest.split_once(' ')?;
            let is_good = verdict == "G" && key.starts_with(SSH_FINGERPRINT);
            parsed(format, commit).ok().filter(|_| is_good)
        });
        Ok(good.collect())
    }
}

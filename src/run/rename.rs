//! A new scope beside the one whose name it replaces.

use super::checkout;
use super::clock::today;
use super::edits::{checked, write};
use super::failure::Failure;
use super::options::RunOptions;
use crate::declare::{Diagnostic, Repository, did_you_mean};
use domain::ScopeName;
use domain::text::printable;

/// Declares a scope under a second name, with the same attributes and consumers. All other declarations and
/// all comments stay as they are. Returns the own clients that still consume the old scope: name, file and line.
///
/// # Errors
/// The scope is not declared, the new one is, or a file cannot be edited; nothing is written then.
pub(crate) fn rename(
    options: &RunOptions,
    (old, new): (&ScopeName, &ScopeName),
    notify: &dyn Fn(&str),
) -> Result<Vec<(String, String, usize)>, Failure> {
    let repository = checkout::open(options)?;
    check_names(&repository, old, new)?;
    let found = repository.check(today());
    if found.iter().any(Diagnostic::is_error) {
        return Err(Failure::Invalid(repository.root().to_owned(), found));
    }
    check_blocks(&repository, old, new)?;
    let edited = repository.with_copied_scope(old, new);
    let edited =
        edited.map_err(|error| Failure::Refused(format!("{error}\nNothing was changed")))?;
    let after = checked(&repository, &edited)?;
    write(notify, &after)?;
    let clients = after.clients_that_consume(old).into_iter();
    Ok(clients.map(|(name, (file, line))| (name.to_string(), file.to_owned(), line)).collect())
}

fn check_names(repository: &Repository, old: &ScopeName, new: &ScopeName) -> Result<(), Failure> {
    if repository.has_scope(new, None) {
        return Err(Failure::Usage(format!(
            "{new} is declared already: choose another name, or remove that declaration first"
        )));
    }
    if repository.has_scope(old, None) {
        return Ok(());
    }
    let known = repository.scope_names();
    let hint = did_you_mean(old.as_str(), known.iter().map(|name| name.as_str()));
    let old = printable(old.as_str());
    Err(Failure::Usage(format!(
        "the scope {old} is not declared; {hint}name it as it is written under `scopes`"
    )))
}

/// Refuses a name under which a blocked consumer would have access.
fn check_blocks(repository: &Repository, old: &ScopeName, new: &ScopeName) -> Result<(), Failure> {
    for environment in repository.environments() {
        let Ok((desired, _)) = repository.desired(environment, today()) else { continue };
        let consumers =
            desired.scopes.get(old).into_iter().flat_map(|scope| scope.consumers.keys());
        let mut lifted = consumers.filter_map(|orgno| {
            let block = desired.block(old, *orgno)?;
            desired.block(new, *orgno).is_none().then_some((orgno, block))
        });
        if let Some((orgno, block)) = lifted.next() {
            return Err(Failure::Refused(format!(
                "{orgno} is blocked from {old} ({}:{}) and would have access to {new} in {environment}: name \
                 {new} in the `scopes` of that entry first. Nothing was changed",
                printable(&block.source.file),
                block.source.line
            )));
        }
    }
    Ok(())
}

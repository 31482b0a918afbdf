//! The line that makes the difference to an access: the entry of the scope, or a group's member or an alias
//! by which an entry that was there before names others now.

use std::sync::Arc;

use super::Draft;
use domain::{Applied, DesiredScope, EntryName, Orgno, ScopeName, Source, Vocabulary};

/// The group by which an access is declared or was declared, and the line that made the difference.
#[derive(Debug, Default)]
pub(super) struct Cause {
    /// The group.
    pub(super) group: Option<Arc<str>>,
    /// The line of the group's member or of the alias; `None` if it is the entry itself.
    pub(super) line: Option<Source>,
}

/// A scope's entries, and what the names in them mean.
type Named<'a> = (&'a DesiredScope, &'a Vocabulary);

impl Draft<'_> {
    /// The cause of a grant to a declared consumer.
    pub(super) fn cause_of_grant(
        &self,
        scope: &ScopeName,
        declared: &DesiredScope,
        orgno: Orgno,
    ) -> Cause {
        let group = declared.consumers.get(&orgno).and_then(|access| access.group.clone());
        let now = (declared, &self.desired.vocabulary);
        let before = self.past.applied.as_ref().and_then(|applied| named_at(applied, scope));
        let line = before.and_then(|before| difference(now, before, orgno)).cloned();
        Cause { group, line }
    }

    /// The cause of the revocation from a consumer that a declared scope no longer names.
    pub(super) fn cause_of_revocation(
        &self,
        scope: &ScopeName,
        declared: &DesiredScope,
        orgno: Orgno,
    ) -> Cause {
        let Some(applied) = &self.past.applied else { return Cause::default() };
        let Some(before) = named_at(applied, scope) else { return Cause::default() };
        let now = (declared, &self.desired.vocabulary);
        let Some(line) = difference(before, now, orgno) else { return Cause::default() };
        let at = line.at.clone().or(Some(applied.commit.clone()));
        let group = before.0.consumers.get(&orgno).and_then(|access| access.group.clone());
        Cause { group, line: Some(Source { at, ..line.clone() }) }
    }
}

fn named_at<'a>(applied: &'a Applied, scope: &ScopeName) -> Option<Named<'a>> {
    let Applied { commit: _, desired } = applied;
    Some((desired.scopes.get(scope)?, &desired.vocabulary))
}

/// The line on one side by which a scope's entries name a consumer that the same entries do not name on the
/// other side; `None` if an entry itself makes the difference.
fn difference<'a>(
    (scope, vocabulary): Named<'a>,
    (other, meaning): Named<'_>,
    orgno: Orgno,
) -> Option<&'a Source> {
    let access = scope.consumers.get(&orgno).filter(|_| !other.consumers.contains_key(&orgno))?;
    let Some(group) = &access.group else {
        let (name, line) = vocabulary.alias(&scope.names, orgno)?;
        return other.names.contains(name).then_some(line);
    };
    if !other.names.contains(&EntryName::Group(Arc::clone(group))) {
        return None;
    }
    let (written, line) = vocabulary.member(group, orgno)?;
    match vocabulary.aliases.get(written) {
        Some(alias) if meaning.has_member(group, written) => Some(&alias.source),
        Some(_) | None => Some(line),
    }
}

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
        let group = self.group(declared, orgno);
        let now = (declared, &self.desired.vocabulary);
        let before = self.past.applied.as_ref().and_then(|applied| named_at(applied, scope));
        let line = before.and_then(|before| self.difference(now, before, orgno)).cloned();
        Cause { group, line }
    }

    /// The cause of the revocation from a consumer that a declared scope no longer names, or not today.
    pub(super) fn cause_of_revocation(
        &self,
        scope: &ScopeName,
        declared: &DesiredScope,
        orgno: Orgno,
    ) -> Cause {
        if declared.consumers.contains_key(&orgno) {
            return Cause { group: self.group(declared, orgno), line: None };
        }
        let Some(applied) = &self.past.applied else { return Cause::default() };
        let Some(before) = named_at(applied, scope) else { return Cause::default() };
        let now = (declared, &self.desired.vocabulary);
        let Some(line) = self.difference(before, now, orgno) else { return Cause::default() };
        let at = line.at.clone().or(Some(applied.commit.clone()));
        let group = self.group(before.0, orgno);
        Cause { group, line: Some(Source { at, ..line.clone() }) }
    }

    /// The group of the entry that describes an access today.
    fn group(&self, scope: &DesiredScope, orgno: Orgno) -> Option<Arc<str>> {
        scope.consumers.get(&orgno)?.described(self.today).group.clone()
    }

    /// The line on one side by which a scope's entries name a consumer that the same entries do not name on the
    /// other side; `None` if an entry itself makes the difference.
    fn difference<'a>(
        &self,
        (scope, vocabulary): Named<'a>,
        (other, meaning): Named<'_>,
        orgno: Orgno,
    ) -> Option<&'a Source> {
        let access =
            scope.consumers.get(&orgno).filter(|_| !other.consumers.contains_key(&orgno))?;
        let Some(group) = &access.described(self.today).group else {
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
}

fn named_at<'a>(applied: &'a Applied, scope: &ScopeName) -> Option<Named<'a>> {
    let Applied { commit: _, desired } = applied;
    Some((desired.scopes.get(scope)?, &desired.vocabulary))
}

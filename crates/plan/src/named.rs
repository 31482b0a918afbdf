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
        if declared.consumers.contains_key(&orgno) && !self.is_dropped(scope, declared, orgno) {
            return Cause { group: self.group(declared, orgno), line: None };
        }
        let Some(applied) = &self.past.applied else { return Cause::default() };
        let Some(before) = named_at(applied, scope) else { return Cause::default() };
        let now = (declared, &self.desired.vocabulary);
        let Some(line) = self.difference(before, now, orgno) else { return Cause::default() };
        Cause { group: self.group(before.0, orgno), line: Some(line.as_of(&applied.commit)) }
    }

    /// Whether a consumer would have access today by an entry of the applied declarations, and is no longer named
    /// in that way: entries that are over or begin later are not the cause of its revocation.
    pub(super) fn is_dropped(
        &self,
        scope: &ScopeName,
        declared: &DesiredScope,
        orgno: Orgno,
    ) -> bool {
        let before = self.past.before().and_then(|before| before.access(scope, orgno));
        let entry = before.and_then(|before| before.on(self.today));
        entry.is_some_and(|entry| !is_named(declared, orgno, entry.group.as_ref()))
    }

    /// The group of the entry by which a consumer has access today, or last had it.
    fn group(&self, scope: &DesiredScope, orgno: Orgno) -> Option<Arc<str>> {
        scope.consumers.get(&orgno)?.last_given(self.today).group.clone()
    }

    /// The line on one side by which a scope's entries name a consumer that the same entries do not name on the
    /// other side; `None` if an entry itself makes the difference.
    fn difference<'a>(
        &self,
        (scope, vocabulary): Named<'a>,
        (other, meaning): Named<'_>,
        orgno: Orgno,
    ) -> Option<&'a Source> {
        let group = &scope.consumers.get(&orgno)?.last_given(self.today).group;
        if is_named(other, orgno, group.as_ref()) {
            return None;
        }
        let Some(group) = group else {
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

/// Whether an entry of a scope names a consumer by a group, or without one.
fn is_named(scope: &DesiredScope, orgno: Orgno, group: Option<&Arc<str>>) -> bool {
    let entries = scope.consumers.get(&orgno).into_iter().flat_map(|access| access.entries());
    entries.into_iter().any(|entry| entry.group.as_ref() == group)
}

fn named_at<'a>(applied: &'a Applied, scope: &ScopeName) -> Option<Named<'a>> {
    let Applied { commit: _, desired } = applied;
    Some((desired.scopes.get(scope)?, &desired.vocabulary))
}

//! Planning of a scope: the first table of the design's section 3.

use super::beside::handed_over;
use super::{ActionId, Code, Draft, ScopeWork, Verb, Work, Write};
use domain::nais::owner_of_scope;
use domain::text::listed;
use domain::{
    Applied, CommitId, DelegationSource, DesiredScope, LiveScope, Removal, RemovalAction, SCOPE,
    ScopeAttributes, ScopeName, Source,
};

impl Draft<'_> {
    pub(super) fn declared_scope(&mut self, name: &ScopeName, declared: &DesiredScope) {
        let live = self.live.scopes.get(name);
        match (live, declared.active) {
            (None, true) => self.create(name, declared),
            (Some(live), true) if live.active => self.update(name, declared, live),
            (Some(live), true) => self.reactivate(name, declared, live),
            (Some(live), false) if live.active => self.pause(name, declared, live),
            (None | Some(_), false) => {}
        }
    }

    /// Plans an entry of `removed` for a scope.
    pub(super) fn removed_scope(&mut self, name: &ScopeName, removal: &Removal) {
        match removal.action {
            RemovalAction::Deactivate => self.close_scope(name, removal),
            RemovalAction::Release => self.release(name, removal),
        }
    }

    /// The scopes that were declared at the applied commit and are no longer.
    pub(super) fn scopes_declared_before(&mut self) {
        let (desired, past) = (self.desired, self.past);
        let Some(Applied { commit, desired: before }) = &past.applied else { return };
        for (name, scope) in &before.scopes {
            if desired.scopes.contains_key(name) || desired.removed.contains_key(name) {
                continue;
            }
            if let Some(other) = self.others.of_scope(name) {
                self.release(name, &handed_over(commit, &scope.source, other));
                continue;
            }
            let live = self.live.active_scope(name).filter(|_| !scope.in_manifest);
            let owner = live.and_then(|live| owner_of_scope(live.description(), name.subscope()));
            match owner {
                Some(owner) => self.held_at_nais(ActionId::scope(Verb::Deactivate, name), &owner),
                None => self.close_scope(name, &no_longer(commit, &scope.source)),
            }
        }
    }

    /// Releases a scope that was managed here; it stays as it is live.
    fn release(&mut self, name: &ScopeName, removal: &Removal) {
        if self.live.active_scope(name).is_none() || self.scope_before(name).is_none() {
            return;
        }
        let target = ActionId::scope(Verb::Release, name);
        if !self.must_stay_here(target, self.others.of_scope(name), |by| by.of_scope(name)) {
            let work = Work::Scope(name.clone(), ScopeWork::Release);
            self.push(work, &removal.source, removal.reason.clone(), Vec::new());
        }
    }

    /// Removes a scope: its accesses are revoked first, so that a later reactivation does not restore them.
    fn close_scope(&mut self, name: &ScopeName, removal: &Removal) {
        let Some(live) = self.live.active_scope(name) else { return };
        let target = || ActionId::scope(Verb::Deactivate, name);
        if self.blocked_beside(target(), self.others.of_scope(name))
            || self.must_stay(target(), |by| by.of_scope(name))
        {
            return;
        }
        let after = self.revoke_all(name, live, removal);
        let work = Work::Scope(name.clone(), ScopeWork::Deactivate { loses: Vec::new() });
        self.push(work, &removal.source, removal.reason.clone(), after);
    }

    fn create(&mut self, name: &ScopeName, declared: &DesiredScope) {
        let consumers = declared.consumers.len();
        let left_out = match consumers {
            0 => String::new(),
            _ => format!("; nor is anybody of its {consumers} consumers given access"),
        };
        if !self.live.prefixes.contains(name.prefix()) {
            let message = format!(
                "DigDir has not given the prefix '{}' to {}: ask DigDir for it, or correct the name{left_out}",
                name.prefix(),
                self.desired.organization,
            );
            return self.block(ActionId::scope(Verb::Create, name), Code::PrefixNotOwned, message);
        }
        let Some(wanted) = self.resolved(Verb::Create, name, &declared.attributes) else {
            return;
        };
        let write = Write::new(None, wanted.wanted().collect());
        let work = Work::Scope(name.clone(), ScopeWork::Create(Box::new(write)));
        let created = self.push(work, &declared.source, None, Vec::new());
        self.grants(name, declared, None, &[created]);
    }

    fn update(&mut self, name: &ScopeName, declared: &DesiredScope, live: &LiveScope) {
        self.revokes(name, declared, live, false);
        self.grants(name, declared, Some(live), &[]);
        let Some(wanted) = self.resolved(Verb::Update, name, &declared.attributes) else {
            return;
        };
        let write = Write::new(Some(&live.representation), wanted.wanted().collect());
        self.report_kept(name, declared, live);
        if !write.changes.is_empty() {
            let work = Work::Scope(name.clone(), ScopeWork::Update(Box::new(write)));
            self.push(work, &declared.source, None, Vec::new());
        }
    }

    /// Names those who keep access to a scope that is no longer open to all: their accesses are as they should be,
    /// and begin to matter.
    fn report_kept(&mut self, name: &ScopeName, declared: &DesiredScope, live: &LiveScope) {
        let is_open = SCOPE.accessible_for_all.is_set(&live.representation);
        if !is_open || declared.attributes.accessible_for_all {
            return;
        }
        let kept = self.regains(name, declared, live);
        if !kept.is_empty() {
            let message = format!("once it is closed, it keeps these consumers: {}", listed(kept));
            self.report(Code::KeepsAccess, name.to_string(), message);
        }
    }

    fn reactivate(&mut self, name: &ScopeName, declared: &DesiredScope, live: &LiveScope) {
        if self.is_unclear(Verb::Reactivate, name, declared, live) {
            return;
        }
        let Some(wanted) = self.resolved(Verb::Reactivate, name, &declared.attributes) else {
            return;
        };
        let revoked = self.revokes(name, declared, live, true);
        let write = Write::new(Some(&live.representation), wanted.wanted().collect());
        let work = ScopeWork::Reactivate {
            write: Box::new(write),
            regains: self.regains(name, declared, live),
            entitled: self.entitled(name, declared),
        };
        let work = Work::Scope(name.clone(), work);
        let reactivated = self.push(work, &declared.source, None, revoked);
        self.grants(name, declared, Some(live), &[reactivated]);
    }

    fn pause(&mut self, name: &ScopeName, declared: &DesiredScope, live: &LiveScope) {
        let target = || ActionId::scope(Verb::Deactivate, name);
        let is_new = self.scope_before(name).is_none();
        if is_new && self.blocked_beside(target(), self.others.of_scope(name)) {
            return;
        }
        if !self.must_stay(target(), |by| by.of_scope(name)) {
            let work = ScopeWork::Deactivate { loses: self.approved(live) };
            self.push(Work::Scope(name.clone(), work), &declared.source, None, Vec::new());
        }
    }

    /// The attributes with the delegation source's issuer in place of its name. If DigDir has no such source,
    /// the action is blocked.
    fn resolved(
        &mut self,
        verb: Verb,
        name: &ScopeName,
        attributes: &ScopeAttributes,
    ) -> Option<ScopeAttributes> {
        let Some(asked) = attributes.delegation_source.as_deref() else {
            return Some(attributes.clone());
        };
        let is_asked = |source: &&DelegationSource| source.name == asked || source.issuer == asked;
        if let Some(source) = self.live.delegation_sources.iter().find(is_asked) {
            let delegation_source = Some(source.issuer.clone());
            return Some(ScopeAttributes { delegation_source, ..attributes.clone() });
        }
        let known = listed(self.live.delegation_sources.iter().map(|source| &source.name));
        let message = format!(
            "DigDir has no delegation source '{asked}'; it has: {}",
            if self.live.delegation_sources.is_empty() { "none" } else { &known },
        );
        self.block(ActionId::scope(verb, name), Code::UnknownDelegationSource, message);
        None
    }
}

/// Removal of an entity that was declared at the applied commit, at that place, and is no longer.
pub(super) fn no_longer(commit: &CommitId, source: &Source) -> Removal {
    Removal {
        action: RemovalAction::Deactivate,
        reason: Some("no longer declared".to_owned()),
        source: source.as_of(commit),
    }
}

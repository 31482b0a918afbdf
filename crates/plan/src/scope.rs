//! Planning of a scope: the first table of the design's section 3.

use super::beside::handed_over;
use super::{Action, ActionId, Code, Draft, Notice, ScopeWork, Verb, Work, Write};
use domain::nais::owner_of_scope;
use domain::{
    Applied, Change, CommitId, DelegationSource, DesiredScope, LiveScope, Removal, RemovalAction,
    Representation, SCOPE, ScopeAttributes, ScopeName, Source, changes,
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
            let live = self.live.scopes.get(name).filter(|live| live.active && !scope.in_manifest);
            let owner = live.and_then(|live| owner_of_scope(live.description(), name.subscope()));
            match owner {
                Some(owner) => self.held_at_nais(ActionId::scope(Verb::Deactivate, name), &owner),
                None => self.close_scope(name, &no_longer(commit, &scope.source)),
            }
        }
    }

    fn is_open(&self, name: &ScopeName) -> bool {
        self.live.scopes.get(name).is_some_and(|live| live.active)
    }

    /// Releases a scope that was managed here; it stays as it is live.
    fn release(&mut self, name: &ScopeName, removal: &Removal) {
        if !self.is_open(name) || self.scope_before(name).is_none() {
            return;
        }
        let target = || ActionId::scope(Verb::Release, name);
        let other = self.others.of_scope(name);
        let stays = !self.others.is_scope_protected(name)
            && (self.waits_for(target(), other, |by| by.of_scope(name))
                || self.must_stay(target(), |by| by.of_scope(name)));
        if !stays {
            let reason = removal.reason.clone();
            self.push_scope(name, ScopeWork::Release, &removal.source, reason, Vec::new());
        }
    }

    /// Removes a scope: its accesses are revoked first, so that a later reactivation does not restore them.
    fn close_scope(&mut self, name: &ScopeName, removal: &Removal) {
        let Some(live) = self.live.scopes.get(name).filter(|live| live.active) else {
            return;
        };
        let target = || ActionId::scope(Verb::Deactivate, name);
        if self.blocked_beside(target(), self.others.of_scope(name))
            || self.must_stay(target(), |by| by.of_scope(name))
        {
            return;
        }
        let after = self.revoke_all(name, live, removal);
        let work = ScopeWork::Deactivate { loses: Vec::new() };
        self.push_scope(name, work, &removal.source, removal.reason.clone(), after);
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
        let mut write = write(&Representation::new(), &wanted);
        let fresh = |change: &mut Change| change.before = serde_json::Value::Null;
        write.changes.iter_mut().for_each(fresh);
        self.push_scope(name, ScopeWork::Create(write), &declared.source, None, Vec::new());
        self.grants(name, declared, None, &[ActionId::scope(Verb::Create, name)]);
    }

    fn update(&mut self, name: &ScopeName, declared: &DesiredScope, live: &LiveScope) {
        self.revokes(name, declared, live, false);
        self.grants(name, declared, live.accesses.as_ref(), &[]);
        let Some(wanted) = self.resolved(Verb::Update, name, &declared.attributes) else {
            return;
        };
        let write = write(&live.representation, &wanted);
        self.report_kept(name, declared, live);
        if !write.changes.is_empty() {
            self.push_scope(name, ScopeWork::Update(write), &declared.source, None, Vec::new());
        }
    }

    /// Names those who keep access to a scope that is no longer open to all: their accesses are as they should be,
    /// and begin to matter.
    fn report_kept(&mut self, name: &ScopeName, declared: &DesiredScope, live: &LiveScope) {
        let is_open = SCOPE.accessible_for_all.of(&live.representation) == Some(&true.into());
        if !is_open || declared.attributes.accessible_for_all {
            return;
        }
        let kept: Vec<_> =
            self.regains(name, declared, live).iter().map(ToString::to_string).collect();
        if !kept.is_empty() {
            let message =
                format!("once it is closed, it keeps these consumers: {}", kept.join(", "));
            self.notices.push(Notice {
                code: Code::KeepsAccess,
                target: name.to_string(),
                message,
            });
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
        let write = write(&live.representation, &wanted);
        let regains = self.regains(name, declared, live);
        let entitled = self.entitled(name, declared);
        let work = ScopeWork::Reactivate { write, regains, entitled };
        self.push_scope(name, work, &declared.source, None, revoked);
        let reactivated = ActionId::scope(Verb::Reactivate, name);
        self.grants(name, declared, live.accesses.as_ref(), &[reactivated]);
    }

    fn pause(&mut self, name: &ScopeName, declared: &DesiredScope, live: &LiveScope) {
        let target = || ActionId::scope(Verb::Deactivate, name);
        let is_new = self.scope_before(name).is_none();
        if is_new && self.blocked_beside(target(), self.others.of_scope(name)) {
            return;
        }
        if !self.must_stay(target(), |by| by.of_scope(name)) {
            let work = ScopeWork::Deactivate { loses: self.approved(live) };
            self.push_scope(name, work, &declared.source, None, Vec::new());
        }
    }

    fn push_scope(
        &mut self,
        name: &ScopeName,
        work: ScopeWork,
        source: &Source,
        reason: Option<String>,
        after: Vec<ActionId>,
    ) {
        self.actions.push(Action::new(Work::Scope(name.clone(), work), source, reason, after));
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
        let known: Vec<_> =
            self.live.delegation_sources.iter().map(|source| source.name.as_str()).collect();
        let message = format!(
            "DigDir has no delegation source '{asked}'; it has: {}",
            if known.is_empty() { "none".to_owned() } else { known.join(", ") },
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
        source: Source { at: source.at.clone().or(Some(commit.clone())), ..source.clone() },
    }
}

/// The write that changes a live scope to the declared one.
fn write(live: &Representation, wanted: &ScopeAttributes) -> Box<Write> {
    let wanted: Vec<_> = wanted.wanted().collect();
    let changes = changes(live, wanted.iter().cloned());
    Box::new(Write { wanted, changes })
}

//! What becomes of a scope: the first table of the design's section 3.

use super::{Action, ActionId, Code, Draft, ScopeWork, Verb, Work, Write};
use crate::domain::{
    Change, DelegationSource, DesiredScope, LiveScope, Removal, RemovalAction, Representation,
    ScopeAttributes, ScopeName, Source, changes,
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

    /// A scope that is taken out for good: nobody may come back by a later reactivation, so its
    /// accesses go first.
    pub(super) fn removed_scope(&mut self, name: &ScopeName, removal: &Removal) {
        let live = match (removal.action, self.live.scopes.get(name)) {
            (RemovalAction::Deactivate, Some(live)) if live.active => live,
            (RemovalAction::Deactivate | RemovalAction::Release, _) => return,
        };
        if self.is_protected(ActionId::scope(Verb::Deactivate, name), name.as_str()) {
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
                "DigDir has not given the prefix '{}' to {}: ask DigDir for it, or mend the name{left_out}",
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
        if !write.changes.is_empty() {
            self.push_scope(name, ScopeWork::Update(write), &declared.source, None, Vec::new());
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
        let regains = self.regains(declared, live);
        let entitled = self.entitled(declared);
        let work = ScopeWork::Reactivate { write, regains, entitled };
        self.push_scope(name, work, &declared.source, None, revoked);
        let reactivated = ActionId::scope(Verb::Reactivate, name);
        self.grants(name, declared, live.accesses.as_ref(), &[reactivated]);
    }

    fn pause(&mut self, name: &ScopeName, declared: &DesiredScope, live: &LiveScope) {
        if declared.prevent_deactivation {
            let message = "its declaration says prevent_deactivation: take that out in a change \
                           of its own, apply it, and deactivate the scope after that";
            self.block(
                ActionId::scope(Verb::Deactivate, name),
                Code::PreventDeactivation,
                message.to_owned(),
            );
        } else if !self.is_protected(ActionId::scope(Verb::Deactivate, name), name.as_str()) {
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
        let (work, source) = (Work::Scope(name.clone(), work), source.clone());
        self.actions.push(Action { work, source, reason, after });
    }

    /// The attributes with the delegation source's issuer for its name. If DigDir has no such
    /// source, the action is blocked.
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

/// What makes a live scope the wanted one.
fn write(live: &Representation, wanted: &ScopeAttributes) -> Box<Write> {
    let wanted: Vec<_> = wanted.wanted().collect();
    let changes = changes(live, wanted.iter().cloned());
    Box::new(Write { wanted, changes })
}

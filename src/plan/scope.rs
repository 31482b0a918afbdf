//! What becomes of a scope: the first table of the design's section 3.

use super::{Action, ActionId, Code, Draft, ScopeWrite, Verb, Work};
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
        if self.is_protected(name) {
            return;
        }
        let after = self.revoke_all(name, live, removal);
        let work = Work::Deactivate { loses: Vec::new() };
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
            return self.block(Verb::Create, name, Code::PrefixNotOwned, message);
        }
        let Some(wanted) = self.resolved(Verb::Create, name, &declared.attributes) else {
            return;
        };
        let changes = changes(&Representation::new(), wanted.wanted())
            .into_iter()
            .map(|change| Change { before: serde_json::Value::Null, ..change })
            .collect();
        let write = Box::new(ScopeWrite { changes, wanted });
        self.push_scope(name, Work::Create(write), &declared.source, None, Vec::new());
        self.grants(name, declared, None, &[ActionId::scope(Verb::Create, name)]);
    }

    fn update(&mut self, name: &ScopeName, declared: &DesiredScope, live: &LiveScope) {
        self.revokes(name, declared, live, false);
        self.grants(name, declared, live.accesses.as_ref(), &[]);
        let Some(wanted) = self.resolved(Verb::Update, name, &declared.attributes) else {
            return;
        };
        let write = write(live, wanted);
        if !write.changes.is_empty() {
            self.push_scope(name, Work::Update(write), &declared.source, None, Vec::new());
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
        let write = write(live, wanted);
        let regains = self.regains(declared, live);
        let entitled = self.entitled(declared);
        let work = Work::Reactivate { write, regains, entitled };
        self.push_scope(name, work, &declared.source, None, revoked);
        let reactivated = ActionId::scope(Verb::Reactivate, name);
        self.grants(name, declared, live.accesses.as_ref(), &[reactivated]);
    }

    fn pause(&mut self, name: &ScopeName, declared: &DesiredScope, live: &LiveScope) {
        if declared.prevent_deactivation {
            let message = "its declaration says prevent_deactivation: take that out in a change \
                           of its own, apply it, and deactivate the scope after that";
            self.block(Verb::Deactivate, name, Code::PreventDeactivation, message.to_owned());
        } else if !self.is_protected(name) {
            let work = Work::Deactivate { loses: self.approved(live) };
            self.push_scope(name, work, &declared.source, None, Vec::new());
        }
    }

    /// Whether `guards.protect` forbids to deactivate the scope; if so, the plan tells it.
    fn is_protected(&mut self, name: &ScopeName) -> bool {
        let protected = self.desired.guards.protect.is_match(name.as_str());
        if protected {
            let message = "guards.protect in portvakt.yaml names it: nothing is done to it. Take \
                           it out there first if it really is to go";
            self.block(Verb::Deactivate, name, Code::Protected, message.to_owned());
        }
        protected
    }

    fn push_scope(
        &mut self,
        name: &ScopeName,
        work: Work,
        source: &Source,
        reason: Option<String>,
        after: Vec<ActionId>,
    ) {
        let (scope, source) = (name.clone(), source.clone());
        self.actions.push(Action { scope, work, source, reason, after });
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
        self.block(verb, name, Code::UnknownDelegationSource, message);
        None
    }
}

/// What makes a live scope the wanted one.
fn write(live: &LiveScope, wanted: ScopeAttributes) -> Box<ScopeWrite> {
    let changes = changes(&live.representation, wanted.wanted());
    Box::new(ScopeWrite { wanted, changes })
}

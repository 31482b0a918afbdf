//! Checks whether a client may have the scopes that it consumes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::{ActionId, Blocked, Code, Draft, ScopeWork, Verb, Work};
use domain::text::listed;
use domain::text::similar::nearest;
use domain::{
    AccessState, ClientName, ConsumedScope, DesiredClient, ForeignScope, IntegrationType,
    LiveClient, SCOPE, ScopeName,
};

/// The part of a client's declaration that is possible now.
pub(super) struct Permitted<'d> {
    /// The declaration, with the scopes that the client can have.
    pub(super) declared: Cow<'d, DesiredClient>,
    /// The actions that must be done before the client can have them.
    pub(super) after: Vec<ActionId>,
}

/// A scope that a client cannot have.
struct Lacking {
    scope: ConsumedScope,
    code: Code,
    why: String,
}

/// The organisation's access to a scope.
enum ScopeAccess {
    /// Its clients can have it, once this action is done.
    Fine(Option<ActionId>),
    /// Its clients can have it, and use it only on behalf of others.
    ForOthers,
    /// Its clients cannot have it.
    Lacking(Code, String),
}

impl Draft<'_> {
    /// The part of a declaration that is possible with the organisation's accesses. The scopes that the client
    /// cannot have are blocked, and it goes without them; a scope that is already on the live client stays
    /// there, so a problem with it is only reported. If no scope is left, the reason is the error.
    pub(super) fn permitted<'d>(
        &mut self,
        verb: Verb,
        client: &ClientName,
        declared: &'d DesiredClient,
        live: Option<&LiveClient>,
    ) -> Result<Permitted<'d>, (Code, String)> {
        let kind = declared.attributes.integration_type;
        let has: BTreeSet<&str> = live.into_iter().flat_map(LiveClient::scopes).collect();
        let mut after = Vec::new();
        let mut lacking = Vec::new();
        for scope in &declared.attributes.scopes {
            match self.access(scope, kind) {
                ScopeAccess::Fine(needed) => after.extend(needed),
                ScopeAccess::ForOthers if has.contains(scope.as_str()) => {}
                ScopeAccess::ForOthers => {
                    let message = format!(
                        "has no access to {scope} itself: it can use the scope only for consumers that \
                         have delegated it to the organisation"
                    );
                    self.report(Code::ForOthers, format!("client {client}"), message);
                }
                ScopeAccess::Lacking(_, why) if has.contains(scope.as_str()) => {
                    let message = format!("{why}; tokens with it are refused");
                    self.report(Code::ConsumedInVain, format!("client {client}"), message);
                }
                ScopeAccess::Lacking(code, why) => {
                    lacking.push(Lacking { scope: scope.clone(), code, why });
                }
            }
        }
        let declared = match lacking.first() {
            None => Cow::Borrowed(declared),
            Some(first) if lacking.len() == declared.attributes.scopes.len() => {
                let why: Vec<_> = lacking.iter().map(|lacking| lacking.why.as_str()).collect();
                return Err((first.code, why.join("; ")));
            }
            Some(_) => Cow::Owned(without(declared, &lacking)),
        };
        for Lacking { scope, code, why } in lacking {
            let message = format!("{why}; the client goes without it until then");
            let target = ActionId::client(verb, client);
            self.blocked.push(Blocked { target, consumed: Some(scope), code, message });
        }
        Ok(Permitted { declared, after })
    }

    fn access(&self, scope: &ConsumedScope, kind: IntegrationType) -> ScopeAccess {
        if kind.brings(scope.as_str()) {
            return ScopeAccess::Fine(None);
        }
        let Some(name) = scope.name() else {
            return ScopeAccess::Lacking(
                Code::ScopeNotGranted,
                format!("there is no scope '{scope}' for a client of {}", kind.as_str()),
            );
        };
        let is_own = self.desired.scopes.contains_key(&name)
            || self.live.scopes.contains_key(&name)
            || self.live.prefixes.contains(name.prefix());
        let (access, allowed) = match is_own {
            true => (self.own_access(&name), self.own_types(&name)),
            false => {
                let foreign = self.live.foreign.get(&name);
                let types = foreign.map(|foreign| foreign.allowed_integration_types.clone());
                (self.foreign_access(&name, foreign), types.unwrap_or_default())
            }
        };
        match access {
            ScopeAccess::Fine(_) | ScopeAccess::ForOthers
                if !allowed.is_empty() && !allowed.contains(&kind) =>
            {
                let types = listed(allowed.iter().map(|kind| kind.as_str()));
                ScopeAccess::Lacking(
                    Code::ScopeNotForType,
                    format!(
                        "{name} is for clients of {types} alone, and this one is of {}",
                        kind.as_str()
                    ),
                )
            }
            access => access,
        }
    }

    /// Access to a scope of the organisation itself, as it is after the plan.
    fn own_access(&self, name: &ScopeName) -> ScopeAccess {
        let lacking = |why: String| ScopeAccess::Lacking(Code::ScopeNotGranted, why);
        let planned = self.of_scopes.get(name).and_then(|index| self.actions.get(*index));
        if let Some(action) = planned
            && let Work::Scope(_, work) = &action.work
        {
            return match work {
                ScopeWork::Deactivate { .. } => {
                    lacking(format!("{name} is our own, and this plan deactivates it"))
                }
                ScopeWork::Release => ScopeAccess::Fine(None),
                ScopeWork::Update(write) => {
                    let types = SCOPE.allowed_integration_types.name;
                    let opens = write.changes.iter().any(|change| change.field == types);
                    ScopeAccess::Fine(opens.then(|| action.id()))
                }
                ScopeWork::Create(_) | ScopeWork::Reactivate { .. } => {
                    ScopeAccess::Fine(Some(action.id()))
                }
            };
        }
        let create = ActionId::scope(Verb::Create, name);
        match self.live.scopes.get(name) {
            Some(scope) if scope.active => ScopeAccess::Fine(None),
            Some(_) => lacking(format!("{name} is our own, and inactive")),
            None if self.blocked.iter().any(|blocked| blocked.target == create) => {
                lacking(format!("{name} is our own, and its creation is blocked"))
            }
            None => self.unknown(name),
        }
    }

    /// A scope below an own prefix that is not live, and that the plan does not make.
    fn unknown(&self, name: &ScopeName) -> ScopeAccess {
        let lacking = |why: String| ScopeAccess::Lacking(Code::UnknownScope, why);
        if self.desired.scopes.contains_key(name) {
            return lacking(format!(
                "{name} is our own, is declared with `active: false`, and does not exist"
            ));
        }
        if let Some(other) = self.others.of_scope(name) {
            return lacking(format!("{name} does not exist yet: {}", other.makes_it()));
        }
        let known = self.desired.scopes.keys().chain(self.live.scopes.keys());
        let hint = match nearest(name.as_str(), known.map(ScopeName::as_str)) {
            Some(near) => format!("Did you mean {near}? "),
            None => String::new(),
        };
        lacking(format!(
            "{name} would be our own, is not declared, and does not exist. {hint}Correct the name, or \
             declare the scope"
        ))
    }

    /// The integration types that may use an own scope after the plan; empty means any.
    fn own_types(&self, name: &ScopeName) -> BTreeSet<IntegrationType> {
        if let Some(scope) = self.desired.scopes.get(name) {
            return scope.attributes.allowed_integration_types.clone();
        }
        let live = self.live.scopes.get(name).map(|scope| &scope.representation);
        let types = live.and_then(|live| SCOPE.allowed_integration_types.of(live)).cloned();
        serde_json::from_value(types.unwrap_or_default()).unwrap_or_default()
    }

    fn foreign_access(&self, name: &ScopeName, foreign: Option<&ForeignScope>) -> ScopeAccess {
        let lacking = |why: String| ScopeAccess::Lacking(Code::ScopeNotGranted, why);
        let Some(scope) = foreign else {
            return lacking(format!(
                "there is no access to {name}, and no public scope of that name: look for a typing \
                 error, or ask whoever has the prefix '{}' for access",
                name.prefix()
            ));
        };
        let owner = self.owner(scope);
        if scope.inactive {
            return lacking(format!("{name} is inactive: ask its owner, {owner}"));
        }
        match &scope.access {
            _ if scope.open => ScopeAccess::Fine(None),
            Some(AccessState::Approved) => ScopeAccess::Fine(None),
            _ if scope.delegable => ScopeAccess::ForOthers,
            Some(AccessState::Requested) => lacking(format!(
                "access to {name} is REQUESTED, and {owner}, its owner, has not answered"
            )),
            Some(AccessState::Denied) => {
                lacking(format!("access to {name} is DENIED: ask its owner, {owner}"))
            }
            Some(AccessState::Other(state)) => lacking(format!(
                "access to {name} is in the state {state}, which DigDir does not document: ask its \
                 owner, {owner}"
            )),
            None => lacking(format!("access to {name} is missing: ask its owner, {owner}")),
        }
    }

    fn owner(&self, scope: &ForeignScope) -> String {
        let Some(owner) = scope.owner else {
            return "whom DigDir does not name".to_owned();
        };
        match self.desired.name_of(owner, scope.owner_name.as_ref()) {
            Some(name) => format!("{name} ({owner})"),
            None => owner.to_string(),
        }
    }
}

/// The declaration without these scopes.
fn without(declared: &DesiredClient, lacking: &[Lacking]) -> DesiredClient {
    let mut declared = declared.clone();
    declared.attributes.scopes.retain(|scope| lacking.iter().all(|it| it.scope != *scope));
    declared
}

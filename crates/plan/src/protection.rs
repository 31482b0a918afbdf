//! Protection of scopes and clients, and actions that a plan leaves out because of it.

use std::collections::HashSet;

use super::{ActionId, ClientWork, Code, Draft, Notice, ScopeWork, Verb, Work};
use domain::{
    AccessState, Applied, ClientName, DesiredScope, Elsewhere, Entity, Guards, LiveScope, Orgno,
    Protected, ProtectedBy, Protection, ScopeName,
};

impl Draft<'_> {
    /// Whether an entity must stay as it is: it is protected, by the declarations or by those of a commit
    /// that was applied (removing a declaration does not remove its protection), or it is to be deactivated
    /// and the past is not known. If so, the plan shows the action as blocked.
    pub(super) fn must_stay(
        &mut self,
        target: ActionId,
        by: impl Fn(&Protection) -> Option<ProtectedBy>,
    ) -> bool {
        if let Some(found) = by(&self.protection) {
            let (code, message) = match found {
                ProtectedBy::Declaration => (
                    Code::PreventDeactivation,
                    "its declaration says prevent_deactivation: remove that in a change of its own, \
                     apply it, and deactivate it after that",
                ),
                ProtectedBy::Guard => (
                    Code::Protected,
                    "guards.protect in portvakt.yaml names it. Remove it there first, in a change of \
                     its own, and apply that, if it really is to go",
                ),
            };
            self.block(target, code, message);
            return true;
        }
        // An entity that is protected elsewhere stays active when it is released here.
        let counts =
            |protected: &&Protected| target.verb != Verb::Release || protected.elsewhere.is_none();
        let before = self.past.protected.iter().filter(counts);
        let mut before =
            before.filter_map(|protected| Some((protected, by(&protected.protection)?)));
        if let Some((protected, found)) = before.next() {
            let advice = match found {
                ProtectedBy::Declaration => {
                    "put it back without that, apply it, and remove it after that"
                }
                ProtectedBy::Guard => {
                    "put it back, remove it from guards.protect in a change of its own, apply that, and \
                     remove it after that"
                }
            };
            let (code, message) = protected_before(protected, found, advice);
            self.block(target, code, message);
            return true;
        }
        if self.past.unknown.is_some() && target.verb == Verb::Deactivate {
            self.block(target, Code::PastUnknown, PAST_UNKNOWN);
            return true;
        }
        false
    }

    /// The reason why nobody may lose access to an active scope, if there is one. A change that drops the
    /// protection of a scope must not also revoke accesses that the declarations granted before; and as long
    /// as the past is not known, neither is whether that is the case, and no scope loses all its consumers.
    pub(super) fn keeps_access(
        &self,
        scope: &ScopeName,
        consumer: Orgno,
        is_emptied: bool,
    ) -> Option<(Code, String)> {
        let before = self.scope_before(scope);
        let was_entitled = before.is_none_or(|before| self.is_in_force(before, consumer));
        if was_entitled && let Some((protected, by)) = self.drops_of_scope(scope) {
            return Some(protected_before(protected, by, DROPPED));
        }
        match &self.past.unknown {
            Some(_) if is_emptied => Some((Code::PastUnknown, PAST_UNKNOWN.to_owned())),
            Some(_) | None => None,
        }
    }

    /// Whether nobody would have access to a scope any more.
    pub(super) fn is_emptied(
        &self,
        scope: &ScopeName,
        declared: &DesiredScope,
        live: &LiveScope,
    ) -> bool {
        let mut approved = live.in_state(AccessState::Approved);
        !approved.any(|(orgno, _)| self.is_entitled(scope, declared, orgno))
    }

    /// The applied protection of an entity that nothing protects any more. Protection by another place counts
    /// where this one has not applied the entity itself (`is_ours`).
    fn drops(
        &self,
        is_ours: bool,
        now: impl Fn(&Protection) -> Option<ProtectedBy>,
        before: impl Fn(&Protection) -> Option<ProtectedBy>,
    ) -> Option<(&Protected, ProtectedBy)> {
        if now(&self.protection).is_some() {
            return None;
        }
        let counts = |protected: &&Protected| !is_ours || protected.elsewhere.is_none();
        let mut past = self.past.protected.iter().filter(counts);
        past.find_map(|protected| Some((protected, before(&protected.protection)?)))
    }

    fn drops_of_scope(&self, name: &ScopeName) -> Option<(&Protected, ProtectedBy)> {
        // An entity that another place declares too has the protection of that place.
        let is_ours = self.scope_before(name).is_some() && self.others.of_scope(name).is_none();
        self.drops(is_ours, |by| by.of_scope(name), |by| by.of_scope(name))
    }

    /// As `drops`, for a client, which may have another name live.
    fn drops_of_client(&self, name: &ClientName, live: &str) -> Option<(&Protected, ProtectedBy)> {
        let is_ours = self.client_before(name).is_some() && !self.others.declare_client(live);
        let (now, both) = ([name.as_str(); 2], [name.as_str(), live]);
        self.drops(is_ours, |by| by.of_client(now), |by| by.of_client(both))
    }

    /// Drops the actions that change a scope or a client whose protection the same change removes, that would
    /// give a client a name that is not protected, and that concern entities that another place declares and
    /// this one has never applied: protection is removed in a change of its own.
    pub(super) fn keep_what_was_protected(&mut self) {
        let mut blocked = Vec::new();
        for action in &self.actions {
            if let Some(other) = self.of_another(action) {
                blocked.push((action.id(), (Code::DeclaredBeside, other.declares_it())));
                continue;
            }
            let dropped = match &action.work {
                Work::Scope(name, ScopeWork::Update(_)) => self.drops_of_scope(name),
                Work::Client(name, ClientWork::Update(id, _)) => {
                    let live = self.live_name(name, Some(id));
                    let is_protected = |name: &str| self.protection.of_client([name; 2]).is_some();
                    if is_protected(live) && !is_protected(name.as_str()) {
                        blocked.push((action.id(), (Code::Protected, RENAMED.to_owned())));
                        continue;
                    }
                    self.drops_of_client(name, live)
                }
                Work::Keys(name, keys) if keys.takes_away() => {
                    self.drops_of_client(name, self.live_name(name, keys.id.as_ref()))
                }
                Work::Scope(..) | Work::Access(..) | Work::Client(..) | Work::Keys(..) => None,
            };
            let found = dropped.map(|(protected, by)| protected_before(protected, by, DROPPED));
            blocked.extend(found.map(|found| (action.id(), found)));
        }
        let ids: HashSet<_> = blocked.iter().map(|(id, _)| id).collect();
        self.actions.retain(|action| !ids.contains(&action.id()));
        for action in &mut self.actions {
            action.after.retain(|after| !ids.contains(after));
        }
        for (id, (code, message)) in blocked {
            self.block(id, code, message);
        }
    }

    /// Reports protection that is removed and limits that are raised: nothing else in a plan shows them.
    pub(super) fn report_less_protection(&mut self) {
        let Some(applied) = &self.past.applied else { return };
        let lines: Vec<_> = self
            .unprotected(applied)
            .chain(self.raised_limits())
            .map(|(target, message)| Notice { code: Code::LessProtection, target, message })
            .collect();
        self.notices.extend(lines);
    }

    /// The entities that lose their protection, and the message about each.
    fn unprotected(&self, applied: &Applied) -> impl Iterator<Item = (String, String)> {
        let Applied { commit: _, desired: before } = applied;
        // A blocked action is not applied, and is shown.
        let is_blocked = |entity: Entity| {
            let by = [Code::PreventDeactivation, Code::Protected, Code::DeclaredBeside];
            let mut blocked = self.blocked.iter().filter(|it| by.contains(&it.code));
            blocked.any(|it| it.target.target.entity() == entity)
        };
        let scopes = before.scopes.keys();
        let scopes = scopes.filter(|name| self.live.active_scope(name).is_some());
        let scopes = scopes.filter(move |name| !is_blocked(Entity::Scope((*name).clone())));
        let is_protected = |name: &ScopeName| {
            let other = self.others.of_scope(name);
            other.is_some_and(|other| other.protects(|by| by.of_scope(name)))
        };
        let scopes = scopes.filter(move |name| !is_protected(name));
        let scopes = scopes.filter_map(|name| {
            let (protected, _) = self.drops_of_scope(name)?;
            Some((format!("scope {name}"), &protected.commit))
        });
        let clients = before.clients.keys();
        let clients = clients.filter(move |name| !is_blocked(Entity::Client((*name).clone())));
        let clients = clients.filter_map(|name| {
            let (protected, _) = self.drops_of_client(name, name.as_str())?;
            Some((format!("client {name}"), &protected.commit))
        });
        scopes.chain(clients).map(|(target, commit)| {
            let message = format!(
                "was protected at commit {commit} and is protected no longer: once this has been applied, \
                 another change can close it"
            );
            (target, message)
        })
    }

    /// The limits that are raised, and the message about each.
    fn raised_limits(&self) -> impl Iterator<Item = (String, String)> {
        let before = self.past.limits.as_ref().map(limits).into_iter().flatten();
        let both = before.zip(limits(&self.desired.guards));
        let raised = both.filter(|((_, before), (_, now))| now > before);
        let shown = |limit| match limit {
            u64::MAX => "no limit".to_owned(),
            limit => limit.to_string(),
        };
        raised.map(move |((key, before), (_, now))| {
            let message = format!(
                "is raised from {} to {}, which counts once this has been applied",
                shown(before),
                shown(now)
            );
            (format!("guards.{key}"), message)
        })
    }
}

/// The limits by their keys; `u64::MAX` for none.
fn limits(guards: &Guards) -> [(&'static str, u64); 4] {
    let Guards { max_deactivations, max_revocations, max_grants, max_changed_percent, protect: _ } =
        guards;
    [
        ("max_deactivations", *max_deactivations),
        ("max_revocations", *max_revocations),
        ("max_grants", *max_grants),
        ("max_changed_percent", max_changed_percent.map_or(u64::MAX, u64::from)),
    ]
}

/// Remedies where it is not known what was applied before.
pub const PAST_REMEDY: &str = "`portvakt baseline` shows what is missing and `portvakt baseline set \
                                COMMIT` names the commit that counts as applied; an apply with \
                                --override-guards \"why\" goes on without it";

/// Remedy where a change removes protection and does more.
const DROPPED: &str = "a change that drops that changes nothing else of it. Put it back and apply the rest, and \
                       drop it in a change of its own";

/// Reason why a client keeps its name.
const RENAMED: &str = "guards.protect names it by the name that it has: name the new one there too, in a \
                       change of its own, and apply that first";

/// Reason why nothing is deactivated as long as the past is not known. The plan's first line and its PV409
/// give the cause.
const PAST_UNKNOWN: &str = "what was applied before is not known, so whether this may be closed is not known \
                            either: `portvakt baseline set` is the way out";

/// The reason why something is protected although it is no longer declared so, and what to do.
fn protected_before(
    Protected { elsewhere, commit, protection: _ }: &Protected,
    by: ProtectedBy,
    advice: &str,
) -> (Code, String) {
    let (place, retire) = match elsewhere {
        None => (String::new(), String::new()),
        Some(Elsewhere { name, remedy: None }) => {
            (format!(" to the same API by {name}"), format!(" (all of it at {name})"))
        }
        Some(Elsewhere { name, remedy: Some(remedy) }) => (
            format!(" to the same API by {name}"),
            format!(
                "; or, where {name} is what this environment was called before, have that count for \
                 nothing with `{remedy}`"
            ),
        ),
    };
    let (code, said) = match by {
        ProtectedBy::Declaration => {
            (Code::PreventDeactivation, "its declaration said prevent_deactivation")
        }
        ProtectedBy::Guard => (Code::Protected, "guards.protect named it"),
    };
    (code, format!("{said} at commit {commit}, which was applied{place}: {advice}{retire}"))
}

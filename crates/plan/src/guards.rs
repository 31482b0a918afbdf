//! The limits that stop an apply.

use std::collections::BTreeSet;

use super::matching::removed_clients;
use super::{
    Action, Code, Notice, PAST_REMEDY, ScheduledChange, ScopeWork, Verb, Work, count, live_client,
};
use domain::text::{counted, listed};
use domain::{
    AccessState, ClientName, Desired, DesiredScope, Guards, Live, LiveScope, Past, ScopeName,
};

/// The limits that these actions exceed, each with the numbers and the remedy.
pub(super) fn exceeded_limits(
    desired: &Desired,
    past: &Past,
    live: &Live,
    actions: &[Action],
    scheduled: &[ScheduledChange],
) -> Vec<Notice> {
    let (limits, declared) = (in_force(desired, past), &desired.guards);
    let of = |verb| count(actions, verb) as u64;
    let deactivations = of(Verb::Deactivate);
    let of_blocks = actions.iter().filter(|action| action.is_of_block()).count() as u64;
    let revocations = of(Verb::Revoke) - of_blocks;
    let reopened: u64 = actions.iter().map(|action| action.regains().len() as u64).sum();
    let in_place = of(Verb::Update) + of(Verb::Reactivate) + changed_keys(actions);
    let changed = deactivations + revocations + in_place + reopened;
    let now = granted_on_existing(live, actions) + reopened;
    let later = granted_later(live, actions, scheduled);
    let closed = (deactivations > limits.max_deactivations).then(|| {
        let limit = GuardLimit::of(limits.max_deactivations, declared.max_deactivations);
        let what = deactivated(deactivations, actions);
        notice(Code::TooManyDeactivations, "max_deactivations", &what, &limit)
    });
    let revoked = (revocations > limits.max_revocations).then(|| {
        let limit = GuardLimit::of(limits.max_revocations, declared.max_revocations);
        let what = format!("{} would be revoked", counted(revocations, "access", "es"));
        notice(Code::TooManyRevocations, "max_revocations", &what, &limit)
    });
    let share = limits.max_changed_percent;
    let share = share.and_then(|percent| too_much_changed(changed, percent, desired, past, live));
    let granted = (now + later > limits.max_grants).then(|| {
        let limit = GuardLimit::of(limits.max_grants, declared.max_grants);
        notice(Code::TooManyGrants, "max_grants", &granted(now, later, reopened > 0), &limit)
    });
    let taken_over = taken_over(desired, past, actions);
    [closed, revoked, share, granted, taken_over].into_iter().flatten().collect()
}

/// Deactivations as text, by the kinds of their targets.
fn deactivated(deactivations: u64, actions: &[Action]) -> String {
    let scopes = actions.iter().filter(|action| is_closed_scope(action)).count() as u64;
    let clients = deactivations - scopes;
    let parts = [(scopes, "scope"), (clients, "client")].into_iter().filter(|(n, _)| *n > 0);
    let what: Vec<_> = parts.map(|(count, thing)| counted(count, thing, "s")).collect();
    format!("{} would be deactivated", what.join(" and "))
}

/// The limit on the share of the live entities that a plan changes.
fn too_much_changed(
    changed: u64,
    percent: u8,
    desired: &Desired,
    past: &Past,
    live: &Live,
) -> Option<Notice> {
    let total = managed(desired, past.before(), live);
    if changed * 100 <= total * u64::from(percent) {
        return None;
    }
    let share = (changed * 100).checked_div(total).unwrap_or(100);
    let things = match desired.clients.is_empty() && desired.removed_clients.is_empty() {
        true => "scopes and accesses",
        false => "scopes, accesses and clients",
    };
    let what = format!("{changed} of {total} live {things} ({share} %) would be changed");
    let declared = desired.guards.max_changed_percent;
    let declared = declared.map_or("no limit".to_owned(), |percent| format!("{percent} %"));
    let limit = GuardLimit::of(format!("{percent} %"), declared);
    Some(notice(Code::TooMuchChanged, "max_changed_percent", &what, &limit))
}

/// Accesses that are granted, as text.
fn granted(now: u64, later: u64, are_some_regained: bool) -> String {
    let back = if are_some_regained { " or regained" } else { "" };
    let days = match later {
        0 => String::new(),
        later => format!(": {now} now and {later} on later days"),
    };
    format!("{} would be granted{back}{days}", counted(now + later, "access", "es"))
}

/// The limit on existing accesses of a scope that is declared for the first time: they were granted by
/// others, and are not revoked without a decision.
fn taken_over(desired: &Desired, past: &Past, actions: &[Action]) -> Option<Notice> {
    let first = actions.iter().filter(|action| action.takes_over());
    let first: Vec<_> = first.filter_map(Action::scope).collect();
    let scopes: BTreeSet<_> = first.iter().copied().collect();
    let (removed, declared): (Vec<_>, Vec<_>) =
        scopes.iter().partition(|name| desired.removed.contains_key(**name));
    let named = match (declared.is_empty(), removed.is_empty()) {
        (_, true) => "declared here",
        (true, false) => "named by `removed`",
        (false, false) => "declared here or named by `removed`",
    };
    let unknown = match &past.unknown {
        Some(_) => format!(". What was applied before is not known: {PAST_REMEDY}"),
        None => String::new(),
    };
    (!first.is_empty()).then(|| Notice {
        code: Code::TakeOver,
        target: listed(&scopes),
        message: format!(
            "{} would be revoked from {} {named} for the first time, as far as is known. {}{unknown}",
            counted(first.len() as u64, "access", "es"),
            match scopes.len() {
                1 => "a scope that is".to_owned(),
                count => format!("{count} scopes that are"),
            },
            remedies(desired, past, &declared, &removed),
        ),
    })
}

/// The ways to keep these accesses, depending on how their scopes are declared, and the way to revoke them.
fn remedies(
    desired: &Desired,
    past: &Past,
    declared: &[&ScopeName],
    removed: &[&ScopeName],
) -> String {
    let of = |is_meant: fn(&DesiredScope) -> bool| {
        let meant = |name: &&&ScopeName| desired.scopes.get(**name).is_some_and(is_meant);
        declared.iter().filter(meant).copied().collect::<Vec<_>>()
    };
    let by_import = of(|scope| !scope.in_manifest && !scope.attributes.accessible_for_all);
    let by_manifest = of(|scope| scope.in_manifest);
    let mut ways = Vec::new();
    if !by_import.is_empty() {
        let scopes: Vec<_> = by_import.iter().map(|name| format!("--scope {name}")).collect();
        ways.push(format!(
            "declare them (`portvakt {}-e {} import {} --merge` writes them)",
            past.directory,
            desired.environment,
            scopes.join(" ")
        ));
    }
    if !by_manifest.is_empty() {
        ways.push(format!("add them to the NAIS manifest of {}", listed(&by_manifest)));
    }
    if !removed.is_empty() {
        ways.push(format!("take {} out of `removed`", listed(removed)));
    }
    let keep = match ways.is_empty() {
        true => String::new(),
        false => format!("To keep them, {}. ", ways.join(", and ")),
    };
    format!("{keep}To revoke them, apply with --override-guards \"why\"")
}

/// The limits in force: the stricter of the applied ones and those of the declarations.
fn in_force(desired: &Desired, past: &Past) -> Guards {
    match &past.limits {
        Some(before) => before.stricter(&desired.guards),
        None => desired.guards.clone(),
    }
}

/// A limit in force.
struct GuardLimit {
    limit: String,
    /// The higher value in portvakt.yaml, if there is one.
    raised: Option<String>,
}

impl GuardLimit {
    fn of(limit: impl ToString, declared: impl ToString) -> Self {
        let (limit, declared) = (limit.to_string(), declared.to_string());
        Self { raised: (declared != limit).then_some(declared), limit }
    }
}

/// The notice about an exceeded limit, with the numbers and the remedy.
fn notice(code: Code, key: &str, what: &str, GuardLimit { limit, raised }: &GuardLimit) -> Notice {
    let allows = match raised {
        None => format!("guards.{key} in portvakt.yaml allows {limit}"),
        Some(raised) => format!(
            "guards.{key} allowed {limit} when it was last applied, and {raised} in portvakt.yaml \
             counts only after it has been applied"
        ),
    };
    Notice {
        code,
        target: format!("guards.{key}"),
        message: format!(
            "{what}; {allows}. Split the change, raise the limit in a change of its own, or apply \
             with --override-guards \"why\""
        ),
    }
}

/// Number of accesses that are granted to existing scopes. A scope that the plan creates is not counted, as
/// nobody had access to it before.
fn granted_on_existing(live: &Live, actions: &[Action]) -> u64 {
    let exists = |action: &&Action| {
        action.verb() == Verb::Grant
            && action.scope().is_some_and(|scope| live.scopes.contains_key(scope))
    };
    actions.iter().filter(exists).count() as u64
}

/// Number of further accesses to existing scopes that begin on a later day, or no longer end on one: nobody is asked
/// again on that day.
fn granted_later(live: &Live, actions: &[Action], scheduled: &[ScheduledChange]) -> u64 {
    let granted = actions.iter().filter(|action| action.verb() == Verb::Grant);
    let granted: BTreeSet<_> = granted.filter_map(Action::access).collect();
    let later = scheduled.iter().filter(|change| change.effect.gives());
    let later = later.filter(|change| live.scopes.contains_key(&change.scope));
    let later: BTreeSet<_> = later.map(|change| (&change.scope, change.consumer.orgno)).collect();
    later.difference(&granted).count() as u64
}

fn is_closed_scope(action: &Action) -> bool {
    matches!(action.work, Work::Scope(_, ScopeWork::Deactivate { .. }))
}

/// Number of live clients whose keys change and nothing else: each client counts once.
fn changed_keys(actions: &[Action]) -> u64 {
    let clients = actions.iter().filter_map(|action| match &action.work {
        Work::Client(name, _) => Some(name),
        Work::Scope(..) | Work::Access(..) | Work::Keys(..) => None,
    });
    let clients: BTreeSet<&ClientName> = clients.collect();
    let keys = actions.iter().filter(|action| match &action.work {
        Work::Keys(name, keys) => keys.id.is_some() && !clients.contains(name),
        Work::Scope(..) | Work::Access(..) | Work::Client(..) => false,
    });
    keys.count() as u64
}

/// Number of live scopes, granted accesses and clients that the repository declares, or declared before.
fn managed(desired: &Desired, before: Option<&Desired>, live: &Live) -> u64 {
    let named = desired.scopes.keys().chain(desired.removed.keys());
    let named: BTreeSet<_> =
        named.chain(before.into_iter().flat_map(|before| before.scopes.keys())).collect();
    let scopes = named.into_iter().filter_map(|name| live.scopes.get(name));
    let granted = |scope: &LiveScope| scope.in_state(AccessState::Approved).count() as u64;
    let scopes: u64 = scopes.map(|scope| 1 + granted(scope)).sum();
    let declared = [Some(desired), before].into_iter().flatten();
    let declared = declared.flat_map(|desired| desired.clients.values());
    let declared = declared.filter_map(|client| live_client(client, live).ok()?);
    let removed = desired.removed_clients.iter().flat_map(|(name, removal)| {
        let before = before.and_then(|before| before.clients.get(name));
        removed_clients(name, removal, before, live)
    });
    let clients: BTreeSet<_> = declared.chain(removed).map(|(id, _)| id).collect();
    scopes + clients.len() as u64
}

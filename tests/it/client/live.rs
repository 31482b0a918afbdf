//! Reads of the live state, without superfluous requests.

use std::collections::BTreeSet;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use digdir::{Needs, Options, ReadProgress};
use domain::{AccessState, Live, ScopeAttributes, ScopeName};
use sandbox::{State, Switches};

use super::{World, options, representation};
use crate::support::{KARTVERKET, NAV, SKATT, orgno, scope, two_organizations};

/// Twelve scopes, every third inactive, each with an access of its own kind.
fn twelve() -> (State, BTreeSet<ScopeName>) {
    let mut state = two_organizations();
    let names: BTreeSet<_> = (0..12).map(|i| scope(&format!("etat:s{i:02}"))).collect();
    for (i, name) in names.iter().enumerate() {
        let attributes = ScopeAttributes { at_max_age: i as u64, ..ScopeAttributes::default() };
        state.put_scope(orgno(NAV), name.clone(), i % 3 != 0, &attributes);
        let declared = if i % 2 == 0 { AccessState::Approved } else { AccessState::Denied };
        state.put_access(name.clone(), orgno(SKATT), declared);
    }
    (state, names)
}

#[tokio::test]
async fn live_asks_for_each_thing_once() {
    let (state, names) = twelve();
    let world = World::with(state).await;
    let mut scopes: BTreeSet<_> = names.iter().take(5).cloned().collect();
    scopes.insert(scope("etat:ikke-der"));
    for (delegation_sources, more) in [(false, 0), (true, 1)] {
        world.sandbox.clear_exchanges();
        let reader = world.reader().await;
        let message = Mutex::new(Vec::new());
        let progress = |read: ReadProgress| message.lock().unwrap().push((read.done, read.total));
        let needs = Needs { scopes: scopes.clone().into(), delegation_sources, clients: None };
        let live = reader.live(&needs, &progress).await.unwrap();
        assert_eq!(world.sandbox.exchanges().len(), 1 + 1 + 1 + 5 + 1 + more);
        assert_eq!(live.scopes.len(), 12);
        let read = live.scopes.values().filter(|scope| scope.accesses.is_some()).count();
        assert_eq!(read, 5);
        assert_eq!(live.delegation_sources.is_empty(), !delegation_sources);
        assert_eq!(*message.lock().unwrap(), (0..=5).map(|n| (n, 5)).collect::<Vec<_>>());
    }
    world.check();
}

#[tokio::test]
async fn each_scope_gets_its_own_accesses_whatever_the_oddities() {
    for switches in [
        Switches::default(),
        Switches {
            empty_list_is_404: true,
            denied_hidden: true,
            prefix_with_colon: true,
            nulls_for_absent: true,
            ..Switches::default()
        },
    ] {
        let (state, names) = twelve();
        let world = World::with(state).await;
        world.sandbox.set_switches(switches);
        let needs = Needs { scopes: names.into(), delegation_sources: true, clients: None };
        let live: Live = world.reader().await.live(&needs, &|_| {}).await.unwrap();
        assert_eq!(live.oddities, []);
        assert_eq!(live.prefixes, BTreeSet::from(["etat".to_owned()]));
        for (i, (name, scope)) in live.scopes.iter().enumerate() {
            assert_eq!(scope.active, i % 3 != 0, "{name}");
            assert_eq!(scope.representation["at_max_age"], i, "{name}");
            let access = scope.accesses.as_ref().unwrap().get(&orgno(SKATT));
            let approved = access.is_some_and(|access| access.state == AccessState::Approved);
            assert_eq!(approved, i % 2 == 0, "{name}");
            assert!(access.is_none_or(|a| a.name.is_some()), "{name}");
        }
        let inactive = |e: &&sandbox::Exchange| {
            e.path.ends_with("/access") && e.query.iter().any(|(name, _)| name == "inactive")
        };
        assert_eq!(world.sandbox.exchanges().iter().filter(inactive).count(), 4);
        world.check();
    }
}

#[tokio::test]
async fn nothing_at_all_is_an_empty_list() {
    let world = World::new().await;
    world.sandbox.set_switches(Switches { empty_list_is_404: true, ..Switches::default() });
    let reader = world.reader().await;
    assert!(reader.scopes().await.unwrap().is_empty());
    assert!(reader.accesses_to_us(false).await.unwrap().is_empty());
    assert!(reader.accesses_of_consumer(orgno(SKATT)).await.unwrap().is_empty());
    assert_eq!(reader.representation(&scope("etat:ikke-der")).await.unwrap(), None);
    assert!(reader.scope_with_accesses(&scope("etat:ikke-der")).await.unwrap().is_none());
    world.check();
}

#[tokio::test]
async fn one_scope_can_be_read_again() {
    let (state, names) = twelve();
    let world = World::with(state).await;
    let reader = world.reader().await;
    let needs = Needs { scopes: names.into(), ..Needs::default() };
    let live = reader.live(&needs, &|_| {}).await.unwrap();
    for (name, scope) in &live.scopes {
        let again = reader.scope_with_accesses(name).await.unwrap().unwrap();
        assert_eq!(again.active, scope.active);
        assert_eq!(again.representation, scope.representation);
        assert_eq!(again.accesses, scope.accesses);
    }
}

#[tokio::test]
async fn odd_names_arrive_as_they_are() {
    let world = World::new().await;
    let writer = world.writer().await;
    for text in ["etat:a/b.les", "etat:blåbær/øl:ærlig", "etat:a&inactive=true#x?y=%2e+z"] {
        let name = scope(text);
        writer.create_scope(&representation(text)).await.unwrap();
        writer.grant(&name, orgno(KARTVERKET)).await.unwrap();
        let found = writer.reader().scope_with_accesses(&name).await.unwrap().unwrap();
        assert_eq!(found.representation["name"], text);
        assert_eq!(found.accesses.unwrap().len(), 1, "{text}");
        writer.revoke(&name, orgno(KARTVERKET)).await.unwrap();
        writer.update_scope(&name, &found.representation).await.unwrap();
        writer.deactivate_scope(&name).await.unwrap();
        let state = world.sandbox.state();
        assert!(!state.scopes[&name].active, "{text}");
    }
    assert_eq!(world.sandbox.state().scopes.len(), 3);
}

#[tokio::test]
async fn no_more_requests_at_a_time_than_allowed() {
    let (state, names) = twelve();
    let world = World::with(state).await;
    let three = Options { concurrency: NonZeroUsize::new(3).unwrap(), ..options() };
    let reader = world.reader_with(three).await;
    world.sandbox.set_switches(Switches { latency: 50, ..Switches::default() });
    let needs = Needs { scopes: names.into(), ..Needs::default() };
    let started = Instant::now();
    reader.live(&needs, &|_| {}).await.unwrap();
    let rounds = 1 + 12 / 3;
    assert!(started.elapsed() >= Duration::from_millis(50) * rounds);
}

#[tokio::test]
async fn no_more_requests_a_second_than_allowed() {
    let world = World::new().await;
    let slow =
        Options { concurrency: NonZeroUsize::MIN, rate: NonZeroU32::new(20).unwrap(), ..options() };
    let reader = world.reader_with(slow).await;
    let started = Instant::now();
    for _ in 0..6 {
        reader.scopes().await.unwrap();
    }
    assert!(started.elapsed() >= Duration::from_millis(5 * 50 - 5));
}

use super::*;
use domain::{DueAccess, Entity, Undone};

fn tried(at: Timestamp) -> Recorded {
    let placement = Placement {
        environment: "test".to_owned(),
        folder: String::new(),
        api: "sandbox".to_owned(),
        maskinporten: "sandbox".to_owned(),
        organization: "889640782".parse().unwrap(),
    };
    let actor = Actor { who: "kari".to_owned(), place: "her".to_owned() };
    Recorded::new("a".repeat(40), placement, actor, at)
}

#[test]
fn a_record_names_some_commits_and_not_too_many() {
    let tried = tried(Timestamp::UNIX_EPOCH);
    for (count, why) in [
        (0, Some("names no commit")),
        (1, None),
        (MOST, None),
        (MOST + 1, Some("names more commits than any that is read")),
    ] {
        let record = Baseline { tried: vec![tried.clone(); count], ..Baseline::default() };
        assert_eq!(record.misstated(ObjectFormat::Sha1), why, "{count}");
    }
}

#[test]
fn what_is_undone_is_recorded_from_the_start_and_settled_by_new_declarations() {
    let [first, planned] = [1, 2].map(|day| Timestamp::from_second(day * 86400).unwrap());
    let scope = "etat:a".parse().unwrap();
    let access = DueAccess::of((&scope, "974761076".parse().unwrap()));
    let begun = Undone { begun: [access].into(), ..Undone::default() };
    let dates = DatesDone { at: planned, undone: begun };
    let none = Baseline::default().begun(&tried(first), None, Some(&dates));
    assert_eq!(none.dates, None, "nothing is applied");
    let applied = applied_at(first);
    let other = Recorded { commit: "b".repeat(40), ..tried(planned) };
    let running = applied.begun(&other, None, Some(&dates));
    assert_eq!(running.dates.as_ref(), Some(&dates));
    let after = |conclusion| {
        running
            .clone()
            .concluded(&other, ApplyEnd::of(conclusion, &DatesDone::all_until(planned)))
            .dates
    };
    for conclusion in [Conclusion::InPart, Conclusion::Dirty, Conclusion::Due, Conclusion::InFull] {
        assert_eq!(after(conclusion), Some(DatesDone::all_until(planned)), "{conclusion:?}");
    }
    assert_eq!(after(Conclusion::Ledger), Some(dates));
    // Too much for a record stays as it was.
    let many = (0..9000).map(|at| DueAccess {
        scope: format!("etat:{at}").parse().unwrap(),
        consumer: "974761076".parse().unwrap(),
    });
    let many = Undone { left: many.collect(), ..Undone::default() };
    let dates = DatesDone { at: planned, undone: many };
    let begun = applied_at(first).begun(&other, None, Some(&dates));
    assert_eq!(begun.dates, Some(DatesDone::all_until(first)));
}

fn applied_at(first: Timestamp) -> Baseline {
    Baseline::default()
        .concluded(&tried(first), ApplyEnd::of(Conclusion::InFull, &DatesDone::all_until(first)))
}

#[test]
fn the_time_of_the_dates_is_that_of_the_plan_and_stays_with_the_applied_commit() {
    let [first, planned, ended, later] =
        [1, 2, 3, 4].map(|day| Timestamp::from_second(day * 86400).unwrap());
    let applied = applied_at(first);
    let done = applied
        .concluded(&tried(ended), ApplyEnd::of(Conclusion::Due, &DatesDone::all_until(planned)));
    assert_eq!(done.dates, Some(DatesDone::all_until(planned)));
    let again = tried(later);
    let other = Recorded { commit: "b".repeat(40), ..again.clone() };
    let none = Baseline::default();
    for (baseline, kept) in [
        (done.clone().and(&other, &none), Some(planned)),
        (none.clone().and(&again, &done), Some(planned)),
        (none.and(&other, &done), None),
        (done.only(&again), Some(planned)),
        (done.only(&other), None),
    ] {
        assert_eq!(baseline.dates, kept.map(DatesDone::all_until), "{baseline:?}");
    }
}

#[test]
fn a_record_has_the_dates_beside_the_rest_and_nothing_undone_without_a_date() {
    let first = Timestamp::from_second(86400).unwrap();
    let scope = "etat:a".parse().unwrap();
    let access = DueAccess::of((&scope, "974761076".parse().unwrap()));
    let undone = Undone { begun: [access].into(), ..Undone::default() };
    let done = Some(DatesDone::all_until(first));
    for dates in [None, done, Some(DatesDone { at: first, undone })] {
        let baseline = Baseline { dates: dates.clone(), ..applied_at(first) };
        let stored = serde_json::to_value(&baseline).unwrap();
        let at = dates.as_ref().map(|_| "1970-01-02T00:00:00Z".into());
        assert_eq!(stored.get("dates_done"), at.as_ref());
        let is_undone = dates.is_some_and(|dates| !dates.undone.is_empty());
        assert_eq!(stored.get("undone").is_some(), is_undone);
        assert_eq!(serde_json::from_value::<Baseline>(stored.clone()).unwrap(), baseline);
        let mut dateless = stored;
        dateless.as_object_mut().unwrap().remove("dates_done");
        assert_eq!(serde_json::from_value::<Baseline>(dateless.clone()).is_err(), is_undone);
        dateless["dates_done"] = "x".into();
        assert!(serde_json::from_value::<Baseline>(dateless).is_err());
    }
}

/// The record after an apply in full of `a`, one of `b` that was killed, and one of another commit, after which `awaited`
/// may still show.
fn after_a_kill(end: Conclusion, awaited: &[(&str, &str)]) -> Baseline {
    let [first, then, last] = [1, 2, 3].map(|day| Timestamp::from_second(day * 86400).unwrap());
    let commit = |commit: &str, at| Recorded { commit: commit.repeat(40), ..tried(at) };
    let mut entities = Awaited::new();
    for (commit, name) in awaited {
        entities.entry(commit.repeat(40)).or_default().insert(entity(name));
    }
    let dates = DatesDone::all_until(last);
    let end = ApplyEnd { conclusion: end, awaited: &entities, dates: &dates };
    let killed = applied_at(first).begun(&commit("b", then), None, None);
    killed.begun(&commit("c", last), None, None).concluded(&commit("c", last), end)
}

fn entity(name: &str) -> Entity {
    Entity::Scope(name.parse().unwrap())
}

/// The commits that were tried, and for what each counts.
fn counting(baseline: &Baseline) -> Vec<(&str, Option<Vec<Entity>>)> {
    let of = |counts: &Counts| match counts {
        Counts::AllBut(_) => None,
        Counts::Only(awaited) => Some(awaited.iter().cloned().collect()),
    };
    baseline.tried.iter().map(|it| (&it.commit[..1], of(&it.counts))).collect()
}

#[test]
fn a_commit_counts_only_for_what_may_still_show_once_another_is_applied() {
    let app = || Some(vec![entity("etat:app")]);
    for (end, awaited, tried) in [
        (Conclusion::InFull, &[][..], vec![]),
        (Conclusion::InFull, &[("b", "etat:app")], vec![("b", app())]),
        // It may be that the applied commit was applied once more, and that apply was killed.
        (Conclusion::InFull, &[("a", "etat:app")], vec![("a", app())]),
        (Conclusion::RolledBack, &[("b", "etat:app")], vec![("b", app())]),
        (Conclusion::Closed, &[], vec![("c", None)]),
        (Conclusion::Closed, &[("b", "etat:app")], vec![("b", app()), ("c", None)]),
        (Conclusion::InPart, &[("b", "etat:app")], vec![("b", None), ("c", None)]),
    ] {
        let baseline = after_a_kill(end, awaited);
        assert_eq!(counting(&baseline), tried, "{end:?}");
        let stored = serde_json::to_value(&baseline).unwrap();
        assert_eq!(serde_json::from_value::<Baseline>(stored).unwrap(), baseline);
    }
}

#[test]
fn a_commit_that_is_tried_once_more_counts_for_all_that_this_apply_does_not_leave() {
    let mut baseline = after_a_kill(Conclusion::InFull, &[("b", "etat:app")]);
    let again = baseline.tried[0].clone();
    let left = ["etat:app", "etat:left"].map(entity);
    let counts = Counts::AllBut(BTreeSet::from(left));
    baseline = baseline.begun(&Recorded { counts, ..again }, None, None);
    let counts = |name: &str| baseline.tried[0].counts.contains(&entity(name));
    assert_eq!(["etat:app", "etat:other", "etat:left"].map(counts), [true, true, false]);
    // It was awaited only before.
    let dates = DatesDone::all_until(baseline.at);
    let again = baseline.tried[0].clone();
    let ended = baseline.concluded(&again, ApplyEnd::of(Conclusion::InFull, &dates));
    assert_eq!(counting(&ended), []);
}

#[test]
fn what_protects_does_so_once_and_until_another_commit_is_applied() {
    let protecting = |baseline: &Baseline| -> Vec<String> {
        baseline.protecting.iter().map(|it| it.commit[..1].to_owned()).collect()
    };
    let mut baseline = after_a_kill(Conclusion::RolledBack, &[("b", "etat:app")]);
    assert_eq!(protecting(&baseline), ["a", "b"]);
    let mut end = |commit: &str, end: Conclusion, awaited: &[&str]| {
        let recorded = Recorded { commit: commit.repeat(40), ..tried(baseline.at) };
        let entities: BTreeSet<_> = awaited.iter().map(|name| entity(name)).collect();
        let awaited = Awaited::from([("b".repeat(40), entities)]);
        let dates = DatesDone::all_until(baseline.at);
        let end = ApplyEnd { conclusion: end, awaited: &awaited, dates: &dates };
        baseline = baseline.clone().concluded(&recorded, end);
        protecting(&baseline)
    };
    assert_eq!(end("c", Conclusion::RolledBack, &["etat:app"]), ["a", "b"]);
    assert_eq!(end("c", Conclusion::InFull, &["etat:app"]), ["a", "b"], "nothing new is applied");
    assert_eq!(end("d", Conclusion::InFull, &["etat:app"]), [""; 0]);
}

#[test]
fn what_is_too_much_for_a_record_counts_for_all() {
    let names: Vec<_> = (0..15_000).map(|number| format!("etat:{number}")).collect();
    let awaited: Vec<_> = names.iter().map(|name| ("b", name.as_str())).collect();
    assert_eq!(counting(&after_a_kill(Conclusion::InFull, &awaited)), [("b", None)]);
}

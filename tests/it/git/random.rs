//! Two places that change and apply at random: at rest, entities that are not declared are deactivated or
//! reported, and those that nobody applied are unchanged.

mod life;
mod model;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use self::life::runs;
use self::model::{Change, Declaration, ENVIRONMENTS, FOLDERS, NAMES};

/// Course of an apply.
#[derive(Debug, Clone, Copy)]
enum ApplyCourse {
    Whole,
    /// In a clone that has not fetched the last commits.
    Late,
    /// Killed after that many milliseconds.
    KilledAfter(u64),
    /// Killed after that many write calls.
    KilledAtWrite(usize),
    WithoutRemote,
    RemoteLostAtWrite(usize),
}

/// A step of a sequence, by the number of its place.
#[derive(Debug, Clone)]
enum Step {
    /// Changes in one commit.
    Merge(Vec<Change>),
    Apply(usize, ApplyCourse),
    /// The past is taken over with the command that the plan suggests, if any.
    Baseline(usize),
    Unlock(usize),
}

fn said() -> impl Strategy<Value = Declaration> {
    prop_oneof![
        5 => (prop::bool::weighted(0.85), 0..8_u8)
            .prop_map(|(active, to)| Declaration::Declared { active, to }),
        1 => prop::sample::select(vec!["release", "deactivate"]).prop_map(Declaration::Removed),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let (place, name) = (0..2_usize, 0..NAMES.len());
    let which = (place.clone(), name);
    prop_oneof![
        5 => (which.clone(), said()).prop_map(|((place, name), said)| Change::Say(place, name, said)),
        3 => which.clone().prop_map(|(place, name)| Change::TakeOut(place, name)),
        2 => which.clone().prop_map(|(place, name)| Change::HandOver(place, name)),
        1 => which.prop_map(|(place, name)| Change::Share(place, name)),
        2 => (place.clone(), prop::sample::select(FOLDERS.to_vec()))
            .prop_map(|(place, folder)| Change::Move(place, folder)),
        2 => (place.clone(), prop::sample::select(ENVIRONMENTS.to_vec()))
            .prop_map(|(place, environment)| Change::Rename(place, environment)),
        1 => place.clone().prop_map(Change::Add),
        1 => place.prop_map(Change::Drop),
    ]
}

fn apply_course() -> impl Strategy<Value = ApplyCourse> {
    prop_oneof![
        6 => Just(ApplyCourse::Whole),
        1 => Just(ApplyCourse::Late),
        1 => (0..400_u64).prop_map(ApplyCourse::KilledAfter),
        2 => (1..5_usize).prop_map(ApplyCourse::KilledAtWrite),
        1 => Just(ApplyCourse::WithoutRemote),
        1 => (1..4_usize).prop_map(ApplyCourse::RemoteLostAtWrite),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(change(), 1..4).prop_map(Step::Merge),
        6 => (0..2_usize, apply_course()).prop_map(|(place, apply_course)| Step::Apply(place, apply_course)),
        2 => (0..2_usize).prop_map(Step::Baseline),
        1 => (0..2_usize).prop_map(Step::Unlock),
    ]
}

/// Default number of sequences.
const CASES: u32 = 6;

/// The number of sequences, and their seed: the same ones in each run, so that a failure is of what was changed, and
/// new ones where a number is given.
fn sequences() -> (u32, RngSeed) {
    match std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok()) {
        Some(cases) => (cases, ProptestConfig::default().rng_seed),
        None => (CASES, RngSeed::Fixed(1)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: sequences().0,
        rng_seed: sequences().1,
        failure_persistence: None,
        max_shrink_time: 120_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn two_places_forget_nothing_and_touch_nothing_that_is_not_theirs(
        by_hand in prop::bool::weighted(0.2),
        steps in prop::collection::vec(step(), 8..15),
    ) {
        runs(by_hand, &steps);
    }
}

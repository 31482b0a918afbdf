//! Whatever the answers to the open questions are together: apply does what the plan shows, once, and an
//! import after it is followed by an empty plan. `SWITCHES_SEED=7 cargo test combinations` tries others.

use domain::{NoKeys, WriteAnswer};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use sandbox::Switches;

use crate::lag::{is_as_declared, one_of_each};

const CASES: u32 = 12;

/// All switches: one that is new does not compile before it is here.
fn switches() -> impl Strategy<Value = Switches> {
    let no_keys = prop::sample::select(vec![
        NoKeys::EmptySet,
        NoKeys::EmptyObject,
        NoKeys::Null,
        NoKeys::NotFound,
    ]);
    let write_answer = prop::sample::select(vec![
        WriteAnswer::Described,
        WriteAnswer::Created,
        WriteAnswer::Empty,
        WriteAnswer::NoContent,
    ]);
    let read_lag = prop::sample::select(vec![0, 0, 400]);
    (any::<[bool; 12]>(), no_keys, write_answer, read_lag).prop_map(
        |([a, b, c, d, e, f, g, h, i, j, k, l], no_keys, write_answer, read_lag)| Switches {
            empty_list_is_404: a,
            denied_hidden: b,
            prefix_with_colon: c,
            nulls_for_absent: d,
            inactive_access_refused: e,
            put_keeps_omitted: f,
            trims_text: g,
            keys_keep_exp: h,
            inactive_client_refused: i,
            read_lag,
            write_lists_accesses: j,
            own_scopes_listed: k,
            delete_inactive_refused: l,
            no_keys,
            write_answer,
            sync_delay: 0,
            latency: 0,
            token_lifetime: 120,
        },
    )
}

#[test]
fn plan_apply_and_import_agree_under_any_answers() {
    let seed: u64 = std::env::var("SWITCHES_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..Default::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let tried = TestRunner::new_with_rng(config, rng).run(&switches(), |switches| {
        agrees(switches);
        Ok(())
    });
    if let Err(error) = tried {
        panic!("SWITCHES_SEED={seed}: {error}");
    }
}

fn agrees(switches: Switches) {
    let world = one_of_each(switches);
    let ran = world.apply();
    assert_eq!(ran.code, 0, "{switches:?}\n{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("Applied to test: 16 of 16 done."), "{switches:?}\n{}", ran.stdout);
    is_as_declared(&world);
    let made = world.sent().iter().filter(|id| *id == "create client a").count();
    assert_eq!(made, 1, "{switches:?}");
    world.is_settled();
    std::fs::remove_file(world.folder().join("declarations.yaml")).unwrap();
    std::fs::remove_file(world.folder().join("x.json")).unwrap();
    let before = world.sandbox.state();
    let ran = world.run(&["import"]);
    assert_eq!(ran.code, 0, "{switches:?}\n{}", ran.stderr);
    world.is_settled();
    assert_eq!(world.sandbox.state(), before, "{switches:?}");
}

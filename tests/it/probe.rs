//! `portvakt probe`: the profile that it writes is what the sandbox does.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{AccessState, Behaviour, Profile};
use proptest::prelude::*;
use sandbox::{Exchange, Fault, FaultRule, Method, State, Switches};
use serde_json::{Value, json};

use crate::attributes::is_current;
use crate::world::{OWNER, Ran, SKATT, World, name, orgno};

/// The words of the questions that are not answered by yes or no.
const WORDS: [(&str, &[&str]); 2] = [
    ("no_keys", &["empty-set", "empty-object", "null", "not-found"]),
    ("write_answer", &["described", "created", "empty", "no-content"]),
];

/// What a question can be answered with, as the switch has it.
fn answers(question: &str) -> Vec<String> {
    let words = WORDS.iter().find(|(name, _)| *name == question).map(|(_, words)| *words);
    let words = match (words, question) {
        (Some(words), _) => words,
        (None, "read_lag") => &["0", "700"],
        (None, _) => &["false", "true"],
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Probes a sandbox with these switches, and checks the profile, what is left and how much was asked.
fn probes(switches: Switches) {
    let world = World::with(switches);
    let ran = world.run(&["probe", "--out", "profile.json"]);
    assert_eq!(ran.code, 0, "{switches:?}\n{}{}", ran.stdout, ran.stderr);
    let profile = profile(&world);
    let found = Switches::default().with(profile.behaviour);
    assert_eq!(Switches { read_lag: switches.read_lag, ..found }, switches, "{}", ran.stdout);
    let lag = switches.read_lag..switches.read_lag + 700;
    assert!(lag.contains(&found.read_lag), "{} for {lag:?}", found.read_lag);
    assert!(
        serde_json::to_value(profile.behaviour).unwrap().as_object().unwrap().len()
            == questions().len()
    );
    is_left_alone(&world);
    let sent = world.sandbox.exchanges().len();
    assert!(sent <= 60, "{sent} requests");
}

fn profile(world: &World) -> Profile {
    let text = std::fs::read(world.folder().join("profile.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn questions() -> Vec<&'static str> {
    Behaviour::QUESTIONS.iter().map(|(question, _)| *question).collect()
}

/// The scopes and clients that a probe has made, and whether each is active.
fn made(world: &World) -> BTreeMap<String, bool> {
    let State { scopes, clients, .. } = world.sandbox.state();
    let scopes = scopes.into_iter().map(|(name, scope)| (name.to_string(), scope.active));
    let clients = clients.into_values().map(|client| {
        let name = client.fields["client_name"].as_str().unwrap_or_default().to_owned();
        (name, client.active)
    });
    scopes.chain(clients).filter(|(name, _)| name.contains("portvakt-probe-")).collect()
}

/// A probe has made a scope and a client, both are inactive, and nobody has access.
fn is_left_alone(world: &World) {
    let made = made(world);
    assert_eq!(made.len(), 2, "{made:?}");
    assert!(made.values().all(|active| !active), "{made:?}");
    let accesses = world.sandbox.state().accesses;
    let mut states = accesses.values().flat_map(|accesses| accesses.values());
    assert!(states.all(|access| access.state == AccessState::Denied));
}

fn switched(settings: &[(&str, String)]) -> Switches {
    let mut switches = Switches::default();
    for (question, answer) in settings {
        switches.set(&format!("{}={answer}", question.replace('_', "-"))).unwrap();
    }
    switches
}

#[test]
fn each_answer_to_each_question_is_found() {
    for question in questions() {
        for answer in answers(question) {
            let switches = switched(&[(question, answer)]);
            if switches != Switches::default() {
                probes(switches);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_found_whatever_the_others_are(
        picks in prop::collection::vec(any::<prop::sample::Index>(), questions().len()),
    ) {
        let picked = |(question, pick): (&'static str, &prop::sample::Index)| {
            let answers = answers(question);
            (question, pick.get(&answers).clone())
        };
        let settings: Vec<_> = questions().into_iter().zip(&picks).map(picked).collect();
        probes(switched(&settings));
    }
}

#[test]
fn each_answer_is_shown_with_the_exchange_that_gave_it() {
    let world = World::with(Switches { denied_hidden: true, ..Switches::default() });
    let ran = world.run(&["probe"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for (question, about) in Behaviour::QUESTIONS {
        let line =
            ran.stdout.lines().position(|line| line.starts_with(&question.replace('_', "-")));
        let line = line.unwrap_or_else(|| panic!("{question} in {}", ran.stdout));
        assert!(ran.stdout.lines().nth(line).unwrap().ends_with(about), "{}", ran.stdout);
        let exchange = ran.stdout.lines().nth(line + 1).unwrap().trim();
        assert!(exchange.contains(" → "), "{exchange}");
    }
    assert!(ran.stdout.contains("denied-hidden            true"), "{}", ran.stdout);
    assert!(ran.stderr.contains("digdir-test.json is written"), "{}", ran.stderr);
    let schema = world.run(&["schema", "profile"]);
    let schema = serde_json::from_str(&schema.stdout).unwrap();
    let text = std::fs::read_to_string(world.folder().join("digdir-test.json")).unwrap();
    let profile: Value = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::is_valid(&schema, &profile), "{profile}");
    assert!(!jsonschema::is_valid(&schema, &json!({ "format_version": 1 })));
}

#[test]
fn the_page_has_every_question_with_what_is_assumed() {
    let assumed = serde_json::to_value(Switches::default()).unwrap();
    let row = |(question, about): &(&str, &str)| {
        let assumed = assumed[question].to_string();
        let (name, assumed) = (question.replace('_', "-"), assumed.trim_matches('"'));
        format!("| `{name}` | {about} | `{assumed}` |\n")
    };
    let rows = Behaviour::QUESTIONS.iter().map(row).collect();
    let heading = "| question | the answer in words | assumed |\n|---|---|---|\n";
    is_current("docs/other-side.md", &[(heading, rows)]);
}

#[test]
fn a_probe_that_fails_anywhere_leaves_nothing_active() {
    for skip in [3, 6, 9, 12, 14, 15, 17, 20, 24, 27] {
        let world = World::new();
        let fault = Fault::Status { status: 500, retry_after: None };
        world.sandbox.inject(FaultRule { method: None, path: None, skip, times: 1, fault });
        let ran = world.run(&["probe"]);
        let made = made(&world);
        assert!(made.values().all(|active| !active), "{skip}: {made:?}\n{}", ran.stderr);
    }
}

#[test]
fn credentials_that_are_refused_end_it_at_once() {
    let world = World::new();
    world.sandbox.edit(|state| {
        let client = state.clients.get_mut("portvakt").unwrap();
        client.scopes.retain(|scope| !scope.contains("dcr"));
    });
    let ran = world.run(&["probe"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(made(&world), BTreeMap::new());
    assert_eq!(world.sent(), [""; 0]);
    assert!(ran.stderr.contains("idporten:dcr"), "{}", ran.stderr);
}

#[test]
fn production_is_refused_unless_it_is_wanted() {
    let world = World::new();
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    let target = settings.lines().find(|line| line.contains("target:")).unwrap();
    world.write("portvakt.yaml", settings.replace(target, "    target: prod"));
    let ran = world.run(&["probe"]);
    assert_eq!(ran.code, 4, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("--yes-in-prod"), "{}", ran.stderr);
    assert!(world.sandbox.exchanges().is_empty());
}

#[test]
fn a_file_of_another_kind_is_not_replaced_and_nothing_is_made() {
    let world = World::new();
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    for out in ["portvakt.yaml", "nowhere/profile.json", "."] {
        let ran = world.run(&["probe", "--out", out]);
        assert_eq!(ran.code, 64, "{out}: {}", ran.stderr);
    }
    assert_eq!(std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap(), settings);
    assert_eq!(made(&world), BTreeMap::new());
}

#[test]
fn a_client_whose_answer_was_lost_is_deactivated_although_reads_lag() {
    let world = World::with(Switches { read_lag: 800, ..Switches::default() });
    let path = Some("/clients".to_owned());
    let method = Some(Method::POST);
    let fault = Fault::CutAfter;
    world.sandbox.inject(FaultRule { method, path, skip: 0, times: 1, fault });
    let ran = world.run(&["probe"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    let made = made(&world);
    assert!(made.len() == 2 && made.values().all(|active| !active), "{made:?}");
}

#[test]
fn a_foreign_prefix_is_wrong_usage() {
    let world = World::new();
    let ran = world.run(&["probe", "--prefix", "annen"]);
    assert_eq!(ran.code, 64, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("annen is not a prefix"), "{}", ran.stderr);
}

/// Starts a probe and waits until it has made both its scope and its client.
fn begun(world: &World) -> std::process::Child {
    world.sandbox.set_switches(Switches { latency: 60, ..Switches::default() });
    let mut probe = world.process(&["probe"]).spawn().unwrap();
    for _ in 0..600 {
        std::thread::sleep(Duration::from_millis(20));
        if made(world).values().filter(|active| **active).count() == 2 {
            return probe;
        }
        assert!(probe.try_wait().unwrap().is_none(), "it ended before it was stopped");
    }
    panic!("the probe has made nothing");
}

#[test]
fn what_a_killed_probe_has_left_is_cleaned_up_by_the_next_one() {
    let world = World::new();
    let mut probe = begun(&world);
    probe.kill().unwrap();
    probe.wait().unwrap();
    world.put("etat:portvakt-probe-av-oss", true, &[]);
    let left = made(&world);
    assert_eq!(left.values().filter(|active| **active).count(), 3, "{left:?}");
    world.sandbox.set_switches(Switches::default());
    let ran = world.run(&["probe"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let active: Vec<_> = made(&world).into_iter().filter(|(_, active)| *active).collect();
    // It is not the probe's: only its name is like one of a probe.
    assert_eq!(active, [("etat:portvakt-probe-av-oss".to_owned(), true)]);
}

#[test]
fn what_an_earlier_probe_has_left_is_closed_also_where_it_is_inactive_or_shown_late() {
    for inactive_access_refused in [false, true] {
        let world =
            World::with(Switches { inactive_access_refused, read_lag: 600, ..Switches::default() });
        let ran = world.run(&["probe"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let left = made(&world).into_keys().find(|name| name.contains(':')).unwrap();
        // As a probe that was killed just now leaves them: one open, and one inactive with an access.
        world.sandbox.edit(|state| {
            let organization = orgno(OWNER);
            state.put_access(name(&left), organization, AccessState::Approved);
            let open = name("etat:portvakt-probe-apen");
            let scope = state.scopes[&name(&left)].clone();
            state.scopes.insert(open.clone(), scope);
            state.scopes.get_mut(&open).unwrap().active = true;
            state.put_access(open, organization, AccessState::Approved);
        });
        let ran = world.run(&["probe"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let made = made(&world);
        assert!(made.len() == 5 && made.values().all(|active| !active), "{made:?}");
        let accesses = world.sandbox.state().accesses;
        let mut states = accesses.values().flat_map(|accesses| accesses.values());
        assert!(states.all(|access| access.state == AccessState::Denied));
        assert!(world.sandbox.exchanges().len() <= 120);
    }
}

#[test]
fn a_long_lag_is_measured_within_the_limit_of_requests() {
    let world = World::with(Switches { read_lag: 9_000, ..Switches::default() });
    let ran = world.run(&["probe", "--out", "profile.json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let lag = profile(&world).behaviour.read_lag.unwrap();
    assert!((9_000..15_000).contains(&lag), "{lag}");
    assert!(world.sandbox.exchanges().len() <= 60);
    is_left_alone(&world);
}

#[test]
fn an_interrupted_probe_cleans_up() {
    let world = World::new();
    let probe = begun(&world);
    let killed =
        std::process::Command::new("kill").args(["-INT", &probe.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let ended = probe.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    assert!(
        stderr.contains("stay there inactive") && !stderr.contains("nothing was changed"),
        "{stderr}"
    );
    let made = made(&world);
    assert!(made.values().all(|active| !active), "{made:?}");
}

/// Names a profile with this behaviour in portvakt.yaml.
fn name_profile(world: &World, api: &str, behaviour: &Value) {
    world.settings("    profile: profile.json\n");
    let probed_at = "2026-11-30T12:00:00Z";
    let profile =
        json!({ "format_version": 1, "api": api, "probed_at": probed_at, "behaviour": behaviour });
    world.write("profile.json", profile.to_string());
}

#[test]
fn an_apply_does_not_try_what_is_known_to_be_refused() {
    for known in [false, true] {
        let world = World::with(Switches { inactive_access_refused: true, ..Switches::default() });
        let behaviour = match known {
            true => json!({ "inactive_access_refused": true }),
            false => json!({}),
        };
        name_profile(&world, world.sandbox.api().as_str(), &behaviour);
        world.put("etat:a", false, &[(SKATT, AccessState::Approved)]);
        world.declare("scopes: [{ name: etat:a, description: Les }]\n");
        let ran = world.apply();
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let revocations = |exchange: &&Exchange| {
            exchange.method == Method::DELETE && exchange.path.ends_with(SKATT)
        };
        let exchanges = world.sandbox.exchanges();
        let tried = exchanges.iter().filter(revocations).count();
        assert_eq!(tried, if known { 1 } else { 2 });
        assert_eq!(world.open_to("etat:a").unwrap(), [""; 0]);
    }
}

#[test]
fn a_profile_that_cannot_be_used_stops_an_apply() {
    let world = World::new();
    world.declare("scopes: [{ name: etat:a, description: Les }]\n");
    let stopped = |ran: Ran, why: &str| {
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("profile.json") && ran.stderr.contains(why), "{}", ran.stderr);
        assert_eq!(world.sent(), [""; 0]);
    };
    name_profile(&world, "https://api.samarbeid.digdir.no/", &json!({}));
    stopped(world.apply(), "another API");
    stopped(world.run(&["plan"]), "another API");
    name_profile(&world, world.sandbox.api().as_str(), &json!({ "colour": true }));
    stopped(world.apply(), "unknown field `colour`");
    world.write("profile.json", "{}");
    stopped(world.apply(), "is not a profile");
    std::fs::remove_file(world.folder().join("profile.json")).unwrap();
    stopped(world.apply(), "cannot be read");
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("x.json"), "\"hemmelig\"").unwrap();
    world.settings(&format!("    profile: {}/x.json\n", outside.path().display()));
    for ran in [world.run(&["plan"]), world.apply()] {
        assert!(!ran.stderr.contains("hemmelig"), "{}", ran.stderr);
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("outside of the repository"), "{}", ran.stderr);
    }
}

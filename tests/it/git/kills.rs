//! An apply that is killed at any point, and the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sandbox::Switches;
use serde_json::Value;

use super::life::scopes;
use super::remote::{Clone, PATIENCE, Remote, git};
use crate::world::{DIGDIR, KART, SKATT};

/// Number of applies that are killed, in each of two worlds.
const KILLS: u64 = 26;

/// Pseudorandom numbers, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % end
    }
}

/// The declarations of a round: there is always something to create, grant, revoke and deactivate.
fn round(number: u64) -> String {
    let to: &[&str] = if number.is_multiple_of(2) { &[SKATT] } else { &[KART, DIGDIR] };
    let fresh = format!("etat:runde{number}");
    scopes(&[("etat:fast", to), (&fresh, &[SKATT])])
}

#[test]
fn a_killed_apply_is_finished_by_the_next_one() {
    kills(11);
}

#[test]
fn a_killed_apply_is_finished_by_the_next_one_of_a_later_commit() {
    kills(12);
}

fn kills(seed: u64) {
    let remote = Remote::with(Switches { latency: 1, ..Switches::default() });
    let one = remote.first();
    let mut random = Random(seed);
    one.declare(&round(0));
    let began = Instant::now();
    one.apply();
    let span = began.elapsed().as_micros().try_into().unwrap();
    let mut number = 0;
    for kill in 0..KILLS {
        number += 1;
        one.declare(&round(number));
        let what = format!("seed {seed}, kill {kill}");
        killed(&one, &mut random, span);
        one.ends(0, &["unlock", "--yes"]);
        // Another apply is killed too, or a later commit comes first.
        if random.below(3) == 0 {
            number += 1;
            one.declare(&round(number));
            killed(&one, &mut random, span);
            one.ends(0, &["unlock", "--yes"]);
        }
        if random.below(2) == 0 {
            number += 1;
            one.declare(&round(number));
        }
        // A client that the killed apply did not create is awaited in vain.
        let ran = one.run(&["apply", "--auto-approve", "--patience", "5"]);
        assert_eq!(ran.code, 0, "{what}\n{}{}", ran.stdout, ran.stderr);
        is_as_declared(&remote, &one, number, &what);
    }
    assert_eq!(one.planned(), [""; 0]);
    is_accounted_for(&remote, &one, &format!("seed {seed}"));
    git(&remote.path(), &["fsck", "--strict", "--no-dangling"]);
    one.git(&["fsck", "--strict", "--no-dangling"]);
}

/// Starts an apply and kills it at some moment, alone or with the git that it runs. A push under way may
/// still arrive.
fn killed(clone: &Clone<'_>, random: &mut Random, span: u64) {
    // One that awaits the effect of another would be killed while it waits.
    let mut command = clone.process(&["apply", "--auto-approve", "--patience", "0"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut apply = command.spawn().unwrap();
    std::thread::sleep(Duration::from_micros(random.below(span)));
    let id = apply.id().to_string();
    let children = match random.below(2) {
        0 => Vec::new(),
        _ => children(&id),
    };
    apply.kill().unwrap();
    for child in children {
        // It may have ended by itself.
        let _ = Command::new("kill").args(["-KILL", &child]).stderr(Stdio::null()).status();
    }
    apply.wait().unwrap();
    is_gone(&id);
}

/// Waits until the process group of a killed apply is gone.
pub(super) fn is_gone(id: &str) {
    let group = format!("-{id}");
    let end = Instant::now() + PATIENCE;
    let is_there = || {
        let there = Command::new("kill").args(["-0", "--", &group]).stderr(Stdio::null()).status();
        there.unwrap().success()
    };
    while is_there() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn children(id: &str) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let read = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("children"));
    let ids = tasks.filter_map(|task| read(task).ok());
    ids.flat_map(|ids| ids.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Checks that the live state equals the declarations of the last round, and that the refs show it.
fn is_as_declared(remote: &Remote, clone: &Clone<'_>, number: u64, what: &str) {
    let world = &remote.world;
    let scopes: Vec<_> = world.sandbox.state().scopes.keys().map(ToString::to_string).collect();
    let open = scopes.iter().filter_map(|name| Some((name.clone(), world.open_to(name)?)));
    let to = if number.is_multiple_of(2) { vec![SKATT] } else { vec![KART, DIGDIR] };
    let to = to.into_iter().map(str::to_owned).collect();
    let fresh = (format!("etat:runde{number}"), vec![SKATT.to_owned()]);
    let declared = BTreeMap::from([("etat:fast".to_owned(), to), fresh]);
    assert_eq!(open.collect::<BTreeMap<_, _>>(), declared, "{what}");
    assert_eq!(remote.held("applied"), Some(clone.head()), "{what}");
    assert_eq!(remote.held("lock"), None, "{what}");
}

/// Checks that every write is in the ledger, where each report occurs once, and that nothing is created
/// twice.
fn is_accounted_for(remote: &Remote, clone: &Clone<'_>, what: &str) {
    // A killed apply may leave the clone's copy of the ref behind.
    let path = remote.path();
    let notes = git(&path, &["notes", "--ref=refs/notes/portvakt/test", "list"]);
    let lines = notes.lines().flat_map(|line| {
        let text = git(&path, &["cat-file", "blob", line.split(' ').next().unwrap()]);
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let reports: Vec<Value> = lines.map(|line| serde_json::from_str(&line).unwrap()).collect();
    let ids: BTreeSet<_> = reports.iter().map(|report| report["report"].to_string()).collect();
    assert_eq!(ids.len(), reports.len(), "{what}: a report stands there twice");
    assert_eq!(clone.history().len(), reports.len(), "{what}");
    assert!(reports.iter().any(|report| report["outcome"] == "begun"), "{what}: none was killed");

    let mut message: BTreeMap<String, usize> = BTreeMap::new();
    for action in reports.iter().flat_map(|report| report["actions"].as_array().unwrap()) {
        if matches!(action["outcome"].as_str().unwrap(), "done" | "unknown") {
            let id = crate::world::as_sent(action["id"].as_str().unwrap());
            *message.entry(id).or_default() += 1;
        }
    }
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    for id in remote.world.sent() {
        *sent.entry(id).or_default() += 1;
    }
    for (id, times) in sent {
        let message = message.get(&id).copied().unwrap_or_default();
        assert!(
            message >= times,
            "{what}: {id} was sent {times} times and stands in {message} reports"
        );
        assert!(times == 1 || !id.starts_with("create"), "{what}: {id} was sent {times} times");
    }
}

//! A running sequence, and the checks at rest.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use domain::AccessState::Approved;
use sandbox::Method;
use serde_json::Value;

use super::model::{CLIENT, Declaration, Model, NAMES, Place, consumers};
use super::{ApplyCourse, Step};
use crate::git::kills::is_gone;
use crate::git::protection::settings;
use crate::git::remote::{self, Clone as Checkout, PATIENCE, Remote, taking_over};
use crate::world::{KART, Ran, SKATT, ids};

/// Limits that are never exceeded.
const LIMITS: &str =
    "guards: { max_deactivations: 99, max_revocations: 99, max_changed_percent: 100 }\n";

/// A running sequence.
struct Life<'r> {
    remote: &'r Remote,
    one: Checkout<'r>,
    /// A clone that is updated after an apply from it.
    late: Checkout<'r>,
    /// The content of every portvakt.yaml.
    settings: String,
    model: Model,
    /// The declarations of the places at the commit of `late`.
    of_late: Model,
    /// The names at any commit whose apply was tried, by place.
    tried: BTreeSet<usize>,
    /// The places that have ever declared a name.
    said_by: BTreeMap<usize, BTreeSet<usize>>,
    /// Names that were released, or were live before.
    not_ours: BTreeSet<usize>,
    /// Whether no place was ever moved, renamed, added or removed.
    is_steady: bool,
    log: Vec<String>,
}

const APPLY: [&str; 4] = ["apply", "--auto-approve", "--patience", "0"];

impl Life<'_> {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Merge(changes) => {
                for change in changes {
                    self.model.change(*change);
                    self.is_steady &= self.model.is_where(&Model::begin());
                }
                self.merge();
            }
            Step::Apply(place, apply_course) => self.apply(*place, *apply_course),
            Step::Baseline(place) => {
                if let Some(place) = self.model.0[*place].clone() {
                    self.baseline(&place);
                }
            }
            Step::Unlock(place) => {
                if let Some(place) = &self.model.0[*place] {
                    let ran = place.run(&self.one, &["unlock", "--yes"]);
                    assert_eq!(ran.code, 0, "{}", self.trace(&ran));
                }
            }
        }
    }

    /// Commits and pushes the declarations of the places.
    fn merge(&mut self) {
        for (index, place) in self.model.0.iter().enumerate() {
            for (name, said) in place.iter().flat_map(|place| &place.says) {
                self.said_by.entry(*name).or_default().insert(index);
                if *said == Declaration::Removed("release") {
                    self.not_ours.insert(*name);
                }
            }
        }
        self.one.git(&["rm", "--quiet", "-r", "--ignore-unmatch", "."]);
        for place in self.model.places() {
            let under = match place.folder {
                "" => String::new(),
                folder => format!("{folder}/"),
            };
            let settings = self.settings.replace("  test:", &format!("  {}:", place.environment));
            self.one.write(&format!("{under}portvakt.yaml"), &settings);
            self.one.write(&format!("{under}all.yaml"), &place.yaml());
        }
        self.one.merge("Change");
    }

    fn apply(&mut self, index: usize, apply_course: ApplyCourse) {
        let is_late = matches!(apply_course, ApplyCourse::Late);
        let model = if is_late { &self.of_late } else { &self.model };
        let Some(place) = model.0[index].clone() else { return };
        self.tried.extend(place.says.keys());
        let writes = self.writes();
        let ran = match apply_course {
            ApplyCourse::Whole => Some(place.run(&self.one, &APPLY)),
            ApplyCourse::Late => {
                let ran = place.run(&self.late, &APPLY);
                self.late.pull();
                self.of_late = self.model.clone();
                Some(ran)
            }
            ApplyCourse::KilledAfter(milliseconds) => {
                self.killed(&place, |began, _| began >= Duration::from_millis(milliseconds));
                None
            }
            ApplyCourse::KilledAtWrite(number) => {
                self.killed(&place, |_, sent| sent >= number);
                None
            }
            ApplyCourse::WithoutRemote => {
                self.lose();
                let ran = place.run(&self.one, &APPLY);
                self.find();
                assert_eq!(writes, self.writes(), "{}", self.trace(&ran));
                Some(ran)
            }
            ApplyCourse::RemoteLostAtWrite(number) => Some(self.losing(&place, number)),
        };
        let what = format!("{apply_course:?} in {} {}", place.folder, place.environment);
        let Some(ran) = ran else {
            self.log.push(format!("{what}: killed"));
            return;
        };
        self.log.push(format!("{what}: {}", ran.code));
        let codes: &[i32] = match apply_course {
            ApplyCourse::Whole | ApplyCourse::Late => &[0, 4, 5, 6],
            ApplyCourse::WithoutRemote => &[1, 4],
            ApplyCourse::RemoteLostAtWrite(_) => &[0, 1, 4, 5, 6],
            ApplyCourse::KilledAfter(_) | ApplyCourse::KilledAtWrite(_) => &[],
        };
        assert!(codes.contains(&ran.code), "{what}: {}", self.trace(&ran));
        if [1, 4, 5].contains(&ran.code) {
            assert_eq!(writes, self.writes(), "{what}: {}", self.trace(&ran));
        }
    }

    /// Number of write calls.
    fn writes(&self) -> usize {
        let exchanges = self.remote.world.sandbox.exchanges();
        let is_write =
            |path: &str, method: &Method| path.starts_with("/api/") && *method != Method::GET;
        exchanges.iter().filter(|it| is_write(&it.path, &it.method)).count()
    }

    /// Starts an apply, and watches until it has ended or `is_enough` returns true, given its duration and
    /// number of write calls.
    fn begun(&self, place: &Place, is_enough: impl Fn(Duration, usize) -> bool) -> Child {
        let mut command = self.one.process(&place.arguments(&APPLY));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let (writes, began) = (self.writes(), Instant::now());
        let mut child = command.spawn().unwrap();
        while child.try_wait().unwrap().is_none()
            && !is_enough(began.elapsed(), self.writes() - writes)
        {
            assert!(began.elapsed() < PATIENCE, "an apply does not end");
            std::thread::sleep(Duration::from_millis(1));
        }
        child
    }

    fn killed(&self, place: &Place, is_enough: impl Fn(Duration, usize) -> bool) {
        let mut child = self.begun(place, is_enough);
        child.kill().unwrap();
        child.wait().unwrap();
        is_gone(&child.id().to_string());
    }

    /// An apply that loses the remote on the way.
    fn losing(&self, place: &Place, number: usize) -> Ran {
        let child = self.begun(place, |_, sent| sent >= number);
        self.lose();
        let ran = remote::ran(child.wait_with_output().unwrap());
        self.find();
        ran
    }

    fn lose(&self) {
        std::fs::rename(self.remote.path(), self.remote.beside("lost.git")).unwrap();
    }

    fn find(&self) {
        std::fs::rename(self.remote.beside("lost.git"), self.remote.path()).unwrap();
    }

    /// Runs the command that takes over the past of a place, if its plan suggests one.
    fn baseline(&mut self, place: &Place) {
        let ran = place.run(&self.one, &["plan"]);
        assert_eq!(ran.code, 0, "{}", self.trace(&ran));
        let line = ran.stdout.lines().next().unwrap_or_default();
        let Some(command) = taking_over(line) else { return };
        let arguments: Vec<_> = command.split(' ').chain(["--yes"]).collect();
        let ran = self.one.run(&arguments);
        self.log.push(format!("{}: {}\n{}", arguments.join(" "), ran.code, ran.stdout));
        // Another place has that name again, or the lock is held.
        assert!([0, 5].contains(&ran.code), "{}", self.trace(&ran));
    }

    /// All steps, and the result of a command, for the message of a failure.
    fn trace(&self, ran: &Ran) -> String {
        let refs = remote::git(&self.remote.path(), &["for-each-ref"]);
        format!("{:#?}\n{refs}\n{}\n{}\n{}", self.log, ran.code, ran.stdout, ran.stderr)
    }
}

/// Live by another hand, and not declared.
const BY_HAND: &str = "etat:hand";

/// Largest number of applies of each place at the end.
const ROUNDS: usize = 3;

/// State of a place at rest.
struct Rest {
    place: Place,
    code: i32,
    plan: Value,
    unmanaged: Value,
}

impl Rest {
    /// Whether the plan or the list of unmanaged entities has a name.
    fn names(&self, name: &str) -> bool {
        let is_it = |value: &Value| value == name;
        let has = |list: &Value, keys: &[&str]| {
            let mut all = list.as_array().unwrap().iter();
            all.any(|it| keys.iter().any(|key| is_it(&it[*key])))
        };
        let blocked = self.plan["blocked"].as_array().unwrap().iter();
        let mut targets = blocked.map(|it| it["target"].as_str().unwrap());
        has(&self.plan["actions"], &["scope", "client"])
            || has(&self.plan["notices"], &["target"])
            || has(&self.unmanaged["scopes"], &["name"])
            || has(&self.unmanaged["clients"], &["name"])
            || targets.any(|target| target.split(' ').any(|word| word == name))
    }
}

impl Life<'_> {
    /// Takes over, plans and applies in each place until nothing changes any more.
    fn rest(&mut self) -> Vec<Rest> {
        self.log.push("rest".to_owned());
        let places: Vec<Place> = self.model.places().cloned().collect();
        self.expire_locks();
        for place in &places {
            self.tried.extend(place.says.keys());
        }
        let mut codes = BTreeMap::new();
        for _ in 0..ROUNDS {
            let before = (self.writes(), codes.clone());
            for place in &places {
                self.baseline(place);
                let ran = place.run(&self.one, &["apply", "--auto-approve", "--patience", "7"]);
                let what = format!("{} {}", place.folder, place.environment);
                assert!([0, 4, 6].contains(&ran.code), "{what}: {}", self.trace(&ran));
                // A blocked action or a limit is shown.
                let is_named = |code| ran.stdout.contains(code) || ran.stderr.contains(code);
                let is_reported = ["PV3", "PV5"].into_iter().any(is_named);
                assert!(ran.code == 0 || is_reported, "{what}: {}", self.trace(&ran));
                codes.insert(place.folder, ran.code);
                self.log.push(format!("{what}: {}\n{}{}", ran.code, ran.stdout, ran.stderr));
            }
            if before == (self.writes(), codes.clone()) {
                break;
            }
        }
        let json = |place: &Place, command| {
            let ran = place.run(&self.one, &[command, "--format", "json"]);
            assert_eq!(ran.code, 0, "{}", self.trace(&ran));
            serde_json::from_str::<Value>(&ran.stdout).unwrap()
        };
        let rest = |place: Place| Rest {
            code: codes[place.folder],
            plan: json(&place, "plan"),
            unmanaged: json(&place, "unmanaged"),
            place,
        };
        places.into_iter().map(rest).collect()
    }

    /// Removes all locks, also those of places that have been renamed: they end by themselves.
    fn expire_locks(&self) {
        let names = ["for-each-ref", "--format=%(refname)", "refs/portvakt"];
        let names = remote::git(&self.remote.path(), &names);
        for name in names.lines().filter(|name| name.ends_with("/lock")) {
            remote::git(&self.remote.path(), &["update-ref", "-d", name]);
        }
    }

    /// Whether a scope or the client is active.
    fn is_active(&self, name: usize) -> bool {
        let state = self.remote.world.sandbox.state();
        match name {
            CLIENT => state
                .clients
                .values()
                .any(|it| it.active && it.fields["client_name"] == NAMES[CLIENT]),
            _ => self.remote.world.open_to(NAMES[name]).is_some(),
        }
    }

    /// Checks that entities without a declaration are deactivated or reported, those that nobody applied are
    /// unchanged, and those that are declared and applied in full are as declared.
    fn check(&self, all: &[Rest]) {
        let world = &self.remote.world;
        assert_eq!(world.open_to(BY_HAND).unwrap(), [KART, SKATT], "{:#?}", self.log);
        assert!(world.client("hand").1.active);
        let sent = world.sent();
        for (index, name) in NAMES.iter().enumerate() {
            let trace = || {
                let plans: Vec<_> = all.iter().map(|it| (&it.plan, &it.unmanaged)).collect();
                format!("{name}: {:#?}\n{plans:#?}\n{sent:#?}\n{:#?}", self.log, self.model)
            };
            let is_sent = sent.iter().any(|id| id.split(' ').any(|word| word == *name));
            assert!(!is_sent || self.tried.contains(&index), "nobody applied {}", trace());
            let is_active = self.is_active(index);
            let said = self.model.said(index);
            let is_reported = all.iter().any(|rest| rest.names(name));
            let by = self.said_by.get(&index).into_iter().flatten().collect::<Vec<_>>();
            if let ([by], true) = (by.as_slice(), self.is_steady && said.is_empty()) {
                let is_closed = !is_active || all[**by].code != 0 || self.not_ours.contains(&index);
                assert!(is_closed, "left open: {}", trace());
            }
            let is_released = said.contains(&Declaration::Removed("release"));
            match self.model.declared(index).as_slice() {
                [] => assert!(!is_active || is_reported || is_released, "forgotten: {}", trace()),
                [Declaration::Declared { active, to }] if said.len() == 1 => {
                    let rest = all.iter().find(|it| it.place.says.contains_key(&index)).unwrap();
                    assert!(
                        is_active == *active || rest.names(name),
                        "not as declared: {}",
                        trace()
                    );
                    if index != CLIENT && rest.code == 0 && *active {
                        assert_eq!(world.open_to(name).unwrap(), consumers(*to), "{}", trace());
                    }
                }
                // Each undoes the changes of the other.
                _ => {}
            }
        }
        let is_twice = (0..NAMES.len()).any(|name| self.model.said(name).len() > 1);
        for rest in all.iter().filter(|rest| rest.code == 0 && !is_twice) {
            assert_eq!(ids(&rest.plan), [""; 0], "{:#?}", self.log);
        }
    }
}

/// Runs a sequence, brings it to rest, and checks the result. `by_hand` makes one of the scopes live before,
/// by another hand.
pub(super) fn runs(by_hand: bool, steps: &[Step]) {
    let remote = Remote::new();
    let one = remote.first();
    let accesses = [(SKATT, Approved), (KART, Approved)];
    remote.world.put(BY_HAND, true, &accesses);
    remote.world.put_client("hand", "hand", true, &[]);
    if by_hand {
        remote.world.put(NAMES[CLIENT - 1], true, &accesses);
    }
    let settings = format!("{}{LIMITS}", settings(&one));
    let model = Model::begin();
    let mut life = Life {
        remote: &remote,
        late: remote.another("late", &[]),
        one,
        settings,
        of_late: Model::default(),
        model,
        tried: BTreeSet::new(),
        said_by: BTreeMap::new(),
        not_ours: by_hand.then_some(CLIENT - 1).into_iter().collect(),
        is_steady: true,
        log: Vec::new(),
    };
    life.merge();
    for step in steps {
        life.log.push(format!("{step:?}"));
        life.step(step);
    }
    let rest = life.rest();
    life.check(&rest);
}

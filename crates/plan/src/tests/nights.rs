//! Every short sequence of days, nightly runs of `apply --due` and changes by hand: a night does what a day asks for
//! once, and never again what somebody has undone since.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::super::{AccessWork, DatesPassed, Outcome, Work};
use super::*;
use domain::DueAccess;

/// A step of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Day,
    /// All actions are done.
    Night,
    /// The first action fails.
    NightThatFails,
    /// The job is killed after its first action.
    NightThatIsKilled,
    /// Somebody changes the access to a scope by hand.
    Revoke(usize),
    Grant(usize),
}

const STEPS: [Step; 8] = [
    Step::Day,
    Step::Night,
    Step::NightThatFails,
    Step::NightThatIsKilled,
    Step::Revoke(0),
    Step::Grant(0),
    Step::Revoke(1),
    Step::Grant(1),
];

const SCOPES: [&str; 2] = ["etat:a", "etat:b"];

/// An access, and what the nights should know of it.
#[derive(Debug, Clone, Copy)]
struct Watched {
    state: Option<&'static str>,
    /// Whether it should be there, as far as the nights have seen to it.
    settled: bool,
    /// Whether what its last day asked for was true at some time after a night, or during one.
    was_done: bool,
    /// Whether a night that was killed began to change it.
    is_begun: bool,
}

impl Watched {
    fn is_there(&self) -> bool {
        self.state == Some("APPROVED")
    }
}

/// The applied declarations are those of today.
#[derive(Debug, Clone)]
struct Model {
    desired: Desired,
    today: Date,
    since: Date,
    undone: Undone,
    watched: [Watched; 2],
}

impl Model {
    /// One access begins on the second day and ends after the fourth, the other ends after the second.
    fn new() -> Self {
        let (since, today) = (date(1), date(1));
        let desired = declared([
            (SCOPES[0], scope_on(&[days("2026-11-02", "2026-11-04")])),
            (SCOPES[1], scope_on(&[days("", "2026-11-02")])),
        ]);
        let watched = |state, settled| Watched { state, settled, was_done: true, is_begun: false };
        let watched = [watched(None, false), watched(Some("APPROVED"), true)];
        Self { desired, today, since, undone: Undone::default(), watched }
    }

    fn is_wanted(&self, index: usize) -> bool {
        self.desired.entry(&name(SCOPES[index]), orgno(SKATT), self.today).is_some()
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Day => {
                let before = [0, 1].map(|index| self.is_wanted(index));
                self.today = self.today.checked_add(1.day()).unwrap();
                for index in [0, 1] {
                    if self.is_wanted(index) != before[index] {
                        (self.watched[index].was_done, self.watched[index].is_begun) =
                            (false, false);
                    }
                }
            }
            Step::Revoke(index) => self.watched[index].state = Some("DENIED"),
            Step::Grant(index) => self.watched[index].state = Some("APPROVED"),
            Step::Night => self.night(|_| Outcome::Done, false),
            Step::NightThatFails => {
                let fails = |index| match index {
                    0 => Outcome::Failed("500".to_owned()),
                    _ => Outcome::Done,
                };
                self.night(fails, false);
            }
            Step::NightThatIsKilled => self.night(|_| Outcome::Done, true),
        }
    }

    fn night(&mut self, outcome: fn(usize) -> Outcome, is_killed: bool) {
        let accesses = self.watched.map(|it| it.state.map(|state| (SKATT, state)));
        let scopes = SCOPES.iter().zip(&accesses);
        let live = live(scopes.map(|(name, access)| (*name, live_scope(true, access.as_slice()))));
        let past = Past::of(Applied { commit: "abc".into(), desired: self.desired.clone() });
        let noon = format!("{}T12:00:00Z", self.today).parse().unwrap();
        let mut plan = plan(&self.desired, &past, &live, noon);
        let (since, today, undone) = (self.since, self.today, self.undone.clone());
        let dates = DatesPassed { desired: &self.desired, since, undone: &undone, today };
        plan.set_origins(&plan.clone(), dates);
        let plan = plan.only_due(dates, &self.desired, &past, &live);

        let acts = |index: usize| {
            let access = DueAccess::of((&name(SCOPES[index]), orgno(SKATT)));
            plan.actions.iter().any(|it| it.access().map(DueAccess::of).as_ref() == Some(&access))
        };
        for index in [0, 1] {
            let watched = self.watched[index];
            let is_wanted = self.is_wanted(index);
            let is_unclear = watched.is_begun && is_wanted && watched.state == Some("DENIED");
            let is_due = watched.settled != is_wanted && watched.is_there() != is_wanted;
            assert_eq!(acts(index), is_due && !is_unclear, "{index} of {self:#?}");
            if watched.was_done && is_wanted {
                assert!(!acts(index), "what somebody revoked is granted: {index} of {self:#?}");
            }
        }
        let due = [0, 1].map(acts);
        let count = if is_killed { 1 } else { plan.actions.len() };
        let outcomes: Vec<_> = (0..plan.actions.len().min(count)).map(outcome).collect();
        for (action, outcome) in plan.actions.iter().zip(&outcomes) {
            let (scope, _) = action.access().unwrap();
            let index = SCOPES.iter().position(|it| *it == scope.as_str()).unwrap();
            let Work::Access(_, _, work) = &action.work else { panic!("{action:?}") };
            if *outcome == Outcome::Done {
                let is_grant = matches!(work, AccessWork::Grant { .. });
                self.watched[index].state = Some(if is_grant { "APPROVED" } else { "DENIED" });
                self.watched[index].was_done = true;
            }
        }
        for index in [0, 1] {
            let is_wanted = self.is_wanted(index);
            let watched = &mut self.watched[index];
            let is_left = due[index] && (is_killed || watched.is_there() != is_wanted);
            watched.is_begun = is_killed && due[index];
            if !is_left {
                watched.settled = is_wanted;
            }
            watched.was_done |= watched.is_there() == is_wanted;
        }
        self.since = self.today;
        self.undone = match is_killed {
            true => plan.begun(),
            false => Undone { left: plan.undone(&outcomes), ..Undone::default() },
        };
    }
}

fn date(day: i8) -> Date {
    Date::new(2026, 11, day).unwrap()
}

fn walk(model: &Model, left: usize) -> usize {
    if left == 0 {
        return 1;
    }
    let next = STEPS.into_iter().map(|step| {
        let mut model = model.clone();
        model.step(step);
        walk(&model, left - 1)
    });
    next.sum()
}

#[test]
fn a_night_does_once_what_a_day_asks_for() {
    assert_eq!(walk(&Model::new(), 5), STEPS.len().pow(5));
    // Longer ones, with a day between all nights.
    let mut model = Model::new();
    model.step(Step::Day);
    for step in STEPS {
        let mut model = model.clone();
        model.step(step);
        model.step(Step::Day);
        walk(&model, 4);
    }
}

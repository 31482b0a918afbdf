//! What was applied before, as far as git tells: here, and wherever else the same API was applied to.

mod at;
mod ledger;
mod names;
mod place;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::at::{
    At, applied_at, apply_from, declared_at, files_at, files_here, read_at, unread, valid_at,
};
pub(crate) use self::ledger::environment;
use self::names::former_options;
pub(crate) use self::names::{
    TOP, api_of, called, described, folder, is_declared_at, place, placement, project, usual_folder,
};
use self::place::OfPlace;
use crate::declare::Repository;
use crate::history::{Baseline, Branch, History, Loss, Lost, Placement, Recorded, Refs};
use domain::{self, Applied, Desired, Guards, Past, Protected};

/// The other places at which something was applied to the same API, or may have been, by their names; with
/// what was applied last, as far as that is known.
pub(crate) type AppliedElsewhere = BTreeMap<String, Option<Applied>>;

/// What was applied, as git tells it.
#[derive(Default)]
pub(crate) struct KnownPast {
    /// What was declared at the commit last applied in full.
    pub(crate) applied: Option<Applied>,
    /// What was declared at each commit that counts or protects, here or elsewhere.
    pub(crate) all: Vec<Applied>,
    /// What may be open because of it, by the name of the place that applied it.
    pub(crate) traces: Vec<(String, Applied)>,
    /// Whether there are commits whose apply did not end in full.
    pub(crate) is_unfinished: bool,
    /// What would be forgotten by a record that is written now.
    pub(crate) lost: Option<Lost>,
    /// Why nothing may be applied or recorded here: another folder has the same name.
    pub(crate) clash: Option<String>,
    /// The commits that were last applied to the same API by places that are declared no longer, as after
    /// a rename.
    pub(crate) of_former: Vec<String>,
    /// What other places applied.
    pub(crate) elsewhere: AppliedElsewhere,
    /// All that a plan must know of it.
    pub(crate) past: Past,
}

impl KnownPast {
    /// With a past that is not known, though some of it can be read.
    pub(crate) fn made_unknown(mut self, why: String) -> Self {
        let limits = self.past.limits.take();
        self.past.limits =
            limits.into_iter().chain([Guards::default()]).reduce(|a, b| a.stricter(&b));
        self.past.unknown = Some(why);
        // Nobody has compared it with the branch that is applied.
        (self.applied, self.past.applied) = (None, None);
        self
    }

    /// Of a past that is not known.
    pub(crate) fn unknown(why: String) -> Self {
        let past = Past { is_recorded: true, ..Past::default() };
        Self { past, ..Self::default() }.made_unknown(why)
    }
}

/// What is read to find out what was applied.
pub(crate) struct Reading<'a> {
    pub(crate) history: &'a History,
    pub(crate) repository: &'a Repository,
    /// What is declared now.
    pub(crate) now: &'a Desired,
    pub(crate) placement: &'a Placement,
    /// The branch whose commits may be applied; `None` without a remote.
    pub(crate) branch: Option<&'a Branch>,
}

/// What another place applied, as this one sees it.
struct OtherPast {
    name: String,
    of: OfPlace,
    /// What it applied last, if it is declared no longer.
    former: Option<Recorded>,
}

impl Reading<'_> {
    /// What was applied here before, and what was protected wherever the same API was applied to for the
    /// same organisation.
    pub(crate) fn known(&self, refs: &Refs) -> KnownPast {
        let baseline = self.history.baseline(refs);
        // What it was called before is not known, and only that is missing.
        let went_on = |it: &Baseline| it.moved_to.is_some() || it.lost == Some(Loss::WentOn);
        let is_new = matches!(&baseline, Ok(known) if known.as_ref().is_none_or(went_on));
        let own = self.here(refs, baseline);
        let others = self.history.other_baselines(refs);
        let taken_over: BTreeSet<_> = others
            .iter()
            .filter_map(|(_, baseline)| baseline.as_ref().ok()?.as_ref()?.moved_to.clone())
            .collect();
        let others = others.into_iter().map(|(name, baseline)| {
            let of = self.elsewhere(refs, &name, baseline);
            let former = self.former(&name, &of, taken_over.contains(&name)).cloned();
            OtherPast { name, of, former }
        });
        let others: Vec<OtherPast> = others.collect();
        let renamed = is_new.then(|| self.renamed(&others)).flatten();
        let unread = others.iter().find_map(|OtherPast { name, of, .. }| {
            let why = of.unknown.as_ref()?;
            Some(format!("of {name}: {why}; {}", self.way_out(name)))
        });
        let known_as = renamed.clone().filter(|_| went_on(&own.recorded));
        let unknown =
            known_as.or_else(|| own.unknown.clone()).or(unread).or_else(|| renamed.clone());
        let past = Past {
            applied: own.counting(),
            protected: self.protected(&own, &others),
            limits: limits(&own, &others, unknown.is_some()),
            unknown,
            is_recorded: true,
            beside: Vec::new(),
            directory: self.directory(),
            unread: None,
            former: self.left(&others),
        };
        let mut recorded = own.recorded.commits().chain(&own.recorded.protecting);
        let clash = recorded.find(|it| self.is_of_another(it));
        let all = own.all().chain(others.iter().flat_map(|other| other.of.all()));
        let places = others.iter().map(|other| (other.name.as_str(), &other.of));
        let traces = places.chain([(self.history.place(), &own)]).flat_map(|(name, of)| {
            of.traces().map(move |applied| (name.to_owned(), applied.clone()))
        });
        let may_be_applied = |of: &OfPlace| of.applied.is_some() || of.unknown.is_some();
        let elsewhere = others
            .iter()
            .filter(|other| may_be_applied(&other.of))
            .map(|other| (other.name.clone(), other.of.applied.clone()));
        KnownPast {
            elsewhere: elsewhere.collect(),
            all: all.cloned().collect(),
            traces: traces.collect(),
            is_unfinished: !own.recorded.tried.is_empty(),
            clash: clash.map(|it| names::clash(&it.placement.folder)),
            lost: own.lost.or(renamed.map(|why| Lost { why, protecting: Vec::new() })),
            of_former: others.into_iter().filter_map(|it| it.former).map(|it| it.commit).collect(),
            applied: own.applied,
            past,
        }
    }

    /// What is protected at each commit that counts or protects.
    fn protected(&self, own: &OfPlace, others: &[OtherPast]) -> Vec<Protected> {
        let here = own.all().map(|applied| Protected::at(None, applied));
        let elsewhere = others.iter().flat_map(|OtherPast { name, of, former }| {
            let way_out = former.as_ref().map(|former| {
                let own = own.applied.as_ref().map(|applied| applied.commit.to_string());
                self.take_over(name, &own.unwrap_or_else(|| former.commit.clone()))
            });
            let elsewhere = domain::Elsewhere { name: name.clone(), way_out };
            of.all().map(move |applied| Protected::at(Some(elsewhere.clone()), applied))
        });
        here.chain(elsewhere).chain(self.protected_beside(own)).collect()
    }

    /// What other places protected at the commits that this one applied: a change that drops it there does not
    /// drop it here at once.
    fn protected_beside(&self, own: &OfPlace) -> Vec<Protected> {
        let commits = own.applied.iter().chain(&own.tried).map(|applied| &applied.commit);
        let commits: BTreeSet<_> = commits.collect();
        let beside = commits.into_iter().flat_map(|commit| {
            let folders = self.history.folders_at(commit).unwrap_or_default();
            folders.into_iter().flat_map(move |folder| self.beside_at(commit, &folder))
        });
        beside.collect()
    }

    /// What a place applied last to the same API, if it is declared no longer. One that took over what was
    /// applied under a former name (`took_over`) may be declared in another folder than it was applied from.
    fn former<'a>(&self, name: &str, of: &'a OfPlace, took_over: bool) -> Option<&'a Recorded> {
        let is_same = |recorded: &&Recorded| self.is_same(&recorded.placement);
        let in_full = of.recorded.applied.as_ref().filter(is_same);
        let last = in_full.or_else(|| of.recorded.commits().filter(is_same).last())?;
        let placement = &last.placement;
        let is_declared =
            self.leads_on(name, placement) || took_over && self.is_in_use(name, placement);
        (!is_declared).then_some(last)
    }

    /// The places that are declared no longer, with what they may have left open. What one of that name
    /// applied, whatever it leads to now, is for its own plan to tell, and whether one whose folder is wrong is
    /// declared is not known.
    fn left(&self, others: &[OtherPast]) -> Vec<domain::Former> {
        let all = others.iter().filter_map(|OtherPast { name, of, former }| {
            let last = former.as_ref()?;
            let placement = &last.placement;
            let is_left = !self.is_called(name) && !self.is_unreadable(&placement.folder);
            is_left.then(|| domain::Former {
                place: described(placement),
                applied: of.traces().cloned().collect(),
                take_over: self.take_over(name, &last.commit),
            })
        });
        all.collect()
    }

    /// Why the past of a place that has nothing recorded may be that of one that is declared no longer: of one
    /// that declared what is declared here now, or that was in this folder; of any where nothing is declared.
    fn renamed(&self, others: &[OtherPast]) -> Option<String> {
        let former = || others.iter().filter_map(|other| Some((other, other.former.as_ref()?)));
        let likely = former().filter(|(other, last)| {
            last.placement.folder == self.placement.folder
                || other.of.all().any(|applied| self.declares_of(&applied.desired))
        });
        let mut could_be: Vec<_> = likely.collect();
        // Of one that declares nothing, nothing tells which one it was.
        if could_be.is_empty() && self.now.scopes.is_empty() && self.now.clients.is_empty() {
            could_be = former().collect();
        }
        let commands = could_be.iter().map(|(other, last)| {
            (described(&last.placement), self.take_over(&other.name, &last.commit))
        });
        let commands: Vec<_> = commands.collect();
        match commands.as_slice() {
            [] => None,
            [(former, command)] => Some(format!(
                "{former} was applied to the same API, and is declared no longer: if that is what this one was \
                 called before, `{command}` takes over what was applied there"
            )),
            several => {
                let each =
                    several.iter().map(|(former, command)| format!("`{command}` ({former})"));
                Some(format!(
                    "{} places were applied to the same API, and are declared no longer: if one of them is \
                     what this one was called before, take over what was applied there with its command, \
                     and with no other: {}",
                    several.len(),
                    each.collect::<Vec<_>>().join(", ")
                ))
            }
        }
    }

    /// Whether some of what was declared is declared here now.
    fn declares_of(&self, before: &Desired) -> bool {
        before.scopes.keys().any(|name| self.now.scopes.contains_key(name))
            || before.clients.keys().any(|name| self.now.clients.contains_key(name))
    }

    /// Whether something was applied to the same API for the same organisation.
    fn is_same(&self, placement: &Placement) -> bool {
        placement.api == self.placement.api && placement.organization == self.placement.organization
    }

    /// How another place is kept from making the past of this one unknown.
    fn way_out(&self, name: &str) -> String {
        let environment = environment(name);
        format!(
            "`portvakt -e {environment} baseline` in its folder shows more of it, and if it is declared \
             nowhere any more, `{}` lets it count for nothing",
            self.take_over(name, "COMMIT")
        )
    }

    /// How a command is told of this folder from the top of the git repository; nothing where it is that, or
    /// where a shell would take its name for something else.
    fn directory(&self) -> String {
        let folder = &self.placement.folder;
        let is_plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
        match !folder.is_empty() && !folder.starts_with('-') && folder.chars().all(is_plain) {
            true => format!("-C {folder} "),
            false => String::new(),
        }
    }

    /// The command that takes over what was applied at a place that this one was called before.
    fn take_over(&self, name: &str, commit: &str) -> String {
        let own = &self.placement.environment;
        let options = former_options(self.history.place(), name);
        format!("portvakt {}-e {own} baseline set {commit} {options}", self.directory())
    }
}

/// The strictest limits that count: those of the applied commit, or, where a place begins, those of
/// all others. Where not all is known, the defaults count too.
fn limits(own: &OfPlace, others: &[OtherPast], is_unknown: bool) -> Option<Guards> {
    let elsewhere = others.iter().flat_map(|other| other.of.all());
    let counting: Vec<&Applied> = match &own.applied {
        Some(_) => own.all().collect(),
        None => own.all().chain(elsewhere).collect(),
    };
    let defaults = is_unknown.then(Guards::default);
    let limits = counting.into_iter().map(|applied| applied.desired.guards.clone());
    limits.chain(defaults).reduce(|limits, guards| limits.stricter(&guards))
}

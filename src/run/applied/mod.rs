//! Earlier applies, as far as git knows them: here, and at all other places with the same API.

mod at;
mod ledger;
mod names;
mod place;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use self::at::{At, apply_from, files_here, unread};
use self::names::former_options;
pub(crate) use self::names::{
    TOP, api_of, called, described, environment, folder, is_declared_at, place, placement, project,
    usual_folder,
};
use self::place::OfPlace;
use crate::declare::Repository;
use crate::history::{
    Baseline, Branch, DatesDone, History, LossReason, Lost, Placement, Recorded, Refs,
};
use domain::text::listed;
use domain::{self, Applied, Desired, Guards, Past, Protected};

/// The other places at which something was applied to the same API, or may have been, by name; with the last
/// apply, as far as it is known.
pub(crate) type AppliedElsewhere = BTreeMap<String, Option<Applied>>;

/// The last apply in full.
#[derive(Debug, Clone)]
pub(crate) struct LastApply {
    /// Its commit, and the place of the declarations.
    pub(crate) recorded: Recorded,
    /// What was done of what dates in its declarations ask for.
    pub(crate) dates: DatesDone,
}

/// Earlier applies, from git.
#[derive(Default)]
pub(crate) struct KnownPast {
    /// The declarations at the commit last applied in full.
    pub(crate) applied: Option<Applied>,
    /// The apply of it.
    pub(crate) last: Option<LastApply>,
    /// The declarations at later commits that were applied in part.
    pub(crate) tried: Vec<Applied>,
    /// The declarations at each commit that counts or protects, here or elsewhere.
    pub(crate) all: Vec<Applied>,
    /// Entities that may be active because of it, with the name of the place that applied them.
    pub(crate) traces: Vec<(String, Applied)>,
    /// Whether there are commits whose apply did not end in full.
    pub(crate) is_unfinished: bool,
    /// The data that a record written now would lose.
    pub(crate) lost: Option<Lost>,
    /// Reason why nothing may be applied or recorded here: another folder has the same name.
    pub(crate) clash: Option<String>,
    /// The commits that were last applied to the same API by places that are no longer declared, as after a
    /// rename.
    pub(crate) of_former: Vec<String>,
    /// The applies of other places.
    pub(crate) elsewhere: AppliedElsewhere,
    /// The part of it that a plan needs.
    pub(crate) past: Past,
}

impl KnownPast {
    /// Marks the past as not known, though some of it can be read.
    pub(crate) fn made_unknown(mut self, why: String) -> Self {
        let limits = self.past.limits.take();
        self.past.limits =
            limits.into_iter().chain([Guards::default()]).reduce(|a, b| a.stricter(&b));
        self.past.unknown = Some(why);
        self.past.is_first_apply = false;
        // Nobody has compared it with the branch that is applied.
        (self.applied, self.last, self.past.applied) = (None, None, None);
        self
    }

    /// A past that is not known.
    pub(crate) fn unknown(why: String) -> Self {
        let past = Past { is_recorded: true, ..Past::default() };
        Self { past, ..Self::default() }.made_unknown(why)
    }
}

/// Inputs for finding out what was applied.
pub(crate) struct Reading<'a> {
    pub(crate) history: &'a History,
    pub(crate) repository: &'a Repository,
    /// The current declarations.
    pub(crate) now: &'a Desired,
    pub(crate) placement: &'a Placement,
    /// The branch whose commits may be applied; `None` without a remote.
    pub(crate) branch: Option<&'a Branch>,
}

/// The applies of another place, as seen from this one.
struct OtherPast {
    name: String,
    of: OfPlace,
    /// The last commit that it applied, if the place is no longer declared.
    former: Option<Recorded>,
}

impl Reading<'_> {
    /// The earlier applies here, and the protection at all places with the same API and organisation.
    pub(crate) fn known(&self, refs: &Refs) -> KnownPast {
        let baseline = self.history.baseline(refs);
        // Its former name is not known, and nothing else is missing.
        let went_on = |it: &Baseline| it.moved_to.is_some() || it.lost == Some(LossReason::WentOn);
        let is_new = matches!(&baseline, Ok(known) if known.as_ref().is_none_or(went_on));
        let own = self.here(refs, baseline);
        let others = self.history.other_baselines(refs);
        let taken_over: BTreeSet<_> = others
            .iter()
            .filter_map(|(_, baseline)| baseline.as_ref().ok()?.as_ref()?.moved_to.clone())
            .chain(own.recorded.moved_to.clone())
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
            Some(format!("of {name}: {why}; {}", self.remedy(name)))
        });
        let known_as = renamed.clone().filter(|_| went_on(&own.recorded));
        let unknown =
            known_as.or_else(|| own.unknown.clone()).or(unread).or_else(|| renamed.clone());
        let applied = own.counting();
        let past = Past {
            is_first_apply: applied.is_none() && unknown.is_none(),
            applied,
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
        let last = own.recorded.applied.clone().filter(|_| own.applied.is_some());
        let last = last.map(|recorded| LastApply {
            dates: own.recorded.dates.clone().unwrap_or_else(|| DatesDone::all_until(recorded.at)),
            recorded,
        });
        KnownPast {
            last,
            elsewhere: elsewhere.collect(),
            all: all.cloned().collect(),
            traces: traces.collect(),
            is_unfinished: !own.recorded.tried.is_empty(),
            clash: clash.map(|it| names::clash(&it.placement.folder)),
            lost: own.lost.or(renamed.map(|why| Lost { why, protecting: Vec::new() })),
            of_former: others.into_iter().filter_map(|it| it.former).map(|it| it.commit).collect(),
            applied: own.applied,
            tried: own.tried.into_iter().map(|(applied, _)| applied).collect(),
            past,
        }
    }

    /// The protection at each commit that counts or protects.
    fn protected(&self, own: &OfPlace, others: &[OtherPast]) -> Vec<Protected> {
        let here = own.all().map(|applied| Protected::at(None, applied));
        let elsewhere = others.iter().flat_map(|OtherPast { name, of, former }| {
            let remedy = former.as_ref().map(|former| {
                let own = own.applied.as_ref().map(|applied| applied.commit.to_string());
                self.take_over(name, &own.unwrap_or_else(|| former.commit.clone()))
            });
            let elsewhere = domain::Elsewhere { name: name.clone(), remedy };
            of.all().map(move |applied| Protected::at(Some(elsewhere.clone()), applied))
        });
        here.chain(elsewhere).chain(self.protected_beside(own)).collect()
    }

    /// The protection by other places at the commits that this one applied: a change that drops it there does
    /// not drop it here at once.
    fn protected_beside(&self, own: &OfPlace) -> Vec<Protected> {
        let commits = own.commits().map(|applied| &applied.commit);
        let commits: BTreeSet<_> = commits.collect();
        let beside = commits.into_iter().flat_map(|commit| {
            let folders = self.history.folders_at(commit).unwrap_or_default();
            folders.into_iter().flat_map(move |folder| self.beside_at(commit, &folder))
        });
        beside.collect()
    }

    /// The last commit that a place applied to the same API, if the place is no longer declared. A place that
    /// took over the past of a former name (`took_over`) may be declared in another folder than the one of
    /// its applies.
    fn former<'a>(&self, name: &str, of: &'a OfPlace, took_over: bool) -> Option<&'a Recorded> {
        let is_same = |recorded: &&Recorded| self.is_same(&recorded.placement);
        let in_full = of.recorded.applied.as_ref().filter(is_same);
        let last = in_full.or_else(|| of.recorded.commits().filter(is_same).last())?;
        let placement = &last.placement;
        let is_declared =
            self.leads_on(name, placement) || took_over && self.is_in_use(name, placement);
        (!is_declared).then_some(last)
    }

    /// The places that are no longer declared, with the entities that they may have left active. A place that
    /// still has the name, whatever its API, reports that in its own plan; and whether a place in an invalid
    /// folder is declared is not known.
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

    /// The reason why the past of a place without a record may be that of a place that is no longer declared:
    /// one that declared the entities that are declared here now, or that was in this folder; any such place
    /// where nothing is declared.
    fn renamed(&self, others: &[OtherPast]) -> Option<String> {
        let former = || others.iter().filter_map(|other| Some((other, other.former.as_ref()?)));
        let likely = former().filter(|(other, last)| {
            last.placement.folder == self.placement.folder
                || other
                    .of
                    .all()
                    .any(|then| then.desired.entities().any(|it| self.now.declares(&it)))
        });
        let mut could_be: Vec<_> = likely.collect();
        // A place without declarations has nothing by which to choose.
        if could_be.is_empty() && self.now.entities().next().is_none() {
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
                    listed(each)
                ))
            }
        }
    }

    /// Whether it is an apply to the same API for the same organisation.
    fn is_same(&self, placement: &Placement) -> bool {
        placement.api == self.placement.api && placement.organization == self.placement.organization
    }

    /// The remedy where another place makes the past of this one unknown.
    fn remedy(&self, name: &str) -> String {
        let environment = environment(name);
        format!(
            "`portvakt -e {environment} baseline` in its folder shows more of it, and if it is declared \
             nowhere any more, `{}` lets it count for nothing",
            self.take_over(name, "COMMIT")
        )
    }

    /// The option that selects this folder from the top of the git repository; empty at the top, or where a
    /// shell would misread its name.
    fn directory(&self) -> String {
        let folder = &self.placement.folder;
        let is_plain = |letter: char| letter.is_alphanumeric() || "/._-".contains(letter);
        match !folder.is_empty() && !folder.starts_with('-') && folder.chars().all(is_plain) {
            true => format!("-C {folder} "),
            false => String::new(),
        }
    }

    /// The command that takes over the past of a former name of this place.
    fn take_over(&self, name: &str, commit: &str) -> String {
        let own = &self.placement.environment;
        let options = former_options(self.history.place(), name);
        format!("portvakt {}-e {own} baseline set {commit} {options}", self.directory())
    }
}

/// The strictest limits in force: those of the applied commit, or, for a new place, those of all others.
/// Where not all is known, the defaults apply too.
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

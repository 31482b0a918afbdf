//! The declarations read again: entities that a plan would still change are left out, until there are none.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::completed::{self, completed};
use super::counts::Counts;
use super::draft::DraftLines;
use super::found::Found;
use super::left_out::{LeftOut, LeftOutFault, Reason, Subject};
use super::written::{File, Text, Texts, Written};
use super::{AdoptedEntity, Input, Lessons};
use crate::declare::{self, Diagnostic, Files, Invalid, Repository, Rule};
use domain::{Past, norwegian_date};
use plan::{Action, Plan, Target, Work, plan};

/// Number of rounds beyond one for each entity. Each round finds something new; usually two are enough.
const MORE_ROUNDS: usize = 50;

/// Declarations after which a plan is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proved {
    /// The files.
    pub files: Vec<File>,
    /// The number of declared entities in all files.
    pub counts: Counts,
    /// Left-out entities, sorted.
    pub left_out: Vec<LeftOut>,
    /// Number of chosen scopes and clients that are declared already, counted by environment.
    pub declared: usize,
}

/// Reason why there are no declarations.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The declarations cause errors that do not concern one of them.
    #[error("the declarations cannot be read with the repository's own")]
    Invalid(Vec<Diagnostic>),
    /// portvakt.yaml excludes a file.
    #[error(
        "{0} would not be read: `include` or `exclude` in portvakt.yaml leaves it out, or its name \
         begins with a dot. Choose another folder with --into"
    )]
    NotRead(String),
    /// Files that exist already.
    #[error(
        "{} there already, and nothing is overwritten: add to what is there with --merge, or write \
         elsewhere with --into DIR or another --layout",
        match .0.as_slice() {
            [one] => format!("{one} is"),
            several => format!("{} are", several.join(", ")),
        }
    )]
    There(Vec<String>),
    /// An existing file cannot be extended.
    #[error("{file} cannot be added to: {why}. Do that by hand, or write elsewhere with --into")]
    CannotMerge {
        /// The file.
        file: String,
        /// The reason.
        why: Cow<'static, str>,
    },
    /// A file would exceed the size that is read.
    #[error("{0} would be larger than 1 MiB, and not be read: choose another --layout")]
    TooLarge(String),
    /// Further entities had to be left out in every round.
    #[error("the declarations do not settle: {0}")]
    Restless(String),
}

/// The declarations of the chosen entities, after which a plan of the same live state is empty. `files` are
/// the repository's own, `key_file` returns its key files.
///
/// # Errors
/// See [`ProofError`].
pub fn proved(
    input: &Input<'_>,
    files: &Files,
    key_file: &(dyn Fn(&str) -> Option<Vec<u8>> + Sync),
    now: Timestamp,
) -> Result<Proved, ProofError> {
    let mut found = Found::new(input, norwegian_date(now));
    let mut lessons = Lessons::default();
    let mut last = String::new();
    let accesses: usize = found.accesses.values().map(BTreeMap::len).sum();
    for _ in 0..found.scopes.len() + accesses + found.clients.len() + MORE_ROUNDS {
        let (completed, faults) = completed(&found, input, files);
        if !faults.is_empty() {
            for fault in faults {
                last = learn(fault, &mut found, &mut lessons, input);
            }
            continue;
        }
        let written = Written::new(&found, input, &lessons, completed);
        let texts = written.texts(input, files)?;
        if let Some(path) = texts.keys().find(|path| !input.repository.reads(path)) {
            return Err(ProofError::NotRead(path.clone()));
        }
        let is_large = |text: &Text| text.text.len() as u64 > declare::LARGEST_FILE;
        if let Some((path, _)) = texts.iter().find(|(_, text)| is_large(text)) {
            return Err(ProofError::TooLarge(path.clone()));
        }
        let again = read_again(&written, &texts, input, files, key_file)?;
        let added = completed::lines(&again, &found, input);
        let mut faults =
            errors(&again, &EntityLines { texts: &texts, added: &added }, &lessons, input, now)?;
        if faults.is_empty() {
            let (changes, differing) = changes(&again, &found, input, now)?;
            if changes.is_empty() {
                found.left_out.extend(differing);
                return Ok(done(found, &written, &texts));
            }
            faults = changes;
        }
        let is_default = |fault: &LeftOutFault| matches!(fault, LeftOutFault::Default);
        let all_explicit = faults.iter().any(is_default);
        for fault in faults {
            last = learn(fault, &mut found, &mut lessons, input);
        }
        lessons.all_explicit = all_explicit;
    }
    Err(ProofError::Restless(last))
}

fn done(found: Found<'_>, written: &Written, texts: &Texts) -> Proved {
    let files = written.files(texts);
    let mut counts = Counts::default();
    files.iter().for_each(|file| counts += file.counts);
    let mut left_out = found.left_out;
    left_out.extend(written.left_out.iter().cloned());
    // Reasons about accesses are of no interest where the scope is not declared.
    let gone: BTreeSet<_> = left_out.iter().filter_map(LeftOut::scope).cloned().collect();
    let is_idle = |it: &LeftOut| {
        matches!(&it.subject, Subject::Access(scope, _)
        if !found.scopes.contains_key(scope) && gone.contains(scope))
    };
    left_out.retain(|it| !is_idle(it));
    left_out.sort();
    left_out.dedup();
    Proved { files, counts, left_out, declared: found.declared }
}

/// Takes a fault into account; returns its description.
fn learn(
    fault: LeftOutFault,
    found: &mut Found<'_>,
    lessons: &mut Lessons,
    input: &Input<'_>,
) -> String {
    match fault {
        LeftOutFault::Default => {
            lessons.all_explicit = true;
            "a default breaks a rule".to_owned()
        }
        LeftOutFault::Silence(entity, rule) => {
            if lessons.all_explicit {
                lessons.explicit.insert(entity.clone());
            }
            let description = format!("{rule} has to be silenced");
            lessons.silences.entry(entity).or_default().insert(rule);
            description
        }
        LeftOutFault::Refuse(entity, side, reason) => {
            let description = reason.to_string();
            let environment = side.and_then(|side| input.name(side)).unwrap_or_default();
            let subject = match &entity {
                AdoptedEntity::Scope(name) => Some(Subject::Scope(name.clone())),
                AdoptedEntity::Client(name, _) => Some(Subject::Client(name.to_string(), None)),
                AdoptedEntity::Access(name, orgno) => Some(Subject::Access(name.clone(), *orgno)),
                AdoptedEntity::Accesses(name) => Some(Subject::Accesses(name.clone())),
                AdoptedEntity::Alias(_) | AdoptedEntity::Group(_) => None,
            };
            if found.leave_out(&entity, side)
                && let Some(subject) = subject
            {
                found.report(subject, environment, reason);
            }
            lessons.refused.insert(entity);
            description
        }
    }
}

/// The repository with the written files.
fn read_again(
    written: &Written,
    texts: &Texts,
    input: &Input<'_>,
    files: &Files,
    key_file: &(dyn Fn(&str) -> Option<Vec<u8>> + Sync),
) -> Result<Repository, ProofError> {
    let mut yaml: Vec<(Arc<str>, Vec<u8>)> = files.yaml.clone();
    yaml.retain(|(path, _)| !texts.contains_key(&**path));
    let new =
        texts.iter().map(|(path, text)| (path.as_str().into(), text.text.clone().into_bytes()));
    yaml.extend(new);
    let new_key_files = &written.key_files;
    let key_file = |path: &str| match new_key_files.get(path) {
        Some(text) => Some(text.clone().into_bytes()),
        None => key_file(path),
    };
    let root: &Path = input.repository.root();
    declare::read(root, &files.settings, yaml, &key_file).map_err(ProofError::Invalid)
}

/// The entities that the lines of the files declare.
struct EntityLines<'t> {
    texts: &'t Texts,
    /// The lines of existing scopes, and of the accesses that were added to them.
    added: &'t BTreeMap<String, DraftLines>,
}

/// Whether a rule can be silenced for an entity: existing declarations get no comment.
fn is_new(entity: &AdoptedEntity) -> bool {
    match entity {
        AdoptedEntity::Alias(_)
        | AdoptedEntity::Group(_)
        | AdoptedEntity::Scope(_)
        | AdoptedEntity::Client(..) => true,
        AdoptedEntity::Access(..) | AdoptedEntity::Accesses(_) => false,
    }
}

/// Errors in the declarations, from their diagnostics.
fn errors(
    again: &Repository,
    places: &EntityLines<'_>,
    lessons: &Lessons,
    input: &Input<'_>,
    now: Timestamp,
) -> Result<Vec<LeftOutFault>, ProofError> {
    let today = norwegian_date(now);
    let mut faults = Vec::new();
    let mut strange = Vec::new();
    let before = LazyCell::new(|| input.repository.check(today));
    let here = LazyCell::new(|| {
        let sides = input.sides.iter();
        let found = sides.filter_map(|it| again.check_environment(it.environment, today).ok());
        found.flatten().collect::<Vec<_>>()
    });
    // Earlier errors are those of environments that were not read.
    let is_old = |error: &Diagnostic| has_same(&before, error) && !has_same(&here, error);
    for error in again.check(today).into_iter().filter(Diagnostic::is_error) {
        let of_error = whose(&error, places);
        let first = of_error.first();
        let Some((_, entity)) = first.filter(|(_, it)| is_new(it) || !is_old(&error)) else {
            strange.push(error);
            continue;
        };
        let silenced = lessons.silences.get(entity);
        let silenceable = error.code.can_be_silenced().then(|| error.code.code());
        let own = error.own_rule.as_deref().filter(|rule| !rule.contains(char::is_whitespace));
        let own = own.or(silenceable);
        let (code, message) = (error.code.code(), error.message.clone());
        let refused = |entity: &AdoptedEntity| {
            let reason = Reason::Invalid { code, message: message.clone() };
            LeftOutFault::Refuse(entity.clone(), None, reason)
        };
        match own {
            Some(rule) if is_new(entity) && silenced.is_none_or(|rules| !rules.contains(rule)) => {
                faults.push(LeftOutFault::Silence(entity.clone(), rule.to_owned()));
            }
            // From here on, comments in the file are ignored.
            _ if error.code == Rule::Silence => {
                let entities = of_error.iter().map(|(_, entity)| entity);
                let silenced = entities.filter(|it| lessons.silences.contains_key(it));
                faults.extend(silenced.map(refused));
            }
            _ => faults.push(refused(entity)),
        }
    }
    if faults.is_empty() && !strange.is_empty() {
        strange.retain(|error| !has_same(&before, error));
        let is_of_default = |error: &Diagnostic| &*error.file == declare::SETTINGS_FILE;
        match strange.first() {
            Some(error) if is_of_default(error) && !lessons.all_explicit => {
                return Ok(vec![LeftOutFault::Default]);
            }
            Some(_) => return Err(ProofError::Invalid(strange)),
            None => {}
        }
    }
    Ok(faults)
}

/// Whether an error is among others; lines may have moved.
fn has_same(found: &[Diagnostic], error: &Diagnostic) -> bool {
    let is_same = |other: &Diagnostic| {
        (other.code, &other.message, &other.file) == (error.code, &error.message, &error.file)
    };
    found.iter().any(is_same)
}

/// The entity that an error concerns, and those below it in the same file. An error of a policy about an
/// entity that cannot be evaluated is reported at the policy.
fn whose<'t>(error: &Diagnostic, places: &EntityLines<'t>) -> &'t [(Range<usize>, AdoptedEntity)] {
    let EntityLines { texts, added } = *places;
    let at = |file: &str, line: usize| {
        let new = texts.get(file).map(|text| text.lines.as_slice()).unwrap_or_default();
        let added = added.get(file).map(Vec::as_slice).unwrap_or_default();
        let from = |lines: &'t [(Range<usize>, AdoptedEntity)]| {
            let of_line = lines.iter().position(|(range, _)| range.contains(&line));
            lines.get(of_line?..)
        };
        from(new).or_else(|| from(added)).unwrap_or_default()
    };
    let places = error.related.iter().map(|related| at(&related.file, related.line));
    let mut places = std::iter::once(at(&error.file, error.line)).chain(places);
    places.find(|lines| !lines.is_empty()).unwrap_or_default()
}

/// Changes that a plan would still make to entities to declare, and other changes to scopes to which accesses
/// were added.
fn changes(
    again: &Repository,
    found: &Found<'_>,
    input: &Input<'_>,
    now: Timestamp,
) -> Result<(Vec<LeftOutFault>, Vec<LeftOut>), ProofError> {
    let mut faults = Vec::new();
    let mut differing = Vec::new();
    for (side, it) in input.sides.iter().enumerate() {
        let desired = match again.desired(it.environment, norwegian_date(now)) {
            Ok((desired, _)) => desired,
            Err(Invalid::Declarations(found)) => return Err(ProofError::Invalid(found)),
            Err(Invalid::Environment(error)) => {
                return Err(ProofError::Restless(error.to_string()));
            }
        };
        let Plan { actions, blocked, .. } = plan(&desired, &Past::default(), it.live, now);
        let actions = actions.iter().map(|action| (action.id().target, description(action)));
        let actions: Vec<_> = actions.collect();
        for (target, why) in &actions {
            if let Target::Scope(name) = target
                && found.has_accesses(name, side)
            {
                differing.push(LeftOut {
                    subject: Subject::Attributes(name.clone()),
                    environment: it.environment.to_owned(),
                    reason: Reason::Differs(why.clone()),
                });
            }
        }
        let blocked = blocked.into_iter().map(|it| (it.target.target, it.message));
        let mut refused = BTreeSet::new();
        for (target, why) in actions.into_iter().chain(blocked) {
            if let Some(entity) = entity(&target, side, found)
                && refused.insert(entity.clone())
            {
                faults.push(LeftOutFault::Refuse(entity, Some(side), Reason::Planned(why)));
            }
        }
        let lacks_scope = |(name, on): &(&_, &super::found::OnSides<_>)| {
            on.contains_key(&side) && !desired.scopes.contains_key(*name)
        };
        if let Some((name, _)) = found.scopes.iter().find(lacks_scope) {
            return Err(ProofError::Restless(format!("{name} is not declared by its own file")));
        }
    }
    Ok((faults, differing))
}

/// The entity to declare in a side that an action concerns.
fn entity(target: &Target, side: usize, found: &Found<'_>) -> Option<AdoptedEntity> {
    match target {
        Target::Scope(name) | Target::Access(name, _)
            if found.scopes.get(name).is_some_and(|on| on.contains_key(&side)) =>
        {
            Some(AdoptedEntity::Scope(name.clone()))
        }
        Target::Access(name, orgno) => {
            let sides = found.accesses.get(name)?.get(orgno)?;
            sides.contains(&side).then(|| AdoptedEntity::Access(name.clone(), *orgno))
        }
        Target::Scope(_) => None,
        Target::Client(name) | Target::Keys(name) => {
            let mut ours = found.clients.iter();
            let ours = ours.find(|((of, _), on)| of == name && on.contains_key(&side));
            ours.map(|((name, kind), _)| AdoptedEntity::Client(name.clone(), *kind))
        }
    }
}

/// An action in a sentence, with the fields that it would change.
fn description(action: &Action) -> String {
    let changes = match &action.work {
        Work::Scope(_, plan::ScopeWork::Update(write)) => write.changes.clone(),
        Work::Client(_, plan::ClientWork::Update(_, write)) => write.changes(),
        Work::Keys(_, keys) => keys.changes(),
        Work::Scope(..) | Work::Access(..) | Work::Client(..) => Vec::new(),
    };
    let changes: Vec<_> = changes
        .iter()
        .map(|change| format!("{} from {} to {}", change.field, change.before, change.after))
        .collect();
    match changes.is_empty() {
        true => format!("a plan would {}", action.id()),
        false => changes.join(", "),
    }
}

//! Writes of the parts of a client that have calls of their own: its keys and its `onbehalfof` entries.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::converge::{NextStep, RepeatPolicy, SentWrite, WriteState, converge};
use super::execute::{ActionFailure, Executor};
use super::patience::Patience;
use super::verify;
use crate::advice::advised;
use digdir::{Error, ErrorKind, Writer};
use domain::{ClientId, LiveKey, OnBehalfOfId, Representation, changes};
use plan::{EntryWork, KeysWork, OnBehalfOfWrite};

impl Executor<'_> {
    /// Replaces the client's keys: the whole set at once, so that it never has fewer in between.
    pub(super) async fn replace_keys(
        &self,
        id: &ClientId,
        work: &KeysWork,
    ) -> Result<(), ActionFailure> {
        let Self { writer, patience, .. } = self;
        let look = async |sent: &SentWrite| {
            let live = writer.reader().keys(id).await?;
            let Some(difference) = verify::keys(work, &live) else {
                return Ok(WriteState::AsWanted);
            };
            // Either the remaining change is that of the plan, or the keys have changed since the plan.
            let now = KeysWork { before: live, ..work.clone() };
            Ok(match now.changes() == work.changes() {
                true => {
                    WriteState::Open { left: now.set(), difference, is_unseen: sent.may_be_done() }
                }
                false => WriteState::Moved(difference),
            })
        };
        let send = async |set: &Vec<Representation>| writer.replace_keys(id, set.clone()).await;
        converge(RepeatPolicy::Always, NextStep::Believe, patience, look, send).await
    }

    /// Writes the client's `onbehalfof` entries one after the other. Those of a client that `is_new` may not be
    /// visible yet.
    pub(super) async fn write_on_behalf_of(
        &self,
        id: &ClientId,
        write: &OnBehalfOfWrite,
        is_new: bool,
    ) -> Result<(), ActionFailure> {
        let Self { writer, patience, .. } = self;
        let read = async || match writer.reader().on_behalf_of_by_id(id).await {
            Err(error) if is_new && error.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
            answer => answer,
        };
        let overwritten = RefCell::new(None);
        let planned = write.work(&write.before);
        let unsets = planned.iter().any(|work| matches!(work, EntryWork::Replace(..)));
        let look = async |sent: &SentWrite| {
            let live = read().await?;
            let left = write.work(&live);
            let Some(first) = left.first() else {
                return Ok(WriteState::AsWanted);
            };
            let is_ours = match sent {
                SentWrite::Nothing => left == planned,
                SentWrite::Taken | SentWrite::Unclear(_) => {
                    left.iter().all(|work| planned.contains(work))
                }
            };
            let difference = verify::entry(first);
            let is_unseen = sent.may_be_done() && overwritten.borrow().as_ref() == Some(&live);
            let left = match sent {
                SentWrite::Nothing => left,
                SentWrite::Taken | SentWrite::Unclear(_) => emptied(left, write, &live),
            };
            if !is_unseen {
                overwritten.replace(Some(live));
            }
            Ok(match is_ours {
                true => WriteState::Open { left, difference, is_unseen },
                false => WriteState::Moved(difference),
            })
        };
        let send = async |left: &Vec<EntryWork>| {
            for work in left {
                write_entry(id, work, writer).await?;
            }
            Ok(())
        };
        let then = if unsets { NextStep::LookAgain } else { NextStep::Believe };
        converge(RepeatPolicy::Always, then, patience, look, send).await
    }
}

/// Registers the same keys again, so that those that are `due` expire later. Gives the keys as they are then.
///
/// # Errors
/// DigDir refuses, or the keys are not those that were there before, in words.
pub async fn renew_keys(
    id: &ClientId,
    before: &[LiveKey],
    due: &[String],
    set: &[Representation],
    patience: &Patience,
    writer: &Writer,
) -> Result<Vec<LiveKey>, String> {
    let is_same = |live: &[LiveKey]| {
        let named = |keys: &[LiveKey]| -> BTreeSet<(String, String)> {
            keys.iter().map(|key| (key.kid.clone(), key.modulus.clone())).collect()
        };
        named(live) == named(before)
    };
    let is_renewed = |live: &[LiveKey]| {
        let ends = |keys: &[LiveKey], kid: &String| {
            keys.iter().find(|key| key.kid == *kid).and_then(|key| key.ends)
        };
        due.iter().all(|kid| ends(live, kid) > ends(before, kid))
    };
    let look = async |sent: &SentWrite| {
        let live = writer.reader().keys(id).await?;
        Ok(match (is_same(&live), is_renewed(&live)) {
            (false, _) => WriteState::Moved("the client has other keys than before".to_owned()),
            (true, true) => WriteState::AsWanted,
            (true, false) => WriteState::Open {
                left: (),
                difference: "the keys expire when they did before".to_owned(),
                is_unseen: sent.may_be_done(),
            },
        })
    };
    let send = async |(): &()| writer.replace_keys(id, set.to_vec()).await;
    let renewed = converge(RepeatPolicy::Always, NextStep::LookAgain, patience, look, send).await;
    renewed.map_err(|failure| failure.to_string())?;
    let now = writer.reader().keys(id).await.map_err(|error| advised(&error))?;
    let why = match (is_same(&now), is_renewed(&now)) {
        (true, true) => return Ok(now),
        (false, _) => "the client has other keys than before: see them in `portvakt keys list`",
        (true, false) => {
            "DigDir took the keys, and does not show yet that they expire later: see in a minute, in \
             `portvakt keys list`"
        }
    };
    Err(why.to_owned())
}

/// Handles the open question whether a PUT resets the fields that it leaves out: a field that is still there
/// afterwards is sent as an empty text.
fn emptied(
    mut left: Vec<EntryWork>,
    write: &OnBehalfOfWrite,
    live: &BTreeMap<OnBehalfOfId, Representation>,
) -> Vec<EntryWork> {
    for work in &mut left {
        let EntryWork::Replace(id, body) = work else { continue };
        let Some((wanted, live)) = write.wanted.get(id).zip(live.get(id)) else { continue };
        for change in changes(live, wanted.wanted()) {
            if change.after.is_null() {
                body.insert(change.field.to_owned(), "".into());
            }
        }
    }
    left
}

async fn write_entry(id: &ClientId, work: &EntryWork, writer: &Writer) -> Result<(), Error> {
    match work {
        EntryWork::Add(body) => writer.add_on_behalf_of(id, body).await,
        EntryWork::Replace(entry, body) => writer.update_on_behalf_of(id, entry, body).await,
        EntryWork::Remove(entry) => match writer.delete_on_behalf_of(id, entry).await {
            // Removed already, by an earlier call whose answer was lost or by somebody else.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            answer => answer,
        },
    }
}

//! Adding to a file that is there, with every byte of it kept.

use serde::Deserialize as _;
use serde_yaml::Value;

use super::draft::{Draft, Lines, Piece, write_pieces};
use crate::declare::{CannotAppend, Opening, openings};

/// The text with what the draft has, behind what stands there of each section; and which lines are
/// whose.
pub(super) fn merged(before: &str, draft: &Draft) -> Result<(String, Lines), CannotAppend> {
    let keys: Vec<_> = draft.sections().map(|(key, _)| key).collect();
    let openings = openings(before, &keys)?;
    let mut sections: Vec<(Opening, &str, &[Piece])> = draft
        .sections()
        .filter_map(|(key, pieces)| Some((*openings.get(key)?, key, pieces)))
        .collect();
    // Stable: of new keys, all at the end, the order stays, and they come behind all others.
    sections.sort_by_key(|(opening, ..)| (opening.at, opening.new_key));
    let ends = if before.contains("\r\n") { "\r\n" } else { "\n" };
    let mut after = String::with_capacity(before.len());
    let mut lines = Lines::new();
    let mut read = 0;
    for (opening, key, pieces) in &sections {
        after.push_str(before.get(read..opening.at).unwrap_or_default());
        read = opening.at;
        if !after.is_empty() && !after.ends_with('\n') {
            after.push_str(ends);
        }
        let (chunk, of_chunk) = chunk(*opening, key, pieces, after.is_empty());
        let above = after.matches('\n').count();
        let moved = |(range, entity): (std::ops::Range<usize>, _)| {
            (range.start + above..range.end + above, entity)
        };
        lines.extend(of_chunk.into_iter().map(moved));
        after.push_str(&chunk.replace('\n', ends));
    }
    after.push_str(before.get(read..).unwrap_or_default());
    match is_meant(before, &after, &sections) {
        true => Ok((after, lines)),
        false => Err(CannotAppend::Otherwise),
    }
}

/// What is put in at an opening.
fn chunk(opening: Opening, key: &str, pieces: &[Piece], is_first: bool) -> (String, Lines) {
    let mut chunk = String::new();
    let mut lines = Lines::new();
    let is_list = pieces.first().is_some_and(Piece::is_item);
    match opening.new_key {
        Some(indent) => {
            let above = if is_first { "" } else { "\n" };
            chunk.push_str(&format!("{above}{:indent$}{key}:\n", ""));
        }
        None if is_list => chunk.push('\n'),
        None => {}
    }
    write_pieces(pieces, opening.indent, &mut chunk, &mut lines);
    (chunk, lines)
}

/// Whether a text says what it said before, and what was added besides.
fn is_meant(before: &str, after: &str, sections: &[(Opening, &str, &[Piece])]) -> bool {
    let (Some(mut expected), Some(after)) = (documents(before), documents(after)) else {
        return false;
    };
    for (opening, key, pieces) in sections {
        let mut added = format!("{key}:\n");
        write_pieces(pieces, 2, &mut added, &mut Lines::new());
        let Ok(Value::Mapping(added)) = serde_yaml::from_str::<Value>(&added) else { return false };
        if expected.is_empty() {
            expected.push(Value::Null);
        }
        let Some(document) = expected.get_mut(opening.document) else { return false };
        if document.is_null() {
            *document = Value::Mapping(serde_yaml::Mapping::new());
        }
        let Some(document) = document.as_mapping_mut() else { return false };
        for (key, added) in added {
            match (document.get_mut(&key), added) {
                (None, added) => drop(document.insert(key, added)),
                (Some(Value::Sequence(there)), Value::Sequence(added)) => there.extend(added),
                (Some(Value::Mapping(there)), Value::Mapping(added)) => there.extend(added),
                (Some(_), _) => return false,
            }
        }
    }
    expected == after
}

fn documents(text: &str) -> Option<Vec<Value>> {
    serde_yaml::Deserializer::from_str(text).map(Value::deserialize).collect::<Result<_, _>>().ok()
}

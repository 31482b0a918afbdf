//! Additions to an existing file, all of whose bytes are kept.

use std::borrow::Cow;

use super::draft::{DraftLines, FileDraft, Piece, write_pieces};
use yaml::{Editor, Opening};

/// The text that was written does not read back as intended.
const NOT_AS_INTENDED: &str = "the result would not say what it said before and the new besides";

/// The text with the draft's content appended to each section; and the lines of each entity.
pub(super) fn merged(
    before: &str,
    draft: &FileDraft,
) -> Result<(String, DraftLines), Cow<'static, str>> {
    let mut editor = Editor::new(before)?;
    if before.replace("\r\n", "\n").contains('\r') {
        return Err("its lines end in an unusual way".into());
    }
    let mut sections: Vec<(Opening, &str, &[Piece])> = Vec::new();
    for (key, pieces) in draft.sections() {
        let opening = editor.opening(key).ok_or_else(|| {
            format!(
                "`{key}` is there in brackets, or with nothing behind it: put each entry on \
                 lines of its own"
            )
        })?;
        sections.push((opening, key, pieces));
    }
    // A stable sort: new keys, all at the end, keep their order and come after all others.
    sections.sort_by_key(|(opening, ..)| *opening);
    let mut lines = DraftLines::new();
    for (index, (opening, key, pieces)) in sections.into_iter().enumerate() {
        let is_first = index == 0 && opening.at == 0;
        let (chunk, of_chunk) = chunk(opening, key, pieces, is_first);
        let above = editor.extend(opening, key, &chunk, &Piece::values(pieces));
        let above = above.map_err(|_| NOT_AS_INTENDED)?;
        let moved = |(range, entity): (std::ops::Range<usize>, _)| {
            (range.start + above..range.end + above, entity)
        };
        lines.extend(of_chunk.into_iter().map(moved));
    }
    Ok((editor.done().map_err(|_| NOT_AS_INTENDED)?, lines))
}

/// The text to insert at an opening.
fn chunk(opening: Opening, key: &str, pieces: &[Piece], is_first: bool) -> (String, DraftLines) {
    let mut chunk = String::new();
    let mut lines = DraftLines::new();
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

//! Lines that stand too far in or out.

use super::keys::{is_known, is_list};
use super::line::Line;
use super::{Broken, Explanation};
use domain::text::counted;

const SAID: [&str; 5] = [
    "mapping values are not allowed",
    "did not find expected key",
    "expected '-' indicator",
    "comment intercepting",
    "simple key expect",
];

fn spaces(count: usize) -> String {
    counted(count as u64, "space", "s")
}

/// Dashes of one list in different columns.
pub(super) fn dashes(broken: &Broken<'_>) -> Option<Explanation> {
    if !broken.says(&SAID) {
        return None;
    }
    let here = broken.get(broken.line());
    let (first, second) = match broken.says(&["comment intercepting"]) {
        true => {
            let below = broken.below(here.number)?;
            (here, below)
        }
        false => (broken.above(here.number)?, here),
    };
    if !second.has_dash {
        return None;
    }
    if let Some((key, "")) = first.key()
        && !first.has_dash
        && second.indent < first.content_column
    {
        let wanted = first.content_column + 2;
        let (key, wanted) = (broken.name(key), spaces(wanted));
        let help = format!("begin this line with {wanted}, further in than `{key}` above");
        return Some(broken.explain_line(&second, "this entry is indented too little", help));
    }
    if !first.has_dash {
        return left_out(broken, &second).or_else(|| needless(broken, &first, &second));
    }
    if first.indent == second.indent {
        return left_out(broken, &second);
    }
    // Which of the two is out of line, the third one tells.
    let third = broken.below(second.number).filter(|line| line.has_dash);
    let is_first = third.is_some_and(|third| third.indent == second.indent);
    let (wrong, right) = if is_first { (&first, &second) } else { (&second, &first) };
    if let Some(explanation) = left_out(broken, &second) {
        return Some(explanation);
    }
    let help = format!("begin this line with {}, as line {}", spaces(right.indent), right.number);
    let reason = "the dashes of one list are in the same column";
    Some(broken.explain_line(wrong, reason, help))
}

/// A dash before a name in a mapping.
fn needless(broken: &Broken<'_>, first: &Line<'_>, second: &Line<'_>) -> Option<Explanation> {
    let (key, value) = first.key()?;
    second.key().filter(|_| !value.is_empty())?;
    let key = broken.name(key);
    let help = format!(
        "remove the dash, and indent the line as `{key}` above with {}",
        spaces(first.content_column)
    );
    Some(broken.explain_line(second, "there is no list here", help))
}

/// A key of a scope that stands so far to the left that it ends the list of scopes.
fn left_out(broken: &Broken<'_>, below: &Line<'_>) -> Option<Explanation> {
    let lines = || broken.all_above(below.number).take(200);
    let out = lines().find(|line| line.indent < below.indent)?;
    let (key, _) = out.key().filter(|(key, _)| is_known(key))?;
    let mut further = lines().filter(|line| line.number < out.number && line.has_dash);
    let item = further.find(|line| line.indent == below.indent)?;
    let parent = broken.all_above(item.number).find(|line| line.indent < item.indent)?;
    if parent.indent != out.indent || !is_list(parent.key()?.0) {
        return None;
    }
    if lines().next().is_some_and(|line| line.number == out.number) {
        return None;
    }
    let help = format!("begin this line with {}", spaces(item.content_column));
    let reason = format!("`{key}` is indented too little");
    Some(broken.explain_line(&out, &reason, help))
}

/// The columns at which a key could stand below a line, from inside, each with the key that stands
/// there nearest.
fn levels<'t>(broken: &Broken<'t>, from: Line<'t>) -> Vec<(usize, &'t str)> {
    let mut levels = Vec::new();
    let mut limit = usize::MAX;
    let above = broken.all_above(from.number);
    for line in std::iter::once(from).chain(above) {
        if line.content_column < limit
            && let Some((key, _)) = line.key()
        {
            levels.push((line.content_column, key));
        }
        limit = limit.min(line.indent);
        if limit == 0 {
            break;
        }
    }
    levels
}

/// A key that does not stand under the others.
pub(super) fn keys(broken: &Broken<'_>) -> Option<Explanation> {
    if !broken.says(&SAID) || broken.says(&["comment intercepting"]) {
        return None;
    }
    let line = broken.get(broken.line());
    let (key, _) = line.key().filter(|_| !line.has_dash)?;
    let above = broken.above(line.number)?;
    if broken.says(&["'-' indicator"]) && wants_dash(broken, &line, key) {
        return None;
    }
    let higher = broken.above(above.number);
    let before = higher.map(|higher| levels(broken, higher)).unwrap_or_default();
    let shown = broken.name(key);
    if let Some((other, _)) = above.key()
        && above.indent < line.indent
        && before.iter().any(|(column, _)| *column == line.content_column)
    {
        let reason = format!("`{}` is indented too little", broken.name(other));
        let wanted = spaces(line.content_column);
        let help = format!("begin this line with {wanted}, as `{shown}` below");
        return Some(broken.explain_line(&above, &reason, help));
    }
    let all = levels(broken, above);
    let nearest = all.iter().min_by_key(|(column, _)| column.abs_diff(line.indent))?;
    let (column, other) = (nearest.0, broken.name(nearest.1));
    if column == line.indent {
        return None;
    }
    let wanted = spaces(column);
    let reason = format!("`{shown}` is not in the same column as the keys beside it");
    let goes_on = match is_known(key) {
        true => "",
        false => "; if it continues the text above, put the whole text in quotes",
    };
    let help = format!("begin this line with {wanted}, as `{other}` above{goes_on}");
    Some(broken.explain_line(&line, &reason, help))
}

/// Whether a key begins an entry of a list rather than going on with the one above.
fn wants_dash(broken: &Broken<'_>, line: &Line<'_>, key: &str) -> bool {
    let lines = || broken.all_above(line.number);
    let Some(item) = lines().take(200).find(|line| line.has_dash) else {
        return false;
    };
    if item.indent != line.indent {
        return false;
    }
    let entry = lines().take_while(|line| line.number >= item.number);
    let keys: Vec<_> = entry.filter_map(|line| line.key()).map(|(key, _)| key).collect();
    keys.is_empty() || keys.contains(&key)
}

/// A line in a list that begins without a dash.
pub(super) fn missing_dash(broken: &Broken<'_>) -> Option<Explanation> {
    let here = broken.get(broken.line());
    let line = match (broken.says(&["'-' indicator"]), broken.says(&["comment intercepting"])) {
        (true, _) => here,
        (false, true) => broken.below(here.number)?,
        (false, false) => return None,
    };
    let help = format!("write a dash and a space before it: `- {}`", broken.shown(line.content));
    Some(broken.explain_line(&line, "a dash is missing", help))
}

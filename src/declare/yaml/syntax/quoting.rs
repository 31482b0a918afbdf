//! Quotes that are not closed, or closed too soon.

use super::brackets::is_inside;
use super::line::scan;
use super::{Broken, Explanation};

pub(super) fn quotes(broken: &Broken<'_>) -> Option<Explanation> {
    if broken.says(&["escape", "hexadecimal"]) && broken.says(&["quoted scalar"]) {
        let help = "write `\\\\` for each `\\`, or put the text in single quotes: '…'";
        let reason = "a backslash begins an escape here, and this one does not exist";
        return Some(broken.explain(broken.line(), broken.column(), 1, reason, help));
    }
    if !broken.says(&["quoted scalar", "double-quoted"]) {
        return None;
    }
    never_closed(broken).or_else(|| closed_too_soon(broken))
}

/// A quote that its own line does not close. Over several lines that is allowed, and rarely meant.
fn never_closed(broken: &Broken<'_>) -> Option<Explanation> {
    let above = broken.all_above(broken.line());
    let near = above.take_while(|above| above.number + 20 > broken.line());
    let mut lines = std::iter::once(broken.get(broken.line())).chain(near);
    let (line, at, quote) = lines.find_map(|line| {
        let (at, quote) = scan(line.text, 0).quote?;
        Some((line, at, quote))
    })?;
    let reason = format!("this `{quote}` opens a text that no `{quote}` closes on the line");
    let help = match line.key() {
        Some((key, value)) if value.starts_with(quote) => {
            let (key, value) = (broken.name(key), broken.shown(value));
            format!("write `{quote}` at its end: `{key}: {value}{quote}`")
        }
        Some(_) | None => format!("write `{quote}` at the end of the text, on the same line"),
    };
    let column = line.text[..at].chars().count();
    Some(broken.explain(line.number, column, 1, reason, help))
}

fn closed_too_soon(broken: &Broken<'_>) -> Option<Explanation> {
    let line = broken.get(broken.line());
    let column = broken.column();
    let at = line.text.char_indices().nth(column).map_or(line.text.len(), |(at, _)| at);
    let code = &line.text[..scan(line.text, 0).comment.unwrap_or(line.text.len())];
    let rest = code.get(at..)?.trim();
    let reported = |reason: &str, help: String| {
        Some(broken.explain(line.number, column, rest.chars().count(), reason, help))
    };
    let in_brackets = is_inside(broken);
    if rest == "," && !in_brackets {
        return reported("a line does not end with a comma", "remove the comma".into());
    }
    if rest.starts_with(',') && !in_brackets {
        let help = "write each entry on a line of its own behind a dash, or all of them in \
                    brackets: `[…, …]`";
        return reported("more than one entry follows this dash", help.into());
    }
    let word = rest.split([' ', ':', ',']).next().unwrap_or_default();
    if in_brackets && !word.is_empty() && !word.ends_with(['"', '\'']) || rest.starts_with('"') {
        let help = format!("write a comma before `{}`", broken.shown(word));
        return reported("a comma is missing", help);
    }
    let (key, value) = line.key().unzip();
    let help = put_in_quotes(broken, key, value.unwrap_or(line.content));
    reported("the text continues after its closing quote", help)
}

/// Tells to put a text in quotes, and how that looks.
pub(super) fn put_in_quotes(broken: &Broken<'_>, key: Option<&str>, value: &str) -> String {
    let quoted = match broken.shown(value) {
        "…" => "\"…\"".to_owned(),
        value => in_quotes(value),
    };
    match key {
        Some(key) => format!("put the text in quotes: `{}: {quoted}`", broken.name(key)),
        None => format!("put the text in quotes: `{quoted}`"),
    }
}

/// The text in quotes that it does not hold; curly ones around it, and those that it has already,
/// are left out.
fn in_quotes(value: &str) -> String {
    let pairs = [('"', '"'), ('\'', '\''), ('“', '”'), ('”', '”'), ('„', '“'), ('„', '”')];
    let inner =
        pairs.iter().find_map(|(open, close)| value.strip_prefix(*open)?.strip_suffix(*close));
    let inner = inner.unwrap_or(value);
    match (inner.contains(['"', '\\']), inner.contains('\'')) {
        (false, _) => format!("\"{inner}\""),
        (true, false) => format!("'{inner}'"),
        (true, true) => format!("'{}'", inner.replace('\'', "''")),
    }
}

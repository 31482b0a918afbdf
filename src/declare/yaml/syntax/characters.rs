//! Characters that are no YAML where they stand.

use super::line::Line;
use super::quoting::put_in_quotes;
use super::{Broken, Explanation};

/// What git leaves where two changes meet.
pub(super) fn conflict(broken: &Broken<'_>) -> Option<Explanation> {
    let is_mark = |line: &Line<'_>| {
        let marks = ["<<<<<<< ", ">>>>>>> ", "======="];
        marks.iter().any(|mark| line.text.starts_with(mark))
    };
    let line = (1..=broken.last()).map(|number| broken.get(number)).find(is_mark)?;
    let help = "keep the lines that are right, and remove those that begin with `<<<<<<<`, \
                `=======` and `>>>>>>>`";
    let length = line.text.chars().count();
    let reason = "git left a merge conflict here";
    Some(broken.explain(line.number, 0, length, reason, help))
}

/// A template for another program.
pub(super) fn template(broken: &Broken<'_>) -> Option<Explanation> {
    let begins = |line: &Line<'_>| {
        let value = line.key().map_or(line.content, |(_, value)| value);
        ["{{", "{%"].iter().any(|mark| value.starts_with(mark))
    };
    let line = broken.around().into_iter().find(begins)?;
    let help = "write it out; if this file is for another tool, add it to `exclude` in \
                portvakt.yaml";
    Some(broken.explain_line(&line, "`{{ … }}` of a template is not read", help))
}

/// A tab where YAML wants spaces.
pub(super) fn tab(broken: &Broken<'_>) -> Option<Explanation> {
    let below = broken.below(broken.line());
    let leading = |line: &Line<'_>| {
        let rest = line.text.trim_start_matches([' ', '\t', '-']);
        line.text[..line.text.len() - rest.len()].find('\t')
    };
    let behind_colon = |line: &Line<'_>| Some(line.text.find(":\t")? + 1);
    let around = || broken.around().into_iter().chain(below.iter().map(|l| broken.get(l.number)));
    let of_all = |look: &dyn Fn(&Line<'_>) -> Option<usize>| {
        around().find_map(|line| Some((line.number, column(line.text, look(&line)?))))
    };
    let (number, column) = of_all(&leading).or_else(|| {
        let line = broken.get(broken.line());
        Some((line.number, column(line.text, behind_colon(&line)?)))
    })?;
    let help = "put spaces in its place: YAML is indented with spaces, never with tabs";
    Some(broken.explain(number, column, 1, "there is a tab here", help))
}

fn column(text: &str, at: usize) -> usize {
    text[..at].chars().count()
}

/// A character that looks like one of YAML's, as copied from a document or a web page.
pub(super) fn lookalike(broken: &Broken<'_>) -> Option<Explanation> {
    broken.around().iter().find_map(|line| space(broken, line).or_else(|| bullet(broken, line)))
}

/// A space that is none for YAML: in front, or behind a dash or the first colon.
fn space(broken: &Broken<'_>, line: &Line<'_>) -> Option<Explanation> {
    let is_strange =
        |c: char| !c.is_ascii() && (c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}'));
    let front = line.text.find(|c: char| c != ' ' && c != '-' && !is_strange(c));
    let front = &line.text[..front.unwrap_or(line.text.len())];
    let colon = line.text.find(':').map(|at| at + 1);
    let behind = colon.filter(|at| line.text[*at..].starts_with(is_strange));
    let at = front.find(is_strange).or(behind)?;
    let help = "delete it and type a space: it looks like one, but was copied from a document or \
                a web page";
    let reason = "this character only looks like a space";
    Some(broken.explain(line.number, column(line.text, at), 1, reason, help))
}

fn bullet(broken: &Broken<'_>, line: &Line<'_>) -> Option<Explanation> {
    let bullets = ['–', '—', '−', '‐', '‑', '•', '·', '*'];
    let bullet = line.content.chars().next().filter(|c| bullets.contains(c))?;
    let rest = line.content.strip_prefix(bullet)?;
    if !rest.starts_with([' ', '\u{a0}']) {
        return None;
    }
    let rest = broken.shown(rest.trim_start());
    let reason = format!("`{bullet}` begins no entry of a list");
    let help = format!("write `- {rest}`, with the hyphen of the keyboard and a space");
    Some(broken.explain(line.number, line.content_column, 1, reason, help))
}

/// A text that begins with a character which means something else to YAML.
pub(super) fn indicator(broken: &Broken<'_>) -> Option<Explanation> {
    const SAID: [&str; 9] = [
        "unexpected character",
        "unknown anchor",
        "anchor or alias",
        "scanning a block scalar, did not find",
        "block sequence entries are not allowed",
        "mapping keys are not allowed",
        "plain scalar cannot start",
        "cannot start any token",
        "parsing a tag",
    ];
    let line = broken.get(broken.line());
    let first = line.text.chars().nth(broken.column())?;
    if !broken.says(&SAID) || first.is_alphanumeric() || first.is_whitespace() {
        return None;
    }
    let reason = match first {
        '`' => "a text cannot begin with a backtick".to_owned(),
        first => format!("a text cannot begin with `{first}`"),
    };
    let (key, value) = line.key().unzip();
    let help = match line.value_column() == broken.column() {
        true => put_in_quotes(broken, key, value.unwrap_or(line.content)),
        false => "put the text in quotes".to_owned(),
    };
    Some(broken.explain(line.number, broken.column(), 1, reason, help))
}

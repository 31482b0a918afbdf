//! The grammar of what may be between the braces of a template. It has no nesting but that of blocks, so that
//! the library's own reader, which is recursive, cannot be led into the depth.

use std::sync::LazyLock;

use regex::Regex;

use super::TemplateProblem;

/// How deeply blocks may be nested.
const DEEPEST: usize = 16;

/// A name or a path, or the beginning or the end of a block, with plain arguments.
static CONTENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const PATH: &str = r"[\p{L}\p{N}_$@./-]+";
    let argument =
        format!(r#"(?:"[^"\\{{}}]*"|'[^'\\{{}}]*'|\(\s*{PATH}(?:\s+{PATH})*\s*\)|{PATH})"#);
    let parameters = r"as\s*\|\s*[\p{L}\p{N}_-]+(?:\s+[\p{L}\p{N}_-]+)?\s*\|";
    let content =
        format!(r"^~?(?:[#/&]|else\s+)?\s*{PATH}(?:\s+{argument})*(?:\s+{parameters})?\s*~?$");
    Regex::new(&content).ok()
});

/// Checks all braces of a template.
pub(super) fn check(template: &str) -> Result<(), TemplateProblem> {
    let mut open = Vec::new();
    let (mut rest, mut line) = (template, 1_u32);
    while let Some(at) = rest.find("{{") {
        let (before, inner) = rest.split_at(at);
        line = line.saturating_add(lines(before));
        let problem = |message: &str| TemplateProblem::new(Some(line), message);
        if before.ends_with('\\') {
            return Err(problem("a backslash before braces is read in several ways"));
        }
        let comment_end = match inner.get(2..) {
            Some(inner) if inner.starts_with("!--") => Some("--}}"),
            Some(inner) if inner.starts_with('!') => Some("}}"),
            _ => None,
        };
        let end = comment_end.unwrap_or(if inner.starts_with("{{{") { "}}}" } else { "}}" });
        let Some(length) = inner.find(end).map(|at| at + end.len()) else {
            return Err(problem("the braces are not closed"));
        };
        let (braces, behind) = inner.split_at(length);
        if comment_end.is_none() {
            let content = braces.trim_start_matches('{').trim_end_matches('}').trim();
            if inner.starts_with("{{{{") || !CONTENT.as_ref().is_some_and(|it| it.is_match(content))
            {
                return Err(problem(
                    "only names, paths, comments and the blocks `each`, `if`, `unless`, `with` and `equal` \
                     may be between braces, with plain arguments",
                ));
            }
            block(content.trim_matches('~').trim_start(), &mut open).map_err(problem)?;
        }
        line = line.saturating_add(lines(braces));
        rest = behind;
    }
    match open.is_empty() {
        true => Ok(()),
        false => Err(TemplateProblem::new(Some(line), "a block is not closed")),
    }
}

/// Opens or closes a block.
fn block<'t>(content: &'t str, open: &mut Vec<&'t str>) -> Result<(), &'static str> {
    let name = |content: &'t str| content.split_whitespace().next().unwrap_or_default();
    if let Some(opened) = content.strip_prefix('#') {
        if open.len() >= DEEPEST {
            return Err("blocks are nested more than 16 levels deep");
        }
        open.push(name(opened));
    } else if let Some(closed) = content.strip_prefix('/')
        && open.pop() != Some(name(closed))
    {
        return Err("this closes a block that is not open");
    }
    Ok(())
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

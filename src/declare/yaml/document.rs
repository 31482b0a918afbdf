//! The documents of a file, and what is found in it.

use std::collections::HashSet;
use std::sync::Arc;

use super::syntax;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::{Diagnostic, Place, cut, quoted};
use crate::declare::files::index::SETTINGS_FILE;
use yaml::{
    Anchors, DEEPEST, DuplicateKey, MOST_FROM_ALIASES, MergeProblem, Node, Parsed, Position,
    Problem, ProblemKind, Span, Value, end_of,
};

/// How many findings of one file are told; far more than anybody reads.
const MOST_IN_A_FILE: usize = 1_000;

/// The findings of one file as they come up.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) file: Arc<str>,
    pub(crate) list: Vec<Diagnostic>,
    /// Where the file's aliases stand.
    pub(crate) aliases: Vec<Position>,
    /// The environments with whose values the file is rendered, if it is a template.
    pub(crate) rendered_for: Option<String>,
}

impl Findings {
    pub(crate) fn new(file: Arc<str>) -> Self {
        Self { file, list: Vec::new(), aliases: Vec::new(), rendered_for: None }
    }

    /// What was found, once: what a YAML alias stands for is read each time that it is used. Where
    /// there are aliases nothing is mended: a change in one place would be one in others.
    pub(crate) fn into_list(self) -> Vec<Diagnostic> {
        let Self { file: _, mut list, aliases, rendered_for: _ } = self;
        let mut said = HashSet::new();
        list.retain(|found| {
            let at = Position::new(found.line, found.column);
            let what = (found.code, found.message.clone(), found.help.clone(), found.hides);
            let is_first = said.insert(what);
            // What can be silenced is told of each: it may be silenced for one alone.
            let can_be_silenced = !found.is_error() || found.own_rule.is_some();
            is_first || can_be_silenced || aliases.binary_search(&at).is_err()
        });
        for found in list.iter_mut().filter(|_| !aliases.is_empty()) {
            found.fix = None;
        }
        cut(&mut list, MOST_IN_A_FILE);
        list
    }

    /// Says of the findings from one on that they hide nothing: what they are about is an attribute or a
    /// rule.
    pub(crate) fn hide_nothing(&mut self, from: usize) {
        self.list.iter_mut().skip(from).for_each(|found| found.hides = false);
    }

    pub(crate) fn place(&self, span: Span) -> Place {
        let file = Arc::clone(&self.file);
        Place { file, span }
    }

    pub(crate) fn report(
        &mut self,
        rule: Rule,
        span: Span,
        message: &str,
        help: &str,
    ) -> &mut Diagnostic {
        let found = Diagnostic::new(rule, &self.place(span), message, help);
        self.list.push_mut(found)
    }
}

/// The documents of a file. `None` if it cannot be read as YAML, and then it is reported why.
pub(crate) fn parse<'t>(text: &'t str, findings: &mut Findings) -> Option<Vec<Node<'t>>> {
    parse_with_anchors(text, findings).map(|(documents, _)| documents)
}

/// The same, with what their aliases stand for.
pub(crate) fn parse_with_anchors<'t>(
    text: &'t str,
    findings: &mut Findings,
) -> Option<(Vec<Node<'t>>, Anchors)> {
    let Parsed { documents, problems, aliases, anchors } = ::yaml::parse(text);
    findings.aliases = aliases;
    let is_whole = problems.is_empty();
    for problem in problems {
        report(problem, text, findings);
    }
    is_whole.then_some((documents, anchors))
}

/// Merges the mappings of a document that has merge keys. What cannot be merged is reported.
pub(crate) fn merge(document: &mut Node<'_>, anchors: &Anchors, findings: &mut Findings) {
    let (merged, problems) = document.merged(anchors);
    *document = merged;
    for (span, problem) in problems {
        let (message, help) = match problem {
            MergeProblem::NoMapping => (
                "`<<` merges mappings, and this is none",
                "write an alias of a mapping, such as `<<: *common`, or remove the key",
            ),
            MergeProblem::Order => (
                "what `<<` merges has another value for a key before it, and readers of YAML do not \
                 agree which of the two counts",
                "write `<<` before the other keys of its mapping",
            ),
        };
        findings.report(Rule::NaisManifest, span, message, help);
    }
}

/// Reports what is wrong with a text as YAML.
fn report(Problem { kind, span }: Problem, text: &str, findings: &mut Findings) {
    let (rule, message, help) = match kind {
        ProblemKind::Syntax(said) => return report_syntax(text, span.start, &said, findings),
        ProblemKind::DuplicateKeys(keys) => return report_duplicates(keys, findings),
        ProblemKind::Ambiguous => (
            Rule::Syntax,
            "this can be read as YAML in two ways".to_owned(),
            "write it in a simpler way, such as a text in double quotes on one line",
        ),
        ProblemKind::Documents => (
            Rule::Syntax,
            "it is not clear where the documents of this file begin".to_owned(),
            "put `---` on a line of its own between two documents",
        ),
        ProblemKind::Tag => (
            Rule::Tag,
            "a YAML tag (`!…`) has no meaning here".to_owned(),
            "write the value itself; for a text that begins with `!`, put it in quotes; a file of \
             another tool goes into `exclude` in portvakt.yaml",
        ),
        ProblemKind::TooDeep => (
            Rule::Nesting,
            format!("YAML nested deeper than {DEEPEST} levels is not read"),
            "no declaration needs more than a few levels",
        ),
        ProblemKind::TooManyFromAliases => (
            Rule::Nesting,
            format!("the aliases of this file expand to more than {MOST_FROM_ALIASES} values"),
            "use a group of consumers instead",
        ),
        ProblemKind::AliasInItself => (
            Rule::Nesting,
            "an alias inside the value that it refers to".to_owned(),
            "write out what is meant",
        ),
    };
    findings.report(rule, span, &message, help);
}

/// Reports a text that a reader could not read on from a place.
fn report_syntax(text: &str, at: Position, said: &str, findings: &mut Findings) {
    // What stands in portvakt.yaml could be a secret.
    let repeats = &*findings.file != SETTINGS_FILE;
    let syntax::Explanation { span, reason, help } = syntax::explain(text, at, said, repeats);
    let end = end_of(text);
    let span = Span { start: span.start.min(end), end: span.end.min(end) };
    findings.report(Rule::Syntax, span, &format!("this is not YAML: {reason}"), &help);
}

fn report_duplicates(mut keys: Vec<DuplicateKey>, findings: &mut Findings) {
    // Without its dash, all that a second scope says stands twice.
    if let Some(name) = keys.iter().position(|duplicate| duplicate.key == "name") {
        keys = vec![keys.swap_remove(name)];
    }
    for DuplicateKey { key, span, first } in keys {
        let help = match key.as_str() {
            "name" => "write a dash before it, `- name: …`, if another scope begins here",
            "scopes" | "consumers" | "groups" | "removed" => {
                "put all entries below the first one, and take this line out"
            }
            _ => "keep one of them; what differs between environments goes into `per_environment`",
        };
        let first = findings.place(first).related("first here");
        let message = format!("the key {} is given twice in this mapping", quoted(&key));
        findings.report(Rule::DuplicateKey, span, &message, help).related.push(first);
    }
}

/// How a file begins in whose place git holds something else
/// (<https://github.com/AGWA/git-crypt/blob/master/commands.cpp>,
/// <https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md>).
const FILTERED: [(&[u8], &str, &str); 2] = [
    (b"\0GITCRYPT\0", "encrypted by git-crypt", "run `git-crypt unlock`"),
    (
        b"version https://git-lfs.github.com/spec/",
        "a pointer of Git LFS instead of the file itself",
        "run `git lfs pull`",
    ),
];

/// The text of a file; `None` if it is not UTF-8, and then it is reported where. A byte order mark
/// at the start is left out, as editors do when they count columns.
pub(crate) fn decode<'b>(bytes: &'b [u8], findings: &mut Findings) -> Option<&'b str> {
    if let Some((_, what, help)) = FILTERED.iter().find(|(begin, ..)| bytes.starts_with(begin)) {
        findings.report(Rule::Filtered, Span::TOP, &format!("this file is {what}"), help);
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            no_control_characters(text, findings).then_some(text)
        }
        Err(error) => {
            let (before, after) = bytes.split_at(error.valid_up_to());
            let before = String::from_utf8_lossy(before);
            let span = Span::at(end_of(before.strip_prefix('\u{feff}').unwrap_or(&before)));
            let byte = after.first().copied().unwrap_or_default();
            let message = format!("this file is not UTF-8: byte 0x{byte:02x}");
            let help = "save it as UTF-8; older Windows programs save as Latin-1 or UTF-16";
            findings.report(Rule::NotUtf8, span, &message, help);
            None
        }
    }
}

/// Whether a text holds none of the characters that YAML does not allow (YAML 1.2.2, section 5.1);
/// the first is reported.
fn no_control_characters(text: &str, findings: &mut Findings) -> bool {
    let is_allowed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    let Some((at, control)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) else {
        return true;
    };
    let code = u32::from(control);
    let message = format!("this is not YAML: it cannot hold the control character U+{code:04X}");
    let help = format!("remove it; between double quotes it can be written as `\\x{code:02x}`");
    findings.report(Rule::Syntax, Span::at(end_of(&text[..at])), &message, &help);
    false
}

/// What a value is, in words: for 'found …'.
pub(crate) fn kind(value: &Value<'_>) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => format!("the number {}", quoted(&number.to_string())),
        Value::String(text) => format!("the text {}", quoted(text)),
        Value::Sequence(_) => "a list".into(),
        Value::Mapping(_) => "a mapping".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_what_is_not_utf_8_is_reported() {
        let mut findings = Findings::new("a.yaml".into());
        assert_eq!(decode(b"a\nbl\xc3\xa5 \xe5", &mut findings), None);
        let found = &findings.list[0];
        assert_eq!((found.line, found.column), (2, 5));
        assert_eq!(decode("\u{feff}a".as_bytes(), &mut findings), Some("a"));
    }
}

//! Findings about declarations: problem, place, and remedy.

mod joined;
pub(crate) mod rule;
pub(crate) mod suggest;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::joined::joined;
use self::rule::{Rule, Severity};
use domain::secret;
use domain::text::printable;
use yaml::{Position, Span};

/// One finding. Lines and columns are counted from 1, columns count characters, the end is exclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diagnostic {
    /// The kind of finding; its code in JSON, which `portvakt explain` describes.
    pub code: Rule,
    /// Its severity.
    pub severity: Severity,
    /// The problem.
    pub message: String,
    /// The file, relative to the repository, with `/` between its parts.
    pub file: Arc<str>,
    /// First line.
    #[schemars(range(min = 1))]
    pub line: usize,
    /// First column.
    #[schemars(range(min = 1))]
    pub column: usize,
    /// Last line.
    #[schemars(range(min = 1))]
    pub end_line: usize,
    /// The first column after its end.
    #[schemars(range(min = 1))]
    pub end_column: usize,
    /// The remedy.
    pub help: Option<String>,
    /// Related places.
    pub related: Vec<Related>,
    /// Whether the problem may hide declarations or their protection: then it is not known what was declared.
    /// A broken rule alone hides nothing.
    #[serde(skip)]
    pub hides: bool,
    /// The name of the repository's own rule that is broken.
    #[serde(skip)]
    pub own_rule: Option<Arc<str>>,
    /// The change that fixes it.
    #[serde(skip)]
    pub fix: Option<Fix>,
    /// The cause that it has in common with findings about other scopes.
    #[serde(skip)]
    pub(crate) cause: Option<Box<SharedCause>>,
}

/// A place that decides for several scopes, such as a default, and the scope that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SharedCause {
    pub(crate) place: Place,
    pub(crate) scope: String,
}

/// Change that fixes a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// Replaces a scalar in one line.
    Replace {
        /// Its place.
        span: Span,
        /// Its text.
        old: Box<str>,
        /// The text in its place.
        new: Box<str>,
    },
    /// Puts the items of a list into another order.
    Reorder {
        /// The place of each.
        items: Vec<Span>,
        /// For each place, the index of the item that replaces the one there.
        order: Vec<usize>,
    },
}

impl Fix {
    pub(crate) fn replace(span: Span, old: &str, new: &str) -> Self {
        Self::Replace { span, old: old.into(), new: new.into() }
    }
}

/// Another place related to a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Related {
    /// The message about that place.
    pub message: String,
    /// The file, relative to the repository.
    pub file: Arc<str>,
    /// The line, counted from 1.
    #[schemars(range(min = 1))]
    pub line: usize,
    /// The column in characters, counted from 1.
    #[schemars(range(min = 1))]
    pub column: usize,
}

/// A span in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    pub(crate) span: Span,
}

impl Place {
    /// Another place in the same file.
    pub(crate) fn with(&self, span: Span) -> Self {
        Self { file: Arc::clone(&self.file), span }
    }

    /// The place of a part in the same file, or this one where the part has none.
    pub(crate) fn or_at(&self, part: Option<Span>) -> Self {
        self.with(part.unwrap_or(self.span))
    }

    pub(crate) fn line(&self) -> usize {
        self.span.start.line as usize
    }

    pub(crate) fn related(&self, message: &str) -> Related {
        Related {
            message: printable(message).into_owned(),
            file: Arc::clone(&self.file),
            line: self.line(),
            column: self.span.start.column as usize,
        }
    }
}

impl Diagnostic {
    pub(crate) fn new(code: Rule, place: &Place, message: &str, help: &str) -> Self {
        let Span { start, end } = place.span;
        Self {
            code,
            severity: code.severity(),
            message: printable(&shortened(message, SAID)).into_owned(),
            file: Arc::clone(&place.file),
            line: start.line as usize,
            column: start.column as usize,
            end_line: end.line as usize,
            end_column: end.column as usize,
            help: (!help.is_empty()).then(|| printable(&shortened(help, SAID)).into_owned()),
            related: Vec::new(),
            hides: code.hides(),
            own_rule: None,
            fix: None,
            cause: None,
        }
    }

    pub(crate) fn with_related(mut self, related: Related) -> Self {
        self.related.push(related);
        self
    }

    pub(crate) fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Moves it to another place of its file.
    pub(crate) fn relocate(&mut self, place: &impl Fn(Span) -> Span) {
        let Span { start, end } = place(Span {
            start: Position::new(self.line, self.column),
            end: Position::new(self.end_line, self.end_column),
        });
        (self.line, self.column) = (start.line as usize, start.column as usize);
        (self.end_line, self.end_column) = (end.line as usize, end.column as usize);
        self.fix = None;
        for related in &mut self.related {
            let Span { start, end: _ } =
                place(Span::at(Position::new(related.line, related.column)));
            (related.line, related.column) = (start.line as usize, start.column as usize);
        }
    }

    /// Whether it prevents any plan until it is fixed.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Keeps that many, and adds a finding that there are more; its severity is that of the worst one that is
/// left out.
pub(crate) fn cut(diagnostics: &mut Vec<Diagnostic>, most: usize) {
    let Some(next) = diagnostics.get(most) else {
        return;
    };
    let span = Span::at(Position::new(next.line, next.column));
    let place = Place { file: Arc::clone(&next.file), span };
    let message = format!("more than {most} findings, of which these are the first");
    let help = "fix these first; what else there is is shown then";
    let mut more = Diagnostic::new(Rule::TooMuch, &place, &message, help);
    let worst = diagnostics[most..].iter().map(|found| found.severity).min();
    more.severity = worst.unwrap_or(more.severity);
    more.hides = diagnostics[most..].iter().any(|found| found.hides);
    diagnostics.truncate(most);
    diagnostics.push(more);
}

/// Sorts by place, and then by code.
pub(crate) fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (Arc::clone(&d.file), d.line, d.column, d.code);
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
}

/// As `file:line:column: code: message`, followed by the other parts, one per line.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = printable(&self.file);
        let code = self.code.code();
        let severity = match self.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
            Severity::Note => "note: ",
        };
        write!(f, "{file}:{}:{}: {code}: {severity}{}", self.line, self.column, self.message)?;
        for related in &self.related {
            let file = printable(&related.file);
            let Related { line, column, .. } = related;
            write!(f, "\n  {file}:{line}:{column}: {}", related.message)?;
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// The longest text from outside that a message repeats, in characters.
const QUOTED: usize = 80;
/// The longest message and the longest help, in characters: a text that a pull request has once may be
/// repeated for thousands of places.
pub(crate) const SAID: usize = 2_000;

/// A text from the YAML as a message shows it: in backticks, and shortened. A text that looks like a secret
/// is described and not shown.
pub(crate) fn quoted(text: &str) -> String {
    match secret::likeness(text) {
        Some(likeness) => format!("a text that looks like {likeness}"),
        None => format!("`{}`", shortened(text, QUOTED)),
    }
}

/// A text of at most that many characters; a shortened one ends in an ellipsis.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yaml::Position;

    fn example() -> Diagnostic {
        let start = Position { line: 3, column: 5 };
        let end = Position { line: 3, column: 9 };
        let place = Place { file: "a.yaml".into(), span: Span { start, end } };
        let message = "no \u{1b}[2J such \u{202e}alias";
        Diagnostic::new(Rule::UnknownAlias, &place, message, "declare it")
            .with_related(place.related("here"))
    }

    #[test]
    fn shown_without_control_characters() {
        insta::assert_snapshot!(example(), @r"
        a.yaml:3:5: PV104: no �[2J such �alias
          a.yaml:3:5: here
          help: declare it
        ");
    }

    #[test]
    fn json_is_as_designed() {
        let expected = serde_json::json!({
            "code": "PV104", "severity": "error",
            "message": "no \u{fffd}[2J such \u{fffd}alias", "file": "a.yaml",
            "line": 3, "column": 5, "end_line": 3, "end_column": 9, "help": "declare it",
            "related": [{"message": "here", "file": "a.yaml", "line": 3, "column": 5}],
        });
        assert_eq!(serde_json::to_value(example()).unwrap(), expected);
    }
}

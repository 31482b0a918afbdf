//! Diagnostics as commands to GitHub's runner, which shows them at their lines in a pull request.
//!
//! The escaping is that of GitHub's toolkit (`packages/core/src/command.ts`).

use std::fmt::Write as _;

use super::text::text;

use super::{Sources, word};
use crate::declare::{Diagnostic, Related, Severity};
use domain::text::printable;

/// Number of annotations of one severity that GitHub keeps of a step (docs.github.com, "Workflow commands"
/// and the limits of check runs). Which ones it keeps beyond that is not described.
const MOST: usize = 10;

/// One command for each diagnostic or, where there are more than GitHub shows, for the worst ten, and then
/// all of them as text. `prefix` is the path from the top of the git work tree to the repository: empty, or
/// `declarations/`, for example.
pub fn github(diagnostics: &[Diagnostic], prefix: &str, sources: &mut Sources) -> String {
    if diagnostics.len() <= MOST {
        return commands(diagnostics.iter(), prefix);
    }
    let mut worst: Vec<&Diagnostic> = diagnostics.iter().collect();
    worst.sort_by_key(|found| found.severity);
    let all = text(diagnostics, sources);
    let all = anstream::adapter::strip_str(&all);
    format!("{}\n{all}", commands(worst.into_iter().take(MOST), prefix))
}

fn commands<'d>(diagnostics: impl Iterator<Item = &'d Diagnostic>, prefix: &str) -> String {
    let mut out = String::new();
    for found in diagnostics {
        let command = match found.severity {
            Severity::Error | Severity::Warning => word(found.severity),
            Severity::Note => "notice",
        };
        let file = property(&format!("{prefix}{}", found.file));
        let title = property(found.code.code());
        let mut said = lines(&found.message);
        for Related { message, file, line, .. } in &found.related {
            said = said + "\n" + &lines(&format!("{prefix}{file}:{line}: {message}"));
        }
        if let Some(help) = &found.help {
            said = said + "\n" + &lines(help);
        }
        // Writing into a String does not fail.
        let _ = writeln!(
            out,
            "::{command} file={file},{},title={title}::{}",
            place(found),
            data(&said)
        );
    }
    out
}

/// The runner accepts columns only where the two lines are the same.
fn place(found: &Diagnostic) -> String {
    let Diagnostic { line, column, end_line, end_column, .. } = found;
    if line == end_line {
        format!("line={line},col={column},endLine={end_line},endColumn={end_column}")
    } else {
        format!("line={line},endLine={end_line}")
    }
}

fn lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&printable(text)).replace(':', "%3A").replace(',', "%2C")
}

//! The notices of a plan as text.

use super::text::{HEADING, QUIET, line};
use domain::text::printable;
use plan::Code;
use plan::document::NoticeDocument;

/// Largest number of notices that are listed without being asked for.
const LISTED: usize = 10;

/// Whether many notices are listed or counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notices {
    /// More than ten are counted by kind.
    Counted,
    /// All are listed.
    Listed,
}

pub(super) fn notices(out: &mut String, notices: &[&NoticeDocument], how: Notices) {
    if notices.is_empty() {
        return;
    }
    if how == Notices::Counted && notices.len() > LISTED {
        let heading = format_args!(
            "\n{HEADING}Worth knowing: {} notices{HEADING:#}; -v lists them",
            notices.len()
        );
        line(out, heading);
        for alike in notices.chunk_by(|a, b| a.code == b.code) {
            count_line(out, alike);
        }
        return;
    }
    line(out, format_args!("\n{HEADING}Worth knowing{HEADING:#}"));
    for NoticeDocument { code, target, message } in notices {
        let (code, target, message) = (printable(code), printable(target), printable(message));
        line(out, format_args!("  {QUIET}{code}{QUIET:#} {target}: {message}"));
    }
}

/// The number of notices of one kind, with its title.
fn count_line(out: &mut String, alike: &[&NoticeDocument]) {
    let code = alike.first().map_or("", |notice| notice.code.as_str());
    let known = Code::ALL.iter().find(|known| known.as_str() == code);
    let title = known.map_or("", |known| known.title());
    let (code, count) = (printable(code), alike.len());
    line(out, format_args!("  {QUIET}{code}{QUIET:#} {count} x {title}"));
}

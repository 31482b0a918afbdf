//! Who can reach what, as CSV (RFC 4180) that a spreadsheet opens.

use csv::{Terminator, WriterBuilder};

use super::by_scope;
use domain::text::printable;
use plan::document::{Access, AccessDocument, OpenTo, ReachableScope, SourceDocument};

/// The columns, in their order.
const COLUMNS: [&str; 13] = [
    "environment",
    "scope",
    "consumer",
    "consumer_name",
    "state",
    "group",
    "until",
    "reason",
    "file",
    "line",
    "has_access",
    "from",
    "blocked",
];

/// The accesses, one a line, below a line of names. A scope that is open without a grant has a line of its own,
/// with the state `open` and no organisation number.
pub fn csv(document: &AccessDocument) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    // Writing into a Vec does not fail.
    let _ = writer.write_record(COLUMNS);
    for (scope, accesses) in by_scope(document) {
        let open = scope.open_now().map(|open| open_record(scope, open));
        for record in open.into_iter().chain(accesses.into_iter().map(record)) {
            let _ = writer.write_record(record.map(|text| cell(&text)));
        }
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn open_record(scope: &ReachableScope, open: OpenTo) -> [String; 13] {
    let ReachableScope { environment, scope, description: _, team: _, state: _, open: _, source } =
        scope;
    let (file, line) = placed(source.as_ref());
    let none = String::new;
    [
        environment.clone(),
        scope.clone(),
        none(),
        open.whom().to_owned(),
        "open".to_owned(),
        none(),
        none(),
        none(),
        file,
        line,
        true.to_string(),
        none(),
        none(),
    ]
}

fn placed(source: Option<&SourceDocument>) -> (String, String) {
    source.map(|source| (source.file.clone(), source.line.to_string())).unwrap_or_default()
}

fn record(access: &Access) -> [String; 13] {
    let Access {
        environment,
        scope,
        consumer,
        consumer_name,
        state,
        group,
        from,
        until,
        reason,
        blocked,
        source,
    } = access;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (file, line) = placed(source.as_ref());
    [
        environment.clone(),
        scope.clone(),
        consumer.clone(),
        text(consumer_name),
        state.as_str().to_owned(),
        text(group),
        until.map(|until| until.to_string()).unwrap_or_default(),
        text(reason),
        file,
        line,
        state.gives_access().to_string(),
        from.map(|from| from.to_string()).unwrap_or_default(),
        text(blocked),
    ]
}

/// A text that no spreadsheet takes for a formula (OWASP, 'CSV injection'): one that begins like a formula
/// gets an apostrophe in front.
fn cell(text: &str) -> String {
    let text = printable(text);
    match text.trim_start().starts_with(['=', '+', '-', '@', '|', '%']) {
        true => format!("'{text}"),
        false => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn no_cell_is_a_formula() {
        for (text, shown) in [
            ("=1+1", "'=1+1"),
            (" @SUM(A1)", "' @SUM(A1)"),
            ("-2", "'-2"),
            ("\t=1", "' =1"),
            ("Skatteetaten", "Skatteetaten"),
            ("a\r\nb", "a  b"),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}

//! Who can reach what, as CSV (RFC 4180) that a spreadsheet opens.

use csv::{Terminator, WriterBuilder};

use domain::text::printable;
use plan::document::{Access, AccessDocument};

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

/// The accesses, one a line, below a line of names.
pub fn csv(document: &AccessDocument) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    // Writing into a Vec does not fail.
    let _ = writer.write_record(COLUMNS);
    for access in &document.accesses {
        let _ = writer.write_record(record(access).map(|text| cell(&text)));
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
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
    let (file, line) = match source {
        Some(source) => (source.file.clone(), source.line.to_string()),
        None => Default::default(),
    };
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

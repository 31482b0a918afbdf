//! Files with content from the tables of attributes. `UPDATE_DOCS=1 cargo test attributes::` writes them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use domain::{CLIENT, SCOPE, ValueType};

/// The keys of attributes, and their words.
fn dictionary() -> String {
    let all: Vec<_> = SCOPE.all().into_iter().chain(CLIENT.all()).collect();
    let keys: BTreeSet<_> = all.iter().map(|attribute| format!("{}:", attribute.name)).collect();
    let words = all.iter().flat_map(|attribute| match attribute.value_type {
        ValueType::Word(words) => words,
        ValueType::List(&ValueType::Word(words)) => words,
        _ => &[],
    });
    let words: BTreeSet<_> = words.map(|word| (*word).to_owned()).collect();
    keys.iter().chain(&words).fold(String::new(), |mut lines, line| {
        let _ = writeln!(lines, "\"{line}\"");
        lines
    })
}

/// Compares the part of a file after a heading, up to the next empty line or the end.
pub(crate) fn is_current(path: &str, headings: &[(&str, String)]) {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let committed = std::fs::read_to_string(&path).unwrap();
    let mut wanted = String::new();
    let mut rest = committed.as_str();
    for (heading, section) in headings {
        let (before, after) = rest.split_once(heading).expect("the heading is there");
        wanted.extend([before, heading, section]);
        rest = after.find("\n\n").map_or("", |end| &after[end + 1..]);
    }
    wanted.push_str(rest);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(committed == wanted, "{path}: UPDATE_DOCS=1 cargo test");
}

#[test]
fn the_fuzzer_knows_every_attribute() {
    is_current("fuzz/reader.dict", &[("# The keys and words of attributes.\n", dictionary())]);
}

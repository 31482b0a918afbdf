//! Diagnostics as SARIF 2.1.0, for code scanning.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::word;
use crate::declare::{Diagnostic, Related, Rule};
use crate::render;
use domain::text::json::pretty;
use domain::text::printable;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Diagnostics as a SARIF log, indented, with a line break at the end. `prefix` is the path from the top of
/// the git work tree to the repository: empty, or `declarations/`, for example.
pub fn sarif(diagnostics: &[Diagnostic], prefix: &str) -> String {
    let results: Vec<_> = diagnostics.iter().map(|found| result(found, prefix)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "portvakt",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": Rule::ALL.iter().map(|rule| metadata(*rule)).collect::<Vec<_>>(),
            } },
            "originalUriBaseIds": {
                "%SRCROOT%": { "description": { "text": "The top of the git work tree." } },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    pretty(&log)
}

fn metadata(rule: Rule) -> Value {
    json!({
        "id": rule.code(),
        "name": rule.name(),
        "shortDescription": { "text": rule.title() },
        "fullDescription": { "text": rule.meaning() },
        "help": { "text": rule.meaning(), "markdown": render::article(rule) },
        "defaultConfiguration": { "level": word(rule.severity()) },
    })
}

fn result(found: &Diagnostic, prefix: &str) -> Value {
    let message = printable(&found.message);
    let text = match &found.help {
        Some(help) => format!("{message}\n\n{}", printable(help)),
        None => message.into_owned(),
    };
    let region = json!({
        "startLine": found.line,
        "startColumn": found.column,
        "endLine": found.end_line,
        "endColumn": found.end_column,
    });
    let related = found.related.iter().zip(1..).map(|(related, id)| {
        let Related { message, file, line, column } = related;
        json!({
            "id": id,
            "message": { "text": without_links(&printable(message)) },
            "physicalLocation": {
                "artifactLocation": artifact(file, prefix),
                "region": { "startLine": line, "startColumn": column },
            },
        })
    });
    json!({
        "ruleId": found.code.code(),
        "ruleIndex": Rule::ALL.iter().position(|rule| *rule == found.code),
        "level": word(found.severity),
        "message": { "text": without_links(&text) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": artifact(&found.file, prefix),
            "region": region,
        } }],
        "relatedLocations": related.collect::<Vec<_>>(),
    })
}

/// Escapes links: in SARIF a text may have links such as `[here](https://…)`, and text from the YAML must not
/// become one.
fn without_links(text: &str) -> String {
    text.replace("](", "] (")
}

fn artifact(file: &str, prefix: &str) -> Value {
    json!({ "uri": uri(prefix) + &uri(file), "uriBaseId": "%SRCROOT%" })
}

/// A relative path as a URI: all characters except the unreserved ones and `/` are percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            // Writing into a String does not fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_no_links() {
        assert_eq!(without_links("`[a](https://b)`"), "`[a] (https://b)`");
    }

    #[test]
    fn paths_are_encoded() {
        assert_eq!(uri("a,b:c d/å%#?.yaml"), "a%2Cb%3Ac%20d/%C3%A5%25%23%3F.yaml");
    }
}

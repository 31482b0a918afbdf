//! A list of keys as text.

use std::fmt::Write as _;

use super::text::{BAD, CAREFUL, HEADING, QUIET};
use domain::text::printable;
use plan::document::{KeyDocument, KeyState, KeysDocument};

/// The list as text with ANSI colours, a paragraph for each client. `some` is whether only keys that expire
/// soon are listed.
pub fn text(document: &KeysDocument, some: bool) -> String {
    let KeysDocument { format_version: _, environment, keys } = document;
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = writeln!(out, "{HEADING}Keys in {}{HEADING:#}", printable(environment));
    if keys.is_empty() {
        let none = if some { "None of them ends within that time." } else { "There are none." };
        let _ = writeln!(out, "{none}");
    }
    for of_client in keys.chunk_by(|a, b| a.client == b.client) {
        let Some(first) = of_client.first() else { continue };
        let id = first.client_id.as_deref().unwrap_or("not live yet");
        let client = printable(&first.client);
        let _ = writeln!(out, "\n{client}  {QUIET}{}{QUIET:#}", printable(id));
        for key in of_client {
            let _ = writeln!(out, "  {}  {}", printable(&key.kid), end(key));
        }
    }
    out
}

fn end(key: &KeyDocument) -> String {
    let state = match key.state {
        KeyState::Live => "",
        KeyState::Own => "; portvakt itself works with this key",
        KeyState::OwnCertificate => "; portvakt itself works with this certificate",
        KeyState::Undeclared => "; not declared: the next apply takes it away",
        KeyState::Missing => return "declared, and registered by the next apply".to_owned(),
    };
    let Some((ends, days)) = key.expires.zip(key.expires_in_days) else {
        return format!("has no end that is known{state}");
    };
    let day = ends.strftime("%F");
    match days {
        days if days < 0 => format!("{BAD}ended on {day}{BAD:#}{state}"),
        days if days <= 30 => format!("{CAREFUL}ends on {day}, in {days} days{CAREFUL:#}{state}"),
        days => format!("ends on {day}, in {days} days{state}"),
    }
}

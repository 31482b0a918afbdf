//! Requests for access, as text.

use std::fmt::Write as _;

use super::text::{HEADING, QUIET, organization, place};
use domain::norwegian_date;
use domain::text::printable;
use plan::document::{AccessRequest, LaterEntry, RequestBlock, RequestsDocument};

/// The list as text with ANSI colours, a line break at the end.
pub fn text(document: &RequestsDocument) -> String {
    let RequestsDocument { environments, requests, .. } = document;
    if requests.is_empty() {
        return format!("Nobody requests access in {}.\n", printable(&environments.join(", ")));
    }
    let mut out = String::new();
    let is_same = |a: &AccessRequest, b: &AccessRequest| {
        (&a.environment, &a.scope) == (&b.environment, &b.scope)
    };
    for of_scope in requests.chunk_by(is_same) {
        let AccessRequest { environment, scope, description, .. } = &of_scope[0];
        let [environment, scope, description] =
            [environment, scope, description].map(|text| printable(text));
        // Writing into a String does not fail.
        let _ = writeln!(
            out,
            "{HEADING}{scope}{HEADING:#} ({environment})  {QUIET}{description}{QUIET:#}"
        );
        for request in of_scope {
            let _ = writeln!(out, "  {}{}{}", who(request), since(request), declared(request));
        }
    }
    let _ = writeln!(
        out,
        "\nTo approve a request, declare the organisation among the consumers of the scope, and apply."
    );
    let open = requests.iter().find(|it| it.declared.is_none() && it.later.is_none());
    if let Some(AccessRequest { environment, scope, consumer, .. }) = open {
        let [environment, scope, consumer] =
            [environment, scope, consumer].map(|text| printable(text));
        let _ = writeln!(
            out,
            "To deny one: portvakt -e {environment} requests deny {consumer} --scope {scope}"
        );
    }
    out
}

/// One request, as a sentence without its full stop.
pub fn one(request: &AccessRequest) -> String {
    let AccessRequest { environment, scope, .. } = request;
    let (environment, scope) = (printable(environment), printable(scope));
    format!(
        "{} requests access to {scope} in {environment}{}",
        who(request),
        since(request).replace("  ", " ")
    )
}

fn who(AccessRequest { consumer, consumer_name, .. }: &AccessRequest) -> String {
    organization(consumer, consumer_name.as_deref())
}

fn since(request: &AccessRequest) -> String {
    let since = request.since.map(|since| format!("  since {}", norwegian_date(since)));
    since.unwrap_or_default()
}

/// What is declared about it, and what follows for it.
fn declared(AccessRequest { declared, later, blocked, .. }: &AccessRequest) -> String {
    match (declared, later, blocked) {
        (Some(source), ..) => {
            format!("; declared in {}: the next apply approves it", place(source))
        }
        (None, Some(LaterEntry { from, source }), _) => {
            format!("; declared from {from} in {}: an apply on that day approves it", place(source))
        }
        (None, None, Some(RequestBlock { reason, source })) => {
            format!("; blocked in {}: {}", place(source), printable(reason))
        }
        (None, None, None) => String::new(),
    }
}

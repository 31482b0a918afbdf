//! Why Maskinporten gives no token, in plain words.

use jiff::Timestamp;

use super::application::Application;
use super::attempts::{Failure, REPEATABLE};
use super::credentials::Asked;
use super::error::{Error, ErrorKind, Place};
use domain::ClientId;

/// What Maskinporten's descriptions begin with or contain (DigDir's documentation of errors), and
/// what to do about it.
const ADVICE: [(&str, &str); 2] = [
    (
        "MP-012",
        "The same grant arrived twice: something between here and Maskinporten repeats requests. \
         Run again; if it stays, see what proxy HTTPS_PROXY names.",
    ),
    (
        "issue time is after now",
        "This machine's clock is ahead of Maskinporten's: set it by NTP. They may differ by 10 s.",
    ),
];

/// The same about the client that portvakt itself is.
const ADVICE_ON_OWN: [(&str, &str); 5] = [
    (
        "MP-122",
        "The certificate belongs to another organisation than the client. Use the client that the \
         certificate's organisation has, or that organisation's certificate.",
    ),
    (
        "MP-123",
        "Maskinporten does not accept the certificate: see that it has not ended, that it is an \
         enterprise certificate for this environment (test or production), and that the PKCS#12 \
         archive holds its whole chain.",
    ),
    (
        "MP-124",
        "The signature does not fit: see that the key is the one registered on the client in this \
         environment under this kid, and that it has not ended (a key lives one year at most).",
    ),
    (
        "MP-250",
        "The client's organisation has not been given a scope that was asked for: see that \
         idporten:scopes.read and, for apply, idporten:scopes.write are granted to the \
         organisation and registered on the client.",
    ),
    ("MP-251", "The organisation has not delegated this scope to the supplier in Altinn."),
];

/// The shortest kid that is hidden: a shorter one is no secret, and part of too many words.
const SHORTEST_KID: usize = 8;

/// Whose client was refused a token.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whose<'a> {
    /// The one that portvakt itself is.
    Own,
    /// An application's.
    Application(&'a Application),
}

impl Whose<'_> {
    fn advice(self, description: &str, asked: Asked<'_>) -> Option<String> {
        let find = |table: &[(&str, &str)]| {
            let row = table.iter().find(|(mark, _)| description.contains(mark));
            row.map(|(_, advice)| (*advice).to_owned())
        };
        find(&ADVICE).or_else(|| match self {
            Self::Own => find(&ADVICE_ON_OWN),
            Self::Application(application) => Some(application.advice(description, asked)),
        })
    }
}

/// The error of a token request that failed for good, of the client and the kid that are not to be
/// repeated.
pub(super) fn explain(
    failure: Failure,
    place: &Place,
    ids: (&ClientId, Option<&str>),
    asked: Asked<'_>,
    whose: Whose<'_>,
) -> Error {
    let skew = match &failure {
        Failure::Answered(answer) => answer.date.and_then(|date| skew(date, Timestamp::now())),
        Failure::NotSent(_)
        | Failure::NoAnswer(_)
        | Failure::Malformed(..)
        | Failure::Token(_)
        | Failure::Stopped { .. } => None,
    };
    let error = failure.into_error(&REPEATABLE, place).of_tokens();
    let description = error.description().unwrap_or_default().to_owned();
    let (client_id, kid) = ids;
    let error = error.hiding(client_id.as_str(), "(the client id)");
    let error = match kid.filter(|kid| kid.len() >= SHORTEST_KID) {
        Some(kid) => error.hiding(kid, "(the kid)"),
        None => error,
    };
    let is_refused = error.kind() == ErrorKind::Auth;
    let error = match whose.advice(&description, asked).filter(|_| is_refused) {
        Some(advice) => error.advise(advice),
        None => error,
    };
    match skew {
        Some(skew) => error.because(skew),
        None => error,
    }
}

/// How this machine's clock differs from the server's, where that is more than Maskinporten bears.
fn skew(server: Timestamp, here: Timestamp) -> Option<String> {
    let seconds = here.as_second().saturating_sub(server.as_second());
    let side = if seconds > 0 { "ahead of" } else { "behind" };
    (seconds.abs() > 10)
        .then(|| format!("this machine's clock is {} s {side} the server's", seconds.abs()))
}

#[cfg(test)]
mod tests {
    use super::super::http::Answer;
    use super::*;
    use reqwest::StatusCode;

    fn explained(description: &str) -> Error {
        let body = serde_json::json!({"error": "invalid_grant", "error_description": description});
        let answer = Answer {
            status: StatusCode::BAD_REQUEST,
            content_type: "application/json".to_owned(),
            body: body.to_string().into_bytes().into(),
            retry_after: None,
            location: None,
            date: None,
        };
        let place = Place {
            call: "POST https://maskinporten.no/token".to_owned(),
            entity: "token with idporten:scopes.read".to_owned(),
        };
        let asked = Asked { scope: "idporten:scopes.read", resource: &[], consumer_org: None };
        let ids = (&"klient-1".parse().unwrap(), Some("hemmelig-1"));
        explain(Failure::Answered(answer), &place, ids, asked, Whose::Own)
    }

    #[test]
    fn each_code_is_told_with_what_to_do() {
        for (mark, advice) in ADVICE.iter().chain(&ADVICE_ON_OWN) {
            let error = explained(&format!("Invalid assertion. {mark}: not klient-1, hemmelig-1"));
            assert_eq!(error.kind(), ErrorKind::Auth);
            assert!(error.help().starts_with(advice), "{mark}");
            assert!(!error.advised().contains("klient-1"), "{error}");
            assert!(!error.advised().contains("hemmelig"), "{error}");
            assert!(error.to_string().contains(mark), "{error}");
        }
        assert!(explained("something new").help().contains("key is registered"));
    }

    #[test]
    fn a_clock_that_is_wrong_is_told() {
        let at = |text: &str| text.parse().unwrap();
        let server = at("2026-11-22T10:00:00Z");
        assert_eq!(skew(server, at("2026-11-22T10:00:10Z")), None);
        assert_eq!(
            skew(server, at("2026-11-22T10:01:00Z")).unwrap(),
            "this machine's clock is 60 s ahead of the server's"
        );
        assert_eq!(
            skew(server, at("2026-11-22T09:59:00Z")).unwrap(),
            "this machine's clock is 60 s behind the server's"
        );
    }
}

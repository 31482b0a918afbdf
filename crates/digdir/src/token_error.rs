//! Why Maskinporten gives no token.

use http::REPEATABLE;
use jiff::Timestamp;

use super::error::{CallPlace, Error, ErrorKind};
use super::failure::{Failure, Persistence};
use domain::ClientId;

/// Why Maskinporten refused a token, as far as its description says (DigDir's documentation of errors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenRefusal {
    /// The same grant arrived twice: something in between repeats requests (MP-012).
    RepeatedGrant,
    /// The grant was issued in the future: the clock here is ahead.
    ClockAhead,
    /// The certificate belongs to another organisation than the client (MP-122).
    OtherOrganization,
    /// The certificate is not accepted (MP-123).
    Certificate,
    /// No key is registered under the kid, it has expired, or the signature does not fit it (MP-120, MP-121,
    /// MP-124).
    Signature,
    /// The client's organisation has no access to a scope, or the client does not carry it (MP-200, MP-250).
    Scope,
    /// A consumer has not delegated a scope to the client's organisation (MP-251).
    Delegation,
    /// Anything else.
    Other,
}

/// What Maskinporten's descriptions begin with or contain.
const MARKS: [(&str, TokenRefusal); 10] = [
    ("MP-012", TokenRefusal::RepeatedGrant),
    ("issue time is after now", TokenRefusal::ClockAhead),
    ("MP-122", TokenRefusal::OtherOrganization),
    ("MP-123", TokenRefusal::Certificate),
    ("MP-120", TokenRefusal::Signature),
    ("MP-121", TokenRefusal::Signature),
    ("MP-124", TokenRefusal::Signature),
    ("MP-200", TokenRefusal::Scope),
    ("MP-250", TokenRefusal::Scope),
    ("MP-251", TokenRefusal::Delegation),
];

/// The shortest kid that is hidden: a shorter one is no secret, and part of too many words.
const SHORTEST_KID: usize = 8;

impl TokenRefusal {
    fn described_by(description: &str) -> Self {
        let mark = MARKS.iter().find(|(mark, _)| description.contains(mark));
        mark.map_or(Self::Other, |(_, refusal)| *refusal)
    }
}

/// The error of a token request that failed for good, of the client and the kid that are not to be
/// repeated.
pub(super) fn explain(
    failure: Failure,
    persistence: Persistence,
    place: &CallPlace,
    ids: (&ClientId, Option<&str>),
) -> Error {
    let skew = match &failure {
        Failure::Refused(refusal) => {
            refusal.answer.date().and_then(|date| skew(date, Timestamp::now()))
        }
        Failure::Unanswered(_) | Failure::Malformed(..) | Failure::Unsent(_) => None,
    };
    let error = persistence.error(failure, &REPEATABLE, place).of_tokens();
    let refusal = TokenRefusal::described_by(error.description().unwrap_or_default());
    let (client_id, kid) = ids;
    let error = error.hiding(client_id.as_str(), "(the client id)");
    let error = match kid.filter(|kid| kid.len() >= SHORTEST_KID) {
        Some(kid) => error.hiding(kid, "(the kid)"),
        None => error,
    };
    let error = match error.kind() == ErrorKind::Auth {
        true => error.refused_token(refusal),
        false => error,
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
    use super::super::failure::tests::{answer, persistence};
    use super::*;

    fn explained(description: &str) -> Error {
        let body = serde_json::json!({"error": "invalid_grant", "error_description": description});
        let failure = answer(400, "application/json", &body.to_string()).into();
        let place = CallPlace {
            call: "POST https://maskinporten.no/token".to_owned(),
            entity: "token with idporten:scopes.read".to_owned(),
        };
        let ids = (&"klient-1".parse().unwrap(), Some("hemmelig-1"));
        explain(failure, persistence(), &place, ids)
    }

    #[test]
    fn each_code_is_recognised_and_no_id_is_repeated() {
        for (mark, refusal) in MARKS {
            let error = explained(&format!("Invalid assertion. {mark}: not klient-1, hemmelig-1"));
            assert_eq!(error.kind(), ErrorKind::Auth);
            assert_eq!(error.token_refusal(), Some(refusal), "{mark}");
            assert!(!error.to_string().contains("klient-1"), "{error}");
            assert!(!error.to_string().contains("hemmelig"), "{error}");
            assert!(error.to_string().contains(mark), "{error}");
        }
        assert_eq!(explained("something new").token_refusal(), Some(TokenRefusal::Other));
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

//! Why Maskinporten gives no token.

use http::REPEATABLE;
use jiff::Timestamp;

use super::error::{CallPlace, Error, ErrorKind};
use super::failure::{Failure, Persistence};
use domain::ClientId;

/// Why Maskinporten refused a token, as far as its description says (DigDir's documentation of errors, and
/// the sentences that come without a code).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenRefusal {
    /// The grant cannot be read (MP-011).
    MalformedGrant,
    /// The same grant arrived twice: something in between repeats requests (MP-012).
    RepeatedGrant,
    /// There is no such client (MP-100).
    UnknownClient,
    /// The grant is for another issuer (MP-110).
    Audience,
    /// The audience that the token is to have is missing or not accepted (`invalid_target`, RFC 8707 section 2).
    Resource,
    /// The client has no key of that kid (MP-120).
    NoKey,
    /// The key has expired; registering it again renews it (MP-121).
    KeyExpired,
    /// The certificate belongs to another organisation than the client (MP-122).
    OtherOrganization,
    /// The certificate is not accepted (MP-123).
    Certificate,
    /// The signature does not fit the key that is registered under the kid (MP-124).
    Signature,
    /// The grant has expired, lives too long, or was issued at another time than now (MP-130).
    GrantTime,
    /// A scope is not registered on the client (MP-200).
    ScopeNotOnClient,
    /// The scope is not for clients of that integration type (MP-201).
    IntegrationType,
    /// The consumer has no access to a scope (MP-250).
    NoAccess,
    /// The consumer has not delegated a scope to the client's organisation (MP-251).
    Delegation,
    /// The system user that the grant names is not accepted (MP-301 to MP-303).
    SystemUser,
    /// Anything else.
    Other,
}

/// Marks in Maskinporten's descriptions: the codes, and sentences that come without one.
const MARKS: [(&str, TokenRefusal); 25] = [
    ("MP-011", TokenRefusal::MalformedGrant),
    ("MP-012", TokenRefusal::RepeatedGrant),
    ("MP-100", TokenRefusal::UnknownClient),
    ("MP-110", TokenRefusal::Audience),
    ("MP-120", TokenRefusal::NoKey),
    ("MP-121", TokenRefusal::KeyExpired),
    ("MP-122", TokenRefusal::OtherOrganization),
    ("MP-123", TokenRefusal::Certificate),
    ("MP-124", TokenRefusal::Signature),
    ("MP-130", TokenRefusal::GrantTime),
    ("MP-200", TokenRefusal::ScopeNotOnClient),
    ("MP-201", TokenRefusal::IntegrationType),
    ("MP-250", TokenRefusal::NoAccess),
    ("MP-251", TokenRefusal::Delegation),
    ("MP-301", TokenRefusal::SystemUser),
    ("MP-302", TokenRefusal::SystemUser),
    ("MP-303", TokenRefusal::SystemUser),
    ("Unknown client", TokenRefusal::UnknownClient),
    ("Invalid JWT claim aud", TokenRefusal::Audience),
    ("Unknown key identifier", TokenRefusal::NoKey),
    ("Invalid JWT signature", TokenRefusal::Signature),
    ("issue time is ", TokenRefusal::GrantTime),
    ("has not been granted access", TokenRefusal::NoAccess),
    ("has not delegated access", TokenRefusal::Delegation),
    ("not been granted the scope", TokenRefusal::NoAccess),
];

/// The error of a grant without a resource that is accepted; its descriptions are not known.
const INVALID_TARGET: &str = "invalid_target";

/// The whole description of a refusal of a scope, as older versions have it.
const FORBIDDEN: &str = "forbidden";

/// By how much this machine's clock may differ from the server's before it is reported, in seconds:
/// Maskinporten takes a grant within 10.
const MOST_OFFSET: i64 = 5;

/// The shortest kid that is hidden: a shorter one is no secret, and part of too many words.
const SHORTEST_KID: usize = 8;

impl TokenRefusal {
    fn described_by(description: &str) -> Self {
        let mark = MARKS.iter().find(|(mark, _)| description.contains(mark));
        match mark {
            Some((_, refusal)) => *refusal,
            None if description.trim().eq_ignore_ascii_case(FORBIDDEN) => Self::NoAccess,
            None => Self::Other,
        }
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
    let offset = match &failure {
        Failure::Refused(refusal) => {
            refusal.answer.date().and_then(|date| offset(date, Timestamp::now()))
        }
        Failure::Unanswered(_) | Failure::Malformed(..) | Failure::Unsent(_) => None,
    };
    let error = persistence.error(failure, &REPEATABLE, place).of_tokens();
    let refusal = match error.code() {
        Some(INVALID_TARGET) => TokenRefusal::Resource,
        Some(_) | None => TokenRefusal::described_by(error.description().unwrap_or_default()),
    };
    let (client_id, kid) = ids;
    let error = error.hiding(client_id.as_str(), "(the client id)");
    let error = match kid.filter(|kid| kid.len() >= SHORTEST_KID) {
        Some(kid) => error.hiding(kid, "(the kid)"),
        None => error,
    };
    let refusal = (error.kind() == ErrorKind::Auth).then_some(refusal);
    error.about_token(refusal, offset)
}

/// Seconds by which this machine's clock is ahead of the server's, less than 0 if it is behind; `None` where
/// they agree well enough.
fn offset(server: Timestamp, here: Timestamp) -> Option<i64> {
    let seconds = here.as_second().saturating_sub(server.as_second());
    (seconds.saturating_abs() > MOST_OFFSET).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::super::failure::tests::{answer, persistence};
    use super::*;

    fn explained(description: &str) -> Error {
        explained_as("invalid_grant", description)
    }

    fn explained_as(code: &str, description: &str) -> Error {
        let body = serde_json::json!({"error": code, "error_description": description});
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
        let of_target = explained_as("invalid_target", "something new").token_refusal();
        assert_eq!(of_target, Some(TokenRefusal::Resource));
    }

    #[test]
    fn the_whole_of_an_old_description_means_no_access() {
        assert_eq!(explained("forbidden").token_refusal(), Some(TokenRefusal::NoAccess));
        assert_eq!(explained("forbidden client").token_refusal(), Some(TokenRefusal::Other));
    }

    #[test]
    fn a_clock_that_is_wrong_is_reported() {
        let at = |text: &str| text.parse().unwrap();
        let server = at("2026-11-22T10:00:00Z");
        assert_eq!(offset(server, at("2026-11-22T10:00:05Z")), None);
        assert_eq!(offset(server, at("2026-11-22T10:01:00Z")), Some(60));
        assert_eq!(offset(server, at("2026-11-22T09:59:54Z")), Some(-6));
        let error = explained("MP-130").about_token(None, Some(-600)).to_string();
        assert!(error.contains("this machine's clock is 600 s behind the server's"), "{error}");
    }
}

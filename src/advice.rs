//! Remedies for errors of DigDir's API, for the operator of this program.

mod application;

use digdir::{Error, ErrorKind, ExpectedOwner, OwnerMismatch, TokenRefusal};

pub use application::TokenClient;
use domain::secret::excerpt;

/// Longest part of an advice that repeats a text from outside, in characters.
const MOST: usize = 1_000;

/// The error and, on a line of its own, the remedy.
pub fn advised(error: &Error) -> String {
    format!("{error}\n{}", help(error))
}

/// Largest difference of the clocks at which Maskinporten takes a grant, in seconds (DigDir's documentation).
const TAKEN_WITHIN: u64 = 10;

/// The remedy.
pub fn help(error: &Error) -> String {
    let of_token = || error.token_refusal().and_then(of_token).map(str::to_owned);
    let of_owner = || error.owner_mismatch().map(of_owner);
    let of_kind = || of_kind(error.kind()).to_owned();
    with_clock(error, of_token().or_else(of_owner).unwrap_or_else(of_kind))
}

/// The advice of a refused token where the clocks differ: no client and no key gets one by a clock that is
/// wrong enough, whatever the description says.
fn with_clock(error: &Error, advice: String) -> String {
    let Some(seconds) = error.clock_offset() else { return advice };
    let side = if seconds > 0 { "ahead" } else { "behind" };
    let seconds = seconds.unsigned_abs();
    let clock = format!(
        "This machine's clock is {seconds} s {side}: set it, e.g. by NTP. Maskinporten refuses the grants of \
         any client and key that are more than {TAKEN_WITHIN} s off."
    );
    match error.token_refusal() {
        Some(TokenRefusal::GrantTime | TokenRefusal::Other) | None => clock,
        Some(_) if seconds > TAKEN_WITHIN => clock,
        Some(_) => format!("{advice} {clock}"),
    }
}

/// Remedy for a token refusal that does not depend on the client.
fn of_any_token(refusal: TokenRefusal) -> Option<&'static str> {
    match refusal {
        TokenRefusal::MalformedGrant => Some(
            "Maskinporten cannot read the grant: something between here and there has changed it. See what \
             proxy HTTPS_PROXY names.",
        ),
        TokenRefusal::RepeatedGrant => Some(
            "The same grant arrived twice: something between here and Maskinporten repeats requests. \
             Run again; if it stays, see what proxy HTTPS_PROXY names.",
        ),
        TokenRefusal::GrantTime => Some(
            "By Maskinporten's clock, the grant has expired or is from the future: set this machine's clock, \
             e.g. by NTP. The two may differ by 10 s.",
        ),
        TokenRefusal::Audience => Some(
            "The grant names another issuer than the one that it was sent to. Probably `target` in \
             portvakt.yaml mixes test and production, or `maskinporten` there lacks the slash at its end, or \
             `skyporten` has one.",
        ),
        TokenRefusal::Resource => Some(
            "The token's audience is missing, or is not one that the scope allows. Name it by --resource: at \
             Skyporten the audience that the provider's cloud trusts, otherwise the address of the API.",
        ),
        TokenRefusal::UnknownClient
        | TokenRefusal::NoKey
        | TokenRefusal::KeyExpired
        | TokenRefusal::OtherOrganization
        | TokenRefusal::Certificate
        | TokenRefusal::Signature
        | TokenRefusal::ScopeNotOnClient
        | TokenRefusal::IntegrationType
        | TokenRefusal::NoAccess
        | TokenRefusal::Delegation
        | TokenRefusal::SystemUser
        | TokenRefusal::Other => None,
    }
}

/// Remedy for a token refusal of portvakt's own client.
fn of_token(refusal: TokenRefusal) -> Option<&'static str> {
    match refusal {
        TokenRefusal::UnknownClient => Some(
            "Maskinporten has no client of this id. Probably it is the client of the other environment (test \
             or production), or a kid in the place of the client's id; or the client was made in the last \
             minutes, and is not known yet.",
        ),
        TokenRefusal::NoKey => Some(
            "The client has no key of this kid. Probably the kid is that of the other environment (test or \
             production) or of a key that was removed; or the key was registered in the last minutes, and is \
             not known yet. A certificate is refused alone where the client has keys: put the `kid` under which \
             it is registered beside `certificate`.",
        ),
        TokenRefusal::KeyExpired => Some(
            "The client's key has expired: a key lives one year at most. Registering the same key again renews \
             it: in DigDir's self-service, or with `portvakt keys renew` by another client that may.",
        ),
        TokenRefusal::OtherOrganization => Some(
            "The certificate belongs to another organisation than the client. Use the client that the \
             certificate's organisation has, or that organisation's certificate.",
        ),
        TokenRefusal::Certificate => Some(
            "Maskinporten does not accept the certificate: check that it has not expired, that it is an \
             enterprise certificate for this environment (test or production), and that the PKCS#12 \
             archive holds its whole chain.",
        ),
        TokenRefusal::Signature => Some(
            "The signature does not fit the key that is registered on the client under this kid. Probably `key` \
             and `kid` are not of the same key, or the key is that of the other environment (test or \
             production), or it has expired (a key lives one year at most).",
        ),
        TokenRefusal::ScopeNotOnClient => Some(
            "A scope that was asked for is not registered on the client: check that it has \
             idporten:scopes.read and, for apply, idporten:scopes.write, and where clients are declared \
             idporten:dcr.read and idporten:dcr.write.",
        ),
        TokenRefusal::IntegrationType => Some(
            "A scope that was asked for is not for clients of this integration type. Use a client whose \
             `integration_type` is maskinporten.",
        ),
        TokenRefusal::NoAccess => Some(
            "The client's organisation has not been given a scope that was asked for: check that \
             idporten:scopes.read and, for apply, idporten:scopes.write are granted to the \
             organisation and registered on the client.",
        ),
        TokenRefusal::Delegation => {
            Some("The organisation has not delegated this scope to the supplier in Altinn.")
        }
        TokenRefusal::MalformedGrant
        | TokenRefusal::RepeatedGrant
        | TokenRefusal::GrantTime
        | TokenRefusal::Audience
        | TokenRefusal::Resource
        | TokenRefusal::SystemUser
        | TokenRefusal::Other => of_any_token(refusal),
    }
}

fn of_owner(mismatch: &OwnerMismatch) -> String {
    let OwnerMismatch { found, expected } = mismatch;
    match expected {
        Some(ExpectedOwner { orgno, place }) => {
            let advice = format!(
                "Set `organization.orgno` ({place}) to {found} if that is whose scopes these are, or \
                 use the client of {orgno}. Nothing was planned and nothing was changed."
            );
            excerpt(&advice, MOST)
        }
        None => "Check that `target` names the API itself, then run again.".to_owned(),
    }
}

fn of_kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Untrusted => {
            "Compare `target` in portvakt.yaml with DigDir's documentation. No credentials were sent."
        }
        ErrorKind::OtherOrganization => {
            "Check that `organization.orgno` in portvakt.yaml is the organisation of the client."
        }
        ErrorKind::Auth => {
            "Check that the client exists in this environment, that its key is registered and \
             has not expired, and that it holds the scopes idporten:scopes.read and, for \
             apply, idporten:scopes.write."
        }
        ErrorKind::Forbidden => {
            "Check that the entity is this organisation's own and that the client holds the \
             scope idporten:scopes.write for changes, idporten:scopes.read for reading."
        }
        ErrorKind::NotFound => "Make a new plan: its subject no longer exists.",
        ErrorKind::Conflict => "Make a new plan: someone else has changed it since.",
        ErrorKind::Invalid => "Correct the declaration as the message says, then run again.",
        ErrorKind::Terms => {
            "Someone who may sign for the organisation accepts the terms in DigDir's \
             self-service web; then run again."
        }
        ErrorKind::Throttled => {
            "Run again later; a lower --concurrency makes fewer requests at a time."
        }
        ErrorKind::Server => {
            "Run again later. If it stays, give DigDir's support the correlation id."
        }
        ErrorKind::Connection => {
            "Check that this machine reaches the host (network, firewall, HTTPS_PROXY), then \
             run again."
        }
        ErrorKind::AnswerLost => "Make a new plan: it shows whether this was carried out.",
        ErrorKind::Stopped => "Run it again.",
        ErrorKind::Malformed => {
            "Check that `target` names the API itself and that no gateway or proxy answers in \
             its place, then run again."
        }
        ErrorKind::Refused => "Run again; if it stays, give DigDir's support the correlation id.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_of_a_token_has_its_own_advice() {
        for (refusal, advice) in [
            (TokenRefusal::MalformedGrant, "HTTPS_PROXY"),
            (TokenRefusal::RepeatedGrant, "HTTPS_PROXY"),
            (TokenRefusal::UnknownClient, "a kid in the place of the client's id"),
            (TokenRefusal::Audience, "the slash at its end"),
            (TokenRefusal::Audience, "`skyporten` has one"),
            (TokenRefusal::Resource, "--resource"),
            (TokenRefusal::NoKey, "no key of this kid"),
            (TokenRefusal::KeyExpired, "Registering the same key again renews it"),
            (TokenRefusal::OtherOrganization, "another organisation than the client"),
            (TokenRefusal::Certificate, "its whole chain"),
            (TokenRefusal::Signature, "under this kid"),
            (TokenRefusal::GrantTime, "by NTP"),
            (TokenRefusal::ScopeNotOnClient, "not registered on the client"),
            (TokenRefusal::IntegrationType, "maskinporten"),
            (TokenRefusal::NoAccess, "for apply, idporten:scopes.write"),
            (TokenRefusal::Delegation, "in Altinn"),
        ] {
            assert!(of_token(refusal).unwrap().contains(advice), "{refusal:?}");
        }
        assert_eq!(of_token(TokenRefusal::Other), None);
        assert!(of_kind(ErrorKind::Auth).contains("key is registered"));
    }
}

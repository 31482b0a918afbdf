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

/// The remedy.
pub fn help(error: &Error) -> String {
    let of_token = || error.token_refusal().and_then(of_token);
    let of_owner = || error.owner_mismatch().map(of_owner);
    let of_kind = || of_kind(error.kind()).to_owned();
    of_token().map(str::to_owned).or_else(of_owner).unwrap_or_else(of_kind)
}

/// Remedy for a token refusal that does not depend on the client.
fn of_any_token(refusal: TokenRefusal) -> Option<&'static str> {
    match refusal {
        TokenRefusal::RepeatedGrant => Some(
            "The same grant arrived twice: something between here and Maskinporten repeats requests. \
             Run again; if it stays, see what proxy HTTPS_PROXY names.",
        ),
        TokenRefusal::ClockAhead => Some(
            "This machine's clock is ahead of Maskinporten's: set it by NTP. They may differ by 10 s.",
        ),
        TokenRefusal::OtherOrganization
        | TokenRefusal::Certificate
        | TokenRefusal::Signature
        | TokenRefusal::Scope
        | TokenRefusal::Delegation
        | TokenRefusal::Other => None,
    }
}

/// Remedy for a token refusal of portvakt's own client.
fn of_token(refusal: TokenRefusal) -> Option<&'static str> {
    match refusal {
        TokenRefusal::OtherOrganization => Some(
            "The certificate belongs to another organisation than the client. Use the client that the \
             certificate's organisation has, or that organisation's certificate.",
        ),
        TokenRefusal::Certificate => Some(
            "Maskinporten does not accept the certificate: see that it has not ended, that it is an \
             enterprise certificate for this environment (test or production), and that the PKCS#12 \
             archive holds its whole chain.",
        ),
        TokenRefusal::Signature => Some(
            "The signature does not fit: see that the key is the one registered on the client in this \
             environment under this kid, and that it has not ended (a key lives one year at most).",
        ),
        TokenRefusal::Scope => Some(
            "The client's organisation has not been given a scope that was asked for: see that \
             idporten:scopes.read and, for apply, idporten:scopes.write are granted to the \
             organisation and registered on the client.",
        ),
        TokenRefusal::Delegation => {
            Some("The organisation has not delegated this scope to the supplier in Altinn.")
        }
        TokenRefusal::RepeatedGrant | TokenRefusal::ClockAhead | TokenRefusal::Other => {
            of_any_token(refusal)
        }
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
        None => "See that `target` names the API itself, then run again.".to_owned(),
    }
}

fn of_kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Untrusted => {
            "Compare `target` in portvakt.yaml with DigDir's documentation. No credentials were sent."
        }
        ErrorKind::OtherOrganization => {
            "See that `organization.orgno` in portvakt.yaml is the organisation of the client."
        }
        ErrorKind::Auth => {
            "See that the client exists in this environment, that its key is registered and \
             has not ended, and that it holds the scopes idporten:scopes.read and, for \
             apply, idporten:scopes.write."
        }
        ErrorKind::Forbidden => {
            "See that the entity is this organisation's own and that the client holds the \
             scope idporten:scopes.write for changes, idporten:scopes.read for reading."
        }
        ErrorKind::NotFound => "Make a new plan: what it is about is no longer there.",
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
            "See that this machine reaches the host (network, firewall, HTTPS_PROXY), then \
             run again."
        }
        ErrorKind::AnswerLost => "Make a new plan: it shows whether this was carried out.",
        ErrorKind::Stopped => "Run apply again.",
        ErrorKind::Malformed => {
            "See that `target` names the API itself and that no gateway or proxy answers in \
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
            (TokenRefusal::RepeatedGrant, "HTTPS_PROXY"),
            (TokenRefusal::ClockAhead, "set it by NTP"),
            (TokenRefusal::OtherOrganization, "another organisation than the client"),
            (TokenRefusal::Certificate, "its whole chain"),
            (TokenRefusal::Signature, "under this kid"),
            (TokenRefusal::Scope, "for apply, idporten:scopes.write"),
            (TokenRefusal::Delegation, "in Altinn"),
        ] {
            assert!(of_token(refusal).unwrap().contains(advice), "{refusal:?}");
        }
        assert_eq!(of_token(TokenRefusal::Other), None);
        assert!(of_kind(ErrorKind::Auth).contains("key is registered"));
    }
}

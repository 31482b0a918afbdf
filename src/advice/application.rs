//! Remedies for token refusals of an application's client.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{MOST, help, of_any_token};
use digdir::{Error, TokenRefusal, Wanted};
use domain::Orgno;
use domain::secret::excerpt;

/// Time until a change reaches Maskinporten, in seconds (DigDir's documentation: about two minutes).
const SYNC_SECONDS: i64 = 120;

/// Facts about an application's client that explain a refusal.
#[derive(Debug, Clone)]
pub struct TokenClient {
    /// The client's name.
    pub name: String,
    /// The scopes that are registered on it.
    pub scopes: BTreeSet<String>,
    /// The key's id.
    pub kid: String,
    /// When the key was registered.
    pub registered: Option<Timestamp>,
    /// The prefixes of the organisation's own scopes.
    pub own_prefixes: Vec<String>,
}

impl TokenClient {
    /// The error of a token request and, on a line of its own, the remedy.
    pub fn advised(&self, error: &Error, wanted: &Wanted) -> String {
        let Some(refusal) = error.token_refusal() else { return super::advised(error) };
        let advice = match of_any_token(refusal) {
            Some(_) => help(error),
            None => excerpt(&self.advice(refusal, error, wanted), MOST),
        };
        format!("{error}\n{advice}")
    }

    fn advice(&self, refusal: TokenRefusal, error: &Error, wanted: &Wanted) -> String {
        let name = &self.name;
        let description = error.description().unwrap_or_default();
        let is_named = |scope: &&String| holds_word(description, scope);
        let mut scopes: Vec<&str> =
            wanted.scopes.iter().filter(is_named).map(String::as_str).collect();
        if scopes.is_empty() {
            scopes = wanted.scopes.iter().map(String::as_str).collect();
        }
        match refusal {
            TokenRefusal::Signature => self.signature(Timestamp::now()),
            TokenRefusal::Scope => self.no_access(&scopes),
            TokenRefusal::Delegation => not_delegated(&scopes, wanted.consumer_org),
            TokenRefusal::RepeatedGrant
            | TokenRefusal::ClockAhead
            | TokenRefusal::OtherOrganization
            | TokenRefusal::Certificate
            | TokenRefusal::Other => format!(
                "See in the plan that client {name}, its keys and its scopes are as declared; a \
                 change takes about two minutes to reach Maskinporten. DigDir's documentation of \
                 Maskinporten tells what the description means."
            ),
        }
    }

    fn signature(&self, now: Timestamp) -> String {
        let (name, kid) = (&self.name, &self.kid);
        let age = self.registered.map(|at| now.as_second().saturating_sub(at.as_second()));
        match age {
            Some(age) if (0..SYNC_SECONDS).contains(&age) => format!(
                "The key {kid} was registered on client {name} {age} s ago, and it takes about two \
                 minutes until Maskinporten knows it: wait and run again."
            ),
            _ => format!(
                "The key {kid} is registered on client {name}, but Maskinporten does not accept it: \
                 see in `portvakt keys list` that it has not ended. A key that was registered in \
                 the last two minutes may not be known yet; one that another environment has is not \
                 known in this one."
            ),
        }
    }

    fn no_access(&self, scopes: &[&str]) -> String {
        let name = &self.name;
        let lines = scopes.iter().map(|scope| {
            let prefix = scope.split(':').next().unwrap_or_default();
            if !self.scopes.contains(*scope) {
                format!(
                    "{scope} is not on client {name}: put it on the client (`scopes` of its \
                     declaration) and apply"
                )
            } else if self.own_prefixes.iter().any(|own| own == prefix) {
                format!(
                    "{scope} is on client {name}, but the consumer has no access to it: it is this \
                     organisation's own scope, so name the consumer under its `consumers` and apply"
                )
            } else {
                format!(
                    "{scope} is on client {name}, but the consumer has no access to it: ask its \
                     owner, who has the prefix {prefix}, to give access"
                )
            }
        });
        let lines: Vec<_> = lines.collect();
        format!("{}. A change takes about two minutes to count.", lines.join("; "))
    }
}

fn not_delegated(scopes: &[&str], consumer: Option<Orgno>) -> String {
    let scopes = scopes.join(" ");
    let consumer = consumer.map_or("The consumer".to_owned(), |orgno| orgno.to_string());
    format!(
        "{consumer} has not delegated {scopes} to this organisation: someone there who may do so \
         delegates the scope in Altinn (API delegation). The consumer also needs access to the \
         scope, which its owner gives."
    )
}

/// Whether a text has a scope as a whole, and not only as the beginning of another.
fn holds_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || ":/._-".contains(c);
    let mut rest = text;
    while let Some(at) = rest.find(word).filter(|_| !word.is_empty()) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let ends = after.chars().next();
        let ends_sentence = |c: char| c == '.' || c == ':';
        let whole_after = ends.is_none_or(|c| !is_part(c))
            || (ends.is_some_and(ends_sentence)
                && after.chars().nth(1).is_none_or(|c| !is_part(c)));
        if !before.chars().next_back().is_some_and(is_part) && whole_after {
            return true;
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application() -> TokenClient {
        TokenClient {
            name: "sak".to_owned(),
            scopes: ["dig:a.read".to_owned(), "etat:b".to_owned()].into(),
            kid: "k".to_owned(),
            registered: Some("2026-11-24T10:00:00Z".parse().unwrap()),
            own_prefixes: vec!["etat".to_owned()],
        }
    }

    #[test]
    fn a_scope_is_found_as_a_whole() {
        let text =
            "MP-250 the consumer has not been granted the scope dig:a.read: it is not there.";
        assert!(holds_word(text, "dig:a.read"));
        for other in ["dig:a", "a.read", "ig:a.read", "dig:a.rea", ""] {
            assert!(!holds_word(text, other), "{other}");
        }
        assert!(holds_word("[dig:a]", "dig:a"));
        assert!(holds_word("no dig:ab but dig:a.", "dig:a"));
    }

    #[test]
    fn what_to_do_without_access_depends_on_whose_the_scope_is() {
        let advice = |refused: &[&str]| application().no_access(refused);
        assert!(advice(&["dig:a.read"]).contains("ask its owner, who has the prefix dig"));
        assert!(advice(&["etat:b"]).contains("under its `consumers`"));
        assert!(advice(&["dig:c"]).contains("put it on the client"));
        let all = advice(&["dig:a.read", "etat:b", "dig:c"]);
        assert!(["dig:a.read", "etat:b", "dig:c"].iter().all(|scope| all.contains(scope)));
    }

    #[test]
    fn a_young_key_is_told_with_its_age() {
        let at = |text: &str| application().signature(text.parse().unwrap());
        assert!(at("2026-11-24T10:00:30Z").contains("30 s ago"));
        assert!(at("2026-11-24T10:02:00Z").contains("keys list"));
    }
}

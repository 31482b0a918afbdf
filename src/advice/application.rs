//! Remedies for token refusals of an application's client.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{MOST, of_any_token, with_clock};
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
    /// The scopes that are registered on it; `None` if that was not read.
    pub scopes: Option<BTreeSet<String>>,
    /// The key's id.
    pub kid: String,
    /// When the key was registered.
    pub registered: Option<Timestamp>,
    /// The organisation that has it.
    pub organization: Orgno,
    /// The prefixes of the organisation's own scopes.
    pub own_prefixes: Vec<String>,
}

impl TokenClient {
    /// The error of a token request and, on a line of its own, the remedy.
    pub fn advised(&self, error: &Error, wanted: &Wanted) -> String {
        let Some(refusal) = error.token_refusal() else { return super::advised(error) };
        // The code of this refusal is not documented.
        let of_itself = (wanted.consumer_org == Some(self.organization)).then(|| {
            format!(
                "The consumer {} is the organisation of client {} itself, and Maskinporten refuses that: leave \
                 --consumer-org out.",
                self.organization, self.name
            )
        });
        let of_any = || of_any_token(refusal).map(str::to_owned);
        let of_this = || excerpt(&self.advice(refusal, error, wanted), MOST);
        let advice = of_itself.or_else(of_any).unwrap_or_else(of_this);
        format!("{error}\n{}", with_clock(error, advice))
    }

    fn advice(&self, refusal: TokenRefusal, error: &Error, wanted: &Wanted) -> String {
        let (name, kid) = (&self.name, &self.kid);
        let scopes = named(wanted, error.description().unwrap_or_default());
        match refusal {
            TokenRefusal::UnknownClient if self.scopes.is_none() => format!(
                "Maskinporten, and so Skyporten, does not know client {name}: check the id and the environment \
                 (`-e`). A new client takes about two minutes to count."
            ),
            TokenRefusal::NoKey if self.scopes.is_none() => format!(
                "Maskinporten does not know the key {kid} on client {name}: check that it is registered there, \
                 and the environment (`-e`). A new key takes about two minutes to count."
            ),
            TokenRefusal::UnknownClient => format!(
                "Maskinporten does not know client {name}, which is live. If it was made in the last \
                 minutes, wait and run again: a change takes about two minutes to count. Otherwise \
                 `maskinporten` and `api` in portvakt.yaml are probably of two environments."
            ),
            TokenRefusal::NoKey => self.unknown_key(Timestamp::now()),
            TokenRefusal::KeyExpired => format!(
                "The key {kid} of client {name} has expired: a key lives one year at most. Registering \
                 the same key again renews it: `portvakt keys renew '{name}'`."
            ),
            TokenRefusal::Signature => self.signature(Timestamp::now()),
            TokenRefusal::ScopeNotOnClient => self.not_on_client(&scopes),
            TokenRefusal::IntegrationType => format!(
                "{} is not for clients of the integration type that client {name} has: its owner's \
                 `allowed_integration_types` does not name it. Use a client of another type, or ask the \
                 owner of the scope to allow this one.",
                scopes.join(" ")
            ),
            TokenRefusal::NoAccess => self.no_access(&scopes, wanted.consumer_org.is_none()),
            TokenRefusal::Delegation => not_delegated(&scopes, wanted.consumer_org),
            TokenRefusal::MalformedGrant
            | TokenRefusal::RepeatedGrant
            | TokenRefusal::Audience
            | TokenRefusal::Resource
            | TokenRefusal::GrantTime
            | TokenRefusal::OtherOrganization
            | TokenRefusal::Certificate
            | TokenRefusal::SystemUser
            | TokenRefusal::Other => format!(
                "Check in the plan that client {name}, its keys and its scopes are as declared; a \
                 change takes about two minutes to reach Maskinporten. DigDir's documentation of \
                 Maskinporten says what the description means."
            ),
        }
    }

    /// The key is live and Maskinporten does not know it.
    fn unknown_key(&self, now: Timestamp) -> String {
        let (name, kid) = (&self.name, &self.kid);
        self.young(now).unwrap_or_else(|| {
            format!(
                "Maskinporten does not know the key {kid}, which is registered on client {name}. \
                 Probably `maskinporten` and `api` in portvakt.yaml are of two environments, or the key \
                 was removed and registered again in the last minutes."
            )
        })
    }

    fn young(&self, now: Timestamp) -> Option<String> {
        let (name, kid) = (&self.name, &self.kid);
        let age = now.as_second().saturating_sub(self.registered?.as_second());
        (0..SYNC_SECONDS).contains(&age).then(|| {
            format!(
                "The key {kid} was registered on client {name} {age} s ago, and it takes about two \
                 minutes until Maskinporten knows it: wait and run again."
            )
        })
    }

    fn signature(&self, now: Timestamp) -> String {
        let (name, kid) = (&self.name, &self.kid);
        self.young(now).unwrap_or_else(|| {
            format!(
                "The key {kid} is registered on client {name}, but Maskinporten does not accept it: \
                 see in `portvakt keys list` that it has not expired. A key that was registered in \
                 the last two minutes may not be known yet; one that another environment has is not \
                 known in this one."
            )
        })
    }

    fn not_on_client(&self, scopes: &[&str]) -> String {
        let name = &self.name;
        let lines = scopes.iter().map(|scope| match self.has(scope) {
            Some(true) => {
                format!("{scope} was put on client {name} a short time ago: wait and run again")
            }
            Some(false) | None => self.lacks(scope),
        });
        sentence(lines)
    }

    /// Whether a scope is registered on the client, as far as that is known.
    fn has(&self, scope: &str) -> Option<bool> {
        self.scopes.as_ref().map(|scopes| scopes.contains(scope))
    }

    fn lacks(&self, scope: &str) -> String {
        format!(
            "{scope} is not on client {}: put it on the client (`scopes` of its declaration) and apply",
            self.name
        )
    }

    /// `for_itself` says that the token was not for a consumer that has delegated the scope.
    fn no_access(&self, scopes: &[&str], for_itself: bool) -> String {
        let name = &self.name;
        let mut has_foreign = false;
        let lines: Vec<String> = scopes
            .iter()
            .map(|scope| {
                let prefix = scope.split(':').next().unwrap_or_default();
                if self.has(scope) == Some(false) {
                    return self.lacks(scope);
                }
                if self.own_prefixes.iter().any(|own| own == prefix) {
                    return format!(
                        "{scope} is on client {name}, but the consumer has no access to it: it is this \
                         organisation's own scope, so name the consumer under its `consumers` and apply"
                    );
                }
                has_foreign = true;
                format!(
                    "{scope} is on client {name}, but the consumer has no access to it: ask its \
                     owner, who has the prefix {prefix}, to give access"
                )
            })
            .collect();
        let forgotten = match has_foreign && for_itself {
            true => " If a consumer has delegated the scope, name that consumer by --consumer-org.",
            false => "",
        };
        sentence(lines.into_iter()) + forgotten
    }
}

fn sentence(lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<_> = lines.collect();
    format!("{}. A change takes about two minutes to count.", lines.join("; "))
}

/// The scopes that a description names, or else all that were asked for.
fn named<'w>(wanted: &'w Wanted, description: &str) -> Vec<&'w str> {
    let all = || wanted.scopes.iter().map(String::as_str);
    let named: Vec<&str> = all().filter(|scope| contains_word(description, scope)).collect();
    if named.is_empty() { all().collect() } else { named }
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
fn contains_word(text: &str, word: &str) -> bool {
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
            scopes: Some(["dig:a.read".to_owned(), "etat:b".to_owned()].into()),
            kid: "k".to_owned(),
            registered: Some("2026-11-24T10:00:00Z".parse().unwrap()),
            organization: "889640782".parse().unwrap(),
            own_prefixes: vec!["etat".to_owned()],
        }
    }

    #[test]
    fn a_scope_is_found_as_a_whole() {
        let text =
            "MP-250 the consumer has not been granted the scope dig:a.read: it is not there.";
        assert!(contains_word(text, "dig:a.read"));
        for other in ["dig:a", "a.read", "ig:a.read", "dig:a.rea", ""] {
            assert!(!contains_word(text, other), "{other}");
        }
        assert!(contains_word("[dig:a]", "dig:a"));
        assert!(contains_word("no dig:ab but dig:a.", "dig:a"));
    }

    #[test]
    fn what_to_do_without_access_depends_on_whose_the_scope_is() {
        let advice = |refused: &[&str]| application().no_access(refused, true);
        let unread = TokenClient { scopes: None, ..application() };
        assert!(unread.no_access(&["dig:c"], true).contains("ask its owner"));
        assert!(unread.not_on_client(&["dig:c"]).contains("put it on the client"));
        let foreign = advice(&["dig:a.read"]);
        assert!(foreign.contains("ask its owner, who has the prefix dig"));
        assert!(foreign.contains("by --consumer-org"));
        assert!(!application().no_access(&["dig:a.read"], false).contains("--consumer-org"));
        assert!(!advice(&["etat:b"]).contains("--consumer-org"));
        assert!(advice(&["etat:b"]).contains("under its `consumers`"));
        assert!(advice(&["dig:c"]).contains("put it on the client"));
        let all = advice(&["dig:a.read", "etat:b", "dig:c"]);
        assert!(["dig:a.read", "etat:b", "dig:c"].iter().all(|scope| all.contains(scope)));
    }

    #[test]
    fn a_young_key_is_reported_with_its_age() {
        let at = |text: &str| application().signature(text.parse().unwrap());
        assert!(at("2026-11-24T10:00:30Z").contains("30 s ago"));
        assert!(at("2026-11-24T10:02:00Z").contains("keys list"));
    }
}

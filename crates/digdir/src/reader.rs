//! The calls that read. There is no way from here to a call that changes anything.

use std::fmt;
use std::sync::Arc;

use http::Answer;
use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use super::call::{AllScopesFilter, Call};
use super::credentials::Credentials;
use super::error::{Error, ErrorKind};
use super::failure::Failure;
use super::live_clients::Clients;
use super::needs::Reach;
use super::options::Options;
use super::owner;
use super::target::ApiTarget;
use super::transport::Transport;
use super::wire::{AccessEntry, ApiErrorResponse, KeySet, PrefixEntry, owner_of_scope};
use domain::{ClientId, LiveKey, Orgno, OwnClient, Representation, ScopeName};

/// The API for reading. Cheap to clone; clones share token and limits.
#[derive(Clone)]
pub struct Reader {
    pub(super) transport: Arc<Transport>,
}

impl Reader {
    /// Connects with a token for `idporten:scopes.read` and, to reach clients, `idporten:dcr.read`
    /// alone.
    pub async fn connect(
        target: ApiTarget,
        credentials: Credentials,
        options: Options,
        reach: Reach,
    ) -> Result<Self, Error> {
        let scope = match reach {
            Reach::Scopes => "idporten:scopes.read",
            Reach::ScopesAndClients => "idporten:scopes.read idporten:dcr.read",
        };
        let transport = Transport::connect(target, credentials, options, scope).await?;
        Ok(Self { transport })
    }

    /// The organisation's scopes, inactive ones included (`GET /scopes`). Errors where one is another
    /// organisation's.
    pub async fn scopes(&self) -> Result<Vec<Representation>, Error> {
        let call = Call::scopes();
        let scopes: Vec<Representation> = self.list(&call).await?;
        owner::check(&call, self.transport.owner(), scopes.iter().map(owner_of_scope))?;
        Ok(scopes)
    }

    /// One scope, active or not; `None` if there is none of that name (`GET /scopes/scope`).
    pub async fn representation(&self, name: &ScopeName) -> Result<Option<Representation>, Error> {
        self.one(&Call::scope(name)).await
    }

    /// What all organisations have made public (`GET /scopes/all`).
    pub async fn all_scopes(&self, filter: &AllScopesFilter) -> Result<Vec<Representation>, Error> {
        self.list(&Call::all_scopes(filter)).await
    }

    /// Who has access to a scope (`GET /scopes/access?scope=`); with `inactive`, also those whose
    /// entries are inactive.
    pub async fn accesses(
        &self,
        scope: &ScopeName,
        inactive: bool,
    ) -> Result<Vec<AccessEntry>, Error> {
        self.list(&Call::accesses(scope, inactive)).await
    }

    /// What a consumer has access to (`GET /scopes/access?consumer_orgno=`).
    pub async fn accesses_of_consumer(&self, consumer: Orgno) -> Result<Vec<AccessEntry>, Error> {
        self.list(&Call::accesses_of_consumer(consumer, false)).await
    }

    /// What the organisation itself has been given access to (`GET /scopes/access/all`).
    /// With `inactive`, also those to scopes that are inactive, and those that were taken away.
    pub async fn accesses_to_us(&self, inactive: bool) -> Result<Vec<AccessEntry>, Error> {
        self.list(&Call::accesses_to_us(inactive)).await
    }

    /// The organisation's clients, inactive ones included (`GET /clients`).
    pub async fn clients(&self) -> Result<Vec<Representation>, Error> {
        self.list(&Call::clients()).await
    }

    /// The keys that are registered on a client (`GET /clients/{id}/jwks`), of which there can be
    /// none.
    pub async fn keys(&self, id: &ClientId) -> Result<Vec<LiveKey>, Error> {
        let set: Option<KeySet> = self.one(&Call::keys(id)).await?;
        let keys = set.and_then(|set| set.keys).unwrap_or_default();
        Ok(keys.into_iter().map(LiveKey::new).collect())
    }

    /// The client that all of this is read by. When its key ends is known where it is among the clients that
    /// were read.
    pub(super) async fn own_client(&self, clients: &Clients) -> Result<OwnClient, Error> {
        let credentials = self.transport.credentials();
        let id = credentials.client_id().clone();
        let kid = credentials.kid().map(str::to_owned);
        let listed = clients.get(&id).filter(|_| kid.is_some());
        let keys = match listed.map(|client| &client.keys) {
            Some(Some(keys)) => keys.clone(),
            Some(None) => self.keys(&id).await?,
            None => Vec::new(),
        };
        let own = keys.iter().find(|key| Some(&key.kid) == kid.as_ref());
        let key_expires = own.and_then(|key| key.ends);
        Ok(OwnClient {
            id,
            kid,
            key_expires,
            certificate_expires: credentials.certificate_expires(),
        })
    }

    /// The organisation's prefixes (`GET /prefix`). Errors where one is another organisation's.
    pub(super) async fn prefix_entries(&self) -> Result<Vec<PrefixEntry>, Error> {
        let call = Call::prefixes();
        let entries: Vec<PrefixEntry> = self.list(&call).await?;
        let owners = entries.iter().map(|entry| {
            let prefix = entry.prefix.as_deref().unwrap_or_default();
            (format!("prefix {prefix}"), entry.owner_orgno.as_deref())
        });
        owner::check(&call, self.transport.owner(), owners)?;
        Ok(entries)
    }

    /// A list. `null` is none: an empty list means that nobody has access or nothing exists, and
    /// that is acted upon, so it must be said.
    pub(super) async fn list<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<Vec<T>, Error> {
        match self.transport.send(call).await {
            Ok(answer) => parse(call, &answer),
            Err(failure) if means_empty_list(&failure) => Ok(Vec::new()),
            Err(failure) => Err(self.transport.error(failure, call)),
        }
    }

    /// One thing; `None` if it does not exist.
    pub(super) async fn one<T: DeserializeOwned>(
        &self,
        call: &Call<'_>,
    ) -> Result<Option<T>, Error> {
        match self.transport.send(call).await {
            Ok(answer) => parse(call, &answer).map(Some),
            Err(failure) if means_empty_list(&failure) => Ok(None),
            Err(failure) => match self.transport.error(failure, call) {
                error if error.kind() == ErrorKind::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

fn parse<T: DeserializeOwned>(call: &Call<'_>, answer: &Answer) -> Result<T, Error> {
    serde_json::from_slice(&answer.body).map_err(|reason| {
        let reason = format!("the answer cannot be read: {reason}");
        Error::new(ErrorKind::Malformed, &call.place(), reason).status_is(answer.status)
    })
}

/// Whether a refusal is DigDir's way to say that there is nothing. One that is about who asks, or
/// how often, is none, whatever it says ("does not have any of the required scopes").
fn means_empty_list(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(refusal) => match refusal.answer.status {
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::PRECONDITION_REQUIRED
            | StatusCode::TOO_MANY_REQUESTS => false,
            status if status.is_client_error() => {
                ApiErrorResponse::of(&refusal.answer).is_some_and(|error| error.means_empty_list())
            }
            _ => false,
        },
        Failure::Unanswered(_) | Failure::Malformed(..) | Failure::Unsent(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure::tests::answer;
    use super::*;

    fn empty(status: u16, content_type: &str, body: &str) -> bool {
        means_empty_list(&answer(status, content_type, body).into())
    }

    #[test]
    fn an_empty_list_can_come_as_a_refusal() {
        let json = "application/json";
        let says = r#"{"error_description": "Organization does not have any scopes"}"#;
        assert!(empty(404, json, says));
        assert!(empty(400, json, says));
        assert!(!empty(401, json, says));
        assert!(!empty(429, json, says));
        assert!(!empty(500, json, says));
        assert!(!empty(404, "text/html", says));
        assert!(!empty(404, json, r#"{"error_description": "no such scope"}"#));
        assert!(!empty(404, json, "[]"));
        assert!(!empty(404, json, ""));
    }

    #[test]
    fn null_is_no_list() {
        let answer = |body| answer(200, "application/json", body);
        let list = |body| parse::<Vec<AccessEntry>>(&Call::prefixes(), &answer(body));
        assert_eq!(list("[]").unwrap(), []);
        for odd in ["null", "", "{}", "[null]", "[{}", "\"\""] {
            assert_eq!(list(odd).unwrap_err().kind(), ErrorKind::Malformed, "{odd}");
        }
    }
}

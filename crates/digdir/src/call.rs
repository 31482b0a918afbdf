//! Every call of the API, as data.

use std::fmt;

use http::{ONCE, REPEATABLE, RetryPolicy};
use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::error::CallPlace;
use domain::{ClientId, IntegrationType, OnBehalfOfId, Orgno, Representation, SCOPE, ScopeName};

/// What to ask of `GET /scopes/all`, the list of every organisation's public scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllScopesFilter {
    /// Only scopes of this prefix.
    pub prefix: Option<String>,
    /// Only scopes that are, or are not, open to every organisation.
    pub accessible_for_all: Option<bool>,
    /// Only scopes that this kind of client may carry.
    pub integration_type: Option<IntegrationType>,
}

/// A part of a call's path. No free text can be one: it could name another resource (`..`), and
/// `DELETE /scopes` deactivates.
#[derive(Debug, Clone)]
enum Part {
    Fixed(&'static str),
    Orgno(Orgno),
    Client(ClientId),
    OnBehalfOf(OnBehalfOfId),
}

impl Part {
    fn as_str(&self) -> &str {
        match self {
            Self::Fixed(word) => word,
            Self::Orgno(orgno) => orgno.as_str(),
            Self::Client(id) => id.as_str(),
            Self::OnBehalfOf(id) => id.as_str(),
        }
    }
}

/// One call: method, path, query, body, and what it is sent again after.
#[derive(Debug)]
pub struct Call<'a> {
    pub(super) method: Method,
    path: Vec<Part>,
    query: Vec<(&'static str, String)>,
    pub(super) body: Option<&'a Representation>,
    pub(super) policy: &'static RetryPolicy,
    entity: String,
}

impl<'a> Call<'a> {
    fn new(method: Method, path: &[&'static str], entity: String) -> Self {
        Self {
            method,
            path: path.iter().map(|word| Part::Fixed(word)).collect(),
            query: Vec::new(),
            body: None,
            policy: &REPEATABLE,
            entity,
        }
    }

    fn get(path: &[&'static str], entity: impl Into<String>) -> Self {
        Self::new(Method::GET, path, entity.into())
    }

    /// With a body, which is never sent twice.
    fn writing(self, body: &'a Representation) -> Self {
        Self { body: Some(body), policy: &ONCE, ..self }
    }

    fn below(mut self, part: Part) -> Self {
        self.path.push(part);
        self
    }

    fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    fn with_inactive(self, inactive: bool) -> Self {
        match inactive {
            true => self.with("inactive", true),
            false => self,
        }
    }

    /// `GET /scopes`: the organisation's scopes, inactive ones included.
    pub fn scopes() -> Self {
        Self::get(&["scopes"], "the organisation's scopes").with_inactive(true)
    }

    /// `GET /scopes/scope`: one scope, active or not.
    pub fn scope(name: &ScopeName) -> Self {
        Self::get(&["scopes", "scope"], format!("scope {name}"))
            .with("scope", name)
            .with_inactive(true)
    }

    pub(super) fn all_scopes(filter: &AllScopesFilter) -> Self {
        let AllScopesFilter { prefix, accessible_for_all, integration_type } = filter;
        let mut call = Self::get(&["scopes", "all"], "all organisations' scopes");
        if let Some(prefix) = prefix {
            call = call.with("prefix", prefix);
        }
        if let Some(open) = accessible_for_all {
            call = call.with(SCOPE.accessible_for_all.name, open);
        }
        if let Some(kind) = integration_type {
            call = call.with("integration_type", kind.as_str());
        }
        call
    }

    /// `GET /scopes/access?scope=`: the consumers of a scope.
    pub fn accesses(scope: &ScopeName, inactive: bool) -> Self {
        Self::get(&["scopes", "access"], format!("accesses to {scope}"))
            .with("scope", scope)
            .with_inactive(inactive)
    }

    /// `GET /scopes/access?consumer_orgno=`: the accesses that one consumer has.
    pub fn accesses_of_consumer(consumer: Orgno, inactive: bool) -> Self {
        Self::get(&["scopes", "access"], format!("accesses of {consumer}"))
            .with("consumer_orgno", consumer)
            .with_inactive(inactive)
    }

    /// `GET /scopes/access/all`: the accesses of the organisation itself.
    pub fn accesses_to_us(inactive: bool) -> Self {
        Self::get(&["scopes", "access", "all"], "accesses of the organisation")
            .with_inactive(inactive)
    }

    /// `GET /prefix`.
    pub fn prefixes() -> Self {
        Self::get(&["prefix"], "the organisation's prefixes")
    }

    pub(super) fn delegation_sources() -> Self {
        Self::get(&["delegationsources"], "delegation sources")
    }

    /// `POST /scopes`.
    pub fn create_scope(scope: &'a Representation) -> Self {
        let name = super::wire::scope_name(scope);
        let entity = name.map_or_else(|(entity, _)| entity, |name| format!("scope {name}"));
        Self::new(Method::POST, &["scopes"], entity).writing(scope)
    }

    /// `PUT /scopes`.
    pub fn update_scope(name: &ScopeName, scope: &'a Representation) -> Self {
        Self::of_scope(Method::PUT, name).writing(scope)
    }

    /// `DELETE /scopes`.
    pub fn deactivate_scope(name: &ScopeName) -> Self {
        Self::of_scope(Method::DELETE, name)
    }

    fn of_scope(method: Method, name: &ScopeName) -> Self {
        Self::new(method, &["scopes"], format!("scope {name}")).with("scope", name)
    }

    /// `PUT /scopes/access/{orgno}`.
    pub fn grant(scope: &ScopeName, consumer: Orgno) -> Self {
        Self::access(Method::PUT, scope, consumer)
    }

    /// `DELETE /scopes/access/{orgno}`.
    pub fn revoke(scope: &ScopeName, consumer: Orgno) -> Self {
        Self::access(Method::DELETE, scope, consumer)
    }

    fn access(method: Method, scope: &ScopeName, consumer: Orgno) -> Self {
        let entity = format!("access of {consumer} to {scope}");
        Self::new(method, &["scopes", "access"], entity)
            .below(Part::Orgno(consumer))
            .with("scope", scope)
    }

    /// `GET /clients`: the organisation's clients, inactive ones included.
    pub fn clients() -> Self {
        Self::get(&["clients"], "the organisation's clients").with_inactive(true)
    }

    pub(super) fn client(id: &ClientId) -> Self {
        Self::of_client(Method::GET, id)
    }

    /// `POST /clients`.
    pub fn create_client(client: &'a Representation) -> Self {
        let name = client.get("client_name").and_then(Value::as_str).unwrap_or_default();
        let entity = format!("client {name}");
        Self::new(Method::POST, &["clients"], entity).writing(client)
    }

    pub(super) fn update_client(id: &ClientId, client: &'a Representation) -> Self {
        Self::of_client(Method::PUT, id).writing(client)
    }

    /// `DELETE /clients/{id}`.
    pub fn deactivate_client(id: &ClientId) -> Self {
        Self::of_client(Method::DELETE, id)
    }

    fn of_client(method: Method, id: &ClientId) -> Self {
        Self::below_client(method, id, format!("client {id}"))
    }

    /// `GET /clients/{id}/jwks`.
    pub fn keys(id: &ClientId) -> Self {
        Self::of_keys(Method::GET, id)
    }

    /// `POST /clients/{id}/jwks`.
    pub fn replace_keys(id: &ClientId, keys: &'a Representation) -> Self {
        Self::of_keys(Method::POST, id).writing(keys)
    }

    pub(super) fn delete_keys(id: &ClientId) -> Self {
        Self::of_keys(Method::DELETE, id)
    }

    fn of_keys(method: Method, id: &ClientId) -> Self {
        Self::below_client(method, id, format!("keys of client {id}")).below(Part::Fixed("jwks"))
    }

    pub(super) fn on_behalf_of(id: &ClientId) -> Self {
        Self::of_on_behalf_of(Method::GET, id, format!("onbehalfof of client {id}"))
    }

    pub(super) fn add_on_behalf_of(id: &ClientId, entry: &'a Representation) -> Self {
        Self::of_on_behalf_of(Method::POST, id, format!("onbehalfof of client {id}")).writing(entry)
    }

    pub(super) fn update_on_behalf_of(
        id: &ClientId,
        entry_id: &OnBehalfOfId,
        entry: &'a Representation,
    ) -> Self {
        Self::of_entry(Method::PUT, id, entry_id).writing(entry)
    }

    pub(super) fn delete_on_behalf_of(id: &ClientId, entry_id: &OnBehalfOfId) -> Self {
        Self::of_entry(Method::DELETE, id, entry_id)
    }

    fn of_entry(method: Method, id: &ClientId, entry_id: &OnBehalfOfId) -> Self {
        let entity = format!("onbehalfof {entry_id} of client {id}");
        Self::of_on_behalf_of(method, id, entity).below(Part::OnBehalfOf(entry_id.clone()))
    }

    fn of_on_behalf_of(method: Method, id: &ClientId, entity: String) -> Self {
        Self::below_client(method, id, entity).below(Part::Fixed("onbehalfof"))
    }

    fn below_client(method: Method, id: &ClientId, entity: String) -> Self {
        Self::new(method, &["clients"], entity).below(Part::Client(id.clone()))
    }

    /// The call's address, every value percent-encoded.
    pub(super) fn url(&self, api: &Url) -> Url {
        let mut url = api.clone();
        // Fails for addresses such as `mailto:` only, and a target is https or http.
        if let Ok(mut path) = url.path_segments_mut() {
            let parts = self.path.iter().map(Part::as_str);
            path.pop_if_empty().extend(["api", "v1"]).extend(parts);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }

    /// Where an error of this call happened.
    pub(super) fn place(&self) -> CallPlace {
        let path: Vec<_> = self.path.iter().map(Part::as_str).collect();
        let mut call = format!("{} /{}", self.method, path.join("/"));
        for (i, (name, value)) in self.query.iter().enumerate() {
            let separator = if i == 0 { '?' } else { '&' };
            call = format!("{call}{separator}{name}={value}");
        }
        CallPlace { call, entity: self.entity.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Url {
        Url::parse("https://api.samarbeid.digdir.no").unwrap()
    }

    #[test]
    fn every_value_is_percent_encoded() {
        let name: ScopeName = "etat:a/b&inactive=true#æøå?%2e+;../".parse().unwrap();
        let url = Call::deactivate_scope(&name).url(&api());
        assert_eq!(url.path(), "/api/v1/scopes");
        assert_eq!(
            url.query(),
            Some("scope=etat%3Aa%2Fb%26inactive%3Dtrue%23%C3%A6%C3%B8%C3%A5%3F%252e%2B%3B..%2F")
        );
        let back: Vec<_> = url.query_pairs().into_owned().collect();
        assert_eq!(back, [("scope".to_owned(), name.to_string())]);
    }

    #[test]
    fn an_access_names_its_consumer_in_the_path() {
        let name: ScopeName = "etat:a".parse().unwrap();
        let call = Call::revoke(&name, "974761076".parse().unwrap());
        assert_eq!(call.url(&api()).path(), "/api/v1/scopes/access/974761076");
        assert_eq!(call.place().call, "DELETE /scopes/access/974761076?scope=etat:a");
        assert_eq!(call.place().entity, "access of 974761076 to etat:a");
    }

    #[test]
    fn what_belongs_to_a_client_lies_below_its_id() {
        let id: ClientId = "b7b3-1".parse().unwrap();
        assert_eq!(Call::delete_keys(&id).url(&api()).path(), "/api/v1/clients/b7b3-1/jwks");
        let entry: OnBehalfOfId = "kommune nr. 1 æ".parse().unwrap();
        assert_eq!(
            Call::delete_on_behalf_of(&id, &entry).url(&api()).path(),
            "/api/v1/clients/b7b3-1/onbehalfof/kommune%20nr.%201%20%C3%A6"
        );
        for path in ["", ".", "..", "a/b", "a%2fb", "a?b"] {
            assert!(path.parse::<ClientId>().is_err() && path.parse::<OnBehalfOfId>().is_err());
        }
    }

    #[test]
    fn inactive_is_asked_for_in_lower_case_and_only_where_wanted() {
        let name: ScopeName = "etat:a".parse().unwrap();
        let query = |call: Call<'_>| call.url(&api()).query().map(str::to_owned);
        assert_eq!(query(Call::scopes()).as_deref(), Some("inactive=true"));
        assert_eq!(query(Call::accesses(&name, false)).as_deref(), Some("scope=etat%3Aa"));
        assert_eq!(
            query(Call::accesses(&name, true)).as_deref(),
            Some("scope=etat%3Aa&inactive=true")
        );
        let filter = AllScopesFilter {
            prefix: Some("a&b".to_owned()),
            accessible_for_all: Some(true),
            integration_type: Some(IntegrationType::ApiKlient),
        };
        assert_eq!(
            query(Call::all_scopes(&filter)).as_deref(),
            Some("prefix=a%26b&accessible_for_all=true&integration_type=api_klient")
        );
    }

    #[test]
    fn a_path_of_the_api_itself_is_kept() {
        for api in ["https://gateway.example/digdir", "https://gateway.example/digdir/"] {
            let url = Call::prefixes().url(&Url::parse(api).unwrap());
            assert_eq!(url.as_str(), "https://gateway.example/digdir/api/v1/prefix");
        }
    }
}

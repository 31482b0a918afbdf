//! Every call of the API that this program makes, as data.

use std::fmt;

use reqwest::Method;
use serde::Serialize;
use url::Url;

use super::attempts::{ONCE, Policy, REPEATABLE};
use super::error::Place;
use crate::domain::{IntegrationType, Orgno, Representation, ScopeName};

/// What to ask of `GET /scopes/all`, the list of every organisation's public scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllScopesFilter {
    /// Only scopes of this prefix.
    pub prefix: Option<String>,
    /// Inactive ones too.
    pub inactive: bool,
    /// Only scopes that are, or are not, open to every organisation.
    pub accessible_for_all: Option<bool>,
    /// Only scopes that can, or cannot, be delegated.
    pub delegated_sources: Option<bool>,
    /// Only scopes that this kind of client may carry.
    pub integration_type: Option<IntegrationType>,
}

/// One call. What is put into its path is an [`Orgno`] or a constant: a free text there could
/// name another resource (`..`), and `DELETE /scopes` deactivates.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) method: Method,
    path: &'static [&'static str],
    orgno: Option<Orgno>,
    query: Vec<(&'static str, String)>,
    pub(super) body: Option<&'a Representation>,
    pub(super) policy: &'static Policy,
    entity: String,
}

impl<'a> Call<'a> {
    fn new(method: Method, path: &'static [&'static str], entity: String) -> Self {
        Self {
            method,
            path,
            orgno: None,
            query: Vec::new(),
            body: None,
            policy: &REPEATABLE,
            entity,
        }
    }

    fn get(path: &'static [&'static str], entity: impl Into<String>) -> Self {
        Self::new(Method::GET, path, entity.into())
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

    pub(super) fn scopes() -> Self {
        Self::get(&["scopes"], "the organisation's scopes").with_inactive(true)
    }

    pub(super) fn scope(name: &ScopeName) -> Self {
        Self::get(&["scopes", "scope"], format!("scope {name}"))
            .with("scope", name)
            .with_inactive(true)
    }

    pub(super) fn all_scopes(filter: &AllScopesFilter) -> Self {
        let AllScopesFilter {
            prefix,
            inactive,
            accessible_for_all,
            delegated_sources,
            integration_type,
        } = filter;
        let mut call = Self::get(&["scopes", "all"], "all organisations' scopes");
        if let Some(prefix) = prefix {
            call = call.with("prefix", prefix);
        }
        if let Some(open) = accessible_for_all {
            call = call.with("accessible_for_all", open);
        }
        if let Some(delegated) = delegated_sources {
            call = call.with("delegated_sources", delegated);
        }
        if let Some(word) = integration_type.as_ref().and_then(word) {
            call = call.with("integration_type", word);
        }
        call.with_inactive(*inactive)
    }

    pub(super) fn accesses(scope: &ScopeName, inactive: bool) -> Self {
        Self::get(&["scopes", "access"], format!("accesses to {scope}"))
            .with("scope", scope)
            .with_inactive(inactive)
    }

    pub(super) fn accesses_of_consumer(consumer: Orgno) -> Self {
        Self::get(&["scopes", "access"], format!("accesses of {consumer}"))
            .with("consumer_orgno", consumer)
    }

    pub(super) fn accesses_to_us() -> Self {
        Self::get(&["scopes", "access", "all"], "accesses of the organisation")
    }

    pub(super) fn prefixes() -> Self {
        Self::get(&["prefix"], "the organisation's prefixes")
    }

    pub(super) fn delegation_sources() -> Self {
        Self::get(&["delegationsources"], "delegation sources")
    }

    pub(super) fn organization(orgno: Orgno) -> Self {
        Self {
            orgno: Some(orgno),
            ..Self::get(&["organizations"], format!("organisation {orgno}"))
        }
    }

    pub(super) fn create_scope(scope: &'a Representation) -> Self {
        let name = super::wire::scope_name(scope);
        let entity = name.map_or_else(|(entity, _)| entity, |name| format!("scope {name}"));
        Self { body: Some(scope), policy: &ONCE, ..Self::new(Method::POST, &["scopes"], entity) }
    }

    pub(super) fn update_scope(name: &ScopeName, scope: &'a Representation) -> Self {
        Self {
            body: Some(scope),
            policy: &ONCE,
            ..Self::new(Method::PUT, &["scopes"], format!("scope {name}")).with("scope", name)
        }
    }

    pub(super) fn deactivate_scope(name: &ScopeName) -> Self {
        Self::new(Method::DELETE, &["scopes"], format!("scope {name}")).with("scope", name)
    }

    pub(super) fn grant(scope: &ScopeName, consumer: Orgno) -> Self {
        Self::access(Method::PUT, scope, consumer)
    }

    pub(super) fn revoke(scope: &ScopeName, consumer: Orgno) -> Self {
        Self::access(Method::DELETE, scope, consumer)
    }

    fn access(method: Method, scope: &ScopeName, consumer: Orgno) -> Self {
        let entity = format!("access of {consumer} to {scope}");
        Self {
            orgno: Some(consumer),
            ..Self::new(method, &["scopes", "access"], entity).with("scope", scope)
        }
    }

    /// The call's address, every value percent-encoded.
    pub(super) fn url(&self, api: &Url) -> Url {
        let mut url = api.clone();
        // Fails for addresses such as `mailto:` only, and a target is https or http.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty()
                .extend(["api", "v1"])
                .extend(self.path)
                .extend(self.orgno.iter().map(Orgno::as_str));
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }

    /// Where an error of this call happened.
    pub(super) fn place(&self) -> Place {
        let mut call = format!("{} /{}", self.method, self.path.join("/"));
        if let Some(orgno) = self.orgno {
            call = format!("{call}/{orgno}");
        }
        for (i, (name, value)) in self.query.iter().enumerate() {
            let separator = if i == 0 { '?' } else { '&' };
            call = format!("{call}{separator}{name}={value}");
        }
        Place { call, entity: self.entity.clone() }
    }
}

/// The API's word for a kind of client.
fn word(kind: &IntegrationType) -> Option<String> {
    let value = kind.serialize(serde_json::value::Serializer).ok()?;
    value.as_str().map(str::to_owned)
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
            ..AllScopesFilter::default()
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

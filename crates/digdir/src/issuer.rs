//! The metadata of Maskinporten (RFC 8414) and of Skyporten (OpenID Connect Discovery 1.0): where tokens are
//! handed out.

use http::{Client, REPEATABLE, SMALL};
use reqwest::{Method, Request};
use serde::Deserialize;
use url::Url;

use super::error::{CallPlace, Error, ErrorKind};
use super::failure::{Persistence, readable};

#[derive(Deserialize)]
struct Metadata {
    issuer: Option<String>,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
}

/// The end of the address of an issuer's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetadataPath {
    /// Maskinporten's.
    OAuth,
    /// Skyporten's.
    OpenId,
}

impl MetadataPath {
    fn of(self, issuer: &str) -> String {
        let name = match self {
            Self::OAuth => "oauth-authorization-server",
            Self::OpenId => "openid-configuration",
        };
        let slash = if issuer.ends_with('/') { "" } else { "/" };
        format!("{issuer}{slash}.well-known/{name}")
    }
}

/// Where an issuer is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The metadata itself.
    pub well_known: Url,
    /// Where tokens are handed out.
    pub token: Url,
    /// The keys that tokens are signed with; `None` where the metadata tells no usable address.
    pub jwks: Option<Url>,
}

/// Asks the issuer where its endpoints are. Errors with [`ErrorKind::Untrusted`] where the
/// metadata names another issuer (RFC 8414 section 3.3) or a token endpoint on another host:
/// otherwise whoever answers could have signed grants sent elsewhere.
pub(super) async fn endpoints(
    client: &Client,
    issuer: &str,
    metadata: MetadataPath,
    persistence: Persistence,
) -> Result<Endpoints, Error> {
    let address = metadata.of(issuer);
    let place =
        CallPlace { call: format!("GET {address}"), entity: format!("metadata of {issuer}") };
    let url = Url::parse(&address)
        .map_err(|reason| Error::new(ErrorKind::Untrusted, &place, reason.to_string()))?;
    let attempt = || {
        let request = Request::new(Method::GET, url.clone());
        async move { readable(client.exchange(request, SMALL).await?) }
    };
    let answer = persistence.repeat(&REPEATABLE, attempt).await;
    let answer = answer.map_err(|failure| persistence.error(failure, &REPEATABLE, &place))?;
    let metadata: Metadata = serde_json::from_slice(&answer.body)
        .map_err(|reason| Error::new(ErrorKind::Malformed, &place, reason.to_string()))?;
    let token = trusted(&metadata, issuer, &url)
        .map_err(|reason| Error::new(ErrorKind::Untrusted, &place, reason))?;
    let jwks = metadata.jwks_uri.as_deref().and_then(|jwks| Url::parse(jwks).ok());
    let plain = |jwks: &Url| jwks.username().is_empty() && jwks.password().is_none();
    let jwks = jwks.filter(|jwks| jwks.origin() == url.origin() && plain(jwks));
    Ok(Endpoints { well_known: url, token, jwks })
}

fn trusted(metadata: &Metadata, issuer: &str, asked: &Url) -> Result<Url, String> {
    let reported = metadata.issuer.as_deref().unwrap_or_default();
    if reported != issuer {
        return Err(format!(
            "its metadata names the issuer {reported:?}; configured is {issuer:?}, and the two must \
             be the same to the last slash"
        ));
    }
    let endpoint = metadata.token_endpoint.as_deref().unwrap_or_default();
    let url = Url::parse(endpoint)
        .map_err(|reason| format!("its token_endpoint {endpoint:?} is not an address: {reason}"))?;
    let plain = url.username().is_empty() && url.password().is_none();
    if url.origin() != asked.origin() || !plain {
        return Err(format!(
            "its token_endpoint {endpoint:?} is not on the issuer's own host {}",
            asked.origin().ascii_serialization()
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(issuer: &str, token_endpoint: &str) -> Result<Url, String> {
        let metadata = Metadata {
            issuer: Some(issuer.to_owned()),
            token_endpoint: Some(token_endpoint.to_owned()),
            jwks_uri: None,
        };
        let asked = Url::parse("https://maskinporten.no/.well-known/x").unwrap();
        trusted(&metadata, "https://maskinporten.no/", &asked)
    }

    #[test]
    fn the_issuer_is_the_configured_one_to_the_last_slash() {
        let token = "https://maskinporten.no/token";
        assert_eq!(check("https://maskinporten.no/", token).unwrap().as_str(), token);
        for other in
            ["https://maskinporten.no", "https://MASKINPORTEN.no/", "https://evil.example/", ""]
        {
            assert!(check(other, token).is_err(), "{other}");
        }
    }

    #[test]
    fn the_token_endpoint_lies_on_the_issuers_host() {
        for elsewhere in [
            "https://evil.example/token",
            "http://maskinporten.no/token",
            "https://maskinporten.no:8443/token",
            "https://x:y@maskinporten.no/token",
            "https://token.maskinporten.no/",
            "/token",
            "",
        ] {
            assert!(check("https://maskinporten.no/", elsewhere).is_err(), "{elsewhere}");
        }
    }
}

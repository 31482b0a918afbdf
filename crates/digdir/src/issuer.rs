//! The connection to an issuer of tokens, which its metadata describes: Maskinporten's (RFC 8414) or Skyporten's
//! (OpenID Connect Discovery 1.0).

use http::Client;
use serde::Deserialize;
use url::Url;

use super::error::{CallPlace, Error, ErrorKind};
use super::failure::Persistence;
use super::options::Options;
use super::target::{ApiTarget, TargetError};

/// A connection to Maskinporten or to Skyporten alone.
pub struct Issuer {
    pub(super) client: Client,
    pub(super) issuer: String,
    pub(super) endpoints: Endpoints,
    pub(super) persistence: Persistence,
}

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

impl Issuer {
    /// Checks the hosts of the target, and asks the issuer where its endpoints are.
    pub(super) async fn find(
        target: &ApiTarget,
        issuer: Result<&str, TargetError>,
        metadata: MetadataPath,
        options: &Options,
        place: &CallPlace,
    ) -> Result<Self, Error> {
        let untrusted = |reason: String| Error::new(ErrorKind::Untrusted, place, reason);
        target.check(&options.allowed_hosts).map_err(|reason| untrusted(reason.to_string()))?;
        let issuer = issuer.map_err(|reason| untrusted(reason.to_string()))?;
        let url = Url::parse(issuer).map_err(|reason| untrusted(reason.to_string()))?;
        let client = options.client(&url, place)?;
        let persistence = options.persistence();
        let endpoints = endpoints(&client, issuer, metadata, persistence).await?;
        Ok(Self { client, issuer: issuer.to_owned(), endpoints, persistence })
    }
}

/// Asks the issuer where its endpoints are. Errors with [`ErrorKind::Untrusted`] where the
/// metadata names another issuer (RFC 8414 section 3.3) or a token endpoint on another host:
/// otherwise whoever answers could have signed grants sent elsewhere.
async fn endpoints(
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
    let metadata: Metadata = persistence.read(client, &url, &place).await?;
    let token = trusted(&metadata, issuer, &url)
        .map_err(|reason| Error::new(ErrorKind::Untrusted, &place, reason))?;
    let jwks = metadata.jwks_uri.as_deref().and_then(|jwks| Url::parse(jwks).ok());
    let jwks = jwks.filter(|jwks| is_on_host(jwks, &url));
    Ok(Endpoints { well_known: url, token, jwks })
}

/// Whether an address is on the host of another one, and has neither user nor password.
fn is_on_host(url: &Url, other: &Url) -> bool {
    url.origin() == other.origin() && url.username().is_empty() && url.password().is_none()
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
    if !is_on_host(&url, asked) {
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

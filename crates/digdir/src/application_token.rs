//! Tokens as an application gets them: by its own client and key.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::credentials::{Credentials, Wanted};
use super::error::{CallPlace, Error, ErrorKind};
use super::issuer::{Endpoints, Issuer, MetadataPath};
use super::options::Options;
use super::target::{ApiTarget, TargetError};

/// A token that was handed out. Its `Debug` does not show it.
#[derive(Debug)]
pub struct Issued {
    /// The token itself.
    pub token: SecretString,
    /// How long it lives, in seconds.
    pub expires_in: u64,
    /// What it says; `None` for one that says nothing by itself (`token_type` OPAQUE).
    pub content: Option<Content>,
}

/// What a token says, with a signature that was verified by the issuer's own keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// The header.
    pub header: Value,
    /// The claims.
    pub claims: Value,
}

impl Issuer {
    /// Finds out where Maskinporten's endpoints are (RFC 8414).
    ///
    /// # Errors
    /// The host may not be spoken to, or its metadata cannot be had or trusted.
    pub async fn connect(target: &ApiTarget, options: Options) -> Result<Self, Error> {
        Self::of_application(target, Ok(&target.issuer), MetadataPath::OAuth, options).await
    }

    /// Finds out where Skyporten's endpoints are (OpenID Connect Discovery 1.0): its tokens have one scope
    /// and need a resource.
    ///
    /// # Errors
    /// As [`Issuer::connect`]; or the target has no Skyporten.
    pub async fn skyporten(target: &ApiTarget, options: Options) -> Result<Self, Error> {
        Self::of_application(target, target.skyporten(), MetadataPath::OpenId, options).await
    }

    async fn of_application(
        target: &ApiTarget,
        issuer: Result<&str, TargetError>,
        metadata: MetadataPath,
        options: Options,
    ) -> Result<Self, Error> {
        let place = CallPlace {
            call: format!("connect to {}", issuer.as_ref().unwrap_or(&"Skyporten")),
            entity: "target".to_owned(),
        };
        Self::find(target, issuer, metadata, &options, &place).await
    }

    /// The issuer, as its metadata has it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where it is spoken to.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Gets a token and verifies it.
    ///
    /// # Errors
    /// Maskinporten refuses ([`Error::token_refusal`]), or the token is none of its own.
    pub async fn token(&self, credentials: &Credentials, wanted: &Wanted) -> Result<Issued, Error> {
        let (token, expires_in) = self.ask(credentials, wanted).await?;
        let content = match token.expose_secret().split('.').count() {
            3 => Some(self.verified(&token).await?),
            _ => None,
        };
        Ok(Issued { token, expires_in, content })
    }

    /// What the token says. No error holds any part of it.
    async fn verified(&self, token: &SecretString) -> Result<Content, Error> {
        let entity = "the token's signature".to_owned();
        let place = CallPlace { call: "verify".to_owned(), entity };
        let wrong = |reason: &str| Error::new(ErrorKind::Malformed, &place, reason);
        let token = token.expose_secret();
        let header =
            jsonwebtoken::decode_header(token).map_err(|_| wrong("the token is no JWT"))?;
        let keys = self.keys().await?;
        let kid = header.kid.as_deref().ok_or_else(|| wrong("the token names no key"))?;
        let key = keys.find(kid).ok_or_else(|| wrong("the issuer has no key of that kid"))?;
        let key = DecodingKey::from_jwk(key).map_err(|_| wrong("the issuer's key is none"))?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer]);
        // Who it is for is the reader's to see.
        validation.validate_aud = false;
        let claims = jsonwebtoken::decode::<Value>(token, &key, &validation)
            .map_err(|_| wrong("it was not signed by the issuer, or is none of its tokens"))?
            .claims;
        let header = serde_json::to_value(&header).unwrap_or_default();
        Ok(Content { header, claims })
    }

    async fn keys(&self) -> Result<JwkSet, Error> {
        let call = |url: &Url| format!("GET {url}");
        let entity = "the issuer's keys".to_owned();
        let Some(url) = &self.endpoints.jwks else {
            let place = CallPlace { call: call(&self.endpoints.well_known), entity };
            let reason = "its metadata has no jwks_uri on the issuer's own host";
            return Err(Error::new(ErrorKind::Untrusted, &place, reason));
        };
        let place = CallPlace { call: call(url), entity };
        self.persistence.read(&self.client, url, &place).await
    }
}

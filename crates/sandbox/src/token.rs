//! Maskinporten: metadata, the token endpoint, and the keys that verify its tokens.

use std::time::Duration;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::ServedCall;
use super::client_record::JWT_BEARER;
use super::grant::{self, GrantRequest};
use super::granted::{Delegated, Granted};
use super::jwk::ALGORITHMS;
use super::shared::{Caller, Shared};
use domain::Orgno;

/// An error of the token endpoint (RFC 6749 section 5.2).
#[derive(Debug)]
pub(super) struct Denial {
    error: &'static str,
    description: String,
}

impl Denial {
    pub(super) fn grant(description: impl Into<String>) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) fn client(description: impl Into<String>) -> Self {
        Self::new("invalid_client", description)
    }

    pub(super) fn scope(description: impl Into<String>) -> Self {
        Self::new("invalid_scope", description)
    }

    pub(super) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { error, description: description.into() }
    }
}

impl IntoResponse for Denial {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    }
}

/// RFC 8414 section 3.2.
pub(super) async fn metadata(call: ServedCall) -> Response {
    let issuer = &call.shared.issuer;
    Json(metadata_of(issuer, issuer)).into_response()
}

/// What the metadata of both issuers has. `base` is the issuer with a slash at its end.
pub(super) fn metadata_of(issuer: &str, base: &str) -> Value {
    json!({
        "issuer": issuer,
        "token_endpoint": format!("{base}token"),
        "jwks_uri": format!("{base}jwk"),
        "grant_types_supported": [JWT_BEARER],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
    })
}

/// RFC 7517 section 5.
pub(super) async fn keys(call: ServedCall) -> Response {
    Json(json!({ "keys": [call.shared.signing.public] })).into_response()
}

/// RFC 7523 section 2.1.
pub(super) async fn token(call: ServedCall) -> Response {
    answered(&call, &call.shared.issuer, issue)
}

/// The answer of an issuer's token endpoint: `issue` makes it of a good grant.
pub(super) fn answered(
    call: &ServedCall,
    issuer: &str,
    issue: impl FnOnce(&Shared, GrantRequest) -> Result<Json<Value>, Denial>,
) -> Response {
    let answer = assertion(call)
        .and_then(|assertion| grant::check(&call.shared, issuer, &assertion))
        .and_then(|grant| issue(&call.shared, grant));
    let answer = answer.map_or_else(Denial::into_response, IntoResponse::into_response);
    ([(header::CACHE_CONTROL, "no-store")], answer).into_response()
}

fn assertion(call: &ServedCall) -> Result<String, Denial> {
    let invalid = |what: &str| Denial::new("invalid_request", what);
    let form =
        call.form().ok_or_else(|| invalid("the body must be application/x-www-form-urlencoded"))?;
    let one = |wanted: &str| {
        let mut values = form.iter().filter(|(name, _)| name == wanted);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Ok(value.clone()),
            _ => Err(invalid(&format!("{wanted} must be there once"))),
        }
    };
    let grant_type = one("grant_type")?;
    if grant_type != JWT_BEARER {
        let description = format!("grant_type must be {JWT_BEARER}");
        return Err(Denial::new("unsupported_grant_type", description));
    }
    one("assertion")
}

fn issue(shared: &Shared, grant: GrantRequest) -> Result<Json<Value>, Denial> {
    let GrantRequest { client_id, client_amr, pid, details, granted } = grant;
    let Granted { consumer, delegation, scopes, audience, lifetime, opaque } = granted;
    let now = Timestamp::now().as_second();
    let scope = scopes.join(" ");
    let mut claims = json!({
        "iss": shared.issuer,
        "client_id": client_id,
        "client_amr": client_amr,
        "aud": audience,
        "scope": scope,
        "token_type": "Bearer",
        "iat": now,
        "exp": now.saturating_add_unsigned(lifetime),
        "jti": Uuid::new_v4().to_string(),
        "consumer": actor(consumer),
    });
    if let Some(Delegated { supplier, source }) = delegation {
        claims["supplier"] = actor(supplier);
        claims["delegation_source"] = source.into();
    }
    if let Some(pid) = pid {
        claims["pid"] = pid.into();
    }
    if let Some(details) = details {
        claims["authorization_details"] = details;
    }
    let token = match opaque {
        true => Uuid::new_v4().simple().to_string(),
        false => signed(shared, &claims)?,
    };
    let caller = Caller { orgno: consumer, scopes };
    let answer = token_response(&token, lifetime, &scope);
    shared.tokens.add(token, caller, Duration::from_secs(lifetime));
    Ok(answer)
}

/// A JWT with these claims.
pub(super) fn signed(shared: &Shared, claims: &Value) -> Result<String, Denial> {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(shared.signing.kid.clone());
    jsonwebtoken::encode(&header, claims, &shared.signing.private)
        .map_err(|error| Denial::new("server_error", error.to_string()))
}

/// RFC 6749 section 5.1.
pub(super) fn token_response(token: &str, lifetime: u64, scope: &str) -> Json<Value> {
    Json(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": scope,
    }))
}

/// An organisation in a token.
pub(super) fn actor(orgno: Orgno) -> Value {
    json!({ "authority": "iso6523-actorid-upis", "ID": orgno.claim_id() })
}

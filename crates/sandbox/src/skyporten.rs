//! Skyporten: the issuer whose tokens a cloud trusts in the place of an identity of its own.
//!
//! D: <https://docs.digdir.no/docs/Maskinporten/maskinporten_skyporten>. It knows the same clients, keys and
//! accesses as Maskinporten, and a scope is an ordinary one of Maskinporten's. Its issuer has no slash at its
//! end, and the grant's `aud` neither. Its own address is `/skyporten` below the sandbox's; DigDir's is a host
//! of its own.
//!
//! ? Whether its tokens carry `supplier`, `pid` or `authorization_details`, and whether a scope's `token_type`
//! counts: here they do not, and a token is always a JWT, as a cloud reads no other.

use axum::Json;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::ServedCall;
use super::grant::GrantRequest;
use super::granted::Granted;
use super::shared::Shared;
use super::token::{Denial, actor, answered, metadata_of, signed, token_response};

/// OpenID Connect Discovery 1.0 section 3, as far as a cloud reads it: it has no endpoint for persons.
pub(super) async fn metadata(call: ServedCall) -> Response {
    let issuer = &call.shared.skyporten;
    let mut metadata = metadata_of(issuer, &format!("{issuer}/"));
    metadata["response_types_supported"] = json!(["none"]);
    metadata["subject_types_supported"] = json!(["public"]);
    metadata["id_token_signing_alg_values_supported"] = json!(["RS256"]);
    Json(metadata).into_response()
}

/// RFC 7523 section 2.1.
pub(super) async fn token(call: ServedCall) -> Response {
    answered(&call, &call.shared.skyporten, issue)
}

/// Its tokens open no endpoint of the API, so they are not kept.
fn issue(shared: &Shared, grant: GrantRequest) -> Result<Json<Value>, Denial> {
    let GrantRequest { client_id, client_amr, pid: _, details: _, granted } = grant;
    let Granted { consumer, delegation: _, scopes, audience, lifetime, opaque: _ } = granted;
    // ? No source has several: `sub` has the place of one.
    let [scope] = &scopes[..] else {
        let description = "MP-200 a token of Skyporten has one scope, as its sub names it";
        return Err(Denial::scope(description));
    };
    let now = Timestamp::now().as_second();
    let claims = json!({
        "iss": shared.skyporten,
        "sub": format!("{};{scope}", consumer.claim_id()),
        "aud": audience_of(audience)?,
        "scope": scope,
        "client_id": client_id,
        "client_amr": client_amr,
        "consumer": actor(consumer),
        "iat": now,
        "exp": now.saturating_add_unsigned(lifetime),
        "jti": Uuid::new_v4().to_string(),
    });
    Ok(token_response(&signed(shared, &claims)?, lifetime, scope))
}

/// The grant's `resource` (D), which is needed. ? With which error a grant without one is refused, and whether
/// a single one becomes a text, as here, or a list.
fn audience_of(granted: Value) -> Result<Value, Denial> {
    match granted {
        Value::Array(mut audiences) if audiences.len() == 1 => {
            Ok(audiences.pop().unwrap_or_default())
        }
        Value::Array(audiences) if !audiences.is_empty() => Ok(audiences.into()),
        _ => Err(Denial::new(
            "invalid_target",
            "the grant has no resource, which becomes the audience of the token",
        )),
    }
}

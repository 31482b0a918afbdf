//! The endpoints that only tell: prefixes, delegation sources, organisations.

use axum::Json;
use axum::response::IntoResponse;
use serde_json::json;

use super::call::{READ, SentAnswer, ServedCall, WRITE};
use super::refusal::Refusal;

pub(super) async fn prefixes(call: ServedCall) -> SentAnswer {
    let caller = call.allowed(&[READ, WRITE])?;
    call.no_body()?;
    call.query(&[])?;
    let colon = if call.shared.switches().prefix_with_colon { ":" } else { "" };
    let prefixes = call.shared.shown(|state| {
        let name = state.organizations.get(&caller);
        let own = state.prefixes.iter().filter(|(_, owner)| **owner == caller);
        own.map(|(prefix, owner)| {
            let mut entry = json!({
                "prefix": format!("{prefix}{colon}"),
                "owner_orgno": owner,
                "active": true,
            });
            if let Some(name) = name {
                entry["organization_name"] = json!(name);
            }
            entry
        })
        .collect()
    });
    call.list("prefixes", prefixes)
}

/// Public: no token is needed.
pub(super) async fn delegation_sources(call: ServedCall) -> SentAnswer {
    call.no_body()?;
    call.query(&[])?;
    let sources = call.shared.shown(|state| {
        let sources = state.delegation_sources.iter();
        sources.map(|(name, issuer)| json!({ "name": name, "issuer": issuer })).collect()
    });
    call.list("delegation sources", sources)
}

/// Any token will do.
pub(super) async fn organization(call: ServedCall) -> SentAnswer {
    call.caller()?;
    call.no_body()?;
    call.query(&[])?;
    let orgno = call.orgno_in_path()?;
    let name = call.shared.shown(|state| {
        let known = state.organizations.get(&orgno).cloned();
        known.filter(|_| !state.unknown_organizations.contains(&orgno))
    });
    match name {
        Some(name) => Ok(Json(json!({ "orgnr": orgno, "name": name })).into_response()),
        None => Err(Refusal::not_found(format!("The organization {orgno} was not found"))),
    }
}

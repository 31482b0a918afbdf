//! The endpoints that only tell: prefixes, delegation sources, organisations.

use axum::Json;
use axum::response::IntoResponse;
use serde_json::json;

use super::call::{READ, SentAnswer, ServedCall, WRITE};
use super::refusal::Refusal;
use domain::Orgno;

pub(super) async fn prefixes(call: ServedCall) -> SentAnswer {
    let caller = call.allowed(&[READ, WRITE])?;
    list_prefixes(&call, |owner| owner == caller)
}

/// The prefixes of everybody. ? Whether a token is needed: none is, as for the scopes of everybody.
pub(super) async fn all_prefixes(call: ServedCall) -> SentAnswer {
    list_prefixes(&call, |_| true)
}

fn list_prefixes(call: &ServedCall, wanted: impl Fn(Orgno) -> bool) -> SentAnswer {
    call.query(&[])?;
    let colon = if call.shared.switches().prefix_with_colon { ":" } else { "" };
    let prefixes = call.shared.shown(|state| {
        let prefixes = state.prefixes.iter().filter(|(_, owner)| wanted(**owner));
        prefixes
            .map(|(prefix, owner)| {
                let mut entry = json!({
                    "prefix": format!("{prefix}{colon}"),
                    "owner_orgno": owner,
                    "active": true,
                });
                if let Some(name) = state.organizations.get(owner) {
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
    call.query(&[])?;
    let sources = call.shared.shown(|state| {
        let sources = state.delegation_sources.iter();
        sources.map(|(name, issuer)| json!({ "name": name, "issuer": issuer })).collect()
    });
    call.list("delegation sources", sources)
}

/// Public: no token is needed (S).
pub(super) async fn organization(call: ServedCall) -> SentAnswer {
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

//! Which scopes an organisation may use, and which may be put on a client.

use serde_json::{Value, json};

use super::client_record::ADMIN_SCOPES;
use super::{ScopeRecord, State};
use domain::{AccessState, KRR_SCOPES, LOGIN_SCOPES, Orgno, SCOPE, ScopeName};

/// Why an organisation cannot use a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum MissingAccess {
    #[error("does not exist")]
    Unknown,
    #[error("is inactive")]
    Inactive,
    #[error("has not been granted to the organization")]
    NotGranted,
}

/// The scope, if the organisation can use it: one of its own, one that is open to all, or one
/// that it has APPROVED access to. `None` is a scope of DigDir's that no record is kept of.
pub(super) fn usable<'a>(
    state: &'a State,
    orgno: Orgno,
    scope: &str,
) -> Result<Option<&'a ScopeRecord>, MissingAccess> {
    if ADMIN_SCOPES.contains(&scope) {
        return Ok(None);
    }
    let name: ScopeName = scope.parse().map_err(|_| MissingAccess::Unknown)?;
    let Some(record) = state.scopes.get(&name) else {
        return if KRR_SCOPES.contains(&scope) { Ok(None) } else { Err(MissingAccess::Unknown) };
    };
    if !record.active {
        return Err(MissingAccess::Inactive);
    }
    let access = state.accesses.get(&name).and_then(|consumers| consumers.get(&orgno));
    let granted = record.owner_orgno == orgno
        || SCOPE.accessible_for_all.of(&record.fields) == Some(&json!(true))
        || access.is_some_and(|access| access.state == AccessState::Approved);
    if granted { Ok(Some(record)) } else { Err(MissingAccess::NotGranted) }
}

/// Whether clients of an integration type, in lower or upper case (C), may have the scope.
pub(super) fn may_be_on(scope: &ScopeRecord, integration_type: &str) -> bool {
    let types = SCOPE.allowed_integration_types.of(&scope.fields).and_then(Value::as_array);
    types.is_none_or(|types| {
        let mut words = types.iter().filter_map(Value::as_str);
        types.is_empty() || words.any(|word| word.eq_ignore_ascii_case(integration_type))
    })
}

/// Why a client of that type cannot have the scope; `None` if it can.
pub(super) fn problem(
    state: &State,
    orgno: Orgno,
    integration_type: &str,
    scope: &str,
) -> Option<String> {
    let only = |known: &[&str]| {
        let said = format!("a client of {integration_type} cannot have the scope {scope:?}");
        (!known.contains(&scope)).then_some(said)
    };
    match integration_type {
        "krr" => return only(&KRR_SCOPES),
        "idporten" => return only(&LOGIN_SCOPES),
        // ? No source tells which of them these two can have.
        "api_klient" | "ansattporten" if LOGIN_SCOPES.contains(&scope) => return None,
        _ => {}
    }
    let record = match usable(state, orgno, scope) {
        Ok(Some(record)) => record,
        // D: those of KRR may be on a client of Maskinporten too.
        Ok(None) if KRR_SCOPES.contains(&scope) && integration_type != "maskinporten" => {
            return Some(format!("the scope {scope:?} {}", MissingAccess::Unknown));
        }
        Ok(None) => return None,
        // D: the owner of a scope never grants a supplier. ? Whether DigDir looks for a
        // delegation when the client is registered, or only when a token is asked for.
        Err(lack) => match as_supplier(state, orgno, scope) {
            Some(record) if lack == MissingAccess::NotGranted => record,
            Some(_) | None => return Some(format!("the scope {scope:?} {lack}")),
        },
    };
    let fits = may_be_on(record, integration_type);
    (!fits).then(|| format!("the scope {scope:?} is not allowed for {integration_type}"))
}

/// The scope, if somebody has delegated it to the organisation.
fn as_supplier<'a>(state: &'a State, orgno: Orgno, scope: &str) -> Option<&'a ScopeRecord> {
    let delegation = state
        .delegations
        .iter()
        .find(|delegation| delegation.supplier == orgno && delegation.scope.as_str() == scope)?;
    let record = state.scopes.get(&delegation.scope)?;
    SCOPE.delegation_source.of(&record.fields).map(|_| record)
}

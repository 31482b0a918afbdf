//! What a client gets that has shown who it is: scopes, for whom, for which audience, how long.

use serde_json::{Value, json};
use url::Url;

use super::client_record::JWT_BEARER;
use super::scope_access::{MissingAccess, usable};
use super::token::Denial;
use super::{ClientRecord, ScopeRecord, State};
use domain::{CLIENT, Orgno, SCOPE, ScopeName, TokenType};

/// What a grant asks for.
pub(super) struct AskedScopes<'a> {
    /// Separated by spaces.
    pub(super) scopes: &'a str,
    pub(super) resource: Option<&'a Value>,
    pub(super) consumer: Option<&'a str>,
}

/// What the token says.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) consumer: Orgno,
    /// Who acts for the consumer, if it does not act itself.
    pub(super) delegation: Option<Delegated>,
    pub(super) scopes: Vec<String>,
    pub(super) audience: Value,
    /// Seconds.
    pub(super) lifetime: u64,
    /// Whether the token says nothing by itself.
    pub(super) opaque: bool,
}

#[derive(Debug)]
pub(super) struct Delegated {
    pub(super) supplier: Orgno,
    pub(super) source: String,
}

/// `lifetime` is for clients that do not have one of their own.
pub(super) fn decide(
    state: &State,
    client: &ClientRecord,
    asked: &AskedScopes<'_>,
    lifetime: u64,
) -> Result<Granted, Denial> {
    let grants = CLIENT.grant_types.of(&client.fields).and_then(Value::as_array);
    if !grants.is_some_and(|grants| grants.contains(&JWT_BEARER.into())) {
        let description = "MP-201 the client's integration type is not one for this grant_type";
        return Err(Denial::new("unauthorized_client", description));
    }
    let scopes = on_client(asked.scopes, client)?;
    let consumer = consumer(asked.consumer, client)?;
    let mut delegation = None;
    if consumer != client.orgno {
        for scope in &scopes {
            let source = delegated(state, scope, consumer, client.orgno)?;
            // ? No source tells of scopes with different delegation sources in one token.
            delegation.get_or_insert(Delegated { supplier: client.orgno, source });
        }
    }
    let records = scopes
        .iter()
        .map(|scope| usable(state, consumer, scope).map_err(|lack| denied(scope, consumer, lack)))
        .collect::<Result<Vec<_>, _>>()?;
    let records: Vec<&ScopeRecord> = records.into_iter().flatten().collect();
    Ok(Granted {
        consumer,
        delegation,
        audience: audience(asked.resource, &records)?,
        lifetime: bounded(lifetime, client, &records),
        opaque: is_opaque(&records),
        scopes,
    })
}

fn on_client(asked: &str, client: &ClientRecord) -> Result<Vec<String>, Denial> {
    let scopes: Vec<String> = asked.split_whitespace().map(str::to_owned).collect();
    if scopes.is_empty() {
        return Err(Denial::scope("MP-200 the grant asks for no scope"));
    }
    match scopes.iter().find(|scope| !client.scopes.contains(*scope)) {
        None => Ok(scopes),
        Some(scope) => {
            Err(Denial::scope(format!("MP-200 the scope {scope} is not registered on the client")))
        }
    }
}

fn consumer(asked: Option<&str>, client: &ClientRecord) -> Result<Orgno, Denial> {
    let Some(text) = asked else { return Ok(client.orgno) };
    let malformed = |what: String| {
        Denial::new("invalid_request", format!("MP-011 consumer_org {text:?}: {what}"))
    };
    let consumer = text.parse().map_err(|error| malformed(format!("{error}")))?;
    // D; ? with which code.
    if consumer == client.orgno {
        return Err(malformed("that is the client's own organization".to_owned()));
    }
    Ok(consumer)
}

/// The delegation source through which the consumer lets the supplier use the scope.
fn delegated(
    state: &State,
    scope: &str,
    consumer: Orgno,
    supplier: Orgno,
) -> Result<String, Denial> {
    let name: Option<ScopeName> = scope.parse().ok();
    let source = name
        .as_ref()
        .and_then(|name| SCOPE.delegation_source.of(&state.scopes.get(name)?.fields)?.as_str())
        .filter(|_| {
            let mut delegations = state.delegations.iter();
            delegations.any(|granted| {
                Some(&granted.scope) == name.as_ref()
                    && (granted.consumer, granted.supplier) == (consumer, supplier)
            })
        });
    source.map(str::to_owned).ok_or_else(|| {
        Denial::grant(format!(
            "MP-251 Consumer {consumer} has not delegated access to the scope {scope} to supplier \
             {supplier}"
        ))
    })
}

/// ? Which code a scope gives that has been deactivated since it was put on the client.
fn denied(scope: &str, consumer: Orgno, lack: MissingAccess) -> Denial {
    let refused =
        format!("MP-250 Consumer {consumer} has not been granted access to the scope {scope}");
    Denial::scope(match lack {
        MissingAccess::Unknown | MissingAccess::Inactive => format!("{refused}: it {lack}"),
        MissingAccess::NotGranted => refused,
    })
}

/// D: a token for a scope with `enforced_aud_for_access_token` must carry that audience. ? What
/// becomes of a grant that asks for none, or for another: the first gets it, the second is
/// refused.
fn audience(resource: Option<&Value>, records: &[&ScopeRecord]) -> Result<Value, Denial> {
    let target = |description: String| Denial::new("invalid_target", description);
    let mut enforced: Vec<&str> = records
        .iter()
        .filter_map(|record| SCOPE.enforced_aud_for_access_token.of(&record.fields)?.as_str())
        .filter(|audience| !audience.is_empty())
        .collect();
    enforced.dedup();
    let audiences: Vec<&str> = match resource {
        None if enforced.is_empty() => return Ok("unspecified".into()),
        None => enforced.clone(),
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) if several.iter().all(Value::is_string) => {
            several.iter().filter_map(Value::as_str).collect()
        }
        Some(_) => return Err(target("resource must be a list of texts".to_owned())),
    };
    // RFC 8707 section 2. What a scope enforces need not be one.
    let is_resource = |text: &str| Url::parse(text).is_ok_and(|url| url.fragment().is_none());
    let is_wrong = |audience: &&&str| !enforced.contains(audience) && !is_resource(audience);
    if let Some(wrong) = audiences.iter().find(is_wrong) {
        return Err(target(format!("resource {wrong:?} must be an absolute URI without fragment")));
    }
    if let Some(missing) = enforced.iter().find(|audience| !audiences.contains(audience)) {
        return Err(target(format!("the audience of the scope must be {missing}")));
    }
    Ok(json!(audiences))
}

/// S: a scope's `token_type`. ? No source tells of scopes of both types in one token: one of them makes
/// it opaque.
fn is_opaque(records: &[&ScopeRecord]) -> bool {
    let mut types = records.iter().filter_map(|record| SCOPE.token_type.of(&record.fields));
    types.any(|token_type| token_type == TokenType::Opaque.as_str())
}

/// The client's lifetime, at most `at_max_age` of each scope (D); 0 does not bound (S).
fn bounded(default: u64, client: &ClientRecord, records: &[&ScopeRecord]) -> u64 {
    let seconds = |value: Option<&Value>| value.and_then(Value::as_u64).filter(|s| *s > 0);
    let own = seconds(CLIENT.access_token_lifetime.of(&client.fields)).unwrap_or(default);
    records
        .iter()
        .filter_map(|record| seconds(SCOPE.at_max_age.of(&record.fields)))
        .fold(own, u64::min)
}

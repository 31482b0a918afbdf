//! What environments are applied to.

use std::collections::BTreeMap;

use url::{Host, Url};

use super::environment::{CustomEndpoints, Environment, EnvironmentTarget};
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::Spanned;
use digdir::ApiId;
use yaml::Span;

/// Warns of environments that are applied to the same API, however its address is written. An embedded
/// sandbox is no API that anybody else could apply to.
pub(crate) fn check_distinct(environments: &[(&str, Environment)], findings: &mut Findings) {
    let mut first: BTreeMap<ApiId, (&str, Span)> = BTreeMap::new();
    for (name, environment) in environments {
        let Spanned { value: target, span } = &environment.target;
        let Ok(Some(addresses)) = target.addresses() else { continue };
        let Some((other, there)) = first.get(&addresses.api_id()) else {
            first.insert(addresses.api_id(), (name, *span));
            continue;
        };
        let (name, other) = (quoted(name), quoted(other));
        let message = format!(
            "environment {name} has the same target as {other}: both change the same scopes and \
             clients, and neither knows what the other has applied"
        );
        let help = format!("keep one of them, or give {name} another target");
        let related = findings.place(*there).related("the same target");
        findings.report(Rule::SameTarget, *span, &message, &help).related.push(related);
    }
}

/// Reports the addresses of an environment that cannot be used.
pub(crate) fn check_target(target: &EnvironmentTarget, findings: &mut Findings) {
    let EnvironmentTarget::Custom(CustomEndpoints { api, maskinporten, skyporten }) = target else {
        return;
    };
    for Spanned { value: address, span } in [api, maskinporten].into_iter().chain(skyporten) {
        if let Err(message) = check_address(address) {
            let help = "write it as https://host/; plain http goes to loopback only";
            findings.report(Rule::Address, *span, &message, help);
        }
    }
}

fn check_address(address: &str) -> Result<(), String> {
    // An address is not repeated where it may hold a password.
    let shown = match address.contains('@') {
        true => "this".to_owned(),
        false => quoted(address),
    };
    let url = Url::parse(address).map_err(|error| format!("{shown} is not an address: {error}"))?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a user name or password in it".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("an address with more than a host and a path".into());
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        _ => Err(format!("{shown} is not https")),
    }
}

//! Istio: `RequestAuthentication` and `AuthorizationPolicy`
//! (<https://istio.io/latest/docs/reference/config/security/>).
//!
//! `RequestAuthentication` alone lets requests without a token through, so both are always written. The rules
//! compare claims: `requestPrincipals` needs a `sub`, which Maskinporten's tokens do not have. `scope` is split at
//! spaces by Istio.

use super::{
    Admitted, ApiRoute, GatewayPolicy, PathMatch, RenderedPolicy, block, document, entries, map,
    texts, yes,
};
use domain::ScopeName;
use yaml::{Yaml, YamlEntries};

pub(super) fn render(policy: &GatewayPolicy) -> RenderedPolicy {
    let mut comments = policy.origin();
    if !policy.route.paths.is_empty() {
        comments.push(
            "Paths are compared as Istio hands them on: set `pathNormalization` to DECODE_AND_MERGE_SLASHES in its \
             mesh configuration."
                .to_owned(),
        );
    }
    let mut unchecked = policy.unchecked();
    if policy.route.name.is_none() {
        // Policies that allow are joined by `or`.
        let limit = "The policy has no selector: it is for every workload of its namespace, and where there is another \
                     one, tokens for either API are let through to both. --name limits it to a workload.";
        comments.push(limit.to_owned());
        unchecked.push(limit.to_owned());
    }
    let text = format!(
        "{}---\n{}",
        document(&comments, &authentication(policy)),
        document(&[], &authorization(policy))
    );
    RenderedPolicy { text, unchecked }
}

fn authentication(policy: &GatewayPolicy) -> YamlEntries {
    let mut rule = entries([
        ("issuer", Yaml::text(&policy.issuer)),
        ("jwksUri", Yaml::text(policy.keys_address())),
    ]);
    if let Some(audience) = &policy.audience {
        rule.push(("audiences".to_owned(), texts([audience])));
    }
    rule.push(("forwardOriginalToken".to_owned(), yes()));
    let rules = Yaml::Lines(vec![Yaml::Block(rule)]);
    resource(policy, "RequestAuthentication", entries([("jwtRules", rules)]))
}

fn authorization(policy: &GatewayPolicy) -> YamlEntries {
    let mut spec = entries([("action", Yaml::text("ALLOW"))]);
    let rules = policy.rules();
    let rules: Vec<_> =
        rules.iter().map(|(admitted, names)| rule(policy, admitted, names)).collect();
    // Without rules it matches nothing, and a workload with such a policy refuses everything.
    if !rules.is_empty() {
        spec.push(("rules".to_owned(), Yaml::Lines(rules)));
    }
    resource(policy, "AuthorizationPolicy", spec)
}

/// The rule of scopes with the same consumers.
fn rule(policy: &GatewayPolicy, admitted: &Admitted, names: &[&ScopeName]) -> Yaml {
    let names = names.iter().map(ToString::to_string);
    let mut when = vec![
        condition("request.auth.claims[iss]", [policy.issuer.clone()]),
        condition("request.auth.claims[scope]", names),
    ];
    if let Some(audience) = &policy.audience {
        when.push(condition("request.auth.claims[aud]", [audience.clone()]));
    }
    if let Some(consumers) = admitted.listed() {
        let ids = consumers.keys().map(|orgno| orgno.claim_id());
        when.push(condition("request.auth.claims[consumer][ID]", ids));
    }
    match operation(&policy.route) {
        Some(operation) => {
            let to = Yaml::Lines(vec![block([("operation", operation)])]);
            block([("to", to), ("when", Yaml::Lines(when))])
        }
        None => block([("when", Yaml::Lines(when))]),
    }
}

fn condition(key: &str, values: impl IntoIterator<Item = String>) -> Yaml {
    let values = values.into_iter().map(Yaml::Quoted).collect();
    block([("key", Yaml::text(key)), ("values", Yaml::List(values))])
}

fn operation(route: &ApiRoute) -> Option<Yaml> {
    let ApiRoute { name: _, hosts, paths } = route;
    let mut operation = Vec::new();
    if !hosts.is_empty() {
        operation.push(("hosts".to_owned(), texts(hosts)));
    }
    if !paths.is_empty() {
        let written = |path: &PathMatch| match path {
            PathMatch::Exact(path) => path.clone(),
            PathMatch::Prefix(path) => format!("{path}*"),
        };
        let paths: Vec<_> = paths.iter().map(written).collect();
        operation.push(("paths".to_owned(), texts(&paths)));
    }
    (!operation.is_empty()).then_some(Yaml::Block(operation))
}

fn resource(policy: &GatewayPolicy, kind: &str, spec: YamlEntries) -> YamlEntries {
    let mut all = Vec::new();
    if let Some(name) = &policy.route.name {
        let labels = map([("app", Yaml::text(name))]);
        all.push(("selector".to_owned(), block([("matchLabels", labels)])));
    }
    all.extend(spec);
    entries([
        ("apiVersion", Yaml::text("security.istio.io/v1")),
        ("kind", Yaml::text(kind)),
        ("metadata", block([("name", Yaml::text(policy.name()))])),
        ("spec", Yaml::Block(all)),
    ])
}

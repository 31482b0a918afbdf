//! Envoy: the filters `envoy.filters.http.jwt_authn` and `envoy.filters.http.rbac`, and the cluster from which the
//! issuer's keys come (<https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter>).

use url::Url;

use super::{
    Admitted, ApiRoute, GatewayPolicy, PathMatch, RenderedPolicy, block, document, entries, map,
    texts, yes,
};
use domain::ScopeName;
use yaml::Yaml;

/// The name of the provider, of the metadata that has a token's claims, and the first part of the cluster's.
const PROVIDER: &str = "maskinporten";

const JWT_FILTER: &str = "envoy.filters.http.jwt_authn";

pub(super) fn render(policy: &GatewayPolicy) -> RenderedPolicy {
    let mut comments = policy.origin();
    comments.push(
        "Paths are compared as the listener hands them on: set `normalize_path: true` there."
            .to_owned(),
    );
    let filters = Yaml::Lines(vec![authentication(policy), authorization(policy)]);
    let clusters = Yaml::Lines(vec![cluster(policy)]);
    let entries = entries([("http_filters", filters), ("clusters", clusters)]);
    RenderedPolicy { text: document(&comments, &entries), unchecked: policy.unchecked() }
}

fn filter<const N: usize>(name: &str, of_type: &str, config: [(&str, Yaml); N]) -> Yaml {
    let type_url = format!("type.googleapis.com/{of_type}");
    let mut all = entries([("@type", Yaml::Quoted(type_url))]);
    all.extend(entries(config));
    block([("name", Yaml::text(name)), ("typed_config", Yaml::Block(all))])
}

fn authentication(policy: &GatewayPolicy) -> Yaml {
    let keys = block([
        (
            "http_uri",
            map([
                ("uri", Yaml::text(policy.keys_address())),
                ("cluster", Yaml::text(cluster_name())),
                ("timeout", Yaml::text("5s")),
            ]),
        ),
        ("cache_duration", Yaml::text("300s")),
    ]);
    let mut provider = entries([("issuer", Yaml::text(&policy.issuer))]);
    if let Some(audience) = &policy.audience {
        provider.push(("audiences".to_owned(), texts([audience])));
    }
    let claims = map([("space_delimited_claims", Yaml::List(vec![Yaml::text("scope")]))]);
    provider.extend(entries([
        ("require_expiration", yes()),
        ("remote_jwks", keys),
        ("forward", yes()),
        ("payload_in_metadata", Yaml::text(PROVIDER)),
        ("normalize_payload_in_metadata", claims),
    ]));
    let rule = block([
        ("match", map([("prefix", Yaml::text("/"))])),
        ("requires", map([("provider_name", Yaml::text(PROVIDER))])),
    ]);
    filter(
        JWT_FILTER,
        "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        [
            ("providers", block([(PROVIDER, Yaml::Block(provider))])),
            ("rules", Yaml::Lines(vec![rule])),
        ],
    )
}

fn authorization(policy: &GatewayPolicy) -> Yaml {
    // Without policies it allows nothing.
    let rules = policy.rules();
    let policies = rules.iter().flat_map(|(admitted, names)| {
        names.iter().map(|name| (name.to_string(), scope_policy(policy, name, admitted)))
    });
    let policies = policies.collect();
    let rules = block([("action", Yaml::text("ALLOW")), ("policies", Yaml::Block(policies))]);
    filter(
        "envoy.filters.http.rbac",
        "envoy.extensions.filters.http.rbac.v3.RBAC",
        [("rules", rules)],
    )
}

/// The policy of a scope.
fn scope_policy(policy: &GatewayPolicy, name: &ScopeName, admitted: &Admitted) -> Yaml {
    let any_of = |ids: Vec<Yaml>| block([("or_ids", block([("ids", Yaml::Lines(ids))]))]);
    let mut principals = vec![claim(&["scope"], one_of(name.as_str()))];
    if let Some(audience) = &policy.audience {
        // `jwt_authn` takes an audience without its scheme and its last slash for the same.
        principals.push(any_of(vec![
            claim(&["aud"], exact(audience)),
            claim(&["aud"], one_of(audience)),
        ]));
    }
    if let Some(consumers) = admitted.listed() {
        let ids =
            consumers.keys().map(|orgno| claim(&["consumer", "ID"], exact(&orgno.claim_id())));
        principals.push(any_of(ids.collect()));
    }
    let all = block([("and_ids", block([("ids", Yaml::Lines(principals))]))]);
    block([
        ("permissions", Yaml::Lines(vec![permission(&policy.route)])),
        ("principals", Yaml::Lines(vec![all])),
    ])
}

/// A comparison of a claim of the verified token.
fn claim(path: &[&str], value: Yaml) -> Yaml {
    let path = [PROVIDER].iter().chain(path).map(|key| map([("key", Yaml::text(*key))]));
    block([(
        "metadata",
        block([
            ("filter", Yaml::text(JWT_FILTER)),
            ("path", Yaml::List(path.collect())),
            ("value", value),
        ]),
    )])
}

fn exact(text: &str) -> Yaml {
    block([("string_match", map([("exact", Yaml::Quoted(text.to_owned()))]))])
}

/// A list that has a text.
fn one_of(text: &str) -> Yaml {
    block([("list_match", block([("one_of", exact(text))]))])
}

/// Parts of a path that a backend may read as a way out of a prefix.
const WAYS_OUT: [&str; 5] = ["/..", "%2e", "%2f", "%5c", "\\"];

fn permission(route: &ApiRoute) -> Yaml {
    let ApiRoute { name: _, hosts, paths } = route;
    let any_of = |rules: Vec<Yaml>| block([("or_rules", block([("rules", Yaml::Lines(rules))]))]);
    let of_host = |host: &String| {
        block([(
            "header",
            map([
                ("name", Yaml::Quoted(":authority".to_owned())),
                ("string_match", map([("exact", Yaml::text(host)), ("ignore_case", yes())])),
            ]),
        )])
    };
    let of_path = |path: &PathMatch| {
        let path = match path {
            PathMatch::Exact(path) => map([("exact", Yaml::text(path))]),
            PathMatch::Prefix(path) => map([("prefix", Yaml::text(path))]),
        };
        block([("url_path", block([("path", path)]))])
    };
    let leaves = |part: &str| {
        let contains = [("contains", Yaml::Quoted(part.to_owned())), ("ignore_case", yes())];
        block([("url_path", block([("path", map(contains))]))])
    };
    let mut rules = Vec::new();
    if !hosts.is_empty() {
        rules.push(any_of(hosts.iter().map(of_host).collect()));
    }
    if !paths.is_empty() {
        rules.push(any_of(paths.iter().map(of_path).collect()));
    }
    if paths.iter().any(|path| matches!(path, PathMatch::Prefix(_))) {
        rules.push(block([("not_rule", any_of(WAYS_OUT.map(leaves).into()))]));
    }
    match rules.is_empty() {
        true => map([("any", yes())]),
        false => block([("and_rules", block([("rules", Yaml::Lines(rules))]))]),
    }
}

fn cluster_name() -> String {
    format!("{PROVIDER}_keys")
}

/// The cluster from which the keys come: TLS for https.
fn cluster(policy: &GatewayPolicy) -> Yaml {
    let keys = Url::parse(&policy.keys_address()).ok();
    let host = keys.as_ref().and_then(|url| url.host_str()).unwrap_or_default().to_owned();
    let port = keys.as_ref().and_then(Url::port_or_known_default).unwrap_or(443);
    let address =
        map([("address", Yaml::text(&host)), ("port_value", Yaml::Word(port.to_string()))]);
    let endpoint =
        block([("endpoint", block([("address", block([("socket_address", address)]))]))]);
    let endpoints = block([("lb_endpoints", Yaml::Lines(vec![endpoint]))]);
    let assignment = block([
        ("cluster_name", Yaml::text(cluster_name())),
        ("endpoints", Yaml::Lines(vec![endpoints])),
    ]);
    let mut cluster = entries([
        ("name", Yaml::text(cluster_name())),
        ("type", Yaml::text("STRICT_DNS")),
        ("connect_timeout", Yaml::text("5s")),
        ("load_assignment", assignment),
    ]);
    if keys.is_some_and(|url| url.scheme() == "https") {
        cluster.push(("transport_socket".to_owned(), tls(&host)));
    }
    Yaml::Block(cluster)
}

fn tls(host: &str) -> Yaml {
    let name =
        block([("san_type", Yaml::text("DNS")), ("matcher", map([("exact", Yaml::text(host))]))]);
    let trusted = map([("filename", Yaml::text("/etc/ssl/certs/ca-certificates.crt"))]);
    let validation = block([
        ("trusted_ca", trusted),
        ("match_typed_subject_alt_names", Yaml::Lines(vec![name])),
    ]);
    filter(
        "envoy.transport_sockets.tls",
        "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        [
            ("sni", Yaml::text(host)),
            ("common_tls_context", block([("validation_context", validation)])),
        ],
    )
}

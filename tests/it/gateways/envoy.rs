//! The filters on a real Envoy, in front of a backend that records what reaches it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::api::{Attempt, CROSSED, ISSUER_KEY, SCOPE, attempts, crossed, rendered, signed, world};
use crate::programs::has;
use crate::world::{RUNTIME, SKATT, World};

/// Envoy with the rendered filters, and the tokens that its backend has seen.
struct Gateway {
    envoy: Child,
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.envoy.kill();
        let _ = self.envoy.wait();
    }
}

/// A free port below those that the system gives to others by itself.
pub(super) fn free_port() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 5_000).unwrap();
    let is_free = |port: &u16| {
        static TAKEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());
        let mut taken = TAKEN.lock().unwrap();
        let is_new = !taken.contains(port) && TcpListener::bind(("127.0.0.1", *port)).is_ok();
        is_new.then(|| taken.push(*port)).is_some()
    };
    (first..32_000).find(is_free).unwrap()
}

/// A server that answers 200 and keeps the header `Authorization` of each request.
fn backend() -> (u16, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&seen);
    let app = Router::new().fallback(move |headers: HeaderMap| async move {
        let token = headers.get("authorization").and_then(|it| it.to_str().ok());
        kept.lock().unwrap().push(token.unwrap_or_default().to_owned());
        "from the backend"
    });
    let listener = RUNTIME.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    RUNTIME.spawn(async move { axum::serve(listener, app).await });
    (port, seen)
}

/// The whole configuration, with the rendered part pasted into a listener.
fn bootstrap(rendered: &str, port: u16, backend: u16) -> Value {
    let rendered: Value = serde_yaml::from_str(rendered).unwrap();
    let mut filters = rendered["http_filters"].as_array().unwrap().clone();
    filters.push(json!({ "name": "envoy.filters.http.router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" } }));
    let mut clusters = rendered["clusters"].as_array().unwrap().clone();
    let address =
        |port: u16| json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
    clusters.push(json!({ "name": "backend", "connect_timeout": "5s", "load_assignment": {
        "cluster_name": "backend",
        "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(backend) } }] }] } }));
    let manager = json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "api", "normalize_path": true, "http_filters": filters,
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"],
            "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "backend" } }] }] } } });
    json!({ "static_resources": { "clusters": clusters, "listeners": [{ "name": "api",
        "address": address(port), "filter_chains": [{ "filters": [manager] }] }] } })
}

impl Gateway {
    fn start(world: &World, rendered: &str) -> Self {
        let (port, (backend, seen)) = (free_port(), backend());
        let config = bootstrap(rendered, port, backend).to_string();
        world.write("envoy.json", &config);
        let log = std::fs::File::create(world.folder().join("envoy.log")).unwrap();
        let envoy = Command::new("envoy")
            .args(["--config-path", "envoy.json", "--concurrency", "1", "--disable-hot-restart"])
            .args(["--log-level", "warning"])
            .current_dir(world.folder())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut gateway = Self { envoy, address: format!("http://127.0.0.1:{port}"), seen };
        let since = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = || std::fs::read_to_string(world.folder().join("envoy.log")).unwrap();
            assert!(gateway.envoy.try_wait().unwrap().is_none(), "Envoy ended: {}", log());
            assert!(since.elapsed() < Duration::from_secs(60), "Envoy does not listen: {}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
        gateway
    }

    /// The status of a request, and whether it reached the backend.
    fn ask(&self, path: &str, token: Option<&str>, host: Option<&str>) -> (u16, bool) {
        self.seen.lock().unwrap().clear();
        let status = RUNTIME.block_on(async {
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let mut request = http.get(format!("{}{path}", self.address));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            if let Some(host) = host {
                request = request.header("host", host);
            }
            request.send().await.unwrap().status().as_u16()
        });
        (status, !self.seen.lock().unwrap().is_empty())
    }

    fn decides(&self, attempts: &[Attempt], is_allowed: impl Fn(&Attempt) -> bool) {
        for attempt in attempts {
            let (status, is_seen) = self.ask("/aareg/1", attempt.token.as_deref(), None);
            let expected = is_allowed(attempt);
            assert_eq!(is_seen, expected, "{}: {status}", attempt.what);
            let is_right = if expected { status == 200 } else { matches!(status, 401 | 403) };
            assert!(is_right, "{}: {status}", attempt.what);
        }
    }
}

#[test]
fn the_filters_let_through_what_the_declarations_let_through() {
    if !has("envoy", "the rendered filters on Envoy") {
        return;
    }
    let world = world();
    let attempts = attempts(&world);
    let gateway = Gateway::start(&world, &rendered(&world, "envoy", &[]));
    gateway.decides(&attempts, |attempt| attempt.for_all);
    // The backend sees whose request it is.
    let partner = attempts.iter().find(|it| it.what == "the scope of a declared consumer").unwrap();
    assert_eq!(gateway.ask("/aareg/1", partner.token.as_deref(), None), (200, true));
    let seen = gateway.seen.lock().unwrap()[0].clone();
    let token = seen.strip_prefix("Bearer ").unwrap();
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap();
    assert_eq!(claims["consumer"]["ID"], format!("0192:{SKATT}"));
    drop(gateway);

    let gateway = Gateway::start(&world, &rendered(&world, "envoy", &["--consumers"]));
    gateway.decides(&attempts, |attempt| attempt.for_declared);
    drop(gateway);

    let crossed = crossed(&world);
    let gateway = Gateway::start(&world, &rendered(&world, "envoy", &CROSSED));
    gateway.decides(&crossed, |attempt| attempt.for_declared);
}

#[test]
fn hosts_paths_and_an_audience_are_checked_too() {
    if !has("envoy", "the rendered filters on Envoy") {
        return;
    }
    let world = world();
    let attempts = attempts(&world);
    let token = attempts.iter().find(|it| it.for_declared).unwrap().token.clone();
    let more = ["--host", "api.etat.example", "--path", "/aareg/*", "--path", "/ping"];
    let gateway = Gateway::start(&world, &rendered(&world, "envoy", &more));
    let ask = |path, host| gateway.ask(path, token.as_deref(), Some(host));
    let host = "api.etat.example";
    assert_eq!(ask("/aareg/1", host), (200, true));
    assert_eq!(ask("/aareg/1", "API.etat.example"), (200, true));
    assert_eq!(ask("/ping?x=1", host), (200, true));
    for path in [
        "/",
        "/aare",
        "/ping/",
        "/pong",
        "//aareg/1",
        "/aareg/../pong",
        "/aareg%2f..%2fpong/../../pong",
        "/aareg/..%2fpong",
        "/aareg/.%2E/pong",
        "/aareg/..%5Cpong",
        "/aareg/..;/pong",
    ] {
        let (status, is_seen) = ask(path, host);
        assert!(status >= 400 && !is_seen, "{path}: {status}");
    }
    assert_eq!(ask("/aareg/1", "api.etat.example.ond.example"), (403, false));
    drop(gateway);

    // A token for any audience is none for this one.
    let gateway = Gateway::start(
        &world,
        &rendered(&world, "envoy", &["--audience", "https://api.etat.example"]),
    );
    assert!(!gateway.ask("/aareg/1", token.as_deref(), None).1);
    for (audience, is_allowed) in [
        (json!("https://api.etat.example"), true),
        (json!(["https://other.example", "https://api.etat.example"]), true),
        (json!("http://api.etat.example/"), false),
        (json!("api.etat.example"), false),
        (json!(["https://api.etat.example.ond.example"]), false),
    ] {
        let token = signed(&world, &ISSUER_KEY, |claims| claims["aud"] = audience.clone());
        assert_eq!(gateway.ask("/aareg/1", Some(&token), None).1, is_allowed, "{audience}");
    }
}

#[test]
fn a_scope_that_nobody_may_use_is_closed() {
    if !has("envoy", "the rendered filters on Envoy") {
        return;
    }
    let world = world();
    world.declare(&format!("scopes:\n  - {{ name: {SCOPE}, description: Les }}\n"));
    let attempts = attempts(&world);
    let gateway = Gateway::start(&world, &rendered(&world, "envoy", &["--consumers"]));
    gateway.decides(&attempts, |_| false);
}

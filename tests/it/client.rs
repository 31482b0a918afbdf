//! The API client against the sandbox, and against servers that misbehave.

mod faults;
mod live;
mod stub;
pub(crate) mod tokens;

use std::time::Duration;

use digdir::{ApiTarget, Credentials, Options, Reach, Reader, Writer};
use domain::Representation;
use sandbox::{Config, FaultRule, Sandbox, State};
use serde_json::{Value, json};

use crate::openapi;
use crate::support::{KEY, two_organizations};

/// A sandbox that records requests.
struct World {
    sandbox: Sandbox,
}

impl World {
    async fn new() -> Self {
        Self::with(two_organizations()).await
    }

    async fn with(state: State) -> Self {
        let config = Config { record: true, ..Config::new(state) };
        Self { sandbox: Sandbox::start(config).await.unwrap() }
    }

    fn target(&self) -> ApiTarget {
        ApiTarget::custom(self.sandbox.api().as_str(), self.sandbox.issuer()).unwrap()
    }

    async fn reader(&self) -> Reader {
        self.reader_with(options()).await
    }

    async fn reader_with(&self, options: Options) -> Reader {
        Reader::connect(self.target(), credentials(), options, Reach::Scopes).await.unwrap()
    }

    async fn writer(&self) -> Writer {
        Writer::connect(self.target(), credentials(), options(), Reach::Scopes).await.unwrap()
    }

    fn inject(&self, rule: &str) {
        self.sandbox.inject(rule.parse::<FaultRule>().unwrap());
    }

    /// Number of requests with this method whose path has this ending.
    fn count(&self, method: &str, end: &str) -> usize {
        let exchanges = self.sandbox.exchanges();
        let matches = exchanges.iter().filter(|e| e.method == method && e.path.ends_with(end));
        matches.count()
    }

    /// Checks all exchanges against the description.
    fn check(&self) {
        openapi::check(&self.sandbox.exchanges());
    }
}

fn credentials() -> Credentials {
    let kid = Some(KEY.kid.parse().unwrap());
    Credentials::from_key("nav".parse().unwrap(), &KEY.private_key_pem, kid).unwrap()
}

/// No delay between attempts.
fn options() -> Options {
    Options { base_delay: Duration::from_millis(1), ..Options::default() }
}

fn representation(name: &str) -> Representation {
    object(json!({ "name": name, "description": "Les" }))
}

fn object(value: Value) -> Representation {
    value.as_object().unwrap().clone()
}

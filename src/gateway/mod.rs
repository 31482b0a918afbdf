//! Policies of gateways that check Maskinporten's tokens in front of an API, made from the declarations of its
//! scopes. Pure: text from values.
//!
//! Facts about tokens and engines: DigDir's documentation of Maskinporten's tokens
//! (<https://docs.digdir.no/docs/Maskinporten/maskinporten_protocol_token>) and each engine's reference, named in
//! its file. A policy decides by `iss`, `scope`, `aud` and `consumer`, never by `client_id`: an organisation may
//! have many clients.

mod apim;
mod declared;
mod envoy;
mod istio;
mod krakend;
mod spring;

use std::collections::BTreeMap;

use domain::text::printable;
use domain::{Orgno, ScopeName, Source};
use yaml::{Yaml, YamlEntries};

pub(crate) use declared::PolicyOptions;

/// The gateway that a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Istio's `RequestAuthentication` and `AuthorizationPolicy`.
    Istio,
    /// Envoy's filters `jwt_authn` and `rbac`.
    Envoy,
    /// Azure API Management's `validate-jwt`.
    Apim,
    /// KrakenD's `auth/validator`.
    Krakend,
    /// Spring Security's resource server.
    Spring,
}

/// The facts that a gateway needs to check tokens for one API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GatewayPolicy {
    /// The environment whose declarations these are.
    pub(crate) environment: String,
    /// Maskinporten's issuer, with the slash at its end.
    pub(crate) issuer: String,
    /// The audience that tokens must have; `None` for any and for none.
    pub(crate) audience: Option<String>,
    /// The scopes of the API: a token must have one of them. Not empty.
    pub(crate) scopes: Vec<GuardedScope>,
    /// The place of the API behind the gateway.
    pub(crate) route: Route,
}

/// A scope, and the organisations whose tokens with it are let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GuardedScope {
    /// The scope.
    pub(crate) name: ScopeName,
    /// Where it is declared.
    pub(crate) source: Source,
    /// The organisations with their names; `None` leaves it to Maskinporten, which issues tokens only to those
    /// with access.
    pub(crate) consumers: Option<BTreeMap<Orgno, Option<String>>>,
    /// The blocked organisations that are let through all the same, with their names: DigDir keeps the scope open
    /// to all, and no list of consumers excludes them.
    pub(crate) unchecked_blocks: BTreeMap<Orgno, Option<String>>,
}

/// The requests that belong to the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// The name of the resources, and of the workload at Istio.
    pub(crate) name: Option<String>,
    /// Hosts; empty for any.
    pub(crate) hosts: Vec<String>,
    /// Paths; empty for any.
    pub(crate) paths: Vec<PathMatch>,
}

/// A path of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathMatch {
    /// The path alone.
    Exact(String),
    /// Every path that begins so; written with `*` at the end.
    Prefix(String),
}

/// A policy as the engine reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RenderedPolicy {
    /// The text of the file.
    pub(crate) text: String,
    /// The part of the declaration that the engine cannot check.
    pub(crate) unchecked: Vec<String>,
}

/// A part of the declarations that an engine cannot express.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GatewayError {
    /// The engine has hosts and paths elsewhere.
    #[error(
        "{engine} has hosts and paths in its own configuration, not in the policy: leave --host and --path out"
    )]
    Route {
        /// The engine.
        engine: &'static str,
    },
    /// Nobody could get through, and the engine cannot say so.
    #[error(
        "no organisation is declared on {scope}, and {engine} has no policy that refuses everybody: declare a \
         consumer, or do not route the API"
    )]
    Nobody {
        /// The scope.
        scope: ScopeName,
        /// The engine.
        engine: &'static str,
    },
    /// The audience would be read as several, or as another setting.
    #[error(
        "{engine} cannot express the audience {audience:?}: it has a comma, white space or a control character"
    )]
    Audience {
        /// The audience.
        audience: String,
        /// The engine.
        engine: &'static str,
    },
}

impl std::str::FromStr for PathMatch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (path, is_prefix) = match text.strip_suffix('*') {
            Some(path) => (path, true),
            None => (text, false),
        };
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || "*?#%\\{}".contains(c);
        if !path.starts_with('/') || path.contains(is_odd) {
            return Err(
                "a path begins with `/`; `*` is possible at its end only, for all below it, and \
                        escapes, `?` and `#` are not"
                    .to_owned(),
            );
        }
        Ok(if is_prefix { Self::Prefix(path.to_owned()) } else { Self::Exact(path.to_owned()) })
    }
}

/// A host of requests, as `--host` takes it.
///
/// # Errors
/// It is no host name with an optional port.
pub(crate) fn host(text: &str) -> Result<String, String> {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || ".-:".contains(c);
    match !text.is_empty() && text.len() <= 255 && text.chars().all(is_usual) {
        true => Ok(text.to_ascii_lowercase()),
        false => {
            Err("a host is a name such as `api.etat.example`, with a port if it has one".to_owned())
        }
    }
}

/// An audience, as `--audience` takes it.
///
/// # Errors
/// It is not a word or an absolute URI.
pub(crate) fn audience(text: &str) -> Result<String, String> {
    let is_odd = |c: char| c.is_whitespace() || c.is_control();
    match !text.is_empty() && text.len() <= 2048 && !text.contains(is_odd) {
        true => Ok(text.to_owned()),
        false => Err("an audience is an absolute URI such as `https://api.etat.example`, or one word, without \
                      white space"
            .to_owned()),
    }
}

impl GatewayPolicy {
    /// The policy in the form of an engine.
    ///
    /// # Errors
    /// The engine cannot express it.
    pub(crate) fn render(&self, engine: Engine) -> Result<RenderedPolicy, GatewayError> {
        match engine {
            Engine::Istio => Ok(istio::render(self)),
            Engine::Envoy => Ok(envoy::render(self)),
            Engine::Apim => apim::render(self),
            Engine::Krakend => krakend::render(self),
            Engine::Spring => spring::render(self),
        }
    }

    /// The address of Maskinporten's keys.
    fn keys_address(&self) -> String {
        format!("{}/jwk", self.issuer.trim_end_matches('/'))
    }

    /// The address of Maskinporten's metadata (RFC 8414).
    fn metadata_address(&self) -> String {
        format!("{}/.well-known/oauth-authorization-server", self.issuer.trim_end_matches('/'))
    }

    /// The name of the resources.
    fn name(&self) -> String {
        let own = |scope: &GuardedScope| {
            let dashed =
                |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
            let name: String = scope.name.as_str().chars().map(dashed).take(50).collect();
            name.trim_matches('-').to_owned()
        };
        let first = || self.scopes.first().map(own).unwrap_or_default();
        self.route.name.clone().unwrap_or_else(first)
    }

    /// Whether the list of consumers decides about any of the scopes.
    fn lists_consumers(&self) -> bool {
        self.scopes.iter().any(|scope| scope.consumers.is_some())
    }

    /// The blocks that the policy cannot enforce.
    fn unchecked_blocks(&self) -> Vec<String> {
        self.scopes.iter().filter_map(GuardedScope::unchecked_block).collect()
    }

    /// The lines that say where the policy comes from.
    fn origin(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "Rendered by portvakt from the declarations of {}; do not edit.",
            printable(&self.environment)
        )];
        lines.extend(self.scopes.iter().map(GuardedScope::origin));
        lines.extend(self.unchecked_blocks());
        lines
    }

    /// An error for an engine that has hosts and paths elsewhere.
    fn check_no_route(&self, engine: &'static str) -> Result<(), GatewayError> {
        match self.route.hosts.is_empty() && self.route.paths.is_empty() {
            true => Ok(()),
            false => Err(GatewayError::Route { engine }),
        }
    }
}

impl GuardedScope {
    /// Whether nobody is let through.
    fn is_closed(&self) -> bool {
        self.consumers.as_ref().is_some_and(BTreeMap::is_empty)
    }

    fn origin(&self) -> String {
        let Self { name, source, consumers, unchecked_blocks: _ } = self;
        let who = match consumers.as_ref().map(BTreeMap::len) {
            None => "all with access at DigDir",
            Some(0) => "nobody is declared",
            Some(_) => "the declared consumers alone",
        };
        printable(&format!("{name} ({}): {who}", source.file)).into_owned()
    }

    /// The sentence about the blocked organisations that are let through.
    fn unchecked_block(&self) -> Option<String> {
        let Self { name, source: _, consumers: _, unchecked_blocks } = self;
        let who = unchecked_blocks.iter().map(|(orgno, label)| match label {
            Some(label) => format!("{label} ({orgno})"),
            None => orgno.to_string(),
        });
        let who: Vec<_> = who.collect();
        (!who.is_empty()).then(|| {
            let who = who.join(", ");
            let text = format!(
                "{who}: blocked, and let through with {name}, which is open to all; --consumers lists those that are \
                 declared"
            );
            printable(&text).into_owned()
        })
    }
}

/// An organisation as the claim `consumer` names it (ISO 6523).
fn consumer_id(orgno: Orgno) -> String {
    format!("0192:{orgno}")
}

/// A mapping with a line for each key.
fn block<const N: usize>(entries: [(&str, Yaml); N]) -> Yaml {
    Yaml::Block(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

/// A mapping on one line if it fits.
fn map<const N: usize>(entries: [(&str, Yaml); N]) -> Yaml {
    Yaml::Map(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

/// A list of texts.
fn texts<'t>(items: impl IntoIterator<Item = &'t String>) -> Yaml {
    Yaml::List(items.into_iter().map(Yaml::text).collect())
}

/// A YAML document, with comments at its top.
fn document(comments: &[String], entries: &YamlEntries) -> String {
    let mut out: String = comments.iter().map(|line| format!("# {line}\n")).collect();
    for (key, value) in entries {
        yaml::write_entry(key, value, 0, &mut out);
    }
    out
}

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

use domain::text::{listed, printable, rendered_from};
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
    pub(crate) route: ApiRoute,
}

/// A scope, and the organisations whose tokens with it are let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GuardedScope {
    pub(crate) name: ScopeName,
    /// Where it is declared.
    pub(crate) source: Source,
    /// Whose tokens with it are let through.
    pub(crate) admitted: Admitted,
}

/// Organisations with their names.
pub(crate) type Organizations = BTreeMap<Orgno, Option<String>>;

/// The organisations whose tokens are let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// Those with access at DigDir: Maskinporten issues tokens to no other.
    WithAccess,
    /// All, as DigDir keeps the scope open and no consumer is declared.
    Everyone {
        /// Those that are blocked, and let through all the same.
        blocked: Organizations,
    },
    /// The declared ones alone.
    Listed(Organizations),
}

/// The requests that belong to the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ApiRoute {
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
    Route { engine: &'static str },
    /// The engine skips the check of the consumers, and lets everybody through.
    #[error(
        "the consumers make an expression of {length} characters, and {engine} skips one with more than {limit} and \
         lets everybody through: render fewer scopes, or leave --consumers out and let DigDir keep the scopes"
    )]
    Length {
        engine: &'static str,
        /// The number of characters.
        length: usize,
        /// The number that the engine reads.
        limit: usize,
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
    match !text.is_empty() && text.len() <= 2048 && text.is_ascii() && is_literal(text) {
        true => Ok(text.to_owned()),
        false => Err("an audience is an absolute URI such as `https://api.etat.example`, or one word, without \
                      white space, quotes, commas, `*`, `$`, parentheses and braces"
            .to_owned()),
    }
}

/// Whether every engine compares a text as it is. `*` is a wildcard at Istio, a comma separates values at Spring, and
/// `${x}`, `{{x}}` and `@(x)` are replaced by Spring, templates, KrakenD and API Management.
fn is_literal(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || "-._~:/?#[]@!&=+%".contains(c))
}

/// A text for a comment, without a template's braces.
fn in_comment(text: &str) -> String {
    printable(text).replace("{{", "{ {").replace("}}", "} }")
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

    /// Whether a list of consumers decides about any of the scopes.
    fn lists_consumers(&self) -> bool {
        self.scopes.iter().any(|scope| scope.admitted.listed().is_some())
    }

    /// The scopes that let anybody through, in groups with the same organisations.
    fn rules(&self) -> Vec<(&Admitted, Vec<&ScopeName>)> {
        let mut rules: Vec<(&Admitted, Vec<&ScopeName>)> = Vec::new();
        for GuardedScope { name, source: _, admitted } in &self.scopes {
            let listed = admitted.listed();
            if listed.is_some_and(BTreeMap::is_empty) {
                continue;
            }
            match rules.iter_mut().find(|(other, _)| other.listed() == listed) {
                Some((_, names)) => names.push(name),
                None => rules.push((admitted, vec![name])),
            }
        }
        rules
    }

    /// The sentences about those that are let through although nothing declares them.
    fn unchecked(&self) -> Vec<String> {
        self.scopes.iter().flat_map(|scope| scope.unchecked(&self.environment)).collect()
    }

    /// The lines that say where the policy comes from.
    fn origin(&self) -> Vec<String> {
        let mut lines = vec![in_comment(&rendered_from(&self.environment))];
        lines.extend(self.scopes.iter().map(GuardedScope::origin));
        lines.extend(self.unchecked());
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

impl Admitted {
    /// The organisations, if the policy lists them.
    fn listed(&self) -> Option<&Organizations> {
        match self {
            Self::WithAccess | Self::Everyone { blocked: _ } => None,
            Self::Listed(consumers) => Some(consumers),
        }
    }
}

impl GuardedScope {
    fn origin(&self) -> String {
        let Self { name, source, admitted } = self;
        let who = match admitted {
            Admitted::WithAccess => "all with access at DigDir",
            Admitted::Everyone { blocked: _ } => "every organisation",
            Admitted::Listed(consumers) if consumers.is_empty() => "nobody is declared",
            Admitted::Listed(_) => "the declared consumers alone",
        };
        in_comment(&format!("{name} ({}): {who}", source.file))
    }

    fn unchecked(&self, environment: &str) -> Vec<String> {
        let Self { name, source: _, admitted } = self;
        let Admitted::Everyone { blocked } = admitted else { return Vec::new() };
        let mut lines = vec![format!(
            "{name} is open to all, and has no consumer in {environment}: every organisation is let through; with \
             --consumers none is"
        )];
        if !blocked.is_empty() {
            let who = blocked.iter().map(|(orgno, label)| orgno.with_name(label.as_deref()));
            let who = listed(who);
            lines.push(format!("{who}: blocked, and let through with {name}"));
        }
        lines.iter().map(|line| in_comment(line)).collect()
    }
}

/// The entries of a mapping.
fn entries<const N: usize>(entries: [(&str, Yaml); N]) -> YamlEntries {
    entries.map(|(key, value)| (key.to_owned(), value)).into()
}

/// A mapping with a line for each key.
fn block<const N: usize>(members: [(&str, Yaml); N]) -> Yaml {
    Yaml::Block(entries(members))
}

/// A mapping on one line if it fits.
fn map<const N: usize>(members: [(&str, Yaml); N]) -> Yaml {
    Yaml::Map(entries(members))
}

/// The value `true`.
fn yes() -> Yaml {
    Yaml::Word("true".to_owned())
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

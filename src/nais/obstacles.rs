//! Parts of a declaration that no manifest can carry.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use domain::nais::{AT_MAX_AGE, Exposed};
use domain::{
    AtNais, Attribute, ClientAttributes, DesiredClient, DesiredScope, IntegrationType, SCOPE,
    ScopeAttributes, ScopeName, ValueType, Visibility,
};

/// The only delegation source that a manifest can name, and its issuers in test and production.
const ALTINN: [&str; 3] = ["altinn", "https://tt02.altinn.no/", "https://www.altinn.no/"];

/// Severity of an obstacle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "SeverityDocument", description = "")]
pub enum Weight {
    /// It prevents the hand-over.
    #[serde(rename = "error")]
    Refused,
    /// The next step resolves it.
    Pending,
    /// It is reported, and prevents nothing.
    #[serde(rename = "warning")]
    Default,
}

/// A part of a declaration that a manifest cannot carry, or that prevents the hand-over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Obstacle {
    /// Its severity.
    pub weight: Weight,
    /// The loss, and the remedy.
    pub message: String,
}

impl Obstacle {
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self { weight: Weight::Refused, message: message.into() }
    }

    pub(super) fn pending(message: impl Into<String>) -> Self {
        Self { weight: Weight::Pending, message: message.into() }
    }

    pub(super) fn default(message: impl Into<String>) -> Self {
        Self { weight: Weight::Default, message: message.into() }
    }
}

/// The parts of a scope that no manifest can carry on that day, the most severe first. `prefix` is that of
/// the scopes that manifests expose, if it is known.
pub fn of_scope(
    name: &ScopeName,
    scope: &DesiredScope,
    prefix: Option<&str>,
    today: Date,
) -> Vec<Obstacle> {
    let DesiredScope {
        attributes,
        active,
        prevent_deactivation,
        in_manifest: _,
        consumers,
        names: _,
        source: _,
    } = scope;
    let mut found = of_attributes(attributes);
    match prefix {
        Some(prefix) if prefix == name.prefix() => {}
        Some(prefix) => found.push(Obstacle::refused(format!(
            "NAIS exposes scopes under the prefix {prefix} alone: it stays here"
        ))),
        None => found.push(Obstacle::default(format!(
            "NAIS exposes scopes under one of the organisation's prefixes: see that it is {}, and say so \
             by `nais: {{ prefix: {} }}` in portvakt.yaml",
            name.prefix(),
            name.prefix()
        ))),
    }
    let exposed = Exposed::of(name.subscope());
    if attributes.delegation_source.is_some()
        && exposed.as_ref().is_ok_and(|exposed| exposed.separator() != '/')
    {
        found.push(Obstacle::refused(
            "a manifest with a delegation source needs `/` between product and name: remove \
             `delegation_source` and apply first, or leave the scope here, as its name can never change",
        ));
    }
    if let Err(why) = exposed {
        found.push(Obstacle::refused(format!(
            "a manifest makes the subscope of a product and a name, and cannot make this one: {why}. A \
             scope's name can never change: it stays here, or a new scope takes its place"
        )));
    }
    for (orgno, access) in consumers {
        if let Some(from) = access.next_after(today).and_then(|entry| entry.days.from) {
            found.push(Obstacle::refused(format!(
                "the access of {orgno} begins on {from}, and a manifest cannot say when an access begins: take \
                 `from` out, or wait"
            )));
        }
        if let Some(until) = access.last_day(today) {
            found.push(Obstacle::refused(format!(
                "the access of {orgno} ends with {until}, and a manifest cannot say when an access ends: take \
                 `until` out and see yourself that it is taken away, or wait"
            )));
        }
    }
    found.extend(of_state(*active, *prevent_deactivation));
    found.sort();
    found
}

/// The parts that scopes and clients have in common and no manifest can carry.
fn of_state(active: bool, prevent_deactivation: bool) -> impl Iterator<Item = Obstacle> {
    let inactive = (!active).then(|| {
        Obstacle::refused(
            "it is declared inactive, and NAIS would open it: make it `active: true` and apply first, or \
             leave it here",
        )
    });
    let prevented = prevent_deactivation.then(|| {
        Obstacle::default(
            "`prevent_deactivation` ends with the release: nothing keeps the application from closing it",
        )
    });
    inactive.into_iter().chain(prevented)
}

fn of_attributes(attributes: &ScopeAttributes) -> Vec<Obstacle> {
    let mut found = of_each(attributes.values(), ScopeAttributes::default().values());
    if attributes.visibility == Visibility::Internal {
        found.push(lost("visibility: INTERNAL", "NAIS makes scopes public or private"));
    }
    if let Some(source) = &attributes.delegation_source
        && delegation_name(source).is_none()
    {
        let then = format!("it knows `altinn` alone, and {source} would be lost");
        found.push(lost(SCOPE.delegation_source.name, &then));
    }
    if attributes.allowed_integration_types.is_empty() {
        found.push(Obstacle::default(
            "any kind of client may carry it, and NAIS lets those of maskinporten alone: name others \
             in `allowed_integration_types` if there are some",
        ));
    }
    let at_max_age = attributes.at_max_age;
    if at_max_age == 0 {
        found.push(Obstacle::default(
            "`at_max_age` is left to the client, and NAIS sets 30 seconds: declare 30 to 680 if that \
             is too short",
        ));
    } else if !AT_MAX_AGE.contains(&at_max_age) {
        found.push(Obstacle::refused(format!(
            "`at_max_age` is {at_max_age}, and a manifest takes {} to {}: declare one of those and \
             apply first",
            AT_MAX_AGE.start(),
            AT_MAX_AGE.end()
        )));
    }
    found
}

fn lost(what: &str, then: &str) -> Obstacle {
    Obstacle::refused(format!(
        "`{what}` cannot be in a manifest: {then}. Remove it and apply, if nobody needs it"
    ))
}

/// The obstacle of each attribute that differs from the usual value.
fn of_each<const N: usize>(
    values: [(&'static Attribute, Option<Value>); N],
    usual: [(&'static Attribute, Option<Value>); N],
) -> Vec<Obstacle> {
    let is_nothing = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    let differing = values.into_iter().zip(usual).filter(|((_, value), (_, usual))| {
        value != usual && !value.as_ref().is_some_and(is_nothing)
    });
    differing.filter_map(|((attribute, value), _)| of_attribute(attribute, value)).collect()
}

fn of_attribute(attribute: &Attribute, value: Option<Value>) -> Option<Obstacle> {
    let is_said = value.is_some();
    let shown = match value.unwrap_or_default() {
        Value::String(text) => text,
        other => other.to_string(),
    };
    match attribute.at_nais {
        AtNais::Carried => None,
        AtNais::Lost(then) => {
            let what = match attribute.value_type {
                ValueType::Word(_) => format!("{}: {shown}", attribute.name),
                _ => attribute.name.to_owned(),
            };
            Some(lost(&what, &then.replace("{}", &shown)))
        }
        AtNais::Refused(why) => is_said.then(|| Obstacle::refused(why)),
        AtNais::Replaced(how) => Some(Obstacle::default(how.replace("{}", &shown))),
    }
}

/// The name of a delegation source in a manifest.
pub(super) fn delegation_name(source: &str) -> Option<&'static str> {
    let is_it = |known: &&str| known.trim_end_matches('/') == source.trim_end_matches('/');
    ALTINN.iter().any(is_it).then_some(ALTINN[0])
}

/// The parts of a client that no manifest can carry, the most severe first.
pub fn of_client(client: &DesiredClient) -> Vec<Obstacle> {
    let DesiredClient {
        identity,
        attributes,
        // The application has keys of its own from then on.
        keys: _,
        on_behalf_of,
        active,
        prevent_deactivation,
        source: _,
        keys_source: _,
    } = client;
    let mut found = of_client_attributes(attributes);
    if on_behalf_of.as_ref().is_some_and(|entries| !entries.is_empty()) {
        found.push(Obstacle::refused(
            "`onbehalfof` cannot be in a manifest: it stays here, or remove that and apply first",
        ));
    }
    if identity.previous_name().is_some() {
        found.push(Obstacle::refused(
            "`previous_name` is still there: apply the new name, and remove it",
        ));
    }
    found.extend(of_state(*active, *prevent_deactivation));
    found.sort();
    // Several attributes can have the same message.
    found.dedup();
    found
}

fn of_client_attributes(attributes: &ClientAttributes) -> Vec<Obstacle> {
    if attributes.integration_type != IntegrationType::Maskinporten {
        let kind = attributes.integration_type.as_str();
        return vec![Obstacle::refused(format!(
            "it is a client of {kind}, and `spec.maskinporten` makes those of maskinporten alone: write \
             the application's manifest for {kind} by hand, or leave the client here"
        ))];
    }
    let usual = ClientAttributes::defaults(IntegrationType::Maskinporten, None);
    let mut found = of_each(attributes.values(), usual.values());
    if attributes.scopes.is_empty() {
        found.push(Obstacle::refused(
            "it consumes nothing, and NAIS would put a scope of its operator's on it: give it the scopes that \
             the application needs and apply first, or leave it here",
        ));
    }
    found
}

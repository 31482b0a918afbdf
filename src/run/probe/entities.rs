//! The scope and the client that a probe makes, and how those of earlier ones are recognised.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::run::Failure;
use digdir::{ApplicationKey, ProbedExchange};
use domain::{
    ClientId, GrantType, Orgno, PublicKey, Representation, ScopeName, SigningAlgorithm, kept,
};

/// The beginning of the subscopes and of the client names that a probe makes.
const NAME: &str = "portvakt-probe-";

/// The description of the scope and of the client: the API may trim and compose it.
pub(super) const DESCRIPTION: &str = " Made by portvakt probe to be deactivated, e\u{301} ";

/// The time after which the first registration of the key expires.
pub(super) const LIFE_OF_KEY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What a probe makes: named by the time, as nothing is ever deleted at DigDir.
pub(super) struct ProbeEntities {
    pub(super) organization: Orgno,
    pub(super) scope: ScopeName,
    pub(super) client: String,
    prefix: String,
    key: PublicKey,
}

impl ProbeEntities {
    pub(super) fn new(organization: Orgno, prefix: &str, now: Timestamp) -> Result<Self, Failure> {
        let name = format!("{NAME}{}", now.strftime("%Y%m%d-%H%M%S-%3f"));
        let scope = format!("{prefix}:{name}").parse().map_err(Failure::failed)?;
        let key = ApplicationKey::generate().map_err(Failure::failed)?;
        let kid = name.parse().map_err(Failure::failed)?;
        let key = key.public(&kid, SigningAlgorithm::default()).map_err(Failure::failed)?;
        Ok(Self { organization, scope, client: name, prefix: prefix.to_owned(), key })
    }

    pub(super) fn scope_representation(&self) -> Representation {
        object(json!({
            "prefix": self.prefix,
            "subscope": self.client,
            "description": DESCRIPTION,
            "long_description": "It says how the API behaves, and can be left alone.",
            "visibility": "PRIVATE",
            "allowed_integration_types": ["maskinporten"],
        }))
    }

    pub(super) fn client_representation(&self) -> Representation {
        object(json!({
            "client_name": self.client,
            "description": DESCRIPTION,
            "integration_type": "maskinporten",
            "application_type": "web",
            "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": [GrantType::JwtBearer],
            "scopes": [self.scope],
        }))
    }

    /// The set of the only key, with the time at which it expires if that is sent.
    pub(super) fn keys(&self, exp: Option<Timestamp>) -> Representation {
        let mut key = self.key.to_jwk();
        if let Some(exp) = exp {
            key.insert("exp".to_owned(), exp.as_second().into());
        }
        object(json!({ "keys": [key] }))
    }
}

/// The scopes of a list that a probe has left active or, by the accesses that are `granted`, open.
pub(super) fn left_scopes<'l>(
    list: &'l ProbedExchange,
    granted: &BTreeSet<ScopeName>,
) -> Vec<(ScopeName, &'l Representation)> {
    let of = |scope: &'l Representation| {
        let name = digdir::scope_name(scope).ok()?;
        let is_named = name.subscope().starts_with(NAME);
        let is_open = is_active(scope) || granted.contains(&name);
        (is_named && is_made(scope) && is_open).then_some((name, scope))
    };
    objects(list).filter_map(of).collect()
}

/// The scopes of a list of accesses that are approved.
pub(super) fn granted(list: &ProbedExchange) -> BTreeSet<ScopeName> {
    let approved = objects(list).filter(|it| text(it, "state") == Some("APPROVED"));
    approved.filter_map(|it| text(it, "scope")?.parse().ok()).collect()
}

/// The clients of a list that a probe has left active.
pub(super) fn left_clients(list: &ProbedExchange) -> Vec<ClientId> {
    let of = |client: &Representation| {
        let (name, id) = (text(client, "client_name")?, client_id(client)?);
        (name.starts_with(NAME) && is_made(client) && is_active(client)).then_some(id)
    };
    objects(list).filter_map(of).collect()
}

/// Whether a probe has made it, by the description.
fn is_made(entity: &Representation) -> bool {
    kept(text(entity, "description").unwrap_or_default()) == kept(DESCRIPTION)
}

/// The id of a client, as an answer has it.
pub(super) fn client_id(client: &Representation) -> Option<ClientId> {
    text(client, "client_id")?.parse().ok()
}

fn text<'e>(entity: &'e Representation, member: &str) -> Option<&'e str> {
    entity.get(member)?.as_str()
}

fn is_active(entity: &Representation) -> bool {
    entity.get("active").and_then(Value::as_bool) != Some(false)
}

/// The entries of a list.
pub(super) fn objects(list: &ProbedExchange) -> impl Iterator<Item = &Representation> {
    let entries = list.body.as_ref().and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(Value::as_object)
}

fn object(value: Value) -> Representation {
    match value {
        Value::Object(object) => object,
        _ => Representation::new(),
    }
}

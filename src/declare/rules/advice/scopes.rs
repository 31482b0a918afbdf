//! Rules about the attributes of scopes.

use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::did_you_mean;
use crate::declare::diagnostic::{Diagnostic, Place, quoted};
use crate::declare::read::declared::Scope;
use crate::declare::read::environment::EnvironmentTarget;
use crate::declare::resolve::attributes;
use crate::declare::resolve::here::Here;
use domain::{IntegrationType, SCOPE, ScopeAttributes};

pub(super) fn find(here: &Here<'_>, found: &mut Vec<Diagnostic>) {
    for scope in here.scopes() {
        let attributes = attributes(scope, here);
        found.extend(open_to_all(scope, &attributes, here));
        found.extend(lifetimes(scope, &attributes, here));
        found.extend(delegation_source(scope, &attributes, here));
    }
}

fn open_to_all(scope: &Scope, attributes: &ScopeAttributes, here: &Here<'_>) -> Option<Diagnostic> {
    let entry = here.entries(scope).next().filter(|_| attributes.accessible_for_all)?;
    let message = "the scope is open to all, so DigDir does not check its consumers";
    let key = if scope.in_manifest { "accessibleForAll" } else { "accessible_for_all" };
    let help = format!(
        "say that both are meant with a comment above the scope, `# portvakt: allow PV121 -- why`. Without \
         `{key}` an apply closes the scope to all others; without the consumers it revokes their access, and a \
         gateway for which `render` lists them lets every organisation through"
    );
    let related = here.deciding(scope, SCOPE.accessible_for_all.name).related("opened to all here");
    let place = scope.at(entry.span);
    Some(Diagnostic::new(Rule::OpenToAll, &place, message, &help).with_related(related))
}

fn lifetimes(scope: &Scope, attributes: &ScopeAttributes, here: &Here<'_>) -> Option<Diagnostic> {
    let ScopeAttributes { at_max_age, authorization_max_lifetime: lifetime, .. } = attributes;
    let types = &attributes.allowed_integration_types;
    // 0 is what digdirator always writes for this attribute, and leaves the life to the client.
    if *lifetime == 0 || !types.contains(&IntegrationType::Maskinporten) || at_max_age == lifetime {
        return None;
    }
    let message = format!(
        "at_max_age is {at_max_age} and authorization_max_lifetime {lifetime}; for Maskinporten \
         scopes the two are set alike"
    );
    let help = "leave `authorization_max_lifetime` out";
    let place = here.deciding(scope, SCOPE.authorization_max_lifetime.name);
    Some(Diagnostic::new(Rule::Lifetimes, &place, &message, help))
}

/// The name of the only delegation source in DigDir's documentation, and its issuers in test and in
/// production.
const ALTINN: &str = "altinn";
const ALTINN_TEST: &str = "https://tt02.altinn.no/";
const ALTINN_PROD: &str = "https://www.altinn.no/";

fn delegation_source(
    scope: &Scope,
    attributes: &ScopeAttributes,
    here: &Here<'_>,
) -> Option<Diagnostic> {
    let input = attributes.delegation_source.as_deref()?;
    let elsewhere = match here.target() {
        Some(EnvironmentTarget::Test) => input == ALTINN_PROD,
        Some(EnvironmentTarget::Prod) => input == ALTINN_TEST,
        Some(EnvironmentTarget::Sandbox | EnvironmentTarget::Custom(_)) | None => false,
    };
    let known = [ALTINN, ALTINN_TEST, ALTINN_PROD];
    let warning = |message: &str, help: &str| {
        let place: Place = here.deciding(scope, SCOPE.delegation_source.name);
        Some(Diagnostic::new(Rule::DelegationSource, &place, message, help))
    };
    if elsewhere {
        let message = format!("{} issues for DigDir's other environment", quoted(input));
        return warning(&message, "write `altinn`: the name is right in every environment");
    }
    if known.contains(&input) {
        return None;
    }
    let message = format!("{} is not a known delegation source", quoted(input));
    let hint = did_you_mean(input, known);
    warning(
        &message,
        &format!("{hint}`{ALTINN}` is known; whether DigDir has others shows in a plan"),
    )
}

//! Checks of the repository's naming rules.

use super::{MOST_FOUND, too_much};
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::{Diagnostic, Place};
use crate::declare::own::OwnRule;
use crate::declare::own::file::{ClientField, ConsumerField, NamingField, Preset, ScopeField};
use crate::declare::own::nais;
use crate::declare::own::naming::{NamingCheck, NamingRule};
use crate::declare::own::pattern::PatternBreach;
use crate::declare::read::declared::{Alias, DeclaredClient, Scope};
use crate::declare::resolve::attributes;
use crate::declare::resolve::here::Here;
use domain::{CLIENT, SCOPE, ScopeAttributes};

pub(super) fn find(here: &Here<'_>, found: &mut Vec<Diagnostic>) {
    let settings = here.settings;
    let rules = settings.naming.iter();
    let rules: Vec<_> = rules.filter(|rule| rule.head.environments.overlaps(here.set)).collect();
    if rules.is_empty() {
        return;
    }
    let counting = |place: &Place| {
        let team = settings.teams.of(&place.file).map(|team| team.name.as_str());
        rules.iter().filter(move |rule| rule.head.counts_for(team))
    };
    let of_scopes = here.scopes().flat_map(|scope| {
        let attributes = attributes(scope, here);
        counting(&scope.place).filter_map(move |rule| about_scope(rule, scope, &attributes, here))
    });
    let of_aliases = here
        .aliases()
        .flat_map(|alias| counting(&alias.place).filter_map(move |rule| about_alias(rule, alias)));
    let of_clients = here.clients().flat_map(|client| {
        counting(&client.place).filter_map(move |rule| about_client(rule, client, here))
    });
    let mut broken: Vec<_> =
        of_scopes.chain(of_aliases).chain(of_clients).take(MOST_FOUND + 1).collect();
    if broken.len() > MOST_FOUND {
        broken.push(too_much());
    }
    found.append(&mut broken);
}

fn about_scope(
    rule: &NamingRule,
    scope: &Scope,
    attributes: &ScopeAttributes,
    here: &Here<'_>,
) -> Option<Diagnostic> {
    let NamingRule { head, check } = rule;
    let (broken, place) = match check {
        NamingCheck::Text(NamingField::Scope(field), pattern) => {
            let (text, attribute) = text(*field, scope, attributes);
            let mut broken = pattern.check(text?)?;
            let given = here.given(scope, attribute);
            if given.is_none() && SCOPE.named(attribute).is_some() {
                broken.why = format!("{}; it is the default of {attribute}", broken.why);
            }
            (broken, given.unwrap_or_else(|| scope.place.clone()))
        }
        NamingCheck::Preset(Preset::Nais) => {
            (nais::check_subscope(scope.name.subscope())?, scope.place.clone())
        }
        NamingCheck::Preset(Preset::DescriptionNais) => {
            let description = &attributes.description;
            let broken = nais::check_description(description, scope.name.subscope())?;
            (broken, here.deciding(scope, SCOPE.description.name))
        }
        NamingCheck::Preset(Preset::SortedConsumers)
        | NamingCheck::Text(NamingField::Consumer(_) | NamingField::Client(_), _) => return None,
    };
    Some(broken_rule(head, &place, &broken))
}

fn about_alias(rule: &NamingRule, alias: &Alias) -> Option<Diagnostic> {
    let NamingRule { head, check } = rule;
    let (field, pattern) = match check {
        NamingCheck::Text(NamingField::Consumer(field), pattern) => (field, pattern),
        NamingCheck::Text(NamingField::Scope(_) | NamingField::Client(_), _)
        | NamingCheck::Preset(_) => return None,
    };
    let (text, place) = match field {
        ConsumerField::Name => (alias.name.as_ref().unwrap_or(&alias.alias), alias.at("name")),
        ConsumerField::Alias => (&alias.alias, alias.place.clone()),
        ConsumerField::Orgno => (&alias.orgno.to_string(), alias.at("orgno")),
    };
    Some(broken_rule(head, &place, &pattern.check(text)?))
}

fn about_client(rule: &NamingRule, client: &DeclaredClient, here: &Here<'_>) -> Option<Diagnostic> {
    let NamingRule { head, check } = rule;
    let (field, pattern) = match check {
        NamingCheck::Text(NamingField::Client(field), pattern) => (field, pattern),
        NamingCheck::Text(NamingField::Scope(_) | NamingField::Consumer(_), _)
        | NamingCheck::Preset(_) => return None,
    };
    let description = client.first(here.set, |part| part.description.as_deref());
    let (text, attribute) = match field {
        ClientField::Name => (client.name.as_str(), "name"),
        ClientField::Description => (description.unwrap_or_default(), CLIENT.description.name),
        ClientField::IntegrationType => {
            (client.integration_type.as_str(), CLIENT.integration_type.name)
        }
    };
    let place = here.deciding_of_client(client, attribute);
    Some(broken_rule(head, &place, &pattern.check(text)?))
}

/// A text of a scope, `None` where it has none, and the key that has it.
fn text<'s>(
    field: ScopeField,
    scope: &'s Scope,
    attributes: &'s ScopeAttributes,
) -> (Option<&'s str>, &'static str) {
    let ScopeAttributes {
        long_description, delegation_source, enforced_aud_for_access_token, ..
    } = attributes;
    match field {
        ScopeField::Name => (Some(scope.name.as_str()), "name"),
        ScopeField::Prefix => (Some(scope.name.prefix()), "name"),
        ScopeField::Subscope => (Some(scope.name.subscope()), "name"),
        ScopeField::Description => (Some(&attributes.description), SCOPE.description.name),
        ScopeField::LongDescription => (long_description.as_deref(), SCOPE.long_description.name),
        ScopeField::DelegationSource => {
            (delegation_source.as_deref(), SCOPE.delegation_source.name)
        }
        ScopeField::EnforcedAudForAccessToken => {
            let audience = enforced_aud_for_access_token.as_deref();
            (audience, SCOPE.enforced_aud_for_access_token.name)
        }
        ScopeField::Visibility => (Some(attributes.visibility.as_str()), SCOPE.visibility.name),
        ScopeField::TokenType => (Some(attributes.token_type.as_str()), SCOPE.token_type.name),
    }
}

fn broken_rule(head: &OwnRule, place: &Place, broken: &PatternBreach) -> Diagnostic {
    let message = format!("{}: {}", head.message, broken.why);
    head.broken(Rule::Naming, place, &message, &broken.help)
}

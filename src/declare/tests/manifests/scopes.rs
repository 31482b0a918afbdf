//! What a manifest exposes: each rule of digdirator's on a manifest.

use super::*;
use domain::{IntegrationType, ScopeAttributes, TokenType, Visibility};

fn exposed(fields: &str) -> (String, DesiredScope) {
    let repository = read(CLUSTERS, &[("app.yaml", &exposing(fields))]);
    one_scope(desired(&repository, "prod"))
}

#[test]
fn what_is_exposed_is_a_scope_as_digdirator_sets_it() {
    let fields = "name: aareg.read, product: arbeid, enabled: true, consumers: \
                  [{ orgno: '974761076', name: 'Skatt {{x}}' }, { orgno: '971040238' }]";
    let (name, scope) = exposed(fields);
    assert_eq!(name, "etat:arbeid:aareg.read");
    assert_eq!(
        scope.attributes,
        ScopeAttributes {
            description: "arbeid - prod-gcp:arbeid:aareg-api".to_owned(),
            long_description: None,
            visibility: Visibility::Public,
            token_type: TokenType::SelfContained,
            allowed_integration_types: [IntegrationType::Maskinporten].into(),
            at_max_age: 30,
            authorization_max_lifetime: 0,
            accessible_for_all: false,
            supports_european_businesses: false,
            delegation_source: None,
            enforced_aud_for_access_token: None,
            requires_user_consent: false,
            requires_user_authentication: false,
            requires_pseudonymous_tokens: false,
        }
    );
    assert!(scope.active && !scope.prevent_deactivation);
    let consumers: Vec<_> = scope.consumers.keys().map(ToString::to_string).collect();
    assert_eq!(consumers, ["971040238", "974761076"]);
    assert_eq!((&*scope.source.file, scope.source.line), ("app.yaml", 14));
}

#[test]
fn the_separator_comes_of_the_name_unless_it_is_given() {
    for (product, name, separator, scope) in [
        ("arbeid", "aareg.read", "", "etat:arbeid:aareg.read"),
        ("arbeid", "aareg/les.alt", "", "etat:arbeid/aareg/les.alt"),
        ("my", "scope.read", ", separator: /", "etat:my/scope.read"),
        ("my", "scope.read", ", separator: .", "etat:my.scope.read"),
        ("arbeid", "aareg", ", separator: ':'", "etat:arbeid:aareg"),
        ("arbeid", "a:bb", "", "etat:arbeid:a:bb"),
        ("arbeid", "blåbær", "", "etat:arbeid:blåbær"),
    ] {
        let fields = format!("product: {product}, name: '{name}', enabled: true{separator}");
        assert_eq!(exposed(&fields).0, scope);
    }
}

#[test]
fn what_a_manifest_gives_is_taken() {
    let (_, scope) = exposed(
        "product: arbeid, name: aareg, enabled: true, allowedIntegrations: [krr, api_klient], \
         atMaxAge: 680, accessibleForAll: true, separator: /, delegationSource: altinn, visibility: \
         private",
    );
    let attributes = scope.attributes;
    assert_eq!((attributes.at_max_age, attributes.authorization_max_lifetime), (680, 0));
    assert_eq!(
        attributes.allowed_integration_types,
        [IntegrationType::ApiKlient, IntegrationType::Krr].into()
    );
    assert!(attributes.accessible_for_all);
    assert_eq!(attributes.delegation_source.as_deref(), Some("altinn"));
    assert_eq!(attributes.visibility, Visibility::Private);
}

#[test]
fn fields_with_nothing_behind_them_are_left_out() {
    let (_, scope) = exposed(
        "product: arbeid, name: aareg, enabled: true, separator: , allowedIntegrations: , \
         atMaxAge: , accessibleForAll: , delegationSource: , visibility: ",
    );
    assert_eq!(
        exposed("product: arbeid, name: aareg, enabled: true").1.attributes,
        scope.attributes
    );
}

#[test]
fn a_scope_that_is_not_enabled_is_inactive_and_keeps_its_accesses() {
    let (_, scope) = exposed(
        "product: arbeid, name: aareg, enabled: false, consumers: [{ orgno: '974761076' }]",
    );
    assert!(!scope.active);
    assert_eq!(scope.consumers.len(), 1);
}

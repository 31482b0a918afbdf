//! Manifests of NAIS: each rule of digdirator's on a manifest, and where a manifest counts.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{SETTINGS, TODAY, folder, said};
use crate::declare::{Repository, load};
use crate::digdir::Needs;
use crate::domain::{
    ClientIdentity, Desired, DesiredClient, DesiredScope, IntegrationType, LiveClient,
    ScopeAttributes, TokenType, Visibility,
};

/// A repository of these keys in portvakt.yaml and these files.
pub(super) fn repository(settings: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let settings = format!("{SETTINGS}{settings}\n");
    let mut all: Vec<(&str, &[u8])> = vec![("portvakt.yaml", settings.as_bytes())];
    all.extend(files.iter().map(|(name, text)| (*name, text.as_bytes())));
    folder(&all)
}

/// Where each environment is at NAIS.
pub(super) const CLUSTERS: &str =
    "nais: { cluster: { test: dev-gcp, sandbox: dev-gcp, prod: prod-gcp }, namespace: plattform }";

fn read(settings: &str, files: &[(&str, &str)]) -> Repository {
    load(repository(settings, files).path()).unwrap()
}

/// What an environment holds; nothing may be said of it.
fn desired(repository: &Repository, environment: &str) -> Desired {
    match repository.desired(environment, TODAY) {
        Ok((desired, found)) => {
            assert_eq!(said(&found), "");
            desired
        }
        Err(wrong) => panic!("{wrong:?}"),
    }
}

fn one_scope(desired: Desired) -> (String, DesiredScope) {
    let [(name, scope)] = desired.scopes.into_iter().collect::<Vec<_>>().try_into().unwrap();
    (name.to_string(), scope)
}

fn one_client(desired: Desired) -> (String, DesiredClient) {
    let [(name, client)] = desired.clients.into_iter().collect::<Vec<_>>().try_into().unwrap();
    (name.to_string(), client)
}

fn wanted(client: &DesiredClient) -> Value {
    let wanted = client.attributes.wanted().map(|field| (field.name.to_owned(), field.wanted));
    Value::Object(wanted.collect())
}

/// An application that exposes one scope, with these fields beside the required ones.
fn exposing(fields: &str) -> String {
    format!(
        "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata:\n  name: aareg-api\n  \
         namespace: arbeid\n  labels: {{ team: arbeid }}\nspec:\n  image: example\n  \
         replicas: {{ min: 2 }}\n  maskinporten:\n    enabled: true\n    scopes:\n      \
         exposes:\n        - {{ {fields} }}\n"
    )
}

fn exposed(fields: &str) -> (String, DesiredScope) {
    let repository = read(CLUSTERS, &[("app.yaml", &exposing(fields))]);
    one_scope(desired(&repository, "prod"))
}

#[test]
fn what_is_exposed_is_a_scope_as_digdirator_sets_it() {
    let fields = "name: aareg.read, product: arbeid, enabled: true, consumers: \
                  [{ orgno: '974761076', name: Skatteetaten }, { orgno: '971040238' }]";
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
         atMaxAge: 680, accessibleForAll: true, delegationSource: altinn, visibility: private",
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

#[test]
fn the_repositorys_defaults_do_not_touch_a_manifest() {
    let defaults = format!(
        "{CLUSTERS}\ndefaults:\n  scope: {{ at_max_age: 5, visibility: PRIVATE, token_type: OPAQUE, \
         long_description: x, accessible_for_all: true, delegation_source: altinn, \
         enforced_aud_for_access_token: x, requires_user_consent: true, \
         requires_user_authentication: true, requires_pseudonymous_tokens: true, \
         authorization_max_lifetime: 7, allowed_integration_types: [krr] }}\n  client: {{ \
         access_token_lifetime: 5, application_type: browser, logo_uri: x, sso_disabled: true }}\n"
    );
    let manifest = exposing("product: arbeid, name: aareg, enabled: true")
        + "      consumes: [{ name: 'skatt:a' }]\n";
    let all = |settings: &str| {
        let desired = desired(&read(settings, &[("app.yaml", &manifest)]), "prod");
        let clients: Vec<_> = desired.clients.values().map(wanted).collect();
        let scopes = desired.scopes.into_values().map(|scope| scope.attributes);
        (clients, scopes.collect::<Vec<_>>())
    };
    assert_eq!(all(&defaults), all(CLUSTERS));
}

const CONSUMING: &str = "\
apiVersion: nais.io/v1
kind: MaskinportenClient
metadata: { name: aareg-sync, namespace: arbeid }
spec:
  secretName: x
  scopes:
    consumes:
      - name: skatteetaten:skattekort.read
      - name: etat:a
";

#[test]
fn what_is_consumed_is_a_client_as_digdirator_sets_it() {
    for manifest in [
        CONSUMING.to_owned(),
        CONSUMING
            .replace("nais.io/v1\nkind: MaskinportenClient", "nais.io/v1\nkind: Naisjob")
            .replace("  secretName: x\n  scopes:\n    consumes:\n      - name: skatteetaten:skattekort.read\n      - name: etat:a\n",
            "  maskinporten: { enabled: true, scopes: { consumes: [{ name: 'skatteetaten:skattekort.read' }, { name: 'etat:a' }] } }\n"),
        CONSUMING.replace("apiVersion: nais.io/v1\n", ""),
    ] {
        let (name, client) = one_client(desired(&read(CLUSTERS, &[("a.yaml", &manifest)]), "prod"));
        assert_eq!(name, "prod-gcp:arbeid:aareg-sync");
        // Lives of tokens and the client's name are for the operator of digdirator to say.
        assert_eq!(
            wanted(&client),
            json!({
                "integration_type": "maskinporten",
                "description": "prod-gcp:arbeid:aareg-sync",
                "scopes": ["etat:a", "skatteetaten:skattekort.read"],
                "application_type": "web",
                "token_endpoint_auth_method": "private_key_jwt",
                "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
                "refresh_token_usage": "ONETIME",
            })
        );
        let application = "prod-gcp:arbeid:aareg-sync".parse().unwrap();
        assert_eq!(client.identity, ClientIdentity::OwnedBy { application, client_name: None });
        assert!(client.active && client.keys.is_none() && client.on_behalf_of.is_none());
    }
    let named = CONSUMING.replace("secretName: x", "clientName: Henter skattekort");
    let (_, client) = one_client(desired(&read(CLUSTERS, &[("a.yaml", &named)]), "prod"));
    assert_eq!(client.identity.client_name().unwrap().as_str(), "Henter skattekort");
    assert_eq!((&*client.source.file, client.source.line), ("a.yaml", 3));
}

#[test]
fn a_manifest_that_consumes_nothing_declares_no_client() {
    for consumes in ["", "consumes: []", "consumes:"] {
        let manifest = format!(
            "{}      {consumes}\n",
            exposing("product: arbeid, name: aareg, enabled: true")
        );
        assert!(desired(&read(CLUSTERS, &[("a.yaml", &manifest)]), "prod").clients.is_empty());
    }
}

/// A client that people log in to, with these lines in its `spec`.
fn login(lines: &str) -> (String, DesiredClient) {
    let lines = lines.replace('\n', "\n  ");
    let manifest = format!(
        "apiVersion: nais.io/v1\nkind: IDPortenClient\nmetadata: {{ name: selvbetjening, \
         namespace: arbeid }}\nspec:\n  secretName: x\n  {lines}\n"
    );
    one_client(desired(&read(CLUSTERS, &[("a.yaml", &manifest)]), "prod"))
}

#[test]
fn a_login_has_the_defaults_of_digdirator() {
    let (name, client) = login("redirectURI: https://a.example/x");
    assert_eq!(name, "prod-gcp:arbeid:selvbetjening:idporten");
    assert_eq!(
        wanted(&client),
        json!({
            "integration_type": "idporten",
            "description": "prod-gcp:arbeid:selvbetjening",
            "scopes": ["openid", "profile"],
            "application_type": "web",
            "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": ["authorization_code", "refresh_token"],
            "refresh_token_usage": "ONETIME",
            "redirect_uris": ["https://a.example/x"],
            "frontchannel_logout_session_required": true,
            "frontchannel_logout_uri": null,
            "sso_disabled": false,
        })
    );
    let application = "prod-gcp:arbeid:selvbetjening".parse().unwrap();
    assert_eq!(client.identity, ClientIdentity::OwnedBy { application, client_name: None });
}

#[test]
fn a_login_has_what_its_manifest_gives() {
    let (name, client) = login(
        "integrationType: api_klient\naccessTokenLifetime: 60\nsessionLifetime: 3600\n\
         clientName: Selvbetjening\nclientURI: https://a.example\n\
         frontchannelLogoutURI: https://a.example/ut\nredirectURI: https://a.example/b\n\
         redirectURIs: [https://a.example/a, https://a.example/b]\n\
         postLogoutRedirectURIs: [https://a.example/etter]\nscopes: ['etat:a']\nssoDisabled: true",
    );
    assert_eq!(name, "prod-gcp:arbeid:selvbetjening:api_klient");
    assert_eq!(
        wanted(&client),
        json!({
            "integration_type": "api_klient",
            "description": "prod-gcp:arbeid:selvbetjening",
            "scopes": ["etat:a"],
            "application_type": "web",
            "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": ["authorization_code", "refresh_token"],
            "access_token_lifetime": 60,
            "refresh_token_lifetime": 3600,
            "authorization_lifetime": 3600,
            "refresh_token_usage": "ONETIME",
            "redirect_uris": ["https://a.example/a", "https://a.example/b"],
            "post_logout_redirect_uris": ["https://a.example/etter"],
            "frontchannel_logout_session_required": true,
            "frontchannel_logout_uri": "https://a.example/ut",
            "sso_disabled": true,
        })
    );
    assert_eq!(client.identity.client_name().unwrap().as_str(), "Selvbetjening");
    let scopes = |kind| wanted(&login(&format!("integrationType: {kind}")).1)["scopes"].clone();
    assert_eq!(scopes("api_klient"), json!(["openid", "profile"]));
    assert_eq!(
        scopes("krr"),
        json!(["krr:global/digitalpost.read", "krr:global/kontaktinformasjon.read"])
    );
    // The one combination that DigDir has for krr.
    let grants = &wanted(&login("integrationType: krr").1)["grant_types"];
    assert_eq!(*grants, json!(["urn:ietf:params:oauth:grant-type:jwt-bearer"]));
}

#[test]
fn one_application_can_have_both_kinds_of_client() {
    let login = CONSUMING.replace("MaskinportenClient", "IDPortenClient");
    let login = &login[..login.find("  scopes:").unwrap()];
    let repository = read(CLUSTERS, &[("a.yaml", &format!("{CONSUMING}---\n{login}"))]);
    let names: Vec<_> = desired(&repository, "prod").clients.into_keys().collect();
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["prod-gcp:arbeid:aareg-sync", "prod-gcp:arbeid:aareg-sync:idporten"]);
}

#[test]
fn what_has_no_client_of_maskinporten_declares_nothing() {
    for spec in [
        "spec: { image: x }",
        "spec: { maskinporten: { enabled: false, scopes: 7 } }",
        "spec: { maskinporten: }",
        "spec: { maskinporten: { enabled: true } }",
        "spec: { maskinporten: { enabled: true, scopes: } }",
        "spec:",
        "",
    ] {
        for kind in ["Application", "Naisjob"] {
            // Neither a namespace nor a cluster is known, and none is needed.
            let manifest =
                format!("apiVersion: nais.io/v1\nkind: {kind}\nmetadata: {{ name: a }}\n{spec}\n");
            let desired = desired(&read("", &[("a.yaml", &manifest)]), "prod");
            assert!(desired.scopes.is_empty() && desired.clients.is_empty());
        }
    }
}

/// The clients by environment.
fn by_environment(repository: &Repository) -> BTreeMap<&'static str, Vec<String>> {
    let names = |environment| {
        let (desired, _) = repository.desired(environment, TODAY).unwrap();
        let scopes = desired.scopes.values().map(|scope| scope.attributes.description.clone());
        desired.clients.keys().map(ToString::to_string).chain(scopes).collect()
    };
    ["prod", "sandbox", "test"].map(|environment| (environment, names(environment))).into()
}

#[test]
fn each_environment_has_the_manifest_of_its_cluster() {
    let bare = CONSUMING.replace(", namespace: arbeid", "")
        + "    exposes: [{ product: a, name: bb, enabled: true }]\n";
    let repository = read(CLUSTERS, &[("a.yaml", &bare)]);
    let of = |cluster: &str| {
        let application = format!("{cluster}:plattform:aareg-sync");
        let scope = format!("a - {application}");
        vec![application, scope]
    };
    let expected = [("prod", of("prod-gcp")), ("sandbox", of("dev-gcp")), ("test", of("dev-gcp"))];
    assert_eq!(by_environment(&repository), expected.into());
    // One that names its cluster counts in the environments that have it.
    let own = bare.replace("aareg-sync", "aareg-sync, clusterName: prod-gcp");
    let repository = read(CLUSTERS, &[("a.yaml", &own)]);
    let expected = [("prod", of("prod-gcp")), ("sandbox", vec![]), ("test", vec![])];
    assert_eq!(by_environment(&repository), expected.into());
    // An environment without a cluster has no manifest.
    let some = "nais: { cluster: { test: dev-gcp }, namespace: plattform }";
    let expected = [("prod", vec![]), ("sandbox", vec![]), ("test", of("dev-gcp"))];
    assert_eq!(by_environment(&read(some, &[("a.yaml", &bare)])), expected.into());
}

#[test]
fn one_cluster_for_all_is_that_of_manifests_that_name_none() {
    let one = "nais: { cluster: prod-gcp }";
    let application = |cluster: &str| vec![format!("{cluster}:arbeid:aareg-sync")];
    let everywhere = |cluster: &str| {
        ["prod", "sandbox", "test"].map(|environment| (environment, application(cluster))).into()
    };
    assert_eq!(by_environment(&read(one, &[("a.yaml", CONSUMING)])), everywhere("prod-gcp"));
    let own = CONSUMING.replace("aareg-sync", "aareg-sync, clusterName: dev-fss");
    for settings in [one, ""] {
        assert_eq!(by_environment(&read(settings, &[("a.yaml", &own)])), everywhere("dev-fss"));
    }
}

#[test]
fn of_several_prefixes_the_settings_name_one() {
    let manifest = exposing("product: arbeid, name: aareg, enabled: true");
    let settings = SETTINGS.replace("prefixes: [etat]", "prefixes: [etat, nav]");
    let settings = format!("{settings}nais: {{ cluster: prod-gcp, prefix: nav }}\n");
    let files = [("portvakt.yaml", settings.as_bytes()), ("a.yaml", manifest.as_bytes())];
    let repository = load(folder(&files).path()).unwrap();
    assert_eq!(one_scope(desired(&repository, "prod")).0, "nav:arbeid:aareg");
}

#[test]
fn manifests_and_yaml_stand_side_by_side() {
    let yaml = "consumers: { skatt: { orgno: '974761076' } }\nscopes:\n  - name: etat:b\n    \
                description: B\n    consumers: [skatt]\nclients: [{ name: x }]\n";
    let files =
        [("a.yaml", CONSUMING), ("b.yaml", yaml), ("c.yaml", &format!("{yaml}---\n{CONSUMING}"))];
    let both = desired(&read(CLUSTERS, &files[..2]), "prod");
    let one = desired(&read(CLUSTERS, &files[2..]), "prod");
    for desired in [both, one] {
        assert_eq!((desired.scopes.len(), desired.clients.len()), (1, 2));
    }
}

#[test]
fn teams_rules_policies_and_silences_count_for_manifests() {
    let settings = format!(
        "{CLUSTERS}\nteams: {{ arbeid: {{ path: arbeid, scopes: ['etat:arbeid*'], clients: ['*:arbeid:*'] }} }}\n\
         naming:\n  - {{ preset: nais }}\n  - {{ preset: description-nais }}\n  \
         - {{ preset: sorted-consumers }}\n  \
         - {{ rule: short, applies_to: client, pattern: '^.{{0,10}}$', message: too long }}\n\
         policies: [{{ rule: open, applies_to: scope, expression: '!scope.accessible_for_all', message: open }}]\n"
    );
    let manifest = exposing("product: arbeid, name: aareg, enabled: true, accessibleForAll: true")
        + "          consumers: []\n"
        + "        - { product: helse, name: aareg, enabled: true, consumers: [{ orgno: '974761076' }, { orgno: '971040238' }] }\n"
        + "      consumes: [{ name: 'skatt:a' }]\n";
    let manifest = manifest.replace("          consumers: []\n", "");
    let found =
        |text: &str| said(&super::check(repository(&settings, &[("arbeid/a.yaml", text)]).path()));
    assert_snapshot!(found(&manifest), @r"
    arbeid/a.yaml:4:9: PV140: short: too long: it does not match `^.{0,10}$`
    arbeid/a.yaml:14:36: PV141: open: open
    arbeid/a.yaml:15:35: PV142: `etat:helse:aareg` is no scope of the team `arbeid`, whose files are those in `arbeid`
      portvakt.yaml:13:10: the team is declared here
      help: `arbeid` has `etat:arbeid*`; choose another name, or add a glob to the team in portvakt.yaml
    arbeid/a.yaml:15:102: PV140: sorted-consumers: the consumers are not in order: `971040238` comes before `974761076`
      help: sort them by the alias, group or number that is written
    ");
    let silenced = manifest
        .replace(
            "        - { product: arbeid",
            "        # portvakt: allow open -- needed\n        - { product: arbeid",
        )
        .replace("apiVersion", "# portvakt: allow short -- as it is called\napiVersion");
    assert_snapshot!(found(&silenced), @r"
    arbeid/a.yaml:17:35: PV142: `etat:helse:aareg` is no scope of the team `arbeid`, whose files are those in `arbeid`
      portvakt.yaml:13:10: the team is declared here
      help: `arbeid` has `etat:arbeid*`; choose another name, or add a glob to the team in portvakt.yaml
    arbeid/a.yaml:17:102: PV140: sorted-consumers: the consumers are not in order: `971040238` comes before `974761076`
      help: sort them by the alias, group or number that is written
    ");
}

#[test]
fn what_belongs_to_a_manifests_client_is_read() {
    let needs = Needs::of(&desired(&read(CLUSTERS, &[("a.yaml", CONSUMING)]), "prod"));
    let clients = needs.clients.clone().unwrap();
    let live = |description: &str| LiveClient {
        active: false,
        name: "NAV".to_owned(),
        integration_type: "maskinporten".to_owned(),
        representation: json!({ "description": description }).as_object().unwrap().clone(),
        keys: None,
        on_behalf_of: None,
    };
    let id = "1f0a".parse().unwrap();
    assert!(clients.include(&id, &live("prod-gcp:arbeid:aareg-sync")));
    assert!(!clients.include(&id, &live("prod-gcp:arbeid:aareg-sync2")));
    let both = Needs::of(&desired(&read("", &[("a.yaml", "clients: [{ name: x }]")]), "prod"));
    let both = both.and(needs).clients.unwrap();
    assert!(both.include(&id, &live("prod-gcp:arbeid:aareg-sync")));
}

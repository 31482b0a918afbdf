//! Manifests of NAIS: where they count, and what counts for them.

mod clients;
mod layouts;
mod names;
mod scopes;
mod templates;
mod wrong;

use std::collections::BTreeMap;

use insta::assert_snapshot;
use serde_json::Value;

use super::{SETTINGS, TODAY, folder, said};
use crate::declare::{Repository, load};
use domain::{Desired, DesiredClient, DesiredScope};

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

pub(super) fn read(settings: &str, files: &[(&str, &str)]) -> Repository {
    load(repository(settings, files).path()).unwrap()
}

/// What an environment holds; nothing may be said of it.
pub(super) fn desired(repository: &Repository, environment: &str) -> Desired {
    match repository.desired(environment, TODAY) {
        Ok((desired, found)) => {
            assert_eq!(said(&found), "");
            desired
        }
        Err(wrong) => panic!("{wrong:?}"),
    }
}

pub(super) fn one_scope(desired: Desired) -> (String, DesiredScope) {
    let [(name, scope)] = desired.scopes.into_iter().collect::<Vec<_>>().try_into().unwrap();
    (name.to_string(), scope)
}

pub(super) fn one_client(desired: Desired) -> (String, DesiredClient) {
    let [(name, client)] = desired.clients.into_iter().collect::<Vec<_>>().try_into().unwrap();
    (name.to_string(), client)
}

pub(super) fn wanted(client: &DesiredClient) -> Value {
    let wanted = client.attributes.wanted().map(|field| (field.name.to_owned(), field.wanted));
    Value::Object(wanted.collect())
}

/// An application that exposes one scope, with these fields beside the required ones.
pub(super) fn exposing(fields: &str) -> String {
    format!(
        "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata:\n  name: aareg-api\n  \
         namespace: arbeid\n  labels: {{ team: arbeid }}\nspec:\n  image: example\n  \
         replicas: {{ min: 2 }}\n  maskinporten:\n    enabled: true\n    scopes:\n      \
         exposes:\n        - {{ {fields} }}\n"
    )
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

pub(super) const CONSUMING: &str = "\
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
fn what_has_no_client_of_maskinporten_declares_nothing() {
    for spec in [
        "spec: { image: x }",
        "spec: { maskinporten: { enabled: false, scopes: 7 } }",
        "spec: { maskinporten: { enabled: true } }",
        "spec: {}",
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
fn manifests_and_yaml_are_allowed_side_by_side() {
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
    let found = |text: &str| {
        said(&crate::declare::tests::check(
            repository(&settings, &[("arbeid/a.yaml", text)]).path(),
        ))
    };
    assert_snapshot!(found(&manifest), @r"
    arbeid/a.yaml:4:9: PV140: short: too long: `dev-gcp:arbeid:aareg-api` does not match `^.{0,10}$`
    arbeid/a.yaml:4:9: PV140: short: too long: `prod-gcp:arbeid:aareg-api` does not match `^.{0,10}$`
    arbeid/a.yaml:14:36: PV141: open: open: accessible_for_all is true
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

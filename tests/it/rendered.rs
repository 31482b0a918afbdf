//! `render yaml`: declarations of manifests, as equivalent YAML.

use std::path::Path;
use std::sync::Arc;

use domain::{Desired, norwegian_date};
use insta::assert_snapshot;
use portvakt::declare;

use crate::world::{Ran, program};

const SETTINGS: &str = r#"
organization: { orgno: "889640782", name: Etaten }
prefixes: [etat]
environments:
  test: { target: sandbox }
  prod: { target: sandbox }
defaults: { scope: { at_max_age: 120, visibility: PRIVATE } }
nais: { cluster: { test: dev-gcp, prod: prod-gcp }, namespace: arbeid }
"#;

const CONSUMERS: &str = "consumers: { skatt: { orgno: '974761076', name: Skatteetaten } }\n";

const MANIFESTS: &str = "\
apiVersion: nais.io/v1alpha1
kind: Application
metadata: { name: aareg-api }
spec:
  image: x
  maskinporten:
    enabled: true
    scopes:
      exposes:
        - name: aareg.read
          product: arbeid
          enabled: true
          consumers: [{ orgno: '974761076' }, { orgno: '971040238' }]
        - name: aareg/gammel
          product: arbeid
          enabled: false
          atMaxAge: 120
          visibility: private
          separator: /
          delegationSource: altinn
          allowedIntegrations: [maskinporten, krr]
      consumes: [{ name: 'etat:arbeid:aareg.read' }]
---
apiVersion: nais.io/v1
kind: IDPortenClient
metadata: { name: login, clusterName: prod-gcp }
spec:
  secretName: login
  clientName: Selvbetjening
  redirectURIs: [https://a.example/x]
  accessTokenLifetime: 60
  sessionLifetime: 3600
";

fn render(files: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let arguments = [&["render", "yaml"], arguments].concat();
    Ran::of(program().current_dir(folder.path()).args(arguments))
}

fn desired(yaml: &[(&str, &str)], environment: &str) -> Desired {
    let yaml = yaml.iter().map(|(name, text)| (Arc::from(*name), text.as_bytes().to_vec()));
    let read =
        declare::read(Path::new(""), SETTINGS.as_bytes(), yaml.collect(), &|_| None).unwrap();
    read.desired(environment, norwegian_date(jiff::Timestamp::now())).unwrap().0
}

#[test]
fn the_yaml_says_what_the_manifests_say() {
    let files = [("portvakt.yaml", SETTINGS), ("a.yaml", CONSUMERS), ("app.yaml", MANIFESTS)];
    let ran = render(&files, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_snapshot!(ran.stdout, @r#"
    scopes:
      # NAIS holds it, by its description: dev-gcp:arbeid:aareg-api
      - name: etat:arbeid/aareg/gammel
        description: arbeid - dev-gcp:arbeid:aareg-api
        allowed_integration_types: [krr, maskinporten]
        authorization_max_lifetime: 0
        delegation_source: altinn
        active: false
        per_environment:
          prod: { description: "arbeid - prod-gcp:arbeid:aareg-api" }

      # NAIS holds it, by its description: dev-gcp:arbeid:aareg-api
      - name: etat:arbeid:aareg.read
        description: arbeid - dev-gcp:arbeid:aareg-api
        visibility: PUBLIC
        allowed_integration_types: [maskinporten]
        at_max_age: 30
        authorization_max_lifetime: 0
        consumers:
          - "971040238"
          - skatt
        per_environment:
          prod: { description: "arbeid - prod-gcp:arbeid:aareg-api" }

    clients:
      # NAIS holds it, by its description: prod-gcp:arbeid:login
      - name: Selvbetjening
        integration_type: idporten
        description: prod-gcp:arbeid:login
        access_token_lifetime: 60
        refresh_token_lifetime: 3600
        authorization_lifetime: 3600
        refresh_token_usage: ONETIME
        redirect_uris: [https://a.example/x]
        frontchannel_logout_session_required: true
        environments: [prod]

      # NAIS holds it, by its description: dev-gcp:arbeid:aareg-api
      - name: dev-gcp:arbeid:aareg-api
        description: dev-gcp:arbeid:aareg-api
        scopes: [etat:arbeid:aareg.read]
        environments: [test]

      # NAIS holds it, by its description: prod-gcp:arbeid:aareg-api
      - name: prod-gcp:arbeid:aareg-api
        description: prod-gcp:arbeid:aareg-api
        scopes: [etat:arbeid:aareg.read]
        environments: [prod]
    "#);
    assert!(ran.stderr.contains("known by its name"), "{}", ran.stderr);
    for environment in ["test", "prod"] {
        let before = desired(&[("a.yaml", CONSUMERS), ("app.yaml", MANIFESTS)], environment);
        let after = desired(&[("a.yaml", CONSUMERS), ("b.yaml", &ran.stdout)], environment);
        assert_eq!(before.scopes.len(), after.scopes.len());
        for (name, scope) in &before.scopes {
            let other = &after.scopes[name];
            assert_eq!((&scope.attributes, scope.active), (&other.attributes, other.active));
            assert!(scope.consumers.keys().eq(other.consumers.keys()), "{name}");
        }
        assert_eq!(before.clients.len(), after.clients.len());
        for (name, client) in &before.clients {
            let name = client.identity.client_name().unwrap_or(name);
            let other: Vec<_> = after.clients[name].attributes.wanted().collect();
            // YAML leaves this attribute as it is live where it has no meaning.
            let said = client.attributes.wanted();
            for field in said.filter(|field| field.name != "refresh_token_usage") {
                assert!(
                    other
                        .iter()
                        .any(|other| other.name == field.name && other.wanted == field.wanted),
                    "{field:?}"
                );
            }
            assert!(after.clients[name].keys.is_none());
        }
    }
}

#[test]
fn files_can_be_chosen() {
    let exposing = "apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: { name: b }\n\
                    spec: { secretName: b, scopes: { exposes: [{ product: helse, name: bb, enabled: true }] } }\n";
    let files = [
        ("portvakt.yaml", SETTINGS),
        ("app.yaml", MANIFESTS),
        ("apps/b.yaml", exposing),
        ("c.yaml", CONSUMERS),
    ];
    let ran = render(&files, &["apps/b.yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("etat:helse:bb") && !ran.stdout.contains("aareg"),
        "{}",
        ran.stdout
    );
    let ran = render(&files, &["c.yaml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (64, ""));
    assert_snapshot!(ran.stderr, @r"error: c.yaml has no manifest that declares anything; those are in app.yaml, apps/b.yaml");
    let ran = render(&files[..1], &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert_snapshot!(ran.stderr, @r"no manifest declares anything");
    let wrong = [files[0], ("app.yaml", "apiVersion: nais.io/v1\nkind: MaskinportenClient\n")];
    assert_eq!(render(&wrong, &[]).code, 3);
}

#[test]
fn what_differs_between_clusters_is_reported_for_each() {
    let manifest = |cluster: &str, enabled: bool, orgno: &str| {
        format!(
            "apiVersion: nais.io/v1\nkind: MaskinportenClient\n\
             metadata: {{ name: b, clusterName: {cluster} }}\nspec: {{ secretName: b, scopes: {{ exposes: \
             [{{ product: helse, name: bb, enabled: {enabled}, consumers: [{{ orgno: '{orgno}' }}] }}] }} }}\n"
        )
    };
    let both = [
        ("dev.yaml", &*manifest("dev-gcp", true, "974761076")),
        ("prod.yaml", &*manifest("prod-gcp", false, "971040238")),
    ];
    let ran = render(&[("portvakt.yaml", SETTINGS), both[0], both[1]], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for environment in ["test", "prod"] {
        let (before, after) =
            (desired(&both, environment), desired(&[("a.yaml", &ran.stdout)], environment));
        let (before, after) =
            (before.scopes.values().next().unwrap(), after.scopes.values().next().unwrap());
        assert_eq!(before.attributes, after.attributes, "{}", ran.stdout);
        assert_eq!(before.active, after.active, "{}", ran.stdout);
        assert!(before.consumers.keys().eq(after.consumers.keys()), "{}", ran.stdout);
    }
}

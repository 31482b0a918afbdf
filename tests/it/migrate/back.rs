//! `portvakt migrate from-nais`: an application's entities are declared as they are live.

use serde_json::json;

use super::digdirator::{Digdirator, NAME};
use crate::git::remote::Remote;
use crate::world::{KART, Ran, SKATT, World};

const MANIFEST: &str = r#"apiVersion: nais.io/v1alpha1
kind: Application
metadata:
  name: aareg-api
  namespace: arbeid
spec:
  image: example
  maskinporten:
    enabled: true
    scopes:
      consumes:
        - name: etat:felles
      exposes:
        - name: aareg.read
          enabled: true
          product: arbeid
          atMaxAge: 60
          consumers:
            - { orgno: "974761076", name: Skatteetaten }
            - { orgno: "971040238" }
"#;

const SCOPE: &str = "etat:arbeid:aareg.read";

/// A world in which the application is deployed, with its manifest outside the repository.
fn deployed(world: &World, outside: &tempfile::TempDir) -> String {
    world.settings("nais: { cluster: dev-gcp }\n");
    world.put("etat:felles", true, &[]);
    Digdirator::new(world, "dev-gcp").deploy(MANIFEST);
    world.check_and_forget();
    let path = outside.path().join("nais.yaml");
    std::fs::write(&path, MANIFEST).unwrap();
    path.display().to_string()
}

fn take(world: &World, manifest: &str, more: &[&str]) -> Ran {
    world.run(&[&["migrate", "from-nais", manifest], more].concat())
}

#[test]
fn what_an_application_holds_is_declared_as_it_is_live() {
    let remote = Remote::new();
    let world = &remote.world;
    let outside = tempfile::TempDir::new().unwrap();
    let manifest = deployed(world, &outside);
    // Another entity of the application's cluster is left alone.
    let other = MANIFEST.replace("aareg-api", "annen-api").replace("aareg.read", "annen.read");
    Digdirator::new(world, "dev-gcp")
        .deploy(&other.replace("consumes:\n        - name: etat:felles", "consumes: []"));
    let one = remote.first();
    one.declare("scopes:\n  - { name: etat:felles, description: Les }\n");
    one.apply();
    world.sandbox.edit(|state| {
        // It has the same name as all others, so its name does not identify it.
        let clients = state.clients.iter_mut();
        let mut annen = clients.filter(|(_, it)| {
            it.fields.get("description") == Some(&json!("dev-gcp:arbeid:annen-api"))
        });
        annen.next().unwrap().1.fields.insert("client_name".to_owned(), "En annen".into());
    });
    let before = world.sandbox.state();
    world.check_and_forget();

    let ran = one.ends(0, &["migrate", "from-nais", &manifest, "--into", "fra-nais"]);
    assert!(ran.stdout.contains("fra-nais/etat/arbeid.yaml"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 scope with 2 accesses, 1 client, 1 alias"), "{}", ran.stdout);
    assert!(!ran.stderr.contains("not live"), "{}", ran.stderr);
    assert!(ran.stderr.contains("take the scopes and the client out"), "{}", ran.stderr);
    assert!(ran.stderr.contains("digdir.nais.io/preserve=true"), "{}", ran.stderr);
    let written = std::fs::read_to_string(one.path.join("fra-nais/etat/arbeid.yaml")).unwrap();
    assert!(written.contains(SCOPE) && !written.contains("annen.read"), "{written}");
    assert_eq!(one.planned(), [""; 0]);
    // NAIS sets `authorization_max_lifetime` to 0, and that is no reason for a warning.
    one.ends(0, &["validate", "--deny-warnings"]);
    super::merge(&one);
    one.apply();
    let after = world.sandbox.state();
    assert_eq!(json!(after.scopes), json!(before.scopes));
    assert_eq!(json!(after.clients), json!(before.clients));
    assert_eq!(world.open_to(SCOPE).unwrap(), [KART, SKATT]);
    assert!(world.client(NAME).1.active);

    let ran = one.ends(0, &["migrate", "from-nais", &manifest, "--into", "igjen"]);
    assert!(ran.stderr.contains("is declared"), "{}", ran.stderr);
    assert!(!one.path.join("igjen").exists());
}

#[test]
fn what_a_manifest_says_and_is_not_live_is_reported() {
    let world = World::new();
    let outside = tempfile::TempDir::new().unwrap();
    let manifest = deployed(&world, &outside);
    let more = MANIFEST
        .replace("atMaxAge: 60", "atMaxAge: 90")
        .replace("\"971040238\"", "\"991825827\"")
        .replace(
            "      exposes:\n",
            "      exposes:\n        - { name: ny, product: arbeid, enabled: true }\n",
        );
    std::fs::write(&manifest, more).unwrap();
    let ran = take(&world, &manifest, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for message in [
        "not live: revoke etat:arbeid:aareg.read 971040238",
        "not live: update scope etat:arbeid:aareg.read",
        "not live: grant etat:arbeid:aareg.read 991825827",
        "not live: create scope etat:arbeid:ny",
    ] {
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    }
    assert_eq!(world.planned(), [""; 0]);
    assert_eq!(world.sent(), [""; 0]);
}

/// Checks that it is refused with that code and text, and writes nothing.
#[track_caller]
fn refused(world: &World, manifest: &str, code: i32, message: &str) {
    let files = || {
        let mut names: Vec<_> =
            std::fs::read_dir(world.folder()).unwrap().map(|it| it.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = files();
    let ran = take(world, manifest, &[]);
    assert_eq!(ran.code, code, "{}", ran.stderr);
    assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    assert_eq!(files(), before);
    assert_eq!(world.sent(), [""; 0]);
}

#[test]
fn what_cannot_be_taken_over_safely_is_refused() {
    let world = World::new();
    let outside = tempfile::TempDir::new().unwrap();
    let manifest = deployed(&world, &outside);
    let put = |text: &str| std::fs::write(&manifest, text).unwrap();
    for value in ["\"true\"", "true"] {
        let annotations =
            format!("metadata:\n  annotations: {{ digdir.nais.io/delete: {value} }}\n");
        put(&MANIFEST.replace("metadata:\n", &annotations));
        refused(&world, &manifest, 4, "deactivates it at DigDir");
    }
    put(&MANIFEST.replace("enabled: true\n    scopes", "enabled: false\n    scopes"));
    refused(&world, &manifest, 64, "is not a manifest that exposes or consumes");
    put("scopes: [");
    refused(&world, &manifest, 3, "nais.yaml");
    put(&MANIFEST.replace("atMaxAge: 60", "atMaxAge: 9"));
    refused(&world, &manifest, 3, "680");
    refused(&world, "nowhere.yaml", 64, "cannot be read");
    // Another client with the same description.
    put(MANIFEST);
    let (_, twin) = world.client(NAME);
    world.sandbox.edit(|state| drop(state.clients.insert("2f0b".to_owned(), twin)));
    refused(&world, &manifest, 4, "is not clear");
    // Already a declaration.
    world.write("nais.yaml", MANIFEST);
    refused(&world, "nais.yaml", 4, "among the declarations");
    let ran = take(&world, &manifest, &["--into", "../ut"]);
    assert_eq!(ran.code, 64, "{}", ran.stderr);
}

#[test]
fn what_is_not_live_is_not_written() {
    let world = World::new();
    world.settings("nais: { cluster: prod-gcp }\n");
    let outside = tempfile::TempDir::new().unwrap();
    let path = outside.path().join("nais.yaml");
    std::fs::write(&path, MANIFEST).unwrap();
    let ran = take(&world, path.to_str().unwrap(), &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing that it names is live"), "{}", ran.stderr);
}

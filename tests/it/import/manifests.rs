//! A folder of manifests, for which portvakt.yaml says nothing yet.

use std::fs;
use std::path::Path;

use domain::AccessState::Approved;

use super::command::read;
use crate::readme::{ROOT, copy};
use crate::world::{KART, SKATT, World, ids};

fn planned(world: &World, environment: &str) -> Vec<String> {
    let ran = world.run(&["plan", "-e", environment, "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ids(&serde_json::from_str(&ran.stdout).unwrap())
}

/// Manifests of two clusters, one of whose scopes is live besides one that nobody declares.
fn world(more: &str) -> World {
    let world = World::new();
    copy(&Path::new(ROOT).join("tests/layouts"), &world.folder().join("apps"));
    world.settings(&format!("  prod: {{ target: sandbox }} # a comment\n{more}"));
    world.put("etat:gammel", true, &[(SKATT, Approved), (KART, Approved)]);
    world
}

#[test]
fn its_manifests_count_in_the_environments_of_their_files() {
    let world = world("");
    let before = read(&world, "portvakt.yaml");
    let ran = world.run(&["import", "-e", "test"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("portvakt.yaml: added `nais`, by which 6 files"), "{}", ran.stdout);
    let next = "`portvakt plan -e test`, which can create what the manifests declare and grant access to it";
    assert!(ran.stderr.contains(next), "{}", ran.stderr);
    let after = read(&world, "portvakt.yaml");
    let added = after.strip_prefix(&before).unwrap();
    insta::assert_snapshot!(added, @r#"

    # The manifests of NAIS in this folder are declarations, as they are.
    nais:
      # CHANGE the cluster of each environment to the one that its manifests are deployed to.
      cluster: { prod: prod-gcp, test: dev-gcp }
      manifests:
        prod: ["**/prod.yaml"]
        test: ["**/dev.yaml"]
      vars:
        prod: ["**/prod-vars.yaml"]
        test: ["**/dev-vars.yaml"]
    "#);
    let created = |environment: &str| -> Vec<String> {
        let all = planned(&world, environment);
        assert!(
            all.iter().all(|id| id.starts_with("create ") || id.starts_with("grant ")),
            "{all:?}"
        );
        all.into_iter().filter(|id| id.starts_with("grant ")).collect()
    };
    assert_eq!(
        created("test"),
        [
            "grant etat:arbeid/tiltak/les 313367002",
            "grant etat:arbeid:aareg.read 313367002",
            "grant etat:helse.soknad.read 889640782",
            "grant etat:helse.soknad.read 974761076",
            "grant etat:helse.soknad.write 889640782",
            "grant etat:helse.soknad.write 974761076",
        ]
    );
    let prod = created("prod");
    assert!(prod.contains(&"grant etat:arbeid:aareg.read 971040238".to_owned()), "{prod:?}");
    assert!(!prod.iter().any(|id| id.ends_with(" 313367002")), "{prod:?}");
    // The next import finds nothing.
    let ran = world.run(&["import", "-e", "test"]);
    assert_eq!((ran.code, read(&world, "portvakt.yaml")), (0, after), "{}", ran.stderr);
}

#[test]
fn what_is_there_already_is_added_to_or_left_alone() {
    let cluster = "cluster: { test: dev-gcp, prod: prod-gcp }";
    for nais in [format!("nais: {{ {cluster} }} # c\n"), format!("nais:\n  # c\n  {cluster}\n\n")] {
        let world = world(&format!("{nais}defaults: {{ scope: {{ at_max_age: 60 }} }}\n"));
        let ran = world.run(&["import", "-e", "test"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let after = read(&world, "portvakt.yaml");
        assert!(after.contains("# c") && after.contains("dev-vars.yaml"), "{after}");
        assert!(
            planned(&world, "test").contains(&"create client dev-gcp:arbeid:tiltak-api".to_owned())
        );
    }
    // Some files have no glob.
    let world = world(&format!("nais:\n  {cluster}\n  manifests: {{ test: [\"**/dev.yaml\"] }}\n"));
    let before = read(&world, "portvakt.yaml");
    let ran = world.run(&["import", "-e", "test"]);
    assert!(ran.stderr.contains("`manifests` is there already"), "{}", ran.stderr);
    assert!(ran.stderr.contains("prod: [\"**/prod.yaml\"]"), "{}", ran.stderr);
    assert_eq!(read(&world, "portvakt.yaml"), before);
}

#[test]
fn manifests_that_count_already_are_left_as_they_count() {
    let world = world("");
    fs::remove_dir_all(world.folder().join("apps")).unwrap();
    let manifest = "apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: { name: app, namespace: team, clusterName: \
                    dev-fss }\nspec:\n  secretName: x\n  scopes:\n    exposes: [{ name: les, product: app, enabled: true }]\n";
    world.write("dev.yaml", manifest);
    let before = read(&world, "portvakt.yaml");
    assert_eq!(planned(&world, "prod"), ["create scope etat:app:les"]);
    let ran = world.run(&["import", "-e", "test"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("are declarations already"), "{}", ran.stderr);
    assert!(ran.stderr.contains("test: [\"**/dev.yaml\"]"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("cluster:"), "{}", ran.stderr);
    assert_eq!(read(&world, "portvakt.yaml"), before);
    assert!(planned(&world, "prod").contains(&"create scope etat:app:les".to_owned()));
}

#[test]
fn nothing_is_added_if_the_import_fails() {
    let world = world("");
    let before = read(&world, "portvakt.yaml");
    fs::write(world.folder().join("apps/wrong.yaml"), "scopes: 1\n").unwrap();
    let ran = world.run(&["import", "-e", "test"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("apps/wrong.yaml:1:9"), "{}", ran.stderr);
    assert_eq!(read(&world, "portvakt.yaml"), before);
}

#[test]
fn the_manifests_are_named_although_nothing_is_imported() {
    let world = world("");
    let before = read(&world, "portvakt.yaml");
    // A name that is misspelt makes no declarations of manifests.
    let ran = world.run(&["import", "-e", "test", "--scope", "etat:nei"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_eq!(read(&world, "portvakt.yaml"), before);
    world.sandbox.edit(|state| state.scopes.clear());
    let ran = world.run(&["import", "-e", "test"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing to import"), "{}", ran.stderr);
    assert!(ran.stdout.contains("portvakt.yaml: added `nais`, by which 6 files"), "{}", ran.stdout);
    assert!(ran.stderr.contains("Next: look through the files and"), "{}", ran.stderr);
    let after = read(&world, "portvakt.yaml");
    assert!(after.contains("test: [\"**/dev.yaml\"]"), "{after}");
    // Now it lacks nothing.
    let ran = world.run(&["import", "-e", "test"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(!ran.stderr.contains("Next"), "{}", ran.stderr);
    assert_eq!(read(&world, "portvakt.yaml"), after);
}

#[test]
fn portvakt_yaml_is_as_it_was_while_the_api_is_read() {
    let world = world("");
    // What could not be taken back is not there either.
    let path = world.folder().join("portvakt.yaml");
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(world.folder().join("maskinporten.yaml"), "scopes: []\n").unwrap();
    let ran = world.run(&["import", "-e", "test", "--layout", "single"]);
    assert_ne!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
}

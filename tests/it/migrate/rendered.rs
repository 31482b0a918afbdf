//! `portvakt render nais`: offline.

use super::APPLICATION;
use crate::world::World;

const YAML: &str = r#"
consumers:
  skatt: { orgno: "974761076", name: "Skatt: etaten" }
  gammel: { orgno: "971040238" }
scopes:
  - name: etat:my/scope.read
    description: mycluster:mynamespace:myapp.my/scope.read
    at_max_age: 30
    accessible_for_all: true
    allowed_integration_types: [maskinporten, krr]
    consumers:
      - { consumer: skatt, reason: "SAK-1:\n  hjemmel" }
      - { consumer: gammel, until: 2020-01-01 }
  - name: etat:arbeid/a/bb.read
    description: arbeid - my-cluster:my-namespace:my-app
    at_max_age: 680
    visibility: PRIVATE
    allowed_integration_types: [maskinporten]
    consumers: [skatt]
  - name: etat:arbeid/annen
    description: arbeid - c:n:no
    at_max_age: 31
    allowed_integration_types: [maskinporten]
    delegation_source: "https://tt02.altinn.no/"
clients:
  - name: x
    description: my-cluster:my-namespace:my-app
    scopes: ["skatteetaten:skattekort.read"]
  - { name: y, description: Annet, scopes: ["skatteetaten:skattekort.read"] }
"#;

fn world(yaml: &str) -> World {
    let world = World::new();
    world.declare(yaml);
    world
}

#[test]
fn a_manifest_is_printed_for_each_application() {
    let world = world(YAML);
    let ran = world.run(&["render", "nais"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout);
    assert_eq!(world.sandbox.exchanges(), [], "it is offline");
}

#[test]
fn what_is_named_is_printed_for_the_application_that_is_named() {
    let world = world(YAML);
    let all = [&["render", "nais", "--client", "y"][..], &APPLICATION].concat();
    let ran = world.run(&all);
    assert_eq!(
        ran.stdout,
        "# Goes into the application's own manifest: spec.maskinporten, below what is there.\n\
         # For the cluster prod-gcp.\napiVersion: nais.io/v1alpha1\nkind: Application\nmetadata:\n  \
         name: aareg-api\n  namespace: plattform\nspec:\n  maskinporten:\n    enabled: true\n    \
         scopes:\n      consumes:\n        - name: skatteetaten:skattekort.read\n"
    );
    // With only the application given: the entities whose descriptions name it.
    let args = [
        "render",
        "nais",
        "--cluster",
        "my-cluster",
        "--namespace",
        "my-namespace",
        "--app",
        "my-app",
    ];
    let ran = world.run(&args);
    assert!(ran.stdout.contains("name: my-app\n") && !ran.stdout.contains("---"), "{}", ran.stdout);
    assert!(ran.stdout.contains("skattekort.read") && ran.stdout.contains("a/bb.read"));
    let ran = world.run(&["render", "nais", "--client", "y"]);
    assert_eq!(ran.code, 64);
    assert!(ran.stderr.contains("names no application"), "{}", ran.stderr);
    let ran = world.run(&[&["render", "nais"][..], &APPLICATION].concat());
    assert_eq!(ran.code, 64, "{}", ran.stdout);
}

#[test]
fn what_no_manifest_can_carry_prints_none() {
    let world = world(&YAML.replace("at_max_age: 31", "at_max_age: 3"));
    let ran = world.run(&["render", "nais"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""));
    assert!(
        ran.stderr.contains("the scope etat:arbeid/annen: `at_max_age` is 3"),
        "{}",
        ran.stderr
    );
    let two = YAML.replace("description: Annet", "description: my-cluster:my-namespace:my-app");
    world.declare(&two);
    let ran = world.run(&["render", "nais", "--client", "x", "--client", "y"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""));
    assert!(ran.stderr.contains("one client"), "{}", ran.stderr);
}

#[test]
fn dashes_that_are_lost_are_reported() {
    let world = world(YAML);
    let ran = world.run(&["render", "nais", "--scope", "etat:my/scope.read"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("mycluster:mynamespace:myapp"), "{}", ran.stderr);
    assert!(ran.stderr.contains("lost their dashes"), "{}", ran.stderr);
    let ran = world.run(&["render", "nais", "--client", "x"]);
    assert!(!ran.stderr.contains("lost their dashes"), "{}", ran.stderr);
}

#[test]
fn what_portvakt_yaml_says_of_nais_counts() {
    let world = world(YAML);
    world.settings("nais: { cluster: { test: dev-gcp }, namespace: plattform }\n");
    let args = ["render", "nais", "--scope", "etat:arbeid/annen", "--app", "aareg"];
    let ran = world.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("# For the cluster dev-gcp.\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("name: aareg\n  namespace: plattform\n"), "{}", ran.stdout);
    let ran = world.run(&[&args[..], &["--cluster", "prod-gcp", "--namespace", "annet"]].concat());
    assert!(ran.stdout.contains("prod-gcp") && ran.stdout.contains("namespace: annet\n"));

    // An entity of a manifest in the repository belongs to NAIS already.
    world.write("m.yaml", ran.stdout.replace("name: annen", "name: tredje"));
    let ran = world.run(&["render", "nais"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stdout.contains("tredje"), "{}", ran.stdout);
    let tredje = ["--scope", "etat:arbeid/tredje", "--app", "aareg"];
    for command in [&["render", "nais"], &["migrate", "to-nais"]] {
        let ran = world.run(&[&command[..], &tredje].concat());
        assert_eq!(ran.code, 64, "{}", ran.stderr);
        assert!(ran.stderr.contains("a manifest declares the scope etat:arbeid/tredje"));
    }
}

#[test]
fn a_scope_of_another_prefix_is_none_that_nais_exposes() {
    let world = world(YAML);
    let two = |more: &str| {
        world.settings(more);
        let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
        world.write(
            "portvakt.yaml",
            settings.replace("prefixes: [etat]", "prefixes: [annet, etat]"),
        );
        world.run(&["render", "nais", "--client", "x", "--scope", "etat:arbeid/a/bb.read"])
    };
    let ran = two("");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("nais: { prefix: etat }"), "{}", ran.stderr);
    assert!(!two("nais: { prefix: etat }\n").stderr.contains("prefix"));
    let ran = two("nais: { prefix: annet }\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""));
    assert!(ran.stderr.contains("under the prefix annet alone"), "{}", ran.stderr);
}

//! Additions to existing files.

use domain::AccessState::Approved;

use crate::world::{DIGDIR, KART, Ran, SKATT, World};

const THERE: &str = r#"# ours, with care
consumers:
    skatt: { orgno: "974761076" } # the tax people
    # the end of the aliases

scopes:
    - name: etat:arbeid:aareg # first
      description: >
        Les
        det
      consumers:
          - skatt
          # nobody else

    # the last one
    - { name: etat:helse:b, description: Helse }
      # it ends here

# clients come later
"#;

fn world() -> World {
    let world = World::new();
    let three = [(SKATT, Approved), (KART, Approved), (DIGDIR, Approved)];
    world.put("etat:arbeid:ny.read", true, &three);
    world.put("etat:arbeid:ny.write", true, &three);
    world.put_client("id-1", "prod:arbeid:sync", true, &["etat:arbeid:ny.read"]);
    world
}

fn import(world: &World, more: &[&str]) -> Ran {
    world.run(
        &[&["import", "--layout", "single", "--scope", "*ny*", "--client", "*"], more].concat(),
    )
}

fn read(world: &World) -> String {
    std::fs::read_to_string(world.folder().join("maskinporten.yaml")).unwrap()
}

/// Whether a text is another one with lines inserted.
fn keeps(before: &str, after: &str) -> bool {
    let mut after = after.lines();
    before.lines().all(|line| after.any(|other| other == line))
}

#[test]
fn what_is_there_is_kept_to_the_byte() {
    for ends in ["\n", "\r\n"] {
        let world = world();
        let there = THERE.replace('\n', ends);
        world.write("maskinporten.yaml", &there);
        let refused = import(&world, &[]);
        assert_eq!(refused.code, 4, "{}", refused.stderr);
        assert_eq!(read(&world), there);
        let ran = import(&world, &["--merge"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let after = read(&world);
        assert!(keeps(&there, &after), "{after}");
        assert_eq!(after.matches('\n').count(), after.matches(ends).count());
        if ends == "\n" {
            insta::assert_snapshot!(ran.stdout, @r"
            maskinporten.yaml: added 2 scopes with 6 accesses, 1 client, 2 aliases, 1 group
            Imported from test: 2 scopes with 6 accesses, 1 client, 2 aliases, 1 group
            ");
            insta::assert_snapshot!(after, @r#"
            # ours, with care
            consumers:
                skatt: { orgno: "974761076" } # the tax people
                digitaliseringsdirektoratet: { orgno: "991825827", name: DIGITALISERINGSDIREKTORATET }
                statens-kartverk: { orgno: "971040238", name: STATENS KARTVERK }
                # the end of the aliases

            scopes:
                - name: etat:arbeid:aareg # first
                  description: >
                    Les
                    det
                  consumers:
                      - skatt
                      # nobody else

                # the last one
                - { name: etat:helse:b, description: Helse }
                  # it ends here

                - name: etat:arbeid:ny.read
                  description: Les
                  consumers:
                    - group: arbeid-ny

                - name: etat:arbeid:ny.write
                  description: Les
                  consumers:
                    - group: arbeid-ny

            # clients come later

            groups:
              arbeid-ny: [digitaliseringsdirektoratet, skatt, statens-kartverk]

            clients:
              - name: prod:arbeid:sync
                scopes: [etat:arbeid:ny.read]
            "#);
        }
        let planned = world.planned();
        assert!(planned.iter().all(|id| !id.contains("ny")), "{planned:?}");
        assert_eq!(planned.len(), 3, "what was declared before is as it was: {planned:?}");
        // There is nothing left to add.
        let again = import(&world, &["--merge"]);
        assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{}", again.stderr);
    }
}

#[test]
fn files_of_any_block_form_are_added_to() {
    for there in [
        "",
        "# only a comment",
        "---\n# a document\n",
        "consumers:\n  x: { orgno: \"984661185\" }\n---\nclients:\n- name: andre # no indent",
        "clients:\n- name: andre\n  description: |\n    a\n    b\n",
        "  consumers:\n    x: { orgno: \"984661185\" }\n",
        "removed:\n  - { scope: etat:gammel, action: release }\n\n",
    ] {
        let world = world();
        world.write("maskinporten.yaml", there);
        let ran = import(&world, &["--merge"]);
        assert_eq!(ran.code, 0, "{there:?}: {}", ran.stderr);
        assert!(keeps(there, &read(&world)), "{}", read(&world));
        let planned = world.planned();
        assert!(planned.iter().all(|id| id == "create client andre"), "{there:?}: {planned:?}");
        assert_eq!(planned.len(), there.matches("andre").count());
    }
}

#[test]
fn what_cannot_be_added_to_is_reported_and_left() {
    for there in [
        "scopes: []\n",
        "scopes: [{ name: etat:a, description: A }]\n",
        "scopes:\n",
        "consumers: { x: { orgno: \"984661185\" } }\n",
        "x-y: 1\n",
        "scopes:\n  - &a { name: etat:a, description: A }\n  - *a\n",
        "{ consumers: { x: { orgno: \"984661185\" } } }\n",
        "consumers:\n  x: { orgno: \"984661185\" }\n...\n",
    ] {
        let world = world();
        world.write("maskinporten.yaml", there);
        let ran = import(&world, &["--merge"]);
        assert!(matches!(ran.code, 3 | 4), "{there:?}: {} {}", ran.code, ran.stdout);
        assert!(ran.stderr.contains("maskinporten.yaml"), "{there:?}: {}", ran.stderr);
        assert_eq!(read(&world), there);
    }
    let world = world();
    world.write("maskinporten.yaml", "scopes: []\n");
    insta::assert_snapshot!(import(&world, &["--merge"]).stderr, @r"error: maskinporten.yaml cannot be added to: `scopes` is there in brackets, or with nothing behind it: put each entry on lines of its own. Do that by hand, or write elsewhere with --into. Nothing was written");
}

//! `portvakt block` and `portvakt unblock`, and what `blocked` means for other commands.

use domain::AccessState::Approved;

use crate::world::{KART, Ran, SKATT, World};

const SCOPES: &str =
    "scopes:\n  - name: etat:a\n    description: Les\n    consumers: [skatt] # bare denne\n";

fn world() -> World {
    let world = World::new();
    world.settings("  tom:\n    target: sandbox\n");
    world.declare(SCOPES);
    world.write(
        "consumers.yaml",
        format!(
            "# Hvem de er\nconsumers:\n  # mor\n  skatt: {{ orgno: \"{SKATT}\", name: Skatteetaten }} # ja\n  \
             kart: {{ orgno: \"{KART}\", environments: [tom] }}\n"
        ),
    );
    world
}

fn ends(world: &World, code: i32, args: &[&str]) -> Ran {
    let ran = world.run(args);
    assert_eq!(ran.code, code, "{args:?}\n{}{}", ran.stdout, ran.stderr);
    ran
}

fn read(world: &World, file: &str) -> String {
    std::fs::read_to_string(world.folder().join(file)).unwrap()
}

#[test]
fn entries_are_written_beside_the_aliases_and_taken_out_again() {
    let world = world();
    let before = read(&world, "consumers.yaml");
    let blocked = ends(&world, 0, &["block", "skatt", "--reason", "SAK-1: nå"]);
    assert_eq!(
        blocked.stdout,
        "skatt is blocked in all environments from all scopes: consumers.yaml\n"
    );
    // The alias is declared for another environment, in which alone an entry with it would count.
    let blocked = ends(
        &world,
        0,
        &[
            "-e", "test", "block", KART, "--reason", "SAK-2", "--scope", "etat:a", "--scope",
            "etat:b*",
        ],
    );
    assert_eq!(
        blocked.stdout,
        "971040238 is blocked in test from etat:a, etat:b*: consumers.yaml\n"
    );
    let entries = "blocked:\n  - { consumer: skatt, reason: \"SAK-1: nå\" }\n  \
                   - { consumer: \"971040238\", environments: [test], scopes: [etat:a, \"etat:b*\"], reason: SAK-2 }\n";
    assert_eq!(read(&world, "consumers.yaml"), format!("{before}{entries}"));
    let again = ends(&world, 0, &["block", SKATT, "--reason", "SAK-3"]);
    assert!(
        again
            .stderr
            .contains("it was blocked before too, and loses nothing more: consumers.yaml:7"),
        "{}",
        again.stderr
    );
    let unchanged =
        "skatt is blocked already in all environments from all scopes: nothing was changed";
    assert!(again.stderr.contains(unchanged) && again.stdout.is_empty(), "{}", again.stderr);
    for scopes in [&["etat:a"][..], &["etat:b*", "etat:a"]] {
        let scopes = scopes.iter().flat_map(|scope| ["--scope", *scope]);
        let args: Vec<_> =
            ["-e", "test", "block", KART, "--reason", "x"].into_iter().chain(scopes).collect();
        assert!(ends(&world, 0, &args).stderr.contains("is blocked already in test"));
    }
    assert_eq!(read(&world, "consumers.yaml"), format!("{before}{entries}"));
    ends(&world, 0, &["unblock", "Skatteetaten"]);
    let left = read(&world, "consumers.yaml");
    assert!(!left.contains("SAK-1") && !left.contains("SAK-3") && left.contains("SAK-2"), "{left}");
    ends(&world, 0, &["unblock", "kart"]);
    assert_eq!(read(&world, "consumers.yaml"), before);
    let nothing = ends(&world, 0, &["unblock", "kart"]);
    assert!(
        nothing.stderr.contains("kart is not blocked in any environment: nothing was changed"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn the_scopes_that_are_lost_are_named_before_anything_is_written() {
    let world = world();
    world.declare(&format!(
        "{SCOPES}  - name: etat:b\n    description: Les\n    consumers:\n      \
         - {{ consumer: \"{SKATT}\", from: 2099-01-01, environments: [test] }}\n"
    ));
    let ran = ends(&world, 0, &["block", "skatt", "--reason", "x", "--scope", "etat:b"]);
    assert!(
        ran.stderr.starts_with("it loses its declared access to etat:b (test)\n"),
        "{}",
        ran.stderr
    );
    let ran = ends(&world, 0, &["block", "skatt", "--reason", "x"]);
    assert!(
        ran.stderr.starts_with("it loses its declared access to etat:a (test, tom)\n"),
        "{}",
        ran.stderr
    );
    let ran = ends(&world, 0, &["-e", "tom", "block", "kart", "--reason", "x"]);
    let nothing = "no declared access ends by this: the block keeps it out in future\n";
    assert!(ran.stderr.starts_with(nothing), "{}", ran.stderr);
    let ran = ends(&world, 0, &["unblock", "skatt"]);
    let again = "it is to have access again to etat:a (test, tom), etat:b (test)\n";
    assert!(ran.stderr.starts_with(again), "{}", ran.stderr);
    // Also where the declarations have an error.
    world.write("feil.yaml", "scopes: [{ name: etat:c, description: Les, visibility: X }]\n");
    let ran = ends(&world, 0, &["block", "skatt", "--reason", "x"]);
    assert!(ran.stderr.starts_with("it loses its declared access to etat:a"), "{}", ran.stderr);
    // A file that is new too.
    let world = World::new();
    world.declare(&SCOPES.replace("skatt", &format!("\"{SKATT}\"")));
    let ran = ends(&world, 0, &["block", SKATT, "--reason", "x"]);
    assert!(
        ran.stderr.starts_with("it loses its declared access to etat:a (test)\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn access_that_errors_hide_is_reported_as_unknown() {
    let world = world();
    world.write("feil.yaml", "scopes: 1\n");
    let hint =
        "errors in the declarations may hide who has access; `portvakt validate` lists them\n";
    for scope in [&["--scope", "etat:a"][..], &[]] {
        let ran = ends(&world, 0, &[&["block", "skatt", "--reason", "x"], scope].concat());
        let unknown = format!("which access it loses in test, tom is not known: {hint}");
        assert!(ran.stderr.starts_with(&unknown), "{}", ran.stderr);
        assert!(!ran.stderr.contains("ends by this"), "{}", ran.stderr);
    }
    let ran = ends(&world, 0, &["unblock", "skatt"]);
    let unknown = format!("which access it gets back in test, tom is not known: {hint}");
    assert!(ran.stderr.starts_with(&unknown), "{}", ran.stderr);
    let ran = ends(&world, 0, &["-e", "tom", "block", "skatt", "--reason", "x"]);
    let unknown = format!("which access it loses in tom is not known: {hint}");
    assert!(ran.stderr.starts_with(&unknown), "{}", ran.stderr);
}

#[test]
fn a_scope_that_a_block_cannot_close_is_not_listed_as_lost() {
    let world = world();
    let open = "    accessible_for_all: true\n";
    let inactive = SCOPES.replacen("scopes:\n", "", 1).replace("etat:a", "etat:b");
    world.declare(&format!("{SCOPES}{open}{inactive}    active: false\n"));
    let ran = ends(&world, 0, &["block", "skatt", "--reason", "x"]);
    let nothing = "no declared access ends by this: the block keeps it out in future\n";
    assert!(ran.stderr.starts_with(nothing), "{}", ran.stderr);
    let ran = ends(&world, 0, &["unblock", "skatt"]);
    assert!(!ran.stderr.contains("access again to"), "{}", ran.stderr);
}

#[test]
fn a_name_that_only_a_manifest_gives_is_known() {
    let world = World::new();
    world.settings("nais: { cluster: dev-gcp, namespace: team }\n");
    world.write(
        "app.yaml",
        format!(
            "apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: {{ name: app }}\nspec:\n  secretName: x\n  \
             scopes:\n    exposes:\n    - {{ name: les, product: app, enabled: true, consumers: [{{ orgno: \"{SKATT}\", \
             name: Testen }}] }}\n"
        ),
    );
    let ran = ends(&world, 0, &["block", "Testen", "--reason", "x"]);
    assert!(ran.stderr.contains("it loses its declared access to etat:app:les"), "{}", ran.stderr);
    ends(&world, 0, &["unblock", "testen"]);
}

#[test]
fn a_block_from_no_declared_scope_is_a_finding() {
    let world = world();
    let ran = ends(&world, 0, &["block", "skatt", "--reason", "x", "--scope", "etat:aa"]);
    let nothing = "no declared access to etat:aa ends by this: are the names right?";
    assert!(ran.stderr.contains(nothing), "{}", ran.stderr);
    let ran = ends(&world, 3, &["validate", "--deny-warnings"]);
    let said = "warning[PV165]: `etat:aa` matches no scope that is declared where this counts";
    assert!(
        ran.stdout.contains(said)
            && ran.stdout.contains("did you mean `etat:a`? That blocks the organisation from it")
            && ran
                .stdout
                .contains("remove this entry of `blocked`: it keeps nobody out. Without `scopes`"),
        "{}",
        ran.stdout
    );
    // A variable of the shell that is not set.
    let before = read(&world, "consumers.yaml");
    let ran = ends(&world, 64, &["block", "skatt", "--reason", "x", "--scope", ""]);
    assert!(ran.stderr.contains("an empty pattern matches nothing"), "{}", ran.stderr);
    assert_eq!(read(&world, "consumers.yaml"), before);
    world.write("consumers.yaml", before.replace("[etat:aa]", "[]"));
    let ran = ends(&world, 3, &["validate"]);
    assert!(
        ran.stdout.contains("without `scopes` it would block the organisation from all scopes"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_entry_is_lifted_only_in_the_environment_that_is_asked_for() {
    let world = world();
    let before = read(&world, "consumers.yaml");
    for environment in ["test", "tom"] {
        ends(&world, 0, &["-e", environment, "block", "skatt", "--reason", environment]);
    }
    let lifted = ends(&world, 0, &["-e", "test", "unblock", "skatt"]);
    assert_eq!(lifted.stdout, "skatt is no longer blocked in test: consumers.yaml\n");
    let entry = "blocked:\n  - { consumer: skatt, environments: [tom], reason: tom }\n";
    assert_eq!(read(&world, "consumers.yaml"), format!("{before}{entry}"));
    let nothing = ends(&world, 0, &["-e", "test", "unblock", "skatt"]);
    assert!(nothing.stderr.contains("skatt is not blocked in test"), "{}", nothing.stderr);
    // An entry for all cannot be lifted in one.
    ends(&world, 0, &["block", "skatt", "--reason", "SAK-1"]);
    let written = read(&world, "consumers.yaml");
    let refused = ends(&world, 4, &["-e", "test", "unblock", "skatt"]);
    let said = "skatt is blocked in other environments than test too, by consumers.yaml:8";
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
    assert_eq!(read(&world, "consumers.yaml"), written);
    let lifted = ends(&world, 0, &["unblock", "skatt"]);
    assert_eq!(lifted.stdout, "skatt is no longer blocked in any environment: consumers.yaml\n");
    assert_eq!(read(&world, "consumers.yaml"), before);
}

#[test]
fn a_name_of_several_organisations_blocks_none_of_them() {
    let world = world();
    let aliases = format!(
        "consumers:\n  skatt: {{ orgno: \"{SKATT}\", name: Etaten }}\n  \
         kart: {{ orgno: \"{KART}\", name: Etaten }}\n"
    );
    world.write("consumers.yaml", &aliases);
    for args in [&["block", "etaten", "--reason", "x"][..], &["unblock", "Etaten"]] {
        let ran = ends(&world, 64, args);
        assert!(ran.stderr.contains(&format!("': {KART}, {SKATT}; name one by")), "{}", ran.stderr);
    }
    assert_eq!(read(&world, "consumers.yaml"), aliases);
}

#[test]
fn a_repository_without_aliases_gets_a_file() {
    let world = World::new();
    ends(&world, 0, &["block", SKATT, "--reason", "SAK-1"]);
    assert_eq!(
        read(&world, "blocked.yaml"),
        format!("blocked:\n  - {{ consumer: \"{SKATT}\", reason: SAK-1 }}\n")
    );
    ends(&world, 0, &["unblock", SKATT]);
    assert_eq!(read(&world, "blocked.yaml"), "blocked: []\n");
    ends(&world, 0, &["validate"]);
    ends(&world, 0, &["block", SKATT, "--reason", "SAK-2"]);
    assert!(read(&world, "blocked.yaml").contains("SAK-2"));
}

#[test]
fn what_cannot_be_blocked_is_an_error_with_a_suggestion() {
    let world = world();
    for (args, said) in [
        (&["block", "skat", "--reason", "x"][..], "did you mean `skatt`?"),
        (&["block", "974761077", "--reason", "x"], "is not an organisation number"),
        (&["block", "skatt", "--reason", " "], "say why"),
        (&["-e", "prod", "block", "skatt", "--reason", "x"], "there is no environment `prod`"),
        (&["block", "skatt", "--reason", "x", "--scope", "a{"], "glob"),
        (&["block", "skatt"], "--reason"),
    ] {
        let ran = ends(&world, 64, args);
        assert!(ran.stderr.contains(said), "{args:?}: {}", ran.stderr);
    }
    world.write(
        "consumers.yaml",
        format!(
            "consumers:\n  skatt: {{ orgno: \"{SKATT}\" }}\nblocked: &alle\n  - {{ consumer: skatt, scopes: [\"etat:*\"], \
             reason: SAK-0 }}\nx: *alle\n"
        ),
    );
    let ran = ends(&world, 4, &["block", "skatt", "--reason", "SAK-1"]);
    assert!(
        ran.stderr.contains("By hand: add { consumer: skatt, reason: SAK-1 }"),
        "{}",
        ran.stderr
    );
}

#[test]
fn validate_shows_what_a_block_silences() {
    let world = world();
    // An alias that nothing uses would be a warning of its own.
    world.write("annet.yaml", "groups:\n  alle: [kart]\nscopes:\n  - { name: etat:b, description: Les, consumers: [{ group: alle }] }\n");
    ends(&world, 0, &["block", "skatt", "--reason", "SAK-1"]);
    let ran = ends(&world, 0, &["validate", "--deny-warnings"]);
    let said = "note[PV161]: 974761076 has no access by this entry: it is blocked, `SAK-1`\n \
                --> declarations.yaml:4:17\n";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
}

#[test]
fn access_shows_who_is_blocked_and_import_adds_nobody_who_is() {
    let world = world();
    world.put("etat:a", true, &[(SKATT, Approved)]);
    world.put("etat:ny", true, &[(SKATT, Approved)]);
    ends(&world, 0, &["block", "skatt", "--reason", "SAK-1"]);
    let text = ends(&world, 0, &["-e", "test", "access", "--scope", "etat:a"]).stdout;
    assert!(text.contains("has access, and is to have none today, blocked: SAK-1"), "{text}");
    let text = ends(&world, 0, &["-e", "test", "access", "--scope", "etat:ny"]).stdout;
    assert!(text.contains("974761076") && !text.contains("is to have none today"), "{text}");
    let declared =
        ends(&world, 0, &["-e", "test", "access", "--declared", "--format", "csv"]).stdout;
    assert!(declared.contains(",not_now,") && declared.contains(",false,,SAK-1\r\n"), "{declared}");
    world.declare("scopes: [{ name: etat:a, description: Les }]\n");
    let merged = ends(&world, 0, &["-e", "test", "import", "--scope", "etat:a", "--merge"]);
    let why = "the organisation is blocked (SAK-1), and the next apply revokes it";
    assert!(format!("{}{}", merged.stdout, merged.stderr).contains(why), "{}", merged.stderr);
    assert_eq!(read(&world, "declarations.yaml"), "scopes: [{ name: etat:a, description: Les }]\n");
    let imported = ends(&world, 0, &["-e", "test", "import", "--scope", "etat:ny"]);
    let said = format!("{}{}", imported.stdout, imported.stderr);
    assert!(said.contains("scope etat:ny") && said.contains("revoke etat:ny 974761076"), "{said}");
}

#[test]
fn a_manifest_for_nais_gives_access_to_nobody_who_is_blocked() {
    let world = World::new();
    world.declare(&format!(
        "scopes: [{{ name: etat:arbeid:les, description: Les, consumers: [\"{SKATT}\", \"{KART}\"] }}]\n\
         blocked: [{{ consumer: \"{SKATT}\", reason: SAK-1 }}]\n"
    ));
    let app = ["--cluster", "prod-gcp", "--namespace", "arbeid", "--app", "les"];
    let args = [&["render", "nais", "--scope", "etat:arbeid:les"][..], &app].concat();
    let manifest = ends(&world, 0, &args).stdout;
    assert!(manifest.contains(KART) && !manifest.contains(SKATT), "{manifest}");
}

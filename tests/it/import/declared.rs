//! Accesses to declared scopes, added to their declarations.

use domain::AccessState::{Approved, Requested};

use super::command::read;
use super::two::two;
use crate::git::remote::{Clone, Remote};
use crate::world::{DIGDIR, KART, Ran, SKATT, World, ids, name, orgno};

const THERE: &str = r#"# ours, with care
consumers:
  skatt: { orgno: "974761076" } # the tax people
  kart: { orgno: "971040238", name: Kartverket }

scopes:
  - name: etat:hand # by hand in 2021
    description: >
      Les
    consumers:
      # they asked first
      - skatt
      # nobody else

  - { name: etat:annen, description: Les, consumers: [skatt] }
"#;

const MERGE: [&str; 4] = ["import", "--scope", "etat:hand", "--merge"];

/// That many organisations whose names the sandbox does not know.
fn strangers(count: usize) -> Vec<String> {
    let numbers = 200_000_000..300_000_000;
    let numbers = numbers.map(|number: u32| number.to_string());
    numbers.filter(|number| number.parse::<domain::Orgno>().is_ok()).take(count).collect()
}

/// Makes a scope live with accesses.
fn put(world: &World, scope: &str, consumers: &[&str]) {
    let accesses: Vec<_> = consumers.iter().map(|orgno| (*orgno, Approved)).collect();
    world.put(scope, true, &accesses);
}

fn declarations(clone: &Clone<'_>) -> String {
    std::fs::read_to_string(clone.path.join("declarations.yaml")).unwrap()
}

/// Checks that a text is another one with lines inserted.
#[track_caller]
fn keeps(before: &str, after: &str) {
    let mut lines = after.lines();
    assert!(before.lines().all(|line| lines.any(|other| other == line)), "{after}");
}

/// The command in a plan that keeps the accesses of PV504.
#[track_caller]
fn printed(plan: &str) -> Vec<&str> {
    let (_, rest) = plan.split_once("declare them (`portvakt ").unwrap_or_else(|| panic!("{plan}"));
    rest.split_once("` writes them)").unwrap().0.split(' ').collect()
}

#[test]
fn what_was_live_before_the_first_declaration_is_declared_by_the_printed_command() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare("scopes:\n  - { name: etat:egen, description: Les }\n");
    one.apply();
    let strangers = strangers(22);
    let mut all: Vec<&str> = strangers.iter().map(String::as_str).collect();
    all.extend([SKATT, KART]);
    put(&remote.world, "etat:hand", &all);
    put(&remote.world, "etat:annen", &[SKATT]);
    let there = format!("{THERE}\n  - {{ name: etat:egen, description: Les }}\n");
    one.declare(&there);
    let json = one.plan();
    assert_eq!(ids(&json).iter().filter(|id| id.starts_with("revoke")).count(), 23, "{json}");
    let plan = one.ends(0, &["plan"]).stdout;
    assert!(plan.contains("PV504"), "{plan}");
    assert_eq!(
        printed(&plan),
        [["-e", "test"].as_slice(), &["import", "--scope", "etat:hand", "--merge"]].concat()
    );
    let ran = one.ends(0, &printed(&plan));
    insta::assert_snapshot!(ran.stdout, @r#"
    declarations.yaml: added 23 accesses to 1 declared scope
    Imported from test: 23 accesses to 1 declared scope
    "#);
    insta::assert_snapshot!(ran.stderr, @r#"Next: look through the files, see that `portvakt plan -e test` is empty, and commit them"#);
    let after = declarations(&one);
    keeps(&there, &after);
    assert_eq!(after.lines().count(), there.lines().count() + 23, "{after}");
    // In order, by alias where there is one, and each comment still at its own entry.
    assert!(
        after.contains(
            "      - kart\n      # they asked first\n      - skatt\n      # nobody else\n"
        ),
        "{after}"
    );
    for stranger in &strangers {
        assert_eq!(after.matches(&format!("      - \"{stranger}\"\n")).count(), 1, "{after}");
    }
    assert_eq!(one.planned(), [""; 0]);
    one.merge("Keep what others have");
    let ran = one.apply();
    assert!(!ran.stdout.contains("revoke"), "{}", ran.stdout);
    assert_eq!(remote.world.open_to("etat:hand").unwrap().len(), 24);
    let again = one.ends(0, &MERGE);
    assert_eq!(again.stdout, "");
    assert!(
        again.stderr.contains("nothing to import: one that matches is declared"),
        "{}",
        again.stderr
    );
}

#[test]
fn only_the_scopes_that_are_named_get_accesses() {
    let world = World::new();
    put(&world, "etat:hand", &[SKATT, KART]);
    put(&world, "etat:annen", &[SKATT, KART]);
    world.declare(THERE);
    for arguments in [
        ["import", "--merge"].as_slice(),
        &["import", "--scope", "etat:hand"],
        &["import", "--scope", "etat:ingen*", "--merge"],
    ] {
        let ran = world.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        assert_eq!(read(&world, "declarations.yaml"), THERE);
    }
    assert_eq!(world.run(&MERGE).code, 0);
    assert_eq!(world.planned(), [format!("revoke etat:annen {KART}")]);
}

#[test]
fn accesses_and_new_scopes_go_into_one_file_at_once() {
    let world = World::new();
    put(&world, "etat:hand", &[SKATT, KART]);
    put(&world, "etat:annen", &[SKATT, DIGDIR]);
    put(&world, "etat:ny", &[KART]);
    world.write("maskinporten.yaml", THERE);
    let ran = world.run(&["import", "--scope", "*", "--merge", "--layout", "single"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout, @r#"
    maskinporten.yaml: added 1 scope with 1 access, 2 accesses to 2 declared scopes
    Imported from test: 1 scope with 1 access, 2 accesses to 2 declared scopes
    "#);
    let after = read(&world, "maskinporten.yaml");
    assert!(after.contains("consumers: [\"991825827\", skatt] }"), "{after}");
    assert!(
        after.contains("  - name: etat:ny\n    description: Les\n    consumers:\n      - kart\n"),
        "{after}"
    );
    assert_eq!(world.planned(), [""; 0]);
}

/// An import that adds nothing, with what it reports.
#[track_caller]
fn refuses(world: &World, before: &str) -> Ran {
    world.declare(before);
    let ran = world.run(&MERGE);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_eq!(read(world, "declarations.yaml"), before);
    ran
}

#[test]
fn what_cannot_be_added_is_left_out_with_the_reason() {
    let world = World::new();
    put(&world, "etat:hand", &[SKATT, KART]);
    let scope = |more: &str| format!("scopes:\n  - name: etat:hand\n    description: Les\n{more}");
    let open = refuses(&world, &scope("    accessible_for_all: true\n"));
    insta::assert_snapshot!(open.stderr, @r#"
    left out: undeclared accesses to etat:hand in test: the scope is declared with `accessible_for_all`, and a list of consumers has no effect there
    nothing to import: one that matches is declared or named by `removed` already
    "#);
    let row = refuses(&world, &scope("    consumers: [\n      \"974761076\", # skatt\n      ]\n"));
    insta::assert_snapshot!(row.stderr, @r#"
    left out: undeclared accesses to etat:hand in test: declarations.yaml cannot be edited: it is laid out in a way in which only a person can edit it. By hand: add "971040238" to the consumers of etat:hand
    nothing to import: one that matches is declared or named by `removed` already
    "#);
    let expired = "    consumers:\n      - \"974761076\"\n      \
                   - { consumer: \"971040238\", until: 2024-01-31 }\n";
    let expired = refuses(&world, &scope(expired));
    insta::assert_snapshot!(expired.stderr, @r#"
    warning[PV129]: this access ended on 2024-01-31
     --> declarations.yaml:6:41
      |
    6 |       - { consumer: "971040238", until: 2024-01-31 }
      |                                         ^^^^^^^^^^
      = help: remove the entry, or write a later day

    1 warning in 1 file
    left out: access of 971040238 to etat:hand in test: the entry that declares it expired on 2024-01-31, and the next apply revokes it: change `until` if the access is to stay
    nothing to import: one that matches is declared or named by `removed` already
    "#);
    let removed = "removed:\n  - { scope: etat:hand, action: deactivate }\n";
    insta::assert_snapshot!(refuses(&world, removed).stderr, @r#"nothing to import: one that matches is declared or named by `removed` already"#);
    let paused = refuses(&world, &scope("    active: false\n"));
    insta::assert_snapshot!(paused.stderr, @r#"nothing to import: one that matches is declared or named by `removed` already"#);
}

#[test]
fn a_policy_that_refuses_a_consumer_keeps_it_out_and_no_other() {
    let world = World::new();
    put(&world, "etat:hand", &[SKATT, KART, DIGDIR]);
    world.settings(
        "policies:\n  - { rule: no-map, applies_to: access, expression: 'access.orgno != \"971040238\"', message: no maps }\n",
    );
    world.declare("scopes:\n  - name: etat:hand\n    description: Les\n    consumers:\n      - \"974761076\"\n");
    let ran = world.run(&MERGE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stderr, @r#"
    left out: access of 971040238 to etat:hand: PV141: no-map: no maps (971040238)
    One thing was left out, see above. Next: look through the files, see that `portvakt plan -e test` changes nothing but what was left out, and commit them
    "#);
    assert_eq!(world.planned(), [format!("revoke etat:hand {KART}")]);
    // For a rule about the scope as a whole, it is not known which of them is one too many.
    world.settings(
        "policies:\n  - { rule: few, applies_to: scope, expression: 'scope.consumers.size() < 3', message: few consumers }\n",
    );
    let ran = refuses(&world, &read(&world, "declarations.yaml"));
    insta::assert_snapshot!(ran.stderr, @r#"
    left out: undeclared accesses to etat:hand: PV141: few: few consumers
    nothing to import: one that matches is declared or named by `removed` already
    "#);
}

#[test]
fn a_list_that_must_be_sorted_stays_sorted() {
    let world = World::new();
    put(&world, "etat:hand", &[SKATT, KART, DIGDIR]);
    world.settings("naming:\n  - { preset: sorted-consumers }\n");
    world.declare(THERE);
    put(&world, "etat:annen", &[SKATT]);
    let ran = world.run(&MERGE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(world.planned(), [""; 0]);
}

#[test]
fn what_differs_besides_is_reported_and_not_changed() {
    let world = World::new();
    put(&world, "etat:hand", &[SKATT, KART]);
    world.sandbox.edit(|state| {
        state.put_access(name("etat:hand"), orgno(DIGDIR), Requested);
    });
    let before = "scopes:\n  - name: etat:hand\n    description: Lesing\n    at_max_age: 60\n";
    world.declare(before);
    let ran = world.run(&MERGE);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stderr, @r#"
    left out: attributes of etat:hand in test: the declaration was not changed, and an apply changes description from "Les" to "Lesing", at_max_age from 0 to 60
    One thing was left out, see above. Next: look through the files, see that `portvakt plan -e test` changes nothing but what was left out, and commit them
    "#);
    keeps(before, &read(&world, "declarations.yaml"));
    assert_eq!(world.planned(), ["update scope etat:hand"]);
}

#[test]
fn what_was_removed_on_purpose_is_not_written_back() {
    let remote = Remote::new();
    let one = remote.first();
    let both = "scopes:\n  - name: etat:hand\n    description: Les\n    consumers:\n      \
                - \"974761076\"\n      - \"971040238\"\n";
    one.declare(both);
    one.apply();
    remote.world.sandbox.edit(|state| {
        state.put_access(name("etat:hand"), orgno(DIGDIR), Approved);
    });
    one.declare(&both.replace("      - \"971040238\"\n", ""));
    let ran = one.ends(0, &MERGE);
    insta::assert_snapshot!(ran.stderr, @r#"
    left out: access of 971040238 to etat:hand in test: it was removed from the declarations since the last apply, and the next apply revokes it: adding it would undo that
    One thing was left out, see above. Next: look through the files, see that `portvakt plan -e test` changes nothing but what was left out, and commit them
    "#);
    assert_eq!(declarations(&one), both.replace(KART, DIGDIR));
    assert_eq!(one.planned(), [format!("revoke etat:hand {KART}")]);
}

#[test]
fn a_manifest_is_left_to_its_owner_and_pv504_says_so() {
    let remote = Remote::new();
    let one = remote.first();
    let settings = one.git(&["show", "HEAD:portvakt.yaml"]);
    one.write("portvakt.yaml", &format!("{settings}\nnais: {{ cluster: {{ test: dev-gcp }} }}\n"));
    one.declare("scopes:\n  - { name: etat:egen, description: Les }\n");
    one.apply();
    put(&remote.world, "etat:arbeid:aareg.read", &[SKATT, KART]);
    let manifest = "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: x, namespace: arbeid }\n\
                    spec:\n  image: x\n  maskinporten:\n    enabled: true\n    scopes:\n      exposes:\n        \
                    - { name: aareg.read, product: arbeid, enabled: true, consumers: [{ orgno: \"974761076\" }] }\n";
    one.write("apps/x.yaml", manifest);
    one.merge("A manifest");
    let plan = one.ends(0, &["plan"]).stdout;
    let message = "To keep them, add them to the NAIS manifest of etat:arbeid:aareg.read. To revoke them, apply with";
    assert!(plan.contains("PV504") && plan.contains(message), "{plan}");
    let ran = one.ends(0, &["import", "--scope", "etat:arbeid:aareg.read", "--merge"]);
    insta::assert_snapshot!(ran.stderr, @r#"
    left out: undeclared accesses to etat:arbeid:aareg.read in test: the NAIS manifest apps/x.yaml declares the scope: add them to its `consumers`
    nothing to import: one that matches is declared or named by `removed` already
    "#);
}

#[test]
fn of_a_scope_that_is_removed_nothing_is_said_to_be_imported() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare("scopes:\n  - { name: etat:egen, description: Les }\n");
    one.apply();
    for scope in ["etat:ut", "etat:hand"] {
        put(&remote.world, scope, &[SKATT, KART]);
    }
    let removed = "removed:\n  - { scope: etat:ut, action: deactivate }\n";
    let pv504 = |yaml: &str| {
        one.declare(&format!("{yaml}{removed}"));
        let plan = one.plan();
        let mut notices = plan["notices"].as_array().unwrap().iter();
        let notice = notices.find(|notice| notice["code"] == "PV504").unwrap();
        notice["message"].as_str().unwrap().to_owned()
    };
    insta::assert_snapshot!(pv504("scopes:\n  - { name: etat:egen, description: Les }\n"), @r#"2 accesses would be revoked from a scope that is named by `removed` for the first time, as far as is known. To keep them, take etat:ut out of `removed`. To revoke them, apply with --override-guards "why""#);
    insta::assert_snapshot!(pv504("scopes:\n  - { name: etat:egen, description: Les }\n  - { name: etat:hand, description: Les }\n"), @r#"4 accesses would be revoked from 2 scopes that are declared here or named by `removed` for the first time, as far as is known. To keep them, declare them (`portvakt -e test import --scope etat:hand --merge` writes them), and take etat:ut out of `removed`. To revoke them, apply with --override-guards "why""#);
    insta::assert_snapshot!(pv504("scopes:\n  - { name: etat:egen, description: Les }\n  - { name: etat:hand, description: Les, accessible_for_all: true }\n"), @r#"4 accesses would be revoked from 2 scopes that are declared here or named by `removed` for the first time, as far as is known. To keep them, take etat:ut out of `removed`. To revoke them, apply with --override-guards "why""#);
    one.ends(4, &["apply", "--auto-approve"]);
}

#[test]
fn an_access_counts_in_the_environment_that_was_read() {
    let (test, prod) = two();
    let there = "scopes:\n  - name: etat:hand\n    description: Les\n    consumers:\n      - \"974761076\"\n";
    test.write("a.yaml", there);
    put(&test, "etat:hand", &[SKATT, KART]);
    put(&prod, "etat:hand", &[SKATT, KART, DIGDIR]);
    let ran = test.run(&[["-e", "test"].as_slice(), &MERGE].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(read(&test, "a.yaml"), @r#"
    scopes:
      - name: etat:hand
        description: Les
        consumers:
          - { consumer: "971040238", environments: [test] }
          - "974761076"
    "#);
    test.write("a.yaml", there);
    let ran = test.run(&[MERGE.as_slice(), &["--environment-overlay"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(ran.stdout, @r#"
    a.yaml: added 2 accesses to 1 declared scope
    Imported from test, prod: 2 accesses to 1 declared scope
    "#);
    insta::assert_snapshot!(read(&test, "a.yaml"), @r#"
    scopes:
      - name: etat:hand
        description: Les
        consumers:
          - "971040238"
          - "974761076"
          - { consumer: "991825827", environments: [prod] }
    "#);
    // Where the declaration is for no other environment, no restriction is needed.
    let apart = "consumers:\n  kart: { orgno: \"971040238\", environments: [test] }\n\
                 scopes:\n  - name: etat:hand\n    description: Les\n    environments: [test]\n  \
                 - name: etat:hand\n    description: Les\n    environments: [prod, lokal]\n    \
                 consumers:\n      - \"974761076\"\n";
    test.write("a.yaml", apart);
    let ran = test.run(&[MERGE.as_slice(), &["--environment-overlay"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    insta::assert_snapshot!(read(&test, "a.yaml"), @r#"
    consumers:
      kart: { orgno: "971040238", environments: [test] }
    scopes:
      - name: etat:hand
        description: Les
        environments: [test]
        consumers:
          - "974761076"
          - kart
      - name: etat:hand
        description: Les
        environments: [prod, lokal]
        consumers:
          - "971040238"
          - "974761076"
          - "991825827"
    "#);
}

#[test]
fn a_rule_that_is_broken_elsewhere_already_keeps_nothing_out() {
    let (test, prod) = two();
    let settings = read(&test, "portvakt.yaml");
    test.write(
        "portvakt.yaml",
        settings
            + "policies:\n  - { rule: none, applies_to: scope, environments: [prod], expression: \
               'scope.consumers.size() == 0', message: nobody }\n",
    );
    test.write(
        "a.yaml",
        "scopes:\n  - name: etat:hand\n    description: Les\n    consumers:\n      - \"974761076\"\n",
    );
    put(&test, "etat:hand", &[SKATT, KART]);
    put(&prod, "etat:hand", &[SKATT]);
    let ran = test.run(&[["-e", "test"].as_slice(), &MERGE].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stderr.contains("left out"), "{}", ran.stderr);
    assert!(read(&test, "a.yaml").contains(KART), "{}", read(&test, "a.yaml"));
}

#[test]
fn many_scopes_of_one_file_are_completed_at_once() {
    let world = World::new();
    let strangers = strangers(40);
    let all: Vec<&str> = strangers.iter().map(String::as_str).collect();
    let mut text = String::from("scopes:\n");
    for index in 0..300 {
        put(&world, &format!("etat:a{index}"), &all);
        text.push_str(&format!(
            "  - name: etat:a{index} # number {index}\n    description: Les\n    consumers:\n      \
             - \"{}\" # the first\n",
            strangers[index % 40]
        ));
    }
    // One that cannot be edited does not affect the others.
    put(&world, "etat:rad", &[SKATT, KART]);
    let row = "  - name: etat:rad\n    description: Les\n    consumers: [ # in a row\n      \
               \"974761076\"]\n";
    text.push_str(row);
    world.declare(&text);
    let ran = world.run(&["import", "--scope", "*", "--merge"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let counts = "declarations.yaml: added 11700 accesses to 300 declared scopes";
    assert!(ran.stdout.starts_with(counts), "{}", ran.stdout);
    keeps(&text, &read(&world, "declarations.yaml"));
    assert_eq!(world.planned(), [format!("revoke etat:rad {KART}")]);
}

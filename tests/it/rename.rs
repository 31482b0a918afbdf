//! `rename`: a scope under a new name beside the old one, until its clients have moved.

use domain::AccessState::Approved;
use insta::assert_snapshot;

use crate::world::{Ran, SKATT, World};

const DECLARED: &str = "\
consumers:
  skatt: { orgno: \"974761076\" }

scopes:
  # of the register
  - name: 'etat:aareg.read' # agreed with Skatteetaten
    description: Les
    at_max_age: 30
    consumers: # two
      # SAK-1
      - { consumer: skatt, reason: SAK-1 }
      - \"971040238\"
  - { name: \"etat:lager\", description: Les, consumers: [skatt] }

clients:
  - { name: app, scopes: [\"etat:aareg.read\"] }
";

fn read(world: &World) -> String {
    std::fs::read_to_string(world.folder().join("declarations.yaml")).unwrap()
}

fn refused(world: &World, code: i32, args: &[&str], why: &str) {
    let before = read(world);
    let Ran { code: ended, stdout, stderr } = world.run(&[&["rename"], args].concat());
    assert_eq!(ended, code, "{stdout}{stderr}");
    assert!(stderr.contains(why), "{args:?}: {stderr}");
    assert_eq!(read(world), before, "{args:?}");
}

#[test]
fn the_new_name_is_declared_beside_the_old_one_which_is_removed_later() {
    let world = World::new();
    world.put("etat:aareg.read", true, &[(SKATT, Approved)]);
    world.declare(DECLARED);
    world.apply();
    let ran = world.run(&["rename", "etat:aareg.read", "etat:aareg.les"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_snapshot!(ran.stdout, @r"
    etat:aareg.les is declared beside etat:aareg.read, with the same attributes and consumers.
    1. Merge and apply this: etat:aareg.les is created, and its consumers get access. etat:aareg.read stays as it is.
    2. Have the clients of the consumers registered with etat:aareg.les, and let them ask for it.
       1 own client consumes etat:aareg.read; change `scopes` there:
         client app  declarations.yaml:24
    3. When nobody asks for etat:aareg.read any more, remove its declaration in a change of its own: the plan revokes its accesses and deactivates it.
    ");
    let copied = "  # of the register\n  - name: etat:aareg.les # agreed with Skatteetaten\n    \
                  description: Les\n    at_max_age: 30\n    consumers: # two\n      # SAK-1\n      \
                  - { consumer: skatt, reason: SAK-1 }\n      - \"971040238\"\n";
    let lager = "  - { name: \"etat:lager\"";
    let after = read(&world);
    assert_eq!(after, DECLARED.replace(lager, &format!("{copied}{lager}")));
    // No consumer loses anything.
    let new = [
        "create scope etat:aareg.les",
        "grant etat:aareg.les 971040238",
        "grant etat:aareg.les 974761076",
    ];
    assert_eq!(world.planned(), new);
    assert_eq!(world.apply().code, 0);
    assert_eq!(world.planned(), [""; 0]);
    assert_eq!(world.open_to("etat:aareg.read"), world.open_to("etat:aareg.les"));
}

#[test]
fn rows_and_declarations_for_several_environments_are_copied_too() {
    let world = World::new();
    world.declare("scopes: [{ name: etat:a, description: A }, { name: etat:b, description: B }]\n");
    assert_eq!(world.run(&["rename", "etat:a", "etat:ny"]).code, 0);
    assert_eq!(
        read(&world),
        "scopes: [{ name: etat:a, description: A }, { name: etat:ny, description: A }, \
         { name: etat:b, description: B }]\n"
    );
    let settings = std::fs::read_to_string(world.folder().join("portvakt.yaml")).unwrap();
    world.write("portvakt.yaml", settings + "  dev: { target: sandbox }\n");
    world.declare(
        "scopes:\n- name: etat:a\n  description: A\n  environments: [test]\n\n\
         - name: etat:a\n  description: B\n  environments: [dev]\n",
    );
    assert_eq!(world.run(&["rename", "etat:a", "etat:ny"]).code, 0);
    assert_eq!(
        read(&world),
        "scopes:\n- name: etat:a\n  description: A\n  environments: [test]\n\n\
         - name: etat:ny\n  description: A\n  environments: [test]\n\n\
         - name: etat:a\n  description: B\n  environments: [dev]\n\n\
         - name: etat:ny\n  description: B\n  environments: [dev]\n"
    );
}

#[test]
fn what_cannot_be_renamed_is_left_as_it_is() {
    let world = World::new();
    world.declare(DECLARED);
    refused(&world, 64, &["etat:aareg.raed", "etat:ny"], "did you mean `etat:aareg.read`?");
    refused(&world, 64, &["etat:aareg.read", "etat:lager"], "etat:lager is declared already");
    refused(&world, 64, &["etat:aareg.read", "etat"], "invalid value");
    refused(&world, 4, &["etat:aareg.read", "stat:aareg.read"], "would not be valid");
    world.declare("scopes: [\n  { name: etat:a, description: A }, # first\n]\n");
    refused(&world, 4, &["etat:a", "etat:b"], "By hand: declare etat:b as etat:a is declared");
    world.declare("scopes:\n  - { name: etat:a, descripton: A }\n");
    refused(&world, 3, &["etat:a", "etat:b"], "descripton");
}

#[test]
fn a_plan_that_looks_like_a_rename_says_so() {
    let remote = crate::git::remote::Remote::new();
    let one = remote.first();
    one.declare(DECLARED);
    one.apply();
    one.write("declarations.yaml", &DECLARED.replace("aareg.read", "aareg.les"));
    let text = one.ends(0, &["plan"]).stdout;
    assert!(
        text.contains("PV419 scope etat:aareg.les: it has the consumers of etat:aareg.read"),
        "{text}"
    );
    assert!(text.contains("`portvakt rename etat:aareg.read etat:aareg.les`"), "{text}");
}

#[test]
fn nobody_who_is_blocked_gets_access_under_the_new_name() {
    let world = World::new();
    world.declare(DECLARED);
    let block = |scopes: &str| {
        world.write(
            "blocked.yaml",
            format!("blocked: [{{ consumer: skatt, scopes: [{scopes}], reason: SAK-9 }}]\n"),
        );
    };
    block("'etat:aareg*'");
    refused(
        &world,
        4,
        &["etat:aareg.read", "etat:register.read"],
        "is blocked from etat:aareg.read",
    );
    block("'etat:aareg*', 'etat:register*'");
    let ran = world.run(&["rename", "etat:aareg.read", "etat:register.read"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

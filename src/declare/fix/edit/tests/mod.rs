//! Hand-overs, in many shapes of YAML: the text is exactly the expected one.

mod added;
mod generated;

use std::fs;

use tempfile::TempDir;

use super::{CannotEdit, Edited};
use crate::declare::{Repository, load};
use domain::Entity;

const SETTINGS: &str = "organization: { orgno: \"889640782\", name: Etaten }\nprefixes: [etat]\n\
                        environments: { dev: { target: sandbox }, prod: { target: sandbox } }\n";
const ONE: &str = "organization: { orgno: \"889640782\", name: Etaten }\nprefixes: [etat]\n\
                   environments: { prod: { target: sandbox } }\n";

struct Fixture {
    _folder: TempDir,
    repository: Repository,
}

fn fixture(settings: &str, yaml: &str) -> Fixture {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("portvakt.yaml"), settings).unwrap();
    fs::write(folder.path().join("a.yaml"), yaml).unwrap();
    let repository = load(folder.path()).unwrap();
    let today = "2026-11-25".parse().unwrap();
    let found = repository.check(today);
    assert!(!found.iter().any(|found| found.is_error()), "{yaml}\n{found:?}");
    Fixture { _folder: folder, repository }
}

fn scope(name: &str) -> Entity {
    Entity::Scope(name.parse().unwrap())
}

fn client(name: &str) -> Entity {
    Entity::Client(name.parse().unwrap())
}

fn described(settings: &str, yaml: &str, entity: &Entity) -> Result<Edited, CannotEdit> {
    fixture(settings, yaml).repository.described("prod", entity, "prod:ns:app", None)
}

fn released(settings: &str, yaml: &str, entity: &Entity) -> Result<Edited, CannotEdit> {
    fixture(settings, yaml).repository.released("prod", entity, "handed over", None)
}

#[track_caller]
fn becomes(edited: Result<Edited, CannotEdit>, expected: &str) {
    assert_eq!(edited.unwrap().after, expected);
}

#[track_caller]
fn is_refused(edited: Result<Edited, CannotEdit>, why: &str) {
    let error = edited.unwrap_err().to_string();
    assert!(error.contains(why) && error.contains("By hand: "), "{error}");
}

#[test]
fn a_description_is_replaced_where_it_is() {
    for (before, after) in [
        ("description: Les # hva", "description: prod:ns:app # hva"),
        ("description: 'Les'  # hva", "description: prod:ns:app  # hva"),
        ("description:   \"Les: \\\"alt\\\" # nei\"", "description:   prod:ns:app"),
        (
            "description:\n      Les alt\n      om æøå # hva",
            "description:\n      prod:ns:app # hva",
        ),
        (
            "description: |\n      Les\n      alt\n    # hva\n    at_max_age: 3",
            "description: prod:ns:app\n    # hva\n    at_max_age: 3",
        ),
        (
            "description: >-\n      Les\n\n      alt\n\n    at_max_age: 3",
            "description: prod:ns:app\n\n    at_max_age: 3",
        ),
    ] {
        let yaml = |text: &str| {
            format!(
                "# Skoper\nscopes:\n  # a\n  - name: etat:a # navn\n    {text}\n  - {{ name: etat:b, description: Nei }}\n"
            )
        };
        becomes(described(ONE, &yaml(before), &scope("etat:a")), &yaml(after));
        let crlf = yaml(before).replace('\n', "\r\n");
        becomes(described(ONE, &crlf, &scope("etat:a")), &yaml(after).replace('\n', "\r\n"));
        let marked = format!("\u{feff}{}", yaml(before));
        becomes(described(ONE, &marked, &scope("etat:a")), &format!("\u{feff}{}", yaml(after)));
    }
    let braces = "scopes: [{ description: \"Les, æ\", name: etat:a }, { name: etat:b, description: Nei }] # c\n";
    becomes(
        described(ONE, braces, &scope("etat:b")),
        &braces.replace("description: Nei", "description: prod:ns:app"),
    );
}

#[test]
fn a_description_that_is_missing_comes_behind_the_name() {
    becomes(
        described(ONE, "clients:\n- name: 'x: y' # navn\n  active: true\n", &client("x: y")),
        "clients:\n- name: 'x: y' # navn\n  description: prod:ns:app\n  active: true\n",
    );
    becomes(
        described(ONE, "clients: [{name: x}, {name: y}]", &client("y")),
        "clients: [{name: x}, {name: y, description: prod:ns:app}]",
    );
}

#[test]
fn in_one_of_several_environments_the_description_differs_there() {
    let yaml = "scopes:\n  - name: etat:a\n    description: Les # hva\n    # sist\nremoved: []\n";
    becomes(
        described(SETTINGS, yaml, &scope("etat:a")),
        "scopes:\n  - name: etat:a\n    description: Les # hva\n    per_environment:\n      prod:\n        \
         description: prod:ns:app\n    # sist\nremoved: []\n",
    );
    for (before, after) in [
        (
            "{ dev: { at_max_age: 3 } } # d",
            "{ prod: { description: prod:ns:app }, dev: { at_max_age: 3 } } # d",
        ),
        ("{ prod: { at_max_age: 3 } }", "{ prod: { description: prod:ns:app, at_max_age: 3 } }"),
        (
            "{ prod: { description: Nei, at_max_age: 3 } }",
            "{ prod: { description: prod:ns:app, at_max_age: 3 } }",
        ),
        (
            "# d\n      # dev\n      dev: { at_max_age: 3 }",
            "# d\n      prod:\n        description: prod:ns:app\n      # dev\n      dev: { at_max_age: 3 }",
        ),
        (
            "\n      prod: # p\n        # alder\n        at_max_age: 3",
            "\n      prod: # p\n        description: prod:ns:app\n        # alder\n        at_max_age: 3",
        ),
    ] {
        let yaml = |text: &str| {
            format!(
                "scopes:\n  - name: etat:a\n    per_environment: {text}\n    description: Les\n"
            )
        };
        becomes(described(SETTINGS, &yaml(before), &scope("etat:a")), &yaml(after));
    }
    let alone = "scopes:\n  - { name: etat:a, description: Les, environments: [prod] }\n";
    becomes(described(SETTINGS, alone, &scope("etat:a")), &alone.replace("Les", "prod:ns:app"));
}

#[test]
fn of_two_of_one_name_the_one_of_the_environment_is_edited() {
    let yaml = "scopes:\n  - { name: etat:a, description: Dev, environments: [dev] }\n---\nscopes:\n  \
                - { name: etat:b, description: B }\n  \
                - { name: etat:a, description: Prod, environments: [prod] }\n";
    becomes(described(SETTINGS, yaml, &scope("etat:a")), &yaml.replace(" Prod,", " prod:ns:app,"));
    becomes(
        released(SETTINGS, yaml, &scope("etat:a")),
        "scopes:\n  - { name: etat:a, description: Dev, environments: [dev] }\n---\nscopes:\n  \
         - { name: etat:b, description: B }\nremoved:\n  \
         - { scope: etat:a, action: release, reason: handed over, environments: [prod] }\n",
    );
}

/// A file with a public key as PEM is not needed here: an empty list counts as keys too.
#[test]
fn keys_are_taken_out_and_the_client_is_pinned() {
    let id = "1f0a".parse().unwrap();
    let edit = |settings, yaml: &str| {
        fixture(settings, yaml).repository.described("prod", &client("x"), "prod:ns:app", Some(&id))
    };
    becomes(
        edit(
            ONE,
            "clients:\n  - name: x\n    # nøkler\n    jwks: [] # ingen\n    description: Les\n",
        ),
        "clients:\n  - name: x\n    client_id: \"1f0a\"\n    description: prod:ns:app\n",
    );
    becomes(
        edit(ONE, "clients: [{ jwks: [], name: x, client_id: old }]\n"),
        "clients: [{ name: x, description: prod:ns:app, client_id: \"1f0a\" }]\n",
    );
    becomes(
        edit(
            SETTINGS,
            "clients:\n  - name: x\n    per_environment:\n      prod: { jwks: [] }\n      dev: { jwks: [] }\n",
        ),
        "clients:\n  - name: x\n    per_environment:\n      \
         prod: { client_id: \"1f0a\", description: prod:ns:app }\n      dev: { jwks: [] }\n",
    );
    // The other environment has keys of its own: the common ones belong to this one alone.
    becomes(
        edit(
            SETTINGS,
            "clients:\n  - name: x\n    jwks: []\n    per_environment:\n      dev:\n        jwks: []\n",
        ),
        "clients:\n  - name: x\n    per_environment:\n      prod:\n        client_id: \"1f0a\"\n        \
         description: prod:ns:app\n      dev:\n        jwks: []\n",
    );
    is_refused(edit(SETTINGS, "clients:\n  - { name: x, jwks: [] }\n"), "other environments");
}

#[test]
fn what_is_released_goes_with_its_own_comments_and_no_others() {
    let all = "# Våre skoper\nscopes:\n  # om alle\n\n  # a\n  - name: etat:a # navn\n    \
               description: |\n      Les\n\n    # inni\n    consumers:\n      - \"974761076\" # skatt\n    \
               # sist i a\n  # b\n  # mer b\n  - { name: etat:b, description: B } # etter b\n\n  # c\n  \
               - name: etat:c\n    description: C\n# slutt\n";
    let entry = |name: &str| {
        format!("removed:\n  - {{ scope: etat:{name}, action: release, reason: handed over }}\n")
    };
    becomes(
        released(ONE, all, &scope("etat:a")),
        &format!(
            "# Våre skoper\nscopes:\n  # om alle\n\n  # b\n  # mer b\n  \
             - {{ name: etat:b, description: B }} # etter b\n\n  # c\n  - name: etat:c\n    \
             description: C\n{}# slutt\n",
            entry("a")
        ),
    );
    let start = &all[..all.find("  # b\n").unwrap()];
    becomes(
        released(ONE, all, &scope("etat:b")),
        &format!("{start}\n  # c\n  - name: etat:c\n    description: C\n{}# slutt\n", entry("b")),
    );
    let until_c = &all[..all.find("  # c\n").unwrap()];
    becomes(released(ONE, all, &scope("etat:c")), &format!("{until_c}{}# slutt\n", entry("c")));
    let crlf = all.replace('\n', "\r\n");
    becomes(
        released(ONE, &crlf, &scope("etat:b")),
        &format!("{start}\n  # c\n  - name: etat:c\n    description: C\n{}# slutt\n", entry("b"))
            .replace('\n', "\r\n"),
    );
}

#[test]
fn a_comment_that_can_be_about_all_of_a_list_stays() {
    let yaml = "scopes:\n  # etat og venner\n  - { name: etat:a, description: A }\n  - { name: etat:b, description: B }\n";
    becomes(
        released(ONE, yaml, &scope("etat:a")),
        "scopes:\n  # etat og venner\n  - { name: etat:b, description: B }\nremoved:\n  \
         - { scope: etat:a, action: release, reason: handed over }\n",
    );
}

#[test]
fn the_only_one_takes_its_list_with_it() {
    for (before, after) in [
        (
            "# topp\nscopes: # s\n  # a\n  - name: etat:a\n    description: A",
            "# topp\nremoved:\n  - ENTRY\n",
        ),
        (
            "scopes:\n- name: etat:a\n  description: A\n\n# om andre\nclients:\n- name: x\n",
            "# om andre\nclients:\n- name: x\nremoved:\n  - ENTRY\n",
        ),
        ("scopes: [{ name: etat:a, description: A }]\n", "removed:\n  - ENTRY\n"),
        (
            "{ scopes: [{ name: etat:a, description: A }], clients: [] }\n",
            "{ clients: [], removed: [ENTRY] }\n",
        ),
        (
            "removed:\n- { scope: etat:old, action: deactivate } # gammel\n# s\nscopes:\n- { name: etat:a, description: A }\n",
            "removed:\n- { scope: etat:old, action: deactivate } # gammel\n- ENTRY\n",
        ),
        (
            "scopes:\n  - { name: etat:a, description: A }\nremoved: [] # ingen\n---\n# annet\nclients: []\n",
            "removed: [ENTRY] # ingen\n---\n# annet\nclients: []\n",
        ),
        (
            "removed: [{ scope: etat:old, action: release }]\nscopes: [{ name: etat:a, description: A }]\n",
            "removed: [{ scope: etat:old, action: release }, ENTRY]\n",
        ),
    ] {
        let entry = "{ scope: etat:a, action: release, reason: handed over }";
        becomes(released(ONE, before, &scope("etat:a")), &after.replace("ENTRY", entry));
    }
}

#[test]
fn of_a_row_first_middle_and_last_can_go() {
    let row = |names: &[&str]| {
        let items = names.iter().map(|name| format!("{{ name: {name} }}")).collect::<Vec<_>>();
        format!("clients: [{}]\n", items.join(", "))
    };
    for gone in ["x", "y", "z"] {
        let left: Vec<_> = ["x", "y", "z"].into_iter().filter(|name| *name != gone).collect();
        let shown = if gone == "y" { "\"y\"".to_owned() } else { gone.to_owned() };
        becomes(
            released(ONE, &row(&["x", "y", "z"]), &client(gone)),
            &format!(
                "{}removed:\n  - {{ client: {shown}, action: release, reason: handed over }}\n",
                row(&left)
            ),
        );
    }
}

#[test]
fn in_other_environments_it_stays_declared() {
    let entry = "removed:\n  - { scope: etat:a, action: release, reason: handed over, environments: [prod] }\n";
    for (before, after) in [
        (
            "    description: A\n    per_environment:\n      prod:\n        description: prod:ns:app # p\n    # sist\n",
            "    environments: [dev]\n    description: A\n    # sist\n",
        ),
        (
            "    description: A\n    environments: [prod, dev] # begge\n    per_environment: { prod: { at_max_age: 3 }, dev: { at_max_age: 4 } }\n",
            "    description: A\n    environments: [dev] # begge\n    per_environment: { dev: { at_max_age: 4 } }\n",
        ),
        (
            "    description: A\n    environments:\n      - prod # p\n      # d\n      - dev\n",
            "    description: A\n    environments:\n      # d\n      - dev\n",
        ),
    ] {
        let yaml = |text: &str| format!("scopes:\n  - name: etat:a # navn\n{text}");
        becomes(
            released(SETTINGS, &yaml(before), &scope("etat:a")),
            &format!("{}{entry}", yaml(after)),
        );
    }
}

#[test]
fn what_only_a_person_can_edit_is_refused() {
    let aliases = "scopes:\n  - { name: etat:a, description: &d Les }\n  - { name: etat:b, description: *d }\n";
    is_refused(described(ONE, aliases, &scope("etat:a")), "aliases");
    is_refused(released(ONE, aliases, &scope("etat:a")), "aliases");
    let commented = "scopes: [\n  { name: etat:a, description: A }, # a\n  { name: etat:b, description: B }\n]\n";
    is_refused(released(ONE, commented, &scope("etat:a")), "comment");
    let block = "scopes:\n  - name: etat:a\n    description: | # hvorfor\n      Les\n";
    is_refused(described(ONE, block, &scope("etat:a")), "comment");
    is_refused(described(ONE, "scopes: []\n", &scope("etat:a")), "no such thing");
}

#[test]
fn blank_lines_stay_as_a_person_sets_them() {
    let yaml = "# Skoper\n\nscopes:\n  - name: etat:a\n    description: Les\n\n  - name: etat:b\n    \
                description: Les\n\n  - name: etat:c\n    description: Les\n\nclients:\n  - name: x\n";
    let removed = |name: &str| {
        format!("\nremoved:\n  - {{ scope: {name}, action: release, reason: handed over }}\n")
    };
    for name in ["etat:a", "etat:b"] {
        let gone = format!("  - name: {name}\n    description: Les\n\n");
        let after = yaml.replace(&gone, "") + &removed(name);
        becomes(released(ONE, yaml, &scope(name)), &after);
        let crlf = released(ONE, &yaml.replace('\n', "\r\n"), &scope(name));
        becomes(crlf, &after.replace('\n', "\r\n"));
    }
    let after = yaml.replace("  - name: etat:c\n    description: Les\n\n", "");
    becomes(released(ONE, yaml, &scope("etat:c")), &(after + &removed("etat:c")));
}

#[test]
fn a_silence_goes_with_what_it_is_for() {
    let yaml = "scopes:\n  # portvakt: allow navn -- gammel\n  - name: etat:a\n    description: Les\n  \
                - name: etat:b\n    description: Les\n";
    let settings = ONE.to_owned()
        + "naming: [{ rule: navn, applies_to: scope, pattern: '^etat:b', message: b }]\n";
    let after = "scopes:\n  - name: etat:b\n    description: Les\nremoved:\n  - { scope: etat:a, action: \
                 release, reason: handed over }\n";
    becomes(released(&settings, yaml, &scope("etat:a")), after);
}

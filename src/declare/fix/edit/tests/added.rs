//! Added consumers, in many shapes of YAML: the text is exactly the expected one.

use std::collections::BTreeMap;
use std::path::Path;

use super::SETTINGS;
use crate::declare::{ConsumerEntry, Files, read};

const ALIASES: &str = "consumers:\n  b: { orgno: \"974761076\" }\n  m: { orgno: \"971040238\" }\n  \
                       x: { orgno: \"991825827\" }\n";

/// The text with an entry by alias and one by number in `etat:a`, or the reason why there is none.
fn added(yaml: &str) -> Result<String, String> {
    let of = |path: &str, text: &str| (path.into(), text.as_bytes().to_vec());
    let yaml = vec![of("a.yaml", yaml), of("consumers.yaml", ALIASES)];
    let files = Files { settings: SETTINGS.as_bytes().to_vec(), yaml: yaml.clone() };
    let repository = read(Path::new(""), SETTINGS.as_bytes(), yaml, &|_| None).unwrap();
    let found = repository.check("2026-11-25".parse().unwrap());
    assert!(!found.iter().any(|found| found.is_error()), "{found:?}");
    let entry = |consumer: &str, environments: &[&str]| ConsumerEntry {
        consumer: consumer.to_owned(),
        environments: environments.iter().map(|name| (*name).to_owned()).collect(),
    };
    let entries = vec![entry("984661185", &["dev"]), entry("m", &[])];
    let name = "etat:a".parse().unwrap();
    let declaration = repository.scope_declaration("dev", &name).unwrap();
    let (mut edited, refused) =
        repository.with_consumers(&files, &BTreeMap::from([(declaration, entries)]));
    if let Some((_, error)) = refused.first() {
        assert!(edited.is_empty(), "{edited:?}");
        return Err(error.to_string());
    }
    assert_eq!(edited.len(), 1, "{edited:?}");
    Ok(edited.remove(0).after)
}

#[track_caller]
fn becomes(yaml: &str, expected: &str) {
    for ends in ["\n", "\r\n"] {
        assert_eq!(added(&yaml.replace('\n', ends)).unwrap(), expected.replace('\n', ends));
    }
}

#[track_caller]
fn is_refused(yaml: &str, why: &str) {
    let error = added(yaml).unwrap_err();
    let by_hand = "By hand: add { consumer: \"984661185\", environments: [dev] }, m to the consumers of \
                   etat:a";
    assert!(error.contains(why) && error.contains(by_hand), "{error}");
}

#[test]
fn a_sorted_list_stays_sorted_and_each_comment_stays_at_its_entry() {
    becomes(
        "scopes:\n  - name: etat:a # first\n    description: A\n    consumers: # all of them pay\n      \
         # b pays twice\n      - b\n        # still b\n\n      # x pays nothing\n      - { consumer: x, until: 2027-01-01 } # for now\n      # the end\n    \
         at_max_age: 30\n",
        "scopes:\n  - name: etat:a # first\n    description: A\n    consumers: # all of them pay\n      \
         - { consumer: \"984661185\", environments: [dev] }\n      \
         # b pays twice\n      - b\n        # still b\n\n      - m\n      # x pays nothing\n      - { consumer: x, until: 2027-01-01 } # for now\n      # the end\n    \
         at_max_age: 30\n",
    );
}

#[test]
fn other_lists_get_more_at_their_end() {
    becomes(
        "scopes:\n- name: etat:a\n  description: A\n  consumers:\n  - x\n  - b # last\n    # and so on\n",
        "scopes:\n- name: etat:a\n  description: A\n  consumers:\n  - x\n  - b # last\n    # and so on\n  \
         - { consumer: \"984661185\", environments: [dev] }\n  - m\n",
    );
    becomes(
        "scopes:\n- name: etat:a\n  description: A\n  consumers:\n  - x\n  - b",
        "scopes:\n- name: etat:a\n  description: A\n  consumers:\n  - x\n  - b\n  \
         - { consumer: \"984661185\", environments: [dev] }\n  - m",
    );
}

#[test]
fn rows_stay_rows() {
    becomes(
        "scopes:\n  - name: etat:a\n    description: A\n    consumers: [b, \"x\"] # two\n",
        "scopes:\n  - name: etat:a\n    description: A\n    consumers: \
         [{ consumer: \"984661185\", environments: [dev] }, b, m, \"x\"] # two\n",
    );
    becomes(
        "scopes:\n  - { name: etat:a, description: A, consumers: [ x, b ] }\n",
        "scopes:\n  - { name: etat:a, description: A, consumers: \
         [ x, b, { consumer: \"984661185\", environments: [dev] }, m ] }\n",
    );
    becomes(
        "scopes: [{ name: etat:a, description: A, consumers: [] }, { name: etat:b, description: B }]\n",
        "scopes: [{ name: etat:a, description: A, consumers: \
         [{ consumer: \"984661185\", environments: [dev] }, m] }, { name: etat:b, description: B }]\n",
    );
}

#[test]
fn a_list_is_made_where_there_is_none() {
    let list =
        "    consumers:\n      - { consumer: \"984661185\", environments: [dev] }\n      - m\n";
    becomes(
        "scopes:\n  - name: etat:a\n    description: >\n      Les\n      det\n      # no comment\n\n  - name: etat:b\n    description: B\n",
        &format!(
            "scopes:\n  - name: etat:a\n    description: >\n      Les\n      det\n      # no comment\n{list}\n  - name: etat:b\n    description: B\n"
        ),
    );
    becomes(
        "scopes:\n  - name: etat:a\n    description: A\n    per_environment:\n      dev: { description: D }\n",
        &format!(
            "scopes:\n  - name: etat:a\n    description: A\n{list}    per_environment:\n      dev: {{ description: D }}\n"
        ),
    );
    becomes(
        "scopes:\n  - name: etat:a\n    consumers: [ ] # nobody yet\n    description: A\n",
        "scopes:\n  - name: etat:a\n    consumers: \
         [{ consumer: \"984661185\", environments: [dev] }, m] # nobody yet\n    description: A\n",
    );
    becomes(
        "scopes:\n  - { name: etat:a, description: A }\n",
        "scopes:\n  - { name: etat:a, description: A, consumers: \
         [{ consumer: \"984661185\", environments: [dev] }, m] }\n",
    );
}

#[test]
fn several_declarations_of_one_file_are_edited_at_once() {
    let text = "\u{feff}scopes:\n  - name: etat:a\n    description: A\n    environments: [dev]\n    \
                consumers:\n      - b\n  - name: etat:a\n    description: A\n    environments: [prod]\n    \
                consumers:\n      - b\n";
    let files = Files {
        settings: SETTINGS.as_bytes().to_vec(),
        yaml: vec![
            ("a.yaml".into(), text.as_bytes().to_vec()),
            ("consumers.yaml".into(), ALIASES.as_bytes().to_vec()),
        ],
    };
    let repository =
        read(Path::new(""), SETTINGS.as_bytes(), files.yaml.clone(), &|_| None).unwrap();
    let name = "etat:a".parse().unwrap();
    let entry = |consumer: &str| {
        vec![ConsumerEntry { consumer: consumer.to_owned(), environments: Vec::new() }]
    };
    let added = BTreeMap::from([
        (repository.scope_declaration("dev", &name).unwrap(), entry("m")),
        (repository.scope_declaration("prod", &name).unwrap(), entry("x")),
    ]);
    let (edited, refused) = repository.with_consumers(&files, &added);
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(
        edited[0].after,
        "\u{feff}scopes:\n  - name: etat:a\n    description: A\n    environments: [dev]\n    \
         consumers:\n      - b\n      - m\n  - name: etat:a\n    description: A\n    environments: [prod]\n    \
         consumers:\n      - b\n      - x\n"
    );
}

#[test]
fn what_only_a_person_can_edit_is_refused() {
    is_refused(
        "scopes:\n  - name: etat:a\n    description: A\n    consumers: [\n      b, # pays\n      x,\n      ]\n",
        "it is laid out in a way in which only a person can edit it",
    );
    is_refused(
        "scopes:\n  - name: etat:a\n    description: A\n    consumers:\n      -\n        b\n",
        "it is laid out in a way",
    );
    is_refused(
        "scopes:\n  - name: etat:a\n    description: A\n    consumers: &all [b]\n  \
         - name: etat:b\n    description: B\n    consumers: *all\n",
        "it uses YAML aliases",
    );
    is_refused(
        "scopes:\n  - name: etat:a\n    description: A\n    consumers: [\n      # nobody\n      ]\n",
        "there is a comment in it",
    );
}

//! Every rule's examples: the wrong one breaks that rule and no other, the right one breaks none.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::{Diagnostic, check, folder, said};
use crate::declare::diagnostic::rule::{Example, Rule};

fn check_example(example: Example) -> Vec<Diagnostic> {
    let settings = example.settings();
    let folder = folder(&[("portvakt.yaml", settings.as_bytes())]);
    // A team has a folder.
    fs::create_dir_all(folder.path().join("teams/arbeid")).unwrap();
    if let Some(declarations) = example.declarations() {
        fs::write(folder.path().join("scopes.yaml"), declarations).unwrap();
    }
    if let Example::Shell(commands) = example {
        let shell = Command::new("sh").args(["-c", commands]).current_dir(folder.path()).status();
        assert!(shell.unwrap().success(), "{commands}");
    }
    check(folder.path())
}

#[test]
fn wrong_examples_break_their_rule() {
    for rule in Rule::ALL {
        let found = check_example(rule.wrong());
        let codes: BTreeSet<_> = found.iter().map(|found| found.code).collect();
        assert_eq!(codes, [*rule].into(), "{}", said(&found));
        assert!(found.iter().all(|found| found.severity == rule.severity()), "{rule:?}");
    }
}

#[test]
fn right_examples_break_none() {
    for rule in Rule::ALL {
        assert_eq!(said(&check_example(rule.right())), "", "{rule:?}");
    }
}

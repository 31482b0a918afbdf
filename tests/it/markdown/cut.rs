//! Comments that would exceed the limit.

use plan::document::{ActionDocument, PlanDocument};
use plan::{Danger, Verb};
use portvakt::render::markdown;

use super::document;
use super::parsed::{LONGEST, Parsed};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A plan with plain texts; `keep` selects the actions.
fn plan(count: usize, keep: impl Fn(&ActionDocument) -> bool) -> PlanDocument {
    let mut number = 0;
    let mut plan = document::plan(count, &mut || {
        number += 1;
        format!("name{number}")
    });
    plan.environment = "test".to_owned();
    (plan.project, plan.applied) = (None, None);
    plan.repository.as_mut().unwrap().folder.clear();
    plan.digest = DIGEST.to_owned();
    plan.actions.retain(keep);
    plan.scheduled.clear();
    plan
}

fn ends_well(comment: &str) {
    assert!(
        comment.starts_with(&format!("{}\n## portvakt: plan for ", markdown::marker(None, "test")))
    );
    assert!(comment.contains(&format!("\nDigest `{DIGEST}`\n")));
    assert!(comment.ends_with(&format!("`portvakt apply --expect {DIGEST} --env test`\n")));
}

#[test]
fn the_least_dangerous_is_left_out_first() {
    // There is room for all actions that remove access and for a part of those that give it, but not for
    // drift and notices.
    let comment = markdown::plan(&plan(960, |action| match action.origin {
        Some(_) => action.danger == Some(Danger::Grants),
        None => action.action == Verb::Revoke,
    }));
    Parsed::of(&comment);
    ends_well(&comment);
    assert!(comment.chars().count() > LONGEST - 1_000, "there is room for more");
    let counts: Vec<&str> = comment.lines().filter(|line| line.contains(" shown; ")).collect();
    insta::assert_snapshot!(counts.join("\n"), @"
    **30 of 100 shown; the rest in the plan as JSON**
    **0 of 40 shown; the rest in the plan as JSON**
    **0 of 10 shown; the rest in the plan as JSON**
    **0 of 100 shown; the rest in the plan as JSON**
    **0 of 40 shown; the rest in the plan as JSON**
    **0 of 7 shown; the rest in the plan as JSON**
    **0 of 640 shown; the rest in the plan as JSON**
    ");
    insta::assert_snapshot!(comment.lines().find(|line| line.contains("Cut")).unwrap(), @"**Cut to fit into a comment:** 650 of 1557 rows are shown, the most dangerous first, and at most 200 characters of a value. The plan as JSON has everything.");
}

#[test]
fn a_long_value_is_cut_and_the_rest_shown() {
    let mut plan = plan(4, |_| true);
    plan.actions[0].reason = Some("å".repeat(100_000));
    let comment = markdown::plan(&plan);
    ends_well(&comment);
    assert!(comment.contains(&format!("`{}` … (99800 characters left out)", "å".repeat(200))));
    assert!(!comment.contains(" shown; "));
}

#[test]
fn what_fits_is_complete() {
    let mut plan = plan(4, |_| true);
    let room = LONGEST - markdown::plan(&plan).chars().count();
    let length = plan.organization.len() + room;
    plan.organization = "x".repeat(length);
    let comment = markdown::plan(&plan);
    assert_eq!(comment.chars().count(), LONGEST);
    assert!(!comment.contains("Cut to fit"));
    plan.organization.push('x');
    let comment = markdown::plan(&plan);
    assert!(comment.contains("Cut to fit") && comment.chars().count() < LONGEST);
}

#[test]
fn nothing_is_too_long() {
    for text in ["`".repeat(100_000), "a|".repeat(50_000), "@".repeat(100_000), "🙂".repeat(99)] {
        for count in [0, 1, 97, 2_000] {
            if count * text.len() > 1_000_000 {
                continue;
            }
            let comment = markdown::plan(&document::plan(count, &mut || text.clone()));
            Parsed::of(&comment);
            assert!(comment.contains("\nDigest "));
        }
    }
}

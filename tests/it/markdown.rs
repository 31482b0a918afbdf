//! A plan in a comment, in which no text from outside has any effect.

mod cut;
mod document;
mod hostile;
mod parsed;

use domain::AccessState::{Approved, Requested};
use plan::Origin;
use portvakt::render::markdown;

use crate::world::{DIGDIR, KART, SKATT, World};
use parsed::Parsed;

/// Text that somebody could write for a reviewer to read.
const REASON: &str = "</td>|`x`|@etat/team #12 !3 GH-4 <img src=x onerror=alert(1)> [a](https://e.example) $x$ :tada:";

fn run(world: &World) -> String {
    let ran = world.run(&["plan", "--format", "markdown"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    Parsed::of(&ran.stdout);
    ran.stdout
}

#[test]
fn a_plan_with_a_bit_of_everything() {
    let world = World::new();
    world.put("etat:a.read", true, &[(SKATT, Approved), (KART, Requested)]);
    world.put("etat:b.read", false, &[(SKATT, Approved), (DIGDIR, Approved)]);
    world.put("etat:pause.read", true, &[(KART, Approved)]);
    world.put("etat:vern.read", true, &[]);
    world.put_client("id-1", "test:etat:b", false, &["etat:a.read"]);
    world.settings("guards: { max_revocations: 1, protect: [\"etat:vern*\"] }\n");
    world.declare(
        "consumers:\n  \
           skatteetaten: { orgno: \"974761076\", name: Skatteetaten }\n\
         scopes:\n  \
           - name: etat:a.read\n    \
             description: Les arbeidsforhold\n    \
             at_max_age: 120\n    \
             consumers:\n      \
               - { consumer: skatteetaten, until: 2020-01-31 }\n      \
               - \"971040238\"\n      \
               - { consumer: \"991825827\", reason: SAK-1234 }\n  \
           - { name: etat:b.read, description: Les, consumers: [skatteetaten] }\n  \
           - { name: etat:ny.read, description: Ny, accessible_for_all: true }\n  \
           - { name: etat:pause.read, description: Les, active: false }\n  \
           - { name: etat:vern.read, description: Les, active: false }\n\
         clients:\n  \
           - { name: \"test:etat:b\", description: Henter, scopes: [etat:a.read] }\n",
    );
    insta::assert_snapshot!(run(&world));
}

#[test]
fn hostile_names_in_the_declarations_and_live() {
    let world = World::new();
    let hostile = REASON.replace('"', "");
    world.put("etat:a.read", true, &[(SKATT, Approved)]);
    world.put("etat:b.read", true, &[(KART, Requested)]);
    world.sandbox.edit(|state| {
        let scope = state.scopes.get_mut(&crate::world::name("etat:a.read")).unwrap();
        scope.fields.insert("description".to_owned(), format!("/approve\n\n{hostile}").into());
    });
    world.write(
        "teams/`@a|b`.yaml",
        format!(
            "consumers:\n  \
               digdir: {{ orgno: \"991825827\", name: '{hostile}' }}\n\
             scopes:\n  \
               - name: etat:a.read\n    \
                 description: '{hostile} ``'\n    \
                 consumers: [{{ consumer: digdir, reason: '{hostile}' }}]\n  \
               - {{ name: etat:b.read, description: Les }}\n"
        ),
    );
    let comment = run(&world);
    let plain = Parsed::of(&comment).plain();
    assert_eq!(plain.matches(&hostile).count(), 4, "{plain}");
    insta::assert_snapshot!(comment);
}

#[test]
fn nothing_to_do() {
    let comment = run(&World::new());
    insta::with_settings!({ filters => [("[0-9a-f]{64}", "<digest>")] }, {
        insta::assert_snapshot!(comment, @r###"
        <!-- portvakt plan test -->
        **What was applied before is not known:** `this is not a git repository`

        ## portvakt: plan for `test`

        `Etaten` (`889640782`)

        No changes.

        ### Worth knowing

        | Code | About | Worth knowing |
        | --- | --- | --- |
        | `PV409` | `git` | `this is not a git repository: what is not declared any more is left alone, and what is drift is not shown` |

        Digest `sha256:<digest>`
        "###);
    });
}

#[test]
fn the_digest_is_that_of_the_plan() {
    let world = World::new();
    world.put("etat:a.read", true, &[(SKATT, Approved)]);
    world.declare("scopes:\n  - { name: etat:a.read, description: Les }\n");
    let (comment, plan) = (run(&world), world.plan());
    let digest = regex::Regex::new("(?m)^Digest .*`(sha256:[0-9a-f]{64})`$").unwrap();
    let digest = &digest.captures(&comment).unwrap()[1];
    assert_eq!(plan["digest"], digest);
    assert!(comment.contains(&format!("`portvakt apply --expect {digest} --env test`")));
    assert!(comment.starts_with(&format!("{}\n", markdown::marker(None, "test"))));
}

#[test]
fn drift_is_folded_away_and_a_rollback_says_so() {
    let mut plan = document::plan(9, &mut || "name".to_owned());
    for (at, action) in plan.actions.iter_mut().enumerate() {
        action.origin = Some(if at < 6 { Origin::Drift } else { Origin::Change });
        action.changes.clear();
    }
    plan.rollback = true;
    let comment = markdown::plan(&plan);
    Parsed::of(&comment);
    let (own, drift) = comment.split_once("<details>\n").unwrap();
    assert!(own.contains("## portvakt: rollback for `name`"));
    assert!(own.contains("### This pull request: takes access away or opens up"));
    let summary = "<summary>Drift that was there before: 6 (6 of them take access away or open up)";
    assert!(drift.starts_with(summary), "{drift}");
    assert!(drift.contains("<details>\n<summary>Worth knowing: 6</summary>\n\n|"));
    assert!(!comment.contains("--expect"), "an apply without more would not be the rollback");
}

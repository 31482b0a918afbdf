//! For any live state: after an import the plan is empty, in every layout, and everything that can be
//! declared is.

use domain::Live;
use portvakt::adopt::{AdoptedThing, Layout, ProofError, Proved, Reason, Subject};
use proptest::prelude::*;

use super::live::{Repo, shown};
use super::states::{size, states};

const LAYOUTS: [Layout; 4] = [Layout::Single, Layout::ByPrefix, Layout::ByProduct, Layout::ByTeam];

const SETTINGS: &str = r#"
organization: { orgno: "889640782", name: Etaten }
prefixes: [etat, blå]
environments:
  prod: { target: prod, credentials: { client_id: x, key: { env: K } } }
  test: { target: test, credentials: { client_id: x, key: { env: K } } }
  sandbox: { target: sandbox }
"#;

const DEFAULTS: &str = r"
defaults:
  scope:
    at_max_age: 120
    allowed_integration_types: [maskinporten]
    visibility: PRIVATE
    long_description: Spør oss
    delegation_source: altinn
    requires_user_consent: true
    enforced_aud_for_access_token: https://etat.no/
  client: { application_type: browser, access_token_lifetime: 300 }
";

const TEAMS: &str = "
teams:
  arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*'], clients: ['*:arbeid:*'] }
  alle: { path: alle, scopes: ['etat:*'] }
";

/// Whether a reason is expected for such a state.
fn is_known(reason: &Reason, defaults: bool) -> bool {
    match reason {
        Reason::Requested(_)
        | Reason::SameName(_)
        | Reason::SameNameAtNais(_)
        | Reason::Name(_) => true,
        // Texts that are not allowed in a declaration.
        Reason::Invalid { code, message } => {
            *code == "PV113"
                && [
                    "the description is empty",
                    "the description holds a character that cannot be seen",
                ]
                .contains(&message.as_str())
                || defaults && *code == "PV134"
        }
        Reason::State(_)
        | Reason::Unclear
        | Reason::NotRead
        | Reason::TwoScopes
        | Reason::OwnClient
        | Reason::TakenOut
        | Reason::Beside(_)
        | Reason::Removed
        | Reason::Expired(_)
        | Reason::NotYet(_)
        | Reason::Blocked(_)
        | Reason::InManifest(_)
        | Reason::AccessibleForAll
        | Reason::CannotEdit(_)
        | Reason::Differs(_)
        | Reason::Kind(_)
        | Reason::Keys(_)
        | Reason::Entries => false,
        // A default that a live client of a type without login does not have, and that no declaration can
        // unset.
        Reason::Planned(why) => {
            let is_unset = |change: &str| {
                change.starts_with("application_type from null")
                    || change.starts_with("access_token_lifetime from null")
            };
            defaults && why.split(", ").all(is_unset)
        }
    }
}

fn holds(
    repo: &Repo,
    sides: &[(&str, &Live)],
    layout: Layout,
    defaults: bool,
) -> Result<Proved, TestCaseError> {
    holds_into("", repo, sides, layout, defaults)
}

fn holds_into(
    into: &str,
    repo: &Repo,
    sides: &[(&str, &Live)],
    layout: Layout,
    defaults: bool,
) -> Result<Proved, TestCaseError> {
    let made = repo
        .import_into(into, sides, layout)
        .map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
    let with = repo.with(&made);
    for (environment, live) in sides {
        let plan = with.plan(environment, live);
        prop_assert!(
            plan.actions.is_empty() && plan.blocked.is_empty(),
            "{plan:#?}\n{}",
            shown(&made)
        );
    }
    let by = |wanted: fn(&Subject) -> bool| {
        let output = made.left_out.iter().filter(|it| wanted(&it.subject));
        output
            .map(|it| match &it.reason {
                Reason::SameName(ids) => ids.len(),
                _ => 1,
            })
            .sum::<usize>()
    };
    if let [(_, live)] = sides {
        let (scopes, clients) = size(live);
        let left_out = by(|subject| matches!(subject, Subject::Scope(_)));
        prop_assert_eq!(made.counts.scopes + left_out, scopes, "{}", shown(&made));
        let left_out = by(|subject| matches!(subject, Subject::Client(..)));
        prop_assert_eq!(made.counts.clients + left_out, clients, "{}", shown(&made));
    }
    for left_out in &made.left_out {
        prop_assert!(is_known(&left_out.reason, defaults), "{left_out}\n{}", shown(&made));
    }
    Ok(made)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_plan_after_an_import_is_empty([live, _] in states()) {
        for layout in LAYOUTS {
            for defaults in [false, true] {
                let own = if defaults { DEFAULTS } else { "" };
                let teams = if layout == Layout::ByTeam { TEAMS } else { "" };
                let repo = Repo::new(&format!("{SETTINGS}{own}{teams}"), &[]);
                holds(&repo, &[("prod", &live)], layout, defaults)?;
            }
        }
    }

    #[test]
    fn so_are_the_plans_of_two_environments([prod, test] in states()) {
        for layout in LAYOUTS {
            for defaults in [false, true] {
                let own = if defaults { DEFAULTS } else { "" };
                let teams = if layout == Layout::ByTeam { TEAMS } else { "" };
                let repo = Repo::new(&format!("{SETTINGS}{own}{teams}"), &[]);
                holds(&repo, &[("prod", &prod), ("test", &test)], layout, defaults)?;
            }
        }
    }

    #[test]
    fn one_environment_after_the_other([prod, test] in states()) {
        let repo = Repo::new(SETTINGS, &[]);
        let made = holds(&repo, &[("prod", &prod)], Layout::Single, false)?;
        let repo = repo.with(&made);
        let made = holds_into("test", &repo, &[("test", &test)], Layout::ByProduct, false)?;
        let plan = repo.with(&made).plan("prod", &prod);
        prop_assert!(plan.actions.is_empty() && plan.blocked.is_empty(), "{plan:#?}");
    }

    #[test]
    fn what_is_added_to_a_file_leaves_the_rest_as_it_is([live, _] in states()) {
        let half = |name: &str| name.len().is_multiple_of(2);
        let first = |thing: AdoptedThing<'_>| match thing {
            AdoptedThing::Scope(name) => half(name.as_str()),
            AdoptedThing::Client(_, client) => half(&client.name),
        };
        let repo = Repo::new(SETTINGS, &[]);
        let sides = [("prod", &live)];
        let made = repo.import_chosen(&first, &sides, false).map_err(|e| TestCaseError::fail(format!("{e:?}")))?;
        let before = repo.with(&made);
        let made = match before.import_chosen(&|_| true, &sides, true) {
            // A scope that is added may have a name near the one that a client in the file consumes. Whether that is
            // misspelt is for a person to say, as nothing in the file is changed.
            Err(ProofError::Invalid(found)) if found.iter().all(|it| it.code.code() == "PV149") => return Ok(()),
            made => made.map_err(|e| TestCaseError::fail(format!("{e:?}")))?,
        };
        let after = before.with(&made);
        let plan = after.plan("prod", &live);
        prop_assert!(plan.actions.is_empty() && plan.blocked.is_empty(), "{plan:#?}\n{}", shown(&made));
        for left_out in &made.left_out {
            prop_assert!(is_known(&left_out.reason, false), "{left_out}\n{}", shown(&made));
        }
        // Every line is kept, in order.
        if let Some((_, text)) = before.files.yaml.first() {
            let (_, merged) = after.files.yaml.first().unwrap();
            let mut merged = merged.split(|byte| *byte == b'\n');
            prop_assert!(text.split(|byte| *byte == b'\n').all(|line| merged.any(|other| other == line)));
        }
        // Nothing is left to add.
        prop_assert_eq!(after.import_chosen(&|_| true, &sides, true).unwrap().files, []);
    }
}

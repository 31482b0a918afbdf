//! Removals from the declarations, and their effects.

use domain::AccessState::Approved;
use serde_json::Value;

use super::life::{codes, scopes};
use super::remote::{Clone, Remote};
use crate::world::{KART, SKATT, ids};

fn blocked(plan: &Value) -> Vec<(&str, &str)> {
    let blocked = plan["blocked"].as_array().unwrap().iter();
    blocked.map(|one| (one["target"].as_str().unwrap(), one["code"].as_str().unwrap())).collect()
}

/// Adds lines to portvakt.yaml.
fn settings(clone: &Clone<'_>, more: &str) {
    let begin = clone.git(&["rev-list", "--max-parents=0", "HEAD"]);
    let first = clone.git(&["show", &format!("{begin}:portvakt.yaml")]);
    clone.write("portvakt.yaml", &format!("{first}\n{more}"));
}

#[test]
fn what_was_protected_when_it_was_applied_is_protected_still() {
    let remote = Remote::new();
    let one = remote.first();
    settings(&one, "guards: { protect: [\"etat:vern*\"] }\n");
    one.declare(
        "scopes:\n  \
           - { name: etat:vern, description: Les }\n  \
           - { name: etat:fast, description: Les, prevent_deactivation: true }\n  \
           - { name: etat:annet, description: Les }\n\
         clients:\n  - { name: klient, prevent_deactivation: true, scopes: [\"etat:annet\"] }\n",
    );
    one.apply();
    let applied = remote.held("applied");
    // All of it is removed in one change, including its protection.
    settings(&one, "");
    one.declare("scopes: []\n");
    for _ in 0..2 {
        let plan = one.plan();
        let all = [
            ("deactivate client klient", "PV301"),
            ("deactivate scope etat:fast", "PV301"),
            ("deactivate scope etat:vern", "PV302"),
        ];
        let mut message = blocked(&plan);
        message.sort_unstable();
        assert_eq!(message, all);
        // The rest is applied, but the commit does not count as applied, or everything would be forgotten.
        one.ends(6, &["apply", "--auto-approve"]);
        assert_eq!(remote.held("applied"), applied);
        assert_eq!(remote.world.open_to("etat:annet"), None);
        assert!(remote.world.client("klient").1.active);
    }
    // Restored without protection and applied, it can be removed after that. Other changes of it come before.
    let back = "scopes:\n  \
           - { name: etat:vern, description: Les }\n  \
           - { name: etat:fast, description: Les }\n\
         clients:\n  - { name: klient, prevent_deactivation: true, scopes: [\"etat:fast\"] }\n";
    settings(&one, "guards: { protect: [\"etat:vern*\", \"etat:fast\"] }\n");
    one.declare(back);
    one.apply();
    settings(&one, "");
    one.declare(&back.replace("prevent_deactivation: true, ", ""));
    one.apply();
    one.declare("scopes: []\n");
    let planned = one.planned();
    assert_eq!(planned.len(), 3, "{planned:?}");
    one.apply();
    assert_eq!(remote.world.open_to("etat:vern"), None);
    assert_eq!(remote.held("applied"), Some(one.head()));
}

#[test]
fn removals_are_read_from_all_documents_and_for_this_environment() {
    let remote = Remote::new();
    let one = remote.first();
    let first = one.git(&["show", "HEAD:portvakt.yaml"]);
    let (_, target) = first.split_once("  test:\n").unwrap();
    one.write(
        "portvakt.yaml",
        &format!("{first}\n  annet:\n{target}\n  eget: {{ target: sandbox }}\n"),
    );
    remote.world.put("etat:fremmed", true, &[(KART, Approved)]);
    one.write("more/b.yml", &scopes(&[("etat:b", &[SKATT])]));
    one.declare(&format!("{}---\n{}", scopes(&[("etat:a", &[SKATT])]), scopes(&[("etat:c", &[])])));
    let test = ["-e", "test", "plan", "--format", "json"];
    let planned = |clone: &Clone<'_>| {
        let plan: Value = serde_json::from_str(&clone.ends(0, &test).stdout).unwrap();
        (ids(&plan), codes(&plan))
    };
    one.ends(0, &["-e", "test", "apply", "--auto-approve"]);
    // One drops this environment, one is moved to another file, one is removed with its file.
    std::fs::remove_file(one.path.join("more/b.yml")).unwrap();
    one.write("c.yaml", &scopes(&[("etat:c", &[])]));
    one.declare(&format!(
        "scopes:\n  - {{ name: etat:a, description: Les, environments: [eget], consumers: [\"{SKATT}\"] }}\n"
    ));
    let (actions, _) = planned(&one);
    let expected = [
        "revoke etat:a 974761076",
        "revoke etat:b 974761076",
        "deactivate scope etat:a",
        "deactivate scope etat:b",
    ];
    assert_eq!(actions, expected);
    // In an environment without an apply, nothing is removed.
    let other = one.ends(0, &["-e", "annet", "plan", "--format", "json"]).stdout;
    let other: Value = serde_json::from_str(&other).unwrap();
    assert!(ids(&other).iter().all(|id| !id.starts_with("deactivate")), "{other:#}");
    one.ends(0, &["-e", "test", "apply", "--auto-approve"]);
    assert_eq!(remote.world.open_to("etat:a"), None);
    assert_eq!(remote.world.open_to("etat:c").unwrap(), [""; 0]);
    assert_eq!(remote.world.open_to("etat:fremmed").unwrap(), [KART]);
    assert_eq!(planned(&one).0, [""; 0]);
}

#[test]
fn a_key_file_of_the_applied_commit_is_read_through_a_link_in_its_tree() {
    let remote = Remote::new();
    let one = remote.first();
    let jwk = crate::client_tables::set(&[&crate::world::KEY]);
    one.write("nokler/app.json", &jwk);
    std::fs::create_dir(one.path.join("app")).unwrap();
    std::os::unix::fs::symlink("../nokler", one.path.join("app/keys")).unwrap();
    one.write("app/app.yaml", "clients:\n  - { name: app, jwks: keys/app.json }\n");
    one.merge("App");
    one.apply();
    let first = one.head();
    // The path now leads elsewhere, to a file that cannot be read.
    std::fs::remove_file(one.path.join("nokler/app.json")).unwrap();
    std::fs::remove_file(one.path.join("app/keys")).unwrap();
    std::fs::remove_file(one.path.join("app/app.yaml")).unwrap();
    one.merge("Less");
    let plan = one.plan();
    assert_eq!(ids(&plan), ["deactivate client app"], "{plan:#}");
    assert_eq!(plan["actions"][0]["source"]["at"], *first);
    one.apply();
    assert!(!remote.world.client("app").1.active);
    // And back again, to the key of that commit.
    let file = remote.beside("rollback.json").to_string_lossy().into_owned();
    one.ends(0, &["rollback", &first, "--out", &file]);
    one.ends(0, &["apply", &file, "--auto-approve"]);
    let (_, client) = remote.world.client("app");
    assert!(client.active && client.keys.contains_key(&crate::world::KEY.kid));
    assert_eq!(remote.held("applied"), Some(first));
}

#[test]
fn drift_is_distinguished_from_what_the_change_asks_for() {
    let remote = Remote::new();
    let one = remote.first();
    one.ends(1, &["drift"]);
    let base = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.apply();
    one.ends(0, &["drift"]);
    // Somebody grants one access and deactivates a scope by hand; the change grants one.
    remote.world.put("etat:a", true, &[(SKATT, Approved), ("991825827", Approved)]);
    remote.world.put("etat:b", false, &[]);
    let drift = one.ends(2, &["drift", "--format", "json"]);
    let drift: Value = serde_json::from_str(&drift.stdout).unwrap();
    let drifted = ["revoke etat:a 991825827", "reactivate scope etat:b"];
    assert_eq!(ids(&drift), drifted);
    one.declare(&scopes(&[("etat:a", &[SKATT, KART]), ("etat:b", &[])]));
    let origins = |arguments: &[&str]| -> Vec<(String, String)> {
        let plan = one.ends(0, &[&["plan", "--format", "json"], arguments].concat());
        let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
        let actions = plan["actions"].as_array().unwrap();
        actions.iter().map(|action| (text(&action["id"]), text(&action["origin"]))).collect()
    };
    let message = |change: &str| {
        [(drifted[0], "drift"), (drifted[1], "drift"), ("grant etat:a 971040238", change)]
            .map(|(id, origin)| (id.to_owned(), origin.to_owned()))
    };
    let sorted = |mut list: Vec<(String, String)>| {
        list.sort();
        list
    };
    assert_eq!(sorted(origins(&[])), sorted(message("change").to_vec()));
    assert_eq!(sorted(origins(&["--base", &base])), sorted(message("change").to_vec()));
    assert_eq!(sorted(origins(&["--base", "HEAD"])), sorted(message("drift").to_vec()));
    // Before it was declared at all, all its consumers had to be removed.
    let before = origins(&["--base", "HEAD~2"]);
    let drift: Vec<_> = before.iter().filter(|(_, origin)| origin == "drift").collect();
    assert_eq!(drift, [&(drifted[0].to_owned(), "drift".to_owned())]);
    let text = one.ends(0, &["plan"]).stdout;
    let (change, drift) = text.split_once("Drift that was there before").unwrap();
    assert!(change.contains("This pull request") && change.contains("971040238"), "{text}");
    assert!(drift.contains("991825827") && !drift.contains("971040238"), "{text}");
    one.ends(64, &["plan", "--base", "finnes-ikke"]);
}

//! Entities that are managed by others, or are about to be removed.

use portvakt::adopt::Layout;
use serde_json::json;

use super::live::{Repo, left_out, live, shown};
use crate::git::remote::Remote;
use crate::world::{SKATT, World};

const SETTINGS: &str = r#"
organization: { orgno: "889640782", name: Etaten }
prefixes: [etat]
environments:
  prod: { target: { api: https://a.no, maskinporten: https://a.no/ }, credentials: &c { client_id: x, key: { env: K } } }
  test: { target: { api: https://b.no, maskinporten: https://b.no/ }, credentials: *c }
"#;

fn clients(all: serde_json::Value) -> domain::Live {
    live(json!({ "etat:god": { "description": "God" } }), all)
}

#[test]
fn what_nais_holds_is_pinned_and_no_other_application_is_taken_for_it() {
    let nais = |name: &str, app: &str| json!({ "client_name": name, "description": format!("prod-gcp:team:{app}") });
    let before = clients(json!({ "a-1": nais("ETATEN", "one") }));
    let repo = Repo::new(SETTINGS, &[]);
    let made = repo.import(&[("test", &before)], Layout::Single).unwrap();
    assert!(shown(&made).contains("client_id: \"a-1\""), "{}", shown(&made));

    // The one got a name of its own, and another application the common one.
    let then = clients(json!({ "a-1": nais("one", "one"), "a-2": nais("ETATEN", "two") }));
    let plan = repo.with(&made).plan("test", &then);
    assert_eq!(plan.actions.len(), 0, "{plan:#?}");
    let blocked: Vec<_> = plan.blocked.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(blocked, ["PV312"]);
}

#[test]
fn what_nais_calls_all_the_same_has_a_remedy() {
    let live = clients(json!({
        "a-1": { "client_name": "ETATEN", "description": "prod-gcp:team:one" },
        "a-2": { "client_name": "ETATEN", "description": "prod-gcp:team:two" },
        "b-1": { "client_name": "test", "description": "For hånd" },
        "b-2": { "client_name": "test", "description": "prod-gcp:team:three" },
    }));
    let made = Repo::new(SETTINGS, &[]).import(&[("test", &live)], Layout::Single).unwrap();
    let [nais, by_hand] = &left_out(&made)[..] else { panic!("{:?}", left_out(&made)) };
    assert!(nais.contains("(a-1, a-2)") && nais.contains("`clientName`"), "{nais}");
    assert!(by_hand.contains("(b-1, b-2)") && by_hand.contains("in DigDir's web"), "{by_hand}");
}

#[test]
fn what_is_released_in_one_environment_is_imported_in_another() {
    let removed = "removed:\n\
                   - { scope: etat:god, action: release, environments: [prod] }\n\
                   - { client: x, action: release, environments: [prod] }\n";
    let live = clients(json!({ "a-1": { "client_name": "x" } }));
    let repo = Repo::new(SETTINGS, &[("old.yaml", removed)]);
    let made = repo.import(&[("prod", &live)], Layout::Single).unwrap();
    assert_eq!((made.files.len(), made.declared), (0, 2));
    let made = repo.import(&[("test", &live)], Layout::Single).unwrap();
    assert_eq!((made.counts.scopes, made.counts.clients), (1, 1), "{:?}", left_out(&made));
}

#[test]
fn what_was_taken_out_and_is_not_applied_yet_is_not_brought_back() {
    let remote = Remote::new();
    let clone = remote.first();
    let world: &World = &remote.world;
    world.put("etat:other", true, &[]);
    clone.declare(&format!(
        "scopes: [{{ name: etat:x, description: Les, consumers: [\"{SKATT}\"] }}]\n\
         clients: [{{ name: y }}]\n"
    ));
    clone.ends(0, &["apply", "--auto-approve"]);
    clone.declare("scopes: []\n");
    let planned = clone.planned();
    assert!(planned.contains(&"deactivate scope etat:x".to_owned()), "{planned:?}");
    let ran = clone.ends(0, &["import"]);
    for message in ["scope etat:x in test: it was taken out", "client y ("] {
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
    assert!(ran.stdout.contains("1 scope"), "{}", ran.stdout);
    assert_eq!(clone.planned(), planned);
}

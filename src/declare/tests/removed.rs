//! What is removed in some environments alone.

use super::{TODAY, check_one, errors, load_one};

const BOTH: &str = "scopes: [{ name: etat:a, description: A, environments: [test] }]\n\
                    clients: [{ name: x, environments: [test, sandbox] }]\n\
                    removed:\n  - { scope: etat:a, action: release, environments: [prod] }\n  \
                    - { client: x, action: deactivate, environments: [prod] }\n";

#[test]
fn what_is_removed_in_one_environment_can_be_declared_in_others() {
    assert!(errors(&check_one(BOTH)).is_empty());
    let repository = load_one(BOTH);
    for (environment, is_declared, is_removed) in
        [("test", true, false), ("prod", false, true), ("sandbox", false, false)]
    {
        let (desired, _) = repository.desired(environment, TODAY).unwrap();
        let name = "etat:a".parse().unwrap();
        assert_eq!(desired.scopes.contains_key(&name), is_declared, "{environment}");
        assert_eq!(desired.removed.contains_key(&name), is_removed, "{environment}");
        let client = "x".parse().unwrap();
        assert_eq!(desired.clients.contains_key(&client), environment != "prod");
        assert_eq!(desired.removed_clients.contains_key(&client), is_removed);
    }
}

#[test]
fn in_one_environment_it_is_declared_or_removed_and_removed_once() {
    for (old, new, code) in [
        ("environments: [prod] }\n  - {", "environments: [prod, test] }\n  - {", "PV111"),
        (", environments: [prod] }\n  - {", " }\n  - {", "PV111"),
        ("- { client: x,", "- { scope: etat:a, action: deactivate }\n  - { client: x,", "PV111"),
        (
            "- { client: x,",
            "- { scope: etat:a, action: release, environments: [prod] }\n  - { client: x,",
            "PV112",
        ),
        ("deactivate, environments: [prod]", "deactivate, environments: [sandbox]", "PV111"),
        ("deactivate, environments: [prod]", "deactivate, environments: [prdo]", "PV106"),
    ] {
        assert!(BOTH.contains(old), "{old}");
        let found = check_one(&BOTH.replacen(old, new, 1));
        let codes: Vec<_> = errors(&found).iter().map(|found| found.code.code()).collect();
        assert!(codes.contains(&code), "{new}: {found:?}");
    }
}

//! The names that manifests give organisations.

use insta::assert_snapshot;

use super::{desired, exposing, read, repository};
use crate::declare::tests::{check, said};

const NAIS: &str = "nais: { cluster: { test: dev-gcp, prod: prod-gcp } }";
const BY_FILE: &str = "nais: { cluster: { test: dev-gcp, prod: prod-gcp }, manifests: { test: [dev.yaml], prod: [prod.yaml] } }";

fn manifest(name: &str, consumers: &str) -> String {
    let consumers =
        format!("name: {name}, product: arbeid, enabled: true, consumers: [{consumers}]");
    exposing(&consumers).replace("aareg-api", name)
}

fn found(files: &[(&str, &str)]) -> String {
    said(&check(repository(NAIS, files).path()))
}

#[test]
fn a_name_that_differs_from_the_one_that_plans_show_is_reported() {
    let one = manifest("aa", "{ orgno: \"974761076\", name: Skatt }");
    let other = manifest("bb", "{ orgno: \"974761076\", name: Kemneren }");
    assert_snapshot!(found(&[("a.yaml", &one), ("b.yaml", &other)]), @"
    b.yaml:14:95: PV163: note: 974761076 is `Kemneren` here, and `Skatt` elsewhere
      a.yaml:14:95: named here
      help: plans show it as `Skatt`: give it one name
    ");
    let alias = "consumers: { skatt: { orgno: \"974761076\", name: Skatteetaten } }";
    assert_snapshot!(found(&[("a.yaml", &one), ("b.yaml", &other), ("c.yaml", alias)]), @"
    b.yaml:14:95: PV163: note: 974761076 is `Kemneren` here, and `Skatteetaten` elsewhere
      c.yaml:1:14: named here
      help: plans show it as `Skatteetaten`: give it one name
    ");
    let alias = "consumers: { kart: { orgno: \"971040238\", name: Kemneren } }\nscopes: [{ name: 'etat:x', description: X, consumers: [kart] }]";
    assert_snapshot!(found(&[("b.yaml", &other), ("c.yaml", alias)]), @"
    b.yaml:14:95: PV163: warning: `Kemneren` names 974761076 here, and is the alias of 971040238
      c.yaml:1:14: the alias is declared here
      help: a reviewer would take one for the other: correct the name or the number
    ");
}

#[test]
fn a_name_that_is_the_same_or_of_another_environment_is_not() {
    let one =
        manifest("aa", "{ orgno: \"974761076\", name: Skatte-etaten }, { orgno: \"971040238\" }");
    let same = manifest("bb", "{ orgno: \"974761076\", name: SKATTEETATEN }");
    assert_eq!(found(&[("a.yaml", &one), ("b.yaml", &same)]), "");
    let other = manifest("aa", "{ orgno: \"974761076\", name: Kemneren }");
    let files = [("dev.yaml", &*one), ("prod.yaml", &*other)];
    assert_eq!(said(&check(repository(BY_FILE, &files).path())), "");
    // Each environment shows its own.
    let repository = read(BY_FILE, &files);
    let label = |environment| {
        let labels = desired(&repository, environment).labels;
        labels.values().next().cloned().unwrap()
    };
    assert_eq!((label("test"), label("prod")), ("Skatte-etaten".to_owned(), "Kemneren".to_owned()));
}

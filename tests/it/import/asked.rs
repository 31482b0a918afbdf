//! Only the requested entities are read, with the fewest API scopes.

use super::command::{files, world};

#[test]
fn scopes_alone_need_no_right_to_read_clients() {
    let world = world();
    let ran = world.run(&["import", "--scope", "etat:h*"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let asked = world.sandbox.exchanges();
    assert!(
        asked.iter().all(|it| !it.path.contains("/clients") && !it.path.contains("/access/all"))
    );
    let lists = asked.iter().filter(|it| it.path.ends_with("/scopes/access")).count();
    assert_eq!(lists, 1, "only the accesses of what matches are read");
    let grants: Vec<_> = asked.iter().filter(|it| it.path.ends_with("/token")).collect();
    assert!(grants.iter().all(|it| !it.response.contains("dcr")), "{grants:?}");
    assert_eq!(files(&world), ["etat/helse.yaml", "portvakt.yaml"]);
    world.is_settled();
}

#[test]
fn clients_alone() {
    let world = world();
    let ran = world.run(&["import", "--client", "*:arbeid:*"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let asked = world.sandbox.exchanges();
    assert!(asked.iter().all(|it| !it.path.ends_with("/scopes/access")), "no accesses are read");
    assert_eq!(files(&world), ["clients/arbeid.yaml", "portvakt.yaml"]);
    world.is_settled();
    let ran = world.run(&["import", "--client", "*:helse:*"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str(), ran.stderr.as_str()),
        (0, "", "nothing to import\n")
    );
}

#[test]
fn a_client_that_consumes_an_undeclared_scope_with_a_near_name_is_imported() {
    let world = crate::world::World::new();
    for scope in ["etat:aareg.v1", "etat:aareg.v2"] {
        world.put(scope, true, &[]);
    }
    world.put_client("client-1", "sync", true, &["etat:aareg.v2"]);
    world.declare("scopes: [{ name: etat:aareg.v1, description: Les }]\n");
    let ran = world.run(&["import", "--client", "sync"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = world.run(&["validate", "--deny-warnings"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    world.is_settled();
}

#[test]
fn without_the_right_to_read_clients_scopes_can_be_imported() {
    let world = world();
    world.sandbox.edit(|state| {
        let own = state.clients.get_mut("portvakt").unwrap();
        own.scopes.retain(|scope| !scope.contains("dcr"));
    });
    let ran = world.run(&["import"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let hint = "Without that right, scopes alone can be imported: --scope '*'";
    assert!(
        ran.stderr.contains("idporten:dcr.read") && ran.stderr.contains(hint),
        "{}",
        ran.stderr
    );
    let ran = world.run(&["import", "--client", "*"]);
    assert!(ran.code == 1 && !ran.stderr.contains(hint), "{}", ran.stderr);
    let ran = world.run(&["import", "--scope", "*"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    world.is_settled();
}

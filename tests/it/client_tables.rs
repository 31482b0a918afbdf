//! Clients and their keys by the tables of the design, from the YAML to the API and back.

use std::sync::LazyLock;

use domain::AccessState::{Approved, Denied, Requested};
use sandbox::{ClientKey, KeyRecord, Switches};
use serde_json::{Value, json};

use crate::world::{DIGDIR, KEY, OWNER, World, name, orgno};

/// A second key beside the shared one.
pub(crate) static OTHER: LazyLock<ClientKey> = LazyLock::new(|| ClientKey::generate().unwrap());

/// The public half of a key, as a file beside the declarations.
fn jwk(key: &ClientKey) -> Value {
    json!({
        "kty": "RSA", "kid": key.kid, "n": key.public_member("n"), "e": key.public_member("e")
    })
}

pub(crate) fn set(keys: &[&ClientKey]) -> String {
    json!({ "keys": keys.iter().map(|key| jwk(key)).collect::<Vec<_>>() }).to_string()
}

/// A client with these lines below its name.
fn client(more: &str) -> String {
    let more = more.replace('\n', "\n    ");
    format!("clients:\n  - name: x\n    {more}\n")
}

pub(crate) fn register(world: &World, id: &str, keys: &[&ClientKey]) {
    world.sandbox.edit(|state| {
        let client = state.clients.get_mut(id).unwrap();
        client.keys =
            keys.iter().map(|key| (key.kid.clone(), KeyRecord::new(key.public.clone()))).collect();
    });
}

fn kids(world: &World) -> Vec<String> {
    world.client("x").1.keys.into_keys().collect()
}

trait PublicMember {
    fn public_member(&self, name: &str) -> Value;
}

impl PublicMember for ClientKey {
    fn public_member(&self, name: &str) -> Value {
        serde_json::to_value(&self.public).unwrap()[name].clone()
    }
}

#[test]
fn an_absent_client_is_made_and_gets_its_keys() {
    let world = World::new();
    world.write("keys/x.jwks.json", set(&[&KEY]));
    world.declare(&client("description: Henter\njwks: keys/x.jwks.json"));
    world.converges(&["create client x", "keys client x"]);
    let (_, live) = world.client("x");
    assert_eq!(live.orgno, orgno(OWNER));
    assert_eq!(live.fields["description"], "Henter");
    assert_eq!(live.fields["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(live.fields["access_token_lifetime"], 120);
    assert_eq!(kids(&world), [KEY.kid.as_str()]);
}

#[test]
fn a_client_that_is_the_same_is_left_alone() {
    let world = World::new();
    world.put_client("1f0a", "x", true, &[]);
    register(&world, "1f0a", &[&KEY]);
    world.declare(&client("active: true"));
    world.converges(&[]);
    assert_eq!(kids(&world), [KEY.kid.as_str()]);
}

#[test]
fn a_client_that_differs_is_updated_and_what_is_not_known_is_kept() {
    for put_keeps_omitted in [false, true] {
        let world = World::with(Switches { put_keeps_omitted, ..Switches::default() });
        world.put_client("1f0a", "x", true, &[]);
        world.sandbox.edit(|state| {
            let fields = &mut state.clients.get_mut("1f0a").unwrap().fields;
            fields.insert("description".to_owned(), "Gammel".into());
            fields.insert("heard_of_by_nobody".to_owned(), "kept".into());
        });
        world.declare(&client("access_token_lifetime: 60"));
        let changes = &world.plan()["actions"][0]["changes"];
        assert_eq!(
            changes,
            &json!([
                { "field": "description", "before": "Gammel", "after": null },
                { "field": "access_token_lifetime", "before": 120, "after": 60 },
            ])
        );
        world.converges(&["update client x"]);
        let fields = world.client("x").1.fields;
        assert_eq!(fields["access_token_lifetime"], 60);
        assert_eq!(fields["heard_of_by_nobody"], "kept");
    }
}

#[test]
fn an_inactive_client_comes_back_under_its_id() {
    for inactive_refused in [false, true] {
        let world = World::with(Switches {
            inactive_client_refused: inactive_refused,
            ..Switches::default()
        });
        world.put_client("1f0a", "x", false, &[]);
        register(&world, "1f0a", &[&KEY, &OTHER]);
        world.write("x.json", set(&[&KEY]));
        world.declare(&client("jwks: x.json"));
        let again = &world.plan()["actions"][1]["regains_keys"];
        assert_eq!(again, &json!([KEY.kid]));
        world.converges(&["keys client x", "reactivate client x"]);
        assert_eq!(world.client("x").0, "1f0a");
        assert!(world.client("x").1.active);
        assert_eq!(kids(&world), [KEY.kid.as_str()]);
    }
}

#[test]
fn a_client_is_paused_removed_and_released() {
    let world = World::new();
    world.put_client("1f0a", "x", true, &[]);
    world.declare("removed:\n  - { client: x, action: release, reason: til NAIS }\n");
    world.converges(&[]);
    world.declare(&client("active: false"));
    world.converges(&["deactivate client x"]);
    assert!(!world.client("x").1.active);
    world.declare(&client("active: true"));
    world.converges(&["reactivate client x"]);
    world.declare("removed:\n  - { client: x, action: deactivate, reason: avviklet }\n");
    world.converges(&["deactivate client x"]);
    assert_eq!(world.client("x").0, "1f0a");
}

#[test]
fn two_live_clients_of_a_name_are_never_guessed_between() {
    let world = World::new();
    world.put_client("1f0a", "x", true, &[]);
    world.put_client("2e1b", "x", true, &[]);
    world.declare(&client("description: Henter"));
    let plan = world.plan();
    assert_eq!(plan["blocked"][0]["code"], "PV306");
    let message = plan["blocked"][0]["message"].as_str().unwrap();
    assert!(message.contains("1f0a, 2e1b"), "{message}");
    assert_eq!(world.apply().code, 6);
    assert_eq!(world.sent(), [""; 0]);
    world.declare(&client("client_id: 2e1b\ndescription: Henter"));
    world.converges(&["update client x"]);
    let state = world.sandbox.state();
    assert_eq!(state.clients["2e1b"].fields["description"], "Henter");
    assert_eq!(state.clients["1f0a"].fields.get("description"), None);
}

#[test]
fn a_renamed_client_is_the_same_client() {
    let world = World::new();
    world.put_client("1f0a", "old", true, &[]);
    world.declare(&client("previous_name: old"));
    world.converges(&["update client x"]);
    assert_eq!(world.client("x").0, "1f0a");
}

#[test]
fn an_integration_type_never_changes() {
    let world = World::new();
    world.put_client_of("idporten", "1f0a", "x", true, &["openid", "profile"]);
    world.declare(&client("client_id: 1f0a"));
    assert_eq!(world.plan()["blocked"][0]["code"], "PV307");
    world.declare(&client("description: Henter"));
    assert_eq!(world.plan()["blocked"][0]["code"], "PV307");
    assert_eq!(world.apply().code, 6);
    assert_eq!(world.sent(), [""; 0]);
}

/// A scope of another organisation.
fn foreign(world: &World, scope: &str, more: impl FnOnce(&mut domain::ScopeAttributes)) {
    let mut attributes =
        domain::ScopeAttributes { description: "Les".to_owned(), ..Default::default() };
    more(&mut attributes);
    world.sandbox.edit(|state| {
        state.organizations.insert(orgno(DIGDIR), "Digitaliseringsdirektoratet".to_owned());
        state.add_prefixes(orgno(DIGDIR), &["dig".to_owned()]).unwrap();
        state.put_scope(orgno(DIGDIR), name(scope), true, &attributes);
    });
}

#[test]
fn a_client_waits_for_access_to_what_it_consumes() {
    let world = World::new();
    foreign(&world, "dig:a", |_| ());
    world.write("x.json", set(&[&KEY]));
    world.declare(&client("scopes: [\"dig:a\"]\njwks: x.json"));
    let blocked = || {
        let plan = world.plan();
        assert_eq!(plan["actions"], json!([]));
        assert_eq!(plan["blocked"][0]["code"], "PV310");
        assert_eq!(plan["blocked"][0]["target"], "create client x");
        plan["blocked"][0]["message"].as_str().unwrap().to_owned()
    };
    let owner = "Digitaliseringsdirektoratet (991825827)";
    assert_eq!(
        blocked(),
        "access to dig:a is missing: ask its owner, 991825827; nor are its keys registered"
    );
    let give = |state| {
        world.sandbox.edit(|all| all.put_access(name("dig:a"), orgno(OWNER), state));
    };
    give(Requested);
    assert!(blocked().contains(&format!("access to dig:a is REQUESTED, and {owner}")));
    for denied_hidden in [false, true] {
        world.sandbox.set_switches(Switches { denied_hidden, ..Switches::default() });
        give(Denied);
        assert!(blocked().contains("access to dig:a is DENIED"));
    }
    assert_eq!(world.apply().code, 6);
    give(Approved);
    world.converges(&["create client x", "keys client x"]);
    assert!(world.client("x").1.scopes.contains("dig:a"));
}

#[test]
fn a_client_has_the_scopes_that_it_may_have_and_gets_the_others_later() {
    let world = World::new();
    foreign(&world, "dig:a", |scope| scope.accessible_for_all = true);
    foreign(&world, "dig:b", |_| ());
    world.write("x.json", set(&[&KEY]));
    world.declare(&client("scopes: [\"dig:a\", \"dig:b\", \"etat:feil\"]\njwks: x.json"));
    let plan = world.plan();
    let blocked =
        |at: usize| (plan["blocked"][at]["target"].clone(), plan["blocked"][at]["code"].clone());
    assert_eq!(blocked(0), (json!("create client x with dig:b"), json!("PV310")));
    assert_eq!(blocked(1), (json!("create client x with etat:feil"), json!("PV319")));
    assert_eq!(world.planned(), ["create client x", "keys client x"]);
    assert_eq!(world.apply().code, 6);
    assert_eq!(world.client("x").1.scopes.iter().collect::<Vec<_>>(), ["dig:a"]);
    // A second apply does nothing, and still is not done.
    let sent = world.sent();
    let again = world.apply();
    assert_eq!((again.code, world.sent()), (6, sent), "{}{}", again.stdout, again.stderr);
    world.sandbox.edit(|all| all.put_access(name("dig:b"), orgno(OWNER), Approved));
    assert_eq!(world.planned(), ["update client x"]);
    assert_eq!(world.apply().code, 6);
    assert_eq!(world.client("x").1.scopes.iter().collect::<Vec<_>>(), ["dig:a", "dig:b"]);
    world.declare(&client("scopes: [\"dig:a\", \"dig:b\"]\njwks: x.json"));
    assert_eq!(world.planned(), [""; 0]);
    assert_eq!(world.apply().code, 0);
}

#[test]
fn a_client_of_a_manifest_goes_without_a_scope_that_was_denied() {
    let world = World::new();
    foreign(&world, "dig:a", |scope| scope.accessible_for_all = true);
    foreign(&world, "dig:b", |_| ());
    world.sandbox.edit(|all| all.put_access(name("dig:b"), orgno(OWNER), Denied));
    world.settings("nais: { cluster: { test: dev-gcp } }\n");
    world.write(
        "nais.yaml",
        "apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: { name: app, namespace: arbeid }\n\
         spec: { secretName: x, scopes: { consumes: [{ name: 'dig:a' }, { name: 'dig:b' }] } }\n",
    );
    let plan = world.plan();
    assert_eq!(plan["blocked"][0]["target"], "create client dev-gcp:arbeid:app with dig:b");
    assert_eq!(world.planned(), ["create client dev-gcp:arbeid:app"]);
    assert_eq!(world.apply().code, 6);
    assert_eq!(world.planned(), [""; 0]);
}

#[test]
fn what_is_open_to_all_or_our_own_needs_no_access() {
    let world = World::new();
    foreign(&world, "dig:open", |scope| scope.accessible_for_all = true);
    world.declare(
        "scopes:\n  - { name: \"etat:a\", description: Les }\n\
         clients:\n  - { name: x, scopes: [\"dig:open\", \"etat:a\"] }\n",
    );
    world.converges(&["create scope etat:a", "create client x"]);
}

#[test]
fn a_scope_for_other_clients_blocks_this_one() {
    let world = World::new();
    foreign(&world, "dig:a", |scope| {
        scope.accessible_for_all = true;
        scope.allowed_integration_types = [domain::IntegrationType::Krr].into();
    });
    world.declare(&client("scopes: [\"dig:a\"]"));
    assert_eq!(world.plan()["blocked"][0]["code"], "PV311");
}

#[test]
fn a_set_of_keys_is_replaced_and_the_last_ones_are_taken_away() {
    let world = World::new();
    world.put_client("1f0a", "x", true, &[]);
    register(&world, "1f0a", &[&KEY]);
    let ends = world.client("x").1.keys[&KEY.kid].exp;
    world.write("x.json", set(&[&KEY, &OTHER]));
    world.declare(&client("jwks: x.json"));
    world.converges(&["keys client x"]);
    assert_eq!(kids(&world).len(), 2);
    assert_eq!(world.client("x").1.keys[&KEY.kid].exp, ends);
    world.write("x.json", set(&[&OTHER]));
    world.converges(&["keys client x"]);
    assert_eq!(kids(&world), [OTHER.kid.as_str()]);
    world.declare(&client("jwks: []"));
    world.converges(&["keys client x"]);
    assert_eq!(kids(&world), [""; 0]);
    world.declare(&client("active: true"));
    world.converges(&[]);
}

#[test]
fn those_on_whose_behalf_a_client_acts_are_reconciled() {
    for put_keeps_omitted in [false, true] {
        let world = World::with(Switches { put_keeps_omitted, ..Switches::default() });
        let of = |entries: &str| {
            client(&format!(
                "integration_type: idporten\nredirect_uris: [\"https://etat.example/cb\"]\n{entries}"
            ))
        };
        world.declare(&of("onbehalfof: [{ onbehalfof: a, name: A, uri: \"https://a.example\" }, { onbehalfof: \"b b\", name: B }]"));
        world.converges(&["create client x"]);
        let entries = || world.client("x").1.on_behalf_of;
        assert_eq!(entries().len(), 2);
        world.declare(&of("onbehalfof: [{ onbehalfof: a, name: Ny }, { onbehalfof: c, name: C }]"));
        world.converges(&["update client x"]);
        assert_eq!(entries().into_keys().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(entries()["a"].fields["name"], "Ny");
        world.declare(&of("active: true"));
        world.converges(&[]);
        world.declare(&of("onbehalfof: []"));
        world.converges(&["update client x"]);
        assert!(entries().is_empty());
    }
}

#[test]
fn clients_are_not_read_where_none_is_declared() {
    let world = World::new();
    world.put_client("1f0a", "x", true, &[]);
    world.declare("scopes:\n  - { name: \"etat:a\", description: Les }\n");
    assert_eq!(world.planned(), ["create scope etat:a"]);
    let paths: Vec<_> = world.sandbox.exchanges().into_iter().map(|e| e.path).collect();
    assert!(!paths.iter().any(|path| path.contains("client")), "{paths:?}");
}

#[test]
fn a_plan_of_clients_asks_for_the_read_scopes_alone() {
    let world = World::new();
    world.sandbox.edit(|state| {
        let client = state.clients.get_mut("portvakt").unwrap();
        client.scopes = ["idporten:scopes.read", "idporten:dcr.read"].map(str::to_owned).into();
    });
    world.declare(&client("description: Henter"));
    assert_eq!(world.planned(), ["create client x"]);
    let ran = world.apply();
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("MP-200"), "{}", ran.stderr);
}

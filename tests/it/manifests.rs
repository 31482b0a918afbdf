//! NAIS manifests beside YAML, planned and applied, and entities that NAIS created earlier.

use domain::AccessState::Approved;
use sandbox::{Fault, KeyRecord};
use serde_json::{Value, json};

use crate::faults::rule;
use crate::git::remote::Remote;
use crate::world::{KART, KEY, Ran, SKATT, World, program};

const NAIS: &str = "nais: { cluster: { test: dev-gcp } }\n";

const APP: &str = "dev-gcp:arbeid:aareg-api";

/// An application that exposes a scope and consumes it, with these attributes of the scope.
fn manifest(enabled: bool, consumers: &[&str]) -> String {
    let consumers: Vec<_> =
        consumers.iter().map(|orgno| format!("{{ orgno: \"{orgno}\" }}")).collect();
    format!(
        "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata:\n  name: aareg-api\n  \
         namespace: arbeid\nspec:\n  image: example\n  maskinporten:\n    enabled: true\n    \
         scopes:\n      exposes:\n        - name: aareg.read\n          product: arbeid\n          \
         enabled: {enabled}\n          consumers: [{}]\n      consumes:\n        \
         - name: etat:felles\n",
        consumers.join(", ")
    )
}

const YAML: &str = "scopes:\n  - { name: etat:felles, description: Felles }\n";

fn world() -> World {
    let world = World::new();
    world.settings(NAIS);
    world.declare(YAML);
    world
}

/// A client as digdirator creates it: with the same name as all others.
fn of_nais(world: &World, id: &str, description: &str, active: bool) {
    world.put_client(id, "Etaten", active, &["etat:felles"]);
    world.sandbox.edit(|state| {
        let client = state.clients.get_mut(id).unwrap();
        client.fields.insert("description".to_owned(), description.into());
        client.fields.insert("refresh_token_usage".to_owned(), "ONETIME".into());
        client.fields.insert("access_token_lifetime".to_owned(), 30.into());
        client.keys = [(KEY.kid.clone(), KeyRecord::new(KEY.public.clone()))].into();
    });
}

fn applied(world: &World) -> Ran {
    let ran = world.apply();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    world.is_settled();
    ran
}

#[test]
fn manifests_and_yaml_are_applied_together() {
    let world = world();
    world.write("apps/aareg.yaml", manifest(true, &[SKATT, KART]));
    world.write(
        "apps/login.yaml",
        "apiVersion: nais.io/v1\nkind: IDPortenClient\nmetadata: { name: aareg-api, namespace: arbeid }\n\
         spec:\n  secretName: x\n  redirectURIs: [https://a.example/x]\n  sessionLifetime: 3600\n  accessTokenLifetime: 60\n",
    );
    // A document that does not concern Maskinporten.
    world.write(
        "apps/other.yaml",
        "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: b }\nspec: { image: x }\n",
    );
    let ran = world.converges(&[
        "create scope etat:arbeid:aareg.read",
        "create scope etat:felles",
        "grant etat:arbeid:aareg.read 971040238",
        "grant etat:arbeid:aareg.read 974761076",
        &format!("create client {APP}"),
        &format!("create client {APP}:idporten"),
    ]);
    assert!(ran.stdout.contains(APP), "{}", ran.stdout);
    let live: Vec<_> = ["description", "at_max_age", "authorization_max_lifetime", "visibility"]
        .iter()
        .map(|field| world.field("etat:arbeid:aareg.read", field))
        .collect();
    let description = "arbeid - dev-gcp:arbeid:aareg-api";
    assert_eq!(live, [json!(description), json!(30), json!(0), json!("PUBLIC")]);
    assert_eq!(world.open_to("etat:arbeid:aareg.read").unwrap(), [KART, SKATT]);
    let (_, client) = world.client(APP);
    assert_eq!(client.fields["description"], APP);
    assert_eq!(client.fields["refresh_token_usage"], "ONETIME");
    assert_eq!(client.scopes.iter().collect::<Vec<_>>(), ["etat:felles"]);
    let (_, login) = world.client(&format!("{APP}:idporten"));
    assert_eq!(login.fields["description"], APP);
    assert_eq!(login.fields["authorization_lifetime"], 3600);
    assert_eq!(login.fields["redirect_uris"], json!(["https://a.example/x"]));
}

#[test]
fn what_nais_made_is_found_and_keeps_its_name_and_its_keys() {
    let world = world();
    world.put("etat:felles", true, &[]);
    world.declare("scopes:\n  - { name: etat:felles, description: Les }\n");
    of_nais(&world, "1f0a", APP, true);
    of_nais(&world, "2b1c", "dev-gcp:arbeid:annen-api", true);
    world.write("apps/aareg.yaml", manifest(true, &[]));
    let before = world.sandbox.state().clients;
    assert_eq!(world.planned(), ["create scope etat:arbeid:aareg.read"]);
    applied(&world);
    assert_eq!(world.sandbox.state().clients, before);
    // It changes, and is reactivated, under its id; the other one with its name is left alone.
    let more = manifest(true, &[]).replace("etat:felles", "etat:arbeid:aareg.read");
    world.write("apps/aareg.yaml", &more);
    assert_eq!(world.planned(), [format!("update client {APP}")]);
    applied(&world);
    world.sandbox.edit(|state| state.clients.get_mut("1f0a").unwrap().active = false);
    let plan = world.plan();
    assert_eq!(plan["actions"][0]["id"], format!("reactivate client {APP}"));
    assert_eq!(plan["actions"][0]["client"], APP);
    assert_eq!(plan["actions"][0]["client_id"], "1f0a");
    assert_eq!(plan["actions"][0]["regains_keys"], json!([KEY.kid]));
    applied(&world);
    let clients = world.sandbox.state().clients;
    let client = &clients["1f0a"];
    assert!(client.active && client.keys.contains_key(&KEY.kid));
    assert_eq!(client.fields["client_name"], "Etaten");
    assert_eq!(client.fields["access_token_lifetime"], 30);
    assert_eq!(client.scopes.iter().collect::<Vec<_>>(), ["etat:arbeid:aareg.read"]);
    assert_eq!(clients["2b1c"], before["2b1c"]);
    assert_eq!(clients.len(), before.len());
}

#[test]
fn two_of_one_description_are_blocked_with_their_ids() {
    let world = world();
    world.declare("");
    world.put("etat:felles", true, &[]);
    of_nais(&world, "1f0a", APP, true);
    of_nais(&world, "2b1c", APP, false);
    world.write("apps/aareg.yaml", manifest(true, &[]));
    let plan = world.plan();
    assert_eq!(plan["blocked"][0]["code"], "PV306");
    let message = plan["blocked"][0]["message"].as_str().unwrap();
    assert!(message.contains("1f0a, 2b1c"), "{message}");
}

#[test]
fn a_scope_that_is_not_enabled_is_closed_and_keeps_its_accesses() {
    let world = world();
    world.write("apps/aareg.yaml", manifest(true, &[SKATT]));
    applied(&world);
    world.write("apps/aareg.yaml", manifest(false, &[SKATT]));
    world.sandbox.clear_exchanges();
    world.converges(&["deactivate scope etat:arbeid:aareg.read"]);
    let accesses = world.sandbox.state().accesses;
    let access = &accesses[&crate::world::name("etat:arbeid:aareg.read")];
    assert_eq!(access[&crate::world::orgno(SKATT)].state, Approved);
    world.write("apps/aareg.yaml", manifest(true, &[SKATT]));
    world.converges(&["reactivate scope etat:arbeid:aareg.read"]);
    assert_eq!(world.open_to("etat:arbeid:aareg.read").unwrap(), [SKATT]);
}

#[test]
fn a_client_whose_creation_was_lost_is_found_by_its_description() {
    let world = world();
    let named = manifest(true, &[])
        .replace("nais.io/v1alpha1\nkind: Application", "nais.io/v1\nkind: MaskinportenClient")
        .replace(
            "  image: example\n  maskinporten:\n    enabled: true\n    scopes:",
            "  secretName: x\n  clientName: Etaten\n  scopes:",
        );
    world.write("apps/aareg.yaml", &named);
    of_nais(&world, "2b1c", "dev-gcp:arbeid:annen-api", true);
    world.sandbox.inject(rule(("POST", "/clients"), 1, Fault::CutAfter));
    applied(&world);
    let clients = world.sandbox.state().clients;
    let made: Vec<_> = clients
        .values()
        .filter(|client| client.fields.get("description") == Some(&APP.into()))
        .collect();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].fields["client_name"], "Etaten");
}

#[test]
fn a_plan_from_a_snapshot_knows_them_too() {
    let world = world();
    world.put("etat:felles", true, &[]);
    of_nais(&world, "1f0a", APP, false);
    world.write("apps/aareg.yaml", manifest(true, &[SKATT]));
    assert_eq!(world.run(&["snapshot", "--out", "live.json"]).code, 0);
    let live = world.plan();
    let offline = ["plan", "--snapshot", "live.json", "--format", "json"];
    let ran = Ran::of(program().current_dir(world.folder()).args(offline));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let offline: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(offline["digest"], live["digest"]);
    assert!(live.to_string().contains(&format!("reactivate client {APP}")), "{live:#}");
}

#[test]
fn keys_and_fixes_are_not_put_into_a_manifest() {
    let world = world();
    let text = manifest(true, &[SKATT])
        .replace("name: aareg.read", "name: aareg.read\n          visiblity: public");
    world.write("apps/aareg.yaml", &text);
    let ran = world.run(&["validate", "--fix"]);
    assert!(ran.stdout.contains("PV018") && ran.stdout.contains("visibility"), "{}", ran.stdout);
    let ran = world.run(&["keys", "generate", APP, "--out", "key.json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("a manifest of NAIS"), "{}", ran.stderr);
    let left = std::fs::read_to_string(world.folder().join("apps/aareg.yaml")).unwrap();
    assert_eq!(left, text);
    assert!(!world.folder().join("key.json").exists());
}

#[test]
fn its_keys_are_listed_and_used() {
    let world = world();
    world.put("etat:felles", true, &[]);
    of_nais(&world, "1f0a", APP, true);
    world.write("apps/aareg.yaml", manifest(true, &[]));
    let ran = world.run(&["keys", "list", APP]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(&KEY.kid), "{}", ran.stdout);
}

#[test]
fn what_a_manifest_declared_is_closed_with_it_or_released() {
    for release in [false, true] {
        let remote = Remote::new();
        let one = remote.first();
        let settings = one.git(&["show", "HEAD:portvakt.yaml"]);
        one.write("portvakt.yaml", &format!("{settings}\n{NAIS}"));
        one.write("apps/aareg.yaml", &manifest(true, &[SKATT]));
        one.declare(YAML);
        of_nais(&remote.world, "1f0a", APP, true);
        of_nais(&remote.world, "2b1c", "dev-gcp:arbeid:annen-api", true);
        one.apply();
        std::fs::remove_file(one.path.join("apps/aareg.yaml")).unwrap();
        let removed = "removed:\n  - { scope: 'etat:arbeid:aareg.read', action: release }\n  \
                       - { client: 'dev-gcp:arbeid:aareg-api', action: release }\n";
        one.declare(&format!("{YAML}{}", if release { removed } else { "" }));
        let expected: &[&str] = match release {
            true => {
                &["release client dev-gcp:arbeid:aareg-api", "release scope etat:arbeid:aareg.read"]
            }
            false => &[
                "revoke etat:arbeid:aareg.read 974761076",
                "deactivate client dev-gcp:arbeid:aareg-api",
                "deactivate scope etat:arbeid:aareg.read",
            ],
        };
        let plan = one.plan();
        assert_eq!(crate::world::ids(&plan), expected);
        assert_eq!(plan["actions"][usize::from(!release)]["client_id"], "1f0a");
        one.apply();
        assert_eq!(one.planned(), [""; 0]);
        let clients = remote.world.sandbox.state().clients;
        assert_eq!((clients["1f0a"].active, clients["2b1c"].active), (release, true));
        assert_eq!(remote.world.open_to("etat:arbeid:aareg.read").is_some(), release);
    }
}

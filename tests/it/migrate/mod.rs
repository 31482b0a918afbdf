//! `portvakt migrate to-nais`: entities stay active during the whole hand-over, in any order of steps.

mod back;
mod checked;
mod digdirator;
mod rendered;

use sandbox::Method;
use serde_json::{Value, json};

use crate::git::remote::{Clone, Remote};
use crate::world::{KART, KEY, Ran, SKATT, World, ids};
use digdirator::{Digdirator, NAME};

const SCOPE: &str = "etat:arbeid:aareg.read";
const CLIENT: &str = "aareg-sync";

const YAML: &str = r#"# Arbeid
consumers:
  skatt: { orgno: "974761076", name: Skatteetaten }
groups:
  samarbeid: [skatt, "971040238"]
scopes:
  # les
  - name: etat:arbeid:aareg.read # navn
    description: Les arbeidsforhold # hva
    visibility: PRIVATE
    at_max_age: 120
    authorization_max_lifetime: 0
    allowed_integration_types: [maskinporten]
    consumers:
      - group: samarbeid # alle
    # sist
  # annen
  - { name: etat:arbeid:annen, description: Blir her }
# Klienter
clients:
  - name: aareg-sync # klient
    description: Henter
    scopes: ["etat:arbeid:annen"]
    jwks: keys/x.json # nøkler
  - name: blir
"#;

pub(super) const APPLICATION: [&str; 6] =
    ["--cluster", "prod-gcp", "--namespace", "plattform", "--app", "aareg-api"];

/// The arguments of a migration of the scope and the client.
pub(super) fn both(more: &[&'static str]) -> Vec<&'static str> {
    let named = ["migrate", "to-nais", "--scope", SCOPE, "--client", CLIENT];
    [&named[..], &APPLICATION, more].concat()
}

fn key() -> Value {
    let mut key = json!(KEY.public);
    key["kid"] = "egen".into();
    key
}

/// A remote in which all of it is declared and applied.
pub(super) fn applied(remote: &Remote) -> Clone<'_> {
    let one = remote.first();
    one.write("keys/x.json", &key().to_string());
    one.declare(YAML);
    one.apply();
    assert_eq!(one.planned(), [""; 0]);
    remote.world.check_and_forget();
    one
}

pub(super) fn declarations(clone: &Clone<'_>) -> String {
    std::fs::read_to_string(clone.path.join("declarations.yaml")).unwrap()
}

pub(super) fn merge(clone: &Clone<'_>) {
    clone.commit("Hand over");
    clone.git(&["push", "--quiet", "origin", "HEAD"]);
}

/// Runs it, and checks its exit code and that nothing was changed, here or there.
#[track_caller]
pub(super) fn changes_nothing(clone: &Clone<'_>, world: &World, code: i32, args: &[&str]) -> Ran {
    let (before, state) = (clone.git(&["status", "--short"]), world.sandbox.state());
    let text = declarations(clone);
    let ran = clone.ends(code, args);
    assert_eq!(clone.git(&["status", "--short"]), before);
    assert_eq!(declarations(clone), text);
    let after = world.sandbox.state();
    assert_eq!(json!(after.scopes), json!(state.scopes));
    assert_eq!(json!(after.clients), json!(state.clients));
    ran
}

/// Checks that nothing was deactivated and no access was revoked.
fn nothing_was_deleted(world: &World) {
    let exchanges = world.sandbox.exchanges();
    assert!(!exchanges.is_empty());
    let deleted: Vec<_> =
        exchanges.iter().filter(|exchange| exchange.method == Method::DELETE).collect();
    assert!(deleted.is_empty(), "{deleted:?}");
}

/// The live client of an id.
fn live_client(world: &World, id: &str) -> Value {
    json!(world.sandbox.state().clients[id])
}

#[test]
fn the_whole_way_what_is_live_stays_active() {
    let remote = Remote::new();
    let world = &remote.world;
    let one = applied(&remote);
    let (id, _) = world.client(CLIENT);
    let visibility = world.field(SCOPE, "visibility");

    // Step 1: the declarations name the application, and are otherwise unchanged.
    let ran = one.ends(0, &both(&[]));
    assert_eq!(ran.stdout, "");
    for message in ["wrote declarations.yaml", "keys/x.json is left", "step 2", "apply"] {
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    }
    let handed_over = "prodgcp:plattform:aaregapi.arbeid:aareg.read";
    let expected = YAML
        .replace("Les arbeidsforhold #", &format!("{handed_over} #"))
        .replace("description: Henter", "description: prod-gcp:plattform:aareg-api")
        .replace(" # klient\n", &format!(" # klient\n    client_id: \"{id}\"\n"))
        .replace("    jwks: keys/x.json # nøkler\n", "");
    // An id that begins with a letter may be unquoted.
    assert_eq!(declarations(&one).replace('"', ""), expected.replace('"', ""));
    assert!(one.path.join("keys/x.json").exists());

    // Step 2: nothing is changed before it is applied, and the release is refused.
    merge(&one);
    let ran = changes_nothing(&one, world, 0, &both(&[]));
    assert!(ran.stdout.is_empty() && ran.stderr.contains("step 2"), "{}", ran.stderr);
    let ran = changes_nothing(&one, world, 4, &both(&["--release"]));
    assert!(ran.stderr.contains("not yet applied"), "{}", ran.stderr);
    let planned = [format!("update scope {SCOPE}"), format!("update client {CLIENT}")];
    assert_eq!(one.planned(), planned);
    one.apply();

    // Step 3: only the manifest is printed.
    let ran = changes_nothing(&one, world, 0, &both(&[]));
    assert!(ran.stderr.contains("step 3") && ran.stderr.contains("--release"), "{}", ran.stderr);
    let manifest = ran.stdout;
    assert_eq!(manifest, MANIFEST);
    Digdirator::new(world, "prod-gcp").deploy(&manifest);
    let taken = live_client(world, &id);
    assert_eq!(taken["fields"]["client_name"], NAME, "it was found by its description");
    assert_eq!(world.field(SCOPE, "description"), "arbeid - prod-gcp:plattform:aareg-api");
    assert_eq!(world.field(SCOPE, "visibility"), visibility);
    assert_eq!(world.open_to(SCOPE).unwrap(), [KART, SKATT]);

    // In between, a plan shows what an apply would revert; it creates no second client.
    let plan = one.plan();
    assert_eq!(ids(&plan), [format!("update scope {SCOPE}")]);
    assert_eq!(plan["blocked"][0]["code"], "PV312", "{}", plan["blocked"]);
    let ran = changes_nothing(&one, world, 0, &both(&[]));
    assert!(ran.stderr.contains("step 4"), "{}", ran.stderr);

    // Step 4.
    let ran = one.ends(0, &both(&["--release"]));
    assert!(ran.stderr.contains("wrote declarations.yaml"), "{}", ran.stderr);
    let after = declarations(&one);
    assert!(!after.contains("# les") && !after.contains("# sist") && !after.contains("# klient"));
    for kept in
        ["# Arbeid\n", "  # annen\n  - { name: etat:arbeid:annen", "# Klienter\n", "- name: blir"]
    {
        assert!(after.contains(kept), "{kept}: {after}");
    }
    merge(&one);
    let planned = [format!("release client {CLIENT}"), format!("release scope {SCOPE}")];
    assert_eq!(one.planned(), planned);
    let before = world.sandbox.state();
    one.apply();
    let after = world.sandbox.state();
    assert_eq!(json!(after.scopes), json!(before.scopes), "a release sends nothing");
    assert_eq!(json!(after.clients), json!(before.clients));
    assert_eq!(one.planned(), [""; 0]);

    // Afterwards, the entries are removed too.
    one.git(&["rm", "--quiet", "-r", "keys"]);
    one.declare("scopes:\n  - { name: etat:arbeid:annen, description: Blir her }\nclients: [{ name: blir }]\n");
    assert_eq!(one.planned(), [""; 0]);
    one.apply();
    assert_eq!(world.open_to(SCOPE).unwrap(), [KART, SKATT]);
    assert_eq!(live_client(world, &id), taken);
    assert_eq!(taken["active"], true);
    assert_eq!(taken["keys"].as_object().unwrap().keys().collect::<Vec<_>>(), ["of-nais"]);
    nothing_was_deleted(world);
    let reports = one.history();
    assert!(!json!(reports).to_string().contains("deactivate"), "{}", json!(reports));
}

const MANIFEST: &str = r#"# Goes into the application's own manifest: spec.maskinporten, below what is there.
# For the cluster prod-gcp.
apiVersion: nais.io/v1alpha1
kind: Application
metadata:
  name: aareg-api
  namespace: plattform
spec:
  maskinporten:
    enabled: true
    scopes:
      consumes:
        - name: etat:arbeid:annen
      exposes:
        - name: aareg.read
          enabled: true
          product: arbeid
          visibility: private
          atMaxAge: 120
          allowedIntegrations:
            - maskinporten
          consumers:
            - orgno: "971040238"
            - orgno: "974761076"
              name: Skatteetaten
"#;

#[test]
fn a_scope_that_is_deployed_before_the_apply_is_released_all_the_same() {
    let remote = Remote::new();
    let world = &remote.world;
    let one = applied(&remote);
    let scope = [&["migrate", "to-nais", "--scope", SCOPE][..], &APPLICATION].concat();
    let release = [&scope[..], &["--release"]].concat();
    // An early deployment: the scope is matched by its subscope.
    let rendered = [&["render", "nais", "--scope", SCOPE][..], &APPLICATION].concat();
    let manifest = one.ends(0, &rendered).stdout;
    Digdirator::new(world, "prod-gcp").deploy(&manifest);
    let ran = changes_nothing(&one, world, 0, &scope);
    assert!(ran.stderr.contains("would set back"), "{}", ran.stderr);
    one.ends(0, &release);
    merge(&one);
    assert_eq!(one.planned(), [format!("release scope {SCOPE}")]);
    one.apply();
    assert_eq!(world.open_to(SCOPE).unwrap(), [KART, SKATT]);
    nothing_was_deleted(world);
}

#[test]
fn a_client_that_is_deployed_before_the_apply_is_reported() {
    let remote = Remote::new();
    let world = &remote.world;
    let one = applied(&remote);
    let manifest =
        one.ends(0, &[&["render", "nais", "--client", CLIENT][..], &APPLICATION].concat()).stdout;
    Digdirator::new(world, "prod-gcp").deploy(&manifest);
    let (id, _) = world.client(NAME);
    let ran = changes_nothing(&one, world, 4, &both(&[]));
    assert!(ran.stderr.contains(&id) && ran.stderr.contains("too early"), "{}", ran.stderr);
}

#[test]
fn what_is_handed_over_and_not_deployed_yet_can_be_released_and_is_reported() {
    let remote = Remote::new();
    let one = applied(&remote);
    one.ends(0, &both(&[]));
    merge(&one);
    one.apply();
    let ran = one.ends(0, &both(&["--release"]));
    assert!(ran.stderr.contains("has not taken it over yet"), "{}", ran.stderr);
    merge(&one);
    one.apply();
    assert_eq!(remote.world.open_to(SCOPE).unwrap(), [KART, SKATT]);
    assert!(remote.world.client(CLIENT).1.active);
    nothing_was_deleted(&remote.world);
    let ran = changes_nothing(&one, &remote.world, 0, &both(&["--release"]));
    assert!(ran.stderr.contains("in other hands"), "{}", ran.stderr);
}

#[test]
fn each_is_at_a_step_of_its_own() {
    let remote = Remote::new();
    let one = applied(&remote);
    let scope = [&["migrate", "to-nais", "--scope", SCOPE][..], &APPLICATION].concat();
    one.ends(0, &scope);
    merge(&one);
    one.apply();
    // The client lags behind: no manifest is printed, as it would create another client.
    let ran = one.ends(0, &both(&[]));
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("waits for the others"), "{}", ran.stderr);
    let ran = changes_nothing(&one, &remote.world, 4, &both(&["--release"]));
    assert!(ran.stderr.contains(CLIENT) && !ran.stderr.contains(SCOPE), "{}", ran.stderr);
}

#[test]
fn nothing_is_written_where_the_next_apply_would_take_something_away() {
    let remote = Remote::new();
    let one = applied(&remote);
    let scope = [&["migrate", "to-nais", "--scope", SCOPE][..], &APPLICATION].concat();
    let release = [&scope[..], &["--release"]].concat();
    one.ends(0, &scope);
    merge(&one);
    one.apply();
    // Somebody was granted access outside the repository, and would lose it.
    remote.world.sandbox.edit(|state| {
        let access = domain::AccessState::Approved;
        state.put_access(
            crate::world::name(SCOPE),
            crate::world::orgno(crate::world::DIGDIR),
            access,
        );
    });
    one.declare(&declarations(&one).replace("prodgcp:plattform:aaregapi.arbeid:aareg.read", "Les"));
    let ran = changes_nothing(&one, &remote.world, 4, &scope);
    let message = "must not do: revoke etat:arbeid:aareg.read 991825827";
    assert!(ran.stderr.contains(message), "{}", ran.stderr);
    // Its release removes nothing.
    one.ends(0, &release);
}

#[test]
fn wrong_usage_is_reported_before_anything_is_read() {
    let world = World::new();
    world.declare(YAML);
    world.write("keys/x.json", key().to_string());
    for (args, message) in [
        (&["--scope", SCOPE][..], "--cluster"),
        (&["--scope", SCOPE, "--app", "aareg-api"], "which cluster"),
        (&["--cluster", "prod-gcp", "--scope", SCOPE], "--app"),
        (&["--cluster", "prod-gcp", "--app", "x", "--scope", SCOPE], "which namespace"),
        (&APPLICATION, "--scope"),
        (&[&APPLICATION[..], &["--scope", "etat:arbeid:aareg.raed"]].concat(), "did you mean"),
        (&[&APPLICATION[..], &["--client", "aareg-synk"]].concat(), "did you mean"),
        (&[&APPLICATION[..], &["--release", "--check"]].concat(), "--check"),
        (&["--format", "json"], "--check"),
        (
            &["--cluster", "Prod", "--namespace", "a", "--app", "b", "--scope", SCOPE],
            "is not a valid Kubernetes name",
        ),
    ] {
        let ran = world.run(&[&["migrate", "to-nais"], args].concat());
        assert_eq!(ran.code, 64, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    }
    assert_eq!(world.sandbox.exchanges(), []);
    let two = [&["migrate", "to-nais", "--client", CLIENT, "--client", "blir"][..], &APPLICATION];
    let ran = world.run(&two.concat());
    assert_eq!(ran.code, 64);
    assert!(ran.stderr.contains("one client"), "{}", ran.stderr);
}

#[test]
fn a_client_that_names_its_application_already_is_pinned_before_it_is_deployed() {
    let remote = Remote::new();
    let one = applied(&remote);
    let own = "prod-gcp:plattform:aareg-api";
    let yaml = YAML.replace("description: Henter", &format!("description: {own}"));
    let yaml = yaml.replace("    jwks: keys/x.json # nøkler\n", "");
    one.declare(&yaml);
    one.apply();
    let client = [&["migrate", "to-nais", "--client", CLIENT][..], &APPLICATION].concat();
    let check = one.ends(0, &["migrate", "to-nais", "--check"]);
    assert!(check.stdout.contains("would make a second one"), "{}", check.stdout);
    let ran = one.ends(0, &client);
    assert_eq!(ran.stdout, "", "no manifest before the pin");
    let (id, _) = remote.world.client(CLIENT);
    let after = declarations(&one).replace('"', "");
    assert!(after.contains(&format!("client_id: {id}\n")), "{after}");
    merge(&one);
    assert_eq!(one.planned(), [""; 0]);
    let manifest = one.ends(0, &client).stdout;
    Digdirator::new(&remote.world, "prod-gcp").deploy(&manifest);
    assert_eq!(one.planned(), [""; 0], "no second client is made");
}

#[test]
fn a_release_lets_go_of_nothing_that_is_still_to_be_done() {
    let remote = Remote::new();
    let world = &remote.world;
    let one = applied(&remote);
    one.ends(0, &both(&[]));
    merge(&one);
    one.apply();
    let settled = declarations(&one);
    let consumers = "      - group: samarbeid # alle\n";
    for (entry, message) in [
        ("      - { consumer: skatt, until: 2099-12-31 }\n", "ends with 2099-12-31"),
        ("      - skatt\n", "revoke etat:arbeid:aareg.read 971040238"),
        (
            "      - group: samarbeid\n      - \"991825827\"\n",
            "grant etat:arbeid:aareg.read 991825827",
        ),
    ] {
        assert!(settled.contains(consumers));
        one.declare(&settled.replace(consumers, entry));
        let ran = changes_nothing(&one, world, 4, &both(&["--release"]));
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    }
    one.declare(&settled);
    // A change made by NAIS in the meantime is no reason to keep it.
    world.sandbox.edit(|state| {
        state.put_access(
            crate::world::name(SCOPE),
            crate::world::orgno(crate::world::DIGDIR),
            domain::AccessState::Approved,
        );
    });
    one.ends(0, &both(&["--release"]));
    merge(&one);
    assert!(one.planned().iter().all(|id| id.starts_with("release ")), "{:?}", one.planned());
}

#[test]
fn what_is_to_be_closed_is_not_handed_over() {
    let remote = Remote::new();
    let one = applied(&remote);
    one.declare("removed: [{ scope: etat:arbeid:annen, action: deactivate }]\n");
    let args = ["migrate", "to-nais", "--scope", "etat:arbeid:annen"];
    let ran = one.ends(64, &[&args[..], &APPLICATION].concat());
    assert!(ran.stderr.contains("no scope 'etat:arbeid:annen'"), "{}", ran.stderr);
}

#[test]
fn a_release_that_is_taken_out_too_early_closes_nothing() {
    let remote = Remote::new();
    let world = &remote.world;
    let one = applied(&remote);
    one.ends(0, &both(&[]));
    merge(&one);
    one.apply();
    one.ends(0, &both(&["--release"]));
    merge(&one);
    // Cleaned up before it was applied.
    let text = declarations(&one);
    one.declare(text.split("removed:").next().unwrap());
    let plan = one.plan();
    assert_eq!(ids(&plan), [""; 0]);
    let blocked: Vec<_> = plan["blocked"].as_array().unwrap().iter().collect();
    assert_eq!(blocked.len(), 2, "{plan:#}");
    assert!(blocked.iter().all(|it| it["code"] == "PV314"), "{plan:#}");
    world.check_and_forget();
    one.ends(6, &["apply", "--auto-approve"]);
    nothing_was_deleted(world);
    // Restored, it is released.
    one.declare(&text);
    one.ends(0, &["apply", "--auto-approve"]);
    nothing_was_deleted(world);
    assert!(world.client(CLIENT).1.active && world.open_to(SCOPE).is_some());
}

//! A change that opens or gives access is marked in every format; one that narrows is not.

use domain::AccessState::Approved;
use sandbox::Switches;
use serde_json::{Value, json};

use crate::cli::valid_numbers;
use crate::client_tables::{OTHER, register, set};
use crate::world::{KEY, SKATT, World};

const OPENS_UP: &str = "Takes access away or opens up";
const GIVES: &str = "Gives access";

/// The plan of a world with one action, in all formats.
struct Shown {
    text: String,
    markdown: String,
    danger: Value,
}

impl Shown {
    fn of(world: &World) -> Self {
        let format = |format: &str| {
            let ran = world.run(&["plan", "--format", format]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            ran.stdout
        };
        let plan = world.plan();
        let actions = plan["actions"].as_array().unwrap();
        assert_eq!(actions.len(), 1, "{plan:#}");
        let danger = actions[0].get("danger").cloned().unwrap_or_default();
        Self { text: format("text"), markdown: format("markdown"), danger }
    }

    /// Checks that it is marked with that word, in that section, including the decisive field.
    fn is_marked(&self, danger: &str, section: &str, has_field: bool) {
        let Self { text, markdown, danger: found } = self;
        assert_eq!(found, danger, "{text}");
        assert!(text.contains(&format!("\n{section}\n")), "{text}");
        assert!(markdown.contains(&format!("\n### {section}\n")), "{markdown}");
        assert!(markdown.contains("\n**Look twice:** "), "{markdown}");
        assert_eq!(text.contains(&format!("  {danger}: ")), has_field, "{text}");
        assert_eq!(markdown.contains(&format!(" **{danger}: ")), has_field, "{markdown}");
    }

    fn is_unmarked(&self) {
        let Self { text, markdown, danger } = self;
        assert_eq!(*danger, Value::Null, "{text}");
        assert!(text.contains("\nChanges\n") && markdown.contains("\n### Changes\n"), "{text}");
        assert!(!markdown.contains("Look twice"), "{markdown}");
        for shown in [text, markdown] {
            assert!(!shown.contains(OPENS_UP) && !shown.contains(GIVES), "{shown}");
            assert!(!shown.contains("opens: ") && !shown.contains("closes: "), "{shown}");
        }
    }
}

/// The plan for a scope whose attribute has one live and another declared value.
fn scope(field: &str, live: &Value, declared: &Value) -> Shown {
    let world = World::new();
    world.put("etat:a", true, &[]);
    world.sandbox.edit(|state| {
        let fields = &mut state.scopes.values_mut().next().unwrap().fields;
        match live {
            Value::Null => drop(fields.remove(field)),
            live => drop(fields.insert(field.to_owned(), live.clone())),
        }
    });
    let declared = match declared {
        Value::Null => String::new(),
        declared => format!(", {field}: {declared}"),
    };
    world.declare(&format!("scopes:\n  - {{ name: etat:a, description: Les{declared} }}\n"));
    Shown::of(&world)
}

#[test]
fn a_scope_that_widens_is_marked_and_one_that_narrows_is_not() {
    for (field, narrow, wide) in [
        ("requires_user_consent", json!(true), json!(false)),
        ("requires_user_authentication", json!(true), json!(false)),
        ("requires_pseudonymous_tokens", json!(true), json!(false)),
        ("delegation_source", Value::Null, json!("https://tt02.altinn.no/")),
        ("enforced_aud_for_access_token", json!("https://etat.example"), Value::Null),
        ("allowed_integration_types", json!(["krr"]), json!(["krr", "idporten"])),
        ("allowed_integration_types", json!(["krr"]), json!([])),
        ("at_max_age", json!(120), json!(300)),
        ("at_max_age", json!(120), json!(0)),
        ("authorization_max_lifetime", json!(120), json!(300)),
        ("visibility", json!("PRIVATE"), json!("PUBLIC")),
        ("token_type", json!("OPAQUE"), json!("SELF_CONTAINED")),
    ] {
        scope(field, &narrow, &wide).is_marked("opens", OPENS_UP, true);
        scope(field, &wide, &narrow).is_unmarked();
    }
}

#[test]
fn a_scope_is_opened_to_all_and_taken_from_all() {
    for field in ["accessible_for_all", "supports_european_businesses"] {
        scope(field, &json!(false), &json!(true)).is_marked("opens", OPENS_UP, true);
        scope(field, &json!(true), &json!(false)).is_marked("closes", OPENS_UP, true);
    }
}

#[test]
fn a_grant_is_marked_and_so_is_a_revocation() {
    for (live, consumers, danger, section) in
        [(&[][..], SKATT, "grants", GIVES), (&[(SKATT, Approved)], "", "closes", OPENS_UP)]
    {
        let world = World::new();
        world.put("etat:a", true, live);
        let consumers = match consumers {
            "" => String::new(),
            consumers => format!("\"{consumers}\""),
        };
        world.declare(&format!(
            "scopes:\n  - {{ name: etat:a, description: Les, consumers: [{consumers}] }}\n"
        ));
        Shown::of(&world).is_marked(danger, section, false);
    }
}

#[test]
fn keys_of_a_client_are_marked() {
    let (one, two, other) = (&[&*KEY][..], &[&*KEY, &*OTHER][..], &[&*OTHER][..]);
    for (live, declared, danger, section) in
        [(one, two, "keys", GIVES), (one, other, "keys", GIVES), (two, one, "closes", OPENS_UP)]
    {
        let world = World::new();
        world.put_client("1f0a", "x", true, &[]);
        register(&world, "1f0a", live);
        world.write("x.json", set(declared));
        world.declare("clients:\n  - { name: x, jwks: x.json }\n");
        Shown::of(&world).is_marked(danger, section, true);
    }
}

/// The plan for a client that is live with some scopes and declared with others.
fn consumer(live: &[&str], declared: &[&str]) -> Shown {
    let world = World::new();
    world.put("etat:a", true, &[]);
    world.put("etat:b", true, &[]);
    world.put_client("1f0a", "x", true, live);
    world.declare(&format!(
        "scopes:\n  \
           - {{ name: etat:a, description: Les }}\n  \
           - {{ name: etat:b, description: Les }}\n\
         clients:\n  - {{ name: x, scopes: {} }}\n",
        json!(declared)
    ));
    Shown::of(&world)
}

#[test]
fn more_scopes_on_a_client_are_marked_and_fewer_are_not() {
    consumer(&["etat:a"], &["etat:a", "etat:b"]).is_marked("reaches", GIVES, true);
    consumer(&["etat:a", "etat:b"], &["etat:a"]).is_unmarked();
}

/// The plan for a client with a login that differs in one attribute.
fn login(field: &str, live: &Value, declared: &Value) -> Shown {
    let world = World::new();
    world.put_client_of("idporten", "1f0a", "x", true, &["openid", "profile"]);
    let declare = |value: &Value| {
        let uris = match field {
            "redirect_uris" => "",
            _ => ", redirect_uris: [\"https://etat.example/\"]",
        };
        world.declare(&format!(
            "clients:\n  - {{ name: x, integration_type: idporten{uris}, {field}: {value} }}\n"
        ));
    };
    declare(live);
    assert_eq!(world.apply().code, 0);
    declare(declared);
    Shown::of(&world)
}

#[test]
fn a_client_that_widens_is_marked_and_one_that_narrows_is_not() {
    let one = json!(["https://etat.example/"]);
    let two = json!(["https://etat.example/", "https://etat.example/ny"]);
    for (field, narrow, wide) in [
        ("redirect_uris", &one, &two),
        ("post_logout_redirect_uris", &one, &two),
        ("access_token_lifetime", &json!(120), &json!(300)),
        ("authorization_lifetime", &json!(7200), &json!(9000)),
        ("sso_disabled", &json!(true), &json!(false)),
        ("code_challenge_method", &json!("S256"), &json!("none")),
        ("refresh_token_usage", &json!("ONETIME"), &json!("REUSE")),
        ("token_endpoint_auth_method", &json!("private_key_jwt"), &json!("client_secret_basic")),
        ("description", &json!("Henter"), &json!("prod-gcp:arbeid:aareg")),
    ] {
        login(field, narrow, wide).is_marked("opens", OPENS_UP, true);
        login(field, wide, narrow).is_unmarked();
    }
}

#[test]
fn danger_is_no_part_of_the_digest_and_cannot_be_written_into_a_saved_plan() {
    let world = World::new();
    world.put("etat:a", true, &[]);
    world.declare("scopes:\n  - { name: etat:a, description: Les, accessible_for_all: true }\n");
    assert_eq!(world.run(&["plan", "--out", "plan.json"]).code, 0);
    let saved = std::fs::read_to_string(world.folder().join("plan.json")).unwrap();
    let mut plan: Value = serde_json::from_str(&saved).unwrap();
    for danger in [None, Some("grants")] {
        let action = plan["actions"][0].as_object_mut().unwrap();
        action.remove("danger").unwrap();
        action.extend(danger.map(|danger| ("danger".to_owned(), danger.into())));
        world.write("edited.json", plan.to_string());
        let shown = world.run(&["show", "edited.json"]);
        assert_eq!(shown.code, 0, "{}", shown.stderr);
        assert!(shown.stdout.contains(OPENS_UP), "{}", shown.stdout);
        let shown = world.run(&["show", "edited.json", "--format", "json"]);
        assert_eq!(shown.stdout, saved);
        plan = serde_json::from_str(&saved).unwrap();
    }
}

/// Declares a live scope with that many consumers, and a new one with as many.
fn with_grants(count: usize, settings: &str) -> World {
    let world = World::with(Switches::default());
    world.put("etat:a", true, &[]);
    world.settings(settings);
    let who: Vec<_> = valid_numbers().take(count).map(|orgno| format!("\"{orgno}\"")).collect();
    let who = who.join(", ");
    world.declare(&format!(
        "scopes:\n  \
           - {{ name: etat:a, description: Les, consumers: [{who}] }}\n  \
           - {{ name: etat:ny, description: Ny, consumers: [{who}] }}\n"
    ));
    world
}

#[test]
fn grants_meet_a_limit() {
    for (count, settings, refused) in [
        (50, "", None),
        (
            51,
            "",
            Some("51 accesses would be granted; guards.max_grants in portvakt.yaml allows 50"),
        ),
        (2, "guards: { max_grants: 1 }\n", Some("2 accesses would be granted")),
        (2, "guards: { max_grants: 2 }\n", None),
        (10_000, "", Some("10000 accesses would be granted")),
    ] {
        let world = with_grants(count, settings);
        let ran = world.apply();
        match refused {
            None => assert_eq!(ran.code, 0, "{count}: {}", ran.stderr),
            Some(message) => {
                assert_eq!(ran.code, 4, "{count}: {}", ran.stderr);
                assert!(ran.stderr.contains(message), "{}", ran.stderr);
                assert!(ran.stderr.contains("PV505") && ran.stderr.contains("--override-guards"));
                assert_eq!(world.sent(), [""; 0]);
            }
        }
    }
    let world = with_grants(51, "");
    let plan = world.run(&["plan"]);
    assert_eq!(plan.code, 0);
    assert!(plan.stdout.contains("\nLimits exceeded: apply refuses this\n"), "{}", plan.stdout);
    let ran = world.run(&["apply", "--auto-approve", "--override-guards", "SAK-1: nytt samarbeid"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(world.open_to("etat:a").unwrap().len(), 51);
}

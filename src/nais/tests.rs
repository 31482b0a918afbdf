//! Content of a manifest, for generated declarations: digdirator would make the declared entities of it. And
//! hand-over states, on two models.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use domain::nais::{Application, Exposed};
use domain::{
    ClientAttributes, ClientIdentity, ClientName, Days, DesiredAccess, DesiredClient, DesiredEntry,
    DesiredScope, IntegrationType, Live, LiveClient, LiveScope, Orgno, ScopeAttributes, ScopeName,
    Source, Visibility,
};

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 25);

fn source() -> Source {
    Source { file: "a.yaml".into(), line: 1, at: None }
}

fn application() -> Application {
    Application::new("prod-gcp", "plattform", "aareg-api").unwrap()
}

fn scope(attributes: ScopeAttributes) -> DesiredScope {
    DesiredScope {
        attributes,
        active: true,
        prevent_deactivation: false,
        in_manifest: false,
        consumers: BTreeMap::new(),
        names: BTreeSet::new(),
        source: source(),
    }
}

fn client(name: &str, description: &str) -> DesiredClient {
    let name: ClientName = name.parse().unwrap();
    let attributes = ClientAttributes::defaults(IntegrationType::Maskinporten, None);
    DesiredClient {
        identity: ClientIdentity::Named { name, id: None, previous_name: None },
        attributes: ClientAttributes {
            description: description.to_owned(),
            scopes: ["etat:felles".parse().unwrap()].into(),
            ..attributes
        },
        keys: None,
        on_behalf_of: None,
        active: true,
        prevent_deactivation: false,
        source: source(),
        keys_source: source(),
    }
}

/// The scope that digdirator makes of an entry of `exposes`.
fn made_of(exposed: &Value, application: &Application) -> (String, ScopeAttributes) {
    let text = |key: &str| exposed.get(key).and_then(Value::as_str);
    let (product, name) = (text("product").unwrap(), text("name").unwrap());
    let usual = if name.contains('/') { "/" } else { ":" };
    let subscope = format!("{product}{}{name}", text("separator").unwrap_or(usual));
    let kinds = exposed.get("allowedIntegrations").cloned().unwrap_or(json!(["maskinporten"]));
    let kinds: BTreeSet<IntegrationType> = serde_json::from_value(kinds).unwrap();
    let altinn = text("delegationSource").map(|name| {
        assert_eq!(name, "altinn");
        "altinn".to_owned()
    });
    let made = ScopeAttributes {
        description: application.exposing(product),
        visibility: match text("visibility") {
            Some("private") => Visibility::Private,
            _ => Visibility::Public,
        },
        allowed_integration_types: kinds,
        at_max_age: exposed.get("atMaxAge").map_or(30, |age| age.as_u64().unwrap()),
        accessible_for_all: exposed.get("accessibleForAll") == Some(&json!(true)),
        delegation_source: altinn,
        ..ScopeAttributes::default()
    };
    (subscope, made)
}

prop_compose! {
    fn attributes()(
        private in any::<bool>(),
        kinds in proptest::sample::subsequence(
            vec![IntegrationType::Krr, IntegrationType::Maskinporten, IntegrationType::Idporten], 1..=3),
        at_max_age in 30..=680_u64,
        accessible_for_all in any::<bool>(),
        delegates in any::<bool>(),
    ) -> ScopeAttributes {
        ScopeAttributes {
            description: "Les".to_owned(),
            visibility: if private { Visibility::Private } else { Visibility::Public },
            allowed_integration_types: kinds.into_iter().collect(),
            at_max_age,
            accessible_for_all,
            delegation_source: delegates.then(|| "altinn".to_owned()),
            ..ScopeAttributes::default()
        }
    }
}

const ORGNOS: [&str; 3] = ["971040238", "974761076", "991825827"];

proptest! {
    #[test]
    fn what_is_made_of_a_manifest_is_what_is_declared(
        scopes in proptest::collection::btree_map(
            "[a-z0-9]{1,4}[:/]([a-zæøå0-9]{1,3}/)?[a-zæøå0-9]{2,4}(\\.[a-z]{1,4})?",
            (attributes(), proptest::sample::subsequence(ORGNOS.to_vec(), 0..=3), ".{0,8}"), 0..4),
        consumed in proptest::collection::btree_set("[a-z0-9]{1,5}:[a-zæøå0-9:/._-]{1,9}", 0..4),
        called in ".{1,9}",
    ) {
        let application = application();
        let names = ORGNOS.map(|orgno| (orgno.parse::<Orgno>().unwrap(), called.clone())).into();
        let scopes: BTreeMap<ScopeName, DesiredScope> = scopes
            .into_iter()
            .filter(|(subscope, _)| Exposed::of(subscope).is_ok())
            .map(|(subscope, (attributes, consumers, why))| {
                let mut attributes = attributes;
                if Exposed::of(&subscope).is_ok_and(|exposed| exposed.separator() != '/') {
                    // Kubernetes refuses it there.
                    attributes.delegation_source = None;
                }
                let days = Days::default();
                let entry = DesiredEntry { days, reason: Some(why), group: None, source: source() };
                let access = DesiredAccess::from(entry);
                let consumers = consumers.iter().map(|it| (it.parse().unwrap(), access.clone()));
                let declared = DesiredScope { consumers: consumers.collect(), ..scope(attributes) };
                (format!("etat:{subscope}").parse().unwrap(), declared)
            })
            .collect();
        let mut client = client("x", "");
        client.attributes.scopes = consumed.iter().map(|scope| scope.parse().unwrap()).collect();
        let manifest = Manifest {
            application: &application,
            client: Some(&client),
            scopes: scopes.iter().collect(),
            names: &names,
            blocks: &[],
            today: TODAY,
        };
        let yaml = manifest.yaml();
        is_declared_alike(&yaml, &scopes, &client);
        let read: Value = serde_yaml::from_str(&yaml).unwrap();
        let spec = &read["spec"]["maskinporten"]["scopes"];
        let list = |at: &Value| at.as_array().cloned().unwrap_or_default();
        let names_: Vec<String> =
            list(&spec["consumes"]).iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        prop_assert_eq!(names_, consumed.into_iter().collect::<Vec<_>>());
        let exposed = list(&spec["exposes"]);
        prop_assert_eq!(exposed.len(), scopes.len());
        for (exposed, (name, declared)) in exposed.iter().zip(&scopes) {
            prop_assert_eq!(of_scope(name, declared, Some("etat"), TODAY), []);
            let (subscope, made) = made_of(exposed, &application);
            prop_assert_eq!(&subscope, name.subscope());
            let wanted = ScopeAttributes { description: made.description.clone(), ..declared.attributes.clone() };
            prop_assert_eq!(made, wanted);
            let consumers = list(&exposed["consumers"]);
            let orgnos: Vec<String> =
                consumers.iter().map(|it| it["orgno"].as_str().unwrap().to_owned()).collect();
            let wanted: Vec<String> = declared.consumers.keys().map(ToString::to_string).collect();
            prop_assert_eq!(orgnos, wanted);
            prop_assert!(consumers.iter().all(|it| it["name"] == called.as_str()));
        }
    }
}

/// Reads the manifest as a declaration: it declares the same, except for the descriptions.
fn is_declared_alike(
    manifest: &str,
    scopes: &BTreeMap<ScopeName, DesiredScope>,
    client: &DesiredClient,
) {
    let settings = "organization: { orgno: \"889640782\", name: Etaten }\nprefixes: [etat]\n\
                    environments: { test: { target: sandbox } }\nnais: { cluster: prod-gcp }\n";
    let yaml = vec![("m.yaml".into(), manifest.as_bytes().to_vec())];
    let repository =
        crate::declare::read(Path::new("/"), settings.as_bytes(), yaml, &|_| None).unwrap();
    let (desired, _) = repository.desired("test", TODAY).unwrap();
    assert_eq!(desired.scopes.keys().collect::<Vec<_>>(), scopes.keys().collect::<Vec<_>>());
    for (name, read) in &desired.scopes {
        let own = &scopes[name];
        let description = read.attributes.description.clone();
        assert_eq!(read.attributes, ScopeAttributes { description, ..own.attributes.clone() });
        let orgnos = |scope: &DesiredScope| scope.consumers.keys().copied().collect::<Vec<_>>();
        assert_eq!((orgnos(read), read.active), (orgnos(own), true));
    }
    // A manifest does not declare a client that consumes nothing.
    let consumed: Vec<_> = desired.clients.values().map(|read| &read.attributes.scopes).collect();
    let own = &client.attributes.scopes;
    assert_eq!(consumed, if own.is_empty() { vec![] } else { vec![own] });
}

const SCOPE: &str = "etat:arbeid:aareg";

fn live(description: Option<(&str, bool)>, clients: &[(&str, &str, &str, bool)]) -> Live {
    let representation = |description: &str| {
        json!({ "description": description }).as_object().cloned().unwrap_or_default()
    };
    let scope = description.map(|(description, active)| {
        let representation = representation(description);
        (
            SCOPE.parse().unwrap(),
            LiveScope { active, representation, accesses: None, unclear: false },
        )
    });
    let clients = clients.iter().map(|(id, name, description, active)| {
        let client = LiveClient {
            active: *active,
            name: (*name).to_owned(),
            integration_type: "maskinporten".to_owned(),
            representation: representation(description),
            keys: None,
            on_behalf_of: None,
        };
        (id.parse().unwrap(), client)
    });
    Live { scopes: scope.into_iter().collect(), clients: clients.collect(), ..Live::default() }
}

#[test]
fn a_scope_is_at_the_step_that_its_two_descriptions_name() {
    let handed_over = "prodgcp:plattform:aaregapi.arbeid:aareg";
    let exposed = "arbeid - prod-gcp:plattform:aareg-api";
    let dashed = "prod-gcp:plattform:aareg-api.arbeid:aareg";
    let other = "a:b:c.arbeid:aareg";
    for (declared, there, step, names_application) in [
        ("Les", Some(("Les", true)), Step::Describe, false),
        ("Les", None, Step::Describe, false),
        ("Les", Some((handed_over, true)), Step::Describe, true),
        (dashed, Some((handed_over, true)), Step::Describe, true),
        (other, Some((handed_over, true)), Step::Describe, true),
        ("Les", Some((exposed, true)), Step::Release, true),
        (handed_over, None, Step::Apply, false),
        (handed_over, Some(("Les", true)), Step::Apply, false),
        (handed_over, Some((dashed, true)), Step::Apply, false),
        (handed_over, Some((other, true)), Step::Apply, false),
        (handed_over, Some((handed_over, false)), Step::Apply, false),
        (handed_over, Some((exposed, false)), Step::Apply, false),
        (handed_over, Some((handed_over, true)), Step::Deploy, true),
        (exposed, Some((handed_over, true)), Step::Deploy, true),
        (handed_over, Some(("helse - prod-gcp:plattform:aareg-api", true)), Step::Apply, false),
        (handed_over, Some((exposed, true)), Step::Release, true),
    ] {
        let attributes = ScopeAttributes { description: declared.to_owned(), ..Default::default() };
        let name = SCOPE.parse().unwrap();
        let live = live(there, &[]);
        let own = application();
        let migration_state =
            state_of_scope(&name, &scope(attributes), &live, Some(&own), (Some("etat"), TODAY));
        assert_eq!(
            (migration_state.step, migration_state.names_application),
            (step, names_application),
            "{declared}: {there:?}"
        );
        let belongs =
            migration_state.problems.iter().any(|it| it.message.contains("application a:b:c's"));
        let is_others = [declared, there.map_or("", |it| it.0)].contains(&other);
        assert_eq!(belongs, is_others, "{declared}: {there:?}");
    }
}

#[test]
fn a_client_is_found_by_its_name_its_pin_or_its_description() {
    let own = application().to_string();
    let own = own.as_str();
    let pinned = |id: &str| DesiredClient {
        identity: ClientIdentity::Named {
            name: "x".parse().unwrap(),
            id: Some(id.parse().unwrap()),
            previous_name: None,
        },
        ..client("x", own)
    };
    for (declared, there, step, id) in [
        (client("x", "Henter"), &[("1", "x", "Henter", true)][..], Step::Describe, Some("1")),
        (pinned("1"), &[("1", "x", "Henter", true)], Step::Apply, Some("1")),
        (pinned("1"), &[("1", "x", own, false)], Step::Apply, Some("1")),
        (client("x", own), &[], Step::Apply, None),
        (pinned("1"), &[("1", "x", own, true)], Step::Deploy, Some("1")),
        // Without a pinned id, a plan after the deployment would create a second client.
        (client("x", own), &[("1", "x", "Henter", true)], Step::Describe, Some("1")),
        (client("x", own), &[("1", "x", own, true)], Step::Describe, Some("1")),
        (client("x", own), &[("1", "ETAT", own, true)], Step::Release, Some("1")),
        (pinned("1"), &[("1", "ETAT", own, true)], Step::Release, Some("1")),
        (client("x", own), &[("1", "y", "a:b:c", true)], Step::Apply, None),
        (
            DesiredClient { keys: Some(Vec::new()), ..pinned("1") },
            &[("1", "x", own, true)],
            Step::Describe,
            Some("1"),
        ),
    ] {
        let name = declared.identity.client_name().cloned().unwrap();
        let migration_state =
            state_of_client(&name, &declared, &live(None, there), Some(&application()));
        let found = migration_state.client_id.as_ref().map(ToString::to_string);
        assert_eq!((migration_state.step, found.as_deref()), (step, id), "{there:?}");
        let refused = migration_state.problems.iter().any(|it| it.weight == Weight::Refused);
        assert!(!refused, "{:?}", migration_state.problems);
    }
    // Pinned to the wrong client.
    let name = "x".parse().unwrap();
    let there = live(None, &[("1", "y", "Annet", true)]);
    let migration_state = state_of_client(&name, &pinned("1"), &there, Some(&application()));
    let ownership = |it: &Obstacle| it.message.contains("pinned to 1, which is called 'y'");
    assert!(migration_state.problems.iter().any(ownership), "{:?}", migration_state.problems);
    for there in [
        // Two clients of the application, with one of the name and without; two with the name; another
        // application's.
        &[("1", "ETAT", own, true), ("2", "ETAT", own, true)][..],
        &[("1", "x", "Henter", true), ("2", "ETAT", own, true)],
        &[("1", "x", "Henter", true), ("2", "x", "Henter", true)],
        &[("1", "x", "a:b:c", true)],
    ] {
        let declared = client("x", "Henter");
        let name = declared.identity.client_name().cloned().unwrap();
        let migration_state =
            state_of_client(&name, &declared, &live(None, there), Some(&application()));
        let refused = migration_state.problems.iter().any(|it| it.weight == Weight::Refused);
        assert!(refused, "{:?}", migration_state.problems);
    }
}

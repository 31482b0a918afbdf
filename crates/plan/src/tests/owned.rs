//! Clients of applications at NAIS: recognised by description and integration type, whatever their name.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::{ClientWork, Work};
use super::clients::{client, client_name, desired, live_client, named, removed, with};
use super::*;
use domain::{ClientIdentity, DesiredClient, IntegrationType, LiveClient, LiveKey};

const APP: &str = "prod-gcp:plattform:app";
const ID: &str = "1f0a";

/// The client of [`APP`], with the name that it is to have.
fn owned(client_name: Option<&str>) -> DesiredClient {
    let mut owned = client(APP, &[]);
    owned.attributes.description = APP.to_owned();
    owned.identity = ClientIdentity::OwnedBy {
        application: APP.parse().unwrap(),
        client_name: client_name.map(|name| name.parse().unwrap()),
    };
    owned
}

/// A live client of NAIS, all of which have the same name.
fn of_nais(active: bool, description: &str) -> LiveClient {
    let mut live = live_client("NAV", active, &[], &[]);
    live.representation.insert("description".to_owned(), description.into());
    live
}

fn after(desired: &Desired, before: Desired, live: &Live) -> String {
    let before = Applied { commit: "4b3fd65893".into(), desired: before };
    in_lines(&planned_after(desired, Some(&before), live))
}

fn kind_of(live: LiveClient, kind: &str) -> LiveClient {
    let mut live = LiveClient { integration_type: kind.to_owned(), ..live };
    live.representation.insert("integration_type".to_owned(), kind.into());
    live
}

#[test]
fn it_is_made_under_its_identity_unless_it_has_a_name() {
    assert_snapshot!(summary(&desired([owned(None)]), &with([])), @r#"create client prod-gcp:plattform:app integration_type:null->"maskinporten" description:null->"prod-gcp:plattform:app""#);
    assert_snapshot!(summary(&desired([owned(Some("App"))]), &with([])), @r#"create client prod-gcp:plattform:app client_name:null->"App" integration_type:null->"maskinporten" description:null->"prod-gcp:plattform:app""#);
    let name_of = |declared: DesiredClient| {
        let plan = planned(&desired([declared]), &with([]));
        let Work::Client(_, ClientWork::Create(_, write)) = &plan.actions[0].work else {
            panic!("{plan:?}");
        };
        write.attributes.creation()["client_name"].clone()
    };
    assert_eq!(name_of(owned(None)), json!(APP));
    assert_eq!(name_of(owned(Some("App"))), json!("App"));
}

#[test]
fn the_live_one_is_found_by_its_description_and_keeps_its_name() {
    let others = || {
        [
            ("a", of_nais(true, "prod-gcp:plattform:app2")),
            ("b", kind_of(of_nais(true, APP), "idporten")),
            (ID, of_nais(true, APP)),
        ]
    };
    assert_snapshot!(summary(&desired([owned(None)]), &with(others())), @r"
    PV401 client NAV
    PV401 client NAV
    ");
    let mut other = owned(None);
    other.attributes.access_token_lifetime = Some(60);
    let plan = planned(&desired([other]), &with(others()));
    let Work::Client(name, ClientWork::Update(id, write)) = &plan.actions[0].work else {
        panic!("{plan:?}");
    };
    assert_eq!((name.as_str(), id.as_str(), plan.actions.len()), (APP, ID, 1));
    let live = &of_nais(true, APP).representation;
    let sent = Value::Object(write.attributes.replacement(live));
    assert_eq!((&sent["client_name"], &sent["access_token_lifetime"]), (&json!("NAV"), &json!(60)));
    // A name in the manifest is a wanted one.
    assert_snapshot!(summary(&desired([owned(Some("App"))]), &with([(ID, of_nais(true, APP))])), @r#"update client prod-gcp:plattform:app client_name:"NAV"->"App""#);
    // A client with just the same name is another one.
    assert_snapshot!(summary(&desired([owned(None)]), &with([(ID, live_client(APP, true, &[], &[]))])), @r#"
    create client prod-gcp:plattform:app integration_type:null->"maskinporten" description:null->"prod-gcp:plattform:app"
    PV401 client prod-gcp:plattform:app
    "#);
}

#[test]
fn each_kind_of_client_of_an_application_is_its_own() {
    let mut login = owned(None);
    login.attributes.integration_type = IntegrationType::Idporten;
    let mut both = desired([owned(None)]);
    both.clients.insert(client_name(&format!("{APP}:idporten")), login);
    let plan = planned(
        &both,
        &with([("m", of_nais(true, APP)), ("i", kind_of(of_nais(false, APP), "idporten"))]),
    );
    let ids: Vec<_> = plan
        .actions
        .iter()
        .map(|action| (action.id().to_string(), action.client_id().unwrap().to_string()))
        .collect();
    assert_eq!(ids, [(format!("reactivate client {APP}:idporten"), "i".to_owned())]);
    assert_eq!(plan.blocked, []);
}

#[test]
fn an_inactive_one_comes_back_under_its_id() {
    let plan = planned(&desired([owned(None)]), &with([(ID, of_nais(false, APP))]));
    assert_eq!(plan.actions[0].id().to_string(), format!("reactivate client {APP}"));
    assert_eq!(plan.actions[0].client_id().unwrap().as_str(), ID);
}

#[test]
fn of_two_with_its_description_neither_is_guessed() {
    let two = with([("a", of_nais(true, APP)), ("b", of_nais(false, APP))]);
    let plan = planned(&desired([owned(None)]), &two);
    assert!(plan.actions.is_empty() && plan.notices.is_empty(), "{plan:?}");
    assert_eq!(plan.blocked[0].code.as_str(), "PV306");
    assert!(
        plan.blocked[0].message.contains("description") && plan.blocked[0].message.contains("a, b")
    );
}

#[test]
fn one_live_client_is_that_of_one_declaration() {
    let mut both = desired([owned(None), client("NAV", &[])]);
    let live = || with([(ID, of_nais(true, APP))]);
    assert_snapshot!(summary(&both, &live()), @r"
    blocked update client NAV PV309
    blocked update client prod-gcp:plattform:app PV309
    ");
    both.clients.remove(&client_name("NAV"));
    assert_snapshot!(summary(&both, &live()), @"");
}

#[test]
fn what_no_manifest_declares_any_more_is_closed() {
    let live = || with([(ID, of_nais(true, APP)), ("2b", of_nais(true, "prod-gcp:plattform:b"))]);
    let before = || desired([owned(None)]);
    assert_snapshot!(after(&declared([]), before(), &live()), @r"
    deactivate client prod-gcp:plattform:app
    PV401 client NAV
    ");
    // The same name in YAML is another client.
    assert_snapshot!(after(&desired([client(APP, &[])]), before(), &live()), @r#"
    create client prod-gcp:plattform:app integration_type:null->"maskinporten"
    deactivate client prod-gcp:plattform:app
    PV401 client NAV
    "#);
    // Unless YAML pins it.
    let mut pinned = client("NAV", &[]);
    pinned.identity = named("NAV", Some(ID), None);
    pinned.attributes.description = APP.to_owned();
    assert_snapshot!(after(&desired([pinned]), before(), &live()), @"PV401 client NAV");
}

#[test]
fn what_is_removed_is_found_as_its_manifest_was() {
    let live = || with([(ID, of_nais(true, APP)), ("2b", of_nais(true, "prod-gcp:plattform:b"))]);
    let before = || desired([owned(None)]);
    let gone = |id, action| after(&removed(APP, id, action), before(), &live());
    assert_snapshot!(gone(None, RemovalAction::Release), @r"
    release client prod-gcp:plattform:app
    PV401 client NAV
    ");
    assert_snapshot!(gone(None, RemovalAction::Deactivate), @r"
    deactivate client prod-gcp:plattform:app
    PV401 client NAV
    ");
    assert_snapshot!(gone(Some(ID), RemovalAction::Deactivate), @r"
    deactivate client prod-gcp:plattform:app
    PV401 client NAV
    ");
    assert_snapshot!(gone(Some("2b"), RemovalAction::Deactivate), @r"
    blocked deactivate client prod-gcp:plattform:app PV312
    PV401 client NAV
    ");
}

#[test]
fn its_keys_are_renewed_by_nais() {
    let mut live = of_nais(true, APP);
    let ends: jiff::Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
    let jwk = json!({ "kty": "RSA", "kid": "a", "n": "x", "e": "AQAB", "exp": ends.as_second() });
    live.keys = Some(vec![LiveKey::new(jwk.as_object().unwrap().clone())]);
    let plan = planned(&desired([owned(None)]), &with([(ID, live)]));
    assert!(plan.actions.is_empty());
    assert_eq!(plan.notices[0].code.as_str(), "PV404");
    assert!(plan.notices[0].message.contains("NAIS makes another"), "{plan:?}");
}

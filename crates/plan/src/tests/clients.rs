//! Clients, their keys and what they consume.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::super::{ClientWork, Work};
use super::*;
use domain::{
    ClientAttributes, ClientId, ClientIdentity, ClientName, ClientRemoval, DesiredClient,
    ForeignScope, IntegrationType, LiveClient, LiveKey, OnBehalfOf, OwnClient, PublicKey,
};

pub(super) const ID: &str = "1f0a";

pub(super) fn client_name(text: &str) -> ClientName {
    text.parse().unwrap()
}

/// A key with that id; its modulus is derived from the id and another number.
fn key(kid: &str, number: u8) -> PublicKey {
    let mut bytes = vec![0xC1; 256];
    bytes[1] = number;
    let jwk = json!({ "kty": "RSA", "kid": kid, "n": URL_SAFE_NO_PAD.encode(bytes), "e": "AQAB" });
    PublicKey::from_jwk(jwk.as_object().unwrap()).unwrap()
}

fn live_key(kid: &str, number: u8) -> LiveKey {
    LiveKey::new(key(kid, number).to_jwk())
}

fn ending(kid: &str, number: u8, ends: &str) -> LiveKey {
    let ends: jiff::Timestamp = ends.parse().unwrap();
    let mut jwk = key(kid, number).to_jwk();
    jwk.insert("exp".to_owned(), ends.as_second().into());
    LiveKey::new(jwk)
}

pub(super) fn client(name: &str, scopes: &[&str]) -> DesiredClient {
    let attributes = ClientAttributes::defaults(IntegrationType::Maskinporten, None);
    DesiredClient {
        identity: named(name, None, None),
        attributes: ClientAttributes {
            scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
            ..attributes
        },
        keys: None,
        on_behalf_of: None,
        active: true,
        prevent_deactivation: false,
        source: source(3),
        keys_source: source(5),
    }
}

/// An identity by name, with a pinned id and a previous name.
pub(super) fn named(name: &str, id: Option<&str>, before: Option<&str>) -> ClientIdentity {
    ClientIdentity::Named {
        name: client_name(name),
        id: id.map(|id| id.parse().unwrap()),
        previous_name: before.map(client_name),
    }
}

pub(super) fn desired(clients: impl IntoIterator<Item = DesiredClient>) -> Desired {
    let named = clients.into_iter().map(|client| (key_of(&client), client));
    Desired { clients: named.collect(), ..declared([]) }
}

/// A client's name in the repository.
fn key_of(client: &DesiredClient) -> ClientName {
    match &client.identity {
        ClientIdentity::Named { name, .. } => name.clone(),
        ClientIdentity::OwnedBy { application, .. } => client_name(&application.to_string()),
    }
}

pub(super) fn removed(name: &str, id: Option<&str>, action: RemovalAction) -> Desired {
    let id = id.map(|id| id.parse().unwrap());
    let removal = ClientRemoval { id, removal: removal(action) };
    Desired { removed_clients: [(client_name(name), removal)].into(), ..declared([]) }
}

/// A live client that equals a declaration with defaults only.
pub(super) fn live_client(
    name: &str,
    active: bool,
    scopes: &[&str],
    keys: &[LiveKey],
) -> LiveClient {
    let representation = json!({
        "client_name": name, "integration_type": "maskinporten", "scopes": scopes,
        "jwks_uri": "kept", "created": "2026-01-01T00:00:00Z",
    });
    LiveClient {
        active,
        name: name.to_owned(),
        integration_type: "maskinporten".to_owned(),
        representation: representation.as_object().unwrap().clone(),
        keys: Some(keys.to_vec()),
        on_behalf_of: None,
    }
}

pub(super) fn with(clients: impl IntoIterator<Item = (&'static str, LiveClient)>) -> Live {
    let clients = clients.into_iter().map(|(id, client)| (id.parse().unwrap(), client)).collect();
    Live { clients, ..live([]) }
}

#[test]
fn an_absent_client_is_made_and_then_gets_its_keys() {
    let declared = DesiredClient { keys: Some(vec![key("a", 1)]), ..client("x", &[]) };
    let summary = summary(&desired([declared]), &with([]));
    let thumbprint = key("a", 1).thumbprint();
    assert_eq!(
        summary.replace(&thumbprint, "…"),
        "create client x integration_type:null->\"maskinporten\"\n\
         keys client x jwks:null->{\"kid\":\"a\",\"thumbprint\":\"…\"} after:[create client x]"
    );
}

#[test]
fn a_client_is_updated_only_where_it_differs() {
    let same = || client("x", &[]);
    let live = || with([(ID, live_client("x", true, &[], &[]))]);
    assert_snapshot!(summary(&desired([same()]), &live()), @"");
    let mut other = same();
    other.attributes.description = "Henter".to_owned();
    other.attributes.access_token_lifetime = Some(60);
    let plan = planned(&desired([other]), &live());
    let ids: Vec<_> = plan.actions.iter().map(|action| action.id().to_string()).collect();
    assert_eq!(ids, ["update client x"]);
    let Work::Client(_, ClientWork::Update(id, write)) = &plan.actions[0].work else {
        panic!("{plan:?}");
    };
    assert_eq!(id.as_str(), ID);
    let representation = &live().clients[id].representation;
    assert_eq!(
        Value::Object(write.attributes.replacement(representation)),
        json!({
            "client_name": "x", "integration_type": "maskinporten", "scopes": [], "active": true,
            "jwks_uri": "kept", "description": "Henter", "access_token_lifetime": 60,
        })
    );
}

#[test]
fn an_inactive_client_comes_back_under_its_id_without_keys_that_are_not_declared() {
    let kept = || with([(ID, live_client("x", false, &[], &[live_key("a", 1), live_key("b", 2)]))]);
    let declared = DesiredClient { keys: Some(vec![key("a", 1)]), ..client("x", &[]) };
    let plan = planned(&desired([declared]), &kept());
    let ids: Vec<_> = plan.actions.iter().map(|action| action.id().to_string()).collect();
    assert_eq!(ids, ["keys client x", "reactivate client x"]);
    assert_eq!(plan.actions[1].after[0].to_string(), "keys client x");
    assert_eq!(plan.actions[1].regains_keys().len(), 1);
    assert_eq!(plan.actions[1].client_id().unwrap().as_str(), ID);
    // Without declared keys all of them are valid again, and the plan shows it.
    let plan = planned(&desired([client("x", &[])]), &kept());
    assert_eq!(plan.actions.len(), 1);
    assert_eq!(plan.actions[0].regains_keys().len(), 2);
}

#[test]
fn a_client_is_paused_unless_it_is_protected() {
    let paused = DesiredClient { active: false, ..client("x", &[]) };
    let live = || with([(ID, live_client("x", true, &[], &[]))]);
    assert_snapshot!(summary(&desired([paused.clone()]), &live()), @"deactivate client x");
    assert_snapshot!(summary(&desired([paused.clone()]), &with([(ID, live_client("x", false, &[], &[]))])), @"");
    let protected = DesiredClient { prevent_deactivation: true, ..paused };
    assert_snapshot!(summary(&desired([protected]), &live()), @"blocked deactivate client x PV301");
}

#[test]
fn a_removed_client_is_deactivated_or_released() {
    let live = || with([(ID, live_client("x", true, &[], &[]))]);
    let gone = |id, action| summary(&removed("x", id, action), &live());
    assert_snapshot!(gone(None, RemovalAction::Deactivate), @"deactivate client x");
    assert_snapshot!(gone(Some(ID), RemovalAction::Deactivate), @"deactivate client x");
    assert_snapshot!(gone(None, RemovalAction::Release), @"");
    assert_snapshot!(gone(Some("other"), RemovalAction::Deactivate), @"PV401 client x");
    let two =
        with([("a", live_client("x", true, &[], &[])), ("b", live_client("x", true, &[], &[]))]);
    assert_snapshot!(summary(&removed("x", None, RemovalAction::Deactivate), &two), @"blocked deactivate client x PV306");
    assert_snapshot!(summary(&removed("x", Some("b"), RemovalAction::Deactivate), &two), @r"
    deactivate client x
    PV401 client x
    ");
}

#[test]
fn which_live_client_is_meant_is_never_guessed() {
    let two = || {
        with([("a", live_client("x", true, &[], &[])), ("b", live_client("x", false, &[], &[]))])
    };
    let plan = planned(&desired([client("x", &[])]), &two());
    assert_eq!(plan.blocked[0].code.as_str(), "PV306");
    assert!(plan.blocked[0].message.contains("a, b"), "{plan:?}");
    assert!(plan.actions.is_empty());
    let pinned =
        |id: &str| DesiredClient { identity: named("x", Some(id), None), ..client("x", &[]) };
    assert_snapshot!(summary(&desired([pinned("b")]), &two()), @r"
    reactivate client x
    PV401 client x
    ");
    assert_snapshot!(summary(&desired([pinned("c")]), &two()), @"blocked update client x PV308");
    let krr =
        || LiveClient { integration_type: "krr".to_owned(), ..live_client("x", true, &[], &[]) };
    assert_snapshot!(summary(&desired([client("x", &[])]), &with([(ID, krr())])), @"blocked update client x PV307");
    assert_snapshot!(summary(&desired([pinned(ID)]), &with([(ID, krr())])), @"blocked update client x PV307");
    // A deactivated client does not conflict.
    let closed = LiveClient { active: false, ..krr() };
    assert_snapshot!(summary(&desired([client("x", &[])]), &with([(ID, closed)])), @r#"create client x integration_type:null->"maskinporten""#);
}

#[test]
fn a_client_is_renamed_by_its_previous_name_or_its_id() {
    let live = || with([(ID, live_client("old", true, &[], &[]))]);
    let by_name = DesiredClient { identity: named("new", None, Some("old")), ..client("new", &[]) };
    assert_snapshot!(summary(&desired([by_name.clone()]), &live()), @r#"update client new client_name:"old"->"new""#);
    let pinned = DesiredClient { identity: named("new", Some(ID), None), ..client("new", &[]) };
    // A pinned id alone may be wrong.
    assert_snapshot!(summary(&desired([pinned.clone()]), &live()), @r"
    blocked update client new PV312
    PV401 client old
    ");
    let pinned = DesiredClient { identity: named("new", Some(ID), Some("old")), ..pinned };
    assert_snapshot!(summary(&desired([pinned]), &live()), @r#"update client new client_name:"old"->"new""#);
    // Two declarations of one live client are both blocked.
    assert_snapshot!(summary(&desired([by_name, client("old", &[])]), &live()), @r"
    blocked update client new PV309
    blocked update client old PV309
    ");
}

#[test]
fn keys_are_compared_by_id_and_modulus() {
    let live = |keys: &[LiveKey]| with([(ID, live_client("x", true, &[], keys))]);
    let summary = |keys: Option<Vec<PublicKey>>, before: &[LiveKey]| {
        let declared = DesiredClient { keys, ..client("x", &[]) };
        let plan = planned(&desired([declared]), &live(before));
        let changes = plan.actions.iter().flat_map(|action| action.changes());
        let kid = |value: &Value| value["kid"].as_str().unwrap_or("-").to_owned();
        let changes = changes.map(|c| format!("{}->{}", kid(&c.before), kid(&c.after)));
        changes.collect::<Vec<_>>().join(" ")
    };
    let before = [live_key("a", 1), live_key("b", 2)];
    assert_eq!(summary(None, &before), "");
    assert_eq!(summary(Some(vec![key("b", 2), key("a", 1)]), &before), "");
    assert_eq!(summary(Some(vec![key("a", 1)]), &before), "b->-");
    assert_eq!(summary(Some(vec![key("a", 9), key("b", 2)]), &before), "-->a a->-");
    assert_eq!(summary(Some(vec![]), &before), "a->- b->-");
    assert_eq!(summary(Some(vec![]), &[]), "");
}

#[test]
fn a_key_that_stays_is_sent_as_it_is() {
    let before = [ending("a", 1, "2027-01-01T00:00:00Z")];
    let declared = DesiredClient { keys: Some(vec![key("a", 1), key("b", 2)]), ..client("x", &[]) };
    let plan = planned(&desired([declared]), &with([(ID, live_client("x", true, &[], &before))]));
    let Work::Keys(_, work) = &plan.actions[0].work else { panic!("{plan:?}") };
    let set = work.set();
    assert_eq!(set[0], before[0].representation);
    assert_eq!(set[1], key("b", 2).to_jwk());
}

#[test]
fn keys_that_end_soon_are_reported_and_those_that_go_are_not() {
    let keys = [
        ending("past", 1, "2026-11-01T00:00:00Z"),
        ending("soon", 2, "2026-12-04T12:00:00Z"),
        ending("late", 3, "2027-06-01T00:00:00Z"),
        ending("goes", 4, "2026-12-04T12:00:00Z"),
    ];
    let stay = vec![key("past", 1), key("soon", 2), key("late", 3)];
    let declared = DesiredClient { keys: Some(stay), ..client("x", &[]) };
    let plan = planned(&desired([declared]), &with([(ID, live_client("x", true, &[], &keys))]));
    let summary: Vec<_> = plan.notices.iter().map(|notice| notice.message.as_str()).collect();
    assert_eq!(
        summary,
        [
            "the key past ended on 2026-11-01: renew it with `portvakt keys renew`, or add another with \
             `portvakt keys rotate`",
            "the key soon ends on 2026-12-04: renew it with `portvakt keys renew`, or add another with \
             `portvakt keys rotate`",
        ]
    );
}

pub(super) fn foreign(scope: &str, foreign: ForeignScope) -> Live {
    Live { foreign: [(name(scope), foreign)].into(), ..with([]) }
}

#[test]
fn a_client_waits_for_access_to_what_it_consumes() {
    let owned = || ForeignScope {
        owner: Some(orgno(SKATT)),
        owner_name: Some("DigDirs navn".to_owned()),
        ..ForeignScope::default()
    };
    let state =
        |state: &str| ForeignScope { access: Some(AccessState::from(state.to_owned())), ..owned() };
    let why = |foreign_scope| {
        let live = foreign("skatt:a", foreign_scope);
        let plan = planned(&desired([client("x", &["skatt:a"])]), &live);
        let blocked = plan.blocked.first();
        blocked.map_or("-".to_owned(), |b| format!("{} {}: {}", b.code, b.target, b.message))
    };
    assert_eq!(why(state("APPROVED")), "-");
    assert_eq!(why(ForeignScope { open: true, ..owned() }), "-");
    assert_eq!(
        why(owned()),
        "PV310 create client x: access to skatt:a is missing: ask its owner, Skatteetaten (974761076)"
    );
    assert_eq!(
        why(state("REQUESTED")),
        "PV310 create client x: access to skatt:a is REQUESTED, and Skatteetaten (974761076), its \
         owner, has not answered"
    );
    assert_eq!(
        why(state("DENIED")),
        "PV310 create client x: access to skatt:a is DENIED: ask its owner, Skatteetaten (974761076)"
    );
    let closed = ForeignScope { inactive: true, ..state("APPROVED") };
    assert!(why(closed).contains("skatt:a is inactive"));
    let krr = ForeignScope {
        allowed_integration_types: [IntegrationType::Krr].into(),
        ..state("APPROVED")
    };
    assert_eq!(
        why(krr),
        "PV311 create client x: skatt:a is for clients of krr alone, and this one is of maskinporten"
    );
    let plan = planned(&desired([client("x", &["skatt:b", "openid"])]), &with([]));
    assert!(plan.blocked[0].message.contains("no public scope of that name"), "{plan:?}");
    assert!(plan.blocked[0].message.contains("no scope 'openid'"), "{plan:?}");
    let delegable = foreign("skatt:a", ForeignScope { delegable: true, ..owned() });
    assert_snapshot!(summary(&desired([client("x", &["skatt:a"])]), &delegable), @r#"
    create client x integration_type:null->"maskinporten" scopes:null->["skatt:a"]
    PV405 client x
    "#);
}

#[test]
fn what_is_on_the_client_already_blocks_nothing() {
    let live = with([(ID, live_client("x", true, &["skatt:a"], &[]))]);
    assert_snapshot!(summary(&desired([client("x", &["skatt:a"])]), &live), @"PV406 client x");
    assert_snapshot!(summary(&desired([client("x", &["skatt:a", "skatt:b"])]), &live), @r"
    blocked update client x with skatt:b PV310
    PV406 client x
    ");
}

#[test]
fn a_scope_of_our_own_is_made_before_the_client_that_consumes_it() {
    let both = || {
        let mut both = desired([client("x", &["etat:a"])]);
        both.scopes = [(name("etat:a"), scope(&[]))].into();
        both
    };
    assert_snapshot!(summary(&both(), &with([])), @r#"
    create scope etat:a description:null->"Les"
    create client x integration_type:null->"maskinporten" scopes:null->["etat:a"] after:[create scope etat:a]
    "#);
    let inactive = Live { scopes: live([("etat:a", live_scope(false, &[]))]).scopes, ..with([]) };
    assert_snapshot!(summary(&both(), &inactive), @r#"
    reactivate scope etat:a
    create client x integration_type:null->"maskinporten" scopes:null->["etat:a"] after:[reactivate scope etat:a]
    "#);
    let undeclared = desired([client("x", &["etat:a"])]);
    assert_snapshot!(summary(&undeclared, &inactive), @"blocked create client x PV310");
    assert_snapshot!(summary(&undeclared, &with([])), @"blocked create client x PV319");
    let foreign_prefix = Live { prefixes: [].into(), ..with([]) };
    assert_snapshot!(summary(&both(), &foreign_prefix), @r"
    blocked create scope etat:a PV303
    blocked create client x PV310
    ");
}

#[test]
fn a_client_is_closed_before_the_scope_that_it_consumes() {
    let mut gone = removed("x", None, RemovalAction::Deactivate);
    gone.removed = [(name("etat:a"), removal(RemovalAction::Deactivate))].into();
    let scopes = live([("etat:a", live_scope(true, &[]))]).scopes;
    let live = Live { scopes, ..with([(ID, live_client("x", true, &["etat:a"], &[]))]) };
    assert_snapshot!(summary(&gone, &live), @r"
    deactivate client x
    deactivate scope etat:a after:[deactivate client x]
    ");
}

#[test]
fn those_on_whose_behalf_a_client_acts_are_reported_one_by_one() {
    let entry = |name: &str| OnBehalfOf { name: Some(name.to_owned()), ..OnBehalfOf::default() };
    let kind = IntegrationType::Idporten;
    let declared = DesiredClient {
        attributes: ClientAttributes::defaults(kind, None),
        on_behalf_of: Some(
            [("b".parse().unwrap(), entry("Ny")), ("c".parse().unwrap(), entry("C"))].into(),
        ),
        ..client("x", &[])
    };
    let registered = |name: &str| json!({ "name": name, "odd": 1 }).as_object().unwrap().clone();
    let on_behalf_of: BTreeMap<_, _> =
        [("a".parse().unwrap(), registered("A")), ("b".parse().unwrap(), registered("Gammel"))]
            .into();
    let live = LiveClient {
        integration_type: "idporten".to_owned(),
        on_behalf_of: Some(on_behalf_of),
        ..live_client("x", true, &["openid", "profile"], &[])
    };
    let live = with([(ID, LiveClient { representation: with_type(&live, "idporten"), ..live })]);
    let plan = planned(&desired([declared]), &live);
    let changes: Vec<_> =
        plan.actions[0].changes().iter().map(|c| format!("{} -> {}", c.before, c.after)).collect();
    assert_eq!(
        changes,
        [
            r#"{"name":"A","odd":1,"onbehalfof":"a"} -> null"#,
            r#"{"name":"Gammel","odd":1,"onbehalfof":"b"} -> {"name":"Ny","odd":1,"onbehalfof":"b"}"#,
            r#"null -> {"name":"C","onbehalfof":"c"}"#,
        ]
    );
}

fn with_type(live: &LiveClient, kind: &str) -> domain::Representation {
    let mut representation = live.representation.clone();
    representation.insert("integration_type".to_owned(), kind.into());
    representation
}

fn own_client(id: ClientId) -> OwnClient {
    OwnClient { id, kid: Some("own".to_owned()), key_expires: None, certificate_expires: None }
}

#[test]
fn our_own_client_keeps_its_key_and_its_scopes() {
    let live = |kid: Option<&str>| {
        let keys = [live_key("own", 1)];
        let client = live_client("portvakt", true, &["idporten:dcr.read"], &keys);
        let own = OwnClient { kid: kid.map(str::to_owned), ..own_client(ID.parse().unwrap()) };
        Live { own_client: Some(own), ..with([(ID, client)]) }
    };
    let declared = |keys, scopes: &[&str]| {
        desired([DesiredClient { keys: Some(keys), ..client("portvakt", scopes) }])
    };
    let scopes = ["idporten:dcr.read"];
    let other = declared(vec![key("b", 2)], &scopes);
    assert!(summary(&other, &live(Some("own"))).starts_with("blocked keys client portvakt PV313"));
    let more = declared(vec![key("own", 1), key("b", 2)], &scopes);
    assert!(summary(&more, &live(Some("own"))).starts_with("keys client portvakt"));
    // A certificate is accepted only as long as there is no key.
    assert!(summary(&more, &live(None)).starts_with("blocked keys client portvakt PV313"));
    let fewer = declared(vec![key("own", 1)], &[]);
    assert_snapshot!(summary(&fewer, &live(Some("own"))), @"blocked update client portvakt PV313");
}

#[test]
fn a_renamed_client_is_of_its_kind_too() {
    let krr =
        LiveClient { integration_type: "krr".to_owned(), ..live_client("old", true, &[], &[]) };
    let renamed = DesiredClient { identity: named("new", None, Some("old")), ..client("new", &[]) };
    assert!(
        summary(&desired([renamed]), &with([(ID, krr)]))
            .starts_with("blocked update client new PV307")
    );
}

#[test]
fn our_own_client_is_never_deactivated() {
    let own: ClientId = ID.parse().unwrap();
    let live = Live {
        own_client: Some(own_client(own)),
        ..with([(ID, live_client("portvakt", true, &[], &[]))])
    };
    let gone = removed("portvakt", None, RemovalAction::Deactivate);
    assert_snapshot!(summary(&gone, &live), @"blocked deactivate client portvakt PV313");
}

#[test]
fn an_id_of_another_client_deactivates_nothing() {
    let live = with([(ID, live_client("prod:a:x", true, &[], &[]))]);
    let gone = removed("x", Some(ID), RemovalAction::Deactivate);
    assert_snapshot!(summary(&gone, &live), @"blocked deactivate client x PV312");
}

#[test]
fn what_kind_of_client_is_made_is_shown() {
    let native = ClientAttributes::defaults(
        IntegrationType::Idporten,
        Some(domain::ApplicationType::Native),
    );
    let native = DesiredClient { attributes: native, ..client("x", &[]) };
    assert_snapshot!(summary(&desired([native]), &with([])), @r#"create client x integration_type:null->"idporten" application_type:null->"native" token_endpoint_auth_method:null->"none""#);
}

#[test]
fn the_last_keys_go_after_what_makes_them_needless() {
    let secret = |wanted| {
        let mut secret = client("x", &[]);
        secret.attributes = ClientAttributes {
            token_endpoint_auth_method: Some(domain::AuthMethod::ClientSecretBasic),
            ..ClientAttributes::defaults(IntegrationType::Idporten, None)
        };
        secret.keys = wanted;
        secret
    };
    let live = || {
        let mut live = live_client("x", true, &["openid", "profile"], &[live_key("a", 1)]);
        live.integration_type = "idporten".to_owned();
        live.representation = with_type(&live, "idporten");
        with([(ID, live)])
    };
    let plan = planned(&desired([secret(Some(vec![]))]), &live());
    let ids: Vec<_> = plan.actions.iter().map(|action| action.id().to_string()).collect();
    assert_eq!(ids, ["update client x", "keys client x"]);
    assert_eq!(plan.actions[1].after[0].to_string(), "update client x");
    assert_eq!(plan.notices[0].code.as_str(), "PV408");
    // Where the update is blocked, the keys stay.
    let blocked = DesiredClient { keys: Some(vec![]), ..client("x", &["skatt:a"]) };
    let live = with([(ID, live_client("x", true, &[], &[live_key("a", 1)]))]);
    let plan = planned(&desired([blocked]), &live);
    assert!(plan.actions.is_empty() && plan.blocked.len() == 1, "{plan:?}");
}

#[test]
fn our_own_client_is_not_reported_as_unmanaged() {
    let own: ClientId = ID.parse().unwrap();
    let two = || {
        with([
            (ID, live_client("portvakt", true, &[], &[])),
            ("b", live_client("y", true, &[], &[])),
        ])
    };
    let live = Live { own_client: Some(own_client(own)), ..two() };
    assert_snapshot!(summary(&declared([]), &live), @"PV401 client y");
}

#[test]
fn clients_count_for_the_limits() {
    let mut many = desired(
        ["a", "b", "c", "d"].map(|name| DesiredClient { active: false, ..client(name, &[]) }),
    );
    let live = with(["a", "b", "c", "d"].map(|name| (name, live_client(name, true, &[], &[]))));
    many.guards.max_changed_percent = Some(50);
    let plan = planned(&many, &live);
    let summary: Vec<_> =
        plan.exceeded_limits.iter().map(|limit| limit.message.split(';').next().unwrap()).collect();
    assert_eq!(
        summary,
        [
            "4 clients would be deactivated",
            "4 of 4 live scopes, accesses and clients (100 %) would be changed",
        ]
    );
}

#[test]
fn the_digest_distinguishes_keys_and_clients() {
    let with_key = |number, id: &'static str| {
        let declared = DesiredClient { keys: Some(vec![key("a", number)]), ..client("x", &[]) };
        planned(&desired([declared]), &with([(id, live_client("x", true, &[], &[]))])).digest()
    };
    assert_eq!(with_key(1, "a"), with_key(1, "a"));
    assert_ne!(with_key(1, "a"), with_key(2, "a"));
    assert_ne!(with_key(1, "a"), with_key(1, "b"));
}

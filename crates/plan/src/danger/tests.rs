use serde_json::{Value, json};

use super::super::{Kind, Verb};
use super::{Danger, FieldChange, Operation};
use domain::{CLIENT, OnBehalfOf, SCOPE};

const ALTINN: &str = "https://tt02.altinn.no/";
const AT_NAIS: &str = "prod-gcp:arbeid:aareg";

fn update(kind: Kind) -> Operation<'static> {
    Operation { verb: Verb::Update, kind, scope: (kind == Kind::Scope).then_some("etat:a.read") }
}

fn create(kind: Kind) -> Operation<'static> {
    Operation { verb: Verb::Create, ..update(kind) }
}

/// The danger of an action that changes one field.
fn danger(operation: Operation<'_>, field: &str, before: &Value, after: &Value) -> Option<Danger> {
    operation.danger([(field, before, after)].into_iter())
}

/// Each attribute of a scope with a narrow and a wide value; two of a neutral one.
fn scopes() -> [(&'static str, Value, Value); 14] {
    [
        ("description", json!("Les"), json!(format!("a - {AT_NAIS}"))),
        ("long_description", json!("x"), json!("y")),
        ("visibility", json!("PRIVATE"), json!("PUBLIC")),
        ("token_type", json!("OPAQUE"), json!("SELF_CONTAINED")),
        ("allowed_integration_types", json!(["maskinporten"]), json!(["krr", "maskinporten"])),
        ("at_max_age", json!(120), json!(121)),
        ("authorization_max_lifetime", json!(120), json!(600)),
        ("accessible_for_all", json!(false), json!(true)),
        ("supports_european_businesses", json!(false), json!(true)),
        ("delegation_source", Value::Null, json!(ALTINN)),
        ("enforced_aud_for_access_token", json!("https://etat.no"), Value::Null),
        ("requires_user_consent", json!(true), json!(false)),
        ("requires_user_authentication", json!(true), json!(false)),
        ("requires_pseudonymous_tokens", json!(true), json!(false)),
    ]
}

/// The same for a client.
fn clients() -> [(&'static str, Value, Value); 19] {
    let machine = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    [
        ("integration_type", json!("krr"), json!("maskinporten")),
        ("description", json!("Henter"), json!(AT_NAIS)),
        ("scopes", json!(["etat:a"]), json!(["etat:a", "etat:b"])),
        ("client_orgno", Value::Null, json!("974761076")),
        ("supplier_orgno", Value::Null, json!("974761076")),
        ("application_type", json!("web"), json!("browser")),
        ("token_endpoint_auth_method", json!("private_key_jwt"), json!("client_secret_post")),
        ("grant_types", json!([machine]), json!(["implicit", machine])),
        ("access_token_lifetime", json!(120), json!(300)),
        ("refresh_token_lifetime", json!(600), json!(700)),
        ("authorization_lifetime", json!(7200), json!(7201)),
        ("refresh_token_usage", json!("ONETIME"), json!("REUSE")),
        ("logo_uri", json!("https://a.no/1"), json!("https://a.no/2")),
        ("redirect_uris", json!([]), json!(["https://a.no/"])),
        ("post_logout_redirect_uris", json!(["https://a.no/"]), json!(["https://a.no/", "x:/"])),
        ("frontchannel_logout_session_required", json!(true), json!(false)),
        ("frontchannel_logout_uri", json!("https://a.no/"), Value::Null),
        ("sso_disabled", json!(true), json!(false)),
        ("code_challenge_method", json!("S256"), json!("none")),
    ]
}

const NEUTRAL: [&str; 3] = ["long_description", "integration_type", "logo_uri"];

#[test]
fn each_attribute_is_marked_where_it_widens_and_not_where_it_narrows() {
    let all = scopes().into_iter().map(|row| (Kind::Scope, row));
    let all = all.chain(clients().into_iter().map(|row| (Kind::Client, row)));
    for (kind, (field, narrow, wide)) in all {
        let wider = match field {
            field if NEUTRAL.contains(&field) => None,
            "scopes" => Some(Danger::Reaches),
            _ => Some(Danger::Opens),
        };
        // Restricting access to some organisations removes that of all others.
        let is_open = matches!(field, "accessible_for_all" | "supports_european_businesses");
        let narrower = is_open.then_some(Danger::Closes);
        assert_eq!(danger(update(kind), field, &narrow, &wide), wider, "{field} widens");
        assert_eq!(danger(update(kind), field, &wide, &narrow), narrower, "{field} narrows");
        assert_eq!(danger(update(kind), field, &wide, &wide), None, "{field} stays");
    }
}

#[test]
fn every_attribute_is_tried() {
    assert_eq!(scopes().map(|(field, ..)| field), SCOPE.all().map(|attribute| attribute.name));
    assert_eq!(clients().map(|(field, ..)| field), CLIENT.all().map(|attribute| attribute.name));
}

#[test]
fn of_an_entry_on_behalf_of_others_the_organisation_alone_opens() {
    let fields = OnBehalfOf::default().wanted().map(|field| field.name);
    assert_eq!(fields, ["name", "orgno", "organization_name", "description", "uri", "logo_uri"]);
    for field in fields {
        let (before, after) = (json!({ field: "1" }), json!({ field: "2" }));
        let expected = (field == "orgno").then_some(Danger::Opens);
        let found = danger(update(Kind::Client), "onbehalfof", &before, &after);
        assert_eq!(found, expected, "{field}");
    }
}

/// Values at the edges of an attribute, and whether the change widens.
fn edges() -> Vec<(Kind, &'static str, Value, Value, bool)> {
    use Kind::{Client, Scope};
    let types = "allowed_integration_types";
    let method = "token_endpoint_auth_method";
    let basic = json!("client_secret_basic");
    vec![
        (Scope, types, json!(["krr"]), json!([]), true),
        (Scope, types, json!([]), json!(["krr"]), false),
        (Scope, types, json!(["krr"]), json!(["maskinporten"]), true),
        (Scope, "at_max_age", json!(120), json!(0), true),
        (Scope, "at_max_age", json!(0), json!(86_400), false),
        (Scope, "at_max_age", json!("120"), json!(60), false),
        (Scope, "at_max_age", json!("120"), json!(180), true),
        (Scope, "at_max_age", json!({}), json!(60), true),
        (Scope, "visibility", json!("INTERNAL"), json!("PRIVATE"), true),
        (Scope, "visibility", json!("SECRET"), json!("PRIVATE"), true),
        (Scope, "visibility", json!("PRIVATE"), json!("INTERNAL"), false),
        (Scope, "delegation_source", json!(ALTINN), json!("https://b.no/"), true),
        (Scope, "delegation_source", json!(ALTINN), Value::Null, false),
        (Scope, "enforced_aud_for_access_token", json!("a"), json!("b"), true),
        (Scope, "enforced_aud_for_access_token", Value::Null, json!("b"), false),
        (Scope, "requires_user_consent", json!("true"), json!(false), true),
        (Scope, "description", json!("x"), json!("prodgcp:arbeid:aareg.a.read"), true),
        (Scope, "description", json!("x"), json!("prodgcp:arbeid:aareg.b.read"), false),
        (
            Scope,
            "description",
            json!(format!("b - {AT_NAIS}")),
            json!(format!("a - {AT_NAIS}")),
            false,
        ),
        (Client, method, basic.clone(), json!("client_secret_post"), false),
        (Client, method, basic.clone(), json!("none"), true),
        (Client, method, json!("none"), basic, false),
        (Client, "access_token_lifetime", Value::Null, json!(120), false),
        (Client, "access_token_lifetime", Value::Null, json!(121), true),
        (Client, "client_orgno", json!("974761076"), json!("971040238"), true),
        (Client, "redirect_uris", json!(["a:/"]), json!(["b:/"]), true),
        (Client, "frontchannel_logout_uri", json!("a:/"), json!("b:/"), true),
        (Client, "frontchannel_logout_uri", Value::Null, json!("b:/"), false),
        (Client, "description", json!("prod-gcp:a:b"), json!(AT_NAIS), true),
        (Client, "client_name", json!("a"), json!("b"), false),
        (Client, "onbehalfof", Value::Null, json!({ "onbehalfof": "x" }), true),
        (Client, "onbehalfof", json!({ "onbehalfof": "x" }), Value::Null, false),
        (Client, "onbehalfof", json!({ "name": "x" }), json!({ "name": "y" }), false),
        (Client, "onbehalfof", json!({ "orgno": "1" }), json!({ "orgno": "2" }), true),
        (Client, "onbehalfof", json!({ "orgno": "1" }), json!({}), false),
    ]
}

#[test]
fn the_edges_of_attributes() {
    for (kind, field, before, after, widens) in edges() {
        let expected = widens.then_some(Danger::Opens);
        let found = danger(update(kind), field, &before, &after);
        assert_eq!(found, expected, "{field} from {before} to {after}");
    }
}

#[test]
fn what_is_created_is_compared_with_the_default() {
    for (kind, field, after, expected) in [
        (Kind::Scope, "accessible_for_all", json!(true), Some(Danger::Opens)),
        (Kind::Scope, "delegation_source", json!(ALTINN), Some(Danger::Opens)),
        (Kind::Scope, "visibility", json!("PRIVATE"), None),
        (Kind::Scope, "token_type", json!("OPAQUE"), None),
        (Kind::Scope, "allowed_integration_types", json!(["krr"]), None),
        (Kind::Scope, "at_max_age", json!(999), None),
        (Kind::Scope, "enforced_aud_for_access_token", json!("x"), None),
        (Kind::Scope, "requires_user_consent", json!(true), None),
        (Kind::Scope, "description", json!(format!("a - {AT_NAIS}")), None),
        (Kind::Client, "integration_type", json!("krr"), Some(Danger::Reaches)),
        (Kind::Client, "scopes", json!(["etat:a"]), Some(Danger::Reaches)),
        (Kind::Client, "description", json!(AT_NAIS), Some(Danger::Reaches)),
        (Kind::Client, "redirect_uris", json!(["https://a.no/"]), Some(Danger::Reaches)),
        (Kind::Client, "grant_types", json!(["refresh_token"]), Some(Danger::Reaches)),
        (Kind::Client, "grant_types", json!(["implicit"]), Some(Danger::Opens)),
        (Kind::Client, "code_challenge_method", json!("none"), Some(Danger::Opens)),
        (Kind::Client, "authorization_lifetime", json!(9000), Some(Danger::Opens)),
        (Kind::Client, "sso_disabled", json!(false), Some(Danger::Opens)),
    ] {
        assert_eq!(danger(create(kind), field, &Value::Null, &after), expected, "{field}");
    }
    let all_at_once = json!(["https://a.no/"]);
    let mark = create(Kind::Client).mark(("redirect_uris", &Value::Null, &all_at_once));
    assert_eq!(mark, None, "an address is what a new client needs");
}

#[test]
fn each_action_has_the_most_severe_of_its_dangers() {
    let (no, yes, null) = (json!(false), json!(true), Value::Null);
    let (one, two) = (json!(["a"]), json!(["a", "b"]));
    let key = json!({ "kid": "a" });
    let opens: FieldChange<'_> = ("accessible_for_all", &no, &yes);
    let redirects: FieldChange<'_> = ("redirect_uris", &one, &two);
    let reaches: FieldChange<'_> = ("scopes", &one, &two);
    let (comes, goes): (FieldChange<'_>, FieldChange<'_>) =
        (("jwks", &null, &key), ("jwks", &key, &null));
    for (verb, kind, changes, expected) in [
        (Verb::Revoke, Kind::Access, &[][..], Some(Danger::Closes)),
        (Verb::Grant, Kind::Access, &[], Some(Danger::Grants)),
        (Verb::Deactivate, Kind::Scope, &[], Some(Danger::Closes)),
        (Verb::Deactivate, Kind::Client, &[], Some(Danger::Closes)),
        (Verb::Reactivate, Kind::Scope, &[], Some(Danger::Reopens)),
        (Verb::Reactivate, Kind::Scope, &[opens], Some(Danger::Reopens)),
        (Verb::Reactivate, Kind::Client, &[reaches], Some(Danger::Reopens)),
        (Verb::Create, Kind::Scope, &[], None),
        (Verb::Create, Kind::Client, &[], Some(Danger::Reaches)),
        (Verb::Update, Kind::Client, &[reaches, redirects], Some(Danger::Opens)),
        (Verb::Update, Kind::Client, &[], None),
        (Verb::Release, Kind::Scope, &[], None),
        (Verb::Release, Kind::Client, &[], None),
        (Verb::Keys, Kind::Keys, &[comes], Some(Danger::Keys)),
        (Verb::Keys, Kind::Keys, &[comes, goes], Some(Danger::Keys)),
        (Verb::Keys, Kind::Keys, &[goes], Some(Danger::Closes)),
    ] {
        let operation = Operation { verb, kind, scope: None };
        let found = operation.danger(changes.iter().copied());
        assert_eq!(found, expected, "{verb:?} {kind:?} {changes:?}");
    }
}

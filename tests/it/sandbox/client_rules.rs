//! Valid combinations of client attributes and scopes.

use domain::{AccessState, IntegrationType};
use sandbox::Switches;
use serde_json::{Value, json};

use super::registry::{check_answers, fields, foreign, make, maskinporten, with, world};
use crate::support::{DIGDIR, NAV, orgno, scope, two_organizations};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn body(kind: &str, application: &str, method: &str, grants: &[&str]) -> Value {
    json!({
        "client_name": "Klient", "integration_type": kind, "application_type": application,
        "token_endpoint_auth_method": method, "grant_types": grants,
    })
}

#[tokio::test]
async fn only_what_goes_together_is_taken() {
    let world = world().await;
    let code = ["authorization_code", "refresh_token"];
    for (kind, application, method, grants) in [
        ("maskinporten", "web", "private_key_jwt", &[JWT_BEARER][..]),
        ("krr", "web", "private_key_jwt", &[JWT_BEARER]),
        ("idporten", "web", "client_secret_basic", &code),
        ("idporten", "web", "client_secret_post", &code[..1]),
        ("api_klient", "web", "private_key_jwt", &code),
        ("ansattporten", "browser", "none", &code),
        ("idporten", "native", "none", &code),
        ("eformidling", "web", "private_key_jwt", &[JWT_BEARER]),
    ] {
        let body = body(kind, application, method, grants);
        let (status, answer) = world.post("/clients", body.clone()).await;
        assert_eq!(status, 200, "{body}: {answer}");
    }
    for (kind, application, method, grants, field) in [
        ("maskinporten", "native", "none", &[JWT_BEARER][..], "application_type"),
        ("maskinporten", "web", "client_secret_basic", &[JWT_BEARER], "token_endpoint_auth_method"),
        ("maskinporten", "web", "private_key_jwt", &code, "grant_types"),
        ("maskinporten", "web", "private_key_jwt", &[], "grant_types"),
        ("krr", "web", "none", &[JWT_BEARER], "token_endpoint_auth_method"),
        ("idporten", "web", "none", &code, "token_endpoint_auth_method"),
        ("idporten", "browser", "private_key_jwt", &code, "token_endpoint_auth_method"),
        ("ansattporten", "native", "none", &["implicit"], "grant_types"),
        ("api_klient", "web", "private_key_jwt", &[JWT_BEARER], "grant_types"),
        ("api_klient", "web", "private_key_jwt", &["refresh_token"], "grant_types"),
    ] {
        let body = body(kind, application, method, grants);
        let (status, answer) = world.post("/clients", body.clone()).await;
        assert_eq!((status, fields(&answer)), (400, vec![field]), "{body}");
    }
    world.check();
}

#[tokio::test]
async fn what_is_of_the_wrong_type_is_reported_field_by_field() {
    let world = world().await;
    let before = world.sandbox.state();
    let wrong = json!({
        "client_name": 7, "integration_type": "altinn", "application_type": "desktop",
        "access_token_lifetime": -1, "sso_disabled": "no", "redirect_uris": "https://a",
        "scopes": "etat:a", "active": 1, "grant_types": ["password"], "supplier_orgno": "123",
        "code_challenge_method": "plain", "description": 7,
    });
    let (status, answer) = world.post("/clients", wrong.clone()).await;
    let mut text = fields(&answer);
    text.sort_unstable();
    let mut expected: Vec<&str> = wrong.as_object().unwrap().keys().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!((status, text), (400, expected));
    let (_, answer) = world.post("/clients", json!({})).await;
    assert_eq!(fields(&answer), ["integration_type"]);
    assert_eq!(world.post("/clients", json!([])).await.0, 400);
    for lifetime in ["access_token_lifetime", "refresh_token_lifetime", "authorization_lifetime"] {
        let mut body = maskinporten(&[]);
        body[lifetime] = json!(0);
        let (status, answer) = world.post("/clients", body).await;
        assert_eq!((status, fields(&answer)), (400, vec![lifetime]));
    }
    assert_eq!(world.sandbox.state(), before);
    check_answers(&world);
}

#[tokio::test]
async fn lifetimes_are_in_order_where_there_is_a_refresh_token() {
    let world = world().await;
    for (access, refresh, authorization, field) in [
        (600, 600, 7200, Some("refresh_token_lifetime")),
        (120, 7201, 7200, Some("authorization_lifetime")),
        (599, 600, 600, None),
    ] {
        let mut body = json!({
            "client_name": "Klient", "integration_type": "idporten",
            "access_token_lifetime": access, "refresh_token_lifetime": refresh,
            "authorization_lifetime": authorization,
        });
        let (status, answer) = world.post("/clients", body.clone()).await;
        match field {
            None => assert_eq!(status, 200, "{answer}"),
            Some(field) => assert_eq!((status, fields(&answer)), (400, vec![field])),
        }
        body["integration_type"] = json!("maskinporten");
        assert_eq!(world.post("/clients", body).await.0, 200);
    }
    world.check();
}

#[tokio::test]
async fn a_scope_must_be_ones_own_or_open_or_granted() {
    let mut state = two_organizations();
    state.put_scope(orgno(NAV), scope("etat:own"), true, &Default::default());
    state.put_scope(orgno(NAV), scope("etat:gone"), false, &Default::default());
    foreign(&mut state, "dig:closed", |_| {});
    foreign(&mut state, "dig:open", |scope| scope.accessible_for_all = true);
    foreign(&mut state, "dig:krr", |scope| {
        scope.accessible_for_all = true;
        scope.allowed_integration_types = [IntegrationType::Krr].into();
    });
    foreign(&mut state, "dig:delegated", |scope| {
        scope.delegation_source = Some("https://tt02.altinn.no/".to_owned());
    });
    for (name, access) in [
        ("dig:approved", AccessState::Approved),
        ("dig:requested", AccessState::Requested),
        ("dig:denied", AccessState::Denied),
    ] {
        foreign(&mut state, name, |_| {});
        state.put_access(scope(name), orgno(NAV), access);
    }
    let world = with(state, Switches::default()).await;
    let (good, _) = make(&world, maskinporten(&[])).await;
    for (name, text) in [
        ("etat:own", None),
        ("dig:open", None),
        ("dig:approved", None),
        ("idporten:dcr.write", None),
        ("etat:gone", Some("is inactive")),
        ("etat:none", Some("does not exist")),
        ("none", Some("does not exist")),
        ("dig:closed", Some("has not been granted")),
        ("dig:requested", Some("has not been granted")),
        ("dig:denied", Some("has not been granted")),
        ("dig:delegated", Some("has not been granted")),
        ("dig:krr", Some("is not allowed for maskinporten")),
        ("krr:global/digitalpost.read", None),
        ("openid", Some("does not exist")),
    ] {
        let put = world.put(&format!("/clients/{good}"), maskinporten(&[name])).await;
        for (status, answer) in [put, world.post("/clients", maskinporten(&[name])).await] {
            let Some(text) = text else {
                assert_eq!((status, &answer["scopes"]), (200, &json!([name])));
                continue;
            };
            assert_eq!((status, fields(&answer)), (400, vec!["scopes"]), "{name}");
            let message = answer["errors"][0]["errorMessage"].as_str().unwrap();
            assert!(message.contains(text), "{message}");
        }
    }
    world.sandbox.edit(|state| {
        state.put_delegation(scope("dig:delegated"), orgno(DIGDIR), orgno(NAV));
        state.put_delegation(scope("dig:closed"), orgno(DIGDIR), orgno(NAV));
    });
    assert_eq!(world.post("/clients", maskinporten(&["dig:delegated"])).await.0, 200);
    let (status, _) = world.post("/clients", maskinporten(&["dig:closed"])).await;
    assert_eq!(status, 400, "without a delegation source nothing can be delegated");
    world.check();
}

#[tokio::test]
async fn a_scope_that_is_there_may_stay_when_it_can_no_longer_be_had() {
    let mut state = two_organizations();
    foreign(&mut state, "dig:a", |_| {});
    state.put_access(scope("dig:a"), orgno(NAV), AccessState::Approved);
    let world = with(state, Switches::default()).await;
    let (id, made) = make(&world, maskinporten(&["dig:a"])).await;
    world.sandbox.edit(|state| {
        state.put_access(scope("dig:a"), orgno(NAV), AccessState::Denied);
    });
    let (status, put) = world.put(&format!("/clients/{id}"), made).await;
    assert_eq!((status, &put["scopes"]), (200, &json!(["dig:a"])));
    assert_eq!(world.post("/clients", maskinporten(&["dig:a"])).await.0, 400);
    world.check();
}

#[tokio::test]
async fn some_types_have_scopes_of_their_own() {
    let world = world().await;
    let make = async |kind: &str, scopes: Option<Value>| {
        let mut body = json!({ "client_name": "Klient", "integration_type": kind });
        if let Some(scopes) = scopes {
            body["scopes"] = scopes;
        }
        let (status, answer) = world.post("/clients", body).await;
        (status, answer["scopes"].clone())
    };
    let krr = json!(["krr:global/digitalpost.read", "krr:global/kontaktinformasjon.read"]);
    assert_eq!(make("krr", None).await, (200, krr.clone()));
    assert_eq!(make("krr", Some(krr.clone())).await, (200, krr));
    assert_eq!(make("krr", Some(json!(["idporten:dcr.read"]))).await.0, 400);
    assert_eq!(make("idporten", None).await, (200, json!(["openid", "profile"])));
    let eidas = json!(["eidas", "openid"]);
    assert_eq!(make("idporten", Some(eidas.clone())).await, (200, eidas));
    assert_eq!(make("idporten", Some(json!(["etat:a"]))).await.0, 400);
    assert_eq!(make("api_klient", Some(json!(["openid"]))).await.0, 200);
    world.check();
}

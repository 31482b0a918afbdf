//! Clients: their life, their representation, who sees them.

use sandbox::Switches;
use serde_json::{Value, json};

use super::registry::{check_answers, fields, make, maskinporten, with, world};
use crate::support::{DIGDIR, NAV, World, column, two_organizations};

#[tokio::test]
async fn a_new_client_has_an_id_and_what_the_server_adds() {
    let world = world().await;
    let (id, made) = make(&world, maskinporten(&["idporten:scopes.read"])).await;
    assert_eq!(id.parse::<uuid::Uuid>().unwrap().get_version_num(), 4);
    for (field, value) in [
        ("client_name", json!("Saksbehandling")),
        ("client_orgno", json!(NAV)),
        ("active", json!(true)),
        ("scopes", json!(["idporten:scopes.read"])),
        ("application_type", json!("web")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("grant_types", json!(["urn:ietf:params:oauth:grant-type:jwt-bearer"])),
        ("access_token_lifetime", json!(120)),
        ("refresh_token_lifetime", json!(600)),
        ("authorization_lifetime", json!(7200)),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    assert!(made["created"].is_string() && made["created"] == made["last_updated"]);
    assert!(made.get("client_secret").is_none());
    assert_eq!(world.get(&format!("/clients/{id}")).await, (200, made.clone()));

    let (other, _) = make(&world, maskinporten(&[])).await;
    assert_ne!(other, id, "names need not be unique");
    let (_, list) = world.get("/clients").await;
    let mut expected = ["nav", &id, &other];
    expected.sort_unstable();
    assert_eq!(column(&list, "client_id"), expected);
    world.check();
}

#[tokio::test]
async fn an_id_that_is_sent_is_taken_once() {
    let world = world().await;
    let mut body = maskinporten(&[]);
    body["client_id"] = json!("our.own-id");
    assert_eq!(make(&world, body.clone()).await.0, "our.own-id");
    assert_eq!(world.post("/clients", body.clone()).await.0, 409);
    for other in ["", "a/b", ".."] {
        body["client_id"] = json!(other);
        let (id, _) = make(&world, body.clone()).await;
        assert!(id.parse::<uuid::Uuid>().is_ok(), "{other}: {id}");
    }
    world.check();
    body["client_id"] = json!(7);
    let (status, answer) = world.post("/clients", body).await;
    assert_eq!((status, fields(&answer)), (400, vec!["client_id"]));
}

#[tokio::test]
async fn a_client_is_deactivated_and_comes_back_with_its_id() {
    let world = world().await;
    let (id, made) = make(&world, maskinporten(&["idporten:scopes.read"])).await;
    let path = format!("/clients/{id}");
    assert_eq!(world.delete(&path).await, (200, json!("")));
    assert_eq!(column(&world.get("/clients").await.1, "client_id"), ["nav"]);
    let (_, all) = world.get("/clients?inactive=true").await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(world.get(&path).await.1["active"], false);

    let mut body = made.clone();
    body["active"] = json!(false);
    assert_eq!(world.put(&path, body.clone()).await.1["active"], false);
    body["active"] = json!(true);
    let (status, back) = world.put(&path, body).await;
    assert_eq!((status, &back["active"]), (200, &json!(true)));
    for kept in ["client_id", "created", "scopes", "client_name"] {
        assert_eq!(back[kept], made[kept], "{kept}");
    }
    assert_eq!(world.get("/clients").await.1.as_array().unwrap().len(), 2);
    world.check();
}

/// S: `active` is true when absent.
#[tokio::test]
async fn a_put_without_active_brings_a_client_back() {
    for (put_keeps_omitted, active) in [(false, true), (true, false)] {
        let switches = Switches { put_keeps_omitted, ..Switches::default() };
        let world = with(two_organizations(), switches).await;
        let (id, _) = make(&world, maskinporten(&[])).await;
        world.delete(&format!("/clients/{id}")).await;
        let (_, put) = world.put(&format!("/clients/{id}"), maskinporten(&[])).await;
        assert_eq!(put["active"], active);
        world.check();
    }
}

#[tokio::test]
async fn a_put_replaces_everything_or_keeps_what_is_left_out() {
    for put_keeps_omitted in [false, true] {
        let switches = Switches { put_keeps_omitted, ..Switches::default() };
        let world = with(two_organizations(), switches).await;
        let mut body = maskinporten(&["idporten:dcr.read"]);
        body["description"] = json!("Vår");
        body["access_token_lifetime"] = json!(30);
        body["mine"] = json!({ "x": 1 });
        let (id, made) = make(&world, body).await;
        let path = format!("/clients/{id}");

        let (status, put) = world.put(&path, json!({ "client_name": "Ny" })).await;
        assert_eq!(status, 200, "{put}");
        assert_eq!(put["client_name"], "Ny");
        assert_eq!(put["integration_type"], "maskinporten", "it cannot change");
        for (field, default) in [
            ("description", Value::Null),
            ("mine", Value::Null),
            ("access_token_lifetime", json!(120)),
            ("scopes", json!([])),
        ] {
            let expected = if put_keeps_omitted { &made[field] } else { &default };
            assert_eq!(&put[field], expected, "{field}");
        }
        let (_, whole) = world.put(&path, made.clone()).await;
        for kept in ["description", "mine", "access_token_lifetime", "scopes", "created"] {
            assert_eq!(whole[kept], made[kept], "{kept}");
        }
        let (_, emptied) =
            world.put(&path, json!({ "client_name": "Ny", "description": "", "scopes": [] })).await;
        assert_eq!(emptied.get("description").is_none(), put_keeps_omitted);
        assert_eq!(emptied["scopes"], json!([]));
        world.check();
    }
}

#[tokio::test]
async fn absent_fields_can_come_as_null() {
    let switches = Switches { nulls_for_absent: true, ..Switches::default() };
    let world = with(two_organizations(), switches).await;
    let (id, made) = make(&world, maskinporten(&[])).await;
    assert_eq!(made.get("description"), Some(&Value::Null));
    let (status, _) = world.put(&format!("/clients/{id}"), made).await;
    assert_eq!(status, 200, "what it gives it takes back");
    world.check();
}

#[tokio::test]
async fn what_is_the_servers_is_not_taken_from_a_body() {
    let world = world().await;
    let mut body = maskinporten(&[]);
    for (field, value) in [
        ("created", json!("2001-01-01T00:00:00Z")),
        ("client_secret", json!("hemmelig")),
        ("jwks", json!({ "keys": [{ "kty": "RSA", "d": "hemmelig" }] })),
        ("jwks_uri", json!("https://example.com/jwks")),
        ("onbehalfof", json!([{ "onbehalfof": "a" }])),
    ] {
        body[field] = value;
    }
    let (_, made) = make(&world, body).await;
    assert_ne!(made["created"], "2001-01-01T00:00:00Z");
    for field in ["client_secret", "jwks", "jwks_uri", "onbehalfof"] {
        assert!(made.get(field).is_none(), "{field}");
    }
    let everything = format!("{:?} {:?}", world.sandbox.state(), world.sandbox.exchanges());
    assert!(!everything.contains("hemmelig"));
}

#[tokio::test]
async fn what_can_never_change_is_refused() {
    let world = world().await;
    let (id, made) = make(&world, maskinporten(&[])).await;
    for (field, value) in [
        ("integration_type", json!("krr")),
        ("client_id", json!("another")),
        ("client_orgno", json!(DIGDIR)),
    ] {
        let mut body = made.clone();
        body[field] = value;
        let (status, answer) = world.put(&format!("/clients/{id}"), body).await;
        assert_eq!((status, fields(&answer)), (400, vec![field]));
        assert_eq!(answer["errors"][0]["objectName"], "client");
    }
    assert_eq!(world.get(&format!("/clients/{id}")).await.1, made);
    world.check();
}

#[tokio::test]
async fn what_belongs_to_others_is_left_alone() {
    let mut world = world().await;
    let (id, _) = make(&world, maskinporten(&[])).await;
    world.token = world.token_for("digdir", super::registry::DCR).await;
    let before = world.sandbox.state();
    let path = format!("/clients/{id}");
    assert_eq!(column(&world.get("/clients").await.1, "client_id"), ["digdir"]);
    assert_eq!(world.get(&path).await.0, 403);
    assert_eq!(world.put(&path, maskinporten(&[])).await.0, 403);
    assert_eq!(world.delete(&path).await.0, 403);
    for below in ["jwks", "jwks/a", "onbehalfof", "onbehalfof/a"] {
        assert_eq!(world.get(&format!("{path}/{below}")).await.0, 403, "{below}");
        assert_eq!(world.get(&format!("/clients/none/{below}")).await.0, 404, "{below}");
    }
    assert_eq!(world.get("/clients/none").await.0, 404);
    assert_eq!(world.delete("/clients/none").await.0, 404);
    assert_eq!(world.sandbox.state(), before);
    world.check();
}

#[tokio::test]
async fn a_token_opens_what_its_scopes_say() {
    let mut world = world().await;
    let (id, _) = make(&world, maskinporten(&[])).await;
    let path = format!("/clients/{id}");
    let all = ["scopes.write", "dcr.read", "dcr.write", "dcr.modify", "dcr/onbehalfof.write"];
    let key = super::registry::shared_jwk("a");
    for (who, read, write, keys, behalf) in [
        (all[0], false, false, false, false),
        (all[1], true, false, false, false),
        (all[2], false, true, true, true),
        (all[3], false, false, true, true),
        (all[4], false, false, false, true),
    ] {
        world.token = world.token_for("nav", &format!("idporten:{who}")).await;
        let opens = |allowed: bool| if allowed { 200 } else { 403 };
        assert_eq!(world.get("/clients").await.0, opens(read), "{who}");
        assert_eq!(world.get(&path).await.0, opens(read), "{who}");
        assert_eq!(world.put(&path, maskinporten(&[])).await.0, opens(write), "{who}");
        let (status, _) = world.put(&format!("{path}/jwks/a"), key.clone()).await;
        assert_eq!(status, opens(keys), "{who}");
        let body = json!({ "onbehalfof": format!("for-{}", who.replace('/', "-")) });
        let (status, _) = world.post(&format!("{path}/onbehalfof"), body).await;
        assert_eq!(status, opens(behalf), "{who}");
    }
    world.check();
}

#[tokio::test]
async fn a_secret_is_shown_once() {
    let world = world().await;
    let body = json!({ "client_name": "Innlogging", "integration_type": "idporten" });
    let (id, made) = make(&world, body).await;
    assert_eq!(made["token_endpoint_auth_method"], "client_secret_basic");
    let first = made["client_secret"].as_str().unwrap().to_owned();
    let path = format!("/clients/{id}");
    let (status, again) =
        world.call(reqwest::Method::POST, &format!("{path}/secret"), None).await.unwrap();
    let second = again["client_secret"].as_str().unwrap().to_owned();
    assert_eq!(status, 200);
    assert_ne!(first, second);
    assert!(world.get(&path).await.1.get("client_secret").is_none());
    assert!(world.put(&path, again).await.1.get("client_secret").is_none());
    let everything = format!("{:?} {:?}", world.sandbox.state(), world.sandbox.exchanges());
    assert!(!everything.contains(&first) && !everything.contains(&second));

    let (id, _) = make(&world, maskinporten(&[])).await;
    let path = format!("/clients/{id}/secret");
    assert_eq!(world.call(reqwest::Method::POST, &path, None).await.unwrap().0, 400);
    check_answers(&world);
}

#[tokio::test]
async fn what_is_left_of_a_path_that_was_normalised_is_dangerous_here_too() {
    let world = world().await;
    let (id, _) = make(&world, maskinporten(&[])).await;
    let key = super::registry::shared_jwk("a");
    world.post(&format!("/clients/{id}/jwks"), json!({ "keys": [key] })).await;
    assert_eq!(world.delete(&format!("/clients/{id}/jwks/.")).await.0, 200);
    assert_eq!(world.get(&format!("/clients/{id}/jwks")).await.1, json!({ "keys": [] }));
    assert_eq!(world.delete(&format!("/clients/{id}/jwks/..")).await.0, 200);
    assert_eq!(world.get(&format!("/clients/{id}")).await.1["active"], false);
}

#[tokio::test]
async fn an_empty_list_can_be_an_error() {
    let switches = Switches { empty_list_is_404: true, ..Switches::default() };
    let world: World = with(two_organizations(), switches).await;
    let (id, _) = make(&world, maskinporten(&[])).await;
    world.delete("/clients/nav").await;
    world.delete(&format!("/clients/{id}")).await;
    let paths = ["/clients".to_owned(), format!("/clients/{id}/onbehalfof")];
    for path in paths {
        let (status, body) = world.get(&path).await;
        assert_eq!(status, 404, "{path}");
        let message = body["error_description"].as_str().unwrap();
        assert!(message.contains("does not have any"), "{message}");
    }
    world.check();
}

#[tokio::test]
async fn a_client_can_be_made_although_the_answer_was_lost() {
    let world = world().await;
    let rule = "POST /clients 0 1 cut-after".parse().unwrap();
    world.sandbox.inject(rule);
    let lost = world.call(reqwest::Method::POST, "/clients", Some(maskinporten(&[]))).await;
    assert!(lost.is_err());
    let (_, list) = world.get("/clients").await;
    assert_eq!(list.as_array().unwrap().len(), 2);
    world.check();
}

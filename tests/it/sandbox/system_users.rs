//! Tokens of systems that act for customers (`authorization_details`).

use serde_json::{Value, json};

use crate::support::{DIGDIR, KARTVERKET, SKATT, World, orgno, sign};

const READ: &str = "idporten:scopes.read";

fn asked(orgno: &str) -> Value {
    let organization =
        json!({ "authority": "iso6523-actorid-upis", "ID": format!("0192:{orgno}") });
    json!([{ "type": "urn:altinn:systemuser", "systemuser_org": organization }])
}

async fn ask(world: &World, details: &Value) -> (u16, Value) {
    let mut claims = world.claims("nav", READ);
    claims["authorization_details"] = details.clone();
    world.grant(&sign(&claims, |_| {})).await
}

async fn refused(world: &World, details: &Value, code: &str, error: &str) {
    let (status, answer) = ask(world, details).await;
    assert_eq!((status, &answer["error"]), (400, &json!(error)), "{details}: {answer}");
    let description = answer["error_description"].as_str().unwrap();
    assert!(description.starts_with(code), "{details}: {description}");
}

#[tokio::test]
async fn a_token_names_the_users_of_the_system_at_the_customer() {
    let world = World::new().await;
    refused(&world, &asked(SKATT), "MP-302", "invalid_authorization_details").await;
    world.sandbox.edit(|state| {
        state.put_system_user("nav", "889640782_sak", orgno(SKATT), None);
        state.put_system_user("nav", "889640782_sak", orgno(KARTVERKET), Some("ref"));
    });
    let (status, answer) = ask(&world, &asked(SKATT)).await;
    assert_eq!(status, 200, "{answer}");
    let token = answer["access_token"].as_str().unwrap();
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap();
    let [details] = &claims["authorization_details"].as_array().unwrap()[..] else { panic!() };
    assert_eq!(details["type"], "urn:altinn:systemuser");
    assert_eq!(details["systemuser_org"]["ID"], format!("0192:{SKATT}"));
    assert_eq!(details["system_id"], "889640782_sak");
    assert_eq!(details["systemuser_id"].as_array().unwrap().len(), 1);
    assert_eq!(claims["consumer"]["ID"], "0192:889640782");

    let unknown = "invalid_altinn_customer_configuration";
    refused(&world, &asked(DIGDIR), "MP-303", unknown).await;
    refused(&world, &asked(KARTVERKET), "MP-303", unknown).await;
    let mut with_reference = asked(KARTVERKET);
    with_reference[0]["externalRef"] = json!("ref");
    assert_eq!(ask(&world, &with_reference).await.0, 200);
}

#[tokio::test]
async fn what_asks_for_no_system_user_is_refused() {
    let world = World::new().await;
    let mut other_type = asked(SKATT);
    other_type[0]["type"] = json!("urn:altinn:other");
    let mut other_id = asked(SKATT);
    other_id[0]["systemuser_org"]["ID"] = json!(SKATT);
    let two = json!([asked(SKATT)[0], asked(DIGDIR)[0]]);
    for details in [json!({}), json!([]), json!([{}]), two, other_type, other_id] {
        refused(&world, &details, "MP-301", "invalid_authorization_details").await;
    }
}

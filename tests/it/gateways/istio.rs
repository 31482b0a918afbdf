//! Istio's two resources, evaluated as its reference describes them, decide as the filters of Envoy do.

use serde::Deserialize as _;
use serde_json::Value;

use super::api::{Attempt, CROSSED, SCOPE, attempts, crossed, rendered, verified, world};
use crate::world::World;

/// The two resources of a file.
fn resources(text: &str) -> [Value; 2] {
    let documents = serde_yaml::Deserializer::from_str(text);
    let all: Vec<Value> = documents.map(|it| Value::deserialize(it).unwrap()).collect();
    all.try_into().unwrap()
}

/// The claims of a token that `RequestAuthentication` accepts; an error where it refuses the request.
fn authenticated(authentication: &Value, token: Option<&str>) -> Result<Option<Value>, ()> {
    let Some(token) = token else { return Ok(None) };
    let rule = &authentication["spec"]["jwtRules"][0];
    let audience = rule["audiences"][0].as_str();
    verified(token, rule["issuer"].as_str().unwrap(), audience).map(Some).ok_or(())
}

/// Whether one of the values of a condition is that of the claim; a text is a list at spaces.
fn holds(condition: &Value, claims: &Value) -> bool {
    let key = condition["key"].as_str().unwrap().strip_prefix("request.auth.claims").unwrap();
    let path = key.split(['[', ']']).filter(|part| !part.is_empty());
    let claim = path.fold(claims, |claim, part| &claim[part]);
    let values = condition["values"].as_array().unwrap();
    let is_one = |text: &str| values.iter().any(|value| value == text);
    claim.as_str().is_some_and(|text| text.split(' ').any(is_one))
}

fn is_allowed(authorization: &Value, claims: Option<&Value>) -> bool {
    assert_eq!(authorization["spec"]["action"], "ALLOW");
    let rules = authorization["spec"]["rules"].as_array();
    rules.into_iter().flatten().any(|rule| {
        let mut conditions = rule["when"].as_array().unwrap().iter();
        claims.is_some_and(|claims| conditions.all(|condition| holds(condition, claims)))
    })
}

fn decides(
    world: &World,
    attempts: &[Attempt],
    more: &[&str],
    expected: impl Fn(&Attempt) -> bool,
) {
    let [authentication, authorization] = resources(&rendered(world, "istio", more));
    assert_eq!(authentication["kind"], "RequestAuthentication");
    assert_eq!(authorization["kind"], "AuthorizationPolicy");
    assert_eq!(authentication["spec"]["selector"], authorization["spec"]["selector"]);
    for attempt in attempts {
        let token = attempt.token.as_deref();
        let is_let_through = authenticated(&authentication, token)
            .is_ok_and(|claims| is_allowed(&authorization, claims.as_ref()));
        // Istio takes a token without an end: Maskinporten issues none.
        if attempt.what != "a token without an end" {
            assert_eq!(is_let_through, expected(attempt), "{}", attempt.what);
        }
    }
}

#[test]
fn the_resources_decide_as_the_filters_of_envoy() {
    let world = world();
    let attempts = attempts(&world);
    decides(&world, &attempts, &[], |attempt| attempt.for_all);
    decides(&world, &attempts, &["--consumers"], |attempt| attempt.for_declared);
    decides(&world, &attempts, &["--consumers", "--name", "aareg"], |attempt| attempt.for_declared);
    world.declare(&format!("scopes:\n  - {{ name: {SCOPE}, description: Les }}\n"));
    decides(&world, &attempts, &["--consumers"], |_| false);
    let crossed = crossed(&world);
    decides(&world, &crossed, &CROSSED, |attempt| attempt.for_declared);
}

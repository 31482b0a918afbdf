//! Checks exchanges against DigDir's OpenAPI description (`tests/openapi.json`).

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::{NoKeys, WriteAnswer};
use jsonschema::Validator;
use sandbox::{Exchange, Method};
use serde_json::{Value, json};

static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../openapi.json")).unwrap());

/// One validator for each named schema and for the list of each.
static VALIDATORS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    let names = DESCRIPTION["components"]["schemas"].as_object().unwrap();
    names
        .keys()
        .flat_map(|name| {
            let one = json!({ "$ref": format!("#/components/schemas/{name}") });
            [one.clone(), json!({ "type": "array", "items": one })]
        })
        .map(|schema| {
            let key = schema.to_string();
            let mut root = schema;
            root["components"] = DESCRIPTION["components"].clone();
            let options = jsonschema::options().should_validate_formats(true);
            (key, options.build(&root).unwrap())
        })
        .collect()
});

/// Panics at the first exchange with the API that does not match the description. Maskinporten's paths are
/// not in the description; an answer by a fault rule need not match it.
pub(crate) fn check(exchanges: &[Exchange]) {
    for exchange in exchanges {
        check_outcome(exchange, check_one(exchange));
    }
}

/// The same for answers only, where requests are wrong on purpose.
pub(crate) fn check_answers(exchanges: &[Exchange]) {
    for exchange in exchanges.iter().filter(|exchange| exchange.path.starts_with("/api/")) {
        check_outcome(
            exchange,
            operation(exchange).and_then(|operation| check_answer(operation, exchange)),
        );
    }
}

fn check_outcome(exchange: &Exchange, outcome: Result<(), String>) {
    if let Err(problem) = outcome {
        panic!(
            "not as openapi.json describes it: {problem}\n{} {} {:?}\n{}\n-> {:?}\n{}",
            exchange.method,
            exchange.path,
            exchange.query,
            exchange.body,
            exchange.status,
            exchange.response,
        );
    }
}

fn check_one(exchange: &Exchange) -> Result<(), String> {
    if !exchange.path.starts_with("/api/") {
        return Ok(());
    }
    let operation = operation(exchange)?;
    check_query(operation, exchange)?;
    check_request(operation, exchange)?;
    check_answer(operation, exchange)
}

fn check_answer(operation: &Value, exchange: &Exchange) -> Result<(), String> {
    match exchange.status {
        Some(status) => check_response(operation, exchange, status),
        None if exchange.fault.is_some() => Ok(()),
        None => Err("no answer, and no fault that explains it".to_owned()),
    }
}

fn operation(exchange: &Exchange) -> Result<&'static Value, String> {
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    // A path without parameters wins over one with.
    let template = paths
        .keys()
        .filter(|template| fits(template, &exchange.path))
        .min_by_key(|template| template.matches('{').count())
        .ok_or("there is no such path")?;
    let method = exchange.method.as_str().to_lowercase();
    paths[template].get(&method).ok_or_else(|| format!("{template} has no {method}"))
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(wanted, part)| *wanted == part || wanted.starts_with('{') && !part.is_empty())
}

fn check_query(operation: &Value, exchange: &Exchange) -> Result<(), String> {
    let declared: Vec<&Value> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "query")
        .collect();
    for (name, value) in &exchange.query {
        let parameter = declared
            .iter()
            .find(|parameter| parameter["name"] == **name)
            .ok_or_else(|| format!("the parameter {name} is not declared"))?;
        if parameter["schema"]["type"] == "boolean" && !["true", "false"].contains(&&**value) {
            return Err(format!("the parameter {name} is no boolean"));
        }
    }
    let missing = declared.iter().find(|parameter| {
        parameter["required"] == true
            && !exchange.query.iter().any(|(name, _)| parameter["name"] == **name)
    });
    match missing {
        Some(parameter) => Err(format!("the parameter {} is missing", parameter["name"])),
        None => Ok(()),
    }
}

fn check_request(operation: &Value, exchange: &Exchange) -> Result<(), String> {
    let content = &operation["requestBody"]["content"];
    let schema = &content["application/json"]["schema"];
    if content.get("text/plain").is_some() {
        let content_type = exchange.headers.get("content-type").map_or("", String::as_str);
        return match content_type.starts_with("text/plain") {
            true => Ok(()),
            false => Err(format!("request: content type {content_type}")),
        };
    }
    if schema.is_null() {
        return match exchange.body.as_str() {
            "" => Ok(()),
            _ => Err("there should be no request body".to_owned()),
        };
    }
    if sends_private_key(exchange) {
        return Err("request: a key has a private member".to_owned());
    }
    let content_type = exchange.headers.get("content-type");
    check_body(schema, content_type, &exchange.body, exchange)
        .map_err(|error| format!("request: {error}"))
}

/// RFC 7518 section 6.3.2. The record has the names of the members, not their values.
fn sends_private_key(exchange: &Exchange) -> bool {
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth"];
    let body: Value = serde_json::from_str(&exchange.body).unwrap_or_default();
    let set = body["keys"].as_array().into_iter().flatten();
    exchange.path.contains("/jwks")
        && set.chain([&body]).any(|key| private.iter().any(|member| key.get(member).is_some()))
}

/// The described answer that an answer is an instance of: the status and the body of a write are what a
/// switch says. `None` where nothing is left to check.
fn described(exchange: &Exchange, status: u16) -> Option<u16> {
    let is_write = exchange.method != Method::GET && (200..300).contains(&status);
    let form = exchange.switches.write_answer;
    match (form, status, exchange.response.as_str()) {
        (WriteAnswer::Empty, 200, "") | (WriteAnswer::NoContent, 204, "") if is_write => None,
        (WriteAnswer::Created, 201, _) if is_write => Some(200),
        _ => Some(status),
    }
}

fn check_response(operation: &Value, exchange: &Exchange, status: u16) -> Result<(), String> {
    let Some(status) = described(exchange, status) else { return Ok(()) };
    let response = &operation["responses"][status.to_string()];
    if !response.is_null() && response.get("content").is_none() && exchange.fault.is_none() {
        return match exchange.response.as_str() {
            "" => Ok(()),
            _ => Err(format!("status {status} has no body")),
        };
    }
    if response.is_null() || exchange.response_type.as_deref() != Some("application/json") {
        return match exchange.fault {
            Some(_) => Ok(()),
            None => Err(format!("status {status} with this content type is not listed")),
        };
    }
    let schema = &response["content"]["application/json"]["schema"];
    let content_type = exchange.response_type.as_ref();
    check_body(schema, content_type, &exchange.response, exchange)
        .map_err(|error| format!("answer: {error}"))?;
    if status >= 400 && !exchange.response.contains("\"correlation_id\"") {
        return Err("an error without a correlation id".to_owned());
    }
    Ok(())
}

fn check_body(
    schema: &Value,
    content_type: Option<&String>,
    body: &str,
    exchange: &Exchange,
) -> Result<(), String> {
    if content_type.map(String::as_str) != Some("application/json") {
        return Err(format!("content type {content_type:?}"));
    }
    let mut body: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    if exchange.switches.nulls_for_absent || exchange.switches.no_keys == NoKeys::Null {
        without_nulls(&mut body);
    }
    let validator =
        VALIDATORS.get(&schema.to_string()).ok_or_else(|| format!("no validator for {schema}"))?;
    match validator.iter_errors(&body).next() {
        None => Ok(()),
        Some(error) => Err(format!("{}: {error}", error.instance_path())),
    }
}

/// The description has no `null`: with that switch on, one counts as left out, also in requests that send it
/// back.
fn without_nulls(body: &mut Value) {
    match body {
        Value::Array(entries) => entries.iter_mut().for_each(without_nulls),
        Value::Object(fields) => fields.retain(|_, value| !value.is_null()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

mod tests {
    use super::*;
    use sandbox::{Fault, Method, Switches};

    type Edit<'a> = &'a dyn Fn(&mut Exchange);

    fn exchange(method: Method, path: &str, status: u16, response: Value) -> Exchange {
        Exchange {
            method,
            path: path.to_owned(),
            query: Vec::new(),
            headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
            body: String::new(),
            switches: Switches::default(),
            fault: None,
            status: Some(status),
            response_type: Some("application/json".to_owned()),
            response: response.to_string(),
        }
    }

    #[test]
    fn the_checker_finds_what_is_wrong() {
        let good = exchange(Method::GET, "/api/v1/scopes", 200, json!([{ "active": true }]));
        assert_eq!(check_one(&good), Ok(()));
        let problem = |change: Edit<'_>| {
            let mut bad = good.clone();
            change(&mut bad);
            check_one(&bad).unwrap_err()
        };
        let cases: [(&str, Edit<'_>); 9] = [
            ("no such path", &|e| e.path.push_str("/none")),
            ("no patch", &|e| e.method = Method::PATCH),
            ("not declared", &|e| e.query = vec![("colour".into(), "1".into())]),
            ("no boolean", &|e| e.query = vec![("inactive".into(), "1".into())]),
            ("is missing", &|e| e.path.push_str("/scope")),
            ("no request body", &|e| e.body = "{}".into()),
            ("418", &|e| e.status = Some(418)),
            ("/0/active", &|e| e.response = json!([{ "active": "yes" }]).to_string()),
            ("no answer", &|e| e.status = None),
        ];
        for (expected, change) in cases {
            let found = problem(change);
            assert!(found.contains(expected), "{found}");
        }
        let dated = json!([{ "created": "yesterday" }]).to_string();
        assert!(problem(&|e| e.response = dated.clone()).contains("/0/created"));
        let refused = exchange(Method::GET, "/api/v1/scopes", 404, json!({}));
        assert!(check_one(&refused).unwrap_err().contains("correlation id"));
    }

    #[test]
    fn null_is_absent_only_where_that_is_switched_on() {
        let fields = json!([{ "description": null }]);
        let mut nulls = exchange(Method::GET, "/api/v1/scopes", 200, fields);
        assert!(check_one(&nulls).unwrap_err().contains("/0/description"));
        nulls.switches.nulls_for_absent = true;
        assert_eq!(check_one(&nulls), Ok(()));
    }

    #[test]
    fn a_write_is_answered_as_is_switched_on() {
        let mut made = exchange(Method::POST, "/api/v1/scopes", 201, json!({ "active": true }));
        made.headers.insert("content-type".to_owned(), "application/json".to_owned());
        made.body = "{}".to_owned();
        let mut nothing = Exchange { response: String::new(), status: Some(204), ..made.clone() };
        assert!(check_one(&made).is_err() && check_one(&nothing).is_err());
        nothing.switches.write_answer = WriteAnswer::NoContent;
        assert_eq!(check_one(&nothing), Ok(()));
        made.switches.write_answer = WriteAnswer::Created;
        assert_eq!(check_one(&made), Ok(()));
        made.response = json!({ "active": 1 }).to_string();
        assert!(check_one(&made).unwrap_err().contains("/active"));
    }

    #[test]
    fn what_a_fault_made_is_not_held_against_it() {
        let mut cut = exchange(Method::GET, "/api/v1/prefix", 200, json!([]));
        cut.status = None;
        cut.fault = Some(Fault::CutAfter);
        check(&[cut]);
    }
}

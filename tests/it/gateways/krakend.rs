//! The configuration for KrakenD, decided on as its source does (krakend-jose 2.12, krakend-cel 2.4): the validator
//! here, and the expressions by `tests/krakend`, with the library that KrakenD evaluates them with.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use domain::Orgno;
use serde_json::Value;

use super::api::{Attempt, CROSSED, SCOPE, attempts, crossed, rendered, verified, world};
use crate::programs::skipped;
use crate::world::{SKATT, World};

/// What evaluates the expressions, as `.ci/run` builds it.
const EXPRESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/krakend-cel");

fn has_expressions() -> bool {
    let found = Path::new(EXPRESSIONS).is_file();
    if !found {
        skipped("the rendered expressions in CEL", "target/krakend-cel is not built");
    }
    found
}

/// The claims that `auth/validator` accepts: signature, issuer, audience, end, and one of the scopes.
fn validated(config: &Value, token: Option<&str>) -> Option<Value> {
    let validator = &config["auth/validator"];
    assert_eq!((&validator["alg"], &validator["scopes_matcher"]), (&"RS256".into(), &"any".into()));
    let audience = validator["audience"][0].as_str();
    let claims = verified(token?, validator["issuer"].as_str().unwrap(), audience)?;
    let required = validator["scopes"].as_array().unwrap();
    let is_required = |scope: &str| required.iter().any(|it| it == scope);
    let claim = &claims[validator["scopes_key"].as_str().unwrap()];
    let has_scope = match claim {
        Value::Array(scopes) => scopes.iter().any(|it| is_required(it.as_str().unwrap())),
        Value::String(scopes) => scopes.split(' ').any(is_required),
        _ => false,
    };
    has_scope.then_some(claims)
}

/// Whether the expressions let each of these claims through. All of them are evaluated with the claims, and with
/// nothing else.
fn let_through(world: &World, config: &str, claims: &[Value]) -> Vec<bool> {
    world.write("krakend-policy.json", config);
    let mut child = Command::new(EXPRESSIONS)
        .arg("krakend-policy.json")
        .current_dir(world.folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: String = claims.iter().map(|claims| format!("{claims}\n")).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let output = String::from_utf8(output.stdout).unwrap();
    let count = config.matches("check_expr").count();
    let (stages, decisions) = output.split_at(output.match_indices('\n').nth(2).unwrap().0 + 1);
    assert_eq!(stages, format!("req 0\nresp 0\nJWT {count}\n"), "{config}");
    decisions.lines().map(|line| line == "true").collect()
}

fn decides(
    world: &World,
    attempts: &[Attempt],
    more: &[&str],
    is_allowed: impl Fn(&Attempt) -> bool,
) {
    let text = rendered(world, "krakend", more);
    let config: Value = serde_json::from_str(&text).unwrap();
    // KrakenD takes a token without an end: Maskinporten issues none.
    let attempts: Vec<_> =
        attempts.iter().filter(|attempt| attempt.what != "a token without an end").collect();
    let claims: Vec<_> =
        attempts.iter().map(|attempt| validated(&config, attempt.token.as_deref())).collect();
    let known: Vec<_> = claims.iter().flatten().cloned().collect();
    let mut decisions = let_through(world, &text, &known).into_iter();
    for (attempt, claims) in attempts.iter().zip(claims) {
        let decision = claims.is_some() && decisions.next().unwrap();
        assert_eq!(decision, is_allowed(attempt), "{more:?} {}", attempt.what);
    }
}

#[test]
fn the_validator_and_the_expressions_decide_as_the_declarations_do() {
    if !has_expressions() {
        return;
    }
    let world = world();
    let attempts = attempts(&world);
    decides(&world, &attempts, &[], |attempt| attempt.for_all);
    decides(&world, &attempts, &["--consumers"], |attempt| attempt.for_declared);
    world.declare(&format!("scopes:\n  - {{ name: {SCOPE}, description: Les }}\n"));
    decides(&world, &attempts, &["--consumers"], |_| false);
    let crossed = crossed(&world);
    decides(&world, &crossed, &CROSSED, |attempt| attempt.for_declared);
}

#[test]
fn no_name_of_a_scope_takes_an_expression_to_another_stage() {
    if !has_expressions() {
        return;
    }
    let world = world();
    for name in ["etat:request.read", "etat:resp/req_path", "etat:JWT.now", "etat:åpen&ærlig#1"] {
        world.declare(&format!(
            "scopes:\n  - {{ name: \"{name}\", description: Les, consumers: [\"{SKATT}\"] }}\n"
        ));
        let ran = world.run(&["render", "krakend", "--scope", name, "--consumers"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let claims = |scope: &str| serde_json::json!({ "scope": scope, "consumer": { "ID": format!("0192:{SKATT}") } });
        let both = [claims(name), claims(&format!("{name}x"))];
        assert_eq!(let_through(&world, &ran.stdout, &both), [true, false], "{name}");
    }
}

#[test]
fn an_expression_that_krakend_would_skip_is_refused() {
    let world = world();
    let consumers = |count: usize| {
        let numbers = (810_000_000..).filter_map(|number: u32| number.to_string().parse().ok());
        let numbers: Vec<_> = numbers.take(count).map(|it: Orgno| format!("\"{it}\"")).collect();
        let numbers = numbers.join(", ");
        world.declare(&format!(
            "scopes: [{{ name: {SCOPE}, description: Les, consumers: [{numbers}] }}]\n"
        ));
    };
    consumers(6_000);
    let ran = world.run(&["render", "krakend", "--scope", SCOPE, "--consumers"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (64, ""));
    assert!(ran.stderr.contains("lets everybody through"), "{}", ran.stderr);
    consumers(5_500);
    let ran = world.run(&["render", "krakend", "--scope", SCOPE, "--consumers"]);
    assert_eq!(ran.code, 0);
    if has_expressions() {
        let other = serde_json::json!({ "scope": SCOPE, "consumer": { "ID": "0192:991825827" } });
        assert_eq!(let_through(&world, &ran.stdout, &[other]), [false]);
    }
}

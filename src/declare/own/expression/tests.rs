use std::thread;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::functions::{FUNCTIONS, TYPES};
use super::syntax::{DEEPEST, LONGEST};
use super::*;

const KNOWN: &[&str] = &["scope", "environment", "team", "access"];

fn consumer(orgno: usize) -> Value {
    json!({
        "orgno": orgno.to_string(), "name": "Skatteetaten", "until": "2027-06-30",
        "reason": null, "group": "banks",
    })
}

fn scope(consumers: Vec<Value>) -> Value {
    json!({
        "name": "nav:arbeid/v1.read", "prefix": "nav", "subscope": "arbeid/v1.read",
        "description": "Arbeidsforhold til en person", "visibility": "PUBLIC", "at_max_age": 120,
        "allowed_integration_types": ["maskinporten"], "accessible_for_all": false,
        "active": true, "consumers": consumers,
    })
}

fn of_scope(scope: Value) -> Variables<'static> {
    let team = json!(null);
    Variables::new([("scope", scope), ("environment", json!("prod")), ("team", team)])
}

fn with_consumers(count: usize) -> Variables<'static> {
    of_scope(scope((0..count).map(|n| consumer(910_000_000 + n)).collect()))
}

fn compiled(text: &str) -> Expression {
    Expression::compile(text, KNOWN).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn error_of(text: &str) -> ExpressionError {
    let Err(error) = Expression::compile(text, KNOWN) else { panic!("{text} compiles") };
    error
}

/// The result of the expression for a scope with two consumers, for the first of them.
fn evaluated(text: &str) -> Result<bool, String> {
    let mut second = consumer(889640782);
    second["until"] = json!(null);
    second["reason"] = json!("Lov om noe § 3");
    let base = of_scope(scope(vec![consumer(974760673), second]));
    let access = Variables::new([("access", consumer(974760673))]).on(&base);
    compiled(text).evaluate(&access)
}

fn deep_thread<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(2 << 20).spawn_scoped(scope, run).unwrap();
        thread.join().unwrap()
    })
}

#[test]
fn expressions_are_true_or_false() {
    let table = [
        (r#"environment != "prod" || access.reason != null"#, false),
        (r#"environment == "test" || access.until != null"#, true),
        (r#"team == null"#, true),
        (r#"scope.name.startsWith(scope.prefix + ":")"#, true),
        (r#"scope.name == scope.prefix + ":" + scope.subscope"#, true),
        (r#"scope.subscope.matches("^[a-zæøå/]+/v[0-9]+\\.(read|write)$")"#, true),
        (r#"matches(scope.subscope, '^x')"#, false),
        (r#"scope.subscope.endsWith(".write") || scope.subscope.contains("read")"#, true),
        (r#"scope.at_max_age <= 120 && !scope.accessible_for_all"#, true),
        (r#"scope.at_max_age + 1 > {"prod": 90, "test": 365}[environment]"#, true),
        (r#""maskinporten" in scope.allowed_integration_types"#, true),
        (r#"scope.visibility in ["PUBLIC", "PRIVATE"]"#, true),
        (r#"size(scope.description) >= 20 && scope.consumers.size() == 2"#, true),
        (r#"scope.consumers.all(c, c.until != null || c.reason != null)"#, true),
        (r#"scope.consumers.all(c, c.until != null)"#, false),
        (r#"scope.consumers.exists(c, c.orgno == access.orgno)"#, true),
        (r#"scope.consumers.exists_one(c, c.reason != null)"#, true),
        (
            r#"scope.consumers.filter(c, c.group == "banks").map(c, c.orgno)[0] == access.orgno"#,
            true,
        ),
        (r#"scope.consumers.map(c, c.until == null, c.orgno) == ["889640782"]"#, true),
        (r#"scope.consumers.all(c, scope.consumers.exists_one(d, d.orgno == c.orgno))"#, true),
        (r#"has(access.until) && has(access.reason)"#, true),
        (r#"has(access.note)"#, false),
        (r#"timestamp(access.until + "T00:00:00Z") < timestamp("2028-01-01T00:00:00Z")"#, true),
        (r#"timestamp(access.until + "T00:00:00Z").getMonth() == 5"#, true),
        (r#"duration("24h") == duration("1440m")"#, true),
        (r#"type(access.reason) == null_type || type(access.reason) == string"#, true),
        (r#"access["orgno"] == "974760673""#, true),
        ("// why\nscope.active\n  ? environment == 'prod'\n  : false", true),
        (r#"access.nothing == 1 || scope.active"#, true),
    ];
    for (text, expected) in table {
        assert_eq!(evaluated(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_evaluated_is_reported_plainly() {
    let table = [
        ("access.note == 'x'", "no such key: `note`"),
        ("access.reason.text == 'x'", "null has no attributes"),
        ("scope.name", "the result is the text `nav:arbeid/v1.read`, not true or false"),
        ("scope.name + 'x'.size()", "`+` does not work on a text and a number"),
        ("scope.at_max_age", "the result is the number `120`, not true or false"),
        ("scope.consumers", "the result is a list, not true or false"),
        ("scope", "the result is a map, not true or false"),
        ("access.reason", "the result is null, not true or false"),
        (
            "scope.description + scope.description + scope.description + scope.description",
            "the result is the text `Arbeidsforhold til en personArbeidsforhold til en personArbeidsforhold til en pe…`, not true or false",
        ),
        ("scope.at_max_age < 'x'", "`<` does not work on a number and a text"),
        ("scope.at_max_age / 0 == 1", "a division by zero"),
        ("9223372036854775807 + scope.at_max_age > 0", "the result of `+` is out of range"),
        ("scope.consumers[2].orgno == ''", "no such item: 2"),
        ("scope.consumers[0.5] == ''", "a number cannot be an index"),
        ("scope.consumers < 1", "`<` does not work on a list and a number"),
        ("!scope.name", "`!` does not work on a text"),
        ("scope.name && true", "`&&` does not work on a text and true or false"),
        ("timestamp('yesterday') == timestamp(0)", "`timestamp`: `premature end of input`"),
        ("int(scope.name) == 1", "`int`: `string parse error: invalid digit found in string`"),
        ("scope.at_max_age.matches('x')", "`matches`: `only a text can match a pattern`"),
        ("scope.name.all(c, true)", "a macro runs over a list, not a text"),
        ("scope.all(key, true)", "a macro runs over a list: the keys of a map have no order"),
        ("([] + scope)[0] == 'name'", "`+` cannot add a map, whose keys have no order"),
        ("{'a': 1, 'a': 2}.a == 1", "a key is given twice in one map"),
        ("1 in 1", "`in` does not work on a number and a number"),
        ("access", "the result is a map, not true or false"),
        ("access == access ? null : 1", "the result is null, not true or false"),
    ];
    for (text, expected) in table {
        assert_eq!(evaluated(text).as_ref().map_err(String::as_str), Err(expected), "{text}");
    }
}

#[test]
fn what_cannot_be_compiled_is_reported_with_its_place() {
    let table = [
        ("", 0, "the expression ends too early"),
        ("scope.name ==", 13, "the expression ends too early"),
        ("scope.name == \n  && team", 17, "`&&` is not possible here"),
        ("scope name", 6, "`name` is not possible here"),
        ("team = 'arbeid'", 5, "`=` has no meaning in CEL"),
        ("team and environment", 5, "`and` is not possible here"),
        ("'æøå' == é", 9, "`é` has no meaning in CEL"),
        ("'æøå' == \"not ended", 9, "a text does not end, or has an escape that CEL does not know"),
        ("(team", 5, "`)` is missing here"),
        ("team ? 1", 8, "the expression ends too early"),
        ("if", 0, "`if` is a reserved word of CEL"),
        ("a.`b`", 1, "the expression cannot be read: `unsupported syntax: '`'`"),
        ("scope.?name", 5, "the expression cannot be read: `unsupported syntax '.?'`"),
        ("0xffffffffffffffffff", 0, "the expression cannot be read: `invalid int literal`"),
        (
            "enviroment == 'prod'",
            0,
            "there is no variable `enviroment`: did you mean `environment`? known are `scope`, `environment`, `team`, `access`",
        ),
        (
            "'æøå' == tem",
            9,
            "there is no variable `tem`: did you mean `team`? known are `scope`, `environment`, `team`, `access`",
        ),
        (
            "scope.consumers.all(c, d.orgno == '')",
            23,
            "there is no variable `d`: known are `scope`, `environment`, `team`, `access`",
        ),
        (
            "scope.consumers.all(c, c.orgno == '') && c == 1",
            41,
            "there is no variable `c`: known are `scope`, `environment`, `team`, `access`",
        ),
        (
            ".scope.name == ''",
            1,
            "there is no variable `.scope`: did you mean `scope`? known are `scope`, `environment`, `team`, `access`",
        ),
        ("@result", 0, "`@` has no meaning in CEL"),
        ("now() == 1", 0, "there is no function `now`"),
        (
            "scope.name.startswith('x')",
            11,
            "there is no function `startswith`: did you mean `startsWith`?",
        ),
        ("scope.name.size(1)", 11, "`size` is called as in `size(list)`"),
        ("contains(scope.name, 'x')", 0, "`contains` is called as in `text.contains(part)`"),
        ("scope.consumers.all(c)", 16, "`all` is called as in `list.all(item, condition)`"),
        (
            "scope.consumers.all(c.d, true)",
            21,
            "a macro takes a name first, as in `list.all(item, condition)`",
        ),
        ("has(scope)", 4, "`has` is called as in `has(value.attribute)`"),
        ("optional.of(1) == 1", 9, "there is no function `of`"),
        ("Foo{bar: 1}", 3, "there is no type `Foo` to make a value of"),
        (
            "scope.consumers.all(a, scope.consumers.all(b, scope.consumers.all(c, true)))",
            65,
            "macros can be nested 2 levels deep at most",
        ),
        ("scope.name.matches(team)", 11, "the pattern of `matches` must be a text in quotes"),
        ("scope.name.matches('(a')", 19, "the pattern is not well-formed: `unclosed group`"),
        (
            "scope.name.matches('\\\\w{50}')",
            19,
            "the pattern takes too much memory: write `[a-z]` instead of `\\w`, or repeat less of it",
        ),
        (
            "scope.name.matches('a{1000}{1000}{1000}')",
            19,
            "the pattern takes too much memory: write `[a-z]` instead of `\\w`, or repeat less of it",
        ),
    ];
    for (text, at, message) in table {
        let expected = ExpressionError::new(Some(at), message);
        assert_eq!(error_of(text), expected, "{text}");
    }
}

#[test]
fn length_is_bounded() {
    let text = format!("scope.active //{}", "æ".repeat(LONGEST - 15));
    assert_eq!(text.chars().count(), LONGEST);
    assert_eq!(evaluated(&text), Ok(true));
    assert_eq!(
        error_of(&format!("{text} ")).message,
        "an expression can have 2000 characters at most"
    );
}

/// Every way of nesting, as `before`, `middle` and `after`, where each `before` and `after` makes the tree or
/// the text deeper by that much.
const NESTED: &[(&str, &str, &str, usize)] = &[
    ("(", "true", ")", 1),
    ("[", "1", "]", 1),
    ("{1: ", "1", "}", 1),
    ("!(", "true", ")", 1),
    ("-(", "1", ")", 1),
    ("true ? false : ", "true", "", 1),
    ("", "true", " ? true : false", 1),
    ("(", "true", " ? true : false)", 1),
    ("", "access", ".access", 1),
    ("", "'a'", ".size()", 1),
    ("dyn(", "1", ")", 1),
    ("", "access", "[access]", 1),
    ("access[", "access", "]", 1),
    ("", "1", " + 1", 1),
    ("1 + (", "1", ")", 1),
    ("", "true", " == true", 1),
    ("(true && ", "true", ")", 1),
    ("1 in [", "1", "]", 2),
    ("has(access[", "1", "].a)", 2),
    ("", "[1]", ".map(x, x)", 1),
    ("", "[1]", ".filter(x, true)", 1),
    ("[[1].all(x, x == 1), ", "1", "]", 1),
];

#[test]
fn depth_is_bounded_and_the_deepest_fits_a_thread() {
    for &(before, middle, after, levels) in NESTED {
        let nested = |n: usize| before.repeat(n) + middle + &after.repeat(n);
        let most = (1..).take_while(|n| Expression::compile(&nested(*n), KNOWN).is_ok()).count();
        let allowed = usize::from(DEEPEST) / levels;
        assert!((allowed - 4..=allowed).contains(&most), "{before}…{after}: {most}");
        let refused = error_of(&nested(most + 1)).message;
        assert!(refused.contains("nested more than 32 levels deep"), "{refused}");
        deep_thread(|| {
            let expression = compiled(&nested(most));
            let variables = Variables::new([("access", json!({"access": 1}))]);
            let _ = expression.evaluate(&variables);
            drop(expression);
        });
    }
}

#[test]
fn the_longest_of_every_shape_is_read_or_refused_in_a_small_thread() {
    let shapes = [
        "(", "[", "{1:", "!", "-", "a?", "a?a:", ".a", "a[", "a+", "a&&", "a,", "f(", "x ", "\"",
        "'''", "//", "\\",
    ];
    let ended = ["!", "-", "a+", "a&&", "a||", "a==", "a?a:", "a."];
    for shape in shapes.iter().chain(&ended) {
        for end in ["", "a"] {
            let text = shape.repeat((LONGEST - 1) / shape.len()) + end;
            deep_thread(|| drop(Expression::compile(&text, &["a"])));
        }
    }
    let balanced = vec!["scope.active"; LONGEST / 16].join(" && ");
    assert_eq!(deep_thread(|| evaluated(&balanced)), Ok(true));
}

#[test]
fn steps_are_bounded() {
    let nested = "scope.consumers.all(a, scope.consumers.exists(b, a.orgno == b.orgno))";
    assert_eq!(compiled(nested).evaluate(&with_consumers(100)), Ok(true));
    let refused = compiled(nested).evaluate(&with_consumers(10_000)).unwrap_err();
    insta::assert_snapshot!(refused, @"the expression could take more than 1000000 steps, which is the most that is allowed: the longest list it runs over has 10000 items");
    let simple = "scope.consumers.all(c, c.until != null && c.orgno.matches('^[0-9]{9}$'))";
    assert_eq!(compiled(simple).evaluate(&with_consumers(10_000)), Ok(true));
}

#[test]
fn what_grows_is_bounded() {
    let large = with_consumers(10_000);
    for text in [
        "scope.consumers.map(c, scope.consumers) == []",
        "scope.consumers.all(c, scope == scope)",
        "scope.consumers.all(c, c in scope.consumers)",
        "scope.consumers.exists(c, scope.consumers + 1 == [])",
        "scope.consumers.exists(c, 'a' < scope.consumers)",
        "scope.consumers.exists(c, scope.consumers[0.5] == 1)",
        "scope.consumers.exists(c, scope.consumers[c.name] == 1)",
        "scope.consumers.exists(c, [scope.consumers] == [])",
        "scope.consumers.exists(c, {'a': scope.consumers} == {})",
        "scope.consumers.exists(c, (true ? scope.consumers : []).size() + [scope.consumers].size() == 1)",
        "scope.consumers.exists(c, dyn(scope)['consumers'].exists(d, c == d))",
        "scope.consumers.map(c, scope.consumers.filter(d, true)).size() == 1",
    ] {
        let refused = compiled(text).evaluate(&large).unwrap_err();
        assert!(refused.contains("steps"), "{text}: {refused}");
    }
    let doubling = format!("['x']{}.size() == 1", ".map(a, a + a)".repeat(25));
    let refused = compiled(&doubling).evaluate(&large).unwrap_err();
    assert!(refused.contains("steps"), "{refused}");
    let lists = format!("[[1]]{}.size() == 1", ".map(a, [a, a])".repeat(25));
    let refused = compiled(&lists).evaluate(&large).unwrap_err();
    assert!(refused.contains("steps"), "{refused}");
}

#[test]
fn what_stays_small_is_allowed_on_a_large_scope() {
    let large = with_consumers(10_000);
    let access = Variables::new([("access", consumer(910_000_001))]).on(&large);
    for text in [
        "scope.consumers.exists(c, c.orgno == access.orgno)",
        "scope.consumers.filter(c, c.group == access.group).size() == 10000",
        "scope.consumers.map(c, c.orgno).exists(orgno, orgno == access.orgno)",
        "scope.consumers.exists_one(c, c == access)",
        "scope.consumers.all(c, c.name + scope.prefix != scope.name)",
        "access in scope.consumers && scope == scope",
        "scope.consumers[1].orgno == access.orgno",
    ] {
        assert_eq!(compiled(text).evaluate(&access), Ok(true), "{text}");
    }
}

#[test]
fn every_function_is_known_to_the_crate() {
    let context = Context::with_env(Arc::clone(&LIBRARY));
    for function in FUNCTIONS.iter().filter(|function| function.name != "matches") {
        for (arguments, on_value) in (0..3).flat_map(|n| [(n, false), (n, true)]) {
            if function.takes(arguments, on_value) {
                let target = if on_value { "null." } else { "" };
                let call =
                    format!("{target}{}({})", function.name, vec!["[]"; arguments].join(","));
                let tree = cel::parser::Parser::new().parse(&call).unwrap();
                let result = cel::Value::resolve_val(&tree, &context).map(drop);
                let unknown = matches!(result, Err(ExecutionError::UndeclaredReference(_)));
                assert!(!unknown, "{call}");
            }
        }
    }
    for name in TYPES {
        assert_eq!(evaluated(&format!("type({name}) == type")), Ok(true), "{name}");
    }
}

#[test]
fn extremes_of_numbers_and_times_do_not_panic() {
    for text in [
        "-9223372036854775808 / -1 == 0",
        "-9223372036854775808 % -1 == 0",
        "-(-9223372036854775808) == 0",
        "9223372036854775807 * 2 == 0",
        "0u - 1u == 0u",
        "int(1e300) == 0",
        "uint(-1) == 0u",
        "duration('1e308h') == duration('0s')",
        "duration('-9223372036854775807ns') - duration('9223372036854775807ns') == duration('0s')",
        "timestamp(-9223372036854775808) == timestamp(0)",
        "timestamp('9999-12-31T23:59:59Z') + duration('1s') == timestamp(0)",
        "timestamp('0001-01-01T00:00:00Z') - duration('1s') == timestamp(0)",
        "timestamp(0).getHours('99:99') == 0",
        "timestamp(0).getHours('-é:00') == 0",
    ] {
        assert!(evaluated(text).is_err(), "{text}");
    }
    for text in [
        "timestamp('0001-01-01T00:00:00Z').getDayOfYear('-23:59') == 365",
        "timestamp('9999-12-31T23:59:59Z').getFullYear('23:59') == 10000",
        "timestamp('9999-12-31T00:00:00Z') - timestamp('0001-01-01T00:00:00Z') > duration('1h')",
        "0.0 / 0.0 != 1.0 && 1.0 / 0.0 > 1.0",
    ] {
        drop(evaluated(text));
    }
}

#[test]
fn the_order_of_keys_does_not_matter() {
    let one = r#"{"a": 1, "b": [1, {"x": 1, "y": 2}], "c": "x"}"#;
    let other = r#"{"c": "x", "b": [1, {"y": 2, "x": 1}], "a": 1}"#;
    let [one, other] = [one, other].map(|text| {
        let access: Value = serde_json::from_str(text).unwrap();
        Variables::new([("access", access)])
    });
    let texts = ["access.b[1] == {'y': 2, 'x': 1}", "access", "access.x == 1", "access < 1"];
    for text in texts.map(compiled) {
        let (one, other) = (text.evaluate(&one), text.evaluate(&other));
        assert_eq!(one, other);
    }
}

#[test]
fn the_nearest_value_of_a_name_counts() {
    let base = Variables::new([("team", json!("arbeid")), ("environment", json!("prod"))]);
    let top = Variables::new([("team", json!("pensjon"))]).on(&base);
    let text = "team == 'pensjon' && environment == 'prod'";
    assert_eq!(compiled(text).evaluate(&top), Ok(true));
    assert_eq!(compiled(text).evaluate(&base), Ok(false));
}

#[test]
fn expressions_are_shared_among_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Expression>();
    shared::<Variables<'_>>();
}

const TOKENS: &[&str] = &[
    "scope",
    "access",
    "x",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ".",
    ",",
    "?",
    ":",
    "!",
    "-",
    "+",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    "in",
    "&&",
    "||",
    "has(",
    ".name",
    ".consumers",
    ".all(x,",
    ".exists(x,",
    ".map(x,",
    ".filter(x,",
    ".size()",
    "size(",
    ".matches('a')",
    "'t'",
    "\"é\"",
    "r'\\d'",
    "b'x'",
    "1",
    "1u",
    "1.5",
    "0x",
    "-9223372036854775808",
    "true",
    "null",
    "if",
    "`a`",
    "\n",
    "//",
    ".?",
    "[?",
    "'''",
    "\\",
    "'",
    "\u{0}",
    "@result",
    "𝄞",
    "timestamp(0)",
    "duration('1h')",
    "A{a:",
    ".getDayOfYear()",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_soup_of_tokens_panics(tokens in prop::collection::vec(prop::sample::select(TOKENS), 1..30)) {
        no_panic(&tokens.concat());
        no_panic(&tokens.join(" "));
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        no_panic(&text);
    }
}

/// A panic of the parser would be returned as an error with these words.
fn no_panic(text: &str) {
    match Expression::compile(text, KNOWN) {
        Ok(expression) => drop(expression.evaluate(&with_consumers(2))),
        Err(error) => assert_ne!(error.message, "the expression cannot be read", "{text:?}"),
    }
}

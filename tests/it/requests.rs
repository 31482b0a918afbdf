//! `portvakt requests`: who requests access, and the denial of a request.

use domain::AccessState::{Approved, Denied, Requested};
use sandbox::Fault;
use serde_json::{Value, json};

use crate::faults::rule;
use crate::git::folders::{apply, two};
use crate::git::life::scopes;
use crate::git::remote::Remote;
use crate::world::{DIGDIR, KART, SKATT, World};

/// Requests for a declared scope and for one that is not, and records that are none.
fn put(world: &World) {
    world.put("etat:a", true, &[(SKATT, Requested), (KART, Requested), (DIGDIR, Approved)]);
    world.put("etat:b", true, &[(KART, Requested), (SKATT, Denied)]);
    world.put("etat:c", false, &[(KART, Requested)]);
}

fn declarations() -> String {
    format!(
        "consumers:\n  skatteetaten: {{ orgno: \"{SKATT}\", name: Skatteetaten }}\nscopes:\n  \
         - name: etat:a\n    description: Les\n    consumers: [skatteetaten, \"{DIGDIR}\"]\n"
    )
}

#[test]
fn requests_are_listed_with_scope_name_time_and_declaration() {
    let world = World::new();
    put(&world);
    world.declare(&declarations());
    let ran = world.run(&["requests"]);
    let today = domain::norwegian_date(jiff::Timestamp::now());
    let expected = format!(
        "etat:a (test)  Les
  STATENS KARTVERK ({KART})  since {today}
  Skatteetaten ({SKATT})  since {today}; declared in declarations.yaml:6: the next apply approves it
etat:b (test)  Les
  STATENS KARTVERK ({KART})  since {today}

To approve a request, declare the organisation among the consumers of the scope, and apply.
To deny one: portvakt -e test requests deny {KART} --scope etat:a
"
    );
    assert_eq!((ran.code, ran.stdout), (0, expected), "{}", ran.stderr);
    assert_eq!(world.sent(), [""; 0]);

    let document = world.run(&["requests", "--format", "json"]).stdout;
    let document: Value = serde_json::from_str(&document).unwrap();
    let schema: Value = serde_json::from_str(&world.run(&["schema", "requests"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&document).map(|it| it.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    let request = &document["requests"][1];
    assert_eq!(request["declared"], json!({ "file": "declarations.yaml", "line": 6 }));
    assert_eq!(request["consumer_name"], "Skatteetaten");
    assert!(request["since"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    // What a plan says of the same.
    let plan = world.run(&["plan"]);
    assert!(plan.stdout.contains("PV402"), "{}{}", plan.stdout, plan.stderr);
}

#[test]
fn a_request_that_is_declared_for_later_or_blocked_says_so() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Requested), (KART, Requested)]);
    world.declare(&format!(
        "scopes:\n  - name: etat:a\n    description: Les\n    consumers:\n      \
         - {{ consumer: \"{SKATT}\", from: 2099-01-05 }}\n      - \"{KART}\"\n\
         blocked:\n  - {{ consumer: \"{KART}\", reason: SAK-9 }}\n"
    ));
    let ran = world.run(&["requests"]);
    for said in [
        "; declared from 2099-01-05 in declarations.yaml:5: an apply on that day approves it\n",
        "; blocked in declarations.yaml:8: SAK-9\n",
        &format!("requests deny {KART} --scope etat:a\n"),
    ] {
        assert!(ran.stdout.contains(said), "{said}\n{}{}", ran.stdout, ran.stderr);
    }
    let document = world.run(&["requests", "--format", "json"]).stdout;
    let document: Value = serde_json::from_str(&document).unwrap();
    let place = |line| json!({ "file": "declarations.yaml", "line": line });
    let [blocked, later] = [&document["requests"][0], &document["requests"][1]];
    assert_eq!(blocked["blocked"], json!({ "reason": "SAK-9", "source": place(8) }));
    assert_eq!(later["later"], json!({ "from": "2099-01-05", "source": place(5) }));
    assert_eq!((&later["declared"], &blocked["later"]), (&Value::Null, &Value::Null));

    let refused = world.run(&["requests", "deny", SKATT, "--scope", "etat:a", "--yes"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    let why = "from 2099-01-05 (declarations.yaml:5), so an apply on that day approves the request";
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
    assert_eq!(world.sent(), [""; 0]);
    // Nothing approves the request of a blocked one.
    let denied = world.run(&["requests", "deny", KART, "--scope", "etat:a", "--yes"]);
    assert_eq!(denied.code, 0, "{}", denied.stderr);
    assert_eq!(world.sent(), [format!("revoke etat:a {KART}")]);
}

#[test]
fn a_request_that_what_was_applied_approves_is_not_denied() {
    let remote = Remote::new();
    let one = remote.first();
    let scope = "scopes:\n  - name: etat:a\n    description: Les\n    consumers:\n";
    let entry = format!("      - {{ consumer: \"{KART}\", from: 2099-01-05 }}\n");
    one.declare(&format!("{scope}      - \"{SKATT}\"\n{entry}"));
    one.apply();
    remote.world.put("etat:a", true, &[(SKATT, Approved), (KART, Requested)]);
    one.declare(&format!("{scope}      - \"{SKATT}\"\n"));
    let ran = one.ends(4, &["requests", "deny", KART, "--scope", "etat:a", "--yes"]);
    assert!(ran.stderr.contains("at the commit that was applied last"), "{}", ran.stderr);
    one.apply();
    one.ends(0, &["requests", "deny", KART, "--scope", "etat:a", "--yes"]);
}

#[test]
fn a_request_that_another_folder_declares_is_not_denied() {
    let remote = Remote::new();
    let one = two(&remote);
    remote.world.put("etat:y", true, &[(KART, Requested)]);
    let deny = ["-C", "x", "requests", "deny", KART, "--scope", "etat:y", "--yes"];
    let consumer = |more: &str| {
        format!("scopes:\n  - name: etat:y\n    description: Les\n    consumers:\n{more}")
    };
    let later = format!("      - {{ consumer: \"{KART}\", from: 2099-01-05 }}\n");
    for (yaml, why) in [
        (
            consumer(&format!("      - \"{KART}\"\n")),
            "environment test in folder y (scopes.yaml:5)",
        ),
        (consumer(&later), "environment test in folder y (scopes.yaml:5)"),
        (
            "scopes: [\n".to_owned(),
            "whether another folder or environment declares 971040238 is not known",
        ),
    ] {
        one.write("y/scopes.yaml", &yaml);
        one.merge("Declare");
        let ran = one.ends(4, &deny);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert_eq!(remote.world.sent(), [""; 0]);
    }
    one.write("y/scopes.yaml", &consumer(&format!("      - \"{SKATT}\"\n")));
    one.merge("Take it out");
    one.ends(0, &deny);
    assert_eq!(remote.world.sent(), [format!("revoke etat:y {KART}")]);
}

#[test]
fn what_another_folder_says_counts_also_where_it_is_blocked_here_and_until_it_is_applied() {
    let remote = Remote::new();
    let one = two(&remote);
    let declared = |to: &str| scopes(&[("etat:y", &[SKATT, to])]);
    one.write("y/scopes.yaml", &declared(KART));
    one.write(
        "x/blocked.yaml",
        &format!("blocked:\n  - {{ consumer: \"{KART}\", reason: SAK-1 }}\n"),
    );
    one.merge("Declare");
    remote.world.put("etat:y", true, &[(SKATT, Approved), (KART, Requested)]);
    let deny = ["-C", "x", "requests", "deny", KART, "--scope", "etat:y", "--yes"];
    let ran = one.ends(4, &deny);
    assert!(ran.stderr.contains("so an apply there approves the request"), "{}", ran.stderr);
    // Until the removal is applied there, `apply --due` goes by what was.
    apply(&one, "y");
    one.write("y/scopes.yaml", &declared(DIGDIR));
    one.merge("Take it out");
    remote.world.put("etat:y", true, &[(SKATT, Approved), (KART, Requested)]);
    let ran = one.ends(4, &deny);
    assert!(ran.stderr.contains("`apply --due` there can approve the request"), "{}", ran.stderr);
    remote.world.check_and_forget();
    apply(&one, "y");
    one.ends(0, &deny);
    assert_eq!(
        remote.world.sent(),
        [format!("grant etat:y {DIGDIR}"), format!("revoke etat:y {KART}")]
    );
}

#[test]
fn a_folder_that_is_excluded_and_cannot_be_read_hinders_no_denial() {
    let remote = Remote::new();
    let one = remote.first();
    one.write("examples/portvakt.yaml", "environments: [\n");
    let settings = std::fs::read_to_string(one.path.join("portvakt.yaml")).unwrap();
    one.write("portvakt.yaml", &format!("{settings}exclude: [examples]\n"));
    one.merge("Examples");
    put(&remote.world);
    one.declare(&declarations());
    one.ends(0, &["requests", "deny", KART, "--scope", "etat:a", "--yes"]);
    one.write("portvakt.yaml", &settings);
    one.merge("Examples that count");
    let ran = one.ends(4, &["requests", "deny", KART, "--scope", "etat:b", "--yes"]);
    assert!(ran.stderr.contains("Correct that first"), "{}", ran.stderr);
}

#[test]
fn no_request_is_an_answer_too() {
    let world = World::new();
    world.declare(&declarations());
    let ran = world.run(&["requests", "--all-environments"]);
    assert_eq!((ran.code, &*ran.stdout), (0, "Nobody requests access in test.\n"));
}

#[test]
fn a_denial_is_one_call_and_a_line_in_the_ledger() {
    let remote = Remote::new();
    let one = remote.first();
    put(&remote.world);
    one.declare(&declarations());
    // Before anything was applied, its line is no apply.
    let denied = one.ends(0, &["requests", "deny", KART, "--scope", "etat:b", "--yes"]);
    assert!(denied.stdout.starts_with("Denied: STATENS KARTVERK"), "{}", denied.stdout);
    assert_eq!(remote.world.sent(), [format!("revoke etat:b {KART}")]);
    assert_eq!(remote.held("applied"), None);
    one.apply();
    let applied = remote.held("applied");
    assert!(applied.is_some());
    remote.world.check_and_forget();

    one.write("notes.txt", "another commit");
    one.merge("Notes");
    let denied =
        one.ends(0, &["requests", "deny", "statens kartverk", "--scope", "etat:a", "--yes"]);
    assert!(denied.stdout.contains("etat:a in test"), "{}", denied.stdout);
    assert_eq!(remote.world.sent(), [format!("revoke etat:a {KART}")]);
    let state = remote.world.sandbox.state();
    let kept = &state.accesses[&"etat:a".parse().unwrap()][&KART.parse().unwrap()];
    assert_eq!(kept.state, Denied);
    assert_eq!((remote.held("applied"), remote.held("lock")), (applied, None));
    assert_eq!(remote.tried(), [""; 0]);
    let plan = one.plan();
    assert!(plan["applied"]["unknown"].is_null(), "{plan:#}");
    assert_eq!(plan["actions"], json!([]));
    let notices = plan["notices"].as_array().unwrap();
    assert_eq!(notices.iter().map(|it| &it["code"]).collect::<Vec<_>>(), ["PV401"], "{plan:#}");

    let history = one.history();
    let line = &history[0];
    assert_eq!((&line["denial"], &line["outcome"]), (&json!(true), &json!("done")));
    assert_eq!(line["actions"][0]["id"], format!("revoke etat:a {KART}"));
    assert_eq!(history.len(), 3);
    let shown = one.ends(0, &["history", "--consumer", KART]).stdout;
    assert!(shown.contains("a request was denied at"), "{shown}");
    assert!(shown.contains("deny       etat:a  971040238"), "{shown}");
    assert!(!shown.contains("revoke"), "{shown}");
    assert!(one.ends(0, &["requests"]).stdout.starts_with("Nobody requests access"));
}

#[test]
fn what_is_no_open_request_is_refused_and_nothing_is_sent() {
    let world = World::new();
    put(&world);
    world.declare(&declarations());
    for (code, args, message) in [
        (
            4,
            &[SKATT, "--scope", "etat:a", "--yes"][..],
            "declared as a consumer of etat:a (declarations.yaml:6)",
        ),
        (4, &[KART, "--scope", "etat:a"], "--yes"),
        (64, &[DIGDIR, "--scope", "etat:a", "--yes"], "has access to etat:a"),
        (64, &[SKATT, "--scope", "etat:b", "--yes"], "does not request access to etat:b"),
        (
            64,
            &["statens kartverkt", "--scope", "etat:a", "--yes"],
            "did you mean `STATENS KARTVERK`",
        ),
        (64, &[KART, "--scope", "etat:aa", "--yes"], "did you mean `etat:a`"),
        (64, &["971040239", "--scope", "etat:a", "--yes"], "check digit"),
    ] {
        let ran = world.run(&[&["requests", "deny"], args].concat());
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(message), "{args:?}: {}", ran.stderr);
    }
    assert_eq!(world.sent(), [""; 0]);
}

#[test]
fn a_denial_that_digdir_refuses_is_a_failure_in_the_ledger() {
    let remote = Remote::new();
    let one = remote.first();
    put(&remote.world);
    one.declare(&declarations());
    let fault = Fault::Status { status: 400, retry_after: None };
    remote.world.sandbox.inject(rule(("DELETE", "/scopes/access/"), 9, fault));
    let ran = one.ends(1, &["requests", "deny", KART, "--scope", "etat:b", "--yes"]);
    assert!(ran.stderr.contains("could not be denied"), "{}", ran.stderr);
    let line = &one.history()[0];
    assert_eq!((&line["denial"], &line["outcome"]), (&json!(true), &json!("partial")));
    assert_eq!(line["actions"][0]["outcome"], "failed");
    assert_eq!((remote.held("applied"), remote.held("lock")), (None, None));
    assert!(one.ends(0, &["requests"]).stdout.contains("etat:b (test)"));
}

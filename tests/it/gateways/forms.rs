//! The text of each policy, the choice of scopes, and `--check`.

use insta::assert_snapshot;

use super::api::{SCOPE, rendered, world};
use crate::world::{SKATT, World};

const ENGINES: [&str; 5] = ["istio", "envoy", "apim", "krakend", "spring"];

/// DigDir's test environment, offline.
fn declared() -> World {
    let world = World::new();
    world.write(
        "portvakt.yaml",
        "organization: { orgno: \"889640782\" }\nprefixes: [etat]\nenvironments:\n  \
           test: { target: test, credentials: { client_id: p, key: { env: PORTVAKT_KEY }, kid: k } }\n  \
           sandbox: { target: sandbox }\nteams:\n  arbeid: { path: arbeid, scopes: [\"etat:arbeid*\"] }\n",
    );
    world.write(
        "arbeid/aareg.yaml",
        format!(
            "consumers:\n  skatteetaten: {{ orgno: \"{SKATT}\", name: Skatteetaten }}\n  \
               kartverket: {{ orgno: \"971040238\" }}\n\
             scopes:\n  - name: {SCOPE}\n    description: Les\n    consumers:\n      - skatteetaten\n      \
               - {{ consumer: kartverket, until: 2020-01-01 }}\n  \
               - name: etat:arbeid/åpen.read\n    description: Les\n    accessible_for_all: true\n  \
               - name: etat:arbeid/stengt.read\n    description: Les\n    active: false\n"
        ),
    );
    world.write("andre.yaml", "scopes:\n  - { name: etat:helse.read, description: Les }\n");
    world
}

fn render(world: &World, engine: &str, more: &[&str]) -> String {
    let ran = world.run(&[&["-e", "test", "render", engine], more].concat());
    assert_eq!(ran.code, 0, "{engine} {more:?}: {}", ran.stderr);
    ran.stdout
}

#[test]
fn each_engine_has_its_form() {
    let world = declared();
    for engine in ENGINES {
        let one = render(&world, engine, &["--scope", SCOPE]);
        assert_snapshot!(format!("{engine}_one"), one);
        let more = ["--team", "arbeid", "--consumers", "--audience", "https://api.etat.example"];
        assert_snapshot!(format!("{engine}_several"), render(&world, engine, &more));
    }
}

#[test]
fn scopes_are_those_of_a_glob_and_of_a_team() {
    let world = declared();
    let all = render(&world, "krakend", &["--scope", "*"]);
    assert!(all.contains("\"etat:helse.read\"") && all.contains("\"etat:arbeid/åpen.read\""));
    assert!(!all.contains("stengt"), "it is not active");
    let team = render(&world, "krakend", &["--team", "arbeid", "--scope", "*.read"]);
    assert!(!team.contains("helse") && team.contains("åpen"));
    for (more, message) in [
        (&["--team", "arbied"][..], "did you mean `arbeid`"),
        (&["--scope", "etat:nei"], "no active scope of test"),
        (&["--scope", "etat:arbeid/stengt.read"], "no active scope of test"),
        (&["--path", "aareg"], "a path begins with `/`"),
        (&["--path", "/a*b"], "a path begins with `/`"),
        (&["--host", "a b"], "a host is a name"),
        (&["--name", "Aareg"], "dashes"),
        (&["--audience", "https://a b"], "without white space"),
        (&["--audience", "https://a\nb"], "without white space"),
    ] {
        let scope = if more[0] == "--scope" { &[][..] } else { &["--scope", "*"] };
        let ran = world.run(&[&["-e", "test", "render", "istio"], scope, more].concat());
        assert_eq!(ran.code, 64, "{more:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{more:?}: {}", ran.stderr);
    }
    let ran = world.run(&["-e", "sandbox", "render", "istio", "--scope", "*"]);
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    assert!(ran.stderr.contains("`portvakt sandbox`"), "{}", ran.stderr);
    let ran = world.run(&["-e", "test", "render", "spring", "--scope", "*", "--path", "/aareg"]);
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    for engine in ENGINES {
        let ran = world.run(&["-e", "test", "render", engine]);
        assert_eq!(ran.code, 64, "the scopes of several APIs: {}", ran.stderr);
        assert!(ran.stderr.contains("--scope"), "{}", ran.stderr);
    }
}

#[test]
fn an_open_scope_with_consumers_lists_them_by_itself() {
    let world = declared();
    world.write(
        "andre.yaml",
        format!(
            "scopes:\n  - name: etat:helse.read\n    description: Les\n    accessible_for_all: true\n    \
             consumers: [\"{SKATT}\"]\n"
        ),
    );
    let istio = render(&world, "istio", &["--scope", "etat:helse.read"]);
    assert!(istio.contains(&format!("0192:{SKATT}")), "{istio}");
    let istio = render(&world, "istio", &["--scope", SCOPE]);
    assert!(!istio.contains("0192:"), "DigDir keeps it: {istio}");
    let istio = render(&world, "istio", &["--scope", SCOPE, "--consumers"]);
    assert!(istio.contains(&format!("0192:{SKATT}")) && !istio.contains("0192:971040238"));
}

#[test]
fn one_policy_has_one_audience() {
    let world = declared();
    world.write(
        "andre.yaml",
        "scopes:\n  - name: etat:helse.read\n    description: Les\n    \
         enforced_aud_for_access_token: https://helse.example\n",
    );
    let istio = render(&world, "istio", &["--scope", "etat:helse.read"]);
    assert!(istio.contains("audiences: [https://helse.example]"), "{istio}");
    let several = world.run(&["-e", "test", "render", "istio", "--scope", "*"]);
    assert_eq!(several.code, 64, "{}", several.stderr);
    assert!(several.stderr.contains("one audience"), "{}", several.stderr);
    let other = ["--scope", "etat:helse.read", "--audience", "https://annen.example"];
    let other = world.run(&[&["-e", "test", "render", "istio"][..], &other].concat());
    assert_eq!(other.code, 64, "{}", other.stderr);
    assert!(other.stderr.contains("leave it out"), "{}", other.stderr);
}

#[test]
fn a_committed_file_is_compared() {
    let world = declared();
    for engine in ENGINES {
        let with = |more: &[&str]| {
            world.run(&[&["-e", "test", "render", engine, "--scope", SCOPE], more].concat())
        };
        let written = with(&["--out", "policy"]);
        assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{}", written.stderr);
        let same = with(&["--check", "policy"]);
        assert_eq!((same.code, same.stdout.as_str()), (0, ""), "{}", same.stderr);
        let other = with(&["--audience", "https://api.etat.example", "--check", "policy"]);
        assert_eq!(other.code, 2, "{}", other.stderr);
        assert!(other.stdout.contains("+") && other.stdout.contains("https://api.etat.example"));
        assert_eq!(with(&["--out", "policy"]).code, 0, "its own file");
        let own = "scopes: []\n";
        world.write("andre.yaml", own);
        let refused = with(&["--out", "andre.yaml"]);
        assert_eq!(refused.code, 4, "{}", refused.stderr);
        assert_eq!(std::fs::read_to_string(world.folder().join("andre.yaml")).unwrap(), own);
        let none = with(&["--check", "nei"]);
        assert_eq!(none.code, 1, "{}", none.stderr);
    }
}

#[test]
fn the_fragment_for_api_management_is_well_formed_and_in_order() {
    let world = world();
    for more in [&[][..], &["--consumers", "--audience", "https://api.etat.example/?a=1&b=2"]] {
        let text = rendered(&world, "apim", more);
        let document = roxmltree::Document::parse(&text).unwrap();
        let fragment = document.root_element();
        let validate = fragment.first_element_child().unwrap();
        assert_eq!(validate.tag_name().name(), "validate-jwt");
        const ATTRIBUTES: [&str; 9] = [
            "header-name",
            "require-scheme",
            "require-expiration-time",
            "require-signed-tokens",
            "clock-skew",
            "failed-validation-httpcode",
            "failed-validation-error-message",
            "output-token-variable-name",
            "",
        ];
        assert!(validate.attributes().all(|it| ATTRIBUTES.contains(&it.name())));
        const CHILDREN: [&str; 6] = [
            "openid-config",
            "issuer-signing-keys",
            "decryption-keys",
            "audiences",
            "issuers",
            "required-claims",
        ];
        let places = validate.children().filter(roxmltree::Node::is_element);
        let places: Vec<_> = places
            .map(|it| CHILDREN.iter().position(|name| *name == it.tag_name().name()).unwrap())
            .collect();
        assert!(places.is_sorted(), "{places:?}");
        let has_check = fragment.children().any(|it| it.tag_name().name() == "choose");
        assert_eq!(has_check, more.contains(&"--consumers"), "{text}");
    }
}

#[test]
fn an_istio_policy_without_a_workload_says_that_it_is_for_the_whole_namespace() {
    let world = declared();
    let with = |more: &[&str]| {
        world.run(&[&["-e", "test", "render", "istio", "--scope", SCOPE], more].concat())
    };
    let whole = with(&[]);
    assert!(whole.stdout.contains("# The policy has no selector"), "{}", whole.stdout);
    assert!(whole.stderr.contains("note: The policy has no selector"), "{}", whole.stderr);
    let own = with(&["--name", "aareg"]);
    assert!(!(own.stdout + &own.stderr).contains("no selector"));
    let paths = with(&["--name", "aareg", "--path", "/aareg/*"]);
    assert!(paths.stdout.contains("DECODE_AND_MERGE_SLASHES"), "{}", paths.stdout);
}

#[test]
fn a_block_that_no_list_enforces_is_reported() {
    let world = declared();
    world.write(
        "andre.yaml",
        format!(
            "blocked: [{{ consumer: \"{SKATT}\", reason: SAK-1 }}]\nscopes:\n  - name: etat:helse.read\n    \
             description: Les\n    accessible_for_all: true\n"
        ),
    );
    for engine in ENGINES {
        let with = |more: &[&str]| {
            world.run(&[&["-e", "test", "render", engine, "--scope"], more].concat())
        };
        let open = with(&["etat:helse.read"]);
        assert_eq!(open.code, 0, "{}", open.stderr);
        let line = format!("Skatteetaten ({SKATT}): blocked, and let through with etat:helse.read");
        assert!(open.stdout.contains(&line), "{engine}: {}", open.stdout);
        assert!(open.stderr.contains(&format!("note: {line}")), "{engine}: {}", open.stderr);
        let kept = with(&[SCOPE]);
        assert!(!kept.stderr.contains("blocked"), "DigDir keeps it: {}", kept.stderr);
    }
    // A list has nobody that is blocked.
    let listed =
        world.run(&["-e", "test", "render", "istio", "--scope", "etat:helse.read", "--consumers"]);
    assert!(!listed.stderr.contains("blocked"), "{}", listed.stderr);
}

#[test]
fn the_name_of_a_file_does_not_end_the_comment_of_the_fragment() {
    let world = declared();
    world.write(
        "a----><evil>/--->.yaml",
        "scopes:\n  - { name: etat:helse.write, description: Skriv }\n",
    );
    let text = render(&world, "apim", &["--scope", "etat:helse.write"]);
    let document = roxmltree::Document::parse(&text).unwrap();
    assert_eq!(document.root_element().tag_name().name(), "fragment");
    let elements = document.root().children().filter(roxmltree::Node::is_element);
    assert_eq!(elements.count(), 1, "{text}");
}

#[test]
fn a_scope_or_an_audience_that_an_engine_would_not_compare_as_text_is_refused() {
    let world = declared();
    let refused = |scope: &str, message: &str| {
        for engine in ENGINES {
            let ran = world.run(&["-e", "test", "render", engine, "--scope", scope]);
            assert_eq!((ran.code, ran.stdout.as_str()), (64, ""), "{engine}: {}", ran.stderr);
            assert!(ran.stderr.contains(message), "{engine}: {}", ran.stderr);
        }
    };
    for audience in [
        "https://a.example,https://b.example",
        "https://a.example\\nx=y",
        "https://a.example/*",
        "${server.port:x}",
        "{{secret}}",
        "@(true)",
        "https://å.example",
    ] {
        world.write(
            "andre.yaml",
            format!(
                "scopes:\n  - name: etat:helse.read\n    description: Les\n    \
                 enforced_aud_for_access_token: \"{audience}\"\n"
            ),
        );
        refused("etat:helse.read", "`enforced_aud_for_access_token`");
        let ran =
            world.run(&["-e", "test", "render", "istio", "--scope", SCOPE, "--audience", audience]);
        assert_eq!(ran.code, 64, "{audience}: {}", ran.stderr);
    }
    for (attribute, reason) in [
        ("token_type: OPAQUE", "its tokens are references"),
        ("allowed_integration_types: [ansattporten]", "Maskinporten issues no tokens"),
    ] {
        let scope = "name: etat:helse.read, description: Les";
        world.write("andre.yaml", format!("scopes: [{{ {scope}, {attribute} }}]\n"));
        refused("etat:helse.read", reason);
    }
    for scope in ["etat:*", "etat:les*", "etat:{{secret}}", "etat:a,b", "etat:a'b", "etat:${x}"] {
        world.write(
            "andre.yaml",
            format!("scopes:\n  - {{ name: \"{scope}\", description: Les }}\n"),
        );
        let glob = scope.replace(['*', '{', '}'], "?");
        refused(&glob, "gateways read as a pattern");
    }
}

#[test]
fn consumers_who_are_all_blocked_or_ended_close_an_open_scope() {
    let world = declared();
    world.write(
        "andre.yaml",
        format!(
            "blocked: [{{ consumer: \"{SKATT}\", reason: SAK-1 }}]\nscopes:\n  - name: etat:helse.read\n    \
             description: Les\n    accessible_for_all: true\n    consumers:\n      - \"{SKATT}\"\n      \
               - {{ consumer: kartverket, until: 2020-01-01 }}\n"
        ),
    );
    for engine in ENGINES {
        let text = render(&world, engine, &["--scope", "etat:helse.read"]);
        let closed = match engine {
            "istio" => "action: ALLOW\n",
            "envoy" => "policies: {}\n",
            "apim" => "\n        return true;\n",
            "krakend" => "\"check_expr\": \"size(JWT) < 0\"",
            _ => "AuthorizationDecision(\n#                 false);",
        };
        assert!(text.contains(closed) && !text.contains("0192:"), "{engine}: {text}");
        assert!(text.contains("nobody is declared"), "{engine}: {text}");
    }
}

#[test]
fn an_open_scope_without_a_consumer_is_reported() {
    let world = declared();
    // The only consumer counts in another environment.
    world.write(
        "andre.yaml",
        format!(
            "scopes:\n  - name: etat:helse.read\n    description: Les\n    accessible_for_all: true\n    \
             consumers: [{{ consumer: \"{SKATT}\", environments: [sandbox] }}]\n"
        ),
    );
    for engine in ENGINES {
        let with = |more: &[&str]| {
            let scope = ["-e", "test", "render", engine, "--scope", "etat:helse.read"];
            world.run(&[&scope, more].concat())
        };
        let line = "etat:helse.read is open to all, and has no consumer in test: every organisation is let through";
        let open = with(&[]);
        assert_eq!(open.code, 0, "{}", open.stderr);
        assert!(
            open.stdout.contains(line) && open.stderr.contains(line),
            "{engine}: {}",
            open.stderr
        );
        let listed = with(&["--consumers"]);
        assert_eq!(listed.code, 0, "{}", listed.stderr);
        assert!(!listed.stdout.contains(line), "{engine}: {}", listed.stdout);
    }
}

#[test]
fn a_file_or_a_label_with_braces_is_no_variable_of_a_template() {
    let world = declared();
    world.write(
        "{{ secret }}.yaml",
        "blocked: [{ consumer: skatteetaten, reason: SAK-1 }]\nscopes:\n  - name: etat:helse.write\n    \
         description: Skriv\n    accessible_for_all: true\n",
    );
    world.write(
        "arbeid/aareg.yaml",
        format!(
            "consumers: {{ skatteetaten: {{ orgno: \"{SKATT}\", name: \"{{{{ secret }}}}\" }} }}\n"
        ),
    );
    for engine in ENGINES {
        let text = render(&world, engine, &["--scope", "etat:helse.write"]);
        assert!(text.contains("{ { secret } }"), "{engine}: {text}");
        assert!(!text.contains("{{"), "{engine}: {text}");
    }
}

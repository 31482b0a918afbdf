//! `portvakt keys`: creation, files beside the declaration, rotation without a gap, list.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use sandbox::{ClientKey, KeyRecord};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::world::{KEY, Ran, World};

const YAML: &str = "# Klienter\nclients:\n  - name: x # den vi har\n    description: Henter\n";

fn read(world: &World, file: &str) -> String {
    fs::read_to_string(world.folder().join(file)).unwrap()
}

fn json(world: &World, file: &str) -> Value {
    serde_json::from_str(&read(world, file)).unwrap()
}

/// All files in the world's folder, with their content.
fn everything(world: &World) -> Vec<(String, Vec<u8>)> {
    fn below(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => {
                    found.push((path.display().to_string(), Vec::new()));
                    below(&path, found);
                }
                false => {
                    found.push((path.display().to_string(), fs::read(&path).unwrap_or_default()))
                }
            }
        }
    }
    let mut found = Vec::new();
    below(world.folder(), &mut found);
    found.sort();
    found
}

fn public(key: &ClientKey, kid: &str) -> Value {
    let mut jwk = json!(key.public);
    jwk["kid"] = json!(kid);
    jwk
}

fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    ran
}

/// Checks that a command is refused with that code and text, and changes nothing.
fn refused(world: &World, args: &[&str], code: i32, message: &str) {
    let before = everything(world);
    let ran = world.run(args);
    assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    assert_eq!(ran.stdout, "");
    assert_eq!(everything(world), before, "{args:?}");
}

fn live_kids(world: &World) -> Vec<String> {
    world.client("x").1.keys.into_keys().collect()
}

fn kids(set: &Value) -> Vec<&str> {
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect()
}

#[test]
fn a_new_key_goes_to_a_private_file_and_beside_the_declaration() {
    let world = World::new();
    world.write("team/x.yaml", YAML);
    let ran = done(world.run(&["keys", "generate", "x", "--out", "secret/x.jwk"]));
    assert_eq!(ran.stdout, "");
    let private = json(&world, "secret/x.jwk");
    let mode = fs::metadata(world.folder().join("secret/x.jwk")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for member in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        assert!(private[member].is_string(), "{member}");
    }
    assert_eq!((&private["kty"], &private["use"]), (&json!("RSA"), &json!("sig")));
    assert_eq!(read(&world, "secret/x.jwk").lines().count(), 1);

    let set = json(&world, "team/keys/x.jwks.json");
    let kid = private["kid"].as_str().unwrap();
    let expected = json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": private["n"], "e": "AQAB",
    });
    assert_eq!(set, json!({ "keys": [expected] }));
    let date = domain::norwegian_date(jiff::Timestamp::now()).to_string();
    assert!(kid.starts_with(&format!("{date}-")) && kid.len() == date.len() + 9, "{kid}");

    assert_eq!(
        read(&world, "team/x.yaml"),
        "# Klienter\nclients:\n  - name: x # den vi har\n    jwks: keys/x.jwks.json\n    description: Henter\n"
    );
    for message in
        [kid, "secret/x.jwk", "team/keys/x.jwks.json", "team/x.yaml", "apply", "credentials"]
    {
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    }
    done(world.run(&["validate"]));
    world.converges(&["create client x", "keys client x"]);
    assert_eq!(live_kids(&world), [kid]);
}

#[test]
fn a_private_key_is_printed_where_asked_for_and_nothing_else_is() {
    let world = World::new();
    world.declare("clients: [{ name: x }] # én\n");
    let ran = done(world.run(&["keys", "generate", "x", "--stdout"]));
    let private: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(private["d"].is_string() && ran.stdout.lines().count() == 1);
    assert!(!ran.stderr.contains(private["d"].as_str().unwrap()));
    assert_eq!(
        read(&world, "declarations.yaml"),
        "clients: [{ name: x, jwks: keys/x.jwks.json }] # én\n"
    );
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let before = everything(&world);
    let ended = world.process(&["keys", "rotate", "x", "--stdout"]).stdout(full).status();
    assert_eq!(ended.unwrap().code(), Some(1));
    assert_eq!(everything(&world), before, "a key that nobody has is declared nowhere");
}

#[test]
fn no_file_is_ever_overwritten_and_no_link_followed() {
    let world = World::new();
    world.declare(YAML);
    world.write("here", "mine\n");
    symlink("elsewhere", world.folder().join("link")).unwrap();
    for out in ["here", "link", "."] {
        refused(&world, &["keys", "generate", "x", "--out", out], 1, "cannot be written");
    }
    let long = format!("new/{}.jwk", "x".repeat(300));
    refused(&world, &["keys", "generate", "x", "--out", &long], 1, "cannot be written");
    assert!(!world.folder().join("new").exists(), "a folder of a file that is not there is left");
    assert!(!world.folder().join("elsewhere").exists());
    world.write("keys/x.jwks.json", "another's");
    world.write("keys/x-2.jwks.json", "another's too");
    done(world.run(&["keys", "generate", "x", "--out", "x.jwk"]));
    assert_eq!(read(&world, "keys/x.jwks.json"), "another's");
    assert!(read(&world, "declarations.yaml").contains("jwks: keys/x-3.jwks.json\n"));
}

#[test]
fn a_set_gets_the_key_behind_those_that_it_has() {
    let world = World::new();
    let set = json!({ "keys": [public(&KEY, "z-gammel")], "note": "ours" });
    world.write("x.json", set.to_string());
    let yaml = format!("{YAML}    jwks: [x.json] # alle\n");
    world.declare(&yaml);
    done(world.run(&["keys", "rotate", "x", "--out", "new.jwk"]));
    assert_eq!(read(&world, "declarations.yaml"), yaml);
    let after = json(&world, "x.json");
    let new = json(&world, "new.jwk");
    assert_eq!(kids(&after), ["z-gammel", new["kid"].as_str().unwrap()]);
    assert_eq!((&after["keys"][0], &after["note"]), (&set["keys"][0], &set["note"]));
    assert!(read(&world, "x.json").lines().count() > 10, "it is indented");
    done(world.run(&["validate"]));
}

#[test]
fn whatever_names_the_keys_gets_another_and_keeps_its_comments() {
    let single = public(&KEY, "gammel");
    let inline = "{ kty: RSA, kid: gammel, e: AQAB, n: N }"
        .replace('N', KEY.public_member("n").as_str().unwrap());
    let inline = inline.as_str();
    for (before, after) in [
        ("jwks: one.json # nøkkel", "jwks: [one.json, keys/x.jwks.json] # nøkkel"),
        ("jwks: [ one.json ] # nøkkel", "jwks: [ one.json, keys/x.jwks.json ] # nøkkel"),
        ("jwks: 'one.json'\n    # sist", "jwks: ['one.json', keys/x.jwks.json]\n    # sist"),
        (
            "jwks: # to\n      - one.json # den første\n      # sist\n    active: true",
            "jwks: # to\n      - one.json # den første\n      - keys/x.jwks.json\n      # sist\n    active: true",
        ),
        (
            "jwks:\n    - one.json\n    active: true",
            "jwks:\n    - one.json\n    - keys/x.jwks.json\n    active: true",
        ),
        ("jwks: []", "jwks: [keys/x.jwks.json]"),
        (
            "per_environment:\n      test: { jwks: one.json }",
            "per_environment:\n      test: { jwks: [one.json, keys/x.jwks.json] }",
        ),
        (&format!("jwks: {inline}"), &format!("jwks: [{inline}, keys/x.jwks.json]")),
        (
            &format!("jwks:\n      - {inline} # nøkkel"),
            &format!("jwks:\n      - {inline} # nøkkel\n      - keys/x.jwks.json"),
        ),
    ] {
        let world = World::new();
        world.write("one.json", single.to_string());
        world.declare(&format!("{YAML}    {before}\n"));
        done(world.run(&["keys", "generate", "x", "--out", "x.jwk"]));
        assert_eq!(read(&world, "declarations.yaml"), format!("{YAML}    {after}\n"));
        assert_eq!(json(&world, "one.json"), single);
        done(world.run(&["validate"]));
    }
}

#[test]
fn line_breaks_of_windows_stay() {
    let world = World::new();
    world.declare("clients:\r\n  - name: x # den\r\n    active: true\r\n");
    done(world.run(&["keys", "generate", "x", "--out", "x.jwk"]));
    assert_eq!(
        read(&world, "declarations.yaml"),
        "clients:\r\n  - name: x # den\r\n    jwks: keys/x.jwks.json\r\n    active: true\r\n"
    );
}

#[test]
fn a_file_that_another_client_names_too_is_left_alone() {
    let world = two_keys("[both.json]", 3600);
    let sets = ["old.json", "new.json"].map(|file| json(&world, file));
    let set = json!({ "keys": sets }).to_string();
    world.write("both.json", &set);
    world.write("y.yaml", "clients: [{ name: y, jwks: both.json }]\n");
    refused(&world, &["keys", "rotate", "x", "--retire"], 4, "'y' too");
    let ran = done(world.run(&["keys", "rotate", "x", "--out", "x.jwk"]));
    assert_eq!(read(&world, "both.json"), set);
    assert!(read(&world, "declarations.yaml").contains("jwks: [both.json, keys/x.jwks.json]\n"));
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    done(world.run(&["validate"]));
}

#[test]
fn what_a_first_key_takes_away_is_warned_of() {
    let world = World::new();
    world.declare(YAML);
    let ran = done(world.run(&["keys", "generate", "x", "--out", "x.jwk"]));
    assert!(ran.stderr.contains("declared no keys so far"), "{}", ran.stderr);
}

#[test]
fn a_file_with_aliases_is_edited_by_hand() {
    let world = World::new();
    world.declare(
        "scopes: []\nclients:\n  - { name: x, description: Les, jwks: &k [{ keys: [] }] }\n  - { name: y, description: Les, \
         jwks: *k }\n",
    );
    refused(&world, &["keys", "generate", "x", "--out", "x.jwk"], 1, "aliases");
}

#[test]
fn what_cannot_have_a_key_is_refused_before_anything_is_written() {
    let world = World::new();
    world.declare(
        "clients:\n  \
           - { name: saksbehandling }\n  \
           - name: innlogging\n    \
             integration_type: idporten\n    \
             token_endpoint_auth_method: client_secret_post\n    \
             redirect_uris: [https://x.example/]\n",
    );
    let generate = |name: &'static str| ["keys", "generate", name, "--out", "x.jwk"];
    refused(&world, &generate("saksbehanding"), 64, "did you mean `saksbehandling`?");
    refused(&world, &generate("innlogging"), 1, "private_key_jwt");
    refused(&world, &["keys", "generate", "saksbehandling"], 64, "--out");
    let both = ["keys", "generate", "saksbehandling", "--stdout", "--out", "x.jwk"];
    refused(&world, &both, 64, "--stdout");
    let rotate = ["keys", "rotate", "saksbehandling", "--out", "x.jwk"];
    refused(&world, &rotate, 1, "keys generate");
    refused(&world, &["keys", "rotate", "saksbehandling"], 64, "--out");
}

#[test]
fn a_client_has_five_keys_at_most() {
    let world = World::new();
    world.declare(YAML);
    for number in 1..=5 {
        let out = format!("{number}.jwk");
        done(world.run(&["keys", "generate", "x", "--out", &out]));
    }
    assert_eq!(kids(&json(&world, "keys/x.jwks.json")).len(), 5);
    refused(&world, &["keys", "generate", "x", "--out", "6.jwk"], 4, "--retire");
}

#[test]
fn where_a_later_step_fails_what_was_written_is_taken_back() {
    let world = World::new();
    world.declare(YAML);
    let yaml = world.folder().join("declarations.yaml");
    let mut permissions = fs::metadata(&yaml).unwrap().permissions();
    permissions.set_mode(0o444);
    fs::set_permissions(&yaml, permissions).unwrap();
    let args = ["keys", "generate", "x", "--out", "secret/x.jwk"];
    refused(&world, &args, 1, "taken back: nothing is changed");

    let printed = world.run(&["keys", "generate", "x", "--stdout"]);
    assert_eq!(printed.code, 1);
    assert!(printed.stderr.contains("of no use"), "{}", printed.stderr);
}

#[test]
fn a_private_key_that_git_would_take_is_warned_of() {
    let world = World::new();
    world.declare(YAML);
    let generate = |out: &str| done(world.run(&["keys", "generate", "x", "--out", out])).stderr;
    assert!(!generate("a.jwk").contains("git"));
    let git = |args: &[&str]| {
        let ran = std::process::Command::new("git").args(args).current_dir(world.folder()).output();
        assert!(ran.unwrap().status.success());
    };
    git(&["init", "-q"]);
    world.write(".gitignore", "*.secret\n");
    assert!(generate("b.jwk").contains("is not ignored"));
    assert!(!generate("c.secret").contains("git"));
    let outside = tempfile::TempDir::new().unwrap();
    assert!(!generate(outside.path().join("d.jwk").to_str().unwrap()).contains("git"));
}

#[test]
fn a_key_is_rotated_without_a_moment_without_one() {
    let world = World::new();
    world.declare(YAML);
    let retire = ["keys", "rotate", "x", "--retire"];
    refused(&world, &retire, 1, "not live");
    done(world.run(&["keys", "generate", "x", "--out", "1.jwk"]));
    done(world.apply());
    world.check_and_forget();
    let first = json(&world, "1.jwk")["kid"].as_str().unwrap().to_owned();
    let ran = done(world.run(&retire));
    assert!(ran.stderr.contains("nothing to remove"), "{}", ran.stderr);

    let ran = done(world.run(&["keys", "rotate", "x", "--out", "2.jwk"]));
    assert!(ran.stderr.contains("two minutes") && ran.stderr.contains("--retire"));
    let second = json(&world, "2.jwk")["kid"].as_str().unwrap().to_owned();
    refused(&world, &retire, 4, "not live yet");
    world.converges(&["keys client x"]);
    let mut both = [first.clone(), second.clone()];
    both.sort();
    assert_eq!(live_kids(&world), both);

    let yaml = read(&world, "declarations.yaml");
    let ran = done(world.run(&retire));
    assert!(ran.stderr.contains(&format!("took out {first}; {second} stays")), "{}", ran.stderr);
    assert!(ran.stderr.contains("do not apply before"), "{}", ran.stderr);
    assert_eq!(read(&world, "declarations.yaml"), yaml);
    assert_eq!(kids(&json(&world, "keys/x.jwks.json")), [second.as_str()]);
    assert_eq!(live_kids(&world), both, "only an apply changes what is live");
    world.converges(&["keys client x"]);
    assert_eq!(live_kids(&world), [second]);
    let ran = done(world.run(&retire));
    assert!(ran.stderr.contains("nothing to remove"), "{}", ran.stderr);
}

/// A client with two live keys, `old` in one file and `new` in another.
fn two_keys(jwks: &str, ends: i64) -> World {
    let world = World::new();
    let other = ClientKey::generate().unwrap();
    world.write("old.json", public(&KEY, "old").to_string());
    world.write("new.json", public(&other, "new").to_string());
    world.declare(&format!("{YAML}    jwks: {jwks}\n"));
    world.put_client("1f0a", "x", true, &[]);
    let mut old = KeyRecord::new(KEY.public.clone());
    old.created = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut new = KeyRecord::new(other.public.clone());
    new.created = "2026-02-01T00:00:00Z".parse().unwrap();
    new.exp = jiff::Timestamp::now().as_second() + ends;
    for (record, kid) in [(&mut old, "old"), (&mut new, "new")] {
        record.public.common.key_id = Some(kid.to_owned());
    }
    world.sandbox.edit(|state| {
        let client = state.clients.get_mut("1f0a").unwrap();
        client.keys = [("old".to_owned(), old), ("new".to_owned(), new)].into();
    });
    world
}

#[test]
fn a_file_with_a_single_key_is_taken_out_of_the_list() {
    for (before, after) in [
        ("[old.json, new.json]", "[new.json]"),
        ("[ new.json, old.json ] # to", "[new.json] # to"),
        (
            "# to\n      - old.json # gammel\n      # ny\n      - new.json # ny",
            "# to\n      # ny\n      - new.json # ny",
        ),
    ] {
        let world = two_keys(before, 3600);
        let ran = done(world.run(&["keys", "rotate", "x", "--retire"]));
        assert_eq!(read(&world, "declarations.yaml"), format!("{YAML}    jwks: {after}\n"));
        assert!(world.folder().join("old.json").exists(), "whose else it is, nobody knows");
        assert!(!ran.stderr.contains("do not apply before"), "{}", ran.stderr);
        done(world.run(&["validate"]));
    }
}

#[test]
fn what_cannot_be_retired_safely_is_left_alone() {
    let retire = ["keys", "rotate", "x", "--retire"];
    let world = two_keys("[old.json, new.json]", -1);
    refused(&world, &retire, 4, "has ended");
    let world = two_keys("[new.json, # ny\n      old.json]", 3600);
    refused(&world, &retire, 1, "take `old.json` out");
    let inline = serde_json::to_string(&public(&KEY, "old")).unwrap();
    let world = two_keys(&format!("[{inline}, new.json]"), 3600);
    refused(&world, &retire, 4, "by hand old");
    let world = two_keys("[old.json]", 3600);
    let ran = done(world.run(&retire));
    assert!(ran.stderr.contains("nothing to remove"), "an undeclared key is no reason");
    world.sandbox.edit(|state| state.clients.get_mut("1f0a").unwrap().keys.clear());
    refused(&world, &retire, 4, "none of the declared keys");
}

/// The list as JSON, checked against its schema.
fn listed(world: &World, args: &[&str]) -> (i32, Value) {
    let ran = world.run(&[&["keys", "list", "--format", "json"], args].concat());
    let list: Value = serde_json::from_str(&ran.stdout).expect(&ran.stderr);
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/keys.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&list).map(|error| error.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    (ran.code, list["keys"].clone())
}

fn states(list: &Value) -> Vec<(&str, &str, &str)> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|key| {
            let text = |name: &str| key[name].as_str().unwrap();
            (text("client"), text("kid"), text("state"))
        })
        .collect()
}

const DAY: i64 = 86_400;

#[test]
fn all_keys_are_listed_with_their_end() {
    let world = two_keys("[new.json, third.json]", 10 * DAY + 60);
    let third = ClientKey::generate().unwrap();
    world.write("third.json", public(&third, "third").to_string());
    world.write("y.yaml", "clients: [{ name: a }]\n");
    world.put_client("2f0b", "a", true, &[]);
    let (code, list) = listed(&world, &[]);
    assert_eq!(code, 0);
    let expected = [("x", "third", "missing"), ("x", "new", "live"), ("x", "old", "undeclared")];
    assert_eq!(states(&list), expected);
    let new = &list[1];
    assert_eq!((&new["client_id"], &new["expires_in_days"]), (&json!("1f0a"), &json!(10)));
    assert_eq!(new["created"], "2026-02-01T00:00:00Z");
    new["expires"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(list[0]["expires"], Value::Null);
    assert_eq!(list[2]["thumbprint"], KEY.kid.as_str());
    assert_eq!(listed(&world, &["a"]).1, json!([]));
    assert_eq!(listed(&world, &["x"]).1, list);

    let text = done(world.run(&["keys", "list"])).stdout;
    for message in ["x  1f0a", "in 10 days", "not declared", "registered by the next apply"] {
        assert!(text.contains(message), "{message}: {text}");
    }
    assert_eq!(world.run(&["keys", "list", "nobody"]).code, 64);
}

#[test]
fn a_key_that_ends_soon_is_reported_by_the_exit_code() {
    let world = two_keys("[old.json, new.json]", 10 * DAY);
    let code = |args: &[&str]| listed(&world, args);
    let kids = |list: &Value| states(list).iter().map(|key| key.1.to_owned()).collect::<Vec<_>>();
    // Within 400 days, portvakt's own key expires too.
    for (within, found) in [("9d", 0), ("11d", 1), ("2w", 1), ("250h", 1), ("1h", 0), ("400d", 3)] {
        let (code, list) = code(&["--expiring", within, "--detailed-exitcode"]);
        assert_eq!((code, kids(&list).len()), (if found > 0 { 2 } else { 0 }, found), "{within}");
        assert_eq!(world.run(&["keys", "list", "--expiring", within]).code, 0);
    }
    // 30 days is the default of portvakt.yaml.
    let (all, list) = code(&["--detailed-exitcode"]);
    assert_eq!((all, kids(&list).len()), (2, 2));
    world.settings("keys_policy: { warn_before: 5d }\n");
    assert_eq!(code(&["--detailed-exitcode"]).0, 0);
    world.sandbox.edit(|state| {
        let keys = &mut state.clients.get_mut("1f0a").unwrap().keys;
        keys.get_mut("new").unwrap().exp = jiff::Timestamp::now().as_second() - 2 * DAY;
    });
    let (ended, list) = code(&["--expiring", "0d", "--detailed-exitcode"]);
    assert_eq!((ended, kids(&list)), (2, vec!["new".to_owned()]));
    assert!(list[0]["expires_in_days"].as_i64().unwrap() < 0);
    for wrong in ["", "30", "d", "-1d", "x"] {
        let arg = format!("--expiring={wrong}");
        assert_eq!(world.run(&["keys", "list", &arg]).code, 64, "{wrong}");
    }
}

#[test]
fn a_client_that_could_be_two_is_no_list() {
    let world = two_keys("[old.json, new.json]", DAY);
    world.put_client("2f0b", "x", true, &[]);
    refused(&world, &["keys", "list"], 1, "1f0a, 2f0b");
}

#[test]
fn nothing_private_is_shown_beside_what_is_asked_for() {
    let world = World::new();
    world.declare(YAML);
    let message = [
        &["-vvv", "keys", "generate", "x", "--out", "1.jwk"][..],
        &["-vvv", "apply", "--auto-approve"],
        &["-vvv", "keys", "rotate", "x", "--out", "2.jwk"],
        &["-vvv", "keys", "list"],
        &["-vvv", "apply", "--auto-approve"],
        &["-vvv", "keys", "rotate", "x", "--retire"],
    ]
    .map(|args| {
        let ran = done(world.run(args));
        ran.stdout + &ran.stderr
    })
    .concat();
    for file in ["1.jwk", "2.jwk"] {
        let private = json(&world, file);
        for member in ["d", "p", "q", "dp", "dq", "qi"] {
            assert!(!message.contains(private[member].as_str().unwrap()), "{member}");
        }
    }
    let own = KEY.private_key_pem.expose_secret();
    assert!(!message.contains(own.lines().nth(1).unwrap()));
    // Every JWT begins like this: it is `{"` in base64url.
    assert!(!message.contains("eyJ"), "{message}");
    world.check_and_forget();
}

trait PublicMember {
    fn public_member(&self, name: &str) -> Value;
}

impl PublicMember for ClientKey {
    fn public_member(&self, name: &str) -> Value {
        json!(self.public)[name].clone()
    }
}

#[test]
fn a_key_on_the_command_line_is_never_repeated() {
    let world = World::new();
    world.declare("clients:\n  - { name: x }\n");
    let pem = KEY.private_key_pem.expose_secret().to_owned();
    let body: String = pem.lines().filter(|line| !line.contains("-----")).collect();
    let jwk = format!("{{\"kty\":\"RSA\",\"d\":\"{}\"}}", "hemmelig".repeat(9));
    for secret in [pem.as_str(), body.as_str(), jwk.as_str()] {
        for args in [
            vec!["token", "--client", "x", "--key", secret],
            vec!["credentials", "x", "--key", secret],
            vec!["keys", "generate", "x", "--out", secret],
            vec!["keys", "generate", secret, "--stdout"],
            vec!["explain", secret],
            vec![secret],
            vec!["plan", "-e", secret],
        ] {
            let ran = world.run(&args);
            let message = format!("{}{}", ran.stdout, ran.stderr);
            assert_eq!(ran.code, 64, "{message}");
            assert!(!message.contains("hemmelig") && !message.contains(&body[..40]), "{message}");
        }
    }
}

#[test]
fn keys_that_one_apply_registers_are_as_old_as_they_are_listed() {
    // Their ids sort either way, and they are created within microseconds.
    for _ in 0..4 {
        let world = World::new();
        world.write("team/x.yaml", YAML);
        done(world.run(&["keys", "generate", "x", "--out", "first.jwk"]));
        done(world.run(&["keys", "rotate", "x", "--out", "second.jwk"]));
        done(world.apply());
        done(world.run(&["keys", "rotate", "x", "--retire"]));
        done(world.apply());
        let second = json(&world, "second.jwk")["kid"].as_str().unwrap().to_owned();
        assert_eq!(live_kids(&world), [second]);
    }
}

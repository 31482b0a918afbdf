//! Texts with white space at their ends and with decomposed letters, on a server that keeps them unchanged
//! and on one that does not.

use domain::AccessState::Approved;
use sandbox::Switches;
use serde_json::Value;

use crate::world::{SKATT, World, name};

/// `blåbær` as macOS writes it into files, with a combining ring.
const APART: &str = "bla\u{30a}bær";
const COMPOSED: &str = "blåbær";

/// Treatment of texts by the server.
fn switches() -> [Switches; 3] {
    let usual = Switches::default;
    [
        usual(),
        Switches { trims_text: true, ..usual() },
        Switches { trims_text: true, put_keeps_omitted: true, ..usual() },
    ]
}

fn settles(world: &World) {
    let ran = world.apply();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    world.is_settled();
}

#[test]
fn a_text_of_several_lines_is_sent_without_its_last_line_break() {
    for switches in switches() {
        let world = World::with(switches);
        world.write("consumers.yaml", format!("consumers:\n  {APART}: {{ orgno: \"{SKATT}\" }}\n"));
        world.declare(&format!(
            "scopes:\n  - name: etat:{APART}\n    description: >\n      Les {APART},\n      og mer\n    \
             long_description: |\n      {APART}\n\n    consumers: [{COMPOSED}]\n\
             clients:\n  - name: \"{APART} \"\n    integration_type: idporten\n    description: >\n      \
             {APART}\n    logo_uri: \" https://a.example/x\"\n    \
             onbehalfof:\n      - {{ onbehalfof: z, name: \" {APART}\", description: \"{APART}\\n\" }}\n"
        ));
        settles(&world);
        let scope = format!("etat:{COMPOSED}");
        assert_eq!(world.field(&scope, "description"), format!("Les {COMPOSED}, og mer"));
        assert_eq!(world.field(&scope, "long_description"), COMPOSED);
        assert_eq!(world.open_to(&scope).unwrap(), [SKATT]);
        let (_, client) = world.client(COMPOSED);
        assert_eq!(client.fields["description"], COMPOSED);
        assert_eq!(client.fields["logo_uri"], "https://a.example/x");
        assert_eq!(client.on_behalf_of["z"].fields["name"], COMPOSED);

        // Only the spelling changes.
        world.declare(&format!(
            "scopes:\n  - name: etat:{COMPOSED}\n    description: Les {COMPOSED}, og mer\n    \
             long_description: {COMPOSED}\n    consumers: [{APART}]\n\
             clients:\n  - name: {COMPOSED}\n    integration_type: idporten\n    description: {COMPOSED}\n    \
             logo_uri: https://a.example/x\n    \
             onbehalfof:\n      - {{ onbehalfof: z, name: {COMPOSED}, description: {COMPOSED} }}\n"
        ));
        world.is_settled();
    }
}

/// A scope and a client whose texts are kept as somebody entered them by hand.
fn by_hand() -> World {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved)]);
    world.put_client("a", &format!("{APART} "), true, &["etat:a"]);
    world.sandbox.edit(|state| {
        let text = || Value::from(format!("\n{APART} \n"));
        let scope = state.scopes.get_mut(&name("etat:a")).unwrap();
        scope.fields.insert("description".to_owned(), text());
        scope.fields.insert("long_description".to_owned(), text());
        let client = state.clients.get_mut("a").unwrap();
        client.fields.insert("description".to_owned(), text());
    });
    world
}

#[test]
fn a_live_text_with_white_space_at_its_ends_is_the_same() {
    let world = by_hand();
    world.declare(&format!(
        "scopes:\n  - {{ name: etat:a, description: {COMPOSED}, long_description: {COMPOSED}, consumers: [\"{SKATT}\"] }}\n\
         clients:\n  - {{ name: {COMPOSED}, description: {COMPOSED}, scopes: [etat:a] }}\n"
    ));
    world.is_settled();
}

#[test]
fn what_is_imported_is_composed_and_nothing_is_left_to_do() {
    let world = by_hand();
    let ran = world.run(&["import"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let mut written = String::new();
    for entry in walk(world.folder()) {
        written += &std::fs::read_to_string(entry).unwrap();
    }
    assert!(written.contains(&format!("description: {COMPOSED}\n")), "{written}");
    assert!(written.contains(&format!("name: {COMPOSED}\n")), "{written}");
    assert!(!written.contains('\u{30a}'), "{written}");
    world.is_settled();
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn manifests_too() {
    for switches in switches() {
        let world = World::with(switches);
        world.settings("nais: { cluster: { test: dev-gcp } }\n");
        world.write(
            "app.yaml",
            format!(
                "apiVersion: nais.io/v1\nkind: MaskinportenClient\n\
                 metadata: {{ name: app, namespace: team }}\nspec:\n  secretName: x\n  clientName: \"{APART} \"\n  scopes:\n    \
                 exposes:\n      - name: \"{APART}.les\"\n        product: arbeid\n        enabled: true\n        \
                 consumers: [{{ orgno: \"{SKATT}\" }}]\n    consumes:\n      \
                 - name: \"etat:arbeid:{COMPOSED}.les \"\n"
            ),
        );
        settles(&world);
        assert_eq!(world.open_to(&format!("etat:arbeid:{COMPOSED}.les")).unwrap(), [SKATT]);
        world.client(COMPOSED);
    }
}

#[test]
fn what_is_the_same_composed_is_declared_twice() {
    let world = World::new();
    world.write(
        "one.yaml",
        format!(
            "consumers:\n  {APART}: {{ orgno: \"{SKATT}\" }}\nscopes:\n  - {{ name: etat:{APART}, description: Les }}\n\
             clients:\n  - name: {APART}\n"
        ),
    );
    world.write(
        "two.yaml",
        format!(
            "consumers:\n  {COMPOSED}: {{ orgno: \"{SKATT}\" }}\nscopes:\n  - {{ name: etat:{COMPOSED}, description: Les }}\n\
             clients:\n  - name: {COMPOSED}\n"
        ),
    );
    let ran = world.run(&["validate"]);
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert_eq!(shown.matches("first declared here").count(), 3, "{shown}");
}

#[test]
fn what_is_protected_is_so_however_it_is_written() {
    let world = World::new();
    world.settings(&format!("guards: {{ protect: [\"etat:{APART}*\"] }}\n"));
    world.put(&format!("etat:{COMPOSED}.les"), true, &[]);
    world.declare(&format!(
        "removed:\n  - {{ scope: \"etat:{COMPOSED}.les\", action: deactivate }}\n"
    ));
    let plan = world.plan();
    assert_eq!(plan["actions"], serde_json::json!([]));
    assert_eq!(plan["blocked"].as_array().unwrap().len(), 1, "{plan}");
}

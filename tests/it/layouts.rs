//! Folders of manifests as teams have them, put into a repository as they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::git::remote::Remote;
use crate::readme::{ROOT, copy};
use crate::world::{KART, SKATT, World, ids};

/// What portvakt.yaml says of the folder `tests/layouts`.
const NAIS: &str = "  prod: { target: sandbox }
nais:
  cluster: { test: dev-gcp, prod: prod-gcp }
  manifests: { test: [\"**/dev.yaml\"], prod: [\"**/prod.yaml\"] }
  vars: { test: [\"**/dev-vars.yaml\"], prod: [\"**/prod-vars.yaml\"] }
";

/// The world's organisation is the consumer of a scope of its own in a manifest.
const TEST: &str = "313367002";

fn files(folder: &Path, all: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), all),
            false => {
                let path = entry.path().display().to_string();
                drop(all.insert(path, fs::read(entry.path()).unwrap()));
            }
        }
    }
}

/// The files of a folder, with their content.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    files(folder, &mut all);
    all
}

fn planned(world: &World, environment: &str) -> Vec<String> {
    let ran = world.run(&["plan", "-e", environment, "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ids(&serde_json::from_str(&ran.stdout).unwrap())
}

/// Applies to the test environment; after that there is nothing to do.
fn apply(world: &World) {
    for is_settled in [false, true] {
        world.sandbox.clear_exchanges();
        let ran = world.run(&["apply", "-e", "test", "--auto-approve"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(world.sent().is_empty(), is_settled);
    }
    assert_eq!(planned(world, "test"), [""; 0]);
}

fn world() -> World {
    let world = World::new();
    copy(&Path::new(ROOT).join("tests/layouts"), &world.folder().join("apps"));
    world.settings(NAIS);
    world
}

#[test]
fn each_layout_is_validated_planned_and_applied_as_it_is() {
    let world = world();
    let before = content(&world.folder().join("apps"));
    let ran = world.run(&["validate", "--deny-warnings"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        planned(&world, "prod"),
        [
            "create scope etat:arbeid/tiltak/les",
            "create scope etat:arbeid:aareg.read",
            "create scope etat:helse.soknad.read",
            "create scope etat:helse.soknad.write",
            "grant etat:arbeid/tiltak/les 974761076",
            "grant etat:arbeid:aareg.read 971040238",
            "grant etat:arbeid:aareg.read 974761076",
            "grant etat:helse.soknad.read 889640782",
            "grant etat:helse.soknad.read 974761076",
            "grant etat:helse.soknad.write 889640782",
            "grant etat:helse.soknad.write 974761076",
            "create client prod-gcp:arbeid:selvbetjening:idporten",
            "create client prod-gcp:arbeid:tiltak-api",
            "create client prod-gcp:geo:kart",
        ]
    );
    let expected = [
        "create scope etat:arbeid/tiltak/les",
        "create scope etat:arbeid:aareg.read",
        "create scope etat:helse.soknad.read",
        "create scope etat:helse.soknad.write",
        "grant etat:arbeid/tiltak/les 313367002",
        "grant etat:arbeid:aareg.read 313367002",
        "grant etat:helse.soknad.read 889640782",
        "grant etat:helse.soknad.read 974761076",
        "grant etat:helse.soknad.write 889640782",
        "grant etat:helse.soknad.write 974761076",
        "create client dev-gcp:arbeid:selvbetjening:idporten",
        "create client dev-gcp:arbeid:tiltak-api",
        "create client dev-gcp:geo:kart",
    ];
    assert_eq!(planned(&world, "test"), expected);
    apply(&world);
    world.client("Kart");
    assert_eq!(world.open_to("etat:arbeid/tiltak/les").unwrap(), [TEST]);
    assert!(before == content(&world.folder().join("apps")), "an apply changed a manifest");
}

#[test]
fn reviewers_see_the_names_of_consumers() {
    let world = world();
    let ran = world.run(&["plan", "-e", "test"]);
    assert!(ran.stdout.contains("Syntetisk etat"), "{}", ran.stdout);
    let ran = world.run(&["render", "yaml"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("orgno: \"974761076\"") && ran.stdout.contains("- skatteetaten"),
        "{}",
        ran.stdout
    );
}

#[test]
fn forty_applications_in_one_repository_are_planned_for_each_environment() {
    let world = World::new();
    for number in 0..40 {
        for (cluster, orgno) in [("dev", SKATT), ("prod", KART)] {
            let manifest = format!(
                "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: {{ name: app-{number}, namespace: \
                 team-{} }}\nspec:\n  image: {{{{image}}}}\n  maskinporten:\n    enabled: true\n    scopes:\n      exposes:\n      \
                 - {{ name: les, product: app{number}, enabled: true, consumers: [{{ orgno: \"{orgno}\" }}] }}\n      \
                 consumes:\n      - name: etat:app0:les\n",
                number % 7
            );
            world.write(&format!("apps/app-{number}/.nais/{cluster}.yaml"), manifest);
        }
    }
    let settings = |more: &str| {
        world.settings(&format!(
            "  prod: {{ target: sandbox }}\nnais:\n  cluster: {{ test: dev-gcp, prod: prod-gcp }}\n{more}"
        ));
    };
    settings("");
    let ran = world.run(&["validate", "--format", "json"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let found: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let help = found.to_string();
    assert!(help.contains("as are 39 more resources"), "{help}");
    // What is proposed is pasted.
    let manifests = "manifests: { prod: [\"**/prod.yaml\"], test: [\"**/dev.yaml\"] }";
    assert!(help.contains(&manifests.replace('"', "\\\"")), "{help}");
    settings(&format!("  {manifests}\nguards: {{ max_grants: 100 }}\n"));
    let granted = |ids: &[String], orgno: &str| {
        ids.iter().filter(|id| id.starts_with("grant ") && id.ends_with(orgno)).count()
    };
    let (test, prod) = (planned(&world, "test"), planned(&world, "prod"));
    assert_eq!((test.len(), granted(&test, SKATT), granted(&test, KART)), (120, 40, 0));
    assert_eq!((prod.len(), granted(&prod, SKATT), granted(&prod, KART)), (120, 0, 40));
    apply(&world);
}

/// Each advice that names `exclude`, or to remove an entry or a key, tried on a manifest after an apply.
#[test]
fn no_advice_leads_to_a_removal() {
    let remote = Remote::new();
    let one = remote.first();
    let settings = one.git(&["show", "HEAD:portvakt.yaml"]);
    one.write("portvakt.yaml", &format!("{settings}\nnais: {{ cluster: {{ test: dev-gcp }} }}\n"));
    let manifest = "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: app, namespace: team }\nspec:\n  \
                    image: {{image}}\n  maskinporten:\n    enabled: true\n    scopes:\n      exposes:\n      - { name: les, \
                    product: app, enabled: true, consumers: [{ orgno: \"889640782\" }, { orgno: \"974761076\" }] }\n      \
                    consumes:\n      - name: etat:app:les\n";
    one.write(".nais/app.yaml", manifest);
    one.merge("an application");
    one.apply();
    assert_eq!(one.planned(), [""; 0]);
    let beside = [
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n",
        "---\nkind: Deployment\n",
        "---\na: !tag b\n",
        "---\n- a\n",
        "---\napiVersion: nais.io/v1\nkind: Aplication\n",
    ];
    for text in beside {
        one.write(".nais/app.yaml", &format!("{manifest}{text}"));
        let ran = one.run(&["validate"]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        for word in ["exclude", "remove it", "take it out"] {
            assert!(!said.contains(word), "{text}: {said}");
        }
    }
    one.write(".nais/app.yaml", &manifest.replace("name: app,", "name: {{app}},"));
    let ran = one.run(&["validate"]);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("nais: { vars:") && !said.contains("exclude"), "{said}");
    // The advice is followed.
    one.write(
        "portvakt.yaml",
        &format!("{settings}\nnais: {{ cluster: {{ test: dev-gcp }}, vars: {{ test: [\".nais/dev-vars.yaml\"] }} }}\n"),
    );
    one.write(".nais/dev-vars.yaml", "app: app\n");
    assert_eq!(one.planned(), [""; 0]);
    // That of the owner's own access is none for a manifest.
    one.write(".nais/app.yaml", manifest);
    let ran = one.run(&["validate"]);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("PV126"), "{}", ran.stdout);
    assert_eq!(one.planned(), [""; 0]);
}

/// Advice about a manifest that takes or gives access, followed after an apply.
#[test]
fn no_advice_about_a_manifest_takes_access_away() {
    let remote = Remote::new();
    let one = remote.first();
    let settings = one.git(&["show", "HEAD:portvakt.yaml"]).trim_end().to_owned() + "\n";
    let settings = |more: &str| {
        one.write(
            "portvakt.yaml",
            &format!("{settings}  prod: {{ target: sandbox }}\nnais:\n  cluster: {{ test: dev-gcp, prod: prod-gcp }}\n{more}"),
        );
    };
    let manifest = "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: app, namespace: team }\nspec:\n  \
                    maskinporten:\n    enabled: true\n    scopes:\n      exposes:\n";
    let open = "      - name: les\n        product: app\n        enabled: true\n        accessibleForAll: true\n        \
                consumers: [{ orgno: \"974761076\" }]\n";
    let list = "      - name: skriv\n        product: app\n        enabled: true\n        consumers:\n        {{#each \
                consumers}}\n        - orgno: \"{{this}}\"\n        {{/each}}\n";
    let vars = "  vars: { test: [dev-vars.yaml], prod: [prod-vars.yaml] }\n";
    settings(vars);
    one.write("dev-vars.yaml", "consumers: [\"974761076\", \"971040238\"]\n");
    one.write("prod-vars.yaml", "consumers: [\"974761076\"]\n");
    one.write("test.yaml", &format!("{manifest}{open}{list}"));
    one.merge("an application");
    let planned = |environment: &str| {
        let ran = one.run(&["-e", environment, "plan", "--format", "json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        crate::world::ids(&serde_json::from_str(&ran.stdout).unwrap())
    };
    for environment in ["test", "prod"] {
        let ran =
            one.run(&["-e", environment, "apply", "--auto-approve", "--override-guards", "first"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(planned(environment), [""; 0]);
    }
    let advice = |code: &str, words: &[&str]| {
        let ran = one.run(&["validate"]);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        let (_, found) = said.split_once(&format!("[{code}]")).unwrap_or_else(|| panic!("{said}"));
        for word in words {
            assert!(found.contains(word), "{word}: {said}");
        }
    };
    // A scope that is open to all, with consumers.
    advice("PV121", &["# portvakt: allow PV121 -- why", "closes the scope to all others"]);
    let silenced = format!("      # portvakt: allow PV121 -- both\n{open}");
    one.write("test.yaml", &format!("{manifest}{silenced}{list}"));
    assert!(!one.run(&["validate"]).stdout.contains("PV121"));
    // A file that counts where its name is not about.
    let kept = "manifests: { prod: [\"test.yaml\"], test: [\"test.yaml\"] }";
    advice("PV147", &[kept, "What they declare is then closed"]);
    settings(&format!("{vars}  {kept}\n"));
    for environment in ["test", "prod"] {
        assert_eq!(planned(environment), [""; 0]);
    }
    // A list of a template that is empty in one environment.
    one.write("prod-vars.yaml", "consumers: []\n");
    advice(
        "PV012",
        &["in prod", "write `{{else}}` and, further in than the key, `[]` before the `{{/each}}`"],
    );
    let list =
        list.replace("        {{/each}}", "        {{else}}\n          []\n        {{/each}}");
    one.write("test.yaml", &format!("{manifest}{silenced}{list}"));
    assert_eq!(planned("test"), [""; 0]);
    assert_eq!(planned("prod"), ["revoke etat:app:skriv 974761076"]);
}

#[test]
fn what_git_has_of_dot_folders_and_values_is_read() {
    let remote = Remote::new();
    let one = remote.first();
    let settings = one.git(&["show", "HEAD:portvakt.yaml"]);
    let nais = "nais: { cluster: { test: dev-gcp }, vars: { test: [\".nais/dev-vars.yaml\", vars.json] } }\n";
    one.write("portvakt.yaml", &format!("{settings}\n{nais}"));
    one.write(
        ".nais/app.yaml",
        "apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: { name: app, namespace: team }\nspec:\n  \
         secretName: x\n  scopes:\n    exposes:\n    - { name: les, product: {{product}}, enabled: true, consumers: [{ \
         orgno: \"{{orgno}}\" }] }\n",
    );
    one.write(".nais/dev-vars.yaml", "product: app\norgno: '971040238'\n");
    one.write("vars.json", "{ \"orgno\": \"974761076\" }\n");
    one.merge("an application");
    one.apply();
    assert_eq!(remote.world.open_to("etat:app:les").unwrap(), [SKATT]);
    // Each of the three is a file of the repository that an apply wants committed.
    for (file, text) in [
        (".nais/app.yaml", "# another\n"),
        (".nais/dev-vars.yaml", "product: app\n"),
        ("vars.json", "{ \"orgno\": \"971040238\" }\n"),
    ] {
        let before = fs::read_to_string(one.path.join(file)).unwrap();
        one.write(file, text);
        let ran = one.ends(4, &["apply", "--auto-approve"]);
        assert!(ran.stderr.contains("differ from the commit"), "{file}: {}", ran.stderr);
        one.write(file, &before);
    }
    assert_eq!(one.planned(), [""; 0]);
    // It was declared at the applied commit, with its values there.
    one.write("vars.json", "{ \"orgno\": \"971040238\" }\n");
    one.merge("another consumer");
    assert_eq!(one.planned(), ["revoke etat:app:les 974761076", "grant etat:app:les 971040238"]);
    one.write("vars.json", "{ \"orgno\": \"974761076\" }\n");
    one.git(&["rm", "-q", ".nais/app.yaml"]);
    one.merge("no application");
    assert_eq!(one.planned(), ["revoke etat:app:les 974761076", "deactivate scope etat:app:les"]);
}

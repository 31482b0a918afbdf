//! Manifests as teams have them: one file for each cluster, folders, merge keys.

use insta::assert_snapshot;

use super::{CLUSTERS, CONSUMING, desired, exposing, one_client, one_scope, read, repository};
use crate::declare::tests::{SETTINGS, check, folder, said};
use domain::SCOPE;

const BY_FILE: &str = "nais: { cluster: { test: dev-gcp, sandbox: dev-gcp, prod: prod-gcp }, namespace: \
                       plattform, manifests: { test: ['**/dev*.yaml'], sandbox: ['**/dev*.yaml'], prod: \
                       ['**/prod*.yaml'] } }";

fn consumers(orgno: &str) -> String {
    exposing(&format!(
        "product: arbeid, name: aareg, enabled: true, consumers: [{{ orgno: '{orgno}' }}]"
    )) + "      consumes: [{ name: 'skatt:a' }]\n"
}

#[test]
fn a_manifest_counts_where_a_glob_names_it() {
    let (dev, prod) = (consumers("974761076"), consumers("971040238"));
    let files = [("nais/dev.yaml", &*dev), ("nais/prod.yaml", &prod), ("nais/job.yaml", CONSUMING)];
    let repository = read(BY_FILE, &files);
    let of = |environment| {
        let desired = desired(&repository, environment);
        let clients: Vec<_> = desired.clients.keys().map(ToString::to_string).collect();
        let (_, scope) = one_scope(desired);
        let consumers: Vec<_> = scope.consumers.keys().map(ToString::to_string).collect();
        (consumers, clients)
    };
    let clients = |cluster: &str| {
        vec![format!("{cluster}:arbeid:aareg-api"), format!("{cluster}:arbeid:aareg-sync")]
    };
    for environment in ["test", "sandbox"] {
        assert_eq!(of(environment), (vec!["974761076".to_owned()], clients("dev-gcp")));
    }
    assert_eq!(of("prod"), (vec!["971040238".to_owned()], clients("prod-gcp")));
}

#[test]
fn the_setting_is_proposed_where_two_files_have_one_application() {
    let (dev, prod) = (consumers("974761076"), consumers("971040238"));
    let files = [
        ("apps/a/.nais/aareg-dev.yaml", &*dev),
        ("apps/a/.nais/aareg-prod.yaml", &*prod),
        ("apps/b/nais/dev.yaml", CONSUMING),
        ("apps/b/nais/prod.yaml", CONSUMING),
    ];
    let found = check(repository(CLUSTERS, &files).path());
    assert_snapshot!(said(&found), @r#"
    apps/a/.nais/aareg-prod.yaml:4:9: PV147: arbeid/aareg-api is declared by two files for the same environment, as is one more resource
      apps/a/.nais/aareg-dev.yaml:4:9: first declared here
      help: where each file is for one cluster, add this to portvakt.yaml, below `nais`: manifests: { prod: ["**/*-prod.yaml", "**/prod.yaml"], sandbox: ["**/*-dev.yaml", "**/dev.yaml"], test: ["**/*-dev.yaml", "**/dev.yaml"] }
    "#);
    // What is proposed is right.
    let help = found[0].help.as_deref().unwrap();
    let (_, manifests) = help.split_once("below `nais`: ").unwrap();
    let settings =
        CLUSTERS.replace("namespace: plattform", &format!("namespace: plattform, {manifests}"));
    assert_eq!(said(&check(repository(&settings, &files).path())), "");
    // Names that say nothing are not guessed at.
    let files = [("nais/one.yaml", &*dev), ("nais/two.yaml", &*prod)];
    let reported = said(&check(repository(CLUSTERS, &files).path()));
    assert!(reported.contains("`nais: { manifests: { ENVIRONMENT: [GLOB] } }`"), "{reported}");
    let files = [("nais/dev/a.yaml", &*dev), ("nais/prod/a.yaml", &*prod)];
    let reported = said(&check(repository(CLUSTERS, &files).path()));
    assert!(reported.contains("prod: [\"**/prod/**\"]"), "{reported}");
    // Nor is a folder of both.
    let files = [("dev/one.yaml", &*dev), ("dev/two.yaml", &*prod)];
    let reported = said(&check(repository(CLUSTERS, &files).path()));
    assert!(reported.contains("the paths of these files do not tell"), "{reported}");
}

#[test]
fn what_comes_before_production_is_not_production() {
    let (before, prod) = (consumers("974761076"), consumers("971040238"));
    let proposed = |settings: &str, files: &[(&str, &str)]| {
        let found = check(repository(settings, files).path());
        let help = found[0].help.as_deref().unwrap();
        let (_, manifests) = help.split_once("manifests: { ").unwrap_or_else(|| panic!("{help}"));
        let settings = settings.replace(
            "namespace: plattform",
            &format!("namespace: plattform, manifests: {{ {manifests}"),
        );
        assert_eq!(said(&check(repository(&settings, files).path())), "");
        manifests.to_owned()
    };
    for name in ["a-pre-prod", "a-non-prod", "a_not_prod", "pre-prod", "pre_prod"] {
        let file = format!("{name}.yaml");
        let files = [(&*file, &*before), ("a-prod.yaml", &*prod)];
        let manifests = proposed(CLUSTERS, &files);
        let glob = match name.strip_prefix('a') {
            Some(rest) => format!("**/*{rest}.yaml"),
            None => format!("**/{name}.yaml"),
        };
        // A glob for all files of production would match the other file as well.
        let of_prod = match name {
            "a-pre-prod" | "a-non-prod" | "pre-prod" => "a-prod.yaml",
            _ => "**/*-prod.yaml",
        };
        assert_eq!(
            manifests,
            format!("prod: [\"{of_prod}\"], sandbox: [\"{glob}\"], test: [\"{glob}\"] }}")
        );
    }
    // Nor is an environment of that name.
    let settings = CLUSTERS.replace("test: dev-gcp", "pre-prod: dev-gcp");
    let environments = SETTINGS.replace("  test:", "  pre-prod:");
    assert_ne!((&*settings, &*environments), (CLUSTERS, SETTINGS));
    let files = [
        ("portvakt.yaml", format!("{environments}{settings}")),
        ("a-pre-prod.yaml", before),
        ("a-prod.yaml", prod),
    ];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let found = said(&check(folder(&files).path()));
    let of_each = "prod: [\"a-prod.yaml\"], sandbox: [\"**/*-pre-prod.yaml\"] }";
    assert!(found.contains(of_each), "{found}");
    assert!(found.contains("pre-prod: [\"**/*-pre-prod.yaml\"]"), "{found}");
}

#[test]
fn a_manifest_without_spec_is_refused_and_a_misspelt_key_is_named() {
    let job = "apiVersion: nais.io/v1\nkind: Naisjob\nmetadata: { name: a, namespace: t }\n";
    let found = |text: &str| said(&check(repository(CLUSTERS, &[("a.yaml", text)]).path()));
    assert_eq!(found(&format!("{job}spec: {{ image: x }}\n")), "");
    let spec = "{ maskinporten: { enabled: true, scopes: { exposes: [{ name: les, product: app, enabled: true }] } } }";
    for text in [job.to_owned(), job.replace("Naisjob", "Application")] {
        let reported = found(&format!("{text}specs: {spec}\n"));
        assert!(
            reported.contains("a.yaml:4:1: PV011: the key `spec` is missing")
                && reported.contains("did you mean `spec` by `specs`?"),
            "{reported}"
        );
        assert!(found(&text).contains("PV011: the key `spec` is missing"), "{}", found(&text));
    }
    let reported = found(&format!("{}spec: {spec}\n", job.replace("apiVersion", "apiversion")));
    assert!(
        reported.contains("a.yaml:1:1: PV018") && reported.contains("did you mean `apiVersion`?"),
        "{reported}"
    );
}

#[test]
fn a_proposal_keeps_what_is_set() {
    let (dev, prod) = (consumers("974761076"), consumers("971040238"));
    let files = [("b/dev.yaml", &*dev), ("b/prod.yaml", &*prod), ("special.yaml", CONSUMING)];
    let settings = CLUSTERS.replace(
        "namespace: plattform",
        "namespace: plattform, manifests: { prod: [special.yaml] }",
    );
    let found = check(repository(&settings, &files).path());
    let help = found[0].help.as_deref().unwrap();
    let (_, manifests) = help.split_once("in portvakt.yaml: ").unwrap();
    assert_eq!(
        manifests,
        "manifests: { prod: [\"**/prod.yaml\", \"special.yaml\"], sandbox: [\"**/dev.yaml\"], test: [\"**/dev.yaml\"] }"
    );
    let settings =
        CLUSTERS.replace("namespace: plattform", &format!("namespace: plattform, {manifests}"));
    assert_eq!(said(&check(repository(&settings, &files).path())), "");
}

#[test]
fn a_file_that_counts_where_its_name_is_not_about_is_warned_of() {
    let files = [("nais/dev.yaml", CONSUMING), ("nais/app.yaml", &*consumers("971040238"))];
    assert_snapshot!(said(&check(repository(CLUSTERS, &files).path())), @r#"
    nais/dev.yaml:3:19: PV147: warning: nais/dev.yaml counts in `prod` too, and its name is about others
      help: to change nothing, name the files in `nais.manifests` for all these environments, such as `manifests: { prod: ["nais/dev.yaml"], sandbox: ["nais/dev.yaml"], test: ["nais/dev.yaml"] }`; else, where each file is for one cluster, add this to portvakt.yaml, below `nais`: manifests: { sandbox: ["**/dev.yaml"], test: ["**/dev.yaml"] }. What they declare is then closed where they no longer count
    "#);
    let own = CONSUMING.replace("aareg-sync", "aareg-sync, clusterName: dev-gcp");
    assert_eq!(said(&check(repository(CLUSTERS, &[("nais/dev.yaml", &own)]).path())), "");
    let reported = said(&check(repository(BY_FILE, &files).path()));
    assert!(!reported.contains("PV147"), "{reported}");
}

#[test]
fn a_manifest_that_counts_nowhere_is_reported() {
    let own = CONSUMING.replace("aareg-sync", "aareg-sync, clusterName: prod-gcp");
    let reported =
        said(&check(repository(BY_FILE, &[("prod.yaml", CONSUMING), ("dev.yaml", &own)]).path()));
    assert_snapshot!(reported, @r"
    dev.yaml:3:19: PV120: warning: no environment of `nais.manifests` for this file has the manifest's cluster, so it counts nowhere
      help: correct the globs of `nais.manifests`, or `nais.cluster`, in portvakt.yaml
    ");
}

#[test]
fn dot_folders_are_read_where_they_are_named() {
    let names = |settings: &str, path: &str| {
        desired(&read(settings, &[(path, CONSUMING)]), "prod").clients.len()
    };
    assert_eq!(names(CLUSTERS, "apps/a/.nais/app.yaml"), 1);
    assert_eq!(names(CLUSTERS, ".nais/app.yaml"), 1);
    assert_eq!(names(CLUSTERS, ".deploy/app.yaml"), 0);
    assert_eq!(names(&format!("{CLUSTERS}\ninclude: ['.deploy/**']"), ".deploy/app.yaml"), 1);
    let files: [(&str, &[u8]); 2] =
        [("portvakt.yaml", SETTINGS.as_bytes()), (".nais/app.yaml", b"scopes: [")];
    assert_eq!(said(&check(folder(&files).path())), "");
}

#[test]
fn an_include_that_reads_nothing_is_told_as_such() {
    let found = |include: &str| {
        let settings = format!("{CLUSTERS}\ninclude: {include}");
        said(&check(repository(&settings, &[("nais/a.yaml", CONSUMING)]).path()))
    };
    let reported = found("[]");
    assert!(reported.contains("PV012: `include` is empty"), "{reported}");
    let reported = found("[deploy]");
    assert!(reported.contains("no declaration at all is read"), "{reported}");
    assert!(!reported.contains("or remove it"), "{reported}");
}

#[test]
fn globs_and_folders_that_match_nothing_are_reported() {
    let settings = format!(
        "{CLUSTERS}\ninclude: [nais, '.nais/**']\nexclude: [charts]\nteams: {{ a: {{ path: teams/a, scopes: ['etat:a*'] }} }}"
    );
    let settings = settings.replace("namespace: plattform", "manifests: { test: ['dev/*.yaml'] }, vars: { test: ['*-vars.yaml'] }, namespace: plattform");
    assert_snapshot!(said(&check(repository(&settings, &[("nais/a.yaml", CONSUMING)]).path())), @r"
    portvakt.yaml:12:91: PV148: warning: no file matches `dev/*.yaml` of `nais.manifests`
      help: write it from the folder of portvakt.yaml, such as `**/dev*.yaml`, or remove it
    portvakt.yaml:12:123: PV148: warning: no file matches `*-vars.yaml` of `nais.vars`
      help: write the path from the folder of portvakt.yaml, such as `.nais/dev-vars.yaml`
    portvakt.yaml:13:17: PV148: warning: no file matches `.nais/**` of `include`, so it adds nothing to what is read
      help: write it from the folder of portvakt.yaml, such as `nais/**`, or remove it
    portvakt.yaml:14:11: PV148: note: no file matches `charts` of `exclude`
      help: write it from the folder of portvakt.yaml, such as `charts/**`, or remove it
    portvakt.yaml:15:10: PV155: warning: no scope or client is declared in teams/a, the folder of a
      help: remove the team, or correct its `path`
    ");
}

#[test]
fn merge_keys_and_booleans_are_read_as_kubernetes_reads_them() {
    let manifest = exposing("product: x, name: y, enabled: true");
    let (head, _) = manifest.split_once("        - {").unwrap();
    let manifest = format!(
        "{head}        - &f\n          name: lesing\n          product: abc\n          enabled: yes\n          \
         accessibleForAll: off\n          consumers: [{{ orgno: '974761076', name: Skatt }}]\n        - <<: *f\n          \
         name: skriving\n"
    );
    let repository = read(CLUSTERS, &[("a.yaml", &manifest)]);
    let desired = desired(&repository, "prod");
    let scopes: Vec<_> = desired.scopes.iter().collect();
    let [(one, a), (two, b)] = scopes.as_slice() else { panic!("{scopes:?}") };
    assert_eq!((one.as_str(), two.as_str()), ("etat:abc:lesing", "etat:abc:skriving"));
    for scope in [a, b] {
        assert!(scope.active && !scope.attributes.accessible_for_all);
        assert_eq!(scope.consumers.len(), 1);
    }
    // What is merged is where it is written.
    assert_eq!(a.consumers.values().next().unwrap().entries().next().unwrap().source.line, 19);
    assert_eq!(b.consumers.values().next().unwrap().entries().next().unwrap().source.line, 19);
    let orgno = "974761076".parse().unwrap();
    assert_eq!(desired.name_of(orgno, None).map(String::as_str), Some("Skatt"));
    let live = "SKATTEETATEN".to_owned();
    assert_eq!(desired.name_of(orgno, Some(&live)), Some(&live));
    let found = |text: &str| said(&check(super::repository(CLUSTERS, &[("a.yaml", text)]).path()));
    let order = manifest.replace(
        "        - <<: *f\n          name: skriving",
        "        - name: skriving\n          <<: *f",
    );
    let reported = found(&order);
    assert!(
        reported.contains("a.yaml:21:11: PV014") && reported.contains("write `<<` before"),
        "{reported}"
    );
    assert!(!reported.contains("PV011") && !reported.contains("PV018"), "{reported}");
    // Other merges of the file are read all the same.
    let third = order.clone() + "        - <<: *f\n          name: sletting\n";
    assert_eq!(found(&third), reported);
    let reported = found(&manifest.replace("enabled: yes", "enabled: 'yes'"));
    assert!(reported.contains("PV012"), "{reported}");
    // In declarations a merge key stays an error.
    let reported = found(
        "scopes:\n  - &a { name: 'etat:a', description: A }\n  - { <<: *a, name: 'etat:b' }\n",
    );
    assert!(reported.contains("PV010") && reported.contains("merge keys"), "{reported}");
}

#[test]
fn a_list_of_resources_is_read() {
    let item = CONSUMING.replace('\n', "\n  ");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {item}\n");
    let (name, _) = one_client(desired(&read(CLUSTERS, &[("a.yaml", &list)]), "prod"));
    assert_eq!(name, "prod-gcp:arbeid:aareg-sync");
}

#[test]
fn skiperator_names_its_clients() {
    let manifest = "apiVersion: skiperator.kartverket.no/v1alpha1\nkind: Application\nmetadata: { name: kart, namespace: \
                    geo }\nspec:\n  image: x\n  port: 8080\n  maskinporten:\n    enabled: true\n    scopes: { consumes: [{ \
                    name: 'skatt:a' }], exposes: [{ name: les.kart, product: geo, enabled: true, separator: '.' }] }\n";
    for (text, expected) in [
        (manifest.to_owned(), "kart"),
        (manifest.replace("enabled: true\n", "enabled: true\n    clientName: Kartet\n"), "Kartet"),
    ] {
        let desired = desired(&read(CLUSTERS, &[("a.yaml", &text)]), "prod");
        let scopes: Vec<_> = desired.scopes.keys().map(ToString::to_string).collect();
        assert_eq!(scopes, ["etat:geo.les.kart"]);
        let (name, client) = one_client(desired);
        assert_eq!(name, "prod-gcp:geo:kart");
        let domain::ClientIdentity::OwnedBy { client_name, .. } = client.identity else { panic!() };
        assert_eq!(client_name.unwrap().as_str(), expected);
    }
}

#[test]
fn the_last_of_two_equal_entries_counts() {
    let manifest = exposing("product: arbeid, name: aareg, enabled: true, atMaxAge: 40")
        + "        - { product: arbeid, name: aareg, enabled: true, atMaxAge: 60, consumers: [{ orgno: '974761076' }, { orgno: '974761076' }] }\n";
    let (name, scope) = one_scope(desired(&read(CLUSTERS, &[("a.yaml", &manifest)]), "prod"));
    assert_eq!((name.as_str(), scope.attributes.at_max_age), ("etat:arbeid:aareg", 60));
    assert_eq!(scope.consumers.len(), 1);
    let other = exposing("product: a, name: a/bb, separator: ':', enabled: true");
    let (name, scope) = one_scope(desired(&read(CLUSTERS, &[("a.yaml", &other)]), "prod"));
    assert_eq!((name.as_str(), scope.attributes.at_max_age), ("etat:a:a/bb", 30));
    assert_eq!(SCOPE.at_max_age.name, "at_max_age");
    let long = CONSUMING.replace("aareg-sync", &"x".repeat(100));
    assert_eq!(desired(&read(CLUSTERS, &[("a.yaml", &long)]), "prod").clients.len(), 1);
}

#[test]
fn the_owners_access_stays_in_a_manifest() {
    let own = consumers("889640782");
    let (_, scope) = one_scope(desired(&read(CLUSTERS, &[("a.yaml", &own)]), "prod"));
    assert_eq!(scope.consumers.len(), 1);
}

#[test]
fn a_resource_that_kubernetes_would_not_keep_is_reported() {
    let item = |version: &str| {
        format!(
            "apiVersion: v1\nkind: List\nitems:\n- {version}kind: MaskinportenClient\n  metadata: {{ name: a, namespace: t }}\n  \
             spec: {{ secretName: x, scopes: {{ exposes: [{{ name: les, product: app, enabled: true }}] }} }}\n"
        )
    };
    let found = |text: &str| said(&check(repository(CLUSTERS, &[("a.yaml", text)]).path()));
    assert_eq!(found(&item("apiVersion: nais.io/v1\n  ")), "");
    let reported = found(&item(""));
    assert!(
        reported.contains("a.yaml:4:3: PV013: this entry of a `List` is no resource"),
        "{reported}"
    );
    let reported = found("apiVersion: v1\nkind: List\nitems:\n");
    assert!(reported.contains("nothing behind `items`"), "{reported}");
    let reported = found("apiVersion: v1\nkind: List\nitems: { a: b }\n");
    assert!(reported.contains("PV012"), "{reported}");
    let client = "apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: { name: a, namespace: t }\nspec: { secretName: x, scopes: { \
                  exposes: [{ name: les, product: app, enabled: true }] } }\n";
    let reported = found(&format!("{client}---\n{}", client.replace("les", "skriv")));
    assert!(
        reported.contains("a.yaml:8:19: PV147: t/a is declared twice in this file"),
        "{reported}"
    );
    let cluster =
        |name: &str| client.replace("name: a,", &format!("name: a, clusterName: {name},"));
    assert_eq!(found(&format!("{}---\n{}", cluster("dev-gcp"), cluster("prod-gcp"))), "");
}

//! The text of each form, and what a consumer that comes or goes changes.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::Value;

use super::clouds::commands;
use super::provider::{AUDIENCE, SCOPE, declaration, rendered, resources, world};
use crate::world::World;

/// DigDir's test environment, offline.
fn offline() -> World {
    let world = World::new();
    world.write(
        "portvakt.yaml",
        "organization: { orgno: \"889640782\" }\nprefixes: [etat]\nenvironments:\n  \
           test: { target: test, credentials: { client_id: p, key: { env: PORTVAKT_KEY }, kid: k } }\n",
    );
    world.declare(&declaration());
    world
}

#[test]
fn each_form_is_rendered() {
    let world = offline();
    for form in ["terraform", "cli"] {
        let ran = world.run(&["render", "skyporten", "--format", form]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_snapshot!(form, ran.stdout);
        let again = world.run(&["render", "skyporten", "--format", form]);
        assert_eq!(again.stdout, ran.stdout);
        assert_eq!(ran.stderr.contains("Databricks"), form == "terraform", "{}", ran.stderr);
    }
}

/// Numbers of organisations.
fn numbers(count: usize) -> Vec<String> {
    let all = (31_000_000..).step_by(7).map(|first: u32| first.to_string());
    let with_digit = all.flat_map(|first| (0..10).map(move |last| format!("{first}{last}")));
    with_digit.filter(|number| number.parse::<domain::Orgno>().is_ok()).take(count).collect()
}

/// A share with several identities and roles, and a bucket.
fn many(consumers: &[String]) -> String {
    format!(
        "scopes:\n  - {{ name: {SCOPE}, description: Les, consumers: [{}] }}\nskyporten:\n  - name: lager-les\n    \
         scope: {SCOPE}\n    audience: {AUDIENCE}\n    \
         azure: {{ identity: [lager, lager-2, lager-3, lager-4], resource_group: data, \
         subscription: 00000000-0000-0000-0000-000000000000 }}\n    \
         gcp: {{ project_number: \"123456789012\", pool: skyporten, provider: maskinporten, bucket: etat-lager }}\n    \
         aws: {{ account: \"123456789012\", role: [lager, lager-2, lager-3] }}\n",
        consumers.iter().map(|it| format!("\"{it}\"")).collect::<Vec<_>>().join(", ")
    )
}

#[test]
fn a_consumer_that_goes_changes_nothing_else() {
    let world = offline();
    let all = numbers(50);
    world.declare(&many(&all));
    let before = resources(&rendered(&world, &[]));
    for gone in [0, 17, 49] {
        let mut fewer = all.clone();
        let number = fewer.remove(gone);
        world.declare(&many(&fewer));
        let after = resources(&rendered(&world, &[]));
        let names = |all: &std::collections::BTreeMap<String, Value>| {
            all.keys().cloned().collect::<BTreeSet<_>>()
        };
        let removed: Vec<_> = names(&before).difference(&names(&after)).cloned().collect();
        assert_eq!(
            removed,
            [
                format!("azurerm_federated_identity_credential.lager-les-{number}"),
                format!("google_storage_bucket_iam_member.lager-les-{number}"),
            ]
        );
        let changed = after.iter().filter(|(name, body)| before[*name] != **body);
        let changed: Vec<_> = changed.map(|(name, body)| (name, body.to_string())).collect();
        let [(name, policy)] = &changed[..] else { panic!("{changed:?}") };
        let subject = format!("\"0192:{number};{SCOPE}\"");
        assert!(before[*name].to_string().contains(&subject) && !policy.contains(&subject));
        // In the text it is lines of its own.
        let ran = world.run(&["render", "skyporten", "--check", "clouds"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    }
}

#[test]
fn limits_hold_for_every_name_of_a_list() {
    let world = offline();
    world.declare(&many(&numbers(50)));
    let all = resources(&rendered(&world, &[]));
    let mut credentials = std::collections::BTreeMap::new();
    for (name, body) in &all {
        if name.starts_with("azurerm_") {
            *credentials.entry(body["parent_id"].to_string()).or_insert(0) += 1;
        }
    }
    assert_eq!(credentials.values().sum::<i32>(), 50);
    assert!(credentials.values().all(|count| *count <= 20), "{credentials:?}");
    let scripts = rendered(&world, &["--cloud", "aws", "--format", "cli"]);
    let roles = commands(&scripts["aws-123456789012/lager-les.sh"]);
    let policies = roles.iter().filter(|words| words[2] == "create-role");
    let lengths: Vec<_> = policies.map(|words| words.last().unwrap().len()).collect();
    assert_eq!(lengths.len(), 3);
    assert!(lengths.iter().all(|length| *length <= 2_048 && *length > 300), "{lengths:?}");
}

#[test]
fn each_of_several_roles_keeps_its_consumers_whatever_its_name() {
    let world = offline();
    let all = numbers(50);
    let named = many(&all).replace("[lager, lager-2, lager-3]", "[9les, _9les, -les]");
    world.declare(&named);
    let policies = resources(&rendered(&world, &[]));
    let policies = policies.iter().filter(|(name, _)| name.starts_with("data."));
    let mut trusted = BTreeSet::new();
    for (_, policy) in policies {
        let subjects = policy["statement"][0]["condition"][1]["values"].as_array().unwrap();
        trusted.extend(subjects.iter().map(|it| it.as_str().unwrap().to_owned()));
    }
    let expected = all.iter().map(|number| format!("0192:{number};{SCOPE}"));
    assert_eq!(trusted, expected.collect());
    let scripts = rendered(&world, &["--cloud", "aws", "--format", "cli"]);
    let roles = commands(&scripts["aws-123456789012/lager-les.sh"]);
    let is_named = |words: &&Vec<String>| words[3] == "--role-name=-les";
    assert_eq!(roles.iter().filter(is_named).count(), 2, "{roles:?}");
}

#[test]
fn commands_say_the_same_as_terraform() {
    let world = world();
    let all = resources(&rendered(&world, &[]));
    let scripts = rendered(&world, &["--format", "cli"]);
    let commands: Vec<_> = scripts
        .iter()
        .filter(|(path, _)| path.ends_with(".sh"))
        .flat_map(|(_, it)| commands(it))
        .collect();
    let option = |words: &[String], name: &str| {
        let index =
            words.iter().position(|word| word == name).unwrap_or_else(|| panic!("{words:?}"));
        Value::from(words[index + 1].clone())
    };
    let one = |start: &str| {
        let mut found = commands.iter().filter(|words| words.join(" ").starts_with(start));
        let words = found.next().unwrap_or_else(|| panic!("{start}: {commands:?}"));
        assert_eq!(found.next(), None, "{start}");
        words
    };
    let credential = &all["azurerm_federated_identity_credential.lager-les-974761076"];
    let az = one("az identity federated-credential create");
    for (key, name) in [("name", "--name"), ("issuer", "--issuer"), ("subject", "--subject")] {
        assert_eq!(credential[key], option(az, name));
    }
    assert_eq!(credential["audience"][0], option(az, "--audiences"));
    let added = option(one("aws iam add-client-id-to-open-id-connect-provider"), "--client-id");
    assert_eq!(added, AUDIENCE);
    let updated = one("gcloud iam workload-identity-pools providers update-oidc");
    assert!(updated.contains(&format!("--allowed-audiences={AUDIENCE}")), "{updated:?}");
    let provider = &all["aws_iam_openid_connect_provider.skyporten"];
    let aws = one("aws iam create-open-id-connect-provider");
    assert_eq!(provider["url"], option(aws, "--url"));
    assert_eq!(provider["client_id_list"][0], option(aws, "--client-id-list"));
    let policy = option(one("aws iam create-role"), "--assume-role-policy-document");
    let policy: Value = serde_json::from_str(policy.as_str().unwrap()).unwrap();
    let statement = &all["data.aws_iam_policy_document.lager-les"]["statement"][0];
    for condition in statement["condition"].as_array().unwrap() {
        let values = &policy["Statement"][0]["Condition"]["StringEquals"];
        assert_eq!(values[condition["variable"].as_str().unwrap()], condition["values"]);
    }
    assert_eq!(
        policy["Statement"][0]["Principal"]["Federated"],
        statement["principals"][0]["identifiers"][0]
    );
    let binding = &all["google_service_account_iam_member.lager-les-974761076"];
    let gcloud = one("gcloud iam service-accounts add-iam-policy-binding");
    assert!(gcloud.contains(&format!("--member={}", binding["member"].as_str().unwrap())));
    let gcloud = one("gcloud iam workload-identity-pools providers create-oidc");
    let mapping = gcloud.iter().find_map(|word| word.strip_prefix("--attribute-mapping=")).unwrap();
    let provider = &all["google_iam_workload_identity_pool_provider.skyporten_maskinporten"];
    let expected = provider["attribute_mapping"].as_object().unwrap().iter();
    let expected: Vec<_> =
        expected.map(|(key, it)| format!("{key}={}", it.as_str().unwrap())).collect();
    assert_eq!(mapping, expected.join(","));
}

#[test]
fn shares_of_one_account_have_one_provider_with_all_audiences() {
    let world = offline();
    let second = "  - name: lager-skriv\n    scope: etat:lager.write\n    audience: https://annen.etat.example\n    \
        gcp: { project_number: \"123456789012\", pool: skyporten, provider: maskinporten, bucket: etat-lager }\n    \
        aws: { account: \"123456789012\", role: lager-skriv }\n";
    let scope =
        "scopes:\n  - { name: etat:lager.write, description: Skriv, consumers: [skatteetaten] }\n";
    world.declare(&(declaration().replace("scopes:\n", scope) + second));
    let all = resources(&rendered(&world, &[]));
    let audiences = serde_json::json!(["https://annen.etat.example", AUDIENCE]);
    assert_eq!(all["aws_iam_openid_connect_provider.skyporten"]["client_id_list"], audiences);
    let provider = &all["google_iam_workload_identity_pool_provider.skyporten_maskinporten"];
    assert_eq!(provider["oidc"]["allowed_audiences"], audiences);
    // One of them alone still has what both need.
    let ran = world.run(&["render", "skyporten", "--name", "lager-les", "--cloud", "aws"]);
    assert!(ran.stdout.contains("https://annen.etat.example"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("\"lager-skriv\": {"), "{}", ran.stdout);
    let ran = world.run(&["render", "skyporten", "--scope", "*.write"]);
    assert!(ran.stdout.contains("\"lager-skriv\"") && !ran.stdout.contains("\"lager-les\": {"));
}

#[test]
fn nothing_to_render_is_an_error_that_says_what_to_declare() {
    let world = world();
    for more in [&["--name", "nei"][..], &["--scope", "etat:nei"]] {
        let ran = world.run(&[&["render", "skyporten"], more].concat());
        assert_eq!(ran.code, 64, "{}", ran.stderr);
        assert!(ran.stderr.contains("no entry of `skyporten` is chosen in test"), "{}", ran.stderr);
    }
    world.declare("scopes: []\n");
    let ran = world.run(&["render", "skyporten"]);
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    let embedded = "organization: { orgno: \"889640782\" }\nprefixes: [etat]\nenvironments: { sandbox: { target: sandbox } }\n";
    world.write("portvakt.yaml", embedded);
    world.declare(&declaration());
    let ran = world.run(&["render", "skyporten"]);
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    assert!(ran.stderr.contains("`portvakt sandbox`"), "{}", ran.stderr);
}

#[test]
fn text_of_others_stays_text() {
    let world = offline();
    let hostile = "${file(/etc/passwd)} %{if true} '; rm -rf / #";
    world.declare(&declaration().replace("name: Skatteetaten", &format!("name: \"{hostile}\"")));
    let folder = "a'; touch b #${x}";
    world.write(&format!("{folder}/c.yaml"), "scopes: []\n");
    let files = rendered(&world, &["--format", "cli"]);
    assert!(
        files.values().all(|text| text.lines().filter(|line| line.starts_with('#')).count() == 2)
    );
    let text = std::fs::read_to_string(world.folder().join("declarations.yaml")).unwrap();
    std::fs::remove_file(world.folder().join("declarations.yaml")).unwrap();
    world.write(&format!("{folder}/lager.yaml"), text);
    let files = rendered(&world, &["--format", "cli"]);
    let script = &files["azure-00000000-0000-0000-0000-000000000000/lager-les.sh"];
    assert!(script.contains(folder), "{script}");
    assert_eq!(commands(script).len(), 1, "{script}");
    // Terraform ignores comments, and everything else has a form.
    let files = rendered(&world, &[]);
    let mut all = resources(&files);
    for body in all.values_mut() {
        body.as_object_mut().unwrap().remove("//");
    }
    let rest = serde_json::to_string(&all).unwrap();
    assert!(files.values().any(|text| text.contains("${file(")) && !rest.contains("${file("));
}

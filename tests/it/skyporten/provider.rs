//! A provider of cloud resources with a declaration for every cloud, organisations that ask for tokens, and the
//! tokens that the sandbox's Skyporten issues to them.

use std::collections::BTreeMap;

use base64::Engine as _;
use domain::AccessState::Approved;
use sandbox::{Config, Sandbox, State};
use serde_json::{Value, json};

use crate::support::sign;
use crate::world::{DIGDIR, KART, KEY, OWNER, RUNTIME, SKATT, World, orgno};

pub(crate) const SCOPE: &str = "etat:lager.read";
pub(crate) const OTHER: &str = "etat:lager.write";
pub(crate) const AUDIENCE: &str = "https://skyporten.etat.example";

/// Organisations of the test environment.
pub(crate) const ENDED: &str = "313367002";
pub(crate) const LATER: &str = "310000019";

/// The declaration: Skatteetaten is a consumer, Kartverket is not declared, Digdir is blocked, the access of one
/// has ended, and that of another has not begun.
pub(crate) fn declaration() -> String {
    format!(
        "consumers:\n  skatteetaten: {{ orgno: \"{SKATT}\", name: Skatteetaten }}\n\
         blocked: [{{ consumer: \"{DIGDIR}\", reason: SAK-1 }}]\n\
         scopes:\n  - name: {SCOPE}\n    description: Les\n    consumers:\n      - skatteetaten\n      \
         - \"{DIGDIR}\"\n      - {{ consumer: \"{ENDED}\", until: 2020-01-01 }}\n      \
         - {{ consumer: \"{LATER}\", from: 2999-01-01 }}\n\
         skyporten:\n  - name: lager-les\n    scope: {SCOPE}\n    audience: {AUDIENCE}\n    \
         azure: {{ identity: lager-les, resource_group: data, subscription: 00000000-0000-0000-0000-000000000000 }}\n    \
         gcp: {{ project_number: \"123456789012\", pool: skyporten, provider: maskinporten, \
         service_account: lager@etat.iam.gserviceaccount.com }}\n    \
         aws: {{ account: \"123456789012\", role: lager-les }}\n    \
         databricks: {{ workspace: adb-1.2.azuredatabricks.net, recipient: lager }}\n"
    )
}

/// A repository with the declaration, and organisations that all have access at DigDir to two scopes.
pub(crate) fn world() -> World {
    let mut state = State::new(orgno(OWNER), "Etaten", &["etat".to_owned()]);
    state.register_key(orgno(OWNER), "portvakt", &KEY);
    let consumers = [SKATT, KART, DIGDIR, ENDED, LATER];
    for consumer in consumers {
        state.register_key(orgno(consumer), consumer, &KEY);
        let scopes = &mut state.clients.get_mut(consumer).unwrap().scopes;
        scopes.extend([SCOPE.to_owned(), OTHER.to_owned()]);
    }
    let config = Config::new(state);
    let world = World::of(RUNTIME.block_on(Sandbox::start(config)).unwrap());
    for scope in [SCOPE, OTHER] {
        world.put(scope, true, &consumers.map(|consumer| (consumer, Approved)));
    }
    world.declare(&declaration());
    world
}

/// The claims of a token that the sandbox's Skyporten issues to an organisation.
pub(crate) fn claims(world: &World, consumer: &str, scope: &str, audience: &str) -> Value {
    let issuer = world.sandbox.skyporten();
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({
        "aud": issuer, "iss": consumer, "iat": now, "exp": now + 100, "scope": scope, "resource": [audience],
    });
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
        ("assertion", sign(&claims, |_| {})),
    ];
    let answer: Value = RUNTIME.block_on(async {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let sent = http.post(format!("{issuer}/token")).form(&form).send().await.unwrap();
        sent.json().await.unwrap()
    });
    let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}"));
    let payload = token.split('.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// Renders into a folder, and reads its files by their paths.
pub(crate) fn rendered(world: &World, more: &[&str]) -> BTreeMap<String, String> {
    let ran = world.run(&[&["render", "skyporten", "--out", "clouds"], more].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    let mut files = BTreeMap::new();
    for account in std::fs::read_dir(world.folder().join("clouds")).unwrap() {
        let account = account.unwrap();
        for file in std::fs::read_dir(account.path()).unwrap() {
            let file = file.unwrap();
            let path = format!(
                "{}/{}",
                account.file_name().into_string().unwrap(),
                file.file_name().into_string().unwrap()
            );
            files.insert(path, std::fs::read_to_string(file.path()).unwrap());
        }
    }
    files
}

/// The resources of files in Terraform's syntax, by `type.label`; data sources as `data.type.label`.
pub(crate) fn resources(files: &BTreeMap<String, String>) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".tf.json")) {
        let document: Value = serde_json::from_str(text).unwrap();
        for (block, kinds) in document.as_object().unwrap() {
            let prefix = match &**block {
                "resource" => "",
                "data" => "data.",
                "//" => continue,
                other => panic!("{path}: {other}"),
            };
            for (kind, labels) in kinds.as_object().unwrap() {
                for (label, body) in labels.as_object().unwrap() {
                    let before = all.insert(format!("{prefix}{kind}.{label}"), body.clone());
                    assert_eq!(before, None, "{path} has {kind}.{label} again");
                }
            }
        }
    }
    all
}

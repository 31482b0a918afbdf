//! The clients that manifests make: each rule of digdirator's on a manifest.

use serde_json::json;

use super::*;
use crate::declare::tests::check;
use digdir::Needs;
use domain::{ClientIdentity, LiveClient};

#[test]
fn what_is_consumed_is_a_client_as_digdirator_sets_it() {
    for manifest in [
        CONSUMING.to_owned(),
        CONSUMING
            .replace("nais.io/v1\nkind: MaskinportenClient", "nais.io/v1\nkind: Naisjob")
            .replace("  secretName: x\n  scopes:\n    consumes:\n      - name: skatteetaten:skattekort.read\n      - name: etat:a\n",
            "  maskinporten: { enabled: true, scopes: { consumes: [{ name: 'skatteetaten:skattekort.read' }, { name: 'etat:a' }] } }\n"),
        CONSUMING.replace("apiVersion: nais.io/v1\n", ""),
    ] {
        let (name, client) = one_client(desired(&read(CLUSTERS, &[("a.yaml", &manifest)]), "prod"));
        assert_eq!(name, "prod-gcp:arbeid:aareg-sync");
        // Lives of tokens and the client's name are for the operator of digdirator to say.
        assert_eq!(
            wanted(&client),
            json!({
                "integration_type": "maskinporten",
                "description": "prod-gcp:arbeid:aareg-sync",
                "scopes": ["etat:a", "skatteetaten:skattekort.read"],
                "application_type": "web",
                "token_endpoint_auth_method": "private_key_jwt",
                "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
                "refresh_token_usage": "ONETIME",
            })
        );
        let application = "prod-gcp:arbeid:aareg-sync".parse().unwrap();
        assert_eq!(client.identity, ClientIdentity::OwnedBy { application, client_name: None });
        assert!(client.active && client.keys.is_none() && client.on_behalf_of.is_none());
    }
    let named =
        CONSUMING.replace("secretName: x", "secretName: x\n  clientName: Henter skattekort");
    let (_, client) = one_client(desired(&read(CLUSTERS, &[("a.yaml", &named)]), "prod"));
    assert_eq!(client.identity.client_name().unwrap().as_str(), "Henter skattekort");
    assert_eq!((&*client.source.file, client.source.line), ("a.yaml", 3));
}

#[test]
fn a_manifest_that_consumes_nothing_declares_no_client() {
    for consumes in ["", "consumes: []"] {
        let manifest = format!(
            "{}      {consumes}\n",
            exposing("product: arbeid, name: aareg, enabled: true")
        );
        assert!(desired(&read(CLUSTERS, &[("a.yaml", &manifest)]), "prod").clients.is_empty());
    }
}

/// A client that people log in to, with these lines in its `spec`.
fn login(lines: &str) -> (String, DesiredClient) {
    let lines = lines.replace('\n', "\n  ");
    let manifest = format!(
        "apiVersion: nais.io/v1\nkind: IDPortenClient\nmetadata: {{ name: selvbetjening, \
         namespace: arbeid }}\nspec:\n  secretName: x\n  {lines}\n"
    );
    one_client(desired(&read(CLUSTERS, &[("a.yaml", &manifest)]), "prod"))
}

#[test]
fn a_login_has_the_defaults_of_digdirator() {
    let (name, client) = login("redirectURI: https://a.example/x");
    assert_eq!(name, "prod-gcp:arbeid:selvbetjening:idporten");
    assert_eq!(
        wanted(&client),
        json!({
            "integration_type": "idporten",
            "description": "prod-gcp:arbeid:selvbetjening",
            "scopes": ["openid", "profile"],
            "application_type": "web",
            "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": ["authorization_code", "refresh_token"],
            "refresh_token_usage": "ONETIME",
            "redirect_uris": ["https://a.example/x"],
            "frontchannel_logout_session_required": true,
            "frontchannel_logout_uri": null,
            "sso_disabled": false,
        })
    );
    let application = "prod-gcp:arbeid:selvbetjening".parse().unwrap();
    assert_eq!(client.identity, ClientIdentity::OwnedBy { application, client_name: None });
}

#[test]
fn a_login_has_what_its_manifest_gives() {
    let (name, client) = login(
        "integrationType: api_klient\naccessTokenLifetime: 60\nsessionLifetime: 3600\n\
         clientName: Selvbetjening\nclientURI: https://a.example\n\
         frontchannelLogoutURI: https://a.example/ut\nredirectURI: https://a.example/b\n\
         redirectURIs: [https://a.example/a, https://a.example/b]\n\
         postLogoutRedirectURIs: [https://a.example/etter]\nscopes: ['etat:a']\nssoDisabled: true",
    );
    assert_eq!(name, "prod-gcp:arbeid:selvbetjening:api_klient");
    assert_eq!(
        wanted(&client),
        json!({
            "integration_type": "api_klient",
            "description": "prod-gcp:arbeid:selvbetjening",
            "scopes": ["etat:a"],
            "application_type": "web",
            "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": ["authorization_code", "refresh_token"],
            "access_token_lifetime": 60,
            "refresh_token_lifetime": 3600,
            "authorization_lifetime": 3600,
            "refresh_token_usage": "ONETIME",
            "redirect_uris": ["https://a.example/a", "https://a.example/b"],
            "post_logout_redirect_uris": ["https://a.example/etter"],
            "frontchannel_logout_session_required": true,
            "frontchannel_logout_uri": "https://a.example/ut",
            "sso_disabled": true,
        })
    );
    assert_eq!(client.identity.client_name().unwrap().as_str(), "Selvbetjening");
    let scopes = |kind| wanted(&login(&format!("integrationType: {kind}")).1)["scopes"].clone();
    assert_eq!(scopes("api_klient"), json!(["openid", "profile"]));
    assert_eq!(
        scopes("krr"),
        json!(["krr:global/digitalpost.read", "krr:global/kontaktinformasjon.read"])
    );
    // The one combination that DigDir has for krr.
    let grants = &wanted(&login("integrationType: krr").1)["grant_types"];
    assert_eq!(*grants, json!(["urn:ietf:params:oauth:grant-type:jwt-bearer"]));
}

#[test]
fn a_login_of_employees_is_a_client_of_ansattporten() {
    let manifest = "apiVersion: nais.io/v1\nkind: AnsattportenClient\nmetadata: { name: internt, namespace: arbeid }\n\
                    spec: { secretName: x, redirectURIs: [https://a.example/x, 'http://localhost:3000'] }\n";
    let (name, client) = one_client(desired(&read(CLUSTERS, &[("a.yaml", manifest)]), "prod"));
    assert_eq!(name, "prod-gcp:arbeid:internt:ansattporten");
    let wanted = wanted(&client);
    assert_eq!(wanted["integration_type"], "ansattporten");
    assert_eq!(wanted["scopes"], json!(["openid", "profile"]));
}

#[test]
fn one_application_can_have_both_kinds_of_client() {
    let login = CONSUMING.replace("MaskinportenClient", "IDPortenClient");
    let login = &login[..login.find("  scopes:").unwrap()];
    let repository = read(CLUSTERS, &[("a.yaml", &format!("{CONSUMING}---\n{login}"))]);
    let names: Vec<_> = desired(&repository, "prod").clients.into_keys().collect();
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["prod-gcp:arbeid:aareg-sync", "prod-gcp:arbeid:aareg-sync:idporten"]);
}

#[test]
fn what_belongs_to_a_manifests_client_is_read() {
    let needs = Needs::of(&desired(&read(CLUSTERS, &[("a.yaml", CONSUMING)]), "prod"));
    let clients = needs.clients.clone().unwrap();
    let live = |description: &str| LiveClient {
        active: false,
        name: "NAV".to_owned(),
        integration_type: "maskinporten".to_owned(),
        representation: json!({ "description": description }).as_object().unwrap().clone(),
        keys: None,
        on_behalf_of: None,
    };
    let id = "1f0a".parse().unwrap();
    assert!(clients.include(&id, &live("prod-gcp:arbeid:aareg-sync")));
    assert!(!clients.include(&id, &live("prod-gcp:arbeid:aareg-sync2")));
    let both = Needs::of(&desired(&read("", &[("a.yaml", "clients: [{ name: x }]")]), "prod"));
    let both = both.and(needs).clients.unwrap();
    assert!(both.include(&id, &live("prod-gcp:arbeid:aareg-sync")));
}

#[test]
fn one_client_in_two_forms_is_one_too_many() {
    let manifest = "apiVersion: nais.io/v1\nkind: MaskinportenClient\n\
                    metadata: { name: app, namespace: arbeid }\n\
                    spec: { secretName: x, scopes: { consumes: [{ name: etat:a }] } }\n";
    let found = |yaml: &str| {
        check(
            repository("nais: { cluster: prod-gcp }", &[("a.yaml", manifest), ("b.yaml", yaml)])
                .path(),
        )
    };
    let yaml = "clients:\n  - name: z\n    description: prod-gcp:arbeid:app\n";
    let [one] = &found(yaml)[..] else { panic!("{:?}", found(yaml)) };
    assert_eq!((one.code.code(), &*one.file, one.line, one.column), ("PV138", "b.yaml", 3, 18));
    assert_eq!(&*one.related[0].file, "a.yaml");
    for other in [
        "clients:\n  - { name: z, description: \"prod-gcp:arbeid:annen\" }\n",
        "clients:\n  - { name: z, integration_type: krr, description: \"prod-gcp:arbeid:app\" }\n",
    ] {
        assert!(found(other).iter().all(|it| it.code.code() != "PV138"), "{other}");
    }
}

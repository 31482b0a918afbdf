//! Result of an import, in every layout.

use domain::Live;
use portvakt::adopt::Layout;
use serde_json::json;

use super::live::{Repo, jwk, left_out, live, shown};

const SETTINGS: &str = r#"
organization: { orgno: "889640782", name: Etaten }
prefixes: [etat]
environments: { prod: { target: prod, credentials: { client_id: x, key: { env: K } } } }
defaults:
  scope: { at_max_age: 120, allowed_integration_types: [maskinporten] }
"#;

const TEAMS: &str = "
teams:
  arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*'], clients: ['*:arbeid:*'] }
  helse: { path: teams/helse, scopes: ['etat:helse*'] }
";

/// A small example of everything.
fn example() -> Live {
    let samarbeid = json!({
        "974761076": "SKATTEETATEN", "971040238": "KARTVERKET", "971526920": "Statistisk sentralbyrå",
    });
    let mut more = samarbeid.clone();
    more["991825827"] = json!("DIGITALISERINGSDIREKTORATET");
    let mut key = jwk("aareg-1", 0xA5);
    key["exp"] = json!(1_800_000_000);
    live(
        json!({
            "etat:arbeid:aareg.read": {
                "description": "Les arbeidsforhold", "at_max_age": 120,
                "authorization_max_lifetime": 120, "allowed_integration_types": ["maskinporten"],
                "visibility": "PUBLIC", "token_type": "SELF_CONTAINED", "created": "2020-01-01",
                "access": more,
            },
            "etat:arbeid:aareg.write": {
                "description": "prod-gcp:arbeid:aareg.arbeid:aareg.write", "at_max_age": 30,
                "authorization_max_lifetime": 30, "allowed_integration_types": ["maskinporten"],
                "visibility": "PRIVATE", "delegation_source": "https://www.altinn.no/",
                "access": samarbeid,
            },
            "etat:arbeid/aareg/dump": {
                "description": "Alt: \"det hele\", også #1", "at_max_age": 120,
                "authorization_max_lifetime": 120, "allowed_integration_types": ["maskinporten"],
                "access": samarbeid,
            },
            "etat:helse:sykmelding": {
                "description": "Sykmeldinger", "allowed_integration_types": ["maskinporten"],
                "at_max_age": 120, "authorization_max_lifetime": 120,
                "access": {
                    "991825827": "DIGITALISERINGSDIREKTORATET",
                    "974760673": "REGISTERENHETEN I BRØNNØYSUND",
                    "983544622": ["REQUESTED", "HELSEDIREKTORATET"],
                    "313367002": ["DENIED", "Syntetisk"],
                },
            },
            "etat:enkel": { "description": "no" },
            "etat:borte": { "description": "Borte", "active": false },
        }),
        json!({
            "0f6a0e2e-0001": {
                "client_name": "prod-gcp:arbeid:aareg-sync", "description": "Henter skattekort",
                "scopes": ["skatteetaten:skattekort.read", "etat:helse:sykmelding"],
                "client_orgno": "889640782", "keys": [key],
            },
            "0f6a0e2e-0002": {
                "client_name": "innlogging", "integration_type": "idporten",
                "application_type": "browser", "token_endpoint_auth_method": "none",
                "scopes": ["openid", "profile"], "redirect_uris": ["https://etat.no/inn", "https://etat.no/"],
                "post_logout_redirect_uris": ["https://etat.no/ut"], "refresh_token_usage": "ONETIME",
                "onbehalfof": { "kommunen": { "onbehalfof": "kommunen", "name": "Kommunen", "orgno": "974760673" } },
            },
            "0f6a0e2e-0003": { "client_name": "gammel", "active": false, "scopes": [] },
            "0f6a0e2e-0004": { "client_name": "gammel", "scopes": [], "supplier_orgno": "991825827" },
        }),
    )
}

fn made(settings: &str, layout: Layout) -> String {
    let repo = Repo::new(settings, &[]);
    let live = example();
    let made = repo.import(&[("prod", &live)], layout).unwrap();
    let plan = repo.with(&made).plan("prod", &live);
    assert!(plan.actions.is_empty() && plan.blocked.is_empty(), "{plan:#?}");
    assert_eq!(
        left_out(&made),
        [
            "access of 983544622 to etat:helse:sykmelding in prod: HELSEDIREKTORATET (983544622) asks for \
          access: it was not imported, as declaring it would approve it"
        ]
    );
    shown(&made)
}

#[test]
fn a_single_file() {
    insta::assert_snapshot!(made(SETTINGS, Layout::Single));
}

#[test]
fn a_file_for_each_prefix() {
    insta::assert_snapshot!(made(SETTINGS, Layout::ByPrefix));
}

#[test]
fn a_file_for_each_product() {
    insta::assert_snapshot!(made(SETTINGS, Layout::ByProduct));
}

#[test]
fn a_folder_for_each_team() {
    insta::assert_snapshot!(made(&format!("{SETTINGS}{TEAMS}"), Layout::ByTeam));
}

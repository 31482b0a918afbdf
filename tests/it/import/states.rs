//! Random live states, with hostile text in every field.

use std::collections::BTreeMap;

use domain::{Live, SCOPE, ValueType};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::live::{jwk, live};

/// The organisations: real and synthetic ones.
const ORGNOS: [&str; 8] = [
    "974761076",
    "971040238",
    "991825827",
    "971526920",
    "974760673",
    "983544622",
    "313367002",
    "889640782",
];

/// Texts that YAML, a terminal or a person could misread.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        ": ",
        " #",
        "#",
        "'",
        "\"",
        "\\",
        "\n",
        "\r\n",
        "\t",
        " ",
        "---",
        "...",
        "- ",
        "? ",
        "<<",
        "&a",
        "*a",
        "!tag",
        "%YAML",
        "@",
        "`",
        "|",
        ">",
        "{",
        "}",
        "[",
        "]",
        ",",
        "yes",
        "null",
        "~",
        "1e3",
        "0x1f",
        "2020-01-01",
        "12:30:45",
        ".inf",
        "\u{202e}",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\u{fffe}",
        "🙂",
        "æøå",
        "arbeid",
        "portvakt: allow x -- y",
        "\n# portvakt: allow PV1",
        "\u{a0}",
        "\u{e0041}",
        "::",
        "=",
        "e\u{301}",
        "prod:arbeid:x",
        "\u{1}",
        "\u{1b}[2J",
    ]);
    prop_oneof![
        4 => prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat()),
        2 => "[a-zæøå ,.:/-]{1,30}",
        1 => any::<String>(),
        1 => Just("lang tekst, ".repeat(200)),
    ]
}

/// Texts in a scope's name, most of which are allowed.
fn subscope() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "(arbeid|helse|økonomi|no)[:/][a-z.]{1,6}",
        2 => "[a-zæøå:/.,#'!&*%@`|>{}\\[\\]?=~-]{1,12}",
        1 => Just("null".to_owned()),
        1 => Just("::".to_owned()),
        1 => Just("1e3".to_owned()),
    ]
}

fn maybe<T: Into<Value>>(strategy: impl Strategy<Value = T>) -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(Value::Null),
        3 => strategy.prop_map(Into::into),
    ]
}

fn list(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::subsequence(words, 0..=words.len()).prop_map(|words| json!(words))
}

const TYPES: [&str; 4] = ["maskinporten", "krr", "idporten", "ansattporten"];

fn scope() -> impl Strategy<Value = Value> {
    let access = prop::collection::btree_map(
        prop::sample::select(ORGNOS.to_vec()),
        prop_oneof![8 => Just("APPROVED"), 1 => Just("REQUESTED"), 1 => Just("DENIED")],
        0..6,
    );
    let texts = (
        hostile(),
        maybe("[a-zæøå0-9 .,:;!?'\"()/*#\n\\[\\]_-]{0,30}"),
        maybe(prop::sample::select(vec!["https://www.altinn.no/", ""])),
        maybe(hostile()),
    );
    let words = (
        maybe(prop::sample::select(vec!["PUBLIC", "PRIVATE", "INTERNAL"])),
        maybe(prop::sample::select(vec!["SELF_CONTAINED", "OPAQUE"])),
        maybe(list(&TYPES)),
        maybe(prop::sample::select(vec![0, 30, 120, 999])),
        maybe(prop::sample::select(vec![0, 30, 120])),
    );
    let flags = SCOPE.all().into_iter().filter(|it| it.value_type == ValueType::Flag);
    let flags: Vec<_> = flags.map(|it| (Just(it.name), maybe(any::<bool>()))).collect();
    let is_active = prop_oneof![6 => Just(true), 1 => Just(false)];
    (texts, words, flags, access, is_active).prop_map(|(texts, words, flags, access, is_active)| {
        let mut scope = json!({
            "description": texts.0, "long_description": texts.1, "delegation_source": texts.2,
            "enforced_aud_for_access_token": texts.3, "visibility": words.0, "token_type": words.1,
            "allowed_integration_types": words.2, "at_max_age": words.3,
            "authorization_max_lifetime": words.4, "unknown": { "kept": true }, "active": is_active,
        });
        for (name, flag) in flags {
            scope[name] = json!(flag);
        }
        scope["access"] = access
            .into_iter()
            .map(|(orgno, state)| (orgno.to_owned(), json!([state, null])))
            .collect::<Map<_, _>>()
            .into();
        scope
    })
}

fn client() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec![
        "maskinporten",
        "krr",
        "idporten",
        "api_klient",
        "ansattporten",
        "eformidling",
        "idporten_saml2",
    ]);
    let name = prop_oneof![
        3 => "(prod|dev):(arbeid|helse|x):[a-z]{1,4}",
        1 => prop::sample::select(vec!["yes", "to", "null", "1e3"]).prop_map(str::to_owned),
        3 => hostile(),
    ];
    let kids = prop::collection::btree_set(0_u8..8, 0..4);
    let is_active = prop_oneof![3 => Just(true), 1 => Just(false)];
    let numbers = (
        maybe(prop::sample::select(vec![60, 120, 300])),
        maybe(prop::sample::select(vec![600, 900])),
        maybe(prop::sample::select(vec![7200, 9000])),
    );
    let words = (
        maybe(prop::sample::select(vec!["web", "browser", "native"])),
        maybe(prop::sample::select(vec!["REUSE", "ONETIME"])),
        maybe(prop::sample::select(vec!["S256", "none"])),
        maybe(prop::sample::select(ORGNOS.to_vec())),
        maybe(any::<bool>()),
    );
    let texts = (
        maybe(hostile()),
        maybe(hostile()),
        maybe(prop::collection::vec(hostile(), 0..3)),
        maybe(hostile()),
    );
    let entries =
        prop::collection::btree_map("[a-z ]{1,5}[a-z]", (maybe(hostile()), maybe(hostile())), 0..3);
    let rest = (texts, words, numbers, entries);
    (kind, name, kids, is_active, rest).prop_map(
        |(kind, name, kids, is_active, (texts, words, numbers, entries))| {
            let login = matches!(kind, "idporten" | "api_klient" | "ansattporten");
            let application_type = if login { words.0.clone() } else { Value::Null };
            let method = match application_type.as_str() {
                Some("browser" | "native") => "none",
                _ => "private_key_jwt",
            };
            let scopes = match kind {
                "krr" => {
                    json!(["krr:global/kontaktinformasjon.read", "krr:global/digitalpost.read"])
                }
                "idporten" => json!(["openid", "profile", "eidas"]),
                _ => json!(["etat:arbeid:a", "noen:andre", "openid"]),
            };
            let keys: Vec<_> =
                kids.iter().map(|kid| jwk(&format!("kid-{kid}"), 2 * kid + 3)).collect();
            let mut client = json!({
                "client_name": name, "integration_type": kind, "active": is_active, "keys": keys,
                "description": texts.0, "scopes": scopes, "application_type": application_type,
                "client_orgno": words.3, "supplier_orgno": words.3,
            });
            if login {
                client["token_endpoint_auth_method"] = method.into();
                client["logo_uri"] = texts.1;
                client["redirect_uris"] = texts.2;
                client["frontchannel_logout_uri"] = texts.3;
                client["refresh_token_usage"] = words.1;
                client["code_challenge_method"] = words.2;
                client["sso_disabled"] = words.4;
                client["refresh_token_lifetime"] = numbers.1;
                client["authorization_lifetime"] = numbers.2;
            }
            client["access_token_lifetime"] = numbers.0;
            if kind == "idporten" {
                let entries: Map<String, Value> = entries
                    .into_iter()
                    .map(|(id, (name, description))| {
                        let id = id.trim().to_owned();
                        (
                            id.clone(),
                            json!({ "onbehalfof": id, "name": name, "description": description }),
                        )
                    })
                    .collect();
                client["onbehalfof"] = entries.into();
            }
            client
        },
    )
}

/// The states of two environments: much of it in both, equal or not.
pub(super) fn states() -> impl Strategy<Value = [Live; 2]> {
    fn in_both(
        of: impl Strategy<Value = Value> + Clone,
    ) -> impl Strategy<Value = [Option<Value>; 2]> {
        prop_oneof![
            3 => of.clone().prop_map(|of| [Some(of.clone()), Some(of)]),
            3 => [of.clone(), of.clone()].prop_map(|both| both.map(Some)),
            1 => of.clone().prop_map(|of| [Some(of), None]),
            1 => of.prop_map(|of| [None, Some(of)]),
        ]
    }
    let prefix = prop::sample::select(vec!["etat", "blå"]);
    let scopes = prop::collection::btree_map((prefix, subscope()), in_both(scope().boxed()), 0..8);
    let clients = prop::collection::vec(in_both(client().boxed()), 0..6);
    let names = prop::collection::vec(hostile(), ORGNOS.len());
    (scopes, clients, names).prop_map(|(scopes, clients, names)| {
        let names: BTreeMap<_, _> = ORGNOS.into_iter().zip(names).collect();
        [0, 1].map(|side| {
            let scopes = scopes.iter().filter_map(|((prefix, subscope), both)| {
                let name = format!("{prefix}:{subscope}");
                name.parse::<domain::ScopeName>().ok()?;
                let mut scope = both[side].clone()?;
                for (orgno, access) in scope["access"].as_object_mut().unwrap() {
                    access[1] = names[orgno.as_str()].as_str().into();
                }
                Some((name, scope))
            });
            // A client is identified by its name: the one of the first side is that of the second.
            let clients = clients.iter().enumerate().filter_map(|(n, both)| {
                let mut client = both[side].clone()?;
                if let [Some(first), Some(_)] = both {
                    client["client_name"] = first["client_name"].clone();
                }
                Some((format!("id-{side}-{n}"), client))
            });
            live(scopes.collect::<Map<_, _>>().into(), clients.collect::<Map<_, _>>().into())
        })
    })
}

/// Number of active scopes, of accesses to them, and of clients.
pub(super) fn size(live: &Live) -> (usize, usize) {
    let scopes = live.scopes.values().filter(|scope| scope.active);
    (scopes.count(), live.clients.values().filter(|client| client.active).count())
}

//! An organisation that has grown over ten years: scopes and clients made by hand, by scripts and by NAIS, as
//! a sandbox's state. The same seed makes the same state.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Orgno;
use sandbox::State;
use serde_json::{Value, json};

use crate::world::{OWNER, SKATT};

/// Number of scopes, inactive ones included.
pub(crate) const SCOPES: usize = 300;
/// Number of accesses to them.
pub(crate) const ACCESSES: usize = 4_000;
/// Number of clients, inactive ones included.
pub(crate) const CLIENTS: usize = 200;

/// The seed of the organisation in `examples/grown`.
pub(crate) const SEED: u64 = 7;

const MADE: &str = "2021-03-04T05:06:07Z";

const PRODUCTS: [&str; 12] = [
    "arbeid",
    "helse",
    "pensjon",
    "barn",
    "økonomi",
    "register",
    "statistikk",
    "sak",
    "post",
    "fullmakt",
    "velferd",
    "hjelpemidler",
];

const WORDS: [&str; 16] = [
    "aareg",
    "sykmelding",
    "vedtak",
    "inntekt",
    "ytelse",
    "oppgave",
    "dokument",
    "person",
    "tiltak",
    "søknad",
    "utbetaling",
    "stønad",
    "kodeverk",
    "hendelse",
    "brev",
    "krav",
];

/// Pseudorandom numbers, the same in each run (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn in_percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// The state.
pub(crate) fn state(seed: u64) -> State {
    let mut dice = Dice(seed);
    let consumers = consumers(&mut dice);
    let (scopes, applications) = scopes(&mut dice);
    let accesses = accesses(&mut dice, &consumers, &scopes);
    let clients = clients(&mut dice, &applications);
    let mut all: BTreeMap<&str, Value> =
        scopes.iter().map(|(name, scope)| (name.as_str(), scope.clone())).collect();
    let foreign = json!({
        "owner_orgno": SKATT, "active": true, "created": MADE, "last_updated": MADE,
        "fields": { "description": "Skattekort", "visibility": "PUBLIC" },
    });
    all.insert("skatteetaten:skattekort.read", foreign);
    let mut accesses: BTreeMap<&str, BTreeMap<Orgno, Value>> = accesses;
    let ours = json!({ "state": "APPROVED", "created": MADE, "last_updated": MADE });
    let ours = [(OWNER.parse().unwrap(), ours)];
    accesses.insert("skatteetaten:skattekort.read", ours.into());
    let mut organizations: BTreeMap<Orgno, String> = consumers.into_iter().collect();
    organizations.insert(OWNER.parse().unwrap(), "ETATEN".to_owned());
    organizations.insert(SKATT.parse().unwrap(), "SKATTEETATEN".to_owned());
    serde_json::from_value(json!({
        "organizations": organizations,
        "prefixes": { "etat": OWNER, "gammel": OWNER, "skatteetaten": SKATT },
        "delegation_sources": { "altinn": "https://tt02.altinn.no/" },
        "clients": clients,
        "scopes": all,
        "accesses": accesses,
    }))
    .unwrap()
}

/// Organisations with names as in the registers; some have the same name.
fn consumers(dice: &mut Dice) -> Vec<(Orgno, String)> {
    const KINDS: [&str; 6] = [
        "{} KOMMUNE",
        "{} FYLKESKOMMUNE",
        "{} FORSIKRING ASA",
        "{} REGNSKAP AS",
        "{} SYKEHUS HF",
        "BRØDRENE {} A/S (AVD. ØST)",
    ];
    const PLACES: [&str; 60] = [
        "OSLO",
        "BERGEN",
        "STAVANGER",
        "TRONDHEIM",
        "BÆRUM",
        "KRISTIANSAND",
        "DRAMMEN",
        "ASKER",
        "LILLESTRØM",
        "FREDRIKSTAD",
        "SANDNES",
        "TROMSØ",
        "SKIEN",
        "BODØ",
        "ÅLESUND",
        "TØNSBERG",
        "ARENDAL",
        "HAUGESUND",
        "PORSGRUNN",
        "LARVIK",
        "MOSS",
        "HALDEN",
        "HAMAR",
        "GJØVIK",
        "LILLEHAMMER",
        "KONGSBERG",
        "MOLDE",
        "HARSTAD",
        "NARVIK",
        "ALTA",
        "VOSS",
        "SOLA",
        "FLÅ",
        "HÅ",
        "ÅS",
        "RÆLINGEN",
        "NØTTERØY",
        "VÅGSØY",
        "TRØNDELAG",
        "MANDAL",
        "FARSUND",
        "FLEKKEFJORD",
        "RISØR",
        "GRIMSTAD",
        "VENNESLA",
        "LYNGDAL",
        "KARMØY",
        "TYSVÆR",
        "STORD",
        "ODDA",
        "LEIKANGER",
        "FØRDE",
        "FLORØ",
        "ØRSTA",
        "VOLDA",
        "ULSTEIN",
        "SMØLA",
        "FRØYA",
        "RØROS",
        "NO",
    ];
    let mut found: BTreeMap<Orgno, String> = BTreeMap::new();
    let mut names: Vec<String> = KINDS
        .iter()
        .flat_map(|kind| PLACES.iter().map(|place| kind.replace("{}", place)))
        .collect();
    while found.len() < 350 {
        let digits = 200_000_000 + dice.below(99_999_999);
        if let Ok(orgno) = digits.to_string().parse::<Orgno>() {
            let next = dice.below(names.len());
            // A few have the name of another one.
            let name = match dice.in_percent(4) {
                true => names[next].clone(),
                false => names.swap_remove(next),
            };
            found.insert(orgno, name);
        }
    }
    found.into_iter().collect()
}

/// The scopes by their names, and the applications that own some of them.
fn scopes(dice: &mut Dice) -> (Vec<(String, Value)>, Vec<String>) {
    let mut scopes: BTreeMap<String, Value> = BTreeMap::new();
    let mut applications = BTreeSet::new();
    while scopes.len() < SCOPES {
        let (product, word) = (dice.one(&PRODUCTS), dice.one(&WORDS));
        let verb = dice.one(&["read", "write", "les", "admin", "søk"]);
        let (name, fields) = match dice.below(10) {
            // NAIS writes the owner into the description.
            0..=3 => {
                let namespace = if product.is_ascii() { product } else { "annet" };
                let app = format!(
                    "{}:{namespace}:api-{}",
                    dice.one(&["prod-gcp", "prod-fss"]),
                    dice.below(40)
                );
                applications.insert(app.clone());
                let fields = json!({
                    "description": format!("{product} - {app}"), "at_max_age": 30,
                    "authorization_max_lifetime": 30, "allowed_integration_types": ["maskinporten"],
                    "visibility": if dice.in_percent(80) { "PUBLIC" } else { "PRIVATE" },
                    "token_type": "SELF_CONTAINED",
                });
                (format!("etat:{product}:{word}.{verb}"), fields)
            }
            // A script set the same values for all of them.
            4..=6 => {
                let fields = json!({
                    "description": format!("Tilgang til {word} ({product})"), "at_max_age": 120,
                    "authorization_max_lifetime": 120, "allowed_integration_types": ["maskinporten"],
                    "visibility": "PUBLIC", "token_type": "SELF_CONTAINED",
                    "delegation_source": if dice.in_percent(30) { json!("https://tt02.altinn.no/") } else { Value::Null },
                });
                (format!("etat:{product}/{word}/{verb}"), fields)
            }
            // Free text by people.
            _ => {
                let description = dice.one(&[
                    "Skal ikke brukes: se ny!",
                    "#1 for alle, også \"dem\"",
                    "  uklart  ",
                    "no",
                    "Gir tilgang til alt\nogså i morgen",
                    "Saks- og arkivløsning (2019)",
                    "'",
                    "- liste",
                ]);
                let fields = json!({
                    "description": description, "visibility": dice.one(&["PUBLIC", "PRIVATE"]),
                    "at_max_age": dice.one(&[0, 60, 3600]), "accessible_for_all": dice.in_percent(10),
                    "long_description": if dice.in_percent(40) { json!("Se (docs): etat.no/api") } else { Value::Null },
                    "requires_user_authentication": dice.in_percent(5),
                });
                (format!("{}:{word}{}", dice.one(&["etat", "gammel"]), dice.below(60)), fields)
            }
        };
        let scope = json!({
            "owner_orgno": OWNER, "active": !dice.in_percent(8), "created": MADE, "last_updated": MADE,
            "fields": fields,
        });
        scopes.entry(name).or_insert(scope);
    }
    (scopes.into_iter().collect(), applications.into_iter().collect())
}

/// Consumers: recurring sets, and others.
fn accesses<'s>(
    dice: &mut Dice,
    consumers: &[(Orgno, String)],
    scopes: &'s [(String, Value)],
) -> BTreeMap<&'s str, BTreeMap<Orgno, Value>> {
    let some = |dice: &mut Dice, many: usize| -> BTreeSet<Orgno> {
        (0..many).map(|_| consumers[dice.below(consumers.len())].0).collect()
    };
    // Most scopes of a product are for the same few sets.
    let sets: Vec<[BTreeSet<Orgno>; 2]> = PRODUCTS
        .iter()
        .map(|_| {
            [6, 20].map(|most| {
                let many = 3 + dice.below(most);
                some(dice, many)
            })
        })
        .collect();
    let sets_of = |name: &str| {
        let product = |product: &&str| name.starts_with(&format!("etat:{product}"));
        PRODUCTS.iter().position(product).map(|product| &sets[product])
    };
    let mut all: BTreeMap<&str, BTreeMap<Orgno, Value>> = BTreeMap::new();
    let mut left = ACCESSES;
    while left > 0 {
        let (name, scope) = &scopes[dice.below(scopes.len())];
        if scope["fields"]["accessible_for_all"] == true {
            continue;
        }
        let is_new = !all.contains_key(name.as_str());
        let set = sets_of(name).filter(|_| is_new && dice.in_percent(60));
        let of_set = set.is_some();
        let who = match set {
            Some(sets) => sets[dice.below(2)].clone(),
            None => {
                let many = 1 + dice.below(12);
                some(dice, many)
            }
        };
        for orgno in who {
            let states = ["APPROVED", "REQUESTED", "DENIED"];
            let state = states[if of_set || dice.in_percent(98) { 0 } else { 1 + dice.below(2) }];
            let record = json!({ "state": state, "created": MADE, "last_updated": MADE });
            let of_scope = all.entry(name).or_default();
            if left > 0 && !of_scope.contains_key(&orgno) {
                of_scope.insert(orgno, record);
                left -= 1;
            }
        }
    }
    all
}

fn clients(dice: &mut Dice, applications: &[String]) -> BTreeMap<String, Value> {
    let mut clients = BTreeMap::new();
    let mut owners = applications.iter().cycle();
    for number in 0..CLIENTS {
        let mut fields = json!({
            "integration_type": "maskinporten", "application_type": "web", "client_orgno": OWNER,
            "token_endpoint_auth_method": "private_key_jwt", "access_token_lifetime": 120,
            "grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        });
        let mut scopes = vec!["skatteetaten:skattekort.read"];
        let mut has_keys = true;
        match dice.below(10) {
            // NAIS has one for each application, and created a few of them twice.
            0..=4 => {
                let next = owners.next().unwrap();
                let app = if dice.in_percent(3) { &applications[0] } else { next };
                let app = app.as_str();
                fields["client_name"] = app.into();
                fields["description"] = app.into();
            }
            5..=7 => {
                fields["client_name"] = format!("script-{number:03}").into();
                fields["description"] = "Opprettet av terraform".into();
            }
            8 => {
                fields["client_name"] =
                    format!("Innlogging for {} {number}", dice.one(&PRODUCTS)).into();
                fields["integration_type"] = "idporten".into();
                fields["grant_types"] = json!(["authorization_code", "refresh_token"]);
                fields["redirect_uris"] = json!([format!("https://etat.no/{number}/inn")]);
                fields["post_logout_redirect_uris"] = json!(["https://etat.no/ut"]);
                scopes = vec!["openid", "profile"];
                has_keys = false;
                fields["token_endpoint_auth_method"] = "client_secret_basic".into();
            }
            _ => {
                fields["client_name"] = format!(
                    "{} {}",
                    dice.one(&["test", "Test", "kopi av test", "ikke rør!"]),
                    number % 50
                )
                .into();
                fields["access_token_lifetime"] = dice.one(&[60, 120, 1200]).into();
            }
        }
        let keys: BTreeMap<String, Value> = (0..usize::from(has_keys) * (1 + dice.below(2)))
            .map(|key| {
                let kid = format!("{number}-{key}");
                (kid.clone(), jwk(dice, &kid))
            })
            .collect();
        let client = json!({
            "orgno": OWNER, "active": !dice.in_percent(30), "created": MADE, "last_updated": MADE,
            "scopes": scopes, "keys": keys, "fields": fields,
        });
        let id =
            format!("{:08x}-{number:04x}-4000-8000-{:012x}", dice.next() >> 32, dice.next() >> 16);
        clients.insert(id, client);
    }
    clients
}

fn jwk(dice: &mut Dice, kid: &str) -> Value {
    let mut modulus: Vec<u8> = (0..32).flat_map(|_| dice.next().to_be_bytes()).collect();
    modulus[0] |= 0x80;
    modulus[255] |= 1;
    let modulus = URL_SAFE_NO_PAD.encode(modulus);
    // Without `exp` it would expire a year from now, and no two states would be the same.
    let end = 4_000_000_000_u64;
    json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": modulus, "e": "AQAB", "exp": end
    })
}

#[test]
fn a_seed_makes_one_state() {
    let state = self::state(1);
    assert_eq!(self::state(1), state);
    assert_ne!(self::state(2), state);
    let owner: Orgno = OWNER.parse().unwrap();
    let scopes = state.scopes.iter().filter(|(_, scope)| scope.owner_orgno == owner);
    let ours: BTreeSet<_> = scopes.map(|(name, _)| name).collect();
    assert_eq!(ours.len(), SCOPES);
    let accesses = state.accesses.iter().filter(|(name, _)| ours.contains(name));
    assert_eq!(accesses.map(|(_, of)| of.len()).sum::<usize>(), ACCESSES);
    assert_eq!(state.clients.len(), CLIENTS);
}

#[test]
fn the_example_is_what_the_seed_makes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/grown/sandbox.json");
    let made = serde_json::to_string(&state(SEED)).unwrap() + "\n";
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    // Without `assert_eq`, whose output would be too long to read.
    let is_made = std::fs::read_to_string(path).unwrap() == made;
    assert!(is_made, "UPDATE_EXAMPLES=1 renews {path}");
}

//! A plan that compares with a snapshot: it equals one that compares with the live state, and is made without
//! a secret.

use std::collections::BTreeMap;

use digdir::{ClientNeeds, Needs, Reach, Snapshot, SnapshotError, Which};
use domain::AccessState::{self, Approved, Denied, Other, Requested};
use domain::{
    DelegationSource, ForeignScope, IntegrationType, Live, LiveAccess, LiveClient, LiveKey,
    LiveScope, Oddity, OddityOf, OwnClient, Representation, ScopeAttributes,
};
use proptest::prelude::*;
use sandbox::{KeyRecord, OnBehalfOfRecord, Switches};
use serde_json::{Value, json};

use crate::world::{DIGDIR, KART, KEY, OWNER, Ran, SKATT, World, name, orgno, program};

const FILE: &str = "live.json";

impl World {
    fn snapshot(&self) -> String {
        let ran = self.run(&["snapshot", "--out", FILE]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
        std::fs::read_to_string(self.folder().join(FILE)).unwrap()
    }

    /// A plan as the job of a fork makes it: with an empty environment.
    fn plan_offline(&self, more: &[&str]) -> Ran {
        let args = [&["plan", "--snapshot", FILE], more].concat();
        Ran::of(program().current_dir(self.folder()).args(args))
    }

    /// Checks that the plan for a fork equals the plan for everybody else.
    fn plans_the_same(&self) -> Value {
        let mut live = self.plan();
        self.sandbox.clear_exchanges();
        let ran = self.plan_offline(&["--format", "json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(self.sandbox.exchanges().len(), 0, "a plan from a snapshot asked for something");
        let mut offline: Value = serde_json::from_str(&ran.stdout).unwrap();
        let notices = offline["notices"].as_array_mut().unwrap();
        let at = notices.iter().position(|notice| notice["code"] == "PV411");
        let message = notices.remove(at.expect("it does not say that it compares with a snapshot"));
        assert_eq!(message["target"], "environment test");
        for plan in [&mut live, &mut offline] {
            plan["created"] = Value::Null;
        }
        assert_eq!(format!("{live:#}"), format!("{offline:#}"));
        live
    }

    fn put_foreign(&self, scope: &str, owner: &str, active: bool, attributes: &ScopeAttributes) {
        self.sandbox.edit(|state| {
            state.put_scope(orgno(owner), name(scope), active, attributes);
        });
    }

    fn grant(&self, scope: &str, state: AccessState) {
        self.sandbox.edit(|all| all.put_access(name(scope), orgno(OWNER), state));
    }
}

fn foreign(change: impl FnOnce(&mut ScopeAttributes)) -> ScopeAttributes {
    let mut attributes = ScopeAttributes { description: "Les".to_owned(), ..Default::default() };
    change(&mut attributes);
    attributes
}

/// A world with one of every kind of live entity.
fn world(switches: Switches) -> World {
    let world = World::with(switches);
    let all = [(SKATT, Approved), (KART, Requested), (DIGDIR, Denied)];
    world.put("etat:a", true, &all);
    world.put("etat:b&c=%2e", false, &all);
    world.put("etat:gammel", true, &[(SKATT, Approved)]);
    world.put("etat:fri", true, &all);
    world.put("etat:sover", false, &all);
    world.sandbox.edit(|state| {
        state.add_prefixes(orgno(SKATT), &["skatt".to_owned()]).unwrap();
        state.add_prefixes(orgno(KART), &["kart".to_owned()]).unwrap();
    });
    world.put_foreign("skatt:gitt", SKATT, true, &foreign(|_| ()));
    world.grant("skatt:gitt", Approved);
    world.put_foreign(
        "skatt:gitt-annen-type",
        SKATT,
        true,
        &foreign(|scope| scope.allowed_integration_types = [IntegrationType::Krr].into()),
    );
    world.grant("skatt:gitt-annen-type", Approved);
    world.put_foreign("skatt:spurt", SKATT, true, &foreign(|_| ()));
    world.grant("skatt:spurt", Requested);
    world.put_foreign("skatt:nektet", SKATT, true, &foreign(|_| ()));
    world.grant("skatt:nektet", Denied);
    world.put_foreign("skatt:sover", SKATT, false, &foreign(|_| ()));
    world.grant("skatt:sover", Approved);
    world.put_foreign("kart:ikke-gitt", KART, true, &foreign(|_| ()));
    world.put_foreign("kart:apen", KART, true, &foreign(|scope| scope.accessible_for_all = true));
    world.put_foreign(
        "kart:delegert",
        KART,
        true,
        &foreign(|scope| scope.delegation_source = Some("https://tt02.altinn.no/".to_owned())),
    );
    world.put_client("1f0a", "x", true, &["skatt:sover"]);
    world.put_client_of("idporten", "1f0b", "login", true, &["openid"]);
    world.put_client_of("idporten", "1f0c", "unmanaged login", true, &["openid"]);
    world.put_client("1f0d", "ny", false, &["skatt:gitt"]);
    world.put_client("no id", "odd", true, &[]);
    world.sandbox.edit(|state| {
        let key = KeyRecord::new(KEY.public.clone());
        for id in ["1f0a", "1f0d"] {
            let client = state.clients.get_mut(id).unwrap();
            client.keys.insert(KEY.kid.clone(), key.clone());
            client.fields.insert("client_secret".to_owned(), "hemmelig".into());
        }
        let now = key.created;
        for id in ["1f0b", "1f0c"] {
            let entries = &mut state.clients.get_mut(id).unwrap().on_behalf_of;
            for entry in ["kommunen", "a/b"] {
                let fields = Representation::from_iter([("name".to_owned(), entry.into())]);
                let record = OnBehalfOfRecord { created: now, last_updated: now, fields };
                entries.insert(entry.to_owned(), record);
            }
        }
    });
    world
}

/// The declarations on the main branch.
const MAIN: &str = "\
    consumers:\n  \
      skatteetaten: { orgno: \"974761076\", name: Skatteetaten }\n\
    scopes:\n  \
      - { name: etat:a, description: Les, consumers: [skatteetaten] }\n\
    clients:\n  \
      - { name: x, scopes: [skatt:gitt] }\n";

/// The declarations of a pull request.
const BRANCH: &str = "\
    consumers:\n  \
      skatteetaten: { orgno: \"974761076\", name: Skatteetaten }\n\
    scopes:\n  \
      - { name: etat:a, description: Les alt, consumers: [skatteetaten, \"971040238\"] }\n  \
      - { name: etat:b&c=%2e, description: Les, consumers: [\"971040238\"] }\n  \
      - { name: etat:odd, description: Les, consumers: [skatteetaten] }\n  \
      - { name: etat:fri, description: Les, at_max_age: 60, consumers: [\"991825827\"] }\n  \
      - { name: etat:ny, description: Ny, delegation_source: altinn, consumers: [skatteetaten] }\n\
    clients:\n  \
      - { name: x, scopes: [skatt:gitt, skatt:sover, etat:ny, kart:apen] }\n  \
      - { name: ny, scopes: [skatt:gitt], jwks: [] }\n  \
      - { name: annen, scopes: [skatt:gitt-annen-type] }\n  \
      - { name: spurt, scopes: [skatt:spurt, skatt:nektet, skatt:sover] }\n  \
      - { name: ukjent, scopes: [skatt:skrivefeil, kart:ikke-gitt, etat:sover] }\n  \
      - { name: delegert, scopes: [kart:delegert, kart:apen, etat:fri] }\n  \
      - { name: portvakt, scopes: [] }\n  \
      - name: login\n    \
        integration_type: idporten\n    \
        redirect_uris: [\"https://etat.example/\"]\n    \
        scopes: [openid]\n    \
        onbehalfof: [{ onbehalfof: kommunen, name: Kommunen }]\n\
    removed:\n  \
      - { scope: etat:gammel, action: deactivate, reason: avviklet }\n";

#[test]
fn a_fork_gets_the_plan_that_everybody_gets() {
    let all = Switches {
        empty_list_is_404: true,
        denied_hidden: true,
        prefix_with_colon: true,
        nulls_for_absent: true,
        ..Switches::default()
    };
    for (switches, is_plain) in [(Switches::default(), true), (all, false)] {
        let world = world(switches);
        let suspended = || Other("SUSPENDED".to_owned());
        world.put("etat:odd", false, &[(SKATT, Approved), (KART, suspended())]);
        world.put("etat:fri-og-odd", true, &[(SKATT, suspended())]);
        world.declare(MAIN);
        world.snapshot();
        // That state is not in DigDir's description, so the answers are not checked against it.
        world.sandbox.clear_exchanges();
        world.plans_the_same();
        world.declare(BRANCH);
        let plan = world.plans_the_same();
        let codes = |of: &str| -> Vec<String> {
            let message = plan[of].as_array().unwrap().iter();
            message.map(|message| format!("{} {}", message["code"], message["target"])).collect()
        };
        if is_plain {
            insta::assert_snapshot!(crate::world::ids(&plan).join("\n"));
            insta::assert_snapshot!(codes("blocked").join("\n"));
        }
        // Of `unmanaged login` and `etat:fri-og-odd` only their existence was read.
        let odd = |of: &str| codes("notices").iter().any(|message| message.contains(of));
        assert!(odd("onbehalfof a/b of client 1f0b") && odd("client odd (no id)"), "{plan:#}");
        assert!(!odd("1f0c of") && !odd("client 1f0c"), "{plan:#}");
        world.declare("");
        world.plans_the_same();
    }
}

#[test]
fn each_scope_of_others_is_reported_as_if_it_were_asked_for_alone() {
    let world = world(Switches::default());
    world.declare(MAIN);
    world.snapshot();
    for scope in [
        "skatt:gitt",
        "skatt:gitt-annen-type",
        "skatt:spurt",
        "skatt:nektet",
        "skatt:sover",
        "skatt:skrivefeil",
        "kart:ikke-gitt",
        "kart:apen",
        "kart:delegert",
        "ukjent:noe",
    ] {
        world.declare(&format!("clients: [{{ name: y, scopes: [{scope}] }}]\n"));
        world.plans_the_same();
    }
}

#[test]
fn a_snapshot_has_no_secret_and_says_when_it_was() {
    let world = world(Switches::default());
    world.declare(MAIN);
    let text = world.snapshot();
    for secret in ["hemmelig", "secret\"", "PRIVATE", "\"d\"", "\"p\"", "assertion"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file["format_version"], 1);
    assert_eq!((&file["environment"], &file["organization"]), (&json!("test"), &json!(OWNER)));
    assert_eq!(
        file["live"]["scopes"]["etat:fri"]["accesses"],
        json!({
            KART: { "state": "REQUESTED", "name": "STATENS KARTVERK" },
            SKATT: { "state": "APPROVED", "name": "SKATTEETATEN" },
            DIGDIR: { "state": "DENIED", "name": "DIGITALISERINGSDIREKTORATET" },
        })
    );
    assert_eq!(file["live"]["foreign"]["kart:apen"], json!({ "owner": KART, "open": true }));
    let created = file["created"].as_str().unwrap();
    let shown = world.plan_offline(&[]).stdout;
    let message = format!("compared with a snapshot of {created}, not with what is live now");
    assert!(shown.contains(&message), "{shown}");
}

#[test]
fn only_reads_make_a_snapshot_and_it_takes_the_place_of_the_old_one() {
    let world = world(Switches::default());
    world.declare(MAIN);
    world.write(FILE, "old");
    world.snapshot();
    assert_eq!(world.sent(), [""; 0]);
    let ran = world.run(&["snapshot", "--out", "new/other.json", "--quiet"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(world.run(&["snapshot", "--out", "-"]).code, 64);
    let folder = world.run(&["snapshot", "--out", "new"]);
    assert_eq!(folder.code, 1);
    insta::assert_snapshot!(folder.stderr, @"error: new cannot be written: it is there, and no file");
}

#[test]
fn clients_are_in_it_where_some_are_declared() {
    let world = World::new();
    world.put("etat:a", true, &[(SKATT, Approved)]);
    world.put_client("1f0a", "x", true, &[]);
    world.declare("scopes: [{ name: etat:a, description: Les }]\n");
    let file: Value = serde_json::from_str(&world.snapshot()).unwrap();
    assert_eq!((&file["clients"], &file["live"]["clients"]), (&json!(false), &json!({})));
    let asked = world.sandbox.exchanges();
    assert!(!asked.iter().any(|asked| asked.path.contains("clients")), "clients were asked for");
    world.plans_the_same();
    world.declare("clients: [{ name: x }]\n");
    let ran = world.plan_offline(&[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(ran.stderr, @"error: the snapshot live.json cannot be used: it has no clients, as the repository declared none when it was made, and now some are declared: plan the first client from a branch of the repository itself, without --snapshot");
    world.snapshot();
    world.plans_the_same();
}

#[test]
fn what_is_no_snapshot_of_this_is_refused() {
    let world = World::new();
    world.declare("scopes: [{ name: etat:a, description: Les }]\n");
    world.put("etat:a", true, &[(SKATT, Approved)]);
    let text = world.snapshot();
    let mut message = Vec::new();
    let mut refused = |what: &str, text: &str| {
        world.write(FILE, text);
        let ran = world.plan_offline(&[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{what}");
        message.push(format!("{what}\n  {}", ran.stderr));
    };
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}: {text}");
        text.replace(from, to)
    };
    refused("the beginning of it", &text[..text.find("\"representation\"").unwrap()]);
    refused("nothing", "");
    refused("something else", "{}");
    refused("another version", &changed("\"format_version\": 1", "\"format_version\": 2"));
    refused("another environment", &changed("\"test\"", "\"prod\""));
    let organization = format!("\"organization\": \"{OWNER}\"");
    let other = format!("\"organization\": \"{KART}\"");
    refused("another organisation", &changed(&organization, &other));
    refused("a wrong number", &changed(&format!("\"{SKATT}\": {{"), "\"974761077\": {"));
    refused("a wrong name", &changed("\"etat:a\": {", "\"etat\": {"));
    refused("an unknown member", &changed("\"own_client\"", "\"new\": 1, \"own_client\""));
    std::fs::remove_file(world.folder().join(FILE)).unwrap();
    let missing = world.plan_offline(&[]).stderr;
    assert!(missing.contains("No such file"), "{missing}");
    // The place in the message is ignored.
    insta::with_settings!({ filters => [(r"at line \d+ column \d+", "at <place>")] }, {
        insta::assert_snapshot!(message.join("\n"));
    });
}

/// A snapshot with something odd in each part.
fn odd() -> Snapshot {
    let scope = |unclear| LiveScope {
        active: true,
        representation: Representation::new(),
        accesses: Some(BTreeMap::new()),
        unclear,
    };
    let client = |name: &str| LiveClient {
        active: true,
        name: name.to_owned(),
        integration_type: "idporten".to_owned(),
        representation: Representation::new(),
        keys: Some(Vec::new()),
        on_behalf_of: Some(BTreeMap::new()),
    };
    let odd = |of| Oddity { of, entity: "it".to_owned(), what: "is odd".to_owned() };
    let clients = ["x", "y"].map(|id| (id.parse().unwrap(), client(id)));
    let live = Live {
        scopes: [(name("etat:a"), scope(true)), (name("etat:b"), scope(true))].into(),
        clients: clients.into(),
        oddities: [
            OddityOf::Scopes,
            OddityOf::TwoScopes(name("etat:b")),
            OddityOf::Prefixes,
            OddityOf::DelegationSources,
            OddityOf::Clients,
            OddityOf::Accesses(name("etat:a")),
            OddityOf::Accesses(name("etat:b")),
            OddityOf::OnBehalfOf("x".parse().unwrap()),
            OddityOf::OnBehalfOf("y".parse().unwrap()),
        ]
        .map(odd)
        .into(),
        ..Live::default()
    };
    Snapshot {
        environment: "test".to_owned(),
        organization: orgno(OWNER),
        created: "2026-11-22T10:00:00Z".parse().unwrap(),
        reach: Reach::ScopesAndClients,
        live,
    }
}

#[test]
fn who_does_not_need_a_thing_has_not_read_it() {
    let live = odd().live(&Needs::default()).unwrap();
    let of = |live: &Live| live.oddities.iter().map(|odd| odd.of.clone()).collect::<Vec<_>>();
    let two = OddityOf::TwoScopes(name("etat:b"));
    assert_eq!(of(&live), [OddityOf::Scopes, two.clone(), OddityOf::Prefixes]);
    assert!(live.scopes.values().all(|scope| scope.accesses.is_none() && !scope.unclear));
    assert!(live.clients.is_empty());

    let ids = Which::These(["x".parse().unwrap()].into());
    let needs = Needs {
        scopes: Which::These([name("etat:a")].into()),
        delegation_sources: true,
        clients: Some(ClientNeeds { ids, ..ClientNeeds::default() }),
    };
    let live = odd().live(&needs).unwrap();
    assert_eq!(
        of(&live),
        [
            OddityOf::Scopes,
            two,
            OddityOf::Prefixes,
            OddityOf::DelegationSources,
            OddityOf::Clients,
            OddityOf::Accesses(name("etat:a")),
            OddityOf::OnBehalfOf("x".parse().unwrap()),
        ]
    );
    let unclear: Vec<_> = live.scopes.values().map(|scope| scope.unclear).collect();
    assert_eq!(unclear, [true, false]);
    let keys: Vec<_> = live.clients.values().map(|client| client.keys.is_some()).collect();
    assert_eq!(keys, [true, false]);
    assert_eq!(odd().live(&Needs::everything(Reach::ScopesAndClients)).unwrap().oddities.len(), 9);
}

#[test]
fn what_is_not_known_from_a_snapshot_is_an_error() {
    let of = |scope: &str| Needs { scopes: Which::These([name(scope)].into()), ..Needs::default() };
    let unclear = odd().live(&of("etat:b")).unwrap_err();
    assert!(matches!(&unclear, SnapshotError::Unclear(why) if why.contains("etat:b")));
    let mut lacking = odd();
    lacking.live.scopes.get_mut(&name("etat:a")).unwrap().accesses = None;
    assert!(matches!(lacking.live(&of("etat:a")), Err(SnapshotError::Lacks(_))));
    let mut lacking = odd();
    lacking.live.clients.get_mut(&"x".parse().unwrap()).unwrap().on_behalf_of = None;
    let everything = Needs::everything(Reach::ScopesAndClients);
    assert!(matches!(lacking.live(&everything), Err(SnapshotError::Lacks(_))));
    let without = Snapshot { reach: Reach::Scopes, ..odd() };
    assert!(matches!(without.live(&everything), Err(SnapshotError::NoClients)));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zæøå\"\\\\/ ]{0,6}", "\\PC{0,4}", Just("\u{0}\u{1b}\n".to_owned())]
}

fn representation() -> impl Strategy<Value = Representation> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,5}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    let fields = prop::collection::btree_map("f_[a-z]{1,5}", value, 0..4);
    fields.prop_map(|fields| fields.into_iter().collect())
}

fn state() -> impl Strategy<Value = AccessState> {
    prop_oneof![
        Just(Approved),
        Just(Denied),
        Just(Requested),
        // A word of DigDir is never another one.
        text().prop_map(AccessState::from),
    ]
}

fn consumer() -> impl Strategy<Value = domain::Orgno> {
    prop::sample::select(vec![orgno(OWNER), orgno(SKATT), orgno(KART), orgno(DIGDIR)])
}

fn live_scope() -> impl Strategy<Value = LiveScope> {
    let access = (state(), prop::option::of(text())).prop_map(|(state, name)| LiveAccess {
        state,
        name,
        requested: None,
    });
    let accesses = prop::option::of(prop::collection::btree_map(consumer(), access, 0..4));
    (any::<bool>(), representation(), accesses, any::<bool>()).prop_map(
        |(active, representation, accesses, unclear)| LiveScope {
            active,
            representation,
            accesses,
            unclear,
        },
    )
}

fn live_client() -> impl Strategy<Value = LiveClient> {
    let keys = prop::collection::vec(representation().prop_map(LiveKey::new), 0..2);
    let entries = prop::collection::btree_map("[a-z ø]{0,4}x", representation(), 0..3);
    let entries = entries.prop_map(|entries| {
        entries.into_iter().filter_map(|(id, entry)| Some((id.parse().ok()?, entry))).collect()
    });
    (
        any::<bool>(),
        text(),
        text(),
        representation(),
        prop::option::of(keys),
        prop::option::of(entries),
    )
        .prop_map(|(active, name, integration_type, representation, keys, on_behalf_of)| {
            LiveClient { active, name, integration_type, representation, keys, on_behalf_of }
        })
}

fn foreign_scope() -> impl Strategy<Value = ForeignScope> {
    let types = prop::sample::subsequence(
        vec![IntegrationType::Idporten, IntegrationType::Krr, IntegrationType::Maskinporten],
        0..3,
    );
    let (owner, access) = (prop::option::of(consumer()), prop::option::of(state()));
    let flags = any::<(bool, bool, bool)>();
    (owner, prop::option::of(text()), access, flags, types).prop_map(
        |(owner, owner_name, access, (inactive, open, delegable), types)| ForeignScope {
            owner,
            owner_name,
            access,
            inactive,
            open,
            delegable,
            allowed_integration_types: types.into_iter().collect(),
        },
    )
}

fn live() -> impl Strategy<Value = Live> {
    let scope_name = || "[a-z]{1,3}:[a-zæ/&.]{1,4}".prop_map(|text| name(&text));
    let id = || "[a-z0-9-]{1,6}".prop_map(|text| text.parse().unwrap());
    let scopes = prop::collection::btree_map(scope_name(), live_scope(), 0..4);
    let clients = prop::collection::btree_map(id(), live_client(), 0..3);
    let foreign = prop::collection::btree_map(scope_name(), foreign_scope(), 0..3);
    let own_client = prop::option::of(
        (id(), prop::option::of(text()), prop::option::of(0..4_000_000_000_i64)).prop_map(
            |(id, kid, at)| {
                let at = at.map(|seconds| jiff::Timestamp::from_second(seconds).unwrap());
                OwnClient { id, kid, key_expires: at, certificate_expires: at }
            },
        ),
    );
    let of = prop_oneof![
        Just(OddityOf::Prefixes),
        scope_name().prop_map(OddityOf::Accesses),
        id().prop_map(OddityOf::OnBehalfOf),
    ];
    let odd = (of, text(), text()).prop_map(|(of, entity, what)| Oddity { of, entity, what });
    let source = (text(), text()).prop_map(|(name, issuer)| DelegationSource { name, issuer });
    let lists = (
        prop::collection::btree_set(text(), 0..3),
        prop::collection::vec(source, 0..2),
        prop::collection::vec(odd, 0..3),
    );
    (scopes, clients, foreign, own_client, lists).prop_map(
        |(scopes, clients, foreign, own_client, (prefixes, delegation_sources, oddities))| Live {
            snapshot: None,
            scopes,
            prefixes,
            delegation_sources,
            clients,
            foreign,
            own_client,
            oddities,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// A snapshot is read back completely; written again, it is the same text.
    #[test]
    fn a_snapshot_survives_its_file(live in live(), clients in any::<bool>()) {
        let reach = if clients { Reach::ScopesAndClients } else { Reach::Scopes };
        let snapshot = Snapshot { live, reach, ..odd() };
        let text = snapshot.write();
        let read = Snapshot::read(&text, "test", orgno(OWNER)).unwrap();
        prop_assert_eq!(&read, &snapshot);
        prop_assert_eq!(read.write(), text);
    }
}

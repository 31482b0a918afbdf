//! Scopes and clients whose name is changed.

use insta::assert_snapshot;

use super::clients::{ID, client, desired, live_client, named, with};
use super::*;
use crate::{Code, Notice};
use domain::{ClientAttributes, DesiredClient, IntegrationType};

/// The notices of a change from one declared scope to another.
fn renamed(old: (&'static str, &[&str]), new: (&'static str, &[&str])) -> String {
    let applied = Applied { commit: "abc".into(), desired: declared([(old.0, scope(old.1))]) };
    let live = live([(old.0, live_scope(true, &[]))]);
    let plan = planned_after(&declared([(new.0, scope(new.1))]), Some(&applied), &live);
    let notices = plan.notices.iter();
    notices.map(|notice| format!("{} {}: {}", notice.code, notice.target, notice.message)).collect()
}

#[test]
fn a_scope_that_looks_renamed_is_reported() {
    let shown = renamed(("etat:aareg.read", &[SKATT]), ("etat:aareg.les", &[SKATT]));
    assert_snapshot!(shown, @"PV419 scope etat:aareg.les: it has the consumers of etat:aareg.read, which this plan deactivates. If it is the new name of that scope, its clients get no more tokens until they ask for the new one: declare both for a while (`portvakt rename etat:aareg.read etat:aareg.les` writes that), and remove the old one once they have moved");
    for (old, new) in [
        (("etat:aareg.read", &[SKATT][..]), ("etat:aareg.les", &[SKATT, KART][..])),
        (("etat:aareg.read", &[SKATT]), ("etat:lager.skriv", &[SKATT])),
        (("etat:aareg.read", &[SKATT]), ("stat:aareg.read", &[SKATT])),
    ] {
        assert_eq!(renamed(old, new), "", "{new:?}");
    }
}

#[test]
fn a_scope_that_stays_is_not_renamed() {
    let old = || ("etat:aareg.read", scope(&[SKATT]));
    let applied = Applied { commit: "abc".into(), desired: declared([old()]) };
    let both = declared([old(), ("etat:aareg.les", scope(&[SKATT]))]);
    let plan =
        planned_after(&both, Some(&applied), &live([("etat:aareg.read", live_scope(true, &[]))]));
    assert!(plan.notices.is_empty(), "{:?}", plan.notices);
}

#[test]
fn a_client_that_looks_renamed_is_reported() {
    let reads = ["etat:aareg.read"];
    let renamed = || DesiredClient {
        identity: named("b", None, Some("app")),
        ..client("b", &["etat:annet"])
    };
    let krr = || {
        let attributes = ClientAttributes::defaults(IntegrationType::Krr, None);
        DesiredClient { attributes, ..client("app", &[]) }
    };
    for (old, new, target) in [
        (client("app1", &reads), client("app2", &reads), Some("client app2")),
        (
            client("app1", &reads),
            client("app2", &["etat:aareg.read", "etat:annet"]),
            Some("client app2"),
        ),
        (client("app1", &[]), client("app2", &[]), Some("client app2")),
        // A rename is reverted.
        (renamed(), client("app", &reads), Some("client app")),
        (renamed(), krr(), None),
        (client("app1", &reads), client("app2", &["etat:annet"]), None),
        (client("app1", &reads), client("lager", &reads), None),
    ] {
        let name = old.identity.client_name().unwrap().as_str().to_owned();
        let scopes = ["etat:aareg.read", "etat:annet"].map(|name| (name, live_scope(true, &[])));
        let clients = with([(ID, live_client(&name, true, &[], &[]))]).clients;
        let live = Live { clients, ..live(scopes) };
        let applied = Applied { commit: "abc".into(), desired: desired([old]) };
        let plan = planned_after(&desired([new]), Some(&applied), &live);
        let found = plan.notices.iter().find(|notice| notice.code == Code::LooksRenamed);
        assert_eq!(found.map(|notice| &*notice.target), target, "{name}");
        let is_named =
            |notice: &Notice| notice.message.contains(&format!("previous_name: {name}`"));
        assert!(found.is_none_or(is_named), "{name}");
    }
}

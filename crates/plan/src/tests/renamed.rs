//! Scopes whose name is changed.

use insta::assert_snapshot;

use super::*;

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

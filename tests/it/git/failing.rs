//! A remote that fails, at various times.

use super::life::{codes, scopes};
use super::remote::{Remote, git};
use crate::world::{KART, SKATT};

#[test]
fn where_nothing_can_be_pushed_nothing_is_changed() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    // Not even the lock can be pushed; then not the ledger.
    for refused in ["", "grep -q refs/notes || exit 0\n"] {
        remote.hook(&format!("{refused}echo no pushing here; exit 1"));
        assert_eq!(one.planned().len(), 2, "a plan pushes nothing");
        let ran = one.ends(1, &["apply", "--auto-approve"]);
        assert!(ran.stderr.contains("no pushing here"), "{}", ran.stderr);
        assert!(ran.stderr.contains("nothing was changed"), "{}", ran.stderr);
        assert_eq!(remote.world.sent(), [""; 0]);
        for name in ["lock", "ledger", "applied"] {
            assert_eq!(remote.held(name), None, "{name}");
        }
        assert_eq!(remote.tried(), [""; 0]);
    }
    remote.no_hook();
    one.apply();
}

#[test]
fn where_the_end_cannot_be_pushed_the_next_apply_settles_it() {
    let remote = Remote::new();
    let one = remote.first();
    let before = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.apply();
    let now = one.declare(&scopes(&[("etat:a", &[KART])]));
    remote.hook("grep -q /applied && exit 1; exit 0");
    let ran = one.ends(6, &["apply", "--auto-approve"]);
    assert!(ran.stderr.contains("run apply again"), "{}", ran.stderr);
    assert!(ran.stdout.contains("3 of 3 done"), "{}", ran.stdout);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [KART]);
    assert_eq!((remote.held("applied"), remote.held("lock")), (Some(before), None));
    assert_eq!(one.history()[0]["outcome"], "begun");
    remote.no_hook();
    remote.world.check_and_forget();
    assert_eq!(one.planned(), [""; 0]);
    one.apply();
    assert_eq!(remote.world.sent(), [""; 0]);
    assert_eq!((remote.held("applied"), remote.tried().len()), (Some(now), 0));
}

#[test]
fn a_remote_that_cannot_change_several_refs_at_once_does_too() {
    let remote = Remote::new();
    git(&remote.path(), &["config", "receive.advertiseAtomic", "false"]);
    let one = remote.first();
    for consumers in [[SKATT], [KART]] {
        let commit = one.declare(&scopes(&[("etat:a", &consumers)]));
        one.apply();
        assert_eq!((remote.held("applied"), remote.held("lock")), (Some(commit), None));
        assert_eq!(remote.tried(), [""; 0]);
    }
    assert_eq!(one.history().len(), 2);
}

#[test]
fn without_the_remote_a_plan_takes_nothing_away_and_says_so() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.apply();
    one.declare(&scopes(&[("etat:a", &[KART])]));
    let shallow = remote.another("shallow", &["--depth", "1"]);
    let away = remote.beside("away.git");
    std::fs::rename(remote.path(), &away).unwrap();
    remote.world.check_and_forget();
    for clone in [&one, &shallow] {
        let plan = clone.plan();
        // No consumer would be left: such a change is not made as long as the past is not known.
        assert_eq!(crate::world::ids(&plan), ["grant etat:a 971040238"]);
        assert_eq!(plan["blocked"][0]["code"], "PV315", "{plan:#}");
        assert!(codes(&plan).contains(&"PV409".to_owned()), "{plan:#}");
        assert!(plan["actions"][0]["origin"].is_null(), "{plan:#}");
        let ran = clone.ends(1, &["apply", "--auto-approve"]);
        assert!(ran.stderr.contains("nothing was changed"), "{}", ran.stderr);
    }
    assert_eq!(remote.world.sent(), [""; 0]);
    std::fs::rename(&away, remote.path()).unwrap();
    // The applied commit cannot be fetched, though the remote answers.
    let applied = remote.held("applied").unwrap();
    let object = remote.path().join("objects").join(&applied[..2]).join(&applied[2..]);
    let aside = remote.beside("object");
    std::fs::rename(&object, &aside).unwrap();
    let plan = shallow.plan();
    assert!(codes(&plan).contains(&"PV409".to_owned()), "{plan:#}");
    assert_eq!(plan["summary"]["deactivate"], 0);
    shallow.ends(1, &["apply", "--auto-approve"]);
    assert_eq!((remote.world.sent().len(), remote.held("lock")), (0, None));
    std::fs::rename(&aside, &object).unwrap();
    assert_eq!(shallow.plan()["summary"]["deactivate"], 1);
}

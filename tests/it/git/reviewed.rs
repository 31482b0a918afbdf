//! What must not be forgotten, and what must not be gone back to.

use super::life::{codes, scopes};
use super::remote::Remote;
use crate::world::SKATT;

#[test]
fn what_nobody_could_read_is_not_forgotten() {
    let remote = Remote::new();
    let one = remote.first();
    let first = one.declare(&scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.apply();
    // The commit that is said to be applied has declarations that are none.
    one.write("declarations.yaml", "scopes: nonsense\n");
    let broken = one.commit("Break");
    one.git(&["push", "--quiet", "origin", &format!("+{broken}:refs/portvakt/test/applied")]);
    one.declare(&scopes(&[("etat:b", &[])]));
    let plan = one.plan();
    assert_eq!(crate::world::ids(&plan), [""; 0]);
    assert!(codes(&plan).contains(&"PV409".to_owned()), "{plan:#}");
    one.apply();
    assert_eq!(
        remote.held("applied"),
        Some(broken.clone()),
        "it is still the one that was applied"
    );
    one.git(&["push", "--quiet", "origin", &format!("+{first}:refs/portvakt/test/applied")]);
    assert!(one.planned().contains(&"deactivate scope etat:a".to_owned()));
}

#[test]
fn a_rollback_goes_back_to_what_was_merged_alone() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[])]));
    one.apply();
    one.git(&["switch", "--quiet", "-c", "side"]);
    let side = one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.git(&["switch", "--quiet", "main"]);
    let ran = one.run(&["rollback", &side]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("no older commit"), "{}", ran.stderr);
    for odd in ["a:refs/heads/b", "+main", "--help-me", "*", ""] {
        let ran = one.run(&["rollback", "--", odd]);
        assert_eq!(ran.code, 64, "{odd}: {}", ran.stderr);
    }
}

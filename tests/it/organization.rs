//! The organisation in portvakt.yaml must be the one in DigDir's answers.

use domain::AccessState::Approved;

use crate::commands::{self, Uses};
use crate::git::remote::{Clone, Remote};
use crate::world::{OWNER, SKATT};

const DECLARED: &str =
    "scopes:\n  - { name: etat:a, description: Les, consumers: [\"974761076\"] }\n";

/// The line and the column of the number in portvakt.yaml.
const PLACE: &str = "portvakt.yaml:1:24";

fn of_another(clone: &Clone<'_>) -> String {
    let settings = std::fs::read_to_string(clone.path.join("portvakt.yaml")).unwrap();
    settings.replace(OWNER, SKATT)
}

#[test]
fn another_organisation_on_a_branch_is_refused_before_anything_is_planned() {
    let remote = Remote::new();
    remote.world.put("etat:gammel", true, &[(SKATT, Approved)]);
    let one = remote.first();
    commands::write_files(&one.path);
    one.declare(commands::DECLARED);
    one.apply();
    let live = one.ends(0, &["snapshot", "--out", "live.json"]);
    assert_eq!(live.stdout, "");
    one.git(&["checkout", "--quiet", "-b", "branch"]);
    std::fs::write(one.path.join("portvakt.yaml"), of_another(&one)).unwrap();
    // The scope is declared no longer: everything would be revoked.
    one.declare("clients: [{ name: app }]\n");
    remote.world.check_and_forget();
    for command in commands::using(Uses::Api) {
        let ran = one.run(command);
        // These compare with the last apply, which was for another organisation.
        let (code, messages) = match command {
            ["drift"] => (1, &["another organisation"][..]),
            ["apply", "--due", ..] => (4, &["another organisation"][..]),
            _ => (1, &[OWNER, SKATT, PLACE, "organization.orgno"][..]),
        };
        assert_eq!(ran.code, code, "{command:?}: {}{}", ran.stdout, ran.stderr);
        // The doctor's result is its diagnosis.
        let shown = match command {
            ["doctor"] => ran.stdout,
            _ => {
                assert_eq!(ran.stdout, "", "{command:?}");
                ran.stderr
            }
        };
        for message in messages {
            assert!(shown.contains(message), "{command:?}: {message}: {shown}");
        }
    }
    assert_eq!(remote.world.sent(), [""; 0]);
    assert_eq!(remote.world.open_to("etat:a").unwrap(), [SKATT]);
    assert_eq!(remote.world.open_to("etat:gammel").unwrap(), [SKATT]);
    let ran = one.run(&["plan", "--snapshot", "live.json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains(OWNER) && ran.stderr.contains(SKATT), "{}", ran.stderr);
}

#[test]
fn a_snapshot_with_another_organisations_scopes_is_refused() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(DECLARED);
    one.apply();
    one.ends(0, &["snapshot", "--out", "live.json"]);
    let text = std::fs::read_to_string(one.path.join("live.json")).unwrap();
    let of_scope = format!("\"owner_orgno\": \"{OWNER}\"");
    assert!(text.contains(&of_scope));
    std::fs::write(
        one.path.join("live.json"),
        text.replace(&of_scope, "\"owner_orgno\": \"974761076\""),
    )
    .unwrap();
    let ran = one.run(&["plan", "--snapshot", "live.json"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("scope etat:a") && ran.stderr.contains(SKATT), "{}", ran.stderr);
}

#[test]
fn the_owner_of_a_prefix_counts_where_no_scope_is_live() {
    let remote = Remote::new();
    let one = remote.first();
    std::fs::write(one.path.join("portvakt.yaml"), of_another(&one)).unwrap();
    one.declare(DECLARED);
    let ran = one.run(&["apply", "--auto-approve"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("prefix etat") && ran.stderr.contains(PLACE), "{}", ran.stderr);
    assert_eq!(remote.world.sent(), [""; 0]);
}

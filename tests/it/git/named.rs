//! Groups and aliases: whoever edits one opens or closes the scopes of other teams.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::remote::{Clone, Remote};
use crate::world::{DIGDIR, KART, SKATT};

const SCOPES: [&str; 3] = ["etat:arbeid:a", "etat:arbeid:b", "etat:helse:c"];

/// Two teams with scopes for one group.
fn declare(one: &Clone<'_>) {
    let teams = "teams:\n  arbeid: { path: teams/arbeid, scopes: [\"etat:arbeid:*\"] }\n  \
                 helse: { path: teams/helse, scopes: [\"etat:helse:*\"] }\n";
    one.write("portvakt.yaml", &(one.git(&["show", "HEAD:portvakt.yaml"]) + "\n" + teams));
    for (team, scopes) in [("arbeid", &SCOPES[..2]), ("helse", &SCOPES[2..])] {
        let mut yaml = "scopes:\n".to_owned();
        for scope in scopes {
            let entry = "{ group: samarbeid }";
            writeln!(yaml, "  - {{ name: \"{scope}\", description: Les, consumers: [{entry}] }}")
                .unwrap();
        }
        one.write(&format!("teams/{team}/s.yaml"), &yaml);
    }
    consumers(one, SKATT, &["skatt"]);
    one.merge("Begin");
    one.apply();
}

fn consumers(one: &Clone<'_>, felles: &str, members: &[&str]) {
    let mut yaml = format!(
        "consumers:\n  skatt: {{ orgno: \"{felles}\" }}\n  kart: {{ orgno: \"{KART}\", name: Kartverket }}\n\
         groups:\n  samarbeid:\n"
    );
    for member in members {
        writeln!(yaml, "    - {member}").unwrap();
    }
    one.write("consumers.yaml", &yaml);
}

/// A later change by somebody else.
fn change(one: &Clone<'_>, message: &str) {
    one.git(&["add", "-A"]);
    one.git(&["commit", "--quiet", "--author", "Ola <ola@etaten.example>", "-m", message]);
    one.git(&["push", "--quiet", "origin", "HEAD:main"]);
}

fn fields(action: &Value) -> Value {
    let place = |key: &str| match &action[key] {
        Value::Null => Value::Null,
        place => json!(format!("{}:{}", place["file"].as_str().unwrap(), place["line"])),
    };
    json!([action["id"], action["group"], action["team"], place("source"), place("entry")])
}

#[test]
fn a_change_of_a_group_is_one_line_and_names_the_line_that_made_it() {
    let remote = Remote::new();
    let one = remote.first();
    declare(&one);
    consumers(&one, SKATT, &["skatt", "kart"]);
    change(&one, "Kartverket joins");
    let plan = one.plan();
    let actions: Vec<_> = plan["actions"].as_array().unwrap().iter().map(fields).collect();
    assert_eq!(
        actions,
        [
            json!([
                "grant etat:arbeid:a 971040238",
                "samarbeid",
                "arbeid",
                "consumers.yaml:7",
                "teams/arbeid/s.yaml:2"
            ]),
            json!([
                "grant etat:arbeid:b 971040238",
                "samarbeid",
                "arbeid",
                "consumers.yaml:7",
                "teams/arbeid/s.yaml:3"
            ]),
            json!([
                "grant etat:helse:c 971040238",
                "samarbeid",
                "helse",
                "consumers.yaml:7",
                "teams/helse/s.yaml:2"
            ]),
        ]
    );
    let text = one.ends(0, &["plan", "--blame"]).stdout;
    insta::with_settings!({ filters => [(r"[0-9a-f]{10}\b", "<commit>"), (r"sha256:\S+", "<digest>")] }, {
        insta::assert_snapshot!(text, @r"
        Plan for test, Etaten (889640782)
        commit <commit>, last applied <commit>
        3 to grant.

        Gives access
          group samarbeid: + 971040238 Kartverket -> 3 scopes of 2 teams  consumers.yaml:7
          + grant      etat:arbeid:a  971040238 Kartverket  group samarbeid, team arbeid  consumers.yaml:7 for teams/arbeid/s.yaml:2
              last touched: <commit> by Ola <ola@etaten.example>
          + grant      etat:arbeid:b  971040238 Kartverket  group samarbeid, team arbeid  consumers.yaml:7 for teams/arbeid/s.yaml:3
              last touched: <commit> by Ola <ola@etaten.example>
          + grant      etat:helse:c  971040238 Kartverket  group samarbeid, team helse  consumers.yaml:7 for teams/helse/s.yaml:2
              last touched: <commit> by Ola <ola@etaten.example>

        digest <digest>
        ");
    });
    let markdown = one.ends(0, &["plan", "--format", "markdown"]).stdout;
    assert!(markdown.contains("| Group | Member | Change | Concerns | Where |"), "{markdown}");
    let row = "| `samarbeid` | `971040238` `Kartverket` | joins | 3 scopes of 2 teams | `consumers.yaml:7` |";
    assert!(markdown.contains(row), "{markdown}");
    assert!(
        markdown
            .contains("| `samarbeid` | `helse` | `consumers.yaml:7` for `teams/helse/s.yaml:2` |"),
        "{markdown}"
    );
    one.ends(0, &["apply", "--auto-approve", "--blame"]);
    let grant = &one.history()[0]["actions"][2];
    assert_eq!(fields(grant), actions[2]);
    assert_eq!(grant["source"]["blame"]["author"], "Ola <ola@etaten.example>");

    // The member leaves again, and an alias gets another number.
    consumers(&one, DIGDIR, &["skatt"]);
    change(&one, "Kartverket leaves");
    let text = one.ends(0, &["plan", "--blame"]).stdout;
    let who = format!("      removed: {} by ", &one.git(&["rev-parse", "HEAD"])[..10]);
    assert_eq!(text.matches(&who).count(), 6, "{text}");
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("  group")).collect();
    let at = format!(" at {}", &one.git(&["rev-parse", "HEAD~1"])[..10]);
    assert_eq!(
        lines,
        [
            format!(
                "  group samarbeid: - 971040238 Kartverket -> 3 scopes of 2 teams  consumers.yaml:7{at}"
            ),
            format!(
                "  group samarbeid: - {SKATT} SKATTEETATEN -> 3 scopes of 2 teams  consumers.yaml:2{at}"
            ),
            format!("  group samarbeid: + {DIGDIR} skatt -> 3 scopes of 2 teams  consumers.yaml:2"),
        ]
    );
}

#[test]
fn groups_and_teams_are_not_part_of_the_digest() {
    let remote = Remote::new();
    let one = remote.first();
    declare(&one);
    consumers(&one, SKATT, &["skatt", "kart"]);
    change(&one, "Kartverket joins");
    let by_group = one.plan();
    // The same work by the entries themselves.
    consumers(&one, SKATT, &["skatt"]);
    for (team, scopes) in [("arbeid", &SCOPES[..2]), ("helse", &SCOPES[2..])] {
        let mut yaml = "scopes:\n".to_owned();
        for scope in scopes {
            let entries = "[{ group: samarbeid }, kart]";
            writeln!(yaml, "  - {{ name: \"{scope}\", description: Les, consumers: {entries} }}")
                .unwrap();
        }
        one.write(&format!("teams/{team}/s.yaml"), &yaml);
    }
    let by_entry = one.plan();
    assert_eq!(by_group["digest"], by_entry["digest"]);
    assert_eq!(by_entry["actions"][0].get("group"), None);
    assert_eq!(by_entry["actions"][0]["team"], "arbeid");
}

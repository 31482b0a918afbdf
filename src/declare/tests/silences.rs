//! Comments that silence a rule.

use super::{check_one, said};

/// A warning (PV121) about the scope's consumer entry, another (PV122) about its lifetime.
const SCOPE: &str = "\
scopes:
- name: etat:a
  description: d
  allowed_integration_types: [maskinporten]
  authorization_max_lifetime: 5
  accessible_for_all: true
  consumers:
  - '974761076'
- { name: etat:b, description: d, accessible_for_all: true, consumers: ['974761076'] }
";

/// The codes and lines of what is said of [`SCOPE`] with a comment put in before a line.
fn with(comment: &str, line: usize) -> Vec<(&'static str, usize)> {
    let mut lines: Vec<&str> = SCOPE.lines().collect();
    lines.insert(line - 1, comment);
    reported(&lines.join("\n"))
}

/// The same with a comment behind a line.
fn behind(comment: &str, line: usize) -> Vec<(&'static str, usize)> {
    let mut lines: Vec<String> = SCOPE.lines().map(str::to_owned).collect();
    lines[line - 1].push_str(comment);
    reported(&lines.join("\n"))
}

fn reported(yaml: &str) -> Vec<(&'static str, usize)> {
    check_one(yaml).iter().map(|found| (found.code.code(), found.line)).collect()
}

#[test]
fn a_comment_speaks_of_what_begins_below_it() {
    assert_eq!(with("#", 1), [("PV122", 6), ("PV121", 9), ("PV121", 10)]);
    let rest = [("PV122", 6), ("PV121", 10)];
    assert_eq!(with("# portvakt: allow PV121 -- why", 2), rest, "the scope");
    assert_eq!(with("  #portvakt: allow PV121  --  why", 4), rest, "loosely");
    assert_eq!(with("  # portvakt: allow PV121 -- why", 4), rest, "inside the scope");
    let entry = with("  # portvakt: allow PV121 -- why", 8);
    assert_eq!(entry, [("PV122", 5), ("PV121", 10)], "the entry");
    let rest = [("PV122", 5), ("PV121", 8)];
    assert_eq!(behind(" # portvakt: allow PV121 -- why", 9), rest, "behind the scope");
    assert_eq!(with("# portvakt: allow PV122 -- why", 2), [("PV121", 9), ("PV121", 10)]);
}

#[test]
fn a_comment_at_the_end_of_one_says_nothing_of_the_next() {
    let head = "scopes:\n- name: etat:a\n  description: d\n  accessible_for_all: true\n  consumers:\n  - '974761076'\n";
    let next = "\n- name: etat:b\n  description: d\n  accessible_for_all: true\n  consumers: ['974761076']\n";
    let comment = "# portvakt: allow PV121 -- why";
    assert_eq!(reported(&format!("{head}  {comment}\n{next}")), [("PV121", 12)]);
    assert_eq!(reported(&format!("{head}{comment}\n{next}")), [("PV121", 6)]);
}

#[test]
fn what_silences_nothing_is_shown() {
    let of = |comment: &str| {
        let yaml = format!("scopes:\n- name: etat:a {comment}\n  description: d\n");
        said(&check_one(&yaml))
    };
    insta::assert_snapshot!(of("# portvakt: allow PV129 -- why"), @r"
    a.yaml:2:16: PV151: warning: `PV129` has nothing to say here, so this silences nothing
      help: remove the comment
    ");
    insta::assert_snapshot!(of("# portvakt: allow PV12 -- why"), @r"
    a.yaml:2:16: PV151: warning: there is no rule `PV12`, so this comment silences nothing
      help: did you mean `PV012`? name a rule of portvakt.yaml, or the code of a warning or note
    ");
    insta::assert_snapshot!(of("# portvakt: allow PV101 -- why"), @r"
    a.yaml:2:16: PV151: warning: `PV101` cannot be silenced: it is an error
      help: remove the comment
    ");
}

#[test]
fn what_is_no_silence_is_an_error() {
    for (comment, part) in [
        ("# portvakt: allow PV121", "does not say why"),
        ("# portvakt: allow PV121 --", "does not say why"),
        ("# portvakt: allow -- why", "not name one rule"),
        ("# portvakt: allow a b -- why", "not name one rule"),
        ("# portvakt: ignore PV121 -- why", "not understood"),
    ] {
        let found = check_one(&format!("scopes:\n{comment}\n- {{ name: etat:a, description: d }}"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].code.code(), found[0].line, found[0].column), ("PV150", 2, 1));
        assert!(found[0].message.contains(part), "{comment}: {}", found[0].message);
    }
    for yaml in
        ["# portvakt: allow PV121 -- why\nscopes: []", "scopes: [] # portvakt: allow PV121 -- why"]
    {
        assert!(said(&check_one(yaml)).contains("not beside anything"), "{yaml}");
    }
}

#[test]
fn what_is_no_comment_silences_nothing() {
    for text in [
        "'# portvakt: allow PV121 -- why'",
        "|\n    # portvakt: allow PV121 -- why",
        "'a# portvakt: allow PV121 -- why'",
    ] {
        let yaml = format!("scopes:\n- name: etat:a\n  description: {text}\n");
        assert_eq!(said(&check_one(&yaml)), "");
    }
}

#[test]
fn a_comment_that_speaks_of_a_silence_is_none() {
    let yaml = "scopes:\n- name: etat:a # do not # portvakt: allow PV121 -- x\n  description: d\n";
    assert_eq!(said(&check_one(yaml)), "");
}

#[test]
fn lines_are_those_of_yaml() {
    let yaml = SCOPE.replacen("scopes:\n", "scopes:\n#\r#\r#\r", 1);
    let yaml = yaml.replace("- { name: etat:b", "# portvakt: allow PV121 -- why\n- { name: etat:b");
    assert_eq!(reported(&yaml), [("PV122", 8), ("PV121", 11)]);
}

#[test]
fn many_comments_come_to_an_end() {
    for text in ["# portvakt:\n".repeat(80_000), "# portvakt: ".repeat(80_000)] {
        check_one(&format!("scopes:\n- {{ name: etat:a, description: d }}\n{text}"));
    }
    let consumers = "a,".repeat(200_000);
    let spoken_of = "   # portvakt: x\n".repeat(30_000);
    check_one(&format!(
        "scopes:\n- {{ name: etat:a, description: d, consumers: [{consumers}] }}\n- name: etat:b\n  \
         description: |\n{spoken_of}"
    ));
}

#[test]
fn an_error_stays() {
    let yaml = "scopes:\n- { name: nav:a, description: d } # portvakt: allow PV103 -- why";
    assert_eq!(reported(yaml), [("PV103", 2)]);
}

#[test]
fn silences_are_bounded() {
    let yaml = format!(
        "scopes:\n- {{ name: etat:a, description: d }}\n{}",
        "- { name: etat:b, description: d } # portvakt: allow x -- y\n".repeat(1_000)
    );
    assert!(said(&check_one(&yaml)).contains("than are heeded in one file"));
}

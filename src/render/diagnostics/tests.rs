//! The formats by themselves, with constructed diagnostics.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::declare::{Diagnostic, Related, Rule};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (file, text) in files {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

fn found(file: &str, start: (usize, usize), end: (usize, usize)) -> Diagnostic {
    Diagnostic {
        code: Rule::UnknownAlias,
        severity: Severity::Error,
        message: "no such alias".to_owned(),
        file: file.into(),
        line: start.0,
        column: start.1,
        end_line: end.0,
        end_column: end.1,
        help: None,
        related: Vec::new(),
        hides: false,
        own_rule: None,
        fix: None,
        cause: None,
    }
}

fn related(file: &str, line: usize, column: usize) -> Related {
    Related { message: "first here".to_owned(), file: file.into(), line, column }
}

/// The text below the header, without colours and summary.
fn shown(files: &[(&str, &str)], found: &Diagnostic) -> String {
    let folder = folder(files);
    let text = text(std::slice::from_ref(found), &mut Sources::new(folder.path()));
    let text = anstream::adapter::strip_str(&text).to_string();
    let (header, rest) = text.split_once('\n').unwrap();
    assert_eq!(header, "error[PV104]: no such alias");
    rest.rsplit_once("\n\n").unwrap().0.to_owned()
}

/// The underlines in a file with this text.
fn underlined(text: &str, start: (usize, usize), end: (usize, usize)) -> String {
    shown(&[("a.yaml", text)], &found("a.yaml", start, end))
}

#[test]
fn a_caret_is_below_each_character() {
    insta::assert_snapshot!(underlined("a: «æøå» bcd\n", (1, 10), (1, 13)), @"
     --> a.yaml:1:10
      |
    1 | a: «æøå» bcd
      |          ^^^
    ");
    insta::assert_snapshot!(underlined("a: 日本 🙂 bcd\n", (1, 9), (1, 12)), @"
     --> a.yaml:1:9
      |
    1 | a: 日本 🙂 bcd
      |            ^^^
    ");
    insta::assert_snapshot!(underlined("a:\tb\tcd\n", (1, 6), (1, 8)), @"
     --> a.yaml:1:6
      |
    1 | a: b cd
      |      ^^
    ");
    insta::assert_snapshot!(underlined("a: \u{1b}[2J\u{202e}##[x] bcd", (1, 15), (1, 18)), @"
     --> a.yaml:1:15
      |
    1 | a: �[2J�##�x] bcd
      |               ^^^
    ");
}

#[test]
fn an_empty_span_is_one_caret() {
    insta::assert_snapshot!(underlined("ab\n", (1, 2), (1, 2)), @"
     --> a.yaml:1:2
      |
    1 | ab
      |  ^
    ");
    insta::assert_snapshot!(underlined("ab\n", (1, 3), (1, 3)), @"
     --> a.yaml:1:3
      |
    1 | ab
      |   ^
    ");
    insta::assert_snapshot!(underlined("ab\n", (2, 1), (2, 1)), @"
     --> a.yaml:2:1
      |
    2 |  
      | ^
    ");
    insta::assert_snapshot!(underlined("", (1, 1), (1, 1)), @"
     --> a.yaml:1:1
      |
    1 |  
      | ^
    ");
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_count() {
    insta::assert_snapshot!(underlined("\u{feff}ab: c\r\n", (1, 1), (1, 3)), @"
     --> a.yaml:1:1
      |
    1 | ab: c
      | ^^
    ");
    insta::assert_snapshot!(underlined("a\r\nb\rcd\r\n", (3, 1), (3, 3)), @"
     --> a.yaml:3:1
      |
    3 | cd
      | ^^
    ");
}

#[test]
fn a_span_of_several_lines() {
    let text = "a:\n  b:\n    c: 1\n  d: 2\n";
    insta::assert_snapshot!(underlined(text, (2, 3), (3, 9)), @"
     --> a.yaml:2:3
      |
    2 | /   b:
    3 | |     c: 1
      | |________^
    ");
    // To the end of the line, including its line break.
    insta::assert_snapshot!(underlined(text, (3, 5), (4, 1)), @"
     --> a.yaml:3:5
      |
    3 |     c: 1
      |     ^^^^
    ");
    let long = "- a\n".repeat(20);
    insta::assert_snapshot!(underlined(&long, (2, 1), (18, 4)), @"
     --> a.yaml:2:1
      |
    2 | - a
      | ^^^
    ");
}

#[test]
fn a_long_line_is_cut_around_the_span() {
    let text = format!("a: [{}x, y]\n", "b, ".repeat(1700));
    insta::assert_snapshot!(underlined(&text, (1, 5105), (1, 5106)), @"
     --> a.yaml:1:5105
      |
    1 | …b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, x, y]
      |                                                                                                                                         ^
    ");
    insta::assert_snapshot!(underlined(&text, (1, 2), (1, 3)), @"
     --> a.yaml:1:2
      |
    1 | a: [b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b…
      |  ^
    ");
    insta::assert_snapshot!(underlined(&text, (1, 2502), (1, 5100)), @"
     --> a.yaml:1:2502
      |
    1 | …b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b,…
      |                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn related_places_are_shown_where_they_are() {
    let text = "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\nf: 6\ng: 7\nh: 8\ni: 9\na: 10\n";
    let with = |file: &str, line, column| {
        let mut found = found("a.yaml", (10, 1), (10, 2));
        found.related.push(related(file, line, column));
        found.help = Some("keep one of them".to_owned());
        shown(&[("a.yaml", text), ("b.yaml", "\n  x: 1\n")], &found)
    };
    insta::assert_snapshot!(with("a.yaml", 9, 1), @"
      --> a.yaml:10:1
       |
     9 | i: 9
       | - first here
    10 | a: 10
       | ^
       = help: keep one of them
    ");
    insta::assert_snapshot!(with("a.yaml", 6, 4), @"
      --> a.yaml:10:1
       |
     6 | f: 6
       |    - first here
    ...
    10 | a: 10
       | ^
       = help: keep one of them
    ");
    insta::assert_snapshot!(with("a.yaml", 1, 1), @"
      --> a.yaml:10:1
       |
    10 | a: 10
       | ^
      --> a.yaml:1:1
       |
     1 | a: 1
       | - first here
       = help: keep one of them
    ");
    insta::assert_snapshot!(with("b.yaml", 2, 3), @"
      --> a.yaml:10:1
       |
    10 | a: 10
       | ^
      --> b.yaml:2:3
       |
     2 |   x: 1
       |   - first here
       = help: keep one of them
    ");
    insta::assert_snapshot!(with("none.yaml", 2, 3), @"
      --> a.yaml:10:1
       |
    10 | a: 10
       | ^
      --> none.yaml:2:3: first here
       = help: keep one of them
    ");
}

#[test]
fn what_is_not_there_any_more_is_not_shown() {
    let place = |line, column| format!(" --> a.yaml:{line}:{column}");
    for (line, column) in [(2, 3), (3, 1), (0, 0), (usize::MAX, usize::MAX)] {
        assert_eq!(underlined("ab\n", (line, column), (line, column)), place(line, column));
    }
    assert_eq!(shown(&[], &found("a.yaml", (1, 1), (1, 2))), place(1, 1));
}

#[test]
fn secrets_are_not_shown() {
    let settings = "a: 1\ntest:\n  credentials:\n    key: hemmelig\n  b: 2\n";
    let at =
        |start, end| shown(&[("portvakt.yaml", settings)], &found("portvakt.yaml", start, end));
    assert_eq!(at((4, 10), (4, 18)), " --> portvakt.yaml:4:10");
    insta::assert_snapshot!(at((2, 1), (5, 7)), @"
     --> portvakt.yaml:2:1
      |
    2 | test:
      | ^^^^^
    ");
    let mut near = found("portvakt.yaml", (5, 3), (5, 4));
    near.related.push(related("portvakt.yaml", 2, 1));
    near.related.push(related("portvakt.yaml", 4, 5));
    insta::assert_snapshot!(shown(&[("portvakt.yaml", settings)], &near), @"
     --> portvakt.yaml:5:3
      |
    5 |   b: 2
      |   ^
     --> portvakt.yaml:2:1
      |
    2 | test:
      | - first here
     --> portvakt.yaml:4:5: first here
    ");
    let key = "a: \"-----BEGIN PRIVATE KEY-----\\nhemmelig\"\n";
    assert_eq!(underlined(key, (1, 4), (1, 9)), " --> a.yaml:1:4");
    let token = format!("a: {} b\n", "x1Y".repeat(15));
    insta::assert_snapshot!(underlined(&token, (1, 50), (1, 51)), @"
     --> a.yaml:1:50
      |
    1 | a: ············································· b
      |                                                  ^
    ");
}

#[test]
fn the_sum_counts_severities_and_files() {
    let mut warning = found("b.yaml", (1, 1), (1, 1));
    warning.severity = Severity::Warning;
    let error = found("a.yaml", (1, 1), (1, 1));
    let folder = folder(&[]);
    let text = text(&[error.clone(), error, warning], &mut Sources::new(folder.path()));
    assert!(text.ends_with("\n\n2 errors, 1 warning in 2 files\n"), "{text}");
}

#[test]
fn json_is_as_diagnostics_are_serialised() {
    let mut one = found("a\u{202e}##[error]å.yaml", (2, 3), (2, 4));
    one.help = Some("declare it".to_owned());
    one.related.push(related("b.yaml", 1, 2));
    let all = [one, found("b.yaml", (1, 1), (1, 1))];
    let text = json(&all);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), serde_json::to_value(&all).unwrap());
    assert!(!text.contains(['\u{202e}']) && !text.contains("##["), "{text}");
}

/// The commands, where no file is there to be shown.
fn on_github(all: &[Diagnostic], prefix: &str) -> String {
    github(all, prefix, &mut Sources::new(folder(&[]).path()))
}

#[test]
fn github_gets_the_worst_ten_and_then_everything_as_text() {
    let mut all: Vec<_> = (1..=12).map(|line| found("a.yaml", (line, 1), (line, 2))).collect();
    for (index, severity) in [(0, Severity::Note), (1, Severity::Warning)] {
        all[index].severity = severity;
    }
    let shown = on_github(&all, "");
    let (commands, text) = shown.split_once("\n\n").unwrap();
    assert!(commands.lines().all(|line| line.starts_with("::error file=a.yaml,line=")), "{shown}");
    assert_eq!(commands.lines().count(), 10);
    assert!(text.contains("note[PV104]: no such alias\n --> a.yaml:1:1\n"), "{text}");
    assert!(text.ends_with("10 errors, 1 warning, 1 note in 1 file\n"), "{text}");
    assert!(!text.contains("::") && !text.contains('\u{1b}'), "{text}");
    let ten = on_github(&all[..10], "");
    assert_eq!(ten.lines().count(), 10);
    assert!(ten.starts_with("::notice ") && ten.contains("\n::warning "), "{ten}");
}

#[test]
fn commands_to_github_cannot_be_broken_out_of() {
    let mut found = found("a,b:c%\n::x.yaml", (1, 2), (3, 4));
    found.severity = Severity::Note;
    found.message = "100 % of\n::error::this\r\n##[x]".to_owned();
    found.help = Some("mend: it".to_owned());
    insta::assert_snapshot!(on_github(&[found.clone()], "dir:1/"), @"::notice file=dir%3A1/a%2Cb%3Ac%25 %3A%3Ax.yaml,line=1,endLine=3,title=PV104::100 %25 of%0A:�error::this%0A##�x]%0Amend: it");
    found.end_line = 1;
    insta::assert_snapshot!(on_github(&[found], ""), @"::notice file=a%2Cb%3Ac%25 %3A%3Ax.yaml,line=1,col=2,endLine=1,endColumn=4,title=PV104::100 %25 of%0A:�error::this%0A##�x]%0Amend: it");
}

#[test]
fn a_thousand_mistakes_in_one_long_line_are_no_work() {
    let mut text = "a: [".to_owned();
    for number in 0..80_000 {
        write!(text, "alias{number}, ").unwrap();
    }
    let folder = folder(&[("a.yaml", &text)]);
    let all: Vec<_> =
        (0..1000).map(|n| found("a.yaml", (1, 900 * n + 5), (1, 900 * n + 9))).collect();
    let started = std::time::Instant::now();
    let shown = super::text(&all, &mut Sources::new(folder.path()));
    assert_eq!(shown.matches("^^^^").count(), 1000);
    assert!(shown.ends_with("1000 errors in 1 file\n"));
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

proptest! {
    /// A file may have changed in any way by the time it is shown.
    #[test]
    fn nothing_panics_and_nothing_steers_the_terminal(
        text in "(credentials:|##\\[|::|\\PC{0,6}|[\\x00-\\x7f\u{202e}\u{200b}æ日\u{301}]{0,8}|\n| {0,30}|[a-z, ]{0,200}){0,12}",
        places in prop::collection::vec((0usize..14, 0usize..240), 2..5),
        settings in any::<bool>(),
    ) {
        let file = if settings { "portvakt.yaml" } else { "a.yaml" };
        let folder = folder(&[(file, &text)]);
        let mut found = found(file, places[0], places[1]);
        found.related.extend(places[2..].iter().map(|(line, column)| related(file, *line, *column)));
        let shown = super::text(&[found.clone()], &mut Sources::new(folder.path()));
        let shown = anstream::adapter::strip_str(&shown).to_string();
        for line in shown.lines() {
            prop_assert_eq!(domain::text::printable(line), line);
        }
    }
}

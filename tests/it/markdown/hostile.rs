//! Every text of a plan is hostile, and remains plain text.

use domain::text::printable;
use plan::document::PlanDocument;
use portvakt::render::markdown;
use proptest::prelude::*;

use super::document;
use super::parsed::Parsed;

/// Each of them has a special meaning somewhere.
const HOSTILE: [&str; 44] = [
    "a|b\\|c\\\\|d|",
    "`",
    "``` \n```math\nx",
    "a`b``c```d",
    " ` ",
    "\\`",
    "</td></details><script>alert(1)</script>",
    "--> <!-- --!>",
    "&lt;b&gt; &#64;a &commat;b",
    "<details><summary>",
    "[a](https://e.example)",
    "![a](https://e.example/a.png)",
    "[a]: https://e.example",
    "[[wiki]]",
    "<https://e.example>",
    "https://e.example/a?b=c#d",
    "www.e.example",
    "a@e.example",
    "xmpp:a@b.c",
    "@user",
    "@etat/team",
    "@<0f9a3b12-1111-2222-3333-444455556666>",
    "@here @all",
    "#123",
    "GH-123",
    "a/b#1",
    "!123",
    "$12",
    "%1",
    "~label",
    "&1",
    "AB#9",
    "a5c3785ed8d6a35868bc169f07e40e889087fd2e",
    "*a* **b** __c__ ~~d~~ ==e== ^f^ ||g||",
    "# a\n## b\n---\n===",
    "[^1] ^[a]\n\n[^1]: b",
    "$x$ $$y$$ $`z`$ \\(a\\) \\[b\\]",
    ":tada: :+1:",
    "\n/approve\n/merge\n/close",
    "- [ ] a\n- [x] b\n1. c\n> [!NOTE]\n> d",
    "::error::a ##[error]b",
    "\u{202E}a\u{2066}b\u{200B}c\u{FEFF}d\u{2028}e\u{7}f\u{1b}[31mg\r\nh\0i",
    "",
    "  ",
];

#[test]
fn every_text_comes_out_as_text() {
    for hostile in HOSTILE {
        let mut made = Vec::new();
        let plan = document::plan(4, &mut || {
            made.push(format!("text {0} {hostile} text {0}", made.len()));
            made.last().cloned().unwrap_or_default()
        });
        let plain = Parsed::of(&markdown::plan(&plan)).plain();
        let hidden: Vec<_> = made.iter().filter(|text| !is_in(&plain, text)).collect();
        let programs = for_programs(&plan);
        let expected: Vec<_> = made.iter().filter(|text| programs.contains(text)).collect();
        assert_eq!(hidden, expected);
    }
}

/// Unchanged, or escaped as in JSON.
fn is_in(plain: &str, text: &str) -> bool {
    let json = serde_json::to_string(text).unwrap();
    plain.contains(&*printable(text)) || plain.contains(printable(&json).trim_matches('"'))
}

/// Texts that are not shown in full: of commits only the beginning, and fields for programs only.
fn for_programs(plan: &PlanDocument) -> Vec<&String> {
    let applied = plan.applied.iter().flat_map(|applied| &applied.commit);
    let commits = applied.chain(plan.base.iter().map(|base| &base.commit));
    let repository = plan.repository.iter().map(|repository| &repository.commit);
    let actions = plan.actions.iter().flat_map(|action| {
        let source = action.source.iter();
        let commits = source.flat_map(|source| {
            source.at.iter().chain(source.blame.as_ref().map(|blame| &blame.commit))
        });
        let entry = action.entry.iter().filter_map(|entry| entry.at.as_ref());
        let commits = commits.chain(entry);
        let is_named = action.scope.is_some() || action.client.is_some();
        let id = is_named.then_some(&action.id);
        commits.chain(&action.after).chain(&action.client_id).chain(id)
    });
    // A later day is declared now, not at an older commit.
    let later = plan.scheduled.iter().filter_map(|change| change.source.at.as_ref());
    let limits = plan.limits().map(|limit| &limit.target);
    let all = commits.chain(repository).chain([&plan.created]).chain(actions);
    all.chain(later).chain(limits).collect()
}

#[test]
fn one_of_each() {
    for hostile in HOSTILE {
        Parsed::of(&markdown::plan(&document::plan(40, &mut || hostile.to_owned())));
    }
}

/// A golden copy for inspection: the parser may have the same errors as the code.
#[test]
fn a_hostile_plan() {
    let mut next = HOSTILE.iter().cycle();
    let plan = document::plan(8, &mut || next.next().copied().unwrap_or_default().to_owned());
    let comment = markdown::plan(&plan);
    Parsed::of(&comment);
    insta::assert_snapshot!(comment);
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    let part = prop_oneof![
        4 => prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        2 => any::<String>(),
        2 => "[`|\\\\ @#!$<>\\[\\]&;:/*_~0-9a\n-]{0,8}",
    ];
    let text = prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat());
    prop::collection::vec(text, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_more_than_text(texts in texts(), count in 0_usize..40) {
        let mut next = texts.iter().cycle();
        let plan = document::plan(count, &mut || next.next().cloned().unwrap_or_default());
        let comment = markdown::plan(&plan);
        let plain = Parsed::of(&comment).plain();
        for text in [&plan.environment, &plan.organization, &plan.digest] {
            prop_assert!(comment.contains("Cut to fit") || plain.contains(&*printable(text)));
        }
    }
}

//! The engine by itself, on texts that declare nothing.

use super::{
    Behind, COMMENT, Editor, Hindrance, LAYOUT, NOT_THE_SAME, Route, RouteStep, UNREADABLE, edited,
};
use crate::printer::Yaml;

const LAST: Behind<'_> = Behind::AllBut("z");

fn root() -> Route {
    Route::top()
}

fn item(list: &str, index: usize) -> Route {
    let mut route = root().key(list);
    route.turns.push(RouteStep::Item(index));
    route
}

/// What comes of a text, of the same with line breaks of Windows, and of that with a byte order mark.
#[track_caller]
fn becomes(
    before: &str,
    after: Result<&str, Hindrance>,
    change: impl Fn(&mut Editor<'_>) -> Result<(), Hindrance>,
) {
    for (mark, ends) in [("", "\n"), ("", "\r\n"), ("\u{feff}", "\r\n")] {
        let form = |text: &str| format!("{mark}{}", text.replace('\n', ends));
        assert_eq!(edited(&form(before), &change), after.map(form), "{before}");
    }
}

#[test]
fn a_value_is_set_where_it_is_and_made_where_it_is_not() {
    let set = |path: &'static [&'static str]| {
        move |it: &mut Editor<'_>| it.set(&root(), LAST, path, &Yaml::text("no"))
    };
    becomes("a: b # c\n", Ok("a: \"no\" # c\n"), set(&["a"]));
    becomes("a:\n# b\nz: 1\n", Ok("a: \"no\"\n# b\nz: 1\n"), set(&["a"]));
    becomes("a: 1 # c\n# d\nz: 1", Ok("a: 1 # c\nb:\n  c: \"no\"\n# d\nz: 1"), set(&["b", "c"]));
    becomes("{ a: 1, z: 2 }\n", Ok("{ a: 1, b: \"no\", z: 2 }\n"), set(&["b"]));
    becomes("a:\n  # c\n  d: 1\n", Ok("a:\n  b: \"no\"\n  # c\n  d: 1\n"), set(&["a", "b"]));
    becomes("a: [b]\n", Err(LAYOUT), set(&["a"]));
    becomes("a: | # b\n  c\n", Err(COMMENT), set(&["a"]));
}

#[test]
fn items_are_added_to_whatever_is_there() {
    let append = |it: &mut Editor<'_>| it.append(&root(), LAST, "a", &Yaml::text("x"));
    becomes("a:\n- b # c\n  # d\n# e\n", Ok("a:\n- b # c\n  # d\n- x\n# e\n"), append);
    becomes("a: [ b, c ] # d\n", Ok("a: [ b, c, x ] # d\n"), append);
    becomes("a: 'b' # c\n", Ok("a: ['b', x] # c\n"), append);
    becomes("b: 1\n# c\nz: 1\n", Ok("b: 1\na:\n  - x\n# c\nz: 1\n"), append);
    becomes("a: b, c\n", Err(NOT_THE_SAME), append);
    becomes("a: [b # c\n  ]\n", Ok("a: [b, x # c\n  ]\n"), append);
    let insert = |it: &mut Editor<'_>| it.insert(&root(), LAST, "a", &[(1, Yaml::text("x"))]);
    becomes("a: [b, c]\n", Ok("a: [b, x, c]\n"), insert);
    becomes("a: [b # c\n  ]\n", Err(LAYOUT), insert);
}

#[test]
fn what_is_removed_takes_its_comments_and_no_others() {
    let remove = |route: Route| move |it: &mut Editor<'_>| it.remove(&route, "bound");
    let list = "a:\n  # of b\n  - b\n\n  # of c\n  - c # c\n    # more\n  # end\n";
    becomes(list, Ok("a:\n  # of c\n  - c # c\n    # more\n  # end\n"), remove(item("a", 0)));
    becomes(list, Ok("a:\n  # of b\n  - b\n\n  # end\n"), remove(item("a", 1)));
    becomes("a:\n  # bound\n  - b\n  - c\n", Ok("a:\n  - c\n"), remove(item("a", 0)));
    becomes("a:\n  # all\n  - b\n  - c\n", Ok("a:\n  # all\n  - c\n"), remove(item("a", 0)));
    becomes("a: [ b, c ]\n", Ok("a: [b]\n"), remove(item("a", 1)));
    becomes("a: [\n  b,\n  c # d\n  ]\n", Err(COMMENT), remove(item("a", 1)));
    becomes("a: [b]\nc: 1\n", Ok("c: 1\n"), remove(item("a", 0)));
    becomes("a: { b: { c: 1 } }\nd: 1\n", Ok("d: 1\n"), remove(root().key("a").key("b").key("c")));
}

#[test]
fn sections_go_on_where_they_end() {
    let extend = |it: &mut Editor<'_>| {
        let opening = it.opening("a").ok_or(LAYOUT)?;
        let lines = format!("{:by$}c: 1\n", "", by = opening.indent);
        let key = opening.new_key.map_or("", |_| "a:\n");
        let added = Yaml::Block(vec![("c".to_owned(), Yaml::Word("1".to_owned()))]);
        it.extend(opening, "a", &format!("{key}{lines}"), &added).map(drop)
    };
    becomes("a:\n    b: 1\n\n# d\ne: 1\n", Ok("a:\n    b: 1\n    c: 1\n\n# d\ne: 1\n"), extend);
    becomes("---\nb: 1\n---\na:\n b: 1", Ok("---\nb: 1\n---\na:\n b: 1\n c: 1\n"), extend);
    becomes("b: 1\n# c", Ok("b: 1\n# c\na:\n  c: 1\n"), extend);
    becomes("a: { b: 1 }\n", Err(LAYOUT), extend);
    becomes("a:\n  c: 2\n", Err(NOT_THE_SAME), extend);
}

#[test]
fn what_an_alias_stands_for_is_not_edited() {
    becomes("a: [\n", Err(UNREADABLE), |_| Ok(()));
    let set = |key: &'static str| {
        move |it: &mut Editor<'_>| it.set(&root(), LAST, &[key], &Yaml::text("x"))
    };
    let text = "a: &b 1\nc: *b\n";
    becomes(text, Err(super::ALIASES), set("a"));
    becomes(text, Ok("a: &b 1\nc: *b\nd: x\n"), set("d"));
    let below = |it: &mut Editor<'_>| it.set(&root(), LAST, &["c", "d"], &Yaml::text("e"));
    becomes("a: &b { x: y }\nc: *b\n", Err(super::ALIASES), below);
    let gone = |it: &mut Editor<'_>| it.remove(&root().key("a"), "x");
    becomes(text, Err(super::ALIASES), gone);
    becomes("a: &b 1\n# c\n", Ok("a: &b 1\n# c\n"), |_| Ok(()));
}

#[test]
fn a_key_goes_with_its_comments_and_headings_stay() {
    let remove = |key: &'static str| {
        move |it: &mut Editor<'_>| it.remove(&root().key("a").key(key), "bound:")
    };
    let only = "a:\n  # b\n  b: 1 # c\n    # d\n  c: 2\n";
    becomes(only, Ok("a:\n  c: 2\n"), remove("b"));
    let last = "a:\n  b: 1\n\n  # c\n  # d\n  c: 2\n# e\ne: 1\n";
    becomes(last, Ok("a:\n  b: 1\n\n# e\ne: 1\n"), remove("c"));
    let middle = "a:\n  b: 1\n  # c\n  c: 2\n  d: 3\n";
    becomes(middle, Ok("a:\n  b: 1\n  d: 3\n"), remove("c"));
    // A comment that a blank line parts from it is of nothing in particular.
    let apart = "a:\n  # b\n\n  b: 1\n  c: 2\n";
    becomes(apart, Ok("a:\n  # b\n\n  c: 2\n"), remove("b"));
    let sections = "a:\n  # one\n  b: 1\n  c: 2\n\n  # two\n  d: 3\n  e: 4\n";
    becomes(sections, Ok("a:\n  # one\n  c: 2\n\n  # two\n  d: 3\n  e: 4\n"), remove("b"));
    becomes(sections, Ok("a:\n  # one\n  b: 1\n  c: 2\n\n  # two\n  e: 4\n"), remove("d"));
    let bound = sections.replace("# two", "# bound: d");
    becomes(&bound, Ok("a:\n  # one\n  b: 1\n  c: 2\n\n  e: 4\n"), remove("d"));
    // What a file begins with is about the file.
    becomes("# file\na:\n  b: 1\nz: 1\n", Ok("# file\nz: 1\n"), remove("b"));
    becomes("z: 1\n# a\na:\n  b: 1\n", Ok("z: 1\n"), remove("b"));
}

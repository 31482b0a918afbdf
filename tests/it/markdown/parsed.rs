//! Comments as parsed by comrak, which GitLab uses, with every extension that text could trigger.

use comrak::nodes::{AstNode, NodeValue};
use comrak::options::{Extension, Parse};
use comrak::{Arena, Options, parse_document};
use portvakt::render::markdown;

/// Longest comment.
pub(crate) const LONGEST: usize = 60_000;

/// A comment that consists only of permitted elements.
pub(crate) struct Parsed {
    /// The text of each heading, paragraph and cell.
    pub(crate) texts: Vec<String>,
    /// Number of rows in all tables, without headings.
    pub(crate) rows: usize,
}

impl Parsed {
    /// Panics if the comment is not well-formed, whatever the plan.
    pub(crate) fn of(comment: &str) -> Self {
        bare(comment);
        let arena = Arena::new();
        let root = parse_document(&arena, comment, &options());
        let mut parsed = Self { texts: Vec::new(), rows: 0 };
        let mut open = 0;
        for block in root.children() {
            match &block.data.borrow().value {
                NodeValue::HtmlBlock(html) => open = element(&html.literal, open),
                NodeValue::Heading(_) | NodeValue::Paragraph => parsed.inlines(block),
                NodeValue::Table(_) => parsed.table(block),
                other => panic!("{other:?} in {comment}"),
            }
        }
        assert_eq!(open, 0, "an element is not closed: {comment}");
        parsed
    }

    /// All text.
    pub(crate) fn plain(&self) -> String {
        self.texts.join("\n")
    }

    fn table<'a>(&mut self, table: &'a AstNode<'a>) {
        let cells = |row: &'a AstNode<'a>| row.children().count();
        let columns = cells(table.first_child().unwrap());
        for row in table.children() {
            assert!(matches!(row.data.borrow().value, NodeValue::TableRow(_)));
            assert_eq!(cells(row), columns);
            for cell in row.children() {
                assert!(matches!(cell.data.borrow().value, NodeValue::TableCell));
                self.inlines(cell);
            }
        }
        self.rows += table.children().count() - 1;
    }

    fn inlines<'a>(&mut self, block: &'a AstNode<'a>) {
        let mut text = String::new();
        for node in block.descendants().skip(1) {
            match &node.data.borrow().value {
                NodeValue::Text(outside) => {
                    assert!(outside.chars().all(is_ours), "{outside}");
                    text.push_str(outside);
                }
                NodeValue::Code(code) => text.push_str(&code.literal),
                NodeValue::SoftBreak => text.push(' '),
                NodeValue::Strong => {}
                other => panic!("{other:?} in {text}"),
            }
        }
        self.texts.push(text.replace('\u{200B}', ""));
    }
}

/// Checks the comment for readers who do not parse it: each line begins with our own text, and there is
/// neither a mention nor a reference.
fn bare(comment: &str) {
    assert!(comment.chars().count() <= LONGEST);
    assert!(comment.ends_with('\n'));
    let ours =
        ["#", "|", "`", "**", "<details>", "<summary>", "</details>", "Digest ", "To apply "];
    let more = ["(empty)", "&#x", "No changes", "<!-- portvakt plan "];
    for line in comment.lines().filter(|line| !line.is_empty()) {
        assert!(ours.iter().chain(&more).any(|ours| line.starts_with(ours)), "{line}");
        assert!(!line.contains("##["), "{line}");
        let (steers, hides) = (char::is_control, ['\u{202E}', '\u{2066}', '\u{FEFF}', '\u{2028}']);
        assert!(!line.contains(steers) && !line.contains(hides), "{line}");
        let characters: Vec<char> = line.chars().collect();
        for pair in characters.windows(2) {
            let is_reference = match pair {
                ['@', next] => *next != '\u{200B}',
                ['#' | '!', next] => next.is_numeric(),
                _ => false,
            };
            assert!(!is_reference, "{line}");
        }
    }
}

/// Whether a character occurs in our own texts; a backtick and a pipe from outside may be alone.
fn is_ours(character: char) -> bool {
    character.is_ascii_alphanumeric() || " .,:;()…-`|".contains(character)
}

/// Number of open elements after this one, of those that we use.
fn element(html: &str, open: usize) -> usize {
    let html = html.trim_end();
    let summary = html.strip_prefix("<details>\n<summary>");
    match summary.and_then(|rest| rest.strip_suffix("</summary>")) {
        Some(summary) => {
            assert!(summary.chars().all(is_ours), "{summary}");
            assert_eq!(open, 0);
            1
        }
        None if html == "</details>" => open - 1,
        None => {
            let name = html.strip_prefix("<!-- portvakt plan ").unwrap();
            let name = name.strip_suffix(" -->").unwrap();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.%~".contains(c);
            assert!(name.chars().all(plain) && !name.contains("--"), "{name}");
            open
        }
    }
}

#[test]
fn a_marker_is_one_comment() {
    for name in ["test", "", "-", "--> <b>", "a\n<!--", "æ--!>"] {
        element(&markdown::marker(None, name), 0);
    }
}

fn options<'a>() -> Options<'a> {
    Options {
        extension: Extension {
            strikethrough: true,
            table: true,
            autolink: true,
            tasklist: true,
            superscript: true,
            footnotes: true,
            inline_footnotes: true,
            description_lists: true,
            multiline_block_quotes: true,
            alerts: true,
            math_dollars: true,
            math_latex: true,
            math_code: true,
            shortcodes: true,
            wikilinks_title_after_pipe: true,
            underline: true,
            subscript: true,
            spoiler: true,
            highlight: true,
            insert: true,
            cjk_friendly_emphasis: true,
            ..Extension::default()
        },
        parse: Parse { relaxed_autolinks: true, ..Parse::default() },
        ..Options::default()
    }
}

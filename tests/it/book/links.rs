//! Links and headings of a page, as GitHub and mdBook read them.

use std::path::{Component, Path, PathBuf};

use comrak::nodes::NodeValue;
use comrak::{Anchorizer, Arena, Options, parse_document};

use super::text;
use crate::readme::ROOT;

/// The parts of a page that links are about.
pub(crate) struct Page {
    /// The addresses of its links and images.
    pub(crate) targets: Vec<String>,
    /// The anchors of its headings.
    anchors: Vec<String>,
    /// Headings whose anchors differ between GitHub and mdBook.
    ambiguous: Vec<String>,
}

impl Page {
    pub(crate) fn read(page: &Path) -> Self {
        let text = text(page);
        let arena = Arena::new();
        let mut options = Options::default();
        options.extension.table = true;
        let root = parse_document(&arena, &text, &options);
        let mut read = Self { targets: Vec::new(), anchors: Vec::new(), ambiguous: Vec::new() };
        let mut anchorizer = Anchorizer::new();
        for node in root.descendants() {
            match &node.data.borrow().value {
                NodeValue::Link(link) | NodeValue::Image(link) => {
                    read.targets.push(link.url.clone());
                }
                NodeValue::Heading(_) => {
                    let heading = plain(node);
                    let anchor = anchorizer.anchorize(&heading);
                    if of_mdbook(&heading) != anchor {
                        read.ambiguous.push(heading);
                    }
                    read.anchors.push(anchor);
                }
                _ => {}
            }
        }
        read
    }
}

/// The text of a heading.
fn plain<'a>(heading: &'a comrak::nodes::AstNode<'a>) -> String {
    let mut text = String::new();
    for node in heading.descendants() {
        match &node.data.borrow().value {
            NodeValue::Text(part) => text.push_str(part),
            NodeValue::Code(code) => text.push_str(&code.literal),
            _ => {}
        }
    }
    text
}

/// The anchor that mdBook gives a heading (`normalize_id` of its `utils`).
fn of_mdbook(heading: &str) -> String {
    let kept = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c.to_ascii_lowercase()),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    };
    heading.chars().filter_map(kept).collect()
}

/// What is wrong with the links and headings of a page.
pub(crate) fn broken(page: &Path) -> Vec<String> {
    let Page { targets, anchors, ambiguous } = Page::read(page);
    let mut broken: Vec<_> = ambiguous
        .iter()
        .map(|heading| {
            format!("'{heading}' has another anchor on GitHub than in mdBook, or is there twice")
        })
        .collect();
    let local =
        targets.iter().filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    for target in local {
        let (path, anchor) = match target.split_once('#') {
            Some((path, anchor)) => (path, Some(anchor)),
            None => (target.as_str(), None),
        };
        let other = match path {
            "" => page.to_owned(),
            path => joined(page, path),
        };
        if page.starts_with("docs") && !other.starts_with("docs") {
            broken.push(format!("{target} leads out of the book: name the file without a link"));
        } else if !Path::new(ROOT).join(&other).exists() {
            broken.push(format!("{target} does not exist"));
        } else if let Some(anchor) = anchor {
            let is_there = match path {
                "" => anchors.iter().any(|other| other == anchor),
                _ => Page::read(&other).anchors.iter().any(|other| other == anchor),
            };
            if !is_there {
                broken.push(format!("{target} names no heading"));
            }
        }
    }
    broken.into_iter().map(|message| format!("{}: {message}", page.display())).collect()
}

/// The path of a link, relative to the repository.
fn joined(page: &Path, link: &str) -> PathBuf {
    let mut path = page.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            part => path.push(part),
        }
    }
    path
}

//! The book: its summary, its links, and the page that is made from the schemas.

mod links;
mod yaml;

use std::path::{Path, PathBuf};

use crate::readme::ROOT;

/// Longest README, in lines.
const README_LINES: usize = 150;

/// The pages of the book, relative to the repository, without the summary.
pub(crate) fn pages() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(Path::new(ROOT).join("docs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = names.filter(|name| name.ends_with(".md") && name != "SUMMARY.md");
    let mut pages: Vec<_> = pages.map(|name| Path::new("docs").join(name)).collect();
    pages.sort();
    pages
}

pub(crate) fn text(page: &Path) -> String {
    let path = Path::new(ROOT).join(page);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_summary_has_each_page_once() {
    let listed = links::Page::read(Path::new("docs/SUMMARY.md")).targets;
    let mut listed: Vec<_> = listed.iter().map(|target| Path::new("docs").join(target)).collect();
    listed.sort();
    assert_eq!(listed, pages());
}

#[test]
fn links_lead_to_pages_and_headings_that_exist() {
    let outside =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs/SUMMARY.md"];
    let all = outside.into_iter().map(PathBuf::from).chain(pages());
    let broken: Vec<_> = all.flat_map(|page| links::broken(&page)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_readme_is_short() {
    assert!(text(Path::new("README.md")).lines().count() <= README_LINES);
}

/// `sed -i` without a suffix means something else on macOS.
#[test]
fn the_commands_of_the_pages_run_on_macos_too() {
    for page in pages() {
        let text = text(&page);
        let line = text.lines().find(|line| line.starts_with("$ ") && line.contains("sed -i "));
        assert_eq!(line, None, "{}", page.display());
    }
}

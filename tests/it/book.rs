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

/// The names of tests in the page on security: a module, `*` for all of it, or a function; `…` abbreviates.
#[test]
fn the_tests_that_prove_a_defence_exist() {
    let sources = sources(Path::new(ROOT));
    let page = text(Path::new("docs/security.md"));
    let names =
        page.split('`').filter(|span| span.contains("::") && !span.contains(char::is_whitespace));
    let mut found = 0;
    for name in names.filter(|name| !name.ends_with("::")) {
        let parts: Vec<_> = name.split("::").collect();
        let (module, test) = (parts[parts.len() - 2], parts[parts.len() - 1]);
        let wanted = match (test, test.strip_suffix('…')) {
            ("*", _) => format!("mod {module}"),
            (_, Some(beginning)) => format!("fn {beginning}"),
            (test, None) => format!("fn {test}("),
        };
        assert!(sources.contains(&wanted), "{name}");
        found += 1;
    }
    assert!(found > 50, "{found}");
}

/// All code of the workspace.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
            all.push_str(&sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    all
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

//! Reads, checks, resolves, shows and fixes arbitrary bytes. The part before a line `...portvakt` is a
//! portvakt.yaml, the rest a file with declarations; without that line, everything is a file with
//! declarations beside a valid portvakt.yaml.

#![no_main]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use domain::text::{for_annotations, for_log, printable};
use jiff::civil::Date;
use libfuzzer_sys::fuzz_target;
use portvakt::declare::{self, Diagnostic, Index, SETTINGS_FILE};
use portvakt::render::diagnostics::{Sources, github, json, sarif, text};
use tempfile::TempDir;

const BETWEEN: &[u8] = b"\n...portvakt\n";
const GOOD: &[u8] = include_bytes!("../../src/declare/tests/fuzzed.yaml");
const FILE: &str = "teams/arbeid/a.yaml";
const TODAY: Date = jiff::civil::date(2026, 11, 23);

/// The files of the input, for code that reads them again.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.unwrap();
    fs::create_dir_all(folder.path().join(FILE).parent().unwrap()).unwrap();
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let between = bytes.windows(BETWEEN.len()).position(|part| part == BETWEEN);
    let (settings, declarations) = match between {
        Some(at) => (&bytes[..at], &bytes[at + BETWEEN.len()..]),
        None => (GOOD, bytes),
    };
    let found = read(settings, declarations);
    check_places(&found, settings, declarations);
    show(&found);
    // SARIF has the texts of all rules, which takes longer than everything else.
    if bytes.len() % 16 == 0 {
        show_sarif(&found);
    }
    let root = FOLDER.path();
    fs::write(root.join(SETTINGS_FILE), settings).unwrap();
    fs::write(root.join(FILE), declarations).unwrap();
    show_with_lines(&found, root);
    if found.iter().any(|found| found.fix.is_some()) {
        apply_fixes(&found, root);
    }
});

fn read(settings: &[u8], declarations: &[u8]) -> Vec<Diagnostic> {
    let files = vec![(Arc::from(FILE), declarations.to_vec())];
    let repository = match declare::read(FOLDER.path(), settings, files, &|_| None) {
        Ok(repository) => repository,
        Err(found) => {
            assert!(found.iter().any(Diagnostic::is_error), "nothing is read, and nothing said");
            return found;
        }
    };
    let found = repository.check(TODAY);
    for name in repository.settings().environments.keys().take(4) {
        let desired = repository.desired(name, TODAY);
        let wrong = found.iter().any(Diagnostic::is_error);
        assert!(wrong || desired.is_ok(), "{name} has an error that no check tells");
    }
    found
}

fn check_places(found: &[Diagnostic], settings: &[u8], declarations: &[u8]) {
    let lines = |bytes: &[u8]| bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
    let lines = HashMap::from([(SETTINGS_FILE, lines(settings)), (FILE, lines(declarations))]);
    for found in found {
        let Diagnostic { line, column, end_line, end_column, related, .. } = found;
        let start = (*line, *column);
        let starts = related.iter().map(|related| (&related.file, (related.line, related.column)));
        for (file, (line, column)) in starts.chain([(&found.file, start)]) {
            assert!(line >= 1 && column >= 1, "{found:?}");
            assert!(line <= lines[&**file] + 1, "{found:?}");
        }
        assert!(start <= (*end_line, *end_column), "{found:?}");
        assert!(*end_line <= lines[&*found.file] + 1, "{found:?}");
    }
}

fn show(found: &[Diagnostic]) {
    let shown = json(found);
    assert_eq!(for_log(&shown), shown, "the escaping left a command");
    let shown = serde_json::from_str::<serde_json::Value>(&shown).unwrap();
    assert_eq!(shown, serde_json::to_value(found).unwrap());
    let shown = github(found, "a/");
    assert_eq!(for_annotations(&shown), shown, "the escaping left a command");
    assert_eq!(shown.lines().filter(|line| line.starts_with("::")).count(), found.len());
    assert_eq!(shown.lines().count(), found.len());
}

fn show_sarif(found: &[Diagnostic]) {
    let shown = sarif(found, "a/");
    assert_eq!(for_log(&shown), shown, "the escaping left a command");
    let shown = serde_json::from_str::<serde_json::Value>(&shown).unwrap();
    assert_eq!(shown["runs"][0]["results"].as_array().unwrap().len(), found.len());
}

fn show_with_lines(found: &[Diagnostic], root: &Path) {
    let shown = text(found, &mut Sources::new(root));
    assert_eq!(for_log(&shown), shown, "the escaping left a command");
    for line in anstream::adapter::strip_str(&shown).to_string().lines() {
        assert_eq!(printable(line), line);
    }
}

/// Checks that a fixed file needs no further fix.
fn apply_fixes(found: &[Diagnostic], root: &Path) {
    let fixed = declare::apply_fixes(root, &Index::default(), found);
    if fixed.is_empty() {
        return;
    }
    for file in &fixed {
        fs::write(root.join(&*file.file), &file.after).unwrap();
    }
    let settings = fs::read(root.join(SETTINGS_FILE)).unwrap();
    let again = read(&settings, &fs::read(root.join(FILE)).unwrap());
    // With other settings, more can be fixed in the declarations.
    let new_settings = fixed.iter().any(|file| *file.file == *SETTINGS_FILE);
    let again = declare::apply_fixes(root, &Index::default(), &again).into_iter();
    let again: Vec<_> =
        again.filter(|file| *file.file == *SETTINGS_FILE || !new_settings).collect();
    assert!(again.is_empty(), "{fixed:?} {again:?}");
}

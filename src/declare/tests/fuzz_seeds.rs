//! What fuzzing begins with; see `fuzz/Cargo.toml`.

use std::fs;
use std::path::Path;

use crate::declare::Rule;

const EXAMPLE: [&str; 3] = [
    include_str!("../../../examples/etat/consumers.yaml"),
    include_str!("../../../examples/etat/teams/arbeid/aareg.yaml"),
    include_str!("../../../examples/etat/teams/helse/sykmelding.yaml"),
];
const EXAMPLE_SETTINGS: &str = include_str!("../../../examples/etat/portvakt.yaml");
const GOOD: &str = include_str!("fuzzed.yaml");

/// `FUZZ_SEEDS=fuzz/corpus cargo test fuzz_seeds` writes them.
#[test]
fn the_settings_that_are_fuzzed_with_are_good() {
    let (_, found) = crate::declare::read::settings::settings(GOOD.as_bytes());
    assert!(found.is_empty(), "{found:?}");
    if let Some(corpus) = std::env::var_os("FUZZ_SEEDS") {
        write(Path::new(&corpus));
    }
}

fn write(corpus: &Path) {
    let examples = Rule::ALL.iter().flat_map(|rule| [rule.wrong(), rule.right()]);
    let declarations = examples.clone().filter_map(|example| example.declarations());
    let declarations = EXAMPLE.into_iter().chain(declarations).map(str::to_owned);
    let pair = |settings: &str, declared: &str| format!("{settings}\n...portvakt\n{declared}");
    let settings = examples
        .map(|example| pair(&example.settings(), example.declarations().unwrap_or_default()));
    let whole = [pair(EXAMPLE_SETTINGS, &EXAMPLE.join("---\n")), pair(GOOD, EXAMPLE[1])];
    write_all(&corpus.join("declarations"), declarations);
    write_all(&corpus.join("settings"), settings.chain(whole));
}

fn write_all(folder: &Path, seeds: impl Iterator<Item = String>) {
    fs::create_dir_all(folder).unwrap();
    for (index, seed) in seeds.enumerate() {
        fs::write(folder.join(format!("seed-{index:03}")), seed).unwrap();
    }
}

//! No input makes the reader panic or take long.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::here::Here;
use super::super::settings::{Settings, settings};
use super::super::{advice, check, reading, resolve};
use super::{SETTINGS, TODAY};

fn known_settings() -> Settings {
    settings(SETTINGS.as_bytes()).0.unwrap()
}

/// Takes any bytes all the way.
fn read(bytes: &[u8]) {
    let settings = known_settings();
    let declared = reading::declarations(Arc::from("a.yaml"), bytes, &settings);
    let found = check::check(&declared, &settings.teams);
    for diagnostic in declared.diagnostics.iter().chain(&found) {
        assert!(diagnostic.line >= 1 && diagnostic.column >= 1, "{diagnostic}");
        assert!(
            (diagnostic.line, diagnostic.column) <= (diagnostic.end_line, diagnostic.end_column),
            "{diagnostic:?}"
        );
    }
    if let Some(set) = settings.environment_names.set("prod") {
        let here = Here::new("prod", set, &settings, &declared);
        advice::find(&here, TODAY);
        resolve::desired(&here, settings.organization.unwrap());
    }
    super::super::settings::settings(bytes);
}

const YAML: &str = include_str!("../../../examples/etat/teams/arbeid/aareg.yaml");
const CONSUMERS: &str = include_str!("../../../examples/etat/consumers.yaml");

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
    }

    #[test]
    fn any_text_of_yaml_characters(text in r#"[-\[\]{}:,&*!|>'"%@#?a-b0-1 \n\t\u{feff}æ]{0,60}"#) {
        read(text.as_bytes());
    }

    #[test]
    fn changed_yaml(
        file in prop_oneof![Just(YAML), Just(CONSUMERS), Just(SETTINGS)],
        from in 0_usize..2000,
        length in 0_usize..30,
        insert in r#"([-\[\]{}:,&*!|>'"%@#?~ \n\t]|null|true|-1|1e9|\.nan|<<|&a|\*a|!!int|---){0,3}"#,
    ) {
        let mut bytes = file.as_bytes().to_vec();
        let from = from.min(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.splice(from..to, insert.bytes());
        read(&bytes);
    }
}

#[test]
fn a_megabyte_made_to_be_slow_comes_to_an_end() {
    let fill = |part: &str| part.repeat((1 << 20) / part.len());
    let alias_bomb = format!("a: &a [{}]\nb: [{}]", "1,".repeat(100_000), "*a,".repeat(100_000));
    let layers: String =
        (1..40).map(|n| format!("a{n}: &a{n} [*a{m}, *a{m}, *a{m}]\n", m = n - 1)).collect();
    let keys: String = (0..100_000).map(|n| format!("k{n}: 1\n")).collect();
    let entries: String = (0..50_000).map(|n| format!("  - x{n}\n")).collect();
    let inputs = [
        fill("["),
        fill("{"),
        fill("- "),
        fill("? "),
        fill("[\n"),
        fill("a: {"),
        fill("&a "),
        fill("*a "),
        fill("!"),
        fill("%TAG ! a\n"),
        fill("---\n"),
        fill("\""),
        fill("'a\n"),
        fill("a:\n"),
        fill("\t"),
        fill("#"),
        fill("a b "),
        fill("[a]: "),
        format!("scopes: [{}]", "{},".repeat(100_000)),
        format!("scopes: [{}]", "1,".repeat(300_000)),
        format!("scopes:\n- name: etat:a\n  description: d\n  consumers:\n{entries}"),
        format!("scopes:\n- name: etat:a\n  at_max_age: x\n  consumers:\n{entries}"),
        format!("a0: &a0 [1]\n{layers}"),
        alias_bomb,
        keys.clone(),
        format!("{keys}{keys}"),
    ];
    for input in inputs {
        // A quadratic reader would not come back within a person's patience.
        read(input.as_bytes());
    }
}

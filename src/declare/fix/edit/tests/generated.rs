//! Edits of generated files: each can be made, and every line and comment of other items is kept.

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::SETTINGS;
use crate::declare::load;
use domain::Entity;

/// A scope's item as text, each line of which names its owner. It has both environments or one.
fn item(number: usize) -> impl Strategy<Value = String> {
    let own = any::<[bool; 8]>();
    own.prop_map(move |[braces, above, behind, block, below, one, differs, list]| {
        let name = format!("etat:s{number}");
        let environments = if one { Some("environments: [prod]") } else { None };
        let differs = differs.then_some("per_environment: { prod: { at_max_age: 9 } }");
        if braces {
            let more: String =
                [environments, differs].into_iter().flatten().map(|it| format!(", {it}")).collect();
            let behind = if behind { format!(" # bak s{number}") } else { String::new() };
            return format!("- {{ name: {name}, description: \"D, {number}\"{more} }}{behind}\n");
        }
        let mut lines = String::new();
        if above {
            lines.push_str(&format!("# over s{number}\n"));
        }
        lines.push_str(&format!("- name: {name}{}\n", if behind { " # æøå" } else { "" }));
        match block {
            true => lines.push_str(&format!("  description: |\n    D\n\n    {number}\n")),
            false => lines.push_str(&format!("  description: D {number} # s{number}\n")),
        }
        for more in [environments, differs].into_iter().flatten() {
            lines.push_str(&format!("  {more}\n"));
        }
        if list {
            lines.push_str("  consumers:\n  - \"974761076\" # skatt\n");
        }
        if below {
            lines.push_str(&format!("  # i s{number}\n"));
        }
        lines
    })
}

fn indented(text: &str, by: usize) -> String {
    let indent = " ".repeat(by);
    let line = |line: &str| match line.trim().is_empty() {
        true => "\n".to_owned(),
        false => format!("{indent}{line}\n"),
    };
    text.lines().map(line).collect()
}

proptest! {
    #[test]
    fn what_is_not_handed_over_stays_line_by_line(
        items in (1..5_usize).prop_flat_map(|many| (0..many).map(item).collect::<Vec<_>>()),
        chosen in any::<prop::sample::Index>(),
        indent in 0..3_usize,
        windows in any::<bool>(),
        (before, after) in any::<(bool, bool)>(),
    ) {
        let chosen = chosen.index(items.len());
        let text = |items: &[String]| {
            let mut text = if before { "# topp\nclients: []\n---\n# to\n" } else { "" }.to_owned();
            text.push_str("scopes: # alle\n");
            text.extend(items.iter().map(|item| indented(item, indent)));
            text.push_str(if after { "# slutt\nclients: []\n# helt\n" } else { "" });
            if windows { text.replace('\n', "\r\n") } else { text }
        };
        let yaml = text(&items);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("portvakt.yaml"), SETTINGS).unwrap();
        fs::write(folder.path().join("a.yaml"), &yaml).unwrap();
        let repository = load(folder.path()).unwrap();
        let entity = Entity::Scope(format!("etat:s{chosen}").parse().unwrap());

        let described = repository.described("prod", &entity, "c:n:a.s", None).unwrap().after;
        let released = repository.released("prod", &entity, "r", None).unwrap().after;
        for (edited, is_released) in [(described, false), (released, true)] {
            prop_assert_eq!(edited.contains("\r\n"), windows);
            let after: Vec<&str> = edited.lines().collect();
            // All other lines are kept, in order, and the comments of the chosen item as well if it stays.
            let mut rest = after.iter();
            for (number, item) in items.iter().enumerate() {
                let shown = indented(item, indent);
                let is_chosen = number == chosen;
                let stays = is_chosen && (!is_released || !item.contains("environments: [prod]"));
                let kept = shown.lines().filter(|line| match is_chosen {
                    true => stays && line.trim_start().starts_with('#'),
                    false => true,
                });
                for line in kept {
                    prop_assert!(rest.any(|other| other == &line), "{} in\n{}", line, edited);
                }
            }
            let gone = is_released && items[chosen].contains("environments: [prod]");
            prop_assert_eq!(edited.contains(&format!("etat:s{chosen}, action: release")), is_released);
            prop_assert_eq!(edited.contains(&format!("name: etat:s{chosen}")), !gone);
            for comment in [before.then_some("# topp"), after_comment(yaml.contains("# slutt"))] {
                prop_assert!(comment.is_none_or(|comment| edited.contains(comment)), "{}", edited);
            }
        }
    }
}

fn after_comment(is_there: bool) -> Option<&'static str> {
    is_there.then_some("# helt")
}

//! The commands of the README and of the pages, run in order in a copy of an example, print the output that
//! is shown there.

use std::path::Path;
use std::process::Command;

use sandbox::State;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A command of a `console` block, and the lines shown below it.
struct Shown<'a> {
    command: String,
    output: Vec<&'a str>,
}

impl Shown<'_> {
    /// Whether the command continues, up to a line `END`.
    fn is_open(&self) -> bool {
        self.command.contains("<<'END'") && !self.command.ends_with("\nEND")
    }
}

fn shown(readme: &str) -> Vec<Shown<'_>> {
    let mut all: Vec<Shown<'_>> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match (line.strip_prefix("$ "), all.last_mut()) {
                (None, Some(last)) if last.is_open() => {
                    last.command.push('\n');
                    last.command.push_str(line);
                }
                (Some(command), _) => {
                    all.push(Shown { command: command.to_owned(), output: Vec::new() });
                }
                (None, Some(last)) => last.output.push(line),
                (None, None) => panic!("output without a command: {line}"),
            }
        }
    }
    all
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == ".portvakt" => {}
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn its_commands_print_what_it_says() {
    plays("README.md", Some("examples/etat"));
}

#[test]
fn the_page_on_security_shows_what_counts_as_applied() {
    plays("docs/security.md", Some("examples/etat"));
}

#[test]
fn the_other_side_is_probed_as_the_page_says() {
    plays("docs/other-side.md", Some("examples/etat"));
}

#[test]
fn what_the_page_on_access_asks_is_answered() {
    plays("docs/access.md", Some("examples/grown"));
}

#[test]
fn folders_are_moved_and_environments_renamed_as_the_page_says() {
    plays("docs/places.md", None);
}

#[test]
fn an_organisation_is_adopted_as_the_page_says() {
    let folder = plays("docs/adopting.md", Some("examples/grown"));
    let state = |path: &Path| State::load(path).unwrap().unwrap();
    let before = state(&Path::new(ROOT).join("examples/grown/sandbox.json"));
    let after = state(&folder.path().join(".portvakt/sandbox.json"));
    assert_eq!(after.accesses, before.accesses, "somebody has other access");
    let handed_over = [
        "etat:arbeid/kodeverk/admin",
        "etat:arbeid/kodeverk/write",
        "etat:arbeid/krav/admin",
        "etat:arbeid/tiltak/read",
    ];
    assert_eq!(after.scopes.len(), before.scopes.len());
    for (name, scope) in &before.scopes {
        let now = &after.scopes[name];
        assert_eq!(now.active, scope.active, "{name}");
        if !handed_over.contains(&name.as_str()) {
            assert_eq!(now.fields, scope.fields, "{name}");
            continue;
        }
        let description = format!("prodgcp:arbeid:kodeverkapi.{}", name.subscope());
        let mut expected = scope.fields.clone();
        expected.insert("description".to_owned(), description.into());
        // The representation that is written back is complete.
        expected.retain(|_, value| !value.is_null());
        let said = expected.iter().filter(|(field, value)| now.fields.get(*field) != Some(*value));
        assert_eq!(said.collect::<Vec<_>>(), [], "{name}");
    }
    for (id, client) in &before.clients {
        let now = &after.clients[id];
        let is_handed = client.fields["client_name"] == "script-016";
        assert_eq!((now.active, &now.keys), (client.active, &client.keys), "{id}");
        let description = match is_handed {
            true => Some(&Value::from("prod-gcp:arbeid:kodeverk-api")),
            false => client.fields.get("description"),
        };
        assert_eq!(now.fields.get("description"), description, "{id}");
    }
}

/// Runs the commands of a page in a copy of a folder, or in an empty one, and returns the folder.
fn plays(page: &str, example: Option<&str>) -> TempDir {
    let page_text = std::fs::read_to_string(format!("{ROOT}/{page}")).unwrap();
    let folder = TempDir::new().unwrap();
    if let Some(example) = example {
        copy(&Path::new(ROOT).join(example), folder.path());
    }
    let program = assert_cmd::cargo::cargo_bin!("portvakt").parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let all = shown(&page_text);
    assert!(all.len() > 5, "{page} shows no commands");
    for Shown { command, output } in all {
        let ran = Command::new("bash")
            .args(["-c", &command])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env_remove("PORTVAKT_ENV")
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .envs([("GIT_AUTHOR_NAME", "Kari"), ("GIT_AUTHOR_EMAIL", "kari@etat.example")])
            .envs([("GIT_COMMITTER_NAME", "Kari"), ("GIT_COMMITTER_EMAIL", "kari@etat.example")])
            .output()
            .unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        let printed: Vec<_> = stdout.lines().chain(stderr.lines()).map(str::trim_end).collect();
        assert!(
            is_shown(&output, &printed),
            "$ {command}\nprints\n{}\nnot\n{}",
            printed.join("\n"),
            output.join("\n")
        );
    }
    folder
}

/// Whether the shown lines match the printed ones; a shown `…` matches any number of lines.
fn is_shown(shown: &[&str], printed: &[&str]) -> bool {
    match (shown, printed) {
        ([], []) => true,
        (["…", rest @ ..], _) => (0..=printed.len()).any(|skip| is_shown(rest, &printed[skip..])),
        ([line, shown @ ..], [other, printed @ ..]) => {
            is_line(line.trim_end(), other) && is_shown(shown, printed)
        }
        ([], _) | (_, []) => false,
    }
}

/// Whether a shown line matches a printed one; `…` at its end matches any rest.
fn is_line(shown: &str, printed: &str) -> bool {
    match shown.strip_suffix('…') {
        Some(beginning) => printed.starts_with(beginning),
        None => shown == printed,
    }
}

#[test]
fn its_two_commands_are_what_ci_runs() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let ci = std::fs::read_to_string(format!("{ROOT}/.ci/run")).unwrap();
    for command in [
        "cargo run --release --locked -- -C examples/etat -e sandbox apply --auto-approve",
        "cargo test --locked",
    ] {
        assert!(readme.contains(&format!("\n{command}\n")), "{command}");
        assert!(ci.contains(&format!("\n{command}\n")), "{command}");
    }
}

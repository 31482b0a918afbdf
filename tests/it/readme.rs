//! The commands of the book's pages, run in order in a copy of an example, print the output that is shown there.

use std::path::Path;
use std::process::Command;

use sandbox::State;
use serde_json::Value;
use tempfile::TempDir;

use crate::world::program;

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
fn the_quick_start_begins_with_nothing() {
    plays("docs/start.md", None);
}

/// The story begins in portvakt's own folder, where the README's first command has been tried.
#[test]
fn the_story_begins_anew_and_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let sources = folder.path().join("portvakt");
    copy(&Path::new(ROOT).join("examples/etat"), &sources.join("examples/etat"));
    let tried = ["-C", "examples/etat", "-e", "sandbox", "apply", "--auto-approve"];
    assert!(program().args(tried).current_dir(&sources).output().unwrap().status.success());
    run("docs/story.md", &sources);
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(folder.path()), ["etat", "portvakt"]);
    assert_eq!(names(&sources), ["examples"]);
    let mut git = Command::new("git");
    let status =
        git.args(["status", "--porcelain", "--ignored"]).current_dir(folder.path().join("etat"));
    assert_eq!(String::from_utf8_lossy(&status.output().unwrap().stdout), "!! .portvakt/\n");
}

#[test]
fn a_client_and_its_keys_are_handled_as_the_page_says() {
    plays("docs/keys.md", Some("examples/etat"));
}

#[test]
fn what_goes_wrong_is_put_right_as_the_page_says() {
    plays("docs/operations.md", Some("examples/etat"));
}

#[test]
fn a_reactivation_is_planned_as_the_page_says() {
    plays("docs/plan.md", Some("examples/etat"));
}

#[test]
fn what_git_has_after_an_apply_is_what_the_page_says() {
    plays("docs/git.md", Some("examples/etat"));
}

#[test]
fn schemas_are_written_for_editors_as_the_page_says() {
    plays("docs/rules.md", Some("examples/etat"));
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
fn a_policy_of_a_gateway_is_rendered_as_the_page_says() {
    plays("docs/gateways.md", Some("examples/etat"));
}

#[test]
fn a_provider_and_a_consumer_share_data_in_clouds_as_the_page_says() {
    plays("docs/skyporten.md", Some("examples/etat"));
}

#[test]
fn the_recipes_are_played() {
    plays("docs/recipes.md", Some("examples/etat"));
}

#[test]
fn folders_are_moved_and_environments_renamed_as_the_page_says() {
    plays("docs/places.md", None);
}

#[test]
fn a_folder_of_manifests_comes_to_its_first_plan_as_the_page_says() {
    plays("docs/nais.md", Some("tests/layouts"));
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
    let folder = TempDir::new().unwrap();
    if let Some(example) = example {
        copy(&Path::new(ROOT).join(example), folder.path());
    }
    run(page, folder.path());
    folder
}

/// Runs the commands of a page one after the other; each begins in the folder in which the one before ended.
fn run(page: &str, folder: &Path) {
    let page_text = std::fs::read_to_string(format!("{ROOT}/{page}")).unwrap();
    let all = shown(&page_text);
    assert!(all.len() > 2, "{page} shows no commands");
    let ended_in = tempfile::NamedTempFile::new().unwrap();
    let mut folder = folder.to_owned();
    for Shown { command, output } in all {
        let script = format!("trap 'pwd > \"$ENDED_IN\"' EXIT\n{command}");
        let ran = bash(&script, &folder).env("ENDED_IN", ended_in.path()).output().unwrap();
        let (stdout, stderr) =
            (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        let printed: Vec<_> = stdout.lines().chain(stderr.lines()).map(str::trim_end).collect();
        assert!(
            is_shown(&output, &printed),
            "{page}: $ {command}\nprints\n{}\nnot\n{}",
            printed.join("\n"),
            output.join("\n")
        );
        folder = std::fs::read_to_string(ended_in.path()).unwrap().trim_end().into();
    }
}

/// A script in a folder, with the program on its path and a person for git.
fn bash(script: &str, folder: &Path) -> Command {
    let program = assert_cmd::cargo::cargo_bin!("portvakt").parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command
        .args(["-c", script])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("PORTVAKT_ENV")
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .envs([("GIT_AUTHOR_NAME", "Kari"), ("GIT_AUTHOR_EMAIL", "kari@etat.example")])
        .envs([("GIT_COMMITTER_NAME", "Kari"), ("GIT_COMMITTER_EMAIL", "kari@etat.example")]);
    command
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

/// A page with commands that no test runs would be out of date before long.
#[test]
fn every_page_with_commands_is_run() {
    let tests = include_str!("readme.rs");
    for page in crate::book::pages() {
        let is_run = tests.contains(&format!("(\"{}\", ", page.display()));
        let has_commands = crate::book::text(&page).contains("```console\n");
        assert_eq!(is_run, has_commands, "{}", page.display());
    }
}

/// The first block after the heading, without a person who approves.
#[test]
fn the_quick_start_of_the_readme_works() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Quick start\n").unwrap();
    let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(block.contains("portvakt -e sandbox apply "), "{block}");
    let approved = block.replace("sandbox apply ", "sandbox apply --auto-approve ");
    let folder = TempDir::new().unwrap();
    let ran = bash(&format!("set -e\n{approved}"), folder.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// Its first command, by the program that is tested.
#[test]
fn the_first_command_of_the_readme_works() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let command = readme.lines().find_map(|line| line.strip_prefix("cargo run --locked -- "));
    let folder = TempDir::new().unwrap();
    let example = folder.path().join("examples/etat");
    copy(&Path::new(ROOT).join("examples/etat"), &example);
    let ran = bash(&format!("portvakt {}", command.unwrap()), folder.path()).output().unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(printed.contains("18 of 18 done"), "{printed}");
}

#[test]
fn its_test_command_is_what_ci_runs() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let ci = std::fs::read_to_string(format!("{ROOT}/.ci/run")).unwrap();
    assert!(ci.contains("\ncargo test --locked ||"));
    assert!(readme.contains("\ncargo test --locked\n"));
}

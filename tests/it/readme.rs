//! The README's commands, run in order in a copy of the example repository, print what the README
//! says they print.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A command of a `console` block, and the lines that the README shows below it.
struct Shown<'a> {
    command: &'a str,
    output: Vec<&'a str>,
}

fn shown(readme: &str) -> Vec<Shown<'_>> {
    let mut all: Vec<Shown<'_>> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match (line.strip_prefix("$ "), all.last_mut()) {
                (Some(command), _) => all.push(Shown { command, output: Vec::new() }),
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
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let folder = TempDir::new().unwrap();
    copy(&Path::new(ROOT).join("examples/etat"), folder.path());
    let program = assert_cmd::cargo::cargo_bin!("portvakt").parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let all = shown(&readme);
    assert!(all.len() > 5, "the README shows no commands");
    for Shown { command, output } in all {
        let ran = Command::new("bash")
            .args(["-c", command])
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
}

/// Whether the shown lines are the printed ones; a shown `…` stands for any number of lines.
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

/// Whether a shown line is a printed one; `…` at its end stands for any rest.
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

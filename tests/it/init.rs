//! A new repository, and the files of CI hosts.

mod checked;
mod optional;
mod rights;
mod scripts;
pub(crate) mod templates;
mod web;

use std::fs;
use std::path::Path;

use serde_yaml::Value;
use tempfile::TempDir;

use crate::git::remote::git;
use crate::world::{Ran, program};

fn init(folder: &Path, args: &[&str]) -> Ran {
    Ran::of(program().current_dir(folder).arg("init").args(args))
}

fn portvakt(folder: &Path, args: &[&str]) -> Ran {
    Ran::of(program().current_dir(folder).args(args))
}

/// The files below a folder, in order, without those of git.
fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        match entry.file_type().unwrap().is_dir() {
            true if name == ".git" => {}
            true => {
                files
                    .extend(self::files(&entry.path()).iter().map(|file| format!("{name}/{file}")));
            }
            false => files.push(name),
        }
    }
    files.sort();
    files
}

const REPOSITORY: [&str; 6] = [
    ".gitignore",
    ".schema/declarations.json",
    ".schema/portvakt.json",
    "consumers.yaml",
    "portvakt.yaml",
    "scopes/example.yaml",
];

fn expected(host: &str) -> &'static [&'static str] {
    match host {
        "github" => &[
            ".github/workflows/portvakt-drift.yml",
            ".github/workflows/portvakt-merge.yml",
            ".github/workflows/portvakt-pull-request.yml",
        ],
        "gitlab" => &[".gitlab-ci.yml", ".gitlab/portvakt.gitlab-ci.yml"],
        "azure" => &[
            ".azure-pipelines/portvakt-drift.yml",
            ".azure-pipelines/portvakt-install.yml",
            ".azure-pipelines/portvakt-merge.yml",
            ".azure-pipelines/portvakt-pull-request.yml",
        ],
        other => panic!("{other}"),
    }
}

const HOSTS: [&str; 3] = ["github", "gitlab", "azure"];

#[test]
fn a_new_repository_is_valid_and_applied_in_the_sandbox() {
    for args in [&[][..], &["--orgno", "889640782", "--prefix", "etat"]] {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        let ran = init(folder, args);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(files(folder), REPOSITORY);
        for file in REPOSITORY {
            assert!(ran.stdout.contains(&format!("wrote {file}\n")), "{}", ran.stdout);
        }
        assert_eq!(ran.stdout.contains("who you are"), args.is_empty(), "{}", ran.stdout);
        let ran = portvakt(folder, &["validate", "--deny-warnings"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "OK: 1 scope, 0 clients in 1 file\n"));
        let plan = |code| {
            let ran = portvakt(folder, &["-e", "sandbox", "plan", "--detailed-exitcode"]);
            assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
            ran.stdout
        };
        let name = if args.is_empty() { "eksempel:hilsen.read" } else { "etat:hilsen.read" };
        assert!(plan(2).contains(name));
        let ran = portvakt(folder, &["-e", "sandbox", "apply", "--auto-approve"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(plan(2).contains("No changes."), "outside git nobody knows the past");
    }
}

/// What is printed as a next step runs as it is, in the folder where `init` ran.
#[test]
fn the_next_steps_run_where_they_are_shown() {
    for (dir, shown) in [(".", "portvakt"), ("mine tilganger", "portvakt -C 'mine tilganger'")] {
        let folder = TempDir::new().unwrap();
        let ran = init(
            folder.path(),
            &[dir, "--orgno", "889640782", "--prefix", "etat", "--ci", "github"],
        );
        let first = format!("- try it: {shown} -e sandbox apply\n");
        assert!(ran.stdout.contains(&first), "{}{}", ran.stdout, ran.stderr);
        let ran = portvakt(folder.path(), &["-C", dir, "-e", "sandbox", "apply", "--auto-approve"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        // So it does where the CI files come later.
        let ran = init(folder.path(), &[dir, "--ci", "gitlab"]);
        let last = format!("- check what is still missing: {shown} -e test doctor\n");
        assert!(ran.stdout.ends_with(&last), "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn the_example_is_for_the_sandbox_only() {
    let folder = TempDir::new().unwrap();
    assert_eq!(init(folder.path(), &["new"]).code, 0);
    let root = folder.path().join("new");
    let today = jiff::civil::date(2026, 11, 25);
    let repository = portvakt::declare::load(&root).unwrap();
    for (environment, scopes) in [("sandbox", 1), ("test", 0), ("prod", 0)] {
        let (desired, _) = repository.desired(environment, today).unwrap_or_else(|_| panic!());
        assert_eq!(desired.scopes.len(), scopes, "{environment}");
    }
}

#[test]
fn nothing_is_overwritten_and_nothing_half_written() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::write(folder.join("consumers.yaml"), "consumers: {}\n").unwrap();
    let ran = init(folder, &["--ci", "github"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("never overwritten: consumers.yaml\n"), "{}", ran.stderr);
    assert_eq!(files(folder), ["consumers.yaml"]);
    fs::remove_file(folder.join("consumers.yaml")).unwrap();
    // A folder that cannot be created: files written before it are removed again.
    fs::write(folder.join("scopes"), "").unwrap();
    let ran = init(folder, &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("nothing is changed"), "{}", ran.stderr);
    assert_eq!(files(folder), ["scopes"]);
}

#[test]
fn files_of_others_are_kept_and_what_to_add_is_reported() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::write(folder.join(".gitignore"), "target\n").unwrap();
    fs::write(folder.join(".gitlab-ci.yml"), "a: 1\n").unwrap();
    let ran = init(folder, &["--ci", "gitlab"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("add the line `.portvakt/` to .gitignore"), "{}", ran.stdout);
    assert!(ran.stdout.contains("include: [{ local: .gitlab/"), "{}", ran.stdout);
    assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "target\n");
    assert_eq!(fs::read_to_string(folder.join(".gitlab-ci.yml")).unwrap(), "a: 1\n");
    fs::remove_file(folder.join("portvakt.yaml")).unwrap();
    fs::remove_file(folder.join("consumers.yaml")).unwrap();
    fs::remove_dir_all(folder.join("scopes")).unwrap();
    fs::write(folder.join(".gitignore"), "/.portvakt\n").unwrap();
    let ran = init(folder, &[]);
    assert!(!ran.stdout.contains(".gitignore"), "{}", ran.stdout);
}

#[test]
fn one_repository_is_not_in_another() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    assert_eq!(init(folder, &[]).code, 0);
    let before = files(folder);
    for args in [
        &[][..],
        &["below"],
        &["below", "--ci", "github"],
        &["below", "-C", "."],
        &["--ci", "github", "--prefix", "etat"],
        &["--source", "a/b@v1"],
        &["--orgno", "123456789"],
        &["--prefix", "a:b"],
        &["--ci", "github", "--source", "a/b@v1}} ${{ x"],
        &["--ci", "github", "--source", "a/b@main"],
        &["--ci", "gitlab", "--source", "a/b@4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a"],
        &["--ci", "azure", "--source", "a/b@4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a4f2a"],
    ] {
        let ran = init(folder, args);
        assert_eq!(ran.code, 64, "{args:?}: {}", ran.stderr);
        assert_eq!(files(folder), before, "{args:?}");
    }
}

#[test]
fn each_host_gets_its_files() {
    for host in HOSTS {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        assert_eq!(init(folder, &["--ci", host]).code, 0);
        let mut all = [&REPOSITORY[..], expected(host)].concat();
        all.sort_unstable();
        assert_eq!(files(folder), all);
        let ran = portvakt(folder, &["validate"]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
    }
}

#[test]
fn in_a_repository_only_ci_files_are_written_and_for_its_environments() {
    const SETTINGS: &str = "organization: { orgno: \"889640782\", name: Etaten }\nprefixes: [etat]\n\
        environments:\n  alt: { target: prod, credentials: &c { client_id: { env: A }, key: { env: B } } }\n  \
        local: { target: sandbox }\n  ver-2: { target: test, credentials: *c }\n";
    for host in HOSTS {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        fs::write(folder.join("portvakt.yaml"), SETTINGS).unwrap();
        let ran = init(folder, &["--ci", host, "--source", "etat/vakt@v4.2.1"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(ran.stdout.contains("(unpinned-uses)"), host == "github", "{}", ran.stdout);
        let mut all = [expected(host), &["portvakt.yaml"]].concat();
        all.sort_unstable();
        assert_eq!(files(folder), all);
        for file in expected(host) {
            let text = fs::read_to_string(folder.join(file)).unwrap();
            let _: Value = serde_yaml::from_str(&text).unwrap();
            let version = concat!("v", env!("CARGO_PKG_VERSION"));
            for placeholder in ["OWNER", version, r#"["test""#, "\"test\"", "apply-to-test"] {
                assert!(!text.contains(placeholder), "{file}: {placeholder}");
            }
        }
        let text: String = expected(host)
            .iter()
            .map(|file| fs::read_to_string(folder.join(file)).unwrap())
            .collect();
        // Production is the last, whatever its name.
        assert!(text.contains(r#"["ver-2", "alt"]"#), "{host}");
        let after = match host {
            "gitlab" => "needs: [portvakt-reviewed, portvakt-apply-to-ver-2]\n",
            "azure" => "environment: \"alt\", after: [plan, apply_ver_2] }\n",
            _ => "max-parallel: 1\n",
        };
        assert!(text.contains(after), "{host}: {after}");
        assert!(text.contains("etat/vakt") && text.contains("v4.2.1"), "{host}");
        assert_eq!(init(folder, &["--ci", host]).code, 1, "twice");
    }
    let folder = TempDir::new().unwrap();
    let only =
        SETTINGS.split("  alt").next().unwrap().to_owned() + "  local: { target: sandbox }\n";
    fs::write(folder.path().join("portvakt.yaml"), only).unwrap();
    let ran = init(folder.path(), &["--ci", "github"]);
    assert_eq!(ran.code, 64, "{}", ran.stderr);
}

/// A folder below the top of a git repository, with a default branch of another name.
fn below(folder: &Path, host: &str, args: &[&str]) -> String {
    git2::Repository::init(folder).unwrap();
    git2::Repository::open(folder).unwrap().set_head("refs/heads/stamme").unwrap();
    let ran = init(folder, &[&["tilgang/vakt", "--ci", host], args].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

#[test]
fn ci_files_are_at_the_top_of_a_git_repository_and_about_one_folder() {
    for (host, named) in [
        ("github", &["directory: \"tilgang/vakt\"", "environment: tilgang.vakt/${{ matrix"][..]),
        ("gitlab", &["portvakt -C tilgang/vakt plan", "name: tilgang/vakt/$PORTVAKT_ENV-read"]),
        ("azure", &["portvakt -C tilgang/vakt plan", "group: portvakt-tilgang.vakt.read-$"]),
    ] {
        let top = TempDir::new().unwrap();
        let told = below(top.path(), host, &[]);
        assert!(told.contains("what is on the branch stamme"), "{told}");
        let written = files(top.path());
        let (own, others): (Vec<_>, Vec<_>) =
            written.iter().partition(|file| file.starts_with("tilgang/vakt/"));
        assert_eq!(own.len(), REPOSITORY.len());
        let expected: Vec<_> = expected(host)
            .iter()
            .map(|file| file.replace("portvakt-", "portvakt-tilgang.vakt-"))
            .map(|file| file.replace("portvakt.gitlab", "portvakt-tilgang.vakt.gitlab"))
            .collect();
        assert_eq!(others.into_iter().cloned().collect::<Vec<_>>(), expected);
        let text: String = expected
            .iter()
            .map(|file| {
                let text = fs::read_to_string(top.path().join(file)).unwrap();
                let _: Value = serde_yaml::from_str(&text).unwrap();
                text
            })
            .collect();
        for part in named {
            assert!(text.contains(part), "{host}: {part}");
        }
        for left in ["[main]", "refs/heads/main", "-C . ", "directory: .\n", "FOLDER: .\n"] {
            assert!(!text.contains(left), "{host}: {left}");
        }
        if host != "gitlab" {
            assert!(text.contains("\"stamme\"") && text.contains("\"tilgang/vakt/*"), "{host}");
        }
        // A second folder has files, jobs and environments of its own.
        let ran = init(top.path(), &["annen", "--ci", host]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let step = "append the entry `- local: .gitlab/portvakt-annen.gitlab-ci.yml` to the list";
        assert_eq!(ran.stdout.contains(step), host == "gitlab", "{}", ran.stdout);
        // The stages are in the file that is included.
        assert!(!ran.stdout.contains("stages"), "{}", ran.stdout);
        // The same folder again: nothing is overwritten.
        assert_eq!(init(top.path(), &["annen", "--ci", host]).code, 1);
    }
}

/// Hosts would take two folders for one whose names differ in case only, or are the same by `project`.
#[test]
fn two_folders_share_no_name_at_the_host() {
    for (other, project) in [("Vakt", ""), ("annen", "project: vakt\n"), ("annen", "")] {
        let top = TempDir::new().unwrap();
        git(top.path(), &["init", "--quiet", "-b", "main"]);
        assert_eq!(init(top.path(), &[other]).code, 0);
        let settings = top.path().join(other).join("portvakt.yaml");
        let text = fs::read_to_string(&settings).unwrap();
        fs::write(settings, project.to_owned() + &text).unwrap();
        git(top.path(), &["add", "-A"]);
        let ran = init(top.path(), &["vakt", "--ci", "azure"]);
        let is_shared = other == "Vakt" || !project.is_empty();
        assert_eq!(ran.code, if is_shared { 64 } else { 0 }, "{other}: {}", ran.stderr);
        assert_eq!(top.path().join("vakt").exists(), !is_shared);
    }
    // The names of one folder's groups and environments cannot be those of another's.
    let names = |folder: &str, environment: &str| {
        let top = TempDir::new().unwrap();
        git2::Repository::init(top.path()).unwrap();
        let ran = init(top.path(), &[folder, "--ci", "azure"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let merge = top.path().join(format!(".azure-pipelines/portvakt-{folder}-merge.yml"));
        let text = fs::read_to_string(merge).unwrap();
        let lines = text.lines().map(str::trim_start).map(|line| line.trim_start_matches("- "));
        let named = lines.filter_map(|line| {
            line.strip_prefix("group: ").or_else(|| line.strip_prefix("environment: portvakt"))
        });
        let made = named.map(|name| {
            name.replace("${{ stage.environment }}", environment)
                .replace("${{ environment }}", environment)
        });
        made.collect::<std::collections::BTreeSet<_>>()
    };
    let (one, other) = (names("a", "read-x"), names("a-read", "x"));
    assert!(one.len() == 3 && one.is_disjoint(&other), "{one:?} {other:?}");
}

#[test]
fn a_folder_that_ci_files_cannot_name_is_refused() {
    for (folder, other) in [
        ("a b", "a-b"),
        ("${{ x }}", "of the letters"),
        ("a'b", "a-b"),
        ("-a", "of the letters"),
        ("blåbær/Ø", "blaabaer/Oe for example"),
    ] {
        let top = TempDir::new().unwrap();
        git2::Repository::init(top.path()).unwrap();
        let path = top.path().join(folder);
        let ran = init(top.path(), &["--ci", "github", path.to_str().unwrap()]);
        assert_eq!(ran.code, 64, "{folder}: {}", ran.stderr);
        assert!(ran.stderr.contains(other), "{folder}: {}", ran.stderr);
        assert_eq!(files(top.path()), [""; 0]);
    }
}

/// What is in portvakt.yaml becomes part of YAML, shell and expressions of a host.
#[test]
fn files_are_not_written_for_settings_that_are_invalid() {
    for name in ["te st", "te\\\"st", "${{ x }}"] {
        let folder = TempDir::new().unwrap();
        let settings = format!(
            "organization: {{ orgno: \"889640782\", name: Etaten }}\nprefixes: [etat]\nenvironments:\n  \
             \"{name}\": {{ target: test, credentials: {{ client_id: {{ env: A }}, key: {{ env: B }} }} }}\n"
        );
        fs::write(folder.path().join("portvakt.yaml"), settings).unwrap();
        let ran = init(folder.path(), &["--ci", "github"]);
        assert_eq!(ran.code, 3, "{name}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("portvakt.yaml:4:"), "{name}: {}", ran.stderr);
        assert_eq!(files(folder.path()), ["portvakt.yaml"]);
    }
}

/// The keys of a .gitlab-ci.yml replace those of what it includes, so each step depends on what it has.
#[test]
fn what_to_change_in_a_pipeline_that_is_there_is_said_key_by_key() {
    for (present, steps) in [
        ("a: 1\n", &["add `include: [{", "add `stages: [build, test, deploy, check, "][..]),
        (
            "include:\n  - local: b.yml\nstages: [bygg]\nworkflow: { rules: [] }\n",
            &[
                "append the entry `- local: .gitlab/",
                "have check, review, apply and after too",
                "`workflow`",
            ],
        ),
        ("include:\n- local: .gitlab/portvakt.gitlab-ci.yml\nstages: [bygg]\n", &[]),
    ] {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        fs::write(folder.join(".gitlab-ci.yml"), present).unwrap();
        let ran = init(folder, &["--ci", "gitlab"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let of_it = ran.stdout.lines().filter(|line| line.contains(".gitlab-ci.yml"));
        let of_it = of_it.filter(|line| !line.contains("wrote") && !line.contains("remove"));
        let of_it: Vec<_> = of_it.filter(|line| !line.contains("make the variables")).collect();
        assert_eq!(of_it.len(), steps.len(), "{of_it:?}");
        for (line, step) in of_it.iter().zip(steps) {
            assert!(line.contains(step), "{step}: {line}");
        }
    }
}

/// What is called otherwise in portvakt.yaml is called so at the host too.
#[test]
fn a_project_and_the_branch_that_is_applied_are_those_of_the_settings() {
    const SETTINGS: &str = "organization: { orgno: \"889640782\", name: Etaten }\nprefixes: [etat]\n\
        project: plattform\napply_from: utgivelse\nenvironments:\n  test: { target: test, credentials: { \
        client_id: { env: A }, key: { env: B } } }\n";
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("portvakt.yaml"), SETTINGS).unwrap();
    let ran = init(folder.path(), &["--ci", "github"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let made = "plattform/test-read (read) and, for the branch utgivelse alone, plattform/test (write) and \
                plattform/test-due (write, at night, without approval)";
    assert!(ran.stdout.contains(made), "{}", ran.stdout);
    assert!(ran.stdout.contains("`portvakt plattform checks`"), "{}", ran.stdout);
    let shown = "scheduled workflows on the default branch only: unless utgivelse is that";
    assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    let merge = ".github/workflows/portvakt-plattform-merge.yml";
    let text = fs::read_to_string(folder.path().join(merge)).unwrap();
    assert!(text.contains("branches: [\"utgivelse\"]"), "{text}");
    assert!(text.contains("paths-ignore: [\"**.md\"]"), "{text}");
    assert_eq!(init(folder.path(), &["--ci", "gitlab"]).code, 0);
    let jobs = folder.path().join(".gitlab/portvakt-plattform.gitlab-ci.yml");
    let text = fs::read_to_string(jobs).unwrap();
    assert!(text.contains("- if: $CI_COMMIT_BRANCH == \"utgivelse\" && $"), "{text}");
}

#[test]
fn a_development_build_says_what_to_fill_in() {
    let folder = TempDir::new().unwrap();
    let ran = init(folder.path(), &["--ci", "github"]);
    assert!(ran.stdout.contains("this is a development build"), "{}", ran.stdout);
    let folder = TempDir::new().unwrap();
    let ran = init(folder.path(), &["--ci", "github", "--source", "etat/portvakt@v1"]);
    assert!(!ran.stdout.contains("development build"), "{}", ran.stdout);
}

/// The default branch is that of the remote, whatever is checked out.
#[test]
fn the_branch_of_a_clone_is_the_default_branch_of_its_remote() {
    let folder = TempDir::new().unwrap();
    let (from, clone) = (folder.path().join("from"), folder.path().join("clone"));
    fs::create_dir(&from).unwrap();
    git(&from, &["init", "--quiet", "-b", "stamme"]);
    git(&from, &["commit", "--quiet", "--allow-empty", "-m", "a"]);
    git(folder.path(), &["clone", "--quiet", from.to_str().unwrap(), "clone"]);
    git(&clone, &["checkout", "--quiet", "-b", "arbeid"]);
    for host in ["azure", "github", "gitlab"] {
        let ran = init(&clone, &["--ci", host]);
        // A clone that CI or `git fetch` has made does not record it; the remote is asked.
        if host == "azure" {
            git(&clone, &["remote", "set-head", "origin", "--delete"]);
        }
        let shown = "what is on the branch stamme, the default branch of the remote";
        assert!(ran.stdout.contains(shown), "{}{}", ran.stdout, ran.stderr);
    }
    let merge = ".github/workflows/portvakt-merge.yml";
    let text = fs::read_to_string(clone.join(merge)).unwrap();
    assert!(text.contains("branches: [\"stamme\"]") && !text.contains("arbeid"), "{text}");
    // A remote that does not answer.
    git(&clone, &["remote", "set-url", "origin", "/nonexistent"]);
    let again = init(&clone, &["--ci", "github"]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("Remove these files first"), "{}", again.stderr);
    fs::remove_dir_all(clone.join(".github")).unwrap();
    let ran = init(&clone, &["--ci", "github"]);
    let shown =
        "the branch arbeid, which is checked out here, as the default branch of a remote is not";
    assert!(ran.stdout.contains(shown), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("remove .github/workflows/portvakt-pull-request.yml, "));
    assert!(!ran.stdout.contains("scheduled workflows"), "{}", ran.stdout);
}

/// Each file of declarations names its schema by a path that leads to it, and is valid by it.
#[test]
fn a_new_repository_has_its_schemas() {
    let folder = TempDir::new().unwrap();
    assert_eq!(init(folder.path(), &[]).code, 0);
    for file in REPOSITORY.iter().filter(|file| file.ends_with(".yaml")) {
        let file = folder.path().join(file);
        let text = fs::read_to_string(&file).unwrap();
        let schema = text.lines().next().unwrap().split_once("$schema=").unwrap().1;
        let schema = fs::read_to_string(file.parent().unwrap().join(schema)).unwrap();
        let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        assert!(schema.is_valid(&value), "{text}");
        assert!(!schema.is_valid(&serde_json::json!({ "unknown": 1 })));
    }
}

/// A terminal with this input.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_it_asks_who_owns_the_scopes() {
    let init = format!("{} init", assert_cmd::cargo::cargo_bin!("portvakt").display());
    for (typed, owner, ci) in
        [("1\n889640782\nA:\netat\ngithub\n", Some("889640782"), true), ("\n\n\n", None, false)]
    {
        let folder = TempDir::new().unwrap();
        let mut command = assert_cmd::Command::new("script");
        command.args(["-qec", &init, "/dev/null"]).env("SHELL", "/bin/sh");
        let ran = Ran::of(command.current_dir(folder.path()).write_stdin(typed));
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        let settings = fs::read_to_string(folder.path().join("portvakt.yaml")).unwrap();
        assert_eq!(settings.contains("889640782"), owner.is_some());
        assert_eq!(settings.contains("prefixes: [etat]"), owner.is_some());
        assert_eq!(folder.path().join(".github").exists(), ci);
        assert_eq!(ran.stdout.contains("exactly nine digits"), owner.is_some(), "{}", ran.stdout);
    }
}

/// All names that the files of a host derive from an environment's name.
fn made_of(host: &str, environment: &str) -> std::collections::BTreeSet<String> {
    let mut names = std::collections::BTreeSet::new();
    let own = |text: &str| {
        let text = text
            .replace("${{ matrix.environment }}", environment)
            .replace("$PORTVAKT_ENV", environment)
            .replace("${{ replace(environment, '-', '_') }}", &environment.replace('-', "_"))
            .replace("${{ environment }}", environment)
            .replace("${{ stage.environment }}", environment)
            .replace("${{ replace(stage.environment, '-', '_') }}", &environment.replace('-', "_"));
        text.to_lowercase()
    };
    let mut collect = |kind: &str, text: &str| {
        let is_made = ["matrix.environment", "PORTVAKT_ENV", "environment }}", "environment,"];
        if is_made.iter().any(|part| text.contains(part)) {
            names.insert(format!("{kind} {}", own(text)));
        }
    };
    for file in templates::ALL.iter().filter(|file| file.contains(&format!("/{host}/"))) {
        named(&templates::parsed(file), &mut collect);
    }
    names
}

/// Passes on each name of something at the host, with its kind.
fn named(value: &Value, collect: &mut impl FnMut(&str, &str)) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Mapping(mapping) => {
            for (key, value) in mapping {
                let kind = key.as_str().unwrap_or_default();
                match kind {
                    "environment" => {
                        let name = value.get("name").and_then(text).or_else(|| text(value));
                        name.into_iter().for_each(|name| collect(kind, &name));
                    }
                    "group" | "job" | "stage" | "resource_group" => {
                        text(value).into_iter().for_each(|name| collect(kind, &name));
                    }
                    _ => {}
                }
                named(value, collect);
            }
        }
        Value::Sequence(values) => values.iter().for_each(|value| named(value, collect)),
        Value::Tagged(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// For each pair of names, the files are written only if the environments share nothing at the host.
#[test]
fn environments_that_would_share_something_at_the_host_are_refused() {
    const NAMES: [&str; 14] = [
        "test",
        "test-read",
        "test-read-read",
        "test-due",
        "Test",
        "TEST-READ",
        "test_read",
        "read",
        "write-test",
        "prod",
        "a-b",
        "a_b",
        "of-a-fork-test",
        "of_a_fork_prod",
    ];
    for host in HOSTS {
        let mut refused = 0;
        for (index, one) in NAMES.iter().enumerate() {
            for other in &NAMES[index + 1..] {
                let folder = TempDir::new().unwrap();
                let credentials = "credentials: { client_id: { env: A }, key: { env: B } }";
                let settings = format!(
                    "organization: {{ orgno: \"889640782\", name: Etaten }}\nprefixes: [etat]\n\
                     environments:\n  {one}: {{ target: test, {credentials} }}\n  {other}: {{ target: \
                     prod, {credentials} }}\n"
                );
                fs::write(folder.path().join("portvakt.yaml"), settings).unwrap();
                let ran = init(folder.path(), &["--ci", host]);
                let (one_has, other_has) = (made_of(host, one), made_of(host, other));
                assert!(one_has.len() >= 3, "{one_has:?}");
                let shared: Vec<_> = one_has.intersection(&other_has).collect();
                let message = format!("{host}: {one} {other}: {shared:?}: {}", ran.stderr);
                assert_eq!(ran.code, if shared.is_empty() { 0 } else { 64 }, "{message}");
                if ran.code == 64 {
                    for name in [one, other] {
                        assert!(ran.stderr.contains(&format!("`{name}`")), "{message}");
                    }
                    assert_eq!(files(folder.path()), ["portvakt.yaml"]);
                    refused += 1;
                }
            }
        }
        assert!(refused >= 4, "{host}: {refused}");
    }
}

#[test]
fn a_folder_of_manifests_is_ready_to_be_planned() {
    let folder = TempDir::new().unwrap();
    let layouts = Path::new(crate::readme::ROOT).join("tests/layouts");
    crate::readme::copy(&layouts, folder.path());
    fs::write(folder.path().join("docker-compose.yml"), "services: {}\n").unwrap();
    let before = files(folder.path());
    let ran = init(folder.path(), &["--nais", "--orgno", "889640782", "--prefix", "etat"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let new: Vec<_> =
        files(folder.path()).into_iter().filter(|file| !before.contains(file)).collect();
    let schemas = [".schema/declarations.json", ".schema/portvakt.json"];
    assert_eq!(new, [&[".gitignore"][..], &schemas, &["portvakt.yaml"]].concat());
    let settings = fs::read_to_string(folder.path().join("portvakt.yaml")).unwrap();
    let (_, nais) = settings.split_once("\nnais:\n").unwrap();
    insta::assert_snapshot!(nais, @r#"
      # CHANGE the cluster of each environment to the one that its manifests are deployed to.
      cluster: { prod: prod-gcp, sandbox: dev-gcp, test: dev-gcp }
      manifests:
        prod: ["**/prod.yaml"]
        sandbox: ["**/dev.yaml"]
        test: ["**/dev.yaml"]
      vars:
        prod: ["**/prod-vars.yaml"]
        sandbox: ["**/dev-vars.yaml"]
        test: ["**/dev-vars.yaml"]

    # Files of other tools.
    exclude: ["docker-compose.yml"]
    "#);
    let ran = portvakt(folder.path(), &["validate"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for environment in ["sandbox", "sandbox"] {
        let ran = portvakt(folder.path(), &["-e", environment, "apply", "--auto-approve"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
    let again = init(folder.path(), &["--nais"]);
    assert_eq!(again.code, 64, "{}", again.stderr);
}

#[test]
fn values_of_templates_are_found_by_many_names() {
    const APP: &str = "apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: { name: app, namespace: team }\n\
                       spec:\n  secretName: x\n  scopes:\n    exposes:\n    - name: les\n      product: {{product}}\n      \
                       enabled: true\n";
    // Of the sandbox and of production.
    for (files, expected) in [
        (&[".nais/vars.json"][..], ["[\".nais/vars.json\"]"; 2]),
        (&[".nais/dev.json", ".nais/prod.json"], ["[\".nais/dev.json\"]", "[\".nais/prod.json\"]"]),
        (&[".nais/vars.yaml"], ["[\"**/vars.yaml\"]"; 2]),
        (
            &[".nais/vars-DEV.yaml", ".nais/vars-Prod.yml"],
            ["[\"**/vars-DEV.yaml\"]", "[\"**/vars-Prod.yml\"]"],
        ),
        (
            &[".nais/vars/dev.yaml", ".nais/vars/prod.yaml"],
            ["[\"**/vars/dev.yaml\"]", "[\"**/vars/prod.yaml\"]"],
        ),
        (
            &[".nais/dev/vars.yaml", ".nais/prod/vars.yaml"],
            ["[\"**/dev/vars.yaml\"]", "[\"**/prod/vars.yaml\"]"],
        ),
        (
            &[".nais/pre-prod-vars.yaml", ".nais/prod-vars.yaml"],
            ["[\"**/pre-prod-vars.yaml\"]", "[\"**/prod-vars.yaml\"]"],
        ),
        // What is common comes first, so that the others win.
        (
            &[".nais/vars.yaml", ".nais/dev-vars.yaml", ".nais/prod-vars.yaml"],
            [
                "[\"**/vars.yaml\", \"**/dev-vars.yaml\"]",
                "[\"**/vars.yaml\", \"**/prod-vars.yaml\"]",
            ],
        ),
    ] {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join(".nais")).unwrap();
        fs::write(folder.path().join(".nais/app.yaml"), APP).unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(
                path,
                "{ \"product\": \"app\", \"consumers\": [{ \"orgno\": \"974761076\" }] }\n",
            )
            .unwrap();
        }
        let ran = init(folder.path(), &["--nais", "--orgno", "889640782", "--prefix", "etat"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stdout.contains("values of these templates"), "{files:?}: {}", ran.stdout);
        let settings = fs::read_to_string(folder.path().join("portvakt.yaml")).unwrap();
        for (environment, globs) in ["sandbox", "prod"].iter().zip(expected) {
            let line = format!("    {environment}: {globs}\n");
            assert!(settings.contains(&line), "{files:?}: {line}{settings}");
        }
        let ran = portvakt(folder.path(), &["validate"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn templates_without_values_are_named() {
    let folder = TempDir::new().unwrap();
    let app = "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: app, namespace: {{team}} }\nspec:\n  \
               image: {{image}}\n  maskinporten: { enabled: true, scopes: { consumes: [{ name: 'skatt:les' }], exposes: [{ name: 1 }] } }\n";
    for name in ["a", "b"] {
        let nais = folder.path().join(name).join(".nais");
        fs::create_dir_all(&nais).unwrap();
        fs::write(nais.join("app.yaml"), app).unwrap();
    }
    // A path counts for all templates, so this one is for neither.
    fs::write(folder.path().join("a/.nais/vars.json"), "{ \"team\": \"t\" }").unwrap();
    let ran = init(folder.path(), &["--nais", "--orgno", "889640782", "--prefix", "etat"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("say which files have the values of these templates"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("a/.nais/app.yaml, b/.nais/app.yaml."), "{}", ran.stdout);
    let settings = fs::read_to_string(folder.path().join("portvakt.yaml")).unwrap();
    assert!(!settings.contains("vars:"), "{settings}");
}

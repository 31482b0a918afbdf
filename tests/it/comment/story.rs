//! The story of a change on each host, by the scripts of its CI files with the program itself: from the pull request
//! over the merge to the night after. Each job has the credentials that its environment at the host has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use secrecy::ExposeSecret as _;

use super::reviewed::{APPROVED, EARLY, MERGED, on_main, verdict};
use super::server::{Past, Related, Server};
use super::{AzureDevOps, GitHub, GitLab};
use crate::git::remote::{Remote, identified, ran};
use crate::init::templates::script;
use crate::programs::has;
use crate::world::{KEY, RUNTIME, Ran, SKATT};

/// Client that may only read, and the one of the apply.
const READER: &str = "leser";
const WRITER: &str = "portvakt";

/// What the change does at DigDir.
const SENT: [&str; 2] = ["create scope etat:ny", "grant etat:ny 974761076"];

type Variables = Vec<(String, String)>;

/// A repository with an apply behind it, a code host, and a folder for what jobs leave.
struct Story {
    remote: Remote,
    server: Server,
    folder: PathBuf,
}

impl Story {
    fn begin(server: Server) -> Self {
        let remote = Remote::new();
        remote.world.sandbox.edit(|state| {
            let mut reader = state.clients[WRITER].clone();
            reader.scopes.retain(|scope| scope.ends_with(".read"));
            state.clients.insert(READER.to_owned(), reader);
        });
        let clone = remote.first();
        clone.declare("scopes: [{ name: etat:gammel, description: Les }]\n");
        clone.apply();
        remote.world.check_and_forget();
        let folder = remote.beside("job");
        fs::create_dir_all(folder.join("reviewed")).unwrap();
        fs::create_dir(folder.join("out")).unwrap();
        // A pull request from here on.
        clone.git(&["switch", "--quiet", "-c", "topic"]);
        let entry = format!("{{ name: etat:ny, description: Les, consumers: [\"{SKATT}\"] }}");
        clone.write(
            "declarations.yaml",
            &format!("scopes: [{{ name: etat:gammel, description: Les }}, {entry}]\n"),
        );
        clone.commit("Add a scope");
        Self { remote, server, folder }
    }

    /// Approves the pull request and merges it.
    fn merge(&self) {
        assert_eq!(self.server.comments().len(), 1);
        let clone = self.remote.first();
        clone.git(&["switch", "--quiet", "main"]);
        clone.git(&["merge", "--quiet", "--ff-only", "topic"]);
        clone.git(&["push", "--quiet", "origin", "main"]);
        let related =
            Related { number: 7, commit: clone.head(), base: "main", merged: Some(MERGED) };
        let (who, approved) = verdict(self.server.forge(), true);
        let verdicts = vec![(who, approved, APPROVED)];
        self.server.edit(|api| {
            api.end(Past { related: vec![related], changed: EARLY, verdicts, queued: None })
        });
        assert_eq!(self.remote.world.sent(), [""; 0]);
    }

    /// The host's variables for a job of the pull request, and of the main branch.
    fn of_pull_request(&self) -> Variables {
        owned(self.server.environment())
    }

    fn of_main(&self) -> Variables {
        owned(on_main(&self.server))
    }

    fn run(&self, script: &str, variables: &[Variables]) -> Ran {
        fs::write(self.folder.join("output"), "").unwrap();
        let bin = Path::new(assert_cmd::cargo::cargo_bin!("portvakt")).parent().unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        command.env_clear().current_dir(self.remote.first().path);
        identified(&mut command)
            .env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()))
            .env("OUT", self.folder.join("out"))
            .env("RUNNER_TEMP", &self.folder)
            .env("GITHUB_OUTPUT", self.folder.join("output"))
            .env("GITHUB_STEP_SUMMARY", self.folder.join("summary"))
            .envs([("DIRECTORY", "."), ("PORTVAKT_ENV", "test")])
            .envs(variables.iter().flatten().cloned());
        ran(command.output().unwrap())
    }

    fn ends(&self, code: i32, script: &str, variables: &[Variables]) -> Ran {
        let ran = self.run(script, variables);
        assert_eq!(ran.code, code, "{script}\n{}{}", ran.stdout, ran.stderr);
        ran
    }

    /// An output of the last step on GitHub.
    fn output(&self, name: &str) -> String {
        let output = fs::read_to_string(self.folder.join("output")).unwrap();
        let value = output.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        value.unwrap_or_else(|| panic!("no {name}: {output}")).to_owned()
    }

    /// The end of each story: applied once, recorded, and the pull request has the result.
    fn is_over(&self) {
        assert_eq!(self.remote.world.sent(), SENT);
        assert_eq!(self.remote.held("applied"), Some(self.remote.first().head()));
        assert_eq!(self.server.comments().len(), 2);
        assert!(self.remote.first().planned().is_empty());
    }
}

fn owned(variables: Vec<(&'static str, String)>) -> Variables {
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn set(variables: &[(&str, &str)]) -> Variables {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The credentials of a client, in variables whose names begin so.
fn credentials(begin: &str, client: &str) -> Variables {
    let key = KEY.private_key_pem.expose_secret();
    [("CLIENT_ID", client), ("KEY", key), ("KID", &KEY.kid)]
        .map(|(name, value)| (format!("{begin}{name}"), value.to_owned()))
        .to_vec()
}

#[test]
fn github_applies_what_its_pull_request_showed() {
    if !has("jq", "the story of a change on GitHub") {
        return;
    }
    const MERGE: &str = "templates/github/portvakt-merge.yml";
    let action = |step: &str| script("action.yml", step);
    let (reader, writer) = (credentials("PORTVAKT_", READER), credentials("PORTVAKT_", WRITER));
    let story = Story::begin(RUNTIME.block_on(Server::start(GitHub::new())));
    story.ends(0, &action("Validate"), &[]);
    story.ends(0, &action("Plan"), std::slice::from_ref(&reader));
    let (plan, digest) = (story.output("file"), story.output("digest"));
    assert_eq!(story.output("pending"), "true");
    let comment = script("templates/github/portvakt-pull-request.yml", "Comment");
    story.ends(0, &comment, &[story.of_pull_request(), set(&[("PLAN", &plan)])]);
    story.merge();

    story.ends(0, &action("Plan"), std::slice::from_ref(&reader));
    let plan = story.output("file");
    assert_eq!(story.output("digest"), digest);
    let asked =
        set(&[("PLAN", &plan), ("DIGEST", &digest), ("ASKED_DIGEST", ""), ("ENVIRONMENT", "test")]);
    story.ends(0, &script(MERGE, "Check that this plan was reviewed"), &[story.of_main(), asked]);
    fs::copy(&plan, story.folder.join("reviewed/plan.json")).unwrap();
    story.ends(
        0,
        &script(MERGE, "Sort the environments"),
        &[set(&[("ENVIRONMENTS", r#"["test"]"#)])],
    );
    assert_eq!(
        (story.output("pending"), story.output("others")),
        (r#"["test"]"#.into(), "[]".into())
    );
    story.ends(0, &script(MERGE, "Read the digest that was reviewed"), &[]);
    let reviewed = set(&[("EXPECT", &story.output("digest"))]);
    // A job that may only read cannot apply, nor does another digest.
    assert_ne!(story.run(&action("Apply"), &[reader.clone(), reviewed.clone()]).code, 0);
    let other = set(&[("EXPECT", &format!("sha256:{}", "1".repeat(64)))]);
    story.ends(4, &action("Apply"), &[writer.clone(), other]);
    assert_eq!(story.remote.world.sent(), [""; 0]);
    story.ends(0, &action("Apply"), &[writer.clone(), reviewed]);
    let report = set(&[("REPORT", &story.output("file"))]);
    story.ends(0, &script(MERGE, "Report on the pull request"), &[story.of_main(), report]);
    story.is_over();

    // At night nothing is due, but the credentials have to work; a fork plans without any.
    let due = set(&[("DUE", "true")]);
    story.ends(0, &action("Apply"), &[writer, due.clone()]);
    assert_ne!(story.run(&action("Apply"), &[reader.clone(), due]).code, 0);
    story.ends(0, &action("Look for drift"), std::slice::from_ref(&reader));
    assert_eq!(story.output("drifted"), "false");
    story.ends(0, &action("Take a snapshot"), &[reader]);
    let snapshot = set(&[("SNAPSHOT", &story.output("file"))]);
    story.ends(0, &action("Plan"), &[snapshot]);
    assert_eq!(story.output("pending"), "false");
    story.is_over();
}

#[test]
fn gitlab_applies_what_its_merge_request_showed() {
    let of = |job: &str| script("templates/gitlab/portvakt.gitlab-ci.yml", job);
    let job = |name: &str| format!("{}\n{}", of(".portvakt-job"), of(name));
    let reading =
        |name: &str| format!("{}\n{}\n{}", of(".portvakt-job"), of(".portvakt-read"), of(name));
    let reader = credentials("PORTVAKT_READ_", READER);
    let writer = credentials("PORTVAKT_WRITE_", WRITER);
    let story = Story::begin(RUNTIME.block_on(Server::start(GitLab::new())));
    let here = story.of_pull_request();
    story.ends(0, &job("portvakt-validate"), std::slice::from_ref(&here));
    story.ends(0, &reading("portvakt-plan"), &[here, reader.clone()]);
    story.merge();

    let here = story.of_main();
    story.ends(0, &reading("portvakt-plan"), &[here.clone(), reader.clone()]);
    // Before the job that checks, there is no digest to apply by.
    assert_ne!(story.run(&job(".portvakt-apply"), &[here.clone(), writer.clone()]).code, 0);
    story.ends(0, &reading("portvakt-reviewed"), &[here.clone(), reader.clone()]);
    assert_eq!(story.remote.world.sent(), [""; 0]);
    story.ends(0, &job(".portvakt-apply"), &[here.clone(), writer.clone()]);
    story.ends(0, &reading("portvakt-report"), &[here.clone(), reader.clone()]);
    story.is_over();

    story.ends(0, &job("portvakt-due"), &[here.clone(), writer]);
    assert_ne!(
        story
            .run(&job("portvakt-due"), &[here.clone(), credentials("PORTVAKT_WRITE_", READER)])
            .code,
        0
    );
    story.ends(0, &reading("portvakt-snapshot"), &[here, reader]);
    story.is_over();
}

#[test]
fn azure_applies_what_its_pull_request_showed() {
    if !has("jq", "the story of a change on Azure DevOps") {
        return;
    }
    let of = script_of_azure;
    let (reader, writer) = (credentials("PORTVAKT_", READER), credentials("PORTVAKT_", WRITER));
    let story = Story::begin(RUNTIME.block_on(Server::start(AzureDevOps::new())));
    let plan = story.folder.join("out/plan.json");
    story.ends(0, &of("pull-request", "Validate"), &[]);
    story.ends(0, &of("pull-request", "Plan"), std::slice::from_ref(&reader));
    story.ends(0, &of("pull-request", "Comment"), &[story.of_pull_request()]);
    story.merge();

    story.ends(0, &of("merge", "Plan"), std::slice::from_ref(&reader));
    let asked = set(&[("ASKED_DIGEST", "reviewed")]);
    story.ends(0, &of("merge", "Check that this plan was reviewed"), &[story.of_main(), asked]);
    let ran = story.ends(0, &of("merge", "look"), &[]);
    assert!(ran.stdout.ends_with("variable=pending;isOutput=true]true\n"), "{}", ran.stdout);
    let reviewed = set(&[("REVIEWED", plan.to_str().unwrap()), ("OVERRIDE_GUARDS", "no")]);
    assert_ne!(story.run(&of("merge", "Apply"), &[reader.clone(), reviewed.clone()]).code, 0);
    assert_eq!(story.remote.world.sent(), [""; 0]);
    story.ends(0, &of("merge", "Apply"), &[writer.clone(), reviewed]);
    story.ends(0, &of("merge", "Report on the pull request"), &[story.of_main()]);
    story.is_over();

    story.ends(0, &of("drift", "Apply what a date asks for"), &[writer]);
    assert_ne!(
        story.run(&of("drift", "Apply what a date asks for"), std::slice::from_ref(&reader)).code,
        0
    );
    story.ends(0, &of("drift", "Look for drift"), std::slice::from_ref(&reader));
    assert_eq!(fs::read_to_string(story.folder.join("out/drift.code")).unwrap(), "0\n");
    story.ends(0, &of("drift", "Take a snapshot"), &[reader]);
    story.is_over();
}

fn script_of_azure(file: &str, step: &str) -> String {
    let file = match file {
        "pull-request" => "templates/azure/portvakt-pull-request.yml",
        "merge" => "templates/azure/portvakt-merge.yml",
        _ => "templates/azure/portvakt-drift.yml",
    };
    script(file, step)
}

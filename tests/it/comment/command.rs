//! The command: a saved or a new plan, as one comment.

use crate::world::{RUNTIME, Ran, World};

use super::server::{CommentAuthor, MARKER, Server};
use super::{AzureDevOps, GitHub, GitLab};

fn run(world: &World, server: &Server, args: &[&str]) -> Ran {
    let mut command = world.command(args);
    Ran::of(command.envs(server.environment()))
}

#[test]
fn the_second_run_updates_the_first_ones_comment() {
    let world = World::new();
    world.declare("scopes: [{ name: etat:a, description: Les }]\n");
    assert_eq!(world.run(&["plan", "--out", "plan.json"]).code, 0);
    let servers = [
        ("--github", RUNTIME.block_on(Server::start(GitHub::new()))),
        ("--gitlab", RUNTIME.block_on(Server::start(GitLab::new()))),
        ("--azure-devops", RUNTIME.block_on(Server::start(AzureDevOps::new()))),
    ];
    for (host, server) in servers {
        let saved = run(&world, &server, &["comment", host, "--plan", "plan.json"]);
        assert_eq!(saved.code, 0, "{}", saved.stderr);
        assert!(
            saved.stderr.starts_with("posted the comment on pull request 7"),
            "{}",
            saved.stderr
        );
        let markdown = world.run(&["show", "plan.json", "--format", "markdown"]).stdout;
        let [(CommentAuthor::Us, first)] = &server.comments()[..] else {
            panic!("{:?}", server.comments())
        };
        assert_eq!(first.trim_end(), markdown.trim_end());
        let made = run(&world, &server, &["comment", host]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        assert!(made.stderr.contains("kept the comment on pull request 7"), "{}", made.stderr);
        let [(CommentAuthor::Us, second)] = &server.comments()[..] else {
            panic!("{:?}", server.comments())
        };
        assert!(second.starts_with(MARKER), "{second}");
    }
}

#[test]
fn what_a_job_lacks_is_reported_by_name() {
    let world = World::new();
    let ran = world.run(&["comment", "--github", "--plan", "plan.json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("GITHUB_"), "{}", ran.stderr);
    let which = world.run(&["comment"]);
    assert_eq!(which.code, 64, "{}", which.stderr);
}

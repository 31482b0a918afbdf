//! `--out` and `--check`: a folder has what is rendered for the environment, and nothing of others is touched.

use std::path::Path;

use super::provider::{declaration, world};
use crate::world::World;

const AWS: &str = "clouds/aws-123456789012";

fn run(world: &World, more: &[&str]) -> (i32, String, String) {
    let ran = world.run(&[&["render", "skyporten"], more].concat());
    (ran.code, ran.stdout, ran.stderr)
}

fn has(world: &World, path: &str) -> bool {
    Path::new(&world.folder().join(path)).exists()
}

#[test]
fn a_folder_is_compared() {
    let world = world();
    let (code, stdout, _) = run(&world, &["--check", "clouds"]);
    assert_eq!(code, 2, "nothing is there yet");
    assert!(stdout.contains(&format!("+++ b/{AWS}/lager-les.tf.json")), "{stdout}");
    assert!(!has(&world, "clouds"), "a check writes nothing");
    assert_eq!(run(&world, &["--out", "clouds"]).0, 0);
    let (code, stdout, stderr) = run(&world, &["--check", "clouds"]);
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    assert!(stderr.ends_with("clouds is up to date\n"), "{stderr}");
    let (code, stdout, stderr) = run(&world, &["--out", "clouds"]);
    assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
    assert!(stderr.ends_with("clouds is up to date\n"), "{stderr}");
    world.declare(
        &declaration()
            .replace("consumers:\n      - skatteetaten\n", "consumers:\n      - \"971040238\"\n"),
    );
    let (code, stdout, stderr) = run(&world, &["--check", "clouds"]);
    assert_eq!(code, 2, "{stderr}");
    let changed = |sign: char, number: &str| {
        let subject = format!("\"0192:{number};etat:lager.read\"");
        stdout.lines().any(|line| {
            line.strip_prefix(sign).is_some_and(|line| line.trim().trim_end_matches(',') == subject)
        })
    };
    assert!(changed('-', "974761076") && changed('+', "971040238"), "{stdout}");
}

#[test]
fn what_is_no_longer_rendered_is_removed_if_it_has_the_marker() {
    let world = world();
    assert_eq!(run(&world, &["--out", "clouds"]).0, 0);
    let own = format!("{AWS}/providers.tf");
    world.write(&own, "provider \"aws\" {}\n");
    let json = format!("{AWS}/roles.tf.json");
    world.write(&json, "{}\n");
    let other = format!("{AWS}/annen.tf.json");
    let text =
        std::fs::read_to_string(world.folder().join(format!("{AWS}/lager-les.tf.json"))).unwrap();
    world.write(&other, text.replace("declarations of test (", "declarations of prod ("));
    let renamed = declaration().replace("name: lager-les", "name: lager");
    world.declare(&renamed);
    // With a choice nobody knows what else there is.
    let (code, stdout, _) = run(&world, &["--check", "clouds", "--name", "lager"]);
    assert_eq!(code, 2);
    assert!(!stdout.contains("--- a/clouds/aws-123456789012/lager-les"), "{stdout}");
    let (code, stdout, _) = run(&world, &["--check", "clouds", "--cloud", "aws"]);
    assert_eq!(code, 2);
    assert!(stdout.contains(&format!("--- a/{AWS}/lager-les.tf.json")), "{stdout}");
    assert!(!stdout.contains("azure-"), "{stdout}");
    let (code, _, stderr) = run(&world, &["--out", "clouds"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains(&format!("{AWS}/lager-les.tf.json is removed")), "{stderr}");
    assert!(has(&world, &format!("{AWS}/lager.tf.json")));
    assert!(!has(&world, &format!("{AWS}/lager-les.tf.json")));
    for kept in [&own, &json, &other] {
        assert!(has(&world, kept), "{kept}");
    }
    // With no entry left, all of them go.
    world.declare("scopes: []\n");
    assert_eq!(run(&world, &["--check", "clouds"]).0, 2);
    assert_eq!(run(&world, &["--out", "clouds"]).0, 0);
    assert!(
        !has(&world, &format!("{AWS}/lager.tf.json"))
            && !has(&world, &format!("{AWS}/_issuer.tf.json"))
    );
    for kept in [&own, &json, &other] {
        assert!(has(&world, kept), "{kept}");
    }
    let (code, _, stderr) = run(&world, &["--check", "clouds"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("nothing was compared"), "{stderr}");
}

#[test]
fn a_check_shows_which_identity_gets_the_trust() {
    let world = world();
    assert_eq!(run(&world, &["--out", "clouds"]).0, 0);
    world.declare(&declaration().replace("identity: lager-les", "identity: helt-annen"));
    let (code, stdout, stderr) = run(&world, &["--check", "clouds", "--cloud", "azure"]);
    assert_eq!(code, 2, "{stderr}");
    for shown in ["-", "+"].into_iter().zip(["lager-les", "helt-annen"]) {
        let (sign, identity) = shown;
        let is_shown = |line: &str| {
            line.starts_with(sign)
                && line.contains(&format!("/userAssignedIdentities/{identity}\""))
        };
        assert!(stdout.lines().any(is_shown), "{stdout}");
    }
}

#[test]
fn a_check_that_compares_nothing_fails() {
    let world = world();
    world.declare(&declaration().replace("    databricks: {", "    # databricks: {"));
    let (code, _, stderr) = run(&world, &["--check", "clouds", "--cloud", "databricks"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("nothing is rendered for test"), "{stderr}");
}

#[test]
fn a_file_of_somebody_else_is_not_overwritten() {
    let world = world();
    let foreign = format!("{AWS}/lager-les.tf.json");
    world.write(&foreign, "{}\n");
    let (code, _, stderr) = run(&world, &["--out", "clouds"]);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("choose another folder"), "{stderr}");
    assert_eq!(std::fs::read_to_string(world.folder().join(&foreign)).unwrap(), "{}\n");
    assert!(!has(&world, "clouds/gcp-123456789012"), "nothing is written at all");
    assert_eq!(run(&world, &["--check", "clouds"]).0, 2);
}

#[test]
fn a_file_of_another_project_is_neither_overwritten_nor_removed() {
    let world = world();
    let named = |project: &str, share: &str| {
        let path = world.folder().join("portvakt.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.lines().filter(|line| !line.starts_with("project:"));
        let text = text.collect::<Vec<_>>().join("\n");
        world.write("portvakt.yaml", format!("project: {project}\n{text}\n"));
        world.declare(&declaration().replace("name: lager-les", &format!("name: {share}")));
    };
    let read = |name: &str| {
        let path = world.folder().join(AWS).join(name);
        std::fs::read_to_string(path).unwrap_or_default()
    };
    named("lager", "lager-les");
    assert_eq!(run(&world, &["--out", "clouds"]).0, 0);
    let (issuer, trust) = (read("_issuer.tf.json"), read("lager-les.tf.json"));
    assert!(trust.contains("declarations of @lager/test (organisation "), "{trust}");
    named("register", "register-les");
    let (code, stdout, _) = run(&world, &["--check", "clouds"]);
    assert_eq!(code, 2);
    assert!(!stdout.contains("--- a/clouds/aws-123456789012/lager-les"), "{stdout}");
    let (code, _, stderr) = run(&world, &["--out", "clouds"]);
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("was not rendered for @register/test"), "{stderr}");
    assert_eq!((read("_issuer.tf.json"), read("lager-les.tf.json")), (issuer, trust));
    assert!(!has(&world, &format!("{AWS}/register-les.tf.json")), "nothing is written at all");
    // Where no file is in the way, those of the other remain.
    assert_eq!(run(&world, &["--out", "clouds", "--cloud", "azure"]).0, 0);
    let azure = "clouds/azure-00000000-0000-0000-0000-000000000000";
    assert!(has(&world, &format!("{azure}/lager-les.tf.json")));
    assert!(has(&world, &format!("{azure}/register-les.tf.json")));
}

#[cfg(unix)]
#[test]
fn all_files_are_written_or_none() {
    let world = world();
    assert_eq!(run(&world, &["--out", "clouds", "--cloud", "aws"]).0, 0);
    let old = format!("{AWS}/lager-les.tf.json");
    let before = std::fs::read_to_string(world.folder().join(&old)).unwrap();
    world.declare(&declaration().replace("name: lager-les", "name: lager"));
    // A link to nothing is found last, as it cannot be written.
    let folder = world.folder().join("clouds/gcp-123456789012");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.join("lager.tf.json")).unwrap();
    let (code, _, stderr) = run(&world, &["--out", "clouds"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("taken back: nothing is changed"), "{stderr}");
    assert!(!stderr.contains("is written") && !stderr.contains("is removed"), "{stderr}");
    assert_eq!(std::fs::read_to_string(world.folder().join(&old)).unwrap(), before);
    assert!(!has(&world, &format!("{AWS}/lager.tf.json")));
    assert!(!has(&world, "clouds/azure-00000000-0000-0000-0000-000000000000"));
}

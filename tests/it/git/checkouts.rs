//! Kinds of checkouts: sparse, nested, with submodules, and partial clones.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::life::scopes;
use super::protection::settings;
use super::remote::{Clone, Remote, git};
use crate::client_tables::set;
use crate::world::{KART, KEY, SKATT, ids};

/// The ids of the planned actions, and whether files differ from the commit.
fn plan(clone: &Clone<'_>) -> (Vec<String>, bool) {
    let plan = clone.plan();
    (ids(&plan), plan["repository"]["dirty"].as_bool().unwrap())
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_a_sparse_checkout_leaves_out_is_read_from_the_index() {
    let remote = Remote::new();
    let one = remote.first();
    one.write("inne/a.yaml", &scopes(&[("etat:a", &[SKATT])]));
    let keys = "clients:\n  - { name: app, scopes: [], jwks: app.json }\n";
    one.write("ute/b.yaml", &(scopes(&[("etat:b", &[SKATT])]) + keys));
    one.write("ute/app.json", &set(&[&KEY]));
    one.write("annet/portvakt.yaml", &settings(&one));
    one.write("annet/c.yaml", &scopes(&[("etat:c", &[SKATT])]));
    one.merge("Two folders, and one of its own");
    one.apply();
    let two = remote.another("two", &[]);
    two.git(&["sparse-checkout", "set", "inne"]);
    assert!(!two.path.join("ute").exists());
    assert_eq!(plan(&two), (vec![], false), "neither removed nor changed");
    assert!(two.ends(0, &["validate"]).stdout.starts_with("OK: "));
    // A folder with its own portvakt.yaml is left out, whichever part of it is checked out.
    two.git(&["sparse-checkout", "set", "--no-cone", "/*", "!annet/portvakt.yaml", "!ute/"]);
    assert!(two.path.join("annet/c.yaml").exists());
    assert_eq!(plan(&two), (vec![], false));
    // A staged change counts, and is not in the commit.
    one.write("ute/b.yaml", &scopes(&[("etat:b", &[SKATT, KART])]));
    let blob = one.git(&["hash-object", "-w", "ute/b.yaml"]);
    std::fs::copy(one.path.join(".git/objects").join(&blob[..2]).join(&blob[2..]), {
        let folder = two.path.join(".git/objects").join(&blob[..2]);
        std::fs::create_dir_all(&folder).unwrap();
        folder.join(&blob[2..])
    })
    .unwrap();
    two.git(&["update-index", "--cacheinfo", &format!("100644,{blob},ute/b.yaml")]);
    two.git(&["update-index", "--skip-worktree", "ute/b.yaml"]);
    let (planned, dirty) = plan(&two);
    assert!(planned.contains(&format!("grant etat:b {KART}")) && dirty, "{planned:?}");
    // The change of a file that is only assumed unchanged is found.
    two.git(&["reset", "--quiet", "--hard"]);
    two.git(&["update-index", "--assume-unchanged", "inne/a.yaml"]);
    std::fs::remove_file(two.path.join("inne/a.yaml")).unwrap();
    assert!(plan(&two).1);
}

#[test]
fn a_removal_is_closed_from_a_sparse_checkout_that_leaves_it_out() {
    let remote = Remote::new();
    let one = remote.first();
    one.write("inne/a.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.write("ute/b.yaml", &scopes(&[("etat:b", &[SKATT])]));
    one.merge("Both");
    one.apply();
    one.git(&["rm", "--quiet", "ute/b.yaml"]);
    one.merge("Less");
    let two = remote.another("two", &["--sparse"]);
    two.git(&["sparse-checkout", "set", "inne"]);
    two.apply();
    assert_eq!(remote.world.open_to("etat:b"), None);
    assert!(remote.world.open_to("etat:a").is_some());
}

#[test]
fn what_is_in_neither_a_sparse_checkout_nor_its_partial_clone_is_fetched_in_one_go() {
    let remote = Remote::new();
    git(&remote.path(), &["config", "uploadpack.allowFilter", "true"]);
    let one = remote.first();
    one.write("inne/a.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.write("ute/b.yaml", &scopes(&[("etat:b", &[SKATT])]));
    one.write("ute/c.yaml", &scopes(&[("etat:c", &[SKATT])]));
    one.write("ute/app.json", &set(&[&KEY]));
    symlink("../ute/c.yaml", one.path.join("inne/lenke.yaml")).unwrap();
    one.write("ute/d.yaml", "clients:\n  - { name: app, scopes: [], jwks: app.json }\n");
    one.merge("All");
    one.apply();
    let two = remote.another("two", &["--sparse", "--filter=blob:none"]);
    two.git(&["sparse-checkout", "set", "inne"]);
    // One fetch for the files and one for their keys; none where everything is here.
    let fetches = |command: &[&str]| {
        let trace = two.path.join(".git/trace");
        let _ = std::fs::remove_file(&trace);
        let ran = two.process(command).env("GIT_TRACE", &trace).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let trace = std::fs::read_to_string(trace).unwrap_or_default();
        let fetched = trace.matches("built-in: git fetch").count();
        (ran.status.code(), fetched, said)
    };
    let (code, fetched, said) = fetches(&["validate"]);
    assert_eq!((code, fetched), (Some(0), 2), "{said}");
    assert_eq!(plan(&two), (vec![], false));
    assert_eq!(fetches(&["validate"]).1, 0);
    // A sparse index has no entries for single files.
    two.git(&["sparse-checkout", "set", "--sparse-index", "inne"]);
    let ran = two.ends(1, &["plan"]);
    let remedy = "git sparse-checkout reapply --no-sparse-index";
    assert!(ran.stderr.contains(remedy), "{}", ran.stderr);
    two.git(&["sparse-checkout", "add", "ute"]);
    two.git(&remedy.split(' ').skip(1).collect::<Vec<_>>());
    assert_eq!(plan(&two), (vec![], false));
}

#[test]
fn what_cannot_be_fetched_into_a_sparse_checkout_is_an_error_with_the_remedy() {
    let remote = Remote::new();
    git(&remote.path(), &["config", "uploadpack.allowFilter", "true"]);
    let one = remote.first();
    one.write("inne/a.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.write("ute/b.yaml", &scopes(&[("etat:b", &[SKATT])]));
    one.merge("Both");
    one.apply();
    let two = remote.another("two", &["--sparse", "--filter=blob:none"]);
    two.git(&["sparse-checkout", "set", "inne"]);
    two.git(&["remote", "set-url", "origin", "gone.git"]);
    for command in [&["plan"][..], &["apply", "--auto-approve"], &["validate"]] {
        let ran = two.ends(3, command);
        let message = ran.stdout + &ran.stderr;
        assert!(message.contains("git sparse-checkout add ute"), "{message}");
        assert!(
            message.contains("was not fetched") || message.contains("were not fetched"),
            "{message}"
        );
    }
    two.git(&["remote", "set-url", "origin", &remote.path().display().to_string()]);
    assert_eq!(plan(&two), (vec![], false));
}

#[test]
fn a_checkout_of_another_repository_below_is_left_out() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    // As `actions/checkout` with `path` creates it, in a folder that git ignores or not.
    for nested in ["nestet", "ignorert"] {
        one.write(".git/info/exclude", "ignorert\n");
        let inner = remote.at(&one.path.join(nested));
        inner.write("x.yaml", &scopes(&[("etat:x", &[SKATT])]));
        inner.write("dypere/y.yaml", &scopes(&[("etat:y", &[SKATT])]));
        inner.git(&["init", "--quiet"]);
        inner.commit("Of its own");
        assert_eq!(plan(&one), (vec![], false), "{nested}");
    }
    // Nothing is read from it through a link or as keys either.
    let keys = "clients:\n  - { name: app, scopes: [], jwks: nestet/app.json }\n";
    one.write("nestet/app.json", &set(&[&KEY]));
    one.write("keys.yaml", keys);
    let ran = one.ends(3, &["validate"]);
    assert!(ran.stdout.contains("a repository of its own"), "{}", ran.stdout);
    symlink("nestet/app.json", one.path.join("lenke.json")).unwrap();
    one.write("keys.yaml", &keys.replace("nestet/app", "lenke"));
    one.ends(3, &["validate"]);
    std::fs::remove_file(one.path.join("keys.yaml")).unwrap();
    symlink("nestet/x.yaml", one.path.join("lenke.yaml")).unwrap();
    let ran = one.ends(3, &["validate"]);
    assert!(ran.stdout.contains("PV004"), "{}", ran.stdout);
    std::fs::remove_file(one.path.join("lenke.yaml")).unwrap();
    // Files that git has below it are read, whatever somebody has made of the folder.
    one.write("felles/z.yaml", &scopes(&[("etat:z", &[SKATT])]));
    one.merge("More");
    one.apply();
    git(&one.path.join("felles"), &["init", "--quiet"]);
    assert_eq!(plan(&one).0, NOTHING);
    one.write("felles/ny.yaml", &scopes(&[("etat:ny", &[])]));
    let (planned, dirty) = plan(&one);
    assert!(dirty || planned.is_empty(), "{planned:?}");
}

/// A repository that is a submodule `under` of the first clone's, which is on the remote.
fn with_submodule<'r>(remote: &'r Remote, yaml: &str) -> (Clone<'r>, Clone<'r>) {
    let one = remote.first();
    let inner = remote.beside("inner");
    std::fs::create_dir(&inner).unwrap();
    let inner = remote.at(&inner);
    inner.git(&["init", "--quiet", "-b", "main"]);
    git(&inner.path, &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    inner.write("x.yaml", yaml);
    inner.commit("Inside");
    let from = format!("file://{}", inner.path.display());
    one.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &from, "under"]);
    one.merge("With a submodule");
    (one, inner)
}

fn update(clone: &Clone<'_>, more: &[&str]) {
    let update = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init"];
    clone.git(&[&update, more].concat());
}

#[test]
fn a_submodule_counts_with_its_own_state() {
    let remote = Remote::new();
    let (one, inner) = with_submodule(&remote, &scopes(&[("etat:x", &[SKATT])]));
    one.apply();
    assert!(remote.world.open_to("etat:x").is_some());
    assert_eq!(plan(&one), (vec![], false));
    // Uncommitted in it; committed and not referenced; staged and not committed.
    one.write("under/x.yaml", &scopes(&[("etat:x", &[SKATT, KART])]));
    let more = vec![format!("grant etat:x {KART}")];
    assert_eq!(plan(&one), (more.clone(), true));
    one.git(&["config", "-f", ".gitmodules", "submodule.under.ignore", "all"]);
    one.merge("Ignore it");
    assert_eq!(plan(&one), (more.clone(), true), "nothing hides it");
    remote.at(&one.path.join("under")).commit("More");
    assert_eq!(plan(&one), (more.clone(), true));
    one.ends(4, &["apply", "--auto-approve"]);
    one.git(&["add", "-f", "under"]);
    assert_eq!(plan(&one), (more, true));
    one.git(&["reset", "--quiet", "HEAD", "under"]);
    update(&one, &["--force"]);
    assert_eq!(plan(&one), (vec![], false));
    // A file that is not in it, ignored or not.
    one.write("under/y.yaml", &scopes(&[("etat:y", &[])]));
    assert!(plan(&one).1);
    std::fs::remove_file(one.path.join("under/y.yaml")).unwrap();
    one.write("under/notat.txt", "");
    assert!(!plan(&one).1);
    // An entity that it removes is deactivated, wherever its commit is read.
    inner.write("x.yaml", "scopes: []\n");
    let less = inner.commit("Less");
    let under = remote.at(&one.path.join("under"));
    under.git(&["fetch", "--quiet", "origin"]);
    under.git(&["checkout", "--quiet", &less]);
    one.git(&["add", "-f", "under"]);
    one.git(&["commit", "--quiet", "-m", "Less"]);
    one.git(&["push", "--quiet", "origin", "HEAD"]);
    let two = remote.another("two", &["--depth", "1"]);
    let ran = two.ends(3, &["plan"]);
    assert!(ran.stderr.contains("git submodule update --init under"), "{}", ran.stderr);
    for clone in [&one, &two] {
        update(clone, &["--depth", "1"]);
        // Fetches from a submodule are as strict as git's own: an address from a pull request is not the
        // user's.
        if clone.path == two.path {
            assert!(two.ends(0, &["plan"]).stdout.contains("PV409"));
            git(&two.path.join("under"), &["config", "protocol.file.allow", "always"]);
        }
        let gone = [format!("revoke etat:x {SKATT}"), "deactivate scope etat:x".to_owned()];
        assert_eq!(plan(clone), (gone.to_vec(), false));
    }
    two.apply();
    assert_eq!(remote.world.open_to("etat:x"), None);
}

#[test]
fn the_past_of_a_submodule_that_nobody_has_is_not_known() {
    let remote = Remote::new();
    let (one, _) = with_submodule(&remote, &scopes(&[("etat:x", &[SKATT])]));
    one.apply();
    // Nothing is left of it, here or elsewhere.
    one.git(&["rm", "--quiet", "under"]);
    one.merge("Without");
    let two = remote.another("two", &[]);
    let ran = two.ends(2, &["plan", "--detailed-exitcode"]);
    assert!(ran.stdout.starts_with("What was applied before is not known"), "{}", ran.stdout);
    assert!(ran.stdout.contains("of submodule under cannot be read"), "{}", ran.stdout);
    two.apply();
    assert!(remote.world.open_to("etat:x").is_some());
    // The suggested command fetches it.
    assert!(ran.stdout.contains("check out the commit that was applied"), "{}", ran.stdout);
    let three = remote.another("three", &[]);
    three.git(&["checkout", "--quiet", "HEAD~1"]);
    update(&three, &[]);
    three.git(&["checkout", "--quiet", "main"]);
    assert!(plan(&three).0.contains(&"deactivate scope etat:x".to_owned()));
    // A clone that still has it knows.
    let plan = one.plan();
    assert!(ids(&plan).contains(&"deactivate scope etat:x".to_owned()), "{plan:#}");
    one.apply();
    assert_eq!(remote.world.open_to("etat:x"), None);
}

#[test]
fn a_submodule_that_is_excluded_is_no_part_of_the_past() {
    let remote = Remote::new();
    let (one, inner) = with_submodule(&remote, &scopes(&[("etat:x", &[SKATT])]));
    one.write("portvakt.yaml", &(settings(&one) + "exclude: [under]\n"));
    one.write("a.yaml", &scopes(&[("etat:a", &[SKATT]), ("etat:b", &[])]));
    one.merge("Exclude");
    one.apply();
    assert_eq!(remote.world.open_to("etat:x"), None);
    one.write("a.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.write("under/x.yaml", "scopes: []\n");
    one.git(&["commit", "--quiet", "-m", "Less", "a.yaml"]);
    one.git(&["push", "--quiet", "origin", "HEAD"]);
    assert_eq!(plan(&one), (vec!["deactivate scope etat:b".to_owned()], false));
    std::fs::remove_dir_all(&inner.path).unwrap();
    let two = remote.another("two", &[]);
    assert_eq!(plan(&two), (vec!["deactivate scope etat:b".to_owned()], false));
}

#[test]
fn a_partial_clone_fetches_what_it_lacks_of_the_past() {
    for filter in ["--filter=blob:none", "--filter=tree:0"] {
        let remote = Remote::new();
        git(&remote.path(), &["config", "uploadpack.allowFilter", "true"]);
        let one = remote.first();
        let keys = "clients:\n  - { name: app, scopes: [], jwks: keys/app.json }\n";
        let before = scopes(&[("etat:a", &[SKATT]), ("etat:b", &[SKATT])]);
        one.write("a/b/scopes.yaml", &before);
        one.write("a/b/client.yaml", keys);
        one.write("a/b/keys/app.json", &set(&[&KEY]));
        one.merge("Declare");
        one.apply();
        for file in ["scopes.yaml", "client.yaml", "keys/app.json"] {
            one.git(&["mv", &format!("a/b/{file}"), &format!("a/{}", file.replace("keys/", ""))]);
        }
        one.write("a/client.yaml", &keys.replace("keys/", ""));
        one.write("a/scopes.yaml", &scopes(&[("etat:a", &[SKATT])]));
        one.write("a/app.json", &set(&[&KEY]));
        one.merge("Less");
        let two = remote.another("two", &[filter]);
        let gone = [format!("revoke etat:b {SKATT}"), "deactivate scope etat:b".to_owned()];
        assert_eq!(plan(&two), (gone.to_vec(), false), "{filter}");
        assert_eq!(two.history().len(), 1);
        // If it is out of reach, its content is not known, and nothing that depends on it is done.
        let three = remote.another("three", &[filter]);
        three.git(&["remote", "set-url", "origin", "file:///nowhere"]);
        let ran = three.ends(2, &["plan", "--detailed-exitcode"]);
        assert!(ran.stdout.starts_with("What was applied before is not known"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("deactivate etat:b"), "{}", ran.stdout);
        two.apply();
        assert_eq!(remote.world.open_to("etat:b"), None);
        assert_eq!(one.plan()["applied"]["commit"], *two.head());
    }
}

#[test]
fn a_folder_of_its_own_below_changes_nothing_of_the_one_above() {
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.write("y/portvakt.yaml", &settings(&one));
    one.write("y/scopes.yaml", &scopes(&[("etat:y", &[SKATT])]));
    one.merge("One in another");
    one.apply();
    one.write("y/scopes.yaml", &scopes(&[("etat:y", &[SKATT, KART])]));
    one.write("y/ny.yaml", &scopes(&[("etat:ny", &[])]));
    one.write("y/portvakt.yaml", &(settings(&one) + "guards: { max_grants: 1 }\n"));
    assert_eq!(plan(&one), (vec![], false));
    // The work tree does not decide whether it is a folder of its own.
    std::fs::remove_file(one.path.join("y/portvakt.yaml")).unwrap();
    assert!(plan(&one).1);
    one.git(&["checkout", "--quiet", "."]);
    one.git(&["clean", "--quiet", "-fd"]);
    one.write("z/scopes.yaml", &scopes(&[("etat:z", &[SKATT])]));
    one.merge("And another");
    one.apply();
    one.write("z/portvakt.yaml", &settings(&one));
    let (planned, dirty) = plan(&one);
    assert!(dirty, "{planned:?}");
    std::fs::remove_file(one.path.join("z/portvakt.yaml")).unwrap();
    // Nothing in it is read through a link.
    for (link, to) in [("lenke.yaml", "y/scopes.yaml"), ("z/lenke.yaml", "../y/scopes.yaml")] {
        symlink(Path::new(to), one.path.join(link)).unwrap();
        let ran = one.ends(3, &["validate"]);
        assert!(ran.stdout.contains("PV004"), "{link}: {}", ran.stdout);
        std::fs::remove_file(one.path.join(link)).unwrap();
    }
}

#[test]
fn an_index_that_cannot_be_read_whole_hides_nothing() {
    let remote = Remote::new();
    let (one, _) = with_submodule(&remote, "");
    one.write("inne/a.yaml", &scopes(&[("etat:a", &[SKATT])]));
    one.write("ute/b.yaml", &scopes(&[("etat:b", &[SKATT])]));
    one.merge("Both");
    one.apply();
    let two = remote.another("two", &[]);
    two.git(&["sparse-checkout", "set", "inne"]);
    let submodule = one.git(&["ls-files", "-s"]);
    let submodule = submodule.lines().find_map(|line| line.strip_prefix("160000")).unwrap();
    let folder = two.path.join(submodule.rsplit('\t').next().unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(".git"), "gitdir: ../nowhere\n").unwrap();
    // Beside a checkout whose declarations are in no commit here.
    git(&two.path, &["init", "--quiet", "nested"]);
    two.write("nested/n.yaml", &scopes(&[("etat:n", &[KART])]));
    let ran = two.run(&["plan"]);
    let message = format!("{}{}", ran.stdout, ran.stderr);
    assert!([1, 3].contains(&ran.code), "{message}");
    assert!(!message.contains("etat:n ") && !message.contains("deactivate"), "{message}");
}

#[test]
fn a_name_that_is_no_text_is_no_declaration_that_nobody_sees() {
    use std::os::unix::ffi::OsStrExt as _;
    let remote = Remote::new();
    let one = remote.first();
    one.declare(&scopes(&[("etat:a", &[SKATT])]));
    one.apply();
    let name = std::ffi::OsStr::from_bytes(b"x\xff.yaml");
    std::fs::write(one.path.join(name), scopes(&[("etat:b", &[SKATT])])).unwrap();
    let message = one.ends(3, &["validate"]).stdout;
    assert!(message.contains("is no UTF-8"), "{message}");
    one.ends(3, &["apply", "--auto-approve"]);
    let base = one.commit("Name");
    std::fs::remove_file(one.path.join(name)).unwrap();
    one.commit("No such name");
    let plan: serde_json::Value =
        serde_json::from_str(&one.ends(0, &["plan", "--base", &base, "--format", "json"]).stdout)
            .unwrap();
    assert!(plan["notices"].to_string().contains("is no UTF-8"), "{plan:#}");
}

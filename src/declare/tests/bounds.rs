//! Which files are read, and how much of them.

use std::fs;

use super::{SETTINGS, TODAY, check, check_one, folder, said};
use crate::declare::{Rule, find_root, load, read};

#[test]
fn bounds_of_yaml() {
    let deep = format!("groups: {}", "[".repeat(100));
    let wide = format!("groups: {{ a: &a [{}], b: [{}] }}", "x,".repeat(200), "*a,".repeat(60));
    for (yaml, code) in [
        (deep.as_str(), Rule::Nesting),
        (wide.as_str(), Rule::Nesting),
        ("groups: { a: &a [x], b: [*a] }", Rule::WrongValue),
    ] {
        let found = check_one(yaml);
        assert!(found.iter().any(|found| found.code == code), "{found:?}");
    }
}

#[test]
fn too_much_access_is_not_resolved() {
    let members = "'974761076', ".repeat(1_001);
    let entries = "{ group: g }, ".repeat(1_000);
    let yaml = format!(
        "groups: {{ g: [{members}] }}\nscopes: [{{ name: etat:a, description: d, consumers: \
         [{entries}] }}]"
    );
    assert!(said(&check_one(&yaml)).contains("PV116"));
}

#[test]
fn bounds_of_files() {
    let large = vec![b'#'; (1 << 20) + 1];
    let files: [(&str, &[u8]); 4] = [
        ("portvakt.yaml", SETTINGS.as_bytes()),
        ("large.yaml", &large),
        ("latin.yml", b"groups:\n  bl\xe5: []"),
        (".hidden/a.yaml", b"["),
    ];
    insta::assert_snapshot!(said(&check(folder(&files).path())), @r"
    large.yaml:1:1: PV003: this file is larger than 1 MiB
      help: spread the declarations over several files, or add it to `exclude`
    latin.yml:2:5: PV005: this file is not UTF-8: byte 0xe5
      help: save it as UTF-8; older Windows programs save as Latin-1 or UTF-16
    ");
}

#[test]
fn globs_choose_the_files() {
    let settings = format!("{SETTINGS}include: [teams, 'k8s/*.yml']\nexclude: ['**/skip/']\n");
    let files: [(&str, &[u8]); 6] = [
        ("portvakt.yaml", settings.as_bytes()),
        ("b.yaml", b"["),
        ("teams/a/skip/b/a.yaml", b"["),
        ("k8s/sub/a.yml", b"["),
        ("teams/a/a.yaml", b"scopes: [{ name: etat:a, description: a }]"),
        (".gitignore", b"*"),
    ];
    let repository = load(folder(&files).path()).unwrap();
    let (desired, _) = repository.desired("test", TODAY).unwrap();
    assert_eq!(desired.scopes.len(), 1, "what git ignores is read");
}

#[test]
fn files_in_memory_are_read_as_those_of_a_folder() {
    let settings = format!("{SETTINGS}include: [teams/, k8s]\nexclude: [/, 'teams/*/skip/']\n");
    let files: [(&str, &[u8]); 9] = [
        ("portvakt.yaml", settings.as_bytes()),
        ("b.yaml", b"["),
        ("k8s/.hidden/a.yaml", b"["),
        ("k8s/a.txt", b"["),
        ("teams/a/skip/b/a.yaml", b"["),
        ("teams/a.yaml", b"groups: { a: [x] }"),
        ("teams/a/b.yml", b"groups: { b: [y] }\ngrups: 1"),
        ("teams/a-b.yaml", b"scopes: [{ name: etat:a, description: a }]"),
        ("teams/b.YAML", b"scopes: [{ name: etat:a, description: a }]"),
    ];
    let folder = folder(&files);
    let declared = files[1..].iter().rev();
    let declared = declared.map(|(name, bytes)| ((*name).into(), bytes.to_vec())).collect();
    let repository = read(folder.path(), settings.as_bytes(), declared, &|_| None).unwrap();
    let found = repository.check(TODAY);
    assert!(found.len() > 3, "{}", said(&found));
    let mut of_folder = check(folder.path());
    // The globs of files in memory are not compared with any folder.
    of_folder.retain(|found| found.code != Rule::UnmatchedPath);
    assert_eq!(found, of_folder);
}

#[test]
fn there_must_be_settings() {
    let empty = folder(&[]);
    let shown = said(&check(empty.path()));
    assert!(shown.starts_with("portvakt.yaml:1:1: PV001: "), "{shown}");
    for text in ["", "[]", "---\n---\n", "# nothing"] {
        let shown = said(&check(folder(&[("portvakt.yaml", text.as_bytes())]).path()));
        assert!(shown.contains("PV012"), "{text}: {shown}");
    }
}

#[test]
fn the_root_is_found_upwards() {
    let folder = folder(&[("portvakt.yaml", b""), ("a/b/c.yaml", b"")]);
    let found = find_root(&folder.path().join("a/b")).unwrap();
    assert_eq!(found, folder.path());
    let nowhere = crate::declare::tests::folder(&[]);
    let error = find_root(nowhere.path()).unwrap_err();
    assert!(error.to_string().contains("-C DIR"));
}

#[cfg(unix)]
#[test]
fn no_link_leaves_the_repository() {
    use std::os::unix::fs::symlink;
    let outside = folder(&[("a.yaml", b"scopes: [")]);
    let inside = folder(&[("portvakt.yaml", SETTINGS.as_bytes()), ("a.yaml", b"")]);
    let path = inside.path();
    symlink(outside.path().join("a.yaml"), path.join("file.yaml")).unwrap();
    symlink(outside.path(), path.join("folder")).unwrap();
    symlink(path.join("a.yaml"), path.join("inside.yaml")).unwrap();
    symlink(path.join("nowhere"), path.join("broken.yaml")).unwrap();
    fs::write(path.join("text"), "scopes: [").unwrap();
    symlink(path.join("text"), path.join("unread.yaml")).unwrap();
    insta::assert_snapshot!(said(&check(path)), @r"
    broken.yaml:1:1: PV004: this symbolic link leads nowhere
      help: remove it, or add it to `exclude` in portvakt.yaml
    file.yaml:1:1: PV004: this symbolic link leaves the repository
      help: remove it, or add it to `exclude` in portvakt.yaml
    folder:1:1: PV004: this symbolic link leaves the repository
      help: remove it, or add it to `exclude` in portvakt.yaml
    unread.yaml:1:1: PV004: this symbolic link leads to a file that is not read
      help: remove it, or add it to `exclude` in portvakt.yaml
    ");
    fs::remove_file(path.join("portvakt.yaml")).unwrap();
    fs::write(outside.path().join("p.yaml"), SETTINGS).unwrap();
    symlink(outside.path().join("p.yaml"), path.join("portvakt.yaml")).unwrap();
    let shown = said(&check(path));
    assert!(shown.contains("PV004"), "{shown}");
}

#[test]
fn findings_are_bounded() {
    let many = format!("scopes:\n{}", "- x\n".repeat(5_000));
    let found = check_one(&many);
    assert_eq!(found.len(), 1_001);
    assert_eq!((found[1_000].code, found[1_000].line), (Rule::TooMuch, 1_002));
    let names: Vec<_> = (0..20).map(|n| format!("{n}.yaml")).collect();
    let mut files: Vec<(&str, &[u8])> =
        names.iter().map(|name| (name.as_str(), many.as_bytes())).collect();
    files.push(("portvakt.yaml", SETTINGS.as_bytes()));
    assert_eq!(check(folder(&files).path()).len(), 10_001);
}

#[test]
fn a_control_character_is_reported_where_it_is() {
    let found = check_one("scopes:\n- name: etat:a\n  description: \"blå\u{b}b\"\n");
    assert_eq!((found.len(), found[0].line, found[0].column), (1, 3, 20));
    assert!(found[0].message.contains("U+000B"), "{}", found[0].message);
    let found =
        check_one("scopes: [{ name: etat:a, description: d, at_max_age: 99999999999999999999 }]");
    assert!(found[0].message.contains("too large"), "{}", found[0].message);
}

#[test]
fn what_is_not_reported_any_more_cannot_be_silenced() {
    let settings =
        format!("{SETTINGS}naming: [{{ preset: sorted-consumers, severity: warning }}]\n");
    let scope = |n: usize| {
        format!("- {{ name: etat:a{n}, description: d, consumers: ['991825827', '974761076'] }}")
    };
    let mut yaml = "scopes:\n".to_owned();
    for n in 0..1_000 {
        yaml += &format!("{}\n", scope(n));
    }
    let silence = "# portvakt: allow sorted-consumers -- why\n";
    yaml += &format!(
        "{} {silence}- {{ name: etat:bad, description: d, visibility: x }}\n",
        scope(1_000)
    );
    let files: [(&str, &[u8]); 2] =
        [("portvakt.yaml", settings.as_bytes()), ("a.yaml", yaml.as_bytes())];
    let folder = folder(&files);
    assert!(load(folder.path()).unwrap().desired("test", TODAY).is_err());
}

#[test]
fn the_name_of_an_environment_is_one_that_jobs_find_again() {
    let long = "a".repeat(100);
    let longer = "a".repeat(101);
    #[rustfmt::skip] // A pair a few a line.
    let names = [
        ("test", true), ("a-b", true), ("a_b", true), ("a-", true), ("a-b-c", true), ("A1", true),
        (&long, true), (&longer, false), ("a--b", false), ("a--", false), ("a---b", false),
        ("--a", false), ("-a", false), ("_a", false), ("a.b", false), ("a b", false), ("æ", false),
        ("a/b", false), ("a>", false), ("a%20", false), ("", false),
    ];
    for (name, is_legal) in names {
        let settings = SETTINGS.replacen("sandbox:", &format!("{name:?}:"), 1);
        let found = check(folder(&[("portvakt.yaml", settings.as_bytes())]).path());
        let is_refused = found.iter().any(|found| found.code == Rule::Name);
        assert_eq!(is_refused, !is_legal, "{name}: {}", said(&found));
        if is_legal {
            let marker = crate::render::markdown::marker(None, name);
            assert_eq!(marker, format!("<!-- portvakt plan {name} -->"));
        }
    }
}

#[test]
fn folders_lie_one_in_another_so_often_and_no_more() {
    for (depth, is_read) in [(255, true), (300, false)] {
        let name = format!("{}a.yaml", "d/".repeat(depth));
        let scope = b"scopes: [{ name: etat:a, description: a }]";
        let folder = folder(&[("portvakt.yaml", SETTINGS.as_bytes()), (&name, scope)]);
        let shown = said(&check(folder.path()));
        assert_eq!(!shown.contains("PV003"), is_read, "{depth}: {shown}");
        assert_eq!(shown.contains("256 folders lie one in another"), !is_read, "{shown}");
        let repository = load(folder.path()).unwrap();
        assert_eq!(repository.desired("test", TODAY).is_ok(), is_read);
    }
}

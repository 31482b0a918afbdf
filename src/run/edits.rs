//! Edits of the declarations: made in memory, checked, and then written.

use std::collections::BTreeMap;
use std::path::Path;

use similar::{DiffOp, DiffTag, TextDiff};

use super::clock::today;
use super::failure::Failure;
use super::files::all_or_none;
use crate::declare::{Diagnostic, Edited, Repository};
use domain::text::printable;

/// The declarations after some edits.
///
/// # Errors
/// They have errors that they did not have before.
pub(crate) fn checked(before: &Repository, edits: &[Edited]) -> Result<Repository, Failure> {
    let [first, rest @ ..] = edits else {
        return Err(Failure::failed("there is nothing to edit"));
    };
    let mut after = before.with(first).map_err(|found| refused(&found))?;
    for edited in rest {
        after = after.with(edited).map_err(|found| refused(&found))?;
    }
    match added(before, &after).as_slice() {
        [] => Ok(after),
        added => Err(refused(added)),
    }
}

/// The errors that are not among the old ones, each of which accounts for one that is the same in the same place:
/// lines may have moved.
fn added(before: &Repository, after: &Repository) -> Vec<Diagnostic> {
    let errors = |repository: &Repository| {
        let found = repository.check(today()).into_iter();
        found.filter(Diagnostic::is_error).collect::<Vec<_>>()
    };
    let places = after.edited().keys().map(|file| {
        let text = |repository: &Repository| repository.source(file).unwrap_or_default() + "\n";
        let (before, after) = (text(before), text(after));
        (file.as_str(), TextDiff::from_lines(&before, &after).ops().to_vec())
    });
    let places: BTreeMap<&str, Vec<DiffOp>> = places.collect();
    let (mut old, mut new) = (errors(before), errors(after));
    new.retain(|new| {
        let places = places.get(&*new.file);
        let is_same = |old: &Diagnostic| {
            (old.code, &old.message, &old.file) == (new.code, &new.message, &new.file)
                && match places {
                    Some(places) => places.iter().any(|place| is_in(place, old.line, new.line)),
                    None => old.line == new.line,
                }
        };
        let known = old.iter().position(is_same);
        known.map(|at| old.swap_remove(at)).is_none()
    });
    new
}

/// Whether lines before and after an edit are the same one, or are edited together.
fn is_in(place: &DiffOp, old: usize, new: usize) -> bool {
    let (tag, from, to) = place.as_tag_tuple();
    // Lines of findings start at 1.
    let (old, new) = (old.saturating_sub(1), new.saturating_sub(1));
    from.contains(&old)
        && to.contains(&new)
        && (tag != DiffTag::Equal || old - from.start == new - to.start)
}

/// The refusal of an edit after which the declarations have errors.
pub(crate) fn refused(found: &[Diagnostic]) -> Failure {
    let first = found.iter().find(|found| found.is_error());
    let why = first.map(|found| {
        let name = found.own_rule.as_deref().unwrap_or(found.code.code());
        format!("{}:{}: {name}: {}", found.file, found.line, found.message)
    });
    Failure::Refused(format!(
        "the edited declarations would not be valid: {}. Nothing was changed",
        why.unwrap_or_default()
    ))
}

/// Writes the edited files, all of them or none, and reports each.
///
/// # Errors
/// One cannot be written.
pub(crate) fn write(notify: &dyn Fn(&str), after: &Repository) -> Result<(), Failure> {
    let files = after.edited().iter().map(|(file, text)| (file.as_str(), text.as_str()));
    write_all(after.root(), files, |file| !after.has_file(file))?;
    for file in after.edited().keys() {
        notify(&format!("wrote {}", printable(file)));
    }
    Ok(())
}

/// Writes files, all of them or none: each by its path in the folder, with its text.
///
/// # Errors
/// One cannot be written.
pub(crate) fn write_all<'f>(
    root: &Path,
    files: impl IntoIterator<Item = (&'f str, &'f str)>,
    is_new: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    all_or_none(|written| {
        files.into_iter().try_for_each(|(file, text)| match is_new(file) {
            true => written.create(&root.join(file), text),
            false => written.replace(&root.join(file), text),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::load;

    #[test]
    fn an_error_that_was_not_there_before_is_refused_even_where_another_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
        let organization =
            "organization: { orgno: \"889640782\", name: Etaten }\nprefixes: [etat]\n";
        write(
            "portvakt.yaml",
            &format!("{organization}environments: {{ test: {{ target: sandbox }} }}\n"),
        );
        write("a.yaml", "scopes: 1\n");
        let before = load(folder.path()).unwrap();
        let edited = |text: &str| Edited { file: "a.yaml".to_owned(), after: text.to_owned() };
        let refused = |text: &str| match checked(&before, &[edited(text)]) {
            Err(Failure::Refused(why)) => Some(why),
            Err(other) => panic!("{other:?}"),
            Ok(_) => None,
        };
        for text in ["scopes: 1\n", "# moved\nscopes: 1\n", "scopes: []\n"] {
            assert_eq!(refused(text), None, "{text}");
        }
        for text in ["clientz: []\n", "scopes: 1\nclients: 1\n"] {
            let why = refused(text).unwrap();
            let place = format!("a.yaml:{}: ", text.lines().count());
            let starts = format!("the edited declarations would not be valid: {place}");
            assert!(why.starts_with(&starts), "{why}");
        }
    }

    #[test]
    fn an_error_in_another_place_is_not_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
        write(
            "portvakt.yaml",
            "organization: { orgno: \"889640782\", name: Etaten }\nprefixes: [etat]\nenvironments: { test: { \
             target: sandbox } }\n",
        );
        write("a.yaml", "scopes: 1 # a\n---\nscopes: [] # b\n");
        let before = load(folder.path()).unwrap();
        let edited = |text: &str| Edited { file: "a.yaml".to_owned(), after: text.to_owned() };
        let swapped = checked(&before, &[edited("scopes: [] # a\n---\nscopes: 1 # b\n")]);
        let Err(Failure::Refused(why)) = swapped else { panic!("it is taken for the same") };
        assert!(why.contains("a.yaml:3: "), "{why}");
        for text in
            ["scopes: 1 # c\n---\nscopes: [] # b\n", "---\nscopes: 1 # a\n---\nscopes: [] # b\n"]
        {
            assert!(checked(&before, &[edited(text)]).is_ok(), "{text}");
        }
    }
}

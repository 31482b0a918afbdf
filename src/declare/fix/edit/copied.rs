//! A scope under another name, beside its declaration.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{CannotEdit, Edited};
use crate::declare::read::declared::Scope;
use crate::declare::repository::Repository;
use domain::ScopeName;
use yaml::{CHANGED, Editor, Hindrance, Yaml};

impl Repository {
    /// The files in which each declaration of a scope has a copy beside it, under another name. Nothing is
    /// written.
    ///
    /// # Errors
    /// A declaration cannot be copied.
    pub fn with_copied_scope(
        &self,
        old: &ScopeName,
        new: &ScopeName,
    ) -> Result<Vec<Edited>, CannotEdit> {
        let mut by_file: BTreeMap<&str, Vec<&Scope>> = BTreeMap::new();
        for scope in self.declared().scopes.iter().filter(|scope| scope.name == *old) {
            by_file.entry(&scope.place.file).or_default().push(scope);
        }
        let edited = by_file.into_iter().map(|(file, mut scopes)| {
            // The last one of a list is copied first.
            scopes.sort_by_key(|scope| Reverse(scope.place.span.start));
            let wanted = format!("By hand: declare {new} as {old} is declared");
            self.edit_file(file, wanted, |text| copied(text, &scopes, new))
        });
        edited.collect()
    }
}

fn copied(text: &str, scopes: &[&Scope], new: &ScopeName) -> Result<String, Hindrance> {
    let mut editor = Editor::new(text)?;
    for scope in scopes {
        if scope.in_manifest {
            return Err("it is a NAIS manifest, whose application must expose both scopes");
        }
        let item = editor.holder(scope.place.span).ok_or(CHANGED)?;
        editor.copy_item(&item, "name", &Yaml::text(new.as_str()))?;
    }
    editor.done()
}

//! Removal of aliases that nothing uses.

use std::collections::BTreeMap;

use super::{CannotEdit, Edited};
use crate::declare::diagnostic::Diagnostic;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::read::declared::Alias;
use crate::declare::read::silences::MARK;
use crate::declare::repository::Repository;
use yaml::{CHANGED, Hindrance, edited};

impl Repository {
    /// The files without the aliases that these findings report as unused, with their comments, and the reasons
    /// why some of them cannot be removed. All other declarations and their comments are unchanged. Nothing is
    /// written.
    pub fn without_unused(&self, found: &[Diagnostic]) -> (Vec<Edited>, Vec<CannotEdit>) {
        let is_unused = |alias: &&Alias| {
            let mut of_aliases = found.iter().filter(|found| found.code == Rule::UnusedAlias);
            let start = alias.place.span.start;
            let place = (&*alias.place.file, start.line as usize, start.column as usize);
            of_aliases.any(|found| (&*found.file, found.line, found.column) == place)
        };
        let mut by_file: BTreeMap<&str, Vec<&Alias>> = BTreeMap::new();
        for alias in self.declared().aliases.iter().filter(is_unused) {
            by_file.entry(&alias.place.file).or_default().push(alias);
        }
        let (mut all, mut refused) = (Vec::new(), Vec::new());
        for (file, mut aliases) in by_file {
            let Some(mut after) = self.source(file) else { continue };
            // What is removed further down moves nothing above it.
            aliases.sort_by_key(|alias| std::cmp::Reverse(alias.place.span.start));
            let mut is_changed = false;
            for alias in aliases {
                match without(&after, alias) {
                    Ok(text) => (after, is_changed) = (text, true),
                    Err(why) => {
                        let wanted = format!(
                            "By hand: remove the alias {}, or the file if it declares nothing else",
                            alias.alias
                        );
                        refused.push(CannotEdit::new(file, why, wanted));
                    }
                }
            }
            if is_changed {
                all.push(Edited { file: file.to_owned(), after });
            }
        }
        (all, refused)
    }
}

fn without(text: &str, alias: &Alias) -> Result<String, Hindrance> {
    edited(text, |editor| {
        let route = editor.holder(alias.at("orgno").span).ok_or(CHANGED)?;
        editor.remove(&route.root().key("consumers").key(&alias.alias), MARK)
    })
}

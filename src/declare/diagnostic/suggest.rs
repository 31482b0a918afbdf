//! 'Did you mean' within the patience of a reader, and lists of names.

use std::cell::Cell;

use super::quoted;
pub use domain::text::similar::did_you_mean;
pub(crate) use domain::text::similar::{nearest, only_near};

/// Largest number of names in a list.
const MOST_LISTED: usize = 50;

/// Makes suggestions up to a number of comparisons for which a reader is willing to wait: a file with a
/// hundred thousand unknown names stays cheap.
pub(crate) struct Suggester {
    comparisons_left: Cell<usize>,
}

impl Suggester {
    pub(crate) fn new() -> Self {
        let comparisons_left = Cell::new(200_000);
        Self { comparisons_left }
    }

    pub(crate) fn did_you_mean<'c>(
        &self,
        name: &str,
        candidates: impl ExactSizeIterator<Item = &'c str>,
    ) -> String {
        match self.comparisons_left.get().checked_sub(candidates.len()) {
            Some(left) => {
                self.comparisons_left.set(left);
                did_you_mean(name, candidates)
            }
            None => String::new(),
        }
    }
}

/// The names as a list in a sentence.
pub(crate) fn list<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    list_of(MOST_LISTED, names)
}

/// The same, with that many of them at most.
pub(crate) fn list_of<'c>(most: usize, names: impl IntoIterator<Item = &'c str>) -> String {
    let mut names = names.into_iter();
    let listed: Vec<_> = names.by_ref().take(most).map(quoted).collect();
    let listed = listed.join(", ");
    match names.count() {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<_> = (1..=60).map(|number| number.to_string()).collect();
        let listed = list(names.iter().map(String::as_str));
        assert!(listed.starts_with("`1`, `2`, ") && listed.ends_with(", `50` and 10 more"));
    }
}

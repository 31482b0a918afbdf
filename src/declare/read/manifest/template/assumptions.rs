//! The values that a template's blocks are rendered with where none is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use handlebars::RenderError;

use super::helpers::refused;
use super::missing;

/// Texts by the names of missing values. A name that is not in it has none.
pub(super) type AssumedTexts = BTreeMap<String, String>;

/// A block's question for a value that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlockQuestion {
    pub(super) name: String,
    /// The texts with which the block can be rendered otherwise.
    pub(super) alternatives: Vec<String>,
}

/// The assumptions of one rendering, and the questions that it asked.
#[derive(Debug, Clone, Default)]
pub(super) struct RenderTrial {
    pub(super) assumed: AssumedTexts,
    /// The text for one question alone, by its index.
    pub(super) single: Option<(usize, String)>,
    /// The question that is an error, by its index.
    pub(super) refused: Option<usize>,
    pub(super) asked: Vec<BlockQuestion>,
}

/// The trial that all blocks of a template share.
#[derive(Debug, Clone, Default)]
pub(super) struct Assumptions(Arc<Mutex<RenderTrial>>);

impl Assumptions {
    fn trial(&self) -> MutexGuard<'_, RenderTrial> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a rendering, and returns the trial of the last one.
    pub(super) fn begin(&self, trial: RenderTrial) -> RenderTrial {
        std::mem::replace(&mut *self.trial(), trial)
    }

    /// The assumed text of a missing value.
    pub(super) fn text(&self, name: &str) -> String {
        self.trial().assumed.get(name).cloned().unwrap_or_default()
    }

    /// The assumed text, for a block that depends on it.
    pub(super) fn ask(&self, name: &str, alternatives: Vec<String>) -> Result<String, RenderError> {
        let mut trial = self.trial();
        let index = trial.asked.len();
        if trial.refused == Some(index) {
            return Err(refused("it decides about something that portvakt reads"));
        }
        trial.asked.push(BlockQuestion { name: name.to_owned(), alternatives });
        let single = trial.single.as_ref().filter(|(single, _)| *single == index);
        let text = single.map(|(_, text)| text).or_else(|| trial.assumed.get(name));
        Ok(text.cloned().unwrap_or_default())
    }

    /// Whether a missing value counts as true.
    pub(super) fn is_something(&self, name: &str) -> Result<bool, RenderError> {
        Ok(!self.ask(name, vec![missing(name)])?.is_empty())
    }
}

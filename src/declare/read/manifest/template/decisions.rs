//! Missing values that decide about something that is read. Nobody knows what the job that deploys a template gives
//! for them, so the template is rendered with and without, and what is read must be the same.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Map, Value};

use super::assumptions::{AssumedTexts, BlockQuestion, RenderTrial};
use super::braces::check;
use super::{LARGEST, TemplateProblem, TemplateRenderer};
use crate::declare::read::manifest::parts::parts_read;

/// Largest number of renderings with different assumptions.
const MOST_TRIALS: usize = 200;

/// Checks that no missing value decides about something that is read.
pub(crate) fn check_missing(
    template: &str,
    values: &Map<String, Value>,
) -> Result<(), TemplateProblem> {
    let renderer = TemplateRenderer::new(&check(template)?.text, values)?;
    let first = RenderTrial::default();
    let (text, asked) = renderer.render(first, LARGEST);
    // What is no YAML is reported where it is read.
    match parts_read(&text?) {
        Some(parts) => Explorer { renderer, parts, trials: 0 }.check(asked),
        None => Ok(()),
    }
}

/// The search for a decision.
struct Explorer {
    renderer: TemplateRenderer,
    /// What is read if no missing value is there.
    parts: Vec<Value>,
    trials: usize,
}

impl Explorer {
    fn check(mut self, asked: Vec<BlockQuestion>) -> Result<(), TemplateProblem> {
        let mut seen: BTreeSet<AssumedTexts> = BTreeSet::new();
        let mut left = VecDeque::from([(AssumedTexts::new(), asked)]);
        while let Some((before, asked)) = left.pop_front() {
            // Blocks that neither change anything nor ask anything else are tried alone, and all at once.
            let mut together = before.clone();
            for (name, text) in alternatives(&before, &asked) {
                let mut assumed = before.clone();
                assumed.insert(name.clone(), text.clone());
                if !seen.insert(assumed.clone()) {
                    continue;
                }
                match self.try_out(&assumed)? {
                    None => return Err(self.located(&before, &asked, name, text)),
                    Some(now) if now == asked => {
                        together.entry(name.clone()).or_insert_with(|| text.clone());
                    }
                    Some(now) => left.push_back((assumed, now)),
                }
            }
            let added = together.iter().rev().find(|(name, _)| !before.contains_key(*name));
            let Some((name, text)) = added else { continue };
            if !seen.insert(together.clone()) {
                continue;
            }
            match self.try_out(&together)? {
                None => return Err(self.located(&before, &asked, name, text)),
                Some(now) if now == asked => {}
                Some(now) => left.push_back((together, now)),
            }
        }
        Ok(())
    }

    /// The questions of a rendering, or `None` if something else is read.
    fn try_out(
        &mut self,
        assumed: &AssumedTexts,
    ) -> Result<Option<Vec<BlockQuestion>>, TemplateProblem> {
        self.trials += 1;
        if self.trials > MOST_TRIALS {
            return Err(TemplateProblem::new(
                None,
                "its blocks depend on too many values that are missing: give those that are known",
            ));
        }
        let (is_same, asked) =
            self.is_same(RenderTrial { assumed: assumed.clone(), ..RenderTrial::default() });
        Ok(is_same.then_some(asked))
    }

    fn is_same(&self, trial: RenderTrial) -> (bool, Vec<BlockQuestion>) {
        let (text, asked) = self.renderer.render(trial, LARGEST);
        let parts = text.ok().and_then(|text| parts_read(&text));
        (parts.as_ref() == Some(&self.parts), asked)
    }

    /// The decision, at the block that makes it.
    fn located(
        &self,
        before: &AssumedTexts,
        asked: &[BlockQuestion],
        name: &str,
        text: &str,
    ) -> TemplateProblem {
        let trial = || RenderTrial { assumed: before.clone(), ..RenderTrial::default() };
        let of_name =
            || (0..asked.len()).filter(|at| asked.get(*at).is_some_and(|it| it.name == name));
        let decides = |at: &usize| {
            let single = Some((*at, text.to_owned()));
            !self.is_same(RenderTrial { single, ..trial() }).0
        };
        let refused = of_name().find(decides).or_else(|| of_name().next());
        let (rendered, _) = self.renderer.render(RenderTrial { refused, ..trial() }, LARGEST);
        let line = rendered.err().and_then(|problem| problem.line);
        TemplateProblem {
            line,
            message: "it decides about something that portvakt reads".to_owned(),
            missing: Some(name.to_owned()),
        }
    }
}

/// The texts that the questions have not been answered with.
fn alternatives<'a>(
    before: &'a AssumedTexts,
    asked: &'a [BlockQuestion],
) -> impl Iterator<Item = (&'a String, &'a String)> {
    let all = asked.iter().flat_map(|BlockQuestion { name, alternatives }| {
        alternatives.iter().map(move |text| (name, text))
    });
    all.filter(|(name, text)| !text.is_empty() && before.get(*name) != Some(*text))
}

//! What a probe has found out, as text.

use serde_json::Value;

use domain::Behaviour;
use domain::text::printable;

/// Each open question with its answer and the exchange that gave it. `exchanges` are by the question's
/// name.
pub(crate) fn text(behaviour: Behaviour, exchanges: &[(&'static str, String)]) -> String {
    let answers = serde_json::to_value(behaviour).unwrap_or_default();
    let mut shown = String::new();
    for (question, about) in Behaviour::QUESTIONS {
        let answer = match answers.get(question) {
            None => "not known".to_owned(),
            Some(Value::String(word)) => word.clone(),
            Some(answer) => answer.to_string(),
        };
        shown += &format!("{:<25}{answer:<12}{about}\n", question.replace('_', "-"));
        for (_, exchange) in exchanges.iter().filter(|(name, _)| name == question) {
            shown += &format!("{:<37}{}\n", "", printable(exchange));
        }
    }
    shown
}

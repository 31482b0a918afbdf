//! The pull request by which people saw a plan.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The pull request that was merged with a plan, as its host named it (`portvakt reviewed --out`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewDocument {
    /// Its number.
    pub number: u64,
    /// Its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its author, as the host names people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Those whose approvals were valid when it was looked at, without those that its host dates after it was
    /// merged or put into a merge queue. An approval whose time the host does not report is included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
}

/// Largest number of approvers that are kept, and of characters of each text.
const MOST_APPROVERS: usize = 50;
const LONGEST: usize = 300;

impl ReviewDocument {
    /// The same within limits, whoever wrote it: a bounded number of bounded texts, and a page of the web or none.
    #[must_use]
    pub fn bounded(self) -> Self {
        let Self { number, url, author, approvers } = self;
        let bounded = |text: String| text.chars().take(LONGEST).collect::<String>();
        let is_page = |url: &String| ["https://", "http://"].iter().any(|it| url.starts_with(it));
        Self {
            number,
            url: url.filter(is_page).map(bounded),
            author: author.map(bounded),
            approvers: approvers.into_iter().take(MOST_APPROVERS).map(bounded).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_is_bounded_whoever_wrote_it() {
        let page = |url: &str| ReviewDocument {
            number: 7,
            url: Some(url.to_owned()),
            author: Some("a".repeat(1000)),
            approvers: vec!["kari".repeat(1000); 20_000],
        };
        let read = page("https://git.example/7").bounded();
        assert_eq!(read.url.as_deref(), Some("https://git.example/7"));
        assert_eq!(read.author.map(|author| author.len()), Some(LONGEST));
        assert_eq!(read.approvers, vec!["kari".repeat(LONGEST / 4); MOST_APPROVERS]);
        assert_eq!(page("javascript:alert(1)").bounded().url, None);
    }
}

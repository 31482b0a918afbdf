//! Update of the comment, or creation if there is none: the same on every host.

use jiff::Timestamp;
use url::Url;

use super::comment::{CommentChange, Forge, ForgeOptions, Posted, is_same};
use super::error::{Error, ForgeErrorKind};

/// Operations of a host on one pull request.
pub(super) trait CommentHost {
    /// Identity of a user.
    type Author;
    /// Identity of a comment.
    type Id;

    const FORGE: Forge;

    /// The user of the token.
    async fn author(&self) -> Result<Self::Author, Error>;

    /// The author's oldest comments that begin with the marker, up to a number.
    async fn find(
        &self,
        author: &Self::Author,
        marker: &str,
        most: usize,
    ) -> Result<Vec<FoundComment<Self::Id>>, Error>;

    /// The current approvals.
    async fn approvals(&self) -> Result<Vec<PullRequestApproval>, Error>;

    /// When the pull request was put into a merge queue for the last time, if it was and the host reports it.
    async fn queued(&self) -> Result<Option<Timestamp>, Error>;

    /// Replaces the text of a comment. May be sent again.
    async fn update(&self, id: &Self::Id, text: &str) -> Result<Option<Url>, Error>;

    /// Creates a comment; sent once.
    async fn create(&self, text: &str) -> Result<Option<Url>, Error>;

    /// The text in the form that is harmless on this host.
    fn harmless(text: &str) -> String {
        text.to_owned()
    }
}

/// An approval that counts.
pub(super) struct PullRequestApproval {
    /// The person, as the host names people.
    pub(super) by: Option<String>,
    /// Its time, if the host reports it.
    pub(super) at: Option<Timestamp>,
}

/// A comment of ours.
pub(super) struct FoundComment<Id> {
    pub(super) id: Id,
    pub(super) text: String,
    pub(super) url: Option<Url>,
    /// The time of its last change, or of its creation if it has none.
    pub(super) changed: Option<Timestamp>,
}

/// Updates the author's comment with the marker, or creates one. A comment with the same text is left alone:
/// a review relies on the fact that it was not changed since it was read.
pub(super) async fn put<H: CommentHost>(
    host: &H,
    marker: &str,
    text: &str,
    options: &ForgeOptions,
) -> Result<Posted, Error> {
    let text = H::harmless(text);
    let length = text.encode_utf16().count();
    if length > H::FORGE.limit() {
        return Err(Error::too_long(H::FORGE, length));
    }
    let author = host.author().await?;
    if let Some(found) = first(host, &author, marker).await? {
        if is_same(&found.text, &text) {
            return Ok(Posted { change: CommentChange::Kept, url: found.url });
        }
        match host.update(&found.id, &text).await {
            Ok(url) => {
                return Ok(Posted { change: CommentChange::Updated, url: url.or(found.url) });
            }
            // Somebody deleted it in between.
            Err(error) if error.kind() == ForgeErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    create(host, &author, marker, &text, options).await
}

async fn first<H: CommentHost>(
    host: &H,
    author: &H::Author,
    marker: &str,
) -> Result<Option<FoundComment<H::Id>>, Error> {
    Ok(host.find(author, marker, 1).await?.into_iter().next())
}

/// Creates a comment. After an unclear answer the comment is looked for before another one is created.
async fn create<H: CommentHost>(
    host: &H,
    author: &H::Author,
    marker: &str,
    text: &str,
    options: &ForgeOptions,
) -> Result<Posted, Error> {
    let mut waits = options.retries().waits();
    loop {
        let error = match host.create(text).await {
            Ok(url) => return Ok(Posted { change: CommentChange::Created, url }),
            Err(error) => error,
        };
        let next = waits.next();
        let Some(wait) = error.wait_at_least(next.unwrap_or(options.base_delay)) else {
            return Err(error);
        };
        tokio::time::sleep(wait).await;
        if let Some(found) = first(host, author, marker).await? {
            if is_same(&found.text, text) {
                return Ok(Posted { change: CommentChange::Created, url: found.url });
            }
            let url = host.update(&found.id, text).await?;
            return Ok(Posted { change: CommentChange::Updated, url: url.or(found.url) });
        }
        if next.is_none() {
            return Err(error);
        }
    }
}

//! Update, or else create: the same on every host.

use jiff::Timestamp;
use url::Url;

use super::comment::is_same;
use super::comment::{CommentChange, Forge, ForgeOptions, Posted};
use super::error::{Error, ForgeErrorKind};

/// What a host does for one pull request.
pub(super) trait CommentHost {
    /// Whom the token speaks for.
    type Author;
    /// Where a comment is.
    type Id;

    const FORGE: Forge;

    /// Whom the token speaks for.
    async fn author(&self) -> Result<Self::Author, Error>;

    /// The author's oldest comments that begin with the marker, at most so many.
    async fn find(
        &self,
        author: &Self::Author,
        marker: &str,
        most: usize,
    ) -> Result<Vec<FoundComment<Self::Id>>, Error>;

    /// When the approvals were given that hold, as far as the host says.
    async fn approvals(&self) -> Result<Vec<Timestamp>, Error>;

    /// Gives a comment a new text. May be sent again.
    async fn update(&self, id: &Self::Id, text: &str) -> Result<Option<Url>, Error>;

    /// Makes a comment; sent once.
    async fn create(&self, text: &str) -> Result<Option<Url>, Error>;

    /// The text as this host may be given it.
    fn harmless(text: &str) -> String {
        text.to_owned()
    }
}

/// A comment of ours.
pub(super) struct FoundComment<Id> {
    pub(super) id: Id,
    pub(super) text: String,
    pub(super) url: Option<Url>,
    /// When its text was changed last, or else when it was made.
    pub(super) changed: Option<Timestamp>,
}

/// Updates the author's comment with the marker, or makes one. A comment that says the same is left
/// alone: that it has not been changed since it was read is what a merge goes by.
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

/// Makes a comment. Where it is unknown whether one was made, it is looked for before another is.
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

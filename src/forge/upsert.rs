//! Update, or else create: the same on every host.

use super::error::{Error, ErrorKind};
use super::{Change, Forge, Options, Posted, http};
use url::Url;

/// What a host does for one pull request.
pub(super) trait Host {
    /// Whom the token speaks for.
    type Author;
    /// Where a comment is.
    type Id;

    const FORGE: Forge;

    /// Whom the token speaks for.
    async fn author(&self) -> Result<Self::Author, Error>;

    /// The author's oldest comment that begins with the marker.
    async fn find(
        &self,
        author: &Self::Author,
        marker: &str,
    ) -> Result<Option<Found<Self::Id>>, Error>;

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
pub(super) struct Found<Id> {
    pub(super) id: Id,
    pub(super) text: String,
    pub(super) url: Option<Url>,
}

/// Updates the author's comment with the marker, or makes one.
pub(super) async fn put<H: Host>(
    host: &H,
    marker: &str,
    text: &str,
    options: &Options,
) -> Result<Posted, Error> {
    let text = H::harmless(text);
    let length = text.encode_utf16().count();
    if length > H::FORGE.limit() {
        return Err(Error::too_long(H::FORGE, length));
    }
    let author = host.author().await?;
    if let Some(found) = host.find(&author, marker).await? {
        match host.update(&found.id, &text).await {
            Ok(url) => return Ok(Posted { change: Change::Updated, url: url.or(found.url) }),
            // Somebody deleted it in between.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    create(host, &author, marker, &text, options).await
}

/// Makes a comment. Where it is unknown whether one was made, it is looked for before another is.
async fn create<H: Host>(
    host: &H,
    author: &H::Author,
    marker: &str,
    text: &str,
    options: &Options,
) -> Result<Posted, Error> {
    let mut waits = http::waits(options);
    loop {
        let error = match host.create(text).await {
            Ok(url) => return Ok(Posted { change: Change::Created, url }),
            Err(error) => error,
        };
        let next = waits.next();
        let Some(wait) = error.wait_at_least(next.unwrap_or(options.base_delay)) else {
            return Err(error);
        };
        tokio::time::sleep(wait).await;
        if let Some(found) = host.find(author, marker).await? {
            // Hosts may take white space from the end.
            if found.text.trim_end() == text.trim_end() {
                return Ok(Posted { change: Change::Created, url: found.url });
            }
            let url = host.update(&found.id, text).await?;
            return Ok(Posted { change: Change::Updated, url: url.or(found.url) });
        }
        if next.is_none() {
            return Err(error);
        }
    }
}

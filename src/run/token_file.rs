//! The file of a token, which is written again and again while programs read it.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};

use super::failure::Failure;
use super::files::{create_whole_private, replace_private, shown, writable};
use super::read::read_secret;

/// A place that a token may be written to.
pub(crate) struct TokenFile<'p> {
    path: &'p Path,
    /// The file that is there, which holds an older token or nothing; a symbolic link leads to it.
    existing: Option<PathBuf>,
}

impl<'p> TokenFile<'p> {
    /// Checks the place.
    ///
    /// # Errors
    /// The folder does not exist, or something else is there.
    pub(crate) fn at(path: &'p Path) -> Result<Self, Failure> {
        let refused = |why: &str| Failure::Usage(format!("--out {} {why}", shown(path)));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(refused("is in a folder that does not exist: create it first"));
        }
        if path.symlink_metadata().is_err() {
            return Ok(Self { path, existing: None });
        }
        let is_replaceable = |text: &SecretString| {
            let text = text.expose_secret();
            text.is_empty() || is_jwt(text.trim_end())
        };
        match read_secret(path) {
            Ok(text) if is_replaceable(&text) => Ok(Self { path, existing: Some(writable(path)?) }),
            Ok(_) => Err(refused("exists and holds no token: name another file")),
            Err(why) => Err(refused(&format!("exists and {why}: name another file"))),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.path
    }

    /// Writes the token alone, without a line break: some programs send what the file holds as it is.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&self, token: &SecretString) -> Result<(), Failure> {
        match &self.existing {
            Some(existing) => replace_private(existing, token.expose_secret()),
            None => create_whole_private(self.path, token.expose_secret()),
        }
    }
}

/// Whether a text has the form of a signed JWT (RFC 7519 section 3.1).
fn is_jwt(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let [header, claims, signature] = parts[..] else { return false };
    let is_object = |part: &str| {
        let json = URL_SAFE_NO_PAD.decode(part).ok();
        json.is_some_and(|json| serde_json::from_slice::<serde_json::Map<_, _>>(&json).is_ok())
    };
    is_object(header) && is_object(claims) && URL_SAFE_NO_PAD.decode(signature).is_ok()
}

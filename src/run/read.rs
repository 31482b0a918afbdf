//! Reading of files that a person or the repository names: regular ones of limited size.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::Path;

use secrecy::SecretString;
use zeroize::Zeroizing;

/// Largest key, certificate or manifest, in bytes.
pub(crate) const MAX_FILE: u64 = 1 << 20;

/// Reads a file that holds a secret. The error is the reason, to be put after the file's name.
pub(crate) fn read_secret(path: &Path) -> Result<SecretString, String> {
    let bytes = read_file(path, MAX_FILE)?;
    // The buffer becomes the other's, or is overwritten.
    String::from_utf8(bytes)
        .map(SecretString::from)
        .map_err(|error| drop(Zeroizing::new(error.into_bytes())))
        .map_err(|()| "is not UTF-8".to_owned())
}

/// Reads a regular file of at most that many bytes: no device, no pipe, and none with more content than its
/// size, as in `/proc`. The error is the reason, to be put after the file's name.
pub(crate) fn read_file(path: &Path, largest: u64) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    // Checked before it is opened: opening a pipe waits for a writer.
    check_file(&std::fs::metadata(path).map_err(cannot)?, largest)?;
    let file = File::open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    check_file(&metadata, largest)?;
    let length = usize::try_from(metadata.len()).unwrap_or_default();
    // Allocated at its final size: a buffer that grows leaves copies in memory.
    let mut bytes = Vec::with_capacity(length + 1);
    file.take(metadata.len() + 1).read_to_end(&mut bytes).map_err(cannot)?;
    match bytes.len() == length {
        true => Ok(bytes),
        false => {
            drop(Zeroizing::new(bytes));
            Err("is not stored as a regular file, or changed while it was read".to_owned())
        }
    }
}

fn check_file(metadata: &Metadata, largest: u64) -> Result<(), String> {
    match metadata.is_file() && metadata.len() <= largest {
        true => Ok(()),
        false => Err(format!("is not a file of at most {} MiB", largest >> 20)),
    }
}

//! Variables of a CI job, each named in the error if it cannot be used.

use http::address;
use secrecy::SecretString;
use url::Url;

use super::error::Error;

/// The variables of the process, or of a test.
pub(super) struct JobEnvironment<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> JobEnvironment<'a> {
    pub(super) fn new(read: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { read }
    }

    /// A variable that is set. An empty one is not, and neither is `$(Name)`, which Azure Pipelines leaves
    /// where it knows no variable `Name`.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let value = (self.read)(name)?;
        let value = value.trim();
        let is_unknown = value.starts_with("$(") && value.ends_with(')');
        (!value.is_empty() && !is_unknown).then(|| value.to_owned())
    }

    /// The first of these that is set; if none is, the error names the first as missing.
    pub(super) fn first(
        &self,
        names: &[&'static str],
        help: &str,
    ) -> Result<(&'static str, String), Error> {
        let mut set = names.iter().filter_map(|name| Some((*name, self.get(name)?)));
        set.next().ok_or_else(|| Error::missing(&names.join(" or "), help))
    }

    /// The API's address.
    pub(super) fn address(&self, names: &[&'static str], help: &str) -> Result<Url, Error> {
        let (name, address) = self.first(names, help)?;
        parsed(name, &address)
    }

    /// A part of a path.
    pub(super) fn segment(&self, names: &[&'static str], help: &str) -> Result<String, Error> {
        let (name, value) = self.first(names, help)?;
        match is_segment(&value) {
            true => Ok(value),
            false => Err(Error::unusable(&format!("{name} is {value:?}: no name"), help)),
        }
    }

    /// The branch that a variable names in full.
    pub(super) fn branch(&self, name: &'static str, help: &str) -> Result<String, Error> {
        let (_, value) = self.first(&[name], help)?;
        match value.strip_prefix("refs/heads/") {
            Some(branch) if !branch.is_empty() => Ok(branch.to_owned()),
            _ => Err(Error::unusable(&format!("{name} is {value:?}: no branch"), help)),
        }
    }

    /// A number.
    pub(super) fn number(&self, names: &[&'static str], help: &str) -> Result<u64, Error> {
        let (name, value) = self.first(names, help)?;
        value.parse().map_err(|_| Error::unusable(&format!("{name} is {value:?}: no number"), help))
    }

    /// A token. The error about one that no header can hold does not show it.
    pub(super) fn token(&self, names: &[&'static str], help: &str) -> Result<SecretString, Error> {
        let (name, value) = self.first(names, help)?;
        match value.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(SecretString::from(value)),
            false => Err(Error::unusable(
                &format!("{name} holds more than a token: white space or other characters"),
                help,
            )),
        }
    }
}

/// The address of an API to which a token may be sent.
pub(super) fn parsed(name: &'static str, text: &str) -> Result<Url, Error> {
    address(name, text).map_err(|error| {
        Error::unusable(&error.to_string(), "The CI system itself sets it: leave it as it is.")
    })
}

/// Whether a text can be one segment of a path: `.` and `..` would be resolved.
pub(super) fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains('/')
}

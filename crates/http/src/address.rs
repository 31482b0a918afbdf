//! Addresses to which requests may be sent.

use url::{Host, Url};

/// Reason why an address cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The text is not a URL.
    #[error("{what} {address:?} is not an address: {reason}; write it as https://host/")]
    NoUrl {
        /// The name of the setting that holds it, here and below.
        what: &'static str,
        /// The text.
        address: String,
        /// The parser's message.
        reason: String,
    },
    /// A scheme other than http or https.
    #[error("{what} {address:?} must begin with https://")]
    Scheme {
        /// The setting.
        what: &'static str,
        /// The address.
        address: String,
    },
    /// Plain http to another machine.
    #[error(
        "{what} {address:?} is not encrypted: http is for this machine alone (localhost, \
         127.0.0.0/8, [::1]); write https://"
    )]
    NotEncrypted {
        /// The setting.
        what: &'static str,
        /// The address.
        address: String,
    },
    /// A user name or password, a query or a fragment.
    #[error(
        "{what} holds a user name, a password, a query or a fragment; write only https://host/"
    )]
    Superfluous {
        /// The setting.
        what: &'static str,
    },
}

/// Parses an address to which requests may be sent: https, or http to this machine, and nothing but host,
/// port and path.
///
/// # Errors
/// The reason why it is refused, without any password that it holds.
pub fn address(what: &'static str, text: &str) -> Result<Url, AddressError> {
    let url = Url::parse(text).map_err(|reason| AddressError::NoUrl {
        what,
        // A text that does not parse is shown unchanged, so it must not be able to hold a password.
        address: match text.contains('@') {
            true => "(not shown: it holds an @)".to_owned(),
            false => text.to_owned(),
        },
        reason: reason.to_string(),
    })?;
    check_address(what, &url)?;
    Ok(url)
}

/// As [`address`], for a parsed URL.
///
/// # Errors
/// As [`address`].
pub fn check_address(what: &'static str, url: &Url) -> Result<(), AddressError> {
    let superfluous = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    if superfluous {
        return Err(AddressError::Superfluous { what });
    }
    let address = url.to_string();
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err(AddressError::NotEncrypted { what, address }),
        _ => Err(AddressError::Scheme { what, address }),
    }
}

/// Whether the address is this machine: 127.0.0.0/8, `::1` or `localhost`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(domain)) => domain == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_cannot_be_used_is_reported_why() {
        let refused = |text| address("api", text).unwrap_err();
        assert!(matches!(refused("digdir"), AddressError::NoUrl { .. }));
        assert!(matches!(refused("ftp://x/"), AddressError::Scheme { .. }));
        assert!(matches!(refused("file:///etc/passwd"), AddressError::Scheme { .. }));
        assert!(matches!(refused("http://host.example"), AddressError::NotEncrypted { .. }));
        for text in
            ["https://user:hemmelig@x/", "https://x/?a", "https://x/#a", "https://:hemmelig@x/"]
        {
            let error = refused(text);
            assert_eq!(error, AddressError::Superfluous { what: "api" });
            assert!(!error.to_string().contains("hemmelig"));
        }
        let broken = refused("https://user:hemmelig@x:99999999/").to_string();
        assert!(!broken.contains("hemmelig"), "{broken}");
    }
}

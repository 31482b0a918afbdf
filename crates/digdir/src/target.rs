//! Where the API and Maskinporten are, and whether credentials may go there.

use std::collections::BTreeSet;

use http::{AddressError, address, check_address, is_loopback};
use url::Url;

/// DigDir's own hosts of the API, of Maskinporten and of Skyporten, test and production
/// (DigDir's documentation of its environments).
const DIGDIR_HOSTS: [&str; 6] = [
    "api.test.samarbeid.digdir.no",
    "api.samarbeid.digdir.no",
    "test.maskinporten.no",
    "maskinporten.no",
    "test.sky.maskinporten.no",
    "sky.maskinporten.no",
];

/// The API and the Maskinporten of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiTarget {
    /// The API's address, without `/api/v1`.
    pub api: Url,
    /// Maskinporten's issuer, exactly as its metadata and the `aud` of a grant name it: the slash
    /// at the end belongs to it.
    pub issuer: String,
    /// Skyporten's issuer, exactly as its metadata and the `aud` of a grant name it: without a slash at
    /// the end. A custom target need not have one.
    pub skyporten: Option<String>,
}

/// An API, whatever its address is written like: the same for every spelling of one API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiId(String);

impl ApiId {
    /// As it is recorded.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Hosts beyond DigDir's own that credentials may go to. They are for whoever runs a program to name,
/// and not for what names the target: somebody else may be able to change that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(BTreeSet<String>);

/// Why a target cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// An address that no request may be made from.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Neither DigDir's nor allowed.
    #[error("credentials may not go to {host} ({what}): it is not DigDir's")]
    NotAllowed {
        /// `api`, `maskinporten` or `skyporten`.
        what: &'static str,
        /// The host, with the port unless it is https's own.
        host: String,
    },
    /// This machine beside another: whoever listens here would get what is meant for the other.
    #[error(
        "credentials may not go to {host} ({what}): it is this machine, and {other} is another"
    )]
    Mixed {
        /// `api`, `maskinporten` or `skyporten`.
        what: &'static str,
        /// Its host and port on this machine.
        host: String,
        /// The other one's host.
        other: String,
    },
    /// Something that is no `host` or `host:port`.
    #[error("{0:?} names no host; write it as host or host:port")]
    NoHost(String),
    /// Addresses without Skyporten's.
    #[error(
        "the target names no Skyporten: add its issuer, without a slash at the end, as `skyporten` beside \
         `api` and `maskinporten`"
    )]
    NoSkyporten,
}

impl ApiTarget {
    /// DigDir's test environment.
    pub fn test() -> Self {
        Self::digdir(
            "https://api.test.samarbeid.digdir.no",
            "https://test.maskinporten.no/",
            "https://test.sky.maskinporten.no",
        )
    }

    /// DigDir's production environment.
    pub fn prod() -> Self {
        Self::digdir(
            "https://api.samarbeid.digdir.no",
            "https://maskinporten.no/",
            "https://sky.maskinporten.no",
        )
    }

    #[expect(clippy::expect_used, reason = "constants of this file, parsed in a test")]
    fn digdir(api: &'static str, issuer: &'static str, skyporten: &'static str) -> Self {
        let target = Self::custom(api, issuer).and_then(|target| target.with_skyporten(skyporten));
        target.expect("DigDir's own addresses are well formed")
    }

    /// Another place. Errors where an address cannot be used at all; whether credentials may go
    /// there is [`ApiTarget::check`]'s to say.
    pub fn custom(api: &str, issuer: &str) -> Result<Self, TargetError> {
        let target = Self { api: address("api", api)?, issuer: issuer.to_owned(), skyporten: None };
        target.addresses()?;
        Ok(target)
    }

    /// The same place with a Skyporten. Errors as [`ApiTarget::custom`].
    pub fn with_skyporten(self, issuer: &str) -> Result<Self, TargetError> {
        let target = Self { skyporten: Some(issuer.to_owned()), ..self };
        target.addresses()?;
        Ok(target)
    }

    /// Skyporten's issuer. Errors where the target names none.
    pub fn skyporten(&self) -> Result<&str, TargetError> {
        self.skyporten.as_deref().ok_or(TargetError::NoSkyporten)
    }

    /// Whether credentials may go to each of its places: DigDir's own hosts, this machine, or an allowed
    /// host. This machine beside another is allowed only by name: a token that the other gives must not
    /// go to whoever listens here, nor a grant for this machine's issuer to the other. To be asked
    /// before any secret is read.
    pub fn check(&self, allowed: &AllowedHosts) -> Result<(), TargetError> {
        let addresses = self.addresses()?;
        for (what, url) in &addresses {
            let host = host_and_port(url);
            let known = DIGDIR_HOSTS.contains(&host.as_str())
                || is_loopback(url)
                || allowed.0.contains(&host);
            if !known {
                return Err(TargetError::NotAllowed { what, host });
            }
        }
        let is_here = |(_, url): &&(&str, Url)| is_loopback(url);
        let is_allowed = |(_, url): &&(&str, Url)| allowed.0.contains(&host_and_port(url));
        let Some((_, other)) = addresses.iter().find(|place| !is_here(place)) else {
            return Ok(());
        };
        match addresses.iter().find(|place| is_here(place) && !is_allowed(place)) {
            None => Ok(()),
            Some((what, here)) => {
                let (host, other) = (host_and_port(here), host_and_port(other));
                Err(TargetError::Mixed { what, host, other })
            }
        }
    }

    /// Which API it is: scheme, host and port, and the path without what does not matter. On DigDir's
    /// own hosts every base is the same API, and `localhost` is this machine by another name.
    pub fn api_id(&self) -> ApiId {
        let scheme = self.api.scheme();
        let host = match self.api.host_str().unwrap_or_default().trim_end_matches('.') {
            "localhost" | "[::1]" => "127.0.0.1",
            host => host,
        };
        let port = self.api.port().map(|port| format!(":{port}")).unwrap_or_default();
        if DIGDIR_HOSTS.contains(&host) && port.is_empty() {
            return ApiId(format!("{scheme}://{host}"));
        }
        let parts = self.api.path().split('/').filter(|part| !part.is_empty());
        let path: Vec<_> = parts.map(unescaped).collect();
        ApiId([[format!("{scheme}://{host}{port}")].as_slice(), &path].concat().join("/"))
    }

    /// All addresses; errors unless each is one that a request may be made from.
    fn addresses(&self) -> Result<Vec<(&'static str, Url)>, TargetError> {
        let Self { api, issuer, skyporten } = self;
        let mut addresses =
            vec![("api", api.clone()), ("maskinporten", address("maskinporten", issuer)?)];
        if let Some(issuer) = skyporten {
            addresses.push(("skyporten", address("skyporten", issuer)?));
        }
        for (what, url) in &addresses {
            check_address(what, url)?;
        }
        Ok(addresses)
    }
}

impl AllowedHosts {
    /// The hosts as they are written: `host`, for https's own port, or `host:port`.
    pub fn new<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Result<Self, TargetError> {
        hosts
            .into_iter()
            .map(str::trim)
            .filter(|host| !host.is_empty())
            .map(|text| {
                let no_host = || TargetError::NoHost(text.to_owned());
                let url = Url::parse(&format!("https://{text}/")).map_err(|_| no_host())?;
                let plain = !text.contains(['/', '@', '?', '#', '*', '\\']);
                let host = host_and_port(&url);
                plain.then_some(host).ok_or_else(no_host)
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// A part of a path with those characters plain that need no escape (RFC 3986, section 2.3), and all
/// other escapes in capitals.
fn unescaped(part: &str) -> String {
    let mut out = String::new();
    let mut rest = part;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let Some(code) = code else {
            out.push('%');
            rest = after;
            continue;
        };
        match char::from(code) {
            plain if plain.is_ascii_alphanumeric() || "-._~".contains(plain) => out.push(plain),
            _ => out.push_str(&format!("%{code:02X}")),
        }
        rest = after.get(2..).unwrap_or_default();
    }
    out + rest
}

/// The host, with the port unless it is https's own.
fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(443) | None => host.to_owned(),
        Some(port) => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(api: &str, issuer: &str, allowed: &[&str]) -> Result<(), TargetError> {
        let allowed = AllowedHosts::new(allowed.iter().copied())?;
        ApiTarget::custom(api, issuer)?.check(&allowed)
    }

    #[test]
    fn digdir_and_this_machine_need_no_permission() {
        let nobody = AllowedHosts::default();
        ApiTarget::test().check(&nobody).unwrap();
        ApiTarget::prod().check(&nobody).unwrap();
        for place in
            ["http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:1", "http://localhost:3/"]
        {
            check(place, place, &[]).unwrap();
        }
    }

    #[test]
    fn other_hosts_need_permission_from_outside_the_repository() {
        let digdir = "https://maskinporten.no/";
        for stranger in [
            "https://api.samarbeid.digdir.no.evil.example",
            "https://api.samarbeid.digdir.no:8443",
            "https://evil.maskinporten.no",
            "https://localhost.evil.example",
            "https://api.samarbeid.digdir.no.",
            "https://[::ffff:127.0.0.1]",
        ] {
            assert!(
                matches!(
                    check(stranger, digdir, &[]),
                    Err(TargetError::NotAllowed { what: "api", .. })
                ),
                "{stranger}"
            );
            assert!(
                matches!(
                    check("https://api.samarbeid.digdir.no", stranger, &[]),
                    Err(TargetError::NotAllowed { what: "maskinporten", .. })
                ),
                "{stranger}"
            );
        }
    }

    #[test]
    fn an_allowed_host_is_allowed_at_its_port_alone() {
        let digdir = "https://maskinporten.no/";
        check("https://gateway.example/x", digdir, &["Gateway.example"]).unwrap();
        check("https://gateway.example:8443", digdir, &["gateway.example:8443"]).unwrap();
        assert!(check("https://gateway.example:8443", digdir, &["gateway.example", ""]).is_err());
        for text in ["https://x.example", "x.example/path", "a@b", "*.example"] {
            assert_eq!(AllowedHosts::new([text]), Err(TargetError::NoHost(text.to_owned())));
        }
    }

    #[test]
    fn this_machine_beside_another_needs_permission_by_name_and_port() {
        let digdir = ("https://api.samarbeid.digdir.no", "https://maskinporten.no/");
        let here = [
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://127.9.9.9:1/", "127.9.9.9:1"),
            ("http://localhost/", "localhost:80"),
            ("http://LOCALHOST:8810/", "localhost:8810"),
            ("https://localhost/", "localhost"),
            ("https://[::1]:8443/", "[::1]:8443"),
            ("http://2130706433:8080/", "127.0.0.1:8080"),
        ];
        for (address, host) in here {
            for (api, issuer, expected) in
                [(address, digdir.1, "api"), (digdir.0, address, "maskinporten")]
            {
                let mixed = |result| match result {
                    Err(TargetError::Mixed { what, host, .. }) => Some((what, host)),
                    _ => None,
                };
                let refused = Some((expected, host.to_owned()));
                assert_eq!(mixed(check(api, issuer, &[])), refused, "{api} {issuer}");
                let other =
                    ["127.0.0.1", "127.0.0.1:8081", "localhost:443", "localhost:1", "[::1]"];
                let other: Vec<_> = other
                    .into_iter()
                    .filter(|other| AllowedHosts::new([*other]) != AllowedHosts::new([host]))
                    .collect();
                assert_eq!(mixed(check(api, issuer, &other)), refused, "{api} {issuer}");
                check(api, issuer, &[host]).unwrap();
            }
            let (stranger, allowed) = ("https://gateway.example/", ["gateway.example"]);
            for (api, issuer) in [(address, stranger), (stranger, address)] {
                let result = check(api, issuer, &allowed);
                assert!(matches!(result, Err(TargetError::Mixed { .. })), "{api} {issuer}");
                check(api, issuer, &[allowed[0], host]).unwrap();
            }
            check(address, "http://127.0.0.1:9/", &[]).unwrap();
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_is_reported_by_its_name() {
        for (api, issuer, name) in
            [("http://x.example", "https://y/", "api"), ("https://x/", "ftp://y/", "maskinporten")]
        {
            let error = ApiTarget::custom(api, issuer).unwrap_err();
            assert!(matches!(error, TargetError::Address(_)));
            assert!(error.to_string().starts_with(name), "{error}");
        }
    }

    #[test]
    fn one_api_has_one_id_however_it_is_written() {
        let id = |api: &str| {
            ApiTarget::custom(api, "https://maskinporten.no/").unwrap().api_id().as_str().to_owned()
        };
        let test = ApiTarget::test().api_id().as_str().to_owned();
        for spelling in [
            "https://api.test.samarbeid.digdir.no",
            "https://api.test.samarbeid.digdir.no/",
            "https://api.test.samarbeid.digdir.no//",
            "https://API.test.Samarbeid.digdir.no:443/",
            "https://api.test.samarbeid.digdir.no./",
            "https://api.test.samarbeid.digdir.no/x/..",
            "https://api.test.samarbeid.digdir.no/external",
            "https:api.test.samarbeid.digdir.no",
            "https:\\\\api.test.samarbeid.digdir.no",
            " https://api.test.samarbeid.digdir.no ",
            "https://api%2Etest.samarbeid.digdir.no",
            "https://ａｐｉ.test.samarbeid.digdir.no",
        ] {
            assert_eq!(id(spelling), test, "{spelling}");
        }
        let gateway = "https://gw.example:8443/digdir/test";
        for spelling in [
            "https://GW.example:8443/digdir/test/",
            "https://gw.example:8443//digdir///test",
            "https://gw.example:8443/./digdir/x/../test/.",
            "https://gw.example:8443/d%69gdir/test",
            "https://gw.example.:8443/digdir/test",
        ] {
            assert_eq!(id(spelling), gateway, "{spelling}");
        }
        let local = id("http://127.0.0.1:8080/");
        for spelling in ["http://localhost:8080", "http://[::1]:8080", "http://127.1:8080"] {
            assert_eq!(id(spelling), local, "{spelling}");
        }
        let others = [
            test.as_str(),
            ApiTarget::prod().api_id().as_str(),
            gateway,
            &local,
            &id("https://gw.example:8443/digdir/Test"),
            &id("https://gw.example:8443/digdir%2Ftest"),
            &id("https://gw.example/digdir/test"),
            &id("http://localhost:8081"),
            &id("http://127.0.0.2:8080"),
        ]
        .map(str::to_owned);
        let distinct: BTreeSet<_> = others.iter().collect();
        assert_eq!(distinct.len(), others.len(), "{others:?}");
    }

    #[test]
    fn fields_set_by_hand_are_checked_too() {
        let target = ApiTarget {
            api: Url::parse("http://evil.example").unwrap(),
            issuer: "https://maskinporten.no/".to_owned(),
            skyporten: None,
        };
        assert!(target.check(&AllowedHosts::default()).is_err());
    }

    #[test]
    fn skyporten_is_held_to_the_same_rules() {
        let check = |skyporten: &str, allowed: &[&str]| {
            let allowed = AllowedHosts::new(allowed.iter().copied())?;
            ApiTarget::custom("https://api.samarbeid.digdir.no", "https://maskinporten.no/")?
                .with_skyporten(skyporten)?
                .check(&allowed)
        };
        check("https://sky.maskinporten.no", &[]).unwrap();
        let refused = check("https://sky.evil.example", &[]);
        assert!(matches!(refused, Err(TargetError::NotAllowed { what: "skyporten", .. })));
        check("https://sky.evil.example", &["sky.evil.example"]).unwrap();
        let mixed = check("http://127.0.0.1:8810/skyporten", &[]);
        assert!(matches!(mixed, Err(TargetError::Mixed { what: "skyporten", .. })));
        check("http://127.0.0.1:8810/skyporten", &["127.0.0.1:8810"]).unwrap();
        for unusable in ["http://sky.evil.example", "https://u:p@sky.evil.example", "sky"] {
            assert!(matches!(check(unusable, &[]), Err(TargetError::Address(_))), "{unusable}");
        }
        assert_eq!(ApiTarget::prod().skyporten(), Ok("https://sky.maskinporten.no"));
        let without = ApiTarget::custom("https://a.example", "https://m.example/").unwrap();
        assert_eq!(without.skyporten(), Err(TargetError::NoSkyporten));
    }
}

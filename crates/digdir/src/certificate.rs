//! A private key with its certificates, from PEM or a PKCS#12 archive (RFC 7292).

use std::fmt;

use jiff::Timestamp;
use jsonwebtoken::EncodingKey;
use p12_keystore::error::Error as ArchiveError;
use p12_keystore::{CertificateBag, Pkcs12Archive};
use pkcs1::der::Decode;
use secrecy::{ExposeSecret, SecretString};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::credentials::CredentialsError;
use super::key::{self, KeyError};
use super::pem::{self, SEQUENCE, Unwrapped, unwrapped};

/// The magic number of a Java keystore.
const JKS: [u8; 4] = [0xFE, 0xED, 0xFE, 0xED];

/// Common beginning of the ciphers of PKCS#12 (RFC 7292 appendix C), as an OBJECT IDENTIFIER in DER.
const CIPHERS: [u8; 11] = [6, 10, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 12, 1];

/// A private key and the chain of its certificate.
pub(super) struct Pair {
    pub(super) key: EncodingKey,
    /// DER; the certificate itself first, then the one that signed it, and so on.
    pub(super) chain: Vec<Vec<u8>>,
    /// Until when the certificate is valid.
    pub(super) expires: Timestamp,
}

/// A pair in an archive, as a person chooses one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveEntry {
    /// The archive's name for the key (`friendlyName`), or else the certificate's subject.
    pub name: String,
    /// The certificate's subject.
    pub subject: String,
    /// Use of the key, as the certificate states it.
    pub usage: Option<&'static str>,
    /// Until when it is valid.
    pub expires: Timestamp,
}

impl fmt::Display for ArchiveEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, subject, usage, expires } = self;
        write!(f, "'{name}' (")?;
        if subject != name {
            write!(f, "{subject}, ")?;
        }
        if let Some(usage) = usage {
            write!(f, "{usage}, ")?;
        }
        write!(f, "expires on {})", expires.strftime("%F"))
    }
}

impl Pair {
    /// Reads a chain of PEM, and the key from a text of its own or else from among the chain.
    pub(super) fn from_pem(
        chain: &SecretString,
        key: Option<&SecretString>,
    ) -> Result<Self, CredentialsError> {
        let Ok(Unwrapped::Pem(blocks)) = unwrapped(chain.expose_secret()) else {
            return Err(CredentialsError::NoChain);
        };
        let certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE");
        let certificates: Vec<&[u8]> = certificates.map(|block| block.der.as_slice()).collect();
        if certificates.is_empty() {
            return Err(CredentialsError::NoChain);
        }
        let key = match key {
            Some(key) => key::read(key.expose_secret())?.signing,
            None => key::from_blocks(&blocks).map_err(|error| match error {
                KeyError::Public => CredentialsError::NoKeyInChain,
                other => other.into(),
            })?,
        };
        let certificates = parsed(&certificates)?;
        let own = own(&key, &certificates).ok_or(CredentialsError::NotOfKey)?;
        Self::new(key, own, &certificates)
    }

    /// Opens a PKCS#12 archive, or base64 of one. Of several pairs the one of this alias counts.
    pub(super) fn from_pkcs12(
        archive: &[u8],
        password: &str,
        alias: Option<&str>,
    ) -> Result<Self, CredentialsError> {
        let decoded = match archive.first() {
            Some(&SEQUENCE) => None,
            _ => std::str::from_utf8(archive).ok().and_then(pem::decoded),
        };
        let archive = decoded.as_ref().map_or(archive, |decoded| decoded.as_slice());
        let opened = Pkcs12Archive::from_pkcs12(archive, password);
        let Pkcs12Archive { keys, certs, secrets: _ } =
            opened.map_err(|error| unreadable(archive, error))?;
        let certificates: Vec<&[u8]> = certs.iter().map(|bag| bag.cert.as_der()).collect();
        let certificates = parsed(&certificates)?;
        let mut pairs: Vec<(ArchiveEntry, EncodingKey, &ParsedCertificate<'_>)> = Vec::new();
        let mut problem = CredentialsError::NoKeyInArchive;
        for bag in &keys {
            let key = match key::from_pkcs8(bag.key.as_der()) {
                Ok(key) => key,
                Err(error) => {
                    problem = error.into();
                    continue;
                }
            };
            // Paired by the public key: bags need not say what belongs together.
            let Some(own) = own(&key, &certificates) else { continue };
            let name = bag.friendly_name.as_deref().or_else(|| name_of(&certs, own.der));
            pairs.push((own.alias(name, &pairs)?, key, own));
        }
        let names = || pairs.iter().map(|(alias, ..)| alias.clone()).collect();
        let chosen = match alias {
            _ if pairs.is_empty() => return Err(problem),
            None if pairs.len() == 1 => 0,
            None => return Err(CredentialsError::SeveralPairs(names())),
            Some(wanted) => {
                let is_it =
                    |alias: &ArchiveEntry| alias.name.to_lowercase() == wanted.to_lowercase();
                let chosen = pairs.iter().position(|(alias, ..)| is_it(alias));
                chosen.ok_or_else(|| CredentialsError::NoSuchAlias(names()))?
            }
        };
        let (_, key, own) = pairs.swap_remove(chosen);
        Self::new(key, own, &certificates)
    }

    fn new(
        key: EncodingKey,
        own: &ParsedCertificate<'_>,
        certificates: &[ParsedCertificate<'_>],
    ) -> Result<Self, CredentialsError> {
        let mut chain = vec![own];
        let mut last = own;
        while let Some(issuer) = certificates.iter().find(|it| it.signed(last)) {
            if chain.iter().any(|known| known.der == issuer.der) {
                break;
            }
            chain.push(issuer);
            last = issuer;
        }
        let expires = own.expires()?;
        Ok(Self { key, chain: chain.iter().map(|it| it.der.to_vec()).collect(), expires })
    }
}

/// A certificate and its DER.
struct ParsedCertificate<'a> {
    der: &'a [u8],
    x509: X509Certificate<'a>,
}

impl ParsedCertificate<'_> {
    /// Returns whether it is the issuer's of another one, by the names.
    fn signed(&self, other: &Self) -> bool {
        self.x509.subject() == other.x509.issuer() && self.der != other.der
    }

    fn expires(&self) -> Result<Timestamp, CredentialsError> {
        let seconds = self.x509.validity().not_after.timestamp();
        Timestamp::from_second(seconds).map_err(|_| CredentialsError::Certificate)
    }

    /// Its name in the archive, with a number where one before it has the same name.
    fn alias<T, U>(
        &self,
        name: Option<&str>,
        before: &[(ArchiveEntry, T, U)],
    ) -> Result<ArchiveEntry, CredentialsError> {
        let subject = self.x509.subject().to_string();
        let name = name.filter(|name| !name.trim().is_empty()).unwrap_or(&subject);
        let is_free = |name: &str| !before.iter().any(|(alias, ..)| alias.name == name);
        let numbered = (2..).map(|number| format!("{name}#{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let name = names.find(|name| is_free(name)).unwrap_or_default();
        Ok(ArchiveEntry { name, subject, usage: self.usage(), expires: self.expires()? })
    }

    /// Enterprise certificates come in pairs: one for authentication, one for signing.
    fn usage(&self) -> Option<&'static str> {
        let usage = self.x509.key_usage().ok()??.value;
        match (usage.digital_signature(), usage.non_repudiation()) {
            (true, _) => Some("for authentication"),
            (false, true) => Some("for signing"),
            (false, false) => None,
        }
    }
}

fn parsed<'a>(certificates: &[&'a [u8]]) -> Result<Vec<ParsedCertificate<'a>>, CredentialsError> {
    let parse = |der: &&'a [u8]| {
        let (_, x509) =
            X509Certificate::from_der(der).map_err(|_| CredentialsError::Certificate)?;
        Ok(ParsedCertificate { der, x509 })
    };
    certificates.iter().map(parse).collect()
}

/// The certificate of a key.
fn own<'c, 'a>(
    key: &EncodingKey,
    certificates: &'c [ParsedCertificate<'a>],
) -> Option<&'c ParsedCertificate<'a>> {
    let key = pkcs1::RsaPrivateKeyRef::from_der(key.as_bytes()).ok()?;
    let is_own = |certificate: &&ParsedCertificate<'_>| match certificate.x509.public_key().parsed()
    {
        Ok(PublicKey::RSA(public)) => {
            let begin = public.modulus.iter().position(|byte| *byte != 0).unwrap_or_default();
            public.modulus[begin..] == *key.modulus.as_bytes()
        }
        Ok(_) | Err(_) => false,
    };
    // A renewed certificate can be of the same key.
    certificates.iter().filter(is_own).max_by_key(|it| it.x509.validity().not_after.timestamp())
}

fn name_of<'c>(bags: &'c [CertificateBag], der: &[u8]) -> Option<&'c str> {
    bags.iter().find(|bag| bag.cert.as_der() == der)?.friendly_name.as_deref()
}

/// Returns the reason why an archive cannot be opened.
fn unreadable(archive: &[u8], error: ArchiveError) -> CredentialsError {
    match error {
        ArchiveError::MacError(_) | ArchiveError::UnpadError => CredentialsError::Password,
        _ if archive.starts_with(&JKS) => CredentialsError::JavaKeystore,
        _ if archive.trim_ascii_start().starts_with(b"-----BEGIN ") => CredentialsError::PemArchive,
        ArchiveError::UnsupportedEncryptionScheme => {
            CredentialsError::Cipher(old_cipher(archive).unwrap_or("an algorithm"))
        }
        other => CredentialsError::Archive(other.to_string()),
    }
}

/// The old cipher of an archive, of those that nothing reads any more but openssl's legacy provider.
fn old_cipher(archive: &[u8]) -> Option<&'static str> {
    let rest = archive.windows(CIPHERS.len() + 1).filter_map(|it| it.strip_prefix(&CIPHERS));
    rest.filter_map(|number| match number {
        [1] => Some("RC4 with 128 bits"),
        [2] => Some("RC4 with 40 bits"),
        [4] => Some("two-key 3DES"),
        [5] => Some("RC2 with 128 bits"),
        _ => None,
    })
    .next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    const CERTIFICATE: &str = include_str!("../tests/material/auth.crt.pem");
    const KEY: &str = include_str!("../tests/material/auth.key.pem");
    const ISSUER: &str = include_str!("../tests/material/ca.crt.pem");
    const MODERN: &[u8] = include_bytes!("../tests/material/modern.p12");
    const TWO_PAIRS: &[u8] = include_bytes!("../tests/material/two-pairs.p12");

    fn der(pem: &str) -> Vec<u8> {
        let Ok(Unwrapped::Pem(blocks)) = unwrapped(pem) else { panic!("no PEM") };
        blocks[0].der.to_vec()
    }

    fn is_ours(pair: &Pair) {
        assert_eq!(pair.key.as_bytes(), key::read(KEY).unwrap().signing.as_bytes());
        assert_eq!(pair.chain, [der(CERTIFICATE), der(ISSUER)]);
    }

    fn open(archive: &[u8], alias: Option<&str>) -> Result<Pair, CredentialsError> {
        Pair::from_pkcs12(archive, "passord", alias)
    }

    fn error(archive: &[u8]) -> CredentialsError {
        match open(archive, None) {
            Err(error) => error,
            Ok(_) => panic!("it was opened"),
        }
    }

    #[test]
    fn archives_of_all_kinds_give_the_same_pair() {
        let base64 = STANDARD.encode(MODERN);
        let lines = base64.as_bytes().chunks(76).collect::<Vec<_>>().join(&b'\n');
        for archive in [
            MODERN,
            include_bytes!("../tests/material/rc2-40-3des.p12"),
            include_bytes!("../tests/material/no-local-key-id.p12"),
            base64.as_bytes(),
            &lines,
        ] {
            is_ours(&open(archive, None).unwrap());
        }
    }

    #[test]
    fn of_several_pairs_one_is_chosen_by_its_alias() {
        is_ours(&open(TWO_PAIRS, Some("Autentisering")).unwrap());
        let signing = open(TWO_PAIRS, Some("signering")).unwrap();
        assert_eq!(signing.chain[0], der(include_str!("../tests/material/sign.crt.pem")));
        let message = error(TWO_PAIRS).to_string();
        for part in ["2 private keys", "'autentisering' (", "for authentication", "for signing"] {
            assert!(message.contains(part), "{message}");
        }
        let none = open(TWO_PAIRS, Some("annen")).err().unwrap();
        assert!(matches!(&none, CredentialsError::NoSuchAlias(all) if all.len() == 2), "{none}");
    }

    #[test]
    fn an_archive_that_cannot_be_opened_says_why() {
        let cipher = |archive| match error(archive) {
            CredentialsError::Cipher(cipher) => cipher,
            other => panic!("{other}"),
        };
        for (archive, name) in [
            (&include_bytes!("../tests/material/rc2-128.p12")[..], "RC2 with 128 bits"),
            (include_bytes!("../tests/material/rc4-128.p12"), "RC4 with 128 bits"),
            (include_bytes!("../tests/material/two-key-3des.p12"), "two-key 3DES"),
        ] {
            assert_eq!(cipher(archive), name);
        }
        assert!(error(b"").to_string().contains("openssl pkcs12 -legacy -in OLD.p12"));
        assert!(matches!(error(&MODERN[..200]), CredentialsError::Archive(_)));
        assert_eq!(
            error(include_bytes!("../tests/material/old.jks")),
            CredentialsError::JavaKeystore
        );
        assert_eq!(error(CERTIFICATE.as_bytes()), CredentialsError::PemArchive);
        let wrong = Pair::from_pkcs12(MODERN, "feil", None).err().unwrap();
        assert_eq!(wrong, CredentialsError::Password);
    }

    #[test]
    fn pem_gives_the_chain_in_order_whatever_order_it_is_in() {
        let text = |text: &str| SecretString::from(text);
        let key = text(KEY);
        let chains = [
            format!("{CERTIFICATE}{ISSUER}"),
            format!("{ISSUER}{CERTIFICATE}").replace('\n', "\\n"),
            STANDARD.encode(format!("{ISSUER}{CERTIFICATE}")),
        ];
        for chain in &chains {
            is_ours(&Pair::from_pem(&text(chain), Some(&key)).unwrap());
        }
        is_ours(&Pair::from_pem(&text(&format!("{CERTIFICATE}{KEY}{ISSUER}")), None).unwrap());
        let error = |chain: &str, key: Option<&SecretString>| {
            Pair::from_pem(&text(chain), key).err().unwrap()
        };
        assert_eq!(error(KEY, Some(&key)), CredentialsError::NoChain);
        assert_eq!(error("hemmelig", Some(&key)), CredentialsError::NoChain);
        assert_eq!(error(CERTIFICATE, None), CredentialsError::NoKeyInChain);
        assert_eq!(error(ISSUER, Some(&key)), CredentialsError::NotOfKey);
        let other = text(include_str!("../tests/material/sign.key.pem"));
        assert_eq!(error(CERTIFICATE, Some(&other)), CredentialsError::NotOfKey);
    }
}

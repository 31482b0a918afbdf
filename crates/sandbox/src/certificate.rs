//! Enterprise certificates in the `x5c` header (RFC 7515 section 4.1.6).
//!
//! The emulator trusts no certificate authority: it accepts a certificate of any issuer, if it is
//! valid now and the chain hangs together by its names.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::DecodingKey;
use x509_parser::oid_registry::asn1_rs::{Oid, oid};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use domain::Orgno;

/// What the first certificate of a chain says.
pub(super) struct Leaf {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    /// Whose certificate it is; `None` if it names no organisation number.
    pub(super) orgno: Option<Orgno>,
}

impl Leaf {
    pub(super) fn key(&self) -> DecodingKey {
        DecodingKey::from_rsa_raw_components(&self.modulus, &self.exponent)
    }

    /// Whether its key has these numbers, which begin with no zero byte.
    pub(super) fn has_key(&self, modulus: &[u8], exponent: &[u8]) -> bool {
        self.modulus == modulus && self.exponent == exponent
    }
}

/// X.520 `serialNumber`, where Buypass and Commfides put the bare number.
const SERIAL_NUMBER: Oid<'static> = oid!(2.5.4.5);
/// X.520 `organizationIdentifier`, `NTRNO-` and the number (ETSI EN 319 412-1 section 5.1.4).
const ORGANIZATION_IDENTIFIER: Oid<'static> = oid!(2.5.4.97);

/// Reads a chain; the error is for the description of MP-123.
pub(super) fn leaf(x5c: &[String]) -> Result<Leaf, String> {
    let ders = x5c
        .iter()
        .map(|text| STANDARD.decode(without_space(text)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("not standard base64: {error}"))?;
    let chain = ders
        .iter()
        .map(|der| match X509Certificate::from_der(der) {
            Ok(([], certificate)) => Ok(certificate),
            Ok(_) => Err("something follows the certificate".to_owned()),
            Err(error) => Err(format!("not a certificate: {error}")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let leaf = chain.first().ok_or("the chain is empty")?;
    for pair in chain.windows(2) {
        if let [certificate, issuer] = pair
            && certificate.issuer() != issuer.subject()
        {
            return Err("a certificate is not followed by its issuer's".to_owned());
        }
    }
    if !leaf.validity().is_valid() {
        return Err("the certificate has expired or is not valid yet".to_owned());
    }
    match leaf.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => Ok(Leaf {
            modulus: unsigned(key.modulus).to_vec(),
            exponent: unsigned(key.exponent).to_vec(),
            orgno: orgno(leaf),
        }),
        Ok(_) | Err(_) => Err("its key is no RSA key".to_owned()),
    }
}

/// Clients send the lines of a PEM file (C).
fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_whitespace()).collect()
}

/// DER puts a zero byte before a number whose highest bit is set.
pub(super) fn unsigned(integer: &[u8]) -> &[u8] {
    match integer {
        [0, rest @ ..] => rest,
        all => all,
    }
}

fn orgno(leaf: &X509Certificate<'_>) -> Option<Orgno> {
    [ORGANIZATION_IDENTIFIER, SERIAL_NUMBER]
        .iter()
        .flat_map(|oid| leaf.subject().iter_by_oid(oid))
        .filter_map(|attribute| attribute.as_str().ok())
        .find_map(|text| text.strip_prefix("NTRNO-").unwrap_or(text).parse().ok())
}

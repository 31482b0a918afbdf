//! The credentials of an environment: whether they fit together, and where their parts are.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use super::environment::{Certificate, DeclaredCredentials, Environment, EnvironmentTarget};
use super::source::TextSource;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::optional::{Members, Spanned};
use domain::secret;
use domain::{ClientId, Kid};
use yaml::{Node, Position, Span};

/// Reports credentials that are missing or do not fit together.
pub(super) fn check_credentials(environment: &Environment, name: Span, findings: &mut Findings) {
    let is_sandbox = match *environment.target {
        EnvironmentTarget::Sandbox => true,
        EnvironmentTarget::Test | EnvironmentTarget::Prod | EnvironmentTarget::Custom(_) => false,
    };
    match (is_sandbox, &environment.credentials) {
        (true, None) => {}
        (true, Some(credentials)) => {
            let message = "the embedded sandbox does not use credentials";
            let help = "leave them out: it starts with a key of its own";
            findings.report(Rule::UnusedCredentials, credentials.span, message, help);
        }
        (false, None) => {
            let message = "this target needs `credentials`";
            let help = "add `credentials: { client_id: …, key: { env: … }, kid: … }`";
            findings.report(Rule::Credentials, name, message, help);
        }
        (false, Some(credentials)) => {
            if let Some((message, help)) = misfit(credentials) {
                findings.report(Rule::Credentials, credentials.span, message, help);
            }
            check_id::<ClientId>("client_id", Some(&credentials.client_id), findings);
            check_id::<Kid>("kid", credentials.kid.as_ref(), findings);
        }
    }
}

/// Reports a literal that is no id: it may be a secret, and is not repeated.
fn check_id<T: FromStr<Err: Display>>(
    key: &str,
    source: Option<&Spanned<TextSource>>,
    findings: &mut Findings,
) {
    let Some(Spanned { value: TextSource::Literal(text), span }) = source else { return };
    let Err(problem) = text.parse::<T>() else { return };
    let rule = match secret::likeness(text) {
        Some(_) => Rule::Secret,
        None => Rule::WrongValue,
    };
    let message = format!("`{key}` {}", not_an_id(text, key));
    findings.report(rule, *span, &message, &problem.to_string()).hides = false;
}

/// What is wrong with a text that should be the id of a client or a key, without the text.
pub fn not_an_id(text: &str, key: &str) -> String {
    let swapped = match secret::likeness(text).is_some_and(|like| like.contains("key")) {
        true => format!(": {key} and key are swapped"),
        false => String::new(),
    };
    format!("is not an id and is not shown: {}{swapped}", secret::described(text))
}

fn misfit(credentials: &DeclaredCredentials) -> Option<(&'static str, &'static str)> {
    let DeclaredCredentials { client_id: _, key, kid: _, certificate } = credentials;
    match (key, certificate) {
        (Some(_), None) => None,
        (None, Some(certificate)) => misfit_certificate(certificate),
        (Some(_), Some(_)) => Some((
            "`key` and `certificate` exclude each other",
            "keep the one that is registered on the client",
        )),
        (None, None) => Some((
            "neither a `key` nor a `certificate`",
            "add `key: { env: … }` and `kid`, or `certificate: { file: …, password: … }`",
        )),
    }
}

fn misfit_certificate(certificate: &Certificate) -> Option<(&'static str, &'static str)> {
    let Certificate { file, base64, password, alias, chain, key } = certificate;
    match (file, base64, chain) {
        (Some(_), None, None) | (None, Some(_), None) => match (password, key) {
            (Some(_), None) => None,
            (None, _) => Some((
                "a PKCS#12 archive without its `password`",
                "add `password: { env: … }` to the `certificate`",
            )),
            (Some(_), Some(_)) => Some((
                "`key` does not go with a PKCS#12 archive, which holds the key itself",
                "leave `key` out of the `certificate`",
            )),
        },
        (None, None, Some(_)) => match (password, alias) {
            (None, None) => None,
            (Some(_), _) | (_, Some(_)) => Some((
                "`password` and `alias` do not go with a `chain` of PEM",
                "leave them out; an encrypted key is decrypted with `openssl pkey`",
            )),
        },
        (None, None, None) => Some((
            "the `certificate` says neither `file`, nor `base64`, nor `chain`",
            "write `{ file: …, password: … }` or `{ base64: …, password: … }` for a PKCS#12 archive, or \
             `{ chain: …, key: … }` for PEM",
        )),
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => Some((
            "`file`, `base64` and `chain` of a `certificate` exclude each other",
            "keep one of them",
        )),
    }
}

/// Place of each part of the environments' credentials.
pub(super) fn credential_places(
    section: Option<Members<'_, Environment>>,
) -> BTreeMap<(String, String), Position> {
    let mut places = BTreeMap::new();
    for (name, at) in section.into_iter().flat_map(|section| section.at.entries()) {
        for (part, at) in at.get("credentials").into_iter().flat_map(Node::entries) {
            places.insert((name.to_owned(), part.to_owned()), at.span().start);
            for (inner, at) in at.entries().filter(|_| part == "certificate") {
                places.insert((name.to_owned(), format!("{part}.{inner}")), at.span().start);
            }
        }
    }
    places
}

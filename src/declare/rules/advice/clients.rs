//! Constraints between a client's attributes: DigDir's table of legal combinations.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::civil::Date;

use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::{list, nearest};
use crate::declare::diagnostic::{Diagnostic, quoted};
use crate::declare::read::declared::DeclaredClient;
use crate::declare::read::public_keys::certificate_expires;
use crate::declare::resolve::client_attributes;
use crate::declare::resolve::here::Here;
use domain::{
    AuthMethod, CLIENT, ClientAttributes, Combination, IntegrationType, KRR_SCOPES, LOGIN_SCOPES,
    ScopeName, norwegian_date,
};

/// Largest number of names with which a misspelt one is compared, for each client.
const MOST_COMPARED: usize = 5_000;

pub(super) fn find(here: &Here<'_>, today: Date, found: &mut Vec<Diagnostic>) {
    let own = own_scopes(here);
    for client in here.clients() {
        let attributes = client_attributes(client, here);
        let about = About { client, here, kind: attributes.integration_type };
        about.combination(&attributes, found);
        found.extend(about.scopes(&attributes));
        found.extend(about.misspelt_scopes(&attributes, &own));
        found.extend(about.on_behalf_of());
        found.extend(about.lifetimes(&attributes));
        found.extend(about.unused_keys(&attributes));
        found.extend(about.expired_certificates(today));
    }
}

/// The scopes with the prefixes of the declared ones.
#[derive(Default)]
struct OwnScopes<'s> {
    /// The subscopes that are declared in the environment, by prefix.
    here: HashMap<&'s str, BTreeSet<&'s str>>,
    /// Names that are right in a client: declared in some environment, or released to others.
    known: HashSet<&'s ScopeName>,
}

fn own_scopes<'s>(here: &Here<'s>) -> OwnScopes<'s> {
    let declared = here.declared.scopes.iter().map(|scope| &scope.name);
    let known = declared.chain(here.declared.removed.iter().map(|removed| &removed.scope));
    let mut own = OwnScopes { known: known.collect(), ..OwnScopes::default() };
    for scope in here.scopes() {
        own.here.entry(scope.name.prefix()).or_default().insert(scope.name.subscope());
    }
    own
}

/// A client in an environment.
struct About<'a> {
    client: &'a DeclaredClient,
    here: &'a Here<'a>,
    kind: IntegrationType,
}

impl About<'_> {
    fn found(&self, rule: Rule, attribute: &str, message: &str, help: &str) -> Diagnostic {
        let place = self.here.deciding_of_client(self.client, attribute);
        Diagnostic::new(rule, &place, message, help)
    }

    fn illegal(&self, attribute: &str, message: &str, help: &str) -> Diagnostic {
        self.found(Rule::ClientCombination, attribute, message, help)
    }

    fn combination(&self, attributes: &ClientAttributes, found: &mut Vec<Diagnostic>) {
        let kind = self.kind.as_str();
        let (Some(application_type), Some(method), Some(grants)) = (
            attributes.application_type,
            attributes.token_endpoint_auth_method,
            &attributes.grant_types,
        ) else {
            return;
        };
        let rows = self.kind.combinations();
        let Some(first) = rows.first() else { return };
        let fits = |row: &&Combination| row.application_types.contains(&application_type);
        let Some(row) = rows.iter().find(fits) else {
            let legal =
                list(rows.iter().flat_map(|row| row.application_types).map(|it| it.as_str()));
            let message = format!(
                "a client of {kind} has no `application_type: {}`",
                application_type.as_str()
            );
            let help = format!("write {legal}, or leave it out");
            found.push(self.illegal(CLIENT.application_type.name, &message, &help));
            return;
        };
        let runs = match rows.len() {
            1 => String::new(),
            _ => format!(" with `application_type: {}`", application_type.as_str()),
        };
        if !row.methods.contains(&method) {
            let message =
                format!("a client of {kind}{runs} cannot prove itself by `{}`", method.as_str());
            let help = format!(
                "write {}, or leave it out",
                list(row.methods.iter().map(|method| method.as_str()))
            );
            found.push(self.illegal(CLIENT.token_endpoint_auth_method.name, &message, &help));
        }
        let odd = grants.iter().find(|grant| !row.grants.contains(grant));
        let required = first.grants.first().filter(|grant| !grants.contains(grant));
        let message = match (odd, required) {
            (Some(odd), _) => format!("a client of {kind} has no grant `{}`", odd.as_str()),
            (None, Some(required)) => {
                format!("a client of {kind} needs the grant `{}`", required.as_str())
            }
            (None, None) => return,
        };
        let help = format!(
            "write {}, or leave it out",
            list(row.grants.iter().map(|grant| grant.as_str()))
        );
        found.push(self.illegal(CLIENT.grant_types.name, &message, &help));
    }

    fn scopes(&self, attributes: &ClientAttributes) -> Option<Diagnostic> {
        let scopes = &attributes.scopes;
        let legal: &[&str] = match self.kind {
            IntegrationType::Krr => &KRR_SCOPES,
            IntegrationType::Idporten => &LOGIN_SCOPES,
            IntegrationType::Ansattporten
            | IntegrationType::ApiKlient
            | IntegrationType::Eformidling
            | IntegrationType::IdportenSaml2
            | IntegrationType::Maskinporten => return None,
        };
        let kind = self.kind.as_str();
        let odd = scopes.iter().find(|scope| !legal.contains(&scope.as_str()));
        let missing = match self.kind {
            IntegrationType::Krr => {
                let has = |word: &&&str| scopes.iter().any(|scope| scope.as_str() == **word);
                legal.iter().find(|word| !has(word))
            }
            _ => None,
        };
        let message = match (odd, missing) {
            (Some(odd), _) => format!("a client of {kind} cannot have the scope `{odd}`"),
            (None, Some(missing)) => format!("a client of {kind} always has the scope `{missing}`"),
            (None, None) => return None,
        };
        let help = match self.kind {
            IntegrationType::Krr => "leave `scopes` out: they are fixed".to_owned(),
            _ => format!(
                "it can have {}; a client of maskinporten or api_klient consumes others",
                list(legal.iter().copied())
            ),
        };
        Some(self.illegal(CLIENT.scopes.name, &message, &help))
    }

    /// Scopes below a prefix of declared ones that are declared nowhere, and have nearly the name of one. Others
    /// may be live: only a plan knows it.
    fn misspelt_scopes(
        &self,
        attributes: &ClientAttributes,
        own: &OwnScopes<'_>,
    ) -> Vec<Diagnostic> {
        let misspelt = attributes.scopes.iter().filter_map(|scope| {
            let name = scope.name()?;
            let here = own.here.get(name.prefix())?;
            if own.known.contains(&name) || here.len() > MOST_COMPARED {
                return None;
            }
            let near = nearest(name.subscope(), here.iter().copied())?;
            let message = format!("the client consumes {}, which is not declared", quoted(name.as_str()));
            let help = format!(
                "did you mean {}? If the scope is live all the same, or another repository declares it, write \
                 `# portvakt: allow {} -- why` above the client",
                quoted(&format!("{}:{near}", name.prefix())),
                Rule::UndeclaredScope.code()
            );
            Some(self.found(Rule::UndeclaredScope, CLIENT.scopes.name, &message, &help))
        });
        misspelt.collect()
    }

    fn on_behalf_of(&self) -> Option<Diagnostic> {
        let input = self.client.first(self.here.set, |part| part.on_behalf_of.as_ref())?;
        if self.kind == IntegrationType::Idporten || input.is_empty() {
            return None;
        }
        let message = format!("a client of {} acts on nobody's behalf", self.kind.as_str());
        let help = "`onbehalfof` belongs to clients of idporten; remove it";
        Some(self.illegal("onbehalfof", &message, help))
    }

    /// DigDir: an access token expires before its refresh token, and that one not after the login.
    fn lifetimes(&self, attributes: &ClientAttributes) -> Option<Diagnostic> {
        if !self.kind.has_login() {
            return None;
        }
        let access = attributes.access_token_lifetime?;
        let refresh = attributes.refresh_token_lifetime?;
        let authorization = attributes.authorization_lifetime?;
        let (attribute, message) = if access >= refresh {
            let message = format!(
                "refresh_token_lifetime is {refresh}, and not more than access_token_lifetime, \
                 {access}"
            );
            (&CLIENT.refresh_token_lifetime, message)
        } else if refresh > authorization {
            let message = format!(
                "authorization_lifetime is {authorization}, and less than refresh_token_lifetime, \
                 {refresh}"
            );
            (&CLIENT.authorization_lifetime, message)
        } else {
            return None;
        };
        let help = "access_token_lifetime < refresh_token_lifetime <= authorization_lifetime";
        Some(self.found(Rule::ClientLifetimes, attribute.name, &message, help))
    }

    fn unused_keys(&self, attributes: &ClientAttributes) -> Option<Diagnostic> {
        let keys = self.client.first(self.here.set, |part| part.keys.as_ref())?;
        let method = attributes.token_endpoint_auth_method?;
        if method == AuthMethod::PrivateKeyJwt || keys.keys.is_empty() {
            return None;
        }
        let message = format!("the client proves itself by `{}` and not by keys", method.as_str());
        let help = "remove `jwks`, or write `token_endpoint_auth_method: private_key_jwt`";
        let place = self.client.place.with(keys.span);
        Some(Diagnostic::new(Rule::UnusedKeys, &place, &message, help))
    }

    /// A key that is locked to a certificate is of no use once that has expired. It hides nobody, as what
    /// was applied does not change by it.
    fn expired_certificates(&self, today: Date) -> Vec<Diagnostic> {
        let keys = self.client.first(self.here.set, |part| part.keys.as_ref());
        let Some(keys) = keys else { return Vec::new() };
        let place = self.client.place.with(keys.span);
        let expired = keys.keys.iter().filter_map(|key| {
            let day = norwegian_date(certificate_expires(key)?);
            let message =
                format!("the certificate of the key {} expired on {day}", quoted(key.kid.as_str()));
            let help = "declare the renewed certificate, or the public key alone, which needs none";
            let mut found = Diagnostic::new(Rule::Key, &place, &message, help);
            found.hides = false;
            (day < today).then_some(found)
        });
        expired.collect()
    }
}

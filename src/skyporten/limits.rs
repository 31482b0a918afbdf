//! Limits of the clouds, for the shares of one environment together.

use std::collections::{BTreeMap, BTreeSet};

use super::aws::RolePolicy;
use super::spread::sufficient;
use super::{CloudShare, TrustedShare, TrustingCloud, gcp, subject};
use domain::Orgno;

/// Federated credentials that an identity can have
/// (<https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>).
const MOST_CREDENTIALS: usize = 20;
/// Characters of each text of a federated credential (as above).
const LONGEST_TEXT: usize = 600;
/// Characters of a trust policy, without white space, unless AWS has raised the quota of the account
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
const LONGEST_POLICY: usize = 2_048;
/// Bytes of the attributes that a token is mapped to.
const LONGEST_ATTRIBUTE: usize = 127;
/// Audiences of a provider, and characters of each
/// (<https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers>).
const MOST_AUDIENCES: usize = 10;
const LONGEST_AUDIENCE: usize = 256;

/// A limit that is exceeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exceeded {
    /// The index of the share.
    pub(crate) share: usize,
    pub(crate) cloud: TrustingCloud,
    pub(crate) message: String,
    pub(crate) help: String,
}

/// The shares before one, as far as they count for its limits.
#[derive(Default)]
struct Before<'s> {
    /// Credentials, by the identity.
    credentials: BTreeMap<String, usize>,
    /// Audiences, by project, pool and provider.
    audiences: BTreeMap<[&'s str; 3], BTreeSet<&'s str>>,
}

/// The limits that shares exceed with their consumers.
pub(crate) fn exceeded(issuer: &str, shares: &[TrustedShare]) -> Vec<Exceeded> {
    let mut found = Vec::new();
    let mut before = Before::default();
    for (share, trusted) in shares.iter().enumerate() {
        let problems = texts(trusted).into_iter().chain([
            (TrustingCloud::Azure, before.credentials(trusted)),
            (TrustingCloud::Aws, policies(issuer, trusted)),
            (TrustingCloud::Gcp, before.audiences(trusted)),
        ]);
        found.extend(problems.filter_map(|(cloud, problem)| {
            let (message, help) = problem?;
            Some(Exceeded { share, cloud, message, help })
        }));
    }
    found
}

/// A problem, and its remedy.
type Excess = Option<(String, String)>;

impl<'s> Before<'s> {
    /// Credentials of the identities of a share.
    fn credentials(&mut self, TrustedShare { share, consumers }: &TrustedShare) -> Excess {
        let azure = share.clouds.azure.as_ref()?;
        let mut own: BTreeMap<&String, usize> = BTreeMap::new();
        for identity in consumers.keys().filter_map(|orgno| azure.of(*orgno)) {
            *own.entry(identity).or_default() += 1;
        }
        let key = |identity: &str| azure.id(identity).to_lowercase();
        let of_others = |identity: &str| self.credentials.get(&key(identity)).copied().unwrap_or(0);
        let counts = own.iter().map(|(identity, own)| (own + of_others(identity), *identity));
        let problem = counts.max().filter(|(count, _)| *count > MOST_CREDENTIALS);
        let problem = problem.map(|(count, identity)| {
            let all: Vec<_> = consumers.keys().copied().collect();
            let names = sufficient(&azure.identities, &all, |name, own| {
                own.is_empty() || own.len() + of_others(name) <= MOST_CREDENTIALS
            });
            let message = format!(
                "the identity `{identity}` would have {count} federated credentials, one for each consumer, and Azure \
                 allows {MOST_CREDENTIALS}"
            );
            (message, more("identity", "identities", names))
        });
        for (identity, count) in own {
            *self.credentials.entry(key(identity)).or_default() += count;
        }
        problem
    }

    /// Audiences of the provider of a share.
    fn audiences(&mut self, TrustedShare { share, consumers: _ }: &'s TrustedShare) -> Excess {
        let gcp = share.clouds.gcp.as_ref()?;
        let audiences =
            self.audiences.entry([&gcp.project_number, &gcp.pool, &gcp.provider]).or_default();
        let is_new = audiences.insert(&share.audience);
        (is_new && audiences.len() > MOST_AUDIENCES).then(|| {
            let (provider, count) = (&gcp.provider, audiences.len());
            let message = format!(
                "the provider `{provider}` would have {count} audiences, and Google Cloud allows {MOST_AUDIENCES}"
            );
            (message, "let shares have the same audience, or name another `provider`".to_owned())
        })
    }
}

/// Trust policies of the roles of a share.
fn policies(issuer: &str, TrustedShare { share, consumers }: &TrustedShare) -> Excess {
    let aws = share.clouds.aws.as_ref()?;
    let length = |own: &[Orgno]| {
        RolePolicy::new(&aws.account, issuer, share, own.iter().copied()).document().chars().count()
    };
    let lengths = aws.roles.iter().map(|role| {
        let own = consumers.keys().copied().filter(|orgno| aws.of(*orgno) == Some(role));
        (length(&own.collect::<Vec<_>>()), role)
    });
    let (longest, role) = lengths.max()?;
    if longest <= LONGEST_POLICY {
        return None;
    }
    let all: Vec<_> = consumers.keys().copied().collect();
    let names = sufficient(&aws.roles, &all, |_, own| length(own) <= LONGEST_POLICY);
    let message = format!(
        "the trust policy of the role `{role}` would have {longest} characters, and AWS allows {LONGEST_POLICY}"
    );
    Some((message, more("role", "roles", names)))
}

fn more(key: &str, what: &str, names: Option<Vec<String>>) -> String {
    match names {
        Some(names) => format!(
            "write `{key}: [{}]`, and create those {what}: each consumer gets one of them, and some get another one \
             than before",
            names.join(", ")
        ),
        None => format!("let several scopes share the consumers: no number of {what} is enough"),
    }
}

/// Texts that are made of the scope, and the audience.
fn texts(TrustedShare { share, consumers }: &TrustedShare) -> Vec<(TrustingCloud, Excess)> {
    let CloudShare { name: _, scope, audience, clouds, source: _ } = share;
    let Some(consumer) = consumers.keys().next() else { return Vec::new() };
    let problem = |what: &str, length: usize, cloud: &str, most: usize, help: &str| {
        let message = format!("{what} would have a length of {length}, and {cloud} allows {most}");
        (length > most).then(|| (message, help.to_owned()))
    };
    let shorter_scope = "use a scope with a shorter name";
    let shorter_audience = "use a shorter audience";
    let audience = audience.chars().count();
    let mut found = Vec::new();
    if clouds.azure.is_some() {
        let subject = subject(*consumer, scope).chars().count();
        let subject = problem("the subject", subject, "Azure", LONGEST_TEXT, shorter_scope);
        let audience = problem("the audience", audience, "Azure", LONGEST_TEXT, shorter_audience);
        found.extend([(TrustingCloud::Azure, subject), (TrustingCloud::Azure, audience)]);
    }
    if clouds.gcp.is_some() {
        let attributes = [consumer.claim_id(), gcp::client_access(*consumer, scope)];
        let attribute = attributes.iter().map(String::len).max().unwrap_or_default();
        let google = "Google Cloud";
        let attribute = problem(
            "the attribute of a consumer",
            attribute,
            google,
            LONGEST_ATTRIBUTE,
            shorter_scope,
        );
        let audience =
            problem("the audience", audience, google, LONGEST_AUDIENCE, shorter_audience);
        found.extend([(TrustingCloud::Gcp, attribute), (TrustingCloud::Gcp, audience)]);
    }
    found
}

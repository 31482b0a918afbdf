//! Names of applications, scopes and their owners at NAIS, the platform
//! (<https://doc.nais.io/auth/maskinporten/>; digdirator, its operator for DigDir; DigDir itself knows none
//! of this).

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;

use super::Entity;

/// Pattern of a subscope, as NAIS documents it.
static SUBSCOPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^([a-zæøå0-9]+\/?)+(\:[a-zæøå0-9]+)*[a-zæøå0-9]+(\.[a-zæøå0-9]+)*$").ok()
});

/// Separators between a product and a name.
pub const SEPARATORS: [char; 3] = ['/', ':', '.'];

/// The bounds of a manifest's `atMaxAge`, in seconds.
pub const AT_MAX_AGE: std::ops::RangeInclusive<u64> = 30..=680;

/// Whether a subscope matches the pattern of NAIS.
pub fn is_subscope(subscope: &str) -> bool {
    SUBSCOPE.as_ref().is_some_and(|regex| regex.is_match(subscope))
}

/// Whether a text can be a product.
pub fn is_product(product: &str) -> bool {
    !product.is_empty() && product.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

/// An application: a workload in a namespace of a cluster. It owns the client and the scopes whose
/// descriptions name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Application {
    cluster: Box<str>,
    namespace: Box<str>,
    name: Box<str>,
}

/// The text is not a Kubernetes name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKubernetes {
    /// It is not a label, as clusters and namespaces have.
    #[error(
        "{0:?} is not a valid Kubernetes name: it has 1 to 63 of a to z, digits and dashes, the first and the \
         last no dash"
    )]
    Label(String),
    /// It is not the name of a resource.
    #[error(
        "{0:?} is not a valid Kubernetes name: it has 1 to 253 of a to z, digits, dashes and dots, the first \
         and the last a letter or a digit"
    )]
    Resource(String),
}

/// The text is not an application: three Kubernetes names separated by colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an application is written <cluster>:<namespace>:<name>")]
pub struct NoApplication;

impl Application {
    /// The application of that name in a namespace of a cluster.
    ///
    /// # Errors
    /// One of the three is not a Kubernetes name.
    pub fn new(cluster: &str, namespace: &str, name: &str) -> Result<Self, NotKubernetes> {
        Ok(Self {
            cluster: label(cluster)?,
            namespace: label(namespace)?,
            name: resource_name(name)?,
        })
    }

    /// Its cluster.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Its namespace, which is its team.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Its own name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a text is exactly its written form.
    pub fn is_written(&self, text: &str) -> bool {
        let rest = text.strip_prefix(&*self.cluster).and_then(|rest| rest.strip_prefix(':'));
        let rest = rest.and_then(|rest| rest.strip_prefix(&*self.namespace));
        rest.and_then(|rest| rest.strip_prefix(':')) == Some(&*self.name)
    }

    /// The three names without dashes, the form in which the description of a scope that is handed over has
    /// them.
    #[must_use]
    pub fn joined(&self) -> Self {
        let joined = |part: &str| part.replace('-', "").into();
        Self {
            cluster: joined(&self.cluster),
            namespace: joined(&self.namespace),
            name: joined(&self.name),
        }
    }

    /// The description that hands one of the organisation's scopes over to the application, as the migration
    /// guide specifies.
    pub fn handed_over(&self, subscope: &str) -> String {
        format!("{}.{subscope}", self.joined())
    }

    /// The description that hands a scope or a client over to the application.
    pub fn describing(&self, entity: &Entity) -> String {
        match entity {
            Entity::Scope(name) => self.handed_over(name.subscope()),
            Entity::Client(_) => self.to_string(),
        }
    }

    /// The description that digdirator gives a scope that the application exposes.
    pub fn exposing(&self, product: &str) -> String {
        format!("{product} - {self}")
    }
}

impl fmt::Display for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.cluster, self.namespace, self.name)
    }
}

impl FromStr for Application {
    type Err = NoApplication;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(':');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(cluster), Some(namespace), Some(name), None) => {
                Self::new(cluster, namespace, name).map_err(|_| NoApplication)
            }
            _ => Err(NoApplication),
        }
    }
}

/// A label, such as the name of a cluster, of a namespace or of a service (RFC 1123).
///
/// # Errors
/// The text is not one.
pub fn label(text: &str) -> Result<Box<str>, NotKubernetes> {
    let fits = (1..=63).contains(&text.len()) && is_label(text);
    if fits { Ok(text.into()) } else { Err(NotKubernetes::Label(text.to_owned())) }
}

/// Custom resources have the names of subdomains, which are longer than labels.
fn resource_name(text: &str) -> Result<Box<str>, NotKubernetes> {
    let fits = (1..=253).contains(&text.len()) && text.split('.').all(is_label);
    if fits { Ok(text.into()) } else { Err(NotKubernetes::Resource(text.to_owned())) }
}

fn is_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') && !text.ends_with('-')
}

/// The application that owns a scope or a client, by its description.
pub fn owner(entity: &Entity, description: &str) -> Option<Application> {
    match entity {
        Entity::Scope(name) => owner_of_scope(description, name.subscope()),
        Entity::Client(_) => owner_of_client(description),
    }
}

/// The application that owns a client, by the client's description.
pub fn owner_of_client(description: &str) -> Option<Application> {
    description.parse().ok()
}

/// The application that owns a scope, by the scope's description: in the form that digdirator writes, or in
/// that of the migration guide, which has no dashes.
pub fn owner_of_scope(description: &str, subscope: &str) -> Option<Application> {
    let handed_over = || description.strip_suffix(subscope)?.strip_suffix('.')?.parse().ok();
    let exposed = || description.split_once(" - ")?.1.parse().ok();
    handed_over().or_else(exposed)
}

/// A subscope in the form of a manifest (`spec.maskinporten.scopes.exposes`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// The product.
    pub product: String,
    /// The separator, where it differs from the usual one for the name.
    pub separator: Option<char>,
    /// The name.
    pub name: String,
}

/// Reason why no manifest can expose a subscope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotExposable {
    /// It has no separator.
    #[error("the subscope has no product before a `:`, a `/` or a `.`")]
    NoProduct,
    /// The product has a character that is not allowed.
    #[error("the product, before the first `:`, `/` or `.`, is not of a to z and digits alone")]
    Product,
    /// It does not match the pattern of NAIS.
    #[error("the subscope is not formed as one of NAIS")]
    Form,
}

impl Exposed {
    /// The product and the name of a subscope.
    ///
    /// # Errors
    /// No manifest can expose it.
    pub fn of(subscope: &str) -> Result<Self, NotExposable> {
        let at = subscope.find(SEPARATORS).ok_or(NotExposable::NoProduct)?;
        let (product, rest) = subscope.split_at(at);
        let mut rest = rest.chars();
        let separator = rest.next();
        let name = rest.as_str();
        if !is_product(product) {
            return Err(NotExposable::Product);
        }
        // Kubernetes checks the name by the pattern, and not the whole subscope.
        if !is_subscope(name) {
            return Err(NotExposable::Form);
        }
        Ok(Self {
            product: product.to_owned(),
            separator: separator.filter(|separator| *separator != usual_separator(name)),
            name: name.to_owned(),
        })
    }

    /// The separator between product and name.
    pub fn separator(&self) -> char {
        self.separator.unwrap_or_else(|| usual_separator(&self.name))
    }

    /// The subscope.
    pub fn subscope(&self) -> String {
        let Self { product, separator: _, name } = self;
        format!("{product}{}{name}", self.separator())
    }
}

/// Separator between a product and a name where the manifest does not set one.
fn usual_separator(name: &str) -> char {
    if name.contains('/') { '/' } else { ':' }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(text: &str) -> Application {
        text.parse().unwrap()
    }

    #[test]
    fn an_application_is_three_names_in_kubernetes() {
        assert_eq!(
            application("prod-gcp:plattform:aareg-api").to_string(),
            "prod-gcp:plattform:aareg-api"
        );
        for (text, is_it) in [
            ("prod-gcp:plattform:aareg-api", true),
            ("prod-gcp:plattform:aareg-api2", false),
            ("prod-gcp:plattform:aareg", false),
            ("prod-gcp2:plattform:aareg-api", false),
            ("prod-gcp:plattform", false),
            ("", false),
        ] {
            let own = application("prod-gcp:plattform:aareg-api");
            assert_eq!(own.is_written(text), is_it, "{text}");
        }
        for name in ["x".repeat(253), "a.b-c.d".to_owned()] {
            assert_eq!(application(&format!("a:b:{name}")).name(), name);
        }
        let long = [format!("a:{}:c", "x".repeat(64)), format!("a:b:{}", "x".repeat(254))];
        let long = long.iter().map(String::as_str);
        let others =
            ["", "a:b", "a:b:c:d", "a:b:", "A:b:c", "-a:b:c", "a:b-:c", "a:b:ø", "a:b:c..d"];
        for no in others.into_iter().chain(long) {
            assert_eq!(no.parse::<Application>(), Err(NoApplication), "{no}");
        }
    }

    #[test]
    fn owners_are_recognised_by_descriptions() {
        let own = application("prod-gcp:plattform:aareg-api");
        assert_eq!(owner_of_client("prod-gcp:plattform:aareg-api"), Some(own.clone()));
        assert_eq!(owner_of_client("Henter skattekort"), None);
        let subscope = "arbeid:aareg.read";
        let joined = application("prodgcp:plattform:aaregapi");
        assert_eq!(own.handed_over(subscope), "prodgcp:plattform:aaregapi.arbeid:aareg.read");
        assert_eq!(owner_of_scope(&own.handed_over(subscope), subscope), Some(joined));
        assert_eq!(own.exposing("arbeid"), "arbeid - prod-gcp:plattform:aareg-api");
        assert_eq!(owner_of_scope(&own.exposing("arbeid"), subscope), Some(own));
        let example = "mycluster:mynamespace:myapp.my/scope.read";
        let owner = application("mycluster:mynamespace:myapp");
        assert_eq!(owner_of_scope(example, "my/scope.read"), Some(owner));
        for other in ["Les arbeidsforhold", "a - b", "a:b:c.arbeid:aareg.write", ""] {
            assert_eq!(owner_of_scope(other, subscope), None, "{other}");
        }
    }

    #[test]
    fn a_subscope_is_a_product_and_a_name() {
        for (subscope, product, separator, name) in [
            ("arbeid:aareg", "arbeid", None, "aareg"),
            ("arbeid:aareg.read", "arbeid", None, "aareg.read"),
            ("arbeid/a/bb.read", "arbeid", None, "a/bb.read"),
            ("my/scope.read", "my", Some('/'), "scope.read"),
            ("arbeid:å1:bb", "arbeid", None, "å1:bb"),
            ("aareg.read", "aareg", Some('.'), "read"),
            ("arbeid:aareg/read", "arbeid", Some(':'), "aareg/read"),
        ] {
            let exposed = Exposed::of(subscope).unwrap();
            let expected = Exposed { product: product.into(), separator, name: name.into() };
            assert_eq!(exposed, expected, "{subscope}");
            assert_eq!(exposed.subscope(), subscope);
        }
        for (subscope, why) in [
            ("aareg", NotExposable::NoProduct),
            ("", NotExposable::NoProduct),
            (":aareg", NotExposable::Product),
            ("arbeid.x:a", NotExposable::Form),
            ("økonomi:aareg", NotExposable::Product),
            ("arbeid:", NotExposable::Form),
            ("arbeid:Aareg", NotExposable::Form),
            ("arbeid:aa reg", NotExposable::Form),
        ] {
            assert_eq!(Exposed::of(subscope), Err(why), "{subscope}");
        }
    }
}

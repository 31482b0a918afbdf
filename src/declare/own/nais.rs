//! NAIS' requirements for a scope that one of its applications is to take over.
//! (<https://doc.nais.io/auth/maskinporten/>; digdirator, its operator for DigDir.)

use super::pattern::PatternBreach;
use crate::declare::diagnostic::quoted;
use domain::nais::{Exposed, NotExposable};

/// The reason why an application cannot expose a subscope as a product and a name.
pub(crate) fn check_subscope(subscope: &str) -> Option<PatternBreach> {
    let why = match Exposed::of(subscope) {
        Ok(_) => return None,
        Err(NotExposable::NoProduct) => {
            format!("the subscope {} has no product", quoted(subscope))
        }
        Err(NotExposable::Product | NotExposable::Form) => {
            format!("the subscope {} is not formed as one of NAIS", quoted(subscope))
        }
    };
    let suggestions = nearest_subscope(subscope).map(|near| format!("such as `{near}`: "));
    let help = format!(
        "write {}a product of letters a to z and digits, one of `/`, `:` and `.`, and a name of letters a \
         to z, æ, ø, å and digits that ends in two of them or more, with `.` behind the last `:` or `/` \
         alone",
        suggestions.unwrap_or_default()
    );
    Some(PatternBreach { why, help })
}

/// The subscope without the characters that are not allowed, if that makes it valid.
fn nearest_subscope(subscope: &str) -> Option<String> {
    let subscope = subscope.to_lowercase().replace(['-', '_'], "");
    Exposed::of(&subscope).is_ok().then_some(subscope)
}

/// The reason why a scope's description does not name its application.
pub(crate) fn check_description(description: &str, subscope: &str) -> Option<PatternBreach> {
    match description.split_once(" - ") {
        Some((product, application)) => as_digdirator_writes(product, application, subscope),
        None => as_the_guide_asks(description, subscope),
    }
}

/// `<product> - <cluster>:<namespace>:<name>`.
fn as_digdirator_writes(product: &str, application: &str, subscope: &str) -> Option<PatternBreach> {
    let parts = parts(application);
    let begins = subscope.strip_prefix(product);
    let is_product = begins.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    let why = match (parts, is_product) {
        (Some(_), true) => return None,
        (Some(_), false) => {
            let shown = quoted(product);
            format!("{shown} is not the product of the subscope {}", quoted(subscope))
        }
        (None, _) => format!("{} is not the name of an application at NAIS", quoted(application)),
    };
    Some(PatternBreach { why, help: suggested_name(parts, subscope) })
}

/// `<cluster>:<namespace>:<name>.<subscope>`, without the dashes inside the three parts.
fn as_the_guide_asks(description: &str, subscope: &str) -> Option<PatternBreach> {
    let mut sections = description.splitn(3, ':');
    let before = sections.next().zip(sections.next());
    // A subscope contains colons and dots itself.
    let (name, own) = match sections.next().map(|rest| rest.split_once('.').unwrap_or((rest, ""))) {
        Some((name, own)) => (name, own),
        None => ("", ""),
    };
    let parts = before.and_then(|(cluster, namespace)| checked([cluster, namespace, name]));
    let why = match parts {
        None => "the description does not begin with an application's name at NAIS".to_owned(),
        Some(_) if own.is_empty() => {
            "the description does not end with the scope's subscope".to_owned()
        }
        Some(_) if own != subscope => {
            format!("{} is not the scope's subscope, {}", quoted(own), quoted(subscope))
        }
        Some(parts) => {
            let dashed = parts.into_iter().find(|part| part.contains('-'))?;
            format!("{} still has its dashes", quoted(dashed))
        }
    };
    Some(PatternBreach { why, help: suggested_name(parts, subscope) })
}

/// The cluster, the namespace and the name of an application.
fn parts(application: &str) -> Option<[&str; 3]> {
    let mut parts = application.split(':');
    let three = [parts.next()?, parts.next()?, parts.next()?];
    match parts.next() {
        None => checked(three),
        Some(_) => None,
    }
}

/// The parts, if each is a valid Kubernetes name.
fn checked(parts: [&str; 3]) -> Option<[&str; 3]> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = |part: &str| part.contains(|c| c != '-') && part.chars().all(plain);
    parts.into_iter().all(is_name).then_some(parts)
}

fn suggested_name(parts: Option<[&str; 3]>, subscope: &str) -> String {
    match parts {
        Some(parts) => {
            let [cluster, namespace, name] = parts.map(|part| part.replace('-', ""));
            format!("write `{cluster}:{namespace}:{name}.{subscope}`")
        }
        None => format!(
            "write `<cluster>:<namespace>:<name>.{subscope}`, without the dashes inside the first \
             three"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscopes_of_nais() {
        for good in [
            "arbeid:aareg",
            "arbeid:aareg.read",
            "arbeid/aareg.read.all",
            "arbeid/a/b/c1",
            "arbeid:å1:bb",
            "my/scope.read",
            "aareg.read",
            "arbeid:aareg/read",
            "arbeid.x:aareg",
        ] {
            assert_eq!(check_subscope(good), None, "{good}");
        }
        for (bad, why, help) in [
            ("aareg", "no product", "write a product"),
            ("arbeid:a", "not formed", "ends in two"),
            ("arbeid:Aareg-Les", "not formed", "such as `arbeid:aaregles`"),
            ("økonomi:aareg", "not formed", "write a product"),
            ("arbeid:aareg.", "not formed", "write a product"),
            (":aareg", "not formed", "write a product"),
            ("arbeid:aa reg\n", "not formed", "write a product"),
            ("", "no product", "write a product"),
        ] {
            let broken = check_subscope(bad).unwrap();
            assert!(broken.why.contains(why), "{bad}: {broken:?}");
            assert!(broken.help.contains(help), "{bad}: {broken:?}");
        }
    }

    #[test]
    fn descriptions_of_nais() {
        let own = "arbeid:aareg.read";
        for good in [
            "prodgcp:plattform:aareg.arbeid:aareg.read",
            "arbeid - prod-gcp:plattform:aareg-api",
            "arbeid - prodgcp:plattform:aareg",
        ] {
            assert_eq!(check_description(good, own), None, "{good}");
        }
        let example = "mycluster:mynamespace:myapp.my/scope.read";
        assert_eq!(check_description(example, "my/scope.read"), None);
        for (bad, why, help) in [
            (
                "prod-gcp:plattform:aareg-api.arbeid:aareg.read",
                "`prod-gcp` still has its dashes",
                "write `prodgcp:plattform:aaregapi.arbeid:aareg.read`",
            ),
            (
                "prodgcp:plattform:aareg.arbeid:aareg.write",
                "`arbeid:aareg.write` is not",
                "write `prodgcp:plattform:aareg.arbeid:aareg.read`",
            ),
            (
                "prod-gcp:plattform:aareg",
                "does not end with",
                "write `prodgcp:plattform:aareg.arbeid:aareg.read`",
            ),
            (
                "helse - prod-gcp:plattform:aareg",
                "`helse` is not the product",
                "write `prodgcp:plattform:aareg.arbeid:aareg.read`",
            ),
            (
                "arb - prod-gcp:plattform:aareg",
                "`arb` is not the product",
                "write `prodgcp:plattform:aareg.arbeid:aareg.read`",
            ),
            (
                "arbeid - prod-gcp:aareg",
                "`prod-gcp:aareg` is not the name of an application",
                "write `<cluster>:<namespace>:<name>.arbeid:aareg.read`",
            ),
            ("arbeid - a:b:c:d", "`a:b:c:d` is not the name of an application", "`<cluster>:"),
            ("arbeid - a:b:Ø", "`a:b:Ø` is not the name of an application", "`<cluster>:"),
            ("Les arbeidsforhold", "does not begin", "`<cluster>:<namespace>:<name>.arbeid:"),
            ("a:-:c.arbeid:aareg.read", "does not begin", "`<cluster>:"),
            ("::.arbeid:aareg.read", "does not begin", "`<cluster>:"),
            ("", "does not begin", "`<cluster>:"),
        ] {
            let broken = check_description(bad, own).unwrap();
            assert!(broken.why.contains(why), "{bad}: {broken:?}");
            assert!(broken.help.contains(help), "{bad}: {broken:?}");
        }
    }
}

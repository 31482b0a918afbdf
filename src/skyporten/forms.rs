//! The forms of names at each cloud, so that none of them is more than a name to Terraform, to a shell, or in a
//! policy.

/// A kind of name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameForm {
    Share,
    /// A share that has policies at Databricks.
    PolicyName,
    /// A user-assigned managed identity.
    Identity,
    ResourceGroup,
    /// The id of a subscription, or of a client at Azure.
    Guid,
    /// The number of a project.
    ProjectNumber,
    /// A workload identity pool, or a provider of one.
    Pool,
    /// The address of a service account.
    ServiceAccount,
    Bucket,
    /// A role of Google Cloud.
    GcpRole,
    /// An account of AWS.
    Account,
    /// A role of AWS.
    Role,
    /// The host of a workspace.
    Workspace,
    Recipient,
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

fn is_lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

fn starts_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<_> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

impl NameForm {
    /// Whether a text has the form.
    pub(crate) fn matches(self, text: &str) -> bool {
        let all = |is_allowed: fn(char) -> bool| text.chars().all(is_allowed);
        let has = |least: usize, most: usize| (least..=most).contains(&text.chars().count());
        match self {
            Self::Share => starts_plain(text) && has(3, 110) && all(is_word),
            Self::PolicyName => all(is_lower),
            Self::Identity => starts_plain(text) && has(3, 128) && all(is_word),
            Self::ResourceGroup => {
                has(1, 90)
                    && !text.ends_with('.')
                    && all(|c| c.is_alphanumeric() || "_-.()".contains(c))
            }
            Self::Guid => is_uuid(text),
            Self::ProjectNumber => {
                has(1, 19) && !text.starts_with('0') && all(|c| c.is_ascii_digit())
            }
            Self::Pool => {
                starts_plain(text) && has(4, 32) && !text.starts_with("gcp-") && all(is_lower)
            }
            Self::ServiceAccount => {
                let parts = text.strip_suffix(".iam.gserviceaccount.com");
                let parts = parts.and_then(|rest| rest.split_once('@'));
                parts.is_some_and(|(name, project)| {
                    [name, project].iter().all(|part| {
                        (1..=30).contains(&part.len())
                            && part.starts_with(|c: char| c.is_ascii_lowercase())
                            && part.chars().all(is_lower)
                    })
                })
            }
            Self::Bucket => {
                starts_plain(text) && has(3, 222) && all(|c| is_lower(c) || c == '_' || c == '.')
            }
            Self::GcpRole => {
                let name = match text.split('/').collect::<Vec<_>>()[..] {
                    ["roles", name] => name,
                    ["projects" | "organizations", owner, "roles", name] if starts_plain(owner) => {
                        name
                    }
                    _ => "",
                };
                !name.is_empty() && has(1, 200) && all(|c| is_word(c) || c == '/' || c == '.')
            }
            Self::Account => text.len() == 12 && all(|c| c.is_ascii_digit()),
            Self::Role => has(1, 64) && all(is_word),
            Self::Workspace => {
                starts_plain(text)
                    && has(4, 253)
                    && text.contains('.')
                    && all(|c| is_lower(c) || c == '.')
            }
            Self::Recipient => starts_plain(text) && has(1, 255) && all(|c| is_word(c) || c == '.'),
        }
    }

    /// The form in words, after 'write'.
    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Share => {
                "3 to 110 letters a to z, digits, `-` and `_`, beginning with a letter or digit: with `-` and an \
                 organisation number behind it, it is the name of a federated credential, which can have 120"
            }
            Self::PolicyName => {
                "lower-case letters, digits and `-` alone: policies at Databricks are named by it"
            }
            Self::Identity => {
                "the name of a managed identity: 3 to 128 letters a to z, digits, `-` and `_`, beginning with a \
                 letter or digit"
            }
            Self::ResourceGroup => {
                "the name of a resource group: up to 90 letters, digits, `_`, `-`, `.` and parentheses, without `.` \
                 at its end"
            }
            Self::Guid => {
                "the id of a subscription, such as `00000000-0000-0000-0000-000000000000`"
            }
            Self::ProjectNumber => {
                "the number of a project in quotes, such as `\"123456789012\"`, not its id"
            }
            Self::Pool => {
                "4 to 32 lower-case letters, digits and `-`, beginning with a letter or digit, and not with `gcp-`, which \
                 Google keeps for itself"
            }
            Self::ServiceAccount => {
                "the address of a service account, such as `lager@etat.iam.gserviceaccount.com`"
            }
            Self::Bucket => {
                "the name of a bucket without `gs://`: lower-case letters, digits, `-`, `_` and `.`"
            }
            Self::GcpRole => "a role of Google Cloud, such as `roles/storage.objectViewer`",
            Self::Account => {
                "the twelve digits of an account in quotes, such as `\"123456789012\"`"
            }
            Self::Role => {
                "the name of a role, not its ARN: up to 64 letters a to z, digits, `-` and `_`"
            }
            Self::Workspace => {
                "the host of a workspace without `https://`, such as `adb-1234567890123456.7.azuredatabricks.net`"
            }
            Self::Recipient => "the name of a recipient: letters a to z, digits, `-`, `_` and `.`",
        }
    }
}

/// Whether the name of a scope is only a name in the policies of clouds, which read `$`, `*`, quotes and braces as
/// more than text.
pub(crate) fn is_plain_scope(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || ":/._-".contains(c))
}

/// Whether a text is an absolute URI (RFC 3986) without a fragment. Commas are refused too: they separate audiences
/// on command lines.
pub(crate) fn is_uri(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()*+;=%".contains(c);
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let parts = text.split_once(':');
    text.chars().all(is_allowed)
        && parts
            .is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.trim_matches('/').is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_forms_of_their_clouds() {
        for (form, right, wrong) in [
            (NameForm::Share, "lager-les", "lager:les"),
            (NameForm::Share, "9ab", "ab"),
            (NameForm::PolicyName, "lager-les", "Lager_les"),
            (NameForm::Identity, "lager_les", "-lager"),
            (NameForm::ResourceGroup, "data.(æ)", "data."),
            (NameForm::Guid, "0a0B0000-0000-0000-0000-000000000000", "00000000"),
            (NameForm::ProjectNumber, "123456789012", "etat-prod"),
            (NameForm::Pool, "skyporten", "gcp-skyporten"),
            (NameForm::Pool, "9-sky", "-pool-"),
            (NameForm::ServiceAccount, "lager@etat.iam.gserviceaccount.com", "lager@etat.no"),
            (NameForm::Bucket, "etat-lager.no", "gs://etat"),
            (NameForm::GcpRole, "roles/storage.objectViewer", "storage.objectViewer"),
            (NameForm::GcpRole, "projects/etat-prod/roles/lager", "xroles/lager"),
            (NameForm::GcpRole, "organizations/1/roles/lager", "projects/etat-prod/lager"),
            (NameForm::GcpRole, "roles/viewer", "roles/a/b"),
            (NameForm::Account, "123456789012", "12345678901"),
            (NameForm::Role, "lager-les", "arn:aws:iam::123456789012:role/lager-les"),
            (
                NameForm::Workspace,
                "adb-1.2.azuredatabricks.net",
                "https://adb-1.2.azuredatabricks.net",
            ),
            (NameForm::Recipient, "lager_les", "lager les"),
        ] {
            assert!(form.matches(right), "{form:?} {right}");
            assert!(!form.matches(wrong), "{form:?} {wrong}");
            assert!(!form.matches("a${b}") && !form.matches("a'b") && !form.matches("a\nb"));
        }
    }

    #[test]
    fn an_audience_is_an_absolute_uri() {
        for right in ["https://skyporten.etat.example", "urn:etat:lager", "api://a/b?c=d%20e"] {
            assert!(is_uri(right), "{right}");
        }
        for wrong in [
            "lager",
            "https://",
            "https://a#b",
            "https://a b",
            "https://${a}",
            "https://a,b",
            "1:a",
            ":a",
            "http:å",
        ] {
            assert!(!is_uri(wrong), "{wrong}");
        }
    }
}

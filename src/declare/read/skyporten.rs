//! Reading shares of cloud resources. Nothing that is wrong with one hides a scope or an access.

use super::declared::Declared;
use super::environments::EnvironmentNames;
use super::overrides::overrides;
use super::shares::{DeclaredShare, SharePart};
use super::skyporten_file::{
    AwsEntry, AzureEntry, DatabricksEntry, GcpEntry, NameOrNames, ShareInEnvironment, ShareItem,
};
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::items_of;
use crate::declare::yaml::optional::{Items, Needed, Optional, Raw, Spanned};
use crate::skyporten::{
    AwsRoles, AzureIdentities, DeltaRecipient, GcpAccess, GcpResource, MOST_NAMES, NameForm,
    is_plain_scope, is_uri,
};
use domain::ScopeName;
use yaml::{Node, Span};

/// The role on a bucket if none is declared.
const READER: &str = "roles/storage.objectViewer";

/// Reads the list.
pub(crate) fn shares(
    list: Option<Items<'_, ShareItem<'_>>>,
    names: &EnvironmentNames,
    declared: &mut Declared,
    findings: &mut Findings,
) {
    let first = findings.list.len();
    let for_mapping = "write each entry as `- { name: …, scope: …, audience: …, azure: … }`";
    for item in items_of(list, Some(for_mapping), findings) {
        declared.shares.extend(share(item, names, findings));
    }
    findings.hide_nothing(first);
}

fn share<'d>(
    item: Raw<'d, ShareItem<'d>>,
    names: &EnvironmentNames,
    findings: &mut Findings,
) -> Option<DeclaredShare> {
    let before = findings.list.len();
    let ShareItem {
        name,
        scope,
        audience,
        environments,
        azure,
        gcp,
        aws,
        databricks,
        per_environment,
    } = item.read(findings)?;
    let is_whole = findings.list.len() == before;
    let span = name.0.as_ref().map_or_else(|| item.at.span(), |name| name.span);
    let environments = names.declared(&environments, findings);
    let part = part(audience.0, (azure, gcp, aws, databricks), findings);
    let overrides = overrides(per_environment, names, part_in, findings);
    for own in &overrides {
        if !environments.is_empty() && !environments.overlaps(own.environment) {
            let message = "this override is for an environment in which the entry does not count";
            let help = "add the environment to the entry's `environments`, or remove the override";
            findings.report(Rule::NeverCounts, own.span, message, help);
        }
    }
    let parts = || overrides.iter().map(|it| &it.part).chain([&part]);
    if is_whole && findings.list.len() == before && parts().all(SharePart::is_nowhere) {
        let help = "add `azure`, `gcp`, `aws` or `databricks`, or several of them";
        findings.report(Rule::MissingKey, span, "no cloud is named", help);
    }
    let name = checked(NameForm::Share, name.0.as_ref(), findings);
    if parts().any(|part| part.databricks.is_some()) {
        name.as_ref().and_then(|name| checked(NameForm::PolicyName, Some(name), findings));
    }
    let scope = scope.0.as_ref().and_then(|scope| scope_name(scope, findings));
    let name = name?;
    let place = findings.place(name.span);
    Some(DeclaredShare { name: name.value, scope: scope?, part, overrides, environments, place })
}

fn scope_name(written: &Spanned<String>, findings: &mut Findings) -> Option<Spanned<ScopeName>> {
    let Spanned { value: text, span } = written;
    let (message, help) = match text.parse::<ScopeName>() {
        Ok(name) if is_plain_scope(name.as_str()) => {
            return Some(Spanned { value: name, span: *span });
        }
        Ok(_) => (
            format!(
                "{} has characters that are more than text in the policies of clouds",
                quoted(text)
            ),
            "use a scope of letters, digits, `:`, `/`, `.`, `_` and `-`",
        ),
        Err(error) => (
            format!("{} is not a valid scope name: {error}", quoted(text)),
            "write the whole name, such as `etat:lager.read`",
        ),
    };
    findings.report(Rule::CloudName, *span, &message, help);
    None
}

/// What a share is in one environment.
fn part_in(input: ShareInEnvironment, _: &Node<'_>, findings: &mut Findings) -> SharePart {
    let ShareInEnvironment { audience, azure, gcp, aws, databricks } = input;
    part(audience.0, (azure, gcp, aws, databricks), findings)
}

fn part(
    audience: Option<Spanned<String>>,
    (azure, gcp, aws, databricks): (
        Optional<AzureEntry>,
        Optional<GcpEntry>,
        Optional<AwsEntry>,
        Optional<DatabricksEntry>,
    ),
    findings: &mut Findings,
) -> SharePart {
    let (gcp, gcp_pool) = gcp.0.and_then(|entry| gcp_access(entry, findings)).unzip();
    SharePart {
        audience: audience.and_then(|audience| checked_audience(audience, findings)),
        azure: azure.0.and_then(|entry| azure_identities(entry, findings)),
        gcp,
        gcp_pool,
        aws: aws.0.and_then(|entry| aws_roles(entry, findings)),
        databricks: databricks.0.and_then(|entry| delta_recipient(entry, findings)),
    }
}

fn checked_audience(audience: Spanned<String>, findings: &mut Findings) -> Option<Spanned<String>> {
    if is_uri(&audience.value) {
        return Some(audience);
    }
    let message = format!("the audience {} is not an absolute URI", quoted(&audience.value));
    let help = "write one without a fragment, comma and white space, such as `https://skyporten.etat.example`";
    findings.report(Rule::ShareAudience, audience.span, &message, help);
    None
}

fn azure_identities(
    entry: AzureEntry,
    findings: &mut Findings,
) -> Option<Spanned<AzureIdentities>> {
    let AzureEntry { identity, resource_group, subscription } = entry;
    let identities = several(NameForm::Identity, identity, findings);
    let resource_group = needed(NameForm::ResourceGroup, &resource_group, findings);
    let subscription = needed(NameForm::Guid, &subscription, findings);
    let Spanned { value: identities, span } = identities?;
    let value = AzureIdentities {
        identities,
        resource_group: resource_group?,
        // Azure shows it in lower case, and the folder is named by it.
        subscription: subscription?.to_lowercase(),
    };
    Some(Spanned { value, span })
}

/// The access, with the place of the pool.
fn gcp_access(entry: GcpEntry, findings: &mut Findings) -> Option<(Spanned<GcpAccess>, Span)> {
    let GcpEntry { project_number, pool, provider, service_account, bucket, role } = entry;
    let project_number = needed(NameForm::ProjectNumber, &project_number, findings);
    let pool_name = needed(NameForm::Pool, &pool, findings);
    let provider = needed(NameForm::Pool, &provider, findings);
    let role_span = role.0.as_ref().map(|role| role.span);
    let role = match &role.0 {
        Some(role) => checked(NameForm::GcpRole, Some(role), findings).map(|role| role.value),
        None => Some(READER.to_owned()),
    };
    let resource = match (&service_account.0, &bucket.0) {
        (Some(account), None) => {
            if let Some(span) = role_span {
                let message = "`role` is the one on a bucket: on a service account it is always \
                               roles/iam.workloadIdentityUser";
                findings.report(Rule::WrongValue, span, message, "remove it");
            }
            let account = checked(NameForm::ServiceAccount, Some(account), findings);
            account.map(|it| (GcpResource::ServiceAccount(it.value), it.span))
        }
        (None, Some(bucket)) => {
            let bucket = checked(NameForm::Bucket, Some(bucket), findings);
            bucket
                .and_then(|it| Some((GcpResource::Bucket { name: it.value, role: role? }, it.span)))
        }
        (Some(_), Some(bucket)) => {
            let message = "`service_account` and `bucket` exclude each other";
            let help = "write an entry of its own for each, with a name of its own";
            findings.report(Rule::WrongValue, bucket.span, message, help);
            None
        }
        (None, None) => {
            if let Some(pool) = &pool.0 {
                let help = "add `service_account: …` or `bucket: …`";
                findings.report(Rule::MissingKey, pool.span, "no resource is named", help);
            }
            None
        }
    };
    let (resource, span) = resource?;
    let value = GcpAccess {
        project_number: project_number?,
        pool: pool_name?,
        provider: provider?,
        resource,
    };
    Some((Spanned { value, span }, pool.0?.span))
}

fn aws_roles(entry: AwsEntry, findings: &mut Findings) -> Option<Spanned<AwsRoles>> {
    let AwsEntry { account, role } = entry;
    let account = needed(NameForm::Account, &account, findings);
    let Spanned { value: roles, span } = several(NameForm::Role, role, findings)?;
    Some(Spanned { value: AwsRoles { account: account?, roles }, span })
}

fn delta_recipient(
    entry: DatabricksEntry,
    findings: &mut Findings,
) -> Option<Spanned<DeltaRecipient>> {
    let DatabricksEntry { workspace, recipient } = entry;
    let workspace = needed(NameForm::Workspace, &workspace, findings);
    let recipient = checked(NameForm::Recipient, recipient.0.as_ref(), findings)?;
    let value = DeltaRecipient { workspace: workspace?, recipient: recipient.value };
    Some(Spanned { value, span: recipient.span })
}

/// A text that has the form; reported if it has not.
fn checked(
    form: NameForm,
    text: Option<&Spanned<String>>,
    findings: &mut Findings,
) -> Option<Spanned<String>> {
    let text = text?;
    if form.matches(&text.value) {
        return Some(text.clone());
    }
    let message = format!("{} is not possible here", quoted(&text.value));
    let help = format!("write {}", form.description());
    findings.report(Rule::CloudName, text.span, &message, &help);
    None
}

fn needed(
    form: NameForm,
    text: &Needed<Spanned<String>>,
    findings: &mut Findings,
) -> Option<String> {
    checked(form, text.0.as_ref(), findings).map(|text| text.value)
}

/// The names of a list, each once; one name is a list of one.
fn several(
    form: NameForm,
    names: Needed<NameOrNames>,
    findings: &mut Findings,
) -> Option<Spanned<Vec<String>>> {
    let Spanned { value: names, span } = match names.0? {
        NameOrNames::One(name) => Spanned { span: name.span, value: vec![name] },
        NameOrNames::Several(names) => names,
    };
    if names.is_empty() || names.len() > MOST_NAMES {
        let message = format!("a list of {} names", names.len());
        let help = format!("write 1 to {MOST_NAMES} names");
        findings.report(Rule::CloudName, span, &message, &help);
        return None;
    }
    let mut kept: Vec<String> = Vec::new();
    let mut is_whole = true;
    for name in &names {
        match checked(form, Some(name), findings) {
            Some(name) if kept.iter().any(|it| it.eq_ignore_ascii_case(&name.value)) => {
                let message = format!("{} is in the list twice", quoted(&name.value));
                findings.report(Rule::CloudName, name.span, &message, "keep one of them");
                is_whole = false;
            }
            Some(name) => kept.push(name.value),
            None => is_whole = false,
        }
    }
    is_whole.then_some(Spanned { value: kept, span })
}

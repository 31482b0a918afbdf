//! Names that manifests give organisations, against those that they have elsewhere: a reviewer reads the names.

use std::collections::{BTreeMap, BTreeSet};

use crate::declare::diagnostic::rule::{Rule, Severity};
use crate::declare::diagnostic::{Diagnostic, Place, quoted};
use crate::declare::read::declared::{Alias, Declared, Label};
use crate::declare::read::environments::EnvironmentSet;
use domain::Orgno;

/// Largest number of names of one organisation that others are compared with.
const MOST_NAMES: usize = 50;

/// A name of an organisation.
struct OrganizationName<'d> {
    shown: &'d str,
    /// The forms in which it is the same.
    forms: BTreeSet<String>,
    environments: EnvironmentSet,
    place: &'d Place,
}

/// Reports labels that are the name of another organisation, and those that differ from the name that plans show,
/// once for each organisation.
pub(super) fn find(declared: &Declared, found: &mut Vec<Diagnostic>) {
    if declared.labels.is_empty() {
        return;
    }
    let mut named: BTreeMap<Orgno, Vec<OrganizationName<'_>>> = BTreeMap::new();
    let mut aliases: BTreeMap<String, Vec<&Alias>> = BTreeMap::new();
    for alias in &declared.aliases {
        let shown = alias.name.as_deref().unwrap_or(&alias.alias);
        let forms = BTreeSet::from([form(shown), form(&alias.alias)]);
        for form in &forms {
            aliases.entry(form.clone()).or_default().push(alias);
        }
        let (environments, place) = (alias.environments, &alias.place);
        let name = OrganizationName { shown, forms, environments, place };
        named.entry(alias.orgno).or_default().push(name);
    }
    let mut reported = BTreeSet::new();
    for Label { orgno, name, environments, place } in &declared.labels {
        let form = form(name);
        let of_number = named.entry(*orgno).or_default();
        let overlaps = |other: &EnvironmentSet| other.overlaps(*environments);
        let other = aliases.get(&form).and_then(|all| {
            let is_another = |it: &&&Alias| it.orgno != *orgno && overlaps(&it.environments);
            all.iter().find(is_another)
        });
        let own = of_number.iter().find(|it| overlaps(&it.environments));
        let is_known =
            of_number.iter().any(|it| overlaps(&it.environments) && it.forms.contains(&form));
        if let Some(other) = other.filter(|_| !is_known) {
            if reported.insert((*orgno, true)) {
                found.push(of_another(name, *orgno, place, other));
            }
        } else if let Some(own) = own.filter(|_| !is_known)
            && reported.insert((*orgno, false))
        {
            let message =
                format!("{orgno} is {} here, and {} elsewhere", quoted(name), quoted(own.shown));
            let help = format!("plans show it as {}: give it one name", quoted(own.shown));
            let related = own.place.related("named here");
            found.push(
                Diagnostic::new(Rule::ConsumerNames, place, &message, &help).with_related(related),
            );
        }
        if is_known || of_number.len() >= MOST_NAMES {
            continue;
        }
        let (forms, environments) = (BTreeSet::from([form]), *environments);
        of_number.push(OrganizationName { shown: name, forms, environments, place });
    }
}

fn of_another(name: &str, orgno: Orgno, place: &Place, other: &Alias) -> Diagnostic {
    let message =
        format!("{} names {orgno} here, and is the alias of {}", quoted(name), other.orgno);
    let help = "a reviewer would take one for the other: correct the name or the number";
    Diagnostic::new(Rule::ConsumerNames, place, &message, help)
        .with_severity(Severity::Warning)
        .with_related(other.place.related("the alias is declared here"))
}

/// A name without what makes no difference to a reader.
fn form(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

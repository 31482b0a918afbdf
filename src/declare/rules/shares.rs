//! Rules about shares of cloud resources: their scopes, and environments that have the same resource.

use std::collections::BTreeMap;

use crate::declare::diagnostic::rule::{Rule, Severity};
use crate::declare::diagnostic::suggest::{Suggester, list};
use crate::declare::diagnostic::{Diagnostic, Place, quoted};
use crate::declare::read::declared::Declared;
use crate::declare::read::environment::EnvironmentTarget;
use crate::declare::read::environments::EnvironmentSet;
use crate::declare::read::settings::Settings;
use crate::declare::read::shares::DeclaredShare;
use crate::declare::resolve::here::Here;
use crate::declare::resolve::shares::shares;

pub(super) fn find(declared: &Declared, settings: &Settings, found: &mut Vec<Diagnostic>) {
    if declared.shares.is_empty() {
        return;
    }
    scopes(declared, settings, found);
    environments(declared, settings, found);
}

/// Scopes that are not declared, and those that are declared in other environments alone.
fn scopes(declared: &Declared, settings: &Settings, found: &mut Vec<Diagnostic>) {
    let scopes = declared.scopes.iter().map(|scope| (scope.name.as_str(), scope.environments));
    let known = EnvironmentSet::by_key(scopes);
    let suggester = Suggester::new();
    for share in &declared.shares {
        let place = share.place.with(share.scope.span);
        match known.get(share.scope.value.as_str()) {
            Some(environments) => {
                let is_known = !environments.is_empty() && !share.environments.is_empty();
                if is_known && !environments.overlaps(share.environments) {
                    let message = "no environment in which this entry counts has the scope";
                    let help =
                        "add an environment of the scope to `environments`, or remove the entry";
                    found.push(Diagnostic::new(Rule::UnusedShare, &place, message, help));
                }
            }
            // It may be declared where something could not be read.
            None if declared.incomplete || !declared.strays.is_empty() => {}
            None => {
                let hint =
                    suggester.did_you_mean(share.scope.value.as_str(), known.keys().copied());
                found.push(undeclared(share, &place, settings, &hint));
            }
        }
    }
}

fn undeclared(share: &DeclaredShare, place: &Place, settings: &Settings, hint: &str) -> Diagnostic {
    let name = &share.scope.value;
    let shown = quoted(name.as_str());
    let prefixes = &settings.prefixes;
    if prefixes.is_empty() || prefixes.iter().any(|prefix| prefix == name.prefix()) {
        let message = format!("{shown} is not declared here, so its consumers are not known");
        let help = format!(
            "{hint}declare the scope with its consumers here, or move the entry to the repository that declares it"
        );
        return Diagnostic::new(Rule::ShareScope, place, &message, &help)
            .with_severity(Severity::Warning);
    }
    let known = list(prefixes.iter().map(String::as_str));
    let message = format!("{shown} is a scope of another organisation");
    let help = format!(
        "{hint}only the owner of a scope knows its consumers: name a scope that begins with {known} and is declared \
         here"
    );
    Diagnostic::new(Rule::ShareScope, place, &message, &help)
}

/// Environments that have the same resource of a cloud. An embedded sandbox has none.
fn environments(declared: &Declared, settings: &Settings, found: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<String, (&str, Place)> = BTreeMap::new();
    for name in settings.environment_names.iter() {
        let target = settings.environments.get(name).map(|it| &it.target.value);
        let Some(set) = settings.environment_names.set(name) else { continue };
        if matches!(target, Some(EnvironmentTarget::Sandbox) | None) {
            continue;
        }
        for (declared, share) in shares(&Here::new(name, set, settings, declared)) {
            let mut is_reported = false;
            for resource in share.exclusive_in_environment() {
                let place = declared.place_of(set, &resource);
                let Some((other, there)) = first.get(&resource.key) else {
                    first.insert(resource.key, (name, place));
                    continue;
                };
                if *other == name || is_reported {
                    continue;
                }
                is_reported = true;
                let message = format!(
                    "{} would trust the tokens of {} and of {}",
                    resource.description,
                    quoted(other),
                    quoted(name)
                );
                let help = "name another one for one of the two in `per_environment`, or restrict the entry by `environments`";
                let diagnostic =
                    Diagnostic::new(Rule::SharedByEnvironments, &place, &message, help);
                let related = there.related("the first environment has it from here");
                found.push(diagnostic.with_related(related));
            }
        }
    }
}

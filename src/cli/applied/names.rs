//! What places are called, for whoever reads of them and for the commands that name them.

use super::Reading;
use crate::declare::{self, Outline, Repository};
use crate::digdir::Target;
use crate::domain::Desired;
use crate::history::{self, Placement};

/// What is recorded of the sandbox inside this process in place of an address.
pub(in crate::cli) const EMBEDDED: &str = "sandbox";

/// Where the declarations of an environment are, and what they are applied to.
///
/// # Errors
/// The environment's addresses cannot be used.
pub(in crate::cli) fn placement(
    repository: &Repository,
    desired: &Desired,
) -> Result<Placement, String> {
    let environment = repository.environment(&desired.environment);
    let target = environment.map(|environment| environment.target.addresses()).transpose();
    let target = target.map_err(|error| error.to_string())?.flatten();
    Ok(Placement {
        environment: desired.environment.clone(),
        folder: folder(repository),
        api: api(target.as_ref()),
        maskinporten: target.map_or(EMBEDDED.to_owned(), |target| target.issuer),
        organization: desired.organization,
    })
}

/// The folder of the declarations, from the top of the git repository; empty at the top and outside git.
pub(in crate::cli) fn folder(repository: &Repository) -> String {
    history::prefix(repository.root()).trim_end_matches('/').to_owned()
}

/// The API of a target, as it is recorded.
fn api(target: Option<&Target>) -> String {
    target.map_or(EMBEDDED.to_owned(), |target| target.api_id().as_str().to_owned())
}

impl Reading<'_> {
    /// Whether a place of that name is still declared where it was.
    pub(super) fn declares(&self, name: &str, placement: &Placement) -> bool {
        self.found(name, placement).is_some()
    }

    /// Whether it is, and still leads to the API and the organisation that it was applied to.
    pub(in crate::cli) fn leads_on(&self, name: &str, placement: &Placement) -> bool {
        self.found(name, placement).is_some_and(|Outline { organization, environments, .. }| {
            let environment = environments.get(&placement.environment);
            let target = environment.and_then(|environment| environment.target.addresses().ok());
            organization == Some(placement.organization)
                && target.is_some_and(|target| api(target.as_ref()) == placement.api)
        })
    }

    fn found(&self, name: &str, placement: &Placement) -> Option<Outline> {
        let Placement { environment, folder, .. } = placement;
        let settings = self.history.settings_here(folder)?;
        let outline = declare::outline(settings.as_bytes())?;
        let project = history::project(outline.project.as_deref(), folder);
        let is_here = outline.environments.contains_key(environment)
            && history::place_name(project.as_deref(), environment) == name;
        is_here.then_some(outline)
    }
}

/// What the place is called that holds what is applied to an environment.
pub(in crate::cli) fn place(repository: &Repository, environment: &str) -> String {
    history::place_name(project(repository).as_deref(), environment)
}

/// What the folder of the declarations is called beside others; `None` for the top of a git repository.
pub(in crate::cli) fn project(repository: &Repository) -> Option<String> {
    let named = repository.settings().project.as_deref();
    history::project(named, &folder(repository))
}

/// Why a place is not this folder's.
pub(super) fn clash(folder: &str) -> String {
    format!(
        "folder {} has the same name as this one, so that what was applied from there would be taken for \
         what was applied here: say in one of the two what it is called, with `project: NAME` in its \
         portvakt.yaml",
        shown_folder(folder)
    )
}

/// How `baseline set` is told of the former name of a place.
pub(super) fn former_options(own: &str, former: &str) -> String {
    let parts = |name: &str| match name.rsplit_once('/') {
        Some((project, environment)) => {
            (project.trim_start_matches('@').to_owned(), environment.to_owned())
        }
        None => (TOP.to_owned(), name.to_owned()),
    };
    let ((own_project, own_environment), (project, environment)) = (parts(own), parts(former));
    let mut options = Vec::new();
    if environment != own_environment {
        options.push(format!("--from-environment {environment}"));
    }
    if project != own_project {
        options.push(format!("--from-project {project}"));
    }
    options.join(" ")
}

/// What `--from-project` calls a folder without a project: the top of the git repository.
pub(in crate::cli) const TOP: &str = ".";

/// The organisation and the API of what is recorded, as a reader recognises them.
pub(in crate::cli) fn described(placement: &Placement) -> String {
    let Placement { environment, folder, api, maskinporten: _, organization } = placement;
    let folder = shown_folder(folder);
    format!("environment {environment} in folder {folder}, to {api} for {organization}")
}

/// A folder's path from the top of the git repository, as a reader recognises it.
pub(in crate::cli) fn shown_folder(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

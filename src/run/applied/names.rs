//! Names of places, for readers and for the commands that take them.

use super::Reading;
use crate::declare::{self, Environment, Repository, Settings};
use crate::history::{self, History, Placement, Recorded};
use digdir::ApiTarget;
use domain::{Desired, Orgno};

/// Name of the embedded sandbox in records, in place of an address.
pub(crate) const EMBEDDED: &str = "sandbox";

/// Place of an environment's declarations, and the API to which they are applied.
///
/// # Errors
/// The environment's addresses cannot be used.
pub(crate) fn placement(repository: &Repository, desired: &Desired) -> Result<Placement, String> {
    let name = &desired.environment;
    let environment = repository.environment(name);
    let environment = environment
        .ok_or_else(|| format!("what portvakt.yaml says of environment `{name}` cannot be read"))?;
    let target = environment.target.addresses().map_err(|error| error.to_string())?;
    Ok(Placement {
        environment: desired.environment.clone(),
        folder: folder(repository),
        api: api(target.as_ref()),
        maskinporten: target.map_or(EMBEDDED.to_owned(), |target| target.issuer),
        organization: desired.organization,
    })
}

/// The folder of the declarations, from the top of the git repository; empty at the top and outside git.
pub(crate) fn folder(repository: &Repository) -> String {
    history::prefix(repository.root()).trim_end_matches('/').to_owned()
}

/// The API of a target, in the form of records.
fn api(target: Option<&ApiTarget>) -> String {
    target.map_or(EMBEDDED.to_owned(), |target| target.api_id().as_str().to_owned())
}

/// The API of an environment, in the form of records; `None` where its addresses cannot be used.
pub(crate) fn api_of(declared: &Environment) -> Option<String> {
    declared.target.addresses().ok().map(|target| api(target.as_ref()))
}

impl Placement {
    /// Whether it belongs to the embedded sandbox.
    pub(crate) fn is_embedded(&self) -> bool {
        self.api == EMBEDDED
    }
}

/// A place that is declared in the work tree, and its target.
struct DeclaredPlace {
    name: String,
    environment: String,
    /// The API; `None` where its addresses cannot be used.
    api: Option<String>,
    organization: Option<Orgno>,
}

impl DeclaredPlace {
    /// Whether it has the same API and organisation.
    fn leads_to(&self, placement: &Placement) -> bool {
        self.api.as_ref() == Some(&placement.api)
            && self.organization == Some(placement.organization)
    }
}

impl Reading<'_> {
    /// Whether a place of that name is declared in a folder.
    pub(super) fn declares(&self, name: &str, folder: &str) -> bool {
        self.places_in(folder).iter().any(|place| place.name == name)
    }

    /// Whether a place of that name is declared in the folder from which it was applied, and still has the
    /// same API and organisation. A place of that name in another folder is not accepted: anybody who
    /// declares something could choose the name.
    pub(super) fn leads_on(&self, name: &str, placement: &Placement) -> bool {
        self.leads_from(&placement.folder, name, placement)
    }

    /// The same, in whichever folder.
    pub(crate) fn is_in_use(&self, name: &str, placement: &Placement) -> bool {
        let folders = self.history.folders().into_iter().chain([placement.folder.clone()]);
        folders.into_iter().any(|folder| self.leads_from(&folder, name, placement))
    }

    fn leads_from(&self, folder: &str, name: &str, placement: &Placement) -> bool {
        self.places_in(folder).iter().any(|place| place.name == name && place.leads_to(placement))
    }

    /// Whether the record of a place belongs to another one: that had this name at the commit, and is still
    /// declared under another name.
    pub(super) fn is_of_another_place(&self, name: &str, recorded: &Recorded) -> bool {
        let Recorded { commit, placement, .. } = recorded;
        let Placement { environment, folder, .. } = placement;
        let is_other = |place: &DeclaredPlace| {
            place.environment == *environment && place.name != name && place.leads_to(placement)
        };
        if !self.places_in(folder).iter().any(is_other) {
            return false;
        }
        let settings = self.history.settings_at(commit, folder).ok().flatten();
        let project = settings.and_then(|text| declare::readable_settings(&text)?.project);
        let project = history::project(project.as_deref(), folder);
        history::place_name(project.as_deref(), environment) != name
    }

    /// Whether a folder of the work tree has an invalid portvakt.yaml: its declarations are not known.
    pub(crate) fn is_unreadable(&self, folder: &str) -> bool {
        self.is_here(folder)
            && !self
                .history
                .settings_here(folder)
                .is_some_and(|text| declare::is_right(text.as_bytes()))
    }

    /// Whether a place of that name is declared in the work tree, whatever its target.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.history.folders().iter().any(|folder| self.declares(name, folder))
    }

    /// Whether a place of that name is declared where it was applied from, on the branch whose commits may be
    /// applied, with the same target.
    pub(crate) fn is_on_branch(&self, name: &str, placement: &Placement) -> bool {
        let folder = &placement.folder;
        let settings = self.branch.map(|branch| self.history.settings(branch, folder));
        let settings = settings.and_then(|it| declare::readable_settings(&it.ok()??));
        let declared = settings.map_or_else(Vec::new, |settings| places(folder, settings));
        declared.iter().any(|place| place.name == name && place.leads_to(placement))
    }

    /// Whether a folder of the work tree has a portvakt.yaml. A link to one does not count.
    fn is_here(&self, folder: &str) -> bool {
        self.history.folders().iter().any(|known| known == folder)
    }

    fn settings_of(&self, folder: &str) -> Option<Settings> {
        declare::readable_settings(self.history.settings_here(folder)?.as_bytes())
    }

    /// The places that are declared in a folder of the work tree.
    fn places_in(&self, folder: &str) -> Vec<DeclaredPlace> {
        let settings = self.is_here(folder).then(|| self.settings_of(folder)).flatten();
        settings.map_or_else(Vec::new, |settings| places(folder, settings))
    }
}

/// The places that the portvakt.yaml in a folder declares.
fn places(folder: &str, settings: Settings) -> Vec<DeclaredPlace> {
    let Settings { project, organization, environments, .. } = settings;
    let project = history::project(project.as_deref(), folder);
    let place = |(environment, declared): (String, Environment)| DeclaredPlace {
        name: history::place_name(project.as_deref(), &environment),
        api: api_of(&declared),
        organization,
        environment,
    };
    environments.into_iter().map(place).collect()
}

/// Whether a place is declared in a folder of a commit, or may be, as its portvakt.yaml cannot be read.
pub(crate) fn is_declared_at(history: &History, commit: &str, folder: &str, place: &str) -> bool {
    let Ok(settings) = history.settings_at(commit, folder) else { return true };
    settings.is_some_and(|settings| {
        let settings = declare::readable_settings(&settings);
        settings.is_none_or(|settings| places(folder, settings).iter().any(|it| it.name == place))
    })
}

/// The name of the place of an environment.
pub(crate) fn place(repository: &Repository, environment: &str) -> String {
    history::place_name(project(repository).as_deref(), environment)
}

/// The project name of the folder of declarations; `None` for the top of a git repository.
pub(crate) fn project(repository: &Repository) -> Option<String> {
    let named = repository.settings().project.as_deref();
    history::project(named, &folder(repository))
}

/// The project and the environment in the name of a place.
fn parts(place: &str) -> (Option<&str>, &str) {
    match place.rsplit_once('/') {
        Some((project, environment)) => (Some(project.trim_start_matches('@')), environment),
        None => (None, place),
    }
}

/// The environment of a place.
pub(crate) fn environment(place: &str) -> &str {
    parts(place).1
}

/// The folder in the name of a place, where it has no `project`.
pub(crate) fn usual_folder(place: &str) -> String {
    parts(place).0.unwrap_or_default().replace('.', "/")
}

/// The reason why a place does not belong to this folder.
pub(super) fn clash(folder: &str) -> String {
    format!(
        "folder {} has the same name as this one, so that what was applied from there would be taken for \
         what was applied here: say in one of the two what it is called, with `project: NAME` in its \
         portvakt.yaml",
        shown_folder(folder)
    )
}

/// The options of `baseline set` for the former name of a place.
pub(super) fn former_options(own: &str, former: &str) -> String {
    let ((own_project, own_environment), (project, environment)) = (parts(own), parts(former));
    let mut options = Vec::new();
    if environment != own_environment {
        options.push(format!("--from-environment {environment}"));
    }
    if project != own_project {
        options.push(format!("--from-project {}", project.unwrap_or(TOP)));
    }
    options.join(" ")
}

/// Name of the top of the git repository for `--from-project`, if it has no project.
pub(crate) const TOP: &str = ".";

/// The organisation and the API of a record, as text.
pub(crate) fn described(placement: &Placement) -> String {
    let Placement { environment, folder, api, maskinporten: _, organization } = placement;
    format!("{}, to {api} for {organization}", called(environment, folder))
}

/// The name of another place, as text.
pub(crate) fn called(environment: &str, folder: &str) -> String {
    format!("environment {environment} in folder {}", shown_folder(folder))
}

/// A folder's path from the top of the git repository, as text.
pub(super) fn shown_folder(folder: &str) -> &str {
    if folder.is_empty() { "." } else { folder }
}

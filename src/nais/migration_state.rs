//! Progress of a scope's or a client's hand-over to an application.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::obstacles::{Obstacle, of_scope};
use domain::nais::{Application, Exposed, owner, owner_of_scope};
use domain::{ClientId, ClientName, DesiredScope, Entity, Live, LiveClient, LiveScope, ScopeName};

/// Next step of a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Edit the declaration so that it names the application.
    Describe,
    /// Apply the edit.
    Apply,
    /// Deploy the application.
    Deploy,
    /// Release the declaration.
    Release,
    /// Managed by others.
    Done,
}

impl Step {
    /// Its number; `None` where nothing is left to do.
    pub fn number(self) -> Option<u8> {
        match self {
            Self::Describe => Some(1),
            Self::Apply => Some(2),
            Self::Deploy => Some(3),
            Self::Release => Some(4),
            Self::Done => None,
        }
    }
}

/// Hand-over state of a scope or a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationState {
    /// The scope or the client.
    pub entity: Entity,
    /// The application that receives it, if known.
    pub application: Option<Application>,
    /// The next step.
    pub step: Step,
    /// Whether its live description names the application, so that it can be released.
    pub names_application: bool,
    /// Whether the declarations release it.
    pub is_released: bool,
    /// The id of the live client.
    pub client_id: Option<ClientId>,
    /// Whether the live client has another name than the declared one: NAIS gives clients the name of the
    /// organisation.
    pub is_renamed: bool,
    /// The problems, the most severe first.
    pub problems: Vec<Obstacle>,
}

impl MigrationState {
    /// The next step, as a sentence.
    pub fn next(&self) -> &'static str {
        let is_client = matches!(self.entity, Entity::Client(_));
        match self.step {
            Step::Describe => {
                "`portvakt migrate to-nais` makes its declaration name the application"
            }
            Step::Apply => "commit, merge and apply what is declared",
            Step::Deploy if is_client => {
                "deploy the application with the manifest; once it runs with the client, release it with \
                 `--release` (whether it is deployed does not show at DigDir)"
            }
            Step::Deploy => "deploy the application with the manifest",
            Step::Release if self.is_released => "commit, merge and apply its release",
            Step::Release => "release it with `--release`, commit, merge and apply",
            Step::Done => "nothing: it is in other hands",
        }
    }
}

/// State of a declared scope; `application` is the requested one, else the one that its description names,
/// declared or live. `prefix` is that of the scopes that manifests expose, if it is known.
pub fn state_of_scope(
    name: &ScopeName,
    declared: &DesiredScope,
    live: &Live,
    application: Option<&Application>,
    (prefix, today): (Option<&str>, Date),
) -> MigrationState {
    let own = declared.attributes.description.as_str();
    let live = live.scopes.get(name).map(LiveSide::of_scope);
    let open = live.filter(|live| live.active).map(|live| live.description);
    // Descriptions by digdirator have kept the dashes.
    let owner = || {
        let owner = |description| owner_of_scope(description, name.subscope());
        match [open.and_then(owner), owner(own)] {
            [Some(live), Some(declared)] if live.joined() == declared.joined() => Some(live),
            [live, declared] => declared.or(live),
        }
    };
    MigrationState::declared(Sides {
        entity: Entity::Scope(name.clone()),
        application: application.cloned().or_else(owner),
        declared: own,
        live,
        unready: Vec::new(),
        problems: of_scope(name, declared, prefix, today),
    })
}

/// Declared and live data that determine the progress of a scope or a client.
pub(super) struct Sides<'a> {
    pub(super) entity: Entity,
    /// The application that receives it, if known.
    pub(super) application: Option<Application>,
    /// Its declared description.
    pub(super) declared: &'a str,
    pub(super) live: Option<LiveSide<'a>>,
    /// Reasons why its declaration must still change, even if it names the application.
    pub(super) unready: Vec<&'static str>,
    /// Other problems.
    pub(super) problems: Vec<Obstacle>,
}

/// A live scope or client.
#[derive(Clone, Copy)]
pub(super) struct LiveSide<'l> {
    active: bool,
    description: &'l str,
    client_id: Option<&'l ClientId>,
    /// Whether it has another name than the declared one.
    is_renamed: bool,
}

impl<'l> LiveSide<'l> {
    pub(super) fn of_scope(live: &'l LiveScope) -> Self {
        let description = live.description();
        Self { active: live.active, description, client_id: None, is_renamed: false }
    }

    pub(super) fn of_client((id, live): (&'l ClientId, &'l LiveClient), name: &ClientName) -> Self {
        Self {
            active: live.active,
            description: live.description(),
            client_id: Some(id),
            is_renamed: live.name != name.as_str(),
        }
    }
}

impl MigrationState {
    /// State of a declared entity.
    pub(super) fn declared(sides: Sides<'_>) -> Self {
        let Sides { entity, application, declared, live, unready, mut problems } = sides;
        let open = live.filter(|live| live.active).map(|live| live.description);
        let ownership = |description| match &application {
            Some(application) => ownership(&entity, description, application),
            None => Ownership::Nobody,
        };
        let (here, there) = (ownership(declared), ownership(open.unwrap_or_default()));
        let names_application = matches!(there, Ownership::HandedOver | Ownership::Exposed);
        let is_renamed = live.is_some_and(|live| live.is_renamed);
        let step = match here {
            _ if there == Ownership::Exposed || (names_application && is_renamed) => Step::Release,
            Ownership::Nobody | Ownership::Other(_) => Step::Describe,
            Ownership::HandedOver | Ownership::Exposed if !unready.is_empty() => Step::Describe,
            Ownership::HandedOver | Ownership::Exposed if names_application => Step::Deploy,
            Ownership::HandedOver | Ownership::Exposed => Step::Apply,
        };
        problems.extend(of_life(live.map(|live| live.active)));
        for (ownership, where_) in
            [(&here, "its declared description"), (&there, "its live description")]
        {
            if let Ownership::Other(owner) = ownership {
                problems.push(belongs_to(owner, where_));
            }
        }
        match step {
            Step::Describe => problems.extend(unready.into_iter().map(Obstacle::pending)),
            Step::Release if here != Ownership::Exposed => {
                problems.push(Obstacle::default(SET_BACK))
            }
            Step::Apply | Step::Deploy | Step::Release | Step::Done => {}
        }
        let wanted = application.as_ref().map(|application| application.describing(&entity));
        problems.extend(differs(step, declared, open, wanted));
        problems.sort();
        Self {
            entity,
            application,
            step,
            names_application,
            is_released: false,
            client_id: live.and_then(|live| live.client_id).cloned(),
            is_renamed,
            problems,
        }
    }

    /// State of a released entity; `open` is the active one, and `is_done` is whether the release was
    /// applied.
    pub(super) fn released(entity: Entity, open: Option<LiveSide<'_>>, is_done: bool) -> Self {
        let application = open.and_then(|open| owner(&entity, open.description));
        let problem = match (open, &application) {
            (None, _) => Some("it is released, and not active at DigDir"),
            (Some(_), None) => {
                Some("it is released, and its live description names no application")
            }
            (Some(_), Some(_)) => None,
        };
        Self {
            entity,
            names_application: application.is_some(),
            application,
            step: if is_done { Step::Done } else { Step::Release },
            is_released: true,
            client_id: open.and_then(|open| open.client_id).cloned(),
            is_renamed: open.is_some_and(|open| open.is_renamed),
            problems: problem.map(Obstacle::default).into_iter().collect(),
        }
    }
}

/// Owner of an entity by its description.
#[derive(PartialEq)]
enum Ownership {
    Nobody,
    /// The application, in the form of the migration guide.
    HandedOver,
    /// The application, in the form of digdirator.
    Exposed,
    Other(Application),
}

fn ownership(entity: &Entity, description: &str, application: &Application) -> Ownership {
    let Some(owner) = owner(entity, description) else { return Ownership::Nobody };
    if description == application.describing(entity) {
        return Ownership::HandedOver;
    }
    match entity {
        Entity::Scope(name) if owner.joined() == application.joined() => {
            let exposed = Exposed::of(name.subscope());
            let product = exposed.map(|exposed| exposed.product).unwrap_or_default();
            match description == owner.exposing(&product) {
                true => Ownership::Exposed,
                false => Ownership::Nobody,
            }
        }
        Entity::Scope(_) | Entity::Client(_) => Ownership::Other(owner),
    }
}

const INACTIVE: &str = "it is inactive at DigDir: the next apply opens it again";
const NOT_LIVE: &str = "it is not live yet: the next apply makes it";
const SET_BACK: &str =
    "NAIS has taken it over already: an apply before the release would set back what it has set";

fn belongs_to(owner: &Application, where_: &str) -> Obstacle {
    Obstacle::refused(format!(
        "{where_} says that it is the application {owner}'s: it is handed over once. Set that right \
         first if it is not so"
    ))
}

fn of_life(active: Option<bool>) -> Option<Obstacle> {
    match active {
        Some(true) => None,
        Some(false) => Some(Obstacle::default(INACTIVE)),
        None => Some(Obstacle::default(NOT_LIVE)),
    }
}

/// The difference between a description and the wanted one, where the next step resolves it.
fn differs(
    step: Step,
    declared: &str,
    live: Option<&str>,
    wanted: Option<String>,
) -> Option<Obstacle> {
    let message = match (step, wanted) {
        (Step::Describe, None) => {
            format!("its declared description, '{declared}', names no application")
        }
        (Step::Describe, Some(wanted)) if wanted != declared => {
            format!("its declared description is '{declared}', and has to be '{wanted}'")
        }
        (Step::Apply, _) => match live {
            Some(live) => format!("its live description is '{live}' still, not '{declared}'"),
            None => return None,
        },
        (Step::Describe | Step::Deploy | Step::Release | Step::Done, _) => return None,
    };
    Some(Obstacle::pending(message))
}

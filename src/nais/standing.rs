//! How far a scope or a client has come on its way to an application.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::obstacles::{Obstacle, of_scope};
use domain::nais::{Application, Entity, Exposed, owner_of_client, owner_of_scope};
use domain::{ClientId, ClientName, DesiredScope, Live, LiveClient, LiveScope, ScopeName};

/// The next step of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// The declaration is to tell the application.
    Describe,
    /// That is to be applied.
    Apply,
    /// The application is to be deployed.
    Deploy,
    /// The declaration is to be released.
    Release,
    /// It is in other hands.
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

/// How something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it is.
    pub entity: Entity,
    /// The application that it goes to, if that is known.
    pub application: Option<Application>,
    /// What comes next.
    pub step: Step,
    /// Whether its live description tells the application, so that it can be released.
    pub is_told: bool,
    /// Whether the declarations release it.
    pub is_released: bool,
    /// The live client that it is.
    pub client_id: Option<ClientId>,
    /// Whether that has another name than the declaration says: NAIS gives clients the organisation's.
    pub is_renamed: bool,
    /// What is wrong, what weighs most first.
    pub problems: Vec<Obstacle>,
}

impl Standing {
    /// What comes next, as a sentence.
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

/// Whom a description tells.
#[derive(PartialEq)]
pub(super) enum Told {
    Nobody,
    /// The application, as the migration guide asks.
    HandedOver,
    /// The application, as digdirator writes.
    Exposed,
    Other(Application),
}

fn told_by_scope(description: &str, subscope: &str, application: &Application) -> Told {
    let product = Exposed::of(subscope).map(|exposed| exposed.product).unwrap_or_default();
    let exposes = |owner: &Application| {
        description == owner.exposing(&product) && owner.joined() == application.joined()
    };
    match owner_of_scope(description, subscope) {
        Some(_) if description == application.handed_over(subscope) => Told::HandedOver,
        Some(owner) if exposes(&owner) => Told::Exposed,
        Some(owner) if owner.joined() != application.joined() => Told::Other(owner),
        Some(_) | None => Told::Nobody,
    }
}

pub(super) fn told_by_client(description: &str, application: &Application) -> Told {
    match owner_of_client(description) {
        Some(owner) if owner == *application => Told::HandedOver,
        Some(owner) => Told::Other(owner),
        None => Told::Nobody,
    }
}

const INACTIVE: &str = "it is inactive at DigDir: the next apply opens it again";
const NOT_LIVE: &str = "it is not live yet: the next apply makes it";

pub(super) fn belongs_to(owner: &Application, where_: &str) -> Obstacle {
    Obstacle::refused(format!(
        "{where_} says that it is the application {owner}'s: it is handed over once. Set that right \
         first if it is not so"
    ))
}

/// How a declared scope stands; `application` is the one asked for, else the one that its description
/// tells, here or live. `prefix` is the one of the scopes that manifests expose, if it is known.
pub fn standing_of_scope(
    name: &ScopeName,
    declared: &DesiredScope,
    live: &Live,
    application: Option<&Application>,
    (prefix, today): (Option<&str>, Date),
) -> Standing {
    let subscope = name.subscope();
    let found = live.scopes.get(name);
    let open = found.filter(|live| live.active);
    let own = declared.attributes.description.as_str();
    let there = open.map(|live| live.description()).unwrap_or_default();
    // What digdirator writes has kept its dashes.
    let owner = || {
        let (live, declared) = (owner_of_scope(there, subscope), owner_of_scope(own, subscope));
        match (live, declared) {
            (Some(live), Some(declared)) if live.joined() == declared.joined() => Some(live),
            (live, declared) => declared.or(live),
        }
    };
    let application = application.cloned().or_else(owner);
    let told = |text| application.as_ref().map(|of| told_by_scope(text, subscope, of));
    let (here, there) = (told(own).unwrap_or(Told::Nobody), told(there).unwrap_or(Told::Nobody));
    let step = match (&here, &there) {
        (_, Told::Exposed) => Step::Release,
        (Told::Nobody | Told::Other(_), _) => Step::Describe,
        (_, Told::HandedOver) => Step::Deploy,
        (_, Told::Nobody | Told::Other(_)) => Step::Apply,
    };
    let mut problems = of_scope(name, declared, prefix, today);
    problems.extend(of_life(found.map(|live| live.active)));
    for (told, where_) in [(&here, "its declared description"), (&there, "its live description")] {
        if let Told::Other(owner) = told {
            problems.push(belongs_to(owner, where_));
        }
    }
    if there == Told::Exposed && here != Told::Exposed {
        problems.push(Obstacle::default(SET_BACK));
    }
    let wanted = application.as_ref().map(|application| application.handed_over(subscope));
    problems.extend(differs(step, own, open.map(|live| live.description()), wanted));
    problems.sort();
    Standing {
        entity: Entity::Scope(name.clone()),
        application,
        step,
        is_told: matches!(there, Told::HandedOver | Told::Exposed),
        is_released: false,
        client_id: None,
        is_renamed: false,
        problems,
    }
}

pub(super) const SET_BACK: &str =
    "NAIS has taken it over already: an apply before the release would set back what it has set";

/// How a description is not what it is to be, where the next step mends that.
pub(super) fn differs(
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

pub(super) fn of_life(active: Option<bool>) -> Option<Obstacle> {
    match active {
        Some(true) => None,
        Some(false) => Some(Obstacle::default(INACTIVE)),
        None => Some(Obstacle::default(NOT_LIVE)),
    }
}

/// How a scope stands that the declarations release; `is_done` tells whether that was applied.
pub fn of_released_scope(name: &ScopeName, live: &Live, is_done: bool) -> Standing {
    let found: Option<&LiveScope> = live.scopes.get(name);
    let open = found.filter(|live| live.active);
    let there = open.map(|live| live.description()).unwrap_or_default();
    released(
        Entity::Scope(name.clone()),
        owner_of_scope(there, name.subscope()),
        open.is_some(),
        is_done,
    )
}

/// The same of a client: `id` is the one that its entry names.
pub fn of_released_client(
    name: &ClientName,
    id: Option<&ClientId>,
    live: &Live,
    is_done: bool,
) -> Standing {
    let is_it = |(other, client): &(&ClientId, &LiveClient)| match id {
        Some(id) => *other == id,
        None => client.name == name.as_str(),
    };
    let mut open = live.clients.iter().filter(is_it).filter(|(_, client)| client.active);
    let open = open.next();
    let owner = open.and_then(|(_, client)| owner_of_client(client.description()));
    let entity = Entity::Client(name.clone());
    Standing {
        client_id: open.map(|(id, _)| id.clone()),
        is_renamed: open.is_some_and(|(_, client)| client.name != name.as_str()),
        ..released(entity, owner, open.is_some(), is_done)
    }
}

fn released(
    entity: Entity,
    application: Option<Application>,
    is_open: bool,
    is_done: bool,
) -> Standing {
    let problem = match (is_open, &application) {
        (false, _) => Some("it is released, and not active at DigDir"),
        (true, None) => Some("it is released, and its live description names no application"),
        (true, Some(_)) => None,
    };
    Standing {
        entity,
        is_told: application.is_some(),
        application,
        step: if is_done { Step::Done } else { Step::Release },
        is_released: true,
        client_id: None,
        is_renamed: false,
        problems: problem.map(Obstacle::default).into_iter().collect(),
    }
}

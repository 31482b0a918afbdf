//! What plan and apply have in common: the declarations, what is live, and the plan of the two.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Global;
use super::exit::{Failure, tell_diagnostics};
use super::progress::Progress;
use super::remote::call_failed;
use crate::declare::{self, Invalid, Repository};
use crate::digdir::{Needs, Reader};
use crate::domain::{Desired, Live, norwegian_date};
use crate::history;
use crate::plan::{Plan, plan};
use crate::render::Context;

/// A repository and what it declares for the chosen environment.
pub(super) struct Session {
    pub(super) repository: Repository,
    pub(super) desired: Desired,
}

impl Session {
    /// Reads and checks the declarations.
    pub(super) fn open(global: &Global) -> Result<Self, Failure> {
        let root = root(global)?;
        let invalid = |found| Failure::Invalid(root.clone(), found);
        let repository = declare::load(&root).map_err(invalid)?;
        let environment = repository
            .environment_name(environment(global))
            .map_err(|error| Failure::Usage(error.to_string()))?
            .to_owned();
        let (desired, found) = match repository.desired(&environment, today()) {
            Ok(desired) => desired,
            Err(Invalid::Environment(error)) => return Err(Failure::Usage(error.to_string())),
            Err(Invalid::Declarations(found)) => return Err(invalid(found)),
        };
        if !global.quiet {
            tell_diagnostics(global.log_format, &root, &found);
        }
        Ok(Self { repository, desired })
    }

    /// What a shown plan says beside itself.
    pub(super) fn context(&self) -> Context {
        Context {
            organization_name: self.repository.settings().organization_name.clone(),
            repository: history::checked_out(self.repository.root()),
            applied: None,
            base: None,
            rollback: false,
            created: now(),
        }
    }

    /// Reads what is live and compares.
    pub(super) async fn plan(&self, global: &Global, reader: &Reader) -> Result<Plan, Failure> {
        Ok(self.compare(&live(global, reader, &self.needs()).await?))
    }

    /// Compares with what is live, or was.
    pub(super) fn compare(&self, live: &Live) -> Plan {
        plan(&self.desired, None, live, Timestamp::now())
    }

    /// What a plan must know.
    pub(super) fn needs(&self) -> Needs {
        Needs::of(&self.desired)
    }
}

/// Reads what is live, and tells how far it has come.
pub(super) async fn live(global: &Global, reader: &Reader, needs: &Needs) -> Result<Live, Failure> {
    let progress = Progress::start(global, "reading accesses");
    let live = reader.live(needs, &|read| progress.tell(read.done, read.total)).await;
    drop(progress);
    live.map_err(call_failed)
}

/// The folder of the repository that is asked for.
pub(super) fn root(global: &Global) -> Result<PathBuf, Failure> {
    let start = global.repo.clone().unwrap_or_else(|| ".".into());
    declare::find_root(&start).map_err(|error| Failure::Usage(error.to_string()))
}

/// The environment that is asked for; an empty name asks for none.
pub(super) fn environment(global: &Global) -> Option<&str> {
    global.env.as_deref().filter(|name| !name.is_empty())
}

/// The time, in whole seconds.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The date in Norway: `until` counts by it.
pub(super) fn today() -> Date {
    norwegian_date(Timestamp::now())
}

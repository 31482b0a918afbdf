//! Person or job that works here, and its place: for the lock and the ledger.

use serde::{Deserialize, Serialize};

use super::discovery::discover;

/// Person or job that applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// A person or a job.
    pub who: String,
    /// The address of a job's run, or the name of a machine.
    pub place: String,
}

impl Actor {
    /// Reads the environment of a CI job; otherwise the user that git knows, on this machine.
    pub fn here(variable: &dyn Fn(&str) -> Option<String>, folder: &std::path::Path) -> Self {
        let (who, place) = if variable("GITHUB_ACTIONS").is_some() {
            let run = || {
                let server = variable("GITHUB_SERVER_URL")?;
                let repository = variable("GITHUB_REPOSITORY")?;
                Some(format!("{server}/{repository}/actions/runs/{}", variable("GITHUB_RUN_ID")?))
            };
            let who = variable("GITHUB_TRIGGERING_ACTOR").or_else(|| variable("GITHUB_ACTOR"));
            (who, run())
        } else if variable("GITLAB_CI").is_some() {
            (variable("GITLAB_USER_LOGIN"), variable("CI_JOB_URL"))
        } else if variable("TF_BUILD").is_some() {
            let run = || {
                let (server, project) =
                    (variable("SYSTEM_COLLECTIONURI")?, variable("SYSTEM_TEAMPROJECT")?);
                let build = variable("BUILD_BUILDID")?;
                Some(format!("{server}{project}/_build/results?buildId={build}"))
            };
            let who = variable("BUILD_REQUESTEDFOREMAIL").filter(|who| !who.is_empty());
            (who.or_else(|| variable("BUILD_REQUESTEDFOR")), run())
        } else {
            let user = || variable("USER").or_else(|| variable("USERNAME"));
            (git_user(folder).or_else(user), machine(variable))
        };
        let or_unknown = |found: Option<String>| found.unwrap_or_else(|| "unknown".to_owned());
        Self { who: or_unknown(who), place: or_unknown(place) }
    }
}

fn git_user(folder: &std::path::Path) -> Option<String> {
    let repository = discover(folder).ok()??;
    let user = repository.signature().ok()?;
    match (user.name(), user.email()) {
        (Ok(name), Ok(email)) => Some(format!("{name} <{email}>")),
        (Ok(name), Err(_)) => Some(name.to_owned()),
        (Err(_), _) => None,
    }
}

fn machine(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let file = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let name = file.ok().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    name.or_else(|| variable("HOSTNAME")).or_else(|| variable("COMPUTERNAME"))
}

#[cfg(test)]
mod tests {
    use super::Actor;

    #[test]
    fn a_job_shows_who_started_it_and_where_it_runs() {
        let actor = |variables: &[(&str, &str)]| {
            let variables = variables.to_vec();
            let of = move |name: &str| {
                let found = variables.iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let Actor { who, place } = Actor::here(&of, std::path::Path::new("/nowhere"));
            (who, place)
        };
        let github = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "kari"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "etat/tilgang"),
            ("GITHUB_RUN_ID", "7"),
        ];
        let run = "https://github.com/etat/tilgang/actions/runs/7";
        assert_eq!(actor(&github), ("kari".to_owned(), run.to_owned()));
        let gitlab =
            [("GITLAB_CI", "true"), ("GITLAB_USER_LOGIN", "ola"), ("CI_JOB_URL", "https://g/1")];
        assert_eq!(actor(&gitlab), ("ola".to_owned(), "https://g/1".to_owned()));
        let azure = [
            ("TF_BUILD", "True"),
            ("BUILD_REQUESTEDFOR", "Per"),
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/etat/"),
            ("SYSTEM_TEAMPROJECT", "tilgang"),
            ("BUILD_BUILDID", "9"),
        ];
        let run = "https://dev.azure.com/etat/tilgang/_build/results?buildId=9";
        assert_eq!(actor(&azure), ("Per".to_owned(), run.to_owned()));
        assert_eq!(actor(&[("USER", "siri"), ("TERM", "x")]).0, "siri");
    }
}

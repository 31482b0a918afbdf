//! Teams: owners of files, scopes and clients.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::file::TeamFile;
use crate::declare::diagnostic::quoted;
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::list;
use crate::declare::read::environments::check_name;
use crate::declare::read::globs::NameGlobs;
use crate::declare::yaml::document::Findings;
use crate::declare::yaml::item::entries_of;
use crate::declare::yaml::optional::{Members, Spanned, TextList};
use domain::Entity;
use yaml::Span;

/// Largest number of teams in a repository: each is checked for every scope.
const MOST_TEAMS: usize = 1_000;

/// The repository's teams.
#[derive(Debug, Clone, Default)]
pub(crate) struct Teams(Vec<Team>);

/// Team that declares some of the scopes, in a folder of its own.
#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub(crate) name: String,
    /// Without a slash at its end.
    path: String,
    scopes: NameGlobs,
    clients: NameGlobs,
    /// The place of its name in portvakt.yaml.
    span: Span,
}

/// Reason why a scope or a client may not be declared at its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Objection {
    pub(crate) rule: Rule,
    pub(crate) message: String,
    pub(crate) help: String,
    /// The place in portvakt.yaml of the team in the message.
    pub(crate) team: Span,
}

impl Team {
    fn holds(&self, file: &str) -> bool {
        file.strip_prefix(&self.path).is_some_and(|rest| rest.starts_with('/'))
    }

    fn globs(&self, entity: &Entity) -> &NameGlobs {
        match entity {
            Entity::Scope(_) => &self.scopes,
            Entity::Client(_) => &self.clients,
        }
    }

    fn has(&self, entity: &Entity) -> bool {
        self.globs(entity).set.is_match(entity.name())
    }
}

impl Teams {
    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|team| &*team.name)
    }

    /// The team whose file this is; of several, the one with the deepest folder.
    pub(crate) fn of(&self, file: &str) -> Option<&Team> {
        self.0.iter().filter(|team| team.holds(file)).max_by_key(|team| team.path.len())
    }

    /// The teams in whose folder none of these files is, each with its folder and the place of its name.
    pub(crate) fn without(&self, files: &HashSet<&str>) -> Vec<(&str, &str, Span)> {
        let is_idle = |team: &&Team| !files.iter().any(|file| team.holds(file));
        let idle = self.0.iter().filter(is_idle);
        idle.map(|Team { name, path, scopes: _, clients: _, span }| (&**name, &**path, *span))
            .collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder of the first team in whose file of that name a scope or a client may be declared.
    pub(crate) fn folder(&self, file: &str, entity: &Entity) -> Option<&str> {
        let owners = self.0.iter().filter(|team| team.has(entity));
        let mut folders = owners.map(|team| team.path.as_str());
        folders.find(|path| self.objection(&format!("{path}/{file}"), entity).is_none())
    }

    /// The reason why a scope or a client may not be declared in a file. A team's file may have only entities
    /// of that team; an entity that belongs to teams must be in the file of one of them.
    pub(crate) fn objection(&self, file: &str, entity: &Entity) -> Option<Objection> {
        let owners: Vec<_> = self.0.iter().filter(|team| team.has(entity)).collect();
        match (self.of(file), owners.first()) {
            (Some(team), _) if team.has(entity) => None,
            (Some(team), _) => Some(not_of(team, &owners, entity)),
            (None, Some(first)) => Some(outside(first, &owners, entity)),
            (None, None) => None,
        }
    }
}

fn not_of(team: &Team, owners: &[&Team], entity: &Entity) -> Objection {
    let Team { name, path, scopes: _, clients: _, span } = team;
    let globs = &team.globs(entity).written;
    let what = entity.kind();
    let has = match globs.is_empty() {
        true => format!("`{name}` has no {what}s at all"),
        false => format!("`{name}` has {}", list(globs.iter().map(|glob| glob.value.as_str()))),
    };
    let suggestions = match owners.is_empty() {
        true => "choose another name, or add a glob to the team in portvakt.yaml".to_owned(),
        false => format!("declare it in {}", folders(owners)),
    };
    Objection {
        rule: Rule::NotOfTheTeam,
        message: format!(
            "{} is no {what} of the team `{name}`, whose files are those in `{path}`",
            quoted(entity.name())
        ),
        help: format!("{has}; {suggestions}"),
        team: *span,
    }
}

fn outside(first: &Team, owners: &[&Team], entity: &Entity) -> Objection {
    let name = &first.name;
    Objection {
        rule: Rule::OutsideTheTeam,
        message: format!(
            "{} is a {} of the team `{name}`, and declared outside its folder",
            quoted(entity.name()),
            entity.kind()
        ),
        help: format!("declare it in {}", folders(owners)),
        team: first.span,
    }
}

/// The folders of some teams, as a sentence lists them.
fn folders(teams: &[&Team]) -> String {
    let folders: Vec<_> =
        teams.iter().map(|team| format!("`{}` (`{}`)", team.path, team.name)).collect();
    folders.join(" or ")
}

/// The names of all teams, including those with errors.
pub(crate) fn team_names<'d>(section: Option<Members<'d, TeamFile>>) -> Vec<&'d str> {
    let names = section.into_iter().flat_map(|section| section.at.entries());
    names.map(|(name, _)| name).collect()
}

/// The teams; reports their problems.
pub(crate) fn teams(section: Option<Members<'_, TeamFile>>, findings: &mut Findings) -> Teams {
    let entries = entries_of(section, findings);
    if let Some(section) = section.filter(|_| entries.len() > MOST_TEAMS) {
        let message = format!("a repository has at most {MOST_TEAMS} teams");
        let help = "put the folders of several into one";
        findings.report(Rule::TooMuch, section.key, &message, help);
    }
    let mut first = HashMap::new();
    let entries = entries.into_iter().take(MOST_TEAMS);
    let teams = entries.filter_map(|(name, declared)| {
        check_name(name, declared.key, findings);
        let TeamFile { path, scopes, clients } = declared.read(findings)?;
        let Spanned { value: path, span: place } = path.0?;
        let path = folder(&path, place, &mut first, findings);
        let mut globs = |it: Option<TextList>| it.map(|it| NameGlobs::read(it, findings));
        let (scopes, clients) = (globs(scopes.0), globs(clients.0));
        let (scopes, clients) = (scopes.unwrap_or_default(), clients.unwrap_or_default());
        Some(Team { name: name.to_owned(), path: path?, scopes, clients, span: declared.key })
    });
    Teams(teams.collect())
}

/// A team's folder, without a slash at its end; reported if it is invalid, or another team's too.
fn folder(
    written: &str,
    span: Span,
    first: &mut HashMap<String, Span>,
    findings: &mut Findings,
) -> Option<String> {
    let path = written.strip_suffix('/').unwrap_or(written);
    if !is_folder(path) {
        let message = format!("{} is not a folder of the repository", quoted(written));
        let help = "write the folder from the root of the repository, such as `teams/arbeid`: no \
                    `/` at its beginning, no `..`, no `\\`";
        findings.report(Rule::WrongValue, span, &message, help);
        return None;
    }
    match first.entry(path.to_owned()) {
        Entry::Vacant(vacant) => drop(vacant.insert(span)),
        Entry::Occupied(first) => {
            let message = format!("two teams have the folder {}", quoted(path));
            let help = "give each a folder of its own; one may lie in another's";
            let related = findings.place(*first.get()).related("first here");
            findings.report(Rule::WrongValue, span, &message, help).related.push(related);
        }
    }
    Some(path.to_owned())
}

fn is_folder(path: &str) -> bool {
    let strange = |c: char| c == '\\' || c.is_control();
    !path.contains(strange) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::files::index::SETTINGS_FILE;
    use crate::declare::yaml::document::parse;
    use crate::declare::yaml::table::read;

    const TEAMS: &str = "\
teams:
  arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*', 'etat:felles:*'] }
  register: { path: teams/arbeid/register/, scopes: ['etat:register*'] }
  helse: { path: teams/helse, scopes: ['etat:helse*', 'etat:felles:*'] }
  drift: { path: drift, scopes: [] }
";

    fn known_teams() -> Teams {
        let mut findings = Findings::new(SETTINGS_FILE.into());
        let documents = parse(TEAMS, &mut findings).unwrap();
        let section = documents.first().unwrap().get("teams").unwrap();
        let section = read(section, &mut findings);
        let teams = teams(section, &mut findings);
        assert!(findings.list.is_empty(), "{findings:?}");
        teams
    }

    #[test]
    fn the_deepest_folder_decides_whose_a_file_is() {
        let teams = known_teams();
        for (file, name) in [
            ("teams/arbeid/a.yaml", Some("arbeid")),
            ("teams/arbeid/b/c/a.yaml", Some("arbeid")),
            ("teams/arbeid/register/a.yaml", Some("register")),
            ("teams/arbeid/register.yaml", Some("arbeid")),
            ("teams/arbeid.yaml", None),
            ("teams/arbeidsliv/a.yaml", None),
            ("a/teams/arbeid/a.yaml", None),
            ("teams/arbeid", None),
        ] {
            assert_eq!(teams.of(file).map(|team| &*team.name), name, "{file}");
        }
        assert!(Teams::default().of("teams/arbeid/a.yaml").is_none());
    }

    fn objection(file: &str, scope: &str) -> Option<Objection> {
        known_teams().objection(file, &Entity::Scope(scope.parse().unwrap()))
    }

    #[test]
    fn a_scope_is_in_the_folder_of_a_team_that_has_it() {
        for (file, scope) in [
            ("teams/arbeid/a.yaml", "etat:arbeid:aareg/les"),
            ("teams/arbeid/a.yaml", "etat:felles:a"),
            ("teams/helse/a.yaml", "etat:felles:a"),
            ("teams/arbeid/register/a.yaml", "etat:register:a"),
            ("andre/a.yaml", "etat:andre:a"),
        ] {
            assert_eq!(objection(file, scope), None, "{file} {scope}");
        }
    }

    #[test]
    fn a_teams_file_has_no_other_scope() {
        let shown = |file, scope| {
            let found = objection(file, scope).unwrap();
            assert_eq!(found.rule, Rule::NotOfTheTeam);
            (found.team.start.line, format!("{}\n{}", found.message, found.help))
        };
        let (line, text) = shown("teams/arbeid/a.yaml", "etat:andre:a");
        assert_eq!(line, 2);
        insta::assert_snapshot!(text, @r"
        `etat:andre:a` is no scope of the team `arbeid`, whose files are those in `teams/arbeid`
        `arbeid` has `etat:arbeid*`, `etat:felles:*`; choose another name, or add a glob to the team in portvakt.yaml
        ");
        let (line, text) = shown("teams/arbeid/a.yaml", "etat:helse:a");
        assert_eq!(line, 2);
        insta::assert_snapshot!(text, @r"
        `etat:helse:a` is no scope of the team `arbeid`, whose files are those in `teams/arbeid`
        `arbeid` has `etat:arbeid*`, `etat:felles:*`; declare it in `teams/helse` (`helse`)
        ");
        let (line, text) = shown("drift/a.yaml", "etat:felles:a");
        assert_eq!(line, 5);
        insta::assert_snapshot!(text, @r"
        `etat:felles:a` is no scope of the team `drift`, whose files are those in `drift`
        `drift` has no scopes at all; declare it in `teams/arbeid` (`arbeid`) or `teams/helse` (`helse`)
        ");
        assert_eq!(shown("teams/arbeid/register/a.yaml", "etat:helse:a").0, 3);
        assert_eq!(shown("teams/arbeid/register/a.yaml", "etat:arbeid:a").0, 3);
    }

    #[test]
    fn a_teams_scope_is_nowhere_else() {
        let found = objection("felles.yaml", "etat:felles:a").unwrap();
        assert_eq!((found.rule, found.team.start.line), (Rule::OutsideTheTeam, 2));
        insta::assert_snapshot!(format!("{}\n{}", found.message, found.help), @r"
        `etat:felles:a` is a scope of the team `arbeid`, and declared outside its folder
        declare it in `teams/arbeid` (`arbeid`) or `teams/helse` (`helse`)
        ");
        let found = objection("teams/arbeid.yaml", "etat:arbeid:a").unwrap();
        assert_eq!(found.rule, Rule::OutsideTheTeam);
    }
}

//! portvakt.yaml, checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use globset::GlobSet;
use jiff::SignedDuration;

use super::attributes::{ClientLayer, ScopeLayer};
use super::credentials::{check_credentials, credential_places};
use super::declared::Spans;
use super::environment::Environment;
use super::environments::{EnvironmentNames, MOST_ENVIRONMENTS, check_environment_name};
use super::globs::{PathPattern, PatternUse, name_globs, path_globs};
use super::nais::Nais;
use super::settings_file::{GuardsFile, SettingsFile};
use super::silences;
use super::targets::{check_distinct, check_target};
use super::texts::{check_texts, parse_orgno};
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::{Diagnostic, quoted};
use crate::declare::files::FileFilter;
use crate::declare::files::index::SETTINGS_FILE;
use crate::declare::own::naming::{NamingRule, naming};
use crate::declare::own::policies::{Policy, policies};
use crate::declare::own::teams::{Teams, team_names, teams};
use crate::declare::own::{Names, check_unique};
use crate::declare::yaml::document::{Findings, decode, parse};
use crate::declare::yaml::item::{entries_of, wrong_kind};
use crate::declare::yaml::optional::{Checked, Members, Optional, Raw, ReadableTexts, Spanned};
use crate::declare::yaml::table::{read, read_whole};
use domain::{Guards, Orgno};
use yaml::Position;

/// Settings of the whole repository.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The organisation that owns the scopes; `None` only where its number is wrong, and then
    /// nothing is resolved.
    pub organization: Option<Orgno>,
    pub(crate) organization_at: Position,
    /// What it is called, if the repository says so.
    pub organization_name: Option<String>,
    /// What the folder is called beside others of the same git repository, if it says so.
    pub project: Option<String>,
    /// The prefixes that scopes may have, without a colon.
    pub prefixes: Vec<String>,
    /// Where the declarations are applied, by name; at least one.
    pub environments: BTreeMap<String, Environment>,
    /// Places of the parts of their credentials, by the environment's name and the part.
    pub(crate) credential_places: BTreeMap<(String, String), Position>,
    /// The branch of the remote whose commits may be applied; `None` for its default branch.
    pub apply_from: Option<String>,
    /// What an apply refuses: limits, which `--override-guards` lifts, and protection, which nothing lifts.
    pub guards: Guards,
    pub(crate) environment_names: EnvironmentNames,
    pub(crate) naming: Vec<NamingRule>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) teams: Teams,
    pub(crate) scope_defaults: ScopeLayer,
    pub(crate) scope_default_spans: Spans,
    pub(crate) client_defaults: ClientLayer,
    pub(crate) client_default_spans: Spans,
    pub(crate) warn_before: SignedDuration,
    pub(crate) warn_of_access: SignedDuration,
    pub(crate) nais: Nais,
    pub(crate) filter: FileFilter,
}

impl Settings {
    /// Where an organisation is named: in portvakt.yaml as it is now, or as it was.
    pub fn organization_place(&self, orgno: Orgno) -> String {
        let Position { line, column } = self.organization_at;
        match self.organization == Some(orgno) {
            true => format!("{SETTINGS_FILE}:{line}:{column}"),
            false => format!("{SETTINGS_FILE} of the commit that is compared with"),
        }
    }

    /// Returns the place where a part of an environment's credentials is declared, such as `certificate.password`.
    pub fn credential_place(&self, environment: &str, part: &str) -> String {
        match self.credential_places.get(&(environment.to_owned(), part.to_owned())) {
            Some(Position { line, column }) => format!("{SETTINGS_FILE}:{line}:{column}"),
            None => SETTINGS_FILE.to_owned(),
        }
    }

    /// The names of the repository's own rules.
    pub(crate) fn own_rules(&self) -> impl Iterator<Item = &str> + Clone {
        let naming = self.naming.iter().map(|rule| &*rule.head.name);
        naming.chain(self.policies.iter().map(|policy| &*policy.head.name))
    }
}

/// Reads portvakt.yaml. The settings may come with errors: they are what the other files are read
/// in the light of. Without settings there is an error.
pub(crate) fn settings(bytes: &[u8]) -> (Option<Settings>, Vec<Diagnostic>) {
    let mut findings = Findings::new(Arc::from(SETTINGS_FILE));
    let settings = from_bytes(bytes, &mut findings);
    (settings, findings.into_list())
}

/// The settings of a portvakt.yaml, whatever is wrong with it; `None` where there is nothing to read.
pub fn readable_settings(bytes: &[u8]) -> Option<Settings> {
    settings(bytes).0
}

/// The names of the dot-folders that a portvakt.yaml lets be read.
pub fn dot_folders(bytes: &[u8]) -> BTreeSet<String> {
    settings(bytes).0.map(|settings| settings.filter.visited().clone()).unwrap_or_default()
}

/// Whether nothing is wrong with a portvakt.yaml.
pub fn is_right(bytes: &[u8]) -> bool {
    let (settings, found) = settings(bytes);
    settings.is_some() && !found.iter().any(Diagnostic::is_error)
}

fn from_bytes(bytes: &[u8], findings: &mut Findings) -> Option<Settings> {
    let text = decode(bytes, findings)?;
    let documents = parse(text, findings)?;
    // There is nothing here that could have a silence, and that is told.
    silences::read(text, &[], |_| Vec::new(), findings);
    let root = documents.first()?;
    if let Some(second) = documents.get(1) {
        let help = "put it into another file";
        let message = "portvakt.yaml holds one document, this is a second one";
        findings.report(Rule::ForeignDocument, second.span(), message, help);
    }
    if !root.value.is_mapping() {
        wrong_kind(root, "a mapping with `organization`, `prefixes`, …", findings);
        return None;
    }
    let file = read(root, findings)?;
    Some(checked(file, root.span().start, findings))
}

/// The settings. `top` is where the file begins.
fn checked(file: SettingsFile<'_>, top: Position, findings: &mut Findings) -> Settings {
    let environments_at = file.environments.0;
    let environments = environments(environments_at, findings);
    let environment_names = environment_names(environments_at);
    let first = findings.list.len();
    let teams = teams(file.teams, findings);
    let names = Names { environments: &environment_names, teams: team_names(file.teams) };
    check_unique(file.naming, file.policies, findings);
    let naming = naming(file.naming, &names, findings);
    let policies = policies(file.policies, &names, findings);
    findings.hide_nothing(first);
    let (orgno, organization_name) =
        file.organization.0.map_or((None, None), |it| (it.orgno.0, it.name.0));
    let organization_at = orgno.as_ref().map_or(top, |orgno| orgno.span.start);
    let organization = orgno.and_then(|it| parse_orgno(&it.value, it.span, findings));
    let prefixes = prefixes(file.prefixes.0, findings);
    let defaults = file.defaults.0.unwrap_or_default();
    let (scope_defaults, scope_default_spans) = of_defaults(defaults.scope);
    let (client_defaults, client_default_spans) = of_defaults(defaults.client);
    check_texts(None, &scope_defaults, findings);
    let first = findings.list.len();
    client_defaults.check(findings);
    findings.hide_nothing(first);
    if let Some(Spanned { span, .. }) = file.include.0.as_ref().filter(|it| it.value.is_empty()) {
        let message = "`include` is empty, so no declaration at all would be read";
        let help = "leave `include` out, which reads all files, or name the files to read";
        findings.report(Rule::WrongValue, *span, message, help);
    }
    let include = file.include.0.map(|it| path_globs(&it, PatternUse::Include, findings));
    let exclude = file.exclude.0.map(|it| path_globs(&it, PatternUse::Exclude, findings));
    let keys_policy = file.keys_policy.0.unwrap_or_default();
    let warn_of_access = file.access_policy.0.unwrap_or_default().warn_before.0;
    let warn_of_access = warn_before(warn_of_access, WARN_OF_ACCESS, findings);
    let warn_before = warn_before(keys_policy.warn_before.0, WARN_BEFORE, findings);
    let nais = file.nais.0.map(|it| Nais::new(it, &prefixes, &environment_names, findings));
    let nais = nais.unwrap_or_default();
    Settings {
        organization,
        organization_at,
        organization_name,
        prefixes,
        project: project(file.project.0, findings),
        apply_from: branch(file.apply_from.0, findings),
        guards: guards(file.guards.0.unwrap_or_default(), findings),
        environments,
        credential_places: credential_places(environments_at),
        environment_names,
        naming,
        policies,
        teams,
        scope_default_spans,
        scope_defaults,
        client_default_spans,
        client_defaults,
        warn_before,
        warn_of_access,
        filter: filter(include, exclude, &nais),
        nais,
    }
}

fn filter(
    include: Option<(GlobSet, Vec<PathPattern>)>,
    exclude: Option<(GlobSet, Vec<PathPattern>)>,
    nais: &Nais,
) -> FileFilter {
    let (include, included) = include.unzip();
    let (exclude, excluded) = exclude.unwrap_or_default();
    let own = included.into_iter().flatten().chain(excluded);
    let patterns = own.chain(nais.patterns().cloned()).collect();
    FileFilter::new(include, exclude, !nais.is_empty(), patterns)
}

/// The attributes of a kind of entity, and their places.
fn of_defaults<T: Default>(input: Optional<Checked<'_, T>>) -> (T, Spans) {
    match input.0 {
        Some(Checked { at, value }) => (value.unwrap_or_default(), Spans::new(at)),
        None => Default::default(),
    }
}

/// Whether a folder may be called so beside others: git takes it in the name of a ref.
pub fn is_project_name(name: &str) -> bool {
    let is_allowed = |c: char| c.is_alphanumeric() || "._-".contains(c);
    !name.starts_with(['.', '-'])
        && !name.is_empty()
        && name.chars().all(is_allowed)
        && !name.ends_with('.')
        && !name.ends_with(".lock")
        && !name.contains("..")
}

/// What the folder is called, if it may be called so.
fn project(input: Option<Spanned<String>>, findings: &mut Findings) -> Option<String> {
    const LONGEST: usize = 64;
    let help = "write 1 to 64 letters, digits, `-`, `_` and single `.`, such as `plattform`";
    let is_name = |name: &str| is_project_name(name) && name.is_ascii() && name.len() <= LONGEST;
    named(input?, is_name, ("project", help), findings)
}

/// The name of a branch, if it can be one (`git check-ref-format`).
fn branch(input: Option<Spanned<String>>, findings: &mut Findings) -> Option<String> {
    let help = "write it as git does, without `refs/heads/`, such as `main`";
    let strange = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.ends_with(".lock")
    };
    let is_branch = |name: &str| {
        !name.contains(strange)
            && !name.contains("..")
            && !name.contains("@{")
            && !name.starts_with('-')
            && name.split('/').all(is_part)
    };
    named(input?, is_branch, ("branch", help), findings)
}

/// A name, if it may be one; reported if not.
fn named(
    Spanned { value: name, span }: Spanned<String>,
    is_name: impl Fn(&str) -> bool,
    (what, help): (&str, &str),
    findings: &mut Findings,
) -> Option<String> {
    let is_name = is_name(&name);
    if !is_name {
        let message = format!("{} is not the name of a {what}", quoted(&name));
        findings.report(Rule::WrongValue, span, &message, help).hides = false;
    }
    is_name.then_some(name)
}

/// How long before its end a key is told of where nothing is said.
const WARN_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The same for an access.
const WARN_OF_ACCESS: SignedDuration = SignedDuration::from_hours(14 * 24);

fn warn_before(
    input: Option<Spanned<String>>,
    default: SignedDuration,
    findings: &mut Findings,
) -> SignedDuration {
    let Some(Spanned { value: text, span }) = input else {
        return default;
    };
    parse_duration(&text).unwrap_or_else(|| {
        let message = format!("{} is not a duration", quoted(&text));
        let help = "write days, weeks or hours, such as `30d`, `4w` or `12h`";
        findings.report(Rule::WrongValue, span, &message, help).hides = false;
        default
    })
}

/// A time in whole days (`30d`), weeks (`4w`) or hours (`12h`).
pub fn parse_duration(text: &str) -> Option<SignedDuration> {
    let hours = [("d", 24), ("w", 7 * 24), ("h", 1)];
    let (number, hours) =
        hours.iter().find_map(|(unit, hours)| Some((text.strip_suffix(unit)?, *hours)))?;
    let number: u32 = number.parse().ok().filter(|_| number.bytes().all(|b| b.is_ascii_digit()))?;
    Some(SignedDuration::from_hours(i64::from(number) * hours))
}

fn before_colon(prefix: &str) -> &str {
    prefix.split(':').next().unwrap_or_default().trim()
}

/// The prefixes; reports what is wrong with each, which is not reported of each scope again.
fn prefixes(input: Option<ReadableTexts>, findings: &mut Findings) -> Vec<String> {
    let Some(ReadableTexts { items, is_whole, span }) = input else {
        return Vec::new();
    };
    let prefixes = if is_whole { items } else { Vec::new() };
    if prefixes.is_empty() {
        let help = "list the prefixes that DigDir has given the organisation";
        findings.report(Rule::WrongValue, span, "there is no prefix", help);
    }
    for Spanned { value: prefix, span } in &prefixes {
        let strange = |c: char| c == ':' || c.is_whitespace() || c.is_control();
        if prefix.is_empty() || prefix.contains(strange) {
            let message = format!("{} is not a prefix", quoted(prefix));
            let help = match before_colon(prefix) {
                "" => "",
                plain => &format!("write `{plain}`: "),
            };
            let help =
                format!("{help}a prefix is the part of a scope's name before the first colon");
            findings.report(Rule::Text, *span, &message, &help);
        }
    }
    prefixes.iter().map(|prefix| before_colon(&prefix.value).to_owned()).collect()
}

fn guards(file: GuardsFile, findings: &mut Findings) -> Guards {
    let GuardsFile { max_deactivations, max_revocations, max_grants, max_changed_percent, protect } =
        file;
    let defaults = Guards::default();
    let max_changed_percent = max_changed_percent.0.and_then(|Spanned { value: percent, span }| {
        let small = u8::try_from(percent).ok().filter(|percent| *percent <= 100);
        if small.is_none() {
            let message = format!("{percent} is more than 100 percent");
            let help = "leave the key out for no limit";
            findings.report(Rule::WrongValue, span, &message, help);
        }
        small
    });
    let protect = protect.0.map(|globs| name_globs(&globs, findings));
    Guards {
        max_deactivations: max_deactivations.0.unwrap_or(defaults.max_deactivations),
        max_revocations: max_revocations.0.unwrap_or(defaults.max_revocations),
        max_grants: max_grants.0.unwrap_or(defaults.max_grants),
        max_changed_percent,
        protect: protect.unwrap_or_default(),
    }
}

fn environments(
    section: Option<Members<'_, Environment>>,
    findings: &mut Findings,
) -> BTreeMap<String, Environment> {
    let Some(Raw { at: list, key, .. }) = section else { return BTreeMap::new() };
    let entries = entries_of(section, findings);
    if (entries.is_empty() || entries.len() > MOST_ENVIRONMENTS)
        && (list.value.is_mapping() || list.value.is_null())
    {
        let message = format!("a repository has 1 to {MOST_ENVIRONMENTS} environments");
        let help = "begin with `sandbox: { target: sandbox }`";
        findings.report(Rule::WrongValue, key, &message, help);
    }
    let mut environments = Vec::new();
    for (name, input) in entries.into_iter().take(MOST_ENVIRONMENTS) {
        check_environment_name(name, input.key, findings);
        let Some(environment) = read_whole::<Environment>(input.at, findings) else {
            continue;
        };
        check_target(&environment.target, findings);
        check_credentials(&environment, input.key, findings);
        environments.push((name, environment));
    }
    check_distinct(&environments, findings);
    environments.into_iter().map(|(name, it)| (name.to_owned(), it)).collect()
}

/// The names of all environments, those included that have something wrong with them.
fn environment_names(section: Option<Members<'_, Environment>>) -> EnvironmentNames {
    let entries = section.into_iter().flat_map(|section| section.at.entries());
    EnvironmentNames::new(entries.map(|(name, _)| name.to_owned()).collect())
}

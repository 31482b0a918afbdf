//! Generates a repository, and a live state that equals its declarations, of any size.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use domain::{AccessState, Desired, Live, LiveAccess, LiveScope, Orgno, Representation};
use sandbox::State;

/// The organisation that owns everything.
pub(crate) const OWNER: &str = "889640782";

/// Number of entities.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) files: usize,
    pub(crate) scopes_per_file: usize,
    pub(crate) consumers_per_scope: usize,
}

/// Valid organisation numbers, always in the same order.
pub(crate) fn orgnos() -> impl Iterator<Item = Orgno> {
    (920_000_000_u32..).filter_map(|number| number.to_string().parse().ok())
}

/// Writes a repository with three environments, of which `bench` has this target. Half of the consumers are
/// aliases.
pub(crate) fn write_repository(folder: &Path, size: Size, target: &str) -> std::io::Result<()> {
    let numbers: Vec<_> = orgnos().take(size.consumers_per_scope * 5).collect();
    std::fs::write(
        folder.join("portvakt.yaml"),
        format!(
            "organization: {{ orgno: \"{OWNER}\", name: Etaten }}\nprefixes: [etat]\n\
             environments:\n  bench: {{ target: {target} }}\n  second: {{ target: sandbox }}\n  third: \
             {{ target: sandbox }}\n"
        ),
    )?;
    let mut aliases = "consumers:\n".to_owned();
    for (index, orgno) in numbers.iter().enumerate() {
        let _ =
            writeln!(aliases, "  org{index}: {{ orgno: \"{orgno}\", name: Organisasjon {index} }}");
    }
    std::fs::write(folder.join("consumers.yaml"), aliases)?;
    for file in 0..size.files {
        let path = file_path(folder, file);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, declarations(file, size, &numbers))?;
    }
    Ok(())
}

/// Adds one error to each of that many scopes, evenly over the files.
pub(crate) fn break_scopes(folder: &Path, size: Size, errors: usize) -> std::io::Result<()> {
    for file in 0..size.files {
        let path = file_path(folder, file);
        let text = std::fs::read_to_string(&path)?;
        let per_file = errors / size.files;
        std::fs::write(path, text.replacen("at_max_age: 120", "at_max_aeg: 120", per_file))?;
    }
    Ok(())
}

/// Adds naming rules, teams and policies that nothing breaks.
pub(crate) fn add_rules(folder: &Path) -> std::io::Result<()> {
    let path = folder.join("portvakt.yaml");
    let mut settings = std::fs::read_to_string(&path)?;
    settings += "naming:\n  \
                   - rule: product\n    \
                     applies_to: scope\n    \
                     pattern: '^etat:(?<product>[a-z0-9]+):[a-zæøå0-9.]+$'\n    \
                     message: a scope is named etat:<product>:<name>\n  \
                   - { preset: nais }\n\
                 policies:\n  \
                   - rule: short-tokens\n    \
                     applies_to: scope\n    \
                     expression: scope.at_max_age <= 600\n    \
                     message: a token lives ten minutes at most\n  \
                   - rule: reason\n    \
                     applies_to: access\n    \
                     expression: environment != \"prod\" || access.reason != null\n    \
                     message: an access in production has a reason\n\
                 teams:\n";
    for team in 0..TEAMS {
        let _ =
            writeln!(settings, "  team{team}: {{ path: teams/team{team}, scopes: ['etat:*'] }}");
    }
    std::fs::write(path, settings)
}

const TEAMS: usize = 20;

fn file_path(folder: &Path, file: usize) -> PathBuf {
    folder.join(format!("teams/team{}/scopes{file}.yaml", file % TEAMS))
}

fn declarations(file: usize, size: Size, numbers: &[Orgno]) -> String {
    let mut yaml = "scopes:\n".to_owned();
    for scope in 0..size.scopes_per_file {
        let _ = write!(
            yaml,
            "  - name: etat:produkt{file}:register{scope}.read\n    description: Les register {scope}\n    \
             at_max_age: 120\n    allowed_integration_types: [maskinporten]\n    consumers:\n"
        );
        for consumer in 0..size.consumers_per_scope {
            let index = (consumer * 5 + file + scope) % numbers.len();
            let _ = match consumer % 2 {
                0 => writeln!(yaml, "      - org{index}"),
                _ => writeln!(yaml, "      - \"{}\"", numbers[index]),
            };
        }
    }
    yaml
}

/// The live state after an apply.
pub(crate) fn live(desired: &Desired) -> Live {
    let scopes = desired.scopes.iter().map(|(name, scope)| {
        let fields = scope.attributes.fields().into_iter().filter(|(_, value)| !value.is_null());
        let representation: Representation =
            fields.map(|(key, value)| (key.to_owned(), value)).collect();
        let access = LiveAccess { state: AccessState::Approved, name: None, requested: None };
        let accesses = scope.consumers.keys().map(|orgno| (*orgno, access.clone())).collect();
        let accesses = Some(accesses);
        (name.clone(), LiveScope { active: true, representation, accesses, unclear: false })
    });
    Live { scopes: scopes.collect(), prefixes: ["etat".to_owned()].into(), ..Live::default() }
}

/// The same as the state of a sandbox.
pub(crate) fn state(desired: &Desired) -> State {
    let mut state = State::new(desired.organization, "Etaten", &["etat".to_owned()]);
    for (name, scope) in &desired.scopes {
        state.put_scope(desired.organization, name.clone(), true, &scope.attributes);
        for orgno in scope.consumers.keys() {
            state.put_access(name.clone(), *orgno, AccessState::Approved);
        }
    }
    state
}

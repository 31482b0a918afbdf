//! Makes a repository, and a live state that is just as it declares, of any size.

use std::fmt::Write as _;
use std::path::Path;

use portvakt::domain::{AccessState, Desired, Live, LiveAccess, LiveScope, Orgno, Representation};
use portvakt::sandbox::State;

/// The organisation that owns everything.
pub(crate) const OWNER: &str = "889640782";

/// How much there is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) files: usize,
    pub(crate) scopes_per_file: usize,
    pub(crate) consumers_per_scope: usize,
}

/// Valid organisation numbers, always the same.
pub(crate) fn orgnos() -> impl Iterator<Item = Orgno> {
    (920_000_000_u32..).filter_map(|number| number.to_string().parse().ok())
}

/// Writes a repository whose only environment, `bench`, has this target. Half of the consumers
/// are named by an alias.
pub(crate) fn write_repository(folder: &Path, size: Size, target: &str) -> std::io::Result<()> {
    let numbers: Vec<_> = orgnos().take(size.consumers_per_scope * 5).collect();
    std::fs::write(
        folder.join("portvakt.yaml"),
        format!(
            "organization: {{ orgno: \"{OWNER}\", name: Etaten }}\nprefixes: [etat]\n\
             environments:\n  bench: {{ target: {target} }}\n"
        ),
    )?;
    let mut aliases = "consumers:\n".to_owned();
    for (index, orgno) in numbers.iter().enumerate() {
        let _ =
            writeln!(aliases, "  org{index}: {{ orgno: \"{orgno}\", name: Organisasjon {index} }}");
    }
    std::fs::write(folder.join("consumers.yaml"), aliases)?;
    for file in 0..size.files {
        let team = folder.join(format!("teams/team{}", file % 20));
        std::fs::create_dir_all(&team)?;
        std::fs::write(
            team.join(format!("scopes{file}.yaml")),
            declarations(file, size, &numbers),
        )?;
    }
    Ok(())
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

/// What would be live after an apply.
pub(crate) fn live(desired: &Desired) -> Live {
    let scopes = desired.scopes.iter().map(|(name, scope)| {
        let fields = scope.attributes.fields().into_iter().filter(|(_, value)| !value.is_null());
        let representation: Representation =
            fields.map(|(key, value)| (key.to_owned(), value)).collect();
        let access = LiveAccess { state: AccessState::Approved, name: None };
        let accesses = scope.consumers.keys().map(|orgno| (*orgno, access.clone())).collect();
        let accesses = Some(accesses);
        (name.clone(), LiveScope { active: true, representation, accesses, unclear: false })
    });
    Live { scopes: scopes.collect(), prefixes: ["etat".to_owned()].into(), ..Live::default() }
}

/// The same as a sandbox's state.
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

//! Examples of the commands, for their help.

pub(super) const INIT: &str = "\
Examples:
  portvakt init tilgang --orgno 889640782 --prefix etat --ci github
  portvakt init --ci gitlab";
pub(super) const VALIDATE: &str = "\
Examples:
  portvakt validate
  portvakt validate --fix
  portvakt validate --format sarif";
pub(super) const PLAN: &str = "\
Examples:
  portvakt -e test plan
  portvakt -e prod plan --out plan.json --format markdown
  portvakt -e test plan --snapshot snapshot.json --detailed-exitcode";
pub(super) const APPLY: &str = "\
Examples:
  portvakt -e test apply
  portvakt -e prod apply plan.json --auto-approve
  portvakt -e prod apply --override-guards 'the team is closed'";
pub(super) const ROLLBACK: &str = "\
Examples:
  portvakt -e prod rollback HEAD~1
  portvakt -e prod rollback v1.2 --out plan.json";
pub(super) const HISTORY: &str = "\
Examples:
  portvakt -e prod history --scope 'etat:arbeid:*'
  portvakt -e prod history --consumer 974761076 --format json";
pub(super) const BASELINE: &str = "\
Examples:
  portvakt -e test baseline
  portvakt -e test baseline set HEAD
  portvakt -e test baseline set HEAD~1 --from-project helse";
pub(super) const IMPORT: &str = "\
Examples:
  portvakt -e prod import
  portvakt -e prod import --scope 'etat:arbeid:*' --into arbeid
  portvakt import --environment-overlay";
pub(super) const KEYS: &str = "\
Examples:
  portvakt -e test keys generate skatt-henter --out key.jwk
  portvakt -e prod keys list --expiring 30d";
pub(super) const TOKEN: &str = "\
Examples:
  portvakt -e test token --client skatt-henter --key key.jwk
  portvakt -e test token --client skatt-henter --key key.jwk --scope skat:inntekt.read --print";

/// All of them.
#[cfg(test)]
const ALL: [&str; 10] =
    [INIT, VALIDATE, PLAN, APPLY, ROLLBACK, HISTORY, BASELINE, IMPORT, KEYS, TOKEN];

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_example_can_be_run() {
        let commands = ALL.iter().flat_map(|text| text.lines().skip(1));
        for command in commands {
            let words = command.split_whitespace().map(|word| word.trim_matches('\''));
            // For a shell, a reason of several words is one argument.
            let words = words.filter(|word| !["team", "is", "closed"].contains(word));
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{command}: {error}");
            }
        }
    }
}

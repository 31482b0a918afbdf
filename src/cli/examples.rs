//! Examples of the commands, for their help.

pub(super) const INIT: &str = "\
Examples:
  portvakt init tilgang --orgno 889640782 --prefix etat --ci github
  portvakt init --nais --orgno 889640782 --prefix etat
  portvakt init --ci gitlab";
pub(super) const DOCTOR: &str = "\
Examples:
  portvakt doctor
  portvakt -e prod doctor";
pub(super) const VALIDATE: &str = "\
Examples:
  portvakt validate
  portvakt validate --fix
  portvakt validate --fix-unused --diff
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
  portvakt -e prod apply --override-guards 'the team is closed'
  portvakt -e prod apply --due --auto-approve";
pub(super) const DRIFT: &str = "\
Examples:
  portvakt -e prod drift
  portvakt -e prod drift --format json --out drift.json";
pub(super) const ROLLBACK: &str = "\
Examples:
  portvakt -e prod rollback HEAD~1
  portvakt -e prod rollback v1.2 --out plan.json";
pub(super) const COMMENT: &str = "\
Examples:
  portvakt -e test comment --github
  portvakt -e test comment --gitlab --plan plan.json
  portvakt -e test comment --github --report report.json";
pub(super) const REVIEWED: &str = "\
Examples:
  portvakt -e prod reviewed --github --plan plan.json";
pub(super) const SHOW: &str = "\
Examples:
  portvakt show plan.json
  portvakt show report.json --format markdown";
pub(super) const HISTORY: &str = "\
Examples:
  portvakt -e prod history --scope 'etat:arbeid:*'
  portvakt history --consumer skatteetaten
  portvakt -e prod history --consumer 974761076 --format json";
pub(super) const UNMANAGED: &str = "\
Examples:
  portvakt -e prod unmanaged
  portvakt -e prod unmanaged --format json";
pub(super) const REQUESTS: &str = "\
Examples:
  portvakt -e prod requests
  portvakt requests --all-environments --format json
  portvakt -e prod requests deny kartverket --scope etat:arbeid:aareg.read";
pub(super) const REQUESTS_DENY: &str = "\
Examples:
  portvakt -e prod requests deny kartverket --scope etat:arbeid:aareg.read
  portvakt -e prod requests deny 971040238 --scope etat:arbeid:aareg.read --yes";
pub(super) const COVERAGE: &str = "\
Examples:
  portvakt -e prod coverage";
pub(super) const BASELINE: &str = "\
Examples:
  portvakt -e test baseline
  portvakt -e test baseline set HEAD
  portvakt -e test baseline set HEAD~1 --from-project helse";
pub(super) const BASELINE_SET: &str = "\
Examples:
  portvakt -e test baseline set HEAD
  portvakt -e prod baseline set v1.2 --from-environment produksjon --yes";
pub(super) const UNLOCK: &str = "\
Examples:
  portvakt -e prod unlock
  portvakt -e prod unlock --yes";
pub(super) const SNAPSHOT: &str = "\
Examples:
  portvakt -e test snapshot --out snapshot.json";
pub(super) const IMPORT: &str = "\
Examples:
  portvakt -e prod import
  portvakt -e prod import --scope 'etat:arbeid:*' --into arbeid
  portvakt import --environment-overlay";
pub(super) const KEYS: &str = "\
Examples:
  portvakt -e test keys generate skatt-henter --out key.jwk
  portvakt -e prod keys list --expiring 30d";
pub(super) const KEYS_GENERATE: &str = "\
Examples:
  portvakt -e test keys generate skatt-henter --out key.jwk
  portvakt -e test keys generate skatt-henter --stdout";
pub(super) const KEYS_ROTATE: &str = "\
Examples:
  portvakt -e prod keys rotate skatt-henter --out new.jwk
  portvakt -e prod keys rotate skatt-henter --retire";
pub(super) const KEYS_RENEW: &str = "\
Examples:
  portvakt -e prod keys renew skatt-henter
  portvakt -e prod keys renew skatt-henter --within 60d";
pub(super) const KEYS_LIST: &str = "\
Examples:
  portvakt -e prod keys list
  portvakt -e prod keys list skatt-henter --format json
  portvakt -e prod keys list --expiring 30d --detailed-exitcode";
pub(super) const RENAME: &str = "\
Examples:
  portvakt rename etat:arbeid:aareg.read etat:arbeid:aareg.les";
pub(super) const MIGRATE: &str = "\
Examples:
  portvakt -e prod migrate to-nais --check
  portvakt -e prod migrate from-nais ../app/nais.yaml";
pub(super) const TO_NAIS: &str = "\
Examples:
  portvakt -e prod migrate to-nais --scope etat:arbeid:aareg.read --client skatt-henter \
--cluster prod-gcp --namespace arbeid --app aareg-api
  portvakt -e prod migrate to-nais --scope etat:arbeid:aareg.read --app aareg-api --release
  portvakt -e prod migrate to-nais --check --format json";
pub(super) const FROM_NAIS: &str = "\
Examples:
  portvakt -e prod migrate from-nais ../app/nais.yaml
  portvakt -e prod migrate from-nais ../app/nais.yaml --into arbeid";
pub(super) const RENDER: &str = "\
Examples:
  portvakt -e prod render nais
  portvakt -e prod render yaml nais/prod.yaml
  portvakt -e prod render istio --scope 'etat:arbeid:*'";
pub(super) const RENDER_NAIS: &str = "\
Examples:
  portvakt -e prod render nais
  portvakt -e prod render nais --scope etat:arbeid:aareg.read \
--cluster prod-gcp --namespace arbeid --app aareg-api";
pub(super) const RENDER_YAML: &str = "\
Examples:
  portvakt -e prod render yaml
  portvakt -e prod render yaml nais/prod.yaml";
pub(super) const RENDER_ISTIO: &str = "\
Examples:
  portvakt -e prod render istio --scope 'etat:arbeid:*' --name aareg
  portvakt -e prod render istio --team arbeid --check istio.yaml";
pub(super) const RENDER_ENVOY: &str = "\
Examples:
  portvakt -e prod render envoy --scope etat:arbeid:aareg.read --path '/aareg/*'
  portvakt -e prod render envoy --scope etat:arbeid:aareg.read --consumers --out envoy.yaml";
pub(super) const RENDER_APIM: &str = "\
Examples:
  portvakt -e prod render apim --scope etat:arbeid:aareg.read --out policy.xml
  portvakt -e prod render apim --scope etat:arbeid:aareg.read --check policy.xml";
pub(super) const RENDER_KRAKEND: &str = "\
Examples:
  portvakt -e prod render krakend --scope etat:arbeid:aareg.read
  portvakt -e prod render krakend --team arbeid --consumers --check auth.json";
pub(super) const RENDER_SPRING: &str = "\
Examples:
  portvakt -e prod render spring --scope etat:arbeid:aareg.read
  portvakt -e prod render spring --scope 'etat:arbeid:*' --audience https://api.etat.example";
pub(super) const RENDER_SKYPORTEN: &str = "\
Examples:
  portvakt -e prod render skyporten --out clouds/prod
  portvakt -e prod render skyporten --check clouds/prod
  portvakt -e prod render skyporten --cloud azure --name lager-les --format cli";
pub(super) const CREDENTIALS: &str = "\
Examples:
  portvakt -e prod credentials skatt-henter --key key.jwk --out skatt-henter.env
  portvakt -e prod credentials skatt-henter --key key.jwk --format k8s-secret --out secret.yaml
  portvakt credentials --cloud aws --token-file /run/sky/token --aws-role arn:aws:iam::123456789012:role/lager-les";
pub(super) const TOKEN: &str = "\
Examples:
  portvakt -e test token --client skatt-henter --key key.jwk
  portvakt -e test token --client skatt-henter --key key.jwk --scope skat:inntekt.read --print
  portvakt -e test token --client skatt-henter --key key.jwk --skyporten --scope skat:lager.read --resource https://lager.skat.example --out token.jwt";
pub(super) const EXPLAIN: &str = "\
Examples:
  portvakt explain
  portvakt explain PV104";
pub(super) const SCHEMA: &str = "\
Examples:
  portvakt schema
  portvakt schema settings";
pub(super) const ACCESS: &str = "\
Examples:
  portvakt access --scope 'etat:arbeid*'
  portvakt access --consumer skatteetaten --all-environments
  portvakt access --declared --all-environments --format html --out access.html
  portvakt access --unused";
pub(super) const BLOCK: &str = "\
Examples:
  portvakt block skatteetaten --reason SAK-99
  portvakt -e prod block 974761076 --scope 'etat:helse*' --reason SAK-99";
pub(super) const UNBLOCK: &str = "\
Examples:
  portvakt unblock skatteetaten";
pub(super) const PROBE: &str = "\
Examples:
  portvakt -e test probe
  portvakt -e test probe --prefix etat --out digdir-test.json";

pub(super) const SANDBOX: &str = "\
Examples:
  portvakt sandbox
  portvakt sandbox --listen 127.0.0.1:0 --prefix etat --prefix helse --latency 200
  portvakt sandbox --fault 'PUT /scopes/access 0 1 cut-after'";
pub(super) const COMPLETIONS: &str = "\
Examples:
  portvakt completions bash";
pub(super) const MAN: &str = "\
Examples:
  portvakt man
  portvakt man --out man1";

#[cfg(test)]
pub(super) mod tests {
    use clap::{Command, CommandFactory as _, Parser as _};

    use crate::cli::Cli;

    /// The words of a command as a shell splits them: text in single quotes is one word.
    pub(in crate::cli) fn words(command: &str) -> Vec<&str> {
        let parts = command.split('\'').enumerate();
        let words = parts.map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().collect(),
            _ => vec![part],
        });
        words.collect::<Vec<_>>().concat()
    }

    /// Checks the examples of a command, which is called by these names, and of its subcommands.
    fn check(command: &Command, names: &[&str]) {
        for subcommand in command.get_subcommands() {
            let names = [names, &[subcommand.get_name()]].concat();
            let help = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.strip_prefix("Examples:\n  portvakt ");
            let examples = examples.unwrap_or_else(|| panic!("{names:?} has no examples"));
            for example in examples.split("\n  portvakt ") {
                let words = [vec!["portvakt"], words(example)].concat();
                let is_own = names.iter().all(|name| words.contains(name));
                assert!(is_own, "{names:?} has the example of another command: {example}");
                if let Err(error) = Cli::try_parse_from(words) {
                    panic!("{example}: {error}");
                }
            }
            check(subcommand, &names);
        }
    }

    #[test]
    fn every_command_has_examples_that_can_be_run() {
        check(&Cli::command(), &[]);
    }
}

//! The table of rules.

use super::Example::{self, Both, Declarations, Settings, Shell};
use super::Severity;

/// A row of the table.
pub(super) struct RuleRow {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) severity: Severity,
    /// Whether it hides no declaration, although it is an error.
    pub(super) is_harmless: bool,
    pub(super) title: &'static str,
    pub(super) meaning: &'static str,
    pub(super) wrong: Example,
    pub(super) right: Example,
}

macro_rules! rules {
    (@is_harmless) => { false };
    (@is_harmless harmless) => { true };
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $severity:ident $($harmless:ident)? {
        $meaning:literal
        wrong: $wrong:expr,
        right: $right:expr,
    })+) => {
        /// The kind of a finding. Its code never changes meaning: `PV0xx` concerns reading the files, `PV1xx`
        /// their declarations.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Rule {
            /// Every rule, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub(super) fn row(self) -> RuleRow {
                match self {
                    $(Self::$name => RuleRow {
                        code: $code,
                        name: stringify!($name),
                        severity: Severity::$severity,
                        is_harmless: rules!(@is_harmless $($harmless)?),
                        title: concat!($($doc),+).trim_ascii(),
                        meaning: $meaning,
                        wrong: $wrong,
                        right: $right,
                    },)+
                }
            }
        }
    };
}

rules! {
    /// There is no portvakt.yaml.
    NoSettings = "PV001", Error {
        "A repository is a folder with a portvakt.yaml, which says whose scopes these are \
         and where they are applied. A command that finds none at all says so and ends with 64."
        wrong: Shell("rm portvakt.yaml"),
        right: Settings(""),
    }
    /// A file cannot be read.
    Unreadable = "PV002", Error {
        "A file or folder could not be read, or is no regular file. See to its permissions, \
         or leave it out with exclude in portvakt.yaml. A submodule that is not checked out, and \
         a file that neither a sparse checkout nor its partial clone has, cannot be read either: \
         check it out."
        wrong: Shell("mkfifo scopes.yaml"),
        right: Shell("echo 'scopes: []' > scopes.yaml"),
    }
    /// There is more YAML than is ever read.
    TooMuch = "PV003", Error {
        "A file may have 1 MiB, and a repository 10,000 files and 64 MiB in all: a pull \
         request must not be able to keep the job busy. Spread the declarations over more \
         files, or leave out what holds none with exclude. Of more than 1,000 findings in a \
         file, or 10,000 in all, the rest is not told either."
        wrong: Shell("yes '# filler' | head -n 200000 > scopes.yaml"),
        right: Shell("yes '# filler' | head -n 2000 > scopes.yaml"),
    }
    /// A symbolic link leaves the repository.
    Symlink = "PV004", Error {
        "What is declared is in the repository itself, where a review sees it. Put the \
         file in the place of the link, or leave the link out with exclude."
        wrong: Shell("ln -s /etc/hosts scopes.yaml"),
        right: Shell("echo 'scopes: []' > real.yaml && ln -s real.yaml scopes.yaml"),
    }
    /// A file is not UTF-8.
    NotUtf8 = "PV005", Error {
        "YAML is read as UTF-8. Older Windows programs save as Latin-1 or UTF-16; save the \
         file as UTF-8."
        wrong: Shell(r"printf 'groups: {}  # bl\345' > groups.yaml"),
        right: Shell(r"printf 'groups: {}  # bl\303\245' > groups.yaml"),
    }
    /// A file is not YAML.
    Syntax = "PV006", Error {
        "The file cannot be parsed. Mostly the indentation, a quote or a bracket is wrong \
         here or just above; YAML is indented with spaces, never with tabs."
        wrong: Declarations("scopes: [\n"),
        right: Declarations("scopes: []\n"),
    }
    /// A key stands twice in one mapping.
    DuplicateKey = "PV007", Error {
        "Readers of YAML do not agree on which of two equal keys counts. Keep one; what \
         differs between environments goes into per_environment."
        wrong: Declarations("scopes:
  - name: etat:les
    description: Les
    description: Les alt
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les }
"),
    }
    /// YAML is nested too deeply, or its aliases make too much of it.
    Nesting = "PV008", Error {
        "Nesting deeper than 64 levels, aliases that stand for more than 10,000 values and \
         aliases inside what they stand for are not read. Write out what is meant; for many \
         consumers use a group."
        wrong: Declarations("groups: &all { everybody: *all }\n"),
        right: Declarations(r#"groups: { everybody: ["991825827"] }
scopes:
  - { name: etat:les, description: Les, consumers: [{ group: everybody }] }
"#),
    }
    /// A YAML tag has no meaning here.
    Tag = "PV009", Error {
        "Tags such as !secret belong to other tools. Write the value itself; put a text that \
         begins with ! in quotes."
        wrong: Declarations("scopes:
  - { name: etat:les, description: !text Les }
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les }
"),
    }
    /// A key is not known here.
    UnknownKey = "PV010", Error {
        "Attributes carry the names of DigDir, and nothing is guessed: a misspelt key would \
         otherwise silently be a default. Write the key that was meant."
        wrong: Declarations("scopes:
  - { name: etat:les, description: Les, at_max_aeg: 120 }
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les, at_max_age: 120 }
"),
    }
    /// A key is missing.
    MissingKey = "PV011", Error {
        "Something that must be said is not. Add the key."
        wrong: Declarations("scopes:
  - name: etat:les
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les }
"),
    }
    /// A value is of the wrong kind.
    WrongValue = "PV012", Error {
        "A number stands where a text is wanted, a text where a list is, a word that is none \
         of those possible, or nothing at all. Organisation numbers are texts: put them in \
         quotes."
        wrong: Declarations("scopes:
  - { name: etat:les, description: Les, visibility: public }
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les, visibility: PUBLIC }
"),
    }
    /// A document declares nothing that is known here.
    ForeignDocument = "PV013", Error {
        "Every YAML file in the repository is read, so that a misspelt key at the top is \
         not passed over. Resources of Kubernetes (`apiVersion` and `kind`) of other kinds are skipped; leave \
         files of other tools out with exclude in portvakt.yaml."
        wrong: Declarations("kind: Deployment\n"),
        right: Declarations("scopes: []\n"),
    }
    /// A NAIS manifest does not say what it takes to read it.
    NaisManifest = "PV014", Error {
        "Manifests (Application, Naisjob, MaskinportenClient, IDPortenClient, AnsattportenClient, and \
         Skiperator's Application) are read as they are once their cluster, their namespace and the prefix \
         of what they expose are known: from the manifest, or else from `nais` in portvakt.yaml. Names are \
         as in Kubernetes. A template is rendered for each environment, with the values in the files that \
         `nais.vars` names for it: a value that none of them has is an error where it decides what is \
         declared."
        wrong: Declarations("apiVersion: nais.io/v1
kind: MaskinportenClient
metadata: { name: aareg, namespace: arbeid }
spec: { secretName: aareg, scopes: { consumes: [{ name: skatteetaten:skattekort.read }] } }
"),
        right: Both("nais: { cluster: prod-gcp }\n", "apiVersion: nais.io/v1
kind: MaskinportenClient
metadata: { name: aareg, namespace: arbeid }
spec: { secretName: aareg, scopes: { consumes: [{ name: skatteetaten:skattekort.read }] } }
"),
    }
    /// A glob is not well-formed.
    Glob = "PV015", Error {
        "In a glob * stands for anything, ? for one character, […] for one of some and {a,b} \
         for either."
        wrong: Settings(r#"guards: { protect: ["etat:[folkereg"] }
"#),
        right: Settings(r#"guards: { protect: ["etat:folkereg*"] }
"#),
    }
    /// A secret is in the YAML.
    Secret = "PV016", Error harmless {
        "Whoever reads the repository, now or from its history, would have it: consider it as \
         known to others. Put it into an environment variable or a file outside of the \
         repository, and name that."
        wrong: Settings("environments: { test: { target: test, credentials: { client_id: my-client, key: c2VjcmV0 } } }
"),
        right: Settings("environments: { test: { target: test, credentials: { client_id: my-client, key: { env: KEY } } } }
"),
    }
    /// An address is none that a token may be sent to.
    Address = "PV017", Error harmless {
        "Addresses are https, or http to loopback, with nothing but a host and a path."
        wrong: Settings(r#"environments: { own: { target: { api: "http://api.example/", maskinporten: "https://m.example/" }, credentials: { client_id: my-client, key: { env: KEY } } } }
"#),
        right: Settings(r#"environments: { own: { target: { api: "https://api.example/", maskinporten: "https://m.example/" }, credentials: { client_id: my-client, key: { env: KEY } } } }
"#),
    }
    /// A key of a NAIS manifest is not known.
    UnknownManifestKey = "PV018", Warning {
        "NAIS has no such key at that place, so Kubernetes drops it and nothing comes of it here \
         either; it may be misspelt. What else is in a manifest and has nothing to do with \
         Maskinporten or ID-porten is not looked at."
        wrong: Both("nais: { cluster: prod-gcp }\n", "apiVersion: nais.io/v1
kind: MaskinportenClient
metadata: { name: aareg, namespace: arbeid }
spec: { secretName: aareg, scopes: { consumes: [{ name: skatteetaten:skattekort.read, scope: x }] } }
"),
        right: Both("nais: { cluster: prod-gcp }\n", "apiVersion: nais.io/v1
kind: MaskinportenClient
metadata: { name: aareg, namespace: arbeid }
spec: { secretName: aareg, scopes: { consumes: [{ name: skatteetaten:skattekort.read }] } }
"),
    }
    /// A file is encrypted by git-crypt, or is a pointer of Git LFS.
    Filtered = "PV019", Error {
        "What git holds of the file is not what it says: it is filtered by .gitattributes. Run \
         git-crypt unlock or git lfs pull to have it here. What was declared at an older commit is read \
         from git itself, so declarations are better kept out of both: whoever may read the repository \
         may know who has access."
        wrong: Shell(r"printf '\0GITCRYPT\0abc' > scopes.yaml"),
        right: Shell("echo 'scopes: []' > scopes.yaml"),
    }
    /// An organisation number is not valid.
    Orgno = "PV101", Error {
        "An organisation number has nine digits, the last of which is computed from the \
         others (MOD 11), so a wrong digit shows. Look the number up at https://www.brreg.no."
        wrong: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761077" }
"#),
        right: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761076" }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten] }
"#),
    }
    /// A scope's name is not valid.
    ScopeName = "PV102", Error {
        "A scope is named prefix:subscope, without white space, quotes or characters that \
         cannot be seen."
        wrong: Declarations("scopes:
  - { name: etat, description: Les }
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les }
"),
    }
    /// A scope lies outside the organisation's prefixes.
    Prefix = "PV103", Error {
        "DigDir hands out prefixes, and an organisation can only have scopes that begin with \
         one of its own. They are listed under prefixes in portvakt.yaml."
        wrong: Declarations("scopes:
  - { name: nav:les, description: Les }
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les }
"),
    }
    /// An alias is declared nowhere.
    UnknownAlias = "PV104", Error {
        "A consumer is named by an alias that no file declares under consumers. Declare it, \
         correct it, or write the organisation number in quotes."
        wrong: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761076" }
scopes:
  - { name: etat:les, description: Les, consumers: [skattetaten] }
"#),
        right: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761076" }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten] }
"#),
    }
    /// A group is declared nowhere.
    UnknownGroup = "PV105", Error {
        "A group is named that no file declares under groups. Declare or correct it."
        wrong: Declarations(r#"groups: { statistikk: ["971526920"] }
scopes:
  - { name: etat:les, description: Les, consumers: [{ group: statstikk }] }
"#),
        right: Declarations(r#"groups: { statistikk: ["971526920"] }
scopes:
  - { name: etat:les, description: Les, consumers: [{ group: statistikk }] }
"#),
    }
    /// An environment is not among those of portvakt.yaml.
    UnknownEnvironment = "PV106", Error {
        "Something is restricted to an environment that does not exist. Correct the name, or \
         add the environment to portvakt.yaml."
        wrong: Declarations("scopes:
  - { name: etat:les, description: Les, environments: [sandboks] }
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les, environments: [sandbox] }
"),
    }
    /// A date is not valid.
    Date = "PV107", Error harmless {
        "The last day with access is written as YYYY-MM-DD."
        wrong: Declarations(r#"scopes:
  - name: etat:les
    description: Les
    consumers: [{ consumer: "974761076", until: 30.06.2027 }]
"#),
        right: Declarations(r#"scopes:
  - name: etat:les
    description: Les
    consumers: [{ consumer: "974761076", until: 2027-06-30 }]
"#),
    }
    /// A scope is declared twice in one environment.
    DuplicateScope = "PV108", Error {
        "One of two declarations would win without a word. Keep one, or give the two \
         environments that do not overlap."
        wrong: Declarations("scopes:
  - { name: etat:les, description: Les }
  - { name: etat:les, description: Les alt }
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les, environments: [sandbox] }
  - { name: etat:les, description: Les alt, environments: [demo] }
"),
    }
    /// An alias is declared twice in one environment.
    DuplicateAlias = "PV109", Error {
        "An alias stands for one organisation in each environment. Keep one, rename one, or \
         give the two environments that do not overlap."
        wrong: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761076" }
---
consumers:
  skatteetaten: { orgno: "313367002" }
"#),
        right: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761076", environments: [demo] }
---
consumers:
  skatteetaten: { orgno: "313367002", environments: [sandbox] }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten] }
"#),
    }
    /// A group is declared twice.
    DuplicateGroup = "PV110", Error {
        "Who is in a group is said in one place. Put all members into one of them, or rename \
         one."
        wrong: Declarations(r#"groups: { statistikk: ["971526920"] }
---
groups: { statistikk: ["974760673"] }
"#),
        right: Declarations(r#"groups: { statistikk: ["971526920", "974760673"] }
scopes:
  - { name: etat:les, description: Les, consumers: [{ group: statistikk }] }
"#),
    }
    /// A scope or a client is both declared and removed.
    DeclaredAndRemoved = "PV111", Error {
        "`removed` lists what is no longer declared. Remove one of the two."
        wrong: Declarations("scopes:
  - { name: etat:les, description: Les }
removed:
  - { scope: etat:les, action: deactivate }
"),
        right: Declarations("removed:
  - { scope: etat:les, action: deactivate }
"),
    }
    /// A scope or a client is removed twice.
    RemovedTwice = "PV112", Error {
        "What becomes of it is said in one place. Keep one of the entries."
        wrong: Declarations("removed:
  - { scope: etat:les, action: deactivate }
  - { scope: etat:les, action: release }
"),
        right: Declarations("removed:
  - { scope: etat:les, action: deactivate }
"),
    }
    /// A text is empty or holds a character that DigDir refuses.
    Text = "PV113", Error harmless {
        "A description says something, a prefix has no colon, and a long description holds \
         letters, digits, white space and .,-_:;!?'\"()/*[]# only."
        wrong: Declarations(r#"scopes:
  - { name: etat:les, description: Les, long_description: "Navn & adresse" }
"#),
        right: Declarations("scopes:
  - { name: etat:les, description: Les, long_description: Navn og adresse }
"),
    }
    /// An alias, a group, a team, a rule or an environment has a name that cannot be used.
    Name = "PV114", Error harmless {
        "A name is one word with at least one letter; names of environments and rules are \
         plain letters, digits and single dashes."
        wrong: Declarations(r#"consumers:
  "974761076": { orgno: "974761076" }
"#),
        right: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761076" }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten] }
"#),
    }
    /// The credentials of an environment do not fit together.
    Credentials = "PV115", Error harmless {
        "All targets but the sandbox need a client_id, and either a key (with its kid, unless \
         it is a JWK that has one) or a certificate: a PKCS#12 archive (file or base64, and its \
         password) or PEM (chain and key), with a kid only if it is registered on the client."
        wrong: Settings("environments: { test: { target: test } }\n"),
        right: Settings("environments: { test: { target: test, credentials: { client_id: my-client, key: { env: KEY } } } }
"),
    }
    /// The declarations give more access than is ever resolved.
    TooManyAccesses = "PV116", Error {
        "Large groups on many scopes multiply. More than a million accesses are not resolved: \
         make the groups smaller, or open the scopes with accessible_for_all."
        wrong: Shell(r#"{ echo 'groups:'; echo '  all:'; yes '    - "974761076"' | head -n 1001
  echo 'scopes:'; echo '  - name: etat:les'; echo '    description: Les'; echo '    consumers:'
  yes '      - group: all' | head -n 1000; } > scopes.yaml"#),
        right: Declarations("scopes:
  - { name: etat:les, description: Les }
"),
    }
    /// A pattern is not well-formed.
    Pattern = "PV117", Error harmless {
        "Patterns of naming rules are regular expressions as the Rust crate regex reads them: \
         without look-around and back-references, so that they take linear time."
        wrong: Settings("naming:
  - { rule: product, applies_to: scope, pattern: '^etat:(?<product>[a-z]+', message: name the product }
"),
        right: Settings("naming:
  - { rule: product, applies_to: scope, pattern: '^etat:(?<product>[a-z]+)', message: name the product }
"),
    }
    /// An expression cannot be evaluated.
    Expression = "PV118", Error harmless {
        "A policy is an expression in CEL that is true where the policy is kept. It cannot be \
         parsed, names something that is not there, gives something that is neither true nor \
         false, or would take too long."
        wrong: Both(
            "policies:
  - rule: short-tokens
    applies_to: scope
    expression: scope.at_max_agee <= 600
    message: a token lives ten minutes at most
",
            "scopes:
  - { name: etat:les, description: Les }
",
        ),
        right: Both(
            "policies:
  - rule: short-tokens
    applies_to: scope
    expression: scope.at_max_age <= 600
    message: a token lives ten minutes at most
",
            "scopes:
  - { name: etat:les, description: Les }
",
        ),
    }
    /// A team is not among those of portvakt.yaml.
    UnknownTeam = "PV119", Error harmless {
        "A rule is restricted to a team that does not exist. Correct the name, or add the \
         team."
        wrong: Settings("teams:
  arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*'] }
naming:
  - { preset: nais, teams: [arbied] }
"),
        right: Shell(r#"cat >> portvakt.yaml <<'END'
teams:
  arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*'] }
naming:
  - { preset: nais, teams: [arbeid] }
END
mkdir -p teams/arbeid
echo 'scopes: [{ name: etat:arbeid:les, description: Les }]' > teams/arbeid/scopes.yaml"#),
    }
    /// An entry or an override counts in no environment.
    NeverCounts = "PV120", Warning {
        "It is for environments in which its scope is not declared. Add the environment to \
         the scope, or remove the entry. A NAIS manifest counts in the environments of its \
         cluster, if `nais.cluster` in portvakt.yaml gives each its own."
        wrong: Declarations("scopes:
  - name: etat:les
    description: Les
    environments: [sandbox]
    per_environment: { demo: { at_max_age: 600 } }
"),
        right: Declarations("scopes:
  - name: etat:les
    description: Les
    environments: [sandbox, demo]
    per_environment: { demo: { at_max_age: 600 } }
"),
    }
    /// Consumers are listed on a scope that is open to all.
    OpenToAll = "PV121", Warning {
        "With accessible_for_all DigDir does not control access. The list of consumers then decides only at \
         gateways (`render`), and in clouds (`skyporten`): without it a gateway lets every organisation through. \
         Keep both with a silence that says why if that is meant. Otherwise remove accessible_for_all, which \
         closes the scope to all others, or the list, which revokes the access of its consumers."
        wrong: Declarations(r#"scopes:
  - name: etat:les
    description: Les
    accessible_for_all: true
    consumers: ["974761076"]
"#),
        right: Declarations("scopes:
  - name: etat:les
    description: Les
    consumers: [\"974761076\"]
"),
    }
    /// The two lifetimes of a Maskinporten scope differ.
    Lifetimes = "PV122", Warning {
        "DigDir sets at_max_age and authorization_max_lifetime alike for Maskinporten scopes. \
         Leave the latter out: it follows the former."
        wrong: Declarations("scopes:
  - name: etat:les
    description: Les
    allowed_integration_types: [maskinporten]
    at_max_age: 120
    authorization_max_lifetime: 600
"),
        right: Declarations("scopes:
  - name: etat:les
    description: Les
    allowed_integration_types: [maskinporten]
    at_max_age: 120
"),
    }
    /// A synthetic organisation number is declared for production.
    SyntheticInProduction = "PV123", Warning {
        "Synthetic numbers (Tenor) begin with 2 or 3 and exist in the test environment only. \
         Restrict the alias or the entry with environments."
        wrong: Both(
            "environments: { prod: { target: prod, credentials: { client_id: my-client, key: { env: KEY } } } }
",
            r#"consumers:
  testetaten: { orgno: "313367002" }
scopes:
  - { name: etat:les, description: Les, consumers: [testetaten] }
"#,
        ),
        right: Both(
            "environments: { prod: { target: prod, credentials: { client_id: my-client, key: { env: KEY } } } }
",
            r#"consumers:
  skatteetaten: { orgno: "974761076" }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten] }
"#,
        ),
    }
    /// The sandbox is given credentials that it does not use.
    UnusedCredentials = "PV124", Warning {
        "The embedded sandbox starts with a key of its own. Leave the credentials out."
        wrong: Settings("environments: { sandbox: { target: sandbox, credentials: { client_id: my-client, key: { env: KEY } } } }
"),
        right: Settings("environments: { sandbox: { target: sandbox } }\n"),
    }
    /// A real organisation number is declared for DigDir's test environment.
    RealInTest = "PV125", Warning {
        "Real organisations are in production; the test environment has synthetic ones \
         (Tenor). Restrict the alias or the entry with environments; an alias of the same \
         name can stand for another number in the test environment."
        wrong: Both(
            "environments: { test: { target: test, credentials: { client_id: my-client, key: { env: KEY } } } }
",
            r#"consumers:
  skatteetaten: { orgno: "974761076" }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten] }
"#,
        ),
        right: Both(
            "environments: { test: { target: test, credentials: { client_id: my-client, key: { env: KEY } } } }
",
            r#"consumers:
  skatteetaten: { orgno: "313367002" }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten] }
"#,
        ),
    }
    /// The organisation is a consumer of its own scope.
    OwnOrganization = "PV126", Warning {
        "The owner of a scope needs no access to it. Take the entry out."
        wrong: Declarations(r#"scopes:
  - { name: etat:les, description: Les, consumers: ["889640782"] }
"#),
        right: Declarations(r#"scopes:
  - { name: etat:les, description: Les, consumers: ["974761076"] }
"#),
    }
    /// An organisation stands twice in one list.
    ConsumerTwice = "PV127", Error harmless {
        "Removing one of two entries would look as if it revoked the access, and would not. Keep the \
         one that counts in the environments and on the days of the other."
        wrong: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761076" }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten, "974761076"] }
"#),
        right: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761076" }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten] }
"#),
    }
    /// An entry changes nothing, as a group gives the same access.
    Redundant = "PV128", Warning {
        "A group on the same scope gives the organisation access on all days of this entry, so an end \
         of the entry ends nothing. Remove the entry, or restrict it to the `environments` in which no \
         group gives the access."
        wrong: Declarations(r#"groups: { all: ["974761076"] }
scopes:
  - name: etat:les
    description: Les
    consumers: [{ group: all }, { consumer: "974761076", until: 2027-06-30 }]
"#),
        right: Declarations(r#"scopes:
  - name: etat:les
    description: Les
    consumers: [{ consumer: "974761076", until: 2027-06-30 }]
"#),
    }
    /// An access has ended.
    UntilPast = "PV129", Warning {
        "The last day with access is past; the entry counts as absent. Take it out, or write \
         a later day."
        wrong: Declarations(r#"scopes:
  - name: etat:les
    description: Les
    consumers: [{ consumer: "974761076", until: 2020-06-30 }]
"#),
        right: Declarations(r#"scopes:
  - name: etat:les
    description: Les
    consumers: [{ consumer: "974761076", until: 2027-06-30 }]
"#),
    }
    /// An access ends in more than two years.
    UntilFar = "PV130", Note {
        "Nobody may remember then why it was given. Check the year, or have it renewed \
         sooner."
        wrong: Declarations(r#"scopes:
  - name: etat:les
    description: Les
    consumers: [{ consumer: "974761076", until: 2072-06-30 }]
"#),
        right: Declarations(r#"scopes:
  - name: etat:les
    description: Les
    consumers: [{ consumer: "974761076", until: 2027-06-30 }]
"#),
    }
    /// A delegation source is none that is known to exist.
    DelegationSource = "PV131", Warning {
        "DigDir has one delegation source, Altinn. Its name is right in every environment; \
         its issuer is another one in test than in production. A plan asks DigDir and blocks \
         what does not exist."
        wrong: Declarations("scopes:
  - { name: etat:les, description: Les, delegation_source: altin }
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les, delegation_source: altinn }
"),
    }
    /// A client's name or id cannot be used.
    ClientName = "PV132", Error {
        "A name is one line of at most 255 characters; a client id \
         is DigDir's, a UUID. Correct it, or leave client_id out: DigDir assigns it. The same holds \
         of the id of an entry of onbehalfof."
        wrong: Declarations("clients:
  - { name: aareg-sync, client_id: 'a/b' }
"),
        right: Declarations("clients:
  - { name: aareg-sync, client_id: 1f0a8f0e-5a34-4b4b-9c1e-0f6f0d1c2b3a }
"),
    }
    /// A client consumes something that is no scope.
    ConsumedScope = "PV133", Error harmless {
        "A scope has no white space in it, as the scopes of a token request are separated by it. The \
         scopes of a client may be anybody's; whether the organisation has access to them shows in a \
         plan."
        wrong: Declarations("clients:
  - { name: aareg-sync, scopes: ['skatt:a skatt:b'] }
"),
        right: Declarations("clients:
  - { name: aareg-sync, scopes: ['skatt:a', 'skatt:b'] }
"),
    }
    /// What a client declares does not go together.
    ClientCombination = "PV134", Error harmless {
        "DigDir has a table of what goes together. maskinporten and krr: application_type web, \
         private_key_jwt, the JWT grant; the scopes of krr are fixed. idporten, api_klient and \
         ansattporten: web with private_key_jwt or a secret, browser and native with none, grants \
         authorization_code and refresh_token; idporten has the scopes openid, profile, eidas and \
         no_pid, and alone acts on others' behalf. Left out, an attribute is legal."
        wrong: Declarations("clients:
  - { name: aareg-sync, token_endpoint_auth_method: client_secret_post }
"),
        right: Declarations("clients:
  - { name: aareg-sync, token_endpoint_auth_method: private_key_jwt }
"),
    }
    /// The lifetimes of a client are in the wrong order.
    ClientLifetimes = "PV135", Error harmless {
        "An access token ends before the refresh token that renews it, and that not after the login: \
         access_token_lifetime < refresh_token_lifetime <= authorization_lifetime. Left out they are \
         120, 600 and 7200 seconds."
        wrong: Declarations("clients:
  - { name: innlogging, integration_type: idporten, access_token_lifetime: 900 }
"),
        right: Declarations("clients:
  - name: innlogging
    integration_type: idporten
    access_token_lifetime: 900
    refresh_token_lifetime: 1800
"),
    }
    /// A key of a client cannot be used.
    Key = "PV136", Error harmless {
        "A client has one to five public RSA keys of 2048 bits or more, as JWK, JWKS, PEM or \
         certificate, each under a kid of its own of letters, digits and ._- (its thumbprint if it \
         has none). A certificate must not have expired. portvakt keys generate makes a key."
        wrong: Declarations("clients:
  - { name: aareg-sync, jwks: { kty: RSA, kid: a, n: AQAB, e: AQAB } }
"),
        right: Declarations("clients:
  - { name: aareg-sync, jwks: { kty: RSA, kid: a, n: sK2AT287h5qutiohoin0o5uBtSfsmW1S6B3o5dGLgr8BVWO77AivuKmdZi1ZPbqmI-vb4hx1BSFOQZntKODc_IXmm32SJQJENMclHYGbrUJYCcADy1EOfb3akXzYhJjNcWAmfK1rQA0QpIqRrBtdQ2dpJoESWTLCPo-ybEeeqd0--5b6O2MLlPdQweZbhGkPRzjD0cnTxguXI9uqsEtLsOcsXU7_aZ4JGu4Ul-Zuq1DvUo7XweP6T1-sD9ya_E_0PGBIUWSI1WKtvEPeNszJzUAdNhsSwIfiAZx6_L2YcKSsBXOZ1y-u3y45f-YSmGaX24otMIL6EOEue-5SBeRS-Q, e: AQAB } }
"),
    }
    /// A file with keys cannot be read.
    KeyFile = "PV137", Error harmless {
        "The path under jwks starts at the folder of the file that it is in, and stays in the \
         repository; the file has 64 KiB at most. portvakt keys generate makes a key and its file."
        wrong: Declarations("clients:
  - { name: aareg-sync, jwks: keys/aareg-sync.jwks.json }
"),
        right: Shell("mkdir keys && echo '{ \"kty\": \"RSA\", \"n\": \"sK2AT287h5qutiohoin0o5uBtSfsmW1S6B3o5dGLgr8BVWO77AivuKmdZi1ZPbqmI-vb4hx1BSFOQZntKODc_IXmm32SJQJENMclHYGbrUJYCcADy1EOfb3akXzYhJjNcWAmfK1rQA0QpIqRrBtdQ2dpJoESWTLCPo-ybEeeqd0--5b6O2MLlPdQweZbhGkPRzjD0cnTxguXI9uqsEtLsOcsXU7_aZ4JGu4Ul-Zuq1DvUo7XweP6T1-sD9ya_E_0PGBIUWSI1WKtvEPeNszJzUAdNhsSwIfiAZx6_L2YcKSsBXOZ1y-u3y45f-YSmGaX24otMIL6EOEue-5SBeRS-Q\", \"e\": \"AQAB\" }' > keys/aareg-sync.jwks.json && echo 'clients: [{ name: aareg-sync, jwks: keys/aareg-sync.jwks.json }]' > clients.yaml"),
    }
    /// A client is declared twice in an environment.
    DuplicateClient = "PV138", Error {
        "A client is one by its name, and by the id that its declaration pins. Keep one of the \
         declarations, or restrict them to different environments. A previous_name is nobody's any \
         more, and an entry of onbehalfof stands once."
        wrong: Declarations("clients:
  - { name: aareg-sync }
  - { name: aareg-sync, description: Henter arbeidsforhold }
"),
        right: Declarations("clients:
  - { name: aareg-sync, environments: [sandbox] }
  - { name: aareg-sync, environments: [demo], description: Henter arbeidsforhold }
"),
    }
    /// A client has keys and does not use them.
    UnusedKeys = "PV139", Warning {
        "Keys are for clients with private_key_jwt. Take jwks out, or change \
         token_endpoint_auth_method."
        wrong: Declarations("clients:
  - name: innlogging
    integration_type: idporten
    application_type: browser
    jwks: { kty: RSA, kid: a, n: sK2AT287h5qutiohoin0o5uBtSfsmW1S6B3o5dGLgr8BVWO77AivuKmdZi1ZPbqmI-vb4hx1BSFOQZntKODc_IXmm32SJQJENMclHYGbrUJYCcADy1EOfb3akXzYhJjNcWAmfK1rQA0QpIqRrBtdQ2dpJoESWTLCPo-ybEeeqd0--5b6O2MLlPdQweZbhGkPRzjD0cnTxguXI9uqsEtLsOcsXU7_aZ4JGu4Ul-Zuq1DvUo7XweP6T1-sD9ya_E_0PGBIUWSI1WKtvEPeNszJzUAdNhsSwIfiAZx6_L2YcKSsBXOZ1y-u3y45f-YSmGaX24otMIL6EOEue-5SBeRS-Q, e: AQAB }
"),
        right: Declarations("clients:
  - name: innlogging
    integration_type: idporten
    application_type: web
    jwks: { kty: RSA, kid: a, n: sK2AT287h5qutiohoin0o5uBtSfsmW1S6B3o5dGLgr8BVWO77AivuKmdZi1ZPbqmI-vb4hx1BSFOQZntKODc_IXmm32SJQJENMclHYGbrUJYCcADy1EOfb3akXzYhJjNcWAmfK1rQA0QpIqRrBtdQ2dpJoESWTLCPo-ybEeeqd0--5b6O2MLlPdQweZbhGkPRzjD0cnTxguXI9uqsEtLsOcsXU7_aZ4JGu4Ul-Zuq1DvUo7XweP6T1-sD9ya_E_0PGBIUWSI1WKtvEPeNszJzUAdNhsSwIfiAZx6_L2YcKSsBXOZ1y-u3y45f-YSmGaX24otMIL6EOEue-5SBeRS-Q, e: AQAB }
"),
    }
    /// A naming rule of the repository is broken.
    Naming = "PV140", Error harmless {
        "The rule stands under naming in portvakt.yaml, with its message and severity. Change \
         the text, or silence the rule for this one with a comment above it: `# portvakt: \
         allow <rule> -- why`."
        wrong: Both(
            "naming:
  - rule: product
    applies_to: scope
    pattern: '^etat:(?<product>[a-z]+):'
    values: { product: [arbeid, helse] }
    message: a scope is named etat:<product>:<name>
",
            "scopes:
  - { name: etat:skatt:les, description: Les }
",
        ),
        right: Both(
            "naming:
  - rule: product
    applies_to: scope
    pattern: '^etat:(?<product>[a-z]+):'
    values: { product: [arbeid, helse] }
    message: a scope is named etat:<product>:<name>
",
            "scopes:
  - { name: etat:arbeid:les, description: Les }
",
        ),
    }
    /// A policy of the repository is broken.
    Policy = "PV141", Error harmless {
        "The policy stands under policies in portvakt.yaml, with its message and severity. \
         Change the declaration, or silence the policy for this one with a comment above it: \
         `# portvakt: allow <rule> -- why`."
        wrong: Both(
            "policies:
  - rule: short-tokens
    applies_to: scope
    expression: scope.at_max_age <= 600
    message: a token lives ten minutes at most
",
            "scopes:
  - { name: etat:les, description: Les, at_max_age: 3600 }
",
        ),
        right: Both(
            "policies:
  - rule: short-tokens
    applies_to: scope
    expression: scope.at_max_age <= 600
    message: a token lives ten minutes at most
",
            "scopes:
  - { name: etat:les, description: Les, at_max_age: 600 }
",
        ),
    }
    /// A team's file declares what the team's globs do not allow.
    NotOfTheTeam = "PV142", Error harmless {
        "Below a team's path only scopes may be declared or removed that the team's globs \
         match. Move the declaration, or let the team have it in portvakt.yaml."
        wrong: Shell(r#"cat >> portvakt.yaml <<'END'
teams:
  arbeid: { path: teams/arbeid, scopes: ["etat:arbeid*"] }
END
mkdir -p teams/arbeid
echo 'scopes: [{ name: etat:helse:les, description: Les }]' > teams/arbeid/scopes.yaml"#),
        right: Shell(r#"cat >> portvakt.yaml <<'END'
teams:
  arbeid: { path: teams/arbeid, scopes: ["etat:arbeid*"] }
END
mkdir -p teams/arbeid
echo 'scopes: [{ name: etat:arbeid:les, description: Les }]' > teams/arbeid/scopes.yaml"#),
    }
    /// What belongs to a team is declared outside its path.
    OutsideTheTeam = "PV143", Error harmless {
        "A scope that a team's globs match may only be declared or removed below the team's \
         path, where the team reviews it."
        wrong: Both(
            "teams:
  arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*'] }
",
            "scopes:
  - { name: etat:arbeid:les, description: Les }
",
        ),
        right: Shell(r#"cat >> portvakt.yaml <<'END'
teams:
  arbeid: { path: teams/arbeid, scopes: ['etat:arbeid*'] }
END
mkdir -p teams/arbeid
echo 'scopes: [{ name: etat:arbeid:les, description: Les }]' > teams/arbeid/scopes.yaml
echo 'scopes: [{ name: etat:helse:les, description: Les }]' > scopes.yaml"#),
    }
    /// Two rules of the repository have the same name.
    DuplicateRule = "PV144", Error harmless {
        "Rules and policies are distinguished, and silenced, by their names. Rename one."
        wrong: Settings("naming:
  - { preset: nais }
  - { preset: nais }
"),
        right: Settings("naming:
  - { preset: nais }
"),
    }
    /// A subscope of a manifest is none that NAIS can expose.
    Exposed = "PV145", Error {
        "A product is of letters a to z and digits, the separator is / where there is a delegationSource, \
         and the name matches \
         ^([a-zæøå0-9]+\\/?)+(\\:[a-zæøå0-9]+)*[a-zæøå0-9]+(\\.[a-zæøå0-9]+)*$. Kubernetes would \
         refuse the manifest."
        wrong: Both("nais: { cluster: prod-gcp }\n", "apiVersion: nais.io/v1
kind: MaskinportenClient
metadata: { name: aareg, namespace: arbeid }
spec: { secretName: aareg, scopes: { exposes: [{ name: Aareg.read, product: arbeid, enabled: true }] } }
"),
        right: Both("nais: { cluster: prod-gcp }\n", "apiVersion: nais.io/v1
kind: MaskinportenClient
metadata: { name: aareg, namespace: arbeid }
spec: { secretName: aareg, scopes: { exposes: [{ name: aareg.read, product: arbeid, enabled: true }] } }
"),
    }
    /// Two environments have the same target.
    SameTarget = "PV146", Warning {
        "Both change the same scopes and clients of one organisation at one API. Each remembers only \
         what it applied itself, so what one declares is unmanaged to the other, and where the two \
         differ each apply undoes the other's. Keep one of them, or give one another target. The \
         embedded sandbox does not count."
        wrong: Settings("environments:
  test: { target: test, credentials: &job { client_id: a, key: { env: KEY }, kid: b } }
  stage: { target: test, credentials: *job }
"),
        right: Settings("environments:
  test: { target: test, credentials: &job { client_id: a, key: { env: KEY }, kid: b } }
  prod: { target: prod, credentials: *job }
"),
    }
    /// Several files have a manifest of the same resource, for the same environment.
    RepeatedManifest = "PV147", Error {
        "A manifest mostly serves one cluster, and a deployment chooses one of several files. Say in \
         portvakt.yaml which files count in which environment, by globs: `nais: { manifests: { test: \
         [\"**/dev.yaml\"], prod: [\"**/prod.yaml\"] } }`. A file that no glob names counts everywhere."
        wrong: Shell(r#"for at in sandbox demo; do printf 'apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: { name: aareg, namespace: arbeid, clusterName: dev-gcp }\nspec: { secretName: aareg, scopes: { consumes: [{ name: skatteetaten:skattekort.read }] } }\n' > $at.yaml; done"#),
        right: Shell(r#"echo 'nais: { manifests: { sandbox: [sandbox.yaml], demo: [demo.yaml] } }' >> portvakt.yaml
for at in sandbox demo; do printf 'apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: { name: aareg, namespace: arbeid, clusterName: dev-gcp }\nspec: { secretName: aareg, scopes: { consumes: [{ name: skatteetaten:skattekort.read }] } }\n' > $at.yaml; done"#),
    }
    /// A glob of portvakt.yaml matches nothing.
    UnmatchedPath = "PV148", Warning {
        "What a misspelt `include` was to name is not read, and what a misspelt `nais.manifests` was to \
         restrict counts everywhere. Paths start at the folder of portvakt.yaml. A dot-folder is read only if \
         `include` names it, or if it is .nais and there is a section `nais`."
        wrong: Settings("include: [scopes, 'nais/**']
"),
        right: Settings("exclude: []
"),
    }
    /// A client consumes a scope that is not declared, and a scope of nearly that name is.
    UndeclaredScope = "PV149", Error harmless {
        "The scope has the prefix of scopes that are declared here, and is declared nowhere itself. \
         Correct the name. If the scope is live all the same, or another repository declares it, write \
         `# portvakt: allow PV149 -- why` above the client: this is the one error that a comment silences, \
         as only a plan knows what is live, and blocks a scope that does not exist (PV319). Where no \
         declared name is near, the plan alone reports it."
        wrong: Declarations("scopes:
  - { name: 'etat:aareg.read', description: Les }
clients:
  - { name: aareg-sync, scopes: ['etat:aareg.raed'] }
"),
        right: Declarations("scopes:
  - { name: 'etat:aareg.read', description: Les }
clients:
  - { name: aareg-sync, scopes: ['etat:aareg.read'] }
"),
    }
    /// A comment that silences a rule is not understood, or gives no reason.
    Silence = "PV150", Error harmless {
        "A silence is written `# portvakt: allow <rule> -- why`, above a scope, a client, an alias, a \
         group or an entry, or behind it on its line. The reason is for the reviewer."
        wrong: Declarations("scopes:
  # portvakt: allow PV121
  - { name: etat:les, description: Les }
"),
        right: Declarations("scopes:
  - { name: etat:les, description: Les }
"),
    }
    /// A comment silences nothing.
    SilencesNothing = "PV151", Warning {
        "The rule that it names has nothing to say about what it stands at. Take the comment \
         out."
        wrong: Declarations("scopes:
  # portvakt: allow PV121 -- they are told why
  - { name: etat:les, description: Les }
"),
        right: Declarations(r#"scopes:
  # portvakt: allow PV121 -- they are told why
  - name: etat:les
    description: Les
    accessible_for_all: true
    consumers: ["974761076"]
"#),
    }
    /// Nothing uses an alias.
    UnusedAlias = "PV152", Warning {
        "No scope and no group names it or its number, in whatever environment. Remove it; \
         portvakt validate --fix-unused removes all of them."
        wrong: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761076" }
  kartverket: { orgno: "971040238" }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten] }
"#),
        right: Declarations(r#"consumers:
  skatteetaten: { orgno: "974761076" }
scopes:
  - { name: etat:les, description: Les, consumers: [skatteetaten] }
"#),
    }
    /// Nothing uses a group.
    UnusedGroup = "PV153", Warning {
        "No scope names it, so that who is added to it gets access to nothing. Remove it."
        wrong: Declarations(r#"groups:
  samarbeid: ["974761076"]
scopes:
  - { name: etat:les, description: Les }
"#),
        right: Declarations(r#"groups:
  samarbeid: ["974761076"]
scopes:
  - { name: etat:les, description: Les, consumers: [{ group: samarbeid }] }
"#),
    }
    /// No client uses a file with keys.
    UnusedKeyFile = "PV154", Warning {
        "Its name ends in .jwks.json, and no client has it under jwks. Remove it, or name it."
        wrong: Shell("mkdir keys && echo '{}' > keys/gammel.jwks.json"),
        right: Shell("mkdir keys"),
    }
    /// A team declares nothing.
    UnusedTeam = "PV155", Warning {
        "There is no scope and no client in the folder of the team: its path may be misspelt, and then \
         nobody of the team is asked for a review. Correct the path, or remove the team."
        wrong: Both(
            "teams:
  arbeid: { path: teams/arbied, scopes: ['etat:arbeid*'] }
",
            "scopes:
  - { name: etat:les, description: Les }
",
        ),
        right: Shell(r#"cat >> portvakt.yaml <<'END'
teams:
  arbeid: { path: teams/arbeid, scopes: ["etat:arbeid*"] }
END
mkdir -p teams/arbeid
echo 'scopes: [{ name: etat:arbeid:les, description: Les }]' > teams/arbeid/scopes.yaml"#),
    }
    /// A share in `skyporten` has a scope that is not declared.
    ShareScope = "PV156", Error harmless {
        "The consumers of a share are those that are declared on its scope. A scope of another organisation has \
         none here. An own scope that is declared in another repository is only a warning."
        wrong: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: skatteetaten:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
"#),
        right: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
"#),
    }
    /// Nobody reaches the cloud resources of a share.
    ShareForNobody = "PV157", Warning {
        "The scope has no consumers that count. If only some of the environments have none, it is a note."
        wrong: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
"#),
        right: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
"#),
    }
    /// The audience of a share is not an absolute URI.
    ShareAudience = "PV158", Error harmless {
        "Skyporten takes the audience from the `resource` of the consumer's grant, an absolute URI without a \
         fragment (RFC 8707), and clouds compare it as text."
        wrong: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: lager
    aws: { account: "123456789012", role: lager-les }
"#),
        right: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
"#),
    }
    /// Two shares have the same name, or the same thing at a cloud.
    DuplicateShare = "PV159", Error harmless {
        "Files, credentials and resources are named by the share. A role of AWS has one trust policy, and an \
         identity of Azure one credential for a subject, so two shares cannot both have it."
        wrong: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
  - name: lager-skriv
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
"#),
        right: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
  - name: lager-skriv
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-skriv }
"#),
    }
    /// An entry gives nobody access in any environment.
    GivesNobody = "PV160", Warning {
        "Its environments, those of its scope and those of the organisations that it names have none in \
         common. Declare the organisation for the environment, with the number that it has there, or take \
         the entry out."
        wrong: Declarations(r#"consumers:
  testetaten: { orgno: "313367002", environments: [demo] }
scopes:
  - name: etat:les
    description: Les
    consumers: [{ consumer: testetaten, environments: [sandbox] }]
"#),
        right: Declarations(r#"consumers:
  testetaten: { orgno: "313367002", environments: [demo] }
scopes:
  - name: etat:les
    description: Les
    consumers: [{ consumer: testetaten, environments: [demo] }]
"#),
    }
    /// An entry has no effect, as its organisation is blocked.
    BlockedEntry = "PV161", Note {
        "`blocked` names the organisation, so that it has no access whatever else is declared. With \
         `portvakt unblock` the entry counts again."
        wrong: Declarations(r#"blocked:
  - { consumer: "974761076", reason: SAK-99 }
scopes:
  - { name: etat:les, description: Les, consumers: ["974761076"] }
"#),
        right: Declarations(r#"scopes:
  - { name: etat:les, description: Les, consumers: ["974761076"] }
"#),
    }
    /// A part of a template is never rendered.
    UnrenderedElse = "PV162", Warning {
        "The block `equal` of nais/deploy has no `else`: if the values differ, nothing is rendered, and so \
         it is here. Write a block for each value."
        wrong: Shell(r#"echo 'nais: { cluster: prod-gcp, vars: { sandbox: [vars.yaml], demo: [vars.yaml] } }' >> portvakt.yaml
echo 'env: prod' > vars.yaml
printf 'apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: { name: aareg, namespace: arbeid }\nspec: { secretName: aareg, scopes: { consumes: [{ name: "{{#equal env "prod"}}skatteetaten:skattekort.read{{else}}skatteetaten:test.read{{/equal}}" }] } }\n' > aareg.yaml"#),
        right: Shell(r#"echo 'nais: { cluster: prod-gcp, vars: { sandbox: [vars.yaml], demo: [vars.yaml] } }' >> portvakt.yaml
echo 'env: prod' > vars.yaml
printf 'apiVersion: nais.io/v1\nkind: MaskinportenClient\nmetadata: { name: aareg, namespace: arbeid }\nspec: { secretName: aareg, scopes: { consumes: [{ name: "{{#equal env "prod"}}skatteetaten:skattekort.read{{/equal}}{{#equal env "dev"}}skatteetaten:test.read{{/equal}}" }] } }\n' > aareg.yaml"#),
    }
    /// A manifest names an organisation otherwise than the other declarations.
    ConsumerNames = "PV163", Note {
        "Reviewers read the names. A plan shows the name of an alias, or else the first that a manifest of the \
         environment has, and so another name in a manifest is not seen. A name that is the alias of another \
         organisation is a warning."
        wrong: Both("nais: { cluster: prod-gcp }\n", r#"consumers:
  skatteetaten: { orgno: "974761076" }
---
apiVersion: nais.io/v1
kind: MaskinportenClient
metadata: { name: aareg, namespace: arbeid }
spec:
  secretName: aareg
  scopes:
    exposes: [{ name: aareg.read, product: arbeid, enabled: true, consumers: [{ orgno: "974761076", name: Kartverket }] }]
"#),
        right: Both("nais: { cluster: prod-gcp }\n", r#"consumers:
  skatteetaten: { orgno: "974761076" }
---
apiVersion: nais.io/v1
kind: MaskinportenClient
metadata: { name: aareg, namespace: arbeid }
spec:
  secretName: aareg
  scopes:
    exposes: [{ name: aareg.read, product: arbeid, enabled: true, consumers: [{ orgno: "974761076", name: Skatteetaten }] }]
"#),
    }
    /// A glob in `blocked` matches no declared scope.
    UnmatchedBlock = "PV165", Warning {
        "The entry keeps the organisation out of the declared scopes that one of its `scopes` matches, in \
         its `environments`, and this one matches none: if it is misspelt, the organisation keeps access. \
         Correct it, or leave `scopes` out to block the organisation from all of them."
        wrong: Declarations(r#"blocked:
  - { consumer: "974761076", scopes: ["etat:lse*"], reason: SAK-99 }
scopes:
  - { name: etat:les, description: Les }
"#),
        right: Declarations(r#"blocked:
  - { consumer: "974761076", scopes: ["etat:les*"], reason: SAK-99 }
scopes:
  - { name: etat:les, description: Les }
"#),
    }
    /// A share exceeds a limit of a cloud.
    CloudLimit = "PV170", Error harmless {
        "A managed identity of Azure has 20 federated credentials at most, one for each consumer of each scope; a \
         trust policy of AWS has 2048 characters; a provider of Google Cloud has 10 audiences. The help has a list \
         of names that is long enough. Each consumer belongs to one name of the list, whoever else there is; only \
         another list moves consumers."
        wrong: Declarations(r#"scopes:
  - name: etat:lager.read
    description: Les
    consumers: [
      "310000000", "310000078", "310000140", "310000213", "310000280", "310000353", "310000426",
      "310000493", "310000566", "310000639", "310000701", "310000779", "310000841", "310000914",
      "310000981", "310001058", "310001120", "310001198", "310001260", "310001333", "310001406"
      ]
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    azure: { identity: lager-les, resource_group: data, subscription: 00000000-0000-0000-0000-000000000000 }
"#),
        right: Declarations(r#"scopes:
  - name: etat:lager.read
    description: Les
    consumers: [
      "310000000", "310000078", "310000140", "310000213", "310000280", "310000353", "310000426",
      "310000493", "310000566", "310000639", "310000701", "310000779", "310000841", "310000914",
      "310000981", "310001058", "310001120", "310001198", "310001260", "310001333", "310001406"
      ]
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    azure: { identity: [lager-les, lager-les-2], resource_group: data, subscription: 00000000-0000-0000-0000-000000000000 }
"#),
    }
    /// A name in `skyporten` is not one that a cloud can have.
    CloudName = "PV171", Error harmless {
        "Each cloud has forms for its names and numbers. Write the name itself, not an ARN or an address, and \
         numbers in quotes."
        wrong: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "1234", role: lager-les }
"#),
        right: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
"#),
    }
    /// No environment uses a share.
    UnusedShare = "PV172", Warning {
        "It counts in environments that do not have its scope. Add an environment of the scope, or remove the entry."
        wrong: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, environments: [sandbox], consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    environments: [demo]
    aws: { account: "123456789012", role: lager-les }
"#),
        right: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, environments: [sandbox], consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    environments: [sandbox]
    aws: { account: "123456789012", role: lager-les }
"#),
    }
    /// Two environments have the same resource of a cloud.
    SharedByEnvironments = "PV173", Error harmless {
        "Test and production have different issuers. A role, an identity, a service account, a recipient or a whole \
         pool belongs to one of them: otherwise a token of test opens what is meant for production, or what is \
         rendered for one replaces what the other needs. Name other resources by `per_environment`, or let the entry \
         count in one of the two."
        wrong: Both("environments: { test: { target: test, credentials: &job { client_id: a, key: { env: KEY }, kid: b } }, prod: { target: prod, credentials: *job } }
", r#"consumers:
  skatteetaten: { orgno: "974761076", environments: [prod] }
  testetaten: { orgno: "313367002", environments: [test] }
scopes:
  - { name: etat:lager.read, description: Les, consumers: [skatteetaten, testetaten] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
"#),
        right: Both("environments: { test: { target: test, credentials: &job { client_id: a, key: { env: KEY }, kid: b } }, prod: { target: prod, credentials: *job } }
", r#"consumers:
  skatteetaten: { orgno: "974761076", environments: [prod] }
  testetaten: { orgno: "313367002", environments: [test] }
scopes:
  - { name: etat:lager.read, description: Les, consumers: [skatteetaten, testetaten] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    per_environment:
      prod:
        aws: { account: "210987654321", role: lager-les }
    aws: { account: "123456789012", role: lager-les }
"#),
    }
    /// No token can fit a share.
    UnfitToken = "PV174", Warning {
        "A cloud compares the audience of a token, which must be a JWT of Maskinporten's. Where the scope enforces \
         another audience, has opaque tokens, or is not for clients of Maskinporten, no consumer ever reaches the \
         resources. Change the attribute of the scope, or the audience of the share."
        wrong: Declarations(r#"scopes:
  - name: etat:lager.read
    description: Les
    enforced_aud_for_access_token: https://lager.etat.example
    consumers: ["974761076"]
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    aws: { account: "123456789012", role: lager-les }
"#),
        right: Declarations(r#"scopes:
  - name: etat:lager.read
    description: Les
    enforced_aud_for_access_token: https://lager.etat.example
    consumers: ["974761076"]
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://lager.etat.example
    aws: { account: "123456789012", role: lager-les }
"#),
    }
    /// Shares of one pool have the same scope and different audiences.
    PoolAudiences = "PV175", Warning {
        "On Google Cloud the providers of a pool check the audience, and the bindings have the consumer and the scope \
         alone. A token for one audience therefore reaches the resources of every share of the pool with that scope. \
         Name another pool, or write the same audience."
        wrong: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    gcp: { project_number: "123456789012", pool: skyporten, provider: lager, bucket: etat-lager }
  - name: arkiv-les
    scope: etat:lager.read
    audience: https://arkiv.etat.example
    gcp: { project_number: "123456789012", pool: skyporten, provider: arkiv, bucket: etat-arkiv }
"#),
        right: Declarations(r#"scopes:
  - { name: etat:lager.read, description: Les, consumers: ["974761076"] }
skyporten:
  - name: lager-les
    scope: etat:lager.read
    audience: https://skyporten.etat.example
    gcp: { project_number: "123456789012", pool: skyporten, provider: lager, bucket: etat-lager }
  - name: arkiv-les
    scope: etat:lager.read
    audience: https://arkiv.etat.example
    gcp: { project_number: "123456789012", pool: skyporten-arkiv, provider: arkiv, bucket: etat-arkiv }
"#),
    }
}

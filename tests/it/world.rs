//! A sandbox, a repository for it, and the program as a user runs it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::LazyLock;

use assert_cmd::Command;
use domain::{AccessState, ScopeAttributes};
use sandbox::{ClientRecord, Config, Exchange, Method, Sandbox, State, Switches};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::openapi;

pub(crate) use crate::support::{
    DIGDIR, KARTVERKET as KART, KEY, NAV as OWNER, SKATT, orgno, scope as name,
};

/// One runtime for the sandboxes of all tests.
pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    folder: TempDir,
}

/// Result of a run of the program.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// An empty sandbox, and a repository without declarations.
    pub(crate) fn new() -> Self {
        Self::with(Switches::default())
    }

    pub(crate) fn with(switches: Switches) -> Self {
        let mut state = State::new(orgno(OWNER), "Etaten", &["etat".to_owned()]);
        state.register_key(orgno(OWNER), "portvakt", &KEY);
        let listen = "127.0.0.1:0".parse().unwrap();
        let config = Config { listen, switches, record: true, ..Config::new(state) };
        Self::of(RUNTIME.block_on(Sandbox::start(config)).unwrap())
    }

    /// A repository without declarations for a sandbox.
    pub(crate) fn of(sandbox: Sandbox) -> Self {
        let world = Self { sandbox, folder: TempDir::new().unwrap() };
        world.settings("");
        world
    }

    /// Writes `portvakt.yaml` with the lines that every test needs, followed by these.
    pub(crate) fn settings(&self, more: &str) {
        let settings = format!(
            "organization: {{ orgno: \"{OWNER}\", name: Etaten }}\n\
             prefixes: [etat]\n\
             environments:\n  \
               test:\n    \
                 target: {{ api: \"{}\", maskinporten: \"{}\", skyporten: \"{}\" }}\n    \
                 credentials:\n      \
                   client_id: {{ env: PORTVAKT_CLIENT_ID }}\n      \
                   key: {{ env: PORTVAKT_KEY }}\n      \
                   kid: {{ env: PORTVAKT_KID }}\n{more}",
            self.sandbox.api().as_str().trim_end_matches('/'),
            self.sandbox.issuer(),
            self.sandbox.skyporten(),
        );
        self.write("portvakt.yaml", &settings);
    }

    /// Writes the declarations.
    pub(crate) fn declare(&self, yaml: &str) {
        self.write("declarations.yaml", yaml);
    }

    pub(crate) fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a scope live, with accesses.
    pub(crate) fn put(&self, scope: &str, active: bool, accesses: &[(&str, AccessState)]) {
        let attributes = ScopeAttributes { description: "Les".to_owned(), ..Default::default() };
        self.sandbox.edit(|state| {
            state.put_scope(orgno(OWNER), name(scope), active, &attributes);
            for (consumer, access) in accesses {
                state.put_access(name(scope), orgno(consumer), access.clone());
            }
        });
    }

    /// The consumers with access to a scope, in order; `None` where the scope is inactive or does not exist.
    pub(crate) fn open_to(&self, scope: &str) -> Option<Vec<String>> {
        let state = self.sandbox.state();
        state.scopes.get(&name(scope)).filter(|scope| scope.active)?;
        let accesses = state.accesses.get(&name(scope)).into_iter().flatten();
        let approved = accesses.filter(|(_, access)| access.state == AccessState::Approved);
        Some(approved.map(|(orgno, _)| orgno.to_string()).collect())
    }

    /// A live scope's field.
    pub(crate) fn field(&self, scope: &str, field: &str) -> Value {
        let state = self.sandbox.state();
        state.scopes[&name(scope)].fields.get(field).cloned().unwrap_or_default()
    }

    /// The program with only the necessary part of the test's environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = program();
        self.environment(&mut command).args(args);
        command
    }

    /// The credentials and the folder that the program needs.
    pub(crate) fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("PORTVAKT_CLIENT_ID", "portvakt")
            .env("PORTVAKT_KEY", KEY.private_key_pem.expose_secret())
            .env("PORTVAKT_KID", &KEY.kid)
            .current_dir(self.folder.path())
    }

    /// The program as a process that is not waited for; its output is captured.
    pub(crate) fn process(&self, args: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("portvakt"));
        let environment = [
            ("PORTVAKT_CLIENT_ID", "portvakt"),
            ("PORTVAKT_KEY", KEY.private_key_pem.expose_secret()),
            ("PORTVAKT_KID", &KEY.kid),
        ];
        command.env_clear().envs(environment).current_dir(self.folder.path()).args(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&mut self.command(args))
    }

    /// The plan as JSON.
    pub(crate) fn plan(&self) -> Value {
        let ran = self.run(&["plan", "--format", "json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// The ids of the plan's actions.
    pub(crate) fn planned(&self) -> Vec<String> {
        ids(&self.plan())
    }

    pub(crate) fn apply(&self) -> Ran {
        self.run(&["apply", "--auto-approve"])
    }

    /// An apply that does not wait until its changes are visible.
    pub(crate) fn apply_without_patience(&self) -> Ran {
        self.run(&["apply", "--auto-approve", "--patience", "0"])
    }

    /// The write calls, as ids of actions. An update and a reactivation are the same call: both are `put`.
    pub(crate) fn sent(&self) -> Vec<String> {
        let clients = self.sandbox.state().clients;
        let named = |id: String| match id.split_once(" client ") {
            Some((verb, client)) => match clients.get(client) {
                Some(record) => {
                    format!("{verb} client {}", record.fields["client_name"].as_str().unwrap())
                }
                None => id,
            },
            None => id,
        };
        let sent: Vec<_> = self.sandbox.exchanges().iter().filter_map(sent).map(named).collect();
        // The `onbehalfof` entries of a new client are sent once it is created.
        let is_new = |id: &String| {
            let rest = id.strip_prefix("put client ");
            rest.is_some_and(|name| sent.contains(&format!("create client {name}")))
        };
        sent.iter().filter(|id| !is_new(id)).cloned().collect()
    }

    /// Makes a client live that equals a declaration with only these attributes.
    pub(crate) fn put_client(&self, id: &str, name: &str, active: bool, scopes: &[&str]) {
        self.put_client_of("maskinporten", id, name, active, scopes);
    }

    pub(crate) fn put_client_of(
        &self,
        kind: &str,
        id: &str,
        name: &str,
        active: bool,
        scopes: &[&str],
    ) {
        let mut record = self.sandbox.state().clients["portvakt"].clone();
        record.active = active;
        record.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        record.keys.clear();
        record.fields.insert("client_name".to_owned(), name.into());
        record.fields.insert("integration_type".to_owned(), kind.into());
        if kind == "idporten" {
            record.fields.insert(
                "grant_types".to_owned(),
                serde_json::json!(["authorization_code", "refresh_token"]),
            );
        }
        self.sandbox.edit(|state| drop(state.clients.insert(id.to_owned(), record)));
    }

    /// The only live client with a name, and its id.
    pub(crate) fn client(&self, name: &str) -> (String, ClientRecord) {
        let clients = self.sandbox.state().clients.into_iter();
        let mut named = clients.filter(|(_, client)| client.fields["client_name"] == name);
        let found = named.next().unwrap_or_else(|| panic!("there is no client {name}"));
        assert!(named.next().is_none(), "there are two clients {name}");
        found
    }

    /// Checks a whole change: the plan is the expected one, apply does it and sends nothing else, and after
    /// that there is nothing to do and nothing is sent.
    pub(crate) fn converges(&self, expected: &[&str]) -> Ran {
        assert_eq!(self.planned(), expected);
        assert_eq!(self.sent(), [""; 0], "a plan changed something");
        let ran = self.apply();
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let shown: BTreeSet<_> = expected.iter().map(|id| as_sent(id)).collect();
        assert_eq!(self.sent().into_iter().collect::<BTreeSet<_>>(), shown);
        self.is_settled();
        ran
    }

    /// Checks that there is nothing to do, and that an apply sends only reads.
    pub(crate) fn is_settled(&self) {
        self.check_and_forget();
        assert_eq!(self.planned(), [""; 0]);
        let ran = self.apply();
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(self.sent(), [""; 0]);
    }

    /// Checks all exchanges against DigDir's description, and clears them.
    pub(crate) fn check_and_forget(&self) {
        openapi::check(&self.sandbox.exchanges());
        self.sandbox.clear_exchanges();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_and_forget();
        }
    }
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The program with an empty environment.
pub(crate) fn program() -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("portvakt");
    command.env_clear();
    command
}

/// The ids of a JSON plan's actions.
pub(crate) fn ids(plan: &Value) -> Vec<String> {
    let actions = plan["actions"].as_array().unwrap();
    actions.iter().map(|action| action["id"].as_str().unwrap().to_owned()).collect()
}

/// An action's id in the form of [`World::sent`].
pub(crate) fn as_sent(id: &str) -> String {
    match id.split_once(' ') {
        Some(("update" | "reactivate", rest)) => format!("put {rest}"),
        _ => id.to_owned(),
    }
}

/// The effect of a write call of an apply, as an action's id; `None` for a read. An existing client is given
/// by its id; its `onbehalfof` entries are part of it.
fn sent(exchange: &Exchange) -> Option<String> {
    let path = exchange.path.strip_prefix("/api/v1/")?;
    if exchange.method == Method::GET {
        return None;
    }
    let scope = || exchange.query.iter().find(|(key, _)| key == "scope").unwrap().1.clone();
    let body = |field: &str| {
        let body: Value = serde_json::from_str(&exchange.body).unwrap();
        body[field].as_str().unwrap_or_default().to_owned()
    };
    let parts: Vec<&str> = path.split('/').collect();
    Some(match (exchange.method.as_str(), parts.as_slice()) {
        ("PUT", ["scopes", "access", consumer]) => format!("grant {} {consumer}", scope()),
        ("DELETE", ["scopes", "access", consumer]) => format!("revoke {} {consumer}", scope()),
        ("PUT", ["scopes"]) => format!("put scope {}", scope()),
        ("DELETE", ["scopes"]) => format!("deactivate scope {}", scope()),
        ("POST", ["scopes"]) => format!("create scope {}:{}", body("prefix"), body("subscope")),
        ("POST", ["clients"]) => format!("create client {}", body("client_name")),
        ("PUT", ["clients", id]) => format!("put client {id}"),
        ("DELETE", ["clients", id]) => format!("deactivate client {id}"),
        ("POST" | "DELETE", ["clients", id, "jwks"]) => format!("keys client {id}"),
        (_, ["clients", id, "onbehalfof", ..]) => format!("put client {id}"),
        other => panic!("{other:?} {path} is no call of an apply"),
    })
}

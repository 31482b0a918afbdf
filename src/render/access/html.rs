//! Who can reach what, as one self-contained HTML page: style, script and data are in it, and it asks for
//! nothing else.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use domain::text::{escaped_json, printable};
use plan::document::{
    Access, AccessDocument, ConsumingClient, GrantState, OpenTo, ReachableScope, SourceDocument,
};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Number of days before its end at which something ends soon.
#[derive(Debug, Clone, Copy)]
pub struct WarnDays {
    /// An access.
    pub accesses: i64,
    /// A key.
    pub keys: i64,
}

/// The page.
pub fn html(document: &AccessDocument, warn: WarnDays) -> String {
    let parts = [
        ("style_hash", hash(STYLE)),
        ("script_hash", hash(SCRIPT)),
        ("style", STYLE.to_owned()),
        ("script", SCRIPT.to_owned()),
        ("data", data(document, warn)),
    ];
    // In one pass, so that no text of the data is taken for a place.
    let mut page = String::new();
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        page.push_str(before);
        page.extend(parts.iter().find(|(part, _)| *part == name).map(|(_, text)| text.as_str()));
        rest = after;
    }
    page + rest
}

/// The hash of an inline style or script, as a Content-Security-Policy names it.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// The data as JSON that neither ends the element it is in nor begins a comment. Each text is in it once, and
/// entries refer to it by its index.
fn data(document: &AccessDocument, warn: WarnDays) -> String {
    let mut tables = Tables::default();
    let consumers: BTreeMap<&str, &str> = document
        .accesses
        .iter()
        .map(|it| (it.consumer.as_str(), it.consumer_name.as_deref().unwrap_or_default()))
        .collect();
    let consumer_at: BTreeMap<_, usize> = consumers.keys().zip(0..).collect();
    let scope_at = document.scopes.iter().map(|it| (&it.environment, &it.scope)).zip(0..);
    let scope_at: BTreeMap<_, usize> = scope_at.collect();
    let environment_at = |name: &String| document.environments.iter().position(|it| it == name);
    let rows = document.accesses.iter().map(|it| {
        let scope = scope_at.get(&(&it.environment, &it.scope)).copied();
        tables.access(it, scope, consumer_at.get(&it.consumer.as_str()).copied())
    });
    let rows: Vec<_> = rows.collect();
    let scopes = document.scopes.iter();
    let scopes: Vec<_> =
        scopes.map(|it| tables.scope(it, environment_at(&it.environment))).collect();
    let clients = document.clients.iter();
    let clients: Vec<_> =
        clients.map(|it| tables.client(it, environment_at(&it.environment))).collect();
    let states = GrantState::ALL.map(|state| {
        json!([state.as_str(), sign(state), state.description(), state.gives_access()])
    });
    let consumers = consumers.iter().map(|(orgno, name)| json!([orgno, shown(Some(name))]));
    let data = json!({
        "organization": {
            "orgno": document.organization,
            "name": shown(document.organization_name.as_deref()),
        },
        "created": document.created.to_string(),
        "source": document.source,
        "warn_days": warn.accesses,
        "warn_key_days": warn.keys,
        "environments": document.environments,
        "states": states,
        "teams": tables.teams.texts,
        "groups": tables.groups.texts,
        "files": tables.files.texts,
        "consumers": consumers.collect::<Vec<_>>(),
        "scopes": scopes,
        "rows": rows,
        "clients": clients,
    });
    escaped_json(&data.to_string()).replace('<', "\\u003c")
}

/// Texts that many entries share.
#[derive(Default)]
struct Tables {
    teams: TextTable,
    groups: TextTable,
    files: TextTable,
}

impl Tables {
    fn place(&mut self, source: Option<&SourceDocument>) -> (Option<usize>, usize) {
        (self.files.at(source.map(|source| &*source.file)), source.map_or(0, |source| source.line))
    }

    fn access(&mut self, it: &Access, scope: Option<usize>, consumer: Option<usize>) -> Value {
        let (file, line) = self.place(it.source.as_ref());
        let group = self.groups.at(it.group.as_deref());
        let reason = match &it.blocked {
            Some(why) => shown(Some(&format!("blocked: {why}"))),
            None => shown(it.reason.as_deref()),
        };
        let state = GrantState::ALL.iter().position(|state| *state == it.state);
        let (from, until) = (text(it.from), text(it.until));
        json!([scope, consumer, state, group, until, reason, file, line, from])
    }

    fn scope(&mut self, it: &ReachableScope, environment: Option<usize>) -> Value {
        let (file, line) = self.place(it.source.as_ref());
        let team = self.teams.at(it.team.as_deref());
        let open = it.open.map(OpenTo::description).unwrap_or_default();
        let about = shown(Some(&it.description));
        let now = it.open_now();
        let (whom, by_all) =
            (now.map(OpenTo::whom).unwrap_or_default(), now.is_some_and(OpenTo::has_all));
        let state = it.state.description();
        json!([environment, it.scope, team, state, open, about, file, line, whom, by_all])
    }

    fn client(&mut self, it: &ConsumingClient, environment: Option<usize>) -> Value {
        let (file, line) = self.place(it.source.as_ref());
        let team = self.teams.at(it.team.as_deref());
        let consumed = it.scopes.iter();
        let consumed = consumed.map(|it| json!([shown(Some(&it.scope)), it.by.description()]));
        let keys = it.keys.iter();
        let keys =
            keys.map(|key| json!([shown(Some(&key.kid)), text(key.created), text(key.expires)]));
        let (consumed, keys): (Vec<_>, Vec<_>) = (consumed.collect(), keys.collect());
        let (name, id) = (shown(Some(&it.client)), shown(it.client_id.as_deref()));
        json!([environment, name, id, team, it.state.description(), consumed, keys, file, line])
    }
}

#[derive(Default)]
struct TextTable {
    texts: Vec<String>,
    known: BTreeMap<String, usize>,
}

impl TextTable {
    /// The index of a text, which is added if it is new.
    fn at(&mut self, text: Option<&str>) -> Option<usize> {
        let text = text?;
        if let Some(index) = self.known.get(text) {
            return Some(*index);
        }
        self.texts.push(printable(text).into_owned());
        self.known.insert(text.to_owned(), self.texts.len() - 1);
        Some(self.texts.len() - 1)
    }
}

fn shown(text: Option<&str>) -> Value {
    Value::from(printable(text.unwrap_or_default()).into_owned())
}

/// A time or a day as text, empty where there is none.
fn text(at: Option<impl ToString>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

/// The sign of a state in the matrix.
fn sign(state: GrantState) -> &'static str {
    match state {
        GrantState::Granted | GrantState::Declared => "●",
        GrantState::Undeclared => "!",
        GrantState::Overdue => "×",
        GrantState::Kept => "◐",
        GrantState::Missing => "○",
        GrantState::Requested => "?",
        GrantState::NotNow => "◌",
    }
}

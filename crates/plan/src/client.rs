//! Planning of clients, which follow the scopes' table.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::beside::handed_over;
use super::consumed::Permitted;
use super::keys::stays;
use super::matching::{MatchedClient, removed_clients};
use super::scope::no_longer;
use super::{
    ActionId, ClientWork, ClientWrite, Code, Draft, Mismatch, OnBehalfOfWrite, Verb, Work, Write,
    live_client,
};
use domain::nais::owner_of_client;
use domain::text::listed;
use domain::{
    Applied, AuthMethod, CLIENT, Change, ClientId, ClientName, DesiredClient, Live, LiveClient,
    OwnClient, Removal, RemovalAction,
};

/// A declared client and the live one that matches it, if there is one.
type Matched<'a> = (&'a ClientName, &'a DesiredClient, Option<MatchedClient<'a>>);

/// The live clients that are declared, each with the names of its declarations.
type ClientClaims<'a> = BTreeMap<&'a ClientId, Vec<&'a ClientName>>;

impl<'a> Draft<'a> {
    /// Plans all clients. The scopes must have been planned, so that those that the plan creates can be
    /// consumed.
    pub(super) fn clients(&mut self) {
        let (desired, live) = (self.desired, self.live);
        self.of_scopes = self
            .actions
            .iter()
            .enumerate()
            .filter_map(|(index, action)| match &action.work {
                Work::Scope(scope, _) => Some((scope.clone(), index)),
                Work::Access(..) | Work::Client(..) | Work::Keys(..) => None,
            })
            .collect();
        let mut matched: Vec<Matched<'a>> = Vec::new();
        let mut claims = ClientClaims::new();
        let mut known: BTreeSet<&ClientId> = live.own_client.iter().map(|own| &own.id).collect();
        for (name, declared) in &desired.clients {
            match live_client(declared, live) {
                Ok(found) => {
                    matched.push((name, declared, found));
                    if let Some((id, _)) = found {
                        claims.entry(id).or_default().push(name);
                    }
                }
                Err(mismatch) => {
                    let fits = |client: &LiveClient| {
                        declared.identity.fits(&client.name, client.description())
                    };
                    let could_be = live.clients.iter().filter(|(_, client)| fits(client));
                    known.extend(could_be.map(|(id, _)| id));
                    self.mismatched(Verb::Update, name, &mismatch);
                }
            }
        }
        known.extend(claims.keys());
        for (name, removal) in &desired.removed_clients {
            let mut found = removed_clients(name, removal, self.client_before(name), live);
            found.retain(|(id, _)| removal.id.is_some() || !claims.contains_key(*id));
            known.extend(found.iter().map(|(id, _)| *id));
            self.removed_client(name, &removal.removal, &found, &claims);
        }
        self.clients_declared_before(&mut known, &claims);
        for (name, declared, found) in matched {
            let others = found.and_then(|(id, _)| claims.get(id)).filter(|names| names.len() > 1);
            match others {
                Some(names) => self.claimed(name, names),
                None => self.declared_client(name, declared, found),
            }
        }
        self.find_unmanaged_clients(&known);
    }

    /// A client's declaration at the applied commit.
    pub(super) fn client_before(&self, name: &ClientName) -> Option<&'a DesiredClient> {
        self.past.before()?.clients.get(name)
    }

    /// The clients that were declared at the applied commit and are no longer. One that matches another
    /// declaration now, for instance under a new name, is left to that. A client of a manifest and one of the
    /// YAML under the same name may be different clients.
    fn clients_declared_before(
        &mut self,
        known: &mut BTreeSet<&'a ClientId>,
        claims: &ClientClaims<'_>,
    ) {
        let (desired, live) = (self.desired, self.live);
        let identities = || desired.clients.values().map(|client| &client.identity);
        let is_pinned = |id: &ClientId| identities().any(|client| client.pinned() == Some(id));
        let is_renamed =
            |name: &ClientName| identities().any(|client| client.previous_name() == Some(name));
        let Some(Applied { commit, desired: before }) = &self.past.applied else { return };
        let is_declared = |name: &ClientName, before: &DesiredClient| {
            let now = desired.clients.get(name);
            now.is_some_and(|now| now.identity.is_owned() == before.identity.is_owned())
        };
        let gone = before.clients.iter().filter(|(name, client)| {
            !is_declared(name, client)
                && !desired.removed_clients.contains_key(*name)
                && !is_renamed(name)
        });
        for (name, client) in gone {
            match live_client(client, live) {
                Ok(Some((id, found))) => {
                    known.insert(id);
                    if !found.active || claims.contains_key(id) || is_pinned(id) {
                        continue;
                    }
                    if let Some(other) = self.others.of_client(id) {
                        self.release_client(name, id, &handed_over(commit, &client.source, other));
                        continue;
                    }
                    // The client of a manifest is removed with it.
                    let owner = owner_of_client(found.description());
                    match owner.filter(|_| !client.identity.is_owned()) {
                        Some(owner) => {
                            self.held_at_nais(ActionId::client(Verb::Deactivate, name), &owner);
                        }
                        None => {
                            self.close_client(name, id, &no_longer(commit, &client.source));
                        }
                    }
                }
                Err(
                    mismatch @ (Mismatch::Several(_)
                    | Mismatch::SeveralOwned(_)
                    | Mismatch::OtherName { .. }),
                ) => {
                    self.mismatched(Verb::Deactivate, name, &mismatch);
                }
                Ok(None) | Err(Mismatch::NoSuchId(_) | Mismatch::OtherType { .. }) => {}
            }
        }
    }

    fn declared_client(
        &mut self,
        name: &ClientName,
        declared: &DesiredClient,
        live: Option<(&ClientId, &LiveClient)>,
    ) {
        match (live, declared.active) {
            (None, true) => self.create_client(name, declared),
            (Some((id, live)), true) if live.active => {
                self.update_client(name, declared, id, live);
            }
            (Some((id, live)), true) => self.reactivate_client(name, declared, id, live),
            (Some((id, live)), false) if live.active => {
                let (source, action) = (declared.source.clone(), RemovalAction::Deactivate);
                let removal = Removal { action, reason: None, source };
                match self.client_before(name) {
                    None => self.close_client(name, id, &removal),
                    Some(_) => self.deactivate_client(name, id, &removal),
                }
            }
            (None | Some(_), false) => {}
        }
    }

    fn create_client(&mut self, name: &ClientName, declared: &DesiredClient) {
        let Permitted { declared, after } = match self.permitted(Verb::Create, name, declared, None)
        {
            Ok(permitted) => permitted,
            Err((code, message)) => {
                let keys = match declared.keys.as_ref().map_or(0, Vec::len) {
                    0 => "",
                    _ => "; nor are its keys registered",
                };
                let message = format!("{message}{keys}");
                return self.block(ActionId::client(Verb::Create, name), code, message);
            }
        };
        let declared = &*declared;
        let mut write = write(name, declared, None);
        // The name is shown already.
        let is_reported =
            |change: &Change| change.field == "client_name" && change.after == json!(name);
        write.attributes.changes.retain(|change| !is_reported(change));
        self.report_secret(name, declared);
        let work = ClientWork::Create(declared.identity.clone(), Box::new(write));
        let made = self.push(Work::Client(name.clone(), work), &declared.source, None, after);
        self.keys(name, declared, None, &[], false, vec![made]);
    }

    fn update_client(
        &mut self,
        name: &ClientName,
        declared: &DesiredClient,
        id: &ClientId,
        live: &LiveClient,
    ) {
        let keys = live.keys.as_deref().unwrap_or_default();
        self.report_expiring(name, declared, keys);
        let update = ActionId::client(Verb::Update, name);
        let permitted = self.permitted(Verb::Update, name, declared, Some(live));
        let Permitted { declared, after } = match permitted {
            Ok(permitted) => permitted,
            Err((code, message)) => {
                self.block(update, code, message);
                // The last key is removed with the change that makes it needless, and that change is blocked.
                if declared.keys.as_ref().is_some_and(|wanted| !wanted.is_empty()) {
                    self.keys(name, declared, Some(id), keys, false, Vec::new());
                }
                return;
            }
        };
        let declared = &*declared;
        let write = write(name, declared, Some(live));
        let is_updated = !write.changes().is_empty();
        if is_updated && self.own(Some(id)).is_some() && takes_scope(&write) {
            return self.block(update, Code::OwnClient, OWN_CLIENT);
        }
        let updated = is_updated.then(|| {
            let work = ClientWork::Update(id.clone(), Box::new(write));
            self.push(Work::Client(name.clone(), work), &declared.source, None, after)
        });
        self.keys(name, declared, Some(id), keys, false, updated.into_iter().collect());
    }

    /// DigDir kept the keys: those that are not declared are removed before they are valid again.
    fn reactivate_client(
        &mut self,
        name: &ClientName,
        declared: &DesiredClient,
        id: &ClientId,
        live: &LiveClient,
    ) {
        let permitted = self.permitted(Verb::Reactivate, name, declared, Some(live));
        let Permitted { declared, mut after } = match permitted {
            Ok(permitted) => permitted,
            Err((code, message)) => {
                return self.block(ActionId::client(Verb::Reactivate, name), code, message);
            }
        };
        let declared = &*declared;
        let kept = live.keys.as_deref().unwrap_or_default();
        after.extend(self.keys(name, declared, Some(id), kept, true, Vec::new()));
        self.report_expiring(name, declared, kept);
        let keys = kept.iter().filter(|key| stays(key, declared));
        let work = ClientWork::Reactivate {
            id: id.clone(),
            write: Box::new(write(name, declared, Some(live))),
            keys: keys.cloned().collect(),
            declared: declared.keys.clone().unwrap_or_default(),
        };
        self.push(Work::Client(name.clone(), work), &declared.source, None, after);
    }

    /// Plans the removal of a client.
    fn removed_client(
        &mut self,
        name: &ClientName,
        removal: &Removal,
        found: &[MatchedClient<'_>],
        claims: &ClientClaims<'_>,
    ) {
        let active: Vec<_> = found.iter().filter(|(_, client)| client.active).collect();
        let before = self.client_before(name);
        let is_it = |client: &LiveClient| {
            let fits = |it: &DesiredClient| it.identity.fits(&client.name, client.description());
            client.name == name.as_str() || before.is_some_and(fits)
        };
        match (removal.action, active.as_slice()) {
            (RemovalAction::Release, [(id, _)]) if before.is_some() => {
                self.release_client(name, id, removal);
            }
            (RemovalAction::Release, _) | (RemovalAction::Deactivate, []) => {}
            (RemovalAction::Deactivate, [(id, client)]) => match claims.get(*id) {
                Some(names) => self.claimed(name, names),
                None if !is_it(client) => {
                    let (id, name_there) = ((*id).clone(), client.name.clone());
                    let mismatch = Mismatch::OtherName { id, name: name_there };
                    self.mismatched(Verb::Deactivate, name, &mismatch);
                }
                None => self.close_client(name, id, removal),
            },
            (RemovalAction::Deactivate, several) => {
                let ids = several.iter().map(|(id, _)| (*id).clone()).collect();
                self.mismatched(Verb::Deactivate, name, &Mismatch::Several(ids));
            }
        }
    }

    /// Releases a client that was managed here; it stays as it is live.
    fn release_client(&mut self, name: &ClientName, id: &ClientId, removal: &Removal) {
        let names = [name.as_str(), self.live_name(name, Some(id))];
        let target = ActionId::client(Verb::Release, name);
        if !self.must_stay_here(target, self.others.of_client(id), |by| by.of_client(names)) {
            let work = Work::Client(name.clone(), ClientWork::Release(id.clone()));
            self.push(work, &removal.source, removal.reason.clone(), Vec::new());
        }
    }

    /// The live name of a client, or its declared one if it is not live.
    pub(super) fn live_name<'n>(&self, name: &'n ClientName, id: Option<&ClientId>) -> &'n str
    where
        'a: 'n,
    {
        let live: &'a Live = self.live;
        let client = id.and_then(|id| live.clients.get(id));
        client.map_or(name.as_str(), |client| &client.name)
    }

    /// Deactivates a client that is no longer declared here, or was never applied here.
    fn close_client(&mut self, name: &ClientName, id: &ClientId, removal: &Removal) {
        let target = ActionId::client(Verb::Deactivate, name);
        if !self.blocked_beside(target, self.others.of_client(id)) {
            self.deactivate_client(name, id, removal);
        }
    }

    fn deactivate_client(&mut self, name: &ClientName, id: &ClientId, removal: &Removal) {
        let target = ActionId::client(Verb::Deactivate, name);
        if self.own(Some(id)).is_some() {
            return self.block(target, Code::OwnClient, OWN_CLIENT);
        }
        let names = [name.as_str(), self.live_name(name, Some(id))];
        if !self.must_stay(target, |by| by.of_client(names)) {
            let work = Work::Client(name.clone(), ClientWork::Deactivate(id.clone()));
            self.push(work, &removal.source, removal.reason.clone(), Vec::new());
        }
    }

    /// This program's own client, if it is the live one of that id.
    pub(super) fn own(&self, id: Option<&ClientId>) -> Option<&OwnClient> {
        self.live.own_client.as_ref().filter(|own| Some(&own.id) == id)
    }

    fn mismatched(&mut self, verb: Verb, name: &ClientName, mismatch: &Mismatch) {
        let (code, message) = mismatch.explained();
        self.block(ActionId::client(verb, name), code, message);
    }

    fn claimed(&mut self, name: &ClientName, names: &[&ClientName]) {
        let message = format!(
            "more than one declaration is this live client: {}. Keep one, and correct the `client_id` \
             or `previous_name` of the others",
            listed(names.iter().map(|other| format!("'{other}'")))
        );
        self.block(ActionId::client(Verb::Update, name), Code::ClientTwice, message);
    }

    fn report_secret(&mut self, name: &ClientName, declared: &DesiredClient) {
        let has_secret = match declared.attributes.token_endpoint_auth_method {
            Some(AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost) => true,
            Some(AuthMethod::PrivateKeyJwt | AuthMethod::None) | None => false,
        };
        if has_secret {
            let message = "DigDir shows its secret once, and portvakt does not keep it: have a new \
                           one made in DigDir's self-service for the application";
            self.report(Code::SecretNotKept, format!("client {name}"), message);
        }
    }
}

/// Reason why portvakt's own client is not changed.
pub(super) const OWN_CLIENT: &str = "it is the client that portvakt itself works with here: nothing \
                                     could be planned or applied any more. Use another one first";

/// Whether a write removes one of the token scopes of the self-service API from a client.
fn takes_scope(write: &ClientWrite) -> bool {
    let of_api = |value: &Value| -> BTreeSet<String> {
        let scopes = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        scopes.filter(|scope| scope.starts_with("idporten:")).map(str::to_owned).collect()
    };
    let mut changes =
        write.attributes.changes.iter().filter(|change| change.field == CLIENT.scopes.name);
    changes.any(|change| !of_api(&change.before).is_subset(&of_api(&change.after)))
}

/// The write that creates a client, or changes a live one to the declared one.
fn write(name: &ClientName, declared: &DesiredClient, live: Option<&LiveClient>) -> ClientWrite {
    // A client has some name.
    let client_name = declared.identity.client_name().or(live.is_none().then_some(name));
    let client_name = client_name.map(ClientName::field);
    let wanted = client_name.into_iter().chain(declared.attributes.wanted()).collect();
    ClientWrite {
        attributes: Write::new(live.map(|live| &live.representation), wanted),
        on_behalf_of: OnBehalfOfWrite::new(declared, live),
    }
}

//! The calls of a probe, in their order, and what each settles.

use std::fmt::Display;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::answers;
use super::entities::{self, LIFE_OF_KEY, ProbeEntities};
use crate::run::Failure;
use digdir::{Call, ErrorKind, Probe, ProbedExchange};
use domain::{Behaviour, ClientId, Representation, ScopeName};

/// The longest that is waited until the API shows what was written.
const LONGEST_LAG: Duration = Duration::from_secs(30);

/// Members of a scope that the probe gives no value.
const WITHOUT_VALUE: [&str; 2] = ["delegation_source", "enforced_aud_for_access_token"];

/// The answers of a probe.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The answers.
    pub(crate) behaviour: Behaviour,
    /// The exchange that settled a question, or should have, by the question's name.
    pub(crate) exchanges: Vec<(&'static str, ProbedExchange)>,
}

/// Notes the answer to a question, and the exchange that gave it.
macro_rules! settle {
    ($answers:expr, $question:ident, $answer:expr, $exchange:expr) => {{
        $answers.behaviour.$question = $answer;
        $answers.exchanges.push((stringify!($question), $exchange));
    }};
}

/// A run of the calls, with what it has made so far.
pub(super) struct Script<'p> {
    probe: &'p Probe,
    entities: &'p ProbeEntities,
    /// The scope as it was read last; `None` before it is made.
    scope: Option<Representation>,
    /// Whether the organisation may have access to the scope.
    is_granted: bool,
    is_client_made: bool,
    client: Option<ClientId>,
    /// By how much reads lag behind writes.
    lag: Duration,
    pub(super) answers: Answers,
}

impl<'p> Script<'p> {
    pub(super) fn new(probe: &'p Probe, entities: &'p ProbeEntities) -> Self {
        Self {
            probe,
            entities,
            scope: None,
            is_granted: false,
            is_client_made: false,
            client: None,
            lag: Duration::ZERO,
            answers: Answers::default(),
        }
    }

    /// Makes all calls. `writing` has a token for `idporten:scopes.write` alone, if there is one.
    pub(super) async fn run(&mut self, writing: Option<&Probe>) -> Result<(), Failure> {
        let prefixes = self.call(&Call::prefixes()).await?;
        self.probe.check_owner(&prefixes)?;
        settle!(self.answers, prefix_with_colon, answers::prefix_with_colon(&prefixes), prefixes);
        self.clean_up_after_others().await?;
        self.make_scope().await?;
        self.look_at_new_scope(writing).await?;
        self.change_scope_and_make_client().await?;
        self.close_access_and_renew_key().await?;
        self.work_on_what_is_inactive().await?;
        if self.lag.is_zero() {
            return Ok(());
        }
        // What a run just before this one has left was perhaps not shown at the beginning.
        self.wait().await;
        self.clean_up_after_others().await
    }

    async fn make_scope(&mut self) -> Result<(), Failure> {
        let sent = self.entities.scope_representation();
        self.scope = Some(sent.clone());
        let made = self.done(&Call::create_scope(&sent)).await?;
        settle!(self.answers, write_answer, answers::write_answer(&made), made);
        let since = Instant::now();
        let call = Call::scope(&self.entities.scope);
        let mut looks = 0;
        let shown = loop {
            let shown = self.call(&call).await?;
            if shown.is_success() {
                break shown;
            }
            if since.elapsed() > LONGEST_LAG {
                return Err(Failure::Failed(format!(
                    "the API has taken the scope and does not show it after {} s, so nothing can be \
                     found out: {shown}",
                    LONGEST_LAG.as_secs()
                )));
            }
            looks += 1;
            tokio::time::sleep(pause(looks)).await;
        };
        self.lag = if looks == 0 { Duration::ZERO } else { since.elapsed() };
        settle!(self.answers, read_lag, Some(rounded(self.lag)), shown.clone());
        let description = entities::DESCRIPTION;
        settle!(
            self.answers,
            trims_text,
            answers::trims_text(&shown, "description", description),
            shown.clone()
        );
        settle!(
            self.answers,
            nulls_for_absent,
            answers::nulls_for_absent(&shown, &WITHOUT_VALUE),
            shown.clone()
        );
        self.scope = shown.body.and_then(object);
        Ok(())
    }

    async fn look_at_new_scope(&mut self, writing: Option<&Probe>) -> Result<(), Failure> {
        let accesses = Call::accesses(&self.entities.scope, false);
        let list = self.call(&accesses).await?;
        settle!(self.answers, empty_list_is_404, answers::empty_list_is_404(&list), list);
        if let Some(writing) = writing {
            let list = writing.exchange(&accesses).await?;
            settle!(self.answers, write_lists_accesses, answers::may_list(&list), list);
        }
        let list = self.call(&Call::accesses_to_us(false)).await?;
        let is_listed = answers::is_listed(&list, &self.entities.scope);
        settle!(self.answers, own_scopes_listed, is_listed, list);
        Ok(())
    }

    async fn change_scope_and_make_client(&mut self) -> Result<(), Failure> {
        let scope = &self.entities.scope;
        let mut changed = self.scope.clone().unwrap_or_default();
        changed.remove("long_description");
        self.done(&Call::update_scope(scope, &changed)).await?;
        self.is_granted = true;
        self.done(&Call::grant(scope, self.entities.organization)).await?;
        self.is_client_made = true;
        let client = self.entities.client_representation();
        let made = self.done(&Call::create_client(&client)).await?;
        self.client = made.body.as_ref().and_then(Value::as_object).and_then(entities::client_id);
        self.wait().await;
        let shown = self.call(&Call::scope(scope)).await?;
        let keeps = answers::put_keeps_omitted(&shown, "long_description");
        settle!(self.answers, put_keeps_omitted, keeps, shown);
        let id = self.shown_client().await?;
        let keys = self.call(&Call::keys(&id)).await?;
        settle!(self.answers, no_keys, answers::no_keys(&keys), keys);
        Ok(())
    }

    async fn close_access_and_renew_key(&mut self) -> Result<(), Failure> {
        let (scope, organization) = (&self.entities.scope, self.entities.organization);
        let id = self.shown_client().await?;
        self.done(&Call::revoke(scope, organization)).await?;
        self.is_granted = false;
        let end = Timestamp::now() + LIFE_OF_KEY;
        self.done(&Call::replace_keys(&id, &self.entities.keys(Some(end)))).await?;
        self.done(&Call::replace_keys(&id, &self.entities.keys(None))).await?;
        self.wait().await;
        let list = self.call(&Call::accesses(scope, false)).await?;
        settle!(self.answers, denied_hidden, answers::denied_hidden(&list, organization), list);
        let keys = self.call(&Call::keys(&id)).await?;
        settle!(self.answers, keys_keep_exp, answers::keys_keep_exp(&keys, end), keys);
        Ok(())
    }

    async fn work_on_what_is_inactive(&mut self) -> Result<(), Failure> {
        let (scope, organization) = (&self.entities.scope, self.entities.organization);
        let id = self.shown_client().await?;
        self.is_granted = true;
        self.done(&Call::grant(scope, organization)).await?;
        self.done(&Call::deactivate_scope(scope)).await?;
        let revoked = self.call(&Call::revoke(scope, organization)).await?;
        let is_refused = answers::is_refused(&revoked);
        self.is_granted = is_refused != Some(false);
        settle!(self.answers, inactive_access_refused, is_refused, revoked);
        let again = self.call(&Call::deactivate_scope(scope)).await?;
        settle!(self.answers, delete_inactive_refused, answers::is_refused(&again), again);
        self.done(&Call::deactivate_client(&id)).await?;
        let keys = self.call(&Call::replace_keys(&id, &self.entities.keys(None))).await?;
        settle!(self.answers, inactive_client_refused, answers::is_refused(&keys), keys);
        Ok(())
    }

    /// Closes and deactivates what this run has made, whatever it has come to.
    pub(super) async fn clean_up(&mut self) -> Result<(), Failure> {
        let scope = self.clean_up_scope().await;
        let client = self.clean_up_client().await;
        scope.and(client)
    }

    async fn clean_up_scope(&mut self) -> Result<(), Failure> {
        if let Some(shown) = &self.scope {
            self.close(&self.entities.scope, shown, self.is_granted).await?;
            self.scope = None;
        }
        Ok(())
    }

    /// Revokes the organisation's own access to a scope, and deactivates it.
    async fn close(
        &self,
        scope: &ScopeName,
        shown: &Representation,
        is_granted: bool,
    ) -> Result<(), Failure> {
        let revoke = Call::revoke(scope, self.entities.organization);
        if is_granted && !self.call(&revoke).await?.is_success() {
            // The scope may be inactive, and its accesses not to be changed as long as it is.
            let mut active = shown.clone();
            active.insert("active".to_owned(), Value::Bool(true));
            self.call(&Call::update_scope(scope, &active)).await?;
            self.retired(&revoke).await?;
        }
        self.retired(&Call::deactivate_scope(scope)).await
    }

    async fn clean_up_client(&mut self) -> Result<(), Failure> {
        if self.is_client_made {
            if self.client.is_none() {
                self.wait().await;
            }
            if let Some(id) = self.find_client().await? {
                self.retired(&Call::deactivate_client(&id)).await?;
            }
            self.is_client_made = false;
        }
        Ok(())
    }

    /// Closes and deactivates what runs before this one have left: also an access to a scope that is inactive.
    async fn clean_up_after_others(&self) -> Result<(), Failure> {
        let organization = self.entities.organization;
        let scopes = self.call(&Call::scopes()).await?;
        let accesses = self.call(&Call::accesses_of_consumer(organization, true)).await?;
        let granted = entities::granted(&accesses);
        for (scope, shown) in entities::left_scopes(&scopes, &granted) {
            self.close(&scope, shown, granted.contains(&scope)).await?;
        }
        let clients = self.call(&Call::clients()).await?;
        for id in entities::left_clients(&clients) {
            self.retired(&Call::deactivate_client(&id)).await?;
        }
        Ok(())
    }

    /// The id of the client, which must be shown.
    async fn shown_client(&mut self) -> Result<ClientId, Failure> {
        let hidden = || {
            Failure::Failed(format!("the client {} is made and not shown", self.entities.client))
        };
        self.client = self.find_client().await?;
        self.client.clone().ok_or_else(hidden)
    }

    /// The id of the client: from the answer to its creation, or from the list.
    async fn find_client(&self) -> Result<Option<ClientId>, Failure> {
        if self.client.is_some() {
            return Ok(self.client.clone());
        }
        let list = self.call(&Call::clients()).await?;
        let is_ours = |client: &&Representation| {
            client.get("client_name").is_some_and(|name| *name == *self.entities.client)
        };
        Ok(entities::objects(&list).find(is_ours).and_then(entities::client_id))
    }

    async fn wait(&self) {
        if !self.lag.is_zero() {
            tokio::time::sleep(self.lag + self.lag / 10 + Duration::from_millis(100)).await;
        }
    }

    /// Sends a call. A refusal of the credentials ends the script.
    async fn call(&self, call: &Call<'_>) -> Result<ProbedExchange, Failure> {
        let exchange = self.probe.exchange(call).await.map_err(|error| match error.kind() {
            ErrorKind::AnswerLost | ErrorKind::Stopped => Failure::Failed(format!(
                "{error}\nRun the probe again: it first deactivates what this one has left"
            )),
            ErrorKind::Auth => refused(&error),
            ErrorKind::Untrusted
            | ErrorKind::OtherOrganization
            | ErrorKind::Forbidden
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::Invalid
            | ErrorKind::Terms
            | ErrorKind::Throttled
            | ErrorKind::Server
            | ErrorKind::Connection
            | ErrorKind::Malformed
            | ErrorKind::Refused => Failure::Call(error),
        })?;
        match exchange.status {
            403 => Err(refused(&exchange)),
            _ => Ok(exchange),
        }
    }

    /// Sends a call without which the script cannot go on.
    async fn done(&self, call: &Call<'_>) -> Result<ProbedExchange, Failure> {
        let exchange = self.call(call).await?;
        match exchange.is_success() {
            true => Ok(exchange),
            false => Err(Failure::Failed(format!("the probe cannot go on: {exchange}"))),
        }
    }

    /// Sends a call that deactivates, which may be refused for what is inactive.
    async fn retired(&self, call: &Call<'_>) -> Result<(), Failure> {
        let exchange = self.call(call).await?;
        match exchange.is_success() || matches!(exchange.status, 404 | 409) {
            true => Ok(()),
            false => Err(Failure::Failed(format!("it could not be deactivated: {exchange}"))),
        }
    }
}

/// The error of credentials that are refused.
fn refused(why: &impl Display) -> Failure {
    Failure::Failed(format!(
        "the credentials may not do what the probe needs: {why}\nGive the client the scopes \
         idporten:scopes.read, idporten:scopes.write, idporten:dcr.read and idporten:dcr.write, and run it again"
    ))
}

/// The pause after so many looks.
fn pause(looks: u32) -> Duration {
    Duration::from_millis(match looks {
        0..=6 => 250,
        7..=11 => 500,
        _ => 5_000,
    })
}

/// Milliseconds, in whole tenths of a second.
fn rounded(lag: Duration) -> u64 {
    u64::try_from(lag.as_millis().div_ceil(100) * 100).unwrap_or(u64::MAX)
}

fn object(value: Value) -> Option<Representation> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

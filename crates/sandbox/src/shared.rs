//! What the connections of one sandbox share.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::keys::SigningKey;
use super::writer::Signal;
use super::{Exchange, FaultRule, State, Switches};
use domain::Orgno;

/// The path of Skyporten's issuer below the sandbox's address.
pub(super) const SKYPORTEN_PATH: &str = "/skyporten";

pub(super) struct Shared {
    /// The issuer, with a trailing slash.
    pub(super) issuer: String,
    /// Skyporten's issuer, without one.
    pub(super) skyporten: String,
    pub(super) signing: Arc<SigningKey>,
    pub(super) signal: Signal,
    pub(super) tokens: Tokens,
    pub(super) faults: Mutex<Vec<FaultRule>>,
    /// `None` when nothing is to be recorded.
    pub(super) exchanges: Option<Mutex<Vec<Exchange>>>,
    kept: RwLock<Kept>,
    switches: RwLock<Switches>,
}

impl Shared {
    pub(super) fn new(
        issuer: String,
        signing: Arc<SigningKey>,
        state: State,
        switches: Switches,
        record: bool,
    ) -> Self {
        let skyporten = format!("{}{SKYPORTEN_PATH}", issuer.trim_end_matches('/'));
        Self {
            issuer,
            skyporten,
            signing,
            signal: Signal::default(),
            tokens: Tokens::default(),
            faults: Mutex::default(),
            exchanges: record.then(Mutex::default),
            kept: RwLock::new(Kept { now: state, former: VecDeque::new() }),
            switches: RwLock::new(switches),
        }
    }

    /// What there is now. Readers do not wait for each other.
    pub(super) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.kept.read().unwrap_or_else(PoisonError::into_inner).now)
    }

    /// What the endpoints that read show: what there was as long ago as the switch `read-lag` says.
    pub(super) fn shown<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        let lag = self.switches().read_lag();
        look(self.kept.read().unwrap_or_else(PoisonError::into_inner).before(lag))
    }

    /// Whatever `change` refuses it must not have changed.
    pub(super) fn change<T, E>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, E>,
    ) -> Result<T, E> {
        let lag = self.switches().read_lag();
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let before = (!lag.is_zero()).then(|| kept.now.clone());
        let outcome = change(&mut kept.now);
        if outcome.is_ok() {
            kept.keep(before, lag);
            self.signal.dirty();
        }
        outcome
    }

    pub(super) fn switches(&self) -> Switches {
        *self.switches.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_switches(&self, switches: Switches) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = switches;
    }
}

/// What there is, and what there was for as long as reads may lag behind.
struct Kept {
    now: State,
    /// Former states and when each ended, the oldest first.
    former: VecDeque<(Instant, State)>,
}

impl Kept {
    /// What there was that long ago, as far as it was kept.
    fn before(&self, lag: Duration) -> &State {
        let is_shown = |ended: &Instant| ended.elapsed() < lag;
        let former = self.former.iter().find(|(ended, _)| is_shown(ended));
        former.map_or(&self.now, |(_, state)| state)
    }

    /// Keeps a state that ends now, and forgets those that ended longer ago than reads lag behind.
    fn keep(&mut self, before: Option<State>, lag: Duration) {
        self.former.retain(|(ended, _)| ended.elapsed() < lag);
        self.former.extend(before.map(|state| (Instant::now(), state)));
    }
}

/// Locks, also after a panic elsewhere: what these locks guard is never left half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whom an access token stands for.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) orgno: Orgno,
    pub(super) scopes: Vec<String>,
}

/// The access tokens that live, and the grants that were used.
#[derive(Default)]
pub(super) struct Tokens {
    live: Mutex<HashMap<String, (Arc<Caller>, Instant)>>,
    used: Mutex<HashMap<String, Instant>>,
}

impl Tokens {
    pub(super) fn add(&self, token: String, caller: Caller, lifetime: Duration) {
        let now = Instant::now();
        let mut live = lock(&self.live);
        live.retain(|_, (_, end)| *end > now);
        // A lifetime beyond what the clock can hold never ends in practice.
        let end = now.checked_add(lifetime).unwrap_or(now + YEAR);
        live.insert(token, (Arc::new(caller), end));
    }

    pub(super) fn caller(&self, token: &str) -> Option<Arc<Caller>> {
        let live = lock(&self.live);
        let (caller, end) = live.get(token)?;
        (*end > Instant::now()).then(|| Arc::clone(caller))
    }

    pub(super) fn expire_all(&self) {
        lock(&self.live).clear();
    }

    /// Whether this is the first time that a client uses this `jti`. It is remembered for longer
    /// than any grant can live.
    pub(super) fn first_use(&self, client_id: &str, jti: &str) -> bool {
        let now = Instant::now();
        let mut used = lock(&self.used);
        used.retain(|_, end| *end > now);
        let grant = format!("{client_id} {jti}");
        used.insert(grant, now + Duration::from_secs(300)).is_none()
    }
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

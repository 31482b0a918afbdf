//! DigDir's oddities that no source settles, and knobs of the emulator itself.

use serde::{Deserialize, Serialize};

use super::SandboxError;

/// What can be switched while the sandbox runs. [`Switches::ALL`] tells what each one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "Switches::ALL documents them, once, for the command line too")]
pub struct Switches {
    pub empty_list_is_404: bool,
    pub denied_hidden: bool,
    pub prefix_with_colon: bool,
    pub nulls_for_absent: bool,
    pub inactive_access_refused: bool,
    pub put_keeps_omitted: bool,
    pub trims_text: bool,
    pub keys_keep_exp: bool,
    pub inactive_client_refused: bool,
    pub sync_delay: u64,
    pub read_lag: u64,
    pub latency: u64,
    pub token_lifetime: u64,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            empty_list_is_404: false,
            denied_hidden: false,
            prefix_with_colon: false,
            nulls_for_absent: false,
            inactive_access_refused: false,
            put_keeps_omitted: false,
            trims_text: false,
            keys_keep_exp: false,
            inactive_client_refused: false,
            sync_delay: 0,
            read_lag: 0,
            latency: 0,
            token_lifetime: 120,
        }
    }
}

impl Switches {
    /// Each switch's name on the command line, and what it does. A field has the same name with
    /// `_` for `-`.
    pub const ALL: [(&'static str, &'static str); 13] = [
        ("empty-list-is-404", "an empty list comes as a 404 that says 'does not have any'"),
        ("denied-hidden", "accesses that were taken away are listed only with inactive=true"),
        ("prefix-with-colon", "GET /prefix gives prefixes with a trailing colon"),
        ("nulls-for-absent", "fields without a value come as null instead of being left out"),
        ("inactive-access-refused", "an access to an inactive scope cannot be taken away: 409"),
        ("put-keeps-omitted", "a field that a PUT leaves out stays; an empty text takes it away"),
        ("trims-text", "texts lose white space at their ends, and are composed (Unicode NFC)"),
        ("keys-keep-exp", "a key that is registered again ends when it would have ended before"),
        ("inactive-client-refused", "the keys of an inactive client cannot be changed: 409"),
        ("sync-delay", "seconds until the token endpoint knows a new client or key (sync-delay=2)"),
        (
            "read-lag",
            "seconds by which what is read is older than what was written; writes see what is there \
             (read-lag=2)",
        ),
        ("latency", "milliseconds before each answer (latency=20)"),
        (
            "token-lifetime",
            "seconds that an access token lives if its client does not say (token-lifetime=120)",
        ),
    ];

    /// Sets one switch from `name`, `name=true`, `name=false` or `name=number`.
    ///
    /// # Errors
    /// [`SandboxError::Switch`] if there is no such switch or it does not take that value.
    pub fn set(&mut self, text: &str) -> Result<(), SandboxError> {
        let (name, value) = text.split_once('=').unwrap_or((text, "true"));
        let done = match name {
            "empty-list-is-404" => assign(&mut self.empty_list_is_404, value),
            "denied-hidden" => assign(&mut self.denied_hidden, value),
            "prefix-with-colon" => assign(&mut self.prefix_with_colon, value),
            "nulls-for-absent" => assign(&mut self.nulls_for_absent, value),
            "inactive-access-refused" => assign(&mut self.inactive_access_refused, value),
            "put-keeps-omitted" => assign(&mut self.put_keeps_omitted, value),
            "trims-text" => assign(&mut self.trims_text, value),
            "keys-keep-exp" => assign(&mut self.keys_keep_exp, value),
            "inactive-client-refused" => assign(&mut self.inactive_client_refused, value),
            "sync-delay" => assign(&mut self.sync_delay, value),
            "read-lag" => assign(&mut self.read_lag, value),
            "latency" => assign(&mut self.latency, value),
            "token-lifetime" => assign(&mut self.token_lifetime, value),
            _ => None,
        };
        done.ok_or_else(|| SandboxError::Switch { given: text.to_owned(), known: Self::help() })
    }

    /// All switches with what they do, a line each.
    pub fn help() -> String {
        Self::ALL.map(|(name, about)| format!("  {name:<24} {about}")).join("\n")
    }
}

fn assign<T: std::str::FromStr>(field: &mut T, value: &str) -> Option<()> {
    *field = value.parse().ok()?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_the_fields_and_the_setter_agree() {
        let fields = serde_json::to_value(Switches::default()).unwrap();
        assert_eq!(fields.as_object().unwrap().len(), Switches::ALL.len());
        for (name, _) in Switches::ALL {
            let field = &fields[name.replace('-', "_")];
            let value = if field.is_boolean() { "true" } else { "7" };
            let mut switches = Switches::default();
            switches.set(&format!("{name}={value}")).unwrap();
            let now = serde_json::to_value(switches).unwrap();
            assert_eq!(now[name.replace('-', "_")].to_string(), value, "{name}");
        }
    }

    #[test]
    fn an_unknown_switch_is_answered_with_the_list() {
        let mut switches = Switches::default();
        for text in ["colour", "latency", "denied-hidden=perhaps", "latency=-1"] {
            let error = switches.set(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("denied-hidden"));
        }
        assert_eq!(switches, Switches::default());
    }
}

//! Answers to the open questions about DigDir's API, and knobs of the emulator itself.

use std::time::Duration;

use domain::Behaviour;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SandboxError;

macro_rules! switches {
    (
        { $(#[doc = $about:literal] $knob:ident: $knob_type:ty = $usual:expr,)+ }
        $($(#[doc = $answer:literal])+ $name:ident: $type:ty = $assumed:expr,)+
    ) => {
        /// What can be switched while the sandbox runs. [`Switches::help`] documents each switch.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Switches {
            $($(#[doc = $answer])+ pub $name: $type,)+
            $(#[doc = $about] pub $knob: $knob_type,)+
        }

        impl Default for Switches {
            fn default() -> Self {
                Self { $($name: $assumed,)+ $($knob: $usual,)+ }
            }
        }

        impl Switches {
            /// Each field and its documentation.
            const FIELDS: &'static [(&'static str, &'static str)] = &[
                $((stringify!($name), concat!($($answer),+)),)+
                $((stringify!($knob), $about),)+
            ];

            /// These switches with the answers of `behaviour` where it has them.
            #[must_use]
            pub fn with(self, behaviour: Behaviour) -> Self {
                let Behaviour { $($name,)+ } = behaviour;
                Self { $($name: $name.unwrap_or(self.$name),)+ ..self }
            }
        }
    };
}
domain::behaviours! { switches {
    /// seconds until the token endpoint knows a new client or key (sync-delay=2)
    sync_delay: u64 = 0,
    /// milliseconds before each answer (latency=20)
    latency: u64 = 0,
    /// seconds that an access token lives if its client does not say (token-lifetime=120)
    token_lifetime: u64 = 120,
} }

impl Switches {
    /// Sets one switch from `name`, which means `name=true`, or `name=value`. A name is that of a
    /// field, with `-` for `_`.
    ///
    /// # Errors
    /// [`SandboxError::Switch`] if there is no such switch or it does not take that value.
    pub fn set(&mut self, text: &str) -> Result<(), SandboxError> {
        let (name, value) = text.split_once('=').unwrap_or((text, "true"));
        // A word such as `null` is JSON too.
        let values = [serde_json::from_str(value).ok(), Some(Value::from(value))];
        let changed = values.into_iter().flatten().find_map(|value| {
            let mut switches = serde_json::to_value(*self).ok()?;
            *switches.get_mut(name.replace('-', "_"))? = value;
            serde_json::from_value(switches).ok()
        });
        *self = changed
            .ok_or_else(|| SandboxError::Switch { actual: text.to_owned(), known: Self::help() })?;
        Ok(())
    }

    pub(super) fn read_lag(&self) -> Duration {
        Duration::from_millis(self.read_lag)
    }

    /// All switches with what they do, a line each.
    pub fn help() -> String {
        let line =
            |(field, about): &(&str, &str)| format!("  {:<24}{about}", field.replace('_', "-"));
        Self::FIELDS.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_switch_can_be_set() {
        let fields = serde_json::to_value(Switches::default()).unwrap();
        for (name, field) in fields.as_object().unwrap() {
            let value = match field {
                Value::Bool(value) => Value::from(!value),
                Value::String(_) if name == "no_keys" => Value::from("null"),
                Value::String(_) => Value::from("no-content"),
                _ => Value::from(7),
            };
            let text = value.as_str().map_or(value.to_string(), str::to_owned);
            let mut switches = Switches::default();
            switches.set(&format!("{}={text}", name.replace('_', "-"))).unwrap();
            assert_eq!(serde_json::to_value(switches).unwrap()[name], value);
        }
    }

    #[test]
    fn what_is_known_of_the_api_is_set_and_the_rest_stays() {
        let behaviour =
            Behaviour { denied_hidden: Some(true), read_lag: Some(3), ..Behaviour::default() };
        let switches = Switches { trims_text: true, ..Switches::default() }.with(behaviour);
        let wanted =
            Switches { denied_hidden: true, read_lag: 3, trims_text: true, ..Switches::default() };
        assert_eq!(switches, wanted);
    }

    #[test]
    fn an_unknown_switch_is_answered_with_the_list() {
        let mut switches = Switches::default();
        for text in ["colour", "latency", "denied-hidden=perhaps", "latency=-1", "latency=1.5"] {
            let error = switches.set(text).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("denied-hidden"));
        }
        assert_eq!(switches, Switches::default());
    }
}

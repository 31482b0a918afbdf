//! Open questions about DigDir's API: how it behaves where no source settles it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to `GET /clients/{id}/jwks` for a client without keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NoKeys {
    /// `{"keys": []}`.
    EmptySet,
    /// `{}`.
    EmptyObject,
    /// `{"keys": null}`.
    Null,
    /// 404.
    NotFound,
}

/// The answer to a write that was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WriteAnswer {
    /// As DigDir's description has it: 200 and the entity.
    Described,
    /// 201 and the entity.
    Created,
    /// 200 and an empty body.
    Empty,
    /// 204.
    NoContent,
}

/// The open questions, one entry each: the answer in words, its name, its type, and the answer that is
/// assumed until `portvakt probe` or DigDir settles it. `$callback` is the macro that gets the table,
/// after the tokens in the braces.
#[macro_export]
macro_rules! behaviours {
    ($callback:ident { $($declared:tt)* }) => { $callback! {
        { $($declared)* }
        /// an empty list is a 404 that says 'does not have any'
        empty_list_is_404: bool = false,
        /// accesses that were taken away are listed only with inactive=true
        denied_hidden: bool = false,
        /// GET /prefix gives prefixes with a trailing colon
        prefix_with_colon: bool = false,
        /// fields without a value are null instead of being left out
        nulls_for_absent: bool = false,
        /// an access to an inactive scope cannot be taken away: 409
        inactive_access_refused: bool = false,
        /// a field that a PUT leaves out stays; an empty text removes it
        put_keeps_omitted: bool = false,
        /// texts lose white space at their ends, and are composed (Unicode NFC)
        trims_text: bool = false,
        /// a key that is registered again expires when it would have expired before
        keys_keep_exp: bool = false,
        /// the keys of an inactive client cannot be changed: 409
        inactive_client_refused: bool = false,
        /// milliseconds by which reads are older than writes; writes see what is there (read-lag=2000)
        read_lag: u64 = 0,
        /// idporten:scopes.write alone may list the accesses of a scope
        write_lists_accesses: bool = false,
        /// GET /scopes/access/all lists the organisation's own scopes that nobody has granted to it
        own_scopes_listed: bool = false,
        /// a DELETE of what is inactive is refused: 409
        delete_inactive_refused: bool = false,
        /// the keys of a client that has none: empty-set, empty-object, null or not-found (404)
        no_keys: $crate::NoKeys = $crate::NoKeys::EmptySet,
        /// writes are answered by described (200 and the entity), created (201 and the entity),
        /// empty (200 and nothing) or no-content (204)
        write_answer: $crate::WriteAnswer = $crate::WriteAnswer::Described,
    } };
}

macro_rules! behaviour {
    ({} $($(#[doc = $answer:literal])+ $name:ident: $type:ty = $assumed:expr,)+) => {
        /// Answers to the open questions; `None` where nobody knows.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct Behaviour {
            $(
                #[doc = concat!("Whether, or how:", $($answer,)+ ".")]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<$type>,
            )+
        }

        impl Behaviour {
            /// The name of each question, with `-` for `_` on the command line, and its answer in words.
            pub const QUESTIONS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), concat!($($answer),+).trim_ascii()),)+];
        }
    };
}
behaviours! { behaviour {} }

/// The behaviour of the API at one address, as `portvakt probe` found it. The file's JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The version of this format: 1.
    pub format_version: u32,
    /// The address of the API, without the path.
    pub api: String,
    /// The time of the probe.
    #[schemars(with = "String")]
    pub probed_at: Timestamp,
    /// The answers.
    pub behaviour: Behaviour,
}

impl Profile {
    /// The version of the format that this program writes and reads.
    pub const FORMAT_VERSION: u32 = 1;
}

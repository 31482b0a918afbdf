//! Reading a mapping into its type: the keys that it may have, each read into its own type, and everything
//! that is wrong with them.

pub(crate) mod values;

use schemars::Schema;

use super::document::{Findings, parse};
use super::item::{mend_no_two_alike, missing, report_kind, unknown_key, unknown_word};
use super::optional::{Needed, Optional, Restriction};
use super::suggestions::{self, MAPPING};
use crate::declare::diagnostic::rule::Rule;
use crate::declare::diagnostic::suggest::nearest;
pub(crate) use values::{read_word, words};
use yaml::{Node, Span};

/// The keys that say who or what is declared, where, and what protects it.
const IDENTIFYING: [&str; 26] = [
    "action",
    "active",
    "client",
    "client_id",
    "cluster",
    "consumer",
    "consumers",
    "environments",
    "exclude",
    "group",
    "guards",
    "include",
    "integration_type",
    "nais",
    "name",
    "namespace",
    "organization",
    "orgno",
    "per_environment",
    "prefix",
    "prefixes",
    "prevent_deactivation",
    "previous_name",
    "protect",
    "scope",
    "target",
];

/// How many items of a list are reported as wrong.
const MOST_WRONG_ITEMS: usize = 50;

/// Reads an item of a file. Each error is reported at its place. Keys that are wrong are left out, so that
/// the rest can be checked too; `None` if nothing can be made of it.
///
/// Where all that is wrong is about keys that are not known, or that say nothing of who or what it is,
/// the findings hide nothing.
pub(crate) fn read<'d, T: Read<'d>>(at: &'d Node<'d>, findings: &mut Findings) -> Option<T> {
    let first = findings.list.len();
    let mut reader = TableReader::new(findings);
    let item = T::read(at, at.span(), &mut reader)?;
    if reader.is_identified {
        findings.hide_nothing(first);
    }
    Some(item)
}

/// Reads a document: whatever is wrong with its own keys may hide who or what is declared.
pub(crate) fn read_document<'d, T: Read<'d>>(
    at: &'d Node<'d>,
    findings: &mut Findings,
) -> Option<T> {
    T::read(at, at.span(), &mut TableReader::new(findings))
}

/// Reads an item that is of no use with anything wrong in it.
pub(crate) fn read_whole<'d, T: Read<'d>>(at: &'d Node<'d>, findings: &mut Findings) -> Option<T> {
    let before = findings.list.len();
    read(at, findings).filter(|_| findings.list.len() == before)
}

/// Reads a text that holds one item; `None` if anything is wrong with it.
pub(crate) fn read_text<T: for<'d> Read<'d>>(text: &str) -> Option<T> {
    let mut findings = Findings::new("".into());
    let documents = parse(text, &mut findings)?;
    read_whole(documents.first()?, &mut findings)
}

/// What was found so far while an item is read.
pub(crate) struct TableReader<'f> {
    pub(crate) findings: &'f mut Findings,
    /// The key of the item that is being read.
    outermost: Option<&'static str>,
    /// Whether nothing is wrong with what says who or what the item is.
    is_identified: bool,
    /// Whether a value may be a secret in the wrong place, not to be repeated.
    is_secret: bool,
}

impl<'f> TableReader<'f> {
    fn new(findings: &'f mut Findings) -> Self {
        Self { findings, outermost: None, is_identified: true, is_secret: false }
    }

    /// Reports a value that should be something else: nothing is read of it.
    pub(crate) fn wrong<T>(&mut self, at: &Node<'_>, expected: &str) -> Option<T> {
        let help = suggestions::value(&at.value, expected);
        self.wrong_with(at, expected, &help)
    }

    fn wrong_with<T>(&mut self, at: &Node<'_>, expected: &str, help: &str) -> Option<T> {
        if self.is_secret {
            return self.says(at, &format!("expected {expected}"));
        }
        report_kind(at, expected, help, self.findings);
        None
    }

    /// Reports a value with a message that says what to write.
    pub(crate) fn says<T>(&mut self, at: &Node<'_>, message: &str) -> Option<T> {
        self.findings.report(Rule::WrongValue, at.span(), message, "");
        None
    }

    /// Reports a word that is none of those that can stand there.
    pub(crate) fn unknown_word<T>(&mut self, span: Span, word: &str, known: &[&str]) -> Option<T> {
        unknown_word(word, span, known, self.findings);
        None
    }

    /// Reports keys that are no texts, which nothing reads. Tells whether there are some.
    pub(crate) fn refuses_keys(&mut self, at: &Node<'_>) -> bool {
        let is_odd =
            at.value.as_mapping().is_some_and(|it| it.keys().any(|key| !key.value.is_string()));
        if is_odd {
            let _: Option<()> = self.wrong(at, "keys that are texts");
            self.is_identified = false;
        }
        is_odd
    }

    fn doubts(&mut self, key: &str) {
        self.is_identified &= !IDENTIFYING.contains(&self.outermost.unwrap_or(key));
    }
}

/// A value of the YAML.
pub(crate) trait Read<'d>: Sized {
    /// The keys that it may have, if it is a mapping with known keys.
    const KEYS: &'static [&'static str] = &[];
    /// Whether nothing behind a key is a value of it.
    const TAKES_NOTHING: bool = false;

    /// Reads a value that stands under a key; what is wrong with it is reported. `None` if nothing can be
    /// made of it.
    fn read(at: &'d Node<'d>, key: Span, reader: &mut TableReader<'_>) -> Option<Self>;
}

/// A key of a mapping, with what may be left out.
pub(crate) trait Member<'d>: Sized {
    /// Whether the key must be there.
    const IS_REQUIRED: bool;

    /// Reads what is under the key; `None` if the mapping is of no use without it.
    fn field(table: &mut Table<'d, '_, '_>, key: &'static str) -> Option<Self>;
}

/// A mapping that is being read.
pub(crate) struct Table<'d, 'r, 'f> {
    at: &'d Node<'d>,
    /// The key that it stands under, or else itself.
    key: Span,
    reader: &'r mut TableReader<'f>,
    unknown: Vec<&'d str>,
    /// Keys that a misspelt one was probably meant to be.
    meant: Vec<&'static str>,
    /// The one finding about a key of which nothing is known, if there is just one.
    strange: Option<usize>,
    /// The keys that must be there and are not.
    missing: Vec<&'static str>,
}

impl<'d, 'r, 'f> Table<'d, 'r, 'f> {
    /// Begins to read a mapping; reports what is none, and the keys that are not known. `like` is an
    /// example of one, with `{}` for a value that was given in its place.
    pub(crate) fn open(
        at: &'d Node<'d>,
        key: Span,
        known: &'static [&'static str],
        like: &str,
        reader: &'r mut TableReader<'f>,
    ) -> Option<Self> {
        // With nothing behind it, it lacks all that must be there.
        if !at.value.is_mapping() && !at.value.is_null() {
            let help = suggestions::mapping(&at.value, like);
            let help = help.unwrap_or_else(|| suggestions::value(&at.value, MAPPING));
            return reader.wrong_with(at, MAPPING, &help);
        }
        let mut table = Self {
            at,
            key,
            reader,
            unknown: Vec::new(),
            meant: Vec::new(),
            strange: None,
            missing: Vec::new(),
        };
        table.check_keys(known);
        Some(table)
    }

    fn check_keys(&mut self, known: &'static [&'static str]) {
        let Self { at, reader, .. } = self;
        reader.refuses_keys(at);
        let unknown: Vec<&str> =
            at.entries().map(|(key, _)| key).filter(|key| !known.contains(key)).collect();
        if unknown.is_empty() {
            return;
        }
        let first = reader.findings.list.len();
        for key in &unknown {
            let meant =
                suggestions::head(key, known).or_else(|| nearest(key, known.iter().copied()));
            self.meant.extend(meant);
            unknown_key(key, known, at, reader.findings);
        }
        mend_no_two_alike(&mut reader.findings.list[first..]);
        let nothing = suggestions::known(known);
        let all = reader.findings.list.iter().enumerate().skip(first);
        let mut strange = all.filter(|(_, found)| found.help.as_ref() == Some(&nothing));
        self.strange = strange.next().map(|(index, _)| index).filter(|_| strange.next().is_none());
        for key in unknown.iter().chain(&self.meant) {
            reader.is_identified &= !IDENTIFYING.contains(key);
            reader.doubts(key);
        }
        self.unknown = unknown;
    }

    fn is_misspelt(&self, key: &str) -> bool {
        self.unknown.iter().any(|unknown| nearest(unknown, [key]).is_some())
    }

    fn missing<T>(&mut self, key: &'static str) -> Option<T> {
        self.reader.doubts(key);
        if !self.meant.contains(&key) {
            self.missing.push(key);
        }
        None
    }

    /// Reports the keys that are missing, the only one as what the only key of which nothing is known was
    /// meant to be.
    pub(crate) fn done(self) {
        let findings = &mut self.reader.findings;
        let strange = self.strange.and_then(|index| findings.list.get_mut(index));
        match (strange, self.missing.as_slice()) {
            (Some(strange), [key]) => {
                strange.help = Some(format!("did you mean `{key}`? That is missing here"));
            }
            (_, all) => all.iter().for_each(|key| missing(key, self.key, findings)),
        }
    }

    /// Reads a value that is under a key.
    fn value<T: Read<'d>>(&mut self, key: &'static str, at: &'d Node<'d>) -> Option<T> {
        let outer = self.reader.outermost;
        self.reader.outermost = outer.or(Some(key));
        let was_secret = self.reader.is_secret;
        self.reader.is_secret |= key == "credentials";
        let before = self.reader.findings.list.len();
        let value = T::read(at, self.at.key_span(key), self.reader);
        if self.reader.findings.list.len() > before {
            self.reader.doubts(key);
        }
        self.reader.outermost = outer;
        self.reader.is_secret = was_secret;
        value
    }
}

impl<'d, T: Read<'d>> Member<'d> for T {
    const IS_REQUIRED: bool = true;

    fn field(table: &mut Table<'d, '_, '_>, key: &'static str) -> Option<Self> {
        Needed::field(table, key)?.0
    }
}

impl<'d, T: Read<'d>> Member<'d> for Optional<T> {
    const IS_REQUIRED: bool = false;

    fn field(table: &mut Table<'d, '_, '_>, key: &'static str) -> Option<Self> {
        let Some(at) = table.at.get(key) else { return Some(Self(None)) };
        if at.value.is_null() {
            table.reader.doubts(key);
            let message = "found nothing behind this key: write a value, or leave the key out";
            let _: Option<()> = table.reader.says(at, message);
            if !T::TAKES_NOTHING {
                return Some(Self(None));
            }
        }
        Some(Self(table.value(key, at)))
    }
}

impl<'d, T: Read<'d>> Member<'d> for Restriction<T> {
    const IS_REQUIRED: bool = false;

    fn field(table: &mut Table<'d, '_, '_>, key: &'static str) -> Option<Self> {
        let Optional(value) = Optional::field(table, key)?;
        let is_unclear = || table.at.get(key).is_some() || table.is_misspelt(key);
        Some(match value {
            Some(value) => Self::To(value),
            None if is_unclear() => Self::Unclear,
            None => Self::None,
        })
    }
}

impl<'d, T: Read<'d>> Member<'d> for Needed<T> {
    const IS_REQUIRED: bool = true;

    fn field(table: &mut Table<'d, '_, '_>, key: &'static str) -> Option<Self> {
        let value = match table.at.get(key) {
            Some(value) => table.value(key, value),
            None => table.missing(key),
        };
        Some(Self(value))
    }
}

impl<'d, T: Read<'d>> Member<'d> for Option<T> {
    const IS_REQUIRED: bool = false;

    fn field(table: &mut Table<'d, '_, '_>, key: &'static str) -> Option<Self> {
        let at = table.at.get(key).filter(|at| T::TAKES_NOTHING || !at.value.is_null());
        Some(at.and_then(|at| table.value(key, at)))
    }
}

/// Makes a schema require the keys that must be there, of all that a table has.
pub(crate) fn requires(keys: &[(&'static str, bool)]) -> impl FnMut(&mut Schema) {
    let required: Vec<_> = keys.iter().filter(|(_, must)| *must).map(|(key, _)| *key).collect();
    move |schema| {
        schema.remove("required");
        if !required.is_empty() {
            schema.insert("required".to_owned(), required.clone().into());
        }
    }
}

/// Defines a type that a mapping is read into, key by key, and its JSON Schema. `like` is an example of the
/// mapping for messages, with `{}` for the value that was given in its place.
macro_rules! table {
    (
        $(@like $like:literal)?
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(<$life:lifetime>)? {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)*
        }
    ) => {
        #[derive(Debug, Clone, schemars::JsonSchema)]
        $(#[$meta])*
        #[serde(deny_unknown_fields)]
        #[schemars(transform = $crate::declare::yaml::table::requires(&[
            $((stringify!($field), <$type as $crate::declare::yaml::table::Member>::IS_REQUIRED)),*
        ]))]
        $vis struct $name $(<$life>)? {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl<'d> $crate::declare::yaml::table::Read<'d> for $name $(<$life>)? {
            const KEYS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn read(
                at: &'d ::yaml::Node<'d>,
                key: ::yaml::Span,
                reader: &mut $crate::declare::yaml::table::TableReader<'_>,
            ) -> Option<Self> {
                let like = concat!($($like)?);
                let mut table =
                    $crate::declare::yaml::table::Table::open(at, key, Self::KEYS, like, reader)?;
                $(let $field =
                    $crate::declare::yaml::table::Member::field(&mut table, stringify!($field));)*
                table.done();
                Some(Self { $($field: $field?,)* })
            }
        }
    };
}
pub(crate) use table;

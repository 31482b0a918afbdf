//! Writes YAML as a person would: blocks for long values, one line for short ones, and quotes only where a
//! reader of YAML 1.1 or 1.2 could understand something else.

use serde_json::Value;

use crate::scalar::{quoted, scalar};

/// Longest line before a list or a mapping gets lines of its own.
const WIDTH: usize = 100;

/// A value to write.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// A text, quoted where it must be.
    Text(String),
    /// A text that is always quoted, such as a number that is a name.
    Quoted(String),
    /// A value that is not a text: a number, `true`.
    Word(String),
    /// A list, on one line if it fits there.
    List(Vec<Yaml>),
    /// A list with a line for each item.
    Lines(Vec<Yaml>),
    /// A mapping, on one line if it fits there.
    Map(YamlEntries),
    /// A mapping with a line for each key.
    Block(YamlEntries),
}

/// The keys of a mapping with their values.
pub type YamlEntries = Vec<(String, Yaml)>;

impl Yaml {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// On one line of at most that many characters; scalars and empty values always fit.
    fn inline(&self, width: usize) -> Option<String> {
        match self {
            Self::Text(_) | Self::Quoted(_) | Self::Word(_) => Some(self.scalar(false)),
            Self::List(_) | Self::Lines(_) | Self::Map(_) | Self::Block(_) => {
                self.flow().filter(|text| text.chars().count() <= width.max("[]".len()))
            }
        }
    }

    /// On one line of any length; `None` where a part requires lines of its own.
    pub fn flow(&self) -> Option<String> {
        match self {
            Self::Text(_) | Self::Quoted(_) | Self::Word(_) => Some(self.scalar(true)),
            Self::List(items) => {
                let items: Option<Vec<_>> = items.iter().map(Self::flow).collect();
                Some(format!("[{}]", items?.join(", ")))
            }
            Self::Map(entries) if entries.is_empty() => Some("{}".to_owned()),
            Self::Map(entries) => {
                let entry = |(key, value): &(String, Self)| {
                    Some(format!("{}: {}", scalar(key, true), value.flow()?))
                };
                let entries: Option<Vec<_>> = entries.iter().map(entry).collect();
                Some(format!("{{ {} }}", entries?.join(", ")))
            }
            Self::Lines(items) => items.is_empty().then(|| "[]".to_owned()),
            Self::Block(entries) => entries.is_empty().then(|| "{}".to_owned()),
        }
    }

    fn scalar(&self, in_flow: bool) -> String {
        match self {
            Self::Text(text) => scalar(text, in_flow),
            Self::Quoted(text) => quoted(text),
            Self::Word(word) => word.clone(),
            Self::List(_) | Self::Lines(_) | Self::Map(_) | Self::Block(_) => String::new(),
        }
    }

    /// On lines of its own.
    fn block(&self, indent: usize, out: &mut String) {
        match self {
            Self::List(items) | Self::Lines(items) => {
                for item in items {
                    write_item(item, indent, out);
                }
            }
            Self::Map(entries) | Self::Block(entries) => {
                for (key, value) in entries {
                    write_entry(key, value, indent, out);
                }
            }
            Self::Text(_) | Self::Quoted(_) | Self::Word(_) => {
                out.push_str(&format!("{:indent$}{}\n", "", self.scalar(false)));
            }
        }
    }
}

impl From<&Value> for Yaml {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Word("null".to_owned()),
            Value::Bool(value) => Self::Word(value.to_string()),
            Value::Number(number) => Self::Word(number.to_string()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::Map(members.iter().map(|(key, value)| (key.clone(), value.into())).collect())
            }
        }
    }
}

impl From<&Yaml> for serde_yaml::Value {
    fn from(value: &Yaml) -> Self {
        match value {
            Yaml::Text(text) | Yaml::Quoted(text) => text.as_str().into(),
            Yaml::Word(word) => serde_yaml::from_str(word).unwrap_or_default(),
            Yaml::List(items) | Yaml::Lines(items) => items.iter().map(Self::from).collect(),
            Yaml::Map(entries) | Yaml::Block(entries) => {
                let entry =
                    |(key, value): &(String, Yaml)| (Self::from(key.as_str()), value.into());
                Self::Mapping(entries.iter().map(entry).collect())
            }
        }
    }
}

/// Writes a key and its value, each line indented by that many spaces.
pub fn write_entry(key: &str, value: &Yaml, indent: usize, out: &mut String) {
    let head = format!("{:indent$}{}:", "", scalar(key, false));
    let left = WIDTH.saturating_sub(head.chars().count() + 1);
    match value.inline(left) {
        Some(text) => out.push_str(&format!("{head} {text}\n")),
        None => {
            out.push_str(&head);
            out.push('\n');
            value.block(indent + 2, out);
        }
    }
}

/// Writes an item of a list.
pub fn write_item(item: &Yaml, indent: usize, out: &mut String) {
    if let Some(text) = item.inline(WIDTH.saturating_sub(indent + 2)) {
        out.push_str(&format!("{:indent$}- {text}\n", ""));
        return;
    }
    let mut lines = String::new();
    item.block(indent + 2, &mut lines);
    // The dash replaces the last two spaces of the first line's indentation.
    let rest = lines.get(indent + 2..).unwrap_or_default();
    out.push_str(&format!("{:indent$}- {rest}", ""));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> serde_yaml::Value {
        serde_yaml::from_str(text).unwrap()
    }

    #[test]
    fn plain_where_it_is_safe_alone() {
        for (text, written) in [
            ("Les arbeidsforhold", "Les arbeidsforhold"),
            ("etat:arbeid:aareg.read", "etat:arbeid:aareg.read"),
            ("Søk, og les (alt) #1", "\"Søk, og les (alt) #1\""),
            ("Søk, og les (alt)#1", "Søk, og les (alt)#1"),
            ("no", "\"no\""),
            ("NO", "\"NO\""),
            ("1e3", "\"1e3\""),
            ("2020-01-01", "\"2020-01-01\""),
            ("0889640782", "\"0889640782\""),
            ("", "\"\""),
            (" a", "\" a\""),
            ("a ", "\"a \""),
            ("a: b", "\"a: b\""),
            ("a:", "\"a:\""),
            ("si \"hei\"", "si \"hei\""),
            ("\"hei\" og 'hallo'", "'\"hei\" og ''hallo'''"),
            ("- a", "\"- a\""),
            ("a\nb\u{202e}c\u{e0041}\u{7}", "\"a\\nb\\u202ec\\U000e0041\\x07\""),
        ] {
            assert_eq!(scalar(text, false), written);
        }
        assert_eq!(scalar("a, b", true), "\"a, b\"");
    }

    #[test]
    fn what_is_short_is_on_one_line() {
        let short = Yaml::List(vec![Yaml::text("a"), Yaml::Quoted("1".into())]);
        let long = Yaml::List((0..30).map(|n| Yaml::text(format!("scope-{n}"))).collect());
        let entity = Yaml::Block(vec![
            ("name".to_owned(), Yaml::text("x")),
            ("short".to_owned(), short.clone()),
            ("lines".to_owned(), Yaml::Lines(vec![Yaml::text("a")])),
            ("map".to_owned(), Yaml::Map(vec![("b".to_owned(), short)])),
        ]);
        let mut out = String::new();
        write_entry("list", &Yaml::Lines(vec![entity, Yaml::text("c")]), 0, &mut out);
        assert_eq!(
            out,
            "list:\n  - name: x\n    short: [a, \"1\"]\n    lines:\n      - a\n    map: { b: [a, \"1\"] }\n  - c\n"
        );
        let mut out = String::new();
        write_entry("long", &long, 2, &mut out);
        assert!(out.starts_with("  long:\n    - scope-0\n    - scope-1\n"), "{out}");
    }

    /// Texts that are hard to write: words and signs of YAML, and anything else.
    pub(crate) fn hostile() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            ": ",
            " #",
            "#",
            "'",
            "\"",
            "\\",
            "\n",
            "\r\n",
            "\t",
            " ",
            "---",
            "...",
            "- ",
            "? ",
            "<<",
            "&a",
            "*a",
            "!tag",
            "%YAML",
            "@",
            "`",
            "|",
            ">",
            "{",
            "}",
            "[",
            "]",
            ",",
            "yes",
            "null",
            "~",
            "1e3",
            "0x1f",
            "2020-01-01",
            "12:30:45",
            ".inf",
            "\u{202e}",
            "\u{feff}",
            "\u{85}",
            "\u{2028}",
            "\u{0}",
            "\u{1b}[2J",
            "\u{fffe}",
            "🙂",
            "æøå",
            "a",
            "portvakt:",
            "\u{a0}",
            "\u{e0041}",
            "\u{10ffff}",
            "::",
            "=",
        ]);
        prop_oneof![
            3 => prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()),
            1 => any::<String>(),
        ]
    }

    proptest! {
        #[test]
        fn every_reader_reads_what_was_written(text in hostile(), key in hostile()) {
            let item = |text: &str| Yaml::Text(text.to_owned());
            let value = Yaml::Block(vec![
                ("a".to_owned(), item(&text)),
                ("b".to_owned(), Yaml::List(vec![item(&text), item(&key)])),
                ("c".to_owned(), Yaml::Lines(vec![item(&text), Yaml::Map(vec![(key.clone(), item(&text))])])),
                ("d".to_owned(), Yaml::Block(vec![(key.clone(), item(&text))])),
            ]);
            let mut written = String::new();
            value.block(0, &mut written);
            let text = serde_yaml::Value::from(text);
            let key = serde_yaml::Value::from(key);
            let mapping = serde_yaml::Mapping::from_iter([(key.clone(), text.clone())]);
            let read = read(&written);
            prop_assert_eq!(&read["a"], &text);
            prop_assert_eq!(&read["b"][0], &text);
            prop_assert_eq!(&read["b"][1], &key);
            prop_assert_eq!(&read["c"][0], &text);
            prop_assert_eq!(read["c"][1].as_mapping(), Some(&mapping));
            prop_assert_eq!(read["d"].as_mapping(), Some(&mapping));
            // The other reader.
            let mut parser = saphyr_parser::Parser::new_from_str(&written);
            let mut scalars = Vec::new();
            while let Some(event) = parser.next_event() {
                if let saphyr_parser::Event::Scalar(text, ..) = event.unwrap().0 {
                    scalars.push(text.into_owned());
                }
            }
            let (text, key) = (text.as_str().unwrap(), key.as_str().unwrap());
            prop_assert_eq!(scalars, ["a", text, "b", text, key, "c", text, key, text, "d", key, text]);
        }
    }
}

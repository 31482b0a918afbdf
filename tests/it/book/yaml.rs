//! docs/yaml.md: the keys of the YAML files, from the schemas, and the attributes, from their tables.
//! `UPDATE_DOCS=1 cargo test --test it book::yaml` writes it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::path::Path;

use domain::{AtNais, Attribute, CLIENT, SCOPE};
use serde_json::{Map, Value};

use crate::readme::ROOT;

/// The line below which the page is made by this test.
const GENERATED: &str =
    "<!-- What follows is made by UPDATE_DOCS=1 cargo test --test it book::yaml -->\n";

/// The sections of one schema, found from its root on.
struct Reference {
    definitions: Map<String, Value>,
    /// The path by which each mapping was found first.
    paths: BTreeMap<String, String>,
    open: VecDeque<String>,
}

impl Reference {
    fn of(schema: &str, title: &str) -> String {
        let path = Path::new(ROOT).join("schema").join(schema);
        let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let definitions = schema["$defs"].as_object().unwrap().clone();
        let mut reference = Self { definitions, paths: BTreeMap::new(), open: VecDeque::new() };
        let mut text = format!("## {title}\n\n{}\n\n", line(&schema["description"]));
        text.push_str(&reference.table(&schema, ""));
        while let Some(name) = reference.open.pop_front() {
            let definition = reference.definitions[&name].clone();
            let path = reference.paths[&name].clone();
            let _ = write!(
                text,
                "\n### {}\n\n{}\n\n",
                heading(&path),
                line(&definition["description"])
            );
            text.push_str(&reference.table(&definition, &path));
        }
        text
    }

    /// The keys of a mapping. Where it changes what other mappings have, attributes are only named.
    fn table(&mut self, schema: &Value, path: &str) -> String {
        let is_layer = path.starts_with("defaults.") || path.ends_with(".per_environment.NAME");
        let attributes = match is_layer {
            true => attributes_of(path),
            false => Vec::new(),
        };
        let keys = schema["properties"].as_object().unwrap();
        let is_attribute = |key: &str| attributes.iter().any(|attribute| attribute.name == key);
        let named: Vec<_> =
            keys.keys().filter(|key| is_attribute(key)).map(|key| format!("`{key}`")).collect();
        let mut text = String::new();
        if !named.is_empty() {
            let _ = writeln!(text, "The [attributes](#attributes) {}.", named.join(", "));
        }
        let keys: Vec<_> = keys.iter().filter(|(key, _)| !is_attribute(key)).collect();
        if !keys.is_empty() {
            let separator = if named.is_empty() { "" } else { "\n" };
            let _ = write!(text, "{separator}{}", self.rows(schema, &keys, path));
        }
        text
    }

    fn rows(&mut self, schema: &Value, keys: &[(&String, &Value)], path: &str) -> String {
        let mut table = "| key | value | default | meaning |\n|---|---|---|---|\n".to_owned();
        let required = |key: &str| {
            schema["required"].as_array().is_some_and(|keys| keys.iter().any(|one| one == key))
        };
        for (key, value) in keys {
            let below = if path.is_empty() { (*key).clone() } else { format!("{path}.{key}") };
            let text = line(&value["description"]);
            let (meaning, default) = text.split_once("Default: ").unwrap_or((&text, ""));
            let default = match required(key) {
                true => "required",
                false => default.trim_end_matches('.'),
            };
            let values = self.values(value, &below);
            let _ = writeln!(table, "| `{key}` | {values} | {default} | {} |", meaning.trim());
        }
        table
    }

    /// The values that a schema allows, in words.
    fn values(&mut self, schema: &Value, path: &str) -> String {
        if let Some(name) = schema["$ref"].as_str() {
            return self.named(name.trim_start_matches("#/$defs/"), path);
        }
        let several = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
        if let Some(variants) = several {
            let is_null = |variant: &&Value| variant["type"] == "null";
            let variants: Vec<_> = variants.iter().filter(|variant| !is_null(variant)).collect();
            let words: Vec<_> = variants.iter().map(|variant| self.values(variant, path)).collect();
            return words.join(if variants.iter().all(|one| one["const"].is_string()) {
                ", "
            } else {
                " or "
            });
        }
        if let Some(word) = schema["const"].as_str() {
            return format!("`{word}`");
        }
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<_> =
                words.iter().map(|word| format!("`{}`", word.as_str().unwrap())).collect();
            return words.join(", ");
        }
        let types = &schema["type"];
        let has = |name: &str| {
            types == name || types.as_array().is_some_and(|all| all.iter().any(|one| one == name))
        };
        if has("array") {
            return format!("list of {}", self.values(&schema["items"], &format!("{path}[]")));
        }
        if let Some(keys) = schema["properties"].as_object() {
            let keys: Vec<_> = keys.keys().map(|key| format!("{key}: …")).collect();
            return format!("`{{ {} }}`", keys.join(", "));
        }
        if schema["additionalProperties"].is_object() {
            let below = self.values(&schema["additionalProperties"], &format!("{path}.NAME"));
            return format!("by name, {below}");
        }
        match () {
            () if has("object") => "mapping".to_owned(),
            () if has("integer") => "number".to_owned(),
            () if has("boolean") => "`true` or `false`".to_owned(),
            () if has("string") => "text".to_owned(),
            () => panic!("{path}: {schema}"),
        }
    }

    /// The same for a type with a name: a mapping has a section of its own.
    fn named(&mut self, name: &str, path: &str) -> String {
        let definition = self.definitions[name].clone();
        if !definition["properties"].is_object() {
            return self.values(&definition, path);
        }
        let path = match self.paths.get(name) {
            Some(path) => path.clone(),
            None => {
                let is_taken =
                    self.paths.values().any(|other| other.split(' ').next() == Some(path));
                let first = definition["required"][0].as_str();
                let path = match (is_taken, first) {
                    (true, Some(key)) => format!("{path} with {key}"),
                    _ => path.to_owned(),
                };
                self.paths.insert(name.to_owned(), path.clone());
                self.open.push_back(name.to_owned());
                path
            }
        };
        let heading = heading(&path);
        format!("[{heading}](#{})", anchor(&heading))
    }
}

/// The attributes that a mapping may change: a scope's or a client's.
fn attributes_of(path: &str) -> Vec<&'static Attribute> {
    match path.contains("client") {
        true => CLIENT.all().to_vec(),
        false => SCOPE.all().to_vec(),
    }
}

/// The path of a mapping as a heading.
fn heading(path: &str) -> String {
    match path.split_once(" with ") {
        Some((path, key)) => format!("`{path}` with `{key}`"),
        None => format!("`{path}`"),
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// A description in one line of a table.
fn line(text: &Value) -> String {
    let words: Vec<_> = text.as_str().unwrap_or_default().split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}

/// Each attribute with its default, what a wider value means, and whether a NAIS manifest can have it.
fn attributes(title: &str, attributes: &[&Attribute]) -> String {
    let mut table = format!(
        "### {title}\n\n| attribute | default | what a wider value means | in a NAIS manifest |\n|---|---|---|---|\n"
    );
    for attribute in attributes {
        let documentation =
            attribute.documentation.split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, default) = documentation.split_once("Default: ").expect("a default is documented");
        let wider = attribute.widening.map_or("", |widening| widening.remark);
        let at_nais = match attribute.at_nais {
            AtNais::Carried => "yes",
            AtNais::Lost(_) | AtNais::Refused(_) => "no: it prevents a hand-over",
            AtNais::Replaced(_) => "no: NAIS sets its own value",
        };
        let _ = writeln!(
            table,
            "| `{}` | {} | {wider} | {at_nais} |",
            attribute.name,
            default.trim_end_matches('.'),
        );
    }
    table
}

#[test]
fn the_page_on_the_yaml_is_current() {
    let path = Path::new(ROOT).join("docs/yaml.md");
    let committed = std::fs::read_to_string(&path).unwrap();
    let (written, _) = committed.split_once(GENERATED).expect("the line is there");
    let wanted = format!(
        "{written}{GENERATED}\n## Attributes\n\n{}\n{}\n{}\n{}",
        attributes("Of a scope", &SCOPE.all()),
        attributes("Of a client", &CLIENT.all()),
        Reference::of("portvakt.schema.json", "portvakt.yaml"),
        Reference::of("declarations.schema.json", "Declarations"),
    );
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(committed == wanted, "{}: UPDATE_DOCS=1 cargo test", path.display());
}

//! The JSON Schema of the YAML, made from the very types that read it.

use serde_json::Value;

use crate::declare::read::declarations_file::Declarations;
use crate::declare::read::settings_file::SettingsFile;

/// The schema of portvakt.yaml.
pub fn settings() -> Value {
    let mut schema = schemars::schema_for!(SettingsFile<'_>);
    schema.insert("title".into(), "portvakt.yaml".into());
    schema.to_value()
}

/// The schema of a document with declarations.
pub fn declarations() -> Value {
    let mut schema = schemars::schema_for!(Declarations<'_>);
    schema.insert("title".into(), "Declarations for portvakt".into());
    schema.to_value()
}

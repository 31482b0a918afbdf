//! YAML as a person would write it: texts as scalars, values as blocks or on one line.

mod printer;
mod scalar;

pub use printer::{Yaml, YamlEntries, write_entry, write_item};
pub use scalar::{is_plain, quoted, scalar};

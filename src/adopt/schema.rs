//! Location of the JSON Schema of declarations, for the first line of a file.

use crate::declare::Files;

/// The location that the README suggests.
pub(super) const USUAL: &str = ".schema/declarations.json";

const MARK: &str = "# yaml-language-server: $schema=";

/// The location of the schema in the repository's files: a URL, or a path from its root; the usual one where
/// no file has one.
pub fn schema(files: &Files) -> String {
    let named = files.yaml.iter().filter_map(|(path, bytes)| {
        let text = std::str::from_utf8(bytes).ok()?;
        let written = text.lines().next()?.strip_prefix(MARK)?.trim();
        let is_sound = !written.is_empty() && !written.contains(|c: char| c.is_control());
        is_sound.then(|| from_root(path, written))
    });
    named.into_iter().next().unwrap_or_else(|| USUAL.to_owned())
}

/// The target of a file's path, from the root of the repository.
fn from_root(file: &str, written: &str) -> String {
    if written.contains("://") || written.starts_with('/') {
        return written.to_owned();
    }
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in written.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            (part, _) => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema_of(files: &[(&str, &str)]) -> String {
        let yaml = files.iter().map(|(path, text)| ((*path).into(), text.as_bytes().to_vec()));
        schema(&Files { settings: Vec::new(), yaml: yaml.collect() })
    }

    #[test]
    fn the_schema_is_where_the_other_files_say() {
        let line = |path| format!("# yaml-language-server: $schema={path}\nscopes: []\n");
        assert_eq!(schema_of(&[("a.yaml", "scopes: []\n")]), USUAL);
        assert_eq!(schema_of(&[("b/c/a.yaml", &line("../../x/y.json"))]), "x/y.json");
        assert_eq!(schema_of(&[("b/a.yaml", &line("../../x/y.json"))]), "../x/y.json");
        assert_eq!(schema_of(&[("b/a.yaml", &line("https://x/y"))]), "https://x/y");
    }
}

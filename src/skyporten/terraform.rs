//! Terraform's JSON syntax (<https://developer.hashicorp.com/terraform/language/syntax/json>).

use super::{Value, json, pretty};

/// A resource, or a data source.
#[derive(Debug)]
pub(super) struct TerraformResource {
    /// `resource` or `data`.
    block: &'static str,
    kind: &'static str,
    label: String,
    body: Value,
}

impl TerraformResource {
    /// A resource; the texts of its body are [`text`]s and references.
    pub(super) fn new(kind: &'static str, name: &str, body: Value) -> Self {
        Self { block: "resource", kind, label: label(name), body }
    }

    /// A data source.
    pub(super) fn data(kind: &'static str, name: &str, body: Value) -> Self {
        Self { block: "data", ..Self::new(kind, name, body) }
    }
}

/// The label of a resource, which begins with a letter or `_`. Two names have two labels: one that begins with `_`
/// gets another.
pub(super) fn label(name: &str) -> String {
    match name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => name.to_owned(),
        false => format!("_{name}"),
    }
}

/// A text that Terraform does not read as a template.
pub(super) fn text(text: &str) -> Value {
    json!(text.replace("${", "$${").replace("%{", "%%{"))
}

/// A list of such texts.
pub(super) fn texts<'t>(items: impl IntoIterator<Item = &'t String>) -> Value {
    Value::Array(items.into_iter().map(|item| text(item)).collect())
}

/// A file with resources, and with comments, which Terraform ignores under the key `//`.
pub(super) fn document(comments: &[String], resources: Vec<TerraformResource>) -> String {
    let mut root = json!({ "//": comments });
    for TerraformResource { block, kind, label, body } in resources {
        let place = &mut root[block][kind][label];
        // Terraform refuses a list of two as the same resource twice; an overwritten one it would not miss.
        *place = match place.take() {
            Value::Null => body,
            first => json!([first, body]),
        };
    }
    pretty(&root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_have_one_label() {
        let names = ["9les", "_9les", "__9les", "-les", "_-les", "les"];
        let resource = |name: &&str| TerraformResource::new("aws_iam_role", name, json!({}));
        let document = document(&[], names.iter().map(resource).collect());
        let document: Value = serde_json::from_str(&document).unwrap();
        let labels = document["resource"]["aws_iam_role"].as_object().unwrap();
        assert_eq!(labels.len(), names.len(), "{labels:?}");
        let begins = |label: &String| label.starts_with(|c: char| c.is_alphabetic() || c == '_');
        assert!(labels.keys().all(begins), "{labels:?}");
    }

    #[test]
    fn no_resource_overwrites_another() {
        let resource =
            |number| TerraformResource::new("aws_iam_role", "les", json!({ "n": number }));
        let document = document(&[], vec![resource(1), resource(2)]);
        let document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["resource"]["aws_iam_role"]["les"], json!([{ "n": 1 }, { "n": 2 }]));
    }

    #[test]
    fn texts_are_no_templates() {
        for (plain, expected) in [
            ("etat:les", "etat:les"),
            ("${path.module}", "$${path.module}"),
            ("$${a}", "$$${a}"),
            ("%{if true}%", "%%{if true}%"),
            ("100 % $5", "100 % $5"),
        ] {
            assert_eq!(text(plain), json!(expected));
        }
    }
}

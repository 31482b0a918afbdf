//! The manifest of an application, as YAML.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::obstacles::delegation_name;
use domain::nais::{Application, Exposed};
use domain::{
    ConsumedScope, ConsumerBlock, DesiredAccess, DesiredClient, DesiredScope, Orgno, ScopeName,
    Visibility,
};
use yaml::scalar;

/// The Maskinporten section of an application's manifest.
#[derive(Debug, Clone)]
pub struct Manifest<'d> {
    /// The application.
    pub application: &'d Application,
    /// Its client.
    pub client: Option<&'d DesiredClient>,
    /// The scopes that it exposes; each must be one that a manifest can expose.
    pub scopes: Vec<(&'d ScopeName, &'d DesiredScope)>,
    /// Names of organisations.
    pub names: &'d BTreeMap<Orgno, String>,
    /// Organisations without access.
    pub blocks: &'d [ConsumerBlock],
    /// The day with which `until` is compared.
    pub today: Date,
}

impl Manifest<'_> {
    /// The manifest as YAML: digdirator makes the declared entities of it, except for the descriptions and
    /// the attributes that [`super::of_scope`] and [`super::of_client`] report.
    pub fn yaml(&self) -> String {
        let Self { application, client, scopes, names: _, blocks: _, today: _ } = self;
        let mut out = ManifestText::default();
        out.line(
            0,
            "# Goes into the application's own manifest: spec.maskinporten, below what is there.",
        );
        out.line(0, &format!("# For the cluster {}.", application.cluster()));
        out.line(0, "apiVersion: nais.io/v1alpha1");
        out.line(0, "kind: Application");
        out.line(0, "metadata:");
        out.pair(1, "name", application.name());
        out.pair(1, "namespace", application.namespace());
        out.line(0, "spec:");
        out.line(1, "maskinporten:");
        out.line(2, "enabled: true");
        let consumed: Vec<&ConsumedScope> =
            client.iter().flat_map(|client| &client.attributes.scopes).collect();
        if consumed.is_empty() && scopes.is_empty() {
            return out.0;
        }
        out.line(2, "scopes:");
        if !consumed.is_empty() {
            out.line(3, "consumes:");
        }
        for scope in consumed {
            out.pair(4, "- name", scope.as_str());
        }
        if !scopes.is_empty() {
            out.line(3, "exposes:");
        }
        for (name, scope) in scopes {
            self.exposed(name, scope, &mut out);
        }
        out.0
    }

    fn exposed(&self, name: &ScopeName, scope: &DesiredScope, out: &mut ManifestText) {
        let is_blocked = |orgno: &Orgno| {
            let mut blocks = self.blocks.iter();
            blocks.any(|block| block.consumer == *orgno && block.concerns(name))
        };
        let has_access = |(orgno, access): &(&Orgno, &DesiredAccess)| {
            access.on(self.today).is_some() && !is_blocked(orgno)
        };
        let Ok(exposed) = Exposed::of(name.subscope()) else { return };
        let attributes = &scope.attributes;
        out.pair(4, "- name", &exposed.name);
        out.line(5, "enabled: true");
        out.pair(5, "product", &exposed.product);
        let source = attributes.delegation_source.as_deref().and_then(delegation_name);
        // Kubernetes requires a slash to be there beside a delegation source.
        let slash = (source.is_some() && exposed.separator() == '/').then_some('/');
        if let Some(separator) = exposed.separator.or(slash) {
            out.line(5, &format!("separator: \"{separator}\""));
        }
        let visibility = match attributes.visibility {
            Visibility::Public => "public",
            Visibility::Private | Visibility::Internal => "private",
        };
        out.pair(5, "visibility", visibility);
        if attributes.at_max_age != 0 {
            out.line(5, &format!("atMaxAge: {}", attributes.at_max_age));
        }
        if !attributes.allowed_integration_types.is_empty() {
            out.line(5, "allowedIntegrations:");
        }
        for kind in &attributes.allowed_integration_types {
            out.line(6, &format!("- {}", kind.as_str()));
        }
        if attributes.accessible_for_all {
            out.line(5, "accessibleForAll: true");
        }
        if let Some(source) = source {
            out.pair(5, "delegationSource", source);
        }
        let mut consumers = scope.consumers.iter().filter(has_access).peekable();
        if consumers.peek().is_some() {
            out.line(5, "consumers:");
        }
        for (orgno, access) in consumers {
            let why = access.on(self.today).and_then(|entry| entry.reason.as_ref());
            let why = why.map(|why| format!(" # {}", one_line(why)));
            out.line(6, &format!("- orgno: \"{orgno}\"{}", why.unwrap_or_default()));
            if let Some(name) = self.names.get(orgno) {
                out.pair(7, "name", name);
            }
        }
    }
}

/// A text that is safe in a comment.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    domain::text::printable(&words.join(" ")).into_owned()
}

#[derive(Default)]
struct ManifestText(String);

impl ManifestText {
    fn line(&mut self, level: usize, text: &str) {
        self.0.push_str(&"  ".repeat(level));
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn pair(&mut self, level: usize, key: &str, value: &str) {
        self.line(level, &format!("{key}: {}", scalar(value, false)));
    }
}

//! Who can reach what, as markdown.

use super::escape::Escape;
use plan::document::{Access, AccessDocument, AccessSource};

/// The accesses as one table, a line break at the end.
pub fn access(document: &AccessDocument) -> String {
    let escape = Escape { limit: usize::MAX };
    let AccessDocument { organization, organization_name, created, source, .. } = document;
    let source = match source {
        AccessSource::Live => "live and declared",
        AccessSource::Snapshot => "by a snapshot, and declared",
        AccessSource::Declared => "as declared",
    };
    let owner = escape.named(organization.as_str(), organization_name.as_deref());
    let mut out = format!("## Who can reach what of {owner}\n\n{source}, {created}\n\n");
    let open = document.scopes.iter().filter_map(|scope| Some((scope, scope.open?)));
    for (scope, open) in open {
        let (name, environment) = (escape.code(&scope.scope), escape.code(&scope.environment));
        let but = match scope.open_now() {
            Some(_) => String::new(),
            None => format!(", but {}", scope.state.description()),
        };
        out += &format!("- {name} in {environment} is **{}**{but}\n", open.description());
    }
    if document.accesses.is_empty() {
        return out + "\nNobody has been granted access.\n";
    }
    out += "\n| environment | scope | organisation | state | group | from | until | reason | declared in |\n";
    out += "|---|---|---|---|---|---|---|---|---|\n";
    for it in &document.accesses {
        out += &row(it, escape);
    }
    out
}

fn row(it: &Access, escape: Escape) -> String {
    let source = it.source.as_ref().map(|source| format!("{}:{}", source.file, source.line));
    let from = it.from.map(|from| from.to_string());
    let until = it.until.map(|until| until.to_string());
    let blocked = it.blocked.as_ref().map(|why| format!(", **blocked**: {}", escape.code(why)));
    format!(
        "| {} | {} | {} | {}{} | {} | {} | {} | {} | {} |\n",
        escape.code(&it.environment),
        escape.code(&it.scope),
        escape.named(&it.consumer, it.consumer_name.as_deref()),
        it.state.description(),
        blocked.unwrap_or_default(),
        escape.optional(it.group.as_deref()),
        from.unwrap_or_default(),
        until.unwrap_or_default(),
        escape.optional(it.reason.as_deref()),
        escape.optional(source.as_deref()),
    )
}

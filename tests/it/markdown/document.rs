//! Plans as documents in which every text comes from outside.

use plan::document::{
    ActionDocument, AppliedDocument, BlameDocument, BlockedDocument, ChangeDocument,
    CommitDocument, ConsumerDocument, NoticeDocument, PlanDocument, RepositoryDocument,
    ScheduledDocument, SourceDocument, Summary,
};
use plan::{Danger, DayEffect, Kind, Origin, Verb};
use serde_json::{Value, json};

const KINDS: [Kind; 4] = [Kind::Scope, Kind::Access, Kind::Client, Kind::Keys];
const ORIGINS: [Option<Origin>; 3] = [Some(Origin::Change), Some(Origin::Drift), None];

/// A plan with that many actions, blocked ones and notices; every text in it is from `text`.
pub(crate) fn plan(count: usize, text: &mut dyn FnMut() -> String) -> PlanDocument {
    let mut plan = PlanDocument {
        project: Some(text()),
        format_version: 1,
        environment: text(),
        organization: text(),
        organization_name: Some(text()),
        repository: Some(RepositoryDocument { commit: text(), dirty: true, folder: String::new() }),
        applied: Some(AppliedDocument { commit: Some(text()), unknown: Some(text()) }),
        base: Some(CommitDocument { commit: text() }),
        rollback: false,
        review: None,
        created: text(),
        digest: text(),
        summary: summary(),
        actions: (0..count).map(|at| action(at, text)).collect(),
        scheduled: (0..count.min(4)).map(|at| scheduled(at, text)).collect(),
        blocked: (0..count.min(7)).map(|_| blocked(text)).collect(),
        notices: (0..count).map(|at| notice(at, text)).collect(),
    };
    plan.repository.as_mut().unwrap().folder = text();
    plan
}

fn summary() -> Summary {
    Summary {
        create: 0,
        update: 0,
        reactivate: 0,
        deactivate: 0,
        grant: 0,
        revoke: 0,
        keys: 0,
        release: 0,
    }
}

/// All combinations of kinds, verbs and origins, including those that no real plan has.
fn action(at: usize, text: &mut dyn FnMut() -> String) -> ActionDocument {
    let kind = KINDS[at % 4];
    let named = |is: bool, text: &mut dyn FnMut() -> String| is.then(text);
    ActionDocument {
        id: text(),
        action: Verb::ALL[at / 4 % 8],
        kind,
        danger: None,
        scope: named(matches!(kind, Kind::Scope | Kind::Access), text),
        consumer: named(kind == Kind::Access, text),
        consumer_name: named(kind == Kind::Access, text),
        client: named(kind == Kind::Client, text),
        client_id: named(kind == Kind::Client, text),
        origin: ORIGINS[at / 32 % 3],
        source: Some(source(text)),
        reason: Some(text()),
        entry: (kind == Kind::Access).then(|| place(text)),
        group: named(kind == Kind::Access, text),
        team: named(kind == Kind::Access, text),
        takes_over: false,
        of_block: false,
        changes: (0..3).map(|at| change(at, text)).collect(),
        regains: vec![consumer(text), consumer(text)],
        regains_keys: vec![text()],
        regains_thumbprints: Vec::new(),
        loses: vec![consumer(text)],
        after: vec![text()],
    }
    .judged()
}

fn source(text: &mut dyn FnMut() -> String) -> SourceDocument {
    let blame = |text: &mut dyn FnMut() -> String| BlameDocument {
        commit: text(),
        author: text(),
        removed: false,
    };
    SourceDocument { blame: Some(blame(text)), ..place(text) }
}

fn place(text: &mut dyn FnMut() -> String) -> SourceDocument {
    SourceDocument { file: text(), line: 7, at: Some(text()), blame: None }
}

fn consumer(text: &mut dyn FnMut() -> String) -> ConsumerDocument {
    ConsumerDocument { consumer: text(), consumer_name: Some(text()) }
}

fn change(at: usize, text: &mut dyn FnMut() -> String) -> ChangeDocument {
    let (field, before, after) = match at {
        0 => (text(), Value::Null, json!({ text(): [text(), 1, true] })),
        1 => ("visibility".to_owned(), json!(text()), json!("PUBLIC")),
        _ => ("jwks".to_owned(), key(text), Value::Null),
    };
    ChangeDocument { field, before, after }
}

fn key(text: &mut dyn FnMut() -> String) -> Value {
    json!({ "kid": text(), "thumbprint": text(), "alg": text(), "exp": 1_900_000_000 })
}

fn scheduled(at: usize, text: &mut dyn FnMut() -> String) -> ScheduledDocument {
    let effects =
        [DayEffect::Begins, DayEffect::NoLongerEnds, DayEffect::Ends, DayEffect::NoLongerBegins];
    let effect = effects[at % 4];
    ScheduledDocument {
        scope: text(),
        consumer: text(),
        consumer_name: Some(text()),
        effect,
        danger: effect.gives().then_some(Danger::Grants),
        day: text(),
        group: Some(text()),
        team: Some(text()),
        source: place(text),
    }
}

fn blocked(text: &mut dyn FnMut() -> String) -> BlockedDocument {
    BlockedDocument { target: text(), code: text(), message: text() }
}

fn notice(at: usize, text: &mut dyn FnMut() -> String) -> NoticeDocument {
    let code = if at % 3 == 1 { format!("PV5{}", text()) } else { text() };
    NoticeDocument { code, target: text(), message: text() }
}

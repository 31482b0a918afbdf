//! Edits of entities that are handed over to NAIS: the description, and finally the declaration.

use serde_yaml::Value;

use super::{CannotEdit, Edited, LAST, NAME};
use crate::declare::diagnostic::Place;
use crate::declare::read::declared::Placed;
use crate::declare::read::silences::MARK;
use crate::declare::repository::Repository;
use domain::{ClientId, Entity};
use yaml::{Hindrance, Route, edited};
use yaml::{Yaml, scalar};

const COMMON_KEYS: Hindrance = "its `jwks` stands for other environments too, and has to be put into \
                                their `per_environment` first";

/// Where something is declared.
struct Located<'r> {
    /// The place of its name.
    place: &'r Place,
    in_manifest: bool,
    /// The other environments that have it.
    others: Vec<&'r str>,
    /// Whether another entry, declared or removed, has the same name.
    is_elsewhere: bool,
}

impl Repository {
    /// The file that declares a scope or a client, with a description that names the application that takes
    /// it over, with the client's id, and without its keys: the application has its own from then on. In one
    /// of several environments, the description is under `per_environment`. All other declarations and all
    /// comments are unchanged. Nothing is written.
    ///
    /// # Errors
    /// It cannot be done safely.
    pub fn described(
        &self,
        environment: &str,
        entity: &Entity,
        description: &str,
        client_id: Option<&ClientId>,
    ) -> Result<Edited, CannotEdit> {
        let wanted = format!(
            "By hand: write `{}` as the description of {entity} in {environment}{}",
            scalar(description, true),
            if matches!(entity, Entity::Client(_)) { ", and take its `jwks` out" } else { "" },
        );
        self.edit_entity(environment, entity, wanted, |found, item, text| {
            let own = item.key("per_environment");
            let set = |text: &str, key: &str, value: &str| {
                let here = own.key(environment).key(key);
                edited(text, |it| {
                    let differs = !found.others.is_empty() || it.has(&here);
                    let (behind, path) = match differs {
                        true => (LAST, vec!["per_environment", environment, key]),
                        false => (NAME, vec![key]),
                    };
                    it.set(item, behind, &path, &Yaml::text(value))
                })
            };
            let mut text = set(text, "description", description)?;
            if let Some(id) = client_id {
                text = set(&text, "client_id", id.as_str())?;
            }
            let [here, common] = [own.key(environment).key("jwks"), item.key("jwks")];
            text = without(&text, &here)?;
            edited(&text, |it| {
                let has_own = |other: &&str| it.has(&own.key(other).key("jwks"));
                match it.has(&common) {
                    true if found.others.iter().all(has_own) => it.remove(&common, MARK),
                    true => Err(COMMON_KEYS),
                    false => Ok(()),
                }
            })
        })
    }

    /// The file that declares a scope or a client, with an entry of `removed` that releases it in the
    /// environment, in place of its declaration; in others it stays declared. Nothing is written.
    ///
    /// # Errors
    /// It cannot be done safely.
    pub fn released(
        &self,
        environment: &str,
        entity: &Entity,
        reason: &str,
        client_id: Option<&ClientId>,
    ) -> Result<Edited, CannotEdit> {
        let wanted = format!(
            "By hand: take {entity} out, and write it under `removed` with `action: release`, both in \
             one change"
        );
        self.edit_entity(environment, entity, wanted, |found, item, text| {
            let mut entry = vec![(entity.kind(), Yaml::text(entity.name()))];
            entry.extend(client_id.map(|id| ("client_id", Yaml::text(id.to_string()))));
            entry.push(("action", Yaml::text("release")));
            entry.push(("reason", Yaml::text(reason)));
            if !found.others.is_empty() || found.is_elsewhere {
                entry.push(("environments", Yaml::List(vec![Yaml::text(environment)])));
            }
            let entry = entry.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            let text =
                edited(text, |it| it.append(&item.root(), LAST, "removed", &Yaml::Map(entry)))?;
            match found.others.is_empty() {
                true => edited(&text, |it| it.remove(item, MARK)),
                false => leave(&text, item, environment, &found.others),
            }
        })
    }

    fn edit_entity(
        &self,
        environment: &str,
        entity: &Entity,
        wanted: String,
        edit: impl FnOnce(&Located<'_>, &Route, &str) -> Result<String, Hindrance>,
    ) -> Result<Edited, CannotEdit> {
        let Some(found) = self.found(environment, entity) else {
            return Err(CannotEdit::new("the YAML", "it declares no such thing", wanted));
        };
        if found.in_manifest {
            return Err(CannotEdit::new(&found.place.file, "it is a manifest of NAIS", wanted));
        }
        self.edit_item(found.place, wanted, |item, text| edit(&found, item, text))
    }

    fn found(&self, environment: &str, entity: &Entity) -> Option<Located<'_>> {
        let names = &self.settings().environment_names;
        let here = names.set(environment)?;
        let declared = self.declared();
        let own: Vec<_> = declared.entities().filter(|it| it.entity == *entity).collect();
        let is_elsewhere = own.len() > 1 || declared.removals().any(|it| it.entity == *entity);
        let found = own.into_iter().find(|it| it.environments.overlaps(here))?;
        let Placed { entity: _, environments, place, in_manifest } = found;
        let is_other = |name: &&str| {
            *name != environment && names.set(name).is_some_and(|set| set.overlaps(environments))
        };
        let others = names.iter().filter(is_other).collect();
        Some(Located { place, in_manifest, others, is_elsewhere })
    }
}

/// The text with an item restricted to the other environments.
fn leave(
    text: &str,
    item: &Route,
    environment: &str,
    others: &[&str],
) -> Result<String, Hindrance> {
    let environments = item.key("environments");
    let text = edited(text, |it| {
        let Some(named) = it.value(&environments).and_then(Value::as_sequence) else {
            let others = Yaml::List(others.iter().copied().map(Yaml::text).collect());
            return it.set(item, NAME, &["environments"], &others);
        };
        let named = named.iter().enumerate();
        let gone = named.filter(|(_, name)| name.as_str() == Some(environment));
        let gone: Vec<usize> = gone.map(|(index, _)| index).collect();
        it.remove_items(&environments, &gone, MARK)
    })?;
    let own = item.key("per_environment").key(environment);
    without(&text, &own)
}

/// The text without a key, if it is there.
fn without(text: &str, key: &Route) -> Result<String, Hindrance> {
    edited(text, |it| if it.has(key) { it.remove(key, MARK) } else { Ok(()) })
}

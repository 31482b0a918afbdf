//! All that the sandbox knows, as plain data.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ClientRecord, Delegation, SandboxError, SystemUser};
use domain::{AccessState, Orgno, Representation, SCOPE, ScopeAttributes, ScopeName};

/// Everything that the sandbox knows, of all organisations. As JSON it is what the state file
/// holds; the order is always the same.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct State {
    /// Names of organisations. One without a name here exists nevertheless.
    pub organizations: BTreeMap<Orgno, String>,
    /// Organisations that DigDir does not find: they can be given no access.
    pub unknown_organizations: BTreeSet<Orgno>,
    /// Prefixes of scopes, without a colon, and who owns them.
    pub prefixes: BTreeMap<String, Orgno>,
    /// Issuers of delegation sources by their short names.
    pub delegation_sources: BTreeMap<String, String>,
    /// All clients by their ids, inactive ones too.
    pub clients: BTreeMap<String, ClientRecord>,
    /// Who may use a scope for whom, whatever the delegation source.
    pub delegations: BTreeSet<Delegation>,
    /// The users of systems, by which a vendor acts for its customers.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub system_users: BTreeSet<SystemUser>,
    /// All scopes, inactive ones too.
    pub scopes: BTreeMap<ScopeName, ScopeRecord>,
    /// Who has, had or asks for access to a scope.
    pub accesses: BTreeMap<ScopeName, BTreeMap<Orgno, AccessRecord>>,
}

/// A scope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeRecord {
    /// Who owns it.
    pub owner_orgno: Orgno,
    /// `false` after a DELETE.
    pub active: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_updated: Timestamp,
    /// All other fields as the API gives them, unknown ones included; the name and its parts,
    /// which follow from the key, are not repeated here.
    pub fields: Representation,
}

/// A consumer's access to a scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessRecord {
    /// Whether it can be used.
    pub state: AccessState,
    /// When there first was one.
    pub created: Timestamp,
    /// When the state last changed.
    pub last_updated: Timestamp,
}

impl State {
    /// An organisation with its prefixes and nothing else yet, Altinn as the delegation source
    /// (of the test environment) and a few names that are well known.
    pub fn new(organization: Orgno, name: &str, prefixes: &[String]) -> Self {
        let known = [
            ("889640782", "ARBEIDS- OG VELFERDSETATEN"),
            ("991825827", "DIGITALISERINGSDIREKTORATET"),
            ("974761076", "SKATTEETATEN"),
            ("971040238", "STATENS KARTVERK"),
        ];
        let mut organizations: BTreeMap<Orgno, String> = known
            .into_iter()
            .filter_map(|(orgno, name)| Some((orgno.parse().ok()?, name.to_owned())))
            .collect();
        organizations.insert(organization, name.to_owned());
        let altinn = ("altinn".to_owned(), "https://tt02.altinn.no/".to_owned());
        Self {
            organizations,
            prefixes: prefixes.iter().map(|prefix| (prefix.clone(), organization)).collect(),
            delegation_sources: [altinn].into(),
            ..Self::default()
        }
    }

    /// Gives the organisation the prefixes that it does not have yet.
    ///
    /// # Errors
    /// [`SandboxError::ForeignPrefix`] if another organisation has one; nothing is changed then.
    pub fn add_prefixes(
        &mut self,
        organization: Orgno,
        prefixes: &[String],
    ) -> Result<(), SandboxError> {
        for prefix in prefixes {
            if let Some(owner) = self.prefixes.get(prefix).filter(|owner| **owner != organization) {
                return Err(SandboxError::ForeignPrefix {
                    prefix: prefix.clone(),
                    owner: *owner,
                    wanted: organization,
                });
            }
        }
        let wanted = prefixes.iter().map(|prefix| (prefix.clone(), organization));
        self.prefixes.extend(wanted);
        Ok(())
    }

    /// Puts a scope there as if its owner had made it now.
    pub fn put_scope(
        &mut self,
        owner_orgno: Orgno,
        name: ScopeName,
        active: bool,
        attributes: &ScopeAttributes,
    ) {
        let now = Timestamp::now();
        let mut fields: Representation = attributes
            .fields()
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(field, value)| (field.to_owned(), value))
            .collect();
        add_server_fields(&mut fields);
        let scope = ScopeRecord { owner_orgno, active, created: now, last_updated: now, fields };
        self.scopes.insert(name, scope);
    }

    /// Puts an access there as if it had come to that state now.
    pub fn put_access(&mut self, scope: ScopeName, consumer: Orgno, state: AccessState) {
        self.accesses.entry(scope).or_default().insert(consumer, AccessRecord::new(state));
    }
}

impl AccessRecord {
    /// One that comes to that state now.
    pub(super) fn new(state: AccessState) -> Self {
        let now = Timestamp::now();
        Self { state, created: now, last_updated: now }
    }

    /// Brings it to a state, now unless it is in that already.
    pub(super) fn set(&mut self, state: AccessState) {
        if self.state != state {
            self.state = state;
            self.last_updated = Timestamp::now();
        }
    }
}

/// Fields that a scope of the live API always has (C). A PUT that leaves one out resets it.
pub(super) fn add_server_fields(fields: &mut Representation) {
    let flag = || json!(false);
    let always = [
        ("descriptions", Value::Null),
        ("protected", flag()),
        (SCOPE.supports_european_businesses.name, flag()),
    ];
    for (field, value) in always {
        fields.entry(field).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nav() -> Orgno {
        "889640782".parse().unwrap()
    }

    #[test]
    fn a_state_survives_its_file() {
        let mut state = State::new(nav(), "Etaten", &["etat".to_owned()]);
        let name: ScopeName = "etat:arbeid/les.æ".parse().unwrap();
        state.put_scope(nav(), name.clone(), false, &ScopeAttributes::default());
        state.put_access(name, nav(), AccessState::Other("UNHEARD_OF".to_owned()));
        state.unknown_organizations.insert(nav());
        state.put_delegation("etat:arbeid/les.æ".parse().unwrap(), nav(), nav());
        state.register_certificate_client(nav(), "portvakt");
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
    }

    #[test]
    fn a_file_with_a_wrong_number_is_refused() {
        let error = serde_json::from_str::<State>(r#"{"prefixes": {"etat": "889640783"}}"#);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("check digit"), "{error}");
    }

    #[test]
    fn a_prefix_in_other_hands_is_not_taken() {
        let mut state = State::new(nav(), "Etaten", &["etat".to_owned()]);
        let before = state.clone();
        let digdir = "991825827".parse().unwrap();
        let error = state.add_prefixes(digdir, &["ny".to_owned(), "etat".to_owned()]);
        assert!(matches!(error, Err(SandboxError::ForeignPrefix { .. })));
        assert_eq!(state, before);
    }
}

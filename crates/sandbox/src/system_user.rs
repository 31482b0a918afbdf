//! Users of systems (D): a customer lets a vendor's system act for it in Altinn, and a token says so by
//! `authorization_details` (RFC 9396).
//!
//! ? Which of MP-301, MP-302 and MP-303 means what is known of the last alone.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::token::{Denial, actor};
use super::{State, SystemUser};
use domain::Orgno;

/// The only type that Maskinporten knows.
const TYPE: &str = "urn:altinn:systemuser";

/// An entry of a grant's claim.
#[derive(Deserialize)]
struct SystemUserEntry {
    r#type: String,
    systemuser_org: SystemUserOrganization,
    #[serde(rename = "externalRef")]
    external_ref: Option<String>,
}

#[derive(Deserialize)]
struct SystemUserOrganization {
    authority: String,
    #[serde(rename = "ID")]
    id: String,
}

/// The token's `authorization_details` for a client that asks for these.
pub(super) fn details(state: &State, client_id: &str, asked: &Value) -> Result<Value, Denial> {
    let (organization, external_ref) = asked_for(asked)?;
    let of_client: BTreeSet<&SystemUser> =
        state.system_users.iter().filter(|user| user.client_id == client_id).collect();
    if of_client.is_empty() {
        let description = "MP-302 no system in Altinn has this client";
        return Err(Denial::new("invalid_authorization_details", description));
    }
    let users: Vec<&SystemUser> = of_client
        .into_iter()
        .filter(|user| user.organization == organization && user.external_ref == external_ref)
        .collect();
    let Some(first) = users.first() else {
        let description =
            format!("MP-303 {organization} has no system user for this client and externalRef");
        return Err(Denial::new("invalid_altinn_customer_configuration", description));
    };
    let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
    Ok(json!([{
        "type": TYPE,
        "systemuser_org": actor(organization),
        "systemuser_id": ids,
        "system_id": first.system_id,
    }]))
}

/// The one customer that is asked about (D), and the reference.
fn asked_for(asked: &Value) -> Result<(Orgno, Option<String>), Denial> {
    let malformed = |what: &str| {
        let description = format!("MP-301 authorization_details: {what}");
        Denial::new("invalid_authorization_details", description)
    };
    let asked: Vec<SystemUserEntry> =
        serde_json::from_value(asked.clone()).map_err(|error| malformed(&error.to_string()))?;
    let [
        SystemUserEntry {
            r#type,
            systemuser_org: SystemUserOrganization { authority, id },
            external_ref,
        },
    ] = <[SystemUserEntry; 1]>::try_from(asked)
        .map_err(|_| malformed("exactly one entry is expected"))?;
    if r#type != TYPE || authority != "iso6523-actorid-upis" {
        return Err(malformed(&format!("the type is {TYPE}, the authority iso6523-actorid-upis")));
    }
    let orgno = id.strip_prefix("0192:").and_then(|orgno| orgno.parse().ok());
    let orgno = orgno.ok_or_else(|| malformed("ID is 0192: and an organization number"))?;
    Ok((orgno, external_ref))
}

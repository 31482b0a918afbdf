//! A request as the endpoints see it: who calls, with which parameters, with what body.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::refusal::Refusal;
use super::shared::{Caller, Shared};
use domain::{Orgno, ScopeName, WriteAnswer, kept_value};

pub(super) type SentAnswer = Result<Response, Refusal>;

/// Reading is allowed with it.
pub(super) const READ: &str = "idporten:scopes.read";
/// Writing is allowed with it.
pub(super) const WRITE: &str = "idporten:scopes.write";

/// Reading clients is allowed with it.
pub(super) const DCR_READ: &str = "idporten:dcr.read";
/// Writing clients is allowed with it.
pub(super) const DCR_WRITE: &str = "idporten:dcr.write";
/// Writing what belongs to a client is allowed with it, but not the client itself.
pub(super) const DCR_MODIFY: &str = "idporten:dcr.modify";

pub(super) struct ServedCall {
    pub(super) shared: Arc<Shared>,
    parts: Parts,
    /// The variable parts of the path, decoded.
    path: BTreeMap<String, String>,
    body: Bytes,
}

impl FromRequest<Arc<Shared>> for ServedCall {
    type Rejection = Refusal;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let path = match RawPathParams::from_request_parts(&mut parts, shared).await {
            Ok(path) => path.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            Err(_) => return Err(Refusal::bad_request("The path is not UTF-8")),
        };
        // It has been read within limits, so this cannot fail.
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        Ok(Self { shared: Arc::clone(shared), parts, path, body })
    }
}

impl ServedCall {
    /// Whoever holds a token that lives.
    pub(super) fn caller(&self) -> Result<Arc<Caller>, Refusal> {
        let token = self
            .parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let unauthorized = |what| Refusal::new(StatusCode::UNAUTHORIZED, what);
        let token = token.ok_or_else(|| unauthorized("No bearer token was sent"))?;
        self.shared
            .tokens
            .caller(token)
            .ok_or_else(|| unauthorized("The access token is not known or has expired"))
    }

    /// The organisation that calls, if its token has one of the scopes.
    pub(super) fn allowed(&self, any_of: &[&str]) -> Result<Orgno, Refusal> {
        let caller = self.caller()?;
        let has = |wanted: &&str| caller.scopes.iter().any(|scope| scope == wanted);
        if any_of.iter().any(has) {
            return Ok(caller.orgno);
        }
        let wanted = any_of.join(" or ");
        Err(Refusal::forbidden(format!("The access token lacks the scope {wanted}")))
    }

    /// The same, of a call that has no parameters.
    pub(super) fn allowed_bare(&self, any_of: &[&str]) -> Result<Orgno, Refusal> {
        let caller = self.allowed(any_of)?;
        self.query(&[])?;
        Ok(caller)
    }

    /// The query's parameters, none of which may be unknown or come twice.
    pub(super) fn query(&self, known: &[&str]) -> Result<Query, Refusal> {
        let mut values = BTreeMap::new();
        let query = self.parts.uri.query().unwrap_or_default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if !known.contains(&&*name) {
                return Err(Refusal::bad_request(format!("Unknown parameter {name:?}")));
            }
            if values.insert(name.to_string(), value.into_owned()).is_some() {
                return Err(Refusal::bad_request(format!("The parameter {name:?} comes twice")));
            }
        }
        Ok(Query(values))
    }

    /// A variable part of the path; empty where the path ends before it.
    pub(super) fn path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// The last part of the path. It is not decoded: an organisation number needs no encoding.
    pub(super) fn orgno_in_path(&self) -> Result<Orgno, Refusal> {
        let path = self.parts.uri.path();
        let (_, last) = path.rsplit_once('/').unwrap_or_default();
        orgno(last)
    }

    /// The body as a JSON object. An error does not repeat it: there may be a private key in it.
    pub(super) fn json(&self) -> Result<serde_json::Map<String, Value>, Refusal> {
        if !self.has_content_type("application/json") {
            // S has no 415.
            return Err(Refusal::bad_request("The body must be application/json"));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(body)) if self.shared.switches().trims_text => {
                Ok(body.iter().map(|(field, value)| (field.clone(), kept_value(value))).collect())
            }
            Ok(Value::Object(body)) => Ok(body),
            Ok(_) => Err(Refusal::bad_request("The body is no JSON object")),
            Err(error) => Err(Refusal::bad_request(format!("The body is no JSON: {error}"))),
        }
    }

    /// The body as text.
    pub(super) fn text(&self) -> Result<&str, Refusal> {
        std::str::from_utf8(&self.body).map_err(|_| Refusal::bad_request("The body is not UTF-8"))
    }

    /// The body's form fields, or with an empty body those of the query (C); `None` if it is no form.
    pub(super) fn form(&self) -> Option<Vec<(String, String)>> {
        let fields = |text: &[u8]| url::form_urlencoded::parse(text).into_owned().collect();
        match self.parts.uri.query() {
            Some(query) if self.body.is_empty() => Some(fields(query.as_bytes())),
            Some(_) | None => self
                .has_content_type("application/x-www-form-urlencoded")
                .then(|| fields(&self.body)),
        }
    }

    fn has_content_type(&self, wanted: &str) -> bool {
        self.parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
    }

    /// A list; `what` names its entries, in the plural, for the oddity of an empty one.
    pub(super) fn list(&self, what: &str, entries: Vec<Value>) -> SentAnswer {
        if entries.is_empty() && self.shared.switches().empty_list_is_404 {
            let description = format!("The organization does not have any {what}");
            return Err(Refusal::not_found(description));
        }
        Ok(Json(entries).into_response())
    }

    /// The answer to a write that was carried out: the entity as it is now, `None` where the description
    /// has no body, unless the switch `write-answer` says otherwise.
    pub(super) fn written(&self, entity: Option<Value>) -> Response {
        let (status, entity) = match self.shared.switches().write_answer {
            WriteAnswer::Described => (StatusCode::OK, entity),
            WriteAnswer::Created => (StatusCode::CREATED, entity),
            WriteAnswer::Empty => (StatusCode::OK, None),
            WriteAnswer::NoContent => (StatusCode::NO_CONTENT, None),
        };
        match entity {
            Some(entity) => (status, Json(entity)).into_response(),
            None => status.into_response(),
        }
    }
}

/// Query parameters, decoded.
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// `true` or `false`, in capitals too: DigDir's documentation writes `TRUE`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.text(name) {
            None => Ok(None),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(text) => Err(Refusal::bad_request(format!(
                "The parameter {name:?} is true or false, not {text:?}"
            ))),
        }
    }

    pub(super) fn inactive(&self) -> Result<bool, Refusal> {
        Ok(self.flag("inactive")?.unwrap_or(false))
    }

    pub(super) fn scope(&self) -> Result<ScopeName, Refusal> {
        let text = self
            .text("scope")
            .ok_or_else(|| Refusal::bad_request("The parameter \"scope\" is required"))?;
        text.parse()
            .map_err(|error| Refusal::bad_request(format!("Invalid scope {text:?}: {error}")))
    }
}

pub(super) fn orgno(text: &str) -> Result<Orgno, Refusal> {
    text.parse().map_err(|error| {
        Refusal::bad_request(format!("Invalid organization number {text:?}: {error}"))
    })
}

//! The API's error body.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// An answer that is an error (OpenAPI 2025-09, schema `ApiErrorResponse`).
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) description: String,
    pub(super) fields: Vec<FieldError>,
    /// What the fields are of, such as `scope`.
    object: &'static str,
}

/// What is wrong with one field of a body. The message never repeats what a key is made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FieldError {
    pub(super) field: &'static str,
    pub(super) message: String,
}

impl FieldError {
    pub(super) fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

impl Refusal {
    pub(super) fn new(status: StatusCode, description: impl Into<String>) -> Self {
        Self { status, description: description.into(), fields: Vec::new(), object: "" }
    }

    pub(super) fn bad_request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, description)
    }

    pub(super) fn forbidden(description: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, description)
    }

    pub(super) fn not_found(description: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, description)
    }

    pub(super) fn conflict(description: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, description)
    }

    /// A refusal of one field.
    pub(super) fn field(
        object: &'static str,
        field: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::invalid(object, vec![FieldError::new(field, message)])
    }

    pub(super) fn invalid(object: &'static str, fields: Vec<FieldError>) -> Self {
        let description = format!("The {object} is not valid");
        Self { status: StatusCode::BAD_REQUEST, description, fields, object }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let errors: Vec<_> = self
            .fields
            .iter()
            .map(|error| {
                json!({
                    "errorMessage": error.message,
                    "isFieldError": true,
                    "objectName": self.object,
                    "fieldIdentifier": error.field,
                })
            })
            .collect();
        let reason = self.status.canonical_reason().unwrap_or("error");
        let mut body = json!({
            "status": self.status.as_u16(),
            "timestamp": Timestamp::now(),
            "correlation_id": Uuid::new_v4().to_string(),
            "error": reason.to_ascii_uppercase().replace(' ', "_"),
            "error_description": self.description,
        });
        if !errors.is_empty() {
            body["errors"] = errors.into();
        }
        (self.status, Json(body)).into_response()
    }
}

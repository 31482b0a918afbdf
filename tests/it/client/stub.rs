//! Servers with wrong metadata, or with answers that the API never gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse;
use digdir::{AllowedHosts, ApiTarget, Error, ErrorKind, Options, Reach, Reader};
use serde_json::json;
use tokio::net::TcpListener;

use super::{credentials, options};

/// A server with this metadata, token and `/scopes`; `{me}` in the metadata is its address.
struct Stub {
    me: String,
    grants: Arc<AtomicUsize>,
}

async fn stub(
    issuer: &'static str,
    token_endpoint: &'static str,
    scopes: (StatusCode, &'static str, &'static str),
) -> Stub {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let me = format!("http://{}/", listener.local_addr().unwrap());
    let metadata = json!({
        "issuer": issuer.replace("{me}", &me),
        "token_endpoint": token_endpoint.replace("{me}", &me),
    });
    let grants = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&grants);
    let router = Router::new().fallback(async move |uri: Uri| match uri.path() {
        "/.well-known/oauth-authorization-server" => axum::Json(metadata).into_response(),
        "/token" => {
            counted.fetch_add(1, Ordering::SeqCst);
            let answer = json!({"access_token": "hemmelig", "expires_in": 100});
            axum::Json(answer).into_response()
        }
        "/api/v1/scopes" => {
            let (status, content_type, body) = scopes;
            let headers = [(header::CONTENT_TYPE, content_type), (header::LOCATION, "/elsewhere")];
            (status, headers, body).into_response()
        }
        _ => axum::Json(json!([])).into_response(),
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Stub { me, grants }
}

const LIST: (StatusCode, &str, &str) = (StatusCode::OK, "application/json", "[]");

async fn connect(stub: &Stub) -> Result<Reader, Error> {
    let target = ApiTarget::custom(&stub.me, &stub.me).unwrap();
    Reader::connect(target, credentials(), options(), Reach::Scopes).await
}

#[tokio::test]
async fn a_stub_that_is_in_order_is_read() {
    let stub = stub("{me}", "{me}token", LIST).await;
    let reader = connect(&stub).await.unwrap();
    assert!(reader.scopes().await.unwrap().is_empty());
    assert_eq!(stub.grants.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn metadata_that_cannot_be_trusted_gets_no_grant() {
    for (issuer, token_endpoint) in [
        ("https://maskinporten.no/", "{me}token"),
        ("", "{me}token"),
        ("{me}", "https://evil.example/token"),
        ("{me}", "http://127.0.0.1:1/token"),
        ("{me}", "/token"),
    ] {
        let stub = stub(issuer, token_endpoint, LIST).await;
        let error = connect(&stub).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Untrusted, "{issuer} {token_endpoint}: {error}");
        assert_eq!(stub.grants.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_not_even_asked() {
    let target = ApiTarget::custom("https://evil.example", "https://maskinporten.no/").unwrap();
    let error = Reader::connect(target, credentials(), options(), Reach::Scopes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Untrusted);
    assert!(error.to_string().contains("may not go to evil.example"), "{error}");
    // An allowed host is contacted: nothing listens there.
    let allowed_hosts = AllowedHosts::new(["127.0.0.1:1"]).unwrap();
    let options = Options { allowed_hosts, ..options() };
    let target = ApiTarget::custom("http://127.0.0.1:1", "http://127.0.0.1:1/").unwrap();
    let error = Reader::connect(target, credentials(), options, Reach::Scopes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
}

#[tokio::test]
async fn what_is_no_list_is_an_error() {
    for (answer, word) in [
        ((StatusCode::FOUND, "application/json", "[]"), "redirects"),
        ((StatusCode::OK, "application/json", "null"), "cannot be read"),
        ((StatusCode::OK, "application/json", "[{\"name\":"), "cannot be read"),
        ((StatusCode::OK, "text/plain", "[]"), "text/plain"),
        ((StatusCode::NO_CONTENT, "application/json", ""), "204"),
        ((StatusCode::NOT_FOUND, "text/html", "does not have any"), "text/html"),
    ] {
        let stub = stub("{me}", "{me}token", answer).await;
        let error = connect(&stub).await.unwrap().scopes().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{answer:?}: {error}");
        assert!(error.to_string().contains(word), "{answer:?}: {error}");
        assert!(!format!("{error:?}").contains("hemmelig"));
    }
}

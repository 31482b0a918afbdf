//! A server in front of a world's sandbox, for answers that DigDir and Maskinporten give and the sandbox does
//! not: it answers some requests itself and passes the others on.

use std::sync::Arc;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::sign;
use crate::world::{OWNER, RUNTIME, World};

/// A request; of a grant its claims too.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) claims: Value,
}

/// What becomes of a request.
pub(crate) enum Reply {
    /// It is passed on, and so is the answer.
    Pass,
    /// It is answered so.
    Instead(Answer),
    /// It is passed on, and a success is answered so.
    After(Answer),
}

#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// By how much the server's clock is ahead.
    pub(crate) clock: SignedDuration,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl ToString) -> Self {
        Self { status, body: body.to_string(), clock: SignedDuration::ZERO }
    }

    /// A refusal of a token.
    pub(crate) fn refusal(description: &str) -> Self {
        Self::new(400, json!({ "error": "invalid_grant", "error_description": description }))
    }

    fn response(self) -> Response {
        let Self { status, body, clock } = self;
        let date = (Timestamp::now() + clock).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        headers.insert(header::DATE, date.parse().unwrap());
        response
    }
}

/// Starts one and has portvakt.yaml name it.
pub(crate) fn front(world: &World, reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
    let behind = world.sandbox.issuer().to_owned();
    let reply = Arc::new(reply);
    let me = RUNTIME.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let me = format!("http://{}/", listener.local_addr().unwrap());
        let issuer = me.clone();
        let router = Router::new().fallback(async move |request: Request| {
            answer(request, &issuer, &behind, &*reply).await
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        me
    });
    let settings = format!(
        "organization: {{ orgno: \"{OWNER}\" }}\nprefixes: [etat]\nenvironments:\n  test:\n    \
         target: {{ api: \"{me}\", maskinporten: \"{me}\" }}\n    credentials: {{ client_id: {{ env: \
         PORTVAKT_CLIENT_ID }}, key: {{ env: PORTVAKT_KEY }}, kid: {{ env: PORTVAKT_KID }} }}\n"
    );
    world.write("portvakt.yaml", settings);
}

async fn answer(
    request: Request,
    me: &str,
    behind: &str,
    reply: &(dyn Fn(&Asked) -> Reply + Sync),
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path().to_owned();
    if path == "/.well-known/oauth-authorization-server" {
        let metadata = json!({ "issuer": me, "token_endpoint": format!("{me}token") });
        return Answer::new(200, metadata).response();
    }
    let claims = claims(&body).unwrap_or_default();
    let asked = Asked { method: parts.method.clone(), path, claims };
    let after = match reply(&asked) {
        Reply::Pass => None,
        Reply::Instead(answer) => return answer.response(),
        Reply::After(answer) => Some(answer),
    };
    // The sandbox is another issuer.
    let body = match asked.claims {
        Value::Object(mut claims) => {
            claims.insert("aud".to_owned(), behind.into());
            let grant = sign(&claims.into(), |_| {});
            let form = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", &grant),
            ];
            let mut text = url::form_urlencoded::Serializer::new(String::new());
            Bytes::from(text.extend_pairs(form).finish())
        }
        _ => body,
    };
    let url = format!("{}{}", behind.trim_end_matches('/'), parts.uri);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(parts.method, url).body(body);
    for name in [header::AUTHORIZATION, header::CONTENT_TYPE] {
        if let Some(value) = parts.headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let passed = request.send().await.unwrap();
    let status = passed.status().as_u16();
    let passed = Answer::new(status, passed.text().await.unwrap());
    match after.filter(|_| status < 300) {
        Some(answer) => answer.response(),
        None => passed.response(),
    }
}

fn claims(body: &[u8]) -> Option<Value> {
    let form: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
    let (_, assertion) = form.into_iter().find(|(name, _)| name == "assertion")?;
    let claims = URL_SAFE_NO_PAD.decode(assertion.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&claims).ok()
}

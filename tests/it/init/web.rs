//! A web server on a local port that answers by a table, and records requests.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use tokio::net::TcpListener;

use crate::world::RUNTIME;

/// A request: `GET /path?query`, its headers, its body.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// An answer to each request whose line contains a text: status, target of a redirect, body.
pub(super) type Answers = Vec<(&'static str, u16, Option<String>, String)>;

pub(super) struct Web {
    /// `https://127.0.0.1:…`: the substitute for curl uses plain HTTP.
    pub(super) address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Web {
    pub(super) fn start(answers: Answers) -> Self {
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let noted = Arc::clone(&requests);
        let respond = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let line = format!("{method} {uri}");
            let answer = answers.iter().find(|(part, ..)| line.contains(part));
            let body = String::from_utf8(body.to_vec()).unwrap();
            noted.lock().unwrap().push(Request { line, headers, body });
            let (status, to, body) = match answer {
                Some((_, status, to, body)) => (*status, to.clone(), body.clone()),
                None => (404, None, "{}".to_owned()),
            };
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            if let Some(to) = to {
                response.headers_mut().insert("location", to.parse().unwrap());
            }
            response
        };
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        RUNTIME.spawn(async move { axum::serve(listener, Router::new().fallback(respond)).await });
        Self { address, requests }
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The lines of all requests.
    pub(super) fn lines(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.line).collect()
    }
}

//! A code host's API on a local port: strict about requests, with faults on demand.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use portvakt::forge::{self, Comment, CommentChange, Error, Forge, ForgeOptions, Posted};
use serde_json::Value;
use tokio::net::TcpListener;

pub(super) const TOKEN: &str = "hemmelig-3f1c";
pub(super) const MARKER: &str = "<!-- portvakt plan test -->";

/// Author of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CommentAuthor {
    Us,
    Stranger,
    /// A program of somebody else.
    OtherBot,
}

/// A request as it was received.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    /// `Null` where there is none.
    pub(super) body: Value,
}

/// History of the pull requests: merges, comments and reviews.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// The pull requests of the commit.
    pub(super) related: Vec<Related>,
    /// The time of each comment's last change.
    pub(super) changed: &'static str,
    /// Person, verdict in the host's words, and time.
    pub(super) verdicts: Vec<(&'static str, &'static str, &'static str)>,
    /// When the pull request was put into the merge queue.
    pub(super) queued: Option<&'static str>,
}

/// A pull request of a commit.
#[derive(Debug, Clone)]
pub(super) struct Related {
    pub(super) number: u64,
    /// The commit of its merge.
    pub(super) commit: String,
    pub(super) base: &'static str,
    /// `None` where it was closed.
    pub(super) merged: Option<&'static str>,
}

/// Status, headers, body.
pub(super) type Answer = (u16, Vec<(&'static str, String)>, Value);

/// Behaviour of a host by its documentation. It panics at undocumented requests.
pub(super) trait Api: Send {
    fn forge(&self) -> Forge;

    /// The variables of a CI job, with the address of this server.
    fn environment(&self, address: &str) -> Vec<(&'static str, String)>;

    fn answer(&mut self, call: &Call) -> Answer;

    /// Adds an existing comment.
    fn add(&mut self, who: CommentAuthor, text: &str);

    /// Replaces the text of all our comments, as anybody with the token can.
    fn forge_text(&mut self, change: &dyn Fn(&str) -> String);

    /// Sets the history of the pull request.
    fn end(&mut self, past: Past);

    /// All comments that people can see.
    fn comments(&self) -> Vec<(CommentAuthor, String)>;
}

/// Fault of a call.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// The call is not carried out, and this is the answer.
    Refuse(u16, Vec<(&'static str, &'static str)>, &'static str),
    /// The call is carried out, and the connection breaks during the answer.
    Cut,
    /// The connection breaks, and the call is not carried out.
    Lose,
    /// The call is carried out, and a gateway gives another answer.
    Mask(u16),
}

pub(super) struct Server {
    address: String,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    api: Box<dyn Api>,
    faults: VecDeque<(Method, Fault)>,
    calls: Vec<String>,
    wrong: Vec<String>,
}

impl Server {
    pub(super) async fn start(api: impl Api + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner {
            api: Box::new(api),
            faults: VecDeque::new(),
            calls: Vec::new(),
            wrong: Vec::new(),
        }));
        let served = Arc::clone(&inner);
        let router = Router::new().fallback(
            async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
                let query = uri.query().unwrap_or_default().as_bytes();
                let call = Call {
                    method,
                    path: uri.path().to_owned(),
                    query: url::form_urlencoded::parse(query).into_owned().collect(),
                    headers,
                    body: match body.is_empty() {
                        true => Value::Null,
                        false => serde_json::from_slice(&body).unwrap(),
                    },
                };
                served.lock().unwrap().respond(&call)
            },
        );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, inner }
    }

    pub(super) fn edit<T>(&self, edit: impl FnOnce(&mut dyn Api) -> T) -> T {
        edit(&mut *self.inner.lock().unwrap().api)
    }

    pub(super) fn forge(&self) -> Forge {
        self.edit(|api| api.forge())
    }

    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        self.edit(|api| api.environment(&self.address))
    }

    pub(super) fn comments(&self) -> Vec<(CommentAuthor, String)> {
        self.edit(|api| api.comments())
    }

    /// Makes the next calls of this method fail, each with one fault.
    pub(super) fn fail(&self, method: Method, faults: &[Fault]) {
        let faults = faults.iter().map(|fault| (method.clone(), fault.clone()));
        self.inner.lock().unwrap().faults.extend(faults);
    }

    /// The method and path of the calls so far, which are forgotten.
    pub(super) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.lock().unwrap().calls)
    }

    /// Posts a plan with this text.
    pub(super) async fn post(&self, text: &str) -> Result<Posted, Error> {
        let environment = self.environment();
        let pull_request = read(self.forge(), &environment).unwrap();
        let comment = Comment { marker: MARKER.to_owned(), body: text.to_owned() };
        let result = forge::post(&pull_request, &comment, &options()).await;
        if let Err(error) = &result {
            let message = format!("{error} {} {error:?} {pull_request:?}", error.advised());
            assert!(!message.contains(TOKEN), "{message}");
        }
        result
    }

    pub(super) async fn posts(&self, text: &str, change: CommentChange) {
        let posted = self.post(text).await.unwrap();
        assert_eq!(posted.change, change);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.inner.lock().unwrap().wrong, [""; 0]);
        }
    }
}

impl Inner {
    fn respond(&mut self, call: &Call) -> Response {
        self.calls.push(format!("{} {}", call.method, call.path));
        let answered = catch_unwind(AssertUnwindSafe(|| check(call)));
        let fault = self.faults.iter().position(|(method, _)| *method == call.method);
        let fault = fault.and_then(|at| self.faults.remove(at)).map(|(_, fault)| fault);
        if let Some(Fault::Refuse(status, headers, body)) = fault {
            let mut response = json_response(status, body.to_owned());
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            return response;
        }
        if let Some(Fault::Lose) = fault {
            return broken(StatusCode::OK);
        }
        let answered =
            answered.and_then(|()| catch_unwind(AssertUnwindSafe(|| self.api.answer(call))));
        let (status, headers, body) = answered.unwrap_or_else(|panic| {
            let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            self.wrong.push(format!("{call:?}: {why}"));
            (501, Vec::new(), Value::Null)
        });
        match fault {
            Some(Fault::Cut) => broken(StatusCode::CREATED),
            Some(Fault::Mask(status)) => {
                let html = [(header::CONTENT_TYPE, "text/html")];
                (StatusCode::from_u16(status).unwrap(), html, "<html>gateway</html>")
                    .into_response()
            }
            Some(Fault::Refuse(..) | Fault::Lose) | None => {
                let mut response = json_response(status, body.to_string());
                for (name, value) in headers {
                    response.headers_mut().insert(name, value.parse().unwrap());
                }
                response
            }
        }
    }
}

/// Checks the required parts of every call.
fn check(call: &Call) {
    let agent = call.headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("portvakt/"), "{agent}");
    if !call.body.is_null() {
        assert_eq!(call.headers["content-type"], "application/json");
    }
}

fn json_response(status: u16, body: String) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (StatusCode::from_u16(status).unwrap(), kind, body).into_response()
}

fn broken(status: StatusCode) -> Response {
    let parts = [Ok("{"), Err(std::io::Error::other("cut"))];
    (status, Body::from_stream(futures_util::stream::iter(parts))).into_response()
}

/// The pull request that these variables name.
pub(super) fn read(
    forge: Forge,
    environment: &[(&'static str, String)],
) -> Result<forge::PullRequest, Error> {
    forge::from_environment(forge, &|name| {
        let set = environment.iter().find(|(set, _)| *set == name);
        set.map(|(_, value)| value.clone())
    })
}

pub(super) fn options() -> ForgeOptions {
    ForgeOptions { base_delay: std::time::Duration::from_millis(1), ..ForgeOptions::default() }
}

/// A page of a list, and whether there is another.
pub(super) fn page<T>(all: &[T], number: usize, size: usize) -> (&[T], bool) {
    let start = ((number - 1) * size).min(all.len());
    let end = (start + size).min(all.len());
    (&all[start..end], end < all.len())
}

//! HTTP: connections, routes, and what can go wrong between them.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post, put};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::fault::strike;
use super::refusal::Refusal;
use super::shared::{SKYPORTEN_PATH, Shared, lock};
use super::{
    Exchange, Fault, accesses, client_keys, clients, lookups, on_behalf_of, scopes, skyporten,
    token,
};

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut by a fault rule")]
struct Cut;

/// More than any scope's representation.
const BODY_LIMIT: usize = 1 << 20;

/// How long an orderly end waits for requests that were begun.
const GRACE: Duration = Duration::from_secs(5);

fn routes(shared: Arc<Shared>) -> Router {
    let scopes = get(scopes::list).post(scopes::create).put(scopes::update).delete(scopes::delete);
    let api = Router::new()
        .route("/scopes", scopes.clone())
        // What is left of `/scopes/access/..` when a client normalises its URL: the danger of a
        // consumer that is no number is real here too.
        .route("/scopes/", scopes)
        .route("/scopes/scope", get(scopes::get))
        .route("/scopes/all", get(scopes::list_all))
        .route("/scopes/access", get(accesses::list))
        .route("/scopes/access/all", get(accesses::list_received))
        .route("/scopes/access/{consumer_orgno}", put(accesses::grant).delete(accesses::revoke))
        .merge(clients())
        .route("/prefix", get(lookups::prefixes))
        .route("/prefix/all", get(lookups::all_prefixes))
        .route("/delegationsources", get(lookups::delegation_sources))
        .route("/organizations/{orgno}", get(lookups::organization));
    let skyporten = Router::new()
        .route("/.well-known/openid-configuration", get(skyporten::metadata))
        .route("/jwk", get(token::keys))
        .route("/token", post(skyporten::token));
    Router::new()
        .nest("/api/v1", api)
        .nest(SKYPORTEN_PATH, skyporten)
        .route("/api/v2/clients/{client_id}/key", post(client_keys::add))
        .route("/.well-known/oauth-authorization-server", get(token::metadata))
        .route("/jwk", get(token::keys))
        .route("/token", post(token::token))
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "This path has no such method")
        })
        .fallback(async |uri: Uri| Refusal::not_found(format!("There is no path {}", uri.path())))
        .with_state(shared)
}

/// The paths that end with a slash are what is left of `/clients/{client_id}/jwks/..` and its
/// like.
fn clients() -> Router<Arc<Shared>> {
    let client = get(clients::get).put(clients::update).delete(clients::delete);
    let keys = get(client_keys::list).post(client_keys::replace).delete(client_keys::delete_all);
    let key = get(client_keys::get).put(client_keys::put).delete(client_keys::delete);
    let on_behalf_of_all = get(on_behalf_of::list).post(on_behalf_of::create);
    let on_behalf_of_one =
        get(on_behalf_of::get).put(on_behalf_of::update).delete(on_behalf_of::delete);
    Router::new()
        .route("/clients", get(clients::list).post(clients::create))
        .route("/clients/{client_id}", client.clone())
        .route("/clients/{client_id}/", client)
        .route("/clients/{client_id}/secret", post(clients::new_secret))
        .route("/clients/{client_id}/jwks", keys.clone())
        .route("/clients/{client_id}/jwks/", keys)
        .route("/clients/{client_id}/jwks/{kid}", key)
        .route("/clients/{client_id}/onbehalfof", on_behalf_of_all)
        .route("/clients/{client_id}/onbehalfof/{id}", on_behalf_of_one)
}

/// Answers until `stop` changes or its sender is gone; then finishes what was begun.
pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<()>,
) {
    let router = routes(Arc::clone(&shared));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (router, shared, stop) = (router.clone(), Arc::clone(&shared), stop.clone());
                    connections.spawn(connection(stream, router, shared, stop));
                }
                // Out of file handles, mostly: others must be given back first.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    // A request that is never sent to its end is not waited for.
    let _ = tokio::time::timeout(GRACE, drained).await;
}

async fn connection(
    stream: TcpStream,
    router: Router,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<()>,
) {
    // Small answers must not wait for more to send.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(&router, &shared, request));
    let mut connection =
        pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// One request, its faults and its record included. An error closes the connection.
async fn answer(
    router: &Router,
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(Body::new(body), BODY_LIMIT).await else {
        let refusal = Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large");
        return Ok(refusal.into_response());
    };
    let switches = shared.switches();
    if switches.latency > 0 {
        tokio::time::sleep(Duration::from_millis(switches.latency)).await;
    }
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let fault = strike(&mut lock(&shared.faults), &parts.method, target);
    let exchange =
        shared.exchanges.as_ref().map(|_| Exchange::of_request(&parts, &body, switches, fault));
    let request = Request::from_parts(parts, Body::from(body));
    let response = suffer(router, shared, request, fault).await;
    record(shared, exchange, response).await
}

/// Does what was asked, or what the fault makes of it.
async fn suffer(
    router: &Router,
    shared: &Shared,
    request: Request<Body>,
    fault: Option<Fault>,
) -> Result<Response<Body>, Cut> {
    match fault {
        None => Ok(route(router, request).await),
        Some(Fault::Status { status, retry_after }) => Ok(refuse(status, retry_after)),
        Some(Fault::StatusAfter { status, retry_after }) => {
            route(router, request).await;
            Ok(refuse(status, retry_after))
        }
        Some(Fault::CutBefore) => Err(Cut),
        Some(Fault::CutAfter) => {
            route(router, request).await;
            Err(Cut)
        }
        Some(Fault::Html) => Ok(Html(GATEWAY_PAGE).into_response()),
        Some(Fault::ExpireTokens) => {
            shared.tokens.expire_all();
            Ok(route(router, request).await)
        }
    }
}

const GATEWAY_PAGE: &str =
    "<!DOCTYPE html><html><head><title>Gateway</title></head><body>Please wait</body></html>\n";

async fn route(router: &Router, request: Request<Body>) -> Response<Body> {
    let answered: Result<_, Infallible> =
        TowerToHyperService::new(router.clone()).call(request).await;
    match answered {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn refuse(status: u16, retry_after: Option<u64>) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Refusal::new(status, "A fault was asked for").into_response();
    if let Some(seconds) = retry_after {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

async fn record(
    shared: &Shared,
    exchange: Option<Exchange>,
    response: Result<Response<Body>, Cut>,
) -> Result<Response<Body>, Cut> {
    let (Some(exchange), Some(exchanges)) = (exchange, &shared.exchanges) else {
        return response;
    };
    let Ok(response) = response else {
        lock(exchanges).push(exchange);
        return Err(Cut);
    };
    let (parts, body) = response.into_parts();
    // Bodies are made in memory, so reading one cannot fail.
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    lock(exchanges).push(exchange.answered(parts.status.as_u16(), &parts.headers, &body));
    Ok(Response::from_parts(parts, Body::from(body)))
}

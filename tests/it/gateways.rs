//! `portvakt render` for gateways: the policies decide as the declarations do, on real engines where they are
//! installed.

mod api;
mod envoy;
mod forms;
mod istio;
mod krakend;
mod spring;

//! A client that connects only to the checked addresses of one server.

use super::{EgressPolicy, FailureCode, Refusal, Target};
use crate::wire;
use reqwest::{
    Client, Method, RequestBuilder,
    dns::{Name, Resolve, Resolving},
};
use url::Url;

/// A client for several requests to one server. Keeps its connection while it lives.
#[derive(Debug, Clone)]
pub(crate) struct Pinned {
    client: Client,
    target: Target,
}

impl Pinned {
    pub(super) fn new(policy: &EgressPolicy, target: Target) -> Result<Self, Refusal> {
        let client = client_for(policy, &target, 1).map_err(|error| refusal_for(&error))?;
        Ok(Self { client, target })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.target.url
    }

    /// Refuses URLs of another server, which were not checked.
    pub(crate) fn request(&self, method: Method, url: &Url) -> Result<RequestBuilder, Refusal> {
        if !self.target.same_server(url) || !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::blocked("a URL of another server than the configured one"));
        }
        Ok(self.client.request(method, url.clone()))
    }
}

/// `idle`: the most idle connections it keeps.
pub(super) fn client_for(policy: &EgressPolicy, target: &Target, idle: usize) -> Result<Client, reqwest::Error> {
    let mut builder = wire::builder()
        .connect_timeout(policy.limits.connect)
        .pool_max_idle_per_host(idle)
        .dns_resolver(NoSecondLookup);
    if let Some(name) = target.url.domain() {
        builder = builder.resolve_to_addrs(name, &target.addresses);
    }
    builder.build()
}

/// Refuses every lookup: only the checked addresses may be used.
struct NoSecondLookup;

impl Resolve for NoSecondLookup {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Err("a second lookup was attempted".into()) })
    }
}

/// Maps an error of the HTTP client to a failure code.
pub(crate) fn refusal_for(error: &reqwest::Error) -> Refusal {
    let (code, message) = if wire::is_tls(error) {
        (FailureCode::TlsError, "no trusted TLS connection to the server")
    } else if error.is_connect() && error.is_timeout() {
        (FailureCode::ConnectTimeout, "no connection in time")
    } else if error.is_connect() {
        (FailureCode::ConnectError, "could not connect to the server")
    } else if error.is_timeout() {
        (FailureCode::ReadTimeout, "no complete answer in time")
    } else {
        (FailureCode::BadResponse, "the server's answer is broken")
    };
    tracing::debug!(code = code.as_str(), cause = wire::explain(error), "tool request failed");
    Refusal::new(code, message)
}

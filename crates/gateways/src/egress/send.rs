//! Executes a tool's request.
//!
//! Each hop has its own client with the checked addresses only: a shared pool or resolver would be
//! a second way to choose an address. Building a client costs microseconds, since the TLS settings
//! are shared.

use super::{
    EgressPolicy, FailureCode, Limits, Pinned, Refusal, Resolver, Target, content,
    pinned::{client_for, refusal_for},
    redirect::Hop,
    target,
};
use crate::{InProcess, body::Progress, parsing::off_worker, wire};
use domain::tool_request::{ToolAnswer, ToolRequest};
use reqwest::{Method, Response, header::CONTENT_LENGTH};

/// The guarded client. One per process.
#[derive(Debug, Clone)]
pub struct Egress {
    policy: EgressPolicy,
    resolver: Resolver,
    /// Replaces the network in simulations.
    transport: Option<InProcess<ToolRequest, ToolAnswer>>,
}

impl Egress {
    pub fn new(policy: EgressPolicy, resolver: Resolver) -> Self {
        Self { policy, resolver, transport: None }
    }

    /// A client that calls a function instead of the network.
    pub fn in_process(world: InProcess<ToolRequest, ToolAnswer>) -> Self {
        Self { transport: Some(world), ..Self::new(EgressPolicy::default(), Resolver::System) }
    }

    /// Checks and resolves a URL without connecting.
    pub async fn check(&self, url: &str) -> Result<Target, Refusal> {
        target::check(&self.policy, &self.resolver, target::parse(url)?).await
    }

    /// A client for several requests to one server. The URL is checked and resolved once.
    pub(crate) async fn pinned(&self, url: &str) -> Result<Pinned, Refusal> {
        Pinned::new(&self.policy, self.check(url).await?)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.policy.limits
    }

    pub(crate) fn in_process_transport(&self) -> Option<&InProcess<ToolRequest, ToolAnswer>> {
        self.transport.as_ref()
    }

    /// Sends a request at most once. A GET whose connection failed is tried once more.
    pub(crate) async fn send_http(&self, request: &ToolRequest, holds_secrets: bool) -> ToolAnswer {
        let progress = Progress::default();
        let answer = tokio::time::timeout(self.policy.limits.total, self.follow(request, holds_secrets, &progress));
        let refusal = match answer.await {
            Ok(Ok(answer)) => return answer,
            Ok(Err(refusal)) => refusal,
            Err(_) if request.body.is_some() && !progress.handed_over() => {
                Refusal::new(FailureCode::WriteTimeout, "the request was not written in time")
            }
            Err(_) => Refusal::new(FailureCode::ReadTimeout, "no complete answer in time"),
        };
        tracing::info!(code = refusal.code.as_str(), "tool request without an answer");
        refusal.into()
    }

    async fn follow(
        &self,
        request: &ToolRequest,
        holds_secrets: bool,
        progress: &Progress,
    ) -> Result<ToolAnswer, Refusal> {
        let mut hop = Hop::first(request, holds_secrets)?;
        for _ in 0..=self.policy.limits.redirects {
            let target = target::check(&self.policy, &self.resolver, hop.url.clone()).await?;
            let response = self.exchange(&hop, &target, progress).await?;
            match hop.after(&target, &response)? {
                Some(next) => hop = next,
                None => return self.read(response).await,
            }
        }
        Err(Refusal::new(FailureCode::TooManyRedirects, "redirected too often"))
    }

    async fn exchange(&self, hop: &Hop, target: &Target, progress: &Progress) -> Result<Response, Refusal> {
        let first = self.attempt(hop, target, progress).await;
        match first {
            Err(refusal) if hop.method == Method::GET && refusal.code == FailureCode::ConnectError => {
                self.attempt(hop, target, progress).await
            }
            other => other,
        }
    }

    async fn attempt(&self, hop: &Hop, target: &Target, progress: &Progress) -> Result<Response, Refusal> {
        let client = client_for(&self.policy, target, 0).map_err(|error| refusal_for(&error))?;
        let mut request = client.request(hop.method.clone(), target.url.clone()).headers(hop.headers.clone());
        if let Some(body) = &hop.body {
            request = request.header(CONTENT_LENGTH, body.len()).body(progress.follow(body.clone()));
        }
        request.send().await.map_err(|error| refusal_for(&error))
    }

    async fn read(&self, mut response: Response) -> Result<ToolAnswer, Refusal> {
        let status = response.status().as_u16();
        let (body, truncated) =
            wire::read_capped(&mut response, self.policy.limits.body).await.map_err(|error| refusal_for(&error))?;
        let content = off_worker(body, content::of).await;
        Ok(content.flatten().map_or_else(too_large, |content| ToolAnswer::Answered { status, content, truncated }))
    }
}

/// The answer has too many JSON values.
fn too_large() -> ToolAnswer {
    ToolAnswer::Failed { code: "result_too_large".into(), message: "result too large".into() }
}

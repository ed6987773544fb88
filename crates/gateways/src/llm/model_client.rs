//! The HTTP client of models: one for the addresses of the operator, and guarded ones for those of
//! projects.

use super::failure::{for_address, permanent};
use crate::{
    ClientError,
    egress::{Egress, Pinned},
    wire,
};
use domain::chat::ModelFailure;
use reqwest::{Method, RequestBuilder};
use std::time::Duration;
use url::Url;

/// A connection pool; clones share it.
#[derive(Debug, Clone)]
pub struct ModelClient(Reach);

#[derive(Debug, Clone)]
enum Reach {
    /// Every address: URLs of the operator are trusted.
    Any(reqwest::Client),
    /// The checked addresses of one server.
    Checked(Pinned),
    /// Sends nothing: requests are only rendered.
    Nothing,
}

impl ModelClient {
    pub fn new() -> Result<Self, ClientError> {
        let builder = wire::builder().connect_timeout(Duration::from_secs(10));
        Ok(Self(Reach::Any(builder.build()?)))
    }

    /// A client for the server of a user's URL, whose addresses are resolved and checked now.
    pub(super) async fn guarded(egress: &Egress, url: &str) -> Result<Self, ModelFailure> {
        let pinned = egress.pinned(url).await.map_err(|refusal| for_address(&refusal))?;
        Ok(Self(Reach::Checked(pinned)))
    }

    /// A client that sends nothing.
    pub(super) const fn none() -> Self {
        Self(Reach::Nothing)
    }

    /// A guarded client refuses URLs of other servers.
    pub(super) fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, ModelFailure> {
        match &self.0 {
            Reach::Any(client) => Ok(client.request(method, url)),
            Reach::Checked(pinned) => {
                let url = Url::parse(url).map_err(|_| permanent("the model's base URL cannot be used"))?;
                pinned.request(method, &url).map_err(|refusal| for_address(&refusal))
            }
            Reach::Nothing => Err(permanent("this client sends nothing")),
        }
    }
}

//! Providers with an address and a key of a project: reached through the guard for users' URLs.

use super::{
    LlmSettings, ModelClient, Provider, ProviderName,
    adaptation::Learned,
    config::{of_project, own_base_url},
};
use crate::egress::Egress;
use domain::chat::ModelFailure;

/// The connection to a project's provider and the forms of requests that its server asked for. It
/// holds no key.
#[derive(Debug, Clone)]
pub struct ProjectConnection {
    client: ModelClient,
    learned: Learned,
}

impl ProjectConnection {
    /// Resolves and checks the address; connects later. `earlier` is a connection to the same
    /// endpoint.
    pub async fn open(
        egress: &Egress,
        name: ProviderName,
        base_url: Option<&str>,
        earlier: Option<&Self>,
    ) -> Result<Self, ModelFailure> {
        let client = ModelClient::guarded(egress, base_url.unwrap_or_else(|| own_base_url(name))).await?;
        let learned = earlier.map(|earlier| earlier.learned.clone()).unwrap_or_default();
        Ok(Self { client, learned })
    }

    /// A connection that sends nothing, for requests that are only rendered.
    pub fn none() -> Self {
        Self { client: ModelClient::none(), learned: Learned::default() }
    }

    /// The provider of these settings, which must name one. Keys of the server are not used.
    pub fn provider(&self, settings: &LlmSettings) -> Result<Provider, ModelFailure> {
        Ok(match of_project(&self.client, settings)? {
            Provider::OpenAi(model) => Provider::OpenAi(model.with_learned(self.learned.clone())),
            Provider::Native(model) => Provider::Native(model.with_learned(self.learned.clone())),
            in_process @ Provider::InProcess(_) => in_process,
        })
    }
}

//! Keys and custom headers of an endpoint, sealed as one secret.

use crate::{
    Context,
    json::{from_json, to_json},
};
use domain::{
    Timestamp,
    ids::{ProjectId, SecretId},
};
use serde::{Deserialize, Serialize};
use store::{
    Conn, Error, Result, Tx,
    hook_endpoints::HookEndpointRow,
    secrets::{self, SecretKind},
    whatsapp_configs,
};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub key: String,
    /// In the order given.
    pub headers: Vec<(String, String)>,
    /// Signs as well during a rotation.
    #[serde(default)]
    pub previous: Option<PreviousKey>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousKey {
    pub key: String,
    /// In microseconds.
    pub until: i64,
}

impl Credentials {
    /// The keys that sign at this time, the newest first.
    pub fn keys(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let previous = self.previous.as_ref().filter(|previous| now.micros() < previous.until);
        std::iter::once(self.key.as_str()).chain(previous.map(|previous| previous.key.as_str()))
    }

    /// Seals them under this id.
    pub async fn put(&self, ctx: &Context, tx: &mut Tx<'_>, project: ProjectId, id: SecretId) -> Result<()> {
        let sealed = to_json("webhook credentials", self)?;
        secrets::put(&mut tx.scope(project, ctx.now()), &ctx.vault, id, SecretKind::HookCredentials, &sealed).await
    }

    /// Those of an endpoint. The key of a destination URL is its config's verify token.
    pub async fn of(
        ctx: &Context,
        conn: &mut Conn<'_>,
        project: ProjectId,
        endpoint: &HookEndpointRow,
    ) -> Result<Self> {
        let gone = || Error::Damaged { what: "webhook endpoint", why: "its key is missing".into() };
        if let Some(id) = endpoint.secret_id {
            let sealed = secrets::reveal(conn, &ctx.vault, project, id, SecretKind::HookCredentials).await?;
            return from_json("webhook credentials", &sealed.ok_or_else(gone)?);
        }
        let config = endpoint.whatsapp_config_id.unwrap_or_else(|| domain::Id::from_uuid(endpoint.scope_id));
        let config = whatsapp_configs::find(conn, project, config).await?.ok_or_else(gone)?;
        Ok(Self { key: config.webhook_verify_token, ..Self::default() })
    }
}

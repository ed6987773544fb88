//! The endpoint of a config's destination URL, which follows the config.

use super::fields;
use crate::AppState;
use domain::{
    Id,
    hook::{EndpointOrigin, HookEvent, PayloadVersion},
    ids::ProjectId,
};
use serde_json::json;
use store::{
    Tx,
    hook_endpoints::{self, HookEndpointRow},
    secrets,
    whatsapp_configs::WhatsappConfigRow,
};

/// Deletes an endpoint and its secret.
pub(in crate::resources) async fn remove(
    tx: &mut Tx<'_>,
    project: ProjectId,
    row: &HookEndpointRow,
) -> store::Result<()> {
    hook_endpoints::delete(tx, project, row.id).await?;
    match row.secret_id {
        Some(secret) => secrets::delete(tx, project, secret).await,
        None => Ok(()),
    }
}

/// Creates, changes or deletes the endpoint of a config's destination URL: version 1, with the
/// contract's eight events and the verify token as key. It has the id of its config.
pub(in crate::resources) async fn follow_destination(
    ctx: &AppState,
    tx: &mut Tx<'_>,
    project: ProjectId,
    config: &WhatsappConfigRow,
) -> store::Result<()> {
    let id = Id::from_uuid(config.id.uuid());
    match (&config.webhook_destination_url, hook_endpoints::find(tx, project, id).await?) {
        (None, None) => Ok(()),
        (None, Some(row)) => remove(tx, project, &row).await,
        (Some(url), Some(row)) if *url == row.url => Ok(()),
        (Some(url), Some(row)) => {
            let (url, updated_at) = (url.clone(), ctx.now());
            hook_endpoints::update(tx, project, &HookEndpointRow { url, updated_at, ..row }).await?;
            hook_endpoints::resume(tx, project, id, updated_at).await
        }
        (Some(url), None) => {
            let names: Vec<&str> = HookEvent::ALL[..HookEvent::CONTRACT].iter().map(|event| event.as_str()).collect();
            let row = HookEndpointRow {
                id,
                scope_id: config.id.uuid(),
                whatsapp_config_id: Some(config.id),
                origin: EndpointOrigin::Destination,
                url: url.clone(),
                events: json!(names).to_string(),
                buffer_events: "[]".into(),
                payload_version: PayloadVersion::V1,
                secret_id: None,
                ..fields::new_row(ctx, project)
            };
            hook_endpoints::insert(tx, project, &row).await
        }
    }
}

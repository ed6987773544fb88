//! `GET /api/cli/version`: published clients call it before every command.

use axum::{
    Json,
    http::{HeaderMap, header},
};
use serde::Serialize;
use utoipa::ToSchema;

/// Oldest client that works with this server.
const FIRST: &str = "0.1.0";

#[derive(Serialize, ToSchema)]
pub(super) struct CliVersion {
    latest_version: String,
    update_command: String,
}

/// Read the latest client version
///
/// Equals the version of the calling client, so that no client prompts for an update.
#[utoipa::path(
    get, path = "/version", operation_id = "cli_get_version", tag = "CLI Support", security(()),
    responses((status = 200, description = "The version.", body = CliVersion))
)]
pub(super) async fn handle(headers: HeaderMap) -> Json<CliVersion> {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let version = agent.rsplit_once("-cli/").map(|(_, version)| version.split(' ').next().unwrap_or_default());
    let is_version =
        |text: &&str| text.split('.').count() == 3 && text.split('.').all(|part| part.parse::<u16>().is_ok());
    let latest_version = version.filter(is_version).unwrap_or(FIRST).to_owned();
    Json(CliVersion { latest_version, update_command: "pip install --upgrade kapso".into() })
}
